"""Answers age against the seven days of a server's cache."""

import pytest

from watui.checks.freshness import Freshness, freshness

DAY = 24 * 3600


@pytest.mark.parametrize(
    ("seconds", "found"),
    [
        (0, Freshness.FRESH),
        (6 * DAY - 1, Freshness.FRESH),
        (6 * DAY, Freshness.EXPIRING),
        (7 * DAY - 1, Freshness.EXPIRING),
        (7 * DAY, Freshness.STALE),
        (400 * DAY, Freshness.STALE),
    ],
)
def test_an_answer_is_fresh_for_six_days_and_stale_after_seven(seconds: float, found: Freshness) -> None:
    assert freshness(seconds) is found
