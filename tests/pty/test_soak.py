"""A console that runs for long needs no more than at its beginning."""

import os
import random
import time

import pytest

from tests.benchmarks.figures import memory
from tests.pty.feed import VISIBLE, watching
from tests.pty.terminal import Terminal

SIZES = ((120, 40), (80, 24))
STEP_SECONDS = 0.25
WARM_STEPS = 100
"""After which each screen has been seen more than once: what is loaded when it is first used is there by then."""

REST_SECONDS = 3.0
"""After which nothing is read or painted but what changes."""

ROUND = (b"\x1b[B", b"\x1b[6~", b"\x1b[5~", b"3", b"2", b"4", b"1", b"/7\r", b"\x1b", b"f", b"\x1b", b"\x1b[H")
"""Keys: rows, pages, all screens, a search, a filter."""

MOST_GROWTH_MEGABYTES = 20

KEPT_OPEN = 2
"""Files more or less: connections to the server are kept for the next question, and SQLite closes one file late."""


def at_rest(terminal: Terminal) -> tuple[int, int]:
    """Return the resident megabytes and the open files of a console that shows all rows of a run."""
    for key in (b"\x1b", b"\x1b", b"1"):
        terminal.send(key)
        terminal.bytes_in(REST_SECONDS)
    return memory(terminal.pid, "VmRSS"), len(os.listdir(f"/proc/{terminal.pid}/fd"))


@pytest.mark.long
@pytest.mark.parametrize(("seconds", "changes"), [(40, 4_400), (1_800, 200_000)], ids=["short", "half an hour"])
@pytest.mark.usefixtures("home")
def test_half_an_hour_of_changes_leaves_nothing_behind(seconds: int, changes: int) -> None:
    chance = random.Random(5)
    steps = int(seconds / STEP_SECONDS)
    terminal = Terminal(size=SIZES[0], answers=True)
    with watching(terminal, changes) as feed:
        began, changed, start = time.monotonic(), 0, (0, 0)
        for step in range(steps):
            if step == WARM_STEPS:
                start = at_rest(terminal)
            wanted = changes * (step + 1) // steps - changed
            feed.decide(max(0, wanted - VISIBLE // 3))
            feed.churn_some(min(wanted, VISIBLE // 3))
            changed += wanted
            if step % 2:
                terminal.send(ROUND[step // 2 % len(ROUND)])
            if step % 200 == 0:
                terminal.resize(chance.choice(SIZES))
            terminal.output = b""
            terminal.bytes_in(max(0.0, began + (step + 1) * STEP_SECONDS - time.monotonic()))
        end = at_rest(terminal)
        terminal.until(r"of [\d,]+ numbers")
    took = time.monotonic() - began
    print(f"\n{changed:,} changes in {took:,.0f} s: memory {start[0]} → {end[0]} MB, open files {start[1]} → {end[1]}")
    assert end[0] - start[0] <= MOST_GROWTH_MEGABYTES
    assert abs(end[1] - start[1]) <= KEPT_OPEN
