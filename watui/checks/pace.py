"""How fast a run goes, from what was counted lately."""

from collections import deque

WINDOW_SECONDS = 8.0

LEAST_SECONDS = 2.5
"""Of counting, before it is told how long the rest takes."""


class Pace:
    """A rate over the latest seconds. Times are of one monotonic clock."""

    def __init__(self) -> None:
        self._counts: deque[tuple[float, float]] = deque()

    def observe(self, now: float, count: float) -> None:
        """Take note that `count`, a total that never falls, stands at `now`."""
        self._counts.append((now, count))
        while len(self._counts) > 2 and self._counts[1][0] <= now - WINDOW_SECONDS:
            self._counts.popleft()

    def per_second(self) -> float:
        """Return the rate; 0 while too little is known."""
        if len(self._counts) < 2:
            return 0.0
        (first, low), (last, high) = self._counts[0], self._counts[-1]
        return (high - low) / (last - first) if last > first else 0.0

    def seconds_left(self, remaining: float, at_least: float = 0.0) -> float | None:
        """Return how long `remaining` take at this rate, `at_least` so long; None while that can't be told."""
        rate = self.per_second()
        is_known = len(self._counts) > 1 and self._counts[-1][0] - self._counts[0][0] >= LEAST_SECONDS
        return max(at_least, remaining / rate) if is_known and rate > 0 else None
