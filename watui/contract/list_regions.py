"""Numbers of a list that belong to another country than the server's, or have lost their `+`.

A server gives a number without `+` the country code of its own. Where a list is of another country, its numbers are
sent in their international form instead, which every server reads as the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from watui.contract.conversion import check_region, read
from watui.contract.damage import begins_with_plus, find_doubt, with_plus

PLUS = "+"
"""Stands for the country of a list whose numbers begin with their country codes: only their `+` is missing."""

FEWEST = 5
"""Numbers without `+` from which on there is something to be told of their country."""

_MOST = 0.9
"""Share of the numbers that make sense in an ordinary list."""

_NEARLY_ALL = 0.95
"""Share of the numbers that must make sense in another way for that to be named."""

_MANY = 0.8
"""The same with a `+` before them, where they make little sense as they are."""

_A_FEW = 20
"""Numbers by which most countries are ruled out."""


def check_list_region(text: str) -> str:
    """Return a country for a list: `+`, or a region in capitals. Raises UnknownRegion."""
    return PLUS if text.strip() == PLUS else check_region(text)


def international(text: str, list_region: str, region: str) -> str | None:
    """Return what is sent so that a server of `region` reads `text` as a number of `list_region`.

    None where it is sent as it is: it begins with a `+`, is read as the same anyway, or can't be read so.
    """
    if begins_with_plus(text):
        return None
    if list_region == PLUS:
        meant = read(with_plus(text), region)
        is_such = meant.doubt is None
    else:
        meant = read(text, list_region)
        is_such = True
    return meant.number if is_such and meant.number != read(text, region).number else None


def find_list_region(texts: Sequence[str], region: str) -> str | None:
    """Return of which country `texts` probably are, numbers without `+`; None where that can't be told.

    That is where they may well be of `region`, and else often: the numbers of many countries look alike.
    """
    with_their_codes = [read(with_plus(text), region) for text in texts]
    texts = [text for text, other in zip(texts, with_their_codes, strict=True) if other != read(text, region)]
    if len(texts) < FEWEST:
        return None
    share = sum(reading.doubt is None for reading in with_their_codes) / len(with_their_codes)
    if share >= _NEARLY_ALL:
        return PLUS
    if _fit(texts, region, _MOST):
        return None
    if share >= _MANY:
        return PLUS
    few = texts[:: max(1, len(texts) // _A_FEW)]
    others = [other for other in _regions() if other != region and _fit(few, other) and _fit(texts, other)]
    return others[0] if len(others) == 1 else None


def in_words(list_region: str) -> str:
    """Say how a list of that country is read."""
    return "lost + put back" if list_region == PLUS else f"numbers without + read as of {list_region}"


def _fit(texts: Sequence[str], region: str, share: float = _NEARLY_ALL) -> bool:
    """Whether that share of `texts` makes sense as numbers of `region`."""
    left = (1 - share) * len(texts)
    for text in texts:
        left -= find_doubt(text, read(text, region), region) is not None
        if left < 0:
            return False
    return True


def _regions() -> Iterable[str]:
    """Each country code's main region: the others of it read numbers nearly alike."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    from watui.contract.numbering import WORLD

    return (regions[0] for regions in COUNTRY_CODE_TO_REGION_CODE.values() if regions[0] != WORLD)
