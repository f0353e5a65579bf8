"""HTTP: the one module that knows httpx."""

import asyncio
import os
import ssl
import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from watui import failpoints
from watui.client.exchanges import Exchange, Exchanges
from watui.client.failures import Failure, NotConnected, TimedOut, Unreachable, Unusable
from watui.client.server import Server
from watui.contract.rules import MAX_BODY_BYTES

CONNECT_SECONDS = 10.0

KNOCK_SECONDS = 5.0
"""Time allowed for a connection over which nothing is sent."""

KEPT_SECONDS = 4.0
"""How long an idle connection is kept: less than the 5 seconds after which many servers close one, for a request that
meets that moment is lost."""


class Reply(NamedTuple):
    """An answer as it came."""

    status: int
    headers: Mapping[str, str]
    """Names are case-insensitive."""
    body: bytes
    is_400_overload: bool = False
    """Whether an error of the server's own with status 400 means too many requests."""


class Transport:
    """Sends requests to one server. Redirects are never followed, TLS is always verified."""

    def __init__(self, server: Server, exchanges: Exchanges, handler: httpx.AsyncBaseTransport | None = None) -> None:
        self.server = server
        self._exchanges = exchanges
        self._is_direct = handler is None and not _is_behind_proxy(server)
        self._client = httpx.AsyncClient(
            transport=handler,
            trust_env=not server.is_local,
            follow_redirects=False,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            limits=httpx.Limits(keepalive_expiry=KEPT_SECONDS),
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "watui"},
        )

    async def send(self, method: str, path: str, body: bytes, seconds: float) -> Reply:
        """Send `body` (JSON, where it is not empty) and return the whole answer.

        Raises Unreachable, TimedOut when it takes more than `seconds`, and Unusable when the decoded
        body is larger than MAX_BODY_BYTES.
        """
        url = self.server.url + path
        at, started = time.time(), time.monotonic()
        reply: Reply | None = None
        failure: Failure | None = None
        try:
            async with asyncio.timeout(seconds):
                reply = await self._send(method, url, body)
            failpoints.reach("client.sent")
        except TimeoutError:
            failure = TimedOut(f"{self.server.host} did not answer within {seconds:g} seconds")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            failure = _unreachable(self.server, error)
        except Unusable as error:
            failure = error
        finally:
            self._exchanges.add(
                Exchange(
                    at,
                    method,
                    url,
                    body,
                    reply.status if reply else None,
                    self._without_token(reply.body) if reply else b"",
                    time.monotonic() - started,
                    None if reply else failure.title if failure else "interrupted",
                    self.server.token is not None,
                )
            )
        if failure is not None:
            raise failure
        assert reply is not None
        return reply

    async def knock(self) -> bool:
        """Return whether the server takes a connection; no byte is sent. False where a proxy would stand between."""
        if not self._is_direct:
            return False
        try:
            async with asyncio.timeout(KNOCK_SECONDS):
                _, writer = await asyncio.open_connection(*self.server.address)
        except OSError:
            return False
        writer.transport.abort()
        return True

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    def _without_token(self, body: bytes) -> bytes:
        """Return `body` without the token, which a server might quote back."""
        return body.replace(self.server.token.encode(), b"***") if self.server.token else body

    async def _send(self, method: str, url: str, body: bytes) -> Reply:
        headers = {"Content-Type": "application/json"} if body else {}
        if self.server.token is not None:
            headers[self.server.dialect.header] = f"{self.server.dialect.scheme}{self.server.token}"
        async with self._client.stream(method, url, content=body, headers=headers) as response:
            if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
                # Decoding costs memory before a limit can be seen, and nothing compressed was asked for.
                raise Unusable("the answer is compressed, which was not asked for")
            received = bytearray()
            async for chunk in response.aiter_bytes():
                received += chunk
                if len(received) > MAX_BODY_BYTES:
                    raise Unusable(f"the answer is larger than {MAX_BODY_BYTES // 2**20} MiB")
            overload = self.server.dialect.is_400_overload
            return Reply(response.status_code, response.headers, bytes(received), overload)


def _is_behind_proxy(server: Server) -> bool:
    """Whether a proxy stands between, as the environment says."""
    proxies, name = getproxies(), server.address[0]
    is_named = bool(proxies.keys() & {urlsplit(server.url).scheme, "all"})
    return is_named and not server.is_local and not proxy_bypass(name)


def _unreachable(server: Server, error: Exception) -> Unreachable:
    kind = NotConnected if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout) else Unreachable
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError) and cause.reason == "WRONG_VERSION_NUMBER":
            return kind(f"no secure connection: {server.host} speaks plain http there")
        if isinstance(cause, ssl.SSLError):
            return kind(f"no secure connection to {server.host}: {cause.reason or cause}")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ConnectTimeout):
        return kind(f"{server.host} did not accept a connection within {CONNECT_SECONDS:g} seconds")
    if isinstance(error, httpx.ConnectError):
        return kind(f"cannot reach {server.host}: {_reason(error)}")
    return kind(f"the connection to {server.host} broke off: {_reason(error)}")


def _reason(error: BaseException) -> str:
    """Return the system's words for what lies under `error`, or its own where there are none."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno is not None:
            return os.strerror(cause.errno).lower() if cause.errno > 0 else str(cause.strerror)
        cause = cause.__cause__ or cause.__context__
    return str(error).rstrip(".") or type(error).__name__
