"""`watui block`, `unblock` and `report`: what reaches the server, what a person is asked and told, and how it ends."""

import csv
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import SECONDS, Ended, Watui, assert_one_sentence, process, start
from tests.cli.site import Site
from tests.conftest import TOKEN
from tests.pty.terminal import Terminal
from watui.cli.exits import Exit
from watui.contract.wa_ids import wa_id_of
from watui.ledger import trail
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.schema import LedgerUnusable
from watui.settings.paths import Paths
from watui.simulator.faults import Fault
from watui.simulator.faults import Kind as Broken

BLOCK, UNBLOCK, REPORT, LIST = (f"/v1/contacts/{path}" for path in ("*/block", "*/unblock", "*/report", "blocklist"))


pytestmark = pytest.mark.usefixtures("no_waiting")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> "Typed":
    """Let standard input and, once something is typed, standard error be a terminal."""
    typed = Typed(monkeypatch)
    monkeypatch.setattr(sys, "stdin", typed)
    return typed


class Typed(io.StringIO):
    """What a person types."""

    def __init__(self, patches: pytest.MonkeyPatch) -> None:
        super().__init__()
        self._patches = patches
        self._ready = open(os.devnull, encoding="ascii")  # noqa: SIM115 - as long as the test

    def fileno(self) -> int:
        return self._ready.fileno()

    def close(self) -> None:
        self._ready.close()
        super().close()

    def says(self, text: str) -> None:
        # What captures the output is another object than when fixtures were made.
        self._patches.setattr(sys.stderr, "isatty", lambda: True)
        self.write(text)
        self.seek(0)

    def isatty(self) -> bool:
        return True


def rows_of(ended: Ended) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ended.out.splitlines()]


def outcomes_of(ended: Ended) -> Counter[str]:
    return Counter(row["outcome"] for row in rows_of(ended))


def the_trail(paths: Paths) -> list[trail.Action]:
    """Return every action of the ledger, the newest first."""
    reader = Reader(paths.ledger)
    try:
        return trail.latest(reader, 10_000)
    finally:
        reader.close()


def a_list(folder: Path, numbers: Iterable[str]) -> str:
    path = folder / "list.csv"
    path.write_text("\n".join(["phone", *numbers]) + "\n")
    return str(path)


# One contact


def test_who_wrote_lately_is_blocked(watui: Watui, site: Site) -> None:
    (number,) = site.writers(1)
    ended = watui("block", number, "--url", site.url, "--yes", "--reason", "  spam ")
    assert ended.code == Exit.DONE, ended.err
    (row,) = rows_of(ended)
    assert (row["kind"], row["input"], row["number"], row["outcome"]) == ("block", number, number, "done")
    assert (row["wa_id"], row["reason"], row["code"], row["action_id"]) == (wa_id_of(number), "spam", None, 1)
    assert row["at"].endswith("+00:00")
    assert site.blocked == [wa_id_of(number)]
    assert f"'watui actions undo 1 --url {site.url}' takes it back." in ended.err.splitlines()[-1]


@pytest.mark.parametrize("spelled", ["+1 (631) 555-{}", "1-631-555-{}", "631555{}", "tel:+1-631-555-{}"])
def test_every_spelling_is_blocked_as_the_number_that_it_is(watui: Watui, site: Site, spelled: str) -> None:
    (number,) = site.writers(1)
    ended = watui("block", spelled.format(number[-4:]), "--url", site.url, "--yes")
    assert ended.code == Exit.DONE, ended.err
    assert rows_of(ended)[0]["number"] == number
    assert site.blocked == [wa_id_of(number)]


def test_who_is_blocked_already_is_left_as_it_is(watui: Watui, site: Site, paths: Paths) -> None:
    site.block(site.writers(1))
    ended = watui("block", *site.writers(1), "--url", site.url)
    assert ended.code == Exit.USAGE, "who can't be asked is told before the server is"
    ended = watui("block", *site.writers(1), "--url", site.url, "--yes")
    assert (ended.code, site.changes, the_trail(paths)) == (Exit.DONE, [], [])
    assert rows_of(ended)[0]["outcome"] == "unchanged"
    assert "is blocked already" in ended.err


def test_who_has_not_written_is_refused_and_it_is_explained(watui: Watui, site: Site) -> None:
    ended = watui("block", *site.strangers(1), "--url", site.url, "--yes")
    assert ended.code == Exit.REFUSED
    (row,) = rows_of(ended)
    assert (row["outcome"], row["code"]) == ("refused", 2048)
    assert row["details"].startswith("Not engaged contact (2048)")
    assert "Not engaged contact (2048): Invalid Request." in ended.err
    assert "Wait until it writes again." in ended.err
    assert "watui simulator" not in ended.err, "that is a real server, for all that is known"


@pytest.mark.parametrize("command", ["block", "unblock", "report"])
def test_what_is_no_number_for_the_server_is_refused_and_it_is_explained(
    watui: Watui, site: Site, command: str
) -> None:
    ended = watui(command, "+1", "--url", site.url, "--yes")
    assert ended.code == Exit.REFUSED
    assert rows_of(ended)[0]["code"] == 1009
    assert "Provided WhatsApp ID is not valid" in ended.err
    assert "write it with + and country code" in ended.err


def test_who_is_blocked_is_unblocked(watui: Watui, site: Site) -> None:
    site.block(site.writers(2))
    first, second = site.writers(2)
    ended = watui("unblock", first, "--url", site.url, "--yes")
    assert ended.code == Exit.DONE, ended.err
    assert site.blocked == [wa_id_of(second)]
    assert "Only who has written within the last 24 hours can be blocked again." in ended.err
    ended = watui("unblock", first, "--url", site.url, "--yes")
    assert ended.code == Exit.DONE
    assert rows_of(ended)[0]["outcome"] == "unchanged"
    assert f"{first} is not blocked." in ended.err
    assert len(site.changes) == 1


def test_a_wa_id_of_the_blocklist_is_unblocked(watui: Watui, site: Site) -> None:
    """It need not parse as a number."""
    number = "+525512345678"
    site.world.people.change_account(number, True, time.time())
    site.block([number])
    assert watui("unblock", "5215512345678", "--url", site.url, "--yes").code == Exit.DONE
    assert site.blocked == []


@pytest.mark.parametrize("options", [[], ["--block"]])
def test_a_report_without_a_message_says_what_leaves(watui: Watui, site: Site, options: list[str]) -> None:
    (number,) = site.writers(1)
    ended = watui("report", number, "--url", site.url, "--yes", "--reason", "spam", *options)
    assert ended.code == Exit.DONE, ended.err
    assert "the last five messages of this chat go to WhatsApp" in ended.err
    assert "can't be taken back" in ended.err
    ((reported, messages),) = site.world.people.reported
    assert (reported, len(messages) <= 5) == (number, True)
    assert site.blocked == [wa_id_of(number)] * len(options)
    assert rows_of(ended)[0]["block"] is bool(options)
    assert "takes it back" not in ended.err


def test_a_report_hands_over_the_message_that_it_names(watui: Watui, site: Site) -> None:
    (number,) = site.writers(1)
    message_id = site.world.people.write(number, time.time())
    assert message_id is not None
    ended = watui("report", number, "--message-id", message_id, "--url", site.url, "--yes")
    assert ended.code == Exit.DONE, ended.err
    assert site.world.people.reported == [(number, (message_id,))]
    assert f"The message {message_id} goes to WhatsApp" in ended.err
    assert rows_of(ended)[0]["message_id"] == message_id


def test_a_message_of_nobody_is_refused_and_it_is_explained(watui: Watui, site: Site) -> None:
    ended = watui("report", *site.writers(1), "--message-id", "ABEG-0", "--url", site.url, "--yes")
    assert ended.code == Exit.REFUSED
    assert "The message id is none of this contact's" in ended.err
    assert site.world.people.reported == []


def test_who_has_not_written_is_not_reported(watui: Watui, site: Site) -> None:
    ended = watui("report", *site.strangers(1), "--url", site.url, "--yes")
    assert (ended.code, rows_of(ended)[0]["code"]) == (Exit.REFUSED, 2048)
    assert "only who has can be blocked or reported" in ended.err


@pytest.mark.parametrize("kind", [Broken.ERROR_AFTER_WORK, Broken.RESET_AFTER_WORK, Broken.RESET])
def test_a_report_whose_answer_is_lost_stays_unknown(watui: Watui, site: Site, kind: Broken) -> None:
    site.become(faults=(Fault(kind, REPORT),))
    ended = watui("report", *site.writers(1), "--url", site.url, "--yes")
    assert ended.code == Exit.UNFINISHED
    assert rows_of(ended)[0]["outcome"] == "unknown"
    assert len(site.changes) == 1, "a report is never sent again by itself"
    assert "'watui actions decide 1 done' or 'watui actions decide 1 failed'" in ended.err


@pytest.mark.parametrize("kind", [Broken.ERROR_AFTER_WORK, Broken.RESET_AFTER_WORK, Broken.RESET])
@pytest.mark.parametrize("command", ["block", "unblock"])
def test_a_change_whose_answer_is_lost_is_settled_by_the_blocklist(
    watui: Watui, site: Site, kind: Broken, command: str
) -> None:
    number, other = site.writers(2)
    site.block([other, *([number] if command == "unblock" else [])])
    site.become(faults=(Fault(kind, f"/v1/contacts/*/{command}", nth=1),))
    ended = watui(command, number, "--url", site.url, "--yes")
    assert ended.code == Exit.DONE, ended.err
    assert rows_of(ended)[0]["outcome"] == "done"
    assert (wa_id_of(number) in site.blocked) is (command == "block")
    assert len(site.changes) == (2 if kind is Broken.RESET else 1)


# The reason


@pytest.mark.parametrize("letter", ["x", "か", "\U0001f642", "e\u0301"], ids=ascii)
@pytest.mark.parametrize("command", ["block", "report"])
def test_a_reason_is_counted_in_code_points_before_anything_is_sent(
    watui: Watui, site: Site, command: str, letter: str
) -> None:
    (number,) = site.writers(1)
    for over in (1, 2):
        reason = (letter * 61)[: 59 + over]
        ended = watui(command, number, "--reason", reason, "--url", site.url, "--yes")
        assert_one_sentence(ended, Exit.USAGE)
        assert f"the reason is {over} character{'s' * (over > 1)} too long: 59 at most" in ended.err
        assert site.seen == []
    reason = (letter * 59)[:59]
    ended = watui(command, number, "--reason", f"\t{reason} ", "--url", site.url, "--yes")
    assert ended.code == Exit.DONE, ended.err
    assert rows_of(ended)[0]["reason"] == reason


@pytest.mark.parametrize("reason", ["", "  \t\n"])
def test_a_blank_reason_is_none(watui: Watui, site: Site, reason: str) -> None:
    ended = watui("block", *site.writers(1), "--reason", reason, "--url", site.url, "--yes")
    assert (ended.code, rows_of(ended)[0]["reason"]) == (Exit.DONE, None)


def test_hostile_text_is_made_visible_on_a_terminal(watui: Watui, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "200")
    hostile = "\x1b]0;x\x07\u202e"
    for arguments in (["block", *site.writers(1), "--reason", hostile], ["actions"]):
        ended = watui(*arguments, "--url", site.url, *(["--yes"] if arguments[0] == "block" else []))
        assert ended.code == Exit.DONE, ended.err
        assert not {"\x1b", "\x07", "\u202e"} & set(ended.out + ended.err)
    assert "␛]0;x␇" in ended.out


# Lists


def test_two_hundred_contacts_of_all_kinds(watui: Watui, site: Site, tmp_path: Path, paths: Paths) -> None:
    writers, strangers = site.writers(185), site.strangers(15)
    site.block(writers[:20])
    before = set(site.blocked)
    site.become(faults=(Fault(Broken.ERROR_AFTER_WORK, BLOCK, every=36),))
    numbers = [*writers[:100], *strangers, *writers[100:]]
    ended = watui("block", "--from", a_list(tmp_path, numbers), "--url", site.url, "--yes", "--reason", "abuse")
    assert ended.code == Exit.UNFINISHED, ended.err
    rows = rows_of(ended)
    assert [row["input"] for row in rows] == numbers
    assert Counter(row["outcome"] for row in rows) == {"done": 165, "unchanged": 20, "refused": 15}
    assert sum("the answer was lost" in (row["details"] or "") for row in rows) == 5
    assert [row["input"] for row in rows if row["outcome"] == "refused"] == strangers
    assert set(site.blocked) == {wa_id_of(number) for number in writers}
    assert len(site.changes) == len(set(site.changes)) == 180, "each was sent once"
    assert "180 contacts to block, 20 × is blocked already" in ended.err
    assert ended.err.count("Not engaged contact (2048)") == 1
    assert "15 × Refused" in ended.err
    assert "Batch 1: 165 blocked, 20 already so, 15 refused." in ended.err

    ended = watui("actions", "undo", "--url", site.url, "--yes")
    assert ended.code == Exit.DONE, ended.err
    assert outcomes_of(ended) == {"done": 165}
    assert set(site.blocked) == before, "exactly the set as it was"
    assert Counter(action.outcome for action in the_trail(paths)) == {"done": 330, "unchanged": 20, "refused": 15}


def test_a_list_whose_contacts_are_all_refused_is_unfinished(watui: Watui, site: Site) -> None:
    ended = watui("block", *site.strangers(3), "--url", site.url, "--yes")
    assert (ended.code, outcomes_of(ended)) == (Exit.UNFINISHED, {"refused": 3})


def test_the_same_number_is_sent_once(watui: Watui, site: Site) -> None:
    (number,) = site.writers(1)
    ended = watui("block", number, f"{number[:5]} {number[5:]}", "--url", site.url, "--yes")
    assert (ended.code, len(site.changes)) == (Exit.DONE, 1)
    assert [row["outcome"] for row in rows_of(ended)] == ["done", "left out"]
    assert "1 × the same number stands above" in ended.err


def test_what_is_no_number_is_left_out_of_a_list(watui: Watui, site: Site, tmp_path: Path) -> None:
    (number,) = site.writers(1)
    path = a_list(tmp_path, [number, "none", "4.479E+11", "# a comment", ""])
    ended = watui("block", "--from", path, "--url", site.url, "--yes")
    assert ended.code == Exit.UNFINISHED
    assert outcomes_of(ended) == {"done": 1, "left out": 2}
    assert "1 × no digits, 1 × digits lost to scientific notation" in ended.err


def test_the_column_of_a_list_can_be_named(watui: Watui, site: Site, tmp_path: Path) -> None:
    first, second = site.writers(2)
    path = tmp_path / "two.csv"
    path.write_text(f"home,work\n{first},{second}\n")
    ended = watui("block", "--from", str(path), "--column", "work", "--url", site.url, "--yes")
    assert (ended.code, site.blocked) == (Exit.DONE, [wa_id_of(second)])
    ended = watui("block", "--from", str(path), "--column", "fax", "--url", site.url, "--yes")
    assert_one_sentence(ended, Exit.USAGE)
    assert "work" in ended.err


def test_a_list_is_read_from_standard_input(site: Site) -> None:
    numbers = site.writers(2)
    arguments = ["block", "--from", "-", "--url", site.url, "--yes"]
    ended = process(*arguments, given="\r\n".join(numbers), WATUI_TOKEN=TOKEN)
    assert ended.code == Exit.DONE, ended.err
    assert site.blocked == list(map(wa_id_of, numbers))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--from FILE"),
        (["none"], "'none': no digits"),
        (["none", "neither"], "2 × no digits"),
        (["  "], "there is no number"),
        (["list.csv"], "--from FILE"),
        (["\udcff"], "damaged characters"),
        (["--from", "missing.csv"], "missing.csv"),
        (["--from", "."], "directory"),
        (["--column", "phone", "+16315551000"], "--from FILE"),
        (["+16315551000", "--reason", "\udcff"], "reason"),
        (["+16315551000", "--url", "http://127.0.0.1:1", "--profile", "simulator"], "two servers"),
        (["+16315551000", "--profile", "shop"], "there is no profile shop"),
        (["+16315551000", "--region", "XX"], "not a region"),
        (["+16315551000", "--format", "xml"], "xml"),
    ],
    ids=repr,
)
def test_a_command_line_that_cannot_work_is_a_usage_error(
    watui: Watui, paths: Paths, arguments: list[str], words: str
) -> None:
    ended = watui("block", *arguments, "--yes")
    assert_one_sentence(ended, Exit.USAGE)
    assert words in ended.err
    assert not paths.ledger.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--message-id", " "], "--message-id is empty"),
        (["--message-id", "\udcff"], "message id"),
        (["+16315551001"], "unexpected extra argument"),
    ],
    ids=repr,
)
def test_a_report_is_of_one_contact_and_of_messages_that_are_named(
    watui: Watui, arguments: list[str], words: str
) -> None:
    ended = watui("report", "+16315551000", *arguments, "--yes")
    assert_one_sentence(ended, Exit.USAGE)
    assert words in ended.err


@pytest.mark.parametrize("format_", ["csv", "table"])
def test_rows_come_in_every_format(watui: Watui, site: Site, format_: str) -> None:
    (number, stranger) = (*site.writers(1), *site.strangers(1))
    ended = watui("block", number, stranger, "--url", site.url, "--yes", "--format", format_)
    assert ended.code == Exit.UNFINISHED
    if format_ == "csv":
        rows = list(csv.DictReader(io.StringIO(ended.out)))
        assert [(row["number"], row["outcome"], row["code"]) for row in rows] == [
            (number, "done", ""),
            (stranger, "refused", "2048"),
        ]
    else:
        heading, *lines = ended.out.splitlines()
        assert heading.split() == ["input", "number", "outcome", "details"]
        assert [line.split()[1:3] for line in lines] == [[number, "done"], [stranger, "refused"]]


# Before anything is sent


@pytest.mark.parametrize("command", ["block", "unblock", "report"])
def test_a_dry_run_sends_nothing_and_writes_nothing_down(watui: Watui, site: Site, paths: Paths, command: str) -> None:
    first, second = site.writers(2)
    site.block([second])
    numbers = [first] if command == "report" else [first, second, "none"]
    ended = watui(command, *numbers, "--url", site.url, "--dry-run")
    assert (ended.code, site.changes, the_trail(paths)) == (Exit.DONE, [], [])
    outcomes = [row["outcome"] for row in rows_of(ended)]
    expected = {
        "block": ["planned", "unchanged", "left out"],
        "unblock": ["unchanged", "planned", "left out"],
        "report": ["planned"],
    }
    assert outcomes == expected[command]
    assert {row["action_id"] for row in rows_of(ended)} == {None}
    assert f"1 contact to {command}" in ended.err


CHANGING = (
    ["block", "+16315551000"],
    ["unblock", "+16315551000"],
    ["report", "+16315551000"],
    ["actions", "undo"],
    ["actions", "again", "1"],
)


@pytest.mark.parametrize("arguments", CHANGING, ids=repr)
def test_without_a_terminal_nothing_is_done_unless_it_is_confirmed(
    watui: Watui, site: Site, paths: Paths, arguments: list[str]
) -> None:
    ended = watui(*arguments, "--url", site.url)
    assert_one_sentence(ended, Exit.USAGE)
    assert "add --yes" in ended.err
    assert (site.seen, paths.ledger.exists()) == ([], False)


@pytest.mark.parametrize("arguments", [*CHANGING, ["identity", "+16315551000", "--acknowledge", "x"]], ids=repr)
@pytest.mark.parametrize("how", ["profile", "settings", "environment"])
def test_a_read_only_server_is_left_alone(
    watui: Watui,
    site: Site,
    paths: Paths,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    how: str,
) -> None:
    profile = f'[profiles.shop]\nurl = "{site.url}"\n'
    is_in_settings = str(how == "settings").lower()
    paths.config.mkdir(parents=True)
    paths.settings.write_text(
        f"{profile}read_only = true\n" if how == "profile" else f"read_only = {is_in_settings}\n{profile}"
    )
    if how == "environment":
        monkeypatch.setenv("WATUI_READ_ONLY", "1")
    yes = ["--yes"] if "--acknowledge" not in arguments else []
    ended = watui(*arguments, "--profile", "shop", *yes)
    assert_one_sentence(ended, Exit.USAGE)
    assert "shop is read-only (read_only = true in settings.toml): nothing is changed there" in ended.err
    assert site.seen == []


def test_a_read_only_server_can_be_looked_at(watui: Watui, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATUI_READ_ONLY", "true")
    number, blocked = site.writers(2)
    site.block([blocked])
    for arguments in (["block", number, "--dry-run"], ["blocklist"], ["identity", number], ["actions"]):
        assert watui(*arguments, "--url", site.url).code == Exit.DONE
    assert site.changes == []


@pytest.mark.parametrize(
    ("answer", "is_done"),
    [("y\n", True), ("YES\n", True), (" y \n", True), ("n\n", False), ("\n", False), ("", False), ("1\n", False)],
)
@pytest.mark.parametrize("count", [1, 10])
def test_a_terminal_asks(
    watui: Watui, site: Site, paths: Paths, terminal: Typed, answer: str, is_done: bool, count: int
) -> None:
    numbers = site.writers(count)
    terminal.says(answer)
    ended = watui("block", *numbers, "--url", site.url)
    who = numbers[0] if count == 1 else "10 contacts"
    assert f"Block {who} at {site.url.removeprefix('http://')}? [y/N] " in ended.err
    assert len(site.blocked) == count * is_done
    if not is_done:
        assert (ended.code, ended.out, the_trail(paths)) == (Exit.UNFINISHED, "", [])
        assert ended.err.endswith("Nothing was sent.\n")


@pytest.mark.parametrize(("answer", "is_done"), [("11\n", True), ("y\n", False), ("10\n", False), ("", False)])
def test_for_more_than_ten_their_number_is_typed(
    watui: Watui, site: Site, terminal: Typed, answer: str, is_done: bool
) -> None:
    terminal.says(answer)
    ended = watui("block", *site.writers(11), "--url", site.url)
    assert "? Type 11 to block them: " in ended.err
    assert len(site.blocked) == 11 * is_done
    assert ended.code == (Exit.DONE if is_done else Exit.UNFINISHED)


def test_a_terminal_asks_for_a_report_after_it_has_said_what_leaves(watui: Watui, site: Site, terminal: Typed) -> None:
    terminal.says("y\n")
    ended = watui("report", *site.writers(1), "--block", "--url", site.url)
    assert ended.code == Exit.DONE, ended.err
    assert ended.err.index("go to WhatsApp") < ended.err.index("Report and block +1")


def test_what_needs_no_change_needs_no_answer(watui: Watui, site: Site, terminal: Typed) -> None:
    site.block(site.writers(1))
    terminal.says("")
    ended = watui("block", *site.writers(1), "--url", site.url)
    assert (ended.code, "?" in ended.err) == (Exit.DONE, False)


# Servers that fail


def test_an_unreachable_server_is_named_before_anything_is_written_down(watui: Watui, paths: Paths) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for command in ("block", "unblock", "report"):
        ended = watui(command, "+16315551000", "--url", f"http://127.0.0.1:{port}", "--yes")
        assert ended.code == Exit.UNREACHABLE
        assert f"cannot reach 127.0.0.1:{port}" in ended.err.splitlines()[-1]
    assert {action.kind for action in the_trail(paths)} == {"report"}, "which asks nothing before"
    assert ended.err.splitlines()[-2].startswith("Batch 1: 1 not done")


def test_a_refused_token_is_tried_once(watui: Watui, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATUI_TOKEN", "canary-token")
    for command in ("block", "report"):
        ended = watui(command, "+16315551000", "--url", site.url, "--yes")
        assert ended.code == Exit.REFUSED
        assert "WATUI_TOKEN" in ended.err.splitlines()[-1]
        assert "canary-token" not in ended.err + ended.out
    assert len(site.seen) == 2


@pytest.mark.parametrize(
    ("fault", "requests"),
    [(Fault(Broken.DENIED, BLOCK), 1), (Fault(Broken.WRONG_TYPE, BLOCK), 3), (Fault(Broken.REDIRECT, BLOCK), 3)],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_a_server_that_fails_from_the_first_contact_on_is_given_up(
    watui: Watui, site: Site, fault: Fault, requests: int
) -> None:
    site.become(faults=(fault,))
    ended = watui("block", *site.writers(12), "--url", site.url, "--yes")
    rows = outcomes_of(ended)
    assert len(site.changes) == requests
    assert rows["done"] == 0
    assert sum(rows.values()) == 12
    assert "Traceback" not in ended.err
    assert ended.code == (Exit.REFUSED if fault.kind is Broken.DENIED else Exit.UNFINISHED)


def test_a_token_that_expires_in_the_middle_stops_and_can_be_gone_on_with(watui: Watui, site: Site) -> None:
    numbers = site.writers(20)
    site.become(faults=(Fault(Broken.DENIED, BLOCK, nth=8),))
    ended = watui("block", *numbers, "--url", site.url, "--yes")
    assert ended.code == Exit.UNFINISHED
    assert outcomes_of(ended) == {"done": 7, "failed": 13}
    assert "WATUI_TOKEN" in ended.err.splitlines()[-1]
    assert "12 × Not done: not sent: the batch ended before." in ended.err
    assert "1 × Not done: not sent: Access denied (1005)" in ended.err
    assert f"'watui actions again 1 --url {site.url}' does it." in ended.err
    ended = watui("actions", "again", "1", "--url", site.url, "--yes")
    assert (ended.code, outcomes_of(ended)) == (Exit.DONE, {"done": 13})
    assert site.blocked == list(map(wa_id_of, numbers))
    assert len(site.changes) == 21


def test_a_server_that_wants_patience_gets_it(watui: Watui, site: Site) -> None:
    site.become(faults=(Fault(Broken.TOO_MANY_REQUESTS, BLOCK, every=2, retry_after=1),))
    ended = watui("block", *site.writers(5), "--url", site.url, "--yes")
    assert (ended.code, outcomes_of(ended)) == (Exit.DONE, {"done": 5})


def test_a_server_without_a_blocklist_is_named(watui: Watui, site: Site) -> None:
    site.become(faults=(Fault(Broken.WRONG_TYPE, LIST),))
    ended = watui("block", *site.writers(1), "--url", site.url, "--yes")
    assert_one_sentence(ended, Exit.UNREACHABLE)
    assert "not JSON" in ended.err
    assert ended.err.strip().endswith("Nothing was sent")
    assert site.changes == []


class Hostile(BaseHTTPRequestHandler):
    """Answers every change with an error whose words a terminal would obey."""

    def do_GET(self) -> None:
        self._say(200, {"contacts": [], "pagination": {"limit": 200, "offset": 0, "total": 0}})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._say(400, {"errors": [{"code": 2048, "title": "\x1b]52;c;x\x07", "details": "\u202e\x9b2J"}]})

    def _say(self, status: int, members: object) -> None:
        body = json.dumps(members).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep stderr to the command under test."""


def test_hostile_words_of_a_server_are_made_visible(watui: Watui, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with HTTPServer(("127.0.0.1", 0), Hostile) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        ended = watui("block", "+16315551000", "--url", f"http://127.0.0.1:{server.server_port}", "--yes")
        server.shutdown()
        thread.join()
    assert ended.code == Exit.REFUSED
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(ended.out + ended.err)
    assert "Wait until it writes again" in ended.err, "by the code, whatever the words"


# Processes


def blocking(site: Site, numbers: list[str], tmp_path: Path) -> "subprocess.Popen[str]":
    """Start to block `numbers` in a process of its own; return once some of them are blocked."""
    running = start("block", "--from", a_list(tmp_path, numbers), "--url", site.url, "--yes", WATUI_TOKEN=TOKEN)
    deadline = time.monotonic() + SECONDS
    while len(site.changes) < 5:
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.005)
    return running


def test_ctrl_c_stops_and_says_what_is_done(watui: Watui, site: Site, tmp_path: Path) -> None:
    numbers = site.writers(200)
    running = blocking(site, numbers, tmp_path)
    running.send_signal(signal.SIGINT)
    ended = Ended(0, *running.communicate(timeout=SECONDS))
    assert running.returncode == Exit.INTERRUPTED
    assert "Traceback" not in ended.err
    assert ended.err.splitlines()[-1] == "Interrupted: nothing more is sent."
    assert [row["input"] for row in rows_of(ended)] == numbers
    found = outcomes_of(ended)
    assert found["done"] >= 4
    assert found["done"] <= len(site.blocked) <= found["done"] + found["unknown"] < 200
    watui("actions", "--url", site.url)
    ended = watui("actions", "again", "1", "--url", site.url, "--yes")
    assert ended.code == Exit.DONE, ended.err
    assert set(site.blocked) == set(map(wa_id_of, numbers))
    assert len(site.changes) == len(set(site.changes)) == 200


def test_a_process_that_dies_in_the_middle_is_settled_by_the_next(
    watui: Watui, site: Site, tmp_path: Path, paths: Paths
) -> None:
    numbers = site.writers(200)
    running = blocking(site, numbers, tmp_path)
    assert watui("actions", "--url", site.url).code == Exit.DONE
    assert any(action.outcome == "planned" for action in the_trail(paths)), "it still goes on"
    running.kill()
    running.communicate()
    ended = watui("actions", "--url", site.url, "--limit", "1000")
    assert ended.code == Exit.DONE, ended.err
    assert "of batch 1 (block): not sent: the batch ended before." in ended.err
    assert f"'watui actions again 1 --url {site.url}' does what was not done." in ended.err
    found = outcomes_of(ended)
    assert set(found) == {"done", "failed"}
    assert found["done"] == len(site.blocked)
    blocked = {row["wa_id"] for row in rows_of(ended) if row["outcome"] == "done"}
    assert blocked == set(site.blocked)
    assert "of batch" not in watui("actions", "--url", site.url).err, "it is said once"
    ended = watui("actions", "undo", "--url", site.url, "--yes")
    assert (ended.code, site.blocked) == (Exit.DONE, [])


def test_a_reader_that_goes_away_is_no_crash(site: Site, tmp_path: Path) -> None:
    numbers = site.writers(20)
    arguments = ["block", "--from", a_list(tmp_path, numbers), "--url", site.url, "--yes"]
    with start(*arguments, WATUI_TOKEN=TOKEN) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert "Traceback" not in running.stderr.read()
        assert running.wait(SECONDS) == Exit.UNHEARD
    assert len(site.blocked) == 20


@pytest.mark.parametrize(
    ("keys", "code"), [(b"y\r", Exit.DONE), (b"\x04", Exit.UNFINISHED), (b"\x03", Exit.INTERRUPTED)]
)
def test_a_real_terminal_asks_and_shows_a_table(watui: Watui, keys: bytes, code: Exit) -> None:
    number = "+16315551000"
    assert watui("simulator", "inbound", number).code == Exit.DONE
    with Terminal(["block", number, "--reason", "spam"]) as screen:
        screen.until(r"Block \+16315551000 at simulator\? \[y/N\]")
        screen.send(keys)
        screen.until_ended()
        assert screen.exit_code == code
        text = screen.text()
    assert ("1 blocked" in text) is (code == Exit.DONE)
    if code == Exit.DONE:
        assert "input                  number           outcome   details" in text
    else:
        assert "nothing was sent" in text.lower()


# The embedded simulator


def test_the_simulator_is_blocked_at_after_the_contact_wrote(watui: Watui) -> None:
    number = "+16315551000"
    ended = watui("block", number, "--yes")
    assert ended.code == Exit.REFUSED
    assert f"'watui simulator inbound {number}' lets it write to you" in ended.err
    assert watui("simulator", "inbound", number).code == Exit.DONE
    assert watui("block", number, "--yes").code == Exit.DONE
    assert json.loads(watui("simulator").out)["blocked"] == 1


def test_the_simulator_knows_who_could_not_be_blocked_again(watui: Watui) -> None:
    assert watui("simulator", "scenario", "blocklist-moves").code == Exit.DONE
    listed = [json.loads(line)["number"] for line in watui("blocklist", "--limit", "5").out.splitlines()]
    ended = watui("unblock", *listed, "--yes")
    assert ended.code == Exit.DONE, ended.err
    assert "Only who has written within the last 24 hours can be blocked again." in ended.err
    silent = ended.err.partition(" of these 5 could not.")[0].rpartition(" ")[2]
    ended = watui("actions", "undo", "--yes")
    refused = outcomes_of(ended)["refused"]
    assert refused == int(silent or 0)


def test_a_simulator_that_cannot_be_had_is_named(watui: Watui, paths: Paths) -> None:
    paths.data.mkdir(parents=True)
    paths.simulator.write_text("in the way")
    ended = watui("block", "+16315551000", "--yes")
    assert_one_sentence(ended, Exit.UNREACHABLE)
    assert str(paths.simulator) in ended.err


def test_a_ledger_that_cannot_be_used_is_named(watui: Watui, paths: Paths, site: Site) -> None:
    paths.ledger.mkdir(parents=True)
    ended = watui("block", "+16315551000", "--url", site.url, "--yes")
    assert_one_sentence(ended, Exit.USAGE)
    assert str(paths.ledger) in ended.err
    assert site.seen == []


def test_a_ledger_that_fails_in_the_middle_stops_everything(
    watui: Watui, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not written down is not sent."""
    write_down = trail.sent

    def fail(ledger: Ledger, action_id: int) -> None:
        if action_id == 4:
            raise LedgerUnusable("the ledger cannot be written: disk full")
        write_down(ledger, action_id)

    monkeypatch.setattr(trail, "sent", fail)
    ended = watui("block", *site.writers(10), "--url", site.url, "--yes")
    assert_one_sentence(ended, Exit.UNFINISHED)
    assert f"disk full. Nothing more is sent; 'watui actions --url {site.url}' finds out what was done" in ended.err
    assert len(site.changes) == 3
    monkeypatch.setattr(trail, "sent", write_down)
    assert "7 actions of batch 1 (block): not sent" in watui("actions", "--url", site.url).err


def test_no_library_for_http_is_loaded_for_help() -> None:
    program = (
        "import sys, runpy, atexit; atexit.register(lambda: print('httpx' in sys.modules)); runpy.run_module('watui')"
    )
    for command in ("block", "blocklist", "identity", "actions"):
        arguments = [sys.executable, "-c", program, command, "--help"]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=SECONDS, env=os.environ, check=False)
        assert done.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["block", "+16315551000", "--yes"], "Turn.io does not block contacts"),
        (["report", "+16315551000", "--yes"], "Turn.io does not report contacts"),
        (["blocklist"], "Turn.io does not show its blocklist"),
        (["identity", "16315551000"], "Turn.io does not tell identities"),
    ],
)
def test_what_a_gateway_does_not_have_is_a_usage_error(
    watui: Watui, paths: Paths, arguments: list[str], words: str
) -> None:
    paths.config.mkdir(parents=True)
    paths.settings.write_text('[profiles.gateway]\nurl = "http://127.0.0.1:1"\nkind = "turn"\n')
    ended = watui(*arguments, "--profile", "gateway")
    assert (ended.code, words in ended.err) == (Exit.USAGE, True), ended.err
