"""Writes rows into a draft, many at once: a statement for each row would cost more than all else."""

import sqlite3
from collections import Counter
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
_OTHER_ROWS = (
    "INSERT INTO entry (run_id, row, source_id, line, input, number_id, problem, is_duplicate)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


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
            if new.line - row != offset:
                offset = new.line - row
                self._offsets.append((number_id, offset))
        self.entries = len(rows) - self.rejected

    def write(self, db: sqlite3.Connection, run_id: int, source_id: int) -> None:
        """Insert the rows, within a transaction."""
        place = {"run_id": run_id, "source_id": source_id}
        if self._numbers:
            db.execute(
                _NUMBERS,
                {**place, "first": self._known + 1, "numbers": msgspec.json.encode(self._numbers).decode()},
            )
        for (first, offset), (after, _) in pairwise([*self._offsets, (self.last_number + 1, 0)]):
            db.execute(_FIRST_ROWS, {**place, "offset": offset, "first": first, "last": after - 1})
        db.executemany(
            _OTHER_ROWS,
            [
                (run_id, row, source_id, line, text, number_id, problem, number_id is not None)
                for row, line, text, number_id, problem in self._others
            ],
        )
        db.executemany(
            "UPDATE number SET rows = rows + ? WHERE run_id = ? AND number_id = ?",
            [(count, run_id, number_id) for number_id, count in sorted(self._repeated.items())],
        )
