"""The one simulator of a data folder: who serves it, who takes over, and that nothing answered is lost meanwhile."""

import fcntl
import json
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from watui.simulator import embedded, population
from watui.simulator.embedded import DOOR, LOCK, WORLD, Embedded, NoSimulator

CHECK = "/v1/contacts"
NUMBERS = [number for line in range(5_000) if population.has_account(0, number := f"+1212555{line:04d}")]
ENGAGED = [number for number in NUMBERS if population.is_engaged(0, number)]
ROOT = Path(__file__).parents[2]

PROGRAM = """
import sys
from pathlib import Path
from watui.simulator.embedded import Embedded
print("ready", flush=True)
sys.stdin.readline()
used = Embedded(Path(sys.argv[1]), "US")
print(used.is_served_here, used.url, used.token, flush=True)
sys.stdin.readline()
used.close()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "simulator"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let those that use another one's simulator look more often than they would."""
    monkeypatch.setattr(embedded, "WATCH_SECONDS", 0.05)


Open = Callable[..., Embedded]


@pytest.fixture
def opened(folder: Path) -> Iterator[Open]:
    """Opens the simulator of the folder as often as it is called, as so many processes would."""
    users: list[Embedded] = []

    def one_more(region: str = "US") -> Embedded:
        users.append(Embedded(folder, region))
        return users[-1]

    yield one_more
    for user in reversed(users):
        user.close()
    left = {thread.name for thread in threading.enumerate()} & {"watui-simulator", "watui-watcher"}
    assert not left


@pytest.fixture
def started(folder: Path) -> Iterator[Callable[[], "subprocess.Popen[str]"]]:
    """Starts real processes that wait for a line before they open the simulator, and for another one to close it."""
    processes: list[subprocess.Popen[str]] = []

    def one_more() -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", PROGRAM, str(folder)]
        processes.append(subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        return processes[-1]

    yield one_more
    for process in processes:
        process.kill()
        process.communicate()


def go(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def line_of(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.01)


def ask(user: Embedded, method: str, path: str, body: Any = None, token: str | None = None) -> httpx.Response:
    headers = {"authorization": f"Bearer {user.token if token is None else token}"}
    return httpx.request(method, user.url + path, json=body, headers=headers, trust_env=False, timeout=10, verify=False)


def block(user: Embedded, number: str) -> None:
    assert ask(user, "POST", f"/v1/contacts/{number}/block").status_code == 200


def blocklist(user: Embedded) -> list[str]:
    found: list[str] = []
    while page := ask(user, "GET", f"/v1/contacts/blocklist?limit=200&offset={len(found)}").json()["contacts"]:
        found += ["+" + entry["wa_id"].partition("@")[0] for entry in page]
    return found


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# One alone


def test_the_first_serves_and_answers_to_its_token_alone(opened: Open) -> None:
    user = opened()
    assert user.is_served_here
    assert urlsplit(user.url).hostname == "127.0.0.1"
    assert ask(user, "POST", CHECK, {"contacts": NUMBERS[:1]}).status_code == 200
    assert ask(user, "POST", CHECK, {"contacts": NUMBERS[:1]}, token="other").status_code == 401
    assert ask(user, "GET", "/_simulator/state").json()["requests"] == 2
    assert ask(user, "GET", "/_simulator/state", token="other").status_code == 401


def test_what_is_in_the_folder_is_for_its_owner_alone(opened: Open, folder: Path) -> None:
    user = opened()
    assert mode(folder) == 0o700
    assert {file.name for file in folder.iterdir()} == {LOCK, DOOR, WORLD, f".{WORLD}.lock"}
    assert [mode(folder / name) for name in (DOOR, WORLD)] == [0o600, 0o600]
    assert json.loads((folder / DOOR).read_bytes()) == {"url": user.url, "token": user.token, "region": "US"}
    assert len(user.token) >= 20


def test_a_door_that_others_could_read_is_for_its_owner_alone_from_then_on(opened: Open, folder: Path) -> None:
    opened().close()
    (folder / DOOR).chmod(0o644)
    (folder / f".{DOOR}.part").write_text("left behind")
    (folder / f".{DOOR}.part").chmod(0o644)
    opened()
    assert mode(folder / DOOR) == 0o600


def test_two_folders_are_two_worlds(tmp_path: Path) -> None:
    one, other = Embedded(tmp_path / "one", "US"), Embedded(tmp_path / "other", "US")
    try:
        assert one.is_served_here
        assert other.is_served_here
        assert one.token != other.token
        block(one, ENGAGED[0])
        assert blocklist(other) == []
    finally:
        other.close()
        one.close()


def test_state_url_and_token_survive_when_nobody_serves(opened: Open) -> None:
    first = opened()
    block(first, ENGAGED[0])
    url, token = first.url, first.token
    first.close()
    second = opened()
    assert second.is_served_here
    assert (second.url, second.token) == (url, token)
    assert blocklist(second) == ENGAGED[:1]


def test_it_can_be_closed_twice(opened: Open) -> None:
    user = opened()
    user.close()
    user.close()
    assert not user.is_served_here


def test_it_serves_elsewhere_where_somebody_else_has_its_port(opened: Open) -> None:
    first = opened()
    url, token = first.url, first.token
    block(first, ENGAGED[0])
    first.close()
    with socket.create_server(("127.0.0.1", urlsplit(url).port or 0)):
        second = opened()
        assert second.is_served_here
        assert second.url != url
        assert second.token == token
        assert blocklist(second) == ENGAGED[:1]
        third = opened()
        assert third.url == second.url


@pytest.mark.parametrize("content", [b"", b'{"url": 5}', b'{"url": "x", "token": "y"}', b"\xff"], ids=repr)
def test_a_door_that_leads_nowhere_is_made_anew(opened: Open, folder: Path, content: bytes) -> None:
    folder.mkdir(parents=True)
    (folder / DOOR).write_bytes(content)
    user = opened()
    assert user.is_served_here
    assert ask(user, "GET", "/v1/health").status_code == 200
    assert json.loads((folder / DOOR).read_bytes())["url"] == user.url


# Several


def test_the_second_uses_the_first(opened: Open) -> None:
    first, second = opened(), opened()
    assert (first.is_served_here, second.is_served_here) == (True, False)
    assert (second.url, second.token) == (first.url, first.token)
    block(first, ENGAGED[0])
    block(second, ENGAGED[1])
    assert blocklist(first) == blocklist(second) == ENGAGED[:2]


def test_one_that_only_used_it_leaves_without_a_trace(opened: Open) -> None:
    first, second = opened(), opened()
    second.close()
    assert first.is_served_here
    block(first, ENGAGED[0])
    assert blocklist(first) == ENGAGED[:1]


def test_another_takes_over_at_the_same_url_and_token(opened: Open, folder: Path) -> None:
    first, second = opened(), opened()
    url, token = second.url, second.token
    block(second, ENGAGED[0])
    first.close()
    wait_until(lambda: second.is_served_here)
    assert (second.url, second.token) == (url, token)
    assert blocklist(second) == ENGAGED[:1]
    block(second, ENGAGED[1])
    assert json.loads((folder / DOOR).read_bytes())["url"] == url
    assert mode(folder / DOOR) == 0o600
    third = opened()
    assert (third.url, third.token, third.is_served_here) == (url, token, False)
    assert blocklist(third) == ENGAGED[:2]


def test_of_many_one_takes_over_each_time(opened: Open) -> None:
    users = [opened() for _ in range(3)]
    url = users[0].url
    for place in range(len(users)):
        (serving,) = [user for user in users if user.is_served_here]
        for user in users:
            assert user.url == url
            assert ask(user, "GET", "/v1/health").status_code == 200
        block(users[0], ENGAGED[place])
        users.remove(serving)
        serving.close()
        if users:
            wait_until(lambda: any(user.is_served_here for user in users))
    assert blocklist(opened()) == ENGAGED[:3]


def test_a_client_that_keeps_its_connection_is_answered_by_the_next_one(opened: Open) -> None:
    first, second = opened(), opened()
    with httpx.Client(headers={"authorization": f"Bearer {second.token}"}, trust_env=False, timeout=10) as client:
        assert client.get(second.url + "/v1/health").status_code == 200
        first.close()
        wait_until(lambda: second.is_served_here)
        with suppress(httpx.TransportError):
            client.get(second.url + "/v1/health")
        assert client.get(second.url + "/v1/health").status_code == 200


def test_one_that_takes_over_at_another_port_says_where(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = opened(), opened()
    port, is_taken, can_lock = urlsplit(first.url).port or 0, threading.Event(), Embedded._can_lock
    monkeypatch.setattr(Embedded, "_can_lock", lambda self: is_taken.is_set() and can_lock(self))
    first.close()
    with socket.create_server(("127.0.0.1", port)):
        is_taken.set()
        wait_until(lambda: second.is_served_here)
        assert urlsplit(second.url).port != port
        assert ask(second, "GET", "/v1/health").status_code == 200


# Regions


def test_another_region_is_asked_through_a_prefix_of_the_path(opened: Open) -> None:
    here, there = opened("US"), opened("IN")
    assert there.url == f"{here.url}/_region/IN"
    ask(here, "PATCH", "/_simulator/state", {"latency": "none", "version": "v2.45.1"})
    for user, wa_id in ((here, "12125550100"), (there, "912125550100")):
        (contact,) = ask(user, "POST", CHECK, {"contacts": ["2125550100"]}).json()["contacts"]
        assert contact == {"input": "2125550100", "status": "valid", "wa_id": wa_id}
    own = [
        ask(user, "GET", "/v1/settings/application").json()["settings"]["application"]["wa_id"]
        for user in (here, there)
    ]
    assert [wa_id[:2] for wa_id in own] == ["12", "91"]


def test_the_region_of_the_world_stays_whoever_takes_over(opened: Open) -> None:
    here, there = opened("US"), opened("IN")
    url = there.url
    here.close()
    wait_until(lambda: there.is_served_here)
    assert there.url == url
    assert ask(there, "GET", "/_simulator/state").json()["region"] == "US"
    (contact,) = ask(there, "POST", CHECK, {"contacts": ["9876543210"]}).json()["contacts"]
    assert contact["status"] == "processing"
    again = opened("US")
    assert again.url == url.removesuffix("/_region/IN")


def test_the_region_of_the_world_stays_over_a_start(opened: Open) -> None:
    opened("US").close()
    there = opened("IN")
    assert there.is_served_here
    assert there.url.endswith("/_region/IN")
    assert ask(there, "GET", "/_simulator/state").json()["region"] == "US"


# Where there is none


def test_a_folder_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "simulator"
    with pytest.raises(NoSimulator) as refused:
        Embedded(folder, "US")
    assert str(folder) in str(refused.value)
    assert len(str(refused.value).split()) > 4
    assert "\n" not in str(refused.value)


def test_a_world_that_cannot_be_read_is_set_aside(opened: Open, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / WORLD).write_text("what is this\n")
    user = opened()
    problem = ask(user, "GET", "/_simulator/state").json()["problem"]
    assert f"{folder / WORLD}, line 1: " in problem
    assert str(folder / f"{WORLD}.damaged") in problem
    assert (folder / f"{WORLD}.damaged").read_text() == "what is this\n"


def test_a_lock_that_is_held_by_what_does_not_answer_is_named(
    opened: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "PATIENCE_SECONDS", 0.1)
    folder.mkdir(parents=True)
    with (folder / LOCK).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(NoSimulator) as refused:
            opened()
        assert str(folder / LOCK) in str(refused.value)
    assert opened().is_served_here


# At the same instant, and killed


def test_of_many_that_start_at_the_same_instant_one_serves(folder: Path) -> None:
    count = 6
    barrier = threading.Barrier(count)

    def start() -> Embedded:
        barrier.wait()
        return Embedded(folder, "US")

    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(start) for _ in range(count)]
        users = [future.result(30) for future in futures]
    try:
        assert sum(user.is_served_here for user in users) == 1
        assert len({(user.url, user.token) for user in users}) == 1
        assert all(ask(user, "GET", "/v1/health").status_code == 200 for user in users)
    finally:
        for user in users:
            user.close()


def test_of_processes_that_start_at_the_same_instant_one_serves(
    started: Callable[[], "subprocess.Popen[str]"],
) -> None:
    processes = [started() for _ in range(3)]
    assert [line_of(process) for process in processes] == ["ready"] * 3
    for process in processes:
        go(process)
    said = [line_of(process).split() for process in processes]
    assert sorted(served for served, _, _ in said) == ["False", "False", "True"]
    assert len({(url, token) for _, url, token in said}) == 1
    for process in processes:
        go(process)
    assert [process.wait(20) for process in processes] == [0, 0, 0]


def test_a_process_that_is_killed_is_taken_over_and_nothing_answered_is_lost(
    opened: Open, started: Callable[[], "subprocess.Popen[str]"]
) -> None:
    process = started()
    go(process)
    assert line_of(process) == "ready"
    served, url, token = line_of(process).split()
    user = opened()
    assert (served, user.is_served_here, user.url, user.token) == ("True", False, url, token)
    assert ask(user, "PATCH", "/_simulator/state", {"engaged": 1.0}).status_code == 200
    answered: list[str] = []

    def block_until_it_is_gone() -> None:
        with httpx.Client(headers={"authorization": f"Bearer {token}"}, trust_env=False, timeout=10) as client:
            for number in NUMBERS:
                try:
                    status = client.post(f"{url}/v1/contacts/{number}/block").status_code
                except httpx.TransportError:
                    return
                assert status == 200
                answered.append(number)

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(block_until_it_is_gone)
        wait_until(lambda: len(answered) >= 50 or working.done())
        process.kill()
        working.result(30)
    assert len(answered) in range(50, len(NUMBERS)), "it was killed while it worked"
    wait_until(lambda: user.is_served_here)
    assert (user.url, user.token) == (url, token)
    found = blocklist(user)
    assert found[: len(answered)] == answered
    assert len(found) <= len(answered) + 1, "and what was done but not answered, at most"
    block(user, NUMBERS[-1])
    assert blocklist(user) == [*found, NUMBERS[-1]]
