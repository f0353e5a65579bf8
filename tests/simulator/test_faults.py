"""What can go wrong on the way: which requests a fault hits, what it leaves behind, and what a client sees of it."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulated import a_world
from watui.simulator import population
from watui.simulator.app import App
from watui.simulator.conditions import Conditions
from watui.simulator.faults import EXPLAINED, STRANGER, BadFault, Fault, Kind, parse
from watui.simulator.server import Simulator
from watui.simulator.serving import ServerThread
from watui.simulator.wire import Reply, Request

TOKEN = "fault-token"
NOW = 1_800_000_000.0
CHECK = "/v1/contacts"
NUMBERS = ["+12125550100", "+12125550101", "12"]
ENGAGED = next(
    number
    for line in range(10_000)
    if population.has_account(0, number := f"+1212555{line:04d}") and population.is_engaged(0, number)
)
BLOCK = f"/v1/contacts/{ENGAGED}/block"
HEADERS = {"authorization": f"Bearer {TOKEN}"}


def simulator(*texts: str, seed: int = 0) -> Simulator:
    """Return a server that decides at once and has the faults of `texts`."""
    return Simulator(a_world(seed=seed, latency=None, faults=tuple(map(parse, texts))), TOKEN, control=True)


def a_request(method: str = "POST", target: str = CHECK, body: object = None) -> Request:
    if body is None and (method, target) == ("POST", CHECK):
        body = {"contacts": NUMBERS}
    return Request(method, target, HEADERS, b"" if body is None else json.dumps(body).encode())


def ask(server: Simulator, method: str = "POST", target: str = CHECK, at: float = 0.0) -> Reply:
    return server.respond(a_request(method, target), NOW + at)[0]


def hits(server: Simulator, count: int, method: str = "POST", target: str = CHECK) -> list[int]:
    """Return which of `count` requests, from 1, were answered with 500."""
    return [place for place in range(1, count + 1) if ask(server, method, target).status == 500]


def contacts(reply: Reply) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(reply.body)["contacts"]
    return found


GOOD = ask(simulator())
"""What a server without faults answers."""


# Nothing happens unasked


def test_no_fault_is_on_unless_asked_for() -> None:
    assert Conditions().faults == ()
    server = Simulator(a_world(latency=None), TOKEN)
    for place in range(500):
        reply, at = server.respond(a_request(), NOW + place)
        assert (reply, at) == (GOOD, NOW + place)


def test_every_kind_is_explained() -> None:
    assert set(EXPLAINED) == set(Kind)
    assert all(words.strip() for words in EXPLAINED.values())


# Each kind by itself


@pytest.mark.parametrize(
    ("text", "status", "code", "headers"),
    [
        ("too-many-requests", 429, 1015, ()),
        ("too-many-requests:retry_after=7", 429, 1015, (("retry-after", "7"),)),
        ("queue-full", 503, 1016, ()),
        ("queue-full:retry_after=0", 503, 1016, (("retry-after", "0"),)),
        ("denied", 401, 1005, ()),
        ("internal-error", 500, 1014, ()),
    ],
)
def test_a_refusal_is_in_the_envelope_and_nothing_was_done(
    text: str, status: int, code: int, headers: tuple[tuple[str, str], ...]
) -> None:
    server = simulator(text)
    for target in (CHECK, BLOCK):
        reply = ask(server, target=target)
        answer = json.loads(reply.body)
        assert (reply.status, answer["errors"][0]["code"], reply.headers) == (status, code, headers)
        assert answer["errors"][0]["title"]
        assert answer["meta"]["version"] == "v2.41"
        assert (reply.cut_after, reply.is_silent, reply.bytes_per_second) == (None, False, None)
    assert server.world.known == 0
    assert not server.world.people.is_blocked(ENGAGED)


@pytest.mark.parametrize("kind", [Kind.TOO_MANY_REQUESTS, Kind.QUEUE_FULL])
def test_when_to_come_again_may_be_a_date(kind: Kind) -> None:
    server = simulator("latency:seconds=1,nth=2", f"{kind}:retry_after=90,dated=true")
    dates = [dict(ask(server, at=at).headers)["retry-after"] for at in (0, 0)]
    assert [parsedate_to_datetime(date).timestamp() for date in dates] == [NOW + 90, NOW + 91]
    assert all(date.endswith(" GMT") for date in dates)


@pytest.mark.parametrize("kind", [Kind.TOO_MANY_REQUESTS, Kind.QUEUE_FULL])
def test_an_error_may_have_a_title_alone(kind: Kind) -> None:
    with_code, without = ask(simulator(kind)), ask(simulator(f"{kind}:codeless=true"))
    assert (without.status, without.headers) == (with_code.status, with_code.headers)
    (error,) = json.loads(without.body)["errors"]
    assert error == {"title": json.loads(with_code.body)["errors"][0]["title"]}


@pytest.mark.parametrize("text", ["reset", "redirect"])
def test_what_comes_before_work_leaves_the_world_as_it_was(text: str) -> None:
    server = simulator(text)
    ask(server)
    ask(server, target=BLOCK)
    assert server.world.known == 0
    assert not server.world.people.is_blocked(ENGAGED)


@pytest.mark.parametrize(
    "kind",
    [
        Kind.ERROR_AFTER_WORK,
        Kind.RESET_AFTER_WORK,
        Kind.LATENCY,
        Kind.SLOW_BYTES,
        Kind.TRUNCATED,
        Kind.MALFORMED,
        Kind.WRONG_TYPE,
        Kind.DUPLICATE,
        Kind.MISSING,
        Kind.REORDERED,
        Kind.EXTRA,
    ],
)
def test_what_comes_after_work_has_changed_the_world(kind: Kind) -> None:
    server = simulator(kind)
    ask(server)
    assert server.world.known == 2
    ask(server, target=BLOCK)
    assert server.world.people.is_blocked(ENGAGED)


def test_an_error_after_work_looks_like_one_before_it() -> None:
    after, before = ask(simulator("error-after-work"), target=BLOCK), ask(simulator("internal-error"), target=BLOCK)
    assert after.status == 500
    assert after == before


@pytest.mark.parametrize("kind", [Kind.RESET, Kind.RESET_AFTER_WORK])
def test_a_reset_sends_nothing_and_the_record_says_so(kind: Kind) -> None:
    server = simulator(kind)
    reply = ask(server)
    assert (reply.cut_after, reply.is_sent) == (0, False)
    (noted,) = server.record.latest_after(0)
    assert noted.status == 0
    assert f"fault: {kind}" in noted.did


def test_a_timeout_never_answers() -> None:
    reply = ask(simulator("timeout"))
    assert (reply.is_silent, reply.is_sent) == (True, False)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_names_its_location(status: int) -> None:
    reply = ask(simulator(f"redirect:status={status},location=https://elsewhere.example/v1/contacts"))
    assert (reply.status, reply.headers) == (status, (("location", "https://elsewhere.example/v1/contacts"),))


def test_a_redirect_is_a_302_where_nothing_else_is_said() -> None:
    reply = ask(simulator("redirect"))
    assert (reply.status, dict(reply.headers)["location"]) == (302, "/elsewhere")


def test_latency_without_jitter_is_exact_and_changes_nothing_else() -> None:
    reply, at = simulator("latency:seconds=2.5").respond(a_request(), NOW)
    assert at == NOW + 2.5
    assert reply == GOOD


def delays(text: str, count: int, seed: int = 0) -> list[float]:
    """Return by how many seconds each of `count` answers came late."""
    server, health = simulator(text, seed=seed), a_request("GET", "/v1/health")
    times = [NOW + 10 * turn for turn in range(count)]
    return [server.respond(health, at)[1] - at for at in times]


def test_jitter_is_added_to_latency_and_decided_by_the_seed() -> None:
    text = "latency:seconds=2,jitter=3"
    first = delays(text, 200, seed=1)
    assert all(2 <= seconds <= 5 for seconds in first)
    assert min(first) < 2.2
    assert max(first) > 4.8
    assert first == delays(text, 200, seed=1)
    assert first != delays(text, 200, seed=2)


def test_jitter_spreads_over_its_whole_range_where_few_requests_are_hit() -> None:
    late = [seconds for seconds in delays("latency:share=0.1,seconds=1,jitter=2", 1000) if seconds > 0]
    assert min(late) < 1.3
    assert max(late) > 2.7


def test_two_latencies_add_up() -> None:
    assert simulator("latency:seconds=1", "latency:seconds=2").respond(a_request(), NOW)[1] == NOW + 3


def test_the_world_works_after_the_latency_and_not_before() -> None:
    server = simulator("latency:seconds=5")
    steps = server.answer(a_request(target=BLOCK), NOW)
    assert next(steps) == NOW + 5
    assert not server.world.people.is_blocked(ENGAGED)
    with pytest.raises(StopIteration):
        steps.send(NOW + 5)
    assert server.world.people.is_blocked(ENGAGED)


def test_slow_bytes_are_all_bytes() -> None:
    reply = ask(simulator("slow-bytes:bytes_per_second=50"))
    assert (reply.body, reply.status, reply.bytes_per_second, reply.cut_after) == (GOOD.body, 200, 50, None)


def test_truncated_is_the_whole_length_announced_and_half_of_it_sent() -> None:
    reply = ask(simulator("truncated"))
    assert (reply.body, reply.cut_after) == (GOOD.body, len(GOOD.body) // 2)


@pytest.mark.parametrize(("method", "target"), [("POST", CHECK), ("POST", BLOCK), ("GET", "/v1/health"), ("GET", "/x")])
def test_malformed_is_no_json_on_any_path(method: str, target: str) -> None:
    reply, good = (ask(server, method, target) for server in (simulator("malformed"), simulator()))
    assert (reply.status, reply.content_type) == (good.status, good.content_type)
    with pytest.raises(ValueError, match=r"Expecting|Extra|Unterminated"):
        json.loads(reply.body)


def test_a_wrong_type_is_a_page_with_200() -> None:
    for target in (CHECK, "/v1/nowhere"):
        reply = ask(simulator("wrong-type"), target=target)
        assert (reply.status, reply.content_type) == (200, "text/html")
        assert reply.body.startswith(b"<!doctype html>")


@pytest.mark.parametrize(
    ("kind", "places"),
    [
        (Kind.DUPLICATE, [0, 0, 1, 2]),
        (Kind.MISSING, [1, 2]),
        (Kind.REORDERED, [2, 1, 0]),
    ],
)
def test_elements_of_an_answer_are_other_than_asked(kind: Kind, places: list[int]) -> None:
    reply = ask(simulator(kind))
    assert reply.status == 200
    assert contacts(reply) == [contacts(GOOD)[place] for place in places]
    assert json.loads(reply.body)["meta"] == json.loads(GOOD.body)["meta"]


def test_an_extra_element_is_one_that_nobody_asked_for() -> None:
    found = contacts(ask(simulator("extra")))
    assert found == [*contacts(GOOD), STRANGER]
    assert STRANGER["input"] not in NUMBERS


@pytest.mark.parametrize("kind", [Kind.DUPLICATE, Kind.MISSING, Kind.REORDERED, Kind.EXTRA])
@pytest.mark.parametrize(("method", "target"), [("GET", "/v1/health"), ("GET", f"/v1/contacts/{ENGAGED[1:]}/identity")])
def test_an_answer_without_elements_stays_as_it_is(kind: Kind, method: str, target: str) -> None:
    assert ask(simulator(kind), method, target) == ask(simulator(), method, target)


@pytest.mark.parametrize("kind", [Kind.DUPLICATE, Kind.MISSING, Kind.REORDERED, Kind.EXTRA])
def test_a_refusal_stays_as_it_is_when_elements_are_to_change(kind: Kind) -> None:
    request = a_request(body={"contacts": []})
    assert simulator(kind).respond(request, NOW)[0] == simulator().respond(request, NOW)[0]


# Which requests


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("internal-error", {"check", "block", "report", "blocklist", "health"}),
        ("internal-error:path=/v1/contacts", {"check"}),
        ("internal-error:path=/v1/contacts*", {"check", "block", "report", "blocklist"}),
        ("internal-error:path=/v1/contacts/*/block", {"block"}),
        ("internal-error:path=*/report", {"report"}),
        ("internal-error:path=/v1/nowhere", set()),
        ("internal-error:path=/V1/CONTACTS", set()),
        ("internal-error:method=GET", {"blocklist", "health"}),
        ("internal-error:method=POST", {"check", "block", "report"}),
        ("internal-error:method=POST,path=*/blocklist", set()),
        ("internal-error:method=GET,path=*/blocklist", {"blocklist"}),
    ],
)
def test_path_and_method_say_which_requests_are_hit(text: str, hit: set[str]) -> None:
    asked = {
        "check": ("POST", CHECK),
        "block": ("POST", BLOCK),
        "report": ("POST", f"/v1/contacts/{ENGAGED}/report"),
        "blocklist": ("GET", "/v1/contacts/blocklist?limit=5"),
        "health": ("GET", "/v1/health"),
    }
    server = simulator(text)
    assert {name for name, (method, target) in asked.items() if ask(server, method, target).status == 500} == hit


def test_a_path_is_meant_without_the_region_before_it() -> None:
    assert ask(simulator("internal-error:path=/v1/contacts"), target="/_region/IN/v1/contacts").status == 500


def test_nothing_hits_the_control_interface() -> None:
    server = simulator("internal-error", "reset", "latency:seconds=100")
    reply, at = server.respond(a_request("GET", "/_simulator/state"), NOW)
    assert (reply.status, at) == (200, NOW)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("internal-error:nth=1", [1]),
        ("internal-error:nth=4", [4]),
        ("internal-error:every=1", [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("internal-error:every=3", [3, 6, 9]),
        ("internal-error:nth=10", []),
    ],
)
def test_the_nth_or_every_so_many_th_request_is_hit(text: str, places: list[int]) -> None:
    assert hits(simulator(text), 9) == places


def test_only_requests_that_a_fault_is_for_are_counted() -> None:
    server = simulator("internal-error:path=/v1/health,nth=2")
    assert hits(server, 5) == []
    assert hits(server, 1, "GET", "/v1/health") == []
    assert hits(server, 5) == []
    assert hits(server, 3, "GET", "/v1/health") == [1]


def test_each_fault_counts_by_itself() -> None:
    server = simulator("internal-error:every=2", "queue-full:every=3")
    assert [ask(server).status for _ in range(6)] == [200, 500, 503, 500, 200, 500]


@pytest.mark.parametrize("share", [0.02, 0.25, 0.9])
def test_a_share_of_requests_is_hit(share: float) -> None:
    count = 4_000
    hit = len(hits(simulator(f"internal-error:share={share}"), count, "GET", "/v1/health"))
    assert hit / count == pytest.approx(share, abs=4 * (share * (1 - share) / count) ** 0.5)


def test_the_seed_decides_which() -> None:
    def of(seed: int) -> list[int]:
        return hits(simulator("internal-error:share=0.3", seed=seed), 200, "GET", "/v1/health")

    assert of(1) == of(1)
    assert of(1) != of(2)


def test_two_faults_of_one_share_do_not_hit_the_same_requests() -> None:
    server = simulator("internal-error:share=0.5", "latency:share=0.5")
    asked = [server.respond(a_request("GET", "/v1/health"), NOW) for _ in range(400)]
    seen = {(reply.status, at > NOW) for reply, at in asked}
    assert seen == {(200, False), (200, True), (500, False), (500, True)}


def test_a_share_of_every_so_many_th() -> None:
    places = hits(simulator("internal-error:share=0.5,every=2"), 400, "GET", "/v1/health")
    assert all(place % 2 == 0 for place in places)
    assert 60 < len(places) < 140


# When


def test_the_window_is_of_seconds_since_the_first_check() -> None:
    server = simulator("internal-error:path=/v1/health,from=10,until=20")
    assert [ask(server, "GET", "/v1/health", at).status for at in (0, 12, 50)] == [200] * 3
    assert ask(server, at=100).status == 200
    assert ask(server, at=105).status == 200, "a later check does not begin the clock again"
    times = (100, 109.9, 110, 115, 119.9, 120, 500)
    assert [ask(server, "GET", "/v1/health", at).status for at in times] == [200, 200, 500, 500, 500, 200, 200]


def test_the_first_check_itself_is_at_second_0() -> None:
    server = simulator("internal-error:until=5")
    assert [ask(server, at=at).status for at in (100, 104.9, 105)] == [500, 500, 200]


def test_requests_outside_the_window_are_not_counted() -> None:
    server = simulator("internal-error:from=10,nth=2")
    assert [ask(server, at=at).status for at in (0, 1, 2, 10, 11, 12)] == [200, 200, 200, 200, 500, 200]


def test_the_clock_does_not_begin_with_what_is_not_about_contacts() -> None:
    server = simulator("internal-error:path=/v1/health,from=10")
    assert ask(server, "GET", "/v1/settings/application", 0).status == 200
    assert ask(server, "GET", "/v1/health", 50).status == 200


# Several at once


def test_of_several_that_keep_from_work_the_first_speaks() -> None:
    assert ask(simulator("queue-full", "internal-error")).status == 503
    assert ask(simulator("internal-error", "queue-full")).status == 500


def test_what_comes_after_work_does_not_matter_where_there_was_none() -> None:
    assert ask(simulator("malformed", "wrong-type", "internal-error")) == ask(simulator("internal-error"))


def test_latency_holds_a_refusal_back_too() -> None:
    reply, at = simulator("latency:seconds=3", "internal-error").respond(a_request(), NOW)
    assert (reply.status, at) == (500, NOW + 3)


def test_distortions_add_up() -> None:
    reply = ask(simulator("extra", "duplicate", "slow-bytes", "truncated"))
    first, *rest = contacts(GOOD)
    assert contacts(reply) == [first, first, *rest, STRANGER]
    assert reply.bytes_per_second == 100
    assert reply.cut_after == len(reply.body) // 2


# As text


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("reset", Fault(Kind.RESET)),
        ("reset:", Fault(Kind.RESET)),
        ("  reset: share = 0.5 , path = /x ", Fault(Kind.RESET, share=0.5, path="/x")),
        ("reset:share=0.1,path=/v1/contacts", Fault(Kind.RESET, share=0.1, path="/v1/contacts")),
        ("too-many-requests:dated=true,codeless=true", Fault(Kind.TOO_MANY_REQUESTS, dated=True, codeless=True)),
        ("queue-full:retry_after=3,nth=2", Fault(Kind.QUEUE_FULL, retry_after=3, nth=2)),
        ("denied:from=10,until=20.5,method=POST", Fault(Kind.DENIED, start=10, until=20.5, method="POST")),
        ("latency:seconds=2,jitter=0.5,every=3", Fault(Kind.LATENCY, seconds=2, jitter=0.5, every=3)),
        ("redirect:status=307,location=/a?b=c", Fault(Kind.REDIRECT, status=307, location="/a?b=c")),
        ("slow-bytes:bytes_per_second=10", Fault(Kind.SLOW_BYTES, bytes_per_second=10)),
    ],
)
def test_a_text_is_a_fault(text: str, fault: Fault) -> None:
    assert parse(text) == fault


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no such fault: there are too-many-requests, queue-full, "),
        ("rest", "no such fault: there are too-many-requests, queue-full, "),
        ("Reset", "no such fault"),
        ("share=0.1", "no such fault"),
        ("reset:share", "'share' is not NAME=VALUE"),
        ("reset:share=0.1,often", "'often' is not NAME=VALUE"),
        ("reset:sharp=0.1", "`sharp`"),
        ("reset:share=0.1,share=0.2", "share is given twice"),
        ("reset:kind=timeout", "kind is given twice"),
        ("reset:start=5", "`start`"),
        ("reset:share=many", "share: "),
        ("reset:share=0", "share is above 0 and at most 1"),
        ("reset:share=1.01", "share is above 0 and at most 1"),
        ("reset:share=nan", "share is above 0 and at most 1"),
        ("reset:nth=0", "nth counts from 1"),
        ("reset:nth=1.5", "nth: "),
        ("reset:every=0", "every is 1 or more"),
        ("reset:from=-1", "from is 0 or more"),
        ("reset:from=5,until=5", "until is later than from"),
        ("reset:until=0", "until is later than from"),
        ("latency:seconds=-1", "seconds is 0 to 3600"),
        ("latency:seconds=3601", "seconds is 0 to 3600"),
        ("latency:seconds=inf", "seconds is 0 to 3600"),
        ("latency:jitter=-1", "jitter is 0 to 3600"),
        ("queue-full:retry_after=-1", "retry_after is 0 to 604800"),
        ("queue-full:retry_after=soon", "retry_after: "),
        ("redirect:status=200", "status is one of 301, 302, 303, 307, 308"),
        ("redirect:location=", "location is a URL"),
        ("redirect:location=a b", "location is a URL"),
        ("redirect:location=/ä", "location is a URL"),
        ("slow-bytes:bytes_per_second=0", "bytes_per_second is 1 or more"),
        ("slow-bytes:bytes_per_second=inf", "bytes_per_second is 1 or more"),
    ],
)
def test_a_bad_text_is_refused_with_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(BadFault) as refused:
        parse(text)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


FAULTS = st.builds(
    Fault,
    st.sampled_from(Kind),
    path=st.text("abcXYZ019/*?[]-_.%+", max_size=20).map("/".__add__),
    method=st.sampled_from([None, "GET", "POST", "PUT"]),
    share=st.floats(0, 1, exclude_min=True),
    every=st.none() | st.integers(1, 99),
    start=st.floats(0, 100),
    until=st.none() | st.floats(101, 999),
    seconds=st.floats(0, 3600),
    jitter=st.floats(0, 3600),
    retry_after=st.none() | st.integers(0, 999),
    status=st.sampled_from([301, 302, 303, 307, 308]),
    location=st.text("abc/?&=.:", min_size=1, max_size=20).map(lambda text: text + "/"),
    dated=st.booleans(),
    codeless=st.booleans(),
    bytes_per_second=st.floats(1, 10**9),
)


@given(FAULTS)
def test_a_fault_in_words_is_that_fault_again(fault: Fault) -> None:
    assert parse(fault.in_words()) == fault


# What a client sees


@contextmanager
def serving(*texts: str) -> Iterator[tuple[Simulator, ServerThread]]:
    server = simulator(*texts)
    with ServerThread(App(server)) as thread:
        yield server, thread


def post(thread: ServerThread, path: str = CHECK, timeout: float = 10.0) -> httpx.Response:
    body = {"contacts": NUMBERS} if path == CHECK else None
    return httpx.post(thread.url + path, json=body, headers=HEADERS, trust_env=False, timeout=timeout, verify=False)


def raw(thread: ServerThread, path: str = CHECK) -> socket.socket:
    """Return a connection on which a check was sent."""
    body = json.dumps({"contacts": NUMBERS})
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: {len(body)}\r\n\r\n"
    connection = socket.create_connection((thread.host, thread.port), timeout=10)
    connection.sendall((head + body).encode())
    return connection


def everything(connection: socket.socket) -> bytes:
    """Return what comes until the other side closes."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize("kind", [Kind.RESET, Kind.RESET_AFTER_WORK])
def test_a_client_sees_a_reset(kind: Kind) -> None:
    with serving(f"{kind}:path=*/block", f"{kind}:path=/v1/contacts,nth=1") as (server, thread):
        with raw(thread) as connection, pytest.raises(ConnectionResetError):
            everything(connection)
        with pytest.raises(httpx.ReadError):
            post(thread, BLOCK)
        assert server.world.people.is_blocked(ENGAGED) is (kind is Kind.RESET_AFTER_WORK)
        assert post(thread).content == GOOD.body, "the next one is answered"


def test_a_client_that_reuses_its_connection_sees_a_reset_and_can_connect_again() -> None:
    with (
        serving("reset:nth=2") as (_, thread),
        httpx.Client(base_url=thread.url, headers=HEADERS, trust_env=False, timeout=10) as client,
    ):
        assert client.get("/v1/health").status_code == 200
        with pytest.raises(httpx.ReadError):
            client.get("/v1/health")
        assert client.get("/v1/health").status_code == 200


def test_a_client_sees_half_of_a_truncated_answer() -> None:
    with serving("truncated") as (server, thread):
        with pytest.raises(httpx.RemoteProtocolError):
            post(thread)
        with raw(thread) as connection:
            head, _, body = everything(connection).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        assert f"content-length: {len(GOOD.body)}".encode() in head.lower()
        assert body == GOOD.body[: len(GOOD.body) // 2]
        assert server.world.known == 2


def test_a_client_of_a_server_that_never_answers_runs_into_its_own_limit_while_others_are_answered() -> None:
    with serving("timeout:nth=1") as (_, thread), raw(thread) as waiting:
        assert post(thread).content == GOOD.body
        waiting.settimeout(0.3)
        with pytest.raises(TimeoutError):
            waiting.recv(1)


def test_httpx_sees_a_time_out() -> None:
    with serving("timeout") as (_, thread), pytest.raises(httpx.ReadTimeout):
        post(thread, timeout=0.3)


def test_slow_bytes_come_in_pieces_and_whole() -> None:
    with (
        serving("slow-bytes:bytes_per_second=600") as (_, thread),
        httpx.stream(
            "POST", thread.url + CHECK, json={"contacts": NUMBERS}, headers=HEADERS, trust_env=False, timeout=10
        ) as answer,
    ):
        began = time.monotonic()
        pieces = [piece for piece in answer.iter_raw() if piece]
        seconds = time.monotonic() - began
    assert b"".join(pieces) == GOOD.body
    assert len(pieces) > 1
    assert seconds > 0.8 * (len(GOOD.body) / 600 - 0.1)


def test_a_client_waits_for_as_long_as_the_latency_is() -> None:
    with serving("latency:seconds=0.3") as (_, thread):
        began = time.monotonic()
        assert post(thread).content == GOOD.body
        assert time.monotonic() - began >= 0.3


SEEN: list[tuple[str, int, tuple[str, str | None]]] = [
    ("too-many-requests:retry_after=3", 429, ("retry-after", "3")),
    ("too-many-requests", 429, ("retry-after", None)),
    ("queue-full:retry_after=3", 503, ("retry-after", "3")),
    ("queue-full", 503, ("retry-after", None)),
    ("denied", 401, ("content-type", "application/json")),
    ("internal-error", 500, ("content-type", "application/json")),
    ("error-after-work", 500, ("content-type", "application/json")),
    ("redirect:status=307,location=http://127.0.0.1:1/x", 307, ("location", "http://127.0.0.1:1/x")),
    ("wrong-type", 200, ("content-type", "text/html")),
    ("malformed", 200, ("content-type", "application/json")),
    ("duplicate", 200, ("content-type", "application/json")),
    ("missing", 200, ("content-type", "application/json")),
    ("reordered", 200, ("content-type", "application/json")),
    ("extra", 200, ("content-type", "application/json")),
]


def test_a_client_sees_what_the_simulator_said() -> None:
    texts = [f"{text}{',' if ':' in text else ':'}nth={place}" for place, (text, _, _) in enumerate(SEEN, 1)]
    with serving(*texts) as (_, thread):
        answers = [post(thread) for _ in SEEN]
    for (text, status, header), answer in zip(SEEN, answers, strict=True):
        assert (text, answer.status_code, answer.content) == (text, status, ask(simulator(text)).body)
        assert (text, answer.headers.get(header[0])) == (text, header[1])


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        (Kind.RESET, ConnectionResetError),
        (Kind.RESET_AFTER_WORK, ConnectionResetError),
        (Kind.TRUNCATED, ConnectionResetError),
        (Kind.TIMEOUT, TimeoutError),
    ],
)
async def test_without_a_connection_a_broken_one_is_an_exception(kind: Kind, seen: type[Exception]) -> None:
    transport = httpx.ASGITransport(App(simulator(kind)))
    async with httpx.AsyncClient(transport=transport, base_url="http://server", headers=HEADERS) as client:
        with pytest.raises(seen):
            await client.post(CHECK, json={"contacts": NUMBERS})
