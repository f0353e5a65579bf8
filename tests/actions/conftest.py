"""A clock that nobody waits for, a wire that can lose answers, an office that changes contacts, and one that dies."""

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from tests.conftest import TOKEN
from tests.simulated import a_world, create_app
from watui.actions import batch as batch_module
from watui.actions.actions import Actions
from watui.actions.batch import Batch
from watui.actions.plans import Plan, Target, target_of
from watui.client import blocklist as blocklist_module
from watui.client.contacts import ContactsClient
from watui.client.exchanges import Exchanges, Reply
from watui.client.server import Server
from watui.client.transport import Transport
from watui.contract.rules import RATE_BURST, RATE_LIMIT
from watui.desk import Desk
from watui.intake.entries import Entry, find_problem
from watui.ledger import trail
from watui.ledger.reader import Reader
from watui.ledger.thread import LedgerThread
from watui.ledger.trail import Action, Kind, Outcome, Place, Wish
from watui.settings.paths import Paths, find_paths
from watui.simulator.conditions import Changes
from watui.simulator.faults import Fault
from watui.simulator.limits import Bucket
from watui.simulator.population import LAST_MOVE, has_account
from watui.simulator.world import START, World

PLACE = Place("https://wa.example.com", "shop", "ada")
DEADLINE = 20.0
"""Real seconds that nothing in these tests may take."""

NUMBERS = [f"+1631555{line:04}" for line in range(1_000, 2_000)]
WRITERS = [number for number in NUMBERS if all(has_account(0, number, age) for age in (0, LAST_MOVE))]
"""Contacts that have an account whenever the world began; in `world` all of them wrote lately."""
STRANGERS = [number for number in NUMBERS if not any(has_account(0, number, age) for age in (0, LAST_MOVE))]
"""Numbers without an account: nobody there can be blocked or reported."""

Hook = Callable[[httpx.Request], Awaitable[httpx.Response | None]]


class FakeTime:
    """Time that goes by only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = START + 1_000
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    def rule(self, patches: pytest.MonkeyPatch) -> None:
        """Be the time by which changes are made and blocklists are read."""
        patches.setattr(batch_module, "time", SimpleNamespace(**{**vars(time), "time": self}))
        for module in (batch_module, blocklist_module):
            patches.setattr(module, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": self.sleep}))


class Wire(httpx.AsyncBaseTransport):
    """What lies between a client and a simulated server."""

    def __init__(self, world: World, clock: FakeTime) -> None:
        bucket = Bucket(RATE_LIMIT, RATE_BURST)
        self._inner = httpx.ASGITransport(create_app(world, TOKEN, clock=clock, sleep=clock.sleep, bucket=bucket))
        self._clock = clock
        self.seen: list[tuple[str, str]] = []
        """Method and path of every request."""
        self.at: list[float] = []
        """When they came."""
        self.statuses: Counter[int] = Counter()
        """Of the answers that came back."""
        self.before: Hook | None = None
        """Sees every request first, and may answer it instead of the server, or raise."""
        self.after: Hook | None = None
        """Sees every request that the server has answered, and may raise: then the answer is lost."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append((request.method, request.url.path))
        self.at.append(self._clock.now)
        said = await self.before(request) if self.before is not None else None
        if said is None:
            said = await self._inner.handle_async_request(request)
            if self.after is not None:
                await self.after(request)
        self.statuses[said.status_code] += 1
        return said

    @property
    def changes(self) -> list[str]:
        """The paths of the requests that change something."""
        return [path for method, path in self.seen if method != "GET"]

    @property
    def readings(self) -> int:
        """How many pages of the blocklist were asked for."""
        return sum(path.endswith("/blocklist") for _, path in self.seen)


class Office:
    """Somebody who changes contacts at one server, and all that a test looks at."""

    def __init__(self, paths: Paths, world: World, clock: FakeTime, place: Place = PLACE) -> None:
        self.world = world
        self.clock = clock
        self.wire = Wire(world, clock)
        self.reader = Reader(paths.ledger)
        self.ledger = LedgerThread(paths.ledger)
        self.client = ContactsClient(Transport(Server.at("http://127.0.0.1", TOKEN), Exchanges(), self.wire))
        self.actions = Actions(place, self.ledger, self.reader, self.client, paths.locks)

    async def close(self) -> None:
        self.actions.close()
        await self.client.close()
        self.reader.close()
        self.ledger.close()

    def suffer(self, *faults: Fault) -> None:
        """Let these faults, and no others, hit the server from now on."""
        self.world.change(Changes(faults=faults), self.clock())

    async def plan(self, kind: Kind, inputs: Iterable[str], **wish: Any) -> Plan:
        return await self.actions.plan(Wish(kind, **wish), list(map(named, inputs)))

    async def begin(self, kind: Kind, inputs: Iterable[str], **wish: Any) -> Batch:
        return await self.actions.begin(await self.plan(kind, inputs, **wish))

    async def carry_out(self, kind: Kind, inputs: Iterable[str], **wish: Any) -> list[Action]:
        """Plan, begin and drive; return the actions as the ledger has them in the end."""
        await drive(await self.begin(kind, inputs, **wish))
        return self.written()

    async def carry_out_plan(self, plan: Plan) -> list[Action]:
        await drive(await self.actions.begin(plan))
        return self.written()

    @property
    def batch_id(self) -> int:
        """The latest batch."""
        return trail.latest(self.reader, 1)[0].batch_id

    def written(self) -> list[Action]:
        """Return the actions of the latest batch."""
        return trail.batch(self.reader, self.batch_id)

    @property
    def blocked(self) -> list[str]:
        """Everybody on the server's blocklist, in its order."""
        answer = self.world.people.blocklist(10_000, 0)
        return [contact.wa_id.partition("@")[0] for contact in answer.contacts]

    @property
    def reports(self) -> Counter[str]:
        """How often each number was reported."""
        return Counter(number for number, _ in self.world.people.reported)

    def block_by_hand(self, numbers: Iterable[str]) -> None:
        """Let somebody else block contacts."""
        for number in numbers:
            self.world.people.block(number, self.clock())


def named(text: str, region: str = "US") -> Target:
    """Return the contact that a person names `text`."""
    return target_of(Entry(1, text, find_problem(text)), region)


def outcomes(actions: Iterable[Action]) -> list[Outcome]:
    return [action.outcome for action in actions]


def denied() -> httpx.Response:
    """Return what a server says of a token that has expired."""
    return httpx.Response(401, json={"errors": [{"code": 1005}]})


async def drive(batch: Batch, stop_on_failure: bool = True) -> None:
    await asyncio.wait_for(batch.drive(stop_on_failure), DEADLINE)


async def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        await asyncio.sleep(0.001)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    clock = FakeTime()
    clock.rule(monkeypatch)
    return clock


@pytest.fixture
def world() -> World:
    """A world in which everybody with an account wrote lately."""
    return a_world(latency=None, engaged=1.0)


@pytest.fixture
async def office(paths: Paths, world: World, clock: FakeTime) -> AsyncIterator[Office]:
    office = Office(paths, world, clock)
    yield office
    await office.close()


# A process that stops in the middle


class Stops:
    """Where a process stops in one of its changes."""

    BEFORE_INTENT = "before the intent is written down"
    BEFORE_SENDING = "before the request is sent"
    BEFORE_OUTCOME = "before the outcome is written down"
    AFTER_OUTCOME = "after the outcome is written down"


ALL_STOPS = (Stops.BEFORE_INTENT, Stops.BEFORE_SENDING, Stops.BEFORE_OUTCOME, Stops.AFTER_OUTCOME)


@contextmanager
def stopped_at(stop: str, nth: int, url: str, kind: Kind, inputs: Sequence[str]) -> Iterator["subprocess.Popen[str]"]:
    """A process that changes contacts and stops at the `nth` of its changes for as long as it is let live."""
    code = "from tests.actions.conftest import change_and_stop as c; import sys; c(*sys.argv[1:])"
    arguments = [sys.executable, "-c", code, stop, str(nth), url, kind, *inputs]
    root = Path(__file__).parents[2]
    with subprocess.Popen(arguments, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "here\n"
            yield process
        finally:
            process.kill()


def change_and_stop(stop: str, nth: str, url: str, kind: str, *inputs: str) -> None:
    """Be the process of `stopped_at`."""
    patches = pytest.MonkeyPatch()
    FakeTime().rule(patches)
    _lay_in_wait(patches, stop, int(nth))
    asyncio.run(_change(url, Wish(Kind(kind)), list(map(named, inputs))))


def _lay_in_wait(patches: pytest.MonkeyPatch, stop: str, nth: int) -> None:
    counts: Counter[str] = Counter()
    write_sent, send, write_ended = trail.sent, Transport.send, trail.ended

    def come_by(place: str) -> None:
        counts[place] += 1
        if place == stop and counts[place] == nth:
            print("here", flush=True)
            time.sleep(60)

    def sent(*arguments: Any) -> None:
        come_by(Stops.BEFORE_INTENT)
        write_sent(*arguments)

    async def sending(self: Transport, method: str, *arguments: Any) -> Reply:
        if method != "GET":
            come_by(Stops.BEFORE_SENDING)
        reply = await send(self, method, *arguments)
        if method != "GET":
            come_by(Stops.BEFORE_OUTCOME)
        return reply

    def ended(*arguments: Any) -> None:
        write_ended(*arguments)
        come_by(Stops.AFTER_OUTCOME)

    patches.setattr(trail, "sent", sent)
    patches.setattr(trail, "ended", ended)
    patches.setattr(Transport, "send", sending)


async def _change(url: str, wish: Wish, targets: Sequence[Target]) -> None:
    desk = Desk(find_paths(), Server.at(url, TOKEN), "US", "shop")
    actions = await desk.actions()
    await (await actions.begin(await actions.plan(wish, targets))).drive(stop_on_failure=True)
