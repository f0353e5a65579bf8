"""Places where a write fails or the process dies: for tests alone.

`WATUI_FAILPOINT=name:nth[:how]` lets it happen the nth time that `name` is reached, from 1. `nth` can be a range such
as `3-5`, after which all is well again, or `3+`, from then on. `how` is `kill` (the usual one), `full`, `io` or
`readonly`. Names: `ledger.begin`, `ledger.write` (before a commit), `ledger.committed`, `client.sent` (an answer is
there and not written down yet), `file.rename`.
"""

import contextlib
import math
import os
import re
import signal
from collections.abc import Callable, Iterator
from typing import Self

VARIABLE = "WATUI_FAILPOINT"

TROUBLES = {
    "full": ("SQLITE_FULL", "database or disk is full"),
    "io": ("SQLITE_IOERR_WRITE", "disk I/O error"),
    "readonly": ("SQLITE_READONLY", "attempt to write a readonly database"),
}
"""SQLite's code and words, by `how`."""


class Failpoint:
    """Fails from the time `first` to the time `last` that it is reached, both included."""

    def __init__(self, name: str, first: float, last: float, how: str = "kill") -> None:
        self.name = name
        self.first, self.last = first, last
        self.reached = 0
        self._how = how

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the failpoint that `text` describes. Raises ValueError."""
        found = re.fullmatch(rf"([a-z.]+):(\d+)(?:-(\d+)|(\+))?(?::(kill|{'|'.join(TROUBLES)}))?", text)
        if found is None:
            raise ValueError(f"{text!r} is no failpoint: name:nth[:how]")
        name, first, last, for_good, how = found.groups()
        return cls(name, int(first), math.inf if for_good else int(last or first), how or "kill")

    @property
    def is_over(self) -> bool:
        """Whether it will not fail any more."""
        return self.reached >= self.last

    def reach(self, name: str) -> None:
        """Count that `name` is reached, and fail where it is time."""
        if name != self.name:
            return
        self.reached += 1
        if self.first <= self.reached <= self.last:
            _fail(self._how)


def _fail(how: str) -> None:
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
        return
    import sqlite3

    code, words = TROUBLES[how]
    error = sqlite3.OperationalError(words)
    error.sqlite_errorcode, error.sqlite_errorname = getattr(sqlite3, code), code
    raise error


def _pass(_: str) -> None:
    """What is reached where nothing is to fail."""


reach: Callable[[str], None] = _pass
"""Called with the name of a place whenever that is reached."""


@contextlib.contextmanager
def armed(text: str) -> Iterator[Failpoint]:
    """Let something fail in this process, as `text` says."""
    global reach
    failpoint, before = Failpoint.parse(text), reach
    reach = failpoint.reach
    try:
        yield failpoint
    finally:
        reach = before


if _given := os.environ.get(VARIABLE):
    reach = Failpoint.parse(_given).reach
