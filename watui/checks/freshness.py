"""How old an answer is, against the seven days for which a server keeps it (contract section 1)."""

from enum import StrEnum

from watui.contract.rules import CACHE_SECONDS

EXPIRING_SECONDS = CACHE_SECONDS - 24 * 3600
"""Age from which on an answer will be stale within a day."""


class Freshness(StrEnum):
    """What the age of an answer means."""

    FRESH = "fresh"
    """The server would answer the same from its cache."""
    EXPIRING = "expiring"
    STALE = "stale"
    """The server would check anew."""


def freshness(seconds: float) -> Freshness:
    """Return what it means that an answer is so many seconds old."""
    if seconds < EXPIRING_SECONDS:
        return Freshness.FRESH
    return Freshness.EXPIRING if seconds < CACHE_SECONDS else Freshness.STALE
