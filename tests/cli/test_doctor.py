"""`watui doctor`: lines for people, one object for programs, an exit code, and nothing changed."""

import io
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import SECONDS, Watui, assert_one_sentence, environment, process, start
from tests.conftest import TOKEN
from watui.cli import doctor
from watui.cli.exits import Exit
from watui.doctor import versions
from watui.findings import Finding, Level
from watui.settings.paths import Paths
from watui.simulator.serving import ServerThread


@pytest.fixture
def lab(paths: Paths, server: ServerThread) -> Path:
    """Settings with a profile for the server of the tests."""
    paths.config.mkdir(parents=True)
    paths.settings.write_text(f'[profiles.lab]\nurl = "{server.url}"\n', "utf-8")
    return paths.settings


@pytest.fixture
def refusing() -> Iterator[str]:
    """The URL of a port at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def files_of(home: Path) -> dict[str, tuple[int, int]]:
    return {str(file): (file.stat().st_mode, file.stat().st_mtime_ns) for file in home.rglob("*")}


def test_an_empty_home_has_no_trouble_and_stays_empty(watui: Watui, home: Path) -> None:
    ended = watui("doctor")
    assert ended.code == Exit.DONE, ended.out
    for heading in ("versions", "paths", "terminal", "secrets", "profile simulator"):
        assert f"\n{heading}\n" in f"\n{ended.out}"
    assert "the embedded simulator" in ended.out
    assert ended.err.startswith("No trouble, ")
    assert not home.exists()


def test_a_server_is_looked_at_and_no_secret_is_shown(watui: Watui, lab: Path, home: Path) -> None:
    before = files_of(home)
    ended = watui("doctor", "--profile", "lab")
    assert ended.code == Exit.DONE, ended.out
    assert "profile lab\n" in ended.out
    assert "valid: " in ended.out
    assert "token in the variable WATUI_TOKEN" in ended.out
    assert TOKEN not in ended.out + ended.err
    assert files_of(home) == before
    assert lab.is_file()


def test_trouble_has_a_mark_a_next_step_and_an_exit_code(watui: Watui, paths: Paths, refusing: str) -> None:
    paths.config.mkdir(parents=True)
    paths.settings.write_text(f'profile = "gone"\n[profiles.gone]\nurl = "{refusing}"\n', "utf-8")
    ended = watui("doctor")
    assert ended.code == Exit.UNFINISHED
    lines = ended.out.splitlines()
    (place,) = (place for place, line in enumerate(lines) if line.startswith("  ✗ "))
    assert "connection refused" in lines[place]
    assert lines[place + 1].strip().startswith("→ ")
    assert ended.err.startswith("1 trouble, ")


def test_json_holds_the_same(watui: Watui, lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATUI_PROFILE", "lab")
    ended = watui("doctor", "--json", "--all")
    assert (ended.code, ended.err) == (Exit.DONE, "")
    report = json.loads(ended.out)
    assert set(report) == {"findings", "troubles", "notes", "version"}
    assert set(report["findings"][0]) == {"group", "subject", "level", "words", "next_step"}
    assert report["troubles"] == 0
    assert report["notes"] == sum(finding["level"] == "note" for finding in report["findings"])
    assert report["findings"][-1]["group"] == "profile lab"
    assert lab.is_file()


@pytest.mark.parametrize("arguments", [("--profile", "nobody"), ("--profile", "lab", "--all")])
@pytest.mark.usefixtures("lab")
def test_what_cannot_be_meant_is_said(watui: Watui, arguments: tuple[str, ...]) -> None:
    assert_one_sentence(watui("doctor", *arguments), Exit.USAGE)


def test_foreign_text_is_made_harmless(watui: Watui, paths: Paths) -> None:
    paths.config.mkdir(parents=True)
    paths.settings.write_text('[profiles."\\u001b[31m"]\nurl = "ftp://x"\n', "utf-8")
    ended = watui("doctor", "--all")
    assert "\x1b" not in ended.out
    assert "profile ␛[31m" in ended.out


def test_without_utf_8_there_are_marks_of_ascii(paths: Paths) -> None:
    paths.config.mkdir(parents=True)
    paths.settings.write_text('[profiles."büro"]\nurl = "ftp://x"\n', "utf-8")
    ended = process("doctor", "--all", PYTHONIOENCODING="ascii:strict")
    assert ended.code == Exit.UNFINISHED, ended.err
    assert ended.out.isascii()
    assert "\nprofile b?ro\n  x profile " in ended.out
    assert "\n                     -> " in ended.out
    in_json = process("doctor", "--all", "--json", PYTHONIOENCODING="ascii:strict", PYTHONUTF8="1")
    assert any(finding["group"] == "profile büro" for finding in json.loads(in_json.out)["findings"])


def test_lines_are_wrapped_to_a_terminal(watui: Watui, monkeypatch: pytest.MonkeyPatch) -> None:
    class Tty(io.StringIO):
        encoding = "utf-8"

        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(versions, "look", lambda: [Finding("subject", Level.NOTE, "word " * 40, "step " * 40)])
    monkeypatch.setenv("COLUMNS", "50")
    monkeypatch.setattr(doctor, "sys", type("Streams", (), {"stdout": Tty()}))
    lines = watui("doctor").out.splitlines()
    block = lines[1 : lines.index("")]
    assert max(map(len, block)) <= 50
    assert block[0].startswith("  • subject          word word")
    assert block[1].startswith(" " * 21 + "word")
    assert any(line.startswith(" " * 21 + "→ step") for line in block)


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_a_reader_that_goes_away_is_no_mistake(arguments: list[str]) -> None:
    with start("doctor", *arguments) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == ""
        assert running.wait(SECONDS) == Exit.UNHEARD


def test_textual_is_not_loaded() -> None:
    program = (
        "import sys, runpy, atexit\n"
        "atexit.register(lambda: print('loaded:', 'textual' in sys.modules, 'httpx' in sys.modules))\n"
        "runpy.run_module('watui', run_name='__main__')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, "doctor"],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ended.stdout.splitlines()[-1] == "loaded: False True", "what looks at servers is loaded, and no console"
