"""Hostile text of every origin at the real program in a real terminal: none of it is in the bytes that are written."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.conftest import TOKEN
from tests.hostile import HOSTILE, PAYLOADS, Liar
from tests.pty.terminal import Terminal
from tests.tui.story import PEOPLE
from watui.simulator.serving import ServerThread

_OF_TEXTUAL = re.compile(
    r"\x1b\[[0-9;:?<>=!$]*[A-Za-z]|\x1bP[^\x1b]{0,8}\x1b\\|\x1b\]22;[a-z-]*\x07|\x1b[78=>]|[\r\n\x0e\x0f]"
)
"""What the program itself writes beside text: cursor, colours, modes, and the shape of the mouse's pointer."""

SIZE = (120, 40)

CLOSED = r"\A(?![\s\S]*[╭┏▔])"
"""Nothing with a frame is on the screen."""

PASTED = "".join(each for each in HOSTILE if each >= " " and each != "\x7f")
"""What a terminal leaves of it where it is pasted: with an ESC in it, it could say that the paste has ended."""


COMMANDS = (
    ("check", "{list}", "--url", "{url}", "--give-up-after", "1"),
    ("blocklist", "--url", "{url}"),
    ("runs", "list"),
    ("runs", "show", "1"),
)
OTHER_COMMANDS = (
    ("check", "--number", f"{PEOPLE[0]} [@click=app.quit]canary", "--url", "{url}", "--trace", "--give-up-after", "1"),
    ("check", "--number", PEOPLE[0], "--url", "{url}", "--follow", "--give-up-after", "1"),
    ("blocklist", "--url", "{url}", "--format", "jsonl"),
    ("identity", PEOPLE[0], "--url", "{url}"),
    ("block", PEOPLE[0], "--reason", "\x1b]0;canary\x07", "--url", "{url}", "--yes"),
    ("actions", "--url", "{url}"),
    ("runs", "list", "--format", "csv"),
    ("runs", "export", "1"),
)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ServerThread]:
    """A server whose every word is hostile."""
    monkeypatch.setenv("WATUI_TOKEN", TOKEN)
    with ServerThread(Liar()) as thread:
        yield thread


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A list of a hostile name, with a hostile header and hostile cells."""
    folder = tmp_path / "lists"
    folder.mkdir()
    path = folder / "\x1b]0;canary\x07\x9b7357mcanary\u202e[x][@click=app.quit].csv"
    rows = [f"{number} {text}" for number, text in zip(PEOPLE, PAYLOADS.values(), strict=False)]
    text = "\n".join(["\x1b]2;canary\x07 phone", *rows, HOSTILE, *PEOPLE[20:40]])
    path.write_text(text.replace("\0", ""))
    return path


def assert_harmless(output: bytes) -> None:
    """Assert that nothing but text and what the program itself needs was written, and that some text was hostile."""
    said = output.decode()
    assert "canary" in said or "[/" in said
    assert "\x1b[7357" not in said
    left = _OF_TEXTUAL.sub("", said)
    unclean = [each.span() for each in re.finditer(r".", left, re.DOTALL) if not each[0].isprintable()]
    assert not unclean, [left[max(0, start - 20) : end + 20] for start, end in unclean[:5]]


def test_the_console_writes_nothing_of_it(server: ServerThread, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(source.parent)
    with Terminal(["--url", server.url], SIZE) as terminal:
        terminal.until("paste")
        terminal.send(b"i")
        terminal.until("path of a")
        terminal.paste(f"no such file {PASTED}")
        terminal.send(b"\r")
        terminal.until("There is no file no such file")
        terminal.send(b"\t\x1b[B\r")
        terminal.until("Nothing has been sent yet")
        terminal.paste("\n".join(f"{number} {PASTED}" for number in PEOPLE[:3]))
        terminal.until("duplicate")
        terminal.send(b"\r")
        terminal.until("✓ valid [1-9]")
        for keys, shown in (
            (b"o", "acknowledged"),
            (b"\x1b", CLOSED),
            (b"?", "On the Check screen"),
            (b"\x1b", CLOSED),
            (b"2", "of 18 contacts"),
            (b"o", "acknowledged"),
            (b"\x1b", CLOSED),
            (b"3", "1 run"),
            (b"\x10", "Search"),
        ):
            terminal.send(keys)
            terminal.until(shown)
        terminal.paste(PASTED)
        terminal.until("canary")
        terminal.send(b"\x1b")
        terminal.until(CLOSED)
        terminal.send(b"\x11")
        terminal.until("The run stops")
        terminal.send(b"y")
        terminal.until_ended()
        assert terminal.exit_code == 0
        assert terminal.modes_left_on() == []
    assert_harmless(terminal.output)


@pytest.mark.parametrize(
    "commands",
    [COMMANDS, pytest.param((COMMANDS[0], *OTHER_COMMANDS), marks=pytest.mark.long)],
    ids=["usual", "others"],
)
def test_the_commands_write_nothing_of_it(
    commands: Sequence[Sequence[str]], server: ServerThread, source: Path
) -> None:
    for command in commands:
        given = [part.format(url=server.url, list=source) if part in ("{url}", "{list}") else part for part in command]
        with Terminal(given, (200, 60)) as terminal:
            terminal.until_ended()
            assert b"Traceback" not in terminal.output
            assert b"Usage" not in terminal.output, terminal.text()
        assert_harmless(terminal.output)
    print(f"\n{len(commands)} commands at a terminal: none of {len(PAYLOADS)} payloads in what they write")
