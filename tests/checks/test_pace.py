"""How fast a run goes, and how long the rest takes."""

from watui.checks.pace import LEAST_SECONDS, Pace


def observed(*counts: tuple[float, int]) -> Pace:
    pace = Pace()
    for now, count in counts:
        pace.observe(now, count)
    return pace


def test_the_rate_is_that_of_the_latest_seconds() -> None:
    assert observed((0.0, 0)).per_second() == 0.0
    assert observed((0.0, 0), (2.0, 10)).per_second() == 5.0
    assert observed((0.0, 0), (20.0, 1000), (30.0, 1010)).per_second() == 1.0


def test_the_rest_takes_as_long_as_the_rate_says_but_not_less_than_until_the_next_poll() -> None:
    pace = observed((0.0, 0), (LEAST_SECONDS, 25))
    assert pace.seconds_left(20, at_least=0.0) == 2.0
    assert pace.seconds_left(20, at_least=9.0) == 9.0


def test_it_is_not_told_before_enough_was_seen() -> None:
    assert observed((0.0, 0), (LEAST_SECONDS / 2, 25)).seconds_left(20, at_least=1.0) is None
    assert observed((0.0, 7), (LEAST_SECONDS, 7)).seconds_left(20, at_least=1.0) is None
