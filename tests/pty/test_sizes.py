"""A console that is resized, or put aside, while a run goes on: no exception, and what is shown is what there is."""

import os
import random
import signal
import time
from collections.abc import Iterator

import pytest

from tests.pty.feed import Feed, watching
from tests.pty.terminal import Terminal

LEAST, MOST = (1, 1), (400, 120)
LAST = (120, 40)

CTRL_Z, REPAINT_SIZES = b"\x1a", ((121, 40), LAST)
ODD = [LEAST, MOST, (1, 120), (400, 1), (2, 2), (80, 24), (79, 23), (116, 30), (115, 30), (40, 10)]


def sizes(count: int) -> Iterator[tuple[int, int]]:
    """Yield sizes from the least to the most, the odd ones first."""
    chance = random.Random(11)
    yield from ODD[:count]
    for _ in range(count - len(ODD)):
        yield chance.randint(LEAST[0], MOST[0]), chance.randint(LEAST[1], MOST[1])


def until_still(terminal: Terminal, feed: Feed) -> None:
    """Wait until a run that has ended is shown as such, and all is painted."""
    feed.end()
    terminal.until(r"of [\d,]+ numbers +(done|stopped)")
    terminal.until_quiet(1.5)


def repaint(terminal: Terminal) -> None:
    """Let everything be painted anew, on an empty screen of the last size."""
    terminal.screen.reset()
    for size in REPAINT_SIZES:
        terminal.resize(size)
        terminal.until_quiet()


@pytest.mark.parametrize("count", [30, pytest.param(500, marks=pytest.mark.long)])
@pytest.mark.usefixtures("home")
def test_after_any_resizes_the_screen_is_that_of_a_console_just_opened(count: int) -> None:
    terminal = Terminal(size=LAST, answers=True)
    with watching(terminal, 300) as feed:
        terminal.is_looked_at = False
        for size in sizes(count):
            terminal.resize(size)
            feed.churn_some(10)
            terminal.bytes_in(0.02)
        terminal.is_looked_at = True
        repaint(terminal)
        until_still(terminal, feed)
        shown = terminal.text()
        assert b"Traceback" not in terminal.output
        repaint(terminal)
        assert terminal.text() == shown
    with Terminal(size=LAST, answers=True) as fresh:
        fresh.until("paste")
        fresh.send(b"3")
        fresh.until("numbers.csv")
        fresh.send(b"\r")
        fresh.until("Check · run 1")
        fresh.until_quiet(1.5)
        assert fresh.text() == shown
    print(f"\n{count} resizes: the last screen equals that of a console just opened")


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.usefixtures("home")
def test_a_console_that_is_put_aside_comes_back_as_it_was(times: int) -> None:
    terminal = Terminal(size=LAST, answers=True)
    with watching(terminal, 300) as feed:
        for _ in range(times):
            terminal.send(CTRL_Z)
            until_stopped(terminal)
            assert terminal.modes_left_on() == []
            feed.churn_some(10)
            terminal.screen.reset()
            terminal.signal(signal.SIGCONT)
            terminal.until("another process asks")
        modes = terminal.modes_left_on()
        assert {"alternate screen", "mouse", "bracketed paste", "line discipline", "hidden cursor"} <= set(modes)
        terminal.send(b"\x1b[B")
        terminal.until("numbers.csv line 2")
        until_still(terminal, feed)
        terminal.send(b"q")
        terminal.until_ended()
        assert terminal.exit_code == 0
        assert terminal.modes_left_on() == []


def until_stopped(terminal: Terminal) -> None:
    deadline = time.monotonic() + 10
    while not os.WIFSTOPPED(os.waitpid(terminal.pid, os.WUNTRACED | os.WNOHANG)[1]):
        assert time.monotonic() < deadline, f"it is not put aside:\n{terminal.text()}"
        terminal.bytes_in(0.05)
    terminal.bytes_in(0.1)
