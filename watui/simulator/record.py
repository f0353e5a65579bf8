"""Everything that was asked and answered, in order: the server's own word on what happened."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

import msgspec

from watui.contract.rules import CONTACTS_PATH
from watui.simulator.wire import Reply, Request

LATEST = 1_000
"""Exchanges that are kept for people to look at."""

LONGEST_KEPT = 200_000
"""Bytes that are kept of a body that is no JSON."""


class RecordedExchange(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request and its answer: their bodies whole, a login's password and token among them, but no header."""

    seq: int
    """From 1, in the order in which the answers were complete."""
    at: float
    """When the request came, in seconds since 1970."""
    method: str
    path: str
    """With its query."""
    request: Any
    """Parsed JSON, or text where it is none."""
    status: int
    """0 where the connection was reset or nothing was ever said."""
    response: Any
    """As it would have been without a cut of the connection."""
    did: tuple[str, ...] = ()
    """What the world did, and which faults hit, in words."""


class Latest(msgspec.Struct, frozen=True):
    """One exchange in short, for people."""

    seq: int
    at: float
    method: str
    path: str
    status: int
    did: tuple[str, ...]

    def in_words(self) -> str:
        """Return it as a line."""
        outcome = str(self.status) if self.status else "no answer"
        did = f"  ({'; '.join(self.did)})" if self.did else ""
        return f"{self.method} {self.path} → {outcome}{did}"


@dataclass
class Record:
    """The record of one server, and what can be counted from it."""

    file: TextIO | None = None
    """Where every exchange goes as a line of JSON; None keeps the counts alone."""
    counts_inputs: bool = False
    """Whether `asked` and `answered` are kept: they hold every input there ever was."""
    follower: Callable[[Latest], None] | None = None
    """Who is told of every exchange."""
    requests: Counter[str] = field(default_factory=Counter)
    """By path without its query; beyond MOST_PATHS, under `…`."""
    asked: Counter[str] = field(default_factory=Counter)
    """How often each input of a check was asked about."""
    answered: dict[str, Counter[str]] = field(default_factory=dict)
    """How often each input was answered with each status."""
    requests_made: int = 0
    on_problem: Callable[[str], None] | None = None
    """Who is told why nothing is written into `file` any more."""
    _latest: deque[Latest] = field(default_factory=lambda: deque(maxlen=LATEST))

    def add(self, at: float, request: Request, reply: Reply, did: Sequence[str]) -> int:
        """Take note of one exchange, once its answer is known, and return its number."""
        self.requests_made += 1
        status = reply.status if reply.is_sent else 0
        path = request.path
        self.requests[path if path in self.requests or len(self.requests) < MOST_PATHS else "…"] += 1
        latest = Latest(self.requests_made, at, request.method, request.target, status, tuple(did))
        self._latest.append(latest)
        self._tell(latest)
        if self.file is not None or self.counts_inputs:
            self._keep(latest, request, reply)
        return self.requests_made

    def _keep(self, latest: Latest, request: Request, reply: Reply) -> None:
        """Count what was asked and answered, and write it down, where that is wanted."""
        asked, said = _parsed(request.body), _parsed(reply.body)
        if request.path == CONTACTS_PATH and self.counts_inputs:
            self._count(asked, said if reply.is_sent else None)
        if self.file is not None:
            seq, at, method, path, status, did = msgspec.structs.astuple(latest)
            self._write(RecordedExchange(seq, at, method, path, asked, status, said, did))

    def latest_after(self, seq: int) -> list[Latest]:
        """Return the latest exchanges after that with number `seq`, the oldest first."""
        return [exchange for exchange in self._latest if exchange.seq > seq]

    def _tell(self, latest: Latest) -> None:
        try:
            if self.follower is not None:
                self.follower(latest)
        except OSError:
            self.follower = None  # whoever read it went away

    def _write(self, exchange: RecordedExchange) -> None:
        assert self.file is not None
        try:
            self.file.write(msgspec.json.encode(exchange).decode() + "\n")
            self.file.flush()
        except OSError as error:
            self.file = None
            if self.on_problem is not None:
                self.on_problem(f"cannot write the record: {error.strerror or error}; it ends here")

    def _count(self, asked: Any, said: Any) -> None:
        for text in _list(asked, "contacts"):
            if isinstance(text, str):
                self.asked[text] += 1
        for contact in _list(said, "contacts"):
            if isinstance(contact, dict):
                self.answered.setdefault(str(contact.get("input")), Counter())[str(contact.get("status"))] += 1


MOST_PATHS = 1_000
"""Paths that are counted one by one."""


def _parsed(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body) if body else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body[:LONGEST_KEPT].decode("utf-8", "replace")


def _list(members: Any, name: str) -> list[Any]:
    found = members.get(name) if isinstance(members, dict) else None
    return found if isinstance(found, list) else []
