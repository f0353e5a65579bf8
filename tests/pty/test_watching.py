"""A console in a real terminal watches what another real process asks: what it shows, and what that costs."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.busy import Stopwatch
from tests.conftest import TOKEN
from tests.pty.terminal import Terminal
from tests.simulated import a_world, create_app
from watui.checks.standing import left_of
from watui.contract.rules import DEFAULT_BATCH_SIZE
from watui.ledger.reader import Reader
from watui.ledger.rows import RunState
from watui.settings.paths import Paths
from watui.simulator.population import Latency
from watui.simulator.serving import ServerThread

NUMBERS = [f"+1 212 555 {line:04}" for line in range(1, 301)]
RUN = 1

BEHIND_SECONDS = 1.0
"""How long after the ledger the screen may show a count, on a machine that has the time."""

STILL_SECONDS = 3.0
"""For which a console is looked at while nothing changes."""

MOST_CPU = 0.02
"""Of a core, that it may use in that time."""

TURN_SECONDS = 3.0
"""How long a run may look watched whose driver was killed."""

LOOK_SECONDS = 0.02
DEADLINE_SECONDS = 60.0

SOME_SECONDS = Latency(2.5, 6.0)
NEVER = Latency(1000.0, 2000.0)


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATUI_TOKEN", TOKEN)


@contextmanager
def checking(
    server: ServerThread, folder: Path, paths: Paths, batch_size: int = DEFAULT_BATCH_SIZE
) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that asks about NUMBERS, as the first run of the ledger."""
    source = folder / "numbers.txt"
    source.write_text("\n".join(NUMBERS))
    command = [sys.executable, "-m", "watui", "check", str(source), "--url", server.url]
    command += ["--batch-size", str(batch_size)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            with closing(Reader(paths.ledger)) as reader:
                deadline = time.monotonic() + DEADLINE_SECONDS
                while not any(found.record.state is RunState.RUNNING for found in reader.runs()):
                    assert time.monotonic() < deadline, "no run was begun"
                    time.sleep(LOOK_SECONDS)
            yield process
        finally:
            process.kill()


@contextmanager
def watching(server: ServerThread) -> Iterator[Terminal]:
    """A console that watches the run that another process asks."""
    with Terminal(["--url", server.url], size=(120, 40)) as terminal:
        terminal.until("is under way in another process: p watches it")
        terminal.send(b"p")
        terminal.until("another process asks")
        yield terminal


def final_shown(terminal: Terminal) -> int:
    """Return how many numbers have a final status, as the screen says."""
    found = re.search(rf"(\d+) of {len(NUMBERS)} numbers", terminal.text())
    return int(found[1]) if found else 0


def final_known(reader: Reader) -> int:
    """Return how many numbers have a final status, as the ledger says."""
    return len(NUMBERS) - left_of(reader.tally(RUN))


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def used_while_still(terminal: Terminal) -> tuple[float, int]:
    """Return the share of a core that a console uses, and the bytes that it writes, once it has fallen silent."""
    terminal.until_quiet()
    began, before = time.monotonic(), cpu_seconds(terminal.pid)
    written = terminal.bytes_in(STILL_SECONDS)
    return (cpu_seconds(terminal.pid) - before) / (time.monotonic() - began), written


def test_the_counts_on_the_screen_are_at_most_a_second_behind_the_ledger(paths: Paths, tmp_path: Path) -> None:
    with (
        ServerThread(create_app(a_world(latency=SOME_SECONDS), TOKEN)) as server,
        checking(server, tmp_path, paths, batch_size=25) as process,
        watching(server) as terminal,
        closing(Reader(paths.ledger)) as reader,
    ):
        behind: dict[int, float] = {}
        """By count: seconds after which the screen showed it, or a later one."""
        known: dict[int, float] = {}
        """Counts that the screen does not show yet, and when they were seen in the ledger."""
        watch = Stopwatch(terminal.pid)
        deadline = time.monotonic() + DEADLINE_SECONDS
        while final_shown(terminal) < len(NUMBERS):
            assert time.monotonic() < deadline, terminal.text()
            if (final := final_known(reader)) not in behind:
                known.setdefault(final, watch.seconds())
            terminal.bytes_in(LOOK_SECONDS)
            now, shown = watch.seconds(), final_shown(terminal)
            for count in [count for count in known if count <= shown]:
                behind[count] = now - known.pop(count)
        terminal.until(rf"100%  {len(NUMBERS)} of {len(NUMBERS)} numbers\s+done")
        assert process.wait() == 0
    slowest = max(behind.values())
    print(f"\n{len(behind)} counts, each shown at most {slowest:.2f} s after it was in the ledger")
    assert len(behind) >= 5, "the run was watched while it went on"
    assert slowest < BEHIND_SECONDS


def test_watching_costs_next_to_nothing_while_nothing_changes(paths: Paths, tmp_path: Path) -> None:
    with (
        ServerThread(create_app(a_world(latency=NEVER), TOKEN)) as server,
        checking(server, tmp_path, paths) as process,
        watching(server) as terminal,
    ):
        terminal.until("processing 300")
        polled = used_while_still(terminal)
        process.send_signal(signal.SIGSTOP)
        stopped = used_while_still(terminal)
        assert "another process asks" in terminal.text(), "who is only suspended still holds the run"
        terminal.send(b"3")
        terminal.until("running")
        listed = used_while_still(terminal)
        terminal.send(b"1")
        process.kill()
        terminal.until(rf"0 of {len(NUMBERS)} numbers\s+stopped", TURN_SECONDS)
    cases = {"polled": polled, "suspended": stopped, "on the Runs screen": listed}
    for name, (share, written) in cases.items():
        print(f"\n{name}: {share:.1%} of a core, {written} bytes in {STILL_SECONDS:g} s", end="")
    for name, (share, written) in cases.items():
        assert share < MOST_CPU, name
        assert written == 0, name
