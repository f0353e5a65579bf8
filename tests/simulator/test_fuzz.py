"""Whatever comes in over a socket is answered as the contract says, and the server goes on (contract sections 1 to 7).

`pytest -m long -s tests/simulator/test_fuzz.py` asks ten thousand times and prints what came of it.
"""

import asyncio
import base64
import http.client
import json
import os
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TextIO, TypeVar
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulated import a_world
from watui.contract import errors
from watui.simulator import population
from watui.simulator.app import App
from watui.simulator.control import PREFIX
from watui.simulator.faults import Kind
from watui.simulator.record import Latest, Record
from watui.simulator.server import Simulator
from watui.simulator.serving import ServerThread
from watui.simulator.wire import JSON_TYPE

TOKEN = "fuzz-token"
PASSWORD = "Str0ng!pass"
NOW = 1_800_000_000.0

PATIENCE = 20.0
"""Seconds in which an answer must come."""
IMPATIENCE = 0.3
"""Seconds after which nobody waits any more for an answer that may never come."""
SHORTEST_SLEEP = 0.0001
"""Seconds that a sleep of the server takes at least, so that it hears of a client that goes away."""
LONGEST_IDLE = 2.0
"""Seconds after which a connection is not used again: the server closes it soon."""

T = TypeVar("T")
Strategy = st.SearchStrategy


# What is asked


@dataclass(frozen=True)
class Question:
    """One request, legal as HTTP, however odd it is otherwise."""

    method: str
    target: str
    headers: tuple[tuple[str, bytes], ...] = ()
    body: bytes = b""
    is_chunked: bool = False

    def sent(self) -> bytes:
        """Return it as it travels."""
        lines = [f"{self.method} {self.target} HTTP/1.1".encode(), b"host: node"]
        lines += [name.encode() + b": " + value for name, value in self.headers]
        body = self.body
        if self.is_chunked:
            lines.append(b"transfer-encoding: chunked")
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in _halves(body)) + b"0\r\n\r\n"
        elif body:
            lines.append(b"content-length: %d" % len(body))
        return b"\r\n".join([*lines, b"", body])

    def __repr__(self) -> str:
        parts = (self.method, self.target, dict(self.headers), self.body, "chunked" if self.is_chunked else "")
        return f"<{'  '.join(_short(repr(part)) for part in parts if part)}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


def _halves(body: bytes) -> list[bytes]:
    middle = len(body) // 2
    return [part for part in (body[:middle], body[middle:]) if part]


def _short(text: str) -> str:
    return text if len(text) <= 400 else f"{text[:200]}…{len(text) - 250} more…{text[-50:]}"


def mostly(usual: Strategy[T], odd: Strategy[T], of: int) -> Strategy[T]:
    """Return `usual`, and once in `of` times `odd`."""
    return st.sampled_from(range(of)).flatmap(lambda place: odd if place == of - 1 else usual)


def find(*, account: bool, engaged: bool) -> str:
    """Return a number of the world with seed 0 that has an account or not, and wrote lately or not."""
    numbers = (f"+1212555{line:04d}" for line in range(10_000))
    return next(
        number
        for number in numbers
        if population.has_account(0, number) is account and population.is_engaged(0, number) is engaged
    )


NUMBERS = [find(account=True, engaged=True), find(account=True, engaged=False), find(account=False, engaged=False)]
MANY_NUMBERS = [f"+1212556{line:04d}" for line in range(300)]
MEXICAN = "+525512345678"

spellings = st.sampled_from(
    [
        *NUMBERS * 4,
        *(number[1:] for number in NUMBERS),
        *(number[2:] for number in NUMBERS),
        MEXICAN,
        "5215512345678",
        "+5531912345678",
        "+1 (516) 283-7151",
        "1-800-FLOWERS",
        "tel:+1-212-555-0000;ext=5;phone-context=+1",
        "00442079460000",
        "+٣٦١٢٣٤٥٦٧٨٩",
        "+12125550000",
        "12125550000@s.whatsapp.net",
        "++12125550000",
        "+",
        "0",
        "²³",
        "9" * 300,
        "+1" + "(" * 100,
    ]
)
characters = st.characters(categories=["L", "N", "P", "Z", "S", "C"])
"""All that there are, lone surrogates among them."""
texts = spellings | st.text(characters, max_size=12) | st.sampled_from(["", "\x00", "\ud800", "x" * 10_000, "山" * 59])

huge = st.sampled_from([2**31, 2**53 + 1, 2**63, 2**64, -(2**64), 10**30, 10**400])
floats = st.floats() | st.sampled_from([1e308, -0.0, 5e-324])
plain = st.none() | st.booleans() | st.integers(-5, 300) | huge | floats | texts
anything: Strategy[Any] = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
"""What JSON can say, and what Python says as if it were JSON: NaN, huge numbers, lone surrogates."""


def members(**shape: Strategy[Any]) -> Strategy[dict[str, Any]]:
    """Return objects of `shape`, some with a value that does not belong there or with a member too many."""
    usual = st.sets(st.sampled_from([*shape]), max_size=3).flatmap(
        lambda names: st.fixed_dictionaries({name: values for name, values in shape.items() if name in names})
    )
    odd = st.tuples(usual, st.sampled_from([*shape, "more"]), anything)
    return mostly(usual, odd.map(lambda drawn: {**drawn[0], drawn[1]: drawn[2]}), 12)


def whole(required: dict[str, Strategy[Any]], **optional: Strategy[Any]) -> Strategy[dict[str, Any]]:
    """Return objects with all of `required`, and some of `optional`."""
    return st.tuples(st.fixed_dictionaries(required), members(**optional)).map(lambda both: {**both[0], **both[1]})


def _in_utf8(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _encoded(value: Any, place: int) -> bytes:
    plainly = json.dumps(value).encode()
    match place:
        case 0:
            return _in_utf8(value)
        case 1:
            return b"\xef\xbb\xbf" + plainly
        case 2:
            return plainly.decode().encode("utf-16")
        case 3:
            return plainly[:-1]
        case 4:
            return plainly + b"\x00"
    return b" \r\n" + plainly


def in_json(values: Strategy[Any]) -> Strategy[bytes]:
    """Return `values` as JSON, a few of them spoilt."""
    spoilt = st.builds(_encoded, values, st.sampled_from(range(6)))
    return mostly(values.map(lambda value: json.dumps(value).encode()), spoilt, 8)


repeated = st.sampled_from(
    [
        (b"[", 100_000),
        (b'{"contacts":', 3_000),
        (b'{"contacts":[', 500),
        (b" ", 8 * 1024 * 1024 + 1),
        (b"9", 5_000),
        (b"\x00", 5),
        (b"\xff", 5),
    ]
).map(lambda pair: pair[0] * pair[1])
hostile_bodies: Strategy[bytes] = (
    repeated
    | st.binary(max_size=40)
    | in_json(anything)
    | st.sampled_from(
        [
            b"",
            b" \n",
            b"null",
            b"{}",
            b"[]",
            b'"contacts"',
            b"{",
            b"-",
            b"1e999",
            b"NaN",
            b'\xef\xbb\xbf{"contacts": ["+12125550000"]}',
            b'{"contacts": [NaN, Infinity]}',
            b'{"contacts": ["\\ud800"]}',
            b'{"\\udfff": "\\ud800", "contacts": ["+12125550000"]}',
            b'{"contacts": ["\xed\xa0\x80"]}',
            b'{"contacts": ["\xc3"]}',
            b'{"contacts": ["a"], "contacts": ["b"]}',
            b'{"contacts": ["+12125550000"], "more": ' + b"9" * 4_000 + b"}",
            b'{"contacts": ["+12125550000"], "more": ' + b"9" * 5_000 + b"}",
            b'{"contacts": ["+12125550000"], "more": ' + b"[" * 900 + b"]" * 900 + b"}",
            b'{"contacts": ["+12125550000"], "more": -1e-999}',
        ]
    )
)

digests = st.builds(population.identity_hash, st.just(0), st.sampled_from(NUMBERS), st.sampled_from(range(3)))
message_ids = st.builds(population.message_id, st.just(0), st.sampled_from(NUMBERS[:1]), st.sampled_from(range(10)))
reasons = mostly(st.sampled_from(["spam", "山" * 59, "", "x" * 60]), texts, 4)
versions = mostly(st.sampled_from(["v2.41", "2.43", "v2.42", "v9.9"]), st.sampled_from(["", "v2.45.1\n", "山"]), 6)
seconds = mostly(st.sampled_from([0, 0.5, 5, 3600]), st.sampled_from([5e-324, 86_400, 604_800, -1]) | huge, 8)
shares = mostly(st.sampled_from([0, 0.5, 1]), st.floats(0, 1) | huge, 6)
latencies = mostly(
    st.sampled_from(["none", "1,2", "0.1,86400", "1.5,4"]),
    st.sampled_from(["5e-324,86400", "1e-300,86400", "1e-300,1"])
    | st.sampled_from(["nan,nan", "inf,inf", "2,1", "-1,1", "1,2,3", "", "1_0,2_0"]),
    3,
)
retries: dict[str, Strategy[Any]] = {
    "retry_after": st.sampled_from([0, 1, 10**9, 10**12, 2**63]),
    "dated": st.booleans(),
    "codeless": st.booleans(),
}
kinds = st.sampled_from([str(kind) for kind in Kind])
refusals = whole({"kind": st.sampled_from([str(Kind.TOO_MANY_REQUESTS), str(Kind.QUEUE_FULL)])}, **retries)
faults = refusals | whole(
    {"kind": mostly(kinds, texts, 20)},
    path=st.sampled_from(["*", "/v1/contacts", "/v1/*", "[", "*a*a*a*a*a*a*b"]),
    method=st.sampled_from(["GET", "POST"]),
    share=mostly(st.floats(0.1, 1), st.sampled_from([0, 5e-324]), 6),
    nth=mostly(st.sampled_from([1, 2]), st.sampled_from([0, 2**63]), 6),
    every=mostly(st.sampled_from([1, 2]), st.sampled_from([0, 2**70]), 6),
    until=seconds,
    seconds=seconds,
    jitter=seconds,
    **retries,
    status=mostly(st.sampled_from([301, 302, 307]), st.sampled_from([200, 304, 500]), 6),
    location=mostly(st.sampled_from(["/elsewhere", "http://o/", "x" * 2_000]), st.sampled_from(["", "\r\n", "é"]), 6),
    bytes_per_second=mostly(st.sampled_from([1, 100, 1e308]), st.sampled_from([0, 5e-324]), 6),
)
some_faults = st.lists(faults, min_size=1, max_size=3)
changes: dict[str, Strategy[Any]] = {
    "version": versions,
    "latency": latencies,
    "stuck": shares,
    "engaged": shares,
    "rate_limit": st.booleans(),
    "max_contacts": mostly(st.sampled_from([None, 1, 2]), st.sampled_from([0, 2**63, 2**70]), 6),
    "processing_wa_id": st.booleans(),
    "meta": st.booleans(),
    "cluster": st.booleans(),
    "faults": some_faults,
}
some_numbers = st.lists(spellings, max_size=3)
steps = whole(
    {
        "seconds": mostly(st.just(0), seconds, 2),
        "every": mostly(st.sampled_from([None, 0.1, 5]), st.sampled_from([1e300, 5e-324, 0]), 4),
    },
    **changes,
    expire_tokens=st.booleans(),
    block=st.sampled_from([0, 1, 2]),
    unblock=st.sampled_from([0, 1, 64_000]),
    inbound=some_numbers,
    identity=some_numbers,
    appear=some_numbers,
    vanish=some_numbers,
)
scenarios = whole(
    {"title": texts, "about": texts},
    name=texts,
    start=members(**changes, blocked=mostly(st.sampled_from([0, 3, 300]), st.sampled_from([64_000, 64_001]), 20)),
    fault=some_faults,
    at=st.lists(steps, min_size=1, max_size=3),
)
scenario_names = st.sampled_from(
    ["blocklist-moves", "flaky", "not-engaged", "rate-limit", "slow", "stuck", "token-expiry", "upgrade", "../calm"]
)

counts = mostly(
    st.sampled_from(["0", "1", "2", "100", "200", "201", "999999999"]),
    st.sampled_from(["", "-1", "+5", "%205", "5.0", "1e3", "%D9%A3", "%C2%B2", "%", "%ff", "%00", "9" * 5_000, "NaN"]),
    3,
)
counted = st.lists(st.tuples(st.sampled_from(["limit", "offset", "after"]), counts), min_size=1, max_size=3).map(
    lambda pairs: "?" + "&".join(f"{name}={value}" for name, value in pairs)
)
queries = mostly(
    mostly(st.just(""), counted, 3),
    st.sampled_from(
        ["?", "??limit=1", "?limit", "?limit=1;offset=1", "?&&&=", "?limit=1?offset=2", "?" + "a&" * 2_000]
    ),
    8,
)


def escaped(text: str) -> str:
    """Return `text` percent-encoded whole, surrogates too."""
    return quote(text, safe="", errors="surrogatepass")


contacts_in_paths = mostly(
    st.sampled_from([*NUMBERS, *map(escaped, NUMBERS), *(number[1:] for number in NUMBERS)]),
    texts.filter(bool).map(escaped)
    | st.sampled_from(
        ["..", ".", "%2e%2E", "%2F", "..%2F..", "%00", "%", "%zz", "%ff", "%ed%a0%80", "+", "%2B", "", "*", "blocklist"]
    )
    | st.sampled_from(["#", "1;x=y", "%252B1", "1%2Fblock", "%EF%BC%8B12125550000", "a" * 6_000, "%2B" * 2_000]),
    3,
)


class Endpoint(NamedTuple):
    """A documented request: `weight` is how often it comes."""

    method: str
    path: Strategy[str]
    body: Strategy[bytes] = st.just(b"")
    weight: int = 2
    query: Strategy[str] = queries
    wants_login: bool = False


def contact(tail: str) -> Strategy[str]:
    return contacts_in_paths.map(lambda text: f"/v1/contacts/{text}/{tail}")


def at(path: str) -> Strategy[str]:
    return st.just(path)


checks = whole(
    {
        "contacts": mostly(
            st.lists(spellings, min_size=1, max_size=5) | st.just(MANY_NUMBERS), st.lists(texts, max_size=5), 4
        )
    },
    blocking=st.sampled_from(["no_wait", "wait", "no_wait", "WAIT"]),
    force_check=st.booleans(),
)
named = whole({"number": mostly(spellings, texts, 4)}, exists=st.booleans())
may_be_none = mostly(st.just(b""), st.just(b"null"), 3)

ENDPOINTS = [
    Endpoint("POST", at("/v1/contacts"), in_json(checks), weight=8),
    Endpoint("POST", contact("block"), may_be_none | in_json(members(reason=reasons)), weight=3),
    Endpoint("POST", contact("unblock")),
    Endpoint(
        "POST",
        contact("report"),
        may_be_none
        | in_json(members(reason=reasons, block=st.sampled_from([True, False, "true"]), message_id=message_ids)),
        weight=3,
    ),
    Endpoint("GET", at("/v1/contacts/blocklist"), query=mostly(counted, queries, 3)),
    Endpoint("GET", contact("identity")),
    Endpoint("PUT", contact("identity"), in_json(members(hash=mostly(digests, texts, 4)))),
    Endpoint(
        "POST",
        at("/v1/users/login"),
        mostly(in_json(st.just({"new_password": PASSWORD})), may_be_none | in_json(members(new_password=texts)), 3),
        weight=4,
        wants_login=True,
    ),
    Endpoint("POST", at("/v1/users/logout"), weight=1),
    Endpoint("GET", at("/v1/health")),
    Endpoint("GET", at("/v1/settings/application"), weight=1),
    Endpoint("PATCH", at("/v1/settings/application"), in_json(members(show_security_notifications=st.booleans()))),
    Endpoint("GET", at("/v1/certificates/external/ca"), weight=1),
]
CONTROLS = [
    Endpoint("GET", at("/_simulator/state"), query=mostly(counted, queries, 3)),
    Endpoint("PATCH", at("/_simulator/state"), in_json(members(**changes)), weight=3),
    Endpoint("PATCH", at("/_simulator/state"), in_json(whole({"latency": latencies}, version=versions))),
    Endpoint("PATCH", at("/_simulator/state"), in_json(whole({"faults": some_faults}, **changes)), weight=4),
    Endpoint("POST", at("/_simulator/scenario"), in_json(members(name=scenario_names)), weight=1),
    Endpoint("POST", at("/_simulator/scenario"), in_json(st.fixed_dictionaries({"scenario": scenarios})), weight=2),
    Endpoint("POST", at("/_simulator/reset"), weight=1),
    Endpoint("POST", at("/_simulator/inbound"), in_json(named)),
    Endpoint("POST", at("/_simulator/identity"), in_json(named)),
    Endpoint("POST", at("/_simulator/account"), in_json(named)),
]

regions = st.sampled_from(["IN", "MX", "US", "GB", "AC", "in", "ZZ", "001", "", "%49%4E", ".."])
MANGLED = [
    "{0}/",
    "/{0}",
    "{0}//",
    "/.{0}",
    "/..{0}",
    "{0}/..",
    "{0}%2F",
    "{0}/%2e%2e/identity",
    "{0};x=y",
    "{0}#x",
    "http://node{0}",
    "*",
    "{0}%",
    "/v1{0}",
    "/V1/Contacts",
    "/v1/contacts//block",
    "/v1/contacts/a/b/block",
    "/_simulator",
    "/_simulator/",
    "/_simulator//state",
    "/_simulator/%73tate",
    "/%5fsimulator/state",
    "/_region",
    "/_region/IN",
    "/_region/IN/",
    "/_region//IN{0}",
    "/_region/IN/_region/MX{0}",
    "/_simulator/_region/IN{0}",
]
mangled_paths = st.sampled_from(MANGLED) | st.sampled_from(
    [
        lambda path: path.replace("/", "%2F"),
        lambda path: path.replace("v1", "%76%31"),
        lambda path: path + "/x" * 3_000,
        lambda path: path + "%F0%9F%98%80",
    ]
).map(lambda change: change("{0}"))
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "get", "BREW", "M" * 200]


def basic(user: str, password: str) -> bytes:
    return b"Basic " + base64.b64encode(f"{user}:{password}".encode())


in_headers = st.binary(max_size=12).map(lambda raw: bytes(byte for byte in raw if byte > 0x20 and byte != 0x7F))
good_bearers = st.sampled_from([f"Bearer {TOKEN}", f"bearer  {TOKEN}", f"Bearer {TOKEN}"]).map(str.encode)
good_logins = st.sampled_from([basic("admin", "secret"), basic("admin", PASSWORD)])
odd_authorizations: Strategy[bytes | None] = (
    st.none()
    | st.sampled_from(
        [
            b"",
            b"Bearer",
            b"Bearer token-0-1",
            b"Bearer token-0-2",
            b"Bearer fuzz-token\xe9",
            b"Bearer \xff\xfe",
            b"Basic",
            b"Basic !",
            b"Basic \xe9\xe9\xe9\xe9",
            b"Basic YWRtaW4",
            b"Basic YWRtaW46c2VjcmV0=",
            b"Basic YWRt aW46c2VjcmV0",
            b"Basic /////w==",
            b"Basic AAAA",
            b"basic YWRtaW46c2VjcmV0",
            b"Basic\tYWRtaW46c2VjcmV0",
            b"Basic " + b"A" * 4_000,
            basic("admin", "wrong"),
            basic("admin", ""),
            basic("", "secret"),
            basic("ädmin", "sécret"),
            basic("admin:", "secret"),
            basic("\x00\x00\x00\x00", "\x00"),
            b"Apikey " + b"k" * 11,
            b"Apikey " + b"k" * 12,
            b"APIKEY " + b"\xe9" * 128,
            b"Apikey " + b"k" * 129,
        ]
    )
    | in_headers.map(lambda raw: b"Bearer " + raw)
    | in_headers.map(lambda raw: b"Basic " + raw)
    | in_headers.map(lambda raw: b"Basic " + base64.b64encode(raw))
)
odd_headers = st.lists(
    st.sampled_from(
        [
            ("content-type", b"application/json; charset=utf-16"),
            ("content-type", b"\xff"),
            ("content-encoding", b"gzip"),
            ("accept", b"text/html"),
            ("expect", b"100-continue"),
            ("connection", b"close"),
            ("connection", b"upgrade"),
            ("upgrade", b"websocket"),
            ("x-forwarded-for", b"203.0.113.7"),
            ("x-forwarded-for", b"203.0.113.7, 10.0.0.1"),
            ("x-forwarded-for", b"\xe9, [::1]:x"),
            ("x-forwarded-proto", b"gopher"),
            ("authorization", b"Bearer again"),
            ("x-" + "y" * 300, b"z" * 3_000),
        ]
    ),
    max_size=3,
    unique=True,
)


@st.composite
def variations(draw: st.DrawFn, endpoints: list[Endpoint]) -> Question:
    """Requests of `endpoints`, each part of them changed now and then."""
    endpoint = draw(st.sampled_from([endpoint for endpoint in endpoints for _ in range(endpoint.weight)]))
    path = draw(endpoint.path)
    if draw(mostly(st.just(False), st.just(True), 10)):
        path = draw(mangled_paths).replace("{0}", path)
    if draw(mostly(st.just(False), st.just(True), 10)):
        path = f"/_region/{draw(regions)}{path}"
    good = good_logins if endpoint.wants_login else good_bearers
    authorization = draw(mostly(good, odd_authorizations, 9))
    headers = () if authorization is None else (("authorization", authorization),)
    return Question(
        draw(mostly(st.just(endpoint.method), st.sampled_from(METHODS), 12)),
        path + draw(endpoint.query),
        headers + tuple(draw(mostly(st.just([]), odd_headers, 5))),
        draw(mostly(endpoint.body, hostile_bodies, 8)),
        draw(mostly(st.just(False), st.just(True), 10)),
    )


@st.composite
def rows(draw: st.DrawFn) -> list[Question]:
    """Some requests in a row, of which the first change the server now and then."""
    changing = draw(st.lists(variations(CONTROLS), max_size=2))
    return changing + draw(st.lists(variations(ENDPOINTS + CONTROLS), min_size=1, max_size=10))


# What must come of it

ALSO_WITH = {(errors.BAD_REQUEST, 405), (errors.INVALID, 413), (errors.ACCESS_DENIED, 403)}
"""Statuses that a code has beside the one in the table."""

FAILING = {Kind.INTERNAL_ERROR, Kind.ERROR_AFTER_WORK}
BREAKING = {Kind.TIMEOUT, Kind.RESET, Kind.RESET_AFTER_WORK, Kind.TRUNCATED}
"""Faults after which no whole answer comes."""
SPOILING = {Kind.MALFORMED, Kind.WRONG_TYPE, Kind.REDIRECT}
"""Faults after which the body is not what the contract says."""


class Answer(NamedTuple):
    status: int
    content_type: str
    body: bytes


@dataclass
class Figures:
    """What came of everything that was asked."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    """Because a fault, or a check that never ends, wanted it so."""
    refused_by_parser: int = 0
    """With 400, as no HTTP: the application never saw them."""
    seconds: float = 0.0

    def in_words(self) -> str:
        by_status = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        return (
            f"{self.requests:,} requests in {self.seconds:.0f} s; by status {by_status}; "
            f"no answer because a fault wanted it so: {self.unanswered}; "
            f"refused by the HTTP parser: {self.refused_by_parser}"
        )


class HastyClock:
    """Time that goes on by a quarter of a second whenever somebody looks, and whose sleep takes next to no time."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        self.now += 0.25
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(SHORTEST_SLEEP)


class Target:
    """A running server, a connection to it that is kept open, and what came of all that was asked."""

    def __init__(self, record: TextIO) -> None:
        self.figures = Figures()
        self._world = a_world()
        self._clock = HastyClock()
        self._crashes: list[Exception] = []
        self._latest: list[Latest] = []
        simulator = Simulator(
            self._world,
            TOKEN,
            record=Record(record, counts_inputs=True, follower=self._latest.append),
            control=True,
            seeded_tokens=True,
            on_crash=self._crashes.append,
        )
        self._server = ServerThread(App(simulator, self._clock, self._clock.sleep))
        self._socket: socket.socket | None = None
        self._used_at = 0.0
        self._failed_with: Exception | None = None

    def close(self) -> None:
        self._disconnect()
        self._server.stop()

    def begin_anew(self) -> None:
        """Bring the server back to its beginning, so that what is asked next has the same answer each time."""
        self._clock.now = NOW
        self._crashes.clear()
        self._world.reset(NOW)

    def require_right_answer(self, question: Question) -> None:
        """Ask, and raise AssertionError where the answer is not one that the contract allows."""
        self._latest.clear()
        may_be_silent = self._may_be_silent(question)
        is_codeless = self._is_codeless()
        answer = self._ask(question, IMPATIENCE if may_be_silent else PATIENCE)
        hits = {Kind(words.removeprefix("fault: ")) for words in self._did() if words.startswith("fault: ")}
        if hits & BREAKING:
            self._disconnect()
        self.figures.requests += 1
        assert not self._crashes, f"{question}: {self._crashes!r}"
        if answer is None:
            assert self._latest, f"{question}: {self._failed_with!r}, and the server knows nothing of the request"
            assert hits & BREAKING or may_be_silent, f"{question}: {self._failed_with!r}"
            self.figures.unanswered += 1
            return
        if answer.status == 400 and answer.body == b"Invalid HTTP request received.":
            self.figures.refused_by_parser += 1
            return
        self.figures.statuses[answer.status] += 1
        reason = _why_wrong(question, answer, hits, is_codeless or self._is_codeless())
        assert reason is None, f"{question}: {reason}: {answer}"

    def _is_codeless(self) -> bool:
        """Whether there are faults whose errors have no code."""
        return any(fault.codeless for fault in self._world.conditions.faults)

    def _may_be_silent(self, question: Question) -> bool:
        """Whether the server is such that its answer may take an hour, or never come."""
        if question.target.startswith(f"/{PREFIX}/"):
            return False
        world, conditions = self._world, self._world.conditions
        is_slow = conditions.latency is not None and conditions.latency.p99 > 3600
        return bool(is_slow or conditions.stuck or conditions.faults or world.scenario)

    def _ask(self, question: Question, patience: float) -> Answer | None:
        connection = self._connection()
        connection.settimeout(patience)
        try:
            connection.sendall(question.sent())
            with http.client.HTTPResponse(connection, method=question.method) as response:
                response.begin()
                body = response.read()
                if response.will_close:
                    self._disconnect()
        except (OSError, http.client.HTTPException) as error:
            self._failed_with = error
            self._disconnect()
            self._wait_for_record()
            return None
        self._used_at = time.monotonic()
        return Answer(response.status, response.headers.get("content-type", ""), body)

    def _connection(self) -> socket.socket:
        if time.monotonic() > self._used_at + LONGEST_IDLE:
            self._disconnect()
        if self._socket is None:
            self._socket = socket.create_connection((self._server.host, self._server.port))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def _disconnect(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _wait_for_record(self) -> None:
        """Return when the server, too, is done with a request that got no answer."""
        deadline = time.monotonic() + PATIENCE
        while not self._latest and time.monotonic() < deadline:
            time.sleep(0.001)

    def _did(self) -> tuple[str, ...]:
        return self._latest[-1].did if self._latest else ()


def _why_wrong(question: Question, answer: Answer, hits: set[Kind], is_codeless: bool) -> str | None:
    """Return what the contract has against `answer`; None: nothing."""
    if answer.status == 500 and not hits & FAILING:
        return "a server error that no fault asked for"
    if hits & SPOILING:
        return None
    if not (200 <= answer.status < 300 or 400 <= answer.status < 600):
        return "neither a success nor an error"
    if answer.content_type != JSON_TYPE:
        return "another type than JSON"
    if question.method == "HEAD":
        return "a body" if answer.body else None
    try:
        said = json.loads(answer.body, parse_constant=_refuse)
    except ValueError as error:
        return f"not JSON: {error}"
    return _why_no_envelope(said, answer.status, bool(hits) and is_codeless) if answer.status >= 400 else None


def _refuse(name: str) -> None:
    raise ValueError(name)


def _why_no_envelope(said: Any, status: int, may_lack_code: bool) -> str | None:
    listed = said.get("errors") if isinstance(said, dict) else None
    if not isinstance(listed, list) or not listed:
        return "no list of errors"
    for error in listed:
        code, title = error.get("code"), error.get("title")
        if may_lack_code and code is None and title:
            continue
        if type(code) is not int or not isinstance(title, str) or not title:
            return "an error without a code or a title"
        if code not in errors.ERRORS or (status != errors.ERRORS[code].http_status and (code, status) not in ALSO_WITH):
            return "a code with another status than the documented one"
    return None


@contextmanager
def running() -> Iterator[Target]:
    with open(os.devnull, "w", encoding="utf-8") as record:
        target = Target(record)
        try:
            yield target
        finally:
            target.close()


def ask_much(examples: int) -> Figures:
    """Ask `examples` times a few things in a row; return what came of it."""

    is_long = examples > 1_000

    @settings(max_examples=examples, derandomize=not is_long, suppress_health_check=list(HealthCheck))
    @given(rows())
    def ask_some(row: list[Question]) -> None:
        target.begin_anew()
        for question in row:
            target.require_right_answer(question)

    began = time.monotonic()
    with running() as target:
        ask_some()
        target.begin_anew()
        target.require_right_answer(Question("GET", "/v1/health", (("authorization", f"Bearer {TOKEN}".encode()),)))
        target.figures.seconds = time.monotonic() - began
        return target.figures


def test_no_request_over_a_socket_brings_it_down() -> None:
    figures = ask_much(120)
    assert figures.statuses[200] > figures.requests / 5, f"too few get as far as an answer: {figures.in_words()}"


@pytest.mark.long
def test_ten_thousand_requests_over_a_socket_do_not_bring_it_down() -> None:
    figures = ask_much(2_500)
    print(f"\n{figures.in_words()}")
    assert figures.requests >= 10_000
