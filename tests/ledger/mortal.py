"""What processes do with a ledger that are killed over it."""

import contextlib
import os
import signal
import sqlite3
from pathlib import Path
from types import SimpleNamespace

from watui import failpoints
from watui.ledger import schema, upkeep
from watui.ledger.ledger import Ledger


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def open_up_to(path: Path, nth: int) -> None:
    """Open a ledger, and die where the `nth` statement of the steps is about to be executed."""

    def is_complete(statement: str) -> bool:
        nonlocal nth
        found = sqlite3.complete_statement(statement)
        nth -= found
        if nth == 0:
            _die()
        return found

    schema.sqlite3 = SimpleNamespace(**{**vars(sqlite3), "complete_statement": is_complete})  # type: ignore[assignment, attr-defined]
    Ledger(path)


def open_up_to_the_copy(path: Path) -> None:
    """Open a ledger, and die while the copy of the older one is made."""
    schema.os = SimpleNamespace(**{**vars(os), "fsync": lambda _: _die()})  # type: ignore[assignment, attr-defined]
    Ledger(path)


def forget(path: Path, what: str, failpoint: str) -> None:
    """Forget a number, a run or what is old, two rows at once, and die where a failpoint says so."""
    upkeep.AT_ONCE = 2
    with failpoints.armed(failpoint) if failpoint else contextlib.nullcontext():
        ledger, locks = Ledger(path), path.parent / "locks"
        if what == "number":
            upkeep.forget_number(ledger, locks, "+16315550001", ["16315550001"])
        elif what == "run":
            upkeep.forget_run(ledger, locks, 1)
        else:
            upkeep.DRAFT_SECONDS = 0
            upkeep.forget_older(ledger, 1e12)
        assert upkeep.erase_traces(path)
