"""What the control interface tells of contacts, and which request lets the clock of a scenario run."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.simulated import a_world
from tests.simulator.test_control import (
    CHECK,
    ENGAGED,
    NOBODY,
    NOW,
    NUMBERS,
    OTHER,
    SILENT,
    TOKEN,
    Server,
    code_of,
)
from watui.backstage import Backstage
from watui.client import server as client_server
from watui.client.failures import AccessDenied, NotConnected, Refused
from watui.contract.rules import ENGAGED_SECONDS
from watui.contract.wa_ids import wa_id_of
from watui.simulator.app import App
from watui.simulator.control import ContactState
from watui.simulator.scenario import Scenario, Step
from watui.simulator.server import Simulator
from watui.simulator.serving import ServerThread
from watui.simulator.world import World

CONTACTS = "/_simulator/contacts"
MEXICAN = "+525512345678"


def look(server: Server, *numbers: str, at: float = 0.0, prefix: str = "") -> list[dict[str, Any]]:
    """Return what the server says of contacts."""
    status, contacts = server.ask("POST", prefix + CONTACTS, {"numbers": list(numbers)}, at)
    assert status == 200, contacts
    found: list[dict[str, Any]] = contacts
    return found


def of(server: Server, number: str, at: float = 0.0) -> dict[str, Any]:
    (contact,) = look(server, number, at=at)
    return contact


# What it tells


def test_it_tells_of_each_contact_in_the_order_of_the_question() -> None:
    server = Server()
    texts = [NOBODY, ENGAGED, SILENT, "nobody", ENGAGED, "", "1" * 300, "12"]
    contacts = look(server, *texts)
    assert [contact["input"] for contact in contacts] == texts
    numbers = [NOBODY, ENGAGED, SILENT, None, ENGAGED, None, None, None]
    assert [contact["number"] for contact in contacts] == numbers
    assert [contact["has_account"] for contact in contacts] == [number in (ENGAGED, SILENT) for number in numbers]
    assert [contact["is_engaged"] for contact in contacts] == [number == ENGAGED for number in numbers]
    assert not any(contact["is_blocked"] for contact in contacts)
    assert [bool(contact["messages"]) for contact in contacts] == [number == ENGAGED for number in numbers]
    assert look(server) == []


def test_it_says_what_the_next_request_will_find() -> None:
    server = Server()
    for number in NUMBERS[:40]:
        contact = of(server, number)
        status = server.ask("POST", f"{CHECK}/{number}/report")[0]
        assert (status == 200) is contact["is_engaged"]
        assert contact["has_account"] or not contact["is_engaged"]


def test_it_follows_what_happens() -> None:
    server = Server()
    assert of(server, SILENT)["messages"] == []
    message_id = server.act("POST", "inbound", {"number": SILENT}, at=1)["message_id"]
    written = of(server, SILENT, at=2)
    assert (written["is_engaged"], written["messages"]) == (True, [message_id])
    assert server.ask("POST", f"{CHECK}/{SILENT}/block", at=3)[0] == 200
    assert of(server, SILENT, at=4)["is_blocked"]
    assert not of(server, OTHER, at=4)["is_blocked"]
    assert server.ask("POST", f"{CHECK}/{SILENT}/unblock", at=5)[0] == 200
    assert not of(server, SILENT, at=6)["is_blocked"]
    later = of(server, SILENT, at=1 + ENGAGED_SECONDS)
    assert (later["is_engaged"], later["messages"]) == (False, [message_id])
    server.act("POST", "account", {"number": SILENT, "exists": False}, at=7)
    gone = of(server, SILENT, at=8)
    assert (gone["has_account"], gone["is_engaged"]) == (False, False)


def test_messages_are_told_as_a_report_may_name_them() -> None:
    server = Server()
    for message_id in of(server, ENGAGED)["messages"]:
        assert server.ask("POST", f"{CHECK}/{ENGAGED}/report", {"message_id": message_id})[0] == 200
    assert server.world.people.reported == [(ENGAGED, (message_id,)) for message_id in of(server, ENGAGED)["messages"]]


def test_a_contact_is_named_as_in_a_path() -> None:
    server = Server()
    server.world.people.block(ENGAGED, NOW)
    assert {of(server, text)["number"] for text in (ENGAGED, ENGAGED[1:], f"({ENGAGED[2:5]}) {ENGAGED[5:]}")} == {
        ENGAGED
    }
    server.world.people.change_account(MEXICAN, True, NOW)
    server.world.people.write(MEXICAN, NOW)
    for text in (MEXICAN, wa_id_of(MEXICAN), f"+{wa_id_of(MEXICAN)}"):
        assert of(server, text)["number"] == MEXICAN


def test_numbers_are_read_as_in_the_region_of_the_path() -> None:
    server = Server()
    assert look(server, "98765 43210", prefix="/_region/IN")[0]["number"] == "+919876543210"
    assert look(server, "98765 43210")[0]["number"] != "+919876543210"


# Who may ask, and how


@pytest.mark.parametrize(
    ("method", "body", "status", "code"),
    [
        ("POST", None, 400, 1025),
        ("POST", b"{", 400, 1025),
        ("POST", [SILENT], 400, 1009),
        ("POST", {"numbers": SILENT}, 400, 1009),
        ("POST", {"numbers": [1]}, 400, 1009),
        ("POST", {"numbers": None}, 400, 1009),
        ("POST", {"numbers": [], "more": 1}, 400, 1009),
        ("GET", None, 405, 1025),
        ("PUT", {"numbers": []}, 405, 1025),
    ],
)
def test_anything_else_is_refused(method: str, body: Any, status: int, code: int) -> None:
    said, answer = Server().ask(method, CONTACTS, body)
    assert (said, code_of(answer)) == (status, code)


def test_a_question_about_nothing_says_what_is_missing() -> None:
    status, answer = Server().ask("POST", CONTACTS, {})
    assert status == 400
    assert "numbers" in answer["errors"][0]["details"]


@pytest.mark.parametrize(
    ("control", "authorization", "status"),
    [(False, f"Bearer {TOKEN}", 404), (True, "", 401), (True, "Bearer x", 401), (True, f"Apikey {TOKEN}", 403)],
)
def test_it_tells_nothing_to_who_may_not_ask(control: bool, authorization: str, status: int) -> None:
    reply = Server(control=control).reply("POST", CONTACTS, {"numbers": [ENGAGED]}, authorization=authorization)
    assert reply.status == status
    assert ENGAGED.encode() not in reply.body


def test_asking_leaves_no_trace() -> None:
    server = Server()
    events: list[object] = []
    server.world.listeners.append(events.append)
    server.act("POST", "scenario", {"name": "upgrade"})
    events.clear()
    before = server.state(1)
    look(server, *NUMBERS, at=1)
    assert server.state(1) == before
    assert (events, server.file.getvalue(), server.simulator.record.requests_made) == ([], "", 0)
    assert server.state(500)["seconds"] == 0


# The clock of a scenario


def playing() -> Server:
    """Return a server whose scenario lets somebody else block a contact every second."""
    server = Server(World("US", 0, a_world(latency=None).conditions))
    server.world.play(Scenario("t", "a", at=(Step(seconds=1, every=1, block=1),)), NOW)
    return server


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "", {"contacts": [SILENT]}),
        ("POST", "", {}),
        ("GET", "/blocklist", None),
        ("GET", "/blocklist?limit=1&offset=3", None),
        ("GET", "/blocklist?limit=0", None),
        ("POST", f"/{ENGAGED}/block", None),
        ("POST", f"/{ENGAGED}/unblock", None),
        ("POST", f"/{SILENT}/report", None),
        ("GET", f"/{SILENT[1:]}/identity", None),
        ("PUT", f"/{SILENT[1:]}/identity", {"hash": "x"}),
        ("GET", "/nothing/like/this", None),
    ],
)
@pytest.mark.parametrize("prefix", ["", "/_region/IN"])
def test_the_first_request_about_contacts_starts_it(prefix: str, method: str, path: str, body: Any) -> None:
    server = playing()
    server.reply(method, f"{prefix}{CHECK}{path}", body, at=100)
    assert server.state(103.5)["seconds"] == 3.5
    assert server.world.people.blocked == 3 + (path == f"/{ENGAGED}/block")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/health", None),
        ("POST", "/v1/users/login", None),
        ("GET", "/v1/settings/application", None),
        ("GET", "/v1", None),
        ("GET", "/", None),
        ("GET", "/_simulator/state", None),
        ("POST", CONTACTS, {"numbers": [SILENT]}),
        ("POST", "/_simulator/inbound", {"number": SILENT}),
    ],
)
def test_no_other_request_starts_it(method: str, path: str, body: Any) -> None:
    server = playing()
    server.reply(method, path, body, at=100)
    assert server.state(500)["seconds"] == 0
    assert server.world.people.blocked == 0


def test_later_requests_do_not_start_it_again() -> None:
    server = playing()
    for at in (100, 103, 107.5):
        server.ask("GET", f"{CHECK}/blocklist", at=at)
    assert server.state(108.5)["seconds"] == 8.5
    assert server.world.people.blocked == 8


# Over a socket


@asynccontextmanager
async def backstage_of(url: str, token: str = TOKEN) -> AsyncIterator[Backstage]:
    backstage = Backstage(client_server.Server.at(url, token))
    yield backstage
    await backstage.close()


@pytest.mark.anyio
async def test_backstage_asks_about_contacts() -> None:
    with ServerThread(App(Simulator(a_world(latency=None), TOKEN, control=True))) as thread:
        async with backstage_of(thread.url) as backstage:
            engaged, nobody, unread = await backstage.contacts([ENGAGED, NOBODY, "?"])
            assert (engaged.number, engaged.has_account, nobody.has_account) == (ENGAGED, True, False)
            assert unread == ContactState("?", None)
            assert await backstage.contacts([]) == []
        async with backstage_of(thread.url, "another") as backstage:
            with pytest.raises(AccessDenied):
                await backstage.contacts([ENGAGED])
    async with backstage_of(thread.url) as backstage:
        with pytest.raises(NotConnected):
            await backstage.contacts([])
    with ServerThread(App(Simulator(a_world(latency=None), TOKEN))) as plain:
        async with backstage_of(plain.url) as backstage:
            with pytest.raises(Refused):
                await backstage.contacts([])


def test_its_answer_is_json_of_the_documented_members() -> None:
    reply = Server().reply("POST", CONTACTS, {"numbers": [SILENT]})
    (contact,) = json.loads(reply.body)
    assert list(contact) == list(ContactState.__struct_fields__)
