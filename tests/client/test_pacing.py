"""What is asked again, how long after, and what a server asks for: pure tables."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from random import Random

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client.conftest import MakeClient
from watui.client.failures import (
    AccessDenied,
    Failure,
    NotConnected,
    NotOffered,
    Overloaded,
    Refused,
    ServerTrouble,
    TimedOut,
    Unreachable,
    Unusable,
)
from watui.client.pacing import (
    HALF_HOUR,
    LONGEST_RETRY_AFTER,
    MOST_IN_TROUBLE,
    PACING,
    Remedy,
    Trouble,
    Waiting,
    read_retry_after,
    remedy,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("failure", "at_first", "later"),
    [
        (Overloaded("429", None), Remedy.TIME, Remedy.TIME),
        (ServerTrouble("500", None), Remedy.TRIES, Remedy.TIME),
        (Unreachable("reset"), Remedy.TRIES, Remedy.TIME),
        (NotConnected("refused"), Remedy.TRIES, Remedy.TIME),
        (TimedOut("late"), Remedy.TRIES, Remedy.TIME),
        (Unusable("HTML"), Remedy.TRIES, Remedy.TRIES),
        (Refused("1009", 1009, 400), Remedy.NOTHING, Remedy.NOTHING),
        (Refused("2048", 2048, 400), Remedy.NOTHING, Remedy.NOTHING),
        (Refused("404", None, 404), Remedy.NOTHING, Remedy.NOTHING),
        (AccessDenied("401", 1005, 401), Remedy.NOTHING, Remedy.NOTHING),
        (AccessDenied("403", 1005, 403), Remedy.NOTHING, Remedy.NOTHING),
        (NotOffered("no blocklist"), Remedy.NOTHING, Remedy.NOTHING),
    ],
    ids=str,
)
def test_what_may_mend_a_failure(failure: Failure, at_first: Remedy, later: Remedy) -> None:
    assert remedy(failure, is_known=False) is at_first
    assert remedy(failure, is_known=True) is later


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("9" * 30, LONGEST_RETRY_AFTER),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("Saturday, 21-Nov-26 12:01:00 GMT", 60.0),
        ("Sat Nov 21 12:01:00 2026", 60.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("\N{ARABIC-INDIC DIGIT THREE}", None),
    ],
)
def test_what_retry_after_asks_for(text: str, seconds: float | None) -> None:
    assert read_retry_after(text, NOW) == seconds


@pytest.mark.anyio
async def test_a_date_is_read_by_the_clock_of_the_server_that_wrote_it(client_of: MakeClient) -> None:
    wrong = NOW - timedelta(days=400)
    headers = {
        "Date": format_datetime(wrong, usegmt=True),
        "Retry-After": format_datetime(wrong + timedelta(seconds=45), usegmt=True),
    }
    with pytest.raises(Overloaded) as caught:
        await client_of(lambda _: httpx.Response(503, headers=headers)).check(["+16315551000"])
    assert caught.value.retry_after == 45


@given(st.integers(1, 10_000), st.integers(1, 10_000), st.floats(0, 1e7), st.integers())
def test_every_wait_is_longer_than_nothing_and_no_longer_than_what_is_left(
    failures: int, requests: int, elapsed: float, seed: int
) -> None:
    seconds = PACING.wait(failures, requests, elapsed, Random(seed))
    assert PACING.first <= seconds <= max(HALF_HOUR - elapsed, HALF_HOUR / MOST_IN_TROUBLE) * (1 + PACING.jitter)
    if elapsed >= HALF_HOUR and failures > 4:
        assert seconds >= HALF_HOUR / MOST_IN_TROUBLE


def test_the_first_waits_are_short_and_grow() -> None:
    chance = Random(0)
    waits = [PACING.wait(failures, failures, 0.0, chance) for failures in range(1, 5)]
    for wait, least in zip(waits, [1, 4, 16, 64], strict=True):
        assert least <= wait <= least * (1 + PACING.jitter)


@given(st.lists(st.tuples(st.floats(0, 300), st.none() | st.floats(0, 5_000)), min_size=1, max_size=60), st.integers())
def test_nothing_goes_out_before_any_retry_after(story: list[tuple[float, float | None]], seed: int) -> None:
    trouble, now, wanted = Trouble(Random(seed)), 0.0, 0.0
    for takes, retry_after in story:
        sent_at, now = now, now + takes
        trouble.failed(Overloaded("503", retry_after), Remedy.TIME, sent_at, now)
        wanted = max(wanted, now + (retry_after or 0.0))
        assert trouble.until >= wanted
        assert min(trouble.until, trouble.knock_at) >= wanted
        now = trouble.until


def test_clients_that_a_server_sends_away_together_do_not_come_back_together() -> None:
    moments = set()
    for seed in range(100):
        trouble = Trouble(Random(seed))
        trouble.failed(Overloaded("503", 600.0), Remedy.TIME, 0.0, 1.0)
        moments.add(trouble.until)
        assert trouble.is_wanted
    assert len(moments) == 100


def test_who_wants_the_wait_is_told() -> None:
    until = datetime(2026, 11, 21, 14, 3, 20).timestamp()
    assert Waiting(until, "HTTP 503", True).words == "the server asks us to wait until 14:03:20: HTTP 503"
    assert Waiting(until, "HTTP 500").words == "waits until 14:03:20: HTTP 500"


def test_a_wish_that_is_shorter_than_the_own_patience_is_not_what_is_waited_for() -> None:
    trouble, now = Trouble(Random(0)), 0.0
    for _ in range(4):
        sent_at, now = now, now + 0.1
        trouble.failed(Overloaded("503", 2.0), Remedy.TIME, sent_at, now)
        now = trouble.until
    assert not trouble.is_wanted


@pytest.mark.parametrize("text", ["Mon, 20 Nov 99999999999 19:12:08 GMT", "Mon, 99 Foo 2026", "\x00", "-1", "1e9"])
def test_a_wish_that_cannot_be_read_is_none(text: str) -> None:
    assert read_retry_after(text, NOW) is None
