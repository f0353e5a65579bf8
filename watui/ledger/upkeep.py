"""Upkeep of a ledger: what is deleted from it for good, and copies of it.

Whatever is deleted goes in short transactions, so that others can write in between, and `erase_traces` afterwards takes
what is left of it out of the files. Whoever is killed in the middle leaves a ledger whose counters are right.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from watui.files import CannotWrite, whole_file
from watui.ledger import schema
from watui.ledger.drivers import Driven, is_gone
from watui.ledger.ledger import Ledger
from watui.ledger.rows import REJECTED, RunState
from watui.ledger.schema import LedgerUnusable, NoSuchRun
from watui.text import counted

FORGOTTEN = "forgotten"
"""Why a row is rejected that held a forgotten number."""

AT_ONCE = 5_000
"""Rows that one transaction looks at or deletes."""

Reads = Callable[[str, str], str | None]
"""Returns the number (E.164) that a server of a region reads in a text: called with text and region."""

DAY_SECONDS = 24 * 3600.0

DRAFT_SECONDS = DAY_SECONDS
"""For which a draft is left alone, as far as it is not named itself."""

_BUSY_STEP_SECONDS = 0.02

_NO_DIGIT = re.compile(r"\D")

_UNDER_WAY = "outcome IN ('planned', 'sent')"
"""Of an action that has no end yet."""


class Deletion(NamedTuple):
    """How far it is that runs are deleted."""

    rows: int
    """Of these runs."""
    share: float
    """Of all that belongs to them, that is gone."""

    @property
    def words(self) -> str:
        """What is being done, for people."""
        if self.share < 1:
            return f"Deleting {counted(self.rows, 'row')}… {int(100 * self.share)} %"
        return "Taking what was deleted out of the ledger's files…"


Tell = Callable[[Deletion], None]
"""Is told how far it is, in between. What it raises ends the work: what is left is deleted the next time."""


def _nobody(_: Deletion) -> None:
    """Be told, and do nothing about it."""


class Forgotten(NamedTuple):
    """How much was forgotten."""

    runs: int = 0
    """Whole runs and drafts."""
    rows: int = 0
    """Rows of runs that are kept."""
    actions: int = 0


# Runs


def forget_run(ledger: Ledger, locks: Path, run_id: int, tell: Tell = _nobody) -> None:
    """Delete a run or draft with all that belongs to it. Raises as `mark_run` does."""
    mark_run(ledger, locks, run_id)
    delete_discarded(ledger, tell)


def mark_run(ledger: Ledger, locks: Path, run_id: int) -> None:
    """Let a run or draft be one that is deleted: nobody sees it any more.

    Raises Driven where somebody asks about it, and LedgerUnusable, also where there is no such run.
    """
    with ledger.transaction() as db:
        _refuse_driven(db, locks, run_id)
        db.execute("UPDATE run SET state = ? WHERE id = ?", (RunState.DISCARDED, run_id))


def discard(ledger: Ledger, run_id: int, tell: Tell = _nobody) -> None:
    """Delete a draft with all that was imported into it. Raises LedgerUnusable where it is none any more."""
    mark_draft(ledger, run_id)
    delete_discarded(ledger, tell)


def mark_draft(ledger: Ledger, run_id: int) -> None:
    """Let a draft be one that is deleted: nobody sees it any more. Raises LedgerUnusable where it is none."""
    with ledger.transaction() as db:
        found = db.execute(
            "UPDATE run SET state = ? WHERE id = ? AND state = ?", (RunState.DISCARDED, run_id, RunState.DRAFT)
        )
        if found.rowcount == 0:
            raise LedgerUnusable(f"run {run_id} is no draft any more")


def forget_older(ledger: Ledger, before: float, tell: Tell = _nobody) -> Forgotten:
    """Delete the runs and actions that ended before that time, in seconds since 1970, and drafts added before it.

    What has not ended is kept, however old it is: an unfinished run can be gone on with, or be cancelled first. So is
    a draft of the last DRAFT_SECONDS: somebody may be at it.
    """
    with ledger.transaction() as db:
        runs = db.execute(
            "UPDATE run SET state = ? WHERE ended_at < ? OR state = ? AND created_at < ?",
            (RunState.DISCARDED, before, RunState.DRAFT, min(before, time.time() - DRAFT_SECONDS)),
        ).rowcount
    delete_discarded(ledger, tell)
    actions = _delete_rows(ledger, "action", "action_id", f"ended_at < ? AND NOT {_UNDER_WAY}", before)
    _delete_empty_batches(ledger)
    return Forgotten(runs=runs, actions=actions)


def delete_discarded(ledger: Ledger, tell: Tell = _nobody) -> int:
    """Delete the runs that nobody can start any more, also those that somebody began to delete and did not end with.

    Return how many they were.
    """
    with _reading(ledger) as db:
        found = "SELECT id, entries + rejected, numbers FROM run WHERE state = ?"
        runs = list(schema.query(db, found, (RunState.DISCARDED,)))
    all_rows, every = sum(rows for _, rows, _ in runs), sum(rows + numbers for _, rows, numbers in runs)
    gone = 0

    def told(before: int) -> Callable[[int], None]:
        return lambda ordinal: tell(Deletion(all_rows, (before + ordinal) / (every + 1)))  # Never quite all of it.

    for run_id, rows, numbers in runs:
        _delete_rows(ledger, "entry", "row", "run_id = ?", run_id, told(gone))
        _delete_rows(ledger, "number", "number_id", "run_id = ?", run_id, told(gone + rows))
        _delete_rows(ledger, "ask", "ask_id", "run_id = ?", run_id)
        _delete_rest(ledger, run_id)
        gone += rows + numbers
    return len(runs)


def _delete_rest(ledger: Ledger, run_id: int) -> None:
    """Delete what a run has little of, and the run."""
    with _erasing(ledger) as db:
        for table in ("tally", "source"):
            db.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))
        db.execute("DELETE FROM run WHERE id = ?", (run_id,))


def _delete_rows(
    ledger: Ledger,
    table: str,
    ordinal: str,
    condition: str,
    value: float,
    told: Callable[[int], None] = lambda _: None,
) -> int:
    """Delete the rows of `table` that `condition` holds for, in parts by their `ordinal`; return how many they were.

    `told` is told before each part where it begins.
    """
    ends = f"SELECT coalesce(min({ordinal}), 1), coalesce(max({ordinal}), 0) FROM {table} WHERE {condition}"
    with _reading(ledger) as db:
        ((first, last),) = schema.query(db, ends, (value,))
    count = 0
    for start in range(first, last + 1, AT_ONCE):
        told(start - 1)
        with _erasing(ledger) as db:
            count += db.execute(
                f"DELETE FROM {table} WHERE {condition} AND {ordinal} BETWEEN ? AND ?",
                (value, start, start + AT_ONCE - 1),
            ).rowcount
    return count


# One number


def forget_number(
    ledger: Ledger,
    locks: Path,
    number: str,
    wa_ids: Collection[str] = (),
    reads: Reads = lambda _text, _region: None,
) -> Forgotten:
    """Delete every trace of a number: E.164, or the key of one that can't be read.

    Its rows stay, empty and rejected, so that all rows keep their places. `wa_ids` are those that it is known by. What
    has the same digits is a trace, however it is written; `reads` finds other spellings among rejected rows. Raises
    Driven where somebody asks about the number or changes it right now; what is forgotten by then stays forgotten.
    """
    sought = _Sought(number, wa_ids, reads)
    delete_discarded(ledger)
    with _reading(ledger) as db:
        runs = [_Run(*row) for row in schema.query(db, "SELECT id, region, entries + rejected, driver FROM run")]
        # Those that may raise Driven come first.
        runs.sort(key=lambda run: run.driver is None or is_gone(locks, run.driver))
        rows = sum(_forget_in_run(ledger, db, locks, run, sought) for run in runs)
        actions = _forget_actions(ledger, db, locks, sought)
    return Forgotten(rows=rows, actions=actions)


class _Run(NamedTuple):
    id: int
    region: str
    rows: int
    driver: str | None


class _Sought:
    """What the traces of a number look like."""

    def __init__(self, number: str, wa_ids: Collection[str], reads: Reads) -> None:
        self._number = number
        self._reads = reads
        self._digits = {digits for name in (number, *wa_ids) if (digits := _digits(name))}
        spelled = {number, *wa_ids, *self._digits, *(f"+{digits}" for digits in self._digits)}
        self.names = {f"name{place}": name for place, name in enumerate(spelled)}
        """The values that a column of numbers or wa_ids may have, by the names of parameters."""
        self.places = f"({', '.join(f':{name}' for name in self.names)})"

    def find(self, db: sqlite3.Connection, statement: str, **values: object) -> list[Any]:
        """Return the rows that `statement` selects; it can use `names`, `places`, `is_sought` and `is_read`."""
        db.create_function("is_sought", 1, lambda text: _digits(text) in self._digits)
        db.create_function("is_read", 2, lambda text, region: text and self._reads(text, region) == self._number)
        return list(schema.query(db, statement, {**self.names, **values}))


def _digits(text: str) -> str:
    digits = _NO_DIGIT.sub("", text)
    return digits if digits.isascii() else "".join(str(int(digit)) for digit in digits)


def _forget_in_run(ledger: Ledger, reading: sqlite3.Connection, locks: Path, run: _Run, sought: _Sought) -> int:
    """Empty the rows of a run that hold the number; return how many they were."""
    count = 0
    for first in range(1, run.rows + 1, AT_ONCE):
        if _traces(reading, run, first, sought):
            with _erasing(ledger) as db:
                _refuse_driven(db, locks, run.id)
                found = _traces(db, run, first, sought)
                rejected = [row for row, number_id in found if number_id is None]
                numbers = {number_id for _, number_id in found if number_id is not None}
                _empty_rows(db, run.id, rejected)
                # From the last on: closing a gap in a draft moves its last number, which must not be one of these.
                count += len(rejected) + sum(_reject(db, run.id, number) for number in sorted(numbers, reverse=True))
    return count


def _traces(db: sqlite3.Connection, run: _Run, first: int, sought: _Sought) -> list[tuple[int, int | None]]:
    """Return the rows that hold the number, of a part of them; each with the id of its number."""
    return sought.find(
        db,
        "SELECT e.row, e.number_id FROM entry e"
        " LEFT JOIN number n ON n.run_id = e.run_id AND n.number_id = e.number_id"
        " WHERE e.run_id = :run_id AND e.row BETWEEN :first AND :last"
        f" AND (n.key IN {sought.places} OR n.number IN {sought.places} OR n.wa_id IN {sought.places}"
        " OR is_sought(e.input) OR e.number_id IS NULL AND is_read(e.input, :region))",
        run_id=run.id,
        first=first,
        last=first + AT_ONCE - 1,
        region=run.region,
    )


def _empty_rows(db: sqlite3.Connection, run_id: int, rows: Sequence[int]) -> None:
    db.executemany(
        "UPDATE entry SET input = '', number_id = NULL, problem = ?, is_duplicate = 0 WHERE run_id = ? AND row = ?",
        [(FORGOTTEN, run_id, row) for row in rows],
    )


def _reject(db: sqlite3.Connection, run_id: int, number_id: int) -> int:
    """Delete a number of a run and empty its rows, which are rejected from now on; return how many they are."""
    key = (run_id, number_id)
    first_row, doubt, status = db.execute(
        "SELECT first_row, doubt, status FROM number WHERE run_id = ? AND number_id = ?", key
    ).fetchone()
    duplicates = db.execute("SELECT row FROM entry WHERE run_id = ? AND number_id = ? AND is_duplicate = 1", key)
    rows = [first_row, *(row for (row,) in duplicates)]
    _empty_rows(db, run_id, rows)
    db.execute("DELETE FROM number WHERE run_id = ? AND number_id = ?", key)
    db.executemany(
        f"INSERT INTO tally VALUES (?, ?, ?, ?) {schema.ADDED}",
        [(run_id, status, -1, -len(rows)), (run_id, REJECTED, 0, len(rows))],
    )
    db.execute(
        "UPDATE run SET entries = entries - :rows, rejected = rejected + :rows, doubtful = doubtful - :doubtful,"
        " numbers = numbers - 1 WHERE id = :run_id",
        {"rows": len(rows), "doubtful": len(rows) if doubt is not None else 0, "run_id": run_id},
    )
    _close_gap(db, run_id, number_id)
    return len(rows)


def _close_gap(db: sqlite3.Connection, run_id: int, gap: int) -> None:
    """Give the last number of a draft the id that has become free: an import goes on counting from `numbers`."""
    draft = db.execute("SELECT numbers + 1 FROM run WHERE id = ? AND state = ?", (run_id, RunState.DRAFT)).fetchone()
    if draft is None or draft[0] == gap:
        return
    move = (gap, run_id, draft[0])
    db.execute("UPDATE number SET number_id = ? WHERE run_id = ? AND number_id = ?", move)
    db.execute("UPDATE entry SET number_id = ? WHERE run_id = ? AND number_id = ? AND is_duplicate = 1", move)
    db.execute(
        "UPDATE entry SET number_id = :gap WHERE run_id = :run_id"
        " AND row = (SELECT first_row FROM number WHERE run_id = :run_id AND number_id = :gap)",
        {"gap": gap, "run_id": run_id},
    )


def _forget_actions(ledger: Ledger, reading: sqlite3.Connection, locks: Path, sought: _Sought) -> int:
    """Delete the actions on a number, and the batches that have no others; return how many actions they were."""
    ((last,),) = schema.query(reading, "SELECT coalesce(max(action_id), 0) FROM action")
    count = 0
    for first in range(1, last + 1, AT_ONCE):
        if _actions_on(reading, first, sought):
            with _erasing(ledger) as db:
                found = _actions_on(db, first, sought)
                if any(is_under_way and not is_gone(locks, driver) for _, driver, is_under_way in found):
                    raise Driven("that contact is being changed right now: wait until that is done")
                db.executemany("DELETE FROM action WHERE action_id = ?", [(action_id,) for action_id, _, _ in found])
                count += len(found)
    _delete_empty_batches(ledger)
    return count


def _actions_on(db: sqlite3.Connection, first: int, sought: _Sought) -> list[tuple[int, str, bool]]:
    """Return the actions on the number, of a part of them: id, driver, and whether it has no end yet."""
    return sought.find(
        db,
        f"SELECT a.action_id, b.driver, {_UNDER_WAY} FROM action a JOIN batch b ON b.batch_id = a.batch_id"
        f" WHERE a.action_id BETWEEN :first AND :last AND (a.number IN {sought.places} OR a.wa_id IN {sought.places}"
        " OR is_sought(a.input) OR is_sought(a.target))",
        first=first,
        last=first + AT_ONCE - 1,
    )


# Files


def erase_traces(path: Path) -> bool:
    """Take what was deleted out of the files of the ledger at `path`, which gives the room back as well.

    Returns whether that could be done: who reads or writes for long is in the way. The files are written anew, so this
    needs room for them once more. Copies of the ledger are left alone. Raises LedgerUnusable.
    """
    with closing(schema.connect(path)) as db:
        try:
            if not _empty_log(db):
                return False
            # What was overwritten row by row may still stand where a page was rearranged; only this leaves nothing.
            db.execute("VACUUM")
            return _empty_log(db)
        except sqlite3.Error as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                return False
            raise LedgerUnusable(f"what was deleted cannot be taken out of the files: {error}") from error


def backup(path: Path, target: Path) -> None:
    """Write the ledger at `path`, as it is at this moment, to the new file `target`. Others go on writing meanwhile.

    Raises CannotWrite, also where there is such a file, and LedgerUnusable.
    """
    schema.connect(path).close()
    try:
        with whole_file(target, replace=False) as part:
            schema.write_copy(path, part)
    except sqlite3.Error as error:
        raise CannotWrite(f"cannot write {target}: {error}") from error


# Parts


@contextmanager
def _erasing(ledger: Ledger) -> Iterator[sqlite3.Connection]:
    """Begin a transaction that overwrites what it deletes. As long as it takes, others have the ledger afterwards.

    Who waits for the ledger looks only now and then whether it is free.
    """
    with ledger.transaction() as db:
        began_at = time.monotonic()
        db.execute("PRAGMA secure_delete = ON")
        yield db
    time.sleep(time.monotonic() - began_at)


def _reading(ledger: Ledger) -> closing[sqlite3.Connection]:
    """Open another connection to the ledger: reading keeps nobody waiting."""
    with ledger.transaction() as db:
        path = db.execute("PRAGMA database_list").fetchone()[2]
    return closing(schema.connect(Path(path)))


def _refuse_driven(db: sqlite3.Connection, locks: Path, run_id: int) -> None:
    """Raise Driven where somebody asks about the run, and NoSuchRun where there is none."""
    found = db.execute("SELECT driver FROM run WHERE id = ?", (run_id,)).fetchone()
    if found is None:
        raise NoSuchRun(run_id)
    if found[0] is not None and not is_gone(locks, found[0]):
        raise Driven(f"run {run_id} is being asked about right now: stop that first")


def _delete_empty_batches(ledger: Ledger) -> None:
    with _erasing(ledger) as db:
        db.execute("DELETE FROM batch WHERE NOT EXISTS (SELECT 1 FROM action a WHERE a.batch_id = batch.batch_id)")


def _empty_log(db: sqlite3.Connection) -> bool:
    """Empty the write-ahead log into the ledger, if there is one; return whether nobody was in the way.

    SQLite waits for whoever reads or writes, but not for who is emptying the log as well, so this does.
    """
    deadline = time.monotonic() + schema.BUSY_SECONDS
    while db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
        if time.monotonic() > deadline:
            return False
        time.sleep(_BUSY_STEP_SECONDS)
    return True
