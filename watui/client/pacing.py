"""What is asked again, how often and how long after: the one place that says so (contract section 5).

Pure: it knows no clock, time comes in as an argument. What to expect of it: after the first failure a second goes by,
then 4, 16 and 64, and from there on what is left of the half hour is shared out among the requests that are left of
MOST_IN_TROUBLE. A server that asks for more time gets it.
"""

import math
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import NamedTuple

from watui.client.failures import (
    Failure,
    NotConnected,
    NotYetAccepted,
    Overloaded,
    ServerTrouble,
    Unreachable,
    Unusable,
)
from watui.zone import ZONE

MOST_TRIES = 3
"""Failures in a row after which somebody is told, where waiting alone may not mend it; and how often one change, whose
answers are lost, is sent."""

MOST_IN_TROUBLE = 20
"""Requests in any half hour in which a server answers none."""

HALF_HOUR = 1800.0

LONGEST_RETRY_AFTER = 24 * 3600.0
"""Seconds that a server's wish to wait is taken seriously."""

LONG_SECONDS = 3.0
"""Of waiting, from which on a person wonders."""

_MOST_GROWTH = 16
"""Times that a wait grows; any other limit is reached long before."""


class Remedy(Enum):
    """What may mend a failure."""

    NOTHING = auto()
    """Asking again brings the same."""
    TRIES = auto()
    """Asking again, MOST_TRIES times in all."""
    TIME = auto()
    """Asking again, for as long as it takes."""


def remedy(failure: Failure, *, is_known: bool) -> Remedy:
    """Return what may mend `failure`. `is_known` is whether the server has answered, and so is the right one."""
    match failure:
        case Overloaded():
            return Remedy.TIME
        case Unreachable() | ServerTrouble():
            return Remedy.TIME if is_known else Remedy.TRIES
        case Unusable() | NotYetAccepted():
            return Remedy.TRIES
        case _:
            return Remedy.NOTHING


def may_be_its_own(failure: Failure) -> bool:
    """Whether it may be this very question that a server fails at, while it answers others."""
    return not isinstance(failure, NotConnected | Overloaded)


def read_retry_after(text: str, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` asks for, given as seconds or as an HTTP date; None for anything else."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_RETRY_AFTER)
    date = read_date(text)
    return min(max(0.0, (date - now).total_seconds()), LONGEST_RETRY_AFTER) if date is not None else None


def read_date(text: str) -> datetime | None:
    """Return the moment that an HTTP date names, None where it names none."""
    try:
        date = parsedate_to_datetime(text)
        return date.replace(tzinfo=date.tzinfo or UTC)
    except (ValueError, TypeError, OverflowError):
        return None


class Waiting(NamedTuple):
    """Why nothing is asked for a while."""

    until: float
    """In seconds since 1970."""
    reason: str
    is_wanted: bool = False
    """Whether it is the server that asks for so much time."""
    requests: int = 0
    """Sent in vain so far."""
    seconds: float = 0.0
    """How long it is in all."""
    may_be_sooner: bool = False
    """Whether it ends as soon as the server takes a connection."""

    @property
    def at(self) -> str:
        """Its end on the clock on the wall."""
        return ZONE.clock(self.until)

    @property
    def is_long(self) -> bool:
        """Whether it is worth more than a word at the edge."""
        return self.seconds >= LONG_SECONDS

    @property
    def words(self) -> str:
        """The whole of it, as a part of a sentence; the reason may quote the server."""
        if self.is_wanted:
            return f"the server asks us to wait until {self.at}: {self.reason}"
        return f"waits until {self.at}: {self.reason}"


@dataclass(frozen=True)
class Pacing:
    """How a client waits. Times in seconds."""

    first: float = 1.0
    """After the first failure."""
    growth: float = 4.0
    """How much longer each further wait is."""
    jitter: float = 0.2
    """Share of a wait that is added by chance, so that not all clients come back at once."""
    knock: float = 20.0
    """Between two looks whether a server that takes no connection does so again."""

    def wait(self, failures: int, requests: int, elapsed: float, chance: random.Random) -> float:
        """Return how long to wait after so many `failures` in a row.

        So many `requests` have gone out since that trouble began, `elapsed` seconds ago.
        """
        share = (HALF_HOUR - elapsed) / max(1, MOST_IN_TROUBLE + 1 - requests)
        longest = max(HALF_HOUR / MOST_IN_TROUBLE, share)
        grown = self.first * self.growth ** min(failures - 1, _MOST_GROWTH)
        return self.jittered(min(grown, longest), chance)

    def jittered(self, seconds: float, chance: random.Random) -> float:
        """Return `seconds` or somewhat more."""
        return seconds * chance.uniform(1.0, 1.0 + self.jitter)


PACING = Pacing()


class Trouble:
    """What is wrong with a server, from the first failure to the next answer. All times are of one clock, in seconds.

    Questions that were under way together and fail together are one failure; an answer to one of them ends nothing.
    """

    def __init__(self, chance: random.Random, pacing: Pacing = PACING) -> None:
        self.number = 0
        """Of this trouble, counted from 1; that of the latest one where there is none."""
        self.failures = 0
        """In a row; none where the server answers."""
        self.requests = 0
        """That came to nothing since it began, together with those that were under way then."""
        self._chance = chance
        self._pacing = pacing
        self._tries = 0
        """Failures that are mended by trying a few times, if at all."""
        self._began_at = self._failed_at = -math.inf
        self._own_until = self._wanted_until = -math.inf
        self._knock_at = math.inf
        self._has_opened = False

    @property
    def is_on(self) -> bool:
        """Whether the server answers nothing."""
        return self.failures > 0

    @property
    def is_enough(self) -> bool:
        """Whether MOST_TRIES were made in vain."""
        return self._tries >= MOST_TRIES

    @property
    def until(self) -> float:
        """Nothing goes out before."""
        return max(self._own_until, self._wanted_until)

    @property
    def is_wanted(self) -> bool:
        """Whether it is the server that asks for so much time."""
        return self._wanted_until > self._own_until

    @property
    def knock_at(self) -> float:
        """When to look whether the server takes a connection; infinite where that would tell nothing."""
        return max(self._knock_at, self._wanted_until)

    def failed(self, failure: Failure, cure: Remedy, sent_at: float, now: float, under_way: int = 0) -> None:
        """Take note that a question of `sent_at` failed, while so many others are under way."""
        if sent_at > self._failed_at:
            if not self.is_on:
                self._begin(now, under_way)
            self.failures += 1
            self.requests += 1
            self._tries += cure is Remedy.TRIES
            self._failed_at = now
            self._own_until = now + self._pacing.wait(self.failures, self.requests, now - self._began_at, self._chance)
            is_shut = isinstance(failure, NotConnected) and not self._has_opened
            self._knock_at = self._next_knock(now) if is_shut else math.inf
        if isinstance(failure, ServerTrouble) and failure.retry_after is not None:
            spread = self._chance.uniform(0.0, self._pacing.first)
            self._wanted_until = max(self._wanted_until, now + failure.retry_after + spread)

    def answered(self, sent_at: float) -> None:
        """Take note that a question of `sent_at` was answered."""
        if sent_at > self._failed_at:
            self.failures = self._tries = 0
            self._knock_at = math.inf

    def knocked(self, is_open: bool, now: float) -> None:
        """Take note whether the server takes a connection: then the next question goes out at once.

        In one trouble that is believed once: a server may take connections, and nothing else.
        """
        self._has_opened |= is_open
        self._knock_at = math.inf if is_open else self._next_knock(now)
        if is_open:
            self._own_until = now

    def waiting(self, failure: Failure, now: float, wall: float) -> Waiting:
        """Return what is waited for after `failure`; `wall` is what `now` is in seconds since 1970."""
        seconds = max(0.0, self.until - now)
        may_be_sooner = not math.isinf(self._knock_at)
        return Waiting(wall + seconds, failure.title, self.is_wanted, self.requests, seconds, may_be_sooner)

    def forgive(self) -> None:
        """Forget the failures: a person says that it may go on. What the server asked to wait still holds."""
        self.failures = self._tries = 0
        self._own_until, self._knock_at = -math.inf, math.inf

    def _begin(self, now: float, requests: int) -> None:
        self.number += 1
        self.requests = requests
        self._began_at = now
        self._has_opened = False

    def _next_knock(self, now: float) -> float:
        return now + self._pacing.jittered(self._pacing.knock, self._chance)
