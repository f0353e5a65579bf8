"""Talk for people, on stderr."""

import shutil
import sys

from watui.text import clean


def say(words: str) -> None:
    """Print a sentence."""
    print(clean(words), file=sys.stderr, flush=True)


class ProgressLine:
    """One line that is written over while something goes on."""

    def __init__(self) -> None:
        self._is_shown = False

    def show(self, words: str) -> None:
        """Show `words`, as far as there is room, in place of what was shown before."""
        self._is_shown = True
        said, room = clean(words), shutil.get_terminal_size().columns - 1
        print(f"\r\x1b[K{said if len(said) <= room else said[: room - 1] + '…'}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the line away."""
        if self._is_shown:
            self._is_shown = False
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
