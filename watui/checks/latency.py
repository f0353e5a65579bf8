"""How long a server takes to decide on a number: learned from what the polls find.

Nobody says when a number was decided, only that it was so by one look and not yet by the one before. The ages of
numbers are cut into bins, each a fifth longer than the one before, and for each bin is kept how many were decided in it
and for how long numbers were seen through it; the one divided by the other is the hazard there. What is found between
two looks is shared out among the bins between by what is believed at that moment. Old evidence fades as new comes in,
so that a server that has changed is learned anew.
"""

import math
from bisect import bisect_right
from itertools import accumulate
from operator import mul

_FIRST, _GROWTH, _BINS = 0.05, 1.2, 64
"""The end of the first bin in seconds, how much longer each is, and how many there are: up to an hour or so."""

_EDGES = [0.0, *(_FIRST * _GROWTH**place for place in range(_BINS - 1))]
_WIDTHS = [after - before for before, after in zip(_EDGES, [*_EDGES[1:], _EDGES[-1] * _GROWTH], strict=True)]
_LOG_GROWTH = math.log(_GROWTH)

_USUAL_SECONDS = 2.0
"""In which half of all numbers are decided, before anything is known; of the rest, half in twice as much, and so on."""

_PRIOR_NUMBERS = 3.0
"""That this belief counts for."""

_MEMORY = 3000.0
"""Numbers through a bin after which it has forgotten two thirds of what it knew before."""

_TINY = 1e-12


class Latency:
    """The ages at which numbers are decided. All of them in seconds since a number was first asked."""

    def __init__(self) -> None:
        self._seen = [_PRIOR_NUMBERS * width for width in _WIDTHS]
        """Seconds that numbers were open in each bin."""
        self._decided = [
            seen / (_USUAL_SECONDS + edge + width / 2)
            for seen, edge, width in zip(self._seen, _EDGES, _WIDTHS, strict=True)
        ]
        self._learned = 0
        self._hazards: list[float]
        self._until: list[float]
        self._sum_up()

    @property
    def median(self) -> float | None:
        """The age by which half of the numbers are decided that are not at once.

        None while nothing is known of it, and where it lies beyond the last bin.
        """
        place = bisect_right(self._until, math.log(2)) - 1
        if not self._learned or place == _BINS - 1:
            return None
        return _EDGES[place] + (math.log(2) - self._until[place]) / self._hazards[place]

    def share_decided(self, since: float, until: float) -> float:
        """Return which share of those that are open at the age `since` is decided at the age `until`."""
        return -math.expm1(self._hazard(since) - self._hazard(until))

    def learn(self, since: float, until: float, numbers: int, decided: int) -> None:
        """Take note that of so many `numbers` open at the age `since`, some were `decided` at the age `until`."""
        if until <= since:
            return
        self._learned += decided
        share = max(self.share_decided(since, until), _TINY)
        left = 1.0
        for place in range(_place(since), _place(until) + 1):
            end = min(until, _EDGES[place + 1]) if place + 1 < _BINS else until
            begin = max(since, _EDGES[place])
            here = left * -math.expm1(-self._hazards[place] * (end - begin))
            left -= here
            found = decided * here / share
            still = numbers - decided + decided * max(0.0, left - 1 + share) / share
            kept = math.exp(-(still + found) * (end - begin) / _WIDTHS[place] / _MEMORY)
            self._decided[place] = self._decided[place] * kept + found
            self._seen[place] = self._seen[place] * kept + (still + found / 2) * (end - begin)
        self._sum_up()

    def _hazard(self, age: float) -> float:
        """Return the hazard from the first question up to an `age`, summed up."""
        place = _place(age)
        return self._until[place] + self._hazards[place] * (age - _EDGES[place])

    def _sum_up(self) -> None:
        self._hazards = [decided / seen for decided, seen in zip(self._decided, self._seen, strict=True)]
        self._until = [0.0, *accumulate(map(mul, self._hazards[:-1], _WIDTHS))]


def _place(age: float) -> int:
    """Return the bin that an `age` is in; what is older than all of them is in the last."""
    return 0 if age < _FIRST else min(_BINS - 1, 1 + int(math.log(age / _FIRST) / _LOG_GROWTH))
