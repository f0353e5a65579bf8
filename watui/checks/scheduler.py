"""Decides what to ask next, and when. Pure: it knows no HTTP and no clock; time comes in as an argument.

Numbers that were never asked go out in batches, in order. Those that come back without a final status are asked
again, the documented recipe of `no_wait` (contract section 1): each after a delay that grows from poll to poll, and
packed with whatever else is due into one request. Polls and first questions take turns, so that a long list neither
starves its first answers nor is starved by them. Trouble on the server's side holds everything back for a while.
"""

import heapq
import math
import random
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

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
    first_retry_after: float = 1.0
    longest_retry: float = 60.0
    in_flight: int = 8
    """Requests without an answer at any time."""


_MOST_POLLS = 100
"""Whose delay differs from poll to poll."""

STUCK_POLLS = 27
"""Answers without a final status after which a number counts as stuck: that takes about half an hour, and from then on
the usual policy waits as long as it ever does."""

_MOST_DOUBLINGS = 16
"""Of the delay after failures; any `longest_retry` is reached long before."""


class Ask(NamedTuple):
    """Ask about these numbers now."""

    numbers: tuple[int, ...]
    is_first: bool
    """Whether none of them has been answered before: `force_check` goes with these alone."""
    sent_at: float = -math.inf
    tries: int = 0
    """How often this very question has failed before."""


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
        self._chance = chance
        self._unasked = unasked
        self._next_unasked = 0
        self._failed: deque[Ask] = deque()
        self._polls = dict(open_numbers)
        self._stuck = sum(map(_is_stuck, self._polls.values()))
        self._due: list[tuple[float, int, tuple[int, ...]]] = []
        self._order = 0
        self._in_flight = 0
        self._not_before = -math.inf
        self._closed_until = -math.inf
        self._trouble = 0
        self._last_trouble_at = -math.inf
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
    def held_until(self) -> float | None:
        """Until when nothing goes out because of trouble; None where there is none."""
        return max(self._not_before, self._closed_until) if self._trouble else None

    @property
    def is_done(self) -> bool:
        """Whether every number has a final status."""
        return not (self._in_flight or self._failed or self._due or self._has_unasked)

    def next(self, now: float) -> Ask | Wait | Done:
        """Return what to do at `now`. An Ask counts as sent."""
        if self.is_done:
            return Done()
        if self._in_flight >= (1 if self._trouble else self._policy.in_flight):
            return Wait(math.inf)
        ready_at = max(self._not_before, self._closed_until, self._first_due())
        if now < ready_at:
            return Wait(ready_at)
        self._in_flight += 1
        self._not_before = now + 1 / self._policy.rate
        if self._failed:
            return self._failed.popleft()._replace(sent_at=now)
        poll_is_due = bool(self._due) and self._due[0][0] <= now
        is_poll = poll_is_due and (self._poll_is_next or not self._has_unasked)
        self._poll_is_next = not is_poll
        return Ask(self._take_polls(now), False, now) if is_poll else Ask(self._take_unasked(), True, now)

    def answered(self, ask: Ask, still_open: Iterable[int], now: float) -> None:
        """Take note that `ask` was answered, leaving `still_open` without a final status."""
        self._in_flight -= 1
        self._trouble = 0
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

    def failed(self, ask: Ask, now: float, retry_after: float | None = None, *, counts: bool = True) -> None:
        """Take note that `ask` got no answer: it is asked again, after `retry_after` seconds at least.

        `counts` is whether it counts among the tries of this question. Questions that were under way together and
        fail together are one trouble, and after it one question at a time goes out until one is answered.
        """
        self._in_flight -= 1
        if ask.sent_at > self._last_trouble_at:
            self._last_trouble_at = now
            doublings = min(self._trouble, _MOST_DOUBLINGS)
            backoff = min(self._policy.longest_retry, self._policy.first_retry_after * 2**doublings)
            self._trouble += 1
            self._not_before = max(self._not_before, now + backoff * self._chance.uniform(0.75, 1.25))
        self._closed_until = max(self._closed_until, now + (retry_after or 0.0))
        self._failed.append(ask._replace(tries=ask.tries + counts))

    def forgive(self) -> None:
        """Forget past failures: a person says that it may go on. What the server asked to wait still holds."""
        self._trouble = 0
        self._not_before = -math.inf
        self._failed = deque(ask._replace(tries=0) for ask in self._failed)

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
