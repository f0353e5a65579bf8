"""Puts the parts together for one server: what both faces, command line and console, ask through.

What only a question, a list or a file needs is imported when it is first needed, so that a first screen does not wait
for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple, Self

from watui.client.exchanges import Exchanges, Why, because
from watui.client.server import Server
from watui.client.trust import BadTrust, Trust
from watui.contract.kinds import ServerKind
from watui.contract.statuses import FULLEST_VERSION
from watui.crash import Crash
from watui.ledger.drivers import Driver, is_gone
from watui.ledger.ledger import Ledger
from watui.ledger.mounts import is_networked
from watui.ledger.reader import Reader
from watui.ledger.rows import Budget, RowFilter, RunOptions, RunRecord, UsedUp
from watui.ledger.thread import LedgerThread
from watui.ledger.trail import Kind, Place
from watui.log import log_exchange
from watui.settings.paths import Paths
from watui.settings.settings import SIMULATOR
from watui.sites import NO_MARK, Mark, Site

if TYPE_CHECKING:
    from watui.actions.actions import Actions
    from watui.archive import Archive
    from watui.backstage import Backstage
    from watui.checks.prepare import Progress
    from watui.checks.run import Run
    from watui.client.auth import Auth
    from watui.client.contacts import ContactsClient, Verdicts
    from watui.contract.models import CheckRequest
    from watui.export.rows import ResultRow
    from watui.ledger.upkeep import Deletion
    from watui.simulator.control import ContactState, State
    from watui.simulator.embedded import Embedded

_LOGGER = logging.getLogger(__name__)


class Given(NamedTuple):
    """What a person gave to read."""

    path: str
    """`-` for `text`."""
    name: str
    text: str | None = None
    column: str | None = None
    """Header, or number from 1, of the column of the numbers; None finds it."""
    other: str | None = None
    """Another column that holds numbers, too; known once it is read."""


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
        has_budget: bool = False,
    ) -> None:
        self.paths = paths
        self.region = region
        self.profile = profile
        self.read_only = read_only
        self.mark = mark
        self._has_budget = has_budget
        self._find_auth = find_auth
        self.exchanges = Exchanges()
        self.exchanges.follow(partial(log_exchange, with_numbers=log_numbers))
        self.ledger = LedgerThread(paths.ledger)
        self.reader = Reader(paths.ledger)
        self._server = server
        self.budget: Budget | None = None
        """How the budget of the server stood when it was last looked at; None where there is none."""
        self.look_at_budget()
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
            has_budget=site.has_budget,
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

    def look_at_budget(self) -> None:
        """Read how the budget stands. Raises LedgerUnusable."""
        if self._has_budget:
            from watui.ledger.budget import budget_of

            self.budget = budget_of(self.reader, self.server_id)

    @property
    def place(self) -> Place:
        """Where something is done from here, and in whose name."""
        return Place(self.server_id, self.profile, _user())

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

    async def import_aside(
        self, run_id: int, given: Given, list_region: str | None, tell: Callable[[Progress], None]
    ) -> None:
        """Import what was given in a process of its own; `tell` is told how far it is. Raises BadSource."""
        from watui.checks.importing import import_aside
        from watui.checks.prepare import Import

        wanted = Import(run_id, given.name, self.region, given.column, list_region=list_region)
        await import_aside(self.paths.ledger, given.path, wanted, given.text, tell)

    async def open_run(self, run_id: int, *, takes_known: bool = False) -> Run:
        """Return a run ready to drive, connecting first; one that `takes_known` does not ask what other runs know.

        Raises Driven where another process drives it.
        """
        from watui.checks.cost import known_since
        from watui.checks.run import Run
        from watui.checks.scheduler import Policy

        record = self.reader.run(run_id)
        client = await self._connect()
        policy = Policy(batch_size=record.options.batch_size, rate=client.rate)
        since = known_since(record.options) if takes_known else None
        driver, budget = Driver(self.paths.locks), self.server_id if self._has_budget else None
        return await Run.open(record, self.ledger, client, policy, driver, known_since=since, budget=budget)

    @cached_property
    def archive(self) -> Archive:
        """The runs in the ledger."""
        from watui.archive import Archive

        return Archive(self.paths)

    @property
    def deletion(self) -> Deletion | None:
        """How far it is that runs are deleted, where that takes long; None while there is nothing to tell."""
        return self.archive.deletion if "archive" in vars(self) else None

    def is_driven(self, record: RunRecord) -> bool:
        """Whether a process, this one or another, asks about a run right now."""
        return record.driver is not None and not is_gone(self.paths.locks, record.driver)

    async def actions(self) -> Actions:
        """Return what changes contacts, connecting to the server first. Raises OSError."""
        from watui.actions.actions import Actions

        client = await self._connect()
        if self._actions is None:
            self._actions = Actions(
                self.place, self.ledger, self.reader, client, self.paths.locks, read_only=self.read_only
            )
        return self._actions

    async def check_once(self, request: CheckRequest, why: Why) -> Verdicts:
        """Ask about inputs beside all runs: the answer is written into no list. Raises Failure and OSError.

        Where there is a budget, it is reserved there as every call is.
        """
        client = await self._connect()
        ready = self._reserve if self._has_budget else None
        with because(why):
            return await client.check(
                request.contacts, blocking=request.blocking, force_check=request.force_check, ready=ready
            )

    async def _reserve(self) -> None:
        """Write down that one more call is about to be made. Raises OverBudget."""
        from watui.checks.budget import used_up

        try:
            await self.ledger(Ledger.reserve, self.server_id)
        except UsedUp as error:
            raise used_up(self.profile, error.budget) from error

    async def token_for(self, url: str) -> str | None:
        """Return the token that goes with the next request to a URL; None for none, and where others are asked there.

        Raises Failure and OSError.
        """
        return await (await self._connect()).token_for(url)

    async def contacts_backstage(self, numbers: Sequence[str]) -> list[ContactState]:
        """Return what the embedded simulator knows of contacts; nothing where there is none, or it can't be asked."""
        from watui.client.failures import Failure

        if not self.is_simulator:
            return []
        with contextlib.suppress(Failure, OSError):
            return await (await self.backstage()).contacts(numbers)
        return []

    async def cancel(self, run_id: int) -> None:
        """Mark a run as ended by a person. Raises Driven where somebody asks about it, and LedgerUnusable."""
        await self.ledger(Ledger.cancel, run_id, self.paths.locks)

    def result_rows(self, run_id: int, wanted: RowFilter | None = None) -> Iterator[ResultRow]:
        """Yield the rows of a run as other programs get them."""
        from watui.checks.rows import result_row

        return map(result_row, self.reader.rows(run_id, wanted))

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
            if "archive" in vars(self):  # Or else nothing was looked up or deleted.
                stack.push_async_callback(self.archive.close)
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
