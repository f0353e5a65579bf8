"""The start: from nothing to the first screen, what it takes of memory, and the version alone."""

import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.benchmarks.figures import Figure, memory
from watui.ledger.ledger import Ledger
from watui.ledger.rows import NewRow, RunOptions
from watui.settings.paths import HOME_VARIABLE, find_paths

COLUMNS, LINES = 120, 40
STARTS = 15
"""Of each program, after one that warms the caches."""
ROWS = 100_000
"""In the ledger that a start must not notice."""

ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Modules are compiled once, as they are for a user."""

CONSOLE = ("-m", "watui")
SCRIPT = str(Path(sys.executable).with_name("watui"))
"""What is installed beside the interpreter."""

BARE = """
from textual.app import App
from textual.widgets import Static

class Bare(App):
    def compose(self):
        yield Static("all there is")

Bare().run()
"""


class Program(NamedTuple):
    """A program and the last words of its first screen."""

    arguments: Sequence[str]
    words: bytes
    home: str


class Start(NamedTuple):
    seconds: float
    megabytes: float


def first_paint(program: Program) -> Start:
    """Start a program in a terminal; return how long its first screen took, and its memory at that moment."""
    environment = {**ENVIRONMENT, "TERM": "xterm-256color", "COLORTERM": "truecolor", HOME_VARIABLE: program.home}
    began, output = time.perf_counter(), b""
    pid, descriptor = pty.fork()
    if pid == 0:  # the child
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        os.execve(sys.executable, [sys.executable, *program.arguments], environment)
    try:
        while program.words not in output:
            output += os.read(descriptor, 65536)
        return Start(time.perf_counter() - began, memory(pid, "VmRSS"))
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(descriptor)


def wall(arguments: Sequence[str]) -> float:
    """Return the seconds that a command takes."""
    began = time.perf_counter()
    subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
    return time.perf_counter() - began


def fill(home: str) -> None:
    """Make a ledger with one long run in it."""
    ledger = Ledger(find_paths({HOME_VARIABLE: home}).ledger)
    run_id = ledger.add_run(RunOptions("simulator", "US", "no_wait", False, 500, "simulator"))
    source_id = ledger.add_source(run_id, "numbers.csv", None)
    numbers = [f"+1212{place:07d}" for place in range(ROWS)]
    rows = (NewRow(line, number, number, number, "US", None, None) for line, number in enumerate(numbers, 1))
    ledger.add_rows(run_id, source_id, rows, {})
    ledger.close()


def measure() -> Iterator[Figure]:
    """Measure with an empty home, and once more with a long run in the ledger."""
    with tempfile.TemporaryDirectory() as empty, tempfile.TemporaryDirectory() as full:
        fill(full)
        programs = (
            Program(("-c", BARE), b"all there is", empty),
            Program(CONSOLE, b" quit ", empty),
            Program(CONSOLE, b" quit ", full),
        )
        for program in programs:
            first_paint(program)
        starts = [[first_paint(program) for program in programs] for _ in range(STARTS)]
    (bare, bare_memory), (console, console_memory), (full_ledger, _) = (
        (median(start.seconds for start in found), median(start.megabytes for start in found))
        for found in zip(*starts, strict=True)
    )
    against = "a Textual app with one Static"
    yield Figure("S1", "start to first paint", console, "s", bare, most_ratio=1.35, against=against)
    yield Figure(
        "S1", f"the same, {ROWS:,} rows in the ledger", full_ledger, "s", bare, most_ratio=1.35, against=against
    )
    yield Figure("S2", "memory at first paint", console_memory, "MB", bare_memory, most_ratio=1.3, against=against)
    commands = [[sys.executable, "-c", "pass"], [sys.executable, "-m", "watui", "--version"], [SCRIPT, "--version"]]
    walls = [[wall(command) for command in commands] for _ in range(STARTS)]
    nothing, module, script = map(median, zip(*walls, strict=True))
    for what, took in (("python -m watui --version", module), ("watui --version", script)):
        yield Figure("S3", what, took, "s", nothing, most_ratio=3, against="python -c pass")
