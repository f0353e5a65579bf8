"""Decides of every record whether it is an entry, is rejected with a reason, or is skipped."""

import contextlib
import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TextIO

import msgspec

from watui.intake import problems
from watui.intake.lines import Record, is_date
from watui.intake.records import Layout, lay_out, read_records
from watui.intake.sources import STDIN, open_text, share_read, source_name
from watui.intake.workbooks import is_workbook, read_sheet

LONGEST_INPUT = 250
"""Characters of an input; no dialable spelling is longer."""

_FIRST_RECORDS = 5
"""Of a source that is looked at."""

_SURROGATES = re.compile("[\ud800-\udfff]")
"""What bytes of a command line become that are not in its encoding."""

_UNDECODABLE = "\N{REPLACEMENT CHARACTER}"
_CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_DIGIT = re.compile(r"\d")

_ADDITION = re.compile(r"(?:;?\s*ext\w*|[x#])[\s.:=]*\d{1,7}\s*$|;phone-context=\S*", re.IGNORECASE)
"""An extension, or what a `tel:` link says of its number: no other number."""

_NUMBER = re.compile(r"[+＋]?\d(?:[\s().\u2010-\u2015\u2212-]*\d){6,}")
"""What may be a number by itself: a bar, a comma, a word or another `+` ends it."""

_is_plain = re.compile(r"\+?[0-9][0-9 ()-]{0,40}").fullmatch
"""What most inputs are: nothing can be wrong with them."""


class Skipped(StrEnum):
    """Records that hold no number by their nature."""

    HEADER = "header"
    BLANK = "blank"
    COMMENT = "comment"
    PROSE = "prose"


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One row that holds, or should hold, a number."""

    line: int
    """Physical line of the source, from 1."""
    input: str
    """As given, trimmed."""
    problem: str | None
    """Why it is rejected; None for a row to ask about."""


Row = Entry | Skipped


class Opened(NamedTuple):
    """A source that is being read."""

    layout: Layout
    rows: Iterator[Row]
    """One for every record, as they are taken."""
    share: Callable[[], float | None]
    """Returns which part of it was read by now; None where nobody knows how long it is."""


class Look(NamedTuple):
    """What is seen of a source without reading it."""

    layout: Layout
    first: list[list[str]]
    """The cells of its first rows that hold something, without titles, and with a header."""


def read_entries(text: TextIO, column: str | None, name: str) -> tuple[Layout, Iterator[Row]]:
    """Return the layout of `text` and, streaming, one Row for every record in it.

    `column` is a header or a number from 1; None finds it. Raises BadSource where there is no such column.
    """
    layout, records = read_records(text, column, name)
    return layout, _rows(layout, records)


@contextmanager
def open_entries(path: str, column: str | None) -> Iterator[Opened]:
    """Open the file at `path`, or standard input, whatever it is by its content. Raises BadSource."""
    with _open_records(path, column) as (layout, records, share):
        yield Opened(layout, _rows(layout, records), share)


def look_at(path: str, text: str | None = None) -> Look:
    """Return how the file at `path`, or `text`, is laid out, and how it begins. Raises BadSource."""
    with contextlib.ExitStack() as stack:
        if text is None:
            layout, records, _ = stack.enter_context(_open_records(path, None))
        else:
            layout, records = read_records(io.StringIO(text, newline=None), None, path)
        first = (record.cells for record in records if record.is_content)
        return Look(layout, list(islice(first, layout.titles, layout.titles + _FIRST_RECORDS)))


@contextmanager
def _open_records(
    path: str, column: str | None
) -> Iterator[tuple[Layout, Iterator[Record], Callable[[], float | None]]]:
    name = source_name(path)
    if path != STDIN and is_workbook(Path(path)):
        yield *lay_out(read_sheet(Path(path), name), column, name), lambda: None
        return
    with open_text(path) as text:
        yield *read_records(text, column, name), lambda: share_read(text)


def single(line: int, text: str) -> Row:
    """Return the Row for one input given by itself."""
    trimmed = _SURROGATES.sub(_UNDECODABLE, text).strip()
    return Entry(line, trimmed, find_problem(trimmed)) if trimmed else Skipped.BLANK


def find_problem(text: str) -> str | None:
    """Return why `text`, trimmed, can't be sent, or None. Whether it is a possible number is the server's to say."""
    if _is_plain(text):
        return None
    if len(text) > LONGEST_INPUT:
        return problems.TOO_LONG
    if _UNDECODABLE in text:
        return problems.UNDECODABLE
    if _CONTROL_CHARACTERS.search(text):
        return problems.CONTROL_CHARACTERS
    if problems.ERROR_OF_A_SHEET.fullmatch(text):
        return problems.SHEET_ERROR
    if not _DIGIT.search(text):
        return problems.NO_DIGITS
    if problems.SCIENTIFIC_NOTATION.fullmatch(text):
        return problems.SCIENTIFIC
    if problems.WITH_DECIMALS.fullmatch(text):
        return problems.DECIMALS
    if sum(not is_date(found) for found in _NUMBER.findall(_ADDITION.sub("", text))) > 1:
        return problems.TWO_NUMBERS
    return None


def _rows(layout: Layout, records: Iterator[Record]) -> Iterator[Row]:
    expected = layout.titles + layout.has_header
    for record in records:
        row = _row(record, layout.column)
        if expected and isinstance(row, Entry):
            expected -= 1
            yield Skipped.HEADER
        else:
            yield row


def _row(record: Record, column: int) -> Row:
    cells = record.cells
    text = cells[column].strip() if column < len(cells) else ""
    if _is_plain(text) and "#" not in cells[0] and record.problem is None:
        return Entry(record.line, text, None)
    if record.is_prose:
        return Skipped.PROSE
    if record.is_blank:
        return Skipped.BLANK
    if record.is_comment:
        return Skipped.COMMENT
    if record.problem is not None:
        return Entry(record.line, cells[0][:LONGEST_INPUT], record.problem)
    return Entry(record.line, text[:LONGEST_INPUT], find_problem(text))
