"""The endpoints beside the check, a row for what the contract says of each; `§` names its section."""

import base64
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import examples
from tests.simulated import a_world, create_app
from watui.contract.rules import ENGAGED_SECONDS, TOKEN_SECONDS
from watui.simulator import population
from watui.simulator.world import World

pytestmark = pytest.mark.anyio

TOKEN = "fixed-token"
NOW = 1_800_000_000.0
PASSWORD = "Str0ng!pass"


def find(*, account: bool, engaged: bool = False) -> str:
    """Return a number of the world with seed 0 that has an account, or wrote lately, or does not."""
    for line in range(10_000):
        number = f"+1212555{line:04d}"
        is_engaged = population.is_engaged(0, number) and population.has_account(0, number)
        if population.has_account(0, number) is account and is_engaged is engaged:
            return number
    raise AssertionError("the world has no such contact")


ENGAGED, SILENT, NOBODY = find(account=True, engaged=True), find(account=True), find(account=False)
MESSAGE = population.latest_messages(0, ENGAGED)[-1]


@dataclass
class Server:
    """A node in virtual time."""

    world: World
    client: httpx.AsyncClient
    now: float = NOW

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else None
        headers = {"Authorization": f"Bearer {TOKEN}", **headers}
        return await self.client.request(
            method, path, content=content, json=None if isinstance(body, bytes) else body, headers=headers
        )


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    world = a_world(latency=None)
    transport = httpx.ASGITransport(create_app(world, TOKEN, clock=lambda: node.now))
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        node = Server(world, client)
        yield node


def code_of(answer: httpx.Response) -> int:
    (error,) = answer.json()["errors"]
    assert error["title"]
    code: int = error["code"]
    return code


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


CONTACT = "/v1/contacts/{}"
REFUSED: list[tuple[str, str, str, Any, int, int]] = [
    ("§2 not engaged", "POST", CONTACT.format(SILENT) + "/block", None, 400, 2048),
    ("§2 no account", "POST", CONTACT.format(NOBODY) + "/block", None, 400, 2048),
    ("§2 no number", "POST", CONTACT.format("abc") + "/block", None, 400, 1009),
    ("§2 unblock of no number", "POST", CONTACT.format("12") + "/unblock", None, 400, 1009),
    ("§2 body before engagement", "POST", CONTACT.format(SILENT) + "/block", {"reason": ""}, 400, 1009),
    ("§2 empty reason", "POST", CONTACT.format(ENGAGED) + "/block", {"reason": ""}, 400, 1009),
    ("§2 60 characters", "POST", CONTACT.format(ENGAGED) + "/block", {"reason": "山" * 60}, 400, 1009),
    ("§2 reason of another type", "POST", CONTACT.format(ENGAGED) + "/block", {"reason": 5}, 400, 1009),
    ("§4 bad JSON", "POST", CONTACT.format(ENGAGED) + "/block", b"{", 400, 1025),
    ("§2 report, not engaged", "POST", CONTACT.format(SILENT) + "/report", None, 400, 2048),
    ("§2 report, unknown message", "POST", CONTACT.format(ENGAGED) + "/report", {"message_id": "x"}, 400, 1009),
    ("§2 report, block of another type", "POST", CONTACT.format(ENGAGED) + "/report", {"block": "yes"}, 400, 1009),
    ("§2 limit 0", "GET", "/v1/contacts/blocklist?limit=0", None, 400, 1009),
    ("§2 limit 201", "GET", "/v1/contacts/blocklist?limit=201", None, 400, 1009),
    ("§2 limit of another type", "GET", "/v1/contacts/blocklist?limit=ten", None, 400, 1009),
    ("§2 offset below 0", "GET", "/v1/contacts/blocklist?offset=-1", None, 400, 1009),
    ("§3 unknown contact", "GET", CONTACT.format(NOBODY[1:]) + "/identity", None, 404, 1006),
    ("§3 wrong hash", "PUT", CONTACT.format(ENGAGED[1:]) + "/identity", {"hash": "AAAAAAAAAAA="}, 400, 1009),
    ("§5 missing hash", "PUT", CONTACT.format(ENGAGED[1:]) + "/identity", {}, 400, 1008),
    ("§5 unknown path", "GET", "/v1/contact", None, 404, 1006),
    ("§5 method", "GET", CONTACT.format(ENGAGED) + "/block", None, 405, 1025),
    ("§6 unknown setting", "PATCH", "/v1/settings/application", {"colour": "red"}, 400, 1010),
    ("§6 setting of another type", "PATCH", "/v1/settings/application", {"show_security_notifications": 1}, 400, 1009),
    ("§7 no certificate", "GET", "/v1/certificates/external/ca", None, 404, 1006),
]


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
async def test_what_is_refused(server: Server, method: str, path: str, body: Any, status: int, code: int) -> None:
    answer = await server.ask(method, path, body)
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert answer.json()["meta"]["version"] == "v2.41"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", CONTACT.format(ENGAGED) + "/block"),
        ("POST", CONTACT.format(ENGAGED) + "/unblock"),
        ("POST", CONTACT.format(ENGAGED) + "/report"),
        ("GET", "/v1/contacts/blocklist"),
        ("GET", CONTACT.format(ENGAGED[1:]) + "/identity"),
        ("PUT", CONTACT.format(ENGAGED[1:]) + "/identity"),
        ("POST", "/v1/users/logout"),
        ("GET", "/v1/health"),
        ("GET", "/v1/settings/application"),
        ("PATCH", "/v1/settings/application"),
    ],
)
@pytest.mark.parametrize("authorization", ["", "Bearer other", "Basic eDp5", TOKEN])
async def test_nothing_without_a_token(server: Server, method: str, path: str, authorization: str) -> None:
    """§4: missing, wrong or expired: 401 with 1005."""
    answer = await server.ask(method, path, Authorization=authorization)
    assert (answer.status_code, code_of(answer)) == (401, 1005)


@pytest.mark.parametrize("body", [None, b"", b"null", {}, {"reason": "spam"}, {"reason": "山" * 59}])
@pytest.mark.parametrize("path", [ENGAGED, ENGAGED.replace("+", "%2B"), ENGAGED[1:], ENGAGED[2:]])
async def test_block_and_unblock(server: Server, path: str, body: Any) -> None:
    """§2: any spelling, an optional body; twice changes nothing; what the list returns can be unblocked."""
    for _ in range(2):
        answer = await server.ask("POST", f"/v1/contacts/{path}/block", body)
        assert answer.status_code == 200
        assert "errors" not in answer.json()
    listed = (await server.ask("GET", "/v1/contacts/blocklist")).json()
    assert listed["contacts"] == [{"wa_id": f"{ENGAGED[1:]}@s.whatsapp.net"}]
    assert listed["pagination"] == {"limit": 100, "offset": 0, "total": 1}
    wa_id = listed["contacts"][0]["wa_id"].removesuffix("@s.whatsapp.net")
    for _ in range(2):
        assert (await server.ask("POST", f"/v1/contacts/+{wa_id}/unblock")).status_code == 200
    assert (await server.ask("GET", "/v1/contacts/blocklist")).json()["pagination"]["total"] == 0


async def test_a_wa_id_that_differs_from_its_number_is_known_by_it(server: Server) -> None:
    """§1, §2: Mexico's wa_id has another digit; all digits are first looked up as a wa_id."""
    number = next(
        number
        for line in range(10_000)
        if population.has_account(0, number := f"+52551234{line:04d}") and population.is_engaged(0, number)
    )
    await server.ask("POST", f"/v1/contacts/{number}/block")
    (listed,) = (await server.ask("GET", "/v1/contacts/blocklist")).json()["contacts"]
    assert listed["wa_id"] == f"521{number[3:]}@s.whatsapp.net"
    assert (await server.ask("POST", f"/v1/contacts/+521{number[3:]}/unblock")).status_code == 200
    assert (await server.ask("GET", "/v1/contacts/blocklist")).json()["contacts"] == []


async def test_engagement_ends_after_24_hours_and_begins_with_a_message(server: Server) -> None:
    """§2."""
    block = f"/v1/contacts/{SILENT}/block"
    assert code_of(await server.ask("POST", block)) == 2048
    assert server.world.people.write(SILENT, server.now) is not None
    server.now += ENGAGED_SECONDS - 1
    assert (await server.ask("POST", block)).status_code == 200
    await server.ask("POST", f"/v1/contacts/{SILENT}/unblock")
    server.now += 1
    assert code_of(await server.ask("POST", block)) == 2048


@pytest.mark.parametrize(
    ("body", "handed", "is_blocked"),
    [
        (None, population.latest_messages(0, ENGAGED)[-5:], False),
        ({"message_id": MESSAGE}, (MESSAGE,), False),
        ({"block": True, "reason": "spam"}, population.latest_messages(0, ENGAGED)[-5:], True),
        ({"block": "true"}, population.latest_messages(0, ENGAGED)[-5:], True),
        ({"block": "false", "message_id": MESSAGE}, (MESSAGE,), False),
    ],
)
async def test_report(server: Server, body: Any, handed: tuple[str, ...], is_blocked: bool) -> None:
    """§2: without a message id the last five messages go to WhatsApp; `block` may be quoted."""
    assert (await server.ask("POST", f"/v1/contacts/{ENGAGED}/report", body)).status_code == 200
    assert server.world.people.reported == [(ENGAGED, handed)]
    assert server.world.people.is_blocked(ENGAGED) is is_blocked


@pytest.mark.parametrize(
    ("limit", "offset", "places"), [(2, 0, [0, 1]), (2, 2, [2]), (200, 1, [1, 2]), (1, 3, []), (5, 99, [])]
)
async def test_pages_of_the_blocklist(server: Server, limit: int, offset: int, places: list[int]) -> None:
    """§2: the oldest block first; past the end an empty page with the true total."""
    other = next(n for line in range(9999) if population.has_account(0, n := f"+1646555{line:04d}"))
    numbers = [ENGAGED, SILENT, other]
    for number in numbers:
        server.world.people.write(number, server.now)
        server.world.people.block(number, server.now)
    page = (await server.ask("GET", f"/v1/contacts/blocklist?limit={limit}&offset={offset}")).json()
    assert [entry["wa_id"].partition("@")[0] for entry in page["contacts"]] == [numbers[place][1:] for place in places]
    assert page["pagination"] == {"limit": limit, "offset": offset, "total": 3}


async def test_a_blocked_contact_reaches_us_no_more(server: Server) -> None:
    await server.ask("POST", f"/v1/contacts/{ENGAGED}/block")
    assert server.world.people.write(ENGAGED, server.now) is None


@pytest.mark.parametrize("path", [ENGAGED[1:], ENGAGED])
async def test_identity(server: Server, path: str) -> None:
    """§3: an object, milliseconds, a hash of eight bytes; a change must be acknowledged with the hash that is new."""
    url = f"/v1/contacts/{path}/identity"
    first = (await server.ask("GET", url)).json()["contacts"]
    assert len(base64.b64decode(first["hash"])) == 8
    assert first["acknowledged"] is True
    server.world.people.change_identity(ENGAGED, server.now)
    changed = (await server.ask("GET", url)).json()["contacts"]
    assert changed["hash"] != first["hash"]
    assert changed["created_timestamp"] == NOW * 1000
    assert changed["acknowledged"] is False
    assert code_of(await server.ask("PUT", url, {"hash": first["hash"]})) == 1009
    answer = await server.ask("PUT", url, {"hash": changed["hash"]})
    assert (answer.status_code, answer.json()) == (200, {}), "the one answer without meta"
    assert (await server.ask("GET", url)).json()["contacts"]["acknowledged"] is True


async def login(server: Server, body: Any = None, user: str = "admin", password: str = PASSWORD) -> httpx.Response:
    return await server.ask("POST", "/v1/users/login", body, Authorization=basic(user, password))


async def test_the_first_login_wants_another_password(server: Server) -> None:
    """§4."""
    answer = await login(server, password="secret")
    assert (answer.status_code, code_of(answer)) == (401, 1024)
    assert answer.json()["errors"][0]["details"] == "Password must be changed"
    for weak in ("secret", "short1!A"[:7], "nodigits!A", "nospecial1A", "NOLOWER1!", "noupper1!", "A1!" + "a" * 62):
        assert code_of(await login(server, {"new_password": weak}, password="secret")) == 1009
    assert (await login(server, {"new_password": PASSWORD}, password="secret")).status_code == 200
    assert code_of(await login(server, password="secret")) == 1005
    assert (await login(server)).status_code == 200


@pytest.mark.parametrize("body", [None, b"", b"null", {}, {"new_password": PASSWORD}])
async def test_login_and_logout(server: Server, body: Any) -> None:
    """§4: all bodies seen from clients; tokens live seven days, side by side; a logout revokes its own alone."""
    await login(server, {"new_password": PASSWORD}, password="secret")
    answers = [(await login(server, body)).json() for _ in range(2)]
    tokens = [answer["users"][0]["token"] for answer in answers]
    expires = answers[0]["users"][0]["expires_after"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00", expires)
    assert datetime.fromisoformat(expires) == datetime.fromtimestamp(NOW, UTC) + timedelta(days=7)
    assert tokens[0] != tokens[1]
    bearers = [f"Bearer {token}" for token in tokens]
    assert (await server.ask("POST", "/v1/users/logout", Authorization=bearers[0])).status_code == 200
    assert code_of(await server.ask("GET", "/v1/health", Authorization=bearers[0])) == 1005
    assert (await server.ask("GET", "/v1/health", Authorization=bearers[1])).status_code == 200
    server.now += TOKEN_SECONDS
    assert code_of(await server.ask("GET", "/v1/health", Authorization=bearers[1])) == 1005


@pytest.mark.parametrize(
    "authorization",
    ["", "Basic", "Basic !", basic("admin", "wrong"), basic("nobody", PASSWORD), basic("x", "y"), "Bearer x"],
)
async def test_wrong_credentials(server: Server, authorization: str) -> None:
    """§4."""
    answer = await server.ask("POST", "/v1/users/login", Authorization=authorization)
    assert (answer.status_code, code_of(answer)) == (401, 1005)


@pytest.mark.parametrize(("key", "status"), [("k" * 11, 401), ("k" * 12, 200), ("k" * 128, 200), ("k" * 129, 401)])
async def test_an_api_key_opens_health_alone(server: Server, key: str, status: int) -> None:
    """§4, §6."""
    answer = await server.ask("GET", "/v1/health", Authorization=f"Apikey {key}")
    assert answer.status_code == status
    elsewhere = await server.ask("GET", "/v1/contacts/blocklist", Authorization=f"Apikey {key}")
    assert elsewhere.status_code == (403 if status == 200 else 401)
    if status == 200:
        assert answer.json()["health"] == {"gateway_status": "connected"}


async def test_settings_give_the_own_number_and_keep_what_is_patched(server: Server) -> None:
    """§6."""
    application = (await server.ask("GET", "/v1/settings/application")).json()["settings"]["application"]
    assert application["wa_id"].startswith("1")
    assert application["show_security_notifications"] is False
    assert (
        await server.ask("PATCH", "/v1/settings/application", {"show_security_notifications": True})
    ).status_code == 200
    changed = (await server.ask("GET", "/v1/settings/application")).json()["settings"]["application"]
    assert changed == {**application, "show_security_notifications": True}


PATHS = ["blocklist", "%2B1", "..%2F..", ENGAGED, "?", "#", "a b", "%00", "山"]
TAILS = ["", "/block", "/unblock", "/report", "/identity", "?limit=5", "?offset=x"]


@settings(max_examples=examples(2))
@given(
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]),
    st.sampled_from(
        ["/v1/contacts", *(f"/v1/contacts/{path}" for path in PATHS), "/v1/users/login", "/v1/settings/application"]
    ),
    st.sampled_from(TAILS),
    st.one_of(
        st.binary(max_size=40),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: (
                st.lists(inner)
                | st.dictionaries(
                    st.sampled_from(["contacts", "reason", "block", "hash", "message_id", "blocking"]), inner
                )
            ),
        ),
    ),
    st.sampled_from([f"Bearer {TOKEN}", basic("admin", "secret"), ""]),
)
async def test_no_request_brings_it_down(method: str, path: str, tail: str, body: Any, authorization: str) -> None:
    world = a_world(latency=None)
    transport = httpx.ASGITransport(create_app(world, TOKEN, clock=lambda: NOW), raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        answer = await Server(world, client).ask(method, path + tail, body, Authorization=authorization)
    assert answer.status_code < 500
    if method != "HEAD" and answer.status_code >= 400:
        assert answer.json()["errors"][0]["title"]
