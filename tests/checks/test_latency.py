"""What is learned of a server's latency from looks at it."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watui.checks.latency import Latency

ages = st.floats(0, 1e6)


def taught(medians: list[float], numbers: int = 500) -> Latency:
    """Return what is learned from batches, each with a median of its own, that are looked at until all is decided."""
    latency, chance = Latency(), Random(1)
    for median in medians:
        decided = sorted(chance.lognormvariate(math.log(median), 0.7) for _ in range(numbers))
        since = 0.0
        while decided:
            until = since + median / 2
            left = [age for age in decided if age > until]
            latency.learn(since, until, len(decided), len(decided) - len(left))
            decided, since = left, until
    return latency


def test_nothing_is_known_at_first() -> None:
    latency = Latency()
    assert latency.median is None
    assert latency.share_decided(0.0, 2.0) == pytest.approx(0.5, abs=0.1)
    latency.learn(0.0, 1.0, 10, 0)
    assert latency.median is None, "that something takes long says little of the rest"


def test_a_median_beyond_all_that_was_seen_is_none() -> None:
    latency = Latency()
    latency.learn(0.0, 1.0, 100_000, 20_000)
    since = 1.0
    while since < 300 * 3600:
        latency.learn(since, since + 300, 80_000, 0)
        assert (median := latency.median) is None or median < 5_000
        since += 300


@pytest.mark.parametrize("median", [0.1, 1.5, 20.0, 200.0])
def test_the_median_is_learned_from_few_batches(median: float) -> None:
    assert taught([median] * 3).median == pytest.approx(median, rel=0.15)


@pytest.mark.parametrize(("before", "after"), [(1.0, 10.0), (10.0, 1.0)])
def test_a_server_that_has_changed_is_learned_anew(before: float, after: float) -> None:
    assert taught([before] * 30 + [after] * 20).median == pytest.approx(after, rel=0.25)


def test_the_tail_is_learned_apart_from_the_rest() -> None:
    latency = Latency()
    for _ in range(20):
        latency.learn(0.0, 3.0, 500, 495)
        latency.learn(3.0, 55.0, 5, 0)
        latency.learn(55.0, 65.0, 5, 5)
    assert latency.share_decided(0.0, 3.0) == pytest.approx(0.99, abs=0.01)
    assert latency.share_decided(4.0, 45.0) < 0.3
    assert latency.share_decided(55.0, 65.0) > 0.7


@given(st.lists(st.tuples(ages, ages, st.integers(1, 1000), st.floats(0, 1)), max_size=10), ages, ages, ages)
def test_a_share_is_one_and_grows_with_time_whatever_is_learned(
    looks: list[tuple[float, float, int, float]], first: float, second: float, third: float
) -> None:
    latency = Latency()
    for one, other, numbers, share in looks:
        latency.learn(min(one, other), max(one, other), numbers, round(share * numbers))
    since, until, later = sorted([first, second, third])
    assert 0 <= latency.share_decided(since, until) <= latency.share_decided(since, later) + 1e-12 <= 1 + 1e-12
    assert latency.median is None or latency.median > 0
