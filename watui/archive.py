"""The runs in the ledger, as a console shows them and keeps them: all that takes long, in threads of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple, TypeVar

from watui.actions.plans import Target, target_of_row
from watui.checks.compare import Change, Comparison
from watui.checks.recheck import add_recheck
from watui.checks.rows import result_row, run_row, summary_of
from watui.checks.standing import left_of
from watui.contract.rules import CACHE_SECONDS
from watui.export.formats import format_of, wa_id_warning, write_rows
from watui.export.rows import PairRow, RunRow
from watui.files import CannotWrite
from watui.ledger.drivers import is_gone
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Extent, Reader
from watui.ledger.rows import Order, Row, RowFilter, RunRecord, RunState, Stale, Summary
from watui.ledger.schema import LedgerUnusable
from watui.ledger.upkeep import (
    DAY_SECONDS,
    Deletion,
    delete_discarded,
    erase_traces,
    forget_older,
    mark_draft,
    mark_run,
)
from watui.settings.paths import Paths
from watui.text import counted

_T = TypeVar("_T")

SHOW_SECONDS = 0.1
"""Between two showings of what is found of a long list."""


LONG_SECONDS = 0.5
"""From which on it is told that something is deleted."""


class Offer(NamedTuple):
    """A run that was begun and has not ended."""

    record: RunRecord
    sources: tuple[str, ...]
    left: int
    """Numbers without a final status."""
    in_doubt: int
    """Of those, numbers that would be asked a second time."""
    is_driven: bool
    """Whether a process asks right now."""


class Picked(NamedTuple):
    """The rows of a run that a filter picks."""

    ordinals: array[int]
    extent: Extent
    """How far the run was by then."""


class Exported(NamedTuple):
    """What was written."""

    words: str
    """How much, such as `12 rows`."""
    warning: str | None
    """What a person must know of it."""


class Archive:
    """The runs of one ledger. What is read or kept up is so in another thread; whoever asks waits without blocking.

    All methods raise LedgerUnusable.
    """

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._turn = asyncio.Lock()
        """Of whoever deletes: one takes all that is marked by then."""
        self._deletions: set[asyncio.Task[bool]] = set()
        self._deletion: Deletion | None = None
        self._deleted_since = 0.0
        self._is_left = threading.Event()

    @property
    def deletion(self) -> Deletion | None:
        """How far it is that runs are deleted, where that takes long; None while there is nothing to tell."""
        return self._deletion if time.monotonic() - self._deleted_since >= LONG_SECONDS else None

    async def close(self) -> None:
        """End what is being deleted, in order; what is left is deleted when the ledger is kept up the next time."""
        self._is_left.set()
        if self._deletions:
            await asyncio.wait(self._deletions)

    async def offer(self, server: str, region: str) -> Offer | None:
        """Return the latest run of a server and region that can be gone on with, else one that can be watched."""
        return await asyncio.to_thread(self._read, lambda reader: self._offer(reader, server, region))

    def _offer(self, reader: Reader, server: str, region: str) -> Offer | None:
        driven = None
        for record, sources, tally in reader.runs():
            here = (record.options.server, record.options.region) == (server, region)
            if record.state is not RunState.RUNNING or not here:
                continue
            if record.driver is None or is_gone(self._paths.locks, record.driver):
                return Offer(record, sources, left_of(tally), reader.in_doubt(record.id), is_driven=False)
            driven = driven or Offer(record, sources, left_of(tally), 0, is_driven=True)
        return driven

    async def runs(self) -> list[tuple[RunRow, float, float | None]]:
        """Return all runs, the latest first, each with when it began and the seconds it took, None before its end."""
        return await asyncio.to_thread(self._read, self._runs)

    def _runs(self, reader: Reader) -> list[tuple[RunRow, float, float | None]]:
        return [
            (
                run_row(found, self._paths.locks),
                found.record.started_at or found.record.created_at,
                found.record.ended_at - found.record.started_at
                if found.record.ended_at is not None and found.record.started_at is not None
                else None,
            )
            for found in reader.runs()
        ]

    async def compare(self, before: int, after: int) -> tuple[Comparison, list[PairRow]]:
        """Return what has changed between two runs, and the numbers that differ.

        Raises LedgerUnusable.
        """
        return await asyncio.to_thread(self._read, lambda reader: _compared(reader, before, after))

    async def recheck(self, run_id: int) -> int | None:
        """Add a draft of what is old, failed or open in a run; None where nothing is.

        Raises Driven where somebody asks about it, and LedgerUnusable.
        """
        return await asyncio.to_thread(self._read, lambda reader: self._recheck(reader, run_id))

    def _recheck(self, reader: Reader, run_id: int) -> int | None:
        wanted = Stale(time.time() - CACHE_SECONDS, failed=True, open=True)
        options = reader.run(run_id).options._replace(rechecks=run_id)
        return self._keep_up(lambda ledger: add_recheck(ledger, reader, self._paths.locks, options, wanted))

    async def forget_run(self, run_id: int) -> bool:
        """Delete a run with all traces; return False where others use the ledger and traces of it are left for now.

        Raises Driven where somebody asks about it, and LedgerUnusable.
        """
        await asyncio.to_thread(self._keep_up, lambda ledger: mark_run(ledger, self._paths.locks, run_id))

        def delete(ledger: Ledger) -> bool:
            delete_discarded(ledger, self._note)
            return True

        return await self._delete(delete)

    async def keep_retention(self, days: int) -> None:
        """Delete the runs and changes that ended more than so many days ago; 0 keeps all.

        What somebody began to delete, and could not end with, is deleted as well. Raises LedgerUnusable.
        """
        before = time.time() - days * DAY_SECONDS

        def delete(ledger: Ledger) -> bool:
            found = delete_discarded(ledger, self._note)
            return bool(found + (sum(forget_older(ledger, before, self._note)) if days else 0))

        await self._delete(delete)

    async def discard(self, run_id: int) -> None:
        """Delete a draft."""
        await asyncio.to_thread(self._keep_up, lambda ledger: mark_draft(ledger, run_id))

        def delete(ledger: Ledger) -> bool:
            delete_discarded(ledger, self._note)
            return False

        await self._delete(delete)

    async def _delete(self, work: Callable[[Ledger], bool]) -> bool:
        """Let `work` delete, which goes on if the caller is cancelled; return False where traces are left for now.

        `work` returns whether what it deleted is taken out of the files as well.
        """
        task = asyncio.create_task(self._deleting(work))
        self._deletions.add(task)
        task.add_done_callback(self._deleted)
        return await asyncio.shield(task)

    async def _deleting(self, work: Callable[[Ledger], bool]) -> bool:
        async with self._turn:
            self._deleted_since = time.monotonic()
            try:
                if not await asyncio.to_thread(self._keep_up, work):
                    return True
                self._deletion = Deletion(0, 1.0)
                return await asyncio.to_thread(erase_traces, self._paths.ledger)
            finally:
                self._deletion = None

    def _note(self, deletion: Deletion) -> None:
        if self._is_left.is_set():
            raise LedgerUnusable("what is left is deleted when watui is started next")
        self._deletion = deletion

    def _deleted(self, task: asyncio.Task[bool]) -> None:
        self._deletions.discard(task)
        if not task.cancelled():
            task.exception()  # Looked at, where nobody waits for it any more: asyncio would complain.

    async def pick(
        self, run_id: int, wanted: RowFilter, known: Picked | None, show: Callable[[array[int]], None]
    ) -> Picked:
        """Return the rows that `wanted` picks, which gives up where the caller is cancelled.

        Where `known` is what it picked before, only what has changed since is read if that can be; else `show` gets
        the first rows as soon as they are found, and more from time to time. Raises LedgerUnusable.
        """
        loop, is_unwanted = asyncio.get_running_loop(), threading.Event()

        def read(reader: Reader) -> Picked:
            reader.give_up_when(is_unwanted.is_set)
            extent = reader.extent(run_id)
            if known is not None and wanted.order is Order.GIVEN:
                return Picked(reader.picked_since(run_id, wanted, known.ordinals, known.extent), extent)
            ordinals, shown_at = array("I"), 0.0
            for ordinals in reader.picking(run_id, wanted):
                if known is None and time.monotonic() - shown_at >= SHOW_SECONDS:
                    shown_at = time.monotonic()
                    loop.call_soon_threadsafe(show, ordinals)
            return Picked(ordinals, extent)

        try:
            return await asyncio.to_thread(self._read, read)
        finally:
            is_unwanted.set()

    async def summary(self, run_id: int) -> Summary:
        """Return what a list was imported from and what is in it."""
        return await asyncio.to_thread(self._read, lambda reader: summary_of(reader, run_id))

    async def versions(self, run_id: int) -> list[str | None]:
        """Return the versions of the servers that gave verdicts; None for one without."""
        return await asyncio.to_thread(self._read, lambda reader: reader.versions(run_id))

    async def numbers(self, run_id: int, wanted: RowFilter, most: int) -> list[str] | None:
        """Return the numbers of the rows that fit `wanted`, each once and in order; None beyond `most` characters."""
        return await asyncio.to_thread(self._read, lambda reader: _numbers(reader.rows(run_id, wanted), most))

    async def targets(self, run_id: int, wanted: RowFilter) -> list[Target]:
        """Return the contacts of the rows that fit `wanted`; each number once."""
        return await asyncio.to_thread(self._read, lambda reader: _targets(reader.rows(run_id, wanted)))

    async def export(self, run_id: int, wanted: RowFilter, path: Path, hides_numbers: bool = False) -> Exported:
        """Write the rows that fit `wanted` to `path`, as its ending says, in another thread.

        Raises CannotWrite, also where there is such a file already, and LedgerUnusable.
        """
        return await asyncio.to_thread(self._read, lambda reader: _export(reader, run_id, wanted, path, hides_numbers))

    def _read(self, question: Callable[[Reader], _T]) -> _T:
        """Ask a reader of its own, for threads other than the caller's."""
        with contextlib.closing(Reader(self._paths.ledger)) as reader:
            return question(reader)

    def _keep_up(self, work: Callable[[Ledger], _T]) -> _T:
        """Let a ledger of its own do what takes long, beside the one that a run writes to."""
        with contextlib.closing(Ledger(self._paths.ledger)) as ledger:
            return work(ledger)


def _compared(reader: Reader, before: int, after: int) -> tuple[Comparison, list[PairRow]]:
    comparison = Comparison()
    for run_id in (before, after):
        reader.run(run_id)
    pairs = []
    for pair in reader.pairs(before, after):
        change = comparison.take(pair)
        if change is not Change.NONE:
            pairs.append(PairRow(change.value, *pair))
    return comparison, pairs


def _numbers(rows: Iterable[Row], most: int) -> list[str] | None:
    numbers: dict[str, None] = {}
    length = 0
    for row in rows:
        if row.number is not None and row.number not in numbers:
            numbers[row.number] = None
            length += len(row.number) + 1
            if length > most:
                return None
    return list(numbers)


def _targets(rows: Iterable[Row]) -> list[Target]:
    seen: set[int] = set()
    targets = []
    for row in rows:
        if row.number_id is None or row.number_id not in seen:
            targets.append(target_of_row(row))
        if row.number_id is not None:
            seen.add(row.number_id)
    return targets


def _export(reader: Reader, run_id: int, wanted: RowFilter, path: Path, hides_numbers: bool) -> Exported:
    chosen = format_of(path)
    if chosen is None:
        raise CannotWrite(f"{path} has no ending that says what it is to be")
    reader.run(run_id)
    rows = map(result_row, reader.rows(run_id, wanted))
    count = write_rows(path, rows, chosen, replace=False, hides_numbers=hides_numbers)
    return Exported(counted(count, chosen.noun), wa_id_warning(reader.versions(run_id)) if chosen.has_wa_ids else None)
