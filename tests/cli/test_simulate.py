"""`watui simulate` as a process: it says where it is, answers, and ends when it is told to."""

import json
import re
import signal
import socket
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
        line = running.stderr.readline()
        token = line.split("token: ")[1].strip()
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
    with simulating("--token", "t0k", "--latency", "none", "--rate-limit") as (_, url):
        statuses = {ask(url, "t0k").status_code for _ in range(200)}
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
