"""`watui actions`: what was changed, taking it back, doing it again, and what became of changes that were cut short."""

import csv
import io
import re
import socket
import sys
import time

import pytest

from tests.cli.conftest import Ended, Watui, assert_one_sentence, process
from tests.cli.site import Site
from tests.cli.test_changes import BLOCK, LIST, REPORT, UNBLOCK, Typed, outcomes_of, rows_of, the_trail
from watui.cli.exits import Exit
from watui.contract.wa_ids import wa_id_of
from watui.export.rows import ActionRow
from watui.ledger import trail
from watui.ledger.ledger import Ledger
from watui.ledger.trail import Kind, NewAction, Outcome, Place, Wish
from watui.settings.paths import Paths
from watui.simulator.faults import Fault
from watui.simulator.faults import Kind as Broken

pytestmark = pytest.mark.usefixtures("no_waiting")


@pytest.fixture
def cut_short(paths: Paths, site: Site) -> list[str]:
    """Return contacts of a batch whose process died: one blocked without a word, one not, and one never sent."""
    numbers = site.writers(3)
    leave(paths, site.url, Wish(Kind.BLOCK), numbers, sent=2)
    site.block(numbers[:1])
    return numbers


def leave(paths: Paths, server: str, wish: Wish, numbers: list[str], sent: int) -> None:
    """Write down a batch whose process has died after it sent some of it."""
    ledger = Ledger(paths.ledger)
    actions = [NewAction(number, number, wa_id_of(number), number, Outcome.PLANNED) for number in numbers]
    ids = trail.add_batch(ledger, wish, Place(server, "shop", "ada"), "0123456789abcdef", actions)
    for action_id in ids[:sent]:
        trail.sent(ledger, action_id)
    ledger.close()


def nowhere() -> str:
    """Return a URL at which nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return f"http://127.0.0.1:{closed.getsockname()[1]}"


def some_actions(watui: Watui, site: Site) -> tuple[str, str, str]:
    """Block one contact, fail to block another, and report a third; return their numbers."""
    (first, third), (second,) = site.writers(2), site.strangers(1)
    watui("block", first, "--reason", "spam", "--url", site.url, "--yes")
    watui("block", second, "--url", site.url, "--yes")
    watui("report", third, "--url", site.url, "--yes")
    return first, second, third


# The trail


def test_an_empty_trail_says_so(watui: Watui) -> None:
    ended = watui("actions")
    assert ended == (Exit.DONE, "", "Nothing was changed yet.\n")


def test_the_trail_shows_the_newest_first(watui: Watui, site: Site) -> None:
    first, second, third = some_actions(watui, site)
    asked = len(site.seen)
    ended = watui("actions")
    assert ended.code == Exit.DONE
    assert len(site.seen) == asked, "nobody is asked where nothing is open"
    rows = rows_of(ended)
    assert [(row["kind"], row["number"], row["outcome"]) for row in rows] == [
        ("report", third, "done"),
        ("block", second, "refused"),
        ("block", first, "done"),
    ]
    assert all(tuple(row) == ActionRow.__struct_fields__ for row in rows)
    assert [row["action_id"] for row in rows] == [row["batch_id"] for row in rows] == [3, 2, 1]
    assert {row["server"] for row in rows} == {site.url}
    assert {row["profile"] for row in rows} == {site.url.removeprefix("http://")}
    assert rows[1]["code"] == 2048
    assert rows[1]["details"].startswith("Not engaged contact")
    assert rows[2]["reason"] == "spam"
    assert all(row["by"] and row["at"].endswith("+00:00") for row in rows)
    assert [row["number"] for row in rows_of(watui("actions", "--limit", "1"))] == [third]


@pytest.mark.parametrize("spelled", ["+1 (631) 555-{}", "631555{}", "1631555{}", "+1631555{}"])
def test_the_trail_of_one_contact(watui: Watui, site: Site, spelled: str) -> None:
    first, *_ = some_actions(watui, site)
    ended = watui("actions", "--number", spelled.format(first[-4:]))
    assert [row["number"] for row in rows_of(ended)] == [first]
    ended = watui("actions", "--number", "+12125552368")
    assert (ended.code, ended.out) == (Exit.DONE, "")
    assert "Nothing was done to that contact from here." in ended.err


def test_the_trail_as_csv_and_as_a_table(watui: Watui, site: Site) -> None:
    first, *_ = some_actions(watui, site)
    rows = list(csv.DictReader(io.StringIO(watui("actions", "--format", "csv").out)))
    assert [row["kind"] for row in rows] == ["report", "block", "block"]
    heading, *lines = watui("actions", "--format", "table").out.splitlines()
    assert heading.split() == ["batch", "action", "time", "(UTC)", "kind", "number", "outcome", "details"]
    assert first in lines[2]
    assert "spam; by " in lines[2]


def test_all_that_is_done_with_actions_is_there_in_a_fresh_process() -> None:
    """In this one, other tests have loaded every module."""
    ended = process("actions", "--help")
    assert re.findall(r"^  ([a-z]+)  ", ended.out, re.MULTILINE) == ["again", "decide", "undo"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--number", "none"], "'none' is no number"),
        (["--limit", "0"], "not in the range"),
        (["--url", "http://127.0.0.1:1", "undo"], "options go after the command"),
        (["--format", "csv", "undo"], "options go after the command"),
        (["redo"], "redo"),
        (["undo", "x", "--yes"], "not a valid integer"),
        (["undo", "--yes"], "nothing was blocked or unblocked at simulator"),
        (["undo", "9", "--yes"], "no block or unblock 9"),
        (["again", "--yes"], "Missing argument"),
        (["again", "9", "--yes"], "no batch 9"),
        (["decide", "9", "done"], "there is no action 9"),
        (["decide", "9", "maybe"], "maybe"),
    ],
    ids=repr,
)
def test_a_command_line_that_cannot_work_is_a_usage_error(watui: Watui, arguments: list[str], words: str) -> None:
    ended = watui("actions", *arguments)
    assert_one_sentence(ended, Exit.USAGE)
    assert words in ended.err


# Taking back


@pytest.mark.parametrize("named", [True, False])
def test_a_block_is_taken_back_and_that_too(watui: Watui, site: Site, named: bool) -> None:
    mine, others = site.writers(5), site.writers(8)[5:]
    site.block(others[:1])
    watui("block", *mine, others[0], "--url", site.url, "--yes")
    site.block(others[1:])
    ended = watui("actions", "undo", *(["1"] if named else []), "--url", site.url, "--yes")
    assert ended.code == Exit.DONE, ended.err
    assert ended.err.startswith("Batch 1, 20")
    assert ": 5 blocked, 1 already so." in ended.err
    assert "5 contacts to unblock" in ended.err
    assert site.blocked == list(map(wa_id_of, others))
    assert {row["undoes"] for row in rows_of(ended)} == {1}
    ended = watui("actions", "undo", "2", "--url", site.url, "--yes")
    assert (ended.code, set(site.blocked)) == (Exit.DONE, set(map(wa_id_of, [*mine, *others])))


def test_an_unblock_is_taken_back_as_far_as_the_server_lets_it(watui: Watui, site: Site) -> None:
    writer, silent = site.writers(2)
    site.block([writer, silent])
    watui("unblock", writer, silent, "--url", site.url, "--yes")
    site.world.people.change_account(silent, False, time.time())
    ended = watui("actions", "undo", "--url", site.url, "--yes")
    assert (ended.code, outcomes_of(ended)) == (Exit.UNFINISHED, {"done": 1, "refused": 1})
    assert site.blocked == [wa_id_of(writer)]


def test_what_was_changed_again_since_stays(watui: Watui, site: Site) -> None:
    first, second = site.writers(2)
    watui("block", first, second, "--url", site.url, "--yes")
    watui("unblock", first, "--url", site.url, "--yes")
    watui("block", first, "--url", site.url, "--yes")
    ended = watui("actions", "undo", "1", "--url", site.url, "--yes")
    assert (ended.code, outcomes_of(ended)) == (Exit.DONE, {"left out": 1, "done": 1})
    assert "1 × was changed again since" in ended.err
    assert site.blocked == [wa_id_of(first)]


def test_what_is_taken_back_already_has_nothing_left(watui: Watui, site: Site) -> None:
    watui("block", *site.writers(2), "--url", site.url, "--yes")
    watui("actions", "undo", "--url", site.url, "--yes")
    sent = len(site.changes)
    assert watui("actions", "undo", "1", "--url", site.url, "--yes").code == Exit.DONE
    assert_one_sentence(watui("actions", "undo", "--url", site.url, "--yes"), Exit.USAGE)
    assert len(site.changes) == sent


def test_taking_back_that_was_cut_short_is_gone_on_with(watui: Watui, site: Site) -> None:
    """The one before it stays as it is."""
    first, *others = site.writers(4)
    watui("block", first, "--url", site.url, "--yes")
    watui("block", *others, "--url", site.url, "--yes")
    site.become(faults=(Fault(Broken.DENIED, UNBLOCK, nth=2),))
    assert watui("actions", "undo", "--url", site.url, "--yes").code == Exit.UNFINISHED
    assert len(site.blocked) == 3
    site.become()
    ended = watui("actions", "undo", "--url", site.url, "--yes")
    assert ended.code == Exit.DONE, ended.err
    assert ended.err.startswith("Batch 2, ")
    assert site.blocked == [wa_id_of(first)]


def test_a_report_is_not_taken_back(watui: Watui, site: Site) -> None:
    watui("report", *site.writers(1), "--url", site.url, "--yes")
    ended = watui("actions", "undo", "1", "--url", site.url, "--yes")
    assert_one_sentence(ended, Exit.USAGE)
    assert "no block or unblock 1" in ended.err


def test_a_batch_of_another_server_is_not_taken_back(watui: Watui, site: Site) -> None:
    watui("block", *site.writers(1), "--url", site.url, "--yes")
    for command in ("undo", "again"):
        assert_one_sentence(watui("actions", command, "1", "--yes"), Exit.USAGE)


def test_a_dry_run_takes_nothing_back(watui: Watui, site: Site, paths: Paths) -> None:
    watui("block", *site.writers(2), "--url", site.url, "--yes")
    ended = watui("actions", "undo", "--url", site.url, "--dry-run")
    assert (ended.code, outcomes_of(ended)) == (Exit.DONE, {"planned": 2})
    assert (len(site.blocked), len(the_trail(paths))) == (2, 2)


def test_taking_back_is_confirmed_by_its_count(watui: Watui, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    typed = Typed(monkeypatch)
    monkeypatch.setattr(sys, "stdin", typed)
    watui("block", *site.writers(12), "--url", site.url, "--yes")
    typed.says("12\n")
    ended = watui("actions", "undo", "--url", site.url)
    assert "Type 12 to unblock them: " in ended.err
    assert (ended.code, site.blocked) == (Exit.DONE, [])


# What was cut short


def says_what_was_settled(ended: Ended, numbers: list[str]) -> bool:
    first, second, third = numbers
    return all(
        sentence in ended.err
        for sentence in (
            f"Action 1 (block {first}): the answer was lost; the blocklist shows that it was done.",
            f"Action 2 (block {second}): the answer was lost; the blocklist shows that it was not done.",
            f"Action 3 (block {third}): not sent: the batch ended before.",
            "'watui actions again 1",
        )
    )


def test_the_trail_settles_what_was_cut_short(watui: Watui, site: Site, cut_short: list[str]) -> None:
    ended = watui("actions", "--url", site.url)
    assert ended.code == Exit.DONE
    assert says_what_was_settled(ended, cut_short)
    assert [row["outcome"] for row in rows_of(ended)] == ["failed", "failed", "done"]
    assert site.changes == [], "nothing is sent again by itself"
    assert not says_what_was_settled(watui("actions", "--url", site.url), cut_short)


@pytest.mark.parametrize(
    "arguments", [["block", "+1"], ["unblock", "+1"], ["report", "+1"], ["actions", "undo"], ["actions", "again", "1"]]
)
def test_whoever_changes_something_settles_that_first(
    watui: Watui, site: Site, cut_short: list[str], arguments: list[str]
) -> None:
    ended = watui(*arguments, "--url", site.url, "--yes")
    assert says_what_was_settled(ended, cut_short)
    if arguments[1] == "undo":
        assert site.blocked == []
    if arguments[1] == "again":
        assert site.blocked == list(map(wa_id_of, cut_short))


def test_what_cannot_be_settled_now_is_said(watui: Watui, site: Site, cut_short: list[str], paths: Paths) -> None:
    site.become(faults=(Fault(Broken.INTERNAL_ERROR, LIST, nth=1),))
    ended = watui("actions", "--url", site.url)
    assert ended.code == Exit.DONE
    assert "cannot be found out now: Internal error (1014)." in ended.err
    assert outcomes_of(ended) == {"planned": 1, "sent": 2}
    leave(paths, "simulator", Wish(Kind.BLOCK), cut_short, sent=1)
    paths.simulator.write_text("in the way")
    ended = watui("actions")
    assert (ended.code, len(rows_of(ended))) == (Exit.DONE, 6)
    assert "cannot be found out now: cannot use" in ended.err


def test_an_unreachable_server_is_not_asked_for_the_trail(watui: Watui, site: Site) -> None:
    some_actions(watui, site)
    ended = watui("actions", "--url", nowhere())
    assert (ended.code, len(rows_of(ended))) == (Exit.DONE, 3)


# Reports whose answer was lost


@pytest.mark.parametrize("outcome", ["done", "failed"])
def test_a_person_decides_what_became_of_a_report(watui: Watui, site: Site, outcome: str) -> None:
    site.become(faults=(Fault(Broken.ERROR_AFTER_WORK, REPORT),))
    watui("report", *site.writers(1), "--url", site.url, "--yes")
    ended = watui("actions", "decide", "1", outcome)
    assert (ended.code, ended.out) == (Exit.DONE, "")
    (row,) = rows_of(watui("actions"))
    assert row["outcome"] == outcome
    assert row["details"] == f"decided by {row['by']}"
    ended = watui("actions", "decide", "1", "done")
    assert_one_sentence(ended, Exit.USAGE)
    assert f"action 1 is {outcome}" in ended.err
    assert len(site.changes) == 1


def test_a_report_that_did_not_happen_is_made_again_when_it_is_confirmed(watui: Watui, site: Site) -> None:
    (number,) = site.writers(1)
    site.become(faults=(Fault(Broken.RESET, REPORT, nth=1),))
    watui("report", number, "--reason", "spam", "--block", "--url", site.url, "--yes")
    watui("actions", "decide", "1", "failed")
    assert_one_sentence(watui("actions", "again", "1", "--url", site.url), Exit.USAGE)
    ended = watui("actions", "again", "1", "--url", site.url, "--yes")
    assert ended.code == Exit.DONE, ended.err
    assert "go to WhatsApp" in ended.err
    assert len(site.world.people.reported) == 1
    assert (rows_of(ended)[0]["reason"], site.blocked) == ("spam", [wa_id_of(number)])


def test_a_report_that_was_cut_short_is_left_to_a_person(watui: Watui, site: Site, paths: Paths) -> None:
    leave(paths, site.url, Wish(Kind.REPORT), site.writers(1), sent=1)
    ended = watui("actions", "decide", "1", "done")
    assert_one_sentence(ended, Exit.USAGE)
    assert "no outcome yet" in ended.err
    ended = watui("actions", "--url", site.url)
    assert "the answer was lost." in ended.err
    assert "'watui actions decide 1 done'" in ended.err
    assert outcomes_of(ended) == {"unknown": 1}
    assert site.changes == []
    assert watui("actions", "decide", "1", "done").code == Exit.DONE


def test_what_the_blocklist_tells_is_not_decided_by_a_person(watui: Watui, site: Site) -> None:
    """Its answers get lost, and then nobody says any more who is blocked."""
    site.become(faults=(Fault(Broken.ERROR_AFTER_WORK, BLOCK), Fault(Broken.INTERNAL_ERROR, LIST, every=2)))
    site.meanwhile = lambda: site.become(
        faults=(Fault(Broken.ERROR_AFTER_WORK, BLOCK), Fault(Broken.INTERNAL_ERROR, LIST))
    )
    ended = watui("block", *site.writers(1), "--url", site.url, "--yes")
    assert (ended.code, outcomes_of(ended)) == (Exit.UNFINISHED, {"unknown": 1})
    assert "finds out whether it was blocked" in ended.err
    ended = watui("actions", "decide", "1", "done")
    assert_one_sentence(ended, Exit.USAGE)
    assert "its server says what became of it" in ended.err
    site.meanwhile = None
    site.become()
    assert outcomes_of(watui("actions", "--url", site.url)) == {"done": 1}


def test_nothing_is_left_to_do_again(watui: Watui, site: Site) -> None:
    watui("block", *site.writers(2), "--url", site.url, "--yes")
    ended = watui("actions", "again", "1", "--url", site.url, "--yes")
    assert (ended.code, ended.out, len(site.changes)) == (Exit.DONE, "", 2)
    assert "There is nothing to do." in ended.err
