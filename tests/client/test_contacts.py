"""What counts as an answer, and what each other thing that a server may send becomes."""

import gzip
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.client.conftest import CANARY, MakeClient
from tests.conftest import TOKEN, examples
from watui.client.contacts import ContactsClient, Verdicts
from watui.client.exchanges import Exchanges
from watui.client.failures import (
    AccessDenied,
    Failure,
    NotConnected,
    Overloaded,
    Refused,
    ServerTrouble,
    Unreachable,
    Unusable,
)
from watui.client.server import Server
from watui.client.transport import Transport
from watui.contract.models import Contact
from watui.contract.rules import MAX_BODY_BYTES
from watui.simulator.serving import ServerThread

pytestmark = pytest.mark.anyio

A, B, C = "+16315551000", "+1 631 555 1001", "6315551002"
VALID_A = {"input": A, "status": "valid", "wa_id": "16315551000"}
INVALID_B = {"input": B, "status": "invalid"}


async def ask(client: ContactsClient, inputs: Sequence[str] = (A, B)) -> Verdicts:
    try:
        return await client.check(inputs)
    finally:
        await client.close()


async def ask_in_vain(client: ContactsClient) -> Failure:
    with pytest.raises(Failure) as caught:
        await ask(client)
    assert caught.value.title
    assert caught.value.next_step
    return caught.value


async def test_a_real_server_answers_by_input(server: ServerThread) -> None:
    client = ContactsClient(Transport(Server.at(server.url, TOKEN), Exchanges()))
    verdicts = await ask(client, (A, B, A, "nobody"))
    assert verdicts.version == "v2.41"
    assert set(verdicts.contacts) == {A, B, "nobody"}
    assert verdicts.contacts["nobody"] == Contact("nobody", "failed")
    assert all(contact.input == text for text, contact in verdicts.contacts.items())


async def test_a_wrong_token_is_denied_by_a_real_server(server: ServerThread) -> None:
    failure = await ask_in_vain(ContactsClient(Transport(Server.at(server.url, CANARY), Exchanges())))
    assert isinstance(failure, AccessDenied)
    assert (failure.code, failure.http_status) == (1005, 401)
    assert "Access denied" in failure.title


@pytest.mark.parametrize(("blocking", "force_check"), [("no_wait", False), ("no_wait", True), ("wait", False)])
async def test_the_question_is_sent_as_documented(client_of: MakeClient, blocking: Any, force_check: bool) -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"contacts": []})

    await client_of(handler).check([B, A], blocking=blocking, force_check=force_check)
    (request,) = seen
    assert (request.method, str(request.url)) == ("POST", "https://wa.example.com/v1/contacts")
    assert request.headers["authorization"] == f"Bearer {CANARY}"
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.content) == {"contacts": [B, A], "blocking": blocking, "force_check": force_check}


@pytest.mark.parametrize(
    ("contacts", "expected"),
    [
        ([VALID_A, INVALID_B], {A: "valid", B: "invalid"}),
        ([INVALID_B, VALID_A], {A: "valid", B: "invalid"}),
        ([INVALID_B], {B: "invalid"}),
        ([], {}),
        ([VALID_A, INVALID_B, {"input": C, "status": "valid"}], {A: "valid", B: "invalid"}),
        ([VALID_A, VALID_A, INVALID_B], {A: "valid", B: "invalid"}),
        ([VALID_A, {"input": A, "status": "invalid"}, INVALID_B], {B: "invalid"}),
        ([VALID_A, {"input": A, "status": "invalid"}, VALID_A, INVALID_B], {B: "invalid"}),
        ([VALID_A, {**VALID_A, "wa_id": "1"}, INVALID_B], {B: "invalid"}),
        ([{"input": A, "status": "pending"}], {A: "pending"}),
        ([{"input": A, "status": ""}], {A: ""}),
        ([{"input": "16315551000", "status": "valid"}], {}),  # another spelling is another input
    ],
    ids=range(12),
)
@pytest.mark.parametrize("status", [200, 201, 299])
async def test_answers_are_matched_by_input_alone(
    client_of: MakeClient, contacts: list[dict[str, str]], expected: dict[str, str], status: int
) -> None:
    verdicts = await ask(client_of(lambda _: httpx.Response(status, json={"contacts": contacts})))
    assert {text: contact.status for text, contact in verdicts.contacts.items()} == expected


@pytest.mark.parametrize(
    ("meta", "version"),
    [
        ({"version": "v2.45.1", "api_status": "stable"}, "v2.45.1"),
        ({"version": "2.35.4"}, "2.35.4"),
        ({"version": 2.45}, None),
        ({"version": "v" * 1_000_000}, None),
        ({}, None),
        (None, None),
        ("v2.45.1", None),
        ([], None),
    ],
)
async def test_meta_is_optional_and_read_leniently(client_of: MakeClient, meta: object, version: str | None) -> None:
    body = {"contacts": [VALID_A], "meta": meta, "beside": {"unknown": True}}
    verdicts = await ask(client_of(lambda _: httpx.Response(200, json=body)))
    assert verdicts.version == version
    assert verdicts.contacts[A].wa_id == "16315551000"


GOOD = json.dumps({"contacts": [VALID_A, INVALID_B]}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"true",
        b"[]",
        b'"ok"',
        b"{}",
        b"<!DOCTYPE html><html><body>Welcome</body></html>",
        GOOD[:-1],
        GOOD[: len(GOOD) // 2],
        GOOD + GOOD,
        b"\xff\xfe" + GOOD,
        GOOD.decode().encode("utf-16"),
        GOOD.replace(b"valid", b"v\xe4lid"),  # Latin-1
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'{"contacts": null}',
        b'{"contacts": {}}',
        b'{"contacts": "valid"}',
        b'{"contacts": [null]}',
        b'{"contacts": ["+16315551000"]}',
        b'{"contacts": [{"status": "valid"}]}',
        b'{"contacts": [{"input": "+16315551000"}]}',
        b'{"contacts": [{"input": 16315551000, "status": "valid"}]}',
        b'{"contacts": [{"input": "+16315551000", "status": 1}]}',
        b'{"contacts": [{"input": "+16315551000", "status": null}]}',
        b'{"contacts": [{"input": "+16315551000", "status": "valid", "wa_id": 16315551000}]}',
        b'{"contacts": {"hash": "UKD6Y/5SqDU="}}',
        b'{"contacts": [], "errors": "yes"}',
        b'{"contacts": [], "errors": [{"code": "1005"}]}',
        GOOD[:-1] + b', "errors": [{"code": 1e999, "title": "no"}]}',
        GOOD[:-1] + b', "error": {"message": "no", "code": 1e999}}',
    ],
    ids=lambda body: repr(body)[:50],
)
@pytest.mark.parametrize("status", [200, 204])
async def test_what_is_no_answer_of_the_contract_gives_no_number_a_status(
    client_of: MakeClient, body: bytes, status: int
) -> None:
    failure = await ask_in_vain(client_of(lambda _: httpx.Response(status, content=body)))
    assert isinstance(failure, Unusable)


@settings(max_examples=examples(3), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
async def test_a_damaged_answer_never_crashes_and_never_invents_a_status(
    client_of: MakeClient, data: st.DataObject
) -> None:
    body = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        verdicts = await ask(client_of(lambda _: httpx.Response(200, content=bytes(body))))
    except Failure:
        return
    said = {(c.get("input"), c.get("status"), c.get("wa_id")) for c in json.loads(bytes(body))["contacts"]}
    for text, contact in verdicts.contacts.items():
        assert text in (A, B)
        assert (text, contact.status, contact.wa_id) in said


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 307, 308])
@pytest.mark.parametrize(
    "location",
    [
        "https://wa.example.com/v1/elsewhere",
        "https://other.example.com/v1/contacts",
        "https://wa.example.com:1/v1/contacts",
        "http://wa.example.com/v1/contacts",
        "/v1/contacts",
        None,
    ],
)
async def test_a_redirect_is_never_followed_and_never_a_success(
    client_of: MakeClient, status: int, location: str | None
) -> None:
    seen: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(f"{request.method} {request.url}")
        return httpx.Response(status, headers={"Location": location} if location else {}, content=GOOD)

    failure = await ask_in_vain(client_of(handler))
    assert isinstance(failure, Unusable)
    assert str(status) in failure.title
    assert seen == ["POST https://wa.example.com/v1/contacts"]


@pytest.mark.parametrize(
    "content", [GOOD, b'{"errors": [{"code": 1009, "title": "T", "details": "D"}]}', b"<html>", b""]
)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Refused),
        (401, AccessDenied),
        (403, AccessDenied),
        (404, Refused),
        (405, Refused),
        (413, Refused),
        (408, Failure),
        (429, Overloaded),
        (500, ServerTrouble),
        (502, ServerTrouble),
        (503, Overloaded),
        (504, ServerTrouble),
    ],
)
async def test_every_other_status_is_a_failure_of_its_kind(
    client_of: MakeClient, status: int, kind: type[Failure], content: bytes
) -> None:
    failure = await ask_in_vain(client_of(lambda _: httpx.Response(status, content=content)))
    assert isinstance(failure, kind)
    if b"1009" in content:
        assert failure.title == "T (1009): D"
    else:
        assert str(status) in failure.title
    if isinstance(failure, Refused):
        assert failure.http_status == status
        assert failure.code == (1009 if b"1009" in content else None)
    # A request that timed out on the server's side is asked again; what was refused is not.
    assert isinstance(failure, Refused) is (status < 500 and status not in (408, 429))


@pytest.mark.parametrize("status", [200, 201])
async def test_errors_beside_contacts_make_an_answer_a_refusal(client_of: MakeClient, status: int) -> None:
    body = {"contacts": [VALID_A], "errors": [{"code": 1009, "title": "Parameter value is not valid"}]}
    failure = await ask_in_vain(client_of(lambda _: httpx.Response(status, json=body)))
    assert isinstance(failure, Refused)
    assert failure.code == 1009


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ({"errors": [{"title": "Too many requests"}]}, "Too many requests"),
        ({"errors": [{"code": 1015, "title": "Too many requests", "href": "x"}]}, "Too many requests (1015)"),
        ({"errors": []}, "HTTP 429"),
        ({"errors": None}, "HTTP 429"),
        ({"errors": [{}]}, "Error"),
        ([], "HTTP 429"),
    ],
)
async def test_an_overload_needs_no_code(client_of: MakeClient, body: object, title: str) -> None:
    failure = await ask_in_vain(client_of(lambda _: httpx.Response(429, json=body)))
    assert isinstance(failure, Overloaded)
    assert (failure.title, failure.retry_after) == (title, None)


def in_an_hour(zone: str) -> str:
    """Return an HTTP date with `zone` as its end; "-0000" is UTC too, of no particular place."""
    at = datetime.now(UTC) + timedelta(hours=1)
    return format_datetime(at, usegmt=True).replace("GMT", zone)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("date GMT", 3600.0),
        ("date +0000", 3600.0),
        ("date -0000", 3600.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        ("Wed, 99 Foo 2015 07:28:00 GMT", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503, 500, 502, 408])
async def test_retry_after_is_understood_wherever_it_comes(
    client_of: MakeClient, status: int, header: str, seconds: float | None
) -> None:
    text = in_an_hour(header.removeprefix("date ")) if header.startswith("date ") else header
    failure = await ask_in_vain(client_of(lambda _: httpx.Response(status, headers=[(b"Retry-After", text.encode())])))
    retry_after = getattr(failure, "retry_after", None)
    if seconds is None:
        assert retry_after is None
    else:
        assert retry_after == pytest.approx(seconds, abs=10 if seconds == 3600 else 0)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError("refused"), NotConnected),
        (httpx.ConnectTimeout("slow"), NotConnected),
        (httpx.ReadError("reset"), Unreachable),
        (httpx.RemoteProtocolError("gone"), Unreachable),
        (httpx.ProxyError("no proxy"), Unreachable),
        (httpx.InvalidURL("bad"), Unreachable),
        (OSError("reset"), Unreachable),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_no_answer_is_a_failure_too(
    client_of: MakeClient, exchanges: Exchanges, error: Exception, kind: type[Failure]
) -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        raise error

    failure = await ask_in_vain(client_of(handler))
    assert type(failure) is kind
    (exchange,) = exchanges
    assert exchange.status is None
    assert exchange.failure == failure.title


@pytest.mark.parametrize(("size", "fits"), [(MAX_BODY_BYTES, True), (MAX_BODY_BYTES + 1, False)])
async def test_a_body_is_read_up_to_eight_mebibytes(client_of: MakeClient, size: int, fits: bool) -> None:
    body = GOOD + b" " * (size - len(GOOD))
    client = client_of(lambda _: httpx.Response(200, content=body))
    if fits:
        assert (await ask(client)).contacts[A].status == "valid"
    else:
        assert isinstance(await ask_in_vain(client), Unusable)


async def test_a_compressed_answer_is_refused_for_none_was_asked_for(client_of: MakeClient) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert request.headers["Accept-Encoding"] == "identity"
        return httpx.Response(200, content=gzip.compress(GOOD), headers={"Content-Encoding": "gzip"})

    assert isinstance(await ask_in_vain(client_of(handler)), Unusable)


async def test_a_token_that_is_a_word_of_the_answer_does_not_change_it(exchanges: Exchanges) -> None:
    """What is masked for those who look must not be masked for those who read."""
    handler = httpx.MockTransport(lambda _: httpx.Response(200, content=GOOD))
    transport = Transport(Server.at("http://127.0.0.1", A.removeprefix("+")), exchanges, handler)
    assert (await ContactsClient(transport).check([A])).contacts[A].wa_id == A.removeprefix("+")
    (exchange,) = exchanges
    assert A.removeprefix("+").encode() not in exchange.response
