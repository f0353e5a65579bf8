"""Lines of a source, and the records that are made of them."""

import re
from collections.abc import Iterator
from itertools import count
from typing import TextIO

import msgspec

from watui.intake.problems import ERROR_OF_A_SHEET, SCIENTIFIC_NOTATION, TOO_LONG, WITH_DECIMALS

LONGEST_LINE = 100_000
"""Characters of a line that are read; a longer one is no list of numbers and is cut, then rejected."""

_DIAL_CHARACTERS = re.compile(r"(?:tel:)?[\s\d０-９+＋()\[\]./\-‐-―−\u200b-\u200f\ufeffx#]+", re.IGNORECASE)
_DATE = re.compile(r"\d{4}([-/.])\d\d?\1\d\d?|\d\d?([-/.])\d\d?\2\d{4}")
FEWEST_DIGITS, MOST_DIGITS = 5, 17


class Line(msgspec.Struct, frozen=True, gc=False):
    """A physical line, from 1, without its end."""

    number: int
    text: str
    is_cut: bool
    """Whether it was longer than LONGEST_LINE."""

    @property
    def problem(self) -> str | None:
        """Why it holds no number, as far as that is known before it is read."""
        return TOO_LONG if self.is_cut else None


class Record(msgspec.Struct, frozen=True, gc=False):
    """One row of a source."""

    line: int
    """Physical line, from 1, where it begins."""
    cells: list[str]
    problem: str | None = None
    """Why it holds no number, whatever it looks like: its line was cut, or its source takes it for something else."""
    is_prose: bool = False
    """Whether it holds no number, in a source where that is no mistake."""
    is_number: bool = False
    """Whether its source calls it a number, whatever it looks like."""

    @property
    def is_blank(self) -> bool:
        return not "".join(self.cells).strip()

    @property
    def is_comment(self) -> bool:
        """Whether it begins with `#`, and not because its first cell is something like an order number, or an error."""
        first = self.cells[0].strip()
        is_marked = first.startswith("#") and not self.is_number and not ERROR_OF_A_SHEET.fullmatch(first)
        return is_marked and not any(map(looks_like_number, self.cells[1:]))

    @property
    def is_content(self) -> bool:
        return not self.is_blank and not self.is_comment


def looks_like_number(cell: str) -> bool:
    """Whether `cell` could be meant as a phone number: dial characters only, and a plausible count of digits."""
    text = cell.strip()
    if SCIENTIFIC_NOTATION.fullmatch(text) or WITH_DECIMALS.fullmatch(text):
        return True
    is_dialable = _DIAL_CHARACTERS.fullmatch(text) is not None and not is_date(text)
    return is_dialable and FEWEST_DIGITS <= count_digits(text) <= MOST_DIGITS


def is_date(text: str) -> bool:
    """Whether the digits of `text` are those of a date."""
    return _DATE.fullmatch(text) is not None


def count_digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def read_lines(text: TextIO) -> Iterator[Line]:
    """Yield each physical line, holding no more than one in memory."""
    for number in count(1):
        line = tail = text.readline(LONGEST_LINE)
        if not line:
            return
        while len(tail) == LONGEST_LINE and not tail.endswith("\n"):
            tail = text.readline(LONGEST_LINE)
        yield Line(number, line.removesuffix("\n"), is_cut=tail is not line)
