"""Puts the parts together for one server: what both faces, command line and console, ask through.

What only a question, a list or a file needs is imported when it is first needed, so that a first screen does not wait
for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self, TypeVar

from watui.checks.standing import left_of
from watui.client.exchanges import Exchanges
from watui.client.server import Server
from watui.client.trust import BadTrust, Trust
from watui.contract.kinds import ServerKind
from watui.contract.rules import CACHE_SECONDS
from watui.contract.statuses import FULLEST_VERSION
from watui.crash import Crash
from watui.files import CannotWrite
from watui.ledger.drivers import Driver, is_gone
from watui.ledger.ledger import Ledger
from watui.ledger.mounts import is_networked
from watui.ledger.reader import Extent, Reader
from watui.ledger.rows import Order, Row, RowFilter, RunOptions, RunRecord, RunState, Stale, Summary
from watui.ledger.thread import LedgerThread
from watui.ledger.trail import Kind, Place
from watui.log import log_exchange
from watui.settings.paths import Paths
from watui.settings.settings import SIMULATOR
from watui.sites import NO_MARK, Mark, Site
from watui.text import counted

if TYPE_CHECKING:
    from watui.actions.actions import Actions
    from watui.actions.plans import Target
    from watui.backstage import Backstage
    from watui.checks.compare import Change
    from watui.checks.run import Run
    from watui.client.auth import Auth
    from watui.client.contacts import ContactsClient
    from watui.export.rows import PairRow, ResultRow, RunRow
    from watui.simulator.control import ContactState, State
    from watui.simulator.embedded import Embedded

_T = TypeVar("_T")

DAY_SECONDS = 24 * 3600

SHOW_SECONDS = 0.1
"""Between two showings of what is found of a long list."""

_LOGGER = logging.getLogger(__name__)


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


class Desk:
    """The ledger, and the server that is asked: one at a URL, or the embedded simulator.

    The simulator reads numbers as if it were registered in `region`, and the ledger calls it SIMULATOR: its port is
    another one each time. Where it is `read_only`, nothing may be changed. `find_auth` looks for what we are known by
    there; without it that is the server's own token. With `log_numbers` the log holds all that is said. Raises
    LedgerUnusable.
    """

    def __init__(
        self,
        paths: Paths,
        server: Server | None,
        region: str,
        profile: str = SIMULATOR,
        *,
        read_only: bool = False,
        mark: Mark = NO_MARK,
        find_auth: Callable[[], Auth] | None = None,
        log_numbers: bool = False,
    ) -> None:
        self.paths = paths
        self.region = region
        self.profile = profile
        self.read_only = read_only
        self.mark = mark
        self._find_auth = find_auth
        self.exchanges = Exchanges()
        self.exchanges.follow(partial(log_exchange, with_numbers=log_numbers))
        self.ledger = LedgerThread(paths.ledger)
        self.reader = Reader(paths.ledger)
        self._server = server
        self.simulator_state: State | None = None
        """How the embedded simulator was when it was last looked at."""
        self._simulator: Embedded | None = None
        self._backstage: Backstage | None = None
        self._actions: Actions | None = None
        self._connecting: asyncio.Task[ContactsClient] | None = None

    @classmethod
    def at(cls, paths: Paths, site: Site) -> Self:
        """Open everything for a site. Raises LedgerUnusable."""
        return cls(
            paths,
            site.server,
            site.region,
            site.profile,
            read_only=site.read_only,
            mark=site.mark,
            find_auth=site.find_auth,
            log_numbers=site.log_numbers,
        )

    @property
    def is_simulator(self) -> bool:
        """Whether the embedded simulator answers."""
        return self._server is None

    @property
    def warning(self) -> str | None:
        """What is to be known of where the ledger is; None where that is as it should be."""
        system = is_networked(self.paths.ledger)
        if system is None:
            return None
        return (
            f"The ledger is on a file system of the network ({system}): it is written without a write-ahead log, which"
            " is slower, and locks hold only as far as that file system keeps them."
        )

    @property
    def server_id(self) -> str:
        """The server as the ledger calls it."""
        return self._server.url if self._server else SIMULATOR

    def why_not(self, kind: Kind) -> str | None:
        """Return why a change is not made here; None where it may be."""
        from watui.actions import words

        if self.read_only:
            return words.read_only(self.profile)
        return self._server.dialect.why_not(words.ABILITY[kind]) if self._server is not None else None

    @property
    def server_name(self) -> str:
        """The server as people call it."""
        return self._server.host if self._server else SIMULATOR

    @property
    def expected_version(self) -> str | None:
        """The server's version, where it is known before the first answer."""
        if self.simulator_state is not None:
            return self.simulator_state.conditions.version
        return FULLEST_VERSION if self.is_simulator else None

    @property
    def scenario(self) -> str | None:
        """The scenario that the embedded simulator plays, as far as it is known; None for none."""
        return self.simulator_state.scenario if self.simulator_state is not None else None

    async def add_draft(self, options: RunOptions) -> RunRecord:
        """Add an empty draft."""
        return self.reader.run(await self.ledger(Ledger.add_run, options))

    async def import_aside(self, run_id: int, path: str, name: str, text: str | None = None) -> None:
        """Import a file, or `text` where the path is `-`, in a process of its own. Raises BadSource."""
        from watui.checks.importing import import_aside
        from watui.checks.prepare import Import

        await import_aside(self.paths.ledger, path, Import(run_id, name, self.region), text)

    async def open_run(self, run_id: int) -> Run:
        """Return a run ready to drive, connecting first. Raises Driven where another process drives it."""
        from watui.checks.run import Run
        from watui.checks.scheduler import Policy

        record = self.reader.run(run_id)
        client = await self._connect()
        policy = Policy(batch_size=record.options.batch_size, rate=client.rate)
        return await Run.open(record, self.ledger, client, policy, Driver(self.paths.locks))

    async def offer(self) -> Offer | None:
        """Return the latest run of this server that can be gone on with, else one that can be watched."""
        return await asyncio.to_thread(self._read, self._offer)

    def _offer(self, reader: Reader) -> Offer | None:
        driven = None
        for record, sources, tally in reader.runs():
            here = (record.options.server, record.options.region) == (self.server_id, self.region)
            if record.state is not RunState.RUNNING or not here:
                continue
            if not self.is_driven(record):
                return Offer(record, sources, left_of(tally), reader.in_doubt(record.id), is_driven=False)
            driven = driven or Offer(record, sources, left_of(tally), 0, is_driven=True)
        return driven

    async def runs(self) -> list[tuple[RunRow, float, float | None]]:
        """Return all runs, the latest first, each with when it began and the seconds it took, None before its end."""
        return await asyncio.to_thread(self._read, self._runs)

    def _runs(self, reader: Reader) -> list[tuple[RunRow, float, float | None]]:
        from watui.checks.rows import run_row

        return [
            (
                run_row(found, self.paths.locks),
                found.record.started_at or found.record.created_at,
                found.record.ended_at - found.record.started_at
                if found.record.ended_at is not None and found.record.started_at is not None
                else None,
            )
            for found in reader.runs()
        ]

    async def compare(self, before: int, after: int) -> tuple[Counter[Change], list[PairRow]]:
        """Return how many numbers differ how between two runs, and those that differ, read in another thread.

        Raises LedgerUnusable.
        """
        return await asyncio.to_thread(self._read, lambda reader: _compared(reader, before, after))

    async def recheck(self, run_id: int) -> int | None:
        """Add a draft of what is old, failed or open in a run; None where nothing is.

        Raises Driven where somebody asks about it, and LedgerUnusable.
        """
        from watui.checks.recheck import add_recheck

        wanted = Stale(time.time() - CACHE_SECONDS, failed=True, open=True)
        options = self.reader.run(run_id).options._replace(rechecks=run_id)
        return await asyncio.to_thread(
            self._read,
            lambda reader: self._keep_up(lambda ledger: add_recheck(ledger, reader, self.paths.locks, options, wanted)),
        )

    async def forget_run(self, run_id: int) -> bool:
        """Delete a run with all traces; return False where others use the ledger and traces of it are left for now.

        Raises Driven where somebody asks about it, and LedgerUnusable.
        """
        from watui.ledger.upkeep import erase_traces, forget_run

        await asyncio.to_thread(self._keep_up, lambda ledger: forget_run(ledger, self.paths.locks, run_id))
        return await asyncio.to_thread(erase_traces, self.paths.ledger)

    async def keep_retention(self, days: int) -> None:
        """Delete the runs and changes that ended more than so many days ago; 0 keeps all. Raises LedgerUnusable."""
        if days:
            from watui.ledger.upkeep import erase_traces, forget_older

            before = time.time() - days * DAY_SECONDS
            found = await asyncio.to_thread(self._keep_up, lambda ledger: forget_older(ledger, before))
            if any(found):
                await asyncio.to_thread(erase_traces, self.paths.ledger)

    def is_driven(self, record: RunRecord) -> bool:
        """Whether a process, this one or another, asks about a run right now."""
        return record.driver is not None and not is_gone(self.paths.locks, record.driver)

    async def actions(self) -> Actions:
        """Return what changes contacts, connecting to the server first. Raises OSError."""
        from watui.actions.actions import Actions

        client = await self._connect()
        if self._actions is None:
            place = Place(self.server_id, self.profile, _user())
            self._actions = Actions(place, self.ledger, self.reader, client, self.paths.locks, read_only=self.read_only)
        return self._actions

    async def contacts_backstage(self, numbers: Sequence[str]) -> list[ContactState]:
        """Return what the embedded simulator knows of contacts; nothing where there is none, or it can't be asked."""
        from watui.client.failures import Failure

        if not self.is_simulator:
            return []
        with contextlib.suppress(Failure, OSError):
            return await (await self.backstage()).contacts(numbers)
        return []

    async def discard(self, run_id: int) -> None:
        """Delete a draft."""
        from watui.ledger.upkeep import discard

        await asyncio.to_thread(self._keep_up, lambda ledger: discard(ledger, run_id))

    async def cancel(self, run_id: int) -> None:
        """Mark a run as ended by a person. Raises Driven where somebody asks about it, and LedgerUnusable."""
        await self.ledger(Ledger.cancel, run_id, self.paths.locks)

    def result_rows(self, run_id: int, wanted: RowFilter | None = None) -> Iterator[ResultRow]:
        """Yield the rows of a run as other programs get them."""
        from watui.checks.rows import result_row

        return map(result_row, self.reader.rows(run_id, wanted))

    async def pick(
        self, run_id: int, wanted: RowFilter, known: Picked | None, show: Callable[[array[int]], None]
    ) -> Picked:
        """Return the rows that `wanted` picks, read in another thread, which gives up where the caller is cancelled.

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
        """Return what a list was imported from and what is in it, read in another thread."""
        from watui.checks.rows import summary_of

        return await asyncio.to_thread(self._read, lambda reader: summary_of(reader, run_id))

    async def versions(self, run_id: int) -> list[str | None]:
        """Return the versions of the servers that gave verdicts, read in another thread; None for one without."""
        return await asyncio.to_thread(self._read, lambda reader: reader.versions(run_id))

    async def numbers(self, run_id: int, wanted: RowFilter, most: int) -> list[str] | None:
        """Return the numbers of the rows that fit `wanted`, each once and in order; None beyond `most` characters."""
        return await asyncio.to_thread(self._read, lambda reader: _numbers(reader.rows(run_id, wanted), most))

    async def targets(self, run_id: int, wanted: RowFilter) -> list[Target]:
        """Return the contacts of the rows that fit `wanted`, read in another thread; each number once."""
        return await asyncio.to_thread(self._read, lambda reader: _targets(reader.rows(run_id, wanted)))

    async def export(self, run_id: int, wanted: RowFilter, path: Path) -> Exported:
        """Write the rows that fit `wanted` to `path`, as its ending says, in another thread.

        Raises CannotWrite, also where there is such a file already, and LedgerUnusable.
        """
        return await asyncio.to_thread(self._read, lambda reader: _export(reader, run_id, wanted, path))

    async def trust(self, trust: Trust) -> None:
        """Believe others to be the server, from the next request on. Raises BadTrust."""
        if self._server is not None:
            self._server = replace(self._server, trust=trust)
        if self._connecting is not None:
            await (await self._connect()).trust(trust)

    async def warm_up(self) -> None:
        """Import and start, off the event loop, what the first question will need. Raises OSError."""
        await self._connect()
        if self.is_simulator:
            await self.look_backstage()

    async def backstage(self) -> Backstage:
        """Return the other side of the embedded simulator. Raises OSError where that can't be had."""
        from watui.backstage import Backstage

        await self._connect()
        assert self._simulator is not None, "there is nothing behind a real server"
        if self._backstage is None or self._backstage.url != self._simulator.url:
            if self._backstage is not None:
                await self._backstage.close()
            self._backstage = Backstage(Server.at(self._simulator.url, self._simulator.token))
        return self._backstage

    async def look_backstage(self, after: int = 0) -> State | None:
        """Return how the embedded simulator is, and what it did after request `after`; None where it can't be seen."""
        from watui.client.failures import Failure

        try:
            self.simulator_state = await (await self.backstage()).state(after)
        except Failure:
            return None
        return self.simulator_state

    async def close(self) -> None:
        """Close everything that is open, whatever of it fails."""
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self.ledger.close)
            stack.callback(self.reader.close)
            stack.push_async_callback(self._stop_simulator)
            if self._actions is not None:
                stack.callback(self._actions.close)
            if self._backstage is not None:
                stack.push_async_callback(self._backstage.close)
            if self._connecting is not None:
                with contextlib.suppress(OSError):
                    stack.push_async_callback((await self._connecting).close)

    async def _stop_simulator(self) -> None:
        if self._simulator is not None:
            await asyncio.to_thread(self._simulator.close)

    def _read(self, question: Callable[[Reader], _T]) -> _T:
        """Ask a reader of its own, for threads other than the caller's."""
        with contextlib.closing(Reader(self.paths.ledger)) as reader:
            return question(reader)

    def _keep_up(self, work: Callable[[Ledger], _T]) -> _T:
        """Let a ledger of its own do what takes long, beside the one that a run writes to."""
        with contextlib.closing(Ledger(self.paths.ledger)) as ledger:
            return work(ledger)

    async def _connect(self) -> ContactsClient:
        """Return the client, opening it once however many ask for it and whoever of them is cancelled."""
        if self._connecting is None or (self._connecting.done() and self._connecting.exception() is not None):
            self._connecting = asyncio.create_task(asyncio.to_thread(self._open_client))
        return await asyncio.shield(self._connecting)

    def _open_client(self) -> ContactsClient:
        from watui.client.auth import Deferred
        from watui.client.contacts import ContactsClient
        from watui.client.transport import Transport
        from watui.client.whapi import WhapiClient

        _LOGGER.info("profile %s is used", self.profile)
        server = self._server or self._start_simulator()
        client = WhapiClient if server.kind is ServerKind.WHAPI else ContactsClient
        auth = Deferred(self._find_auth) if self._find_auth is not None else None
        try:
            return client(Transport(server, self.exchanges, None, auth))
        except BadTrust as error:
            raise OSError(str(error)) from error

    def _start_simulator(self) -> Server:
        from watui.simulator.embedded import Embedded

        self._simulator = Embedded(self.paths.simulator, self.region, self._keep_crash)
        return Server.at(self._simulator.url, self._simulator.token)

    def _keep_crash(self, error: Exception) -> None:
        Crash.of(error).report(self.paths.crash_log)


def _user() -> str:
    """Return who is logged in, for the trail."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "unknown"


def _compared(reader: Reader, before: int, after: int) -> tuple[Counter[Change], list[PairRow]]:
    from watui.checks.compare import Change, change_of
    from watui.export.rows import PairRow

    counts: Counter[Change] = Counter()
    for run_id in (before, after):
        reader.run(run_id)
    pairs = []
    for pair in reader.pairs(before, after):
        change = change_of(pair)
        counts[change] += 1
        if change is not Change.NONE:
            pairs.append(PairRow(change.value, *pair))
    return counts, pairs


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
    from watui.actions.plans import target_of_row

    seen: set[int] = set()
    targets = []
    for row in rows:
        if row.number_id is None or row.number_id not in seen:
            targets.append(target_of_row(row))
        if row.number_id is not None:
            seen.add(row.number_id)
    return targets


def _export(reader: Reader, run_id: int, wanted: RowFilter, path: Path) -> Exported:
    from watui.checks.rows import result_row
    from watui.export.formats import Format, format_of, wa_id_warning, write_rows

    chosen = format_of(path)
    if chosen is None:
        raise CannotWrite(f"{path} has no ending that says what it is to be")
    reader.run(run_id)
    count = write_rows(path, map(result_row, reader.rows(run_id, wanted)), chosen, replace=False)
    return Exported(
        counted(count, chosen.noun), wa_id_warning(reader.versions(run_id)) if chosen is Format.WA_IDS else None
    )
