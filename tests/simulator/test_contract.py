"""The contract as a table: a row for every sentence of contract.md that a server can show, with its section."""

import base64
import http.client
import json
import re
import ssl
import string
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib import resources
from typing import Any

import phonenumbers
import pytest

from tests.simulated import a_world
from watui.cli.simulate import simulate
from watui.contract.errors import ERRORS
from watui.simulator.app import App
from watui.simulator.events import AccountChanged, Blocked
from watui.simulator.faults import Fault, Kind
from watui.simulator.population import Latency
from watui.simulator.scenario import Scenario, Start
from watui.simulator.server import Simulator
from watui.simulator.serving import ServerThread
from watui.simulator.tls import make_tls
from watui.simulator.wire import Request

TOKEN = "a-token"
BEARER = f"Bearer {TOKEN}"
API_KEY = "Apikey " + "k" * 12
PASSWORD = "Str0ng!pass"

NOW = 1_700_000_000.0
HOUR, DAY = 3_600.0, 86_400.0

SOMEBODY, NOBODY = "+16315551000", "+16315551002"
"""A number with an account, and one without, in the world of every Server."""
OTHERS = ["+16315551001", "+16315551003", "+16315551004"]
"""More numbers with an account."""
NO_NUMBER = "+163155588"

CHECK = "/v1/contacts"
BLOCKLIST = "/v1/contacts/blocklist"
LOGIN, LOGOUT = "/v1/users/login", "/v1/users/logout"
HEALTH, SETTINGS, CA = "/v1/health", "/v1/settings/application", "/v1/certificates/external/ca"

WITH_ACCOUNTS = ("v2.35.4", "v2.39.1", "v2.41")
UNDESCRIBED = "v2.42"
WITHOUT_ACCOUNTS = ("v2.43", "v2.45.1")
NEWEST = "v2.45.1"
"""A version that says of every number that it can read how it reads it."""

TWO_SECONDS = Latency(2.0, 2.0)


PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

ERROR_TABLE = {
    1000: ("Generic error", 500),
    1005: ("Access denied", 401),
    1006: ("Resource not found", 404),
    1008: ("Required parameter is missing", 400),
    1009: ("Parameter value is not valid", 400),
    1010: ("Parameter is not required", 400),
    1011: ("Service not ready", 503),
    1013: ("User is not valid", 400),
    1014: ("Internal error", 500),
    1015: ("Too many requests", 429),
    1016: ("System overloaded", 503),
    1017: ("Not primary master", 500),
    1018: ("Not primary coreapp", 500),
    1023: ("Database error occurred", 500),
    1024: ("Password change required", 401),
    1025: ("Request is not valid", 400),
    1028: ("Identity change must be acknowledged", 400),
    2048: ("Not engaged contact", 400),
}
"""Title and HTTP status by code, copied by hand from section 5."""


def of(number: str, call: str) -> str:
    """Return the path of a call about one contact."""
    return f"/v1/contacts/{number}/{call}"


def basic(password: str, user: str = "admin") -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclass(frozen=True)
class Answer:
    """What came back, and after how many seconds."""

    status: int
    text: str
    content_type: str
    headers: dict[str, str]
    seconds: float
    is_silent: bool

    @property
    def members(self) -> Any:
        return json.loads(self.text)

    @property
    def contacts(self) -> Any:
        assert self.status == 200, self.text
        return self.members["contacts"]

    @property
    def statuses(self) -> list[str]:
        return [contact["status"] for contact in self.contacts]

    def is_done(self) -> bool:
        """Whether it is the 200 of a call that gives nothing back."""
        return self.status == 200 and set(self.members) <= {"meta"}

    def refusal(self) -> dict[str, Any]:
        """Return the one error of an envelope, after a look at the envelope."""
        assert {"errors"} <= set(self.members) <= {"errors", "meta"}, self.text
        (error,) = self.members["errors"]
        assert {"code", "title"} <= set(error) <= {"code", "title", "details", "href"}
        assert error["title"] == ERROR_TABLE[error["code"]][0]
        assert self.content_type == "application/json"
        members: dict[str, Any] = error
        return members

    def is_refused(self, code: int, status: int | None = None) -> bool:
        """Whether it is the envelope of `code`, with the HTTP status that belongs to it."""
        return (self.refusal()["code"], self.status) == (code, status or ERROR_TABLE[code][1])


class Server:
    """A server in virtual time: its checks take no time and nobody has written lately, unless told otherwise."""

    def __init__(self, region: str = "US", *, ca: str | None = None, **conditions: Any) -> None:
        self.world = a_world(region, **{"latency": None, "engaged": 0.0} | conditions)
        self.simulator = Simulator(self.world, TOKEN, ca=ca)
        self.now = NOW
        for number in (SOMEBODY, *OTHERS):
            self.move(number, True)
        self.move(NOBODY, False)

    def move(self, number: str, exists: bool) -> None:
        """Let an account appear or vanish."""
        self.world.happen(AccountChanged(self.now, number, exists))

    def write(self, *numbers: str) -> list[str | None]:
        """Let contacts write to us; return the ids of their messages."""
        for number in set(numbers):
            self.move(number, True)
        return [self.world.people.write(number, self.now) for number in numbers]

    def ask(
        self, method: str, target: str, body: object = b"", authorization: str = BEARER, is_too_large: bool = False
    ) -> Answer:
        """Ask, and let the time go by that the answer takes."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = Request(method, target, {"authorization": authorization}, content, is_too_large)
        reply, end = self.simulator.respond(request, self.now)
        began, self.now = self.now, end
        text = reply.body.decode()
        return Answer(reply.status, text, reply.content_type, dict(reply.headers), end - began, reply.is_silent)

    def check(self, *inputs: str, **members: Any) -> Answer:
        return self.ask("POST", CHECK, {"contacts": list(inputs), **members})

    def wa_id(self, text: str) -> str | None:
        """Return the wa_id that a check gives."""
        wa_id: str | None = self.check(text).contacts[0].get("wa_id")
        return wa_id

    def post(self, number: str, call: str, body: object = b"") -> Answer:
        return self.ask("POST", of(number, call), body)

    def blocklist(self, query: str = "") -> list[str]:
        return [entry["wa_id"].partition("@")[0] for entry in self.ask("GET", BLOCKLIST + query).contacts]

    def identity(self, wa_id: str) -> Any:
        return self.ask("GET", of(wa_id, "identity")).contacts

    def login(self, body: object = b"", password: str = PASSWORD, user: str = "admin") -> Answer:
        return self.ask("POST", LOGIN, body, basic(password, user))

    def first_login(self, password: str = PASSWORD) -> None:
        assert self.login({"new_password": password}, "secret").status == 200

    def token(self) -> str:
        """Log in; return the token."""
        token: str = self.login().members["users"][0]["token"]
        return token

    def accepts(self, token: str) -> bool:
        return self.ask("GET", BLOCKLIST, authorization=f"Bearer {token}").status == 200


def a_contact_who_wrote(**conditions: Any) -> Server:
    """Return a server to which SOMEBODY has just written."""
    server = Server(**conditions)
    server.write(SOMEBODY)
    return server


def failing(kind: Kind, **members: Any) -> Server:
    """Return a server with a fault."""
    return Server(faults=(Fault(kind, **members),))


# The table

Test = Callable[[], None]

SECTIONS: list[str] = []
SENTENCES: list[str] = []
ROWS: list[Any] = []


def add(section: str, sentence: str, test: Test) -> None:
    """Add a row."""
    SECTIONS.append(section)
    SENTENCES.append(f"{section} {sentence}")
    ROWS.append(pytest.param(test, id=f"{section} {sentence}"))


def row(section: str, sentence: str) -> Callable[[Test], Test]:
    """Return a decorator that makes a row of a function."""

    def added(test: Test) -> Test:
        add(section, sentence, test)
        return test

    return added


# Section 1: check numbers


@row("§1", "a check needs a bearer token")
def _() -> None:
    body = {"contacts": [SOMEBODY]}
    assert Server().ask("POST", CHECK, body).status == 200
    assert Server().ask("POST", CHECK, body, authorization="").is_refused(1005)


@row("§1", "the sample: four numbers, four statuses, and meta")
def _() -> None:
    inputs = ["16315551000", "+1 631 555 1001", "6315551002", "+163155588"]
    server = Server(latency=TWO_SECONDS, processing_wa_id=True)
    server.check(inputs[0], inputs[2])
    server.now += 2
    answer = server.check(*inputs, blocking="no_wait", force_check=False)
    assert answer.status == 200
    assert answer.members == {
        "contacts": [
            {"input": "16315551000", "status": "valid", "wa_id": "16315551000"},
            {"input": "+1 631 555 1001", "status": "processing", "wa_id": "16315551001"},
            {"input": "6315551002", "status": "invalid"},
            {"input": "+163155588", "status": "failed"},
        ],
        "meta": {"api_status": "stable", "version": "v2.41"},
    }


@row("§1", "blocking is optional and no_wait by default")
def _() -> None:
    assert Server(latency=TWO_SECONDS).check(SOMEBODY).statuses == ["processing"]


@row("§1", "force_check is optional and false by default")
def _() -> None:
    server = Server(latency=TWO_SECONDS)
    server.check(SOMEBODY, blocking="wait")
    assert server.check(SOMEBODY).statuses == ["valid"]


@row("§1", "any dialable spelling is a number")
def _() -> None:
    spellings = ["16315551000", "+1 631 555 1000", "(631) 555-1000", "+1-631-555-1000", "1.631.555.1000", "6315551000"]
    assert {contact.get("wa_id") for contact in Server().check(*spellings).contacts} == {"16315551000"}


@row("§1", "meta is optional, everywhere")
def _() -> None:
    for has_meta in (False, True):
        server = a_contact_who_wrote(meta=has_meta)
        answers = [
            server.login({"new_password": PASSWORD}, "secret"),
            server.check(SOMEBODY),
            server.check(),
            server.post(SOMEBODY, "block"),
            server.ask("GET", BLOCKLIST),
            server.ask("GET", of(SOMEBODY, "identity")),
            server.ask("GET", HEALTH),
            server.ask("GET", SETTINGS),
            server.ask("GET", "/nowhere"),
        ]
        assert [("meta" in answer.members) for answer in answers] == [has_meta] * len(answers)


@row("§1", "one element per input")
def _() -> None:
    inputs = [f"+1631555{line:04}" for line in range(1_001)]
    assert [contact["input"] for contact in Server().check(*inputs).contacts] == inputs


@row("§1", "input is echoed exactly as sent")
def _() -> None:
    inputs = [
        "+1 (631) 555-1000",
        "  6315551000 ",
        "0016315551000",
        "nobody",
        "",
        "\u0661\u0662",
        "+1\t631\n",
        "\U0001f642",
    ]
    assert [contact["input"] for contact in Server().check(*inputs).contacts] == inputs


@row("§1", "a server answers in the order of the request")
def _() -> None:
    for inputs in ([SOMEBODY, NO_NUMBER, NOBODY, *OTHERS], [*OTHERS, NOBODY, NO_NUMBER, SOMEBODY]):
        assert [contact["input"] for contact in Server().check(*inputs).contacts] == inputs


@row("§1", "order may change where a fault says so")
def _() -> None:
    assert [contact["input"] for contact in failing(Kind.REORDERED).check("1", "2", "3").contacts] == ["3", "2", "1"]


@row("§1", "no_wait answers at once, processing what is not decided")
def _() -> None:
    answer = Server(latency=TWO_SECONDS).check(SOMEBODY, NO_NUMBER, blocking="no_wait")
    assert (answer.status, answer.seconds, answer.statuses) == (200, 0, ["processing", "failed"])


@row("§1", "the check goes on in the background")
def _() -> None:
    server = Server(latency=TWO_SECONDS)
    server.check(SOMEBODY)
    server.now += 1.999
    assert server.check(SOMEBODY).statuses == ["processing"]
    server.now += 0.001
    assert server.check(SOMEBODY).statuses == ["valid"]


@row("§1", "the recipe: post the processing numbers again until every number is final")
def _() -> None:
    server, left, final, polls = Server(latency=Latency(2.0, 30.0)), [SOMEBODY, NOBODY, *OTHERS], {}, 0
    while left:
        contacts = server.check(*left).contacts
        final.update({each["input"]: each["status"] for each in contacts if each["status"] != "processing"})
        left = [each["input"] for each in contacts if each["status"] == "processing"]
        polls, server.now = polls + 1, server.now + 1
    assert polls > 2
    assert final == {SOMEBODY: "valid", NOBODY: "invalid", **dict.fromkeys(OTHERS, "valid")}


@row("§1", "wait answers when every number is decided")
def _() -> None:
    server, numbers = Server(latency=Latency(2.0, 30.0)), [SOMEBODY, NOBODY, *OTHERS]
    alone = [Server(latency=Latency(2.0, 30.0)).check(number, blocking="wait").seconds for number in numbers]
    answer = server.check(*numbers, blocking="wait")
    assert answer.seconds == max(alone) > min(alone) > 0
    assert answer.statuses == ["valid", "invalid", "valid", "valid", "valid"]


@row("§1", "a wait may never answer")
def _() -> None:
    server = Server(latency=TWO_SECONDS, stuck=1.0)
    assert server.check(SOMEBODY, blocking="wait").is_silent


@row("§1", "verdicts are cached 7 days, and repeats are free")
def _() -> None:
    server = Server(latency=TWO_SECONDS)
    server.check(SOMEBODY, blocking="wait")
    server.now += 1
    server.move(SOMEBODY, False)
    server.now += 7 * DAY - 2
    again = server.check(SOMEBODY, blocking="wait")
    assert (again.seconds, again.statuses) == (0, ["valid"])
    server.now += 1
    assert server.check(SOMEBODY).statuses == ["processing"]
    assert server.check(SOMEBODY, blocking="wait").statuses == ["invalid"]


@row("§1", "force_check bypasses the cache")
def _() -> None:
    server = Server(latency=TWO_SECONDS)
    server.check(SOMEBODY, blocking="wait")
    server.now += 1
    server.move(SOMEBODY, False)
    assert server.check(SOMEBODY).statuses == ["valid"]
    assert server.check(SOMEBODY, force_check=True).statuses == ["processing"]
    server.now += 2
    assert server.check(SOMEBODY).statuses == ["invalid"]


@row("§1", "a check under way is not restarted")
def _() -> None:
    server = Server(latency=TWO_SECONDS)
    server.check(SOMEBODY, force_check=True)
    for _ in range(4):
        assert server.check(SOMEBODY, force_check=True).statuses == ["processing"]
        server.now += 0.5
    assert server.check(SOMEBODY).statuses == ["valid"]


@row("§1", "failed is not cached")
def _() -> None:
    server, text = Server(version=NEWEST), "030 123456"
    assert server.check(text).statuses == ["failed"]
    german = Simulator(server.world, BEARER.split()[1], control=True)
    request = Request(
        "POST", "/_region/DE/v1/contacts", {"authorization": BEARER}, json.dumps({"contacts": [text]}).encode()
    )
    (contact,) = json.loads(german.respond(request, server.now)[0].body)["contacts"]
    assert contact == {"input": text, "status": "valid", "wa_id": "4930123456"}
    assert server.check(text).statuses == ["failed"]


@row("§1", "1,000 numbers in one request are answered, and more")
def _() -> None:
    for count in (1_000, 3_000):
        assert len(Server().check(*[SOMEBODY] * count).contacts) == count


@row("§1", "a scenario may set a most of numbers: then 400 with 1009")
def _() -> None:
    server = Server()
    server.world.play(Scenario("Few at once", "Two at most.", start=Start(max_contacts=2)), NOW)
    assert server.check("1", "2").status == 200
    assert server.check("1", "2", "3").is_refused(1009)


@row("§1", "empty or missing contacts: 400 with 1008")
def _() -> None:
    bodies: list[object] = [{"contacts": []}, {"contacts": None}, {}, {"blocking": "wait"}]
    for body in bodies:
        assert Server().ask("POST", CHECK, body).is_refused(1008)


@row("§1", "a member of another type, or an unknown word for blocking: 400 with 1009")
def _() -> None:
    for members in (
        {"contacts": SOMEBODY},
        {"contacts": [16315551000]},
        {"contacts": [SOMEBODY], "blocking": "no-wait"},
        {"contacts": [SOMEBODY], "force_check": "yes"},
    ):
        assert Server().ask("POST", CHECK, members).is_refused(1009)


@row("§1", "duplicates: one element each, same answer")
def _() -> None:
    first, other, second = Server(latency=TWO_SECONDS).check(SOMEBODY, NOBODY, SOMEBODY, blocking="wait").contacts
    assert first == second == {"input": SOMEBODY, "status": "valid", "wa_id": SOMEBODY[1:]}
    assert other["status"] == "invalid"


@row("§1", "processing carries a wa_id only where the switch is on")
def _() -> None:
    for switch, wa_id in ((False, {}), (True, {"wa_id": SOMEBODY[1:]})):
        server = Server(latency=TWO_SECONDS, processing_wa_id=switch)
        assert server.check(SOMEBODY).contacts == [{"input": SOMEBODY, "status": "processing", **wa_id}]


@row("§1", "the switch for processing with wa_id is off by default")
def _() -> None:
    assert "wa_id" not in Server(latency=TWO_SECONDS).check(SOMEBODY).contacts[0]


def _statuses_of(version: str) -> Test:
    says_invalid = version in WITH_ACCOUNTS

    def test() -> None:
        for switch in (False, True):
            server = Server(version=version, latency=TWO_SECONDS, processing_wa_id=switch)
            assert server.check(SOMEBODY, NOBODY, NO_NUMBER).statuses == ["processing", "processing", "failed"]
            server.now += 2
            known, unknown, failed = server.check(SOMEBODY, NOBODY, NO_NUMBER).contacts
            assert known == {"input": SOMEBODY, "status": "valid", "wa_id": SOMEBODY[1:]}
            assert failed == {"input": NO_NUMBER, "status": "failed"}
            if says_invalid:
                assert unknown == {"input": NOBODY, "status": "invalid"}
            else:
                assert unknown == {"input": NOBODY, "status": "valid", "wa_id": NOBODY[1:]}

    return test


for _version in WITH_ACCOUNTS:
    add("§1", f"{_version}: processing, valid, invalid, failed; wa_id with valid alone", _statuses_of(_version))
for _version in WITHOUT_ACCOUNTS:
    add("§1", f"{_version}: processing, valid, failed; valid says nothing about an account", _statuses_of(_version))


@row("§1", "v2.42 is not described: only words of its neighbours")
def _() -> None:
    server = Server(version=UNDESCRIBED)
    known, unknown, failed = server.check(SOMEBODY, NOBODY, NO_NUMBER).contacts
    assert known == {"input": SOMEBODY, "status": "valid", "wa_id": SOMEBODY[1:]}
    assert unknown["status"] in ("valid", "invalid")
    assert ("wa_id" in unknown) is (unknown["status"] == "valid")
    assert failed == {"input": NO_NUMBER, "status": "failed"}


@row("§1", "the version stands in meta of any answer, with or without v")
def _() -> None:
    for version in ("v2.45.1", "2.35.4"):
        server = a_contact_who_wrote(version=version)
        answers = [
            server.ask("GET", HEALTH),
            server.check(SOMEBODY),
            server.check(),
            server.ask("GET", BLOCKLIST),
            server.ask("GET", of(SOMEBODY, "identity")),
            server.ask("GET", SETTINGS),
            server.post(SOMEBODY, "report"),
            server.login(),
        ]
        assert {answer.members["meta"]["version"] for answer in answers} == {version}


@row("§1", "a version without its v means the same")
def _() -> None:
    assert Server(version="2.35.4").check(NOBODY).statuses == ["invalid"]
    assert Server(version="2.45.1").check(NOBODY).statuses == ["valid"]


READINGS = [
    ("+1-631-555-1002", "+16315551002"),
    ("6315551002", "+916315551002"),
    ("1-631-555-1002", "+9116315551002"),
    ("+1 (516) 283-7151", "+15162837151"),
    ("+54 9 11 5612-1008", "+5491156121008"),
]
"""The table of section 1: what a server registered in India reads."""


def _reading(text: str, number: str) -> Test:
    def test() -> None:
        assert Server("IN", version=NEWEST).wa_id(text) == number[1:]

    return test


for _text, _number in READINGS:
    add("§1", f"in India {_text} is read as {_number}", _reading(_text, _number))


@row("§1", "a number without + gets the country code of the server's own")
def _() -> None:
    for region, text, wa_id in (
        ("US", "6315551002", "16315551002"),
        ("IN", "6315551002", "916315551002"),
        ("DE", "030 123456", "4930123456"),
        ("BR", "(11) 91234-5678", "5511912345678"),
    ):
        assert Server(region, version=NEWEST).wa_id(text) == wa_id


@row("§1", "a number of another country without + fails or is somebody else's")
def _() -> None:
    assert Server("US", version=NEWEST).check("442079460958").statuses == ["failed"]
    assert Server("IN", version=NEWEST).wa_id("6315551002") == "916315551002"


@row("§1", "the request sample is read as by a server registered in +1")
def _() -> None:
    contacts = Server(version=NEWEST).check("16315551000", "+1 631 555 1001", "6315551002", "+163155588").contacts
    assert [contact.get("wa_id") for contact in contacts] == ["16315551000", "16315551001", "16315551002", None]


@row("§1", "00 and 011 are international prefixes")
def _() -> None:
    assert Server("US", version=NEWEST).wa_id("011 44 20 7946 0958") == "442079460958"
    assert Server("IN", version=NEWEST).wa_id("0044 20 7946 0958") == "442079460958"


@row("§1", "an input that does not parse, or is not possible, fails at once")
def _() -> None:
    inputs = ["", "nobody", "+", "+999 123 456 789", "+1 212 555", "555-1000", "+1 631 555 1000 1000 1000", "\x00"]
    answer = Server(latency=TWO_SECONDS).check(*inputs, blocking="wait")
    assert answer.contacts == [{"input": text, "status": "failed"} for text in inputs]
    assert answer.seconds == 0


WA_IDS = [
    ("Mexico gets a 1", "+52 55 1234 5678", "5215512345678"),
    ("Brazil loses its nine in area code 31", "+55 31 9 1234 5678", "553112345678"),
    ("Brazil loses its nine in area code 99", "+55 99 9 1234 5678", "559912345678"),
    ("Brazil keeps its nine in area code 30", "+55 30 9 1234 5678", "5530912345678"),
    ("Brazil keeps its nine in area code 11", "+55 11 9 1234 5678", "5511912345678"),
    ("a Brazilian number of eight digits loses none", "+55 31 3234 5678", "553132345678"),
    ("Argentina's wa_id is its digits", "+54 9 11 5612-1008", "5491156121008"),
    ("Italy's wa_id is its digits, with the zero", "+39 06 1234 5678", "390612345678"),
    ("India's wa_id is its digits", "+91 99999 00010", "919999900010"),
    ("America's wa_id is its digits", "+1 516 283 7151", "15162837151"),
]


def _wa_id(text: str, wa_id: str) -> Test:
    def test() -> None:
        for region in ("US", "BR"):
            assert Server(region, version=NEWEST).wa_id(text) == wa_id

    return test


for _words, _text, _expected in WA_IDS:
    add("§1", f"wa_id: {_words}", _wa_id(_text, _expected))


# Section 2: block, unblock, blocklist, report

CALLS = ("block", "unblock", "report")


def _is_done(call: str) -> Test:
    def test() -> None:
        answer = a_contact_who_wrote().post(SOMEBODY, call)
        assert answer.status == 200
        assert "errors" not in answer.members

    return test


for _call in CALLS:
    add("§2", f"{_call}: 200 and no errors member, without any body", _is_done(_call))


@row("§2", "every member of the bodies of block and report is optional")
def _() -> None:
    server = Server()
    (message,) = server.write(SOMEBODY)
    bodies: list[object] = [b"", {}, {"reason": "spam"}]
    for body in bodies:
        assert server.post(SOMEBODY, "block", body).is_done()
    bodies += [{"block": False}, {"message_id": message}, {"reason": "x", "block": True, "message_id": message}]
    for body in bodies:
        assert server.post(SOMEBODY, "report", body).is_done()


@row("§2", "block blocks, unblock unblocks, report does neither")
def _() -> None:
    server = a_contact_who_wrote()
    server.post(SOMEBODY, "report")
    assert server.blocklist() == []
    server.post(SOMEBODY, "block")
    assert server.blocklist() == [SOMEBODY[1:]]
    server.post(SOMEBODY, "unblock")
    assert server.blocklist() == []


@row("§2", "a reason has 1 to 59 characters, else 1009")
def _() -> None:
    for call in ("block", "report"):
        for length, is_right in ((0, False), (1, True), (59, True), (60, False), (600, False)):
            answer = a_contact_who_wrote().post(SOMEBODY, call, {"reason": "x" * length})
            assert answer.is_done() if is_right else answer.is_refused(1009)


@row("§2", "a reason is counted in code points")
def _() -> None:
    server = a_contact_who_wrote()
    assert server.post(SOMEBODY, "block", {"reason": "\U0001f642" * 59}).is_done()
    assert server.post(SOMEBODY, "block", {"reason": "山" * 59}).is_done()
    assert server.post(SOMEBODY, "block", {"reason": "\U0001f642" * 60}).is_refused(1009)
    assert server.post(SOMEBODY, "block", {"reason": "e\u0301" * 30}).is_refused(1009)


@row("§2", "the phone is any dialable spelling, under the same conversion rule")
def _() -> None:
    for region, text, wa_id in (
        ("US", "%2B1%20%28631%29%20555-1000", "16315551000"),
        ("US", "6315551000", "16315551000"),
        ("IN", "6315551002", "916315551002"),
        ("IN", "+1-631-555-1000", "16315551000"),
    ):
        server = Server(region)
        server.write(f"+{wa_id}")
        assert server.post(text, "block").is_done()
        assert server.blocklist() == [wa_id]


@row("§2", "a server takes + and %2B in the path alike")
def _() -> None:
    for spelling in (SOMEBODY, SOMEBODY.replace("+", "%2B"), SOMEBODY.replace("+", "%2b")):
        server = a_contact_who_wrote()
        assert server.post(spelling, "block").is_done()
        assert server.blocklist() == [SOMEBODY[1:]]
        assert server.post(spelling, "unblock").is_done()
        assert server.blocklist() == []


@row("§2", "digits, with or without +, are first looked up as a wa_id that the server knows")
def _() -> None:
    for text in ("16315551000", "+16315551000", "%2B16315551000"):
        server = Server("IN")
        server.write("+16315551000", "+9116315551000")
        assert server.post(text, "block").is_done()
        assert server.blocklist() == ["16315551000"]


@row("§2", "digits that are no wa_id the server knows are converted")
def _() -> None:
    server = Server("IN")
    server.write("+916315551000")
    assert server.post("6315551000", "block").is_done()
    assert server.blocklist() == ["916315551000"]


@row("§2", "a number that was checked is known by its wa_id")
def _() -> None:
    for region in ("US", "IN"):
        server = Server(region, version=NEWEST, engaged=1.0)
        server.move("+525512345678", True)
        wa_id = server.wa_id("+52 55 1234 5678")
        assert server.post(f"{wa_id}", "block").is_done()
        assert server.blocklist() == [wa_id]


def can_unblock_what_it_lists(server: Server, *wa_ids: str) -> bool:
    """Whether the blocklist holds `wa_ids`, and each of them can be unblocked by `+` and wa_id."""
    assert server.blocklist() == list(wa_ids)
    return all(server.post(f"+{wa_id}", "unblock").is_done() for wa_id in wa_ids) and server.blocklist() == []


@row("§2", "what the blocklist returns can be unblocked, by + and wa_id")
def _() -> None:
    for region in ("US", "IN", "MX"):
        server = Server(region, engaged=1.0)
        for number in (SOMEBODY, "+525512345678", "+5531912345678", "+916315551002", "+4930123456"):
            server.move(number, True)
            assert server.post(number, "block").is_done()
        wa_ids = ["16315551000", "5215512345678", "553112345678", "916315551002", "4930123456"]
        assert can_unblock_what_it_lists(server, *wa_ids)


@row(
    "§2",
    "what the blocklist returns can be unblocked, of a contact that had written before it was blocked",
)
def _() -> None:
    server = Server()
    server.write("+525512345678")
    assert server.post("+525512345678", "block").is_done()
    assert can_unblock_what_it_lists(server, "5215512345678")


@row(
    "§2",
    "what the blocklist returns can be unblocked, of a contact that was blocked before the server was started",
)
def _() -> None:
    server = Server()
    server.simulator.apply(Blocked(NOW, "+525512345678"))
    assert can_unblock_what_it_lists(server, "5215512345678")


@row("§2", "path and body are tested before engagement")
def _() -> None:
    server = Server()
    for call in ("block", "report"):
        assert server.post(SOMEBODY, call).is_refused(2048)
        assert server.post("12", call).is_refused(1009)
        assert server.post(SOMEBODY, call, {"reason": ""}).is_refused(1009)
        assert server.post(SOMEBODY, call, {"reason": 5}).is_refused(1009)
    assert server.post(SOMEBODY, "report", {"message_id": "unknown"}).is_refused(1009)
    assert server.post(SOMEBODY, "report", {"block": "yes"}).is_refused(1009)


@row("§2", "a number without an account: 2048")
def _() -> None:
    for call in ("block", "report"):
        assert Server(engaged=1.0).post(NOBODY, call).is_refused(2048)


@row("§2", "block and report need a message of the last 24 hours")
def _() -> None:
    for call in ("block", "report"):
        server = Server()
        assert server.post(SOMEBODY, call).is_refused(2048)
        server.write(SOMEBODY)
        server.now += DAY - 1
        assert server.post(SOMEBODY, call).is_done()
        server.now += 2
        assert server.post(SOMEBODY, "unblock").is_done()
        assert server.post(OTHERS[0], call).is_refused(2048)
        assert server.post(SOMEBODY, call).is_refused(2048)


@row("§5", "429 and 503 without a code, and Retry-After as a date, where a fault asks for them")
def _() -> None:
    for kind, title in ((Kind.TOO_MANY_REQUESTS, "Too many requests"), (Kind.QUEUE_FULL, "System overloaded")):
        answer = failing(kind, codeless=True, retry_after=60, dated=True).check(SOMEBODY)
        assert answer.members["errors"] == [{"title": title}]
        date = parsedate_to_datetime(answer.headers["retry-after"])
        assert date.timestamp() == int(NOW) + 60


@row("§2", "blocking twice, also when the message of the contact is older than 24 hours by then: 200")
def _() -> None:
    server = a_contact_who_wrote()
    assert server.post(SOMEBODY, "block").is_done()
    server.now += 2 * DAY
    assert server.post(SOMEBODY, "block").is_done()


@row("§2", "unblock has no such rule")
def _() -> None:
    server = a_contact_who_wrote()
    server.post(SOMEBODY, "block")
    server.now += 2 * DAY
    assert server.post(SOMEBODY, "unblock").is_done()
    assert server.blocklist() == []
    assert server.post(NOBODY, "unblock").is_done()


@row("§2", "report without message_id hands over the last five messages of the chat")
def _() -> None:
    for written in (1, 5, 7):
        server = Server()
        messages = server.write(*[SOMEBODY] * written)
        server.write(*OTHERS)
        assert server.post(SOMEBODY, "report").is_done()
        assert server.world.people.reported == [(SOMEBODY, tuple(messages[-5:]))]


@row("§2", "report with message_id hands over that message")
def _() -> None:
    server = Server()
    first, *_ = server.write(*[SOMEBODY] * 7)
    assert server.post(SOMEBODY, "report", {"message_id": first}).is_done()
    assert server.world.people.reported == [(SOMEBODY, (first,))]


@row("§2", "report with block also blocks; block is a JSON boolean")
def _() -> None:
    for block, listed in ((True, [SOMEBODY[1:]]), (False, [])):
        server = a_contact_who_wrote()
        assert server.post(SOMEBODY, "report", {"block": block}).is_done()
        assert len(server.world.people.reported) == 1
        assert server.blocklist() == listed


@row("§2", "block may be quoted, true or false")
def _() -> None:
    for block, listed in (("true", [SOMEBODY[1:]]), ("false", [])):
        server = a_contact_who_wrote()
        assert server.post(SOMEBODY, "report", {"block": block}).is_done()
        assert server.blocklist() == listed


@row("§2", "success of block, unblock and report is a body with meta")
def _() -> None:
    server = a_contact_who_wrote()
    for call in CALLS:
        assert server.post(SOMEBODY, call).members == {"meta": {"api_status": "stable", "version": "v2.41"}}


@row("§2", "blocking twice: 200, nothing changes")
def _() -> None:
    server = Server()
    server.write(SOMEBODY, OTHERS[0])
    for number in (SOMEBODY, OTHERS[0], SOMEBODY):
        assert server.post(number, "block").is_done()
    assert server.blocklist() == [SOMEBODY[1:], OTHERS[0][1:]]


@row("§2", "unblocking what is not blocked: 200, nothing changes")
def _() -> None:
    server = a_contact_who_wrote()
    server.post(SOMEBODY, "block")
    assert server.post(OTHERS[0], "unblock").is_done()
    assert server.blocklist() == [SOMEBODY[1:]]


def with_blocked(*numbers: str) -> Server:
    """Return a server that has blocked `numbers`, a second after each other."""
    server = Server()
    server.write(*numbers)
    for number in numbers:
        server.now += 1
        assert server.post(number, "block").is_done()
    return server


@row("§2", "the sample of the blocklist")
def _() -> None:
    answer = with_blocked(SOMEBODY).ask("GET", f"{BLOCKLIST}?limit=10&offset=0")
    assert (answer.status, answer.members.pop("meta")["version"]) == (200, "v2.41")
    members = {name: value for name, value in answer.members.items() if name != "meta"}
    assert members == {
        "contacts": [{"wa_id": "16315551000@s.whatsapp.net"}],
        "pagination": {"limit": 10, "offset": 0, "total": 1},
    }


@row("§2", "limit is 100 and offset 0 where nothing is said")
def _() -> None:
    server = Server()
    server.world.people.block_others(150, NOW)
    answer = server.ask("GET", BLOCKLIST).members
    assert answer["pagination"] == {"limit": 100, "offset": 0, "total": 150}
    assert len(answer["contacts"]) == 100


@row("§2", "limit is 1 to 200")
def _() -> None:
    server = Server()
    server.world.people.block_others(250, NOW)
    for limit in (1, 200):
        answer = server.ask("GET", f"{BLOCKLIST}?limit={limit}").members
        assert (len(answer["contacts"]), answer["pagination"]["limit"]) == (limit, limit)


def _page_refused(query: str) -> Test:
    def test() -> None:
        assert with_blocked(SOMEBODY).ask("GET", f"{BLOCKLIST}?{query}").is_refused(1009)

    return test


for _query in ("limit=0", "limit=201", "limit=-1", "limit=ten", "limit=1.5", "offset=-1", "offset=x"):
    add("§2", f"a blocklist with {_query}: 400 with 1009", _page_refused(_query))


@row("§2", "pages of the blocklist follow each other, the oldest block first")
def _() -> None:
    server = with_blocked(*OTHERS, SOMEBODY)
    wa_ids = [number[1:] for number in (*OTHERS, SOMEBODY)]
    assert server.blocklist() == wa_ids
    for offset in range(4):
        assert server.blocklist(f"?limit=2&offset={offset}") == wa_ids[offset : offset + 2]


@row("§2", "a contact that is blocked anew stands last")
def _() -> None:
    server = with_blocked(SOMEBODY, *OTHERS)
    server.post(SOMEBODY, "unblock")
    server.write(SOMEBODY)
    server.post(SOMEBODY, "block")
    assert server.blocklist() == [number[1:] for number in (*OTHERS, SOMEBODY)]


@row("§2", "only the blocklist's wa_id carries @s.whatsapp.net")
def _() -> None:
    server = with_blocked(SOMEBODY)
    assert server.ask("GET", BLOCKLIST).contacts == [{"wa_id": "16315551000@s.whatsapp.net"}]
    others = (server.check(SOMEBODY), server.ask("GET", of(SOMEBODY, "identity")), server.ask("GET", SETTINGS))
    assert not any("@" in answer.text for answer in others)


@row("§2", "the blocklist gives no date and no reason")
def _() -> None:
    server = a_contact_who_wrote()
    server.post(SOMEBODY, "block", {"reason": "spam"})
    answer = server.ask("GET", BLOCKLIST)
    assert [set(entry) for entry in answer.contacts] == [{"wa_id"}]
    assert "spam" not in answer.text


def _past_the_end(offset: int) -> Test:
    def test() -> None:
        answer = with_blocked(SOMEBODY, *OTHERS).ask("GET", f"{BLOCKLIST}?limit=5&offset={offset}")
        assert answer.contacts == []
        assert answer.members["pagination"] == {"limit": 5, "offset": offset, "total": 4}

    return test


for _offset in (4, 5, 64_000, 999_999_999):
    add("§2", f"offset {_offset}, past the end: an empty page with the true total", _past_the_end(_offset))
add(
    "§2",
    "offset 1000000000, past the end: an empty page with the true total",
    _past_the_end(1_000_000_000),
)


@row("§2", "the error of a contact that is not engaged")
def _() -> None:
    assert Server().post(SOMEBODY, "block").refusal() == {
        "code": 2048,
        "title": "Not engaged contact",
        "details": "Invalid Request. This contact hasn't engaged with you in the last 24 hrs.",
    }


@row("§2", "the error of a text that is no WhatsApp ID")
def _() -> None:
    for call in CALLS:
        assert Server().post("abc", call).refusal() == {
            "code": 1009,
            "title": "Parameter value is not valid",
            "details": "Provided WhatsApp ID is not valid. "
            "Please provide a valid WhatsApp ID or a phone number with a country code",
        }


@row("§2", "2048 travels with 400")
def _() -> None:
    assert {Server().post(SOMEBODY, call).status for call in ("block", "report")} == {400}


# Section 3: identity


def with_new_identity(number: str = SOMEBODY) -> Server:
    """Return a server that has just seen a new identity of `number`."""
    server = Server()
    server.write(number)
    server.world.people.change_identity(number, NOW)
    return server


@row("§3", "GET gives hash, created_timestamp and acknowledged, in an object")
def _() -> None:
    contacts = with_new_identity().identity("16315551000")
    assert set(contacts) == {"hash", "created_timestamp", "acknowledged"}
    assert [type(contacts[name]) for name in ("hash", "created_timestamp", "acknowledged")] == [str, int, bool]


@row("§3", "a wa_id, with or without +")
def _() -> None:
    server = with_new_identity()
    without, *others = (server.identity(text) for text in ("16315551000", "+16315551000", "%2B16315551000"))
    assert [other == without for other in others] == [True, True]
    for text in ("+16315551000", "16315551000"):
        assert server.ask("PUT", of(text, "identity"), {"hash": without["hash"]}).members == {}


@row("§3", "the wa_id of a number that was checked, where it is not the digits")
def _() -> None:
    server = with_new_identity("+525512345678")
    server.check("+52 55 1234 5678")
    assert server.identity("5215512345678")["acknowledged"] is False


@row(
    "§3",
    "the wa_id of a contact that wrote and was never checked, where it is not the digits",
)
def _() -> None:
    assert with_new_identity("+525512345678").identity("5215512345678")["acknowledged"] is False


@row("§3", "created_timestamp is in milliseconds")
def _() -> None:
    assert with_new_identity().identity("16315551000")["created_timestamp"] == NOW * 1000
    assert (NOW - 365 * DAY) * 1000 < Server().identity("16315551000")["created_timestamp"] <= NOW * 1000


@row("§3", "hash is 8 bytes in base64")
def _() -> None:
    for server in (Server(), with_new_identity()):
        assert len(base64.b64decode(server.identity("16315551000")["hash"], validate=True)) == 8


@row("§3", "PUT with the hash acknowledges")
def _() -> None:
    server = with_new_identity()
    identity = server.identity("16315551000")
    assert identity["acknowledged"] is False
    assert server.ask("PUT", of("16315551000", "identity"), {"hash": identity["hash"]}).status == 200
    assert server.identity("16315551000") == {**identity, "acknowledged": True}


@row("§3", "PUT answers {}, the one answer without meta")
def _() -> None:
    server = with_new_identity()
    answer = server.ask("PUT", of("16315551000", "identity"), {"hash": server.identity("16315551000")["hash"]})
    assert (answer.status, answer.text) == (200, "{}")


@row("§3", "a change gives another hash, which is not acknowledged")
def _() -> None:
    server = Server()
    before = server.identity("16315551000")
    server.world.people.change_identity(SOMEBODY, NOW)
    after = server.identity("16315551000")
    assert before["acknowledged"] is True
    assert after["acknowledged"] is False
    assert after["hash"] != before["hash"]


@row("§3", "unknown contact: 404 with 1006")
def _() -> None:
    server = Server()
    for text in (NOBODY[1:], NOBODY):
        assert server.ask("GET", of(text, "identity")).is_refused(1006)
        assert server.ask("PUT", of(text, "identity"), {"hash": "UKD6Y/5SqDU="}).is_refused(1006)


@row(
    "§3",
    "a text that is no wa_id is an unknown contact: 404 with 1006",
)
def _() -> None:
    answers = [Server().ask("GET", of(text, "identity")) for text in ("abc", "x", "%20", "1", "12-34")]
    assert [answer.status for answer in answers] == [404] * 5


@row("§3", "wrong or old hash: 400 with 1009")
def _() -> None:
    server = Server()
    old = server.identity("16315551000")["hash"]
    server.world.people.change_identity(SOMEBODY, NOW)
    for digest in (old, "AAAAAAAAAAA=", "", "no base64"):
        assert server.ask("PUT", of("16315551000", "identity"), {"hash": digest}).is_refused(1009)
    assert server.identity("16315551000")["acknowledged"] is False


# Section 4: authentication


@row("§4", "a login gives a token and expires_after, in users, beside meta")
def _() -> None:
    answer = Server().login({"new_password": PASSWORD}, "secret")
    assert answer.status == 200
    assert set(answer.members) == {"users", "meta"}
    (user,) = answer.members["users"]
    assert set(user) == {"token", "expires_after"}
    assert all(isinstance(value, str) and value for value in user.values())


@row("§4", "the token of a login is a bearer")
def _() -> None:
    server = Server()
    server.first_login()
    token = server.token()
    assert server.accepts(token)
    assert not server.accepts(token + "x")


@row("§4", "logout answers 200 and revokes that token alone")
def _() -> None:
    server = Server()
    server.first_login()
    first, second, third = server.token(), server.token(), server.token()
    assert server.ask("POST", LOGOUT, authorization=f"Bearer {second}").status == 200
    assert [server.accepts(token) for token in (first, second, third)] == [True, False, True]
    assert server.ask("POST", LOGOUT, authorization=f"Bearer {second}").is_refused(1005)


@row("§4", "tokens live 7 days")
def _() -> None:
    server = Server()
    server.first_login()
    token = server.token()
    server.now += 7 * DAY - 1
    assert server.accepts(token)
    server.now += 1
    assert not server.accepts(token)


@row("§4", "several tokens are valid at once; a new login revokes none")
def _() -> None:
    server = Server()
    server.first_login()
    tokens = []
    for _ in range(4):
        tokens.append(server.token())
        assert all(server.accepts(token) for token in tokens)
    assert len(set(tokens)) == 4


@row("§4", "a login with a new password revokes no token")
def _() -> None:
    server = Server()
    server.first_login()
    token = server.token()
    assert server.login({"new_password": "An0ther!pass"}).status == 200
    assert server.accepts(token)


@row("§4", "expires_after has a space and a numeric offset, and says when")
def _() -> None:
    text = Server().login({"new_password": PASSWORD}, "secret").members["users"][0]["expires_after"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d", text)
    assert datetime.fromisoformat(text) == datetime.fromtimestamp(NOW, UTC) + timedelta(days=7)


@row("§4", "the factory account is admin and secret; without a new password 401 with 1024")
def _() -> None:
    bodies: list[object] = [b"", {}, b"null"]
    for body in bodies:
        answer = Server().login(body, "secret")
        assert answer.status == 401
        assert answer.members["errors"] == [
            {"code": 1024, "title": "Password change required", "details": "Password must be changed"}
        ]


@row("§4", "the first login sets the password")
def _() -> None:
    server = Server()
    server.first_login()
    assert server.login().status == 200
    assert server.login(password="secret").is_refused(1005)


@row("§4", "bad JSON at login: 400 with 1025")
def _() -> None:
    for body in (b"{", b"new_password=x", b'{"new_password": "\xff"}'):
        assert Server().login(body, "secret").is_refused(1025)


@row("§4", "a weak password: 400 with 1009, and the old one stays")
def _() -> None:
    server = Server()
    assert server.login({"new_password": "secret"}, "secret").is_refused(1009)
    assert server.login({"new_password": "weak"}, "secret").is_refused(1009)
    server.first_login()
    assert server.login({"new_password": "weak"}).is_refused(1009)
    assert server.login().status == 200


PASSWORDS = [
    ("8 characters are enough", "Aa1!aaaa", True),
    ("7 are too few", "Aa1!aaa", False),
    ("64 characters are not too many", "Aa1!" + "a" * 60, True),
    ("65 are too many", "Aa1!" + "a" * 61, False),
    ("no digit", "Aaaaaaa!", False),
    ("no upper-case character", "aaaaaa1!", False),
    ("no lower-case character", "AAAAAA1!", False),
    ("no special character", "Aaaaaaa1", False),
    ("a space is no special character", "Aaaaaa 1", False),
    ("a letter with an accent is none either", "Aaaaaaé1", False),
]


def _password(password: str, is_right: bool) -> Test:
    def test() -> None:
        server = Server()
        answer = server.login({"new_password": password}, "secret")
        again = server.login(password=password)
        if is_right:
            assert (answer.status, again.status) == (200, 200)
        else:
            assert answer.is_refused(1009)
            assert again.is_refused(1005)

    return test


for _words, _text, _is_right in PASSWORDS:
    add("§4", f"a password: {_words}", _password(_text, _is_right))


@row("§4", "a password: every special character of the rule will do")
def _() -> None:
    for special in string.punctuation:
        server = Server()
        server.first_login(f"Passw0rd{special}")
        assert server.login(password=f"Passw0rd{special}").status == 200


@row("§4", "wrong credentials: 401 with 1005 Access denied")
def _() -> None:
    server = Server()
    server.first_login()
    for authorization in (
        "",
        "Basic",
        "Basic !",
        BEARER,
        basic("wrong"),
        basic(""),
        basic(PASSWORD, "nobody"),
        basic(PASSWORD, "abc"),
        basic(PASSWORD, "a" * 33),
    ):
        answer = server.ask("POST", LOGIN, authorization=authorization)
        assert (answer.status, answer.refusal()["title"]) == (401, "Access denied")
        assert answer.is_refused(1005)


def _needs_a_token(method: str, target: str) -> Test:
    def test() -> None:
        server = Server()
        server.first_login()
        expired = server.token()
        server.now += 7 * DAY
        for authorization in ("", "Bearer", "Bearer wrong", TOKEN, f"Basic {TOKEN}", f"Bearer {expired}"):
            assert server.ask(method, target, {}, authorization).is_refused(1005)

    return test


NEEDS_TOKEN = [
    ("POST", CHECK),
    ("GET", BLOCKLIST),
    *(("POST", of(SOMEBODY, call)) for call in CALLS),
    ("GET", of(SOMEBODY[1:], "identity")),
    ("PUT", of(SOMEBODY[1:], "identity")),
    ("POST", LOGOUT),
    ("GET", SETTINGS),
    ("PATCH", SETTINGS),
]
for _method, _target in (*NEEDS_TOKEN, ("GET", HEALTH)):
    add("§4", f"{_method} {_target}: missing or expired token: 401 with 1005", _needs_a_token(_method, _target))


@row("§4", "login bodies of real clients: none, {}, null, the current password")
def _() -> None:
    server = Server()
    server.first_login()
    for body in (b"", {}, b"null", {"new_password": PASSWORD}):
        assert server.login(body).status == 200


@row("§4", "an API key of 12 to 128 characters is valid for health")
def _() -> None:
    server = Server()
    for length, status in ((0, 401), (11, 401), (12, 200), (128, 200), (129, 401)):
        assert server.ask("GET", HEALTH, authorization="Apikey " + "k" * length).status == status


def _api_key_refused(method: str, target: str) -> Test:
    def test() -> None:
        answer = a_contact_who_wrote().ask(method, target, {"contacts": [SOMEBODY]}, API_KEY)
        assert answer.refusal()["code"] == 1005
        assert answer.status == 403

    return test


for _method, _target in NEEDS_TOKEN:
    add("§4", f"an API key is not valid for {_method} {_target}", _api_key_refused(_method, _target))


# Section 5: errors and overload


@row("§5", "the envelope: errors, and meta with api_status and version")
def _() -> None:
    answer = Server().check()
    assert set(answer.members) == {"errors", "meta"}
    assert answer.members["meta"] == {"api_status": "stable", "version": "v2.41"}
    (error,) = answer.members["errors"]
    assert (error["code"], error["title"]) == (1008, "Required parameter is missing")
    assert all(isinstance(error[name], str) for name in set(error) - {"code"})


@row("§5", "api_status is stable, deprecated or experimental")
def _() -> None:
    for answer in (Server().check(), Server().check(SOMEBODY), Server().ask("GET", HEALTH)):
        assert answer.members["meta"]["api_status"] in ("stable", "deprecated", "experimental")


@row("§5", "the table holds these codes and no others")
def _() -> None:
    assert set(ERRORS) == set(ERROR_TABLE)


def _in_the_table(code: int) -> Test:
    def test() -> None:
        assert tuple(ERRORS[code]) == ERROR_TABLE[code]

    return test


for _code, (_title, _status) in ERROR_TABLE.items():
    add("§5", f"{_code} is {_title}, with {_status}", _in_the_table(_code))

TOLD: list[tuple[int, Callable[[], Answer]]] = [
    (1005, lambda: Server().ask("GET", BLOCKLIST, authorization="")),
    (1006, lambda: Server().ask("GET", "/v1/nothing")),
    (1008, lambda: Server().check()),
    (1009, lambda: Server().post("abc", "block")),
    (1010, lambda: Server().ask("PATCH", SETTINGS, {"colour": "red"})),
    (1014, lambda: failing(Kind.INTERNAL_ERROR).check(SOMEBODY)),
    (1015, lambda: failing(Kind.TOO_MANY_REQUESTS).check(SOMEBODY)),
    (1016, lambda: failing(Kind.QUEUE_FULL).check(SOMEBODY)),
    (1024, lambda: Server().login(password="secret")),
    (1025, lambda: Server().ask("POST", CHECK, b"{")),
    (2048, lambda: Server().post(SOMEBODY, "block")),
]
"""A request for every code that the simulator gives as a refusal."""


def _told(code: int, ask: Callable[[], Answer]) -> Test:
    def test() -> None:
        assert ask().is_refused(code)

    return test


for _code, _ask in TOLD:
    add("§5", f"{_code} goes out with {ERROR_TABLE[_code][1]} and its title", _told(_code, _ask))


@row("§5", "unknown path: 404 with 1006, with or without a token")
def _() -> None:
    targets = ["/", "/v1", "/v1/contact", "/v1/contacts/", "/v2/contacts", "/v1/contacts//block", "/V1/contacts"]
    targets += [of(SOMEBODY, "ban"), of(SOMEBODY, "block/"), "/v1/users/admin", "//v1/contacts", "/v1/support"]
    for target in targets:
        for method in ("GET", "POST", "PUT", "DELETE"):
            for authorization in (BEARER, ""):
                assert Server().ask(method, target, authorization=authorization).is_refused(1006), target


METHODS = {
    CHECK: {"POST"},
    BLOCKLIST: {"GET"},
    of(SOMEBODY, "block"): {"POST"},
    of(SOMEBODY, "unblock"): {"POST"},
    of(SOMEBODY, "report"): {"POST"},
    of(SOMEBODY, "identity"): {"GET", "PUT"},
    LOGIN: {"POST"},
    LOGOUT: {"POST"},
    HEALTH: {"GET"},
    SETTINGS: {"GET", "PATCH"},
    CA: {"GET"},
}


def _only(target: str, allowed: set[str]) -> Test:
    def test() -> None:
        for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - allowed:
            assert Server().ask(method, target).is_refused(1025, 405), method
        for method in allowed:
            assert Server().ask(method, target).status != 405

    return test


for _target, _allowed in METHODS.items():
    add("§5", f"{_target} but by {' and '.join(sorted(_allowed))}: 405 with 1025", _only(_target, _allowed))


def _too_large(method: str, target: str) -> Test:
    def test() -> None:
        server = a_contact_who_wrote()
        authorization = basic("secret") if target == LOGIN else BEARER
        answer = server.ask(method, target, b"{", authorization, is_too_large=True)
        assert answer.is_refused(1009, 413)
        assert server.blocklist() == []

    return test


TAKES_BODY = [
    ("POST", CHECK),
    ("POST", of(SOMEBODY, "block")),
    ("POST", of(SOMEBODY, "report")),
    ("PUT", of(SOMEBODY[1:], "identity")),
    ("POST", LOGIN),
    ("PATCH", SETTINGS),
]
for _method, _target in TAKES_BODY:
    add("§5", f"{_method} {_target} with more than 8 MiB: 413 with 1009", _too_large(_method, _target))
for _method, _target in (("POST", of(SOMEBODY, "unblock")), ("POST", LOGOUT)):
    add("§5", f"{_method} {_target} with more than 8 MiB: 413 with 1009", _too_large(_method, _target))


@row("§5", "a burst of 60 requests passes, then 429 with 1015")
def _() -> None:
    server = Server(rate_limit=True)
    assert [server.check(SOMEBODY).status for _ in range(60)] == [200] * 60
    assert server.check(SOMEBODY).is_refused(1015)


@row("§5", "20 requests a second go on for ever")
def _() -> None:
    server = Server(rate_limit=True)
    assert [server.ask("GET", HEALTH).status for _ in range(60)] == [200] * 60
    for _ in range(10):
        server.now += 1
        assert [server.ask("GET", HEALTH).status for _ in range(30)] == [200] * 20 + [429] * 10
    server.now += HOUR
    assert [server.ask("GET", HEALTH).status for _ in range(61)] == [200] * 60 + [429]


@row("§5", "the limit is one for contacts and the other endpoints that send no message")
def _() -> None:
    server = Server(rate_limit=True)
    for _ in range(20):
        assert server.check(SOMEBODY).status == 200
        assert server.ask("GET", BLOCKLIST).status == 200
        assert server.ask("GET", HEALTH).status == 200
    for method, target in (*NEEDS_TOKEN, ("GET", HEALTH), ("POST", LOGIN), ("GET", CA)):
        assert server.ask(method, target).is_refused(1015)
    assert server.ask("POST", "/v1/messages").status != 429


@row("§5", "limits count requests, not numbers")
def _() -> None:
    server, numbers = Server(rate_limit=True), [f"+1631555{line:04}" for line in range(100)]
    assert [server.check(*numbers).status for _ in range(60)] == [200] * 60
    assert server.check(SOMEBODY).is_refused(1015)


@row("§5", "a full queue answers 503, with or without Retry-After")
def _() -> None:
    for members, headers in (({}, {}), ({"retry_after": 3}, {"retry-after": "3"})):
        answer = failing(Kind.QUEUE_FULL, **members).check(SOMEBODY)
        assert answer.is_refused(1016)
        assert answer.headers == headers


@row("§5", "a 429 comes with or without Retry-After")
def _() -> None:
    for members, headers in (({}, {}), ({"retry_after": 60}, {"retry-after": "60"})):
        answer = failing(Kind.TOO_MANY_REQUESTS, **members).check(SOMEBODY)
        assert answer.is_refused(1015)
        assert answer.headers == headers


@row("§5", "what is refused by 429 or 503 is not begun")
def _() -> None:
    for kind in (Kind.TOO_MANY_REQUESTS, Kind.QUEUE_FULL):
        server = failing(kind, nth=1)
        server.check(SOMEBODY)
        assert server.world.known == 0


# Section 6: health and settings


@row("§6", "health takes a bearer token or an API key")
def _() -> None:
    for authorization, status in ((BEARER, 200), (API_KEY, 200), ("", 401), ("Bearer wrong", 401)):
        assert Server().ask("GET", HEALTH, authorization=authorization).status == status


@row("§6", "health of a single server")
def _() -> None:
    assert Server().ask("GET", HEALTH).members == {
        "health": {"gateway_status": "connected"},
        "meta": {"api_status": "stable", "version": "v2.41"},
    }


GATEWAY_STATUSES = {"connected", "connecting", "disconnected", "uninitialized", "unregistered"}


@row("§6", "health of a cluster: entries by host and container, each with status and role, or errors")
def _() -> None:
    answer = Server(cluster=True).ask("GET", HEALTH).members
    assert set(answer) == {"health", "meta"}
    entries = answer["health"]
    assert all(re.fullmatch(r"[^:]+:[^:]+", name) for name in entries)
    healthy = [entry for entry in entries.values() if "errors" not in entry]
    assert {entry["gateway_status"] for entry in healthy} <= GATEWAY_STATUSES
    assert [entry["role"] for entry in healthy].count("primary_master") == 1


@row("§6", "an entry of health may hold errors instead")
def _() -> None:
    entries = Server(cluster=True).ask("GET", HEALTH).members["health"].values()
    (sick,) = [entry for entry in entries if "errors" in entry]
    assert set(sick) == {"errors"}
    assert [(error["code"], error["title"]) for error in sick["errors"]] == [(1011, "Service not ready")]


def settings_of(server: Server) -> dict[str, Any]:
    """Return the application settings, after a look at what they are in."""
    answer = server.ask("GET", SETTINGS)
    assert answer.status == 200
    assert set(answer.members) == {"settings", "meta"}
    assert set(answer.members["settings"]) == {"application"}
    application: dict[str, Any] = answer.members["settings"]["application"]
    return application


@row("§6", "settings give wa_id and show_security_notifications, which is false at first")
def _() -> None:
    settings = settings_of(Server())
    assert settings["show_security_notifications"] is False
    assert settings["wa_id"].isdigit()


@row("§6", "the own wa_id gives the country code that a check prepends")
def _() -> None:
    for region, text in (("US", "6315551002"), ("IN", "6315551002"), ("DE", "030 123456"), ("MX", "55 1234 5678")):
        server = Server(region, version=NEWEST)
        code = str(phonenumbers.country_code_for_region(region))
        wa_id = server.wa_id(text)
        assert wa_id is not None
        assert wa_id.startswith(code)
        assert settings_of(server)["wa_id"].startswith(code)


@row("§6", "PATCH with a part of the settings: 200 {}, and it stays")
def _() -> None:
    server = Server(meta=False)
    for shown in (True, True, False):
        answer = server.ask("PATCH", SETTINGS, {"show_security_notifications": shown})
        assert (answer.status, answer.text) == (200, "{}")
        application = server.ask("GET", SETTINGS).members["settings"]["application"]
        assert application["show_security_notifications"] is shown


@row("§6", "PATCH with an empty part changes nothing")
def _() -> None:
    server = Server()
    server.ask("PATCH", SETTINGS, {"show_security_notifications": True})
    before = settings_of(server)
    assert server.ask("PATCH", SETTINGS, {}).is_done()
    assert settings_of(server) == before


@row(
    "§6",
    "PATCH with any part of what GET gave: 200",
)
def _() -> None:
    server = Server()
    settings = settings_of(server)
    assert server.ask("PATCH", SETTINGS, {**settings, "show_security_notifications": True}).is_done()
    assert settings_of(server) == {**settings, "show_security_notifications": True}


# Section 7: TLS


@row("§7", "the port is 9090 where no other is given")
def _() -> None:
    assert {option.name: option.default for option in simulate.params}["port"] == 9090


@row("§7", "no certificate: 404 with 1006")
def _() -> None:
    assert Server().ask("GET", CA).is_refused(1006)


@row("§7", "the CA comes as PEM, and needs no token")
def _() -> None:
    for authorization in ("", "Bearer wrong", BEARER):
        answer = Server(ca=PEM).ask("GET", CA, authorization=authorization)
        assert (answer.status, answer.text) == (200, PEM)
        assert "pem" in answer.content_type


def trusting(pem: str, *, partial_chain: bool = False) -> ssl.SSLContext:
    """Return a context that trusts the certificate `pem` alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=pem)
    if partial_chain:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def fetched(server: ServerThread, context: ssl.SSLContext) -> str:
    """Return the CA as the server gives it."""
    connection = http.client.HTTPSConnection(server.host, server.port, timeout=10, context=context)
    try:
        connection.request("GET", CA)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


@row("§7", "the handshake gives the certificate; a pinned leaf needs VERIFY_X509_PARTIAL_CHAIN; the CA signed it")
def _() -> None:
    tls = make_tls("127.0.0.1")
    simulator = Simulator(a_world(), TOKEN, ca=tls.ca)
    with ServerThread(App(simulator), tls=tls.context) as server:
        leaf = ssl.get_server_certificate((server.host, server.port), timeout=10)
        assert leaf.strip() != tls.ca.strip()
        with pytest.raises(ssl.SSLCertVerificationError):
            fetched(server, trusting(leaf))
        assert simulator.record.requests_made == 0
        ca = fetched(server, trusting(leaf, partial_chain=True))
        assert fetched(server, trusting(ca)) == ca == tls.ca


# Section 9: traps


@row("§9", "an answer is strict JSON, without comments and with every bracket closed")
def _() -> None:
    answer = Server().check(SOMEBODY, NOBODY, NO_NUMBER)
    assert "#" not in answer.text
    assert json.loads(answer.text, parse_constant=lambda name: pytest.fail(name))["contacts"]


@row("§9", "report is asked at /report: /block is a block and no report")
def _() -> None:
    server = a_contact_who_wrote()
    server.post(SOMEBODY, "block", {"reason": "spam"})
    assert server.world.people.reported == []
    server.post(SOMEBODY, "unblock")
    server.post(SOMEBODY, "report", {"reason": "spam"})
    assert [number for number, _ in server.world.people.reported] == [SOMEBODY]
    assert server.blocklist() == []


@row("§9", "block as a string: the text false does not block")
def _() -> None:
    server = a_contact_who_wrote()
    assert server.post(SOMEBODY, "report", {"block": "false"}).is_done()
    assert server.blocklist() == []


@row("§9", "block as any other string is refused, and nothing is done")
def _() -> None:
    for text in ("", "yes", "1", "True", "FALSE"):
        server = a_contact_who_wrote()
        assert server.post(SOMEBODY, "report", {"block": text}).is_refused(1009)
        assert (server.world.people.reported, server.blocklist()) == ([], [])


@row("§9", "wa_id in two spellings: one contact")
def _() -> None:
    server = with_blocked(SOMEBODY)
    (listed,) = server.ask("GET", BLOCKLIST).contacts
    assert listed["wa_id"] == f"{server.wa_id(SOMEBODY)}@s.whatsapp.net"


@row("§9", "v2.42 undefined: it answers, and names itself")
def _() -> None:
    answer = Server(version=UNDESCRIBED).check(SOMEBODY)
    assert (answer.status, answer.members["meta"]["version"]) == (200, UNDESCRIBED)


@row("§9", "processing with a wa_id: the wa_id is the one that valid gives")
def _() -> None:
    for number in (SOMEBODY, "+525512345678"):
        server = Server(version=NEWEST, latency=TWO_SECONDS, processing_wa_id=True)
        early = server.check(number).contacts[0]
        server.now += 2
        late = server.check(number).contacts[0]
        assert (early["status"], late["status"]) == ("processing", "valid")
        assert early["wa_id"] == late["wa_id"]


@row("§9", "contacts is an object for identity and an array elsewhere")
def _() -> None:
    server = with_blocked(SOMEBODY)
    assert type(server.identity("16315551000")) is dict
    assert type(server.ask("GET", BLOCKLIST).contacts) is list
    assert type(server.check(SOMEBODY).contacts) is list


@row("§9", "milliseconds for an identity, a date text at login")
def _() -> None:
    server = with_new_identity()
    moment = server.identity("16315551000")["created_timestamp"]
    text = server.login({"new_password": PASSWORD}, "secret").members["users"][0]["expires_after"]
    assert datetime.fromisoformat(text) - datetime.fromtimestamp(moment / 1000, UTC) == timedelta(days=7)


def _redirect(status: int) -> Test:
    def test() -> None:
        server = failing(Kind.REDIRECT, status=status, location="https://elsewhere.example/v1/contacts")
        answer = server.check(SOMEBODY)
        assert answer.status == status
        assert answer.headers == {"location": "https://elsewhere.example/v1/contacts"}
        assert answer.text == ""
        assert server.world.known == 0

    return test


for _status in (301, 302, 303, 307, 308):
    add("§9", f"a redirect by {_status}: no body, and nothing is begun", _redirect(_status))


@row("§9", "a number that is percent-encoded stays one part of the path")
def _() -> None:
    server = with_blocked(SOMEBODY)
    for text in ("..%2F..%2Fusers", "%2E%2E%2F%2E%2E", "1%2Funblock%3F", "blocklist%3Flimit=1%23"):
        for call in CALLS:
            assert server.post(text, call).is_refused(1009)
    assert server.ask("POST", "/v1/contacts/%2B16315551000%2Funblock").is_refused(1006)
    assert server.blocklist() == [SOMEBODY[1:]]


@row("§9", "../ in a path leads to no other endpoint")
def _() -> None:
    server = Server()
    assert server.ask("POST", "/v1/contacts/../users/login", {"new_password": PASSWORD}, basic("secret")).status == 404
    assert server.ask("GET", "/v1/contacts/../health").is_refused(1006)
    assert server.ask("POST", "/v1/contacts/../block").is_refused(1009)


# What runs the table


@pytest.mark.parametrize("test", ROWS)
def test_the_contract(test: Test) -> None:
    test()


def test_every_section_that_a_server_can_show_has_rows() -> None:
    """Section 8 is about gateways; every other heading of the contract has rows, and no row stands twice."""
    text = resources.files("watui.contract").joinpath("contract.md").read_text("utf-8")
    headings = set(re.findall(r"^## (\d+)\. ", text, re.MULTILINE))
    assert len(headings) == 9
    assert {f"§{number}" for number in headings} - {"§8"} == set(SECTIONS)
    assert len(set(SENTENCES)) == len(SENTENCES)
