"""Clients that others wrote, as small models of their habits: each works over a real socket without a special case."""

import base64
import http.client
import itertools
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.simulated import a_world
from watui.contract.rules import MAX_BODY_BYTES
from watui.simulator.app import App
from watui.simulator.events import AccountChanged
from watui.simulator.population import Latency
from watui.simulator.server import Simulator
from watui.simulator.serving import ServerThread
from watui.simulator.world import START

TOKEN = "a-token"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
FACTORY, PASSWORD = "secret", "Str0ng!pass"

SOMEBODY, NOBODY, NO_NUMBER = "+16315551000", "+16315551002", "+163155588"
CHECK, LOGIN = "/v1/contacts", "/v1/users/login"
VALID = {"input": SOMEBODY, "status": "valid", "wa_id": "16315551000"}

QUICK = Latency(0.02, 0.02)
"""A check takes long enough to be seen in processing, and no longer."""

SECONDS = 10
"""After which a client gives up: a test that gets there fails."""

# What a client is built from


@contextmanager
def serving(latency: Latency | None = None, **conditions: Any) -> Iterator[ServerThread]:
    """Serve a world in which SOMEBODY has an account, has just written, and NOBODY has none."""
    world = a_world(latency=latency, **conditions)
    world.happen(AccountChanged(START, SOMEBODY, True))
    world.happen(AccountChanged(START, NOBODY, False))
    app = App(Simulator(world, TOKEN))
    with ServerThread(app) as server:
        yield server


@contextmanager
def calling(server: ServerThread) -> Iterator[httpx.Client]:
    """Give an HTTP client of `server`, without a token."""
    with httpx.Client(base_url=server.url, trust_env=False, timeout=SECONDS, verify=False) as client:
        yield client


@pytest.fixture(scope="module")
def server() -> Iterator[ServerThread]:
    """A server that decides at once, whose factory password was changed; everybody has written to it lately."""
    with serving(engaged=1.0) as thread, calling(thread) as client:
        log_in(client, FACTORY, {"new_password": PASSWORD}).raise_for_status()
        yield thread


@pytest.fixture
def http_client(server: ServerThread) -> Iterator[httpx.Client]:
    """A client with a token."""
    with calling(server) as client:
        client.headers.update(BEARER)
        yield client


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"admin:{password}".encode()).decode()


def log_in(client: httpx.Client, password: str, body: object = None) -> httpx.Response:
    content = json.dumps(body).encode() if body is not None else None
    return client.post(LOGIN, content=content, headers={"Authorization": basic(password)})


def accepts(client: httpx.Client, token: str) -> bool:
    answer = client.post(CHECK, json={"contacts": [SOMEBODY]}, headers={"Authorization": f"Bearer {token}"})
    return answer.status_code == 200


def raw(server: ServerThread, *parts: bytes) -> tuple[int, Any]:
    """Send `parts` over a socket, read until the server closes it; return the status and the JSON of the answer."""
    with socket.create_connection((server.host, server.port), SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            connection.sendall(part)
        with connection.makefile("rb") as file:
            return parsed(file.read())


def parsed(answer: bytes) -> tuple[int, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def check_in_raw(version: str, *headers: str) -> tuple[bytes, bytes]:
    """Return head and body of a check of SOMEBODY."""
    body = json.dumps({"contacts": [SOMEBODY]}).encode()
    lines = [f"POST {CHECK} HTTP/{version}", "Host: server", f"Authorization: Bearer {TOKEN}"]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", *headers, "", ""]).encode(), body


# Logging in


@pytest.mark.parametrize("content", [None, b"", b"{}", b"null", json.dumps({"new_password": PASSWORD}).encode()])
def test_one_that_logs_in_with_the_same_body_every_time(server: ServerThread, content: bytes | None) -> None:
    with calling(server) as client:
        tokens = []
        for _ in range(3):
            answer = client.post(LOGIN, content=content, headers={"Authorization": basic(PASSWORD)})
            assert answer.status_code == 200
            tokens.append(answer.json()["users"][0]["token"])
            assert all(accepts(client, token) for token in tokens)
    assert len(set(tokens)) == 3


def test_one_that_sets_a_new_password_at_every_login() -> None:
    with serving() as server, calling(server) as client:
        passwords = [FACTORY, *(f"{PASSWORD}{turn}" for turn in range(3))]
        for old, new in itertools.pairwise(passwords):
            token = log_in(client, old, {"new_password": new}).json()["users"][0]["token"]
            assert accepts(client, token)
            assert log_in(client, old).status_code == 401


def test_one_that_tries_the_factory_password_first_and_sets_another_when_told_to() -> None:
    with serving() as server, calling(server) as client:
        refused = log_in(client, FACTORY)
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (401, 1024)
        assert log_in(client, FACTORY, {"new_password": PASSWORD}).status_code == 200
        assert log_in(client, PASSWORD).status_code == 200


def test_one_that_parses_expires_after_strictly(server: ServerThread) -> None:
    with calling(server) as client:
        before = datetime.now(UTC).replace(microsecond=0)
        text = log_in(client, PASSWORD).json()["users"][0]["expires_after"]
        after = datetime.now(UTC)
    expires = datetime.strptime(text, "%Y-%m-%d %H:%M:%S%z")
    assert expires.utcoffset() == timedelta(0)
    assert before + timedelta(days=7) <= expires <= after + timedelta(days=7)


def test_one_that_logs_in_again_whenever_it_hears_401(server: ServerThread) -> None:
    with calling(server) as client:
        token, asked = "a-token-that-has-expired", []
        for _ in range(3):
            headers = {"Authorization": f"Bearer {token}"}
            asked.append(client.post(CHECK, json={"contacts": [SOMEBODY]}, headers=headers).status_code)
            if asked[-1] == 401:
                token = log_in(client, PASSWORD).json()["users"][0]["token"]
    assert asked == [401, 200, 200]


def test_one_that_logs_out_after_every_piece_of_work(server: ServerThread) -> None:
    with calling(server) as client:
        for _ in range(2):
            token = log_in(client, PASSWORD).json()["users"][0]["token"]
            assert accepts(client, token)
            assert client.post("/v1/users/logout", headers={"Authorization": f"Bearer {token}"}).status_code == 200
            assert not accepts(client, token)


# Checking


def test_one_that_waits_and_writes_a_plus_and_reads_only_the_first_contact() -> None:
    with serving(QUICK) as server, calling(server) as client:

        def wa_id_of(number: str) -> str | None:
            answer = client.post(CHECK, json={"blocking": "wait", "contacts": [number]}, headers=BEARER)
            contact = answer.raise_for_status().json()["contacts"][0]
            return contact["wa_id"] if contact["status"] == "valid" else None

        assert [wa_id_of(number) for number in (SOMEBODY, NOBODY, NO_NUMBER)] == ["16315551000", None, None]


def test_one_that_takes_the_first_contact_for_the_first_number(http_client: httpx.Client) -> None:
    for numbers in itertools.permutations([SOMEBODY, NOBODY, NO_NUMBER]):
        assert http_client.post(CHECK, json={"contacts": numbers}).json()["contacts"][0]["input"] == numbers[0]


def test_one_that_goes_by_position(http_client: httpx.Client) -> None:
    numbers = [SOMEBODY, NO_NUMBER, SOMEBODY, NOBODY]
    contacts = http_client.post(CHECK, json={"contacts": numbers}).json()["contacts"]
    assert [contact["status"] for contact in contacts] == ["valid", "failed", "valid", "invalid"]


def test_one_that_polls_until_nothing_is_processing() -> None:
    with serving(QUICK) as server, calling(server) as client:
        seen = []
        for _ in range(10_000):
            answer = client.post(CHECK, json={"contacts": [SOMEBODY], "force_check": False}, headers=BEARER)
            seen.append(answer.json()["contacts"][0]["status"])
            if seen[-1] != "processing":
                break
    assert (seen[0], seen[-1]) == ("processing", "valid")


def test_one_that_expects_no_member_but_those_of_the_sample(http_client: httpx.Client) -> None:
    answer = http_client.post(CHECK, json={"contacts": [SOMEBODY, NOBODY]}).json()
    assert set(answer) == {"contacts", "meta"}
    assert [list(contact) for contact in answer["contacts"]] == [["input", "status", "wa_id"], ["input", "status"]]


def test_one_that_escapes_everything_in_its_json(http_client: httpx.Client) -> None:
    escaped = "".join(f"\\u{ord(character):04x}" for character in SOMEBODY)
    answer = http_client.post(CHECK, content=f'{{"contacts" : [\r\n"{escaped}" ]\t}}')
    assert answer.json()["contacts"] == [VALID]


def test_one_that_sends_members_that_nobody_knows(http_client: httpx.Client) -> None:
    answer = http_client.post(CHECK, json={"contacts": [SOMEBODY], "messaging_product": "whatsapp"})
    assert answer.json()["contacts"] == [VALID]


# Answers


ANSWERS: list[tuple[str, str, bytes | None, dict[str, str], int]] = [
    ("POST", CHECK, b'{"contacts": ["1"]}', BEARER, 200),
    ("POST", CHECK, b"{}", BEARER, 400),
    ("POST", CHECK, b"contacts=1", BEARER, 400),
    ("POST", CHECK, b"{}", {}, 401),
    ("POST", CHECK, b" " * (MAX_BODY_BYTES + 1), BEARER, 413),
    ("GET", CHECK, None, BEARER, 405),
    ("DELETE", CHECK, None, BEARER, 405),
    ("OPTIONS", CHECK, None, BEARER, 405),
    ("POST", f"{CHECK}/", b"{}", BEARER, 404),
    ("POST", f"{CHECK}?", b'{"contacts": ["1"]}', BEARER, 200),
    ("GET", "/", None, {}, 404),
    ("GET", "/favicon.ico", None, {}, 404),
    ("GET", f"{CHECK}/blocklist", None, BEARER, 200),
    ("GET", f"{CHECK}/blocklist?limit=x", None, BEARER, 400),
    ("POST", f"{CHECK}/{SOMEBODY}/block", None, BEARER, 200),
    ("POST", f"{CHECK}/{SOMEBODY}/unblock", None, BEARER, 200),
    ("POST", f"{CHECK}/{SOMEBODY}/report", b"", BEARER, 200),
    ("POST", f"{CHECK}/{NOBODY}/block", None, BEARER, 400),
    ("GET", f"{CHECK}/{SOMEBODY}/identity", None, BEARER, 200),
    ("GET", f"{CHECK}/{NOBODY}/identity", None, BEARER, 404),
    ("POST", LOGIN, None, {"Authorization": basic(PASSWORD)}, 200),
    ("POST", LOGIN, None, {"Authorization": basic("wrong")}, 401),
    ("GET", "/v1/health", None, BEARER, 200),
    ("GET", "/v1/health", None, {}, 401),
    ("GET", "/v1/settings/application", None, BEARER, 200),
    ("PATCH", "/v1/settings/application", b"{}", BEARER, 200),
    ("GET", "/v1/certificates/external/ca", None, {}, 404),
]


@pytest.mark.parametrize(
    ("method", "target", "content", "headers", "status"),
    ANSWERS,
    ids=[f"{status} to {method} {target}" for method, target, _, _, status in ANSWERS],
)
def test_one_that_expects_json_on_every_answer(
    server: ServerThread, method: str, target: str, content: bytes | None, headers: dict[str, str], status: int
) -> None:
    with calling(server) as client:
        answer = client.request(method, target, content=content, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(answer.content)
    members = answer.json()
    assert isinstance(members, dict)
    assert ("errors" in members) is (status >= 400)


def test_one_that_expects_an_object_where_meta_is_left_out() -> None:
    with serving(meta=False, engaged=1.0) as server, calling(server) as client:
        for call in ("block", "report", "unblock"):
            assert client.post(f"{CHECK}/{SOMEBODY}/{call}", headers=BEARER).json() == {}


def test_one_that_follows_redirects_is_never_sent_elsewhere(server: ServerThread) -> None:
    with calling(server) as client:
        for target in (f"{CHECK}/", f"/{CHECK}", f"{CHECK}/blocklist/", "/v1"):
            answer = client.get(target, headers=BEARER, follow_redirects=True)
            assert (answer.status_code, answer.history) == (404, [])


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
@pytest.mark.parametrize("target", [CHECK, f"{CHECK}/blocklist", LOGIN, "/v1/health"])
def test_one_that_feels_its_way_by_head_and_options(http_client: httpx.Client, method: str, target: str) -> None:
    """405 in the envelope, of which HEAD gets the headers alone; the connection is good for more."""
    answer = http_client.request(method, target)
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) > 0
    if method == "HEAD":
        assert answer.content == b""
    else:
        assert answer.json()["errors"][0]["code"] == 1025
    assert http_client.post(CHECK, json={"contacts": [SOMEBODY]}).json()["contacts"] == [VALID]


# Ways to speak HTTP


def test_one_of_urllib(server: ServerThread) -> None:
    """It calls every body a form and writes a raw + into a path."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def ask(target: str, body: bytes) -> tuple[int, Any]:
        request = urllib.request.Request(server.url + target, body, BEARER)
        try:
            with opener.open(request, timeout=SECONDS) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    status, members = ask(CHECK, json.dumps({"contacts": [SOMEBODY]}).encode())
    assert (status, members["contacts"]) == (200, [VALID])
    for call in ("block", "unblock"):
        assert ask(f"{CHECK}/{SOMEBODY}/{call}", b"")[0] == 200
    status, members = ask(CHECK, b"{}")
    assert (status, members["errors"][0]["code"]) == (400, 1008)


def test_one_that_keeps_a_connection_through_good_and_bad_answers(server: ServerThread) -> None:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=SECONDS)
    connection.connect()
    opened, statuses = connection.sock, []
    for method, target, body in [
        ("POST", CHECK, '{"contacts": ["1"]}'),
        ("POST", CHECK, "{"),
        ("GET", "/nowhere", None),
        ("GET", f"{CHECK}/blocklist", None),
        ("PUT", CHECK, "x" * 100_000),
        ("POST", CHECK, '{"contacts": ["1"]}'),
    ]:
        connection.request(method, target, body, BEARER)
        answer = connection.getresponse()
        json.loads(answer.read())
        statuses.append(answer.status)
        assert connection.sock is opened
    connection.close()
    assert statuses == [200, 400, 404, 200, 405, 200]


def test_one_that_sends_its_body_in_chunks(server: ServerThread, http_client: httpx.Client) -> None:
    body = json.dumps({"contacts": [SOMEBODY]}).encode()
    pieces = [body[place : place + 7] for place in range(0, len(body), 7)]
    assert http_client.post(CHECK, content=iter(pieces)).json()["contacts"] == [VALID]

    connection = http.client.HTTPConnection(server.host, server.port, timeout=SECONDS)
    connection.request("POST", CHECK, iter(pieces), {**BEARER, "Transfer-Encoding": "chunked"}, encode_chunked=True)
    answer = json.load(connection.getresponse())
    connection.close()
    assert answer["contacts"] == [VALID]


def test_one_that_sends_two_megabytes_at_once(server: ServerThread) -> None:
    numbers = [SOMEBODY] * 130_000
    body = json.dumps({"contacts": numbers}).encode()
    assert len(body) > 2_000_000
    connection = http.client.HTTPConnection(server.host, server.port, timeout=SECONDS)
    connection.request("POST", CHECK, body, BEARER)
    contacts = json.load(connection.getresponse())["contacts"]
    connection.close()
    assert contacts == [VALID] * len(numbers)


def test_one_that_asks_whether_to_continue_before_it_sends_its_body(server: ServerThread) -> None:
    head, body = check_in_raw("1.1", "Expect: 100-continue", "Connection: close")
    with socket.create_connection((server.host, server.port), SECONDS) as connection:
        connection.sendall(head)
        with connection.makefile("rb") as file:
            assert file.readline().split()[1] == b"100"
            assert file.readline() == b"\r\n"
            connection.sendall(body)
            status, members = parsed(file.read())
    assert (status, members["contacts"]) == (200, [VALID])


@pytest.mark.parametrize(
    ("version", "header"), [("1.0", "Accept: */*"), ("1.0", "Connection: close"), ("1.1", "Connection: close")]
)
def test_one_that_reads_until_the_server_closes(server: ServerThread, version: str, header: str) -> None:
    status, members = raw(server, *check_in_raw(version, header))
    assert (status, members["contacts"]) == (200, [VALID])


def test_one_that_dribbles(server: ServerThread) -> None:
    request = b"".join(check_in_raw("1.1", "Connection: close"))
    status, members = raw(server, *(request[place : place + 1] for place in range(len(request))))
    assert (status, members["contacts"]) == (200, [VALID])


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/x-www-form-urlencoded",
        "text/plain",
        "application/json; charset=utf-8",
        "application/vnd.api+json",
        "multipart/form-data; boundary=x",
    ],
)
def test_one_that_names_another_type_of_content_or_none(http_client: httpx.Client, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = http_client.post(CHECK, content=json.dumps({"contacts": [SOMEBODY]}).encode(), headers=headers)
    assert answer.request.headers.get("content-type") == content_type
    assert answer.json()["contacts"] == [VALID]


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*"])
def test_one_that_accepts_something_else(http_client: httpx.Client, accept: str) -> None:
    answer = http_client.post(CHECK, json={"contacts": [SOMEBODY]}, headers={"Accept": accept})
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["contacts"] == [VALID]


@pytest.mark.parametrize("header", ["authorization: bearer", "AUTHORIZATION: BEARER", "Authorization:Bearer"])
def test_one_that_writes_its_header_in_another_way(server: ServerThread, header: str) -> None:
    head, body = check_in_raw("1.1", "Connection: close")
    changed = head.replace(b"Authorization: Bearer", header.encode())
    assert changed != head
    assert raw(server, changed, body)[0] == 200
