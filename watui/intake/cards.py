"""Reads the telephone numbers of vCards, whatever their version."""

import quopri
import re
from collections.abc import Iterable, Iterator

from watui.intake.lines import Line, Record

_TEL = re.compile(r'(?:[\w-]+\.)?TEL((?:;(?:"[^"]*"|[^":])*)?):(.*)', re.IGNORECASE | re.DOTALL)
"""A property with a number: its parameters and its value."""

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
            yield Record(line.number, [_value(found[1], found[2])], line.is_cut, is_number=True)
        elif _is(line.text, _BEGIN) or _is(line.text, _END):
            if not has_number:
                yield Record(begins_at, [""], is_prose=True)
            begins_at, has_number = line.number, _is(line.text, _END)
    if not has_number:
        yield Record(begins_at, [""], is_prose=True)


def _is(text: str, what: str) -> bool:
    return text.strip().casefold() == what


def _unfolded(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield the properties, each with all that was folded, under the line where it begins."""
    held: Line | None = None
    for line in lines:
        if held is not None and _is_quoted(held.text) and held.text.endswith("="):
            held = Line(held.number, held.text[:-1] + line.text, held.is_cut or line.is_cut)
        elif held is not None and line.text[:1] in (" ", "\t") and line.text.strip():
            # What is folded and holds no number, such as a picture, is not put together.
            if _TEL.fullmatch(held.text):
                held = Line(held.number, held.text + line.text[1:], held.is_cut or line.is_cut)
        else:
            if held is not None:
                yield held
            held = line
    if held is not None:
        yield held


def _is_quoted(text: str) -> bool:
    return "QUOTED-PRINTABLE" in text.partition(":")[0].upper()


def _value(parameters: str, value: str) -> str:
    if not _is_quoted(parameters):
        return _ESCAPED.sub(r"\1", value)
    charset = _CHARSET.search(parameters)
    data = quopri.decodestring(value.encode("utf-8", "replace"))
    try:
        return data.decode(charset[1] if charset else "utf-8", "replace")
    except LookupError:
        return data.decode("utf-8", "replace")
