"""What it takes to ask about a list, told before anything is sent."""

import math
import time
from collections.abc import Sequence
from typing import NamedTuple

from watui.contract.rules import CACHE_SECONDS
from watui.ledger.rows import Polled, RunOptions, RunRecord, Summary
from watui.text import counted

_LATENCIES = (0.5, 5.0)
"""Seconds in which a server that is not known yet decides on half of the numbers: a quick one, and a slow one."""

_USUAL_LATENCY = 1.5

_SPREAD = 1.5
"""By how much, either way, a run may differ from what the one before it tells."""


FEWEST_TELLING = 20
"""Numbers that a run must have asked about to tell how often others are polled."""


class Cost(NamedTuple):
    """What asking about a list takes."""

    numbers: int
    """To ask."""
    known: int
    """Answered not long ago: they are not asked."""
    requests: int
    """That ask about each number once."""
    polls: tuple[int, int] | None
    """The fewest and the most requests that are likely after these; None where nobody polls."""
    is_guess: bool = False
    """Whether nothing is known yet of how fast the server is."""

    @property
    def calls(self) -> int:
        """The most requests that are likely, polls included."""
        return self.requests + (self.polls[1] if self.polls is not None else 0)

    @property
    def words(self) -> str:
        """The requests, for people."""
        if self.polls is None:
            return counted(self.requests, "request")
        fewest, most = self.polls
        if not most:
            polls = "hardly a poll"
        elif self.is_guess:
            polls = f"at least {counted(fewest, 'poll')}, {most:,} if answers are slow"
        else:
            polls = f"about {fewest:,} to {most:,} polls"
        return f"{counted(self.requests, 'request')}, then {polls}"


def known_since(options: RunOptions) -> float | None:
    """Return from when on an answer is fresh, in seconds since 1970; None where a run asks past what is known.

    A server has an answer of the last seven days in its cache (contract section 1): it would say the same again.
    """
    asks_anew = options.force_check or options.rechecks is not None
    return None if asks_anew else time.time() - CACHE_SECONDS


def cost_of(record: RunRecord, found: Summary, *, asks_all: bool = False) -> Cost:
    """Return what it takes to ask about a draft, or about what is not known of it."""
    known = 0 if asks_all else found.fresh
    numbers, batch_size = record.numbers - known, record.options.batch_size
    is_polled = record.options.blocking == "no_wait" and numbers > 0
    before = _telling(found.polled)
    polls = _polls(numbers, batch_size, before) if is_polled else None
    return Cost(numbers, known, math.ceil(numbers / batch_size), polls, is_guess=before is None)


def _telling(before: Sequence[Polled]) -> Polled | None:
    """Return the run that tells most of how often a list is polled: the largest one, if that is large enough."""
    largest = max(before, key=lambda each: each.numbers, default=None)
    return largest if largest is not None and largest.numbers >= FEWEST_TELLING else None


def _polls(numbers: int, batch_size: int, before: Polled | None) -> tuple[int, int]:
    """Return how many polls are likely, by how many there were `before` where that is known."""
    if before is None:
        fewest, most = (_usual_polls(numbers, batch_size, latency) for latency in _LATENCIES)
        return round(fewest), math.ceil(most)
    usual = _usual_polls(before.numbers, before.batch_size, _USUAL_LATENCY)
    polls = before.polls * _usual_polls(numbers, batch_size, _USUAL_LATENCY) / usual
    return math.floor(polls / _SPREAD), math.ceil(polls * _SPREAD)


def _usual_polls(numbers: int, batch_size: int, latency: float) -> float:
    """Return how many polls there are where half of the numbers that are left are decided in each `latency`.

    A look every √(2·price/λ) seconds (`checks.polls`), summed up over a rate λ that falls by half in a latency, and
    some that go out while numbers are still asked for the first time.
    """
    from watui.checks.polls import price

    return math.sqrt(2 * numbers * latency / math.log(2) / price(numbers, batch_size)) + numbers / batch_size
