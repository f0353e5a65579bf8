"""A world on disk: what happened in it, a line of JSON each, the oldest first."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from watui.contract.rules import CACHE_SECONDS
from watui.lock import Lock
from watui.simulator.clock import Clock
from watui.simulator.events import AnyEvent, Asked, Began, Event
from watui.simulator.server import Simulator

_DECODER = msgspec.json.Decoder(AnyEvent)
_BEGINNING = b'{"did":'
"""Of every line."""

_ENCODER = msgspec.json.Encoder()


class BadJournal(Exception):
    """A world that can't be read or written; the message names its file and says why."""


class DamagedJournal(BadJournal):
    """A file that holds no world, or not a whole one."""


class Journal:
    """The file that keeps the world of one simulator between starts. One process at a time has it open.

    A killed process loses nothing that was answered; a machine that stops at once may lose what its system had not
    written yet. Where the file can't be written any more, the simulator goes on and says so in its `problem`.
    """

    def __init__(self, path: Path, simulator: Simulator, file: BinaryIO, lock: Lock) -> None:
        self.path = path
        self._lock = lock
        self._simulator = simulator
        self._file: BinaryIO | None = file

    @classmethod
    def open(cls, path: Path, simulator: Simulator, clock: Clock) -> "Journal":
        """Bring `simulator` to where the file left it, and write into the file what happens from then on.

        A file that is not there is begun. `clock` goes on from the last event. Checks that no cache holds any more are
        left out, and the clock of a scenario begins again. Raises BadJournal.
        """
        path = path.resolve()
        lock = cls._take_lock(path)
        world = simulator.world
        try:
            events: list[Event] = list(_read(path))
            if events and not isinstance(events[0], Began):
                raise DamagedJournal(f"{path} does not begin as a world does")
            clock.catch_up(max((event.at for event in events), default=0.0))
            kept = [event for event in events if not _is_over(event, clock())]
            for event in kept:
                simulator.apply(event)
            file = _written_anew(path, kept)
        except BaseException as error:
            lock.release()
            if isinstance(error, OSError):
                raise BadJournal(f"cannot use {path}: {error.strerror or error}") from error
            raise
        journal = cls(path, simulator, file, lock)
        world.listeners.append(journal.add)
        if not kept:
            world.reset(clock())
        return journal

    def add(self, event: Event) -> None:
        """Write down one event; a world that begins anew begins the file anew."""
        if self._file is None:
            return
        whole = self._file.tell()
        try:
            if isinstance(event, Began):
                anew = _written_anew(self.path, [event])
                self._file.close()
                self._file = anew
            else:
                _write(self._file, _ENCODER.encode(event) + b"\n")
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.truncate(whole)
            self.close()
            self._simulator.tell(f"cannot write {self.path}: {error.strerror or error}; from now on nothing is kept")

    def close(self) -> None:
        """Write no more."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
            self._lock.release()

    @staticmethod
    def _take_lock(path: Path) -> Lock:
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = Lock.take(path.with_name(f".{path.name}.lock"))
        except OSError as error:
            raise BadJournal(f"cannot use {path}: {error.strerror or error}") from error
        if lock is None:
            raise BadJournal(f"another simulator keeps its world in {path}: name another file, or end that one")
        return lock


def _read(path: Path) -> Iterator[AnyEvent]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n") and line.startswith(_BEGINNING[: len(line)]):
                return  # its writer was killed while it wrote
            try:
                yield _DECODER.decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise DamagedJournal(f"{path}, line {number}: {error}") from error


def _is_over(event: Event, now: float) -> bool:
    return isinstance(event, Asked) and event.stuck == 0 and event.at + 2 * CACHE_SECONDS < now


def _written_anew(path: Path, events: Iterable[Event]) -> BinaryIO:
    """Put `events` into `path` in place of what is there, whole or not at all, and return it open for more."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.part")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    file = cast(BinaryIO, open(descriptor, "wb", buffering=0))  # noqa: SIM115 - open until the journal is closed
    try:
        _write(file, b"".join(_ENCODER.encode(event) + b"\n" for event in events))
        temporary.replace(path)
    except OSError:
        file.close()
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    return file


def _write(file: BinaryIO, content: bytes) -> None:
    """Write all of `content`, which a file without a buffer may take in parts. Raises OSError."""
    left = memoryview(content)
    while left:
        left = left[file.write(left) :]
