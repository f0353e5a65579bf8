"""Splits text into records: lines, or the rows of a table with its delimiter and the column of the numbers."""

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple, TextIO

from watui.intake.problems import BadSource
from watui.text import clean

LONGEST_LINE = 100_000
"""Characters of a line that are read; a longer one is no list of numbers and is cut, then rejected."""

SAMPLE_RECORDS = 200
"""Records looked at to find the delimiter, the header and the column."""

_LONGEST_RECORD = 50
"""Lines that a quoted cell may span; beyond that the quote was never meant to be one."""

_DELIMITERS = ",;\t|"
_DIAL_CHARACTERS = re.compile(r"[\s\d０-９+＋()\[\]./\-‐-―−\u200b-\u200f\ufeffx#]+", re.IGNORECASE)
_SCIENTIFIC_LIKE = re.compile(r"\s*\d[.,]\d+E\+?\d+\s*", re.IGNORECASE)
_FEWEST_DIGITS, _MOST_DIGITS = 5, 17
_NUMBER_NAMES = re.compile(
    r"phone|mobile|msisdn|whats|cell(?!ular)|\btel|telefon|teléfono|telefone|handy|number|numero|número|nummer|contact"
    r"|wa_?id|电话|電話|手机|携帯|番号",
    re.IGNORECASE,
)
_NAME_WEIGHT = 0.5
"""What a telling column name adds to the share of cells that look like a number."""


class Record(NamedTuple):
    """One row of a source."""

    line: int
    """Physical line, from 1, where it begins."""
    cells: list[str]

    @property
    def is_blank(self) -> bool:
        return not any(cell.strip() for cell in self.cells)

    @property
    def is_comment(self) -> bool:
        return bool(self.cells) and self.cells[0].lstrip().startswith("#")


class Layout(NamedTuple):
    """How a source is laid out."""

    delimiter: str | None
    """None: every line is one record of one cell."""
    column: int
    """Index of the cell that holds the number."""
    column_name: str | None
    """The header of that column, None where there is no header."""
    has_header: bool


def looks_like_number(cell: str) -> bool:
    """Whether `cell` could be meant as a phone number: dial characters only, and a plausible count of digits."""
    digits = sum(map(str.isdigit, cell))
    if _SCIENTIFIC_LIKE.fullmatch(cell):
        return True
    dialable = _DIAL_CHARACTERS.fullmatch(cell.removeprefix("tel:")) is not None
    return dialable and _FEWEST_DIGITS <= digits <= _MOST_DIGITS


def read_records(text: TextIO, column: str | None, name: str) -> tuple[Layout, Iterator[Record]]:
    """Find the layout of `text` and return it with all records, the header among them.

    `column` is a header or a number from 1. Raises BadSource where there is no such column.
    """
    lines = _lines(text)
    head = list(islice(lines, SAMPLE_RECORDS))
    delimiter = _find_delimiter([line for _, line in head])
    records = _records(chain(head, lines), delimiter)
    sample = list(islice(records, SAMPLE_RECORDS))
    if delimiter is not None and (spread := _one_line_list(sample)):
        return Layout(None, 0, None, False), chain(spread, records)
    return _find_layout(sample, delimiter, column, name), chain(sample, records)


def _lines(text: TextIO) -> Iterator[tuple[int, str]]:
    """Yield each physical line with its number, from 1, holding no more than one line in memory."""
    number = 0
    while line := text.readline(LONGEST_LINE):
        number += 1
        tail = line
        while len(tail) == LONGEST_LINE and not tail.endswith(("\n", "\r")):
            tail = text.readline(LONGEST_LINE)
        yield number, line.rstrip("\r\n")


def _find_delimiter(lines: list[str]) -> str | None:
    """Return the delimiter that splits most lines into the same number (two or more) of cells."""
    content = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    best, best_share = None, 0.5
    for delimiter in _DELIMITERS:
        widths = [len(_cells(line, delimiter)) for line in content if delimiter in line]
        usual = max(widths.count(width) for width in set(widths)) if widths else 0
        if usual / max(1, len(content)) > best_share:
            best, best_share = delimiter, usual / len(content)
    return best


def _records(lines: Iterable[tuple[int, str]], delimiter: str | None) -> Iterator[Record]:
    if delimiter is None:
        for number, line in lines:
            quoted = len(line) > 1 and line.startswith('"') and line.endswith('"')
            yield Record(number, [line[1:-1] if quoted else line])
        return
    held: list[tuple[int, str]] = []
    for number, line in lines:
        if not held and '"' not in line:
            yield Record(number, line.split(delimiter))
            continue
        held.append((number, line))
        text = "\n".join(part for _, part in held)
        if not _quote_is_open(text, delimiter):
            yield Record(held[0][0], _cells(text, delimiter))
            held.clear()
        elif len(held) == _LONGEST_RECORD:
            yield from _unquoted(held, delimiter)
            held.clear()
    yield from _unquoted(held, delimiter)


def _quote_is_open(text: str, delimiter: str) -> bool:
    return text.count('"') % 2 == 1 and _cells(text + "\n", delimiter)[-1].endswith("\n")


def _cells(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter), [""])
    except csv.Error:
        return text.split(delimiter)


def _unquoted(held: list[tuple[int, str]], delimiter: str) -> Iterator[Record]:
    """Read lines after a quote that is never closed one by one, so that none is swallowed."""
    for number, line in held:
        yield Record(number, line.split(delimiter))


def _one_line_list(sample: list[Record]) -> list[Record] | None:
    """Return one record a cell where the source is a single line of numbers, else None."""
    content = [record for record in sample if not record.is_blank and not record.is_comment]
    if len(content) != 1 or not all(looks_like_number(cell) for cell in content[0].cells if cell.strip()):
        return None
    record = content[0]
    spread = [Record(record.line, [cell]) for cell in record.cells]
    place = sample.index(record)
    return [*sample[:place], *spread, *sample[place + 1 :]]


def _find_layout(sample: list[Record], delimiter: str | None, column: str | None, name: str) -> Layout:
    content = [record.cells for record in sample if not record.is_blank and not record.is_comment]
    first = content[0] if content else [""]
    index = _best_column(content) if column is None else _named_column(first, column, name)
    named = column is not None and not column.isdigit()
    header_cell = first[index] if index < len(first) else ""
    has_header = named or (len(content) > 1 and _is_header(header_cell))
    return Layout(delimiter, index, clean(header_cell.strip()) if has_header else None, has_header)


def _is_header(cell: str) -> bool:
    return not any(map(str.isdigit, cell)) or bool(_NUMBER_NAMES.search(cell) and not looks_like_number(cell))


def _best_column(content: list[list[str]]) -> int:
    def score(index: int) -> float:
        cells = [cells[index] for cells in content if index < len(cells)]
        share = sum(map(looks_like_number, cells)) / len(cells)
        telling = _NUMBER_NAMES.search(cells[0]) is not None
        return share + _NAME_WEIGHT * (telling and share > 0)

    return max(range(max(map(len, content), default=0)), key=score, default=0)


def _named_column(first: list[str], column: str, name: str) -> int:
    names = [cell.strip().casefold() for cell in first]
    if column.strip().casefold() in names:
        return names.index(column.strip().casefold())
    if column.isascii() and column.isdigit() and 1 <= int(column) <= len(first):
        return int(column) - 1
    known = ", ".join(clean(cell.strip()) or "(no name)" for cell in first)
    raise BadSource(f"{name} has no column {clean(column)!r}: it has {known}; give a name or 1 to {len(first)}")
