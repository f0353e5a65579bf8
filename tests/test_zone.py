"""Times are told in the zone of this machine, or in UTC."""

import time
from collections.abc import Iterator

import pytest

from watui.zone import Zone

AT = 1_795_341_600.25  # 2026-11-22 10:00:00.250 UTC


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_tokyo")
@pytest.mark.parametrize(
    ("is_utc", "minute", "clock", "millisecond"),
    [
        (False, "2026-11-22 19:00", "19:00:00", "2026-11-22 19:00:00.250"),
        (True, "2026-11-22 10:00Z", "10:00:00Z", "2026-11-22 10:00:00.250Z"),
    ],
)
def test_times_are_told_in_one_zone(is_utc: bool, minute: str, clock: str, millisecond: str) -> None:
    zone = Zone()
    zone.is_utc = is_utc
    assert (zone.minute(AT), zone.clock(AT), zone.millisecond(AT)) == (minute, clock, millisecond)
    assert zone.minute(int(AT) * 1000, 1000) == minute


@pytest.mark.parametrize("at", [10**400, -(10**400), 1e300, float("nan"), float("inf")])
@pytest.mark.parametrize("is_utc", [False, True])
def test_what_is_no_time_is_told_as_that(at: float, is_utc: bool) -> None:
    zone = Zone()
    zone.is_utc = is_utc
    assert zone.minute(at, 1000) == "at an unreadable time"
