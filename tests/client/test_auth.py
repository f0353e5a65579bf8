"""How we become known to a server: logins as tables, against a server that is a function, and against the simulator."""

import asyncio
import base64
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from watui.client.auth import (
    LEAST_LIFE_SECONDS,
    LOGIN_PATH,
    RENEWAL_RETRY_SECONDS,
    Auth,
    Credentials,
    Deferred,
    Fixed,
    Login,
    Token,
    log_in,
    log_out,
    parse_expiry,
    without_secrets,
)
from watui.client.contacts import ContactsClient
from watui.client.exchanges import Exchanges
from watui.client.failures import (
    AccessDenied,
    Failure,
    NoCredentials,
    NotYetAccepted,
    PasswordChangeRequired,
    Refused,
    ServerTrouble,
    Unusable,
    WrongPassword,
)
from watui.client.server import Server
from watui.client.transport import Transport

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000.0
NUMBER = "+16315551000"
CANARY = "Canary-Pass1"
WEEK = 7 * 24 * 3600.0
DENIED = {"errors": [{"code": 1005, "title": "Access denied"}]}


class Clock:
    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> float:
        return self.at


class StandIn:
    """A server that logs one user in, accepts the tokens that it gave until they expire, and writes down all it gets.

    What it says to a login can be given beforehand, in `logins`; so can a refusal of every token, in `refuses`.
    """

    def __init__(self, clock: Clock, password: str = CANARY, life: float = WEEK) -> None:
        self.clock, self.password, self.life = clock, password, life
        self.requests: list[httpx.Request] = []
        self.answers: list[httpx.Response] = []
        """To logins, before all others."""
        self.refuses = False
        self.good: dict[str, float] = {}
        self.is_down = False
        self.came = asyncio.Event()
        """Set once there was a request."""

    @property
    def logins(self) -> list[httpx.Request]:
        return [request for request in self.requests if request.url.path == LOGIN_PATH]

    @property
    def others(self) -> list[httpx.Request]:
        return [request for request in self.requests if request.url.path != LOGIN_PATH]

    @property
    def given(self) -> list[str]:
        return list(self.good)

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.came.set()
        await asyncio.sleep(0)
        if request.url.path == LOGIN_PATH:
            return self._login(request.headers["authorization"])
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or self.refuses or self.good.get(token, 0) <= self.clock.at:
            return httpx.Response(401, json=DENIED)
        if request.url.path != "/v1/contacts":
            return httpx.Response(200, json={})
        inputs = json.loads(request.content)["contacts"]
        return httpx.Response(200, json={"contacts": [{"input": text, "status": "valid"} for text in inputs]})

    def _login(self, authorization: str) -> httpx.Response:
        if self.is_down:
            raise httpx.ConnectError("refused")
        if self.answers:
            return self.answers.pop(0)
        scheme, _, encoded = authorization.partition(" ")
        if (scheme, base64.b64decode(encoded).decode()) != ("Basic", f"admin:{self.password}"):
            return httpx.Response(401, json=DENIED)
        token = f"token-{len(self.good) + 1}"
        self.good[token] = self.clock.at + self.life
        expiry = time.strftime("%Y-%m-%d %H:%M:%S+00:00", time.gmtime(self.clock.at + self.life))
        return httpx.Response(200, json={"users": [{"token": token, "expires_after": expiry}]})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stand_in(clock: Clock) -> StandIn:
    return StandIn(clock)


def client_of(stand_in: StandIn, auth: Auth, exchanges: Exchanges | None = None) -> ContactsClient:
    server = Server.at("http://wa.example.com")
    return ContactsClient(Transport(server, exchanges or Exchanges(), httpx.MockTransport(stand_in), auth))


def login_of(stand_in: StandIn, password: str = CANARY, token: Token | None = None) -> Login:
    return Login(lambda: Credentials("admin", password), token, now=stand_in.clock)


# A token is kept and renewed


async def test_one_login_does_for_every_request(stand_in: StandIn) -> None:
    kept: list[Token] = []
    client = client_of(stand_in, Login(lambda: Credentials("admin", CANARY), None, kept.append, stand_in.clock))
    for _ in range(5):
        assert (await client.check([NUMBER])).contacts[NUMBER].status == "valid"
    assert len(stand_in.logins) == 1
    assert len(stand_in.others) == 5
    assert kept == [Token("token-1", NOW + 0.9 * WEEK, NOW + WEEK)]


async def test_a_token_that_was_kept_needs_no_login(stand_in: StandIn) -> None:
    stand_in.good["old"] = NOW + WEEK
    await client_of(stand_in, login_of(stand_in, token=Token("old", NOW + 9, NOW + 10))).check([NUMBER])
    assert stand_in.logins == []


@pytest.mark.parametrize(("share", "logins"), [(0.0, 1), (0.5, 1), (0.899, 1), (0.9, 2), (0.95, 2), (1.0, 2), (5.0, 2)])
async def test_a_token_is_renewed_before_it_is_used_from_nine_tenths_of_its_life_on(
    stand_in: StandIn, share: float, logins: int
) -> None:
    client = client_of(stand_in, login_of(stand_in))
    await client.check([NUMBER])
    stand_in.clock.at += share * WEEK
    await client.check([NUMBER])
    assert len(stand_in.logins) == logins
    assert len(stand_in.others) == 2, "no request was refused for it"


@pytest.mark.parametrize("answer", [httpx.Response(500), httpx.Response(401, json=DENIED), None], ids=str)
async def test_a_renewal_that_fails_keeps_the_token_until_it_expires(
    stand_in: StandIn, answer: httpx.Response | None
) -> None:
    client = client_of(stand_in, login_of(stand_in))
    await client.check([NUMBER])
    stand_in.clock.at += 0.9 * WEEK
    stand_in.is_down = answer is None
    stand_in.answers = [answer] * 3 if answer is not None else []
    for _ in range(3):
        await client.check([NUMBER])
    assert len(stand_in.logins) == 2, "the renewal is not tried with every request"
    stand_in.clock.at += RENEWAL_RETRY_SECONDS
    await client.check([NUMBER])
    assert len(stand_in.logins) == (2 if answer is not None and answer.status_code == 401 else 3)
    stand_in.clock.at = NOW + WEEK
    with pytest.raises(Failure):
        await client.check([NUMBER])
    assert {request.headers["authorization"] for request in stand_in.others} == {"Bearer token-1"}
    assert len(stand_in.others) == 5, "an expired token is not even sent"


async def test_twenty_requests_at_once_make_one_login(stand_in: StandIn) -> None:
    for token in (None, Token("expired", NOW - 2, NOW - 1), Token("revoked", NOW + 2 * WEEK, NOW + 3 * WEEK)):
        stand_in.requests.clear()
        client = client_of(stand_in, login_of(stand_in, token=token))
        await asyncio.gather(*(client.check([NUMBER]) for _ in range(20)))
        assert len(stand_in.logins) == 1
        assert len(stand_in.others) == (40 if token and token.value == "revoked" else 20)


async def test_twenty_requests_at_once_share_a_login_that_fails(stand_in: StandIn) -> None:
    client = client_of(stand_in, login_of(stand_in))
    stand_in.answers = [httpx.Response(500)] * 20
    results = await asyncio.gather(*(client.check([NUMBER]) for _ in range(20)), return_exceptions=True)
    assert {type(result) for result in results} == {ServerTrouble}
    assert (len(stand_in.logins), len(stand_in.others)) == (1, 0)
    stand_in.answers.clear()
    assert (await client.check([NUMBER])).contacts, "whoever comes later tries anew"


async def test_a_login_that_is_interrupted_is_left_to_the_next_request(stand_in: StandIn) -> None:
    client = client_of(stand_in, login_of(stand_in))
    first, second = (asyncio.create_task(client.check([NUMBER])) for _ in range(2))
    await stand_in.came.wait()
    first.cancel()
    assert (await second).contacts
    with pytest.raises(asyncio.CancelledError):
        await first


# A token is refused


STEPS: dict[str, Callable[[ContactsClient], Any]] = {
    "check": lambda client: client.check([NUMBER]),
    "block": lambda client: client.block(NUMBER, "spam"),
    "report": lambda client: client.report(NUMBER, "spam"),
    "acknowledge": lambda client: client.acknowledge("16315551000", "UKD6Y/5SqDU="),
}


@pytest.mark.parametrize("what", STEPS)
async def test_a_refused_token_is_renewed_and_the_request_sent_once_more(stand_in: StandIn, what: str) -> None:
    client = client_of(stand_in, login_of(stand_in, token=Token("revoked", NOW + WEEK, NOW + 2 * WEEK)))
    await STEPS[what](client)
    refused, again = stand_in.others
    assert (refused.method, refused.url, refused.content) == (again.method, again.url, again.content)
    assert [request.headers["authorization"] for request in (refused, again)] == ["Bearer revoked", "Bearer token-1"]
    assert len(stand_in.logins) == 1


@pytest.mark.parametrize("what", STEPS)
async def test_a_fresh_token_that_is_refused_makes_no_second_login(stand_in: StandIn, what: str) -> None:
    client = client_of(stand_in, login_of(stand_in, token=Token("revoked")))
    stand_in.refuses = True
    for tries in range(1, 4):
        with pytest.raises(NotYetAccepted, match="Access denied") as caught:
            await STEPS[what](client)
        assert (caught.value.code, caught.value.http_status, caught.value.may_have_worked) == (1005, 401, False)
        assert (len(stand_in.logins), len(stand_in.others)) == (1, 1 + tries)
    stand_in.clock.at += LEAST_LIFE_SECONDS
    with pytest.raises(AccessDenied):
        await STEPS[what](client)
    assert len(stand_in.logins) == 2, "after a while another one may do"


@pytest.mark.parametrize("token", ["given", None])
async def test_a_token_that_a_person_gave_is_refused_once_and_for_all(stand_in: StandIn, token: str | None) -> None:
    with pytest.raises(AccessDenied) as caught:
        await client_of(stand_in, Fixed(token)).check([NUMBER])
    assert not isinstance(caught.value, NotYetAccepted)
    (request,) = stand_in.requests
    assert request.headers.get("authorization") == (f"Bearer {token}" if token else None)


# A password is wrong


async def test_a_wrong_password_is_sent_once_however_many_requests_follow(stand_in: StandIn) -> None:
    password = "wrong"
    client = client_of(stand_in, Login(lambda: Credentials("admin", password), now=stand_in.clock))
    for _ in range(3):
        for result in await asyncio.gather(*(client.check([NUMBER]) for _ in range(10)), return_exceptions=True):
            assert isinstance(result, WrongPassword)
            assert "does not let admin in" in result.title
            assert "watui login" in result.next_step
        stand_in.clock.at += 1000
    assert (len(stand_in.logins), len(stand_in.others)) == (1, 0)
    password = CANARY
    assert (await client.check([NUMBER])).contacts, "another password is tried"
    assert len(stand_in.logins) == 2


async def test_a_server_that_wants_another_password_says_so_once(stand_in: StandIn) -> None:
    said = {"errors": [{"code": 1024, "title": "Password change required", "details": "Password must be changed"}]}
    stand_in.answers = [httpx.Response(401, json=said)]
    client = client_of(stand_in, login_of(stand_in))
    for _ in range(2):
        with pytest.raises(PasswordChangeRequired, match="admin must have another password"):
            await client.check([NUMBER])
    assert len(stand_in.requests) == 1


@pytest.mark.parametrize("is_deferred", [False, True])
async def test_without_credentials_nothing_is_sent(stand_in: StandIn, is_deferred: bool) -> None:
    login = Login(lambda: None, now=stand_in.clock)
    with pytest.raises(NoCredentials, match="no password"):
        await client_of(stand_in, Deferred(lambda: login) if is_deferred else login).check([NUMBER])
    assert stand_in.requests == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(200, json={"users": []}), Unusable),
        (httpx.Response(200, json={}), Unusable),
        (httpx.Response(200, text="<html>"), Unusable),
        (httpx.Response(302), Unusable),
        (httpx.Response(500), ServerTrouble),
        (httpx.Response(400, json={"errors": [{"code": 1009, "title": "Parameter value is not valid"}]}), Refused),
        (httpx.Response(200, json={"users": [{"token": "a b", "expires_after": ""}]}), Unusable),
        (httpx.Response(200, json={"users": [{"token": "", "expires_after": ""}]}), Unusable),
        (httpx.Response(200, json={"users": [{"token": "é\n", "expires_after": ""}]}), Unusable),
    ],
    ids=range(9),
)
async def test_a_login_without_a_token_is_a_failure(
    stand_in: StandIn, answer: httpx.Response, kind: type[Failure]
) -> None:
    stand_in.answers = [answer]
    with pytest.raises(kind):
        await client_of(stand_in, login_of(stand_in)).check([NUMBER])
    assert stand_in.others == []


# What is found when it is first needed


async def test_what_is_deferred_is_looked_for_once(stand_in: StandIn) -> None:
    found: list[str] = []

    def find() -> Auth:
        found.append("looked")
        return login_of(stand_in)

    client = client_of(stand_in, Deferred(find))
    assert found == []
    for _ in range(3):
        await client.check([NUMBER])
    assert (found, len(stand_in.logins)) == (["looked"], 1)


async def test_what_was_refused_is_looked_for_again(stand_in: StandIn) -> None:
    stand_in.good["right"] = NOW + 1
    tokens = iter(["wrong", "right"])
    client = client_of(stand_in, Deferred(lambda: Fixed(next(tokens))))
    assert (await client.check([NUMBER])).contacts
    assert [request.headers["authorization"] for request in stand_in.requests] == ["Bearer wrong", "Bearer right"]


async def test_the_same_token_is_not_sent_twice(stand_in: StandIn) -> None:
    client = client_of(stand_in, Deferred(lambda: Fixed("wrong")))
    with pytest.raises(AccessDenied):
        await client.check([NUMBER])
    assert len(stand_in.requests) == 1


@pytest.mark.parametrize("password", [CANARY, "Wrong-Pass1"])
async def test_many_at_once_look_once_and_log_in_once(stand_in: StandIn, password: str) -> None:
    looks: list[int] = []
    may_go = threading.Event()

    def find() -> Auth:
        looks.append(1)
        may_go.wait(10)
        return login_of(stand_in, password)

    client = client_of(stand_in, Deferred(find))
    asked = [asyncio.create_task(client.check([NUMBER])) for _ in range(8)]
    await asyncio.sleep(0)
    may_go.set()
    ended = await asyncio.gather(*asked, return_exceptions=True)
    assert len(stand_in.logins) == 1
    if password == CANARY:
        assert (len(looks), len(stand_in.others)) == (1, 8)
    else:
        assert {type(each) for each in ended} == {WrongPassword}


async def test_a_token_that_is_given_late_is_taken_up(stand_in: StandIn) -> None:
    stand_in.good["late"] = NOW + 1
    given: list[str] = []
    client = client_of(stand_in, Deferred(lambda: Fixed(given[0] if given else None)))
    with pytest.raises(AccessDenied):
        await client.check([NUMBER])
    given.append("late")
    assert (await client.check([NUMBER])).contacts


async def test_a_login_takes_over_from_a_token_and_a_token_from_a_login(stand_in: StandIn) -> None:
    stand_in.good["given"] = NOW + 1
    ways: list[Auth] = [Fixed("made-up")]
    client = client_of(stand_in, Deferred(lambda: ways[-1]))
    with pytest.raises(AccessDenied):
        await client.check([NUMBER])
    ways.append(login_of(stand_in))
    assert (await client.check([NUMBER])).contacts
    ways[:] = [login_of(stand_in, "Wrong-Pass1")]
    client = client_of(stand_in, Deferred(lambda: ways[-1]))
    with pytest.raises(WrongPassword):
        await client.check([NUMBER])
    ways.append(Fixed("given"))
    assert (await client.check([NUMBER])).contacts


# What travels, and what is read


@pytest.mark.parametrize(("new_password", "body"), [(None, None), ("New-Pass1", {"new_password": "New-Pass1"})])
async def test_a_login_is_basic_with_no_body_but_a_new_password(
    stand_in: StandIn, new_password: str | None, body: object
) -> None:
    transport = Transport(Server.at("http://wa.example.com"), Exchanges(), httpx.MockTransport(stand_in))
    token = await log_in(transport.post, Credentials("admin", CANARY), new_password, now=NOW)
    assert token == Token("token-1", NOW + 0.9 * WEEK, NOW + WEEK)
    (request,) = stand_in.requests
    assert (request.method, request.url.path) == ("POST", "/v1/users/login")
    assert request.headers["authorization"] == "Basic " + base64.b64encode(f"admin:{CANARY}".encode()).decode()
    assert (json.loads(request.content) if request.content else None) == body


async def test_a_logout_bears_the_token_that_it_revokes(stand_in: StandIn) -> None:
    stand_in.good["mine"] = NOW + 1
    transport = Transport(Server.at("http://wa.example.com"), Exchanges(), httpx.MockTransport(stand_in))
    await log_out(transport.post, "mine")
    (request,) = stand_in.requests
    assert (request.url.path, request.headers["authorization"]) == ("/v1/users/logout", "Bearer mine")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2018-03-01 15:29:26+00:00", 1519918166.0),
        ("2018-03-01T15:29:26Z", 1519918166.0),
        (" 2018-03-01T15:29:26Z\n", 1519918166.0),
        ("2018-03-01 17:29:26+02:00", 1519918166.0),
        ("2018-03-01 15:29:26", 1519918166.0),
        ("2018-03-01T15:29:26.500Z", 1519918166.5),
        ("", None),
        ("never", None),
        ("1519918166", None),
        ("2018-02-30 00:00:00+00:00", None),
        ("0001-01-01 00:00:00+14:00", None),
        ("9999-12-31 23:59:59-14:00", None),
    ],
)
def test_an_expiry_is_read_in_both_forms(text: str, expected: float | None) -> None:
    assert parse_expiry(text) == expected


@pytest.mark.parametrize("expires_after", ["soon", "2001-01-01 00:00:00+00:00"])
async def test_a_token_whose_expiry_makes_no_sense_is_used_until_it_is_refused(
    stand_in: StandIn, expires_after: str
) -> None:
    stand_in.good["odd"] = NOW + WEEK
    stand_in.answers = [httpx.Response(200, json={"users": [{"token": "odd", "expires_after": expires_after}]})]
    client = client_of(stand_in, login_of(stand_in))
    for _ in range(3):
        await client.check([NUMBER])
        stand_in.clock.at += WEEK / 4
    assert len(stand_in.logins) == 1
    stand_in.clock.at += WEEK
    await client.check([NUMBER])
    assert len(stand_in.logins) == 2


# Nothing of it is told

QUOTED = 'Quo"ted\\Påss1'
PASSWORDS = [CANARY, QUOTED]


def quoting(request: httpx.Request, status: int, password: str) -> httpx.Response:
    """Answer as a server that says back all that it got."""
    words = f"{request.headers.get('authorization')} {password} {request.content.decode()}"
    return httpx.Response(status, json={"errors": [{"code": 1005, "title": words, "details": words}]})


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 429, 500, 503])
@pytest.mark.parametrize("password", PASSWORDS)
@pytest.mark.parametrize("new_password", [None, "Canary-New-Pass2"])
async def test_a_login_that_fails_tells_no_secret_though_the_server_quotes_it(
    status: int, password: str, new_password: str | None
) -> None:
    exchanges = Exchanges()
    handler = httpx.MockTransport(lambda request: quoting(request, status, password))
    transport = Transport(Server.at("http://wa.example.com"), exchanges, handler)
    credentials = Credentials("admin", password)
    with pytest.raises(Failure) as caught:
        await log_in(transport.post, credentials, new_password, now=NOW)
    basic = credentials.authorization.removeprefix("Basic ")
    assert_untold([password, basic, new_password or CANARY], exchanges, caught.value)
    assert "admin" in caught.value.title or "***" in caught.value.title


@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
async def test_a_request_that_fails_tells_no_token_though_the_server_quotes_it(status: int) -> None:
    exchanges = Exchanges()
    handler = httpx.MockTransport(lambda request: quoting(request, status, ""))
    client = ContactsClient(Transport(Server.at("http://wa.example.com", "canary-token"), exchanges, handler))
    with pytest.raises(Failure) as caught:
        await client.check([NUMBER])
    assert_untold(["canary-token"], exchanges, caught.value)


async def test_a_login_that_works_is_written_down_without_its_secrets(stand_in: StandIn) -> None:
    exchanges = Exchanges()
    stand_in.password = QUOTED
    login = login_of(stand_in, QUOTED)
    await client_of(stand_in, login, exchanges).check([NUMBER])
    basic = Credentials("admin", QUOTED).authorization.removeprefix("Basic ")
    assert_untold([QUOTED, basic, "token-1"], exchanges, login, Credentials("admin", QUOTED), Token("token-1"))
    assert [exchange.secret for exchange in exchanges] == ["Authorization: Basic ***", "Authorization: Bearer ***"]


def assert_untold(secrets: list[str], exchanges: Exchanges, *things: object) -> None:
    told = [repr(exchange) for exchange in exchanges]
    told += [text for exchange in exchanges for text in (exchange.request.decode(), exchange.response.decode())]
    told += [text for thing in things for text in (repr(thing), str(thing))]
    assert told
    for secret in secrets:
        for form in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
            assert not [text for text in told if form in text], form


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            b'{"users": [{"token": "a\\"b", "expires_after": "x"}]}',
            b'{"users": [{"token": "***", "expires_after": "x"}]}',
        ),
        (b'{"new_password":"Abc"}', b'{"new_password":"***"}'),
        (b'{"errors": [{"details": "Abcdef1! is weak"}]}', b'{"errors": [{"details": "*** is weak"}]}'),
        (b"", b""),
        (b"<html>", b"<html>"),
    ],
)
def test_the_secrets_of_a_login_are_masked(body: bytes, expected: bytes) -> None:
    assert without_secrets(body, ["Abcdef1!", ""]) == expected
