"""Writes rows into a draft, many at once: a statement for each row would cost more than all else."""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise

import msgspec

from watui.ledger.keys import Keys
from watui.ledger.rows import NewRow

_NUMBERS = """
INSERT INTO number (run_id, number_id, first_row, key, input, number, region, doubt)
SELECT :run_id, :first + key, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
       json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[5]')
FROM json_each(:numbers)
"""
_FIRST_ROWS = """
INSERT INTO entry (run_id, row, source_id, line, input, number_id)
SELECT run_id, first_row, :source_id, first_row + :offset, input, number_id FROM number
WHERE run_id = :run_id AND number_id BETWEEN :first AND :last
"""
_OTHER_ROWS = """
INSERT INTO entry (run_id, row, source_id, line, input, number_id, problem, is_duplicate)
SELECT :run_id, json_extract(value, '$[0]'), :source_id, json_extract(value, '$[1]'), json_extract(value, '$[2]'),
       json_extract(value, '$[3]'), json_extract(value, '$[4]'), json_extract(value, '$[3]') IS NOT NULL
FROM json_each(:rows)
"""
_ROWS_OF_NUMBERS = """
UPDATE number SET rows = rows + :times
WHERE run_id = :run_id AND number_id IN (SELECT value FROM json_each(:numbers))
"""
_NUL = "\0"
"""Ends a text of SQLite's that comes out of JSON."""


class NewRows:
    """Rows that follow the last one of a draft, with the numbers that they are, and how many there are of what."""

    def __init__(self, rows: Iterable[NewRow], last_row: int, keys: Keys) -> None:
        rows = list(rows)
        self.last_number = self._known = len(keys)
        """Of the draft with these rows."""
        self.entries = self.rejected = self.doubtful = 0
        self._numbers: list[tuple[int, str, str, str | None, str | None, str | None]] = []
        self._offsets: list[tuple[int, int]] = []
        """How far the lines are from the rows, from which new number on."""
        self._others: list[tuple[int, int, str, int | None, str | None]] = []
        self._sent: list[tuple[str, int]] = []
        self._repeated: Counter[int] = Counter()
        self._sort(rows, last_row, keys)

    @property
    def numbers(self) -> int:
        """Numbers that the draft did not have."""
        return self.last_number - self._known

    def _sort(self, rows: list[NewRow], row: int, keys: Keys) -> None:
        numbers = iter(keys.number([new.key for new in rows if new.key is not None]))
        offset = None
        for new in rows:
            row += 1
            if new.key is None:
                self.rejected += 1
                self._others.append((row, new.line, new.input, None, new.problem))
                continue
            number_id = next(numbers)
            self.doubtful += new.doubt is not None
            if number_id <= self.last_number:
                self._repeated[number_id] += 1
                self._others.append((row, new.line, new.input, number_id, None))
                continue
            self.last_number = number_id
            self._numbers.append((row, new.key, new.input, new.number, new.region, new.doubt))
            if new.sent is not None:
                self._sent.append((new.sent, number_id))
            if new.line - row != offset:
                offset = new.line - row
                self._offsets.append((number_id, offset))
        self.entries = len(rows) - self.rejected

    def write(self, db: sqlite3.Connection, run_id: int, source_id: int) -> None:
        """Insert the rows, within a transaction."""
        place = {"run_id": run_id, "source_id": source_id}
        if self._numbers:
            db.execute(_NUMBERS, {**place, "first": self._known + 1, "numbers": _as_json(self._numbers)})
        if self._sent:
            db.executemany(f"UPDATE number SET sent = ? WHERE run_id = {run_id:d} AND number_id = ?", self._sent)
        for (first, offset), (after, _) in pairwise([*self._offsets, (self.last_number + 1, 0)]):
            db.execute(_FIRST_ROWS, {**place, "offset": offset, "first": first, "last": after - 1})
        if self._others:
            db.execute(_OTHER_ROWS, {**place, "rows": _as_json(self._others)})
            db.executemany(
                "UPDATE entry SET input = ? WHERE run_id = ? AND row = ?",
                [(text, run_id, row) for row, _, text, _, _ in self._others if _NUL in text],
            )
        by_times = defaultdict[int, list[int]](list)
        for number_id, times in self._repeated.items():
            by_times[times].append(number_id)
        for times, numbers in by_times.items():
            db.execute(_ROWS_OF_NUMBERS, {"run_id": run_id, "times": times, "numbers": _as_json(numbers)})


def _as_json(values: object) -> str:
    return msgspec.json.encode(values).decode()
