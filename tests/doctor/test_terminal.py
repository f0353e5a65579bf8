"""What is said of a terminal, by what the environment says of it."""

import os
import subprocess
import sys
from io import StringIO
from types import SimpleNamespace

import pytest

from watui.doctor import terminal
from watui.findings import Finding, Level
from watui.settings.paths import Paths


class _Tty(StringIO):
    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return -1

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"


def pretend(monkeypatch: pytest.MonkeyPatch, kind: type[StringIO]) -> None:
    """Let both ends be of that kind, for the rest of a test: pytest sets its own between a fixture and a test."""
    monkeypatch.setattr(sys, "stdin", kind())
    monkeypatch.setattr(sys, "stdout", kind())


def test_without_a_terminal_nothing_is_asked_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, StringIO)
    (first, _) = terminal.streams({"TERM": "xterm"})
    assert first.level is Level.NOTE
    assert "standard input and standard output are no terminal" in first.words
    assert list(terminal.size()) == list(terminal.clipboard({})) == []
    assert [finding.level for finding in terminal.width()] == [Level.OK]


@pytest.mark.parametrize(("kind", "level"), [("xterm", Level.OK), ("dumb", Level.NOTE), ("", Level.NOTE)])
def test_the_kind_of_terminal_is_told(monkeypatch: pytest.MonkeyPatch, kind: str, level: Level) -> None:
    pretend(monkeypatch, _Tty)
    first, second = terminal.streams({"TERM": kind} if kind else {})
    assert (first.level, second.level) == (Level.OK, level)


@pytest.mark.parametrize(
    ("columns", "lines", "level"), [(80, 24, Level.OK), (79, 24, Level.NOTE), (80, 23, Level.NOTE), (0, 0, Level.NOTE)]
)
def test_a_small_terminal_is_worth_a_word(
    monkeypatch: pytest.MonkeyPatch, columns: int, lines: int, level: Level
) -> None:
    pretend(monkeypatch, _Tty)
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((columns, lines)))
    assert [finding.level for finding in terminal.size()] == [level]


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"NO_COLOR": "1", "COLORTERM": "truecolor"}, "none"),
        ({"COLORTERM": "truecolor"}, "all"),
        ({"TERM": "xterm-256color"}, "256"),
        ({"TERM": "vt100"}, "16"),
    ],
)
def test_colours_are_counted_by_the_environment(environment: dict[str, str], words: str) -> None:
    (finding,) = terminal.colours(environment)
    assert finding.words.startswith(words)


SSH = {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"}


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "auto, and this is not a session over SSH: the console paints as usual"),
        (SSH, "auto, and this is a session over SSH: the console paints less often"),
        ({"SSH_TTY": "/dev/pts/1"}, "auto, and this is a session over SSH: the console paints less often"),
        ({**SSH, "WATUI_LOW_BANDWIDTH": "off"}, "off: the console paints as usual"),
        ({"WATUI_LOW_BANDWIDTH": "on"}, "on: the console paints less often"),
        ({"WATUI_LOW_BANDWIDTH": "maybe"}, "auto, and this is not a session over SSH: the console paints as usual"),
    ],
)
def test_it_is_told_whether_the_line_is_taken_for_a_slow_one(
    paths: Paths, environment: dict[str, str], words: str
) -> None:
    (finding,) = terminal.bandwidth(paths, environment)
    assert (finding.level, finding.words) == (Level.OK, words)


@pytest.mark.parametrize(("name", "level"), [("utf-8", Level.OK), ("UTF8", Level.OK), ("ascii", Level.NOTE)])
def test_an_encoding_that_cannot_write_all_is_worth_a_word(
    monkeypatch: pytest.MonkeyPatch, name: str, level: Level
) -> None:
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(encoding=name))
    assert [finding.level for finding in terminal.encoding()] == [level]


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "a terminal without a name: whether"),
        ({"TERM_PROGRAM": "WezTerm", "SSH_CONNECTION": "1 2 3 4"}, "WezTerm, over ssh: whether"),
        ({"TERM_PROGRAM": "Apple_Terminal"}, "Apple_Terminal: Apple's Terminal does not"),
    ],
)
def test_the_clipboard_is_told_honestly(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], words: str
) -> None:
    pretend(monkeypatch, _Tty)
    (finding,) = terminal.clipboard(environment)
    assert finding.words.startswith(words)
    assert finding.level is Level.NOTE


@pytest.mark.parametrize(
    ("options", "level"),
    [
        ({"-V": "tmux 3.3a", "set-clipboard": "off"}, Level.OK),
        ({"-V": "tmux 3.1c", "set-clipboard": "external"}, Level.NOTE),
        ({"set-clipboard": "on"}, Level.OK),
        ({"set-clipboard": "external"}, Level.NOTE),
        ({}, Level.NOTE),
    ],
)
def test_tmux_comes_with_the_line_that_lets_it_copy(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, str], level: Level
) -> None:
    pretend(monkeypatch, _Tty)

    def shown(command: list[str], **_: object) -> "subprocess.CompletedProcess[str]":
        if command[-1] not in options:
            raise subprocess.CalledProcessError(1, command)
        return subprocess.CompletedProcess(command, 0, f"{options[command[-1]]}\n")

    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    monkeypatch.setattr("subprocess.run", shown)
    *_, finding = terminal.clipboard({"TMUX": "/tmp/tmux-0/default,1,0"})
    assert (finding.subject, finding.level) == ("tmux", level)
    assert (finding.next_step is not None) == (level is Level.NOTE)
    if options and level is Level.NOTE:
        assert "set -s set-clipboard on" in str(finding.next_step)


def test_a_terminal_that_cannot_be_asked_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, _Tty)
    assert [finding.level for finding in terminal.width()] == [Level.NOTE]


def test_every_note_says_what_to_do() -> None:
    looks = (terminal.streams, terminal.size, terminal.colours, terminal.encoding, terminal.width, terminal.clipboard)
    found: list[Finding] = [finding for look in looks for finding in look()]
    assert found
    assert all(finding.next_step for finding in found if finding.level is not Level.OK)
