"""Rows in which the numbers of people are hidden."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from watui.text import masked, masked_number

_Row = TypeVar("_Row", bound=msgspec.Struct)

_HIDING: Mapping[str, Callable[[str], str]] = {
    **dict.fromkeys(("input", "number", "wa_id", "wa_id_before", "wa_id_after"), masked_number),
    **dict.fromkeys(("source", "problem", "details", "reason", "message_id"), masked),
}
"""How the members that hold a number, or words with one in them, are hidden."""


def hidden(row: _Row) -> _Row:
    """Return `row` with all digits of its numbers hidden but the last three, in its words and file names as well."""
    found = {name: getattr(row, name, None) for name in _HIDING}
    said = {name: _HIDING[name](text) for name, text in found.items() if text is not None}
    return msgspec.structs.replace(row, **said)
