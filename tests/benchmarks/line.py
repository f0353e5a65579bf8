"""What goes over the line to the terminal, counted at the master side of a pseudo-terminal of 120 x 40.

The console watches a run that this process drives: every change is written into the ledger, and no simulator is asked.
"""

import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.pty.feed import CHANGE_SECONDS, VISIBLE, Feed, watching
from tests.pty.slow import SlowTerminal
from tests.pty.terminal import Terminal
from watui.settings.paths import Paths, find_paths

SIZE = (120, 40)
SECONDS = 8.0
IDLE_SECONDS = 4.0

RAW_CELL = len("\x1b[12;60H✓ processing".encode())
"""Bytes that a status costs at least: to go there, and to write it."""

RAW_PER_SECOND = 10

SLOW_BYTES_PER_SECOND = 9_600
KEYS = 40
KEY_PAUSES = (0.2, 0.6)
"""Seconds between an answer and the next key, at least and at most."""

ON = {"WATUI_LOW_BANDWIDTH": "on"}


@contextmanager
def home() -> Iterator[Paths]:
    """An empty home of its own, for this process and those that it starts; nobody comes over SSH."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WATUI_HOME"] = folder
        for name in ("SSH_CONNECTION", "SSH_TTY", "WATUI_LOW_BANDWIDTH"):
            os.environ.pop(name, None)
        try:
            yield find_paths()
        finally:
            os.environ.clear()
            os.environ.update(before)


def console(environment: Mapping[str, str] | None = None) -> Terminal:
    return Terminal(size=SIZE, environment=dict(environment or {}), answers=True)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def per_second(terminal: Terminal, change: Callable[[], None], pause: float) -> float:
    """Return the bytes that a second of changes costs, `pause` seconds between two of them."""
    written, began = 0, time.monotonic()
    while (now := time.monotonic()) < began + SECONDS:
        change()
        written += terminal.bytes_in(max(0.0, now + pause - time.monotonic()))
    return written / (time.monotonic() - began)


def idle() -> Iterator[Figure]:
    """Nothing changes: on an empty screen, in the search line, with a run that has ended."""
    with home(), console() as terminal:
        terminal.until("SIMULATOR")
        yield from _idle(terminal, "an empty console")
    with home(), _watched() as (terminal, feed):
        yield from _idle(terminal, "a run that is watched, none of it changing")
        feed.end()
        terminal.until("done")
        yield from _idle(terminal, "a run that has ended")
        terminal.send(b"/")
        terminal.until("part of an input")
        yield from _idle(terminal, "the cursor in the search line")


def _idle(terminal: Terminal, what: str) -> Iterator[Figure]:
    terminal.until_quiet(1.0)
    began, before = time.monotonic(), cpu_seconds(terminal.pid)
    written = terminal.bytes_in(IDLE_SECONDS)
    share = (cpu_seconds(terminal.pid) - before) / (time.monotonic() - began)
    yield Figure("S7", f"idle: {what}", written / IDLE_SECONDS, "B/s", most=0.0)
    yield Figure("S7", f"idle: {what}, processor", share * 100, "%")


@contextmanager
def _watched(environment: Mapping[str, str] | None = None) -> Iterator[tuple[Terminal, Feed]]:
    terminal = console(environment)
    with watching(terminal) as feed:
        yield terminal, feed


def one_a_second() -> Iterator[Figure]:
    """One status changes a second, with and without the counts."""
    against = "to go there and write it"
    with home(), _watched() as (terminal, feed):
        alone = per_second(terminal, feed.swap, 1.0)
        yield Figure("S8", "one status a second, its cell", alone, "B/s", RAW_CELL, most_ratio=5, against=against)
        terminal.until_quiet()

        def change() -> None:
            feed.swap()
            feed.decide(1)

        both = per_second(terminal, change, 1.0)
        yield Figure("S8", "one status a second, with progress and counts", both, "B/s", RAW_CELL, against=against)


def all_the_time() -> Iterator[Figure]:
    """All rows in sight change all the time."""
    raw, against = VISIBLE * RAW_CELL * RAW_PER_SECOND, "raw at 10 Hz"
    for words, environment, most in (("", {}, 10_000.0), (", low_bandwidth", ON, 2_500.0)):
        with home(), _watched(environment) as (terminal, feed):
            written = per_second(terminal, feed.churn, CHANGE_SECONDS)
            yield Figure("S9", f"{VISIBLE} rows change{words}", written, "B/s", raw, most, against=against)
            terminal.until_quiet()
            written = per_second(terminal, feed.decide, CHANGE_SECONDS)
            yield Figure("S9", f"progress and counts alone{words}", written, "B/s", most=800.0)


def slow_line() -> Iterator[Figure]:
    """Keys over a slow line while all rows in sight change all the time."""
    for words, environment in (("", {}), (", over SSH", {"SSH_CONNECTION": "192.0.2.1 1 192.0.2.2 22"})):
        with home():
            terminal = SlowTerminal(SLOW_BYTES_PER_SECOND, size=SIZE, environment=environment)
            with watching(terminal) as feed:
                seconds = sorted(_answers(terminal, feed))
        what = f"a key at {SLOW_BYTES_PER_SECOND:,} B/s{words}"
        yield Figure("slow line", f"{what}, median", statistics.median(seconds) * 1000, "ms")
        yield Figure("slow line", f"{what}, p95", seconds[len(seconds) * 95 // 100] * 1000, "ms", most=300.0)


def _answers(terminal: Terminal, feed: Feed) -> Iterator[float]:
    """Yield the seconds from each key to the moment in which its whole answer is on the screen."""
    chance = random.Random(3)
    for place in range(KEYS):
        _churn(terminal, feed, chance.uniform(*KEY_PAUSES))
        down = place % 2 == 0
        wanted = f"line {2 if down else 1} "
        began = time.monotonic()
        terminal.send(b"\x1b[B" if down else b"\x1b[A")
        while wanted not in terminal.screen.display[-2]:
            assert time.monotonic() < began + 30.0, f"{wanted!r} did not come:\n{terminal.text()}"
            _churn(terminal, feed, 0.005)
        yield time.monotonic() - began


def _churn(terminal: Terminal, feed: Feed, seconds: float) -> None:
    """Let the run go on for a while, as seen in `terminal`."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if time.monotonic() >= feed.due:
            feed.churn()
        terminal.bytes_in(min(left, 0.005))


def measure() -> Iterator[Figure]:
    yield from idle()
    yield from one_a_second()
    yield from all_the_time()
    yield from slow_line()
