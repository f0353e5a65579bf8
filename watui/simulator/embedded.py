"""The one simulator of a data folder: whichever process needs it first serves it, the others ask that one.

In its folder are `lock` (held by the process that serves), `door.json` (URL and token, for its owner alone) and
`world.jsonl` (what happened).
"""

import contextlib
import os
import secrets
import socket
import threading
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from watui.lock import Lock
from watui.simulator.app import App
from watui.simulator.clock import Clock
from watui.simulator.journal import BadJournal, DamagedJournal, Journal
from watui.simulator.server import REGION_PREFIX, OnCrash, Simulator
from watui.simulator.serving import LOOPBACK, CannotListen, ServerThread
from watui.simulator.world import World

WATCH_SECONDS = 0.25
"""How often a process that uses another one's simulator looks whether that one is gone."""

PATIENCE_SECONDS = 10.0
"""How long the process that serves may take until it answers."""

LOCK, DOOR, WORLD = "lock", "door.json", "world.jsonl"


class NoSimulator(OSError):
    """The simulator can't be had; the message says why and what to do."""


class Door(NamedTuple):
    """Where a simulator answers."""

    url: str
    token: str
    region: str


class Embedded:
    """The simulator of `folder`, served by this process or by another one; this one takes over when that is gone.

    Numbers are read as by a server of `region`. Raises NoSimulator.
    """

    def __init__(self, folder: Path, region: str, on_crash: OnCrash | None = None) -> None:
        self._folder = folder
        self._region = region
        self._on_crash = on_crash
        self._closing = threading.Event()
        self._lock: Lock | None = None
        self._server: ServerThread | None = None
        self._journal: Journal | None = None
        self._watcher: threading.Thread | None = None
        try:
            self._door = self._enter()
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """The base URL now; it is another one only where a process that took over could not have the same port."""
        door = (None if self.is_served_here else self._last_door()) or self._door
        return door.url if self._region == door.region else f"{door.url}/{REGION_PREFIX}/{self._region}"

    @property
    def token(self) -> str:
        return self._door.token

    @property
    def is_served_here(self) -> bool:
        """Whether this process serves it."""
        return self._server is not None

    def close(self) -> None:
        """Leave it; where this process served it, another one that uses it takes over."""
        self._closing.set()
        if self._watcher is not None:
            self._watcher.join()
        self._leave()

    def _enter(self) -> Door:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            if self._can_lock():
                return self._serve(self._last_door())
            door = self._last_door()
            if door is not None and _answers(door):
                self._watcher = threading.Thread(target=self._watch, args=[door], name="watui-watcher", daemon=True)
                self._watcher.start()
                return door
            if time.monotonic() > until:
                raise NoSimulator(
                    f"another watui holds {self._folder / LOCK} but its simulator does not answer: end that process"
                )
            time.sleep(WATCH_SECONDS / 5)

    def _watch(self, door: Door) -> None:
        """Take over once the process that serves is gone."""
        while not self._closing.wait(WATCH_SECONDS):
            try:
                if self._can_lock():
                    self._door = self._serve(self._last_door() or door)
                    return
            except NoSimulator:
                pass  # the next round tries again, here or in another process
            except Exception as error:  # noqa: BLE001 - a thread has nobody else to tell
                if self._on_crash is not None:
                    self._on_crash(error)

    def _can_lock(self) -> bool:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = Lock.take(self._folder / LOCK)
        except OSError as error:
            raise NoSimulator(f"cannot use {self._folder}: {error.strerror or error}") from error
        return self._lock is not None

    def _serve(self, before: Door | None) -> Door:
        """Serve, where it can be at the port where others still look for the simulator. Raises NoSimulator."""
        token = before.token if before is not None else secrets.token_urlsafe(24)
        clock = Clock()
        simulator = Simulator(World(self._region), token, control=True, on_crash=self._on_crash)
        try:
            # Until it answers there is no door: somebody else may have its port by now.
            (self._folder / DOOR).unlink(missing_ok=True)
            self._journal = self._open_journal(simulator, clock)
            server = _listen(App(simulator, clock, clock.sleep), before)
            # The door first: once it is served here, that is where it is.
            self._door = door = Door(server.url, token, simulator.world.region)
            self._server = server
            _write_private(self._folder / DOOR, msgspec.json.encode(door._asdict()))
        except BaseException as error:
            self._leave()
            if isinstance(error, BadJournal | CannotListen | OSError):
                raise NoSimulator(str(error)) from error
            raise
        return door

    def _open_journal(self, simulator: Simulator, clock: Clock) -> Journal:
        world = self._folder / WORLD
        try:
            return Journal.open(world, simulator, clock)
        except DamagedJournal as error:
            aside = world.with_name(f"{WORLD}.damaged")
            world.replace(aside)
            simulator.tell(f"The simulator's world is damaged and set aside as {aside}; a new one began. {error}")
            return Journal.open(world, simulator, clock)

    def _leave(self) -> None:
        """Stop to serve. Whoever takes over finds everything written: the lock goes last, or with a busy process."""
        if self._server is not None and not self._server.stop():
            return
        if self._journal is not None:
            self._journal.close()
        if self._lock is not None:
            self._lock.release()
        self._server = self._journal = self._lock = None

    def _last_door(self) -> Door | None:
        try:
            members = msgspec.json.decode((self._folder / DOOR).read_bytes(), type=dict[str, str])
            return Door(**members)
        except (OSError, TypeError, ValueError):
            return None


def _listen(app: App, before: Door | None) -> ServerThread:
    """Serve at the port where others still look for the simulator, or else at a free one."""
    if before is not None:
        with contextlib.suppress(CannotListen, ValueError):
            return ServerThread(app, LOOPBACK, urlsplit(before.url).port or 0)
    return ServerThread(app, LOOPBACK)


def _answers(door: Door) -> bool:
    address = urlsplit(door.url)
    try:
        socket.create_connection((address.hostname or LOOPBACK, address.port or 0), timeout=1).close()
    except (OSError, ValueError):
        return False
    return True


def _write_private(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.part")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)
