"""The line drops, or somebody ends the console, in the middle of a run: it is gone at once, and nothing is lost."""

import os
import re
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pty.terminal import Terminal
from watui.checks.prepare import Import, add_source
from watui.checks.rows import run_state
from watui.checks.standing import left_of
from watui.contract.statuses import FINAL
from watui.intake.entries import single
from watui.ledger.drivers import Driver
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import RunOptions
from watui.settings.paths import HOME_VARIABLE, Paths, find_paths
from watui.settings.settings import SIMULATOR
from watui.simulator.population import DEFAULT_LATENCY, check_seconds

GONE_SECONDS = 2.0
"""How long a console may live on without anybody who could see it."""

AT_ONCE = 3
"""Consoles that are lost side by side, each with a home of its own."""

NUMBERS = [f"+1212555{line:04}" for line in range(1, 301)]
"""A few of them take so long that no run ends before it is lost."""

WATUI = "os.execv(sys.executable, [sys.executable, '-m', 'watui', *sys.argv[1:]])"

DEAF = f"""
import os, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
{WATUI}
"""
"""A program under nohup, or whatever else lets it be born with SIGHUP ignored."""

UNTOLD = f"""
import fcntl, os, signal, sys, termios
signal.signal(signal.SIGHUP, signal.SIG_IGN)
fcntl.ioctl(0, termios.TIOCNOTTY)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
{WATUI}
"""
"""A program whose terminal is not its controlling one: no signal tells that it is closed, only its input ends."""

WAYS = {
    "closed with SIGHUP": ("-m", "watui"),
    "closed with SIGHUP ignored": ("-c", DEAF),
    "end of standard input": ("-c", UNTOLD),
    "SIGTERM": ("-m", "watui"),
}
EXIT_CODES = {"closed with SIGHUP": 128 + signal.SIGHUP, "SIGTERM": 128 + signal.SIGTERM}

_starting = threading.Lock()


class Line(Terminal):
    """A terminal that can be lost."""

    def __init__(self, home: Path, program: Sequence[str], size: tuple[int, int] = (80, 24)) -> None:
        # One by one, for no other program may come by this terminal's end: it would hold the line.
        with _starting:
            super().__init__(size=size, environment={HOME_VARIABLE: str(home)}, program=program)
            os.set_inheritable(self._descriptor, False)

    def lose(self, way: str) -> None:
        if way == "SIGTERM":
            self.signal(signal.SIGTERM)
            return
        silence, self._kept = os.pipe()
        os.dup2(silence, self._descriptor, inheritable=False)
        os.close(silence)

    def until_gone(self) -> float:
        """Wait until the program has ended, and return the seconds that took."""
        began = cpu_seconds(self.pid)
        try:
            return self.until_ended(GONE_SECONDS + 1)
        except AssertionError:
            used = cpu_seconds(self.pid) - began
            raise AssertionError(f"still there, and used {used:.1f} s of processor since") from None


@dataclass
class Lost:
    """What is left of a console that was lost."""

    paths: Paths
    run_id: int
    seconds: float
    """That it took to end."""
    exit_code: int | None
    shown: str
    """The last screen that was seen."""
    survivors: list[int]
    """Processes of it that are still there."""
    modes_left_on: list[str]
    """Of its terminal, where that is still there."""


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def of_session(session: int) -> list[int]:
    """Return the processes of a session, those left out that have ended and only wait for their parent."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except (OSError, ValueError):
            continue
        if entry.name.isdigit() and int(fields[3]) == session and fields[0] != "Z":
            found.append(int(entry.name))
    return found


def until_alone(session: int) -> list[int]:
    """Give the processes of a session a moment to end, and return those that do not."""
    deadline = time.monotonic() + GONE_SECONDS
    while (left := of_session(session)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def cut_short(paths: Paths) -> int:
    """Add a run that was begun and left before its first question; return its id."""
    ledger, driver = Ledger(paths.ledger), Driver(paths.locks)
    run_id = ledger.add_run(RunOptions(SIMULATOR, "US", "no_wait", False, 500, SIMULATOR))
    rows = [single(line, text) for line, text in enumerate(NUMBERS, 1)]
    add_source(ledger, Import(run_id, "list.txt", "US"), None, rows)
    ledger.start(run_id, driver)
    driver.close()
    ledger.close()
    return run_id


def lose(home: Path, way: str) -> Lost:
    """Let a console go on with a run, and lose it once there are verdicts on its screen."""
    paths = find_paths({HOME_VARIABLE: str(home)})
    run_id = cut_short(paths)
    with Line(home, WAYS[way]) as line:
        line.until("was cut short")
        line.send(b"p")
        line.until(r"✓ valid [1-9].*\n(.*\n)*.*✓ valid")
        assert "another process" not in line.text()
        shown = line.text()
        line.lose(way)
        seconds = line.until_gone()
        modes_left_on = line.modes_left_on() if way == "SIGTERM" else []
        return Lost(paths, run_id, seconds, line.exit_code, shown, until_alone(line.pid), modes_left_on)


def rows_shown(screen: str) -> list[tuple[str, str]]:
    """Return the numbers and statuses of the rows of a screen that have one."""
    return re.findall(r"^ (\+1212\d+) .* [✓✗!◦] (\w+) ", screen, re.MULTILINE)


def count_shown(screen: str, words: str) -> int:
    found = re.search(words, screen)
    assert found, f"{words} in {screen}"
    return int(found[1])


def assert_nothing_lost(lost: Lost) -> None:
    with closing(Reader(lost.paths.ledger)) as reader:
        record, tally = reader.run(lost.run_id), reader.tally(lost.run_id)
        statuses = {row.input: row.status for row in reader.rows(lost.run_id)}
    assert run_state(record, lost.paths.locks) == "unfinished"
    assert len(rows_shown(lost.shown)) >= 10
    for number, status in rows_shown(lost.shown):
        assert statuses[number] == status or status not in FINAL, f"{number} was shown as {status}"
    assert len(NUMBERS) - left_of(tally) >= count_shown(lost.shown, rf"(\d+) of {len(NUMBERS)}\b")
    for status in ("valid", "invalid"):
        assert tally[status].numbers >= count_shown(lost.shown, rf"[✓✗] {status} (\d+)")
    with closing(sqlite3.connect(lost.paths.ledger)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with closing(Ledger(lost.paths.ledger)) as ledger, closing(Driver(lost.paths.locks)) as driver:
        ledger.start(lost.run_id, driver)


@pytest.mark.parametrize("times", [3, pytest.param(20, marks=pytest.mark.long)])
@pytest.mark.parametrize("way", WAYS)
def test_a_console_that_is_lost_in_a_run_is_gone_at_once_and_nothing_is_lost(
    tmp_path: Path, way: str, times: int
) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ends = list(pool.map(lambda place: lose(tmp_path / str(place), way), range(times)))
    seconds = [end.seconds for end in ends]
    print(f"\n{way}: {times} lost, gone after {min(seconds):.2f} to {max(seconds):.2f} s, {ends[0].exit_code}")
    for end in ends:
        assert_nothing_lost(end)
        assert end.survivors == []
        assert end.modes_left_on == []
        assert not end.paths.crash_log.exists()
        assert end.exit_code == EXIT_CODES.get(way, end.exit_code)
    assert max(seconds) < GONE_SECONDS


def test_the_numbers_outlast_every_test() -> None:
    slowest = max(check_seconds(0, number, DEFAULT_LATENCY) for number in NUMBERS)
    assert slowest > 10


@contextmanager
def importing(home: Path, program: Sequence[str]) -> Iterator[Line]:
    """A console in the middle of reading a long list."""
    source = home.with_name("long.txt")
    source.write_text("\n".join(f"+1212{number:07}" for number in range(2_000_000, 2_200_000)))
    with Line(home, program, (200, 40)) as line:
        line.until("import a file")
        line.send(b"i")
        line.until("Import numbers from a file")
        line.paste(str(source))
        line.send(b"\r")
        line.until(r"Reading long\.txt… \d+ %  [1-9]")
        assert len(of_session(line.pid)) > 1, "another process reads the list"
        yield line


@pytest.mark.parametrize("way", ["end of standard input", "SIGTERM"])
def test_a_console_that_is_lost_while_it_imports_leaves_no_helper_behind(tmp_path: Path, way: str) -> None:
    home = tmp_path / "lost"
    with importing(home, WAYS[way]) as line:
        line.lose(way)
        assert line.until_gone() < GONE_SECONDS
        assert until_alone(line.pid) == []
    assert not find_paths({HOME_VARIABLE: str(home)}).crash_log.exists()
    assert line.exit_code == EXIT_CODES.get(way, line.exit_code)


def test_a_console_that_is_left_while_it_imports_ends_as_ever(tmp_path: Path) -> None:
    with importing(tmp_path / "left", WAYS["SIGTERM"]) as line:
        line.send(b"q")
        line.until("Leave this list")
        line.send(b"y")
        line.until_ended()
        assert line.exit_code == 0
        assert line.modes_left_on() == []
        assert until_alone(line.pid) == []
