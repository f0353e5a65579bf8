"""What is told of a list before it is asked."""

import math
import random
import time

import pytest

from tests.checks.test_scheduler import Server, make, play
from tests.ledger.conftest import OPTIONS
from watui.checks.cost import cost_of, known_since
from watui.checks.scheduler import Policy
from watui.contract.models import Blocking
from watui.contract.rules import CACHE_SECONDS
from watui.ledger.rows import Polled, RunOptions, RunRecord, RunState, Summary


def draft(numbers: int, blocking: Blocking = "no_wait", batch_size: int = 500) -> RunRecord:
    options = OPTIONS._replace(blocking=blocking, batch_size=batch_size)
    return RunRecord(1, RunState.DRAFT, options, 0.0, None, None, None, numbers, 0, 0, 0, 0, 0, 0, numbers, None)


@pytest.mark.parametrize(
    ("numbers", "fresh", "asks_all", "asked", "requests", "words"),
    [
        (1_000, 0, False, 1_000, 2, "2 requests, then at least 32 polls, 97 if answers are slow"),
        (1_000, 400, False, 600, 2, "2 requests, then at least 30 polls, 93 if answers are slow"),
        (1_000, 500, False, 500, 1, "1 request, then at least 29 polls, 91 if answers are slow"),
        (1_000, 500, True, 1_000, 2, "2 requests, then at least 32 polls, 97 if answers are slow"),
        (1_000, 1_000, False, 0, 0, "0 requests"),
    ],
)
def test_what_is_known_is_not_asked(
    numbers: int, fresh: int, asks_all: bool, asked: int, requests: int, words: str
) -> None:
    cost = cost_of(draft(numbers), Summary((), (), (), fresh), asks_all=asks_all)
    assert (cost.numbers, cost.known, cost.requests) == (asked, numbers - asked, requests)
    assert cost.words == words


def test_who_waits_does_not_poll() -> None:
    cost = cost_of(draft(1_000, "wait"), Summary((), (), ()))
    assert (cost.words, cost.calls) == ("2 requests", 2)


@pytest.mark.parametrize(
    ("polls", "words"), [(0, "1 request, then hardly a poll"), (9, "1 request, then about 6 to 14 polls")]
)
def test_the_run_before_tells_how_often_is_polled(polls: int, words: str) -> None:
    found = Summary((), (), (), polled=[Polled(2, 500, 0), Polled(200, 500, polls), Polled(30, 500, 90)])
    assert cost_of(draft(200), found).words == words


def test_a_small_run_tells_nothing_of_how_often_is_polled() -> None:
    found = Summary((), (), (), polled=[Polled(2, 500, 0), Polled(0, 500, 3)])
    assert cost_of(draft(200), found) == cost_of(draft(200), Summary((), (), ()))


@pytest.mark.parametrize(
    ("options", "takes"),
    [
        (OPTIONS, True),
        (OPTIONS._replace(force_check=True), False),
        (OPTIONS._replace(rechecks=1), False),
    ],
)
def test_who_asks_past_a_cache_takes_nothing_over(options: RunOptions, takes: bool) -> None:
    since = known_since(options)
    assert (since is not None) is takes
    assert since is None or since == pytest.approx(time.time() - CACHE_SECONDS, abs=60)


@pytest.mark.parametrize("latency", [0.7, 1.5, 4.0])
@pytest.mark.parametrize(("numbers", "batch_size"), [(100, 500), (1_000, 500), (3_000, 100)])
def test_about_as_many_polls_are_told_as_a_run_makes(numbers: int, batch_size: int, latency: float) -> None:
    """Of a server that decides on half of the numbers that are left in each latency."""
    ages = [-latency * math.log2(random.Random(number).random()) for number in range(numbers)]
    sent = play(make(Policy(batch_size=batch_size), range(numbers)), Server(ages.__getitem__))
    polls = sum(not each.ask.is_first for each in sent)
    told = cost_of(draft(numbers, batch_size=batch_size), Summary((), (), ())).polls
    assert told is not None
    print(f"{numbers} numbers, latency {latency}: {polls} polls, told {told}")
    assert told[0] / 2 <= polls <= told[1] * 2
