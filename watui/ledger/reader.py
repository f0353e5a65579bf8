"""Reads runs: what screens show and exports write, in windows that cost what they hold."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from watui.contract.statuses import Status
from watui.ledger import schema
from watui.ledger.rows import (
    QUEUED,
    REJECTED,
    Counted,
    NewRow,
    Order,
    Overview,
    Pair,
    Row,
    RowFilter,
    RunOptions,
    RunRecord,
    RunState,
    Source,
    Stale,
    Summary,
    Tally,
)
from watui.ledger.schema import NoSuchRun

_RUN = """
SELECT id, state, server, region, blocking, force_check, batch_size, profile, rechecks, created_at, started_at,
       ended_at, server_version, entries, rejected, header, blank, comment, prose, doubtful, numbers, driver
FROM run
"""

PAGE_ROWS = 2_000
"""Rows read at once when all of them are wanted."""

FIRST_ROWS = 2_000
SCANNED_ROWS = 64_000
"""Rows that a filter looks at before it tells what it has found by then: few at first, twice as many each time, and at
most so many."""

HEAD_NUMBERS = 300
"""Numbers that are put in order before all are: more than a screen shows."""

_STEPS_BETWEEN_LOOKS = 100_000
"""Steps of SQLite's machine, a few milliseconds, before it is asked whether an answer is still wanted."""

_RANKED = (Status.VALID, Status.INVALID, Status.FAILED, Status.PROCESSING, QUEUED)
_RANKS = " ".join(f"WHEN '{status}' THEN {rank}" for rank, status in enumerate(_RANKED))
_BY = {
    Order.GIVEN: "e.row",
    Order.NUMBER: "n.key IS NULL, n.number IS NULL, n.key, e.row",
    Order.STATUS: f"n.status IS NULL, CASE n.status {_RANKS} ELSE {len(_RANKED)} END, n.status, e.row",
    Order.LATEST: "n.checked_at DESC, e.row",
}

_FIRST = {
    Order.NUMBER: "number IS NOT NULL"
    " AND key <= (SELECT key FROM number WHERE run_id = :run_id AND number IS NOT NULL"
    " ORDER BY key LIMIT 1 OFFSET :head)",
    Order.LATEST: "checked_at >= (SELECT checked_at FROM number WHERE run_id = :run_id AND checked_at IS NOT NULL"
    " ORDER BY checked_at DESC LIMIT 1 OFFSET :head)",
}
"""Which numbers are the first ones in an order, found without putting all of them in it."""

_ROWS_OF_NUMBERS = """e.row IN (
    SELECT first_row FROM number WHERE run_id = :run_id AND {0}
    UNION ALL
    SELECT row FROM entry INDEXED BY entry_duplicate WHERE run_id = :run_id AND is_duplicate = 1
        AND number_id IN (SELECT number_id FROM number WHERE run_id = :run_id AND {0}))"""

_ROW = """
SELECT e.row, s.name, e.line, e.input, n.number, n.region, coalesce(n.status, :rejected), n.wa_id,
       coalesce(e.problem, n.doubt),
       CASE WHEN n.first_row < e.row THEN
           (SELECT f.line FROM entry f WHERE f.run_id = e.run_id AND f.row = n.first_row) END,
       n.checked_at, n.server_version, n.number_id, coalesce(n.asked, 0),
       coalesce(n.polls, 0), n.sent, n.known_from
FROM entry e
JOIN source s ON s.run_id = e.run_id AND s.source_id = e.source_id
LEFT JOIN number n ON n.run_id = e.run_id AND n.number_id = e.number_id
WHERE e.run_id = :run_id
"""


PARTS = f"""
part(run_id, part, last) AS (
    SELECT id, 0, numbers / {schema.PART_NUMBERS} FROM run WHERE {{0}}
    UNION ALL SELECT run_id, part + 1, last FROM part WHERE part < last
)
"""
"""The parts of the runs that fit a condition, each to be looked at for a key."""

IN_PART = f"n.run_id = part.run_id AND n.number_id / {schema.PART_NUMBERS} = part.part"


class Extent(NamedTuple):
    """How far a run is."""

    rows: int
    answered: float
    """When the latest answer came, in seconds since 1970; 0 before the first."""


class Reader:
    """The ledger at one path, for reading; it sees what every process has committed. Raises LedgerUnusable.

    A connection belongs to one thread at a time.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = schema.connect_to_read(path)
        self._db.create_function("casefold", 1, lambda text: text and text.casefold(), deterministic=True)

    def close(self) -> None:
        self._db.close()

    def run(self, run_id: int) -> RunRecord:
        """Return the run. Raises NoSuchRun."""
        for row in self.query(f"{_RUN} WHERE id = ?", (run_id,)):
            return _record(row)
        raise NoSuchRun(run_id)

    def runs(self) -> list[Overview]:
        """Return all runs and drafts, the latest first."""
        sources: dict[int, list[str]] = {}
        for run_id, name in self.query("SELECT run_id, name FROM source ORDER BY run_id, source_id", ()):
            sources.setdefault(run_id, []).append(name)
        tallies: dict[int, dict[str, Counted]] = {}
        for run_id, status, numbers, count in self.query("SELECT run_id, status, numbers, rows FROM tally", ()):
            if count:
                tallies.setdefault(run_id, {})[status] = Counted(numbers, count)
        found = self.query(f"{_RUN} WHERE state <> ? ORDER BY id DESC", (RunState.DISCARDED,))
        return [
            Overview(record, tuple(sources.get(record.id, ())), tallies.get(record.id, {}))
            for record in map(_record, found)
        ]

    def in_doubt(self, run_id: int) -> int:
        """Return how many numbers were asked without an answer: at most so many are asked twice by whoever goes on."""
        asked = "SELECT count(*) FROM number WHERE run_id = :run_id AND status = :queued AND asked > 0"
        polled = "SELECT coalesce(sum(polls), 0) FROM ask WHERE run_id = :run_id AND answered_at IS NULL"
        found = self.query(f"SELECT ({asked}) + ({polled})", {"run_id": run_id, "queued": QUEUED})
        return int(next(found)[0])

    def polled_often(self, run_id: int, polls: int) -> int:
        """Return how many numbers have so many answers or more, and no final status."""
        statement = "SELECT count(*) FROM number WHERE run_id = ? AND final = 0 AND polls >= ?"
        return int(next(self.query(statement, (run_id, polls)))[0])

    def watch(self) -> Callable[[], bool]:
        """Return a question: whether another connection, of any process, has committed since it was last asked."""
        seen = self._data_version()

        def has_changed() -> bool:
            nonlocal seen
            before, seen = seen, self._data_version()
            return before != seen

        return has_changed

    def tally(self, run_id: int) -> Tally:
        """Return how many numbers and rows of the run are in each status."""
        rows = self.query("SELECT status, numbers, rows FROM tally WHERE run_id = ?", (run_id,))
        return {status: Counted(numbers, count) for status, numbers, count in rows if count}

    def source_names(self, run_id: int) -> tuple[str, ...]:
        """Return the names of what a list was imported from."""
        return tuple(name for (name,) in self.query("SELECT name FROM source WHERE run_id = ?", (run_id,)))

    def summary(self, run_id: int) -> Summary:
        """Return what a list was imported from and what is in it; what other runs know of it is not looked for."""
        sources = self.query(
            "SELECT name, column_name, is_whole, list_region FROM source WHERE run_id = ? ORDER BY source_id", (run_id,)
        )
        problems = self.query(
            "SELECT problem, count(*) FROM entry WHERE run_id = ? AND problem IS NOT NULL GROUP BY 1 ORDER BY 2 DESC",
            (run_id,),
        )
        regions = self.query(
            "SELECT region, count(*) FROM number WHERE run_id = ? GROUP BY 1 ORDER BY 2 DESC", (run_id,)
        )
        return Summary(
            tuple(Source(name, column, bool(is_whole), region) for name, column, is_whole, region in sources),
            tuple(problems),
            tuple(regions),
        )

    def bare(self, run_id: int, code: int, most: int) -> tuple[int, int, list[str]]:
        """Return how many numbers of a draft get the country code `code` as they have no `+`, how many of them are
        doubtful, and at most `most` of them as they were given, from everywhere in the list.
        """
        bare = (
            f"run_id = ? AND number LIKE '+{code:d}%' AND sent IS NULL AND '+' || input <> number"
            " AND instr(input, '+') = 0 AND instr(input, '＋') = 0"
        )
        count, doubtful = next(
            self.query(f"SELECT count(*), count(doubt) FROM number WHERE {bare}", (run_id,)),
        )
        some = f"SELECT input FROM number WHERE {bare} AND number_id % ? = 0 LIMIT ?"
        sample = self.query(some, (run_id, max(1, self.run(run_id).numbers // most), most))
        return count, doubtful, [text for (text,) in sample]

    def matching(self, run_id: int, wanted: RowFilter) -> array[int]:
        """Return the ordinals of all rows that fit `wanted`, in its order."""
        found = array("I")
        for so_far in self.picking(run_id, wanted):
            found = so_far
        return found

    def picking(self, run_id: int, wanted: RowFilter) -> Iterator[array[int]]:
        """Yield the ordinals of the rows that fit `wanted`, as many as are known by then; last of all every one.

        What is yielded before is how that begins, unless the run goes on meanwhile. Those of a run in the order as
        given are one array that grows.
        """
        if wanted.order is Order.GIVEN:
            yield from self._scan(run_id, wanted)
            return
        yield self._head(run_id, wanted)
        yield self._ordinals(run_id, wanted)

    def extent(self, run_id: int) -> Extent:
        """Return how far the run is: what comes later is behind that."""
        found = self.query("SELECT max(checked_at) FROM number WHERE run_id = ? AND checked_at IS NOT NULL", (run_id,))
        return Extent(self._last_row(run_id), next(found)[0] or 0.0)

    def picked_since(self, run_id: int, wanted: RowFilter, picked: array[int], extent: Extent) -> array[int]:
        """Return what `wanted` picks in the order as given, where it was `picked` at `extent` or later.

        Only what was answered or added since is read.
        """
        # The plus keeps SQLite from reading all rows up to the last one.
        known = f"+e.row <= :rows AND {_ROWS_OF_NUMBERS.format('checked_at >= :answered')}"
        changed = self._ordinals(run_id, RowFilter(), known, extent._asdict())
        fitting = set(self._ordinals(run_id, wanted, known, extent._asdict()))
        found, start, end = array("I"), 0, bisect_right(picked, extent.rows)
        for row in changed:
            place = bisect_left(picked, row, start, end)
            found += picked[start:place]
            if row in fitting:
                found.append(row)
            start = place + (place < end and picked[place] == row)
        found += picked[start:end]
        return found + self._ordinals(run_id, wanted, "e.row > :rows", extent._asdict())

    def give_up_when(self, is_unwanted: Callable[[], bool]) -> None:
        """Let readings end with LedgerUnusable as soon as `is_unwanted`."""
        self._db.set_progress_handler(is_unwanted, _STEPS_BETWEEN_LOOKS)

    def _scan(self, run_id: int, wanted: RowFilter) -> Iterator[array[int]]:
        """Yield what is picked as it is found, in the order as given."""
        found, last = array("I"), self._last_row(run_id)
        first, count = 1, FIRST_ROWS
        while first <= last:
            values = {"first": first, "last": min(first + count - 1, last)}
            found += self._ordinals(run_id, wanted, "e.row BETWEEN :first AND :last", values)
            yield found
            first, count = first + count, min(2 * count, SCANNED_ROWS)

    def _head(self, run_id: int, wanted: RowFilter) -> array[int]:
        """Return how the rows begin that are picked in an order other than the one given; it may be none."""
        if wanted.order is not Order.STATUS:
            among = _ROWS_OF_NUMBERS.format(_FIRST[wanted.order])
            return self._ordinals(run_id, wanted, among, {"head": HEAD_NUMBERS})
        tally = self.tally(run_id)
        statuses = _RANKED if wanted.status is None else (wanted.status,)
        first = next((status for status in statuses if status in tally), None)
        if first is None:
            return array("I")
        given = wanted._replace(status=first, order=Order.GIVEN)
        return next((found for found in self._scan(run_id, given) if len(found) >= HEAD_NUMBERS), array("I"))

    def _last_row(self, run_id: int) -> int:
        found = self.query("SELECT entries + rejected FROM run WHERE id = ?", (run_id,))
        return next((int(last) for (last,) in found), 0)

    def _ordinals(
        self, run_id: int, wanted: RowFilter, among: str = "1", more: Mapping[str, object] = MappingProxyType({})
    ) -> array[int]:
        """Return the ordinals of the rows that fit `wanted` and a condition of SQL with its values."""
        conditions = ["e.run_id = :run_id", among]
        values: dict[str, object] = {"run_id": run_id, "rejected": REJECTED, **more}
        if wanted.status is not None:
            conditions.append("coalesce(n.status, :rejected) = :status")
            values["status"] = wanted.status
        if wanted.text:
            # SQLite's own lower() is quick, and knows ASCII alone.
            fold = "lower" if wanted.text.isascii() else "casefold"
            columns = (
                f"{fold}(e.input)",
                "n.number",
                f"{fold}(n.wa_id)",
                "'rejected: ' || e.problem",
                "'doubtful: ' || n.doubt",
            )
            conditions.append(f"({' OR '.join(f'instr({column}, :text)' for column in columns)})")
            values["text"] = wanted.text.casefold()
        found = self.query(
            "SELECT e.row FROM entry e LEFT JOIN number n ON n.run_id = e.run_id AND n.number_id = e.number_id"
            f" WHERE {' AND '.join(conditions)} ORDER BY {_BY[wanted.order]}",
            values,
        )
        return array("I", (row for (row,) in found))

    def window(self, run_id: int, first: int, last: int) -> list[Row]:
        """Return the rows with ordinals from `first` to `last`, both included."""
        return self._rows("AND e.row BETWEEN :first AND :last ORDER BY e.row", run_id, first=first, last=last)

    def picked(self, run_id: int, ordinals: Sequence[int]) -> list[Row]:
        """Return the rows with these ordinals, in their order; those that are not there are left out."""
        wanted = ",".join(str(int(row)) for row in ordinals)
        found = {row.row: row for row in self._rows(f"AND e.row IN ({wanted})", run_id)}
        return [found[row] for row in ordinals if row in found]

    def rows_of(self, run_id: int, number_ids: Sequence[int]) -> list[Row]:
        """Return all rows of these numbers, in order."""
        if not number_ids:
            return []  # An index can't be used to look for nothing.
        wanted = ",".join(str(int(number_id)) for number_id in number_ids)
        firsts = self.query(f"SELECT first_row FROM number WHERE run_id = ? AND number_id IN ({wanted})", (run_id,))
        rows = self.picked(run_id, [row for (row,) in firsts])
        others = (
            "SELECT row FROM entry INDEXED BY entry_duplicate"
            f" WHERE run_id = :run_id AND is_duplicate = 1 AND number_id IN ({wanted})"
        )
        return sorted(rows + self._rows(f"AND e.row IN ({others})", run_id))

    def rows(self, run_id: int, wanted: RowFilter | None = None) -> Iterator[Row]:
        """Yield the rows that fit `wanted`, or all, in its order, a page at a time."""
        if wanted is None or wanted == RowFilter():
            first = 1
            while page := self.window(run_id, first, first + PAGE_ROWS - 1):
                yield from page
                first += PAGE_ROWS
            return
        ordinals = self.matching(run_id, wanted)
        for start in range(0, len(ordinals), PAGE_ROWS):
            yield from self.picked(run_id, ordinals[start : start + PAGE_ROWS])

    def wa_ids(self, number: str) -> list[str]:
        """Return the wa_ids that servers gave for a number (E.164)."""
        found = self.query("SELECT DISTINCT wa_id FROM number WHERE number = ? AND wa_id IS NOT NULL", (number,))
        return [wa_id for (wa_id,) in found]

    def versions(self, run_id: int) -> list[str | None]:
        """Return the versions of the servers that answered, None among them for answers that named none."""
        found = self.query("SELECT DISTINCT server_version FROM number WHERE run_id = ? AND final = 1", (run_id,))
        return [version for (version,) in found]

    def stale(self, run_id: int, wanted: Stale) -> Iterator[NewRow]:
        """Yield the rows of the numbers that are to be asked anew, as they were imported, in order."""
        conditions = [
            "n.final = 1 AND n.checked_at < :before" if wanted.before is not None else "",
            "n.status = 'failed'" if wanted.failed else "",
            "n.final = 0" if wanted.open else "",
        ]
        fits = " OR ".join(f"({each})" for each in conditions if each) or "0"
        statement = (
            "SELECT e.row, e.line, e.input, n.key, n.number, n.region, n.doubt, NULL, n.sent FROM entry e"
            " JOIN number n ON n.run_id = e.run_id AND n.number_id = e.number_id"
            f" WHERE e.run_id = :run_id AND e.row > :last AND ({fits}) ORDER BY e.row LIMIT {PAGE_ROWS}"
        )
        last, values = 0, {"run_id": run_id, "before": wanted.before}
        # A page at a time: where there is no write-ahead log, a reading that goes on keeps all writers waiting.
        while page := list(self.query(statement, {**values, "last": last})):
            yield from (NewRow(*row[1:]) for row in page)
            last = page[-1][0]

    def pairs(self, before: int, after: int) -> Iterator[Pair]:
        """Yield each number of two runs once: those of `before` in their order, then those that only `after` has."""
        both = {"before": before, "after": after}
        self._keep_keys(after)
        found = self.query(
            "SELECT a.number, a.input, a.status, b.status, a.wa_id, b.wa_id, a.server_version, b.server_version"
            " FROM number a LEFT JOIN kept ON kept.key = a.key"
            " LEFT JOIN number b ON b.run_id = :after AND b.number_id = kept.number_id WHERE a.run_id = :before",
            both,
        )
        yield from map(Pair._make, found)
        self._keep_keys(before)
        found = self.query(
            "SELECT b.number, b.input, NULL, b.status, NULL, b.wa_id, NULL, b.server_version FROM number b"
            " WHERE b.run_id = :after AND NOT EXISTS (SELECT 1 FROM kept WHERE kept.key = b.key)",
            both,
        )
        yield from map(Pair._make, found)

    def _keep_keys(self, run_id: int) -> None:
        """Keep the keys of a run where they can be looked up: no index in the ledger is by run and key alone."""
        for statement in (
            "CREATE TEMP TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, number_id INTEGER) WITHOUT ROWID",
            "DELETE FROM kept",
            "INSERT INTO kept SELECT key, number_id FROM number WHERE run_id = ? ORDER BY key",
        ):
            list(self.query(statement, (run_id,) if "?" in statement else ()))

    def _rows(self, condition: str, run_id: int, **values: object) -> list[Row]:
        named = {"run_id": run_id, "rejected": REJECTED, **values}
        return list(map(Row._make, self.query(_ROW + condition, named)))

    def query(self, statement: str, values: schema.Values) -> Iterator[Any]:
        """Yield the rows that `statement` selects. Raises LedgerUnusable."""
        return schema.query(self._db, statement, values)

    def _data_version(self) -> int:
        return int(next(self.query("PRAGMA data_version", ()))[0])


def _record(row: Sequence[Any]) -> RunRecord:
    run_id, state, server, region, blocking, force_check, batch_size, profile, rechecks, *rest = row
    options = RunOptions(server, region, blocking, bool(force_check), batch_size, profile, rechecks)
    return RunRecord(run_id, RunState(state), options, *rest)
