"""Each kind of gateway against a stand-in that answers as section 8 of the contract says."""

from collections.abc import Awaitable, Callable

import httpx
import msgspec
import pytest

from watui.client.contacts import ContactsClient
from watui.client.exchanges import Exchanges
from watui.client.failures import AccessDenied, NotOffered, Overloaded, Refused
from watui.client.server import Server
from watui.client.transport import Transport
from watui.client.whapi import WhapiClient
from watui.contract.kinds import ServerKind

pytestmark = pytest.mark.anyio

TOKEN = "canary-token"
NUMBER = "+16315551000"

Handler = Callable[[httpx.Request], httpx.Response]
Step = Callable[[ContactsClient], Awaitable[object]]


class StandIn:
    """A server that knows its path and its way of letting in, and answers what it is told to."""

    def __init__(self, path: str, header: str, value: str, refusal: object) -> None:
        self.requests: list[httpx.Request] = []
        self.answers: list[httpx.Response] = []
        """Given one after the other, before all others."""
        self.blocked: list[str] = []
        self._path, self._header, self._value, self._refusal = path, header, value, refusal

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.headers.get(self._header) != self._value:
            return httpx.Response(401, json=self._refusal)
        if self.answers:
            return self.answers.pop(0)
        if request.url.path == "/blacklist" and request.method == "GET":
            return httpx.Response(200, json=self.blocked)
        if request.url.path.startswith("/blacklist/"):
            wa_id = request.url.path.rpartition("/")[2]
            if request.method == "PUT":
                self.blocked.append(wa_id)
            elif wa_id in self.blocked:
                self.blocked.remove(wa_id)
            return httpx.Response(200, json={"success": True})
        if (request.method, request.url.path) != ("POST", self._path):
            return httpx.Response(404, text="Not found")
        inputs = msgspec.json.decode(request.content)["contacts"]
        contacts = [{"input": text, "status": "valid", "wa_id": text.lstrip("+")} for text in inputs]
        return httpx.Response(201, json={"contacts": contacts})


D360_REFUSAL = {"meta": {"httpCode": 401, "developerMessage": "Invalid api key", "success": False}}
WHAPI_REFUSAL = {"error": {"code": 401, "message": "Unauthorized", "details": "need a token"}}
OWN_REFUSAL = {"errors": [{"code": 1005, "title": "Access denied"}]}

GATEWAYS: dict[ServerKind, tuple[str, str, str, str, object]] = {
    ServerKind.OWN: ("https://wa.example.com:9090", "/v1/contacts", "Authorization", f"Bearer {TOKEN}", OWN_REFUSAL),
    ServerKind.TURN: ("https://whatsapp.turn.io", "/v1/contacts", "Authorization", f"Bearer {TOKEN}", OWN_REFUSAL),
    ServerKind.D360: ("https://waba.example.com", "/v1/contacts", "D360-API-KEY", TOKEN, D360_REFUSAL),
    ServerKind.WHAPI: ("https://gate.whapi.cloud", "/contacts", "Authorization", f"Bearer {TOKEN}", WHAPI_REFUSAL),
    ServerKind.UNOAPI: ("http://una.example.com:9876/5549", "/5549/contacts", "Authorization", TOKEN, OWN_REFUSAL),
}
"""Base URL, path of a check, the header that lets in and its value, and what is said to others."""


def gateway(kind: ServerKind, token: str = TOKEN, url: str | None = None) -> tuple[ContactsClient, StandIn]:
    base, path, header, value, refusal = GATEWAYS[kind]
    stand_in = StandIn(path, header, value, refusal)
    transport = Transport(Server.at(url or base, token, kind), Exchanges(), httpx.MockTransport(stand_in))
    return (WhapiClient if kind is ServerKind.WHAPI else ContactsClient)(transport), stand_in


@pytest.mark.parametrize("kind", ServerKind)
async def test_a_check_comes_to_its_path_with_its_key(kind: ServerKind) -> None:
    client, stand_in = gateway(kind)
    verdicts = await client.check([NUMBER])
    assert verdicts.contacts[NUMBER].status == "valid"
    (request,) = stand_in.requests
    known = {"authorization", "d360-api-key"} & set(request.headers)
    assert known == {GATEWAYS[kind][2].lower()}, "the key goes where this kind looks for it, and nowhere else"


@pytest.mark.parametrize("kind", ServerKind)
@pytest.mark.parametrize("ending", ["", "/", "{contacts}", "{contacts}/"])
async def test_an_address_may_end_in_the_path_of_a_check(kind: ServerKind, ending: str) -> None:
    base, path, *_ = GATEWAYS[kind]
    contacts = path if kind is not ServerKind.UNOAPI else "/contacts"
    client, _ = gateway(kind, url=base + ending.format(contacts=contacts))
    assert (await client.check([NUMBER])).contacts


@pytest.mark.parametrize("kind", ServerKind)
async def test_a_wrong_key_is_access_denied_in_the_words_of_the_gateway(kind: ServerKind) -> None:
    client, _ = gateway(kind, "wrong")
    with pytest.raises(AccessDenied) as caught:
        await client.check([NUMBER])
    words = {ServerKind.D360: "Invalid api key", ServerKind.WHAPI: "Unauthorized: need a token"}
    assert words.get(kind, "Access denied (1005)") in caught.value.title


@pytest.mark.parametrize(("kind", "is_overload"), [(ServerKind.D360, True), (ServerKind.OWN, False)])
async def test_a_400_of_its_own_is_a_rate_limit_where_the_gateway_says_so(kind: ServerKind, is_overload: bool) -> None:
    client, stand_in = gateway(kind)
    said = {"meta": {"httpCode": 400, "developerMessage": "Too many requests", "success": False}}
    stand_in.answers = [httpx.Response(400, json=said, headers={"Retry-After": "7"})]
    with pytest.raises(Overloaded if is_overload else Refused) as caught:
        await client.check([NUMBER])
    assert "Too many requests" in caught.value.title
    if isinstance(caught.value, Overloaded):
        assert caught.value.retry_after == 7


async def test_a_400_of_the_api_is_a_refusal_also_behind_a_gateway() -> None:
    client, stand_in = gateway(ServerKind.D360)
    stand_in.answers = [httpx.Response(400, json={"errors": [{"code": 1009, "title": "Parameter value is not valid"}]})]
    with pytest.raises(Refused) as caught:
        await client.block(NUMBER)
    assert caught.value.code == 1009


async def test_whapi_blocks_lists_and_unblocks_at_its_own_path() -> None:
    client, stand_in = gateway(ServerKind.WHAPI)
    for wa_id in ("16315551001", "16315551002"):
        await client.block(f"+{wa_id}", "spam")
    await client.block("+1 631-555-1000/../x")
    assert stand_in.blocked == ["16315551001", "16315551002", "16315551000"]
    assert [request.content for request in stand_in.requests] == [b""] * 3, "there is no place for a reason"
    page = await client.blocklist(2, 1)
    assert page == (("16315551002", "16315551000"), 1, 3)
    await client.unblock("+16315551002")
    assert (await client.blocklist()).wa_ids == ("16315551001", "16315551000")


STEPS: dict[str, Step] = {
    "block contacts": lambda client: client.block(NUMBER),
    "block contacts, taken back": lambda client: client.unblock(NUMBER),
    "report contacts": lambda client: client.report(NUMBER),
    "show its blocklist": lambda client: client.blocklist(),
    "tell identities": lambda client: client.identity(NUMBER),
    "tell identities, acknowledged": lambda client: client.acknowledge(NUMBER, "UKD6Y/5SqDU="),
}
LACKS = {
    ServerKind.TURN: set(STEPS),
    ServerKind.UNOAPI: set(STEPS),
    ServerKind.WHAPI: {"report contacts", "tell identities", "tell identities, acknowledged"},
}


@pytest.mark.parametrize(("kind", "what"), [(kind, what) for kind, lacks in LACKS.items() for what in sorted(lacks)])
async def test_what_a_gateway_does_not_have_is_never_sent_and_the_reason_is_told(kind: ServerKind, what: str) -> None:
    client, stand_in = gateway(kind)
    with pytest.raises(NotOffered) as caught:
        await STEPS[what](client)
    assert caught.value.title == f"{client.dialect.title} does not {what.partition(',')[0]}"
    assert not caught.value.may_have_worked
    assert stand_in.requests == []


def test_turn_is_asked_no_quicker_than_it_allows() -> None:
    assert gateway(ServerKind.TURN)[0].dialect.rate <= 1.0
