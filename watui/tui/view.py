"""What a table shows: the rows of a run, all of them or those that a filter picked; or a short list."""

from array import array
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from watui.ledger.reader import Reader
from watui.ledger.rows import Row
from watui.ledger.schema import LedgerUnusable

_Row = TypeVar("_Row")


class ListView(Generic[_Row]):
    """Rows that are few enough to be held."""

    def __init__(self, key: str, rows: Sequence[_Row]) -> None:
        self.key = key
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def window(self, first: int, last: int) -> Mapping[int, _Row]:
        return dict(enumerate(self._rows[first : last + 1], first))


class RunView:
    """Rows by their position in the view, read when they are wanted and never held."""

    def __init__(self, reader: Reader, run_id: int, total: int, ordinals: "array[int] | None") -> None:
        """`ordinals` are the rows at the positions from 0, as far as they are known; None stands for the given order.

        `total` counts all positions.
        """
        self.run_id = run_id
        self._reader = reader
        self._total = total
        self._ordinals = ordinals

    @property
    def key(self) -> object:
        return self.run_id

    def __len__(self) -> int:
        return self._total

    def window(self, first: int, last: int) -> Mapping[int, Row]:
        """Return the rows at positions `first` to `last`, both included, by position from 0.

        While the ledger can't be read there are none: painting goes on, and who reads the counts says why.
        """
        try:
            if self._ordinals is None:
                rows = self._reader.window(self.run_id, first + 1, last + 1)
            else:
                rows = self._reader.picked(self.run_id, self._ordinals[first : last + 1])
        except LedgerUnusable:
            return {}
        return dict(enumerate(rows, first))

    def position_of(self, row: int) -> int | None:
        """Return where the row with that ordinal is; None where it is not, or not known to be."""
        if self._ordinals is None:
            return row - 1
        try:
            return self._ordinals.index(row)
        except ValueError:
            return None
