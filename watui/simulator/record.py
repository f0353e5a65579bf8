"""Everything that was asked and answered, in order: the server's own word on what happened."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TextIO

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watui.contract.rules import CONTACTS_PATH

Clock = Callable[[], float]


class RecordedExchange(msgspec.Struct, frozen=True):
    """One request and its answer. It holds no token."""

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
    response: Any


@dataclass
class Record:
    """The record of one server, and what can be counted from it."""

    file: TextIO | None = None
    """Where every exchange goes as a line of JSON; None keeps the counts alone."""
    requests: Counter[str] = field(default_factory=Counter)
    """By path without its query."""
    asked: Counter[str] = field(default_factory=Counter)
    """How often each input of a check was asked about."""
    answered: dict[str, Counter[str]] = field(default_factory=dict)
    """How often each input was answered with each status."""
    _seq: int = 0

    def add(self, at: float, method: str, target: str, request: bytes, status: int, response: bytes) -> None:
        """Take note of one exchange."""
        self._seq += 1
        path = target.partition("?")[0]
        asked, said = _parsed(request), _parsed(response)
        self.requests[path] += 1
        if path == CONTACTS_PATH:
            self._count(asked, said)
        if self.file is not None:
            exchange = RecordedExchange(self._seq, at, method, target, asked, status, said)
            self.file.write(msgspec.json.encode(exchange).decode() + "\n")
            self.file.flush()

    def _count(self, asked: Any, said: Any) -> None:
        for text in _list(asked, "contacts"):
            if isinstance(text, str):
                self.asked[text] += 1
        for contact in _list(said, "contacts"):
            if isinstance(contact, dict):
                self.answered.setdefault(str(contact.get("input")), Counter())[str(contact.get("status"))] += 1


class Recording:
    """An application that passes everything on to another one and writes it into a Record."""

    def __init__(self, app: ASGIApp, record: Record, clock: Clock) -> None:
        self._app = app
        self._record = record
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        at, request, response, status = self._clock(), bytearray(), bytearray(), 0

        async def receiving() -> Message:
            message = await receive()
            request.extend(message.get("body", b""))
            return message

        async def sending(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            response.extend(message.get("body", b""))
            is_last = message["type"] == "http.response.body" and not message.get("more_body")
            if is_last:
                # Written down first: whoever has the answer finds it in the record.
                self._record.add(at, scope["method"], _target(scope), bytes(request), status, bytes(response))
            await send(message)

        await self._app(scope, receiving, sending)


def _target(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    path: str = scope.get("raw_path", b"").decode("latin-1") or scope["path"]
    return f"{path}?{query}" if query else path


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace")


def _list(members: Any, name: str) -> list[Any]:
    found = members.get(name) if isinstance(members, dict) else None
    return found if isinstance(found, list) else []
