"""A disk that is full, read-only or broken for a while, or for good, at every write of a run."""

import asyncio
import contextlib
import json
import sqlite3
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import httpx
import pytest

from tests.conftest import TOKEN
from watui import failpoints
from watui.checks.prepare import prepare
from watui.checks.run import Patience, Run
from watui.checks.scheduler import Policy
from watui.client.contacts import ContactsClient
from watui.client.exchanges import Exchanges
from watui.client.pacing import Waiting
from watui.client.server import Server
from watui.client.transport import Transport
from watui.failpoints import Failpoint, armed
from watui.intake.entries import Entry
from watui.ledger.drivers import Driver
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import RunOptions, RunState
from watui.ledger.schema import LedgerBlocked, LedgerUnusable
from watui.ledger.thread import LedgerThread
from watui.settings.paths import Paths, find_paths

pytestmark = pytest.mark.anyio

NUMBERS = [f"+1 212 555 {last}" for last in range(2000, 2060)]
FAST = Policy(batch_size=10, rate=10_000, within=0.001, longest_poll=0.002)
AT_ONCE = Patience(0.001, 0.004)
DEADLINE = 10.0

HOWS = {
    "full": "the disk is full: nothing is asked until there is room",
    "readonly": "the ledger is read-only: nothing is asked until it can be written",
    "io": "the disk reports an error: nothing is asked until it works again",
}
KINDS = [("full", "ledger.begin"), ("full", "ledger.write"), ("readonly", "ledger.begin"), ("io", "ledger.write")]

P = ParamSpec("P")
T = TypeVar("T")
Table = list[tuple[object, ...]]


class WatchedThread(LedgerThread):
    """Tells of every write that has failed, as soon as it has."""

    on_failure: Callable[[], None]

    async def __call__(self, method: Callable[Concatenate[Ledger, P], T], *arguments: P.args, **named: P.kwargs) -> T:
        def watched(ledger: Ledger) -> T:
            try:
                return method(ledger, *arguments, **named)
            except LedgerBlocked:
                self.on_failure()
                raise

        return await super().__call__(watched)


class Office:
    """A ledger with one run after the other, and a server that says `processing` first, `valid` or `invalid` then."""

    def __init__(self, paths: Paths, wa_id_digits: int = 11) -> None:
        self.paths = paths
        self.thread, self.reader = WatchedThread(paths.ledger), Reader(paths.ledger)
        self.thread.on_failure = self._fails
        self.sent = 0
        """Requests of all runs."""
        self.late = 0
        """Requests that came after the first write that failed, and before the last."""
        self._has_failed = False
        self.on_request: Callable[[], None] = lambda: None
        self._heard_of: set[str] = set()
        self._digits = wa_id_digits
        self._rows = [prepare(Entry(line, text, None), "US", False) for line, text in enumerate(NUMBERS, 1)]

    def close(self) -> None:
        self.reader.close()
        self.thread.close()

    async def draft(self) -> int:
        self._heard_of.clear()
        run_id = await self.thread(Ledger.add_run, RunOptions("test", "US", "no_wait", False, FAST.batch_size))
        source_id = await self.thread(Ledger.add_source, run_id, "list", None)
        await self.thread(Ledger.add_rows, run_id, source_id, self._rows, {})
        return run_id

    @asynccontextmanager
    async def opened(self, run_id: int, patience: Patience = AT_ONCE, policy: Policy = FAST) -> AsyncIterator[Run]:
        """The run, ready to drive."""

        def handler(request: httpx.Request) -> httpx.Response:
            self.sent += 1
            self.on_request()
            return httpx.Response(200, json={"contacts": [self._verdict(text) for text in _asked_in(request)]})

        transport = Transport(Server.at("http://127.0.0.1", TOKEN), Exchanges(), httpx.MockTransport(handler))
        client = ContactsClient(transport)
        try:
            driver = Driver(self.paths.locks)
            record = self.reader.run(run_id)
            yield await Run.open(record, self.thread, client, policy, driver, patience=patience)
        finally:
            await client.close()

    @contextlib.contextmanager
    def failing(self, text: str) -> Iterator[Failpoint]:
        """Let writes fail, and count the requests that are sent all the same."""
        with armed(text) as failpoint:
            self.on_request = lambda: self._count(failpoint)
            self.late, self._has_failed = 0, False
            yield failpoint

    def _count(self, failpoint: Failpoint) -> None:
        self.late += self._has_failed and not failpoint.is_over

    def _fails(self) -> None:
        self._has_failed = True

    def _verdict(self, text: str) -> dict[str, str]:
        if text not in self._heard_of:
            self._heard_of.add(text)
            return {"input": text, "status": "processing"}
        wa_id = text[1:].replace(" ", "").ljust(self._digits, "0")
        return {"input": text, "status": "valid" if int(text[-1]) % 3 else "invalid", "wa_id": wa_id}

    def table(self, run_id: int) -> Table:
        return [(row.row, row.input, row.number, row.status, row.wa_id) for row in self.reader.rows(run_id)]

    def final(self, run_id: int) -> dict[str, float | None]:
        """When each number with a final status got it."""
        rows = self.reader.rows(run_id)
        return {row.input: row.checked_at for row in rows if row.status in ("valid", "invalid")}

    def assert_whole(self, run_id: int, expected: Table) -> None:
        assert self.table(run_id) == expected
        assert self.reader.run(run_id).state == RunState.DONE
        self.assert_sound()

    def assert_sound(self) -> None:
        with contextlib.closing(sqlite3.connect(self.paths.ledger)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _asked_in(request: httpx.Request) -> list[str]:
    contacts: list[str] = json.loads(request.content)["contacts"]
    return contacts


async def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        await asyncio.sleep(0.0005)


@pytest.fixture
def office(paths: Paths) -> Iterator[Office]:
    office = Office(paths)
    yield office
    office.close()


async def undisturbed(office: Office) -> tuple[Table, int]:
    """Return the table that a run leads to, and how many writes that takes."""
    run_id = await office.draft()
    async with office.opened(run_id) as run:
        with office.failing("ledger.begin:1000000:full") as failpoint:
            await run.drive(stop_on_failure=True)
    assert len(office.final(run_id)) == len(NUMBERS)
    return office.table(run_id), failpoint.reached


@pytest.mark.parametrize(("how", "place"), KINDS)
async def test_a_write_that_fails_for_a_while_stops_all_questions_and_the_run_goes_on_by_itself(
    office: Office, how: str, place: str
) -> None:
    expected, writes = await undisturbed(office)
    late, waits = [], 0
    for nth in range(1, writes + 1):
        run_id = await office.draft()
        async with office.opened(run_id) as run:
            with office.failing(f"{place}:{nth}-{nth + 2}:{how}") as failpoint:
                # Whichever face drives it, the same waiting holds.
                await asyncio.wait_for(run.drive(stop_on_failure=nth % 2 == 0), DEADLINE)
        assert run.waiting is None
        late.append(office.late)
        waits += failpoint.is_over
        office.assert_whole(run_id, expected)
    print(f"{how} at {place}: {waits} of {writes} writes failed and were made later; {max(late)} requests sent late")
    assert max(late) <= 1
    assert waits == writes


@pytest.mark.parametrize("how", HOWS)
async def test_a_write_that_fails_for_good_stops_all_questions_and_somebody_else_goes_on(
    office: Office, how: str
) -> None:
    expected, writes = await undisturbed(office)
    late, known, again = [], 0, 0
    for nth in range(1, writes + 1):
        run_id = await office.draft()
        async with office.opened(run_id) as run:
            with office.failing(f"ledger.write:{nth}+:{how}") as failpoint:
                driving = asyncio.create_task(run.drive(stop_on_failure=nth % 2 == 0))
                await eventually(lambda: failpoint.reached >= nth + 5)  # noqa: B023
                driving.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await driving
        assert run.waiting is not None
        assert run.waiting.reason == HOWS[how]
        late.append(office.late)
        office.assert_sound()
        final, sent = office.final(run_id), office.sent
        async with office.opened(run_id) as other:
            await asyncio.wait_for(other.drive(stop_on_failure=True), DEADLINE)
        known, again = known + len(final), again + office.sent - sent
        assert final.items() <= office.final(run_id).items(), "what was final is as it was"
        office.assert_whole(run_id, expected)
    print(
        f"{how} for good at each of {len(late)} writes: {max(late)} requests sent late,"
        f" {known} final numbers kept, {again} requests by those who went on"
    )
    assert max(late) <= 1


async def test_it_tries_again_after_longer_and_longer(office: Office) -> None:
    run_id, seen = await office.draft(), list[Waiting]()
    async with office.opened(run_id, Patience(0.01, 0.04), replace(FAST, in_flight=1)) as run:
        with office.failing("ledger.begin:1-5:full"):
            driving = asyncio.create_task(run.drive(stop_on_failure=True))
            while not driving.done():
                if run.waiting is not None and run.waiting not in seen:
                    seen.append(run.waiting)
                await asyncio.sleep(0.001)
            await driving
    gaps = [later.until - earlier.until for earlier, later in pairwise(seen)]
    assert len(gaps) == 4
    assert all(gap >= least for gap, least in zip(gaps, (0.019, 0.039, 0.039, 0.039), strict=True))
    assert Patience() == (0.5, 10.0)


async def test_no_question_is_begun_while_an_answer_waits_to_be_written(office: Office) -> None:
    run_id = await office.draft()
    async with office.opened(run_id, Patience(DEADLINE, DEADLINE), replace(FAST, rate=20)) as run:
        with office.failing("ledger.write:2+:full"):
            driving = asyncio.create_task(run.drive(stop_on_failure=False))
            await asyncio.sleep(0.3)
            assert run.waiting is not None
            assert run.in_flight <= 2, "six could have been begun by now"
            driving.cancel()
            await asyncio.gather(driving, return_exceptions=True)


async def test_what_waits_to_be_written_is_not_asked_in_a_pause(office: Office) -> None:
    expected, writes = await undisturbed(office)
    for nth in range(1, writes // 2):
        run_id = await office.draft()
        async with office.opened(run_id) as run:
            with office.failing(f"ledger.write:{nth}+:full") as failpoint:
                driving = asyncio.create_task(run.drive(stop_on_failure=False))
                await eventually(lambda: failpoint.reached > nth + 5)  # noqa: B023
                run.pause()
                sent, failpoint.last = office.sent, failpoint.reached
                await eventually(lambda: run.waiting is None)
                await asyncio.sleep(0.005)
                assert office.sent == sent, "paused"
                run.resume()
                await asyncio.wait_for(driving, DEADLINE)
        office.assert_whole(run_id, expected)


async def test_a_run_that_cannot_be_started_says_why_and_leaves_no_driver(office: Office) -> None:
    run_id = await office.draft()
    with office.failing("ledger.write:1:full"), pytest.raises(LedgerBlocked, match="written: the disk is full"):
        async with office.opened(run_id):
            pass
    assert office.reader.run(run_id).state == RunState.DRAFT
    assert list(office.paths.locks.iterdir()) == []


@pytest.mark.parametrize("error", [sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_READONLY_DBMOVED])
async def test_what_does_not_pass_ends_the_run_at_once(
    office: Office, error: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(name: str) -> None:
        if name == "ledger.write" and office.sent:
            failure = sqlite3.DatabaseError("no way")
            failure.sqlite_errorcode = error
            raise failure

    run_id = await office.draft()
    monkeypatch.setattr(failpoints, "reach", fail)
    async with office.opened(run_id) as run:
        with pytest.raises(LedgerUnusable, match="no way") as caught:
            await asyncio.wait_for(run.drive(stop_on_failure=False), DEADLINE)
    assert not isinstance(caught.value, LedgerBlocked)


async def test_a_ledger_that_sqlite_itself_calls_full(paths: Paths) -> None:
    office = Office(paths, wa_id_digits=900)  # so that answers take new pages
    expected, _ = await undisturbed(office)
    run_id = await office.draft()
    async with office.opened(run_id) as run:
        await office.thread(_limit_pages, 1)
        driving = asyncio.create_task(run.drive(stop_on_failure=True))
        await eventually(lambda: run.waiting is not None)
        assert run.waiting is not None
        assert run.waiting.reason == HOWS["full"]
        await office.thread(_limit_pages, 100_000)
        await asyncio.wait_for(driving, DEADLINE)
    office.assert_whole(run_id, expected)
    office.close()


def _limit_pages(ledger: Ledger, more: int) -> None:
    with ledger.transaction() as database:
        (pages,) = database.execute("PRAGMA page_count").fetchone()
        database.execute(f"PRAGMA max_page_count = {pages + more}")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    with contextlib.suppress(FileNotFoundError):
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True)
        if made.returncode == 0:
            yield disk
            subprocess.run(["umount", disk], check=True)
            return
    pytest.skip("only root can mount a file system")


@pytest.mark.parametrize("what", ["full", "read-only"])
def test_what_is_in_the_ledger_can_be_read_where_nothing_can_be_written(small_disk: Path, what: str) -> None:
    path = small_disk / "ledger.sqlite3"
    ledger = Ledger(path)
    run_id = ledger.add_run(RunOptions("http://wa.example.com", "US", "no_wait", False, 500))
    ledger.close()
    if what == "full":
        with contextlib.suppress(OSError), (small_disk / "ballast").open("wb", buffering=0) as file:
            while file.write(bytes(512)):
                pass
    else:
        subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    reader = Reader(path)
    assert reader.run(run_id).state is RunState.DRAFT
    reader.close()
    with pytest.raises(LedgerUnusable):
        Ledger(path).add_run(RunOptions("http://wa.example.com", "US", "no_wait", False, 500))


async def test_a_disk_that_is_really_full(small_disk: Path, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = Office(paths)
    expected, _ = await undisturbed(elsewhere)
    elsewhere.close()
    monkeypatch.setenv("WATUI_HOME", str(small_disk))
    office = Office(find_paths())
    run_id = await office.draft()
    ballast = small_disk / "ballast"

    def fill_up() -> None:
        if not ballast.exists():
            with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass

    office.on_request = fill_up
    async with office.opened(run_id) as run:
        driving = asyncio.create_task(run.drive(stop_on_failure=True))
        await eventually(lambda: run.waiting is not None)
        sent = office.sent
        await asyncio.sleep(0.1)
        assert run.waiting is not None
        assert run.waiting.reason == HOWS["full"]
        assert office.sent == sent
        office.assert_sound()
        ballast.unlink()
        ballast.mkdir()  # so that it is not filled again
        await asyncio.wait_for(driving, DEADLINE)
    print(f"a full disk of 1 MB: {sent} requests before, {office.sent} in all")
    office.assert_whole(run_id, expected)
    office.close()
