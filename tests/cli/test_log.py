"""What commands leave in the log, and what they never do."""

import os
import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import SECONDS, RecordingWorld, Watui, start
from tests.conftest import TOKEN
from watui.cli.app import name_of
from watui.cli.exits import Exit
from watui.log import log_files
from watui.settings.paths import Paths
from watui.simulator import population
from watui.simulator.conditions import Changes
from watui.simulator.faults import Fault, Kind
from watui.simulator.serving import ServerThread

NUMBER = next(
    number
    for line in range(10_000)
    if population.has_account(0, number := f"+1212555{line:04d}") and population.is_engaged(0, number)
)
"""A number that can be blocked."""

GIVEN = f"{NUMBER[:2]} ({NUMBER[2:5]}) {NUMBER[5:8]}-{NUMBER[8:]}"
"""The same, as a person writes it."""

PASSWORD = "C4nary-Password"


def words_of(paths: Paths) -> list[str]:
    """Return what is in the log, without when and by whom it was written."""
    lines = "".join(file.read_text("utf-8") for file in log_files(paths.event_log)).splitlines()
    return [line.split(" ", 3)[3] for line in lines]


def canaries_in(folder: Path) -> list[str]:
    """Return which of the numbers and secrets of these tests are in the files of a folder."""
    text = "".join(file.read_text("utf-8", "replace") for file in folder.rglob("*") if file.is_file())
    assert text
    return [
        canary for canary in (NUMBER[1:], NUMBER[2:], GIVEN, GIVEN[3:], TOKEN, PASSWORD, "canary") if canary in text
    ]


@pytest.fixture
def lab(paths: Paths, server: ServerThread) -> str:
    """A profile for the server of the tests, in use."""
    paths.config.mkdir(parents=True)
    paths.settings.write_text(f'profile = "lab"\n[profiles.lab]\nurl = "{server.url}"\n', "utf-8")
    return server.url


@pytest.mark.usefixtures("lab")
def test_a_check_tells_what_it_did(watui: Watui, paths: Paths) -> None:
    assert watui("check", "--number", GIVEN).code == Exit.DONE
    words = words_of(paths)
    assert words[0].startswith("watui check begins, version ")
    assert words[1:3] == ["profile lab is used", "run 1 begins: 1 of 1 numbers are open"]
    assert words[3].startswith("POST /v1/contacts: HTTP 200, ")
    assert words[4:] == ["run 1 is done after 1 requests", f"watui check ends with exit code {Exit.DONE:d}"]
    assert canaries_in(paths.log) == []


@pytest.mark.usefixtures("lab")
def test_a_block_names_nobody(watui: Watui, paths: Paths) -> None:
    assert watui("block", GIVEN, "--yes", "--reason", "canary").code == Exit.DONE
    assert any(words.startswith("POST /v1/contacts/{contact}/block: HTTP 200, ") for words in words_of(paths))
    assert canaries_in(paths.log) == []


@pytest.mark.usefixtures("lab", "impatient")
@pytest.mark.parametrize(
    ("fault", "outcome"),
    [(Kind.DENIED, "HTTP 401"), (Kind.RESET, "Unreachable"), (Kind.MALFORMED, "HTTP 200")],
)
def test_a_failing_server_is_told_by_the_kind_of_the_failure(
    watui: Watui, paths: Paths, world: RecordingWorld, fault: Kind, outcome: str
) -> None:
    world.change(Changes(faults=(Fault(fault),)), time.time())
    ended = watui("check", "--number", GIVEN)
    assert ended.code in (Exit.UNREACHABLE, Exit.REFUSED), ended.err
    words = words_of(paths)
    assert any(each.startswith(f"POST /v1/contacts: {outcome}, ") for each in words)
    assert any(each.startswith("run 1 is stopped: ") for each in words)
    assert any(each.startswith("run 1 is left unfinished") for each in words)
    assert words[-1] == f"watui check ends with exit code {ended.code}"
    assert canaries_in(paths.log) == []


@pytest.mark.usefixtures("lab")
def test_with_log_numbers_there_are_numbers_and_no_secrets(
    watui: Watui, paths: Paths, server: ServerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        login = client.post("/v1/users/login", auth=("admin", "secret"), json={"new_password": PASSWORD})
    token = login.raise_for_status().json()["users"][0]["token"]
    with paths.settings.open("a") as file:
        file.write('user = "admin"\n')
    monkeypatch.setenv("WATUI_LOG_NUMBERS", "true")
    monkeypatch.setenv("WATUI_PASSWORD", PASSWORD)
    assert watui("block", GIVEN, "--yes", "--profile", "lab").code == Exit.DONE
    monkeypatch.setenv("WATUI_TOKEN", "")
    assert watui("check", "--number", GIVEN).code == Exit.DONE
    text = "\n".join(words_of(paths))
    assert f'"input":"{GIVEN}"' in text
    assert f"%2B{NUMBER[1:]}/block" in text
    assert "/v1/users/login: HTTP 200" in text
    assert canaries_in(paths.log) == [NUMBER[1:], NUMBER[2:], GIVEN, GIVEN[3:]]
    assert token not in text
    assert '"token":"***"' in text


@pytest.mark.usefixtures("lab")
def test_a_crash_is_told_by_its_kind(watui: Watui, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object, **__: object) -> None:
        raise ValueError(f"canary {GIVEN} {TOKEN}")

    monkeypatch.setattr("watui.cli.check.ask", crash)
    assert watui("check", "--number", GIVEN).code == Exit.BUG
    assert words_of(paths)[1:] == ["a mistake in watui itself (ValueError)", "watui check ends with exit code 70"]
    assert paths.crash_log.is_file()
    assert canaries_in(paths.log) == []


@pytest.mark.usefixtures("lab")
def test_the_libraries_below_are_silent(watui: Watui, paths: Paths, caplog: pytest.LogCaptureFixture) -> None:
    """They would tell whole URLs; caplog listens at the root to everything, as a debugging program does."""
    with caplog.at_level(0):
        assert watui("block", GIVEN, "--yes").code == Exit.DONE
    assert [record.name for record in caplog.records if record.name.startswith(("httpx", "httpcore"))] == []
    assert "HTTP Request" not in "".join(words_of(paths))


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["--version", "-h"]])
def test_a_question_for_help_leaves_no_trace(watui: Watui, home: Path, arguments: list[str]) -> None:
    watui(*arguments)
    assert not home.exists()


@pytest.mark.usefixtures("lab")
def test_a_log_that_cannot_be_written_disturbs_nobody(watui: Watui, paths: Paths) -> None:
    paths.log.touch()
    ended = watui("check", "--number", GIVEN)
    assert ended.code == Exit.DONE
    assert os.fspath(paths.log) not in ended.err


@pytest.mark.usefixtures("lab")
def test_a_command_that_a_signal_ends_says_so(watui: Watui, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    def end(*_: object, **__: object) -> None:
        raise SystemExit(143)

    monkeypatch.setattr("watui.cli.check.ask", end)
    with pytest.raises(SystemExit):
        watui("check", "--number", GIVEN)
    _, last = words_of(paths)
    assert last == "watui check ends by a signal"


def test_a_server_tells_where_it_listens(paths: Paths) -> None:
    with start("simulate", "--port", "0") as running:
        assert running.stdout is not None
        url = running.stdout.readline().strip()
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=SECONDS)
    begins, listens, ends = words_of(paths)
    assert begins.startswith("watui simulate begins, ")
    assert listens == f"the simulator listens at {url}"
    assert ends.startswith("watui simulate ends ")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ([], "watui"),
        (["runs", "forget", "7"], "watui runs forget"),
        (["check", "runs"], "watui check"),
        (["+16315551000"], "watui"),
        (["runs", "--format", "csv"], "watui runs"),
    ],
)
def test_a_command_is_told_without_what_was_given_to_it(arguments: list[str], name: str) -> None:
    assert name_of(arguments) == name
