"""Text in columns: what every table has in common."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

ELLIPSIS = "…"

LEAST_STRETCH = 12
"""Columns below which the column that takes what is left is not pressed."""

NUMBERS = frozenset({"input", "number", "wa_id"})
"""Columns of numbers, however they are written."""

_GAP = 1


class Column(NamedTuple):
    """A column of the table at its place."""

    name: str
    x: int
    width: int


class Cell(NamedTuple):
    """Text cut and padded to its column, and the component class of its style, empty for none."""

    text: str
    style: str = ""


Wanted = Sequence[tuple[str, int]]
"""Columns by name and width."""


def fit(text: str, width: int) -> str:
    """Return `text` in exactly `width` columns, with an ellipsis where something is missing."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, max(0, width - 1)) + ELLIPSIS


def needed(wanted: Wanted) -> int:
    """Return how many columns of the terminal `wanted` take, with a gap behind each."""
    return sum(room + _GAP for _, room in wanted)


def without_drops(wanted: Wanted, width: int, drops: Sequence[str]) -> Wanted:
    """Leave out `drops`, one after the other, until there is room for the column of width 0 as well."""
    for name in drops:
        if needed(wanted) + LEAST_STRETCH <= width:
            break
        wanted = [(other, room) for other, room in wanted if other != name]
    return wanted


def place(wanted: Wanted) -> tuple[Column, ...]:
    """Return columns side by side, the first one behind a gap."""
    placed, x = [], _GAP
    for name, room in wanted:
        placed.append(Column(name, x, room))
        x += room + _GAP
    return tuple(placed)


def lay_out(wanted: Wanted, width: int, drops: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns that fit `width`: `drops` go first to last, the one of width 0 takes what is left."""
    kept = without_drops(wanted, width, drops)
    free = max(1, width - needed(kept))
    return place([(name, room or free) for name, room in kept])
