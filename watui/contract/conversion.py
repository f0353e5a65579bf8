"""How a server reads a number (contract section 1).

`phonenumbers` is imported when the first number is read: it is not needed for the first screen.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from watui.contract.numbering import Code, Owner

POSSIBLE = 0
"""What the library says of a number of a possible length, `ValidationResult.IS_POSSIBLE`."""

_BEGINNING = 6
"""Characters of a number in E.164 that nearly always say all but the number itself."""

_BEGINNINGS = 1 << 14
"""How many of them are kept in mind, with the lengths of their numbers."""

_Judgement = tuple[str | None, str | None, bool]
"""The rest of a Reading: region, doubt, and whether the number is possible."""

_alike: dict[tuple[str, int], _Judgement | None] = {}
"""What is known of all numbers in E.164 that begin so and have so many characters; None where they differ."""


class Reading(msgspec.Struct, frozen=True, gc=False):
    """An input as a server registered in some region reads it."""

    number: str | None
    """E.164 with `+`, None where the input does not parse."""
    region: str | None
    """The number's own region, such as `IN`; `001` for numbers of no country."""
    doubt: str | None
    """Why the number may not be what was meant, in a few words; None when it is a valid number."""
    possible: bool
    """Whether a server checks it at all; if not, it answers `failed`."""


class UnknownRegion(ValueError):
    """A region that no numbering plan has."""

    def __init__(self, region: str) -> None:
        hint = "GB" if region.upper() == "UK" else "US, IN or BR"
        super().__init__(f"{region!r} is not a region: give two letters such as {hint}")


def check_region(region: str) -> str:
    """Return `region` in capitals. Raises UnknownRegion."""
    import phonenumbers

    known = region.strip().upper()
    if known not in phonenumbers.SUPPORTED_REGIONS:
        raise UnknownRegion(region)
    return known


def read(text: str, region: str) -> Reading:
    """Return how a server whose own number is of `region` reads `text`.

    A number without a leading `+` gets that region's country code. `region` must be one that
    `check_region` returned.
    """
    beginning = (text[:_BEGINNING], len(text)) if text[1:].isdigit() and text[0] == "+" and text.isascii() else None
    if beginning is not None and (known := _alike.get(beginning)) is not None:
        return Reading(text, *known)
    try:
        code, national = _finder()(text, region) or _parsed(text, region)
    except ValueError as error:
        return Reading(None, None, str(error), False)
    judged = _judged(code, code.owner(national), len(national))
    if beginning is not None and code.is_frequent and beginning not in _alike and len(_alike) < _BEGINNINGS:
        _alike[beginning] = _judged_by(*beginning)
    return Reading(f"+{code.digits}{national}", *judged)


def checkable(text: str, region: str) -> str | None:
    """Return the number of `read(text, region)` where that is possible, else None: all that a server asks for."""
    try:
        code, national = _finder()(text, region) or _parsed(text, region)
    except ValueError:
        return None
    return f"+{code.digits}{national}" if code.length_verdicts[len(national)] == POSSIBLE else None


def _judged_by(beginning: str, count: int) -> _Judgement | None:
    """Return what there is to say of all numbers in E.164 that begin so, None where they differ."""
    from watui.contract.numbering import find_alike

    found = find_alike(beginning, count)
    return _judged(*found) if found is not None else None


def _judged(code: Code, owner: Owner, national_digits: int) -> _Judgement:
    """Return what there is to say of a number: its region, why it is doubtful, and whether it is possible."""
    own_region, is_valid = owner
    verdict = code.length_verdicts[national_digits]
    if verdict != POSSIBLE:
        doubt: str | None = _length_doubt(verdict)
    else:
        doubt = None if is_valid else f"no such number in {code.main_region}"
    return own_region or code.main_region, doubt, verdict == POSSIBLE


@cache
def _finder() -> Callable[[str, str], tuple[Code, str] | None]:
    """Return what finds nearly every number; looked up once, as an import in each call would cost more than that."""
    from watui.contract.numbering import find

    return find


def _parsed(text: str, region: str) -> tuple[Code, str]:
    """Return the country code and the digits after it that the library itself finds, in whatever is written oddly.

    Raises ValueError with the doubt where it finds none.
    """
    import phonenumbers

    from watui.contract.numbering import code_at

    try:
        parsed = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise ValueError(_parse_doubt(error.error_type)) from error
    return code_at(parsed.country_code or 0), phonenumbers.national_significant_number(parsed)


def for_people(number: str) -> str:
    """Return `number` (E.164, or digits with `+`) as people write it; unchanged where it is no number."""
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _parse_doubt(error_type: int) -> str:
    from phonenumbers import NumberParseException as Kind

    return {
        Kind.INVALID_COUNTRY_CODE: "no such country code",
        Kind.NOT_A_NUMBER: "not a phone number",
        Kind.TOO_SHORT_AFTER_IDD: "too short",
        Kind.TOO_SHORT_NSN: "too short",
        Kind.TOO_LONG: "too long",
    }.get(error_type, "not a phone number")


def _length_doubt(result: int) -> str:
    from phonenumbers import ValidationResult as Kind

    return {
        Kind.TOO_SHORT: "too short",
        Kind.TOO_LONG: "too long",
        Kind.INVALID_COUNTRY_CODE: "no such country code",
        Kind.IS_POSSIBLE_LOCAL_ONLY: "lacks the area code",
    }.get(result, "wrong length")


def home_of(wa_id: str) -> str | None:
    """Return the region of a server whose own number is `wa_id` (section 6); None where its digits name no country."""
    import phonenumbers

    try:
        parsed = phonenumbers.parse(f"+{wa_id.removeprefix('+')}")
    except phonenumbers.NumberParseException:
        return None
    # Digits that differ from the number's own may fit no region: the country code always has a main one.
    code = parsed.country_code or 0
    return phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(code)


def country_code(region: str) -> int:
    """Return what numbers of `region` begin with, behind their `+`."""
    import phonenumbers

    return phonenumbers.country_code_for_region(region)


def are_read_alike(region: str, other: str) -> bool:
    """Whether numbers without `+` get the same country code in two regions."""
    return country_code(region) == country_code(other)


def contradiction(number: str | None, wa_id: str | None) -> str | None:
    """Return why `wa_id` can't belong to `number` (E.164): it lies in another of the world's numbering zones.

    A sign that the server is registered in another country than assumed. A wa_id may differ from the number in
    its other digits (contract section 1).
    """
    if number and wa_id and wa_id.isascii() and wa_id.isdigit() and wa_id[0] != number[1]:
        return "wa_id of another country: is the region right?"
    return None
