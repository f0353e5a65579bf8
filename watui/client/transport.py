"""HTTP: the one module that knows httpx."""

import asyncio
import contextlib
import logging
import os
import ssl
import time
from collections.abc import Callable, Coroutine, Iterator
from contextvars import Context
from dataclasses import replace
from functools import partial
from typing import Any

import anyio
import httpx

from watui import failpoints
from watui.client.auth import Auth, Fixed, hide, without_secrets
from watui.client.exchanges import NO_WHY, WHY, Exchange, Exchanges, Reply, because
from watui.client.failures import (
    CertificateChanged,
    Failure,
    NotConnected,
    TimedOut,
    Unreachable,
    Untrusted,
    Unusable,
)
from watui.client.server import NO_PROXY, Server
from watui.client.trust import NoHandshake, Trust, presented
from watui.contract.rules import MAX_BODY_BYTES

CONNECT_SECONDS = 10.0

LOGIN_SECONDS = 30.0
"""Time allowed for the answer to a login."""

HTTP_UNAUTHORIZED = 401

KNOCK_SECONDS = 5.0
"""Time allowed for a connection over which nothing is sent."""

KEPT_SECONDS = 4.0
"""How long an idle connection is kept: less than the 5 seconds after which many servers close one, for a request that
meets that moment is lost."""

Ready = Callable[[], Coroutine[Any, Any, None]]
"""Ends when a request may go out."""

for _library in ("httpx", "httpcore"):
    # They tell whole URLs, with the numbers in them, to whoever listens.
    logging.getLogger(_library).setLevel(logging.WARNING)


class Transport:
    """Sends requests to one server. Redirects are never followed, TLS is always verified.

    `auth` has the token that goes with them; without it that is the server's own. Raises BadTrust.
    """

    def __init__(
        self,
        server: Server,
        exchanges: Exchanges,
        handler: httpx.AsyncBaseTransport | None = None,
        auth: Auth | None = None,
    ) -> None:
        self.server = server
        self._exchanges = exchanges
        self._auth = auth or Fixed(server.token)
        self._handler = handler
        self._client = self._new_client()

    def _new_client(self) -> httpx.AsyncClient:
        server = self.server
        goes_direct = server.is_local or server.proxy == NO_PROXY
        return httpx.AsyncClient(
            transport=self._handler,
            # A context of its own also where none is needed: httpx would read its list of authorities for it.
            verify=server.trust.context() if server.is_secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
            proxy=None if goes_direct else server.proxy,
            trust_env=not goes_direct and server.proxy is None,
            follow_redirects=False,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            limits=httpx.Limits(keepalive_expiry=KEPT_SECONDS),
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "watui"},
        )

    async def trust(self, trust: Trust) -> None:
        """Believe others from the next connection on; those that there are are closed. Raises BadTrust."""
        before, self.server = self._client, replace(self.server, trust=trust)
        self._client = self._new_client()
        await before.aclose()

    async def send(self, method: str, path: str, body: bytes, seconds: float, ready: Ready | None = None) -> Reply:
        """Send `body` (JSON, where it is not empty) and return the whole answer.

        `ready` is waited for right before the request goes out, once its token is there. A token that the server
        refuses is replaced once, where it can be. Raises Unreachable, TimedOut when a request takes more than
        `seconds`, Untrusted, Unusable when the decoded body is larger than MAX_BODY_BYTES, and AccessDenied where a
        login fails.
        """
        token = await self._auth.token(self.post)
        reply = await self._send_with(token, method, path, body, seconds, ready)
        if reply.status == HTTP_UNAUTHORIZED:
            other = await self._auth.another(token, self.post)
            if other is not None:
                why = WHY.get()
                with because(why._replace(attempt=why.attempt + 1, after=str(HTTP_UNAUTHORIZED))):
                    reply = await self._send_with(other, method, path, body, seconds, ready)
            return reply._replace(is_token_fresh=self._auth.is_fresh)
        return reply

    async def post(self, path: str, body: bytes, authorization: str, secrets: tuple[str, ...]) -> Reply:
        """Send a request of a login or a logout; neither its `authorization` nor other `secrets` are written down."""
        header = ("Authorization", authorization)
        masked = partial(without_secrets, secrets=(*secrets, authorization.rpartition(" ")[2]))
        with because(NO_WHY):
            reply = await _apart(self._exchange("POST", path, body, LOGIN_SECONDS, None, header, masked))
        return reply._replace(body=masked(reply.body)) if _tells_an_error(reply) else reply

    async def token_for(self, url: str) -> str | None:
        """Return the token that goes with the next request to a URL; it may take a login.

        None for none, and where the URL is of another server, which must not see it. Raises Failure.
        """
        is_ours = url.startswith(f"{self.server.url}/")
        return await self._auth.token(self.post) if is_ours else None

    async def knock(self) -> bool:
        """Return whether the server takes a connection; no byte is sent. False where a proxy would stand between."""
        if self._handler is not None or self.server.is_behind_proxy:
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

    async def _send_with(
        self, token: str | None, method: str, path: str, body: bytes, seconds: float, ready: Ready | None
    ) -> Reply:
        if token is None:
            return await _apart(self._exchange(method, path, body, seconds, ready))
        secret = self.server.dialect.header, f"{self.server.dialect.scheme}{token}"
        masked = partial(hide, secrets=(token,))
        reply = await _apart(self._exchange(method, path, body, seconds, ready, secret, masked))
        # A server might quote it back in an error, whose words are shown. In verdicts it may be a word of theirs.
        return reply._replace(body=hide(reply.body, (token,))) if _tells_an_error(reply) else reply

    async def _exchange(
        self,
        method: str,
        path: str,
        body: bytes,
        seconds: float,
        ready: Ready | None = None,
        secret: tuple[str, str] | None = None,
        masked: Callable[[bytes], bytes] = bytes,
    ) -> Reply:
        """Send one request, with the header `secret`, and keep what was said as `masked` lets it be seen."""
        if ready is not None:
            await ready()
        url = self.server.url + path
        at, started = time.time(), time.monotonic()
        head = b""
        reply: Reply | None = None
        failure: Failure | None = None
        try:
            request = self._request(method, url, body)
            head = _head(request.headers)
            if secret is not None:
                request.headers[secret[0]] = secret[1]
            with anyio.fail_after(seconds):
                reply = await self._send(request)
            failpoints.reach("client.sent")
        except TimeoutError:
            failure = TimedOut(f"{self.server.host} did not answer within {seconds:g} seconds")
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            failure = await self._failure_of(error)
        except Unusable as error:
            failure = error
        finally:
            self._exchanges.add(
                Exchange(
                    at,
                    method,
                    url,
                    masked(body),
                    reply.status if reply else None,
                    masked(reply.body) if reply else b"",
                    time.monotonic() - started,
                    None if reply else failure.title if failure else "interrupted",
                    _masked_header(*secret) if secret else None,
                    type(failure).__name__ if failure else None,
                    head,
                    masked(reply.head) if reply else b"",
                    WHY.get(),
                )
            )
        if failure is not None:
            raise failure
        assert reply is not None
        return reply

    def _request(self, method: str, url: str, body: bytes) -> httpx.Request:
        headers = {"Content-Type": "application/json"} if body else {}
        return self._client.build_request(method, url, content=body, headers=headers)

    async def _send(self, request: httpx.Request) -> Reply:
        response = await self._client.send(request, stream=True)
        async with contextlib.aclosing(response):
            if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
                # Decoding costs memory before a limit can be seen, and nothing compressed was asked for.
                raise Unusable("the answer is compressed, which was not asked for")
            received = bytearray()
            async for chunk in response.aiter_bytes():
                received += chunk
                if len(received) > MAX_BODY_BYTES:
                    raise Unusable(f"the answer is larger than {MAX_BODY_BYTES // 2**20} MiB")
            overload = self.server.dialect.is_400_overload
            head = _head(response.headers)
            return Reply(response.status_code, response.headers, bytes(received), overload, head=head)

    async def _failure_of(self, error: Exception) -> Failure:
        verification = next((each for each in _causes(error) if isinstance(each, ssl.SSLCertVerificationError)), None)
        if verification is None:
            return unreachable(self.server, error)
        return await asyncio.to_thread(distrust, self.server, verification)


async def _apart(exchanging: Coroutine[Any, Any, Reply]) -> Reply:
    """Return what comes of `exchanging`, which knows nothing of who waits for it.

    Connections and timers live longer than a request, and keep alive what their context holds, such as a closed screen.
    It is cancelled as httpcore shields itself from: cancelled by asyncio, it leaves connections open that nobody uses.
    """
    scope = anyio.CancelScope()

    async def exchange() -> Reply:
        with scope:
            return await exchanging
        raise asyncio.CancelledError  # By the scope, which ends here.

    context = Context()
    context.run(WHY.set, WHY.get())
    task = asyncio.create_task(exchange(), context=context)
    task.add_done_callback(
        lambda sent: sent.cancelled() or sent.exception()
    )  # Where nobody waits any more, nobody asks.
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        scope.cancel()
        await asyncio.wait([task])
        raise


def distrust(server: Server, error: ssl.SSLCertVerificationError) -> Untrusted:
    """Return why a server's certificate is not trusted; where one is pinned, beside the one that it shows now.

    It asks for that by another handshake, so it blocks: not for the event loop.
    """
    pinned = server.trust.fingerprint
    if pinned is not None and (shown := _shown_fingerprint(server)) != pinned:
        return CertificateChanged(server.host, pinned, shown)
    return Untrusted(f"the certificate of {server.host} is not trusted: {error.verify_message}")


def _shown_fingerprint(server: Server) -> str:
    """Return the fingerprint of the certificate that the server shows now, or why it can't be told."""
    if server.is_behind_proxy:
        return "unknown, a proxy stands between"
    try:
        return presented(*server.address).fingerprint
    except NoHandshake as error:
        return f"unknown, {error}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield `error` and what lies under it."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _tells_an_error(reply: Reply) -> bool:
    return not 200 <= reply.status < 300 or b'"error' in reply.body


_SECRET_HEADERS = frozenset({b"authorization", b"proxy-authorization", b"cookie", b"set-cookie"})


def _head(headers: httpx.Headers) -> bytes:
    """Return headers, a line each, with stars in place of what is secret in every one of that name."""
    return b"\r\n".join(
        b"%b: %b" % (name, b"***" if name.lower() in _SECRET_HEADERS else value) for name, value in headers.raw
    )


def _masked_header(name: str, value: str) -> str:
    scheme, blank, _ = value.rpartition(" ")
    return f"{name}: {scheme}{blank}***"


def unreachable(server: Server, error: Exception, *, is_handshake: bool = False) -> Unreachable:
    """Return why there was no answer from a server; in a handshake alone nothing was sent."""
    is_unsent = is_handshake or isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
    kind = NotConnected if is_unsent else Unreachable
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError) and cause.reason == "WRONG_VERSION_NUMBER":
            return kind(f"no secure connection: {server.host} speaks plain http there")
        if isinstance(cause, ssl.SSLError):
            return kind(f"no secure connection to {server.host}: {cause.reason or cause}")
    if isinstance(error, httpx.ConnectTimeout):
        return kind(f"{server.host} did not accept a connection within {CONNECT_SECONDS:g} seconds")
    if is_unsent:
        through = f" through the proxy {server.proxy}" if server.proxy not in (None, NO_PROXY) else ""
        return kind(f"cannot reach {server.host}{through}: {_reason(error)}")
    return kind(f"the connection to {server.host} broke off: {_reason(error)}")


def _reason(error: BaseException) -> str:
    """Return the system's words for what lies under `error`, or its own where there are none."""
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.errno is not None:
            return os.strerror(cause.errno).lower() if cause.errno > 0 else str(cause.strerror)
    return str(error).rstrip(".") or type(error).__name__
