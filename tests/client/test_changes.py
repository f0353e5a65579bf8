"""The calls about one contact and the blocklist: what they send, what counts as done, what each failure leaves open."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.client.conftest import CANARY, MakeClient
from tests.conftest import TOKEN
from tests.simulated import create_app
from watui.client.contacts import ContactsClient, Page
from watui.client.exchanges import Exchanges
from watui.client.failures import (
    AccessDenied,
    Failure,
    NotConnected,
    Overloaded,
    Refused,
    ServerTrouble,
    TimedOut,
    Unreachable,
    Unusable,
)
from watui.client.server import Server
from watui.client.transport import Transport
from watui.contract.models import Identity
from watui.contract.wa_ids import wa_id_of
from watui.simulator.population import has_account, identity_hash
from watui.simulator.record import Record
from watui.simulator.serving import ServerThread
from watui.simulator.world import START, World

pytestmark = pytest.mark.anyio

PHONE, HASH = "+16315551000", "UKD6Y/5SqDU="
IDENTITY = {"hash": HASH, "created_timestamp": 1600132094000, "acknowledged": True}

Call = Callable[[ContactsClient, str], Awaitable[object]]

CHANGES: dict[str, Call] = {
    "POST block": lambda client, phone: client.block(phone),
    "POST unblock": lambda client, phone: client.unblock(phone),
    "POST report": lambda client, phone: client.report(phone),
    "PUT identity": lambda client, phone: client.acknowledge(phone, HASH),
}
ABOUT_ONE: dict[str, Call] = {**CHANGES, "GET identity": lambda client, phone: client.identity(phone)}
ALL: dict[str, Call] = {**ABOUT_ONE, "GET blocklist": lambda client, _: client.blocklist()}


class Answering:
    """A server that keeps what it is sent, and always says the same, or fails the same way."""

    def __init__(self, content: object = b"{}", status: int = 200) -> None:
        self.seen: list[httpx.Request] = []
        self._status = status
        self._content = content

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        if isinstance(self._content, Exception):
            raise self._content
        content = self._content if isinstance(self._content, bytes) else json.dumps(self._content).encode()
        headers = {"Location": "https://elsewhere.example/v1/contacts"} if 300 <= self._status < 400 else {}
        return httpx.Response(self._status, content=content, headers=headers)

    @property
    def request(self) -> httpx.Request:
        """The only request there was."""
        (request,) = self.seen
        return request


async def failure_of(answer: Awaitable[object]) -> Failure:
    with pytest.raises(Failure) as caught:
        await answer
    assert all((caught.value.title, caught.value.next_step))
    return caught.value


# What is sent


@pytest.mark.parametrize(
    ("phone", "segment"),
    [
        (PHONE, "%2B16315551000"),
        ("+1 (631) 555-1000", "%2B1%20%28631%29%20555-1000"),
        ("..", "%2E%2E"),
        ("1?%2f#", "1%3F%252f%23"),
        ("//elsewhere.example", "%2F%2Felsewhere%2Eexample"),
        ("blocklist", "blocklist"),
        ("1\r\nX: y\0", "1%0D%0AX%3A%20y%00"),
        ("1０\U0001f642", "1%EF%BC%90%F0%9F%99%82"),
    ],
)
@pytest.mark.parametrize("name", ABOUT_ONE)
async def test_a_phone_is_one_part_of_the_path(client_of: MakeClient, name: str, phone: str, segment: str) -> None:
    server = Answering({"contacts": IDENTITY})
    await ABOUT_ONE[name](client_of(server), phone)
    method, what = name.split()
    assert (server.request.method, server.request.url.host) == (method, "wa.example.com")
    assert server.request.url.raw_path.decode() == f"/v1/contacts/{segment}/{what}"
    assert server.request.headers["authorization"] == f"Bearer {CANARY}"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.one_of(st.sampled_from("./\\%?#@:+ 2eEfF"), st.characters(exclude_categories=["Cs"])), min_size=1))
async def test_no_text_leads_to_another_path(client_of: MakeClient, phone: str) -> None:
    server = Answering()
    await client_of(server).unblock(phone)
    beginning, segment, end = server.request.url.raw_path.decode("ascii").rsplit("/", 2)
    assert (beginning, unquote(segment, errors="strict"), end) == ("/v1/contacts", phone, "unblock")
    assert not set("./?#\\ ") & set(segment)


@pytest.mark.parametrize(
    ("call", "body"),
    [
        *((call, None) for name, call in CHANGES.items() if name != "PUT identity"),
        (CHANGES["PUT identity"], {"hash": HASH}),
        (lambda client, phone: client.block(phone, " 迷惑 \U0001f642"), {"reason": " 迷惑 \U0001f642"}),
        (lambda client, phone: client.report(phone, "", message_id="", block=False), None),
        (lambda client, phone: client.report(phone, "  ", block=True), {"block": True}),
        (lambda client, phone: client.report(phone, message_id="ABEG-1"), {"message_id": "ABEG-1"}),
        (
            lambda client, phone: client.report(phone, "spam", message_id="ABEG-1", block=True),
            {"reason": "spam", "message_id": "ABEG-1", "block": True},
        ),
    ],
)
async def test_only_what_there_is_to_say_is_sent(client_of: MakeClient, call: Call, body: object) -> None:
    server = Answering()
    await call(client_of(server), PHONE)
    content = server.request.content
    assert (json.loads(content) if content else None) == body
    assert server.request.headers.get("content-type") == (None if body is None else "application/json")


async def test_a_blank_reason_is_left_out(client_of: MakeClient) -> None:
    server = Answering()
    for reason in (None, "", " ", "   ", " \t\n", "\u3000"):
        await client_of(server).block(PHONE, reason)
        await client_of(server).report(PHONE, reason)
    assert [request.content for request in server.seen] == [b""] * 12


# What comes back


SUCCESSES = (b"{}", b"null", b"", b" \r\n", b'{"meta": {"version": "1"}}', b'{"errors": []}', b'{"errors": null}')


@pytest.mark.parametrize("content", SUCCESSES)
@pytest.mark.parametrize("name", CHANGES)
async def test_an_answer_without_errors_is_a_success(client_of: MakeClient, name: str, content: bytes) -> None:
    for status in (200, 201, 204):
        server = Answering(content, status)
        await CHANGES[name](client_of(server), PHONE)
        assert server.request.method == name.split()[0]


def error(code: int | None) -> object:
    return {"errors": [{"title": "T"} if code is None else {"code": code, "title": "T"}]}


NO_OBJECTS: list[object] = [[], [{}], [error(2048)], "ok", False]
SURELY_NOT_DONE = (NotConnected, Refused, AccessDenied, Overloaded)


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        *((400, error(code), Refused) for code in (2048, 1009)),
        *((404, content, Refused) for content in (error(1006), b"<html>")),
        *((status, error(code), Refused) for status, code in ((200, 2048), (201, 1009), (200, None))),
        *((status, content, AccessDenied) for status in (401, 403) for content in (error(1005), b"")),
        *((status, content, Overloaded) for status in (429, 503) for content in (error(None), error(1016), b"")),
        (200, error(1015), Overloaded),
        *((status, error(code), ServerTrouble) for status in (200, 201, 500) for code in (1000, 1014, 1023)),
        *((status, b"<html>", ServerTrouble) for status in (408, 500, 502, 504)),
        *((status, content, Unusable) for status in (301, 302, 307) for content in (b"", b"{}", error(2048))),
        *((200, content, Unusable) for content in (b"<html>Welcome</html>", b"{", b"\xff", b"{}{}")),
        *((status, content, Unusable) for status in (200, 201) for content in NO_OBJECTS),
        *((200, {"errors": said}, Unusable) for said in ("no", {"code": 2048}, [{"code": "2048"}])),
        *((0, trouble("x"), NotConnected) for trouble in (httpx.ConnectError, httpx.ConnectTimeout)),
        *((0, gone("x"), Unreachable) for gone in (httpx.ReadError, httpx.RemoteProtocolError, OSError)),
        (0, TimeoutError(), TimedOut),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else repr(value)[:50],
)
@pytest.mark.parametrize("name", ALL)
async def test_anything_else_is_a_failure_and_is_not_sent_again(
    client_of: MakeClient, name: str, status: int, content: object, kind: type[Failure]
) -> None:
    server = Answering(content, status)
    failure = await failure_of(ALL[name](client_of(server), PHONE))
    assert type(failure) is kind
    # A 503 that is none of the API's may be a proxy's, given after the work.
    assert failure.may_have_worked is (kind not in SURELY_NOT_DONE or (status, content) == (503, b""))
    assert server.request.method == name.split()[0]
    if isinstance(failure, Refused):
        said = content["errors"][0].get("code") if isinstance(content, dict) else None
        assert (failure.code, failure.http_status) == (said, status)


@pytest.mark.parametrize("said", [True, False, "true", "false"], ids=repr)
async def test_an_identity_is_read_as_sample_and_table_have_it(client_of: MakeClient, said: object) -> None:
    server = Answering({"contacts": {**IDENTITY, "acknowledged": said}, "meta": {"version": "v2.45.1"}})
    assert await client_of(server).identity(PHONE) == Identity(HASH, 1600132094000, said in (True, "true"))


async def test_another_shape_is_no_identity(client_of: MakeClient) -> None:
    said = [[IDENTITY], [], None, *({**IDENTITY, "acknowledged": said} for said in ("perhaps", None))]
    said += [{**IDENTITY, "created_timestamp": time} for time in ("2018-03-01 15:29:26+00:00", None)]
    for content in (b"", b"null", {}, *({"contacts": contacts} for contacts in said)):
        assert type(await failure_of(client_of(Answering(content)).identity(PHONE))) is Unusable


async def test_a_page_holds_bare_wa_ids(client_of: MakeClient) -> None:
    wa_ids = ("16315551000@s.whatsapp.net", "16315551001", "1@s.whatsapp.net.example")
    pagination = {"limit": 3, "offset": 7, "total": 10}
    server = Answering({"contacts": [{"wa_id": wa_id} for wa_id in wa_ids], "pagination": pagination})
    page = await client_of(server).blocklist(3, 7)
    assert page == Page(("16315551000", "16315551001", "1@s.whatsapp.net.example"), 7, 10)
    assert server.request.url.raw_path == b"/v1/contacts/blocklist?limit=3&offset=7"


async def test_a_page_that_cannot_be_is_not_asked_for(client_of: MakeClient, exchanges: Exchanges) -> None:
    server = Answering()
    for limit, offset in ((0, 0), (201, 0), (-1, 0), (1, -1), (200, -200)):
        with pytest.raises(ValueError, match="1 to 200"):
            await client_of(server).blocklist(limit, offset)
    assert (server.seen, list(exchanges)) == ([], [])


# The simulator


@pytest.fixture
async def client(server: ServerThread) -> AsyncIterator[ContactsClient]:
    client = ContactsClient(Transport(Server.at(server.url, TOKEN), Exchanges()))
    yield client
    await client.close()


def the_silent(world: World, exists: bool = True) -> list[str]:
    """Return numbers of which nobody has written lately, with an account or without."""
    now = time.time()
    numbers = (f"+1631555{line:04}" for line in range(1_000, 1_200))
    silent = (number for number in numbers if not world.people.is_engaged(number, now))
    return [number for number in silent if has_account(world.seed, number, now - START) is exists]


async def is_refused(answer: Awaitable[object], code: int) -> bool:
    failure = await failure_of(answer)
    return isinstance(failure, Refused) and failure.code == code


def who_writes(world: World) -> tuple[str, str]:
    """Let somebody write who had not; return the number and the id of the message."""
    number = the_silent(world)[0]
    message_id = world.people.write(number, time.time())
    assert message_id is not None
    return number, message_id


async def test_who_wrote_is_blocked_listed_and_unblocked(world: World, client: ContactsClient) -> None:
    number, _ = who_writes(world)
    await client.block(number, "spam")
    await client.block(number)
    assert await client.blocklist() == Page((wa_id_of(number),), 0, 1)
    await client.unblock(f"+{wa_id_of(number)}")
    await client.unblock(number)
    assert await client.blocklist() == Page((), 0, 0)


async def test_who_has_not_written_is_neither_blocked_nor_reported(world: World, client: ContactsClient) -> None:
    for exists in (True, False):
        assert await is_refused(client.block(the_silent(world, exists)[0]), 2048)
        assert await is_refused(client.report(the_silent(world, exists)[0], block=True), 2048)
    assert (world.people.blocked, world.people.reported) == (0, [])


async def test_a_report_hands_over_the_message_that_it_names(world: World, client: ContactsClient) -> None:
    number, first = who_writes(world)
    assert await is_refused(client.report(number, message_id=f"{first}x", block=True), 1009)
    assert (world.people.blocked, world.people.reported) == (0, [])
    written = [first, *(world.people.write(number, time.time()) for _ in range(6))]
    await client.report(number, message_id=first)
    await client.report(number, "spam")
    assert world.people.reported == [(number, (first,)), (number, tuple(written[-5:]))]
    assert world.people.blocked == 0
    await client.report(number, block=True)
    assert (await client.blocklist()).wa_ids == (wa_id_of(number),)


@pytest.mark.parametrize("name", ["block", "report"])
async def test_a_reason_is_counted_in_code_points(world: World, client: ContactsClient, name: str) -> None:
    call = getattr(client, name)
    number, _ = who_writes(world)
    for letters in ("x", "か", "\U0001f642", "e\u0301", "\U0001f468\u200d\U0001f469"):
        assert await is_refused(call(number, (letters * 60)[:60]), 1009)
        assert world.people.blocked + len(world.people.reported) == 0
        for length in (1, 59):
            await call(number, (letters * 60)[:length])
        assert (world.people.blocked, len(world.people.reported)) in [(1, 0), (0, 2)]
        await client.unblock(number)
        world.people.reported.clear()


async def test_the_blocklist_comes_in_pages(world: World, client: ContactsClient) -> None:
    world.people.block_others(201, time.time())
    whole = await client.blocklist(200)
    assert (len(whole.wa_ids), whole.total) == (200, 201)
    assert len((await client.blocklist()).wa_ids) == 100
    assert await client.blocklist(1, 199) == Page(whole.wa_ids[-1:], 199, 201)
    assert await client.blocklist(5, 201) == Page((), 201, 201)


async def test_only_an_account_has_an_identity_known_by_its_latest_hash(world: World, client: ContactsClient) -> None:
    number = the_silent(world)[0]
    for nobody in (the_silent(world, exists=False)[0], "nobody", "../users"):
        assert await is_refused(client.identity(nobody), 1006)
        assert await is_refused(client.acknowledge(nobody, HASH), 1006)
    before = await client.identity(number)
    assert before.acknowledged
    now = time.time()
    world.people.change_identity(number, now)
    changed = await client.identity(number)
    assert changed == Identity(identity_hash(world.seed, number, 1), int(now * 1000), False)
    for hash in (before.hash, HASH, ""):
        assert await is_refused(client.acknowledge(number, hash), 1009)
    assert await client.identity(number) == changed
    await client.acknowledge(wa_id_of(number), changed.hash)
    assert await client.identity(number) == Identity(changed.hash, changed.created_timestamp, True)


async def test_a_path_reaches_a_real_server_as_it_was_sent(world: World) -> None:
    record = Record()
    with ServerThread(create_app(world, TOKEN, record=record)) as server:
        client = ContactsClient(Transport(Server.at(server.url, TOKEN), Exchanges()))
        for phone in ("../blocklist?", "..", "%2e%2e", "1#", "1 \r\n"):
            assert await is_refused(client.unblock(phone), 1009)
        await client.close()
    segments = ("%2E%2E%2Fblocklist%3F", "%2E%2E", "%252e%252e", "1%23", "1%20%0D%0A")
    assert list(record.requests) == [f"/v1/contacts/{segment}/unblock" for segment in segments]
