"""A world on disk: what is kept between starts, what a kill or a full disk takes away, and which files are refused."""

import base64
import json
import os
import resource
import shutil
import stat
import tempfile
import time
from collections.abc import Container, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulated import a_world
from watui.contract.rules import CACHE_SECONDS
from watui.contract.wa_ids import wa_id_of
from watui.simulator import population
from watui.simulator.clock import Clock
from watui.simulator.conditions import Changes
from watui.simulator.events import AccountChanged, Asked
from watui.simulator.faults import parse
from watui.simulator.journal import BadJournal, Journal
from watui.simulator.scenario import find
from watui.simulator.server import Simulator
from watui.simulator.wire import Reply, Request
from watui.simulator.world import World

TOKEN = "journal-token"
BEARER = f"Bearer {TOKEN}"
NOW = 1_800_000_000.0
CHECK = "/v1/contacts"
PASSWORD = "Str0ng!pass"
NUMBERS = [f"+1212555{line:04d}" for line in range(100)]
ENGAGED = [n for n in NUMBERS if population.has_account(0, n) and population.is_engaged(0, n)]
SILENT = [n for n in NUMBERS if population.has_account(0, n) and not population.is_engaged(0, n)]
NOBODY = next(n for n in NUMBERS if not population.has_account(0, n))


def engaged_abroad(beginning: str) -> str:
    numbers = (f"{beginning}{line:04d}" for line in range(10_000))
    return next(n for n in numbers if population.has_account(0, n) and population.is_engaged(0, n))


MEXICAN, BRAZILIAN = engaged_abroad("+52551234"), engaged_abroad("+553191234")
"""Numbers whose wa_id is other than their digits."""


class Still(Clock):
    """A clock that stands still unless it is told."""

    def __init__(self, now: float) -> None:
        super().__init__()
        self.now = now

    def __call__(self) -> float:
        return self.now

    def catch_up(self, at: float) -> None:
        self.now = max(self.now, at)


OPENED: list["Kept"] = []
"""Those that the test at hand has opened."""


def files(path: Path) -> list[str]:
    """Return the names of what is beside a journal, without its lock."""
    return sorted(file.name for file in path.parent.iterdir() if not file.name.endswith(".lock"))


class Kept:
    """A server whose world is in a file. Where `now` is not given, time stands still."""

    def __init__(self, path: Path, world: World | None = None, now: float = NOW) -> None:
        self.path = path
        self.now = now
        self._open(world or a_world(latency=None))
        OPENED.append(self)

    def close(self) -> None:
        self.journal.close()

    def _open(self, world: World) -> None:
        self.simulator = Simulator(world, TOKEN, control=True, seeded_tokens=True)
        self.world = self.simulator.world
        clock = Still(self.now)
        self.journal = Journal.open(self.path, self.simulator, clock)
        self.now = clock.now

    def again(self, world: World | None = None) -> "Kept":
        """Stop it and start another one on its file."""
        self.journal.close()
        self._open(world or a_world(latency=None))
        return self

    def reply(self, method: str, target: str, body: Any = None, authorization: str = BEARER) -> Reply:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        request = Request(method, target, {"authorization": authorization}, content)
        reply, self.now = self.simulator.respond(request, self.now)
        return reply

    def ask(self, method: str, target: str, body: Any = None) -> Any:
        reply = self.reply(method, target, body)
        assert reply.status == 200, reply
        return json.loads(reply.body)

    def block(self, number: str) -> None:
        self.ask("POST", f"/v1/contacts/{number}/block")

    def blocklist(self) -> list[str]:
        page = self.ask("GET", "/v1/contacts/blocklist?limit=200")["contacts"]
        return [entry["wa_id"].partition("@")[0] for entry in page]

    def lines(self) -> list[bytes]:
        return self.path.read_bytes().splitlines(keepends=True)


@pytest.fixture(autouse=True)
def _nothing_stays_open() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "world.jsonl"


# What is written


def test_a_file_that_is_not_there_is_begun_for_its_owner_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        kept = Kept(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert json.loads(kept.lines()[0]) == {"did": "began", "at": NOW}
    assert files(path) == [path.name]


def test_a_file_that_others_could_read_is_for_its_owner_alone_from_then_on(path: Path) -> None:
    Kept(path).journal.close()
    path.chmod(0o644)
    kept = Kept(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    kept.ask("POST", "/_simulator/reset")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_part_that_was_left_behind_does_not_open_the_file_to_others(path: Path) -> None:
    Kept(path).close()
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(b"what somebody left behind")
    part.chmod(0o644)
    Kept(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_answered_is_on_disk_before_anything_is_closed(path: Path) -> None:
    kept = Kept(path)
    for number in ENGAGED[:5]:
        kept.block(number)
        line = kept.lines()[-1]
        assert json.loads(line) == {"did": "blocked", "at": NOW, "number": number}
        assert line.endswith(b"\n")


def test_after_it_is_closed_nothing_is_written(path: Path) -> None:
    kept = Kept(path)
    kept.journal.close()
    kept.journal.close()
    before = path.read_bytes()
    kept.block(ENGAGED[0])
    kept.ask("POST", "/_simulator/reset")
    assert path.read_bytes() == before
    assert kept.simulator.problem is None


def test_a_reset_begins_the_file_anew(path: Path) -> None:
    kept = Kept(path)
    for number in ENGAGED[:5]:
        kept.block(number)
    kept.now += 10
    kept.ask("POST", "/_simulator/reset")
    began, changed = map(json.loads, kept.lines())
    assert began == {"did": "began", "at": NOW + 10}
    assert changed["conditions"]["latency"] is None, "the base is kept, too"
    kept.block(ENGAGED[5])
    assert kept.again().blocklist() == [ENGAGED[5][1:]]


def test_a_reset_begins_the_scenario_of_the_start_again_in_the_file_too(path: Path) -> None:
    def world() -> World:
        return World("US", 0, None, find("blocklist-moves"))

    kept = Kept(path, world())
    kept.ask("POST", "/_simulator/reset")
    assert len(kept.lines()) > 450
    assert kept.again(world()).world.people.blocked == 450


# What is kept


def test_everything_is_as_it_was(path: Path) -> None:
    kept = Kept(path, a_world(latency=population.Latency(5.0, 5.0)))
    blocked, reported, other = ENGAGED[:3]
    basic = "Basic " + base64.b64encode(b"admin:secret").decode()
    kept.reply("POST", "/v1/users/login", {"new_password": PASSWORD}, basic)
    kept.reply("POST", "/v1/users/login", None, "Basic " + base64.b64encode(f"admin:{PASSWORD}".encode()).decode())
    kept.reply("POST", "/v1/users/logout", None, "Bearer token-0-1")
    kept.block(blocked)
    kept.block(other)
    kept.ask("POST", f"/v1/contacts/{other}/unblock")
    kept.ask("POST", f"/v1/contacts/{reported}/report")
    kept.ask("POST", "/_simulator/inbound", {"number": SILENT[0]})
    for number in SILENT[1:3]:
        kept.ask("POST", "/_simulator/identity", {"number": number})
    url = f"/v1/contacts/{SILENT[2][1:]}/identity"
    kept.ask("PUT", url, {"hash": kept.ask("GET", url)["contacts"]["hash"]})
    kept.ask("POST", "/_simulator/account", {"number": NOBODY, "exists": True})
    kept.ask("POST", "/_simulator/account", {"number": SILENT[3], "exists": False})
    kept.ask("PATCH", "/v1/settings/application", {"show_security_notifications": True})
    kept.ask("PATCH", "/_simulator/state", {"version": "v2.39.1", "faults": [{"kind": "denied", "path": "/x"}]})
    kept.ask("POST", CHECK, {"contacts": [*SILENT[:4], NOBODY]})
    kept.now += 4

    def seen() -> list[Any]:
        asked = [
            ("POST", CHECK, {"contacts": [*SILENT[:4], NOBODY]}, BEARER),
            ("GET", "/v1/contacts/blocklist", None, BEARER),
            *(("GET", f"/v1/contacts/{number[1:]}/identity", None, BEARER) for number in [*SILENT[:4], NOBODY]),
            ("GET", "/v1/settings/application", None, BEARER),
            ("GET", "/v1/health", None, "Bearer token-0-1"),
            ("GET", "/v1/health", None, "Bearer token-0-2"),
            ("POST", f"/v1/contacts/{SILENT[0]}/report", {"message_id": "none"}, BEARER),
            ("POST", "/v1/users/login", None, basic),
        ]
        world = kept.world
        return [
            *(kept.reply(*each) for each in asked),
            world.conditions,
            world.people.reported,
            [world.people.messages(number) for number in NUMBERS],
            (world.seed, world.region, world.known, world.in_flight(kept.now)),
        ]

    before = seen()
    statuses = [reply.status for reply in before[:12]]
    assert statuses == [200] * 5 + [404] + [200] * 2 + [401, 200] + [400, 401]
    kept.again(a_world())
    assert seen() == before
    kept.now += 1
    statuses = [
        contact["status"] for contact in kept.ask("POST", CHECK, {"contacts": [*SILENT[:4], NOBODY]})["contacts"]
    ]
    assert statuses == ["valid", "valid", "valid", "invalid", "valid"]


def test_seed_and_region_are_those_of_the_file(path: Path) -> None:
    Kept(path, a_world("IN", 7)).journal.close()
    kept = Kept(path, a_world("US", 0))
    assert (kept.world.seed, kept.world.region) == (7, "IN")
    assert kept.ask("POST", CHECK, {"contacts": ["9876543210"]})["contacts"][0]["status"] != "failed"


def test_which_requests_a_fault_hits_goes_by_the_seed_of_the_file(path: Path) -> None:
    def hits(kept: Kept) -> list[int]:
        kept.ask("PATCH", "/_simulator/state", {"faults": []})
        kept.reply("GET", "/v1/health")
        kept.ask("PATCH", "/_simulator/state", {"faults": [{"kind": "internal-error", "share": 0.3}]})
        return [kept.reply("GET", "/v1/health").status for _ in range(100)]

    kept = Kept(path, a_world(seed=7))
    first = hits(kept)
    kept.journal.close()
    assert first == hits(Kept(path.with_name("other.jsonl"), a_world(seed=7)))
    assert hits(Kept(path, a_world(seed=0))) == first


@pytest.mark.parametrize("number", [MEXICAN, BRAZILIAN])
def test_a_contact_is_known_by_its_wa_id_after_a_start(path: Path, number: str) -> None:
    kept, wa_id = Kept(path), wa_id_of(number)
    assert wa_id != number[1:]
    kept.block(number)
    identity = kept.ask("GET", f"/v1/contacts/{wa_id}/identity")
    kept.again()
    assert kept.blocklist() == [wa_id]
    assert kept.ask("GET", f"/v1/contacts/{wa_id}/identity") == identity
    kept.ask("POST", f"/v1/contacts/+{wa_id}/unblock")
    assert kept.blocklist() == []


def test_a_scenario_goes_on_with_its_clock_at_the_beginning(path: Path) -> None:
    kept = Kept(path)
    kept.ask("POST", "/_simulator/scenario", {"name": "upgrade"})
    kept.ask("PATCH", "/_simulator/state", {"latency": "5,9"})
    kept.ask("POST", CHECK, {"contacts": NUMBERS[:1]})
    kept.now += 10
    assert kept.ask("GET", "/v1/health")["meta"]["version"] == "v2.43"
    kept.again()
    assert kept.world.scenario == find("upgrade")
    assert kept.world.scenario_seconds(kept.now) == 0
    assert kept.ask("GET", "/v1/health")["meta"]["version"] == "v2.43", "what had become of it stays"
    assert str(kept.world.conditions.latency) == "5,9"


def test_two_do_not_share_a_file(path: Path) -> None:
    kept = Kept(path)
    with pytest.raises(BadJournal, match="another simulator keeps its world in"):
        Journal.open(path, Simulator(a_world()), Clock())
    kept.journal.close()
    Kept(path)


def test_a_link_stays_a_link(path: Path) -> None:
    Kept(path).journal.close()
    link = path.with_name("link.jsonl")
    link.symlink_to(path)
    Kept(link).block(ENGAGED[0])
    assert link.is_symlink()
    assert ENGAGED[0].encode() in path.read_bytes()


@pytest.mark.parametrize("content", [b"a note", b'{"x": 1}', b"12"])
def test_a_file_of_another_kind_is_not_taken_for_a_world_that_was_cut_off(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(BadJournal):
        Kept(path)
    assert path.read_bytes() == content


def test_a_token_that_a_scenario_let_expire_stays_useless(path: Path) -> None:
    kept = Kept(path)
    kept.ask("POST", "/_simulator/scenario", {"name": "token-expiry"})
    kept.reply("POST", "/v1/users/login", {"new_password": PASSWORD}, LOGINS[0])
    kept.ask("POST", CHECK, {"contacts": NUMBERS[:1]})
    assert kept.reply("GET", "/v1/health", None, "Bearer token-0-1").status == 200
    kept.now += 15
    kept.ask("GET", "/v1/health")
    assert kept.again().reply("GET", "/v1/health", None, "Bearer token-0-1").status == 401


def test_a_scenario_that_begins_again_blocks_nobody_twice(path: Path) -> None:
    kept = Kept(path)
    kept.ask("POST", "/_simulator/scenario", {"name": "blocklist-moves"})
    before = kept.blocklist()
    assert kept.again().blocklist() == before
    assert kept.world.people.blocked == 450


@pytest.mark.parametrize(
    "text",
    [
        "reset:from=inf",
        "reset:until=inf",
    ],
)
def test_a_fault_that_a_server_takes_does_not_keep_its_world_from_being_read(path: Path, text: str) -> None:
    try:
        fault = parse(text)
    except ValueError:
        return
    kept = Kept(path)
    kept.world.change(Changes(faults=(fault,)), NOW)
    assert kept.again().reply("GET", "/v1/health").status == 200


def test_the_clock_goes_on_from_the_last_event_and_never_back(path: Path) -> None:
    kept = Kept(path, now=time.time() + 1e6)
    kept.block(ENGAGED[0])
    kept.journal.close()
    clock = Clock()
    Journal.open(path, Simulator(a_world(), TOKEN), clock).close()
    first = clock()
    assert kept.now <= first < kept.now + 60
    assert clock() >= first


def test_checks_that_no_cache_holds_are_left_out_and_stuck_ones_kept(path: Path) -> None:
    kept = Kept(path)
    kept.ask("POST", CHECK, {"contacts": NUMBERS[:10]})
    kept.ask("PATCH", "/_simulator/state", {"stuck": 1.0})
    kept.ask("POST", CHECK, {"contacts": NUMBERS[10:20]})
    kept.now += 2 * CACHE_SECONDS
    kept.again()
    assert kept.world.known == 20, "not over yet"
    kept.now += 1
    kept.again()
    assert kept.world.known == 10
    assert all(b"asked" not in line or NUMBERS[10].encode() in line for line in kept.lines())
    assert kept.ask("POST", CHECK, {"contacts": NUMBERS[10:11]})["contacts"][0]["status"] == "processing"


# Any script, split anywhere


Step = tuple[tuple[str, str, Any], str, str, float]
"""A call, the authorization of it or, if it is a login, of that, and the seconds that go by before it."""

PEOPLE = [*ENGAGED[:2], SILENT[0], NOBODY, MEXICAN, BRAZILIAN]
SPELLINGS = [*PEOPLE, f"+1 {SILENT[0][2:]}", ENGAGED[0][2:], "12", "nobody"]
PATHS = [*ENGAGED[:2], SILENT[0], MEXICAN, BRAZILIAN, ENGAGED[0][1:], "12"]
TOKENS = [BEARER] * 4 + ["Bearer token-0-1", "Bearer token-0-2", "Bearer x"]
LOGINS = ["Basic " + base64.b64encode(f"admin:{password}".encode()).decode() for password in ("secret", PASSWORD)]
HASHES = [(number, population.identity_hash(0, number, changes)) for number in PEOPLE for changes in range(3)]
MESSAGES = [message for number in PEOPLE for message in population.latest_messages(0, number)[-1:]]
CHANGES: list[dict[str, Any]] = [
    {"version": "v2.43"},
    {"version": "v2.41"},
    {"latency": "none"},
    {"latency": "3,9"},
    {"stuck": 0.5},
    {"stuck": 0.0},
    {"engaged": 1.0},
    {"engaged": 0.0},
    {"max_contacts": 2, "processing_wa_id": True},
    {"meta": False, "cluster": True},
]


def calls() -> st.SearchStrategy[tuple[str, str, Any]]:
    number, path = st.sampled_from(PEOPLE), st.sampled_from(PATHS)
    check = st.fixed_dictionaries(
        {"contacts": st.lists(st.sampled_from(SPELLINGS), min_size=1, max_size=4)},
        optional={"blocking": st.sampled_from(["wait", "no_wait"]), "force_check": st.booleans()},
    )
    report = st.fixed_dictionaries({}, optional={"block": st.booleans(), "message_id": st.sampled_from(MESSAGES)})
    return st.one_of(
        st.tuples(st.just("POST"), st.just(CHECK), check),
        st.tuples(st.just("POST"), st.just(CHECK), check),
        st.tuples(st.just("POST"), path.map("/v1/contacts/{}/block".format), st.none()),
        st.tuples(st.just("POST"), path.map("/v1/contacts/{}/unblock".format), st.none()),
        st.tuples(st.just("POST"), path.map("/v1/contacts/{}/report".format), report),
        st.tuples(st.just("GET"), st.just("/v1/contacts/blocklist"), st.none()),
        st.tuples(
            st.just("GET"),
            st.sampled_from([*PATHS, wa_id_of(MEXICAN)]).map("/v1/contacts/{}/identity".format),
            st.none(),
        ),
        st.sampled_from([("PUT", f"/v1/contacts/{number}/identity", {"hash": digest}) for number, digest in HASHES]),
        st.tuples(
            st.just("POST"),
            st.just("/v1/users/login"),
            st.sampled_from([None, {"new_password": PASSWORD}, {"new_password": "0ther!Pass"}]),
        ),
        st.tuples(st.just("POST"), st.just("/v1/users/logout"), st.none()),
        st.tuples(st.sampled_from(["GET"]), st.sampled_from(["/v1/health", "/v1/settings/application"]), st.none()),
        st.tuples(
            st.just("PATCH"),
            st.just("/v1/settings/application"),
            st.fixed_dictionaries({"show_security_notifications": st.booleans()}),
        ),
        st.tuples(st.just("PATCH"), st.just("/_simulator/state"), st.sampled_from(CHANGES)),
        st.tuples(
            st.just("POST"),
            st.sampled_from(["inbound", "identity", "account"]).map("/_simulator/{}".format),
            st.fixed_dictionaries({"number": number, "exists": st.booleans()}),
        ),
    )


PAUSES = st.sampled_from([0.0, 0.0, 0.5, 2.0, 60.0, 3_600.0, 86_400.0, 4 * 86_400.0, 8 * 86_400.0])
STEPS = st.tuples(calls(), st.sampled_from(TOKENS), st.sampled_from(LOGINS), PAUSES)


def played(script: list[Step], splits: Container[int]) -> list[Any]:
    """Return all replies to `script`, and what is there at its end; the server starts anew at each of `splits`."""
    with tempfile.TemporaryDirectory() as folder:
        kept = Kept(Path(folder) / "world.jsonl", a_world())
        with closing(kept):
            return list(_replies(kept, script, splits))


def _replies(kept: Kept, script: list[Step], splits: Container[int]) -> Iterator[Any]:
    yield kept.reply("POST", "/v1/users/login", {"new_password": PASSWORD}, LOGINS[0])
    for place, ((method, target, body), token, login, pause) in enumerate(script):
        if place in splits:
            kept.again(a_world())
        kept.now += pause
        is_control = target.startswith("/_simulator/")
        reply = kept.reply(method, target, body, login if "/login" in target else BEARER if is_control else token)
        yield state_of(reply) if is_control and reply.status == 200 else reply
    if len(script) in splits:
        kept.again(a_world())
    for number in PEOPLE:
        yield kept.reply("GET", f"/v1/contacts/{number}/identity")
    for token in ("token-0-1", "token-0-2", "token-0-3"):
        yield kept.reply("GET", "/v1/settings/application", None, f"Bearer {token}")
    yield kept.reply("GET", "/v1/settings/application")
    yield kept.reply("GET", "/v1/contacts/blocklist")
    yield kept.reply("POST", CHECK, {"contacts": SPELLINGS})
    yield kept.now
    yield state_of(kept.reply("GET", "/_simulator/state"))
    yield [kept.world.people.messages(number) for number in PEOPLE]


def state_of(reply: Reply) -> dict[str, Any]:
    """Return the state, without what only counts since the start or falls out of every cache."""
    state: dict[str, Any] = json.loads(reply.body)
    for name in ("latest", "requests", "numbers", "seconds"):
        del state[name]
    return state


SCRIPTS = st.lists(STEPS, min_size=12, max_size=30)


@given(SCRIPTS, st.floats(0, 1))
def test_a_start_anew_anywhere_in_a_script_changes_no_answer(script: list[Step], share: float) -> None:
    split = 1 + round(share * (len(script) - 1))
    assert played(script, [split]) == played(script, [])


@given(SCRIPTS)
def test_a_start_anew_before_every_request_changes_no_answer(script: list[Step]) -> None:
    assert played(script, range(len(script) + 1)) == played(script, [])


# What is lost


def test_a_kill_in_the_middle_of_a_line_loses_that_line_alone(path: Path) -> None:
    kept = Kept(path)
    for number in ENGAGED[:4]:
        kept.block(number)
    kept.journal.close()
    whole, last = path.read_bytes(), kept.lines()[-1]
    for lost in range(1, len(last) + 1):
        path.write_bytes(whole[:-lost])
        assert kept.again().blocklist() == [number[1:] for number in ENGAGED[:3]]
        kept.block(ENGAGED[5])
        assert kept.again().blocklist() == [number[1:] for number in (*ENGAGED[:3], ENGAGED[5])]


def test_a_kill_while_the_first_line_was_written_begins_a_new_world(path: Path) -> None:
    path.parent.mkdir()
    for content in (b"", b"{", b'{"did":"began","at":1800000000.0}'):
        path.write_bytes(content)
        kept = Kept(path)
        assert [json.loads(line)["did"] for line in kept.lines()] == ["began", "conditions_changed"]
        kept.journal.close()


GOOD = b'{"did":"began","at":1800000000.0}\n{"did":"blocked","at":1800000001.0,"number":"+12125550100"}\n'


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"what is this",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b'{"at":1800000002.0}',
        b'{"did":"blocked"}',
        b'{"did":"danced","at":1800000002.0}',
        b'{"did":"blocked","at":"now","number":"+12125550100"}',
        b'{"did":"blocked","at":1800000002.0,"number":5}',
        b'{"did":"blocked","at":1800000002.0,"number":"+12125550100"',
        b'{"did":"conditions_changed","at":1800000002.0,"conditions":{"faults":[{"kind":"rest"}]}}',
        b'{"did":"conditions_changed","at":1800000002.0,"conditions":{"faults":[{"kind":"reset","share":7}]}}',
        b"\x00" * 40,
        b"[" * 100_000,
        b'{"did":"blocked","at":1800000002.0,"number":"\xff"}',
    ],
    ids=lambda line: repr(line)[:50],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_bad_file_is_refused_with_its_line_and_left_as_it_is(path: Path, line: bytes, place: int) -> None:
    lines = GOOD.splitlines(keepends=True)
    lines.insert(place, line + b"\n")
    path.parent.mkdir()
    path.write_bytes(b"".join(lines))
    path.chmod(0o640)
    with pytest.raises(BadJournal) as refused:
        Kept(path)
    assert f"{path}, line {place + 1}: " in str(refused.value)
    assert "\n" not in str(refused.value)
    assert path.read_bytes() == b"".join(lines)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert files(path) == [path.name]


def test_a_file_that_does_not_begin_with_a_beginning_is_refused_and_left_as_it_is(path: Path) -> None:
    content = GOOD.splitlines(keepends=True)[1]
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(BadJournal) as refused:
        Kept(path)
    assert str(path) in str(refused.value)
    assert path.read_bytes() == content


def test_a_path_that_cannot_be_had_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "world.jsonl", tmp_path / "folder"):
        with pytest.raises(BadJournal, match="cannot use") as refused:
            Kept(path)
        assert str(path) in str(refused.value)


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_a_problem_and_the_server_goes_on(path: Path) -> None:
    kept = Kept(path)
    kept.block(ENGAGED[0])
    assert kept.simulator.problem is None
    with disk_of(path.stat().st_size):
        kept.block(ENGAGED[1])
        problem = kept.simulator.problem
        assert problem is not None
        assert str(path) in problem
        assert problem.startswith("cannot write ")
        kept.block(ENGAGED[2])
    kept.block(ENGAGED[3])
    assert kept.simulator.problem == problem
    assert len(kept.blocklist()) == 4
    assert kept.again().blocklist() == [ENGAGED[0][1:]], "what was written before is there"
    assert kept.simulator.problem is None


def test_a_disk_that_is_full_in_the_middle_of_a_line_is_a_problem(path: Path) -> None:
    kept = Kept(path)
    with disk_of(path.stat().st_size + 10):
        kept.block(ENGAGED[0])
    assert kept.simulator.problem is not None


def test_a_disk_that_was_full_in_the_middle_of_a_line_leaves_a_file_that_can_be_read(path: Path) -> None:
    kept = Kept(path)
    kept.block(ENGAGED[0])
    with disk_of(path.stat().st_size + 10):
        kept.block(ENGAGED[1])
    kept.block(ENGAGED[2])
    assert kept.again().blocklist()[0] == ENGAGED[0][1:]


def test_a_reset_that_cannot_be_written_is_a_problem_and_the_server_goes_on(path: Path) -> None:
    kept = Kept(path)
    kept.block(ENGAGED[0])
    shutil.rmtree(path.parent)
    path.parent.write_text("in the way")
    kept.ask("POST", "/_simulator/reset")
    assert kept.simulator.problem is not None
    assert str(path) in kept.simulator.problem
    assert kept.blocklist() == []
    kept.block(ENGAGED[1])
    assert kept.blocklist() == [ENGAGED[1][1:]]


@pytest.mark.parametrize(
    "room",
    [
        0.0,
        0.5,
    ],
)
def test_a_disk_that_is_full_at_the_start_leaves_the_file_as_it_was(path: Path, room: float) -> None:
    kept = Kept(path)
    for number in ENGAGED[:5]:
        kept.block(number)
    kept.journal.close()
    before = path.read_bytes()
    with disk_of(int(room * len(before))), pytest.raises(BadJournal, match="cannot use"):
        Kept(path)
    assert path.read_bytes() == before
    assert Kept(path).blocklist() == [number[1:] for number in ENGAGED[:5]]


def test_events_say_what_they_were_in_words() -> None:
    assert Asked(NOW, ("+12125550100",)).in_words() == "began to check 1 number"
    assert AccountChanged(NOW, "+12125550100", False).in_words() == "lost the account of +12125550100"
