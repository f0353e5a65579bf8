"""Decides what to ask next, and when. Pure: it knows no HTTP and no clock; time comes in as an argument.

Numbers that were never asked go out in batches, in order. Those that come back without a final status are asked
again, the documented recipe of `no_wait` (contract section 1): each after a delay that grows from poll to poll, and
packed with whatever else is due into one request. Polls and first questions take turns, so that a long list neither
starves its first answers nor is starved by them. A failure holds everything back for a while, as `client.pacing` says,
and then one question at a time goes out until one is answered.
"""

import heapq
import math
import random
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from watui.checks.standing import STUCK_POLLS
from watui.client.failures import Failure
from watui.client.pacing import MOST_TRIES, PACING, Pacing, Remedy, Trouble, may_be_its_own, remedy
from watui.contract.rules import DEFAULT_BATCH_SIZE


@dataclass(frozen=True)
class Policy:
    """How hard a server may be asked. Times in seconds."""

    batch_size: int = DEFAULT_BATCH_SIZE
    rate: float = 10.0
    """Requests a second."""
    first_poll_after: float = 1.0
    poll_growth: float = 1.25
    """How much longer each wait for the next poll of a number is."""
    longest_poll: float = 300.0
    """Twelve polls an hour for a number that never gets a final status."""
    in_flight: int = 8
    """Requests without an answer at any time."""
    pacing: Pacing = PACING
    """After failures."""


_MOST_POLLS = 100
"""Whose delay differs from poll to poll."""


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


class Knock(NamedTuple):
    """Look whether the server takes a connection, without asking anything."""


class Wait(NamedTuple):
    """Nothing to do before `until`, or before an answer comes where that is infinite."""

    until: float


class Done(NamedTuple):
    """Every number has a final status."""


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
        self._polls = dict(open_numbers)
        self._stuck = sum(map(_is_stuck, self._polls.values()))
        self._due: list[tuple[float, int, tuple[int, ...]]] = []
        self._order = 0
        self._in_flight = 0
        self._not_before = -math.inf
        self._trouble = Trouble(chance, policy.pacing)
        self._is_known = False
        """Whether the server has answered anything."""
        self._is_knocking = False
        self._poll_is_next = False
        if self._polls:
            self._put_back(tuple(self._polls), -math.inf)

    @property
    def in_flight(self) -> int:
        """Requests without an answer."""
        return self._in_flight

    @property
    def stuck(self) -> int:
        """Numbers without a final status in STUCK_POLLS answers or more. They are asked on, seldom."""
        return self._stuck

    @property
    def trouble(self) -> Trouble | None:
        """What holds everything back; None where the server answers."""
        return self._trouble if self._trouble.is_on else None

    @property
    def is_done(self) -> bool:
        """Whether every number has a final status."""
        return not (self._in_flight or self._failed or self._due or self._has_unasked)

    def next(self, now: float) -> Ask | Knock | Wait | Done:
        """Return what to do at `now`. An Ask counts as sent."""
        if self.is_done:
            return Done()
        if self._is_knocking or self._in_flight >= (1 if self._trouble.is_on else self._policy.in_flight):
            return Wait(math.inf)
        ready_at = max(self._not_before, self._trouble.until, self._first_due())
        if now >= ready_at:
            return self._ask(now)
        if now >= self._trouble.knock_at:
            self._is_knocking = True
            return Knock()
        return Wait(min(ready_at, self._trouble.knock_at))

    def _ask(self, now: float) -> Ask:
        self._in_flight += 1
        self._not_before = now + 1 / self._policy.rate
        poll_is_due = bool(self._due) and self._due[0][0] <= now
        if self._failed and not (self._are_suspect and (poll_is_due or self._has_unasked)):
            return self._failed.popleft()._replace(sent_at=now)
        is_poll = poll_is_due and (self._poll_is_next or not self._has_unasked)
        self._poll_is_next = not is_poll
        return Ask(self._take_polls(now), False, now) if is_poll else Ask(self._take_unasked(), True, now)

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
        by_polls: dict[int, list[int]] = {}
        still_open = set(still_open)
        for number in ask.numbers:
            polls = self._polls.pop(number, 0)
            self._stuck -= _is_stuck(polls)
            if number in still_open:
                self._polls[number] = polls + 1
                self._stuck += _is_stuck(polls + 1)
                by_polls.setdefault(polls, []).append(number)
        for polls, numbers in by_polls.items():
            self._put_back(tuple(numbers), now + self._poll_delay(polls))

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
        self._failed.append(ask)
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

    def _first_due(self) -> float:
        """Return when there is something to ask; infinite while only answers can bring it."""
        if self._failed or self._has_unasked:
            return -math.inf
        return self._due[0][0] if self._due else math.inf

    def _poll_delay(self, polls: int) -> float:
        growth = self._policy.poll_growth ** min(polls, _MOST_POLLS)
        return min(self._policy.longest_poll, self._policy.first_poll_after * growth)

    def _put_back(self, numbers: tuple[int, ...], due: float) -> None:
        self._order += 1
        heapq.heappush(self._due, (due, self._order, numbers))

    def _take_unasked(self) -> tuple[int, ...]:
        numbers = tuple(self._unasked[self._next_unasked : self._next_unasked + self._policy.batch_size])
        self._next_unasked += len(numbers)
        return numbers

    def _take_polls(self, now: float) -> tuple[int, ...]:
        numbers: list[int] = []
        while self._due and self._due[0][0] <= now and len(numbers) < self._policy.batch_size:
            due, _, group = heapq.heappop(self._due)
            room = self._policy.batch_size - len(numbers)
            numbers += group[:room]
            if group[room:]:
                self._put_back(group[room:], due)
        return tuple(numbers)


def _is_stuck(polls: int) -> bool:
    return polls >= STUCK_POLLS
