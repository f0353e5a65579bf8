"""The control interface: who may use it, what it changes at once, and that it is no part of what is demonstrated."""

import base64
import io
import json
from typing import Any

import httpx
import pytest

from tests.simulated import a_world
from watui.contract.rules import ENGAGED_SECONDS
from watui.simulator import population
from watui.simulator.app import App
from watui.simulator.record import Record
from watui.simulator.scenario import find
from watui.simulator.server import Simulator
from watui.simulator.serving import ServerThread
from watui.simulator.wire import Reply, Request
from watui.simulator.world import World

TOKEN = "control-token"
NOW = 1_800_000_000.0
CHECK = "/v1/contacts"
NUMBERS = [f"+1212555{line:04d}" for line in range(200)]
SILENT, OTHER = [
    number for number in NUMBERS if population.has_account(0, number) and not population.is_engaged(0, number)
][:2]
ENGAGED = next(number for number in NUMBERS if population.has_account(0, number) and population.is_engaged(0, number))
NOBODY = next(number for number in NUMBERS if not population.has_account(0, number))

ROUTES: list[tuple[str, str, Any]] = [
    ("GET", "state", None),
    ("GET", "state?after=3", None),
    ("PATCH", "state", {"version": "v2.43"}),
    ("POST", "scenario", {"name": "calm"}),
    ("POST", "inbound", {"number": SILENT}),
    ("POST", "identity", {"number": SILENT}),
    ("POST", "account", {"number": SILENT, "exists": False}),
    ("POST", "reset", None),
]


class Server:
    """A server in virtual time, and what comes after it in the record."""

    def __init__(self, world: World | None = None, *, control: bool = True, token: str | None = TOKEN) -> None:
        self.file = io.StringIO()
        world = world or a_world(latency=None)
        self.simulator = Simulator(world, token, control=control, record=Record(self.file), seeded_tokens=True)
        self.world = self.simulator.world

    def reply(
        self, method: str, target: str, body: Any = None, at: float = 0.0, authorization: str = f"Bearer {TOKEN}"
    ) -> Reply:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        headers = {"authorization": authorization}
        return self.simulator.respond(Request(method, target, headers, content), NOW + at)[0]

    def act(self, method: str, path: str, body: Any = None, at: float = 0.0) -> dict[str, Any]:
        """Do what a person does, and return the state that comes back."""
        reply = self.reply(method, f"/_simulator/{path}", body, at)
        assert reply.status == 200, reply.body
        state: dict[str, Any] = json.loads(reply.body)
        return state

    def state(self, at: float = 0.0) -> dict[str, Any]:
        return self.act("GET", "state", at=at)

    def ask(self, method: str, target: str, body: Any = None, at: float = 0.0) -> tuple[int, Any]:
        reply = self.reply(method, target, body, at)
        return reply.status, json.loads(reply.body)

    def check(self, number: str = SILENT, at: float = 0.0, force_check: bool = False) -> tuple[str, str]:
        """Return the status of a number, and the version that said so."""
        status, answer = self.ask("POST", CHECK, {"contacts": [number], "force_check": force_check}, at)
        assert status == 200, answer
        return answer["contacts"][0]["status"], answer["meta"]["version"]


def code_of(answer: Any) -> int:
    (error,) = answer["errors"]
    assert error["title"]
    code: int = error["code"]
    return code


# Who may use it


@pytest.mark.parametrize(("method", "path", "body"), ROUTES, ids=lambda value: str(value)[:20])
def test_there_is_none_unless_asked_for(method: str, path: str, body: Any) -> None:
    server = Server(control=False)
    before = server.world.conditions
    status, answer = server.ask(method, f"/_simulator/{path}", body)
    assert (status, code_of(answer), answer["meta"]["version"]) == (404, 1006, "v2.41")
    assert server.world.conditions == before
    assert not server.world.people.knows(SILENT)


@pytest.mark.parametrize(("method", "path", "body"), ROUTES, ids=lambda value: str(value)[:20])
@pytest.mark.parametrize(
    ("authorization", "status"),
    [("", 401), ("Bearer other", 401), (f"Basic {TOKEN}", 401), (TOKEN, 401), (f"Apikey {TOKEN}", 403)],
)
def test_it_does_nothing_without_a_token(method: str, path: str, body: Any, authorization: str, status: int) -> None:
    server = Server()
    events: list[object] = []
    server.world.listeners.append(events.append)
    reply = server.reply(method, f"/_simulator/{path}", body, authorization=authorization)
    assert (reply.status, code_of(json.loads(reply.body))) == (status, 1005)
    assert events == []


def test_a_server_without_a_fixed_token_takes_that_of_a_login_alone() -> None:
    server = Server(token=None)
    assert server.reply("GET", "/_simulator/state", authorization="Bearer ").status == 401
    basic = "Basic " + base64.b64encode(b"admin:secret").decode()
    login = server.reply("POST", "/v1/users/login", {"new_password": "Str0ng!pass"}, authorization=basic)
    bearer = f"Bearer {json.loads(login.body)['users'][0]['token']}"
    assert server.reply("GET", "/_simulator/state", authorization=bearer).status == 200


# Errors


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "words"),
    [
        ("GET", "", None, 404, 1006, ""),
        ("GET", "nothing", None, 404, 1006, ""),
        ("GET", "state/more", None, 404, 1006, ""),
        ("DELETE", "state", None, 405, 1025, ""),
        ("GET", "reset", None, 405, 1025, ""),
        ("PATCH", "state", None, 400, 1025, ""),
        ("PATCH", "state", b"{", 400, 1025, ""),
        ("PATCH", "state", b'{"version": "\xff"}', 400, 1025, ""),
        ("PATCH", "state", [], 400, 1009, "object"),
        ("PATCH", "state", {"colour": "red"}, 400, 1009, "colour"),
        ("PATCH", "state", {"version": "new"}, 400, 1009, "version 'new'"),
        ("PATCH", "state", {"latency": "quick"}, 400, 1009, "latency 'quick'"),
        ("PATCH", "state", {"latency": None}, 400, 1009, "latency"),
        ("PATCH", "state", {"stuck": 1.5}, 400, 1009, "stuck is a share"),
        ("PATCH", "state", {"max_contacts": 0}, 400, 1009, "max_contacts is 1 or more"),
        ("PATCH", "state", {"meta": "no"}, 400, 1009, "meta"),
        ("PATCH", "state", {"faults": [{"kind": "rest"}]}, 400, 1009, "rest"),
        ("PATCH", "state", {"faults": [{"kind": "reset", "share": 2}]}, 400, 1009, "share is above 0"),
        ("POST", "scenario", {"name": "clam"}, 400, 1009, "'clam'"),
        ("POST", "scenario", {"name": "../scenarios/calm"}, 400, 1009, "no scenario"),
        ("POST", "scenario", {"name": "/etc/own.toml"}, 400, 1009, "no scenario"),
        ("POST", "scenario", {"name": 5}, 400, 1009, "name"),
        ("POST", "scenario", {"scenario": {"title": "T"}}, 400, 1009, "about"),
        ("POST", "scenario", {"scenario": {"title": "T", "about": "A", "at": [{}]}}, 400, 1009, "seconds"),
        ("POST", "inbound", {}, 400, 1008, "number"),
        ("POST", "inbound", {"number": "12"}, 400, 1009, ""),
        ("POST", "inbound", {"number": 12125550100}, 400, 1009, "number"),
        ("POST", "inbound", {"number": NOBODY}, 404, 1006, "no account"),
        ("POST", "identity", {"number": NOBODY}, 404, 1006, "no account"),
        ("POST", "account", {"number": "nobody"}, 400, 1009, ""),
        ("POST", "account", {"number": NOBODY, "exists": "yes"}, 400, 1009, "exists"),
    ],
)
def test_what_it_refuses_is_in_the_envelope_and_changes_nothing(
    method: str, path: str, body: Any, status: int, code: int, words: str
) -> None:
    server = Server()
    events: list[object] = []
    server.world.listeners.append(events.append)
    got, answer = server.ask(method, f"/_simulator/{path}", body)
    assert (got, code_of(answer), answer["meta"]["version"]) == (status, code, "v2.41")
    assert words in answer["errors"][0]["details"]
    assert events == []


def test_a_blocked_contact_cannot_write() -> None:
    server = Server()
    assert server.reply("POST", f"/v1/contacts/{ENGAGED}/block").status == 200
    status, answer = server.ask("POST", "/_simulator/inbound", {"number": ENGAGED})
    assert (status, code_of(answer)) == (400, 1009)
    assert "blocked" in answer["errors"][0]["details"]


def test_a_count_may_be_absurd() -> None:
    status, _ = Server().ask("GET", f"/_simulator/state?after={'9' * 5_000}")
    assert status in (200, 400)


@pytest.mark.parametrize("after", ["", "-1", "x", "٣", "1.5"])
def test_a_count_that_is_none_is_refused(after: str) -> None:
    assert Server().ask("GET", f"/_simulator/state?after={after}")[0] == 400


# What it shows


def test_the_state_shows_the_server_as_it_is() -> None:
    server = Server(a_world("IN", 7, version="v2.43"))
    state = server.state()
    assert (state["region"], state["seed"], state["scenario"], state["title"]) == ("IN", 7, None, "")
    assert (state["conditions"]["version"], state["latency"]) == ("v2.43", "1.5,4")
    counts = ("requests", "numbers", "in_flight", "blocked", "reported", "seconds")
    assert [state[name] for name in counts] == [0] * 6
    assert state["latest"] == []


def test_the_state_counts() -> None:
    server = Server(a_world())
    server.ask("POST", CHECK, {"contacts": [*NUMBERS[:50], "12"]})
    server.ask("POST", f"/v1/contacts/{ENGAGED}/report", {"block": True})
    state = server.state(0.001)
    assert [state[name] for name in ("requests", "numbers", "in_flight", "blocked", "reported")] == [2, 50, 50, 1, 1]
    later = server.state(100)
    assert (later["in_flight"], later["seconds"]) == (0, 100)
    first, second = later["latest"]
    assert [first[name] for name in ("seq", "at", "method", "path", "status")] == [1, NOW, "POST", CHECK, 200]
    assert "began to check 50 numbers" in first["did"]
    assert second["did"]
    assert [each["seq"] for each in server.act("GET", "state?after=1")["latest"]] == [2]
    assert server.act("GET", "state?after=2")["latest"] == []


def test_what_is_changed_answers_with_the_state_and_none_of_the_latest() -> None:
    server = Server()
    server.check()
    for method, path, body in ROUTES[2:]:
        state = server.act(method, path, body)
        assert state["latest"] == []
        assert state["requests"] == 1


# What it changes


def test_a_version_is_there_at_once() -> None:
    server = Server()
    assert server.check(NOBODY) == ("invalid", "v2.41")
    assert server.act("PATCH", "state", {"version": "2.45.1"})["conditions"]["version"] == "v2.45.1"
    assert server.check(NOBODY) == ("valid", "v2.45.1")


def test_a_latency_holds_for_checks_that_begin_after_it() -> None:
    server = Server(a_world(latency=None))
    assert server.act("PATCH", "state", {"latency": "100,100"})["latency"] == "100,100"
    assert server.check()[0] == "processing"
    assert server.act("PATCH", "state", {"latency": "none"})["latency"] == "none"
    assert server.check(OTHER)[0] == "valid"
    assert [server.check(at=at)[0] for at in (99, 101)] == ["processing", "valid"]


def test_faults_hit_the_next_request_and_go_as_they_came() -> None:
    server = Server()
    server.act("PATCH", "state", {"faults": [{"kind": "internal-error", "path": "/v1/health"}]})
    assert server.ask("GET", "/v1/health")[0] == 500
    assert server.check()[0] == "valid"
    server.act("PATCH", "state", {"faults": []})
    assert server.ask("GET", "/v1/health")[0] == 200


def test_every_other_condition_can_be_changed() -> None:
    server = Server()
    server.act("PATCH", "state", {"max_contacts": 1})
    two = {"contacts": NUMBERS[:2]}
    assert server.ask("POST", CHECK, two)[0] == 400
    server.act("PATCH", "state", {"max_contacts": None})
    assert server.ask("POST", CHECK, two)[0] == 200
    server.act("PATCH", "state", {"cluster": True, "meta": False})
    health = server.ask("GET", "/v1/health")[1]
    assert set(health) == {"health"}
    assert len(health["health"]) > 1
    server.act("PATCH", "state", {"meta": True, "stuck": 1.0, "processing_wa_id": True})
    contact = server.ask("POST", CHECK, {"contacts": ["+13475550100"]}, 9_999)[1]["contacts"][0]
    assert (contact["status"], contact["wa_id"]) == ("processing", "13475550100")
    server.act("PATCH", "state", {"rate_limit": True})
    assert 429 in {server.ask("GET", "/v1/health", at=9_999)[0] for _ in range(100)}
    server.act("PATCH", "state", {"rate_limit": False})
    assert {server.ask("GET", "/v1/health", at=9_999)[0] for _ in range(100)} == {200}


def test_engaged_can_be_nobody_or_everybody() -> None:
    server = Server()
    server.act("PATCH", "state", {"engaged": 0.0})
    assert code_of(server.ask("POST", f"/v1/contacts/{ENGAGED}/block")[1]) == 2048
    server.act("PATCH", "state", {"engaged": 1.0})
    assert server.ask("POST", f"/v1/contacts/{SILENT}/block")[0] == 200


def test_what_is_not_named_stays() -> None:
    server = Server()
    server.act("PATCH", "state", {"version": "v2.43", "max_contacts": 7})
    state = server.act("PATCH", "state", {"cluster": True})
    assert [state["conditions"][name] for name in ("version", "max_contacts", "cluster")] == ["v2.43", 7, True]
    assert server.act("PATCH", "state", {}) == state


def test_a_message_opens_the_door_for_a_day() -> None:
    server, block = Server(), f"/v1/contacts/{SILENT}/block"
    assert code_of(server.ask("POST", block)[1]) == 2048
    server.act("POST", "inbound", {"number": SILENT}, at=1)
    assert code_of(server.ask("POST", f"/v1/contacts/{OTHER}/block", at=1)[1]) == 2048
    assert server.ask("POST", block, at=1)[0] == 200
    assert server.state(1)["blocked"] == 1
    server.ask("POST", f"/v1/contacts/{SILENT}/unblock", at=2)
    assert server.ask("POST", block, at=ENGAGED_SECONDS)[0] == 200
    server.ask("POST", f"/v1/contacts/{SILENT}/unblock", at=ENGAGED_SECONDS)
    assert code_of(server.ask("POST", block, at=1 + ENGAGED_SECONDS)[1]) == 2048


def test_an_identity_changes_and_is_to_be_acknowledged() -> None:
    server, url = Server(), f"/v1/contacts/{SILENT[1:]}/identity"
    first = server.ask("GET", url)[1]["contacts"]
    server.act("POST", "identity", {"number": SILENT}, at=5)
    changed = server.ask("GET", url, at=5)[1]["contacts"]
    assert first["acknowledged"]
    assert not changed["acknowledged"]
    assert changed["hash"] != first["hash"]
    assert changed["created_timestamp"] == (NOW + 5) * 1000
    assert server.ask("PUT", url, {"hash": changed["hash"]}, 6) == (200, {})
    assert server.ask("GET", url, at=6)[1]["contacts"]["acknowledged"]


def test_an_account_appears_and_vanishes() -> None:
    server = Server()
    assert (server.check(SILENT)[0], server.check(NOBODY)[0]) == ("valid", "invalid")
    server.act("POST", "account", {"number": SILENT, "exists": False}, at=10)
    server.act("POST", "account", {"number": NOBODY}, at=10)
    cached = server.check(SILENT, 10)[0], server.check(NOBODY, 10)[0]
    assert cached == ("valid", "invalid"), "a verdict in the cache is kept"
    forced = server.check(SILENT, 10, force_check=True)[0], server.check(NOBODY, 10, force_check=True)[0]
    assert forced == ("invalid", "valid")
    assert server.ask("GET", f"/v1/contacts/{SILENT[1:]}/identity", at=10)[0] == 404
    assert server.ask("GET", f"/v1/contacts/{NOBODY[1:]}/identity", at=10)[0] == 200


@pytest.mark.parametrize("spelling", ["12125550199", "+1 (212) 555-0199", "2125550199"])
def test_a_number_may_be_spelt_in_any_way(spelling: str) -> None:
    server = Server()
    server.act("POST", "account", {"number": "+12125550199", "exists": True})
    server.act("POST", "identity", {"number": spelling})
    assert server.world.people.knows("+12125550199")


def test_a_number_is_read_as_by_a_server_of_the_region_in_the_path() -> None:
    server = Server()
    server.act("POST", "account", {"number": "+919876543210"})
    reply = server.reply("POST", "/_region/IN/_simulator/inbound", {"number": "9876543210"})
    assert reply.status == 200
    assert server.world.people.knows("+919876543210")


def test_a_scenario_is_played_by_its_name_and_ended() -> None:
    server = Server()
    state = server.act("POST", "scenario", {"name": "not-engaged"})
    assert (state["scenario"], state["title"]) == ("not-engaged", find("not-engaged").title)
    assert code_of(server.ask("POST", f"/v1/contacts/{ENGAGED}/block")[1]) == 2048
    state = server.act("POST", "scenario", {"name": None})
    assert (state["scenario"], state["title"]) == (None, "")
    assert server.ask("POST", f"/v1/contacts/{ENGAGED}/block")[0] == 200


def test_a_scenario_is_played_that_is_sent_whole() -> None:
    server = Server()
    scenario = {
        "name": "mine",
        "title": "Mine",
        "about": "A. B.",
        "start": {"version": "v2.39.1", "blocked": 2},
        "fault": [{"kind": "queue-full", "path": "/v1/health", "from": 5}],
        "at": [{"seconds": 10, "version": "v2.43"}],
    }
    state = server.act("POST", "scenario", {"scenario": scenario}, at=50)
    assert (state["scenario"], state["title"], state["blocked"], state["seconds"]) == ("mine", "Mine", 2, 0)
    assert server.check(at=100) == ("valid", "v2.39.1")
    assert [server.ask("GET", "/v1/health", at=at)[0] for at in (104.9, 105)] == [200, 503]
    assert server.check(at=110)[1] == "v2.43"
    assert server.state(at=112)["seconds"] == 12


def test_the_state_shows_what_the_scenario_has_for_that_time() -> None:
    server = Server()
    server.act("POST", "scenario", {"name": "upgrade"})
    server.check()
    assert [server.state(at)["conditions"]["version"] for at in (9.9, 10)] == ["v2.41", "v2.43"]


def test_a_reset_begins_the_world_anew() -> None:
    server = Server(a_world(seed=3, latency=None))
    fresh = server.state()
    server.act("POST", "scenario", {"name": "not-engaged"})
    server.act("PATCH", "state", {"engaged": 1.0, "faults": [{"kind": "internal-error", "nth": 99}]})
    basic = "Basic " + base64.b64encode(b"admin:secret").decode()
    login = server.reply("POST", "/v1/users/login", {"new_password": "Str0ng!pass"}, authorization=basic)
    bearer = f"Bearer {json.loads(login.body)['users'][0]['token']}"
    account = next(number for number in NUMBERS if population.has_account(3, number))
    server.check(account)
    assert server.ask("POST", f"/v1/contacts/{account}/report", {"block": True})[0] == 200
    server.ask("PATCH", "/v1/settings/application", {"show_security_notifications": True})
    before = server.state()
    assert [before[name] for name in ("numbers", "blocked", "reported", "scenario")] == [1, 1, 1, "not-engaged"]
    state = server.act("POST", "reset", at=60)
    made = {"requests": state["requests"]}
    assert state == {**fresh, **made}
    assert server.reply("GET", CHECK + "/blocklist", at=60, authorization=bearer).status == 401
    settings = server.ask("GET", "/v1/settings/application", at=60)[1]["settings"]["application"]
    assert settings["show_security_notifications"] is False


def test_a_reset_begins_the_scenario_that_the_server_was_started_with() -> None:
    server = Server(World("US", 0, None, find("upgrade")))
    server.world.reset(NOW)
    server.check()
    assert server.check(at=10)[1] == "v2.43"
    state = server.act("POST", "reset", at=20)
    assert (state["scenario"], state["conditions"]["version"], state["seconds"]) == ("upgrade", "v2.41", 0)
    assert server.check(at=100)[1] == "v2.41"
    assert server.check(at=110)[1] == "v2.43"


# It is no part of what is demonstrated


def test_nothing_of_it_is_a_request_in_the_record() -> None:
    server = Server()
    for method, path, body in [*ROUTES, ("GET", "nothing", None), ("PATCH", "state", b"{")]:
        server.reply(method, f"/_simulator/{path}", body)
        server.reply(method, f"/_region/IN/_simulator/{path}", body)
        server.reply(method, f"/_simulator/{path}", body, authorization="")
    assert server.file.getvalue() == ""
    assert server.simulator.record.requests_made == 0
    assert not server.simulator.record.requests
    assert server.simulator.record.latest_after(0) == []


def test_it_takes_nothing_from_the_limit_and_is_not_limited() -> None:
    server = Server(a_world(rate_limit=True))
    assert {server.reply("GET", "/_simulator/state").status for _ in range(500)} == {200}
    assert server.ask("GET", "/v1/health")[0] == 200


def test_it_does_not_begin_the_clock_of_a_scenario() -> None:
    server = Server()
    server.act("POST", "scenario", {"name": "upgrade"})
    for method, path, body in ROUTES[:3]:
        server.act(method, path, body, at=1)
    assert server.state(500)["seconds"] == 0


def test_what_it_lets_happen_is_not_told_of_the_next_request() -> None:
    server = Server()
    server.act("POST", "identity", {"number": SILENT})
    server.check(OTHER)
    (line,) = server.file.getvalue().splitlines()
    assert SILENT not in json.dumps(json.loads(line)["did"])


# Over a socket, while a wait is under way


def test_it_answers_over_http_and_ends_a_wait_that_was_stuck() -> None:
    with (
        ServerThread(App(Simulator(a_world(stuck=1.0), TOKEN, control=True))) as thread,
        httpx.Client(
            base_url=thread.url, headers={"authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=10
        ) as client,
    ):
        assert client.post(CHECK, json={"contacts": [SILENT]}).json()["contacts"][0]["status"] == "processing"
        changed = client.patch("/_simulator/state", json={"stuck": 0.0, "latency": "none"})
        assert changed.json()["in_flight"] == 1
        assert client.post(CHECK, json={"contacts": [SILENT]}).json()["contacts"][0]["status"] == "valid"
        assert client.get("/_simulator/state").json()["requests"] == 2
