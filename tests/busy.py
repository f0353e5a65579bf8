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


def undisturbed(*others: int) -> float:
    """Return a time in seconds that leaves out for how long this process, or another one, waited for a processor.

    Where both wait at once it counts backwards: what is late by it is late.
    """
    return time.monotonic() - sum(map(kept_waiting, (os.getpid(), *others)))
