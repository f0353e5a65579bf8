"""What can go wrong between a client and a server, each by a name (contract sections 5 and 9)."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import msgspec

from watui.contract import errors
from watui.contract.models import ApiError, Meta
from watui.simulator.envelope import Refusal, error_reply
from watui.simulator.wire import Reply, Request


class Kind(StrEnum):
    """The faults that there are."""

    TOO_MANY_REQUESTS = "too-many-requests"
    QUEUE_FULL = "queue-full"
    DENIED = "denied"
    INTERNAL_ERROR = "internal-error"
    ERROR_AFTER_WORK = "error-after-work"
    LATENCY = "latency"
    TIMEOUT = "timeout"
    RESET = "reset"
    RESET_AFTER_WORK = "reset-after-work"
    REDIRECT = "redirect"
    SLOW_BYTES = "slow-bytes"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    WRONG_TYPE = "wrong-type"
    DUPLICATE = "duplicate"
    MISSING = "missing"
    REORDERED = "reordered"
    EXTRA = "extra"


EXPLAINED: dict[Kind, str] = {
    Kind.TOO_MANY_REQUESTS: "429, with Retry-After where retry_after is given",
    Kind.QUEUE_FULL: "503 because the queue is full, with Retry-After where retry_after is given",
    Kind.DENIED: "401, as if the token had expired",
    Kind.INTERNAL_ERROR: "500 before anything was done",
    Kind.ERROR_AFTER_WORK: "500 after everything was done",
    Kind.LATENCY: "an answer that comes seconds later, and up to jitter more",
    Kind.TIMEOUT: "no answer at all",
    Kind.RESET: "the connection is reset before anything was done",
    Kind.RESET_AFTER_WORK: "the connection is reset after everything was done",
    Kind.REDIRECT: "a redirect (status, 302 by default) to location",
    Kind.SLOW_BYTES: "a body of bytes_per_second",
    Kind.TRUNCATED: "half of a body, then a reset",
    Kind.MALFORMED: "a body that is no JSON",
    Kind.WRONG_TYPE: "a page of HTML, with 200",
    Kind.DUPLICATE: "the first contact of an answer twice",
    Kind.MISSING: "an answer without its first contact",
    Kind.REORDERED: "an answer in the opposite order",
    Kind.EXTRA: "an answer with a contact that nobody asked for",
}

_BEFORE_WORK = frozenset(
    {
        Kind.TOO_MANY_REQUESTS,
        Kind.QUEUE_FULL,
        Kind.DENIED,
        Kind.INTERNAL_ERROR,
        Kind.TIMEOUT,
        Kind.RESET,
        Kind.REDIRECT,
    }
)
_REFUSALS = {
    Kind.TOO_MANY_REQUESTS: (errors.TOO_MANY_REQUESTS, None),
    Kind.QUEUE_FULL: (errors.OVERLOADED, "the queue is full"),
    Kind.DENIED: (errors.ACCESS_DENIED, "the token has expired"),
    Kind.INTERNAL_ERROR: (errors.INTERNAL, None),
    Kind.ERROR_AFTER_WORK: (errors.INTERNAL, None),
}
_ELEMENTS = frozenset({Kind.DUPLICATE, Kind.MISSING, Kind.REORDERED, Kind.EXTRA})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

STRANGER = {"input": "+10000000000", "status": "valid", "wa_id": "10000000000"}
"""The contact that nobody asked for."""

HTML = b"<!doctype html><title>Sign in</title><h1>Sign in to this network</h1>"

MOST_SECONDS = 3600.0
MOST_RETRY_AFTER = 7 * 24 * 3600


class BadFault(ValueError):
    """A fault that can't be; the message says why."""


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that goes wrong with the requests it is for. Raises ValueError where it can't be."""

    kind: Kind
    path: str = "*"
    """Which requests, by their path: `*` stands for any characters."""
    method: str | None = None
    share: float = 1.0
    """Of those requests, how many, by a chance that the seed decides."""
    nth: int | None = None
    """Which of those requests alone, from 1."""
    every: int | None = None
    """Every how-many-th of those requests."""
    start: float = msgspec.field(default=0.0, name="from")
    """From which second of the scenario on."""
    until: float | None = None
    """To which second of the scenario."""
    seconds: float = 1.0
    jitter: float = 0.0
    retry_after: int | None = None
    """Seconds, for the header Retry-After."""
    dated: bool = False
    """Whether Retry-After is given as a date."""
    codeless: bool = False
    """Whether the error has no code, as some 429 and 503 have been seen without."""
    status: int = 302
    location: str = "/elsewhere"
    bytes_per_second: float = 100.0

    def __post_init__(self) -> None:
        ranges = (
            (0 < self.share <= 1, "share is above 0 and at most 1"),
            (self.nth is None or self.nth >= 1, "nth counts from 1"),
            (self.every is None or self.every >= 1, "every is 1 or more"),
            (self.nth is None or self.every is None, "nth and every exclude each other"),
            (self.path.startswith(("/", "*")), "path begins with / or *"),
            (0 <= self.start < math.inf, "from is 0 or more"),
            (self.until is None or self.start < self.until < math.inf, "until is later than from"),
            (self.method is None or self.method.isupper(), "method is in capitals, such as POST"),
            (0 <= self.seconds <= MOST_SECONDS, f"seconds is 0 to {MOST_SECONDS:g}"),
            (0 <= self.jitter <= MOST_SECONDS, f"jitter is 0 to {MOST_SECONDS:g}"),
            (0 <= (self.retry_after or 0) <= MOST_RETRY_AFTER, f"retry_after is 0 to {MOST_RETRY_AFTER}"),
            (self.status in _REDIRECTS, "status is one of " + ", ".join(map(str, sorted(_REDIRECTS)))),
            (1 <= self.bytes_per_second < math.inf, "bytes_per_second is 1 or more"),
            (_is_header_value(self.location), "location is a URL"),
        )
        for is_right, words in ranges:
            if not is_right:
                raise ValueError(words)

    def fits(self, request: Request) -> bool:
        """Whether `request` is one of those that the fault is for."""
        return (self.method is None or self.method == request.method) and _pattern(self.path).fullmatch(
            request.path
        ) is not None

    def is_in_time(self, seconds: float) -> bool:
        """Whether it happens `seconds` after the scenario began."""
        return self.start <= seconds and (self.until is None or seconds < self.until)

    def in_words(self) -> str:
        """Return the fault in short, much as `parse` takes it."""
        members: dict[str, Any] = msgspec.to_builtins(self)
        kind = members.pop("kind")
        return ":".join([kind, ",".join(f"{name}={value}" for name, value in members.items())]).rstrip(":")


def parse(text: str) -> Fault:
    """Return the fault of a text such as `reset:share=0.1,path=/v1/contacts`. Raises BadFault."""
    kind, _, rest = text.strip().partition(":")
    members: dict[str, str] = {"kind": kind}
    for part in filter(None, rest.split(",")):
        name, equals, value = map(str.strip, part.partition("="))
        if not equals:
            raise BadFault(f"{part!r} is not NAME=VALUE")
        if name in members:
            raise BadFault(f"{name} is given twice")
        members[name] = value
    try:
        return msgspec.convert(members, Fault, strict=False)
    except msgspec.ValidationError as error:
        raise BadFault(explained(error)) from error


def explained(error: Exception) -> str:
    """Return what is wrong with a fault, in words; with the names that there are where the name is wrong."""
    words, _, place = str(error).partition(" - at `$")
    name = place.rstrip("`").removeprefix(".").rpartition(".")[2]
    if name == "kind" or words == "Object missing required field `kind`":
        return f"no such fault: there are {', '.join(Kind)}"
    return f"{name}: {words}" if name else words


@dataclass
class Faults:
    """Decides which faults hit which request: by counting, and by a seed."""

    _faults: tuple[Fault, ...] = ()
    _counts: dict[int, int] = field(default_factory=dict)
    """By the place of a fault: how many requests it was for so far."""

    def due(self, faults: tuple[Fault, ...], request: Request, seconds: float, seed: int) -> list[tuple[Fault, float]]:
        """Return those of `faults` that hit `request`, each with a share in (0, 1) of its own chance.

        `seconds` is how long the scenario is on. Other faults than at the last time are counted from the beginning.
        """
        if faults != self._faults:
            self._faults = faults
            self.forget()
        hits = []
        for place, fault in enumerate(faults):
            if not fault.is_in_time(seconds) or not fault.fits(request):
                continue
            count = self._counts[place] = self._counts.get(place, 0) + 1
            chance = _chance(seed, place, count)
            is_hit = chance < fault.share
            if fault.nth is not None:
                is_hit = is_hit and count == fault.nth
            if fault.every is not None:
                is_hit = is_hit and count % fault.every == 0
            if is_hit:
                hits.append((fault, chance / fault.share))
        return hits

    def forget(self) -> None:
        """Begin to count anew."""
        self._counts.clear()


def _chance(seed: int, place: int, count: int) -> float:
    digest = blake2b(f"fault:{seed}:{place}:{count}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") + 0.5) / 2**64


def delay(hits: Iterable[tuple[Fault, float]]) -> float:
    """Return by how many seconds the latency among `hits` holds an answer back."""
    return sum(fault.seconds + fault.jitter * chance for fault, chance in hits if fault.kind is Kind.LATENCY)


def reply_before_work(hits: Iterable[tuple[Fault, float]], meta: Meta | None, now: float) -> Reply | None:
    """Return what the first of `hits` that keeps a server from its work lets it say; None where none does."""
    return next((_instead(fault, meta, now) for fault, _ in hits if fault.kind in _BEFORE_WORK), None)


def distort(reply: Reply, fault: Fault, meta: Meta | None, now: float) -> Reply:
    """Return what `fault` makes of the answer to work that was done."""
    match fault.kind:
        case Kind.ERROR_AFTER_WORK:
            return _instead(fault, meta, now)
        case Kind.RESET_AFTER_WORK:
            return replace(reply, cut_after=0)
        case Kind.SLOW_BYTES:
            return replace(reply, bytes_per_second=fault.bytes_per_second)
        case Kind.TRUNCATED:
            return replace(reply, cut_after=max(1, len(reply.body) // 2))
        case Kind.MALFORMED:
            return replace(reply, body=reply.body[:-1] + b",")
        case Kind.WRONG_TYPE:
            return replace(reply, status=200, body=HTML, content_type="text/html")
        case kind if kind in _ELEMENTS:
            return _with_other_elements(reply, kind)
        case _:
            return reply


def _instead(fault: Fault, meta: Meta | None, now: float) -> Reply:
    match fault.kind:
        case Kind.TIMEOUT:
            return Reply(is_silent=True)
        case Kind.RESET:
            return Reply(cut_after=0)
        case Kind.REDIRECT:
            return Reply(fault.status, headers=(("location", fault.location),))
        case kind:
            refusal = Refusal(*_REFUSALS[kind])
            if fault.codeless:
                refusal.error = ApiError(title=refusal.error.title)
            headers = (("retry-after", _retry_after(fault, now)),) if fault.retry_after is not None else ()
            return replace(error_reply(refusal, meta), headers=headers)


def _retry_after(fault: Fault, now: float) -> str:
    seconds = fault.retry_after or 0
    return formatdate(now + seconds, usegmt=True) if fault.dated else str(seconds)


def _with_other_elements(reply: Reply, kind: Kind) -> Reply:
    try:
        answer = msgspec.json.decode(reply.body) if reply.status == 200 else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return reply  # another fault has spoilt it already
    if not isinstance(answer, dict) or not isinstance(contacts := answer.get("contacts"), list):
        return reply
    changed = {
        Kind.DUPLICATE: contacts[:1] + contacts,
        Kind.MISSING: contacts[1:],
        Kind.REORDERED: contacts[::-1],
        Kind.EXTRA: [*contacts, STRANGER],
    }[kind]
    return replace(reply, body=msgspec.json.encode({**answer, "contacts": changed}))


@lru_cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, path.split("*"))))


def _is_header_value(text: str) -> bool:
    return re.fullmatch(r"[!-~]{1,2000}", text) is not None
