"""Who has an account, and how long a check takes."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watui.simulator.population import (
    ACCOUNT_SHARE,
    DEFAULT_LATENCY,
    SLOW_SECONDS,
    Latency,
    check_seconds,
    has_account,
)

NUMBERS = [f"+1631555{last:04}" for last in range(4_000)]


def test_the_documented_share_of_numbers_has_an_account() -> None:
    share = sum(has_account(0, number) for number in NUMBERS) / len(NUMBERS)
    assert share == pytest.approx(ACCOUNT_SHARE, abs=0.03)


@pytest.mark.parametrize(
    "fate",
    [has_account, lambda seed, number: check_seconds(seed, number, DEFAULT_LATENCY)],
    ids=["account", "latency"],
)
def test_fates_are_the_same_for_a_seed_and_others_for_another(fate: Callable[[int, str], object]) -> None:
    first = [fate(7, number) for number in NUMBERS[:200]]
    assert [fate(7, number) for number in NUMBERS[:200]] == first
    assert [fate(8, number) for number in NUMBERS[:200]] != first


def test_latencies_of_many_numbers_have_the_median_and_p99_that_were_asked_for() -> None:
    latency = Latency(1.5, 4.0)
    seconds = sorted(check_seconds(0, number, latency) for number in NUMBERS)
    assert seconds[len(seconds) // 2] == pytest.approx(latency.median, rel=0.05)
    assert seconds[int(len(seconds) * 0.99)] == pytest.approx(latency.p99, rel=0.15)


def test_one_in_a_hundred_is_slow_with_the_default_latency_alone() -> None:
    slow = [number for number in NUMBERS if check_seconds(0, number, DEFAULT_LATENCY) > SLOW_SECONDS]
    assert len(slow) == pytest.approx(len(NUMBERS) / 100, rel=0.3)
    assert all(check_seconds(0, number, Latency(1.5, 4.5)) < SLOW_SECONDS for number in slow)
    assert Latency.parse("1.5,4") == DEFAULT_LATENCY
    assert Latency.parse("1.5,5") == Latency(1.5, 5.0)


@given(
    st.floats(0.001, 1e4),
    st.floats(1, 100),
    st.lists(st.floats(1e-9, 1 - 1e-9), min_size=2, max_size=2).map(sorted),
)
def test_latency_grows_with_the_share(median: float, spread: float, shares: list[float]) -> None:
    latency = Latency(median, median * spread)
    assert latency.seconds(0.5) == pytest.approx(median)
    assert latency.seconds(0.99) == pytest.approx(median * spread)
    assert 0 < latency.seconds(shares[0]) <= latency.seconds(shares[1])


def test_without_a_latency_a_check_takes_no_time() -> None:
    assert check_seconds(0, NUMBERS[0], None) == 0
