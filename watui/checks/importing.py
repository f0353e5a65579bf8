"""Imports a source in a process of its own, so that a console answers keys while a large list is read.

The process is this module, run with `python -m`. It writes into the ledger itself; what it tells its parent, one
JSON object a line, is how many rows are in, or why the source can't be read. It ends when that pipe does.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from watui.checks.prepare import Import, add_source
from watui.hangup import on_hangup
from watui.intake.entries import read_entries
from watui.intake.problems import BadSource
from watui.intake.sources import open_text
from watui.ledger.ledger import Ledger
from watui.ledger.schema import LedgerUnusable


class Progress(msgspec.Struct, frozen=True):
    """What the process tells: rows read so far, or why it stopped. Telling it fails once the parent is gone."""

    rows: int = 0
    error: str | None = None


def import_source(ledger: Ledger, path: str, wanted: Import, progress: Callable[[int], None] = lambda _: None) -> None:
    """Import the file at `path`, or `-`, in this process; `progress` is told how many rows are in. Raises BadSource."""
    with open_text(path) as text:
        layout, rows = read_entries(text, wanted.column, wanted.name)
        add_source(ledger, wanted, layout.column_name, rows, progress)


async def import_aside(ledger: Path, path: str, wanted: Import, text: str | None = None) -> None:
    """Import the file at `path` in a process of its own; `text` is what the path `-` stands for.

    Raises BadSource. Cancelling ends the process.
    """
    import asyncio  # Not with the others: the process itself would wait for it, and needs none.

    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        __name__,
        str(ledger),
        path,
        msgspec.json.encode(wanted).decode(),
        stdin=asyncio.subprocess.PIPE if text is not None else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    last = Progress()
    try:
        # With the mark of its encoding: what bytes are in it says nothing about that any more.
        output, _ = await process.communicate(text.encode("utf-8-sig", "replace") if text is not None else None)
        if lines := output.splitlines():
            last = msgspec.json.decode(lines[-1], type=Progress)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if last.error is not None:
        raise BadSource(last.error)
    if process.returncode != 0:
        raise BadSource(f"reading {wanted.name} stopped unexpectedly; what was read so far is kept")


def main() -> None:
    """Import what the arguments (ledger, path, Import as JSON) say, telling the progress on standard output."""

    def tell(progress: Progress) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(progress) + b"\n")
        sys.stdout.buffer.flush()

    # Safe at any moment: a transaction of the ledger is whole or not there.
    on_hangup(sys.stdout.fileno(), lambda: os._exit(0))
    ledger_path, path, wanted = sys.argv[1:]
    ledger = Ledger(Path(ledger_path))
    try:
        import_source(ledger, path, msgspec.json.decode(wanted, type=Import), lambda rows: tell(Progress(rows)))
    except (BadSource, LedgerUnusable) as error:
        tell(Progress(error=str(error)))


if __name__ == "__main__":
    main()
