"""Runs at a server that logs us in: tokens that end too early, and a password that is not right any more."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace

import httpx
import msgspec
import pytest

from tests.checks.test_run import DEADLINE, FAST, NUMBERS, answer, asked_in, draft, eventually
from tests.simulated import a_world, create_app
from watui.checks.run import Run
from watui.checks.scheduler import Policy
from watui.client.auth import LOGIN_PATH, Auth, Credentials, Fixed, Login, Post
from watui.client.contacts import ContactsClient
from watui.client.exchanges import Exchanges
from watui.client.failures import AccessDenied, NotYetAccepted, ServerTrouble, Unreachable, Unusable, WrongPassword
from watui.client.pacing import Pacing
from watui.client.server import Server
from watui.client.transport import Transport
from watui.contract.statuses import FINAL
from watui.ledger.drivers import Driver
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import RunState
from watui.ledger.thread import LedgerThread
from watui.settings.paths import Paths
from watui.simulator.clock import Clock
from watui.simulator.events import Event, PasswordChanged, TokensExpired
from watui.simulator.population import Latency
from watui.simulator.record import Record
from watui.simulator.scenario import Scenario, find_shipped
from watui.simulator.serving import ServerThread
from watui.simulator.world import World

pytestmark = pytest.mark.anyio

PASSWORD, OTHER = "Canary-Pass1", "Other-Pass2"
SCALE = 10.0
"""Seconds that go by at the server in one of ours."""

HURRIED = Policy(
    batch_size=10,
    rate=15.0,
    within=5 / SCALE,
    in_flight=8,
    pacing=Pacing(first=1 / SCALE),
)
"""The usual policy, hurried as time is, with requests so small that they go on for several lives of a token."""


@dataclass
class Site:
    """A simulated server where `admin` has PASSWORD, and what it saw."""

    world: World
    clock: Clock
    record: Record
    url: str
    expiries: int = 0

    @property
    def logins(self) -> int:
        return self.record.requests[LOGIN_PATH]

    def note(self, event: Event) -> None:
        self.expiries += isinstance(event, TokensExpired)

    def login(self, password: str = PASSWORD) -> Login:
        return Login(lambda: Credentials("admin", password), now=self.clock)


@contextmanager
def a_site(scenario: Scenario | None = None, latency: Latency | None = None) -> Iterator[Site]:
    world, clock, record = a_world(latency=latency), Clock(SCALE), Record(counts_inputs=True)
    app = create_app(world, clock=clock, sleep=clock.sleep, record=record)
    world.happen(PasswordChanged(clock(), "admin", PASSWORD))
    world.play(scenario, clock())
    with ServerThread(app) as server:
        site = Site(world, clock, record, server.url)
        world.listeners.append(site.note)
        yield site


@asynccontextmanager
async def opened(
    paths: Paths, run_id: int, auth: Auth, url: str, policy: Policy = HURRIED, handler: object = None
) -> AsyncIterator[Run]:
    thread, reader = LedgerThread(paths.ledger), Reader(paths.ledger)
    mock = httpx.MockTransport(handler) if handler is not None else None  # type: ignore[arg-type]
    client = ContactsClient(Transport(Server.at(url), Exchanges(), mock, auth))
    try:
        yield await Run.open(reader.run(run_id), thread, client, policy, Driver(paths.locks))
    finally:
        await client.close()
        reader.close()
        thread.close()


async def finish(paths: Paths, run_id: int, auth: Auth, url: str, policy: Policy, seconds: float) -> int:
    """Drive a run to its end, resuming it as a person would where the line fails; return how often that was."""
    resumes = 0
    while True:
        async with opened(paths, run_id, auth, url, policy) as run:
            try:
                await asyncio.wait_for(run.drive(stop_on_failure=True), seconds)
            except (Unreachable, ServerTrouble, Unusable):
                resumes += 1
            else:
                return resumes


def assert_whole(site: Site, reader: Reader, run_id: int, inputs: list[str]) -> int:
    """Assert that the ledger holds what the server says and has said; return how many final verdicts were lost."""
    rows = list(reader.rows(run_id))
    said = site.world.answer(inputs, site.world.numbers(inputs), site.clock()).contacts
    assert [(row.input, row.status, row.wa_id) for row in rows] == [
        (contact.input, contact.status, contact.wa_id) for contact in said
    ]
    assert reader.run(run_id).state == RunState.DONE
    assert all(site.record.answered[row.input][row.status] for row in rows)
    return sum(row.status not in FINAL for row in rows)


async def test_tokens_that_end_too_early_cost_one_login_each(ledger: Ledger, reader: Reader, paths: Paths) -> None:
    inputs = [f"+1212555{number:04d}" for number in range(500)]
    run_id = draft(ledger, inputs)
    with a_site(find_shipped("token-expiry"), Latency(1.5, 4)) as site:
        login = site.login()
        resumes = await finish(paths, run_id, login, site.url, HURRIED, 6 * DEADLINE)
        lost = assert_whole(site, reader, run_id, inputs)
        print(f"\ntoken-expiry: {site.expiries} expiries, {site.logins} logins, {resumes} resumed, {lost} lost")
        assert site.expiries >= 2
        assert site.logins <= site.expiries + 1
        assert (resumes, lost) == (0, 0)


async def test_a_client_that_cannot_log_in_stops_and_says_why(ledger: Ledger, reader: Reader, paths: Paths) -> None:
    run_id = draft(ledger, NUMBERS)
    with a_site(find_shipped("token-expiry")) as site:
        async with opened(paths, run_id, Fixed("made-up"), site.url, FAST) as run:
            with pytest.raises(AccessDenied, match="Access denied"):
                await asyncio.wait_for(run.drive(stop_on_failure=True), DEADLINE)
        assert run.requests == 1 or run.requests <= FAST.in_flight
        assert {row.status for row in reader.rows(run_id)} == {"queued"}


@pytest.mark.parametrize("count", [500, pytest.param(5_000, marks=pytest.mark.long)])
async def test_a_flaky_line_and_tokens_that_end_too_early_lose_nothing(
    ledger: Ledger, reader: Reader, paths: Paths, count: int
) -> None:
    flaky, expiring = find_shipped("flaky"), find_shipped("token-expiry")
    both = msgspec.structs.replace(flaky, fault=(*flaky.fault, *expiring.fault), at=expiring.at)
    inputs = [f"+1212{number:07d}" for number in range(5_550_000, 5_550_000 + count)]
    run_id = draft(ledger, inputs)
    with a_site(both, Latency(1.5, 4)) as site:
        policy = replace(HURRIED, batch_size=count // 50)
        resumes = await finish(paths, run_id, site.login(), site.url, policy, 6 * DEADLINE)
        lost = assert_whole(site, reader, run_id, inputs)
        figures = f"{site.expiries} expiries, {site.logins} logins, {resumes} resumed, {lost} lost"
        print(f"\nflaky and token-expiry, {count:,} numbers: {figures}")
        assert site.expiries >= 1
        # A login whose answer got lost on the way is tried again.
        assert site.logins <= site.expiries + 1 + site.record.requests_made // 10
        assert lost == 0


class _Outdated(Fixed):
    """A token that the server does not take any more, and the one after it."""

    def __init__(self) -> None:
        super().__init__("old")

    async def another(self, refused: str | None, post: Post) -> str | None:
        return "new"


async def test_a_question_that_goes_out_again_with_another_token_counts_as_two_requests(
    ledger: Ledger, reader: Reader, paths: Paths
) -> None:
    requests: list[str] = []

    def takes_the_new_one(request: httpx.Request) -> httpx.Response:
        requests.append(request.headers["Authorization"])
        if requests[-1] == "Bearer old":
            return httpx.Response(401, json={"errors": [{"code": 1005, "title": "Access denied"}]})
        return answer(asked_in(request))

    run_id = draft(ledger, NUMBERS[:5])
    async with opened(paths, run_id, _Outdated(), "http://127.0.0.1", FAST, takes_the_new_one) as run:
        await asyncio.wait_for(run.drive(stop_on_failure=True), DEADLINE)
    assert requests == ["Bearer old", "Bearer new"]
    assert run.requests == 2


async def test_a_storm_of_refusals_is_not_answered_with_a_storm_of_logins(
    ledger: Ledger, reader: Reader, paths: Paths
) -> None:
    requests: list[str] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        requests.append(request.url.path)
        if request.url.path == LOGIN_PATH:
            return httpx.Response(200, json={"users": [{"token": "fresh", "expires_after": "never"}]})
        return httpx.Response(401, json={"errors": [{"code": 1005, "title": "Access denied"}]})

    run_id = draft(ledger, NUMBERS)
    login = Login(lambda: Credentials("admin", PASSWORD))
    async with opened(paths, run_id, login, "http://127.0.0.1", FAST, refuse) as run:
        with pytest.raises(NotYetAccepted):
            await asyncio.wait_for(run.drive(stop_on_failure=True), DEADLINE)
    logins = requests.count(LOGIN_PATH)
    print(f"\na server that refuses every token: {logins} login, {len(requests) - logins} requests refused")
    assert logins == 1
    assert len(requests) - logins <= FAST.in_flight + 3 * 3
    assert {row.status for row in reader.rows(run_id)} == {"queued"}
    assert reader.run(run_id).state == RunState.RUNNING, "it can be resumed"


async def test_a_password_that_is_not_right_any_more_is_tried_once_and_pauses_the_run(
    ledger: Ledger, reader: Reader, paths: Paths
) -> None:
    """In the middle of a run every token ends, and somebody changes the password."""
    password, attempts, at_the_server, good = PASSWORD, list[str](), PASSWORD, set[str]()
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal at_the_server
        authorization = request.headers["authorization"]
        if request.url.path == LOGIN_PATH:
            attempts.append(authorization)
            if authorization != Credentials("admin", at_the_server).authorization:
                return httpx.Response(401, json={"errors": [{"code": 1005, "title": "Access denied"}]})
            good.add(token := f"token-{len(attempts)}")
            return httpx.Response(200, json={"users": [{"token": token, "expires_after": "never"}]})
        if authorization.removeprefix("Bearer ") not in good:
            return httpx.Response(401, json={"errors": [{"code": 1005, "title": "Access denied"}]})
        asked.extend(asked_in(request))
        if len(asked) == 10:
            at_the_server = OTHER
            good.clear()
        return answer(asked_in(request))

    now = 0.0
    run_id = draft(ledger, NUMBERS)
    login = Login(lambda: Credentials("admin", password), now=lambda: now)
    policy = replace(FAST, in_flight=1)
    async with opened(paths, run_id, login, "http://127.0.0.1", policy, handler) as run:
        driving = asyncio.create_task(run.drive(stop_on_failure=False))
        await eventually(lambda: bool(asked))
        now = 100.0
        await eventually(lambda: run.is_paused and run.in_flight == 0)
        assert isinstance(run.failure, NotYetAccepted | WrongPassword)
        for _ in range(3):
            run.resume()
            await eventually(lambda: run.is_paused and run.in_flight == 0)
        assert isinstance(run.failure, WrongPassword)
        assert "does not let admin in" in run.failure.title
        assert len(attempts) == 2, "the wrong one was sent once"
        assert len(asked) == 10
        assert not driving.done()
        password = OTHER
        run.resume()
        await asyncio.wait_for(driving, DEADLINE)
    print(f"\na wrong password in the middle: sent {len(attempts) - 2} time, 0 of {len(NUMBERS)} lost")
    assert len(attempts) == 3
    assert sorted(asked) == sorted(NUMBERS), "nothing was asked twice"
    assert {row.status for row in reader.rows(run_id)} == {"valid"}
