"""Talk for people, on stderr."""

import os
import select
import shutil
import signal
import sys
from functools import cache
from threading import Event

from watui.text import clean, masked

HIDING = Event()
"""Whether numbers are hidden: of the whole process, for what is said comes from several threads."""


def hide_numbers() -> None:
    """From now on hide the numbers of people in all that the command says, prints and writes."""
    HIDING.set()


def hides_numbers() -> bool:
    """Whether the numbers of people are hidden."""
    return HIDING.is_set()


def fit_to_see(words: str) -> str:
    """Return `words` with nothing in them that a terminal obeys, and hidden what is to be."""
    return masked(clean(words)) if hides_numbers() else clean(words)


def written_to(path: object) -> str:
    """Return the end of a sentence about what was written there."""
    return f"written to {path}{', numbers hidden' if hides_numbers() else ''}"


def say(words: str) -> None:
    """Print a sentence."""
    print(fit_to_see(words), file=sys.stderr, flush=True)


def can_ask() -> bool:
    """Whether there is a person at a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def is_confirmed(question: str) -> bool:
    """Ask a person, who must be there; nothing but a yes is one."""
    return ask(f"{question} [y/N] ").lower() in ("y", "yes")


def ask(question: str) -> str:
    """Return what a person answers; nothing for ctrl+d, and for what is no text."""
    print(fit_to_see(question), end="", file=sys.stderr, flush=True)
    answer = ""
    try:
        _await_line()
        answer = sys.stdin.readline()
    except UnicodeDecodeError:
        pass
    finally:
        if not answer.endswith("\n"):
            print(file=sys.stderr)
    return answer.strip()


def _await_line() -> None:
    """Wait until there is something to read on stdin.

    A signal ends that whenever it comes. One that comes right before a bare read is seen only after it.
    """
    told, teller = _wakeup()
    signal.set_wakeup_fd(teller, warn_on_full_buffer=False)
    while told in select.select([sys.stdin, told], [], [])[0]:
        os.read(told, 1)  # The handler has run by now.


@cache
def _wakeup() -> tuple[int, int]:
    """Return both ends of a pipe that tells of signals."""
    told, teller = os.pipe()
    os.set_blocking(teller, False)
    return told, teller


class ProgressLine:
    """One line that is written over while something goes on."""

    def __init__(self) -> None:
        self._is_shown = False

    def show(self, words: str) -> None:
        """Show `words`, as far as there is room, in place of what was shown before."""
        self._is_shown = True
        said, room = fit_to_see(words), shutil.get_terminal_size().columns - 1
        print(f"\r\x1b[K{said if len(said) <= room else said[: room - 1] + '…'}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the line away."""
        if self._is_shown:
            self._is_shown = False
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
