"""Lets a command run in order: it is logged, signals end it, and nothing that a person did wrong ends in a traceback.

Without click, which the console does not wait for.
"""

import asyncio
import errno
import logging
import os
import signal
import sys
from collections.abc import Callable

from watui import __version__
from watui.cli.exits import Exit, ReaderGone, Stop
from watui.cli.talk import say
from watui.crash import Crash
from watui.log import keep_log
from watui.settings.paths import find_paths

_LOGGER = logging.getLogger(__name__)

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a disk says that is full, wherever something was to be written."""


def run_in_order(name: str, command: Callable[[], int], *, is_logged: bool = True) -> int:
    """Run a command and return its exit code."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(number, _end_by)
    if not is_logged or is_completing():
        return _without_traceback(command)
    code = None
    with keep_log(find_paths().event_log, f"{name} begins, version {__version__}"):
        try:
            code = _without_traceback(command)
        finally:
            _LOGGER.info("%s ends %s", name, "by a signal" if code is None else f"with exit code {code:d}")
    return code


def is_completing() -> bool:
    """Whether it is a shell that asks what a word may become, or for the script that lets it ask."""
    return "_WATUI_COMPLETE" in os.environ  # as click names it


def can_show_console() -> bool:
    """Whether there is a terminal that can show the console."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _without_traceback(command: Callable[[], int]) -> int:
    try:
        return command()
    except Stop as stop:
        say(f"watui: {stop}")
        return stop.code
    except (KeyboardInterrupt, asyncio.CancelledError):
        # What ctrl+c cancels is an interrupt, too, where something else was cancelled in the same moment.
        return Exit.INTERRUPTED
    except ReaderGone:
        return Exit.UNHEARD
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback, no data in the words
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            say(f"watui: nothing more can be written: {error.strerror}")
            return Exit.UNFINISHED
        say(Crash.of(error).report(find_paths().crash_log))
        return Exit.BUG
    finally:
        try:
            sys.stdout.flush()
        except OSError:
            # Python would complain once more when it closes the stream.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _end_by(number: int, _: object) -> None:
    """End in order: what is half written is taken away, what was answered is kept."""
    raise SystemExit(128 + number)
