"""What was said on the wire: the latest exchanges, kept in memory only."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

KEPT = 64
"""Exchanges kept; a body holds up to a thousand numbers."""

KEPT_BYTES = 8 * 1024 * 1024
"""Of all bodies together; the oldest exchanges go first."""


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


class Exchanges:
    """A ring of the latest exchanges, which others can follow."""

    def __init__(self) -> None:
        self._ring: deque[Exchange] = deque(maxlen=KEPT)
        self._followers: list[Callable[[Exchange], None]] = []

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self._ring)

    def add(self, exchange: Exchange) -> None:
        """Keep `exchange` and hand it to every follower."""
        self._ring.append(exchange)
        while len(self._ring) > 1 and sum(map(_size, self._ring)) > KEPT_BYTES:
            self._ring.popleft()
        for follower in self._followers:
            follower(exchange)

    def follow(self, follower: Callable[[Exchange], None]) -> None:
        """Call `follower` with every exchange from now on."""
        self._followers.append(follower)


def _size(exchange: Exchange) -> int:
    return len(exchange.request) + len(exchange.response)
