"""What a shell is told that a word may become: from this machine alone, and never with a word too many."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from tests.cli.conftest import SECONDS, Ended, Watui, environment, process
from watui.cli import entry, order
from watui.cli.app import watui as command
from watui.ledger import schema
from watui.settings.paths import Paths
from watui.simulator.serving import ServerThread


def completed(line: str) -> list[tuple[str, str]]:
    """Return what the last word of `line`, which may be empty, may become, and what kind of word that is."""
    *words, begun = line.split(" ")
    found = ShellComplete(command, {}, "watui", "_WATUI_COMPLETE").get_completions(words, begun)
    return [(item.value, item.type) for item in found]


def words(line: str) -> list[str]:
    return [word for word, kind in completed(line) if kind == "plain"]


def asked(line: str, **env: str) -> Ended:
    """Ask as bash does, in a process of its own."""
    given = {"_WATUI_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    return process(**given, **env)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("ru", ["runs"]),
        ("runs re", ["recheck", "resume"]),
        ("check --fo", ["--follow", "--force-check", "--format"]),
        ("check --format ", ["table", "jsonl", "csv"]),
        ("runs export 1 --format w", ["wa_ids"]),
        ("runs export 1 --status p", ["processing"]),
        ("simulate --scenario rate", ["rate-limit"]),
        ("simulator scenario up", ["upgrade"]),
        ("simulator version v2.4", ["v2.41", "v2.42", "v2.43", "v2.45.1"]),
        ("check --number ", []),
    ],
)
def test_what_is_known_is_completed(line: str, found: list[str]) -> None:
    assert sorted(words(line)) == sorted(found)


@pytest.mark.parametrize(
    "line",
    ["check num", "check --output num", "block --from num", "budget import num", "profiles add lab --ca-file num"],
)
def test_files_are_left_to_the_shell(line: str) -> None:
    assert completed(line) == [("num", "file")]


def test_profiles_are_completed(watui: Watui) -> None:
    assert watui("profiles", "add", "shop", "--url", "https://wa.example.com:9090").code == 0
    assert words("block --profile ") == words("doctor --profile ") == ["simulator", "shop"]
    assert words("profiles test ") == words("login --profile ") == ["shop"]


def test_runs_are_completed_where_they_fit(watui: Watui, server: ServerThread) -> None:
    assert watui("check", "--number", "+12125552368", "--url", server.url).code == 0
    assert watui("check", "--number", "+12125552370", "--url", server.url, "--dry-run").code == 0
    assert words("runs export ") == words("runs compare 1 ") == words("runs forget 1 ") == ["2", "1"]
    assert words("runs resume ") == words("runs cancel ") == ["2"]


@pytest.mark.parametrize("line", ["watui runs resume ", "watui check --profile nob", "watui block --from "])
def test_asking_makes_nothing_and_says_nothing_else(line: str, paths: Paths) -> None:
    ended = asked(line)
    assert (ended.code, ended.err) == (0, "")
    assert not paths.data.exists()
    assert not paths.config.exists()
    assert not paths.log.exists()


def test_files_that_cannot_be_used_are_no_trouble(paths: Paths) -> None:
    for file in (paths.settings, paths.ledger):
        file.parent.mkdir(parents=True)
        file.write_text("no such thing")
    assert asked("watui check --profile ") == (0, "plain,simulator\n", "")
    assert asked("watui runs show ") == (0, "\n", "")


def test_a_ledger_of_an_older_version_is_left_as_it_is(paths: Paths) -> None:
    paths.data.mkdir(parents=True)
    with closing(sqlite3.connect(paths.ledger)) as database:
        database.executescript(f"{schema._STEPS[0]}PRAGMA user_version = 1;")
    assert words("runs show ") == []
    assert schema.version_at(paths.ledger) == 1


def test_the_script_is_printed_on_a_terminal_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(order, "can_show_console", lambda: True)
    monkeypatch.setattr(sys, "argv", ["watui"])
    monkeypatch.setenv("_WATUI_COMPLETE", "fish_source")
    with pytest.raises(SystemExit):
        entry.main()
    assert "complete" in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_completes(tmp_path: Path) -> None:
    program = tmp_path / "watui"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m watui "$@"\n')
    program.chmod(0o700)
    script = (
        'eval "$(_WATUI_COMPLETE=bash_source watui)"; complete -p watui >&2;'
        'COMP_WORDS=(watui runs re); COMP_CWORD=2; _watui_completion watui; echo "${COMPREPLY[@]}"'
    )
    env = environment()
    ended = subprocess.run(
        ["bash", "-c", script],
        env=env | {"PATH": f"{tmp_path}:{env['PATH']}"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert sorted(ended.stdout.split()) == ["recheck", "resume"]
    assert "_watui_completion" in ended.stderr
