"""A request and its reply, as the simulated server sees them, without any I/O."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

JSON_TYPE = "application/json"

NUMBER_HEADER = "X-Simulator-Request"
"""Tells the number of a Reply."""

_MOST_DIGITS = 18
"""Of a count in a query."""


@dataclass(frozen=True)
class Request:
    """What came in."""

    method: str
    target: str
    """The path and, behind a `?`, the query, percent-encoded as they came."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """With their names in lower case."""
    body: bytes = b""
    is_too_large: bool = False
    """Whether the body was larger than a server takes; what is here of it is then its beginning."""

    @property
    def path(self) -> str:
        """The path as it came, percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def segments(self) -> tuple[str, ...]:
        """The parts of the path between its slashes, decoded one by one."""
        return tuple(map(unquote, self.path.split("/")[1:]))

    @property
    def query(self) -> dict[str, str]:
        """The members of the query; of several with one name the last."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    def count(self, name: str) -> int | None:
        """Return a member of the query that is a count, None where it is not there. Raises ValueError."""
        text = self.query.get(name)
        if text is None:
            return None
        if not text.isascii() or not text.isdigit() or len(text) > _MOST_DIGITS:
            raise ValueError(f"{name} is no count")
        return int(text)

    @property
    def authorization(self) -> str:
        return self.headers.get("authorization", "")


@dataclass(frozen=True)
class Reply:
    """What goes out, and how much of it."""

    status: int = 200
    body: bytes = b""
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    said: str = ""
    """What the body says, in a few words for people; empty where the status says it all."""
    cut_after: int | None = None
    """Bytes of the body after which the connection is reset; before anything is sent where they are 0."""
    bytes_per_second: float | None = None
    """How fast the body goes out; None: at once."""
    is_silent: bool = False
    """Whether nothing is ever sent, until the client goes away."""
    number: int | None = field(default=None, compare=False)
    """Of the request in the record, told where a control interface can be asked about it."""

    @property
    def is_sent(self) -> bool:
        """Whether a client gets at least a status."""
        return not self.is_silent and self.cut_after != 0


Steps = Generator[float, float, Reply]
"""An answer in the making: yields the time until which it waits, is sent the time at which it goes on, returns a Reply.

Times are in seconds since 1970.
"""
