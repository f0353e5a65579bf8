"""Which numbers without a final status are asked again in one request, and when that is worth it.

Numbers with the same history are one group: first asked together, last looked at together. By what is known of the
server's latency, a share p of a group has been decided in the t seconds since that look, and a number of it has waited
p·t/2 for somebody to notice. That is the *worth* of looking at it now, in seconds of lag. A request takes the groups
that are worth most, of whatever batches, until it is full.

A request has a price in the same coin, and goes out when what it holds is worth it. While numbers wait to be asked
for the first time the price is high: a poll takes a turn from them, so it has to find many at once. It is in
proportion to the latency, so that a slow server is left in peace for longer, and is lower where asking takes hardly
longer than the latency itself. Once all are asked, turns are free and the price is what a request may cost beside the
mean lag of the run. For numbers that come in at a rate λ, that means a look every √(2·price/λ) seconds, the interval
with the least cost of all, as where a store is filled up again: often while many are decided, seldom at the end.

What no learning can know is how the last few behave. So no group is left alone for longer than `within`: there a
request goes out whatever it is worth, and takes everything else along that it has room for. Where even that is too
much for the rate, it is stretched. A number that was looked at many times in vain is asked ever more seldom.
"""

import heapq
import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from itertools import count
from operator import attrgetter, itemgetter

from watui.checks.latency import Latency
from watui.checks.standing import STUCK_POLLS

_SELDOM_GROWTH = 1.2
"""How much longer each of the last waits before a number is stuck is than the one before."""

_SLOWEST_TURN, _SHORTEST_TURN = 0.9, 0.13
"""What a number must be worth at least for a poll to take a turn from a first question: parts of the median latency,
and of the time that all first questions take, whichever is less."""

_USUAL_LATENCY = 2.0
"""Stands for the median while it is unknown."""

_LEAST_PRICE, _MEAN_LAG, _MOST_PRICE = 0.2, 0.0014, 0.1
"""What a request costs, in seconds of lag: so much, and so much for each number of the run; at most, for each number
that it can hold."""

_PROMPT = 0.82
"""Of `within`, when a request goes out: an answer takes a while, and a turn may not be free."""

_MOST_OF_RATE = 0.5
"""That may be taken up by looking at everything within that time."""

_SAME_AGE = 0.1
"""Of their age, by how much groups may differ that are one from then on."""

_MOST_WEIGHED = 200
"""Groups that are compared, those looked at longest ago."""

_HALVINGS = 8
"""To find a moment: a fiftieth of a second."""


def price(numbers: int, batch_size: int) -> float:
    """Return what a request of a run of so many numbers must be worth, in seconds of lag."""
    return min(_LEAST_PRICE + _MEAN_LAG * numbers, _MOST_PRICE * batch_size)


@dataclass(frozen=True, eq=False, slots=True)
class Group:
    """Numbers with the same history. Times are of the scheduler's clock."""

    numbers: tuple[int, ...]
    asked_at: float
    """When they were first asked; infinitely long ago where that is not known."""
    looked_at: float
    """When the server last said that they were open; infinitely long ago where that is not known."""
    polls: int
    """Answers without a final status."""

    @property
    def is_stuck(self) -> bool:
        """Whether nobody should wait for them."""
        return self.polls >= STUCK_POLLS


class Polls:
    """The groups of one run. `numbers` is how many numbers that has, the rest is of its policy."""

    def __init__(self, numbers: int, *, batch_size: int, rate: float, within: float, longest: float) -> None:
        self.latency = Latency()
        self.stuck = 0
        """Numbers in groups that are, also while they are being asked about."""
        self._batch_size = batch_size
        self._patience = _PROMPT * within
        self._longest = longest
        self._often = self._patience * rate * batch_size * _MOST_OF_RATE
        """Numbers that can be looked at again and again within the patience."""
        self._first_seconds = numbers / batch_size / rate
        self._price = price(numbers, batch_size)
        self._groups: list[Group] = []
        """Roughly in the order in which they were looked at."""
        self._open = 0
        """Numbers in them."""
        self._seldom: list[tuple[float, int, Group]] = []
        """Those that have been looked at very often, by when that is due."""
        self._order = count()
        self._due_at: float | None = None

    def __bool__(self) -> bool:
        return bool(self._groups or self._seldom)

    def add(self, group: Group) -> None:
        """Add a group that has just been looked at, or an old one."""
        self.stuck += len(group.numbers) * group.is_stuck
        wait = self._longest * _SELDOM_GROWTH ** min(0, group.polls - STUCK_POLLS)
        if wait > self._patience:
            heapq.heappush(self._seldom, (group.looked_at + wait, next(self._order), group))
        else:
            self._groups.append(group)
            self._open += len(group.numbers)
        self._due_at = None

    def is_worth_a_turn(self, now: float) -> bool:
        """Whether a poll should go out although numbers wait to be asked for the first time."""
        least = min(_SLOWEST_TURN * (self.latency.median or _USUAL_LATENCY), _SHORTEST_TURN * self._first_seconds)
        return self._worth(now) >= max(self._price, least * self._batch_size)

    def due_at(self, now: float) -> float:
        """Return when a poll should go out where no number waits to be asked for the first time."""
        if self._due_at is None:
            self._due_at = self._find_due(now)
        return self._due_at

    def take(self, now: float) -> tuple[Group, ...]:
        """Return what a request of `now` asks about; it is not here again before that is answered."""
        taken: list[Group] = []
        room = self._batch_size
        ranked = self._ranked(now)
        for _, group in ranked:
            if room > 0:
                taken.append(group)
                room -= len(group.numbers)
        gone = set(taken)
        self._groups = [group for group in self._groups if group not in gone]
        self._open = sum(len(group.numbers) for group in self._groups)
        self._seldom = [each for each in self._seldom if each[-1] not in gone]
        heapq.heapify(self._seldom)
        if room < 0:
            taken[-1], rest = _split(taken[-1], len(taken[-1].numbers) + room)
            self._groups.insert(0, rest)
            self._open += len(rest.numbers)
        self._due_at = None
        return tuple(taken)

    def answered(self, groups: Iterable[Group], still_open: Collection[int], looked_at: float) -> None:
        """Take note that the server looked at `groups`, and which of their numbers it left open."""
        left: list[Group] = []
        for group in groups:
            self.stuck -= len(group.numbers) * group.is_stuck
            numbers = tuple(number for number in group.numbers if number in still_open)
            asked_at = looked_at
            if not math.isinf(group.looked_at):
                asked_at = group.asked_at
                ages = group.looked_at - asked_at, looked_at - asked_at
                self.latency.learn(*ages, len(group.numbers), len(group.numbers) - len(numbers))
            if numbers:
                left.append(Group(numbers, asked_at, looked_at, group.polls + 1))
        for group in _merged(left, looked_at):
            self.add(group)

    def _ranked(self, at: float) -> list[tuple[float, Group]]:
        """Return what may be asked about, what is worth most first, each with the worth of one of its numbers.

        That is infinite where a group is left alone no longer.
        """
        late = at - self._longest_wait
        ranked = [(math.inf, group) for due, _, group in self._seldom if due <= at]
        for group in self._groups[:_MOST_WEIGHED]:
            worth = math.inf
            if group.looked_at > late:
                share = self.latency.share_decided(group.looked_at - group.asked_at, at - group.asked_at)
                worth = share * (at - group.looked_at) / 2
            ranked.append((worth, group))
        ranked.sort(key=itemgetter(0), reverse=True)
        return ranked

    def _worth(self, at: float) -> float:
        """Return what the best request is worth."""
        total, room = 0.0, self._batch_size
        for worth, group in self._ranked(at):
            total += worth * min(room, len(group.numbers))
            room -= len(group.numbers)
            if room <= 0:
                break
        return total

    @property
    def _longest_wait(self) -> float:
        return self._patience * max(1.0, self._open / self._often)

    def _find_due(self, now: float) -> float:
        oldest = min((group.looked_at for group in self._groups), default=math.inf)
        due = min(oldest + self._longest_wait, self._seldom[0][0] if self._seldom else math.inf)
        if due <= now or self._worth(now) >= self._price:
            return now
        if not self._groups:
            return due
        early = now
        for _ in range(_HALVINGS):
            middle = (early + due) / 2
            if self._worth(middle) >= self._price:
                due = middle
            else:
                early = middle
        return due


def _split(group: Group, count_first: int) -> tuple[Group, Group]:
    first, rest = group.numbers[:count_first], group.numbers[count_first:]
    return replace(group, numbers=first), replace(group, numbers=rest)


def _merged(groups: list[Group], at: float) -> list[Group]:
    """Return groups of one look with those made one that hardly differ in age, and not in polls."""
    merged: list[Group] = []
    for group in sorted(groups, key=attrgetter("polls", "asked_at")):
        last = merged[-1] if merged else None
        if last and last.polls == group.polls and group.asked_at - last.asked_at <= _SAME_AGE * (at - last.asked_at):
            share = len(group.numbers) / (len(last.numbers) + len(group.numbers))
            asked_at = last.asked_at + share * (group.asked_at - last.asked_at)
            merged[-1] = replace(last, numbers=last.numbers + group.numbers, asked_at=asked_at)
        else:
            merged.append(group)
    return merged
