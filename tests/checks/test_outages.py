"""Outages of every kind and length in virtual time: how often a run asks, and how soon it goes on (promise R7).

Prints the figures, the worst of many outages each.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from itertools import pairwise
from random import Random
from typing import NamedTuple

import pytest

from watui.checks.scheduler import Ask, Done, Knock, Policy, Scheduler, Wait
from watui.client.failures import Failure, NotConnected, Overloaded, ServerTrouble, TimedOut, Unreachable
from watui.client.pacing import HALF_HOUR, MOST_IN_TROUBLE, PACING, read_retry_after

FEW, MANY = range(10), range(1_000)
"""Seeds."""

ANSWER_SECONDS = 4.0
"""As long as a slow server takes while all is well: so eight requests are under way when trouble begins."""

Fail = Callable[[float | None], Failure]


class Outage(NamedTuple):
    """A way in which a server does not answer."""

    words: str
    fails: Fail
    """By what the server asks for in `Retry-After`."""
    seconds: float = 0.05
    """From the question to its failure."""
    retry_after: str | None = None
    """How it is written, None where the server does not say."""
    is_shut: bool = False
    """Whether it takes no connection."""


OUTAGES = [
    Outage("503", lambda wish: Overloaded("HTTP 503", wish)),
    Outage("503 after five seconds", lambda wish: Overloaded("HTTP 503", wish), 5.0),
    Outage("503, Retry-After in seconds", lambda wish: Overloaded("HTTP 503", wish), retry_after="seconds"),
    Outage("503, Retry-After as a date", lambda wish: Overloaded("HTTP 503", wish), retry_after="date"),
    Outage("429", lambda wish: Overloaded("HTTP 429", wish)),
    Outage("429, Retry-After in seconds", lambda wish: Overloaded("HTTP 429", wish), retry_after="seconds"),
    Outage("408", lambda wish: ServerTrouble("HTTP 408", wish)),
    Outage("500", lambda wish: ServerTrouble("HTTP 500", wish)),
    Outage("500 after five seconds", lambda wish: ServerTrouble("HTTP 500", wish), 5.0),
    Outage("500, Retry-After in seconds", lambda wish: ServerTrouble("HTTP 500", wish), retry_after="seconds"),
    Outage("time-outs of 30 s", lambda _: TimedOut("no answer"), 30.0),
    Outage("resets", lambda _: Unreachable("reset")),
    Outage("refused connections", lambda _: NotConnected("refused"), is_shut=True),
    Outage("connections that time out", lambda _: NotConnected("late"), 10.0, is_shut=True),
]


@dataclass
class World:
    """A server that answers nothing for a while, and what came to it."""

    outage: Outage
    begins: float
    lasts: float
    chance: Random
    sent: list[float] = field(default_factory=list)
    """When each question went out that met the outage."""
    knocks: list[float] = field(default_factory=list)
    quiet: list[tuple[float, float]] = field(default_factory=list)
    """From when until when the server wanted to be left alone."""
    answered: float | None = None
    """The first answer after the outage."""

    @property
    def ends(self) -> float:
        return self.begins + self.lasts

    def take(self, at: float) -> tuple[float, bool]:
        """Take a question; return when it ends, and whether with an answer."""
        if at >= self.ends or at + ANSWER_SECONDS <= self.begins:
            return at + ANSWER_SECONDS, True
        self.sent.append(at)
        return max(at, self.begins) + self.outage.seconds, False

    def failure(self, now: float) -> Failure:
        """Return what is answered at `now`."""
        if self.outage.retry_after is None:
            return self.outage.fails(None)
        wish = int(min(self.chance.choice([1, 30, 300, 900]), max(0.0, self.ends - now)))
        is_date = self.outage.retry_after == "date"
        text = formatdate(now + wish, usegmt=True) if is_date else str(wish)
        seconds = read_retry_after(text, datetime.fromtimestamp(now, UTC))
        assert seconds is not None
        self.quiet.append((now, now + seconds))
        return self.outage.fails(seconds)

    def knock(self, at: float) -> tuple[float, bool]:
        """Take a knock; return when that ends, and whether a connection was taken."""
        self.knocks.append(at)
        is_open = at >= self.ends or not self.outage.is_shut
        return at + (0.05 if is_open else min(self.outage.seconds, 5.0)), is_open


class Figures(NamedTuple):
    """What an outage came to."""

    requests: int
    """In the half hour that had most of them, together with those that were under way as it began."""
    until_success: float
    """Seconds from its end to the first answer, which itself takes ANSWER_SECONDS."""


def suffer(outage: Outage, seed: int, lasts: float = HALF_HOUR) -> Figures:
    """Let a run meet an outage, and check what must hold in each."""
    chance = Random(seed)
    world = World(outage, 60.0 + chance.uniform(0, 5), lasts, chance)
    scheduler = Scheduler(Policy(batch_size=1), range(100_000), {}, chance)
    events: list[tuple[float, int, Ask | None, bool]] = []
    now, order = 0.0, 0
    while world.answered is None:
        match scheduler.next(now):
            case Done():
                raise AssertionError("there is always more to ask")
            case Ask() as ask:
                order += 1
                heapq.heappush(events, (*_placed(world.take(now), order, ask),))
            case Knock():
                order += 1
                heapq.heappush(events, (*_placed(world.knock(now), order, None),))
            case Wait(until):
                assert until > now, "a wait must lead somewhere"
                now = min(until, events[0][0]) if events else until
                while events and events[0][0] <= now:
                    _end(world, scheduler, *heapq.heappop(events))
    assert not any(begin < at < end for begin, end in world.quiet for at in [*world.sent, *world.knocks])
    return Figures(most_in_half_an_hour(world.sent), world.answered - world.ends)


def most_in_half_an_hour(times: list[float]) -> int:
    return max(sum(at <= then < at + HALF_HOUR for then in times) for at in times)


def _placed(outcome: tuple[float, bool], order: int, ask: Ask | None) -> tuple[float, int, Ask | None, bool]:
    return outcome[0], order, ask, outcome[1]


def _end(world: World, scheduler: Scheduler, now: float, _: int, ask: Ask | None, is_good: bool) -> None:
    if ask is None:
        scheduler.knocked(is_good, now)
    elif is_good:
        scheduler.answered(ask, [], now)
        world.answered = now if ask.sent_at >= world.ends else None
    else:
        assert scheduler.failed(ask, world.failure(now), now), "a run waits, however long"


def check(outage: Outage, seeds: range) -> None:
    half = [suffer(outage, seed) for seed in seeds]
    others = [suffer(outage, seed, Random(seed).uniform(60, 3 * HALF_HOUR)) for seed in seeds]
    most = max(figures.requests for figures in half + others)
    until = max(figures.until_success for figures in half)
    longest = max(figures.until_success for figures in others)
    print(
        f"{outage.words:28} {len(seeds):5} times: at most {most} requests in half an hour; first success {until:5.1f} s"
        f" after half an hour, {longest:5.1f} s after any other time"
    )
    assert most <= MOST_IN_TROUBLE
    assert len({figures.until_success for figures in half}) == len(half), "jitter: no two clients come back together"
    if outage.is_shut:
        assert max(until, longest) <= 60
    elif outage.retry_after is None and outage.seconds < 10:
        assert until <= 60
    # Within a minute at any time would take a request a minute, which are 30.
    assert longest <= 270


@pytest.mark.parametrize("outage", OUTAGES, ids=lambda outage: outage.words)
def test_outages(outage: Outage) -> None:
    check(outage, FEW)


@pytest.mark.long
@pytest.mark.parametrize("outage", OUTAGES, ids=lambda outage: outage.words)
def test_outages_a_thousand_times(outage: Outage) -> None:
    check(outage, MANY)


def test_a_server_that_takes_connections_and_nothing_else_is_asked_no_more_often() -> None:
    """Such as one whose certificate has expired, or a port that is held by something else."""
    outage = Outage("connections without TLS", lambda _: NotConnected("no secure connection"))
    for seed in FEW:
        assert suffer(outage, seed).requests <= MOST_IN_TROUBLE


def test_no_half_hour_of_a_long_outage_has_more_requests_than_the_first() -> None:
    chance = Random(1)
    scheduler = Scheduler(Policy(batch_size=1), range(100), {}, chance)
    scheduler.answered(_asked(scheduler.next(0.0)), [], 0.1)
    now, sent = 1.0, list[float]()
    while now < 24 * HALF_HOUR:
        match scheduler.next(now):
            case Ask() as ask:
                sent.append(now)
                assert scheduler.failed(ask, ServerTrouble("HTTP 500", None), now + 0.01)
            case Wait(until):
                now = until
    assert most_in_half_an_hour(sent) <= MOST_IN_TROUBLE
    assert max(then - at for at, then in pairwise(sent)) <= HALF_HOUR / MOST_IN_TROUBLE * (1 + PACING.jitter) * 1.3


def _asked(step: object) -> Ask:
    assert isinstance(step, Ask)
    return step
