"""The transport against real sockets that behave badly, and what it writes down of every exchange."""

import asyncio
import contextlib
import gzip
import socket
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from tests.busy import Stopwatch
from tests.client.conftest import CANARY
from tests.conftest import TOKEN
from watui.client.exchanges import (
    KEPT,
    KEPT_BYTES,
    MOST_OF_A_BODY,
    NO_WHY,
    Exchange,
    Exchanges,
    Why,
    because,
)
from watui.client.failures import Failure, TimedOut, Unreachable, Unusable
from watui.client.server import Server
from watui.client.transport import Transport
from watui.contract.rules import MAX_BODY_BYTES
from watui.simulator.serving import ServerThread

pytestmark = pytest.mark.anyio

PATH = "/v1/contacts"
BODY = b'{"contacts": ["+16315551000"]}'

Peer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def peer(behave: Peer) -> AsyncIterator[str]:
    """Serve connections on loopback: once a request has come, `behave` does as it likes. Yield the URL."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await behave(writer)
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def saying(answer: bytes) -> Peer:
    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return behave


async def post(url: str, exchanges: Exchanges, seconds: float = 5.0) -> int:
    """Post to `url` with the canary as token and return the size of the answer."""
    transport = Transport(Server.at(url, CANARY), exchanges)
    try:
        return len((await transport.send("POST", PATH, BODY, seconds)).body)
    finally:
        await transport.close()


def gzipped(body: bytes, times: int) -> bytes:
    for _ in range(times):
        body = gzip.compress(body)
    encoding = b", ".join([b"gzip"] * times)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (encoding, len(body))
    return head + body


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"", Unreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Le", Unreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", Unreachable),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", Unreachable),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Unreachable),
        (b"\x15\x03\x03\x00\x02\x02\x46", Unreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope", Unusable),
    ],
    ids=range(7),
)
async def test_an_answer_that_breaks_off_or_is_no_http_is_a_failure(
    answer: bytes, kind: type[Failure], exchanges: Exchanges
) -> None:
    async with peer(saying(answer)) as url:
        with pytest.raises(kind) as caught:
            await post(url, exchanges)
    assert url.removeprefix("http://") in caught.value.title or kind is Unusable
    (exchange,) = exchanges
    assert (exchange.status, exchange.failure) == (None, caught.value.title)


async def test_a_refused_connection_names_the_server(exchanges: Exchanges) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Unreachable, match=f"cannot reach 127.0.0.1:{port}"):
        await post(f"http://127.0.0.1:{port}", exchanges)


async def test_plain_http_where_tls_is_asked_for_sends_nothing(server: ServerThread, exchanges: Exchanges) -> None:
    with pytest.raises(Unreachable, match="no secure connection"):
        await post(server.url.replace("http:", "https:"), exchanges)


async def silence(_: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def trickle(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\n \r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("behave", [silence, trickle])
async def test_no_call_outlives_its_timeout(behave: Peer, exchanges: Exchanges) -> None:
    watch = Stopwatch()
    async with peer(behave) as url:
        with pytest.raises(TimedOut, match=r"within 0\.2 seconds"):
            await post(url, exchanges, seconds=0.2)
        assert watch.seconds() < 1.2


@pytest.mark.parametrize("times", [1, 2])
async def test_a_gzip_bomb_is_given_up_before_it_fills_the_memory(times: int, exchanges: Exchanges) -> None:
    # A megabyte of zeros takes a kilobyte, and compressed once more, a few bytes.
    bomb = gzipped(bytes(128 * 1024 * 1024), times)
    async with peer(saying(bomb)) as url:
        tracemalloc.start()
        try:
            with pytest.raises(Unusable, match="compressed"):
                await post(url, exchanges)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 4 * MAX_BODY_BYTES


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_sends_nothing_to_another_origin(
    status: int, server: ServerThread, exchanges: Exchanges
) -> None:
    reached: list[bool] = []

    async def elsewhere(_: asyncio.StreamWriter) -> None:
        reached.append(True)

    async with peer(elsewhere) as other:
        answer = f"HTTP/1.1 {status} Moved\r\nLocation: {other}{PATH}\r\nContent-Length: 0\r\n\r\n"
        async with peer(saying(answer.encode())) as url:
            await post(url, exchanges)
    assert not reached
    assert [exchange.status for exchange in exchanges] == [status]


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_no_proxy_stands_before_a_server_on_this_machine(
    variable: str, server: ServerThread, exchanges: Exchanges, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    transport = Transport(Server.at(server.url, TOKEN), exchanges)
    assert (await transport.send("POST", PATH, BODY, 5)).status == 200
    await transport.close()


async def knocked(url: str, exchanges: Exchanges) -> bool:
    transport = Transport(Server.at(url, CANARY), exchanges)
    try:
        return await transport.knock()
    finally:
        await transport.close()


async def test_a_knock_tells_whether_connections_are_taken_and_sends_nothing(exchanges: Exchanges) -> None:
    came: list[bytes] = []
    has_ended = asyncio.Event()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            came.append(await reader.read())
        writer.close()
        has_ended.set()

    listener = await asyncio.start_server(connected, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    assert await knocked(url, exchanges)
    await asyncio.wait_for(has_ended.wait(), 5)
    assert came in ([], [b""])
    listener.close()
    await listener.wait_closed()
    assert not await knocked(url, exchanges)
    assert list(exchanges) == [], "nothing was asked"


@pytest.mark.parametrize("variable", ["https_proxy", "ALL_PROXY"])
async def test_nobody_knocks_where_a_proxy_stands_between(
    variable: str, exchanges: Exchanges, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def connect(*_: object) -> None:
        raise AssertionError("a connection past the proxy")

    monkeypatch.setattr(asyncio, "open_connection", connect)
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    assert not await knocked("https://wa.example.com", exchanges)
    monkeypatch.setenv("no_proxy", "wa.example.com")
    with pytest.raises(AssertionError):
        await knocked("https://wa.example.com", exchanges)


async def test_every_exchange_is_written_down_without_the_token(server: ServerThread, exchanges: Exchanges) -> None:
    followed: list[Exchange] = []
    exchanges.follow(followed.append)
    before = time.time()
    await post(server.url, exchanges)
    (exchange,) = exchanges
    assert followed == [exchange]
    assert (exchange.method, exchange.url, exchange.request) == ("POST", server.url + PATH, BODY)
    assert (exchange.status, exchange.failure) == (401, None)
    assert b"1005" in exchange.response
    assert before <= exchange.at <= time.time()
    assert 0 <= exchange.seconds < 5
    assert CANARY not in repr(exchange)


async def test_an_interrupted_exchange_is_written_down_too(exchanges: Exchanges) -> None:
    asked = asyncio.Event()

    async def behave(writer: asyncio.StreamWriter) -> None:
        asked.set()
        await silence(writer)

    async with peer(behave) as url:
        task = asyncio.create_task(post(url, exchanges))
        await asyncio.wait_for(asked.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert [exchange.failure for exchange in exchanges] == ["interrupted"]


def test_only_the_latest_exchanges_are_kept(exchanges: Exchanges) -> None:
    for number in range(KEPT + 10):
        exchanges.add(Exchange(number, "POST", "", b"", 200, b"", 0.0, None, None))
    assert [exchange.at for exchange in exchanges] == list(range(10, KEPT + 10))


def kept(exchanges: Exchanges) -> list[int]:
    return [exchange.number for exchange in exchanges]


def test_bodies_take_no_more_room_than_there_is(exchanges: Exchanges) -> None:
    half = b"x" * (MOST_OF_A_BODY // 2)
    for _ in range(KEPT_BYTES // len(half) + 5):
        exchanges.add(Exchange(0, "POST", "", b"", 200, half, 0.0, None, None))
    assert kept(exchanges) == list(range(6, KEPT_BYTES // len(half) + 6))


def test_of_a_huge_body_the_beginning_is_kept_and_the_rest_counted(exchanges: Exchanges) -> None:
    followed: list[Exchange] = []
    exchanges.follow(followed.append)
    exchanges.add(Exchange(0, "POST", "", b"12", 200, b"x" * (MOST_OF_A_BODY + 3), 0.0, None, None))
    (exchange,) = exchanges
    assert (len(exchange.response), exchange.response_left_out) == (MOST_OF_A_BODY, 3)
    assert (exchange.request, exchange.request_left_out) == (b"12", 0)
    assert (exchange.request_size, exchange.response_size) == (2, MOST_OF_A_BODY + 3)
    assert followed[0].response_left_out == 0, "who follows gets all of it"


async def test_headers_are_kept_without_what_is_secret(server: ServerThread, exchanges: Exchanges) -> None:
    answer = (
        f"HTTP/1.1 401 No\r\nSet-Cookie: {CANARY}-cookie\r\nX-Echo: Bearer {CANARY}\r\nContent-Length: 2\r\n\r\n{{}}"
    ).encode()
    async with peer(saying(answer)) as url:
        await post(url, exchanges)
    (exchange,) = exchanges
    assert b"Content-Type: application/json" in exchange.request_head
    assert b"Authorization" not in exchange.request_head
    assert exchange.secret == "Authorization: Bearer ***"
    assert b"X-Echo: Bearer ***" in exchange.response_head
    assert b"Set-Cookie: ***" in exchange.response_head
    assert CANARY not in repr(exchange)


async def test_why_a_request_is_sent_goes_with_it(server: ServerThread, exchanges: Exchanges) -> None:
    with because(Why("poll 3", 2, "429")):
        await post(server.url, exchanges)
    await post(server.url, exchanges)
    assert [exchange.why for exchange in exchanges] == [Why("poll 3", 2, "429"), NO_WHY]
