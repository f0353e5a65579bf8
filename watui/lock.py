"""A lock that one process at a time holds, and that goes with the process."""

import fcntl
import os
from pathlib import Path


class Lock:
    """A lock on a file of its own. It is not inherited by other programs, and no dead process holds it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, path: Path, *, shared: bool = False) -> "Lock | None":
        """Take the lock, None where another process, or another Lock, holds it. Raises OSError.

        Several can hold it `shared` at once: for those that only look whether somebody has it.
        """
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                return None
            raise
        return cls(descriptor)

    def release(self) -> None:
        """Let others have it."""
        os.close(self._descriptor)
