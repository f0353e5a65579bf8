"""Writes runs. Every method is one short transaction; a connection belongs to one thread at a time."""

from __future__ import annotations

import logging
import sqlite3
import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path

import msgspec

from watui import failpoints
from watui.ledger import schema
from watui.ledger.drivers import Driven, Driver
from watui.ledger.importing import NewRows
from watui.ledger.keys import Keys
from watui.ledger.rows import QUEUED, REJECTED, Answered, Asked, Budget, NewRow, RunOptions, RunState, UsedUp
from watui.ledger.schema import LedgerUnusable

_LOGGER = logging.getLogger(__name__)


class Ledger:
    """The ledger at one path, for writing. Times are in seconds since 1970. Raises LedgerUnusable."""

    def __init__(self, path: Path) -> None:
        self._db = schema.connect(path)
        # What an answer says goes through a table in memory: one statement then changes all of its numbers.
        self._db.execute("PRAGMA temp_store = MEMORY")
        self._db.execute(
            "CREATE TEMP TABLE said (number_id INTEGER PRIMARY KEY, status, final, wa_id, polls, status_before, rows)"
        )
        self._keys: tuple[tuple[int, int, int], Keys] | None = None
        """The keys of the draft that rows were added to last, by run, and entries and rejected rows by then."""

    def close(self) -> None:
        self._db.close()

    # Runs

    def add_run(self, options: RunOptions) -> int:
        """Add an empty draft and return its id."""
        with self.transaction():
            (run_id,) = self._db.execute("UPDATE last_run SET id = id + 1 RETURNING id").fetchone()
            self._db.execute(
                "INSERT INTO run"
                " (id, state, server, region, blocking, force_check, batch_size, profile, rechecks, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    run_id,
                    RunState.DRAFT,
                    options.server,
                    options.region,
                    options.blocking,
                    options.force_check,
                    options.batch_size,
                    options.profile,
                    options.rechecks,
                    time.time(),
                ),
            )
        return int(run_id)

    def start(self, run_id: int, driver: Driver, known_since: float | None = None) -> None:
        """Let `driver` ask: a draft begins, a run whose driver is gone goes on.

        A draft takes over what other runs know from `known_since` on, where that is given; a run that goes on does so
        again. Raises Driven where another driver is at work.
        """
        with self.transaction():
            other = self._driver_of(run_id)
            if other not in (None, driver.id) and not driver.is_gone(other):
                raise Driven(f"another process asks about run {run_id} right now")
            self._db.execute(
                "UPDATE ask SET answered_at = ?, failure = 'cut short' WHERE run_id = ? AND answered_at IS NULL",
                (time.time(), run_id),
            )
            self._db.execute(
                "UPDATE run SET known_since = ? WHERE id = ? AND (state = ? OR known_since IS NOT NULL)",
                (known_since, run_id, RunState.DRAFT),
            )
            self._move(
                "UPDATE run SET state = ?, driver = ?, started_at = coalesce(started_at, ?) WHERE id = ?"
                " AND state IN (?, ?)",
                (RunState.RUNNING, driver.id, time.time(), run_id, RunState.DRAFT, RunState.RUNNING),
            )

    def end(self, run_id: int, state: RunState) -> None:
        """Mark a running run as ended in `state`."""
        with self.transaction():
            self._move(
                "UPDATE run SET state = ?, ended_at = ?, driver = NULL WHERE id = ? AND state = ?",
                (state, time.time(), run_id, RunState.RUNNING),
            )

    def cancel(self, run_id: int, locks: Path) -> None:
        """End a run early that nobody asks about any more. `locks` is where drivers hold theirs. Raises Driven."""
        driver = Driver(locks)
        try:
            self.start(run_id, driver)
            self.end(run_id, RunState.CANCELLED)
        finally:
            driver.close()
        _LOGGER.info("run %d is cancelled", run_id)

    # Importing

    def add_source(self, run_id: int, name: str, column_name: str | None, list_region: str | None = None) -> int:
        """Add a source to a draft and return its id within the run."""
        with self.transaction():
            self._refuse_no_draft(run_id)
            (source_id,) = self._db.execute(
                "SELECT coalesce(max(source_id), 0) + 1 FROM source WHERE run_id = ?", (run_id,)
            ).fetchone()
            self._db.execute(
                "INSERT INTO source (run_id, source_id, name, column_name, list_region) VALUES (?, ?, ?, ?, ?)",
                (run_id, source_id, name, column_name, list_region),
            )
        return int(source_id)

    def end_source(self, run_id: int, source_id: int) -> None:
        """Mark a source as read to its end."""
        with self.transaction():
            self._db.execute("UPDATE source SET is_whole = 1 WHERE run_id = ? AND source_id = ?", (run_id, source_id))

    def add_rows(self, run_id: int, source_id: int, rows: Iterable[NewRow], skipped: dict[str, int]) -> None:
        """Append `rows` to a draft; rows with a key that is there already share its number.

        `skipped` counts rows without an entry, by the name of their column in `run`.
        """
        with self.transaction() as db:
            self._refuse_no_draft(run_id)
            entries, rejected = db.execute("SELECT entries, rejected FROM run WHERE id = ?", (run_id,)).fetchone()
            keys = self._keys_of(run_id, entries, rejected)
            added = NewRows(rows, entries + rejected, keys)
            added.write(db, run_id, source_id)
            self._count(run_id, QUEUED, added.numbers, added.entries)
            self._count(run_id, REJECTED, 0, added.rejected)
            db.execute(
                "UPDATE run SET entries = entries + ?, rejected = rejected + ?, doubtful = doubtful + ?, numbers = ?,"
                " header = header + ?, blank = blank + ?, comment = comment + ?, prose = prose + ? WHERE id = ?",
                (
                    added.entries,
                    added.rejected,
                    added.doubtful,
                    added.last_number,
                    skipped.get("header", 0),
                    skipped.get("blank", 0),
                    skipped.get("comment", 0),
                    skipped.get("prose", 0),
                    run_id,
                ),
            )
        self._keys = (run_id, entries + added.entries, rejected + added.rejected), keys

    # Asking and answering

    def unanswered(self, run_id: int) -> array[int]:
        """Return the ids, in order, of numbers that no answer has mentioned, whether they were asked or not."""
        statement = f"SELECT number_id FROM number WHERE run_id = ? AND status = '{QUEUED}'"
        return array("I", (number_id for (number_id,) in schema.query(self._db, statement, (run_id,))))

    def open_numbers(self, run_id: int) -> dict[int, int]:
        """Return the numbers that were answered and have no final status, by id and in order: how often they were."""
        statement = f"SELECT number_id, polls FROM number WHERE run_id = ? AND final = 0 AND status <> '{QUEUED}'"
        return dict(schema.query(self._db, statement, (run_id,)))

    def asked(
        self, run_id: int, number_ids: Sequence[int], driver_id: str | None = None, budget: str | None = None
    ) -> Asked:
        """Write down that `number_ids` are about to be asked in one request.

        Raises LedgerUnusable where `driver_id` is given and does not drive the run any more, and UsedUp where `budget`
        is a server whose budget has no call left.
        """
        among, given = _among(number_ids)
        with self.transaction():
            if driver_id is not None and driver_id != self._driver_of(run_id):
                raise LedgerUnusable(f"run {run_id} was ended, or taken over, by another process")
            if budget is not None:
                self._reserve(budget)
            inputs, polls = self._db.execute(
                "SELECT json_group_object(number_id, coalesce(sent, input)),"
                f" coalesce(sum(status <> '{QUEUED}'), 0) FROM number WHERE run_id = ? AND {among}",
                (run_id, *given),
            ).fetchone()
            ask_id = self._db.execute(
                "INSERT INTO ask (run_id, asked_at, numbers, polls) VALUES (?, ?, ?, ?)",
                (run_id, time.time(), len(number_ids), polls),
            ).lastrowid
            self._db.execute(f"UPDATE number SET asked = asked + 1 WHERE run_id = ? AND {among}", (run_id, *given))
        assert ask_id is not None
        return Asked(ask_id, msgspec.json.decode(inputs, type=dict[int, str]))

    def reserve(self, server: str) -> None:
        """Write down that one more call to a server is about to be made. Raises UsedUp where none is left."""
        with self.transaction():
            self._reserve(server)

    def answered(
        self,
        run_id: int,
        ask_id: int,
        answers: Iterable[Answered],
        version: str | None,
        left_out: Sequence[int] = (),
    ) -> None:
        """Write down the answer to an ask. A final status is never overwritten.

        `left_out` are numbers that were asked and that the answer does not mention.
        """
        said = list(answers)
        with self.transaction():
            # Never before an answer that is there, whatever the clock was set to: what comes later is found by that.
            latest = "SELECT max(checked_at) FROM number WHERE run_id = ? AND checked_at IS NOT NULL"
            now = max(time.time(), self._db.execute(latest, (run_id,)).fetchone()[0] or 0.0)
            if said:
                self._decide(run_id, said, now, version)
            if left_out:
                among, given = _among(left_out)
                self._db.execute(
                    f"UPDATE number SET polls = polls + 1 WHERE run_id = ? AND {among} AND final = 0", (run_id, *given)
                )
            self._db.execute("UPDATE ask SET answered_at = ? WHERE ask_id = ?", (now, ask_id))
            self._db.execute("UPDATE run SET server_version = ? WHERE id = ?", (version, run_id))

    def failed(self, ask_id: int, failure: str) -> None:
        """Write down that an ask got no usable answer."""
        with self.transaction():
            self._db.execute(
                "UPDATE ask SET answered_at = ?, failure = ? WHERE ask_id = ?", (time.time(), failure, ask_id)
            )

    # Parts

    def _reserve(self, server: str) -> None:
        reserved = "UPDATE budget SET calls = calls + 1 WHERE server = ? AND calls < messages + over"
        if not self._db.execute(reserved, (server,)).rowcount:
            found = self._db.execute("SELECT messages, over, calls FROM budget WHERE server = ?", (server,)).fetchone()
            raise UsedUp(Budget(*found or ()))

    def _decide(self, run_id: int, said: Sequence[Answered], now: float, version: str | None) -> None:
        self._db.execute("DELETE FROM said")
        # All at once, and not as JSON: what a server says may hold a NUL, which SQLite takes for its end there.
        marks = ",".join(["(?, ?, ?, ?)"] * len(said))
        self._db.execute(
            "INSERT INTO said SELECT s.column1, s.column2, s.column3, s.column4, n.polls + 1 - s.column3, n.status,"
            f" n.rows FROM (VALUES {marks}) s CROSS JOIN number n"
            f" ON n.run_id = ? AND n.number_id = s.column1 AND n.final = 0",
            [*chain.from_iterable(map(msgspec.structs.astuple, said)), run_id],
        )
        self._db.execute(
            "UPDATE number SET checked_at = ?, server_version = ?, (status, final, wa_id, polls) ="
            " (SELECT status, final, wa_id, polls FROM said WHERE said.number_id = number.number_id)"
            " WHERE run_id = ? AND number_id IN (SELECT number_id FROM said)",
            (now, version, run_id),
        )
        self._db.execute(
            "WITH moved AS MATERIALIZED (SELECT status, status_before, count(*) AS numbers, sum(rows) AS rows FROM said"
            " GROUP BY status, status_before)"
            " INSERT INTO tally SELECT ?, status, sum(numbers), sum(rows) FROM (SELECT status, numbers, rows FROM moved"
            " UNION ALL SELECT status_before, -numbers, -rows FROM moved) WHERE 1 GROUP BY status"
            f" {schema.ADDED}",
            (run_id,),
        )

    def _driver_of(self, run_id: int) -> str | None:
        """Return who asks about a run, or did; None where it has ended, or is no more."""
        found = self._db.execute("SELECT driver FROM run WHERE id = ?", (run_id,)).fetchone()
        return found[0] if found is not None else None

    def _keys_of(self, run_id: int, entries: int, rejected: int) -> Keys:
        """Return the keys of a draft: those known from the last time where nobody has changed it in between.

        Whoever adds rows changes their sum, and who forgets a number, how many of them are rejected.
        """
        known, self._keys = self._keys, None  # They are right again once what is added is committed.
        if known is not None and known[0] == (run_id, entries, rejected):
            return known[1]
        found = self._db.execute("SELECT key FROM number WHERE run_id = ? ORDER BY number_id", (run_id,))
        return Keys(key for (key,) in found)

    def _refuse_no_draft(self, run_id: int) -> None:
        found = self._db.execute("SELECT 1 FROM run WHERE id = ? AND state = ?", (run_id, RunState.DRAFT))
        if found.fetchone() is None:
            raise LedgerUnusable(f"run {run_id} is no draft any more")

    def _move(self, statement: str, values: tuple[object, ...]) -> None:
        """Change the state of a run. Raises LedgerUnusable where it is in none that allows it."""
        if self._db.execute(statement, values).rowcount == 0:
            raise LedgerUnusable("the run has been started, ended or discarded by another process")

    def _count(self, run_id: int, status: str, numbers: int, rows: int) -> None:
        self._db.execute(f"INSERT INTO tally VALUES (?, ?, ?, ?) {schema.ADDED}", (run_id, status, numbers, rows))

    @contextmanager
    def transaction(self, *, writes: bool = True) -> Iterator[sqlite3.Connection]:
        """Let what is done within be committed as a whole, or not at all; one that does not write keeps nobody waiting.

        Raises LedgerBlocked where what is wrong can pass, else LedgerUnusable.
        """
        try:
            failpoints.reach("ledger.begin")
            self._db.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            yield self._db
            failpoints.reach("ledger.write")
            self._db.execute("COMMIT")
            failpoints.reach("ledger.committed")
        except sqlite3.Error as error:
            raise schema.unusable("the ledger cannot be written", error) from error
        finally:
            if self._db.in_transaction:
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")


def _among(number_ids: Sequence[int]) -> tuple[str, tuple[object, ...]]:
    """Return a condition that holds for these numbers alone, and its values.

    They come as a range where they are one, as first questions are, else as one JSON array: a statement for each would
    give the interpreter away as often, and wait to have it back from the thread that asks or paints.
    """
    first, last = min(number_ids, default=0), max(number_ids, default=0)
    if last - first + 1 == len(set(number_ids)):
        return "number_id BETWEEN ? AND ?", (first, last)
    return "number_id IN (SELECT value FROM json_each(?))", (msgspec.json.encode(list(number_ids)).decode(),)
