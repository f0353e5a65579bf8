"""Text for people: foreign text made safe to show, counts in words."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import islice

_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that a terminal obeys, reorders or hides instead of drawing."""

_SHOWN_DIGITS = 3
_HIDDEN = "•"

_SEPARATOR = r"(?: ?[().\-‐-―−－（）]{1,2} ?|[ \u00a0/])?"
_DIGIT = r"(?!(?<!\d)(?:\d{1,2}:\d\d|\d{1,3}(?:,\d{3})+(?!\d)))\d"
"""One that does not begin a time, or a count with commas."""
_OTHER_BEGINNINGS = "|".join(
    (
        r"(?<![\d+])\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d)?",  # a date
        r"(?<!\d)\d{1,3}(?:\.\d{1,3}){3}:\d",  # an address of a network with its port
        r"(?<=\d:)\d{1,5}(?!\d)",  # the port, or the end of a time
        r"(?<=\d,)\d{3}(?!\d)",  # the end of a count
        r"(?<=\d\.)",  # the rest of an address or a version
    )
)
_NUMBER = re.compile(
    rf"(?<![\d•])(?!{_OTHER_BEGINNINGS})(?:[+＋](?:{_SEPARATOR}{_DIGIT}){{6,}}|\d(?:{_SEPARATOR}{_DIGIT}){{6,}})(?!\d)"
)
"""What may be a number of a person: more digits together than any count without commas has."""

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_DELETE = "\x7f"


def _visible(character: str) -> str:
    if character < " ":
        return chr(0x2400 + ord(character))
    if character == _DELETE:
        return "\N{SYMBOL FOR DELETE}"
    if unicodedata.category(character) in _HIDDEN_CATEGORIES:
        return _REPLACEMENT
    return character


def clean(text: str) -> str:
    """Return `text` with every control, format and unassigned character made visible.

    C0 controls and DEL become their Unicode pictures (ESC becomes ␛, a line feed ␊); all others,
    bidirectional overrides and zero-width characters included, become U+FFFD. Idempotent; text
    without such characters comes back unchanged.
    """
    if text.isprintable():
        return text
    return "".join(map(_visible, text))


def masked(text: str) -> str:
    """Return `text` with all digits of what may be a number hidden but the last three; it keeps its width.

    A number is what has seven digits or more, or six behind a +, with single separators between them; dates, times
    and counts with commas are none.
    """
    return "".join(masked_parts([text]))


def masked_number(number: str) -> str:
    """Return `number` with all its digits hidden but the last three, whatever stands between them."""
    return "".join(_hidden_at(number, _digits(number)[:-_SHOWN_DIGITS]))


def masked_parts(parts: Sequence[str]) -> list[str]:
    """Return the parts of a line as `masked` leaves them: a number may go from one into the next."""
    line = "".join(parts)
    hidden = [place for found in _NUMBER.finditer(line) for place in _digits(found[0], found.start())[:-_SHOWN_DIGITS]]
    if not hidden:
        return list(parts)
    characters = iter(_hidden_at(line, hidden))
    return ["".join(islice(characters, len(part))) for part in parts]


def _digits(text: str, start: int = 0) -> list[int]:
    """Return where the digits of `text` are, which begins at `start`."""
    return [place for place, character in enumerate(text, start) if character.isdigit()]


def _hidden_at(text: str, places: Sequence[int]) -> list[str]:
    """Return the characters of `text` with those at `places` hidden."""
    characters = list(text)
    for place in places:
        characters[place] = _hide(characters[place])
    return characters


def _hide(digit: str) -> str:
    return _HIDDEN * (2 if unicodedata.east_asian_width(digit) == "F" else 1)


def shortened(text: str, most: int) -> str:
    """Return `text`, with an ellipsis for its middle where it has more than `most` characters."""
    if len(text) <= most:
        return text
    end = (most - 1) // 3
    return f"{text[: most - 1 - end]}…{text[-end:]}"


def counted(count: int, noun: str) -> str:
    """Return `count` with thousands separated and `noun` in its number: `1 row`, `1,280 rows`."""
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{count:,} {noun if count == 1 else plural}"
