"""How the console ends when something goes wrong: the terminal as it was, and a few words with no data in them."""

import contextlib
import io
import os
import signal
import sys
import termios
import threading
from collections.abc import Callable
from typing import Any

from rich.console import Console

from watui.hangup import on_hangup

GRACE_SECONDS = 1.5
"""How long an orderly end may take after a signal, before the process ends without one."""

_LEAVE_SCREEN = b"\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?2004l\x1b[?1004l\x1b[<u\x1b[?1049l\x1b[?25h"
"""Mouse, paste and focus reports off, the keyboard and the ordinary screen back, the cursor shown."""

_STDIN, _STDOUT, _STDERR = 0, 1, 2


def silent_console() -> Console:
    """Return a console that prints nowhere: Textual's own report of a crash holds every local variable."""
    return Console(file=io.StringIO())


class TerminalKeeper:
    """Knows how the terminal was, to put it back when an orderly end does not come."""

    def __init__(self) -> None:
        self._attributes: list[Any] | None = None
        with contextlib.suppress(termios.error):
            self._attributes = termios.tcgetattr(_STDIN)
        self._written = [descriptor for descriptor in (_STDOUT, _STDERR) if os.isatty(descriptor)]

    def on_hangup(self, do: Callable[[], object]) -> None:
        """Call `do`, in another thread, when nobody is at the terminal any more, be there a signal or not."""

        def leave() -> None:
            # What is still written has a place to go: a write that fails would hold the end up, or change its code.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for descriptor in self._written:
                os.dup2(nowhere, descriptor)
            os.close(nowhere)
            self.force_end_later(128 + signal.SIGHUP)
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                do()

        on_hangup(_STDIN, leave)

    def force_end_later(self, code: int) -> None:
        """End the process with `code` in GRACE_SECONDS, whatever still hangs then."""
        timer = threading.Timer(GRACE_SECONDS, self._end, (code,))
        timer.daemon = True
        timer.start()

    def _end(self, code: int) -> None:
        with contextlib.suppress(OSError, termios.error):
            os.set_blocking(_STDOUT, False)
            os.write(_STDOUT, _LEAVE_SCREEN)
            os.set_blocking(_STDOUT, True)
        with contextlib.suppress(OSError, termios.error):
            if self._attributes is not None:
                termios.tcsetattr(_STDIN, termios.TCSANOW, self._attributes)
        os._exit(code)


def tell(words: str) -> None:
    """Print `words` on stderr, if anybody is there."""
    with contextlib.suppress(OSError):
        print(words, file=sys.stderr)
