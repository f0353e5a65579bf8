"""The real program in a real pseudo-terminal, for what only a terminal shows."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import pyte

from tests.busy import kept_waiting

DEADLINE_SECONDS = 30.0
STEP_SECONDS = 0.02

# pyte takes these private sequences for text
_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1bP[^\x1b]*\x1b\\")

# a sequence that is not all there yet
_CUT = re.compile(rb"\x1b(?:\[[<>=?]?[0-9;]*\$?|P[^\x1b]*\x1b?)?\Z")

_ANSWERS = {b"\x1b[6n": b"\x1b[1;1R", b"\x1b[?2026$p": b"\x1b[?2026;2$y"}
_QUESTIONS = re.compile(b"|".join(map(re.escape, _ANSWERS)))

MODES = {
    "alternate screen": b"1049",
    "mouse": b"1000",
    "mouse movement": b"1003",
    "bracketed paste": b"2004",
    "focus reports": b"1004",
}


class Terminal:
    """A program in a pseudo-terminal of its own."""

    def __init__(
        self,
        arguments: Sequence[str] = (),
        size: tuple[int, int] = (80, 24),
        environment: dict[str, str] | None = None,
        program: Sequence[str] = ("-m", "watui"),
        *,
        answers: bool = False,
    ) -> None:
        """With `answers` it says where its cursor is, and that it paints a frame as a whole, as most terminals do."""
        self.screen = pyte.Screen(*size)
        self._answers = answers
        self._held = b""
        self.is_looked_at = True
        """Whether the screen follows, which takes long where there is much to paint."""
        self._stream = pyte.ByteStream(self.screen)
        self.output = b""
        self.exit_code: int | None = None
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:  # the child
            variables = {"TERM": "xterm-256color", "COLORTERM": "truecolor", **(environment or {})}
            inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
            os.execve(sys.executable, [sys.executable, *program, *arguments], {**inherited, **variables})
        self._size(size)
        self.lflag = termios.tcgetattr(self._descriptor)[3]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.exit_code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._descriptor)

    def text(self) -> str:
        # Not `screen.display`: it fails on a wide character that is half painted over.
        columns, lines = range(self.screen.columns), range(self.screen.lines)
        return "\n".join("".join(self.screen.buffer[y][x].data for x in columns).rstrip() for y in lines)

    def resize(self, size: tuple[int, int]) -> None:
        self.screen.resize(size[1], size[0])
        self._size(size)

    def send(self, data: bytes, piece: int = 1024) -> None:
        """Type `data`, at most `piece` bytes at a time."""
        place = 0
        while place < len(data):
            place += os.write(self._descriptor, data[place : place + piece])
            if place % 1024 < piece:
                self._read(0)

    def paste(self, text: str) -> None:
        self.send(b"\x1b[200~" + text.replace("\n", "\r").encode() + b"\x1b[201~")

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def until(self, pattern: str, seconds: float = DEADLINE_SECONDS) -> None:
        """Read until the screen shows `pattern`."""
        deadline = time.monotonic() + seconds
        while not re.search(pattern, text := self.text()):
            seen, can_come = len(self.output), True
            while can_come and len(self.output) == seen:
                assert time.monotonic() < deadline, f"{pattern!r} did not come:\n{text}"
                can_come = self._read(STEP_SECONDS)
            if not can_come:
                assert re.search(pattern, self.text()), f"ended without {pattern!r}:\n{self.text()}"

    def until_quiet(self, seconds: float = 0.5) -> None:
        """Read until nothing has come for `seconds`."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while self.bytes_in(seconds):
            assert time.monotonic() < deadline, "it never falls silent"

    def bytes_in(self, seconds: float) -> int:
        """Return how many bytes come in `seconds`."""
        before = len(self.output)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._read(STEP_SECONDS)
        return len(self.output) - before

    def until_ended(self, seconds: float = DEADLINE_SECONDS) -> float:
        """Read until the program is gone; return the seconds that it took, not those it waited for a processor."""
        began, before, waited = time.monotonic(), kept_waiting(self.pid), 0.0
        while time.monotonic() < began + seconds + waited:
            self._read(STEP_SECONDS)
            waited = max(waited, kept_waiting(self.pid) - before)
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self.exit_code = os.waitstatus_to_exitcode(status)
                while self._read(0):
                    pass
                return time.monotonic() - began - waited
        raise AssertionError(f"still running:\n{self.text()}")

    def modes_left_on(self) -> list[str]:
        """Return which modes were switched on and not off again."""
        left = [
            name
            for name, number in MODES.items()
            if self.output.rfind(b"\x1b[?%sh" % number) > self.output.rfind(b"\x1b[?%sl" % number)
        ]
        if termios.tcgetattr(self._descriptor)[3] != self.lflag:
            left.append("line discipline")
        if self.output.rfind(b"\x1b[?25l") > self.output.rfind(b"\x1b[?25h"):
            left.append("hidden cursor")
        return left

    def _size(self, size: tuple[int, int]) -> None:
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))

    def _read(self, seconds: float) -> bool:
        """Read what comes within `seconds`; return whether more can come."""
        if not select.select([self._descriptor], [], [], seconds)[0]:
            return seconds > 0
        try:
            data = os.read(self._descriptor, 65536)
        except OSError:
            return False
        self._take(data)
        return bool(data)

    def _take(self, data: bytes) -> None:
        self.output += data
        data, self._held = self._held + data, b""
        if cut := _CUT.search(data):
            data, self._held = data[: cut.start()], data[cut.start() :]
        if self.is_looked_at:
            self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", data))
        if self._answers:
            for question in _QUESTIONS.findall(data):
                os.write(self._descriptor, _ANSWERS[question])
