"""The simulated server over ASGI: the contract's answers and errors, in virtual time."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.simulated import a_world, create_app
from watui.contract.rules import MAX_BODY_BYTES
from watui.simulator.world import World

pytestmark = pytest.mark.anyio

TOKEN = "a-token"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
PATH = "/v1/contacts"
NUMBER = "+16315551000"

SAMPLE_SEED, SAMPLE_SECONDS = 15, 2.8
"""A world, and a time in it, in which the documented sample comes out: the second number is still being checked,
the third has no account."""


class Clock:
    """A clock that only sleeping moves; what else happens meanwhile can be put into `meanwhile`."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        wakes_at = self.now + seconds
        if self.meanwhile is not None:
            happening, self.meanwhile = self.meanwhile, None
            self.now = wakes_at - 0.001
            await happening()
        self.now = wakes_at


def client(world: World, clock: Clock | None = None) -> httpx.AsyncClient:
    clock = clock or Clock()
    app = create_app(world, TOKEN, clock=clock, sleep=clock.sleep)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server", headers=HEADERS)


async def test_the_request_sample_is_answered_as_written() -> None:
    clock = Clock()
    inputs = ["16315551000", "+1 631 555 1001", "6315551002", "+163155588"]
    body = {"blocking": "no_wait", "contacts": inputs, "force_check": False}
    async with client(a_world(seed=SAMPLE_SEED, processing_wa_id=True), clock) as http:
        first = (await http.post(PATH, json=body)).json()
        assert [contact["status"] for contact in first["contacts"]] == ["processing"] * 3 + ["failed"]
        clock.now += SAMPLE_SECONDS
        answer = await http.post(PATH, json=body)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "contacts": [
            {"input": "16315551000", "status": "valid", "wa_id": "16315551000"},
            {"input": "+1 631 555 1001", "status": "processing", "wa_id": "16315551001"},
            {"input": "6315551002", "status": "invalid"},
            {"input": "+163155588", "status": "failed"},
        ],
        "meta": {"api_status": "stable", "version": "v2.41"},
    }


async def test_wait_answers_when_every_number_is_decided() -> None:
    clock = Clock()
    began = clock.now
    async with client(a_world(), clock) as http:
        answer = await http.post(PATH, json={"contacts": [NUMBER], "blocking": "wait"})
        waited = clock.now - began
        again = await http.post(PATH, json={"contacts": [NUMBER], "blocking": "wait"})
    assert answer.json()["contacts"][0]["status"] in ("valid", "invalid")
    assert waited > 0
    assert clock.now - began == waited, "the second answer comes from the cache"
    assert again.json() == answer.json()


async def test_wait_never_answers_processing_even_if_another_client_forces_a_check_meanwhile() -> None:
    clock, numbers = Clock(), [f"+1631555{last}" for last in range(1000, 1020)]
    async with client(a_world(), clock) as http:

        async def force_all() -> None:
            await http.post(PATH, json={"contacts": numbers, "force_check": True})

        clock.meanwhile = force_all
        answer = await http.post(PATH, json={"contacts": numbers, "blocking": "wait"})
    assert "processing" not in {contact["status"] for contact in answer.json()["contacts"]}


async def test_duplicates_and_order_come_back_as_sent() -> None:
    inputs = [NUMBER, "(631) 555-1000", NUMBER, "nobody", "+5531912345678"]
    async with client(a_world(version="v2.45.1", latency=None)) as http:
        contacts = (await http.post(PATH, json={"contacts": inputs})).json()["contacts"]
    assert [contact["input"] for contact in contacts] == inputs
    assert contacts[0] == contacts[2]
    assert contacts[4]["wa_id"] == "553112345678"


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer wrong", f"Bearer {TOKEN}x", f"Basic {TOKEN}", f"Apikey {TOKEN}", TOKEN],
)
async def test_without_its_token_a_server_denies_access_and_starts_nothing(authorization: str | None) -> None:
    world, clock = a_world(), Clock()
    async with client(world, clock) as http:
        del http.headers["Authorization"]
        headers = {} if authorization is None else {"Authorization": authorization}
        denied = await http.post(PATH, json={"contacts": [NUMBER]}, headers=headers)
        assert_error(denied, 401, 1005, "Access denied")
        clock.now += 1000
        later = await http.post(PATH, json={"contacts": [NUMBER]}, headers=HEADERS)
    assert later.json()["contacts"][0]["status"] == "processing"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_of_authorization_is_case_insensitive(scheme: str, world: World) -> None:
    async with client(world) as http:
        answer = await http.post(PATH, json={"contacts": [NUMBER]}, headers={"Authorization": f"{scheme} {TOKEN}"})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 1008),
        ({"contacts": []}, 1008),
        ({"contacts": None}, 1008),
        ({"blocking": "wait"}, 1008),
        ({"contacts": "16315551000"}, 1009),
        ({"contacts": [16315551000]}, 1009),
        ({"contacts": [None]}, 1009),
        ({"contacts": [NUMBER], "blocking": "no-wait"}, 1009),
        ({"contacts": [NUMBER], "blocking": None}, 1009),
        ({"contacts": [NUMBER], "force_check": "true"}, 1009),
        ({"contacts": [NUMBER], "force_check": 1}, 1009),
        (b"", 1025),
        (b"contacts=1", 1025),
        (b'{"contacts": ["1', 1025),
        (b'{"contacts": ["\xff"]}', 1025),
        (b'{"contacts": ["\\ud800"]}', 1025),
        (b"[" * 200_000, 1025),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_what_is_missing_or_wrong_is_a_400_with_its_code(body: object, code: int, world: World) -> None:
    async with client(world) as http:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        assert_error(await http.post(PATH, content=content), 400, code)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 404, 1006),
        ("POST", "/v1", 404, 1006),
        ("POST", "/v1/contact", 404, 1006),
        ("POST", "/v1/contacts/", 404, 1006),  # and no redirect: a client never follows one
        ("GET", PATH, 405, 1025),
        ("PUT", PATH, 405, 1025),
        ("DELETE", PATH, 405, 1025),
    ],
)
async def test_unknown_paths_and_methods_answer_in_the_envelope(
    method: str, path: str, status: int, code: int, world: World
) -> None:
    async with client(world) as http:
        assert_error(await http.request(method, path), status, code)


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY_BYTES, 200), (MAX_BODY_BYTES + 1, 413)])
async def test_a_body_may_have_eight_mebibytes_and_no_more(size: int, status: int, world: World) -> None:
    body = json.dumps({"contacts": [NUMBER]}).encode()
    async with client(world) as http:
        answer = await http.post(PATH, content=body + b" " * (size - len(body)))
    if status == 200:
        assert answer.status_code == 200
    else:
        assert_error(answer, 413, 1009)


async def test_a_request_may_hold_any_count_of_numbers(world: World) -> None:
    inputs = [f"+1631{last:07}" for last in range(5_000)]
    async with client(world) as http:
        answer = await http.post(PATH, json={"contacts": inputs})
    assert len(answer.json()["contacts"]) == len(inputs)


def assert_error(answer: httpx.Response, status: int, code: int, title: str | None = None) -> None:
    assert answer.status_code == status
    body: dict[str, Any] = answer.json()
    assert body["meta"] == {"api_status": "stable", "version": "v2.41"}
    (error,) = body["errors"]
    assert error["code"] == code
    assert error["title"]
    assert title is None or error["title"] == title
    assert "contacts" not in body
