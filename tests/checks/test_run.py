"""A run from its first question to its last verdict, over a real socket or against a server that is a function."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.conftest import TOKEN
from tests.simulated import a_world, create_app
from watui.checks.prepare import Import, add_source
from watui.checks.run import Run
from watui.checks.scheduler import Policy
from watui.client.auth import Fixed
from watui.client.contacts import ContactsClient
from watui.client.exchanges import Exchanges
from watui.client.failures import AccessDenied, NoCredentials, Refused, ServerTrouble, Unreachable, Unusable
from watui.client.pacing import Pacing
from watui.client.server import Server
from watui.client.transport import Transport
from watui.contract.models import BLOCKING_MODES, Blocking
from watui.intake.entries import single
from watui.ledger.drivers import Driver
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import RunOptions, RunState
from watui.ledger.thread import LedgerThread
from watui.log import keep_log
from watui.settings.paths import Paths
from watui.simulator.population import Latency
from watui.simulator.serving import ServerThread

pytestmark = pytest.mark.anyio

FAST = Policy(batch_size=10, rate=10_000, within=0.005, longest_poll=0.01, pacing=Pacing(first=0.001, growth=1.0))
NUMBERS = [f"+1 212 555 {last}" for last in range(2000, 2025)]
DEADLINE = 10.0

Handler = Callable[[httpx.Request], httpx.Response]


def draft(ledger: Ledger, inputs: Sequence[str], *, blocking: Blocking = "no_wait", force_check: bool = False) -> int:
    run_id = ledger.add_run(RunOptions("test", "US", blocking, force_check, FAST.batch_size))
    rows = [single(line, text) for line, text in enumerate(inputs, 1)]
    add_source(ledger, Import(run_id, "list", "US"), None, rows)
    return run_id


@asynccontextmanager
async def opened(
    paths: Paths, run_id: int, handler: Handler | None, url: str = "http://127.0.0.1", policy: Policy = FAST
) -> AsyncIterator[Run]:
    thread, reader = LedgerThread(paths.ledger), Reader(paths.ledger)
    mock = httpx.MockTransport(handler) if handler is not None else None
    client = ContactsClient(Transport(Server.at(url, TOKEN), Exchanges(), mock))
    try:
        yield await Run.open(reader.run(run_id), thread, client, policy, Driver(paths.locks))
    finally:
        await client.close()
        reader.close()
        thread.close()


async def drive(run: Run) -> None:
    await asyncio.wait_for(run.drive(stop_on_failure=True), DEADLINE)


async def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        await asyncio.sleep(0.002)


def asked_in(request: httpx.Request) -> list[str]:
    contacts: list[str] = json.loads(request.content)["contacts"]
    return contacts


def answer(inputs: Sequence[str], status: str = "valid") -> httpx.Response:
    contacts = [{"input": text, "status": status} for text in inputs]
    return httpx.Response(200, json={"contacts": contacts, "meta": {"version": "v2.45.1"}})


def all_valid(request: httpx.Request) -> httpx.Response:
    return answer(asked_in(request))


@pytest.mark.parametrize("blocking", BLOCKING_MODES)
async def test_a_list_gets_its_verdicts_over_a_real_socket(
    ledger: Ledger, reader: Reader, paths: Paths, blocking: Blocking
) -> None:
    inputs = [*NUMBERS, "(212) 555-2000", "nobody", "1", *NUMBERS[:5]]
    world = a_world(latency=Latency(0.05, 0.1))
    run_id = draft(ledger, inputs, blocking=blocking)
    with ServerThread(create_app(world, TOKEN)) as server:
        async with opened(paths, run_id, None, server.url) as run:
            await drive(run)
    rows = list(reader.rows(run_id))
    assert [row.input for row in rows] == inputs
    # What the ledger holds is what the world says of each input, duplicates included.
    sent = [row for row in rows if row.problem != "no digits"]
    texts = [row.input for row in sent]
    said = world.answer(texts, world.numbers(texts), time.time()).contacts
    assert [(row.status, row.wa_id) for row in sent] == [(contact.status, contact.wa_id) for contact in said]
    record = reader.run(run_id)
    assert (record.state, record.server_version) == (RunState.DONE, "v2.41")
    assert run.requests == 3 if blocking == "wait" else run.requests > 3


async def test_each_number_is_asked_once_in_its_first_spelling(ledger: Ledger, reader: Reader, paths: Paths) -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.extend(asked_in(request))
        return all_valid(request)

    inputs = [*NUMBERS, *NUMBERS, "(212) 555-2003"]
    run_id = draft(ledger, inputs)
    async with opened(paths, run_id, handler) as run:
        await drive(run)
    assert sorted(asked) == NUMBERS
    assert [row.input for row in reader.rows(run_id)] == inputs
    assert {row.status for row in reader.rows(run_id)} == {"valid"}


async def test_what_is_asked_is_in_the_ledger_before_it_is_sent(ledger: Ledger, paths: Paths) -> None:
    run_id = draft(ledger, NUMBERS)
    unasked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        other = Reader(paths.ledger)
        found = other.query("SELECT input FROM number WHERE run_id = ? AND asked = 0", (run_id,))
        unasked.extend(text for (text,) in found if text in asked_in(request))
        other.close()
        return all_valid(request)

    async with opened(paths, run_id, handler) as run:
        await drive(run)
    assert unasked == []
    assert run.requests == 3


async def test_force_check_goes_with_first_questions_alone(ledger: Ledger, paths: Paths) -> None:
    forced: dict[str, list[bool]] = {}

    def handler(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        for text in body["contacts"]:
            forced.setdefault(text, []).append(body["force_check"])
        is_last = all(len(forced[text]) == 3 for text in body["contacts"])
        return answer(body["contacts"], "valid" if is_last else "processing")

    run_id = draft(ledger, NUMBERS[:5], force_check=True)
    async with opened(paths, run_id, handler) as run:
        await drive(run)
    assert forced == {text: [True, False, False] for text in NUMBERS[:5]}


async def test_what_an_answer_leaves_out_is_asked_again(ledger: Ledger, reader: Reader, paths: Paths) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return answer(asked_in(request)[:1])

    run_id = draft(ledger, NUMBERS[:4])
    async with opened(paths, run_id, handler) as run:
        await drive(run)
    assert run.requests == 4
    assert {row.status for row in reader.rows(run_id)} == {"valid"}


def refuse_connection(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused")


@pytest.mark.parametrize(
    ("handler", "kind", "tries"),
    [
        (refuse_connection, Unreachable, 3),
        (lambda _: httpx.Response(200, text="<html>"), Unusable, 3),
        (lambda _: httpx.Response(302, headers={"Location": "/x"}), Unusable, 3),
        (lambda _: httpx.Response(500), ServerTrouble, 3),
        (lambda _: httpx.Response(401, json={"errors": [{"code": 1005}]}), AccessDenied, 1),
        (lambda _: httpx.Response(403), AccessDenied, 1),
        (lambda _: httpx.Response(400, json={"errors": [{"code": 1009}]}), Refused, 1),
        (lambda _: httpx.Response(400, json={"errors": [{"code": 2048}]}), Refused, 1),
        (lambda _: httpx.Response(404), Refused, 1),
    ],
)
async def test_a_failure_that_waiting_does_not_mend_stops_after_its_tries(
    ledger: Ledger, reader: Reader, paths: Paths, handler: Handler, kind: type[Exception], tries: int
) -> None:
    seen: list[httpx.Request] = []

    def counting(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return handler(request)

    run_id = draft(ledger, NUMBERS[:3])
    async with opened(paths, run_id, counting) as run:
        with pytest.raises(kind):
            await drive(run)
    assert len(seen) == tries
    assert run.requests == (0 if handler is refuse_connection else tries), "what was never sent is not counted"
    assert {row.status for row in reader.rows(run_id)} == {"queued"}
    assert reader.run(run_id).state == RunState.RUNNING, "it can be resumed"


async def test_a_login_that_fails_is_no_request_that_was_sent(
    ledger: Ledger, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_token(*_: object) -> str:
        raise NoCredentials("there is no password to log in with")

    monkeypatch.setattr(Fixed, "token", no_token)
    run_id = draft(ledger, NUMBERS[:3])
    async with opened(paths, run_id, all_valid) as run:
        with pytest.raises(NoCredentials):
            await drive(run)
    assert run.requests == 0


@pytest.mark.parametrize(
    "status", [0, 408, 429, 500, 502, 503, pytest.param(-1, id="reset"), pytest.param(-2, id="time-out")]
)
async def test_an_outage_in_the_middle_is_waited_out_and_told(
    ledger: Ledger, reader: Reader, paths: Paths, status: int
) -> None:
    told: list[str] = []
    requests = 0

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal requests
        requests += 1
        if not 1 < requests <= 20:
            return all_valid(request)
        assert (run.is_paused, run.failure) == (False, None)
        if run.waiting is not None:
            told.append(run.waiting.words)
        match status:
            case 0:
                raise httpx.ConnectError("refused")
            case -1:
                raise httpx.ReadError("reset")
            case -2:
                raise TimeoutError
            case _:
                return httpx.Response(status)

    run_id = draft(ledger, NUMBERS)
    async with opened(paths, run_id, handler, policy=replace(FAST, in_flight=1)) as run:
        await drive(run)
        assert run.waiting is None
    assert {row.status for row in reader.rows(run_id)} == {"valid"}
    assert len(told) >= 18
    assert all(words.startswith("waits until ") for words in told)


async def test_a_server_that_takes_a_connection_again_is_asked_at_once(
    ledger: Ledger, reader: Reader, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, looks = 0, iter([False, False, True])

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        return refuse_connection(request) if asked == 2 else all_valid(request)

    async def knock(_: Transport) -> bool:
        return next(looks)

    monkeypatch.setattr(Transport, "knock", knock)
    hopeless = Pacing(first=1_000.0, knock=0.01)
    run_id = draft(ledger, NUMBERS)
    async with opened(paths, run_id, handler, policy=replace(FAST, in_flight=1, pacing=hopeless)) as run:
        await drive(run)
    assert {row.status for row in reader.rows(run_id)} == {"valid"}
    assert list(looks) == []
    assert (asked, run.requests) == (4, 3)


async def test_a_batch_that_the_server_fails_at_stops_the_run(ledger: Ledger, reader: Reader, paths: Paths) -> None:
    asked = 0

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += NUMBERS[12] in asked_in(request)
        return httpx.Response(500) if NUMBERS[12] in asked_in(request) else all_valid(request)

    run_id = draft(ledger, NUMBERS)
    async with opened(paths, run_id, handler, policy=replace(FAST, batch_size=2, in_flight=1)) as run:
        with pytest.raises(ServerTrouble):
            await drive(run)
    assert asked == 3
    assert reader.run(run_id).state == RunState.RUNNING, "it can be resumed"


async def test_a_wish_of_the_server_is_told_as_one(ledger: Ledger, paths: Paths) -> None:
    run_id = draft(ledger, NUMBERS)
    busy = httpx.Response(503, headers={"Retry-After": "600"}, json={"errors": [{"code": 1016, "title": "Overloaded"}]})
    async with opened(paths, run_id, lambda _: busy, policy=replace(FAST, in_flight=1)) as run:
        driving = asyncio.create_task(run.drive(stop_on_failure=True))
        await eventually(lambda: run.waiting is not None)
        waiting = run.waiting
        driving.cancel()
        await asyncio.gather(driving, return_exceptions=True)
    assert waiting is not None
    assert waiting.until == pytest.approx(time.time() + 600, abs=DEADLINE)
    at = f"{datetime.fromtimestamp(waiting.until):%H:%M:%S}"
    assert waiting.words == f"the server asks us to wait until {at}: Overloaded (1016)"


async def test_a_person_who_goes_on_is_told_of_the_wish_that_still_holds(ledger: Ledger, paths: Paths) -> None:
    requests = 0

    def handler(_: httpx.Request) -> httpx.Response:
        nonlocal requests
        requests += 1
        return httpx.Response(500, headers={"Retry-After": "600"} if requests == 3 else {})

    run_id = draft(ledger, NUMBERS[:3])
    async with opened(paths, run_id, handler) as run:
        driving = asyncio.create_task(run.drive(stop_on_failure=False))
        await eventually(lambda: run.failure is not None)
        run.resume()
        assert run.waiting is not None
        assert run.waiting.is_wanted
        for _ in range(20):
            await asyncio.sleep(0)
        assert requests == 3
        driving.cancel()
        await asyncio.gather(driving, return_exceptions=True)


async def test_patience_does_not_use_up_the_tries(ledger: Ledger, reader: Reader, paths: Paths) -> None:
    # A server that asks for patience five times, then is unreachable once, is still a server to ask again.
    statuses = iter([429, 503, 429, 503, 429, 0, 0, 200])

    def handler(request: httpx.Request) -> httpx.Response:
        match next(statuses):
            case 0:
                raise httpx.ConnectError("refused")
            case 200:
                return all_valid(request)
            case overload:
                return httpx.Response(overload, json={"errors": [{"title": "Too many requests"}]})

    run_id = draft(ledger, NUMBERS[:3])
    async with opened(paths, run_id, handler) as run:
        await drive(run)
    assert {row.status for row in reader.rows(run_id)} == {"valid"}


@pytest.mark.parametrize("status", [429, 503, 500])
async def test_nothing_is_sent_before_retry_after(ledger: Ledger, paths: Paths, status: int) -> None:
    at: list[float] = []

    def handler(request: httpx.Request) -> httpx.Response:
        at.append(time.monotonic())
        return all_valid(request) if len(at) > 1 else httpx.Response(status, headers={"Retry-After": "1"})

    run_id = draft(ledger, NUMBERS[:3])
    async with opened(paths, run_id, handler) as run:
        await drive(run)
    assert len(at) == 2
    assert at[1] - at[0] >= 1


async def test_a_failure_pauses_a_watched_run_until_a_person_resumes_it(
    ledger: Ledger, reader: Reader, paths: Paths
) -> None:
    is_broken = True

    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401) if is_broken else all_valid(request)

    run_id = draft(ledger, NUMBERS)
    async with opened(paths, run_id, handler) as run:
        driving = asyncio.create_task(run.drive(stop_on_failure=False))
        await eventually(lambda: run.is_paused and run.in_flight == 0)
        assert isinstance(run.failure, AccessDenied)
        assert not driving.done()
        is_broken = False
        run.resume()
        assert run.failure is None
        await asyncio.wait_for(driving, DEADLINE)
    assert {row.status for row in reader.rows(run_id)} == {"valid"}


async def test_while_it_is_paused_nothing_is_sent_and_answers_still_come_in(
    ledger: Ledger, reader: Reader, paths: Paths
) -> None:
    followed: list[int] = []

    def handler(request: httpx.Request) -> httpx.Response:
        run.pause()
        return all_valid(request)

    run_id = draft(ledger, NUMBERS)
    async with opened(paths, run_id, handler, policy=replace(FAST, in_flight=1)) as run:
        run.follower = followed.extend
        driving = asyncio.create_task(run.drive(stop_on_failure=True))
        for done in (10, 20):
            await eventually(lambda: run.in_flight == 0 and run.is_paused and len(followed) >= done)  # noqa: B023
            sent = run.requests
            for _ in range(20):
                await asyncio.sleep(0)
            assert run.requests == sent, "paused"
            run.resume()
        await asyncio.wait_for(driving, DEADLINE)
    assert sorted(followed) == list(range(1, len(NUMBERS) + 1))
    assert {row.status for row in reader.rows(run_id)} == {"valid"}


async def test_the_log_tells_where_a_run_paused_stopped_and_went_on(ledger: Ledger, paths: Paths) -> None:
    is_broken = True

    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401) if is_broken else all_valid(request)

    run_id = draft(ledger, NUMBERS[:1])
    with keep_log(paths.event_log, "begins"):
        async with opened(paths, run_id, handler) as run:
            driving = asyncio.create_task(run.drive(stop_on_failure=False))
            await eventually(lambda: run.failure is not None and run.in_flight == 0)
            run.resume()
            await eventually(lambda: run.failure is not None and run.in_flight == 0)
            driving.cancel()
            await asyncio.gather(driving, return_exceptions=True)
        is_broken = False
        async with opened(paths, run_id, handler) as run:
            run.pause()
            run.resume()
            await drive(run)
    words = [line.split(" ", 3)[3] for line in paths.event_log.read_text("utf-8").splitlines()]
    assert words == [
        "begins",
        "run 1 begins: 1 of 1 numbers are open",
        "run 1 is stopped: AccessDenied",
        "run 1 goes on",
        "run 1 is stopped: AccessDenied",
        "run 1 is left unfinished after 2 requests",
        "run 1 begins: 1 of 1 numbers are open",
        "run 1 is paused",
        "run 1 goes on",
        "run 1 is done after 1 requests",
    ]


async def test_cancelling_keeps_what_is_known_and_the_rest_can_be_asked_later(
    ledger: Ledger, reader: Reader, paths: Paths
) -> None:
    asked: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.extend(asked_in(request))
        return answer(asked_in(request), "valid" if is_over or len(asked) == 10 else "processing")

    is_over = False
    run_id = draft(ledger, NUMBERS)
    async with opened(paths, run_id, handler) as run:
        driving = asyncio.create_task(run.drive(stop_on_failure=True))
        await eventually(lambda: len(asked) > 30)
        driving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await driving
        await asyncio.sleep(0)
        sent = len(asked)
        assert [row.status for row in reader.rows(run_id)][:10] == ["valid"] * 10
        assert len(asked) == sent
    asked.clear()
    is_over = True
    async with opened(paths, run_id, handler) as again:
        await drive(again)
    assert sorted(asked) == NUMBERS[10:], "what was final is not asked again"
    assert {row.status for row in reader.rows(run_id)} == {"valid"}
    assert reader.run(run_id).state == RunState.DONE


async def test_the_follower_is_told_of_every_change_once_it_is_committed(
    ledger: Ledger, reader: Reader, paths: Paths
) -> None:
    rounds = iter(["processing", "processing", "pending", "valid"])
    told: list[tuple[int, str]] = []

    def follow(numbers: Sequence[int]) -> None:
        told.extend((row.line, row.status) for row in reader.rows_of(run_id, numbers))

    run_id = draft(ledger, [NUMBERS[0], NUMBERS[0]])
    async with opened(paths, run_id, lambda request: answer(asked_in(request), next(rounds))) as run:
        run.follower = follow
        await drive(run)
    assert told == [(line, status) for status in ("processing", "pending", "valid") for line in (1, 2)]


@pytest.mark.parametrize("body", [b"<html>", b"null", b"[" * 200_000], ids=["html", "null", "deep"])
async def test_a_malformed_answer_is_a_failure_and_never_a_crash(
    ledger: Ledger, reader: Reader, paths: Paths, body: bytes
) -> None:
    bodies: list[Any] = [body, body]

    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=bodies.pop()) if bodies else all_valid(request)

    run_id = draft(ledger, NUMBERS[:2])
    async with opened(paths, run_id, handler) as run:
        await drive(run)
    assert {row.status for row in reader.rows(run_id)} == {"valid"}
