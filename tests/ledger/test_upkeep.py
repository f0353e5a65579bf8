"""Upkeep: what is forgotten leaves no byte behind, all counters stay right, and a copy is whole whoever writes."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import examples
from tests.killed import is_killed
from tests.ledger.conftest import OPTIONS
from tests.ledger.mortal import forget
from tests.ledger.test_ledger import assert_recount
from tests.ledger.test_schema import disk_of
from watui.contract.conversion import read
from watui.contract.statuses import FINAL
from watui.files import CannotWrite
from watui.ledger import schema, trail, upkeep
from watui.ledger.drivers import Driven, Driver
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import Answered, NewRow, Row, RowFilter, RunState
from watui.ledger.schema import LedgerUnusable
from watui.ledger.trail import Kind, NewAction, Outcome, Place, Wish
from watui.ledger.upkeep import FORGOTTEN, Deletion, Forgotten
from watui.settings.paths import Paths

PLACE = Place("https://wa.example.com", "shop", "ada")
STATUSES = ("queued", "processing", "valid", "invalid", "failed")
TABLES = ("run", "source", "entry", "number", "tally", "ask", "batch", "action")


def digits_of(nth: int) -> str:
    """Return the national digits of a number, which nothing else in a ledger has."""
    return f"631555{nth:04}"


def spelled(nth: int, way: int) -> str:
    """Return a number in one of several spellings."""
    area, exchange, line = "631", "555", f"{nth:04}"
    return (
        f"+1{area}{exchange}{line}",
        f"1{area}{exchange}{line}",
        f"+1 ({area}) {exchange}-{line}",
        f"({area}) {exchange}-{line}",
        f"＋１{area}.{exchange}.{line}",
    )[way]


def wa_id_of(nth: int) -> str:
    """Return the wa_id of a number; that of every third one has other digits."""
    return f"9{digits_of(nth)}" if nth % 3 == 0 else f"1{digits_of(nth)}"


def traces_of(nth: int) -> set[bytes]:
    """Return what no file may hold any more when the number is forgotten."""
    return {text.encode() for text in (digits_of(nth), f"555-{nth:04}", f"555.{nth:04}")}


def entry(line: int, nth: int, way: int = 0) -> NewRow:
    """Return a row with a number; that of every fifth is doubtful."""
    number = f"+1{digits_of(nth)}"
    return NewRow(line, spelled(nth, way), number, number, "US", "too short" if nth % 5 == 0 else None, None)


def rejected(line: int, nth: int, way: int = 0) -> NewRow:
    """Return a row that was rejected though it holds a number."""
    return NewRow(line, spelled(nth, way), None, None, None, None, "doubtful: too short")


def reads(text: str, region: str) -> str | None:
    return read(text, region).number


class Book:
    """A ledger with whoever reads it, and what its files hold."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.locks = path.parent / "locks"
        self.ledger, self.reader = Ledger(path), Reader(path)

    def close(self) -> None:
        self.ledger.close()
        self.reader.close()

    def add_run(self, *rows: NewRow, name: str = "list") -> int:
        """Add a draft; return its id."""
        run_id = self.ledger.add_run(OPTIONS)
        self.add_rows(run_id, rows, name)
        return run_id

    def add_rows(self, run_id: int, rows: Collection[NewRow], name: str = "list") -> None:
        self.ledger.add_rows(run_id, self.ledger.add_source(run_id, name, None), rows, {"blank": 1})

    def answer(self, run_id: int, statuses: dict[str, str]) -> None:
        """Ask about a run; `statuses` are the answers, by key. Others are not mentioned."""
        found = self.query("SELECT key, number_id FROM number WHERE run_id = ? ORDER BY number_id", run_id)
        ask_id = self.ledger.asked(run_id, [number_id for _, number_id in found]).ask_id
        answers = [
            Answered(number_id, status, status in FINAL, wa_id_of(int(key[-4:])) if status == "valid" else None)
            for key, number_id in found
            if (status := statuses.get(key, "queued")) != "queued"
        ]
        self.ledger.answered(run_id, ask_id, answers, "v2.41")

    def act(self, *numbers: int, outcome: Outcome = Outcome.DONE, driver: str = "driver") -> int:
        """Add a batch of blocks; return its id."""
        actions = [
            NewAction(spelled(nth, 2), f"+1{digits_of(nth)}", wa_id_of(nth), f"+1{digits_of(nth)}", Outcome.PLANNED)
            for nth in numbers
        ]
        ids = trail.add_batch(self.ledger, Wish(Kind.BLOCK, "spam"), PLACE, driver, actions)
        if outcome is not Outcome.PLANNED:
            trail.ended(self.ledger, [(id_, outcome, None, None) for id_ in ids])
        return int(self.query("SELECT max(batch_id) FROM batch")[0][0])

    def forget(self, nth: int) -> Forgotten:
        return upkeep.forget_number(self.ledger, self.locks, f"+1{digits_of(nth)}", {wa_id_of(nth)}, reads)

    def query(self, statement: str, *values: object) -> list[Any]:
        return list(self.reader.query(statement, values))

    def dump(self, *run_ids: int) -> dict[str, list[Any]]:
        """Return all that is written of these runs."""
        marks = ", ".join(map(str, run_ids))
        return {
            table: self.query(f"SELECT * FROM {table} WHERE {'id' if table == 'run' else 'run_id'} IN ({marks})")
            for table in ("run", "source", "number", "entry", "tally", "ask")
        }

    def rows(self, run_id: int) -> list[Row]:
        return list(self.reader.rows(run_id))

    def bytes(self) -> bytes:
        """Return what is in all files of the ledger, when nobody has it open any more."""
        self.close()
        files = [self.path, *self.path.parent.glob(f"{self.path.name}-*")]
        found = b"".join(file.read_bytes() for file in files)
        self.ledger, self.reader = Ledger(self.path), Reader(self.path)
        return found


@pytest.fixture
def book(paths: Paths) -> Iterator[Book]:
    book = Book(paths.ledger)
    yield book
    book.close()


def assert_sound(reader: Reader) -> None:
    """Fail where SQLite finds damage, or a counter differs from a recount of any run."""
    assert list(reader.query("PRAGMA integrity_check", ())) == [("ok",)]
    for (run_id,) in list(reader.query("SELECT id FROM run", ())):
        assert_recount(reader, run_id)
        rows, run = list(reader.rows(run_id)), reader.run(run_id)
        assert [row.row for row in rows] == list(range(1, len(rows) + 1))
        assert run.doubtful == sum(row.number_id is not None and row.problem is not None for row in rows)
        shared = Counter(row.number_id for row in rows if row.number_id is not None)
        assert dict(reader.query("SELECT number_id, rows FROM number WHERE run_id = ?", (run_id,))) == shared
        assert list(reader.matching(run_id, RowFilter(text="631555"))) == [
            row.row for row in rows if "631555" in f"{row.input}{row.number}{row.wa_id}"
        ]
    actions = "SELECT 1 FROM action a WHERE a.batch_id = b.batch_id"
    assert list(reader.query(f"SELECT * FROM batch b WHERE NOT EXISTS ({actions})", ())) == []


def assert_nothing_left(book: Book, *numbers: int) -> None:
    """Fail where a byte of these numbers is in any file."""
    assert upkeep.erase_traces(book.path)
    found = book.bytes()
    assert {trace: found.count(trace) for nth in numbers for trace in traces_of(nth)} == {
        trace: 0 for nth in numbers for trace in traces_of(nth)
    }


# One number

MOST = 11
a_row = st.builds(
    lambda nth, way, is_rejected: (rejected if is_rejected else entry)(1, nth, way),
    st.integers(0, MOST),
    st.integers(0, 4),
    st.sampled_from([False, False, False, True]),
)
some_rows = st.lists(a_row, max_size=12)
some_runs = st.lists(
    st.tuples(some_rows, st.sampled_from([RunState.DRAFT, RunState.RUNNING, RunState.DONE]), some_rows),
    min_size=1,
    max_size=3,
)
some_batches = st.lists(st.lists(st.integers(0, MOST), min_size=1, max_size=3), max_size=3)


@settings(max_examples=examples(0.6))
@given(
    some_runs,
    some_batches,
    st.lists(st.integers(0, MOST), min_size=1, max_size=3, unique=True),
    st.sampled_from([1, 4, 5_000]),
    st.randoms(use_true_random=False),
)
def test_a_forgotten_number_leaves_no_trace_and_all_counters_right(
    runs: list[tuple[list[NewRow], RunState, list[NewRow]]],
    batches: list[list[int]],
    forgotten: list[int],
    at_once: int,
    chance: Random,
) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(upkeep, "AT_ONCE", at_once)
        book = Book(Path(folder) / "ledger.sqlite3")
        driver = Driver(book.locks)
        for imported, state, _ in runs:
            run_id = book.add_run(*imported)
            if state is not RunState.DRAFT:
                book.ledger.start(run_id, driver)
                for _ in range(2):
                    book.answer(run_id, {f"+1{digits_of(nth)}": chance.choice(STATUSES) for nth in range(MOST + 1)})
            if state is RunState.DONE:
                book.ledger.end(run_id, state)
        driver.close()
        for batch in batches:
            book.act(*batch)
        before = {run_id: book.rows(run_id) for run_id in range(1, len(runs) + 1)}
        actions = Counter(nth for batch in batches for nth in batch)
        for nth in forgotten:
            rows_of_it = sum(held(row) == nth for rows in before.values() for row in rows)
            assert book.forget(nth) == Forgotten(rows=rows_of_it, actions=actions[nth])
            assert_sound(book.reader)
            assert book.forget(nth) == Forgotten(), "the second time there is nothing left"
        for run_id, rows in before.items():
            for row, now in zip(rows, book.rows(run_id), strict=True):
                if held(row) in forgotten:
                    empty = Row(*row[:3], "", None, None, "rejected", None, FORGOTTEN, None, None, None, None, 0, 0)
                    assert now == empty
                else:
                    assert now._replace(number_id=row.number_id) == row
        assert trail.latest(book.reader, 99) == [
            action for action in trail.latest(book.reader, 99) if int((action.number or "")[-4:]) not in forgotten
        ]
        assert_nothing_left(book, *forgotten)
        # A draft goes on being imported as if nothing had happened.
        for run_id, (_, state, more) in enumerate(runs, 1):
            if state is RunState.DRAFT:
                book.add_rows(run_id, more)
                assert [held(row) for row in book.rows(run_id)[len(before[run_id]) :]] == [
                    int((row.number or reads(row.input, "US") or "")[-4:]) for row in more
                ]
        assert_sound(book.reader)
        book.close()


def held(row: Row) -> int:
    """Return which number a row holds, -1 for none."""
    text = row.number or (row.input and reads(row.input, "US")) or "-1"
    return int(text[-4:])


def test_what_was_overwritten_leaves_nothing_where_pages_were_rearranged(book: Book) -> None:
    """A page that is split keeps old copies of rows beside the rows: those that have most are looked at."""
    order, count = Random(1), 6_000
    numbers = order.sample(range(10_000), count)
    run_id = book.ledger.add_run(OPTIONS)
    for start in range(0, count, 500):
        book.add_rows(run_id, [entry(nth, nth) for nth in numbers[start : start + 500]])
    book.answer(run_id, {f"+1{digits_of(nth)}": "processing" for nth in numbers})
    book.answer(run_id, {f"+1{digits_of(nth)}": "valid" for nth in numbers})
    copies = Counter(re.findall(rb"(?=(631555\d{4}))", book.bytes()))
    usual = min(copies.values())
    haunted = [int(digits[-4:]) for digits, many in copies.most_common(20)]
    print(f"copies of a number: {usual} usually, {copies.most_common(1)[0][1]} at most")
    assert copies.most_common(1)[0][1] > usual
    for nth in haunted:
        assert book.forget(nth).rows == 1
    assert_nothing_left(book, *haunted)
    assert_sound(book.reader)


@pytest.mark.parametrize(
    ("sought", "wa_ids", "expected"),
    [
        ("+16315550001", (), {1, 2, 3, 7}),
        ("16315550001", (), {1, 2, 3, 7}),
        ("+16315550001", ("5215512345678",), {1, 2, 3, 5, 6, 7}),
        ("+525512345678", ("5215512345678",), {5, 6}),
        ("call me 12", (), {4}),
        ("+16315550", (), set()),
        ("", (), set()),
    ],
)
def test_what_is_a_trace(book: Book, sought: str, wa_ids: tuple[str, ...], expected: set[int]) -> None:
    number = "+16315550001"
    run_id = book.add_run(
        NewRow(1, "+1 631 555 0001", number, number, "US", None, None),
        NewRow(2, "(631) 555-0001", number, number, "US", None, None),
        NewRow(3, "+1631555\x000001", None, None, None, None, "control characters"),
        NewRow(4, "call me 12", "call me 12", None, None, "not a phone number", None),
        NewRow(5, "+52 55 1234 5678", "+525512345678", "+525512345678", "MX", None, None),
        NewRow(6, "+5215512345678", "+5215512345678", "+5215512345678", "MX", None, None),
        NewRow(7, "16315550001", "+4916315550001", "+4916315550001", "DE", None, None),
        NewRow(8, "(631) 555-0001", None, None, None, None, "doubtful: too short"),
        NewRow(9, "+16315550002", "+16315550002", "+16315550002", "US", None, None),
        NewRow(10, "no digits", None, None, None, None, "no digits"),
    )
    ask_id = book.ledger.asked(run_id, [3]).ask_id
    book.ledger.answered(run_id, ask_id, [Answered(3, "valid", True, "5215512345678")], "v2.41")
    assert upkeep.forget_number(book.ledger, book.locks, sought, wa_ids).rows == len(expected)
    assert {row.row for row in book.rows(run_id) if row.problem == FORGOTTEN} == expected
    assert_sound(book.reader)


def test_actions_on_a_number_are_forgotten_with_batches_that_have_no_others(book: Book) -> None:
    both, alone, other = book.act(1, 2), book.act(1), book.act(2)
    by_wa_id = NewAction("the one from Monday", None, wa_id_of(1), "+9", Outcome.DONE)
    by_target = NewAction("+9", "+9", None, "+1 631 555 0001", Outcome.DONE)
    trail.add_batch(book.ledger, Wish(Kind.REPORT), PLACE, "driver", [by_wa_id, by_target])
    assert book.forget(1) == Forgotten(actions=4)
    assert [action.batch_id for action in trail.latest(book.reader, 9)] == [other, both]
    assert [batch_id for (batch_id,) in book.query("SELECT batch_id FROM batch")] == [both, other]
    assert alone not in (both, other)


@pytest.mark.parametrize("outcome", [Outcome.PLANNED, Outcome.SENT])
def test_a_change_under_way_is_not_forgotten_before_its_process_is_gone(book: Book, outcome: Outcome) -> None:
    driver = Driver(book.locks)
    book.act(1, outcome=outcome, driver=driver.id)
    with pytest.raises(Driven, match="changed right now"):
        book.forget(1)
    assert len(trail.latest(book.reader, 9)) == 1
    assert book.forget(2) == Forgotten()
    driver.close()
    assert book.forget(1) == Forgotten(actions=1)


def test_a_number_that_is_being_asked_about_stays_until_that_ends_and_so_does_all_else(book: Book) -> None:
    ended, driven, driver = book.add_run(entry(1, 1)), book.add_run(entry(1, 1), entry(2, 2)), Driver(book.locks)
    other = book.add_run(entry(1, 3))
    for run_id in (driven, other):
        book.ledger.start(run_id, driver)
    book.act(1)
    before = book.dump(ended, driven, other)
    with pytest.raises(Driven, match=f"run {driven} is being asked about"):
        book.forget(1)
    assert book.dump(ended, driven, other) == before
    assert len(trail.latest(book.reader, 9)) == 1
    assert book.forget(4) == Forgotten(), "others are looked for all the same"
    driver.close()
    assert book.forget(1) == Forgotten(rows=2, actions=1)
    assert list(book.ledger.unanswered(driven)) == [2], "the ids of numbers that are asked about stay as they are"
    assert_sound(book.reader)


# Runs


def runs_to_forget(book: Book, driver: Driver, first: int = 0) -> list[int]:
    """Add a draft, an unfinished run, one that ended, one that was cancelled, and one that is half discarded.

    The numbers of each are those from 1 to 7 behind another ten, of which that of the draft is `first`.
    """
    tens = range(first, first + 50, 10)
    runs = [book.add_run(*(entry(place, ten + place) for place in range(1, 8))) for ten in tens]
    for run_id in runs[1:4]:
        book.ledger.start(run_id, driver)
        book.answer(run_id, {row.number or "": "valid" for row in book.rows(run_id)[:4]})
    book.ledger.end(runs[2], RunState.DONE)
    book.ledger.end(runs[3], RunState.CANCELLED)
    with book.ledger.transaction() as db:
        db.execute("UPDATE run SET state = 'discarded' WHERE id = ?", (runs[4],))
        db.execute("DELETE FROM entry WHERE run_id = ? AND row < 4", (runs[4],))
    return runs


@pytest.mark.parametrize("nth", range(5))
@pytest.mark.parametrize("at_once", [3, 5_000])
def test_a_forgotten_run_leaves_nothing_and_others_alone(
    book: Book, nth: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "AT_ONCE", at_once)
    driver = Driver(book.locks)
    runs = runs_to_forget(book, driver)
    driver.close()
    gone = {runs[nth], runs[4]}  # what somebody began to delete is deleted on the way
    kept = [run_id for run_id in runs if run_id not in gone]
    before = book.dump(*kept)
    upkeep.forget_run(book.ledger, book.locks, runs[nth])
    assert book.dump(*kept) == before
    assert not any(book.dump(*gone).values())
    assert_nothing_left(book, *(10 * (run_id - 1) + place for run_id in gone for place in range(1, 8)))
    assert book.dump(*kept) == before
    assert_sound(book.reader)
    with pytest.raises(LedgerUnusable, match=f"there is no run {runs[nth]}"):
        upkeep.forget_run(book.ledger, book.locks, runs[nth])


def test_a_run_that_is_being_asked_about_is_not_forgotten(book: Book) -> None:
    run_id, driver = book.add_run(entry(1, 1)), Driver(book.locks)
    book.ledger.start(run_id, driver)
    before = book.dump(run_id)
    with pytest.raises(Driven, match=f"run {run_id} is being asked about"):
        upkeep.forget_run(book.ledger, book.locks, run_id)
    assert book.dump(run_id) == before
    driver.close()
    upkeep.forget_run(book.ledger, book.locks, run_id)
    assert book.reader.runs() == []


def test_what_is_forgotten_can_be_imported_no_further(book: Book) -> None:
    run_id = book.add_run(entry(1, 1))
    source_id = book.ledger.add_source(run_id, "list", None)
    upkeep.forget_run(book.ledger, book.locks, run_id)
    with pytest.raises(LedgerUnusable, match="no draft any more"):
        book.ledger.add_rows(run_id, source_id, [entry(2, 2)], {})
    assert not any(book.dump(run_id).values())


def test_what_is_older_is_forgotten_and_nothing_else(book: Book) -> None:
    driver = Driver(book.locks)
    long_ago, lately, before = 1_000.0, 3_000.0, 2_000.0
    runs: dict[tuple[str, float], int] = {}
    for at, first in ((long_ago, 0), (lately, 100)):
        draft, unfinished, done, cancelled, discarded = runs_to_forget(book, driver, first)
        runs |= {("draft", at): draft, ("unfinished", at): unfinished, ("done", at): done, ("cancelled", at): cancelled}
        with book.ledger.transaction() as db:
            db.execute("UPDATE run SET created_at = ? WHERE id BETWEEN ? AND ?", (at, draft, discarded))
            db.execute("UPDATE run SET ended_at = ? WHERE ended_at IS NOT NULL AND ended_at > ?", (at, lately))
    long_run = book.add_run(entry(1, 90))
    book.ledger.start(long_run, driver)
    book.ledger.end(long_run, RunState.DONE)
    old, mixed, new = book.act(91), book.act(92, 93), book.act(94)
    open_ = book.act(95, outcome=Outcome.SENT)
    with book.ledger.transaction() as db:
        db.execute("UPDATE run SET created_at = ?, started_at = ? WHERE id = ?", (long_ago, long_ago, long_run))
        db.execute("UPDATE batch SET created_at = ?", (long_ago,))
        db.execute("UPDATE action SET ended_at = ? WHERE batch_id IN (?, ?)", (long_ago, old, open_))
        db.execute("UPDATE action SET ended_at = ? WHERE number = ?", (long_ago, f"+1{digits_of(92)}"))
    kept = [run_id for (state, at), run_id in runs.items() if at == lately or state == "unfinished"] + [long_run]
    kept_before = book.dump(*kept)
    assert upkeep.forget_older(book.ledger, before) == Forgotten(runs=3, actions=2)
    assert [run_id for (run_id,) in book.query("SELECT id FROM run ORDER BY id")] == sorted(kept)
    assert book.dump(*kept) == kept_before
    assert [action.number for action in trail.latest(book.reader, 9)] == [f"+1{digits_of(nth)}" for nth in (95, 94, 93)]
    assert {batch_id for (batch_id,) in book.query("SELECT batch_id FROM batch")} == {mixed, new, open_}
    assert_sound(book.reader)
    assert_nothing_left(book, 1, 7, 21, 27, 31, 37, 41, 47, 91, 92)
    assert upkeep.forget_older(book.ledger, before) == Forgotten()
    driver.close()


def test_a_draft_that_somebody_may_be_at_is_not_too_old(book: Book) -> None:
    fresh, stale = book.add_run(entry(1, 1)), book.add_run(entry(1, 2))
    with book.ledger.transaction() as db:
        db.execute("UPDATE run SET created_at = ? WHERE id = ?", (time.time() - upkeep.DRAFT_SECONDS - 1, stale))
    assert upkeep.forget_older(book.ledger, time.time()) == Forgotten(runs=1)
    assert [run_id for (run_id,) in book.query("SELECT id FROM run")] == [fresh]


class Unwilling(Exception):
    """Whoever is told how far it is wants no more."""


@pytest.mark.parametrize("parts", range(12))
def test_it_is_told_how_far_it_is_and_who_is_told_can_end_it_and_go_on_later(
    book: Book, parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "AT_ONCE", 4)
    kept = book.add_run(*(entry(place, 40 + place) for place in range(1, 8)))
    gone = [book.add_run(*(entry(place, ten + place) for place in range(1, 8))) for ten in (10, 20)]
    before = book.dump(kept)
    upkeep.mark_draft(book.ledger, gone[0])
    upkeep.mark_run(book.ledger, book.locks, gone[1])
    assert [found.record.id for found in book.reader.runs()] == [kept], "nobody sees them any more"
    told: list[Deletion] = []

    def tell(deletion: Deletion) -> None:
        told.append(deletion)
        if len(told) > parts:
            raise Unwilling

    with pytest.raises(Unwilling) if parts < 8 else nullcontext():
        upkeep.delete_discarded(book.ledger, tell)
    assert {deletion.rows for deletion in told} == {14}
    shares = [deletion.share for deletion in told]
    assert shares == sorted(set(shares))
    assert (shares[0], shares[-1] < 1) == (0, True)
    assert any(book.dump(*gone).values()) is (parts < 8)
    upkeep.delete_discarded(book.ledger)
    assert not any(book.dump(*gone).values())
    assert book.dump(kept) == before
    assert_sound(book.reader)
    assert_nothing_left(book, *range(11, 18), *range(21, 28))


# Other processes


@pytest.mark.parametrize("what", ["number", "run", "older"])
def test_who_is_killed_while_forgetting_leaves_counters_right_and_can_be_followed(tmp_path: Path, what: str) -> None:
    original = Book(tmp_path / "original" / "ledger.sqlite3")
    for tens in (10, 20):
        run_id = original.add_run(*(entry(place, 1 if place % 3 == 0 else tens + place) for place in range(1, 9)))
        original.answer(run_id, {row.number or "": "valid" for row in original.rows(run_id)[:4]})
    original.act(1, 2)
    original.close()
    kills = 0
    for nth in range(1, 24, 2):
        path = tmp_path / str(nth) / "ledger.sqlite3"
        shutil.copytree(tmp_path / "original", path.parent)
        if not is_killed(forget, path, what, f"ledger.write:{nth}"):
            break
        kills += 1
        book = Book(path)
        for (run_id,) in book.query("SELECT id FROM run WHERE state <> 'discarded'"):
            assert_recount(book.reader, run_id)
        if what != "run" or book.query("SELECT 1 FROM run WHERE id = 1"):
            assert not is_killed(forget, path, what, "")
        assert_sound(book.reader)
        assert_nothing_left(book, *{"number": (1,), "run": (11, 12, 17), "older": (1, 2, 11, 18, 21)}[what])
        book.close()
    print(f"{kills} kills, counters right after each")
    assert kills >= 3


def test_others_write_while_much_is_forgotten(book: Book) -> None:
    """Who deletes in many parts one after the other would keep all others waiting, were there no pauses."""
    run_id = book.add_run(*(entry(nth, nth) for nth in range(6_000)))
    other = book.add_run(entry(1, 9_000))
    waited: list[float] = []
    with pytest.MonkeyPatch.context() as patch, writing(book.path, waited, lambda ledger: ledger.asked(other, [1])):
        patch.setattr(upkeep, "AT_ONCE", 100)
        upkeep.forget_run(book.ledger, book.locks, run_id)
    print(f"{len(waited)} writes meanwhile, the longest took {max(waited):.2f} s")
    assert len(waited) > 10
    assert max(waited) < schema.BUSY_SECONDS / 4
    assert book.query("SELECT asked FROM number WHERE run_id = ?", other) == [(len(waited),)]


@contextmanager
def writing(path: Path, waited: list[float], write: Any) -> Iterator[None]:
    """Let another connection write all the time; `waited` gets how long each write took."""
    is_over = threading.Event()

    def write_on() -> None:
        ledger = Ledger(path)
        while not is_over.is_set():
            began_at = time.monotonic()
            write(ledger)
            waited.append(time.monotonic() - began_at)
            time.sleep(0.005)
        ledger.close()

    thread = threading.Thread(target=write_on)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


# Files


def test_nearly_all_is_overwritten_where_it_stood_before_anything_is_erased(book: Book) -> None:
    """As where there is no room to write the files anew, or somebody is in the way."""
    book.add_run(*(entry(nth, nth) for nth in range(500)))
    with book.ledger.transaction() as db:
        db.execute("PRAGMA secure_delete = OFF")  # which it is or isn't, as SQLite was built
    for nth in range(0, 100, 10):
        book.forget(nth)
    found = book.bytes()
    assert sum(found.count(trace) for nth in range(0, 100, 10) for trace in traces_of(nth)) == 0


def test_who_reads_for_long_keeps_traces_in_the_files_and_that_is_told(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "BUSY_SECONDS", 0.1)
    book.add_run(entry(1, 1), entry(2, 2))
    assert upkeep.erase_traces(book.path)
    with closing(sqlite3.connect(book.path, isolation_level=None)) as other:
        other.execute("BEGIN")
        assert other.execute("SELECT count(*) FROM entry").fetchone() == (2,)
        book.forget(1)
        assert not upkeep.erase_traces(book.path)
        assert other.execute("SELECT input FROM entry").fetchall() == [(spelled(1, 0),), (spelled(2, 0),)]
    assert_nothing_left(book, 1)
    assert traces_of(2) & set(re.findall(rb"631555\d{4}", book.bytes()))


def test_who_writes_for_long_is_in_the_way_too(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "BUSY_SECONDS", 0.1)
    book.add_run(entry(1, 1))
    with book.ledger.transaction():
        assert not upkeep.erase_traces(book.path)
    assert upkeep.erase_traces(book.path)


EMPTYING = """
import fcntl, sys, time
with open(sys.argv[1], "r+b") as memory:
    fcntl.lockf(memory, fcntl.LOCK_EX, 1, 121)  # of whoever empties the log
    print("locked", flush=True)
    time.sleep(0.5)
"""


def test_who_empties_the_log_as_well_is_waited_for(book: Book) -> None:
    book.add_run(entry(1, 1))
    command = [sys.executable, "-c", EMPTYING, f"{book.path}-shm"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        assert upkeep.erase_traces(book.path)
    assert process.returncode == 0


def test_a_smaller_ledger_gives_room_back(book: Book) -> None:
    run_id = book.add_run(*(entry(nth, nth) for nth in range(3_000)))
    assert upkeep.erase_traces(book.path)
    before = book.path.stat().st_size
    upkeep.forget_run(book.ledger, book.locks, run_id)
    assert upkeep.erase_traces(book.path)
    assert book.path.stat().st_size < before / 3


def test_a_full_disk_is_told_and_leaves_a_sound_ledger(book: Book) -> None:
    book.add_run(*(entry(nth, nth) for nth in range(3_000)))
    assert upkeep.erase_traces(book.path)
    book.forget(1)
    with (
        disk_of(book.path.stat().st_size // 2),
        pytest.raises(LedgerUnusable, match="cannot be taken out of the files"),
    ):
        upkeep.erase_traces(book.path)
    assert_sound(book.reader)
    assert_nothing_left(book, 1)


@pytest.mark.parametrize("networked", [None, "nfs4"])
def test_forgetting_is_the_same_without_a_write_ahead_log(
    paths: Paths, networked: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "is_networked", lambda _: networked)
    book = Book(paths.ledger)
    book.add_run(*(entry(nth, nth) for nth in range(50)))
    book.forget(1)
    assert_nothing_left(book, 1)
    assert_sound(book.reader)
    upkeep.backup(book.path, book.path.with_name("copy"))
    assert sorted(os.listdir(book.path.parent))[:2] == ["copy", book.path.name]
    book.close()


# Copies

WRITES = 2_000


def test_a_copy_is_whole_while_others_write(book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every copy, taken at any moment, has whole transactions and counters that are right."""
    monkeypatch.setattr(schema, "COPIED_PAGES", 2)
    run_id = book.ledger.add_run(OPTIONS)
    source_id = book.ledger.add_source(run_id, "list", None)

    def write() -> None:
        ledger = Ledger(book.path)
        for nth in range(WRITES // 4):
            ledger.add_rows(run_id, source_id, [entry(1, nth), rejected(2, nth), entry(3, nth)], {})
            ask_id = ledger.asked(run_id, [nth + 1]).ask_id
            ledger.answered(run_id, ask_id, [Answered(nth + 1, "processing", False, None)], "v2.41")
            ledger.answered(run_id, ask_id, [Answered(nth + 1, "valid", True, wa_id_of(nth))], "v2.41")
        ledger.close()

    thread = threading.Thread(target=write)
    sizes: list[int] = []
    thread.start()
    while thread.is_alive():
        copy = tmp_path / f"copy-{len(sizes)}.sqlite3"
        upkeep.backup(book.path, copy)
        sizes.append(rows_of_sound_copy(copy, run_id))
    thread.join()
    print(f"{len(sizes)} copies while {WRITES} transactions were written, of {sizes[0]} to {sizes[-1]} rows")
    assert len(sizes) > 3
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]
    assert len(book.rows(run_id)) == WRITES // 4 * 3


def rows_of_sound_copy(copy: Path, run_id: int) -> int:
    """Return how many rows a copy has, after looking whether it is whole; it is removed."""
    assert copy.stat().st_mode & 0o777 == 0o600
    assert sorted(other.name for other in copy.parent.glob(f"*{copy.name}*")) == [copy.name], "one file is all of it"
    assert copy.read_bytes()[18:20] == b"\1\1", "nothing beside it has to be written by whoever reads it"
    reader = Reader(copy)
    assert_sound(reader)
    rows = reader.run(run_id).rows
    reader.close()
    copy.unlink()
    return rows


def test_a_copy_never_begins_anew(book: Book, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id, left = book.add_run(*(entry(nth, nth) for nth in range(500))), list[int]()

    class Watched(sqlite3.Connection):
        def backup(self, target: sqlite3.Connection, **named: Any) -> None:
            def progress(_status: int, remaining: int, total: int) -> None:
                assert len(left) < total
                left.append(remaining)
                book.ledger.asked(run_id, [1])

            super().backup(target, progress=progress, **named)

    monkeypatch.setattr(schema, "COPIED_PAGES", 2)
    monkeypatch.setattr(schema, "_open", lambda path: sqlite3.connect(path, isolation_level=None, factory=Watched))
    upkeep.backup(book.path, tmp_path / "copy")
    assert len(left) > 10
    assert left == sorted(left, reverse=True)
    assert book.query("SELECT max(asked) FROM number") == [(len(left),)]


def test_a_copy_holds_all_that_is_written(book: Book, tmp_path: Path) -> None:
    book.add_run(entry(1, 1), rejected(2, 2))
    book.act(1, 2)
    upkeep.backup(book.path, tmp_path / "copy")
    with closing(sqlite3.connect(f"file:{tmp_path / 'copy'}?mode=ro&immutable=1", uri=True)) as db:
        for table in TABLES:
            assert db.execute(f"SELECT * FROM {table}").fetchall() == book.query(f"SELECT * FROM {table}")


def test_a_copy_replaces_nothing(book: Book, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("kept")
    for target in (tmp_path / "there", tmp_path, book.path):
        with pytest.raises(CannotWrite):
            upkeep.backup(book.path, target)
    assert (tmp_path / "there").read_text() == "kept"
    with pytest.raises(CannotWrite, match="cannot write"):
        upkeep.backup(book.path, tmp_path / "nowhere" / "copy")
    assert_sound(book.reader)


def test_a_copy_for_which_there_is_no_room_is_not_there(book: Book, tmp_path: Path) -> None:
    book.add_run(*(entry(nth, nth) for nth in range(3_000)))
    folder = tmp_path / "copies"
    folder.mkdir()
    with disk_of(100_000), pytest.raises(CannotWrite, match="cannot write"):
        upkeep.backup(book.path, folder / "copy")
    assert list(folder.iterdir()) == []
    upkeep.backup(book.path, folder / "copy")
    assert [path.name for path in folder.iterdir()] == ["copy"]


def test_what_is_no_ledger_cannot_be_copied(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite3").write_text("numbers\n" * 1000)
    with pytest.raises(LedgerUnusable, match=r"ledger\.sqlite3"):
        upkeep.backup(tmp_path / "ledger.sqlite3", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
