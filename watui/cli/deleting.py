"""Says how far it is that something is deleted: in a line on a terminal, else in a sentence where it takes long."""

import sys

from watui.cli.talk import ProgressLine, say
from watui.ledger.upkeep import Deletion
from watui.text import counted

MANY_ROWS = 100_000
"""From which on nobody should have to wait without a word."""


class DeletionLine:
    """Talk on stderr while something is deleted."""

    def __init__(self) -> None:
        self._line = ProgressLine() if sys.stderr.isatty() else None
        self._is_said = False

    def show(self, deletion: Deletion) -> None:
        """Show how far it is."""
        if self._line is not None:
            self._line.show(deletion.words)
        elif deletion.rows >= MANY_ROWS and not self._is_said:
            self._is_said = True
            say(f"Deleting {counted(deletion.rows, 'row')}…")

    def look_for(self, number: str) -> None:
        """Show that traces of a number are looked for, which takes long where there are many rows."""
        if self._line is not None:
            self._line.show(f"Looking for {number}…")

    def clear(self) -> None:
        """Take the line away."""
        if self._line is not None:
            self._line.clear()
