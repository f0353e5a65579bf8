"""`watui` by itself: what it loads, what it says without a terminal, and how it ends."""

import os
import subprocess
import sys

import pytest

from tests.cli.conftest import SECONDS, Watui, assert_one_sentence, environment, process
from watui import __version__
from watui.cli import asking
from watui.cli.exits import Exit
from watui.simulator.serving import ServerThread

HEAVY_MODULES = ("textual", "watui.tui.app")
SERVER_MODULES = ("httpx", "uvicorn", "starlette", "phonenumbers")


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--version"], (*HEAVY_MODULES, *SERVER_MODULES, "click", "sqlite3")),
        (["--help"], (*HEAVY_MODULES, *SERVER_MODULES)),
        (["check", "--number", "+12125552368"], HEAVY_MODULES),
        (["check", "missing.txt"], (*HEAVY_MODULES, "httpx", "uvicorn")),
    ],
)
def test_a_fresh_process_loads_nothing_that_it_does_not_need(arguments: list[str], unwanted: tuple[str, ...]) -> None:
    program = (
        "import sys, runpy, atexit\n"
        f"atexit.register(lambda: print('loaded:', *[name for name in {unwanted!r} if name in sys.modules]))\n"
        "runpy.run_module('watui', run_name='__main__')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ended.stdout.splitlines()[-1] == "loaded:"


def test_version_is_said_on_stdout() -> None:
    assert process("--version") == (0, f"watui {__version__}\n", "")


def test_version_and_help_are_said_by_every_spelling(watui: Watui) -> None:
    assert watui("--version", "--help")[0] == 0
    for arguments in (["--help"], ["-h"], ["check", "--help"], ["simulate", "-h"]):
        ended = watui(*arguments)
        assert (ended.code, ended.err) == (0, "")
        assert "Usage: watui" in ended.out


def test_without_a_terminal_the_sample_is_checked_headless() -> None:
    ended = process()
    assert ended.code == Exit.DONE, ended.err
    assert "needs a terminal" in ended.err.splitlines()[0]
    assert "simulator" in ended.err
    lines = ended.out.splitlines()
    assert len(lines) > 150
    assert all('"source":"sample"' in line for line in lines)
    assert '"status":"processing"' not in ended.out


def test_the_headless_sample_ends_with_the_code_of_the_check(watui: Watui, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "UNATTENDED_SECONDS", 0.01)
    ended = watui()
    assert '"status":"processing"' in ended.out or '"status":"queued"' in ended.out
    assert ended.code == Exit.UNFINISHED


def test_numbers_fed_into_the_console_are_pointed_to_check() -> None:
    ended = process(given="+12125552368\n")
    assert_one_sentence(ended, Exit.USAGE)
    assert "watui check -" in ended.err


@pytest.mark.parametrize("closed", ["<&-", "</dev/null >&-", "</dev/null 2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("arguments", ["--url http://127.0.0.1:1", "check --number +12125552368 --dry-run"])
def test_closed_standard_streams_are_no_crash(arguments: str, closed: str) -> None:
    # As under some service managers: the interpreter then has None for that stream.
    command = f'"$0" -m watui {arguments} {closed}'
    ended = subprocess.run(
        ["/bin/sh", "-c", command, sys.executable],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert "Traceback" not in ended.stderr
    assert ended.returncode == (Exit.DONE if "dry-run" in arguments else Exit.USAGE)


def test_sample_numbers_never_reach_a_real_server(watui: Watui, server: ServerThread) -> None:
    ended = watui("--url", server.url)
    assert_one_sentence(ended, Exit.USAGE)
    assert "watui check FILE --url URL" in ended.err


@pytest.mark.parametrize(
    "arguments", [["--url", "http://127.0.0.1:1", "check", "--sample"], ["chekc"], ["--colour"], ["check", "--colour"]]
)
def test_a_command_line_that_is_not_understood_is_a_usage_error(watui: Watui, arguments: list[str]) -> None:
    assert_one_sentence(watui(*arguments), Exit.USAGE)


@pytest.mark.parametrize("content", ['region = "XX"', "batch_size = 0", "colour = 1", "region =", 'region = "US'])
def test_settings_that_cannot_be_used_are_named(watui: Watui, content: str) -> None:
    folder = os.path.join(os.environ["WATUI_HOME"], "config")
    os.makedirs(folder)
    with open(os.path.join(folder, "settings.toml"), "w") as file:
        file.write(content)
    assert_one_sentence(watui("check", "--number", "+12125552368"), Exit.USAGE)


def test_a_home_that_is_a_file_is_named(watui: Watui) -> None:
    home = os.environ["WATUI_HOME"]
    os.makedirs(os.path.dirname(home), exist_ok=True)
    with open(home, "w") as file:
        file.write("")
    ended = watui("check", "--number", "+12125552368")
    assert_one_sentence(ended, Exit.USAGE)
    assert home in ended.err


@pytest.mark.parametrize("arguments", [["--help"], ["runs", "list", "--format", "csv"], ["check", "--number", "12"]])
def test_an_output_that_is_full_is_no_mistake_of_ours(arguments: list[str]) -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "watui", *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.returncode == Exit.UNFINISHED
    assert "No space left on device" in ended.stderr
    assert "Exception" not in ended.stderr
    assert "mistake" not in ended.stderr
