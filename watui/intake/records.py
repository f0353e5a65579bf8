"""Splits text into records: lines, or the rows of a table with its delimiter and the column of the numbers."""

import csv
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import NamedTuple, TextIO

from watui.intake.cards import are_cards, card_records
from watui.intake.lines import FEWEST_DIGITS, Line, Record, count_digits, looks_like_number, read_lines
from watui.intake.problems import ERROR_OF_A_SHEET, BadSource
from watui.intake.prose import find_numbers, prose_records, sentences
from watui.text import clean

SAMPLE_RECORDS = 200
"""Records looked at to find the delimiter, the header and the column."""

_LONGEST_RECORD = 50
"""Lines that a quoted cell may span; beyond that the quote was never meant to be one."""

_DELIMITERS = ",;\t|"
_PHONE_NAMES = re.compile(
    r"phone|mobil|m[oó]vil|celular|cellulare|msisdn|whats|\bcell\b|\bgsm\b|\btel(?!efax)|telefon|teléfono|handy|téléphone"
    r"|电话|電話|手机|携帯|番号",
    re.IGNORECASE,
)
_NUMBER_NAMES = re.compile(r"number|numero|número|nummer|contact|wa_?id", re.IGNORECASE)
_PHONE_NAME_WEIGHT, _NUMBER_NAME_WEIGHT = 2.0, 0.5
"""What a telling column name adds to the share of cells that look like a number: a telephone's outweighs that."""

_SERIAL_DATE = re.compile(r"[2-5]\d{4}(?:[.,]\d+)?")
"""How a spreadsheet keeps the days from 1954 to 2064; postal codes look like that as well."""

_DIRECTIVE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
"""The first line by which Excel says the delimiter."""

_MOST_TITLES = 5
"""Rows above a header: a title, a date, a directive."""

_FEWEST_DIGITS_OF_ANOTHER = 7
"""Of numbers in a column whose name does not say that they are."""

_MOST_CELLS_OF_ANOTHER = 0.5
"""Share of such numbers from which on they may be meant as well."""


class Layout(NamedTuple):
    """How a source is laid out."""

    delimiter: str | None
    """None: every line is one record of one cell. Empty for a spreadsheet."""
    column: int
    """Index of the cell that holds the number."""
    column_name: str | None
    """The header of that column, None where there is no header."""
    has_header: bool
    titles: int = 0
    """Rows above the header, or the first row, that belong to the table as a whole."""
    other: str | None = None
    """Another column that holds numbers, too, by name or number from 1."""


_NO_TABLE = Layout(None, 0, None, False)


def read_records(text: TextIO, column: str | None, name: str) -> tuple[Layout, Iterator[Record]]:
    """Find the layout of `text`, whose lines end in a line feed, and return it with all records, the header too.

    `column` is a header or a number from 1. Raises BadSource where there is no such column.
    """
    lines = read_lines(text)
    head = list(islice(lines, SAMPLE_RECORDS))
    if column is None and are_cards(head):
        return _NO_TABLE, card_records(chain(head, lines))
    said = _DIRECTIVE.fullmatch(head[0].text) if head else None
    delimiter = said[1] if said else _find_delimiter([line.text for line in head])
    if column is None and _is_prose(head, delimiter):
        return _NO_TABLE, prose_records(chain(head, lines))
    records = _records(chain(head, lines), delimiter)
    sample = list(islice(records, SAMPLE_RECORDS))
    if delimiter is not None and column is None and (spread := _one_line_list(sample)):
        return Layout(None, 0, None, False), chain(spread, records)
    return _find_layout(sample, delimiter, column, name), chain(sample, records)


def lay_out(records: Iterator[Record], column: str | None, name: str) -> tuple[Layout, Iterator[Record]]:
    """Find the layout of a table whose cells are known, and return it with all records, as `read_records` does."""
    sample = list(islice(records, SAMPLE_RECORDS))
    return _find_layout(sample, "", column, name), chain(sample, records)


def _find_delimiter(lines: list[str]) -> str | None:
    """Return the delimiter that splits most lines into the same number (two or more) of cells."""
    content = [line for line in lines if line.strip() and not line.lstrip().startswith("#")] or lines
    best, best_share = None, 0.5
    for delimiter in _DELIMITERS:
        widths = [len(_cells(line, delimiter)) for line in content if delimiter in line]
        usual = max(widths.count(width) for width in set(widths)) if widths else 0
        if usual / max(1, len(content)) > best_share:
            best, best_share = delimiter, usual / len(content)
    return best


def _records(lines: Iterable[Line], delimiter: str | None) -> Iterator[Record]:
    held: list[Line] = []
    for line in lines:
        if not held and not line.is_cut and (delimiter is None or '"' not in line.text):
            yield Record(line.number, line.text.split(delimiter)) if delimiter is not None else _record(line, None)
            continue
        if line.is_cut:
            yield from _by_line(held, delimiter)
            yield Record(line.number, [line.text], line.problem)
            held.clear()
            continue
        held.append(line)
        assert delimiter is not None, "only a table has lines that belong together"
        cells, is_open = _quoted_cells("\n".join(part.text for part in held), delimiter)
        if cells is not None:
            yield Record(held[0].number, cells)
            held.clear()
        elif not is_open or len(held) == _LONGEST_RECORD:
            yield from _by_line(held, delimiter)
            held.clear()
    yield from _by_line(held, delimiter)


def _quoted_cells(text: str, delimiter: str) -> tuple[list[str] | None, bool]:
    """Return the cells of one record, or None and whether a quote is still open in it."""
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True)), False
    except csv.Error as error:
        return None, "end of data" in str(error)


def _by_line(lines: Iterable[Line], delimiter: str | None) -> Iterator[Record]:
    """Read each line as a record of its own, so that a quote that is never closed swallows none."""
    return (_record(line, delimiter) for line in lines)


def _record(line: Line, delimiter: str | None) -> Record:
    if delimiter is not None:
        return Record(line.number, _cells(line.text, delimiter))
    is_quoted = len(line.text) > 1 and line.text.startswith('"') and line.text.endswith('"')
    return Record(line.number, [line.text[1:-1] if is_quoted else line.text])


def _cells(text: str, delimiter: str) -> list[str]:
    if '"' not in text:
        return text.split(delimiter)
    cells, is_open = _quoted_cells(text, delimiter)
    if cells is not None:
        return cells
    return text.split(delimiter) if is_open else next(csv.reader([text], delimiter=delimiter))


def _one_line_list(sample: list[Record]) -> list[Record] | None:
    """Return one record a cell where the source is a single line of numbers, else None."""
    content = [record for record in sample if record.is_content]
    if len(content) != 1 or not all(looks_like_number(cell) for cell in content[0].cells if cell.strip()):
        return None
    record = content[0]
    spread = [Record(record.line, [cell]) for cell in record.cells]
    place = sample.index(record)
    return [*sample[:place], *spread, *sample[place + 1 :]]


def _find_layout(sample: list[Record], delimiter: str | None, column: str | None, name: str) -> Layout:
    content = [record.cells for record in sample if record.is_content]
    titles = _count_titles(content, column)
    table = content[titles:]
    first = table[0] if table else [""]
    by_name = _place(first, column) if column is not None else None
    if column is None:
        index = _best_column(table)
    else:
        index = by_name if by_name is not None else _numbered_column(first, column, name)
    cell = first[index].strip() if index < len(first) else ""
    has_header = by_name is not None or (len(table) > 1 and _is_header(cell))
    other = _other_column(table, index, has_header=has_header) if column is None else None
    return Layout(delimiter, index, clean(cell) if has_header else None, has_header, titles, other)


def _count_titles(content: list[list[str]], column: str | None) -> int:
    """Return how many rows stand above a header with a telling name, or with the `column` that is wanted.

    They are narrower than it, and hold no number. Without such a header it is a directive at most.
    """
    widest = 0
    for place, cells in enumerate(content[: _MOST_TITLES + 1]):
        filled = [cell for cell in cells if cell.strip()]
        if any(looks_like_number(cell) or find_numbers(cell) for cell in filled):
            break
        is_telling = any(map(_name_weight, filled)) or (column is not None and _place(cells, column) is not None)
        if len(filled) > max(1, widest) and is_telling:
            return place
        widest = max(widest, len(filled))
    return int(bool(content) and _is_directive(content[0]))


def _is_directive(cells: list[str]) -> bool:
    return cells[0].casefold() in ("sep=", '"sep=') or _DIRECTIVE.fullmatch(cells[0]) is not None


def _is_header(cell: str) -> bool:
    digits = count_digits(cell)
    if digits == 0:
        return bool(cell) and not ERROR_OF_A_SHEET.fullmatch(cell)
    return digits < FEWEST_DIGITS and _name_weight(cell) > 0


def _is_prose(head: list[Line], delimiter: str | None) -> bool:
    """Whether more lines are sentences with a number in them than rows of a table have one in their best column."""
    if not (found := sentences(head)):
        return False
    content = [record.cells for record in _records(head, delimiter) if record.is_content]
    column = _best_column(content)
    if content and column < len(content[0]) and _is_header(content[0][column]) and _name_weight(content[0][column]):
        return False
    return found > sum(column < len(cells) and looks_like_number(cells[column]) for cells in content)


def _name_weight(cell: str) -> float:
    if _PHONE_NAMES.search(cell):
        return _PHONE_NAME_WEIGHT
    return _NUMBER_NAME_WEIGHT if _NUMBER_NAMES.search(cell) else 0.0


def _best_column(table: list[list[str]]) -> int:
    def score(index: int) -> tuple[float, float]:
        cells = [cells[index] for cells in table if index < len(cells)]
        numbers = [cell for cell in cells if looks_like_number(cell)]
        share = sum(not _SERIAL_DATE.fullmatch(cell.strip()) for cell in numbers) / len(table)
        return share + _name_weight(cells[0]) * (share > 0), len(numbers) / len(table)

    return max(range(_width(table)), key=score, default=0)


def _other_column(table: list[list[str]], chosen: int, *, has_header: bool) -> str | None:
    """Return the column beside `chosen` that holds most numbers: by its header, or a number from 1; None for none.

    Beside a column that is called a telephone's, others must be, too.
    """
    first = table[0] if has_header else []
    telling = [index for index, cell in enumerate(first) if _name_weight(cell) >= _PHONE_NAME_WEIGHT]

    def score(index: int) -> int:
        cells = [cells[index] for cells in table if index < len(cells)]
        count = sum(looks_like_number(cell) and count_digits(cell) >= _FEWEST_DIGITS_OF_ANOTHER for cell in cells)
        is_meant = index in telling if chosen in telling else count >= _MOST_CELLS_OF_ANOTHER * len(table)
        return count if is_meant else 0

    best = max((index for index in range(_width(table)) if index != chosen), key=score, default=chosen)
    if best == chosen or not score(best):
        return None
    name = clean(first[best].strip()) if best < len(first) else ""
    return name or str(best + 1)


def _width(table: list[list[str]]) -> int:
    return max(map(len, table), default=0)


def _place(first: list[str], column: str) -> int | None:
    names = [cell.strip().casefold() for cell in first]
    wanted = column.strip().casefold()
    return names.index(wanted) if wanted in names else None


def _numbered_column(first: list[str], column: str, name: str) -> int:
    if column.isascii() and column.isdigit() and 1 <= int(column) <= len(first):
        return int(column) - 1
    known = ", ".join(clean(cell.strip()) or "(no name)" for cell in first)
    raise BadSource(f"{name} has no column {clean(column)!r}: it has {known}; give a name or 1 to {len(first)}")
