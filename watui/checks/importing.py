"""Imports a source in a process of its own, so that a console answers keys while a large list is read.

The process is this module, run with `python -m`. It writes into the ledger itself; what it tells its parent, one
JSON value a line, is how far it is, or, as a string, why the source can't be read. It ends when that pipe does.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from watui.checks.prepare import Import, Progress, add_source
from watui.hangup import on_hangup
from watui.intake.entries import open_entries
from watui.intake.problems import BadSource
from watui.intake.records import Layout
from watui.ledger.ledger import Ledger
from watui.ledger.schema import LedgerUnusable

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

Tell = Callable[[Progress], None]


def import_source(ledger: Ledger, path: str, wanted: Import, tell: Tell = lambda _: None) -> Layout:
    """Import the file at `path`, or `-`, in this process, and return how it is laid out. Raises BadSource.

    `tell` is told how far it is.
    """
    with open_entries(path, wanted.column) as source:
        layout = source.layout

        def tell_all(progress: Progress) -> None:
            tell(msgspec.structs.replace(progress, other=layout.other))

        add_source(ledger, wanted, layout.column_name, source.rows, tell_all, source.share)
        return layout


async def import_aside(
    ledger: Path, path: str, wanted: Import, text: str | None = None, tell: Tell = lambda _: None
) -> None:
    """Import the file at `path` in a process of its own; `text` is what the path `-` stands for.

    `tell` is told how far it is. Raises BadSource. Cancelling ends the process.
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
    assert process.stdout is not None
    try:
        _, error = await asyncio.gather(_feed(process.stdin, text or ""), _listen(process.stdout, tell))
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if error is not None:
        raise BadSource(error)
    if process.returncode != 0:
        raise BadSource(f"reading {wanted.name} stopped unexpectedly; what was read so far is kept")


async def _feed(pipe: StreamWriter | None, text: str) -> None:
    """Write all of `text`, as far as somebody reads it."""
    if pipe is not None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            # With the mark of its encoding: what bytes are in it says nothing about that any more.
            pipe.write(text.encode("utf-8-sig", "replace"))
            await pipe.drain()
        pipe.close()


async def _listen(pipe: StreamReader, tell: Tell) -> str | None:
    """Pass on how far it is, until the process ends; return why the source can't be read, None where it can."""
    async for line in pipe:
        told = msgspec.json.decode(line, type=Progress | str)
        if isinstance(told, str):
            return told
        tell(told)
    return None


def main() -> None:
    """Import what the arguments (ledger, path, Import as JSON) say, telling how far it is on standard output."""

    def tell(told: Progress | str) -> None:  # It fails once the parent is gone.
        sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
        sys.stdout.buffer.flush()

    # Safe at any moment: a transaction of the ledger is whole or not there.
    on_hangup(sys.stdout.fileno(), lambda: os._exit(0))
    ledger_path, path, wanted = sys.argv[1:]
    ledger = Ledger(Path(ledger_path))
    try:
        import_source(ledger, path, msgspec.json.decode(wanted, type=Import), tell)
    except (BadSource, LedgerUnusable) as error:
        tell(str(error))


if __name__ == "__main__":
    main()
