"""Finds the numbers in a text that is no list: a letter, a chat, notes."""

import re
from collections.abc import Iterable, Iterator

from watui.intake.lines import Line, Record

_BETWEEN = r"(?:[ \u00a0().\u2010-\u2015\u2212-]{0,3}|/)"
_NUMBER = re.compile(
    rf"(?<![\w.,#/-])(?:tel:)?[+＋]?\(?\d(?:{_BETWEEN}\d){{6,}}(?:;ext=\d+| ?(?:ext\.?|x) ?\d{{1,7}}\b)?(?!\w)",
    re.IGNORECASE,
)
_OTHERWISE = re.compile(
    r"(?<![\d.+-])(?:\d{4}-\d\d-\d\d|\d{1,2}([./-])\d{1,2}\1\d{2,4}|\d{1,3}(?:\.\d{1,3}){3})(?![-.]?\d)"
)
"""Dates, and addresses of machines."""

_BARE_DIGITS = re.compile(r"[1-9]\d{0,8}")
"""As well an order, an invoice or a customer: what is a telephone number is longer, or written as one."""

_WORD = re.compile(r"(?<!\S)[^\W\d_]{2,}[,.;:!?]?(?!\S)")
_FEWEST_WORDS = 3
"""Of a line that is no row of a list."""


def find_numbers(text: str) -> list[str]:
    """Return what is meant as telephone numbers in a line of prose, as it is written."""
    parted = _OTHERWISE.sub("\n", text)
    return [found for found in _NUMBER.findall(parted) if not _BARE_DIGITS.fullmatch(found)]


def sentences(lines: Iterable[Line]) -> int:
    """Return how many of `lines` are words with a number among them."""
    return sum(len(_WORD.findall(line.text)) >= _FEWEST_WORDS and bool(find_numbers(line.text)) for line in lines)


def prose_records(lines: Iterable[Line]) -> Iterator[Record]:
    """Yield each number of the lines; for a line that holds none, a record without one, or a blank one."""
    for line in lines:
        found = [] if line.is_cut else find_numbers(line.text)
        for text in found:
            yield Record(line.number, [text])
        if not found:
            cells = [line.text if line.is_cut else ""]
            yield Record(line.number, cells, line.is_cut, is_prose=bool(line.text.strip()) and not line.is_cut)
