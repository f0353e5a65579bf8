"""Time on a machine that is busy with other things as well."""

import os
import time
from pathlib import Path


def kept_waiting(pid: int) -> float:
    """Return the seconds for which the main thread of a process could have gone on, and no processor was free for it.

    0 where the process has ended, or the kernel does not count.
    """
    try:
        _, nanoseconds, _ = Path(f"/proc/{pid}/schedstat").read_text().split()
    except OSError:
        return 0.0
    return int(nanoseconds) / 1e9


class Stopwatch:
    """Tells the seconds since it was made, but for those that this process, or one of `others`, waited for a processor.

    Where several wait at once each of them counts, up to all the time since the last look: what is late by it is late.
    """

    def __init__(self, *others: int) -> None:
        self._pids = (os.getpid(), *others)
        self._seconds = 0.0
        self._looked, self._waited = time.monotonic(), self._kept_waiting()

    def seconds(self) -> float:
        now, waited = time.monotonic(), self._kept_waiting()
        self._seconds += max(0.0, now - self._looked - max(0.0, waited - self._waited))
        self._looked, self._waited = now, waited
        return self._seconds

    def _kept_waiting(self) -> float:
        return sum(map(kept_waiting, self._pids))
