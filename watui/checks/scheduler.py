"""Decides what to ask next, and when. Pure: it knows no HTTP and no clock; time comes in as an argument.

Numbers that were never asked go out in batches, in order. Those that come back without a final status are asked
again, the documented recipe of `no_wait` (contract section 1): when and in what company, `checks.polls` says. A failure
holds everything back for a while, as `client.pacing` says, and then one question at a time goes out until one is
answered.
"""

import math
import random
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from watui.checks.polls import Group, Polls
from watui.client.failures import Failure
from watui.client.pacing import MOST_TRIES, PACING, Pacing, Remedy, Trouble, may_be_its_own, remedy
from watui.contract.rules import DEFAULT_BATCH_SIZE


@dataclass(frozen=True)
class Policy:
    """How hard a server may be asked. Times in seconds."""

    batch_size: int = DEFAULT_BATCH_SIZE
    rate: float = 10.0
    """Requests a second."""
    within: float = 5.0
    """How soon a verdict is fetched at the latest, as far as the rate allows and the number has a chance of one."""
    longest_poll: float = 300.0
    """Twelve polls an hour for a number that never gets a final status."""
    in_flight: int = 8
    """Requests without an answer at any time."""
    pacing: Pacing = PACING
    """After failures."""


class Ask(NamedTuple):
    """Ask about these numbers now."""

    numbers: tuple[int, ...]
    is_first: bool
    """Whether none of them has been answered before: `force_check` goes with these alone."""
    sent_at: float = -math.inf
    tries: int = 0
    """Troubles in which this very question has failed, as far as that may be its own doing."""
    trouble: int = 0
    """The latest of them."""
    groups: tuple[Group, ...] = ()
    """The same numbers by what is known of them; none of those that are asked first."""
    attempt: int = 1
    """How often this very question is sent by then."""
    after: str = ""
    """How the attempt before it failed."""


class Knock(NamedTuple):
    """Look whether the server takes a connection, without asking anything."""


class Wait(NamedTuple):
    """Nothing to do before `until`, or before an answer comes where that is infinite."""

    until: float


class Done(NamedTuple):
    """Every number has a final status."""


class Outlook(NamedTuple):
    """What a run is doing. Times in seconds."""

    in_flight: int
    """Requests without an answer."""
    next_poll: float | None
    """Until then; None while others come first, or nothing is known to be open."""
    median: float | None
    """In which the server decides on half of the numbers; None while that is not known."""


class Scheduler:
    """The questions of one run. All times are of one monotonic clock, in seconds."""

    def __init__(
        self, policy: Policy, unasked: Sequence[int], open_numbers: Mapping[int, int], chance: random.Random
    ) -> None:
        """`unasked` were never answered; `open_numbers` were, so many times, and have no final status.

        `chance` gives jitter.
        """
        self._policy = policy
        self._unasked = unasked
        self._next_unasked = 0
        self._failed: deque[Ask] = deque()
        self._polls = Polls(
            len(unasked) + len(open_numbers),
            batch_size=policy.batch_size,
            rate=policy.rate,
            within=policy.within,
            longest=policy.longest_poll,
        )
        by_polls: defaultdict[int, list[int]] = defaultdict(list)
        for number, polls in open_numbers.items():
            by_polls[polls].append(number)
        for polls, numbers in by_polls.items():
            self._polls.add(Group(tuple(numbers), -math.inf, -math.inf, polls))
        self._in_flight = 0
        self._not_before = -math.inf
        self._trouble = Trouble(chance, policy.pacing)
        self._is_known = False
        """Whether the server has answered anything."""
        self._is_knocking = False

    @property
    def in_flight(self) -> int:
        """Requests without an answer."""
        return self._in_flight

    @property
    def stuck(self) -> int:
        """Numbers without a final status in STUCK_POLLS answers or more. They are asked on, seldom."""
        return self._polls.stuck

    def outlook(self, now: float) -> Outlook:
        """Return what is going on, and what comes next."""
        next_poll = None if self._has_unasked or not self._polls else max(0.0, self._polls.due_at(now) - now)
        return Outlook(self._in_flight, next_poll, self._polls.latency.median)

    @property
    def trouble(self) -> Trouble | None:
        """What holds everything back; None where the server answers."""
        return self._trouble if self._trouble.is_on else None

    @property
    def is_done(self) -> bool:
        """Whether every number has a final status."""
        return not (self._in_flight or self._failed or self._polls or self._has_unasked)

    def next(self, now: float) -> Ask | Knock | Wait | Done:
        """Return what to do at `now`. An Ask counts as sent."""
        if self.is_done:
            return Done()
        if self._is_knocking or self._in_flight >= (1 if self._trouble.is_on else self._policy.in_flight):
            return Wait(math.inf)
        ready_at = max(self._not_before, self._trouble.until, self._first_due(now))
        if now >= ready_at:
            return self._ask(now)
        if now >= self._trouble.knock_at:
            self._is_knocking = True
            return Knock()
        return Wait(min(ready_at, self._trouble.knock_at))

    def _ask(self, now: float) -> Ask:
        self._in_flight += 1
        self._not_before = now + 1 / self._policy.rate
        is_poll = self._polls.is_worth_a_turn(now) if self._has_unasked else self._polls.due_at(now) <= now
        if self._failed and not (self._are_suspect and (is_poll or self._has_unasked)):
            return self._failed.popleft()._replace(sent_at=now)
        if not is_poll:
            return Ask(self._take_unasked(), True, now)
        groups = self._polls.take(now)
        return Ask(tuple(chain.from_iterable(group.numbers for group in groups)), False, now, groups=groups)

    @property
    def _are_suspect(self) -> bool:
        """Whether the questions that failed may be all that does: another one tells.

        In a long outage that is asked ever more seldom, so that not all of a list is asked in vain.
        """
        return self._failed[0].tries > 0 and self._trouble.failures >= len(self._failed) ** 2

    def answered(self, ask: Ask, still_open: Iterable[int], now: float) -> None:
        """Take note that `ask` was answered, leaving `still_open` without a final status."""
        self._in_flight -= 1
        self._is_known = True
        self._trouble.answered(ask.sent_at)
        looked_at = (ask.sent_at + now) / 2
        still_open = set(still_open)
        if ask.groups:
            self._polls.answered(ask.groups, still_open, looked_at)
        elif still_open:
            numbers = tuple(number for number in ask.numbers if number in still_open)
            self._polls.add(Group(numbers, looked_at, looked_at, 1))

    def failed(self, ask: Ask, failure: Failure, now: float) -> bool:
        """Take note that `ask` got no answer, and return whether it is asked again without anybody's doing.

        It is where waiting may mend that; not where a server has never answered, and not where it is this question
        that fails, again and again, while others are answered.
        """
        self._in_flight -= 1
        cure = remedy(failure, is_known=self._is_known)
        self._trouble.failed(failure, cure, ask.sent_at, now, self._in_flight)
        counts = may_be_its_own(failure) and ask.trouble != self._trouble.number
        if counts:
            ask = ask._replace(tries=ask.tries + 1, trouble=self._trouble.number)
        self._failed.append(ask._replace(attempt=ask.attempt + 1, after=failure.outcome))
        if cure is Remedy.NOTHING or (counts and ask.tries >= MOST_TRIES):
            return False
        return cure is Remedy.TIME or not self._trouble.is_enough

    def knocked(self, is_open: bool, now: float) -> None:
        """Take note whether the server takes a connection."""
        self._is_knocking = False
        self._trouble.knocked(is_open, now)

    def forgive(self) -> None:
        """Forget past failures: a person says that it may go on. What the server asked to wait still holds."""
        self._trouble.forgive()
        self._failed = deque(ask._replace(tries=0, trouble=0) for ask in self._failed)

    @property
    def _has_unasked(self) -> bool:
        return self._next_unasked < len(self._unasked)

    def _first_due(self, now: float) -> float:
        """Return when there is something to ask; infinite while only answers can bring it."""
        if self._failed or self._has_unasked:
            return -math.inf
        return self._polls.due_at(now)

    def _take_unasked(self) -> tuple[int, ...]:
        numbers = tuple(self._unasked[self._next_unasked : self._next_unasked + self._policy.batch_size])
        self._next_unasked += len(numbers)
        return numbers
