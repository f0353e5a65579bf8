"""Who carries something out: each that does holds a lock for as long as it is at it.

The lock is the operating system's, so no dead process holds one, and nobody ever has to remove a stale one.
"""

import contextlib
import os
import time
from pathlib import Path

from watui.ledger.schema import LedgerUnusable
from watui.lock import Lock

STALE_SECONDS = 3600.0
"""Age from which on a lock file that nobody holds is removed."""


class Driven(Exception):
    """Somebody else is at it; the message says so."""


class Driver:
    """Somebody at work in this process, as the ledger calls it. Locks live in `folder`. Raises LedgerUnusable."""

    def __init__(self, folder: Path) -> None:
        self.id = os.urandom(8).hex()
        self._folder = folder
        self._path = _path(folder, self.id)
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = Lock.take(self._path)
        except OSError as error:
            raise LedgerUnusable(f"cannot lock {self._path}: {error.strerror}") from error
        assert lock is not None, "the id is new"
        self._lock: Lock | None = lock
        _sweep(folder)

    def is_gone(self, driver_id: str) -> bool:
        """Whether another driver lives no more."""
        return is_gone(self._folder, driver_id)

    def close(self) -> None:
        """Let others see that it is gone."""
        if self._lock is not None:
            self._path.unlink(missing_ok=True)
            self._lock.release()
            self._lock = None


def is_gone(folder: Path, driver_id: str) -> bool:
    """Whether a driver lives no more; what it left to be done is anybody's."""
    path = _path(folder, driver_id)
    if not path.exists():
        return True
    try:
        lock = Lock.take(path, shared=True)
    except OSError:
        return False
    if lock is None:
        return False
    path.unlink(missing_ok=True)
    lock.release()
    return True


def _sweep(folder: Path) -> None:
    """Remove what killed processes have left. A file that is new may be one that is about to be locked."""
    for path in folder.glob("*.lock"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > STALE_SECONDS:
                is_gone(folder, path.stem)


def _path(folder: Path, driver_id: str) -> Path:
    return folder / f"{driver_id}.lock"
