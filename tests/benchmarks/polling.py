"""How soon verdicts are known, and for how many requests: the scheduler in virtual time, beside other ways to poll.

`python -m tests.benchmarks.polling` prints all of them, as the table of the README.

The model: a server takes batches, at most ten requests a second. It looks half a round trip after a request was sent,
and the answer is there after the whole. A number is decided its latency after the server first saw it, and its lag is
from then until its verdict has arrived: half a round trip at least. All figures are means of five seeds, the longest
lag of each too.
"""

import heapq
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from random import Random
from statistics import NormalDist, fmean
from typing import NamedTuple, Protocol

from tests.benchmarks.figures import Figure, table
from watui.checks.scheduler import Ask, Done, Knock, Policy, Scheduler, Wait

RATE, ROUND_TRIP = 10.0, 0.1
MEDIAN, P99 = 1.5, 12.0
SLOW_SHARE, SLOW_SECONDS = 0.01, 60.0
"""Of the numbers, how many take so long instead."""

SEEDS = range(5)

MOST_LAG = 5.0


class Size(NamedTuple):
    """A list, and what is wanted of it against the baseline."""

    id: str
    numbers: int
    batch: int
    most_lag: float


SIZES = (Size("S11", 1_000, 100, 0.5), Size("S10", 10_000, 500, 0.4), Size("S11", 100_000, 1_000, 0.25))

HUGE, HUGE_BATCH = 1_000_000, 1_000


def latencies(numbers: int, seed: int) -> list[float]:
    """Return how long each number takes to be decided."""
    chance = Random(seed)
    sigma = math.log(P99 / MEDIAN) / NormalDist().inv_cdf(0.99)
    return [
        SLOW_SECONDS if chance.random() < SLOW_SHARE else MEDIAN * math.exp(sigma * chance.gauss(0.0, 1.0))
        for _ in range(numbers)
    ]


class World:
    """A server, and what came of asking it. With `waits` it answers only when everything is decided."""

    def __init__(self, latencies: Sequence[float], *, waits: bool = False) -> None:
        self.latencies = latencies
        self.waits = waits
        self.decided_at: dict[int, float] = {}
        """Of each number that was asked."""
        self.known_at: dict[int, float] = {}
        self.requests = 0

    def answers_at(self, ask: Ask) -> float:
        """Take a question, and return when the answer to it has arrived."""
        self.requests += 1
        looks_at = ask.sent_at + ROUND_TRIP / 2
        for number in ask.numbers:
            if number not in self.decided_at:
                self.decided_at[number] = looks_at + self.latencies[number]
        if self.waits:
            looks_at = max(looks_at, *map(self.decided_at.__getitem__, ask.numbers))
        return looks_at + ROUND_TRIP / 2

    def open_in(self, ask: Ask, now: float) -> list[int]:
        """Return what an answer that arrives `now` leaves open."""
        looked_at = now - ROUND_TRIP / 2
        still_open = [number for number in ask.numbers if self.decided_at[number] > looked_at]
        for number in set(ask.numbers).difference(still_open):
            self.known_at[number] = now
        return still_open


class Asker(Protocol):
    """Who asks, as the scheduler does."""

    def next(self, now: float) -> Ask | Knock | Wait | Done: ...

    def answered(self, ask: Ask, still_open: Iterable[int], now: float) -> None: ...


class Figures(NamedTuple):
    """What a run came to. Times in seconds."""

    requests: float
    mean_lag: float
    until_95: float
    """From the beginning until so many of a hundred are known."""
    longest_lag: float


def play(asker: Asker, world: World) -> Figures:
    """Let all numbers become known."""
    now, order = 0.0, count()
    flights: list[tuple[float, int, Ask]] = []
    while not isinstance(step := asker.next(now), Done):
        if isinstance(step, Ask):
            heapq.heappush(flights, (world.answers_at(step), next(order), step))
            continue
        assert isinstance(step, Wait)
        now = min(step.until, flights[0][0]) if flights else step.until
        while flights and flights[0][0] <= now:
            _, _, ask = heapq.heappop(flights)
            asker.answered(ask, world.open_in(ask, now), now)
    lags = [world.known_at[number] - decided for number, decided in world.decided_at.items()]
    known = sorted(world.known_at.values())
    return Figures(world.requests, fmean(lags), known[math.ceil(0.95 * len(known)) - 1], max(lags))


class Rival:
    """Asks what is due, in order, as fast as it may."""

    def __init__(self, numbers: int, batch: int) -> None:
        self.batch = batch
        self.in_flight = 0
        self._order = count()
        self._due: list[tuple[float, int, tuple[int, ...]]] = []
        self._not_before = 0.0
        self.begin([tuple(range(at, min(at + batch, numbers))) for at in range(0, numbers, batch)])

    def begin(self, batches: list[tuple[int, ...]]) -> None:
        for each in batches:
            self.put(each, 0.0)

    def put(self, numbers: tuple[int, ...], due: float) -> None:
        heapq.heappush(self._due, (due, next(self._order), numbers))

    def next(self, now: float) -> Ask | Wait | Done:
        if not self._due:
            return Wait(math.inf) if self.in_flight else Done()
        ready_at = max(self._not_before, self._due[0][0])
        if ready_at > now:
            return Wait(ready_at)
        self._not_before = now + 1 / RATE
        self.in_flight += 1
        return Ask(heapq.heappop(self._due)[-1], False, now)

    def answered(self, ask: Ask, still_open: Iterable[int], now: float) -> None:
        self.in_flight -= 1
        self.see(ask.numbers, tuple(still_open), now)

    def see(self, asked: tuple[int, ...], still_open: tuple[int, ...], now: float) -> None:
        """Decide what becomes of what is still open."""
        assert not still_open


class Documented(Rival):
    """One batch until nothing of it is open, a second between two requests; then the next one."""

    def begin(self, batches: list[tuple[int, ...]]) -> None:
        self._rest = batches[:0:-1]
        self.put(batches[0], 0.0)

    def see(self, asked: tuple[int, ...], still_open: tuple[int, ...], now: float) -> None:
        if still_open:
            self.put(still_open, now + 1.0)
        elif self._rest:
            self.put(self._rest.pop(), now)


class Fixed(Rival):
    """Asks everything that is open, packed, so long after the last answer."""

    def __init__(self, numbers: int, batch: int, *, interval: float) -> None:
        self._interval = interval
        self._open: list[int] = []
        super().__init__(numbers, batch)

    def see(self, asked: tuple[int, ...], still_open: tuple[int, ...], now: float) -> None:
        self._open += still_open
        if self.in_flight or self._due:
            return
        for at in range(0, len(self._open), self.batch):
            self.put(tuple(self._open[at : at + self.batch]), now + self._interval)
        self._open.clear()


class BackOff(Rival):
    """Each batch by itself, after 1, 2, 4, … seconds."""

    def __init__(self, numbers: int, batch: int) -> None:
        self._delays: dict[int, float] = {}
        super().__init__(numbers, batch)

    def see(self, asked: tuple[int, ...], still_open: tuple[int, ...], now: float) -> None:
        if still_open:
            batch = asked[0] // self.batch
            delay = self._delays[batch] = 2 * self._delays.get(batch, 0.5)
            self.put(still_open, now + delay)


class Clairvoyant(Rival):
    """Knows what is decided, and asks about nothing else: a full batch of it, or what there is once all are asked."""

    def __init__(self, numbers: int, batch: int, *, world: World) -> None:
        self._world = world
        self._open: list[tuple[float, int]] = []
        """Numbers, by when they are decided."""
        self._decided: list[int] = []
        super().__init__(numbers, batch)

    def next(self, now: float) -> Ask | Wait | Done:
        while self._open and self._open[0][0] <= now + ROUND_TRIP / 2:
            self._decided.append(heapq.heappop(self._open)[1])
        if now >= self._not_before and len(self._decided) >= (self.batch if self._due else 1):
            self.put(tuple(self._decided[: self.batch]), -math.inf)
            del self._decided[: self.batch]
        if self._due or not (self._open or self._decided):
            return super().next(now)
        return Wait(max(self._not_before, -math.inf if self._decided else self._open[0][0] - ROUND_TRIP / 2))

    def see(self, asked: tuple[int, ...], still_open: tuple[int, ...], now: float) -> None:
        for number in still_open:
            heapq.heappush(self._open, (self._world.decided_at[number], number))


def ours(numbers: int, batch: int) -> Scheduler:
    return Scheduler(Policy(batch_size=batch, rate=RATE), range(numbers), {}, Random(0))


Way = Callable[[int, int, World], Asker]
"""Of polling: makes who asks, by how many numbers there are, how many of them go in a batch, and the server."""

OURS = "**watui**"
WAITING = "`blocking: wait`"
BASELINE = "everything that is open, every second"

WAYS: dict[str, Way] = {
    OURS: lambda numbers, batch, _: ours(numbers, batch),
    BASELINE: lambda numbers, batch, _: Fixed(numbers, batch, interval=1.0),
    "the same, every 5 seconds": lambda numbers, batch, _: Fixed(numbers, batch, interval=5.0),
    "each batch after 1, 2, 4, … seconds": lambda numbers, batch, _: BackOff(numbers, batch),
    "one batch after the other, every second": lambda numbers, batch, _: Documented(numbers, batch),
    WAITING: lambda numbers, batch, _: Rival(numbers, batch),
    "who knows when each is decided": lambda numbers, batch, world: Clairvoyant(numbers, batch, world=world),
}


def figures_of(way: str, size: Size, seeds: Sequence[int] = SEEDS) -> Figures:
    """Return the means over all seeds."""
    results = []
    for seed in seeds:
        world = World(latencies(size.numbers, seed), waits=way == WAITING)
        results.append(play(WAYS[way](size.numbers, size.batch, world), world))
    return Figures(*map(fmean, zip(*results, strict=True)))


class Timed:
    """The scheduler, with the time that it takes itself."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.steps: list[float] = []

    def next(self, now: float) -> Ask | Knock | Wait | Done:
        begun = time.thread_time()
        step = self._scheduler.next(now)
        self.steps.append(time.thread_time() - begun)
        return step

    def answered(self, ask: Ask, still_open: Iterable[int], now: float) -> None:
        begun = time.thread_time()
        self._scheduler.answered(ask, still_open, now)
        self.steps.append(time.thread_time() - begun)


def measure(most_numbers: int = HUGE) -> Iterator[Figure]:
    """Measure the scheduler against the baseline, in lists of up to so many numbers."""
    for size in SIZES:
        base, found = figures_of(BASELINE, size), figures_of(OURS, size)
        of = f"{size.numbers:,} numbers in batches of {size.batch:,}: "
        yield Figure(size.id, f"{of}requests", found.requests, "", base.requests, most_ratio=1.0)
        yield Figure(size.id, f"{of}mean lag", found.mean_lag, "s", base.mean_lag, most_ratio=size.most_lag)
        yield Figure(size.id, f"{of}95 % known", found.until_95, "s", base.until_95, most_ratio=1.1)
        yield Figure(size.id, f"{of}longest lag", found.longest_lag, "s", base.longest_lag, most=MOST_LAG)
    asker = Timed(ours(most_numbers, HUGE_BATCH))
    play(asker, World(latencies(most_numbers, 0)))
    of = f"{most_numbers:,} numbers in batches of {HUGE_BATCH:,}: the scheduler's own time, "
    yield Figure("S11", f"{of}a step", 1000 * fmean(asker.steps), "ms")
    yield Figure("S11", f"{of}99 % of the steps", 1000 * sorted(asker.steps)[len(asker.steps) * 99 // 100], "ms")


def main() -> None:
    header = ("", *(f"{size.numbers:,} in batches of {size.batch:,}" for size in SIZES))
    rows = [header]
    for way in WAYS:
        found = [figures_of(way, size) for size in SIZES]
        rows.append((way, *(f"{each.requests:,.0f} · {seconds(each[1:])}" for each in found)))
    print(table(rows))


def seconds(times: Iterable[float]) -> str:
    return " · ".join(f"{each:,.0f}" if each >= 100 else f"{each:.{1 if each >= 2 else 2}f}" for each in times)


if __name__ == "__main__":
    main()
