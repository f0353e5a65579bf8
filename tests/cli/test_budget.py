"""`watui budget`, and checks of a profile that has one."""

import re
from pathlib import Path

import pytest

from tests.cli.conftest import RecordingWorld, Watui
from watui.cli.exits import Exit
from watui.simulator.serving import ServerThread

NUMBERS = tuple(f"--number=+1631555{line}" for line in range(1000, 1006))
ONE_EACH = ("--batch-size", "1")


@pytest.fixture
def shop(watui: Watui, server: ServerThread) -> str:
    """A profile with a budget of that server, and its URL."""
    assert watui("profiles", "add", "shop", "--url", server.url, "--budget").code == Exit.DONE
    return server.url


def test_nothing_is_asked_beyond_the_messages_that_were_sent(watui: Watui, world: RecordingWorld, shop: str) -> None:
    stopped = watui("check", "--profile", "shop", *ONE_EACH, *NUMBERS)
    assert (stopped.code, world.requests) == (Exit.UNFINISHED, [])
    assert "the budget of shop is used up: 0 of 0 calls used. WhatsApp's policy" in stopped.err
    assert "watui budget add N --profile shop" in stopped.err

    assert "shop: 0 of 4 calls used." in watui("budget", "add", "4", "--profile", "shop").err
    stopped = watui("runs", "resume")
    assert (stopped.code, len(world.requests)) == (Exit.UNFINISHED, 4)
    assert "4 of 4 calls used" in stopped.err
    assert stopped.out.count('"valid"') + stopped.out.count('"invalid"') == 4, "what was paid for is not thrown away"

    going = watui("runs", "resume", "--over-budget", "1")
    assert (going.code, len(world.requests)) == (Exit.UNFINISHED, 5)
    going = watui("runs", "resume", "--over-budget", "5", "--follow")
    assert (going.code, len(world.requests)) == (Exit.DONE, 6)
    assert "goes on over the budget by up to 5 calls" in going.err
    lines = going.out.splitlines()
    assert len(lines) == len(set(lines)) == len(NUMBERS), "no row is printed twice"

    trail = watui("actions", "--format", "csv").out
    assert [line.split(",")[1] for line in trail.splitlines()[1:]] == ["over the budget"] * 2 + ["messages sent"]
    assert "5, when 5 of 5 calls were used" in trail
    shown = watui("budget", "--profile", "shop", "--format", "csv")
    assert shown.out.splitlines()[1] == f"shop,{shop},4,6,6,4"


def test_what_is_allowed_over_the_budget_is_written_down_only_where_it_is_used(
    watui: Watui, world: RecordingWorld, shop: str
) -> None:
    watui("budget", "add", "6", "--profile", "shop")
    ended = watui("check", "--profile", "shop", *ONE_EACH, *NUMBERS, "--over-budget", "3")
    assert (ended.code, len(world.requests)) == (Exit.DONE, 6)
    assert "over the budget" not in watui("actions").out


def test_all_that_asks_the_same_server_shares_its_budget(watui: Watui, world: RecordingWorld, shop: str) -> None:
    assert watui("profiles", "add", "other", "--url", f"{shop}/").code == Exit.DONE
    watui("budget", "add", "3", "--profile", "other")
    for which in (("--profile", "shop"), ("--profile", "other"), ("--url", shop)):
        watui("check", *which, *NUMBERS[:1], "--recheck")
    assert len(world.requests) == 3
    for which in (("--profile", "shop"), ("--profile", "other"), ("--url", shop)):
        assert watui("check", *which, *NUMBERS[:1], "--recheck").code == Exit.UNFINISHED
    assert len(world.requests) == 3


@pytest.mark.parametrize("which", [(), ("--url", "{url}")], ids=["simulator", "url"])
def test_others_have_no_budget(watui: Watui, server: ServerThread, which: tuple[str, ...]) -> None:
    where = [each.format(url=server.url) for each in which]
    assert "has no budget: its calls are not counted" in watui("budget", *where).err
    refused = watui("budget", "add", "5", *where)
    assert (refused.code, "has no budget" in refused.err) == (Exit.USAGE, True)
    assert "No budget" in watui("check", *where, *NUMBERS[:1], "--dry-run").err


def test_messages_of_days_are_imported_and_replaced(watui: Watui, shop: str, tmp_path: Path) -> None:
    file = tmp_path / "sent.csv"
    file.write_text("day,messages\n2026-01-01,40\n2026-01-02,2\n\n2026-01-02,1\n")
    for _ in range(2):
        ended = watui("budget", "import", str(file), "--profile", "shop")
        assert ended.err == "shop: 0 of 43 calls used.\n43 messages on 2 dates.\n"
    file.write_text("2026-01-02,10\n")
    assert "0 of 50 calls used" in watui("budget", "import", str(file), "--profile", "shop").err


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "holds no days"),
        ("day,messages\n", "holds no days"),
        ("2026-01-01,5\nyesterday,7\n", "row 2"),
        ("2026-01-01,5\n2026-01-02,-7\n", "row 2"),
        ("2026-01-01,5\n2026-01-02\n", "row 2"),
        ("2026-01-01,1000000000\n", "a count up to 999,999,999"),
        ("2026-01-01,99999999999999999999\n", "row 1"),
        ("31.01.2026,1200\n2026-02-01,10\n", "row 1"),
        ("day,1200\n2026-02-01,10\n", "row 1"),
    ],
)
def test_a_file_that_cannot_be_read_changes_nothing(
    watui: Watui, shop: str, tmp_path: Path, text: str, why: str
) -> None:
    file = tmp_path / "sent.csv"
    file.write_text(text)
    ended = watui("budget", "import", str(file), "--profile", "shop")
    assert (ended.code, why in ended.err) == (Exit.USAGE, True), ended.err
    assert re.search(r"shop,[^,]*,0,0,0,0", watui("budget", "--profile", "shop", "--format", "csv").out)


@pytest.mark.parametrize("number", ["0", "1000000000", "9223372036854775807", "99999999999999999999"])
@pytest.mark.parametrize("command", [("budget", "add"), ("check", *NUMBERS, "--over-budget")], ids=" ".join)
def test_what_is_no_count_is_refused(watui: Watui, shop: str, command: tuple[str, ...], number: str) -> None:
    ended = watui(*command, number, "--profile", "shop")
    assert (ended.code, "1<=x<=999999999" in ended.err) == (Exit.USAGE, True), ended.err
    assert re.search(r"shop,[^,]*,0,0,0,0", watui("budget", "--profile", "shop", "--format", "csv").out)


def test_what_was_entered_by_mistake_is_taken_back_and_the_trail_keeps_both(
    watui: Watui, shop: str, tmp_path: Path
) -> None:
    file = tmp_path / "sent.csv"
    file.write_text("2026-01-01,40\n")
    watui("budget", "import", str(file), "--profile", "shop")
    watui("budget", "add", "5000", "--profile", "shop")
    refused = watui("budget", "take-back", "5040", "--profile", "shop")
    assert refused.code == Exit.USAGE
    assert "no more than 5,000 was entered by hand. To correct a day, import it again" in refused.err
    assert "shop: 0 of 540 calls used." in watui("budget", "take-back", "4500", "--profile", "shop").err
    refused = watui("budget", "take-back", "1", "--over", "--profile", "shop")
    assert (refused.code, "no more than 0 was entered" in refused.err) == (Exit.USAGE, True)
    trail = watui("actions", "--format", "csv").out.splitlines()[1:]
    assert [re.search(r"[-\d,]+, when", line)[0] for line in trail] == ["-4,500, when", "5,000, when", "40, when"]  # type: ignore[index]


def test_calls_over_the_budget_are_taken_back(watui: Watui, shop: str) -> None:
    watui("check", "--profile", "shop", *ONE_EACH, *NUMBERS, "--over-budget", "5000")
    taken = watui("budget", "take-back", "4998", "--over", "--profile", "shop")
    assert "shop: 6 of 2 calls used, 2 of them over the messages sent." in taken.err
    assert watui("check", "--profile", "shop", *NUMBERS[:1], "--recheck").code == Exit.UNFINISHED


def test_the_policy_stands_in_the_help(watui: Watui) -> None:
    words = " ".join(watui("budget", "--help").out.split())
    assert "no more calls than the number sends messages" in words
    assert "running total since the budget began" in words


def test_a_dry_run_tells_what_is_left(watui: Watui, shop: str) -> None:
    watui("budget", "add", "4", "--profile", "shop")
    ended = watui("check", "--profile", "shop", *ONE_EACH, *NUMBERS, "--dry-run", "--blocking", "wait")
    assert "Budget of shop: 0 of 4 calls used. That may not do." in ended.err
    ended = watui("check", "--profile", "shop", *NUMBERS, "--dry-run", "--blocking", "wait")
    assert "Budget of shop: 0 of 4 calls used.\n" in ended.err
