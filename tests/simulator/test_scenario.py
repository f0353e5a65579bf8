"""Scripts for a server: what each one that is shipped does, how time goes by in them, and how a bad one is refused."""

import base64
import json
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulated import a_world
from watui.contract.rules import ENGAGED_SECONDS
from watui.simulator import population
from watui.simulator.faults import Fault, Kind
from watui.simulator.scenario import BadScenario, Scenario, Step, find, find_shipped, shipped
from watui.simulator.server import Simulator
from watui.simulator.wire import Reply, Request

TOKEN = "scenario-token"
NOW = 1_800_000_000.0
CHECK = "/v1/contacts"
HEALTH = "/v1/health"
NUMBERS = [f"+1212555{line:04d}" for line in range(1_000)]
WITH_ACCOUNT = [number for number in NUMBERS if population.has_account(0, number)]
WITHOUT_ACCOUNT = [number for number in NUMBERS if not population.has_account(0, number)]
ENGAGED = [number for number in WITH_ACCOUNT if population.is_engaged(0, number)]
SILENT = [number for number in WITH_ACCOUNT if not population.is_engaged(0, number)]
PASSWORD = "Str0ng!pass"


@dataclass
class Server:
    """A server in virtual time; `at` is in seconds since the scenario was chosen."""

    simulator: Simulator

    def reply(
        self, method: str, target: str, body: object = None, at: float = 0.0, authorization: str = f"Bearer {TOKEN}"
    ) -> tuple[Reply, float]:
        content = b"" if body is None else json.dumps(body).encode()
        reply, when = self.simulator.respond(
            Request(method, target, {"authorization": authorization}, content), NOW + at
        )
        return reply, when - NOW

    def ask(self, method: str, target: str, body: object = None, at: float = 0.0) -> Any:
        reply, _ = self.reply(method, target, body, at)
        assert reply.status == 200, reply
        return json.loads(reply.body)

    def status(self, method: str, target: str, body: object = None, at: float = 0.0) -> int:
        return self.reply(method, target, body, at)[0].status

    def check(self, at: float = 0.0, numbers: list[str] = NUMBERS[:1], authorization: str = f"Bearer {TOKEN}") -> Reply:
        return self.reply("POST", CHECK, {"contacts": numbers}, at, authorization)[0]

    def statuses(self, at: float, numbers: list[str]) -> Counter[str]:
        return Counter(contact["status"] for contact in json.loads(self.check(at, numbers).body)["contacts"])

    def version(self, at: float) -> str:
        version: str = self.ask("GET", HEALTH, at=at)["meta"]["version"]
        return version

    def code(self, method: str, target: str, at: float = 0.0) -> int:
        reply, _ = self.reply(method, target, at=at)
        code: int = json.loads(reply.body)["errors"][0]["code"]
        return code

    def blocklist(self, at: float, offset: int = 0, limit: int = 200) -> list[str]:
        page = self.ask("GET", f"/v1/contacts/blocklist?limit={limit}&offset={offset}", at=at)["contacts"]
        return [entry["wa_id"] for entry in page]

    def total(self, at: float) -> int:
        total: int = self.ask("GET", "/v1/contacts/blocklist?limit=1", at=at)["pagination"]["total"]
        return total

    def login(self, body: object, password: str, at: float) -> str:
        """Return the value of `authorization` that a login gives."""
        basic = "Basic " + base64.b64encode(f"admin:{password}".encode()).decode()
        reply, _ = self.reply("POST", "/v1/users/login", body, at, basic)
        return f"Bearer {json.loads(reply.body)['users'][0]['token']}"


def playing(scenario: Scenario | None, **conditions: Any) -> Server:
    simulator = Simulator(a_world(**conditions), TOKEN, control=True)
    simulator.world.play(scenario, NOW)
    return Server(simulator)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def written(folder: Path, text: str) -> Scenario:
    """Return the scenario that a file of `text` holds."""
    path = folder / "own.toml"
    path.write_text(text, "utf-8")
    return find(str(path))


def own(folder: Path, text: str, **conditions: Any) -> Server:
    return playing(written(folder, f'title = "T"\nabout = "A."\n{text}'), **conditions)


# Those that are shipped


NAMES = {"calm", "slow", "rate-limit", "upgrade", "not-engaged", "token-expiry", "flaky", "blocklist-moves", "stuck"}


def test_nine_are_shipped_the_plainest_first() -> None:
    names = [scenario.name for scenario in shipped()]
    assert set(names) == NAMES
    assert len(names) == len(NAMES)
    assert names[0] == "calm"


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_has_a_title_and_two_sentences_on_what_there_is_to_learn(name: str) -> None:
    scenario = find(name)
    assert scenario == find_shipped(name)
    assert scenario in shipped()
    assert scenario.title.strip()
    assert "\n" not in scenario.title + scenario.about
    assert len(re.findall(r"[.!?](?=\s|$)", scenario.about)) == 2
    assert scenario.about.endswith(".")
    assert "  " not in scenario.about


def test_calm_decides_within_seconds_and_nothing_goes_wrong() -> None:
    server, numbers = playing(find("calm")), [*NUMBERS[:400], "12"]
    assert server.statuses(0, numbers) == {"processing": 400, "failed": 1}
    assert 120 < server.statuses(1.5, numbers)["processing"] < 280
    assert server.statuses(4, numbers)["processing"] < 40
    assert set(server.statuses(30, numbers)) == {"valid", "invalid", "failed"}
    for turn in range(300):
        assert server.reply("GET", HEALTH, at=31 + turn)[1] == 31 + turn
        assert server.status("POST", CHECK, {"contacts": ["12"]}, 31 + turn) == 200


def test_slow_takes_eight_seconds_or_a_minute_and_every_answer_is_late() -> None:
    server = playing(find("slow"))
    assert server.statuses(0, NUMBERS) == {"processing": 1_000}
    assert 400 < server.statuses(7.5, NUMBERS)["processing"] < 600
    assert 0 < server.statuses(60, NUMBERS)["processing"] < 40
    delays = [server.reply("GET", HEALTH, at=100 + turn)[1] - 100 - turn for turn in range(100)]
    assert all(0.3 - 1e-6 <= seconds <= 1.0 + 1e-6 for seconds in delays)
    assert len(set(delays)) > 50


def test_rate_limit_refuses_what_comes_faster_than_twenty_a_second() -> None:
    server = playing(find("rate-limit"))
    at_once = [server.status("GET", HEALTH, at=0) for _ in range(100)]
    assert 429 in at_once
    assert at_once[:20] == [200] * 20
    steadily = [server.status("GET", HEALTH, at=1 + turn / 20) for turn in range(100)]
    assert set(steadily) == {200}
    twice_as_fast = [server.status("GET", HEALTH, at=10 + turn / 40) for turn in range(400)][200:]
    assert set(twice_as_fast) == {200, 429}
    assert 95 <= twice_as_fast.count(200) <= 105


def test_rate_limit_refuses_every_check_from_second_10_to_20_and_says_when_to_come_again() -> None:
    server = playing(find("rate-limit"))
    assert server.check(0).status == 200
    assert server.check(9.9).status == 200
    for at in (10, 12, 15, 19.9):
        reply = server.check(at)
        assert (reply.status, reply.headers) == (429, (("retry-after", "3"),))
        assert server.status("GET", HEALTH, at=at) == 200
    assert server.simulator.world.known == 1
    assert server.check(20).status == 200


def test_rate_limit_answers_a_client_that_comes_when_it_is_told() -> None:
    server, at, asked = playing(find("rate-limit")), 9.0, 0
    pending, answered = [[number] for number in NUMBERS[:10]], list[str]()
    while pending:
        reply, asked = server.check(at, pending[0]), asked + 1
        if reply.status == 200:
            answered += pending.pop(0)
        at += float(dict(reply.headers).get("retry-after", "0.5"))
    assert answered == NUMBERS[:10]
    assert asked <= 10 + 4


def test_upgrade_takes_invalid_away_after_ten_seconds() -> None:
    server, numbers = playing(find("upgrade"), latency=None), NUMBERS[:200]
    server.check(100, numbers)
    before, after = (json.loads(server.check(at, numbers).body) for at in (109.9, 110))
    assert before["meta"]["version"] == "v2.41"
    assert {contact["status"] for contact in before["contacts"]} == {"valid", "invalid"}
    assert after["meta"]["version"] == "v2.43"
    assert {contact["status"] for contact in after["contacts"]} == {"valid"}
    assert all(contact["wa_id"] == contact["input"][1:] for contact in after["contacts"])


def test_not_engaged_refuses_until_a_contact_writes_and_opens_for_a_day() -> None:
    server = playing(find("not-engaged"))
    for number in WITH_ACCOUNT[:50]:
        assert server.code("POST", f"/v1/contacts/{number}/block") == 2048
        assert server.code("POST", f"/v1/contacts/{number}/report") == 2048
    writer, other = WITH_ACCOUNT[:2]
    server.ask("POST", "/_simulator/inbound", {"number": writer}, at=10)
    assert server.status("POST", f"/v1/contacts/{writer}/report", at=10) == 200
    assert server.code("POST", f"/v1/contacts/{other}/block", at=10) == 2048
    assert server.code("POST", f"/v1/contacts/{writer}/report", at=10 + ENGAGED_SECONDS) == 2048
    server.ask("POST", "/_simulator/inbound", {"number": writer}, at=10 + ENGAGED_SECONDS)
    assert server.status("POST", f"/v1/contacts/{writer}/block", at=9 + 2 * ENGAGED_SECONDS) == 200


def test_token_expiry_ends_every_token_of_a_login_each_fifteen_seconds() -> None:
    server = playing(find("token-expiry"), latency=None)
    first = server.login({"new_password": PASSWORD}, "secret", 0)
    assert server.check(0, authorization=first).status == 200
    assert server.check(14.9, authorization=first).status == 200
    denied = server.check(15, authorization=first)
    assert (denied.status, json.loads(denied.body)["errors"][0]["code"]) == (401, 1005)
    second = server.login(None, PASSWORD, 18)
    assert server.check(18, authorization=first).status == 401
    assert server.check(29.9, authorization=second).status == 200
    assert server.check(30, authorization=second).status == 401
    third = server.login(None, PASSWORD, 31)
    assert server.check(44.9, authorization=third).status == 200
    assert server.check(45, authorization=third).status == 401


def test_token_expiry_refuses_even_a_fixed_token_for_two_seconds_once() -> None:
    server = playing(find("token-expiry"), latency=None)
    times = (0, 14.9, 15, 16.9, 17, 29.9, 30, 31, 45, 46)
    assert [server.check(at).status for at in times] == [200, 200, 401, 401, 200, 200, 200, 200, 200, 200]


def test_token_expiry_is_not_kept_off_by_somebody_who_looks() -> None:
    server = playing(find("token-expiry"), latency=None)
    token = server.login({"new_password": PASSWORD}, "secret", 0)
    assert server.check(0, authorization=token).status == 200
    server.ask("GET", "/_simulator/state", at=16)
    assert server.check(18, authorization=token).status == 401


def test_flaky_breaks_one_in_ten_in_four_ways() -> None:
    server, seen = playing(find("flaky"), latency=None), Counter[str]()
    late = 0
    for turn in range(4_000):
        reply, when = server.reply("GET", HEALTH, at=10 * turn)
        late += when > 10 * turn
        seen["reset" if reply.cut_after == 0 else "half" if reply.cut_after else str(reply.status)] += 1
        if reply.status == 503:
            assert dict(reply.headers) == {"retry-after": "1"}
    assert set(seen) == {"200", "reset", "500", "503", "half"}
    assert 0.08 < 1 - seen["200"] / 4_000 < 0.12
    assert 0.08 < late / 4_000 < 0.12


def test_flaky_fails_sometimes_after_the_work_was_done() -> None:
    server, done = playing(find("flaky")), Counter[tuple[int, bool]]()
    for number in ENGAGED:
        reply, _ = server.reply("POST", f"/v1/contacts/{number}/block")
        done[0 if reply.cut_after == 0 else reply.status, server.simulator.world.people.is_blocked(number)] += 1
    assert done[500, True] > 0
    assert done[503, False] > 0
    assert done[0, False] > 0
    assert done[200, False] == done[503, True] == 0


def test_blocklist_moves_while_it_is_read() -> None:
    server = playing(find("blocklist-moves"))
    server.check(0)
    before = [entry for offset in (0, 200, 400) for entry in server.blocklist(4.9, offset)]
    after = [entry for offset in (0, 200, 400) for entry in server.blocklist(5, offset)]
    assert len(set(before)) == 450
    assert after[:-1] == before[1:]
    assert after[-1] not in before
    assert [server.total(at) for at in (5, 12, 600)] == [450, 450, 450]
    assert not set(server.blocklist(450 * 5 + 1)) & set(before)


def test_blocklist_moves_so_that_offsets_leave_some_out_or_give_some_twice() -> None:
    forth, back = playing(find("blocklist-moves")), playing(find("blocklist-moves"))
    for server in (forth, back):
        server.check(0)
    there = {entry for offset in (200, 400) for entry in forth.blocklist(0, offset)}
    read = [entry for at, offset in ((4, 0), (9, 200), (14, 400)) for entry in forth.blocklist(at, offset)]
    assert there - set(read)
    read = [entry for at, offset in ((4, 400), (9, 200), (14, 0)) for entry in back.blocklist(at, offset)]
    assert len(read) > len(set(read))


def test_stuck_leaves_one_in_twenty_processing_for_as_long_as_it_lasts() -> None:
    server = playing(find("stuck"))
    server.check(0, NUMBERS)
    for at in (60.0, 24 * 3600.0):
        assert 25 < server.statuses(at, NUMBERS)["processing"] < 75
    stuck = [
        contact["input"]
        for contact in json.loads(server.check(24 * 3600, NUMBERS).body)["contacts"]
        if contact["status"] == "processing"
    ]
    waited, _ = server.reply("POST", CHECK, {"contacts": stuck[:1], "blocking": "wait"}, 24 * 3600)
    assert waited.is_silent
    after = 9 * 24 * 3600.0
    server.simulator.world.play(None, NOW + after)
    server.check(after, stuck)
    assert server.statuses(after + 60, stuck)["processing"] == 0


# Time


def test_nothing_happens_before_the_first_check_and_the_clock_begins_with_it(folder: Path) -> None:
    server = own(folder, '[[at]]\nseconds = 10\nversion = "v2.43"')
    assert [server.version(at) for at in (0, 5, 10, 5_000)] == ["v2.41"] * 4
    server.check(6_000)
    assert [server.version(at) for at in (6_000, 6_009.9, 6_010, 7_000)] == ["v2.41", "v2.41", "v2.43", "v2.43"]


def test_a_refused_check_begins_the_clock_too(folder: Path) -> None:
    server = own(folder, '[[at]]\nseconds = 10\nversion = "v2.43"')
    assert server.check(100, authorization="Bearer other").status == 401
    assert [server.version(at) for at in (109.9, 110)] == ["v2.41", "v2.43"]


@pytest.mark.parametrize("every", ["", "every = 1000\n"])
def test_a_step_at_second_0_is_taken_with_the_first_check(folder: Path, every: str) -> None:
    server = own(folder, f'[[at]]\nseconds = 0\n{every}version = "v2.43"')
    server.check(0)
    assert server.version(1) == "v2.43"


def test_steps_come_in_the_order_of_their_seconds_and_then_of_the_file(folder: Path) -> None:
    steps = [(20, "v2.42"), (10, "v2.39.1"), (20, "v2.43"), (30, "v2.45.1")]
    text = "".join(f'[[at]]\nseconds = {seconds}\nversion = "{version}"\n' for seconds, version in steps)
    server = own(folder, text)
    server.check(0)
    assert [server.version(at) for at in (9, 10, 20, 30)] == ["v2.41", "v2.39.1", "v2.43", "v2.45.1"]
    late = own(folder, text)
    late.check(0)
    assert late.version(25) == "v2.43", "what was missed is made up for in order"


def test_a_step_with_every_comes_again_and_again(folder: Path) -> None:
    server = own(folder, "[[at]]\nseconds = 3\nevery = 2\nblock = 1")
    server.check(0)
    assert [server.total(at) for at in (0, 2.9, 3, 4.9, 5, 6, 7, 8.9, 9)] == [0, 0, 1, 1, 2, 2, 3, 3, 4]
    assert server.total(103) == 51, "all that a silence held back"


def test_a_step_happens_at_its_own_second_even_if_nobody_asks_then(folder: Path) -> None:
    number = WITH_ACCOUNT[0]
    server = own(folder, f'[[at]]\nseconds = 10\nidentity = ["{number}"]\ninbound = ["{SILENT[0]}"]')
    server.check(0)
    identity = server.ask("GET", f"/v1/contacts/{number[1:]}/identity", at=500)["contacts"]
    assert (identity["created_timestamp"], identity["acknowledged"]) == ((NOW + 10) * 1000, False)
    block = f"/v1/contacts/{SILENT[0]}/block"
    assert server.status("POST", block, at=9 + ENGAGED_SECONDS) == 200
    assert server.status("POST", f"/v1/contacts/{SILENT[0]}/unblock", at=9 + ENGAGED_SECONDS) == 200
    assert server.code("POST", block, at=10 + ENGAGED_SECONDS) == 2048


def test_accounts_appear_and_vanish(folder: Path) -> None:
    gone, come = WITH_ACCOUNT[0], WITHOUT_ACCOUNT[0]
    server = own(folder, f'[[at]]\nseconds = 10\nvanish = ["{gone}"]\nappear = ["{come}"]', latency=None)
    forced = {"contacts": [gone, come], "force_check": True}
    before, after = (
        [contact["status"] for contact in server.ask("POST", CHECK, forced, at)["contacts"]] for at in (0, 10)
    )
    assert (before, after) == (["valid", "invalid"], ["invalid", "valid"])


def test_somebody_else_blocks_and_unblocks_the_oldest_first(folder: Path) -> None:
    server = own(folder, "[start]\nblocked = 3\n[[at]]\nseconds = 10\nunblock = 2\n[[at]]\nseconds = 20\nblock = 2")
    server.check(0)
    first = server.blocklist(0)
    assert len(first) == 3
    assert server.blocklist(10) == first[2:]
    assert server.blocklist(20)[:1] == first[2:]
    assert not set(server.blocklist(20)[1:]) & set(first)
    assert server.total(20) == 3


def test_steps_change_conditions_and_faults(folder: Path) -> None:
    server = own(
        folder,
        '[start]\nmax_contacts = 2\n[[at]]\nseconds = 10\nmax_contacts = 1\n[[at.faults]]\nkind = "internal-error"\n'
        "nth = 1\n",
    )
    times = (0, 10, 11)
    assert [server.check(at, NUMBERS[:2]).status for at in times] == [200, 500, 400]


def test_a_wait_is_answered_by_the_server_of_its_end(folder: Path) -> None:
    server = own(folder, '[start]\nlatency = "12,12"\n[[at]]\nseconds = 10\nversion = "v2.43"')
    reply, at = server.reply("POST", CHECK, {"contacts": WITHOUT_ACCOUNT[:1], "blocking": "wait"})
    assert at == pytest.approx(12)
    answer = json.loads(reply.body)
    assert (answer["meta"]["version"], answer["contacts"][0]["status"]) == ("v2.43", "valid")


def test_a_scenario_that_is_chosen_again_begins_again(folder: Path) -> None:
    scenario = written(folder, 'title = "T"\nabout = "A."\n[[at]]\nseconds = 10\nversion = "v2.43"')
    server = playing(scenario)
    server.check(0)
    assert server.version(10) == "v2.43"
    server.simulator.world.play(scenario, NOW + 20)
    assert [server.version(at) for at in (20, 100)] == ["v2.41", "v2.41"]
    server.check(200)
    assert [server.version(at) for at in (209, 210)] == ["v2.41", "v2.43"]


def test_the_faults_of_a_scenario_that_is_chosen_again_count_from_1(folder: Path) -> None:
    scenario = written(folder, 'title = "T"\nabout = "A."\n[[fault]]\nkind = "internal-error"\nnth = 2')
    server = playing(scenario)
    assert [server.status("GET", HEALTH) for _ in range(3)] == [200, 500, 200]
    server.simulator.world.play(scenario, NOW)
    assert [server.status("GET", HEALTH) for _ in range(3)] == [200, 500, 200]


def test_a_scenario_begins_with_the_base_and_what_ends_leaves_nothing_behind(folder: Path) -> None:
    faults = (Fault(Kind.LATENCY, seconds=1),)
    server = own(
        folder,
        '[start]\nversion = "v2.39.1"\nengaged = 0.0\n[[fault]]\nkind = "internal-error"\n',
        max_contacts=1,
        faults=faults,
    )
    reply, at = server.reply("GET", HEALTH)
    assert (reply.status, at) == (500, 1)
    assert json.loads(reply.body)["meta"]["version"] == "v2.39.1"
    assert server.simulator.world.conditions.max_contacts == 1
    server.simulator.world.play(None, NOW)
    assert server.simulator.world.conditions == server.simulator.world.base
    assert server.reply("GET", HEALTH)[0].status == 200
    assert server.status("POST", f"/v1/contacts/{ENGAGED[0]}/block") == 200


def test_the_world_goes_on_when_another_scenario_is_chosen() -> None:
    server = playing(find("calm"), latency=None)
    server.check(0)
    assert server.status("POST", f"/v1/contacts/{ENGAGED[0]}/block") == 200
    server.simulator.world.play(find("not-engaged"), NOW + 1)
    assert server.total(1) == 1
    server.simulator.world.play(find("blocklist-moves"), NOW + 2)
    assert server.total(2) == 450, "it begins with as many as it says, those that were there included"


STEPS = st.lists(
    st.builds(
        Step,
        seconds=st.integers(1, 40).map(float),
        every=st.none() | st.sampled_from([0.5, 1.0, 2.5, 7.0]),
        block=st.integers(0, 5),
    ),
    max_size=5,
)


@given(STEPS, st.lists(st.floats(0, 60), max_size=8), st.floats(0, 60))
def test_each_step_comes_once_however_often_one_looks(steps: list[Step], looks: list[float], end: float) -> None:
    scenario = Scenario("T", "A.", at=tuple(steps))
    times = [0.0, *sorted(min(look, end) for look in looks), end]
    piecewise = [each for after, until in pairwise(times) for each in scenario.steps(after, until)]
    assert piecewise == list(scenario.steps(0.0, end))
    assert [second for second, _ in piecewise] == sorted(second for second, _ in piecewise)
    assert all(second <= end for second, _ in piecewise)
    for step in steps:
        if step.every is None:
            assert [s for s, each in piecewise if each is step] == [step.seconds] * (step.seconds <= end)
        elif step.seconds <= end:
            assert len([s for s, each in piecewise if each is step]) == int((end - step.seconds) // step.every) + 1


# Files


def test_a_file_of_ones_own_is_a_scenario_by_its_name(folder: Path) -> None:
    path = folder / "my own.toml"
    path.write_text('title = "T"\nabout = "A."\n[start]\nversion = "v2.43"\n', "utf-8-sig")
    scenario = find(str(path))
    assert (scenario.name, scenario.title, scenario.start.version) == ("my own", "T", "v2.43")


def test_an_unknown_name_lists_those_that_there_are() -> None:
    with pytest.raises(BadScenario) as refused:
        find("clam")
    assert "'clam'" in str(refused.value)
    assert all(name in str(refused.value) for name in NAMES)


@pytest.mark.parametrize("content", [None, "folder", b"title = '\xff'"], ids=["missing", "folder", "no UTF-8"])
def test_a_file_that_cannot_be_read_is_named(folder: Path, content: str | bytes | None) -> None:
    path = folder / "own.toml"
    if content == "folder":
        path.mkdir()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(BadScenario, match="cannot read") as refused:
        find(str(path))
    assert str(path) in str(refused.value)


HEAD = ['title = "T"', 'about = "A."', "", "[start]", "stuck = 0.1", ""]
"""Six lines that are right."""

AT = ["[[at]]", "seconds = 1", "every = 1", ""]
FAULT = ["[[fault]]", 'kind = "reset"', "share = 0.5", ""]

BAD: dict[str, tuple[list[str], int, str]] = {
    "no TOML": (['title = "T"', "about == 1", "[start]"], 2, "Invalid"),
    "no TOML further down": ([*HEAD, *AT, "[[at]", "seconds = 1"], 11, ""),
    "an open text": (['title = "T', 'about = "A."'], 1, ""),
    "one key twice": (['title = "T"', 'about = "A."', 'title = "U"', ""], 3, ""),
    "one table twice": ([*HEAD, "[start]", "engaged = 0.5", ""], 7, ""),
    "unknown at the top": (['title = "T"', 'about = "A."', "colour = 1"], 3, "colour"),
    "unknown in start": ([*HEAD[:5], "colour = 1"], 6, "colour"),
    "unknown in the first at": ([*HEAD, "[[at]]", "seconds = 1", "colour = 1"], 9, "colour"),
    "unknown in the third at": ([*HEAD, *AT, *AT, "[[at]]", "seconds = 1", "colour = 1"], 17, "colour"),
    "unknown in the second fault": ([*HEAD, *FAULT, *FAULT[:3], "colour = 1"], 14, "colour"),
    "a setting of start in a fault": ([*HEAD, *FAULT, *FAULT[:3], 'version = "v2.43"'], 14, "version"),
    "wrong type at the top": (["", 'about = "A."', "title = 5"], 3, "title"),
    "wrong type in start": ([*HEAD[:4], 'stuck = "much"'], 5, "stuck"),
    "wrong type in the second at": ([*HEAD, *AT, "[[at]]", "every = 1", 'seconds = "1"'], 13, "seconds"),
    "wrong type in the third fault": ([*HEAD, *FAULT, *FAULT, *FAULT[:2], "share = true"], 17, "share"),
    "one key in two tables": ([*HEAD, "[[fault]]", 'kind = "latency"', "seconds = 1", *AT, *AT[:1], "seconds = []"], 15,
                              "seconds"),
    "a text for a list": ([*HEAD, *AT[:3], 'inbound = "+12125550100"'], 10, "inbound"),
    "a list of numbers": ([*HEAD, *AT[:3], "inbound = [12125550100]"], 10, "inbound"),
    "a number for start": (['title = "T"', 'about = "A."', "start = 5"], 3, "start"),
    "missing kind": ([*HEAD, *FAULT, "[[fault]]", "share = 0.5"], 11, ""),
    "missing seconds": ([*HEAD, *AT, "[[at]]", "every = 1"], 11, "seconds"),
    "missing title": (['about = "A."'], 1, "title"),
    "missing about": (['title = "T"'], 1, "about"),
    "no fault of this kind": ([*HEAD, *FAULT, "[[fault]]", "share = 0.5", 'kind = "rest"'], 13, "no such fault"),
    "time before the beginning": ([*HEAD, *AT, "[[at]]", "every = 1", "seconds = -1"], 13, "seconds"),
    "time beyond a week": ([*HEAD, *AT, "[[at]]", "every = 1", "seconds = 604801"], 13, "seconds"),
    "no time at all": ([*HEAD, *AT, "[[at]]", "every = 1", "seconds = nan"], 13, "seconds"),
    "again at once": ([*HEAD, *AT, "[[at]]", "seconds = 1", "every = 0"], 13, "every"),
    "again after next to no time": ([*HEAD, *AT, "[[at]]", "seconds = 1", "every = 5e-324"], 13, "every"),
    "fewer than none blocked": ([*HEAD[:5], "blocked = -1"], 6, "blocked"),
    "more blocked than a list holds": ([*HEAD[:5], "blocked = 64001"], 6, "blocked"),
    "remarks between": ([*HEAD, "# [[at]]", "[[at]] # one", "seconds = 1", "[[ at ]] # two", 'seconds = "1"'], 11,
                        "seconds"),
    "no TOML at the very end": (['title = "T"', 'about = "A."', "stuck ="], 3, "Invalid"),
    "one key twice, at the very end": (['title = "T"', 'about = "A."', 'title = "U"'], 3, ""),
    "an unknown table": ([*HEAD, "[finish]", "stuck = 0.1"], 7, "finish"),
    "a fault in single brackets": ([*HEAD, "[fault]", 'kind = "reset"'], 7, "fault"),
    "a fault of an inline list": ([*HEAD[:3], "fault = [", '  {kind = "rest"},', "]"], 5, "no such fault"),
    "a fault of a step": ([*HEAD, *AT, "[[at.faults]]", 'kind = "reset"', "[[at.faults]]", 'kind = "rest"'], 14,
                          "no such fault"),
    "a header within a text": (['title = "T"', 'about = """', "[[at]]", '"""', *AT[:1], 'seconds = "1"'], 6, "seconds"),
    "a kind for a step": ([*HEAD, *AT[:3], 'kind = "reset"'], 10, "unknown field"),
    "bad version in start": ([*HEAD[:5], 'version = "new"'], 6, "version 'new'"),
    "bad latency in start": ([*HEAD[:5], 'latency = "quick"'], 6, "latency 'quick'"),
    "stuck out of range in start": ([*HEAD[:4], "stuck = 2.0"], 5, "stuck is a share"),
    "bad version in the second at": ([*HEAD, *AT, *AT[:3], 'version = "new"'], 14, "version 'new'"),
    "bad latency in the third at": ([*HEAD, *AT, *AT, *AT[:3], 'latency = "4,1"'], 18, "latency '4,1'"),
    "share out of range in the first fault": ([*HEAD, *FAULT[:2], "share = 0.0"], 9, "share is above 0"),
    "share out of range in the third fault": ([*HEAD, *FAULT, *FAULT, *FAULT[:2], "share = 1.5"], 17, "share is"),
    "nth out of range in the second fault": ([*HEAD, *FAULT, *FAULT[:3], "nth = 0"], 14, "nth counts from 1"),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "number", "words"), BAD.values(), ids=BAD)
def test_a_bad_scenario_is_refused_with_the_line_and_the_reason(
    folder: Path, lines: list[str], number: int, words: str
) -> None:
    with pytest.raises(BadScenario) as refused:
        written(folder, "\n".join(lines))
    said = str(refused.value)
    place, _, reason = said.removeprefix(str(folder / "own.toml")).partition(": ")
    assert place == f", line {number}"
    assert words in reason
    assert reason.strip()
    assert "\n" not in said


RANGES = [
    ("at", 'version = "new"', "version 'new'"),
    ("at", 'latency = "quick"', "latency 'quick'"),
    ("at", "engaged = -0.1", "engaged is a share"),
    ("at", "max_contacts = 0", "max_contacts is 1 or more"),
    ("fault", "share = 1.5", "share is above 0 and at most 1"),
    ("fault", "from = 5\nuntil = 5", "until is later than from"),
    ("fault", "retry_after = -1", "retry_after is 0 to 604800"),
    ("fault", "status = 200", "status is one of 301"),
]


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(("table", "line", "words"), RANGES)
def test_a_value_out_of_range_is_refused_with_its_line(
    folder: Path, table: str, line: str, words: str, place: int
) -> None:
    start = {"at": "[[at]]\nseconds = 1\n", "fault": '[[fault]]\nkind = "reset"\n'}[table]
    tables = [start, start, start]
    tables[place] += f"{line}\n"
    with pytest.raises(BadScenario, match=re.escape(words)) as refused:
        written(folder, 'title = "T"\nabout = "A."\n' + "".join(tables))
    last = 4 + 2 * place + len(line.splitlines())
    assert f", line {last}: " in str(refused.value)
