"""`watui simulate` as a process: it says where it is, answers, and ends when it is told to."""

import json
import re
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import SECONDS, Watui, assert_one_sentence, start
from tests.conftest import TOKEN
from watui.cli.exits import Exit

NUMBER = "+16315551000"


@contextmanager
def simulating(*arguments: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Start a simulator on a free port; yield its process and its URL, and leave nothing behind."""
    with start("simulate", "--port", "0", *arguments) as running:
        try:
            assert running.stdout is not None
            yield running, running.stdout.readline().strip()
        finally:
            running.kill()


def ask(url: str, token: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(f"{url}/v1/contacts", json={"contacts": [NUMBER]}, headers=headers, trust_env=False)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_its_url_answers_and_stops_on_a_signal(number: signal.Signals) -> None:
    with simulating("--token", "t0k", "--latency", "none", "--server-version", "2.45.1") as (running, url):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
        assert ask(url, "wrong").status_code == 401
        answer = ask(url, "t0k").json()
        assert answer["contacts"] == [{"input": NUMBER, "status": "valid", "wa_id": NUMBER[1:]}]
        assert answer["meta"]["version"] == "v2.45.1"
        running.send_signal(number)
        out, err = running.communicate(timeout=SECONDS)
        assert running.returncode == 0
        assert out == "", "the URL is all that is on stdout"
        assert "Traceback" not in err


def test_without_a_token_it_makes_one_up_and_says_it() -> None:
    with simulating() as (running, url):
        assert running.stderr is not None
        line = next(line for line in running.stderr if line.startswith("Its token: "))
        token = line.removeprefix("Its token: ").strip()
        assert len(token) >= 16
        assert ask(url, token).json()["contacts"][0]["status"] == "processing"


def test_what_a_client_asks_is_in_the_record(watui: Watui, tmp_path: Path) -> None:
    """A list checked through the command line, counted by the server that it asked."""
    record = tmp_path / "record.jsonl"
    with simulating("--token", TOKEN, "--latency", "none", "--record", str(record)) as (_, url):
        ended = watui("check", "--number", NUMBER, "--number", "1 631 555-1000", "--url", url)
        assert ended.code == Exit.DONE
    (line,) = map(json.loads, record.read_text().splitlines())
    assert line["request"]["contacts"] == [NUMBER], "two spellings of one number are one question"
    assert line["response"]["contacts"][0]["status"] == "valid"
    assert TOKEN not in record.read_text()


def test_a_rate_limit_is_kept_to(watui: Watui) -> None:
    client = httpx.Client(trust_env=False, headers={"Authorization": "Bearer t0k"})
    with client, simulating("--token", "t0k", "--latency", "none", "--rate-limit") as (_, url):
        statuses = {client.get(f"{url}/v1/health").status_code for _ in range(200)}
    assert statuses == {200, 429}


def test_a_port_in_use_is_named(watui: Watui) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = watui("simulate", "--port", str(port))
    assert_one_sentence(ended, Exit.USAGE)
    assert str(port) in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--latency", "fast"],
        ["--latency", "4,1.5"],
        ["--latency", "0,1"],
        ["--latency", "1"],
        ["--latency", "1,inf"],
        ["--latency", "nan,nan"],
        ["--latency", ""],
        ["--region", "XX"],
        ["--server-version", "latest"],
        ["--token", "two words"],
        ["--port", "65536"],
        ["--port", "-1"],
        ["--seed", "x"],
        ["--host", "203.0.113.7"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_simulated_is_a_usage_error(watui: Watui, arguments: list[str]) -> None:
    assert_one_sentence(watui("simulate", "--port", "0", *arguments), Exit.USAGE)


def test_a_list_of_scenarios_and_faults_is_printed(watui: Watui) -> None:
    ended = watui("simulate", "--list")
    assert ended.code == Exit.DONE
    for name in ("calm:", "stuck:", "reset-after-work", "reordered", "--fault reset:"):
        assert name in ended.out


def test_a_scenario_and_a_fault_are_played(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('title = "t"\nabout = "a"\n[start]\nversion = "v2.35.4"\nmeta = true\n')
    fault = "queue-full:path=/v1/health,retry_after=7"
    with simulating("--token", "t", "--scenario", str(own), "--fault", fault) as (_, url):
        assert ask(url, "t").json()["meta"]["version"] == "v2.35.4"
        full = httpx.get(f"{url}/v1/health", trust_env=False)
        assert (full.status_code, full.headers["retry-after"]) == (503, "7")


def test_time_can_go_faster() -> None:
    with simulating("--token", "t", "--latency", "600,900", "--time-scale", "100000") as (_, url):
        body = {"contacts": [NUMBER], "blocking": "wait"}
        headers = {"Authorization": "Bearer t"}
        answer = httpx.post(f"{url}/v1/contacts", json=body, headers=headers, trust_env=False, timeout=10)
        assert answer.json()["contacts"][0]["status"] == "valid"


def test_its_world_is_kept_in_a_file(tmp_path: Path, watui: Watui) -> None:
    state = str(tmp_path / "world.jsonl")
    arguments = ("--token", "t", "--latency", "none", "--state", state)
    for asked in (0, 1):
        with simulating(*arguments, "--control", "--seed", "3") as (running, url):
            headers = {"Authorization": "Bearer t"}
            assert httpx.get(f"{url}/_simulator/state", headers=headers, trust_env=False).json()["numbers"] == asked
            assert ask(url, "t").status_code == 200
            running.terminate()
            running.wait(SECONDS)
    ended = watui("simulate", "--port", "0", *arguments, "--seed", "4")
    assert_one_sentence(ended, Exit.USAGE)
    assert "has seed 3" in ended.err


def test_tls_is_trusted_through_its_own_authority() -> None:
    with simulating("--token", "t", "--latency", "none", "--tls") as (_, url):
        assert url.startswith("https://")
        host, port = "127.0.0.1", int(url.rpartition(":")[2])
        unverified = ssl.create_default_context()
        unverified.check_hostname = False
        unverified.verify_mode = ssl.CERT_NONE
        ca = httpx.get(f"{url}/v1/certificates/external/ca", verify=unverified, trust_env=False).text
        trusted = ssl.create_default_context(cadata=ca)
        answer = httpx.get(
            f"https://{host}:{port}/v1/health", headers={"Authorization": "Bearer t"}, verify=trusted, trust_env=False
        )
        assert answer.status_code == 200
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/v1/health", trust_env=False)


def test_a_line_is_printed_for_every_request_where_it_is_asked_for() -> None:
    for arguments, is_told in (((), False), (("--verbose",), True)):
        with simulating("--token", "t", *arguments) as (running, url):
            ask(url, "t")
            running.terminate()
            _, err = running.communicate(timeout=SECONDS)
        assert ("POST /v1/contacts → 200" in err) is is_told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--control", "--host", "0.0.0.0"), "for loopback only"),
        (("--fault", "explosion"), "no such fault"),
        (("--fault", "reset:share=2"), "share is above 0"),
        (("--fault", "reset:often"), "'often' is not NAME=VALUE"),
        (("--scenario", "storm"), "there is no scenario 'storm'"),
        (("--scenario", "/nowhere/x.toml"), "cannot read /nowhere/x.toml"),
        (("--state", "/proc/nowhere/world"), "cannot use /proc/nowhere/world"),
        (("--latency", "5"), "neither none nor two numbers"),
        (("--engaged", "2"), "engaged is a share"),
        (("--record", "/nowhere/record"), "cannot write /nowhere/record"),
        (("--time-scale", "0.5"), "--time-scale"),
        (("--max-contacts", "0"), "--max-contacts"),
    ],
)
def test_options_that_cannot_be_are_refused_in_a_sentence(watui: Watui, arguments: tuple[str, ...], words: str) -> None:
    ended = watui("simulate", "--port", "0", *arguments)
    assert_one_sentence(ended, Exit.USAGE)
    assert words in ended.err
