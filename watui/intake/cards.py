"""Reads the telephone numbers of vCards, whatever their version."""

import quopri
import re
from collections.abc import Iterable, Iterator

from watui.intake.lines import LONGEST_LINE, Line, Record

_TEL = re.compile(r'(?:[\w-]+\.)?TEL((?:;(?:"[^"]*"|[^":])*)?):(.*)', re.IGNORECASE | re.DOTALL)
"""A property with a number: its parameters and its value."""

_BEGINNING = re.compile(r"(?:[\w-]+\.)?TEL[;:]", re.IGNORECASE)
"""Of a property with a number, whose parameters may go on in the next line."""

_CHARSET = re.compile(r";CHARSET=([\w-]+)", re.IGNORECASE)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_BEGIN, _END = "begin:vcard", "end:vcard"


def are_cards(lines: Iterable[Line]) -> bool:
    """Whether a source that begins with `lines` is an address book."""
    return next((_is(line.text, _BEGIN) for line in lines if line.text.strip()), False)


def card_records(lines: Iterable[Line]) -> Iterator[Record]:
    """Yield each number of the cards where it stands, and for each card without one a record without one."""
    begins_at, has_number = 0, True
    for line in _unfolded(lines):
        if found := _TEL.fullmatch(line.text):
            has_number = True
            yield Record(line.number, [_value(found[1], found[2])], line.problem, is_number=True)
        elif _is(line.text, _BEGIN) or _is(line.text, _END):
            if not has_number:
                yield Record(begins_at, [""], is_prose=True)
            begins_at, has_number = line.number, _is(line.text, _END)
    if not has_number:
        yield Record(begins_at, [""], is_prose=True)


def _is(text: str, what: str) -> bool:
    return text.strip().casefold() == what


def _unfolded(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield the properties, each under the line where it begins; those with a number, with all that was folded."""
    held: _Property | None = None
    for line in lines:
        if held is None or not held.goes_on(line):
            if held is not None:
                yield held.unfolded
            held = _Property(line)
    if held is not None:
        yield held.unfolded


class _Property:
    """A property whose lines are still coming. What holds no number, such as a picture, is not put together."""

    def __init__(self, first: Line) -> None:
        self._number = first.number
        self._has_number = _BEGINNING.match(first.text) is not None
        self._is_quoted = _is_quoted(first.text)
        self._parts: list[str] = []
        self._room = LONGEST_LINE
        self._is_cut = False
        self._take(first.text, first.is_cut)

    def goes_on(self, line: Line) -> bool:
        """Whether `line` belongs to it, and not to the next one; then it is taken."""
        if self._is_open:
            self._take(line.text, line.is_cut)
        elif line.text[:1] in (" ", "\t") and line.text.strip():
            self._take(line.text[1:], line.is_cut)
        else:
            return False
        return True

    def _take(self, text: str, is_cut: bool) -> None:
        self._is_open = self._is_quoted and text.endswith("=")
        if not self._parts or (self._has_number and not self._is_cut):
            kept = (text[:-1] if self._is_open else text)[: self._room]
            self._is_cut = is_cut or len(text) - self._is_open > self._room
            self._room -= len(kept)
            self._parts.append(kept)

    @property
    def unfolded(self) -> Line:
        """It as one line, which is cut where it is longer than LONGEST_LINE."""
        return Line(self._number, "".join(self._parts), self._is_cut)


def _is_quoted(text: str) -> bool:
    return "QUOTED-PRINTABLE" in text.partition(":")[0].upper()


def _value(parameters: str, value: str) -> str:
    if not _is_quoted(parameters):
        return _ESCAPED.sub(r"\1", value)
    charset = _CHARSET.search(parameters)
    data = quopri.decodestring(value.encode("utf-8", "replace"))
    try:
        return data.decode(charset[1] if charset else "utf-8", "replace")
    except (LookupError, UnicodeError):  # No such charset, or one that is for something else, such as idna.
        return data.decode("utf-8", "replace")
