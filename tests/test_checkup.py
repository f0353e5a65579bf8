"""A look at a server: what is found where all is well, and where something is not."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import TOKEN
from tests.simulated import a_world, create_app
from tests.tls import Listener, Shown, authority_file, self_signed, signed
from watui.checkup import Checkup, look_at
from watui.client.auth import LOGIN_PATH, Auth, Credentials, Fixed, Login
from watui.client.failures import AccessDenied, CertificateChanged, NotConnected, Untrusted
from watui.client.server import Server
from watui.client.trust import Trust
from watui.contract.kinds import ServerKind
from watui.findings import Level
from watui.simulator.events import PasswordChanged
from watui.simulator.record import Record
from watui.simulator.serving import ServerThread
from watui.sites import Site

PASSWORD = "Canary-Pass1"


def site(server: Server | None, auth: Auth | None = None, region: str = "US") -> Site:
    return Site("shop", server, region, False, 500, find_auth=lambda: auth or Fixed(TOKEN))


def look(server: Server | None, auth: Auth | None = None, region: str = "US") -> Checkup:
    return asyncio.run(look_at(site(server, auth, region)))


@contextmanager
def simulated(**conditions: Any) -> Iterator[Server]:
    region = conditions.pop("region", "US")
    with ServerThread(create_app(a_world(region, **conditions), TOKEN)) as thread:
        yield Server(thread.url)


def troubles(found: Checkup) -> dict[str, str]:
    return {each.subject: each.words for each in found.findings if each.level is Level.TROUBLE}


def words(found: Checkup) -> dict[str, str]:
    return {each.subject: each.words for each in found.findings}


def test_the_embedded_simulator_is_always_well() -> None:
    found = look(None)
    assert [each.level for each in found.findings] == [Level.OK]


def test_a_server_that_is_well_is_told_with_its_version_login_and_region() -> None:
    with simulated() as server:
        found = look(server)
    assert {each.level for each in found.findings} == {Level.OK}
    assert "is connected" in words(found)["server"]
    assert words(found)["version"].startswith("v2.41; ")
    assert words(found)["login"] == "the token is accepted"
    assert words(found)["region"].startswith("registered in US")
    assert (found.home, found.failure) == ("US", None)


def test_each_node_of_a_cluster_is_told_and_those_that_are_unwell() -> None:
    with simulated(cluster=True) as server:
        found = look(server)
    told = [(each.words, each.level) for each in found.findings if each.subject == "server"]
    assert told == [
        ("node master-1:wacore is connected, primary_master", Level.OK),
        ("node master-2:wacore is connected, secondary_master", Level.OK),
        ("node core-1:wacore is connecting, coreapp", Level.TROUBLE),
        ("node core-2:wacore is Service not ready", Level.TROUBLE),
    ]


def test_numbers_that_would_be_read_for_another_country_are_trouble() -> None:
    with simulated(region="IN") as server:
        found = look(server, region="US")
    assert found.home == "IN"
    assert "registered in IN, but numbers without + are read as registered in US" in troubles(found)["region"]


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "agrees"), (50, "agrees"), (-50, "agrees"), (90, "ahead of"), (-90, "behind")]
)
def test_a_clock_that_is_off_is_told(seconds: float, told: str) -> None:
    def answer(request: bytes) -> bytes:
        return b'{"health": {"gateway_status": "connected"}}' if b"/v1/health" in request else b"{}"

    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + seconds))
    with Listener(None, answer, headers=f"Date: {date}\r\n") as listener:
        found = look(Server(listener.url))
    assert told in words(found)["clock"]
    assert troubles(found) == {}
    assert (found.home, found.health is not None and found.health.version) == (None, None)


def test_a_token_that_is_refused_is_trouble_with_the_login() -> None:
    with simulated() as server:
        found = look(server, Fixed("wrong"))
    assert isinstance(found.failure, AccessDenied)
    assert list(troubles(found)) == ["login"]
    assert "watui login" in (found.findings[-1].next_step or "")


def test_a_login_is_told_with_its_end_and_a_wrong_password_is_trouble() -> None:
    world, record = a_world(latency=None), Record()
    app = create_app(world, record=record)
    world.happen(PasswordChanged(time.time(), "admin", PASSWORD))
    with ServerThread(app) as thread:
        found = look(Server(thread.url), Login(lambda: Credentials("admin", PASSWORD)))
        assert words(found)["login"].startswith("logged in until 20")
        assert troubles(found) == {}
        found = look(Server(thread.url), Login(lambda: Credentials("admin", "wrong")))
        assert "does not let admin in" in troubles(found)["login"]
        assert record.requests[LOGIN_PATH] == 2


def test_a_server_that_is_down_is_trouble_with_the_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    for scheme in ("http", "https"):
        found = look(Server(f"{scheme}://127.0.0.1:{port}"))
        assert isinstance(found.failure, NotConnected)
        assert f"cannot reach 127.0.0.1:{port}" in troubles(found)["server"]


def test_an_unencrypted_way_to_another_machine_is_worth_a_word() -> None:
    def never() -> Auth:
        raise AccessDenied("not looked for", None, 401)

    server = Server("http://wa.example.com", proxy="none")
    found = asyncio.run(look_at(site(server)._replace(find_auth=never)))
    assert [(each.subject, each.level) for each in found.findings] == [("way", Level.NOTE), ("login", Level.TROUBLE)]


# Whom to believe is known before a secret is even looked for


@pytest.mark.parametrize(
    ("shown", "trust", "kind"),
    [
        (self_signed(), Trust(), Untrusted),
        (signed("wa.example.com"), None, Untrusted),
        (self_signed(serial=2), Trust(certificate=self_signed().certificate), CertificateChanged),
    ],
)
def test_no_secret_is_looked_for_where_the_server_is_not_trusted(
    shown: Shown, trust: Trust | None, kind: type[Untrusted], tmp_path: Any
) -> None:
    def never() -> Auth:
        raise AssertionError("a secret was looked for")

    with Listener(shown) as listener:
        server = Server(listener.url, trust=trust or Trust(authority_file(tmp_path)))
        found = asyncio.run(look_at(site(server)._replace(find_auth=never)))
    assert type(found.failure) is kind
    assert list(troubles(found)) == ["certificate"]
    assert listener.read == b""


def test_the_pinned_certificate_is_told() -> None:
    with Listener(self_signed(), lambda _: b'{"health": {"gateway_status": "connected"}}') as listener:
        found = look(Server(listener.url, trust=Trust(certificate=self_signed().certificate)))
    assert words(found)["certificate"] == "trusted: it is the pinned one"


def test_a_file_of_authorities_that_cannot_be_read_is_trouble(tmp_path: Any) -> None:
    found = look(Server("https://127.0.0.1:1", trust=Trust(tmp_path / "none.pem")))
    assert "none.pem can't be used" in troubles(found)["certificate"]
    assert found.failure is None


# Others are asked about no number at all


@pytest.mark.parametrize(
    ("status", "body", "trouble"),
    [
        (400, b'{"errors": [{"code": 1008, "title": "Required parameter is missing"}]}', None),
        (200, b'{"contacts": []}', None),
        (429, b"{}", None),
        (401, b'{"errors": [{"code": 1005, "title": "Access denied"}]}', "login"),
        (403, b"{}", "login"),
        (404, b"Not found", "server"),
        (500, b"{}", "server"),
        (200, b"<html>", "server"),
    ],
)
@pytest.mark.parametrize("kind", [kind for kind in ServerKind if kind is not ServerKind.OWN])
def test_a_gateway_is_asked_about_nobody(kind: ServerKind, status: int, body: bytes, trouble: str | None) -> None:
    with Listener(None, lambda _: body, status=status) as listener:
        found = look(replace(Server(listener.url), kind=kind))
    assert list(troubles(found)) == ([trouble] if trouble else [])
    (request,) = listener.requests
    assert b'"contacts":[]' in request
    if not trouble:
        assert "answers at" in words(found)["server"]
