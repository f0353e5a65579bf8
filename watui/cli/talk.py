"""Talk for people, on stderr."""

import sys
import time

import click

from watui.text import clean

_TICK_SECONDS = 0.2


def say(words: str) -> None:
    """Print a sentence."""
    click.echo(clean(words), err=True)


class ProgressLine:
    """One line that is written over while something goes on; silent where stderr is no terminal."""

    def __init__(self) -> None:
        self._is_shown = False
        self._next_at = 0.0

    def show(self, words: str) -> None:
        """Show `words` in place of what was shown before, at most a few times a second."""
        now = time.monotonic()
        if sys.stderr.isatty() and now >= self._next_at:
            self._next_at = now + _TICK_SECONDS
            self._is_shown = True
            click.echo(f"\r\x1b[K{clean(words)}", err=True, nl=False)

    def clear(self) -> None:
        """Take the line away."""
        if self._is_shown:
            self._is_shown = False
            click.echo("\r\x1b[K", err=True, nl=False)
