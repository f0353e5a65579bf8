"""The simulated server as an ASGI application."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from watui.contract import errors
from watui.contract.rules import MAX_BODY_BYTES
from watui.simulator.clock import Clock
from watui.simulator.envelope import Refusal, error_reply
from watui.simulator.server import ClientGone, Simulator
from watui.simulator.wire import NUMBER_HEADER, Reply, Request, Steps

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

Now = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]

CONNECTION = "watui.connection"
"""The extension of a scope that holds a Connection, where the server has one to give."""

MOST_DISCARDED = 64 * 1024 * 1024
"""Bytes of a body that is too large that are still read, so that a client that sends first hears why it is refused."""

CHUNKS_PER_SECOND = 10.0
"""Of a body that goes out slowly."""


class Connection(Protocol):
    """What carries requests and replies, as far as a fault wants to break it."""

    def reset(self) -> None:
        """Drop it, and what was not sent yet."""

    def close(self) -> None:
        """Close it once everything written is sent."""


class App:
    """An ASGI application that answers as `simulator` says.

    `clock` gives seconds since 1970 that never go back; `sleep` waits for seconds of that clock. Where the server
    gives no Connection, a reset raises ConnectionResetError and an answer that never comes TimeoutError.
    """

    def __init__(self, simulator: Simulator, clock: Now | None = None, sleep: Sleep = asyncio.sleep) -> None:
        self.simulator = simulator
        self._clock = clock or Clock()
        self._sleep = sleep

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        connection: Connection | None = scope.get("extensions", {}).get(CONNECTION)
        try:
            request = await _request(scope, receive)
            if request is not None:
                reply = await self._reply(self.simulator.answer(request, self._clock()), receive)
                await self._deliver(reply, connection, receive, send)
        except asyncio.CancelledError:
            # The server stops: no answer is better than the one that it would make up.
            if connection is not None:
                connection.reset()
            raise

    def bad_request(self) -> bytes:
        """Return what is said to somebody who does not speak HTTP."""
        return error_reply(Refusal(errors.BAD_REQUEST, "that is not HTTP"), self.simulator.world.meta()).body

    async def _reply(self, steps: Steps, receive: Receive) -> Reply:
        try:
            wakes_at = next(steps)
            while True:
                now = self._clock()
                if now >= wakes_at:
                    await asyncio.sleep(0)  # a long answer lets others have their turn
                elif not await self._can_sleep(wakes_at - now, receive):
                    steps.throw(ClientGone())
                wakes_at = steps.send(max(self._clock(), wakes_at))
        except StopIteration as end:
            reply: Reply = end.value
            return reply

    async def _can_sleep(self, seconds: float, receive: Receive) -> bool:
        """Sleep; return whether the client was there all the time."""
        leaving = asyncio.ensure_future(_leave(receive))
        sleeping = asyncio.ensure_future(self._sleep(seconds))
        try:
            await asyncio.wait((leaving, sleeping), return_when=asyncio.FIRST_COMPLETED)
            return not leaving.done()
        finally:
            leaving.cancel()
            sleeping.cancel()

    async def _deliver(self, reply: Reply, connection: Connection | None, receive: Receive, send: Send) -> None:
        if reply.is_silent:
            if connection is None:
                raise TimeoutError("the server never answers")
            await _leave(receive)
            return
        if reply.cut_after == 0:
            if connection is None:
                raise ConnectionResetError("the server reset the connection")
            connection.reset()
            return
        headers = [("content-type", reply.content_type), ("content-length", str(len(reply.body))), *reply.headers]
        if reply.number is not None:
            headers.append((NUMBER_HEADER, str(reply.number)))
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": reply.status, "headers": raw})
        is_cut = reply.cut_after is not None
        if reply.bytes_per_second is None:
            await send({"type": "http.response.body", "body": reply.body[: reply.cut_after], "more_body": is_cut})
        else:
            await self._send_slowly(reply.body[: reply.cut_after], reply.bytes_per_second, is_cut, receive, send)
        if is_cut:
            if connection is None:
                raise ConnectionResetError("the server closed the connection in the middle of an answer")
            connection.close()

    async def _send_slowly(
        self, body: bytes, bytes_per_second: float, is_cut: bool, receive: Receive, send: Send
    ) -> None:
        size = max(1, int(bytes_per_second / CHUNKS_PER_SECOND))
        for first in range(0, len(body), size):
            if first and not await self._can_sleep(size / bytes_per_second, receive):
                return
            is_last = first + size >= len(body)
            chunk = body[first : first + size]
            await send({"type": "http.response.body", "body": chunk, "more_body": is_cut or not is_last})


async def _leave(receive: Receive) -> None:
    """Return when the client has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _request(scope: Scope, receive: Receive) -> Request | None:
    """Return the request of `scope`; None where the client went away before it was whole."""
    body, size = bytearray(), 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body", b"")
        size += len(chunk)
        body += chunk[: max(0, MAX_BODY_BYTES - len(body))]
        if not message.get("more_body") or size > MOST_DISCARDED:
            break
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    return Request(scope["method"], _target(scope), headers, bytes(body), size > MAX_BODY_BYTES)


def _target(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    path: str = scope.get("raw_path", b"").decode("latin-1").partition("?")[0] or scope["path"]
    if path.startswith(("http://", "https://")):
        path = urlsplit(path).path  # a client that takes us for its proxy sends the whole URL
    return f"{path}?{query}" if query else path
