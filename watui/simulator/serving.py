"""Serves an application over HTTP from a thread with its own loop."""

import asyncio
import logging
import socket
import ssl
import struct
import threading
import time
from types import TracebackType
from typing import Any, Self

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from watui.simulator.app import CONNECTION, App, ASGIApp, Receive, Scope, Send
from watui.simulator.wire import JSON_TYPE

LOOPBACK = "127.0.0.1"

START_SECONDS = 10.0
"""How long a server may take until it accepts connections."""

STOP_SECONDS = 2.0
"""How long a server may take to stop; open answers are cut off at once."""

KEEP_ALIVE_SECONDS = 30
"""How long an idle connection stays open: no client is surprised in the middle of its next request."""


class CannotListen(OSError):
    """The address is taken, not ours, or no address at all."""


class ServerThread:
    """A running HTTP server. The port is known, and connections queue, as soon as it is constructed.

    With `tls` it speaks HTTPS alone. Raises CannotListen where the address can't be had.
    """

    def __init__(self, app: ASGIApp, host: str = LOOPBACK, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._socket = _listen(host, port)
        self.host = host
        self.port: int = self._socket.getsockname()[1]
        self._is_tls = tls is not None
        connections = _Connections(app)
        config = uvicorn.Config(
            connections,
            http=connections.protocol(),
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=0,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            ssl_context_factory=(lambda *_: tls) if tls is not None else None,
        )
        # What it would print would land on the console's screen.
        logging.getLogger("uvicorn").addHandler(logging.NullHandler())
        logging.getLogger("uvicorn").propagate = False
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="watui-simulator", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """The base URL, to which the paths of the contract are added."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self._is_tls else 'http'}://{host}:{self.port}"

    def stop(self) -> bool:
        """Stop accepting, cut open answers off; return whether the thread is gone. A busy one goes with the process."""
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started and self._thread.is_alive() and time.monotonic() < deadline:
            self._thread.join(0.01)
        self._server.should_exit = True
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive():
            return False
        self._socket.close()
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListen(f"cannot listen on {host}: {error.strerror or error}") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise CannotListen(f"cannot listen on {host} port {port}: {error.strerror or error}") from error
    return listener


class _Connections:
    """An application that gives another one, with each request, the connection that carries it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._transports: dict[Any, asyncio.Transport] = {}
        """By the address of the client."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport = self._transports.get(scope.get("client"))
        if transport is not None:
            scope.setdefault("extensions", {})[CONNECTION] = _Connection(transport)
        await self._app(scope, receive, send)

    def protocol(self) -> type[H11Protocol]:
        """Return a protocol that tells of every connection."""
        transports = self._transports
        refusal = self._app.bad_request if isinstance(self._app, App) else bytes

        class Protocol(H11Protocol):
            _address: Any = None

            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                self._address = _address(transport)
                transports[self._address] = transport

            def send_400_response(self, msg: str) -> None:
                head = f"HTTP/1.1 400 Bad Request\r\ncontent-type: {JSON_TYPE}\r\ncontent-length: {len(refusal())}\r\n"
                self.transport.write(head.encode() + b"connection: close\r\n\r\n" + refusal())
                self.transport.close()

            def connection_lost(self, exc: Exception | None) -> None:
                transports.pop(self._address, None)
                super().connection_lost(exc)

        return Protocol


class _Connection:
    """One TCP connection."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def reset(self) -> None:
        plain = self._transport.get_extra_info("socket")
        if plain is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def close(self) -> None:
        self._transport.close()


def _address(transport: asyncio.Transport) -> Any:
    address = transport.get_extra_info("peername")
    return tuple(address[:2]) if address else None
