"""Text for people: foreign text made safe to show, counts in words."""

import re
import unicodedata
from collections.abc import Sequence
from itertools import islice

_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that a terminal obeys, reorders or hides instead of drawing."""

_SHOWN_DIGITS = 3
_HIDDEN, _HIDDEN_WIDE = "•", "＊"
"""In place of a digit: as wide as that."""

_CUT = "…"
"""Where something is missing: digits beside it may be no more than a part of a number."""

_BLANK = r"[ \u00a0\u2000-\u200a\u202f\u3000]"
_SEPARATOR = rf"(?:(?:{_BLANK}?[().\-‐-―−－（）]{_BLANK}{{0,2}}){{1,2}}|{_BLANK}|[/_·]|(?<!\d{{5}}),(?!\d{{5}}))"
"""What stands between the digits of one number: a comma only where it stands between few of them."""
_NO_NUMBER = "|".join(
    (
        r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?!-?\d)",  # a date
        r"\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?![.:]?\d)",  # a time
        r"\d{1,3}(?:,\d{3})+(?!,?\d)",  # a count
        r"\d{1,3}(?:\.\d{1,3}){3}:\d{1,5}(?!\d)",  # an address of a network with its port
    )
)
_DIGITS = re.compile(
    rf"(?<![\d{_HIDDEN}{_HIDDEN_WIDE}])"
    rf"(?:{_NO_NUMBER}"
    rf"|((?:[+＋]{_SEPARATOR}?)?\d+(?:{_SEPARATOR}(?!{_NO_NUMBER})\d+)*(?:{_SEPARATOR}?{_CUT})?))"
)
"""Digits that belong together: what is no number of a person, or, as a group, what may be one."""

_FEWEST_DIGITS, _FEWEST_BEHIND_PLUS = 7, 6
"""Of a number: more than any count without commas has."""

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
    """Return `text` with all digits of what may be a number hidden but the last three, each in its place.

    A number is what has seven digits or more, or six behind a +, with single separators between them; dates, times,
    counts with commas and addresses with their ports are none. Fewer digits are hidden where an ellipsis stands beside
    them, for a number may have been cut there.
    """
    return _DIGITS.sub(_masked_if_number, text)


def masked_number(number: str) -> str:
    """Return `number` with all its digits hidden but the last three, whatever stands between them.

    Where an ellipsis stands behind them the last three are missing: all are hidden.
    """
    left = sum(map(str.isdigit, number)) - (0 if number.endswith(_CUT) else _SHOWN_DIGITS)
    if left <= 0:
        return number
    characters = list(number)
    for place in [place for place, character in enumerate(number) if character.isdigit()][:left]:
        characters[place] = _HIDDEN_WIDE if unicodedata.east_asian_width(characters[place]) == "F" else _HIDDEN
    return "".join(characters)


def masked_parts(parts: Sequence[str]) -> list[str]:
    """Return the parts of a line as `masked` leaves them: a number may go from one into the next."""
    line = "".join(parts)
    shown = masked(line)
    if shown == line:
        return list(parts)
    characters = iter(shown)
    return ["".join(islice(characters, len(part))) for part in parts]


def _masked_if_number(found: re.Match[str]) -> str:
    number = found[1] or ""
    before = found.string[max(0, found.start() - 1) : found.start()]
    is_cut = _CUT in (before, number[-1:])
    fewest = 1 if is_cut else _FEWEST_BEHIND_PLUS if number.startswith(("+", "＋")) else _FEWEST_DIGITS
    return masked_number(number) if sum(map(str.isdigit, number)) >= fewest else found[0]


def shortened(text: str, most: int) -> str:
    """Return `text`, with an ellipsis for its middle where it has more than `most` characters."""
    if len(text) <= most:
        return text
    end = (most - 1) // 3
    return f"{text[: most - 1 - end]}{_CUT}{text[-end:]}"


def counted(count: int, noun: str) -> str:
    """Return `count` with thousands separated and `noun` in its number: `1 row`, `1,280 rows`."""
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{count:,} {noun if count == 1 else plural}"
