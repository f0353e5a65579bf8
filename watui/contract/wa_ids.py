"""Which wa_id a number gets, and back (contract section 1).

What a server answers counts. This is what it usually answers, for where no answer is at hand: a blocklist holds
wa_ids alone, and what was blocked was a number.
"""

from collections.abc import Container

BLOCKLIST_SUFFIX = "@s.whatsapp.net"
"""Stands behind every wa_id of the blocklist, and nowhere else (contract section 2)."""

_MEXICO = "+52"
_MEXICAN_DIGITS = 10
_BRAZIL = "+55"
_BRAZILIAN_MOBILE_DIGITS = 11
_BRAZILIAN_FIRST_AREA_WITHOUT_NINE = 31


def wa_id_of(number: str) -> str:
    """Return the wa_id of `number` (E.164): its digits, but for Mexico and parts of Brazil."""
    digits = number[1:]
    national = digits[2:]
    if number.startswith(_MEXICO) and len(national) == _MEXICAN_DIGITS:
        return f"521{national}"
    if (
        number.startswith(_BRAZIL)
        and len(national) == _BRAZILIAN_MOBILE_DIGITS
        and national[2] == "9"
        and digits.isdecimal()
        and int(national[:2]) >= _BRAZILIAN_FIRST_AREA_WITHOUT_NINE
    ):
        return f"55{national[:2]}{national[3:]}"
    return digits


def numbers_of(wa_id: str) -> tuple[str, ...]:
    """Return the numbers (E.164) whose wa_id is `wa_id`, which is digits; those that differ from it come first."""
    area, rest = wa_id[2:4], wa_id[4:]
    candidates = (f"{_MEXICO}{wa_id[3:]}", f"{_BRAZIL}{area}9{rest}", f"+{wa_id}")
    return tuple(number for number in candidates if wa_id_of(number) == wa_id)


def find_wa_id(number: str, wa_ids: Container[str], known: str | None = None) -> str | None:
    """Return which of `wa_ids` is that of `number` (E.164): the `known` one, or one that is usual for it."""
    usual = (known, wa_id_of(number), number.removeprefix("+"))
    return next((wa_id for wa_id in usual if wa_id is not None and wa_id in wa_ids), None)


def number_of(wa_id: str) -> str:
    """Return the number of `wa_id` as people write it, where the number itself is not known: its digits with `+`."""
    return f"+{wa_id}"


def bare(wa_id: str) -> str:
    """Return `wa_id` without what the blocklist adds to it."""
    return wa_id.removesuffix(BLOCKLIST_SUFFIX)
