"""The trail of actions: what is written down when, what is found again by whom, and ledgers of other versions."""

import sqlite3
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from msgspec import structs

from tests.ledger.conftest import new_row
from watui.ledger import schema, trail
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import Answered, RunOptions, RunState
from watui.ledger.schema import SCHEMA_VERSION, LedgerUnusable
from watui.ledger.trail import Action, Kind, Known, NewAction, Outcome, Place, Verdict, Wish

HERE = Place("https://wa.example.com", "shop", "ada")
THERE = Place("https://elsewhere.example", "other", "bob")
CHANGING = (Kind.BLOCK, Kind.UNBLOCK)


def planned(number: str, wa_id: str | None = None, outcome: Outcome = Outcome.PLANNED) -> NewAction:
    """Return an action on the contact with the digits `number`."""
    return NewAction(f"({number})", f"+{number}", wa_id or number, f"+{number}", outcome)


class Trail:
    """A ledger and who writes actions into it."""

    def __init__(self, ledger: Ledger, reader: Reader) -> None:
        self.ledger = ledger
        self.reader = reader

    def add(
        self,
        wish: Wish,
        actions: Iterable[NewAction],
        outcome: Outcome | None = Outcome.DONE,
        place: Place = HERE,
        driver: str = "driver",
    ) -> int:
        """Add a batch whose planned actions end in `outcome`, None leaves them; return its id."""
        actions = list(actions)
        ids = trail.add_batch(self.ledger, wish, place, driver, actions)
        for id_, action in zip(ids, actions, strict=True):
            if outcome is not None and action.outcome is Outcome.PLANNED:
                trail.sent(self.ledger, id_)
                trail.ended(self.ledger, [(id_, outcome, None, None)])
        return trail.latest(self.reader, 1)[0].batch_id

    def done(self, kind: Kind, *numbers: str, also_block: bool = False, undoes: int | None = None) -> int:
        """Add a batch that was done to these contacts; return its id."""
        return self.add(Wish(kind, also_block=also_block, undoes=undoes), map(planned, numbers))

    def check(self, number: str, wa_id: str | None, status: str, version: str = "v2.41", place: Place = HERE) -> int:
        """Let a server have said this of a number; return the id of the run."""
        ledger = self.ledger
        run_id = ledger.add_run(RunOptions(place.server, "US", "no_wait", False, 500))
        row = structs.replace(new_row(1, number), key=f"+{number}", number=f"+{number}")
        ledger.add_rows(run_id, ledger.add_source(run_id, "list", None), [row], {})
        ledger.answered(run_id, ledger.asked(run_id, [1]).ask_id, [Answered(1, status, True, wa_id)], version)
        return run_id


@pytest.fixture
def book(ledger: Ledger, reader: Reader) -> Trail:
    return Trail(ledger, reader)


def numbers(actions: Sequence[Action]) -> list[str]:
    return [(action.number or "").removeprefix("+") for action in actions]


# One action


def test_an_action_is_planned_then_sent_then_ended(book: Trail) -> None:
    wish = Wish(Kind.REPORT, "spam", "ABEG-1", None, True)
    began_at = time.time()
    actions = [planned("1"), planned("2", outcome=Outcome.LEFT_OUT)._replace(note="why")]
    ids = trail.add_batch(book.ledger, wish, HERE, "driver", actions)
    first, second = trail.batch(book.reader, 1)
    assert (first.id, second.id) == tuple(ids)
    assert (first.wish, first.kind, first.server, first.profile, first.by) == (wish, Kind.REPORT, *HERE)
    assert first[12:16] == actions[0][:4]
    assert (first.outcome, first.sent_at, first.ended_at, first.note) == (Outcome.PLANNED, None, None, None)
    assert (second.outcome, second.note) == (Outcome.LEFT_OUT, "why")
    assert second.ended_at is not None
    trail.sent(book.ledger, ids[0])
    (sent, _) = trail.batch(book.reader, 1)
    assert (sent.outcome, sent.ended_at) == (Outcome.SENT, None)
    assert sent.sent_at is not None
    assert began_at <= sent.sent_at
    trail.ended(book.ledger, [(ids[0], Outcome.REFUSED, 2048, "Not engaged contact")])
    (ended, untouched) = trail.batch(book.reader, 1)
    assert (ended.outcome, ended.code, ended.note) == (Outcome.REFUSED, 2048, "Not engaged contact")
    assert ended.ended_at is not None
    assert untouched == second


def test_a_batch_that_cannot_be_written_whole_is_not_there(book: Trail) -> None:
    actions = (planned(str(1 // (2 - place))) for place in range(3))
    with pytest.raises(ZeroDivisionError):
        trail.add_batch(book.ledger, Wish(Kind.BLOCK), HERE, "driver", actions)
    assert trail.latest(book.reader, 9) == []
    assert book.done(Kind.BLOCK, "1") == 1


@pytest.mark.parametrize("outcome", Outcome)
def test_only_what_is_unknown_is_for_a_person_to_decide(book: Trail, outcome: Outcome) -> None:
    book.add(Wish(Kind.REPORT), [planned("1"), planned("2")], outcome)
    before = trail.batch(book.reader, 1)
    if outcome is Outcome.UNKNOWN:
        trail.decide(book.ledger, before[0].id, Outcome.DONE, "seen in the chat")
        decided, other = trail.batch(book.reader, 1)
        assert (decided.outcome, decided.note) == (Outcome.DONE, "seen in the chat")
        assert other == before[1]
    for action_id in (before[0].id, 99):
        with pytest.raises(LedgerUnusable, match=f"action {action_id} "):
            trail.decide(book.ledger, action_id, Outcome.FAILED, "no")
    assert trail.batch(book.reader, 1)[0].outcome is (Outcome.DONE if outcome is Outcome.UNKNOWN else outcome)


# Many actions


def test_actions_are_found_by_batch_by_action_and_by_contact(book: Trail) -> None:
    first = book.done(Kind.BLOCK, "1", "2")
    second = book.add(Wish(Kind.UNBLOCK), [planned("1"), planned("9", "7")], place=THERE)
    third = book.add(Wish(Kind.REPORT), [NewAction("+7", None, "7", "+7", Outcome.PLANNED)])
    assert [action.batch_id for action in trail.latest(book.reader, 9)] == [third, second, second, first, first]
    assert len(trail.latest(book.reader, 2)) == 2
    assert numbers(trail.batch(book.reader, first)) == ["1", "2"]
    assert trail.batch(book.reader, 99) == trail.batch_of(book.reader, 99) == []
    for action in trail.latest(book.reader, 9):
        assert trail.batch_of(book.reader, action.id) == trail.batch(book.reader, action.batch_id)

    def found(number: str | None, wa_id: str | None, server: str | None = None) -> list[int]:
        return [action.batch_id for action in trail.of_contact(book.reader, number, wa_id, server)]

    assert found("+1", "1") == found("+1", None) == [second, first]
    assert found(None, "7") == found("+9", "7") == [third, second]
    assert found("+1", "1", HERE.server) == [first]
    assert found(None, None) == found("+3", "3") == []


def test_what_is_unsettled_is_told_by_driver_and_of_one_server(book: Trail) -> None:
    for kind in Kind:
        for outcome in (None, Outcome.SENT, Outcome.UNKNOWN, Outcome.DONE, Outcome.REFUSED, Outcome.FAILED):
            book.add(Wish(kind), [planned("1")], outcome, driver=kind)
    book.add(Wish(Kind.BLOCK), [planned("1")], None, THERE)
    book.add(Wish(Kind.BLOCK), [planned("1", outcome=Outcome.UNCHANGED)], None)
    open_ends = [Outcome.PLANNED, Outcome.SENT, Outcome.UNKNOWN]
    found = trail.unsettled(book.reader, HERE.server)
    assert {driver: [action.outcome for action in actions] for driver, actions in found.items()} == {
        kind: open_ends[:2] if kind is Kind.REPORT else open_ends for kind in Kind
    }
    assert all(action.kind == driver for driver, actions in found.items() for action in actions)


def test_reasons_and_message_ids_come_once_and_the_latest_first(book: Trail) -> None:
    for reason in ("spam", "abuse", None, "spam", "か"):
        book.add(Wish(Kind.BLOCK, reason), [planned("1")])
    for number, message_id in (("1", "A"), ("1", "B"), ("2", "C"), ("1", None), ("1", "A")):
        book.add(Wish(Kind.REPORT, message_id=message_id), [planned(number)])
    assert trail.recent_reasons(book.reader, 9) == ["か", "spam", "abuse"]
    assert trail.recent_reasons(book.reader, 2) == ["か", "spam"]
    assert trail.recent_message_ids(book.reader, "+1") == ["A", "B"]
    assert trail.recent_message_ids(book.reader, None) == trail.recent_message_ids(book.reader, "+3") == []


def test_the_latest_batch_is_one_that_did_something_and_was_not_taken_back(book: Trail) -> None:
    def latest() -> int | None:
        return trail.latest_batch(book.reader, HERE.server)

    assert latest() is None
    first = book.done(Kind.BLOCK, "1")
    second = book.done(Kind.UNBLOCK, "2")
    book.add(Wish(Kind.BLOCK), [planned("3")], Outcome.REFUSED)
    book.add(Wish(Kind.BLOCK), [planned("4")], place=THERE)
    book.done(Kind.REPORT, "1")
    assert latest() == second
    book.done(Kind.BLOCK, "2", undoes=second)
    assert latest() == first
    book.done(Kind.UNBLOCK, "1", undoes=first)
    assert latest() is None


def test_what_was_taken_back_by_hand_is_not_in_the_way(book: Trail) -> None:
    first = book.done(Kind.BLOCK, "1")
    book.done(Kind.BLOCK, "2")
    by_hand = book.done(Kind.UNBLOCK, "2")
    book.done(Kind.BLOCK, "2", undoes=by_hand)
    assert trail.latest_batch(book.reader, HERE.server) == first


@pytest.mark.parametrize("outcome", [None, Outcome.SENT, Outcome.FAILED, Outcome.UNKNOWN])
def test_a_batch_whose_taking_back_was_cut_short_was_not_taken_back(book: Trail, outcome: Outcome | None) -> None:
    first = book.done(Kind.BLOCK, "1", "2")
    book.done(Kind.UNBLOCK, "1", undoes=first)
    assert trail.latest_batch(book.reader, HERE.server) is None
    second = book.done(Kind.BLOCK, "3")
    book.add(Wish(Kind.UNBLOCK, undoes=second), [planned("3")], outcome)
    assert trail.latest_batch(book.reader, HERE.server) == second


@pytest.mark.parametrize(
    ("later", "outcome", "place", "is_changed"),
    [
        (Wish(Kind.BLOCK), Outcome.DONE, HERE, True),
        (Wish(Kind.UNBLOCK), Outcome.DONE, HERE, True),
        (Wish(Kind.UNBLOCK), Outcome.UNKNOWN, HERE, True),
        (Wish(Kind.REPORT, also_block=True), Outcome.DONE, HERE, True),
        (Wish(Kind.REPORT), Outcome.DONE, HERE, False),
        (Wish(Kind.ACKNOWLEDGE), Outcome.DONE, HERE, False),
        (Wish(Kind.UNBLOCK), Outcome.REFUSED, HERE, False),
        (Wish(Kind.UNBLOCK), Outcome.FAILED, HERE, False),
        (Wish(Kind.UNBLOCK), Outcome.DONE, THERE, False),
    ],
)
def test_who_was_changed_since_is_told(
    book: Trail, later: Wish, outcome: Outcome, place: Place, is_changed: bool
) -> None:
    before = book.done(Kind.BLOCK, "1", "2", "3", "4")
    batch = book.done(Kind.BLOCK, "1", "2", "3")
    by_number = planned("1", "another")
    by_wa_id = NewAction("+2", None, "2", "+2", Outcome.PLANNED)
    after = book.add(later, [by_number, by_wa_id, planned("5")], outcome, place)
    assert trail.changed_since(book.reader, HERE.server, batch) == ({"+1", "+2"} if is_changed else set())
    assert trail.changed_since(book.reader, HERE.server, before) == {"+1", "+2", "+3"}
    assert trail.changed_since(book.reader, HERE.server, after) == set()


# What is known of contacts


def test_the_history_of_a_number_is_what_one_server_said_of_it(book: Trail) -> None:
    first = book.check("1", None, "invalid", "v2.39.1")
    second = book.check("1", "1", "valid")
    book.check("2", "2", "valid")
    book.check("1", "1", "valid", place=THERE)
    draft = book.ledger.add_run(RunOptions(HERE.server, "US", "no_wait", False, 500))
    row = structs.replace(new_row(1, "1"), key="+1")
    book.ledger.add_rows(draft, book.ledger.add_source(draft, "list", None), [row], {})
    told = trail.history(book.reader, HERE.server, "+1")
    assert [verdict._replace(checked_at=0.0) for verdict in told] == [
        Verdict(second, "valid", "1", 0.0, "v2.41"),
        Verdict(first, "invalid", None, 0.0, "v2.39.1"),
    ]
    assert told[0].checked_at > told[1].checked_at
    assert trail.history(book.reader, HERE.server, "+3") == []


def test_what_is_known_of_an_entry_is_its_number_and_the_block_that_lasts(book: Trail) -> None:
    book.check("5255", "52155", "valid")
    book.add(Wish(Kind.BLOCK, "spam"), [planned("5255", "52155"), planned("1"), planned("2"), planned("3")])
    book.done(Kind.UNBLOCK, "1")
    book.add(Wish(Kind.UNBLOCK), [planned("2")], Outcome.REFUSED)
    book.add(Wish(Kind.BLOCK, "later"), [NewAction("+4", None, "4", "+4", Outcome.PLANNED)], place=THERE)
    book.add(Wish(Kind.REPORT, "abuse", also_block=True), [planned("6")])
    book.done(Kind.REPORT, "7")
    told = trail.known(book.reader, HERE.server, ["52155", "1", "2", "4", "6", "7", "8"])
    assert {wa_id: who._replace(blocked_at=None) for wa_id, who in told.items()} == {
        "52155": Known("+5255", "valid", "v2.41", None, "spam", "ada"),
        "1": Known("+1"),
        "2": Known("+2", reason="spam", by="ada"),
        "6": Known("+6", reason="abuse", by="ada"),
        "7": Known("+7"),
    }
    assert {wa_id for wa_id, who in told.items() if who.blocked_at is not None} == {"52155", "2", "6"}
    assert trail.known(book.reader, HERE.server, []) == {}


def test_the_latest_verdict_on_a_wa_id_counts(book: Trail) -> None:
    book.check("1", "1", "valid", "v2.41")
    book.check("1", "1", "valid", "v2.45.1")
    assert trail.known(book.reader, HERE.server, ["1"]) == {"1": Known("+1", "valid", "v2.45.1")}
    assert trail.known(book.reader, THERE.server, ["1"]) == {}


# Ledgers of other versions


def old_ledger(path: Path) -> None:
    """Make a ledger as the first version of the tables had it, with one run that ended and one that goes on."""
    path.parent.mkdir(parents=True)
    database = sqlite3.connect(path)
    database.executescript(schema._STEPS[0] + "PRAGMA user_version = 1;")
    for run_id, state in ((1, RunState.DONE), (2, RunState.RUNNING)):
        database.execute(
            "INSERT INTO run (id, state, server, region, blocking, force_check, batch_size, created_at, numbers)"
            " VALUES (?, ?, ?, 'US', 'no_wait', 0, 500, 1.0, 2)",
            (run_id, state, HERE.server),
        )
        database.execute("INSERT INTO source (run_id, source_id, name) VALUES (?, 1, 'list')", (run_id,))
        database.execute("INSERT INTO tally VALUES (?, 'queued', 2, 2)", (run_id,))
        for row in (1, 2):
            database.execute(
                "INSERT INTO number (run_id, number_id, key, input, number, first_row) VALUES (?, ?, ?, ?, ?, ?)",
                (run_id, row, f"+{row}", f"({row})", f"+{row}", row),
            )
            database.execute(
                "INSERT INTO entry (run_id, row, source_id, line, input, number_id) VALUES (?, ?, 1, ?, ?, ?)",
                (run_id, row, row, f"({row})", row),
            )
    database.execute("UPDATE number SET status = 'valid', final = 1, wa_id = '1', checked_at = 2.0 WHERE number_id = 1")
    database.commit()
    database.close()


def test_an_old_ledger_is_brought_up_to_date_and_keeps_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "data" / "ledger.sqlite3"
    old_ledger(path)
    with ThreadPoolExecutor(6) as pool:
        for each in pool.map(Ledger, [path] * 6):
            each.close()
    book = Trail(Ledger(path), Reader(path))
    for run_id, state in ((1, RunState.DONE), (2, RunState.RUNNING)):
        assert book.reader.run(run_id).state is state
        assert [(row.input, row.status) for row in book.reader.rows(run_id)] == [("(1)", "valid"), ("(2)", "queued")]
        assert {status: tuple(count) for status, count in book.reader.tally(run_id).items()} == {
            "valid": (1, 1),
            "queued": (1, 1),
        }
    assert {verdict.run_id for verdict in trail.history(book.reader, HERE.server, "+1")} == {1, 2}
    assert trail.known(book.reader, HERE.server, ["1"]) == {"1": Known("+1", "valid")}
    book.ledger.answered(2, book.ledger.asked(2, [2]).ask_id, [Answered(2, "invalid", True, None)], "v2.41")
    assert book.reader.tally(2)["invalid"].numbers == 1
    assert book.done(Kind.BLOCK, "1") == 1
    assert list(book.reader.query("PRAGMA user_version", ())) == [(SCHEMA_VERSION,)]
    assert list(book.reader.query("PRAGMA integrity_check", ())) == [("ok",)]
    book.ledger.close()
    book.reader.close()


def test_an_old_ledger_comes_to_the_same_tables_as_a_new_one(tmp_path: Path, ledger: Ledger, reader: Reader) -> None:
    path = tmp_path / "old" / "ledger.sqlite3"
    old_ledger(path)
    old = Reader(path)
    tables = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name"
    assert list(old.query(tables, ())) == list(reader.query(tables, ()))
    old.close()


def test_the_ledger_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "data" / "ledger.sqlite3"
    old_ledger(path)
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = database.execute("SELECT name FROM sqlite_schema").fetchall()
    for opening in (Ledger, Reader):
        with pytest.raises(LedgerUnusable, match="newer version"):
            opening(path)
    assert database.execute("SELECT name FROM sqlite_schema").fetchall() == before
    assert database.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION + 1,)
    database.close()
