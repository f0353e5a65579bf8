"""When and in what company numbers are asked again, in virtual time. `tests.benchmarks.polling` has the figures."""

import math
from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest

from tests.benchmarks import polling
from tests.benchmarks.polling import BASELINE, OURS, SIZES, Figures, World, figures_of, latencies, ours, play
from tests.checks.test_scheduler import Sent, Server, make
from tests.checks.test_scheduler import play as talk
from watui.checks.polls import Group, Polls
from watui.checks.scheduler import Ask, Policy, Wait
from watui.checks.standing import STUCK_POLLS

MINUTE = 60.0


@pytest.mark.parametrize("size", SIZES[:2], ids=lambda size: f"{size.numbers}")
def test_verdicts_are_known_sooner_than_by_asking_every_second_for_no_more_requests(size: polling.Size) -> None:
    found, base = figures_of(OURS, size, range(2)), figures_of(BASELINE, size, range(2))
    print(f"{size.numbers:,} numbers: {found} against {base}")
    assert found.requests <= base.requests
    assert found.mean_lag <= 1.1 * size.most_lag * base.mean_lag
    assert found.until_95 <= 1.1 * base.until_95
    assert found.longest_lag <= polling.MOST_LAG


def lag_of(seconds: Callable[[Random], float], numbers: int, batch: int = 500) -> Figures:
    chance = Random(1)
    world = World([seconds(chance) for _ in range(numbers)])
    return play(ours(numbers, batch), world)


def test_one_number_is_not_waited_for_long() -> None:
    assert lag_of(lambda _: 1.5, 1).longest_lag < 1.5


def test_what_is_decided_at_once_takes_one_request_a_batch() -> None:
    assert lag_of(lambda _: 0.0, 1_000).requests == 2


@pytest.mark.parametrize("median", [0.2, 0.7, 5.0])
def test_other_servers_are_learned_too(median: float) -> None:
    found = lag_of(lambda chance: median * math.exp(0.8 * chance.gauss(0, 1)), 2_000)
    print(f"median {median} s: {found}")
    assert found.mean_lag < 0.6
    assert found.longest_lag < 2 * polling.MOST_LAG


def test_a_server_that_slows_down_in_mid_run_keeps_nobody_waiting() -> None:
    chance = Random(1)
    world = World([(1.0 if place < 5_000 else 8.0) * math.exp(0.6 * chance.gauss(0, 1)) for place in range(10_000)])
    found = play(ours(10_000, 500), world)
    assert found.mean_lag < 1
    assert found.longest_lag < 2 * polling.MOST_LAG


def sent_for(server: Server, policy: Policy, numbers: int, until: float = math.inf) -> list[Sent]:
    return talk(make(policy, range(numbers)), server, until)


def test_numbers_of_several_batches_share_a_request() -> None:
    sent = sent_for(Server(latencies(2_000, 0).__getitem__), Policy(batch_size=100), 2_000)
    batches = [len({number // 100 for number in ask.numbers}) for _, ask in sent if not ask.is_first]
    assert max(batches) >= 10
    assert len(sent) < 150, "each of 20 batches takes more than ten looks by itself"


def test_at_the_end_all_that_is_open_is_asked_about_at_once() -> None:
    slow = dict.fromkeys(range(0, 2000, 100), 50.0)
    sent = sent_for(Server(lambda number: slow.get(number, 1.0)), Policy(batch_size=200), 2_000)
    last = [ask for at, ask in sent if at > 20]
    assert all(set(ask.numbers) == set(slow) for ask in last[:-2])
    assert len(last) <= 12


def test_polls_come_while_a_long_list_is_still_being_asked() -> None:
    sent = sent_for(Server(latencies(10_000, 0).__getitem__), Policy(batch_size=100), 10_000)
    kinds = [ask.is_first for _, ask in sent]
    during = kinds[: len(kinds) - kinds[::-1].index(True)]
    assert 0.3 < during.count(True) / len(during) < 0.8


def test_what_an_answer_leaves_open_is_looked_at_again_in_time_whatever_is_believed() -> None:
    """Most of it is decided within a second, so that nothing speaks for the rest."""
    sent = sent_for(Server(lambda number: math.inf if number == 7 else 0.5), Policy(batch_size=50), 1_000, MINUTE)
    looks = [at for at, ask in sent if 7 in ask.numbers]
    assert max(later - earlier for earlier, later in pairwise(looks)) <= Policy.within
    assert len(looks) < STUCK_POLLS


def test_what_is_worth_most_goes_first_and_the_rest_waits_for_another_request() -> None:
    polls = Polls(300, batch_size=100, rate=10.0, within=5.0, longest=300.0)
    fresh, older = Group(tuple(range(80)), 9.0, 9.9, 2), Group(tuple(range(100, 180)), 8.0, 8.0, 1)
    polls.add(fresh)
    polls.add(older)
    first = polls.take(10.0)
    assert [group.numbers for group in first] == [older.numbers, fresh.numbers[:20]]
    assert [group.numbers for group in polls.take(10.0)] == [fresh.numbers[20:]]
    assert not polls


def test_stuck_numbers_are_counted_from_answer_to_answer() -> None:
    polls = Polls(3, batch_size=100, rate=10.0, within=5.0, longest=300.0)
    polls.add(Group((1, 2, 3), 0.0, 5_000.0, STUCK_POLLS - 1))
    assert polls.stuck == 0
    taken = polls.take(polls.due_at(5_000.0))
    polls.answered(taken, {1, 2}, 5_300.0)
    assert polls.stuck == 2
    taken = polls.take(polls.due_at(5_300.0))
    assert polls.stuck == 2, "also while they are being asked about"
    polls.answered(taken, {2}, 5_600.0)
    assert polls.stuck == 1


def test_the_outlook_tells_what_comes_next() -> None:
    scheduler = make(Policy(batch_size=1), range(2))
    asks = [scheduler.next(0.0), scheduler.next(0.2)]
    assert scheduler.outlook(0.2) == (2, None, None)
    for ask in asks:
        assert isinstance(ask, Ask)
        scheduler.answered(ask, ask.numbers, 0.3)
    in_flight, next_poll, median = scheduler.outlook(0.4)
    assert (in_flight, median) == (0, None)
    assert next_poll is not None
    step = scheduler.next(0.4)
    assert isinstance(step, Wait)
    assert step.until == pytest.approx(0.4 + next_poll)
    poll = scheduler.next(step.until)
    assert isinstance(poll, Ask)
    scheduler.answered(poll, (), step.until + 0.1)
    assert scheduler.outlook(step.until + 0.1).median is not None
