"""What was said on the wire: the latest exchanges, kept in memory only, and why each was sent."""

import contextlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import NamedTuple

KEPT = 1_000
"""Exchanges kept; a body holds up to a thousand numbers."""

KEPT_BYTES = 16 * 1024 * 1024
"""Of all bodies together; the oldest exchanges go first."""

MOST_OF_A_BODY = 1024 * 1024
"""Bytes that are kept of one body."""


class Reply(NamedTuple):
    """An answer as it came."""

    status: int
    headers: Mapping[str, str]
    """Names are case-insensitive."""
    body: bytes
    is_400_overload: bool = False
    """Whether an error of the server's own with status 400 means too many requests."""
    is_token_fresh: bool = False
    """Whether the token that went with the request is one of a moment ago."""
    head: bytes = b""
    """The headers as they came, a line each."""


class Why(NamedTuple):
    """Why a request is sent."""

    words: str = ""
    """Empty where its path says enough."""
    attempt: int = 1
    """How often the same question has been sent by then."""
    after: str = ""
    """How the attempt before it ended: an HTTP status, or what came instead."""


NO_WHY = Why()
"""The path says it, and it is sent for the first time."""

WHY: ContextVar[Why] = ContextVar("why", default=NO_WHY)
"""Of what is sent now."""


@contextlib.contextmanager
def because(why: Why) -> Iterator[None]:
    """Let requests that are sent in the block say `why`."""
    token = WHY.set(why)
    try:
        yield
    finally:
        WHY.reset(token)


class Exchange(NamedTuple):
    """One request and its answer. It holds no token."""

    at: float
    """When the request was sent, in seconds since 1970."""
    method: str
    url: str
    request: bytes
    status: int | None
    """HTTP status, None where no answer came."""
    response: bytes
    seconds: float
    """From sending to the last byte, or to the failure."""
    failure: str | None
    """Why no answer came."""
    secret: str | None
    """The header that carried a token or a password, with stars in place of it; None where there was none."""
    failure_kind: str | None = None
    """The class of the Failure; None where there was none, or where the request was interrupted."""
    request_head: bytes = b""
    """Its headers but for the `secret`, a line each."""
    response_head: bytes = b""
    why: Why = NO_WHY
    number: int = 0
    """Of all that there were, from 1."""
    request_left_out: int = 0
    """Bytes of its body that were not kept, behind those that were."""
    response_left_out: int = 0

    @property
    def request_size(self) -> int:
        """Bytes of the body that was sent."""
        return len(self.request) + self.request_left_out

    @property
    def response_size(self) -> int:
        """Bytes of the body that came."""
        return len(self.response) + self.response_left_out


class Exchanges:
    """A ring of the latest exchanges, which others can follow."""

    def __init__(self) -> None:
        self._ring: deque[Exchange] = deque()
        self._bytes = 0
        self._followers: list[Callable[[Exchange], None]] = []
        self.count = 0
        """Exchanges that there ever were."""

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self._ring)

    def add(self, exchange: Exchange) -> None:
        """Keep `exchange`, its bodies no longer than MOST_OF_A_BODY, and hand all of it to every follower."""
        self.count += 1
        exchange = exchange._replace(number=self.count)
        kept = _cut(exchange)
        self._ring.append(kept)
        self._bytes += _size(kept)
        while len(self._ring) > KEPT or (len(self._ring) > 1 and self._bytes > KEPT_BYTES):
            self._bytes -= _size(self._ring.popleft())
        for follower in self._followers:
            follower(exchange)

    def follow(self, follower: Callable[[Exchange], None]) -> None:
        """Call `follower` with every exchange from now on."""
        self._followers.append(follower)


def _size(exchange: Exchange) -> int:
    return len(exchange.request) + len(exchange.response)


def _cut(exchange: Exchange) -> Exchange:
    """Return `exchange` without what is too long of its bodies."""
    left_out = [max(0, len(body) - MOST_OF_A_BODY) for body in (exchange.request, exchange.response)]
    if not any(left_out):
        return exchange
    return exchange._replace(
        request=exchange.request[:MOST_OF_A_BODY],
        response=exchange.response[:MOST_OF_A_BODY],
        request_left_out=left_out[0],
        response_left_out=left_out[1],
    )
