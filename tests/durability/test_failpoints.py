"""Places that fail when they are told to, and only then."""

import sqlite3

import pytest

from watui import failpoints
from watui.failpoints import TROUBLES, Failpoint, armed


def failures(text: str, times: int) -> list[int]:
    """Return the times, from 1, at which a place fails."""
    found = []
    with armed(text):
        for time in range(1, times + 1):
            failpoints.reach("another.place")
            try:
                failpoints.reach("file.rename")
            except sqlite3.OperationalError:
                found.append(time)
    return found


def test_it_fails_at_its_times_alone() -> None:
    assert failures("file.rename:3:full", 6) == [3]
    assert failures("file.rename:2-4:io", 6) == [2, 3, 4]
    assert failures("file.rename:4+:readonly", 6) == [4, 5, 6]
    for _ in range(6):
        failpoints.reach("file.rename")


@pytest.mark.parametrize("how", TROUBLES)
def test_it_fails_as_sqlite_does(how: str) -> None:
    with armed(f"file.rename:1:{how}"), pytest.raises(sqlite3.OperationalError) as caught:
        failpoints.reach("file.rename")
    assert caught.value.sqlite_errorname == TROUBLES[how][0]
    assert caught.value.sqlite_errorcode == getattr(sqlite3, TROUBLES[how][0])


@pytest.mark.parametrize("text", ["", "file.rename", "file.rename:x", "file.rename:1:flood", "file.rename:1-:full"])
def test_what_is_no_failpoint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no failpoint"):
        Failpoint.parse(text)
