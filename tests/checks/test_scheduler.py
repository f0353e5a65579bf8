"""The scheduler in virtual time, against a small simulated server."""

import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import examples
from watui.checks.scheduler import Ask, Done, Knock, Policy, Scheduler, Wait
from watui.checks.standing import STUCK_POLLS
from watui.client.failures import (
    Failure,
    NotConnected,
    Overloaded,
    Refused,
    ServerTrouble,
    TimedOut,
    Unreachable,
    Unusable,
)
from watui.client.pacing import MOST_TRIES, PACING

HOUR = 3600.0


class Sent(NamedTuple):
    """One request as it went out."""

    at: float
    ask: Ask


@dataclass
class Server:
    """Decides a number some time after it was first asked, and answers a request after a while."""

    decides_after: Callable[[int], float] = lambda _: 0.0
    answers_after: Callable[[], float] = lambda: 0.05
    fails: Callable[[float], Failure | None] = lambda _: None
    first_asked: dict[int, float] = field(default_factory=dict)

    def answer(self, ask: Ask, now: float) -> list[int] | Failure:
        if (failed := self.fails(now)) is not None:
            return failed
        for number in ask.numbers:
            self.first_asked.setdefault(number, now)
        return [n for n in ask.numbers if now < self.first_asked[n] + self.decides_after(n)]


def overload(retry_after: float | None = None) -> Overloaded:
    return Overloaded("System overloaded", retry_after)


def make(policy: Policy, unasked: Iterable[int], open_numbers: Iterable[int] = ()) -> Scheduler:
    return Scheduler(policy, list(unasked), dict.fromkeys(open_numbers, 1), Random(0))


def play(scheduler: Scheduler, server: Server, until: float = 30 * 24 * HOUR) -> list[Sent]:
    """Let the scheduler and the server talk until all is done, or `until`; return what was sent.

    Where a failure stops it, a person says at once that it shall go on.
    """
    now, order = 0.0, 0
    sent: list[Sent] = []
    flights: list[tuple[float, int, Ask]] = []
    while now <= until:
        match scheduler.next(now):
            case Done():
                assert not flights
                return sent
            case Ask() as ask:
                order += 1
                sent.append(Sent(now, ask))
                heapq.heappush(flights, (now + server.answers_after(), order, ask))
                assert scheduler.in_flight == len(flights)
            case Knock():
                scheduler.knocked(server.fails(now) is None, now)
            case Wait(wake_at):
                assert wake_at > now, "a wait must lead somewhere"
                now = min(wake_at, flights[0][0] if flights else wake_at)
                while flights and flights[0][0] <= now:
                    _, _, ask = heapq.heappop(flights)
                    outcome = server.answer(ask, now)
                    if isinstance(outcome, Failure):
                        if not scheduler.failed(ask, outcome, now):
                            scheduler.forgive()
                    else:
                        scheduler.answered(ask, outcome, now)
    return sent


policies = st.builds(
    Policy,
    batch_size=st.integers(1, 50),
    rate=st.floats(0.5, 50),
    within=st.floats(0.01, 50),
    in_flight=st.integers(1, 8),
)


@settings(max_examples=examples(2))
@given(policies, st.integers(0, 200), st.integers(0, 60), st.integers(0, 2**32), st.floats(0, 0.5))
def test_every_number_becomes_final_within_the_limits_of_the_policy(
    policy: Policy, unasked: int, open_before: int, seed: int, trouble: float
) -> None:
    chance = Random(seed)
    latency = {number: chance.expovariate(0.2) for number in range(unasked + open_before)}
    server = Server(
        latency.__getitem__,
        lambda: chance.uniform(0.001, 20),
        lambda _: (
            chance.choice([BUSY, overload(0.0), overload(90.0), SHUT, LATE, ODD]) if chance.random() < trouble else None
        ),
    )
    scheduler = make(policy, range(unasked), range(unasked, unasked + open_before))
    sent = play(scheduler, server)

    assert scheduler.is_done
    assert set(server.first_asked) == set(latency)
    assert all(1 <= len(ask.numbers) <= policy.batch_size for _, ask in sent)
    assert all(len(set(ask.numbers)) == len(ask.numbers) for _, ask in sent)
    gaps = [later.at - earlier.at for earlier, later in pairwise(sent)]
    assert all(gap >= 1 / policy.rate - 1e-6 for gap in gaps)

    # force_check goes with first questions: each number has one, repeated only as the very question that failed.
    first = {ask.numbers for _, ask in sent if ask.is_first}
    assert Counter(number for numbers in first for number in numbers) == Counter(range(unasked))
    asked_before: set[int] = set()
    for _, ask in sent:
        if ask.numbers in first:
            first.discard(ask.numbers)
            assert asked_before.isdisjoint(ask.numbers)
        asked_before.update(ask.numbers)


def test_nothing_to_ask_is_done_at_once() -> None:
    assert make(Policy(), []).next(0) == Done()


def test_an_open_number_of_an_earlier_run_is_polled_at_once_and_not_as_a_first_question() -> None:
    ask = take(make(Policy(), [], [4, 5]).next(0))
    assert ask.numbers == (4, 5)
    assert not ask.is_first


def test_numbers_decided_at_once_are_asked_once_in_order() -> None:
    sent = play(make(Policy(batch_size=3), range(8)), Server())
    assert [ask.numbers for _, ask in sent] == [(0, 1, 2), (3, 4, 5), (6, 7)]
    assert all(ask.is_first for _, ask in sent)


def test_no_more_requests_are_in_flight_than_allowed() -> None:
    scheduler = make(Policy(batch_size=1, rate=1e6, in_flight=3), range(10))
    asks = [scheduler.next(second) for second in range(3)]
    assert all(isinstance(ask, Ask) for ask in asks)
    assert scheduler.next(3) == Wait(float("inf"))
    assert isinstance(asks[0], Ask)
    scheduler.answered(asks[0], [], 4)
    assert isinstance(scheduler.next(4), Ask)


@pytest.mark.parametrize("rate", [2, 10, 50])
def test_neither_polls_nor_first_questions_starve_the_others(rate: float) -> None:
    # Nothing is ever decided, and there is more of it than the rate has room for.
    sent = play(make(Policy(batch_size=1, rate=rate), range(2_000)), Server(lambda _: math.inf), until=400 / rate)
    firsts = [at for at, ask in sent if ask.is_first]
    polled = {number for _, ask in sent if not ask.is_first for number in ask.numbers}
    assert len(firsts) >= 0.25 * len(sent)
    assert max(later - earlier for earlier, later in pairwise(firsts)) <= 4 * Policy.within
    assert polled or 400 / rate < 2 * Policy.within


@pytest.mark.parametrize("count", [1, 100])
def test_stuck_numbers_are_polled_at_most_twelve_times_in_any_later_hour(count: int) -> None:
    scheduler = make(Policy(), range(count))
    sent = play(scheduler, Server(lambda _: float("inf")), until=26 * HOUR)
    polls = [[at for at, ask in sent if number in ask.numbers] for number in range(count)]
    for times in polls:
        settled = [at for at in times if at >= 2 * HOUR]
        assert settled
        assert all(sum(start <= at < start + HOUR for at in settled) <= 12 for start in settled)
        assert max(b - a for a, b in pairwise(settled)) < 2 * Policy.longest_poll
    assert not scheduler.is_done


def test_what_is_asked_seldom_by_then_is_stuck_until_it_ends() -> None:
    scheduler = make(Policy(), [0, 1])
    server = Server(lambda number: float("inf") if number else 2 * HOUR)
    sent = play(scheduler, server, until=HOUR)
    asked = Counter(number for _, ask in sent for number in ask.numbers)
    assert all(times >= STUCK_POLLS for times in asked.values())
    assert scheduler.stuck == 2
    gaps = [later.at - earlier.at for earlier, later in pairwise(sent)]
    assert all(gap >= Policy.longest_poll for gap in gaps[STUCK_POLLS:])
    assert sent[STUCK_POLLS].at == pytest.approx(HOUR / 2, rel=0.2)
    ask = scheduler.next(3 * HOUR)
    assert isinstance(ask, Ask)
    scheduler.answered(ask, [1], 3 * HOUR)
    assert scheduler.stuck == 1


def test_who_goes_on_with_a_stuck_number_asks_as_seldom_as_before() -> None:
    scheduler = Scheduler(Policy(), [], {7: STUCK_POLLS}, Random(0))
    assert scheduler.stuck == 1
    sent = play(scheduler, Server(lambda _: float("inf")), until=HOUR)
    assert len(sent) <= 13


def test_polls_of_what_is_never_decided_come_further_and_further_apart() -> None:
    sent = play(make(Policy(), [0]), Server(lambda _: math.inf), until=HOUR)
    gaps = [later.at - earlier.at for earlier, later in pairwise(sent)]
    assert gaps[0] < 2
    assert max(gaps[: STUCK_POLLS // 2]) <= Policy.within
    assert all(later >= earlier - 0.1 for earlier, later in pairwise(gaps))


@given(st.floats(0, 5000), st.integers(0, 5))
def test_nothing_goes_out_before_retry_after(retry_after: float, answered_meanwhile: int) -> None:
    # Other requests are in flight when the server asks for patience; their answers do not shorten it.
    scheduler = make(Policy(batch_size=1, rate=100), range(20))
    asks = [scheduler.next(place) for place in range(answered_meanwhile + 1)]
    scheduler.failed(take(asks[0]), overload(retry_after), 10)
    for ask in asks[1:]:
        scheduler.answered(take(ask), take(ask).numbers, 10)
    step = scheduler.next(10)
    assert isinstance(step, Wait)
    assert step.until >= 10 + retry_after
    again = scheduler.next(step.until)
    assert again == take(asks[0])._replace(sent_at=step.until, attempt=2, after="no answer"), "what failed comes first"


def take(step: object) -> Ask:
    assert isinstance(step, Ask)
    return step


def test_a_second_retry_after_that_is_shorter_does_not_shorten_the_first() -> None:
    scheduler = make(Policy(batch_size=1, rate=100), range(9))
    first, second = take(scheduler.next(0)), take(scheduler.next(1))
    scheduler.failed(first, overload(500.0), 2)
    scheduler.failed(second, overload(5.0), 3)
    step = scheduler.next(4)
    assert isinstance(step, Wait)
    assert step.until >= 502


def test_an_outage_of_days_breaks_nothing() -> None:
    server = Server(fails=lambda now: overload() if now < 72 * HOUR else None)
    scheduler = make(Policy(), [1])
    play(scheduler, server)
    assert scheduler.is_done


def test_a_person_can_make_it_go_on_at_once() -> None:
    scheduler = make(Policy(), [1])
    ask = take(scheduler.next(0))
    scheduler.failed(ask, ServerTrouble("HTTP 500", None), 1)
    assert isinstance(scheduler.next(1.1), Wait)
    scheduler.forgive()
    again = take(scheduler.next(1.1))
    assert again == ask._replace(sent_at=1.1, attempt=2, after="no answer")
    scheduler.failed(again, overload(1000), 2)
    scheduler.forgive()
    step = scheduler.next(2.1)
    assert isinstance(step, Wait)
    assert step.until >= 1002, "what the server asked for outlasts a person's patience"


def test_questions_that_fail_together_are_one_trouble() -> None:
    policy = Policy(batch_size=1, rate=100)
    scheduler = make(policy, range(20))
    asks = [take(scheduler.next(place / 10)) for place in range(8)]
    for ask in asks:
        scheduler.failed(ask, TimedOut("no answer"), 30)
    step = scheduler.next(30)
    assert isinstance(step, Wait)
    assert step.until <= 30 + (1 + PACING.jitter) * PACING.first
    first = take(scheduler.next(step.until))
    assert scheduler.next(step.until + 1) == Wait(math.inf), "one question at a time until one is answered"
    scheduler.answered(first, [], step.until + 2)
    assert isinstance(scheduler.next(step.until + 2), Ask)


SHUT, GONE, LATE = NotConnected("refused"), Unreachable("reset"), TimedOut("no answer")
BROKEN, BUSY, ODD, NO = ServerTrouble("HTTP 500", None), overload(), Unusable("HTML"), Refused("no", 1009, 400)


def until_it_stops(says: Callable[[Ask, int], Failure | None], batches: int = 20, most: int = 60) -> list[Ask] | None:
    """Ask one question at a time, until a failure stops it; return what was asked, None where nothing stops it.

    `says` answers by the question and how many came before.
    """
    scheduler, now = make(Policy(batch_size=1, rate=100), range(batches)), 0.0
    asked: list[Ask] = []
    while len(asked) < most:
        match scheduler.next(now):
            case Ask() as ask:
                now += 0.01
                asked.append(ask)
                if (failure := says(ask, len(asked) - 1)) is None:
                    scheduler.answered(ask, [], now)
                elif not scheduler.failed(ask, failure, now):
                    return asked
            case Knock():
                scheduler.knocked(False, now)
            case Wait(until):
                now = until
            case Done():
                return None
    return None


@pytest.mark.parametrize("failure", [SHUT, GONE, LATE, BROKEN, ODD], ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("batches", [1, 2, 20])
def test_a_server_that_never_answers_is_asked_three_times(failure: Failure, batches: int) -> None:
    asked = until_it_stops(lambda *_: failure, batches)
    assert asked is not None
    assert len(asked) == MOST_TRIES


@pytest.mark.parametrize("failure", [SHUT, GONE, LATE, BROKEN, BUSY], ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("batches", [2, 20])
def test_a_server_that_has_answered_is_waited_for_however_long(failure: Failure, batches: int) -> None:
    assert until_it_stops(lambda _, place: failure if place else None, batches) is None


def test_an_overloaded_server_is_waited_for_from_the_beginning() -> None:
    assert until_it_stops(lambda *_: BUSY) is None
    assert until_it_stops(lambda _, place: (BUSY, BUSY, BUSY, BUSY, SHUT, SHUT, None)[place], 1) is None


def test_what_is_no_answer_of_the_api_is_asked_for_three_times_also_by_a_server_that_has_answered() -> None:
    asked = until_it_stops(lambda _, place: ODD if place else None)
    assert asked is not None
    assert len(asked) == 1 + MOST_TRIES


def test_what_is_refused_is_asked_once() -> None:
    asked = until_it_stops(lambda _, place: NO if place else None)
    assert asked is not None
    assert len(asked) == 2


@pytest.mark.parametrize("failure", [GONE, LATE, BROKEN, ODD], ids=lambda failure: type(failure).__name__)
def test_a_question_that_fails_while_others_are_answered_stops_it(failure: Failure) -> None:
    asked = until_it_stops(lambda ask, _: failure if 7 in ask.numbers else None)
    assert asked is not None
    assert [ask.numbers for ask in asked].count((7,)) == MOST_TRIES
    assert len({ask.numbers for ask in asked[7:]}) == MOST_TRIES, "another one between two of its tries"


def test_several_that_fail_while_others_are_answered_stop_it_too() -> None:
    asked = until_it_stops(lambda ask, _: BROKEN if {7, 8} & {*ask.numbers} else None)
    assert asked is not None
    assert len(asked) < 30


def test_one_that_cannot_have_caused_it_stops_nothing() -> None:
    for failure in (SHUT, BUSY):
        assert until_it_stops(lambda ask, _: failure if 7 in ask.numbers else None) is None  # noqa: B023


def test_few_questions_are_asked_in_a_long_outage() -> None:
    """What is asked in vain is written down as asked, so it should not be ever more of the list."""
    scheduler, now = make(Policy(batch_size=1, rate=100), range(100)), 0.0
    first = take(scheduler.next(now))
    scheduler.answered(first, [], now)
    asked: set[tuple[int, ...]] = set()
    while now < HOUR:
        match scheduler.next(now):
            case Ask() as ask:
                asked.add(ask.numbers)
                assert scheduler.failed(ask, BROKEN, now)
            case Wait(until):
                now = until
    assert len(asked) <= 7


def shut() -> tuple[Scheduler, float]:
    """Return a scheduler whose server takes no connection any more, and when that was last met."""
    scheduler, now = make(Policy(batch_size=1, rate=100), range(100)), 0.0
    scheduler.answered(take(scheduler.next(now)), [], now)
    failures = 0
    while failures < 4:
        match scheduler.next(now):
            case Ask() as ask:
                failures += scheduler.failed(ask, SHUT, now)
            case Wait(until):
                now = until
    return scheduler, now


def wait_of(scheduler: Scheduler, now: float) -> float:
    step = scheduler.next(now + 0.011)
    assert isinstance(step, Wait)
    return step.until


def test_a_server_that_takes_no_connection_is_looked_at_without_asking_and_asked_once_it_does() -> None:
    scheduler, now = shut()
    for _ in range(2):
        at = wait_of(scheduler, now)
        assert PACING.knock <= at - now <= PACING.knock * (1 + PACING.jitter)
        assert scheduler.next(at) == Knock()
        assert scheduler.next(at) == Wait(math.inf), "one look at a time"
        now = at + 1
        scheduler.knocked(False, now)
    at = wait_of(scheduler, now)
    assert scheduler.next(at) == Knock()
    scheduler.knocked(True, at)
    assert isinstance(scheduler.next(at), Ask)


def test_a_connection_that_leads_to_nothing_is_believed_once_in_a_trouble() -> None:
    scheduler, now = shut()
    at = wait_of(scheduler, now)
    assert scheduler.next(at) == Knock()
    scheduler.knocked(True, at)
    scheduler.failed(take(scheduler.next(at)), SHUT, at)
    again = wait_of(scheduler, at)
    assert again - at > 2 * PACING.knock
    ask = take(scheduler.next(again))
    scheduler.answered(ask, [], again + 1)
    assert scheduler.trouble is None


def test_nobody_knocks_before_retry_after() -> None:
    scheduler, now = make(Policy(batch_size=1, rate=100), range(100)), 10.0
    asks = [take(scheduler.next(place / 10)) for place in range(3)]
    scheduler.answered(asks[0], [], 1.0)
    scheduler.failed(asks[1], SHUT, now)
    scheduler.failed(asks[2], overload(500.0), now)
    assert wait_of(scheduler, now) >= now + 500
