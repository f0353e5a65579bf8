"""Rows as a table for people, in plain text."""

from collections.abc import Iterable, Iterator

from wcwidth import wcswidth

from watui.export.rows import ResultRow
from watui.text import clean

_HEADINGS = ("line", "input", "number", "country", "status", "wa_id", "problem")
_WIDTHS = (6, 22, 16, 7, 10, 15)
"""Columns on a terminal; the last heading takes what is left."""

_ELLIPSIS = "…"

_MOST_CHARACTERS_A_COLUMN = 4
"""Combining characters take no column; beyond so many of them a cell is not worth measuring."""


def table(rows: Iterable[ResultRow], width: int | None) -> Iterator[str]:
    """Yield a heading and one line a row, every cell cut to its column and the line to `width`; None cuts nothing."""
    yield _line(_HEADINGS, width)
    for row in rows:
        problem = row.problem or (f"same number as line {row.duplicate_of}" if row.duplicate_of else "")
        cells = (str(row.line), row.input, row.number, row.region, row.status, row.wa_id, problem)
        yield _line(tuple(clean(cell or "") for cell in cells), width)


def _line(cells: tuple[str, ...], width: int | None) -> str:
    padded = []
    for cell, room in zip(cells[:-1], _WIDTHS, strict=True):
        shown = cell if width is None else _cut(cell, room)
        padded.append(shown + " " * (room - wcswidth(shown)))
    line = " ".join((*padded, cells[-1])).rstrip()
    return (line if width is None else _cut(line, width)) + "\n"


def _cut(text: str, width: int) -> str:
    text = text[: width * _MOST_CHARACTERS_A_COLUMN]
    if wcswidth(text) <= width:
        return text
    while text and wcswidth(text) > width - 1:
        text = text[:-1]
    return text + _ELLIPSIS
