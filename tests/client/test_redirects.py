"""Redirects, to wherever: nobody but the server that was named hears of a number, and nothing counts as done."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from tests.client.conftest import CANARY, MakeClient
from tests.client.test_changes import ALL as CHANGES_AND_MORE
from tests.client.test_changes import PHONE, Call
from watui.client.contacts import ContactsClient
from watui.client.exchanges import Exchanges
from watui.client.failures import Unusable
from watui.client.server import Server
from watui.client.transport import Transport

pytestmark = pytest.mark.anyio

STATUSES = (301, 302, 303, 307, 308)

CALLS: dict[str, Call] = {**CHANGES_AND_MORE, "POST contacts": lambda client, phone: client.check([phone])}

LOCATIONS = {
    "same host": "https://wa.example.com/v1/contacts/elsewhere",
    "another host": "https://other.example.com/v1/contacts",
    "another port": "https://wa.example.com:9091/v1/contacts",
    "plain http": "http://wa.example.com/v1/contacts",
}


async def assert_unusable(call: Call, client: ContactsClient, status: int) -> None:
    """Make a call that is answered with a redirect."""
    with pytest.raises(Unusable, match=str(status)):
        await call(client, PHONE)


async def test_no_redirect_is_followed_or_taken_for_a_success(client_of: MakeClient) -> None:
    tried = 0
    for status in STATUSES:
        for location in LOCATIONS.values():
            for name, call in CALLS.items():
                seen: list[httpx.Request] = []

                def handler(
                    request: httpx.Request, seen: list[httpx.Request] = seen, status: int = status, to: str = location
                ) -> httpx.Response:
                    seen.append(request)
                    return httpx.Response(status, headers={"Location": to}, json={"contacts": []})

                await assert_unusable(call, client_of(handler), status)
                (request,) = seen
                assert request.method == name.partition(" ")[0]
                assert request.url.copy_with(raw_path=b"/") == httpx.URL("https://wa.example.com/")
                tried += 1
    assert tried == 5 * 4 * 7
    print(f"\n{tried} redirected calls: no request to another origin, no other method, no success")


class Host:
    """A server on loopback that sends all who come to another place, and keeps the first line of each request."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.status, self.location = 200, ""
        self.port = 0

    @asynccontextmanager
    async def serving(self, address: str) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._connected, address, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.heard.append(head.decode().partition(" HTTP")[0])
        writer.write(
            f"HTTP/1.1 {self.status} Moved\r\nLocation: {self.location}\r\nContent-Length: 2\r\n\r\n{{}}".encode()
        )
        await writer.drain()
        writer.close()


async def test_over_sockets_only_the_server_that_was_named_is_reached() -> None:
    named, other_port, other_host = Host(), Host(), Host()
    calls = 0
    async with (
        named.serving("127.0.0.1"),
        other_port.serving("127.0.0.1"),
        other_host.serving("127.0.0.2"),
    ):
        places = (
            f"http://127.0.0.1:{named.port}/elsewhere",
            f"http://127.0.0.1:{other_port.port}/v1/contacts",
            f"http://127.0.0.2:{other_host.port}/v1/contacts",
        )
        client = ContactsClient(Transport(Server.at(f"http://127.0.0.1:{named.port}", CANARY), Exchanges()))
        for named.status in STATUSES:
            for named.location in places:
                for call in CALLS.values():
                    await assert_unusable(call, client, named.status)
                    calls += 1
        await client.close()
    assert (other_port.heard, other_host.heard) == ([], [])
    assert len(named.heard) == calls == 5 * 3 * 7
    assert [line.partition(" ")[0] for line in named.heard] == [
        name.partition(" ")[0] for _ in STATUSES for _ in places for name in CALLS
    ]
    assert not [line for line in named.heard if "elsewhere" in line]
