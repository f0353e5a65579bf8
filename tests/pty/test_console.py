"""The console in a real terminal, on the embedded simulator: what is painted, and what is left behind."""

import base64
import re
import signal

import pytest

from tests.pty.terminal import Terminal
from watui.ledger.reader import Reader
from watui.settings.paths import Paths

NUMBERS = [f"+1 212 555 {number:04d}" for number in range(200)]


def test_200_pasted_lines_resolve_without_a_key_and_survive_a_resize(paths: Paths) -> None:
    with Terminal(size=(120, 40)) as terminal:
        terminal.until("SIMULATOR")
        terminal.until("paste")
        terminal.paste("\n".join(NUMBERS))
        terminal.until("200 distinct numbers")
        assert "Nothing has been sent yet" in terminal.text()
        terminal.send(b"\r")
        terminal.until("processing [1-9]")
        terminal.resize((80, 24))
        terminal.until(r"100%  200 of 200 numbers\s+done")
        assert all(line == line.rstrip() or len(line) <= 80 for line in terminal.text().splitlines())
        shown = [line for line in terminal.text().splitlines() if "+1 212" in line]
        assert len(shown) >= 10
        assert all("✓ valid" in line or "✗ invalid" in line for line in shown[:-1])
        terminal.until_quiet()
        assert terminal.bytes_in(1.5) == 0, "an idle console paints nothing"
    reader = Reader(paths.ledger)
    rows = list(reader.rows(1))
    reader.close()
    assert [row.input for row in rows] == NUMBERS
    assert {row.status for row in rows} == {"valid", "invalid"}


@pytest.mark.parametrize("end", ["q", "ctrl+q", "SIGTERM", "SIGHUP"])
def test_the_terminal_is_left_as_it_was(end: str) -> None:
    with Terminal() as terminal:
        terminal.until("paste")
        if end.startswith("SIG"):
            terminal.signal(getattr(signal, end))
        else:
            terminal.send(b"q" if end == "q" else b"\x11")
        assert terminal.until_ended() < 5
        assert terminal.exit_code == (128 + getattr(signal, end) if end.startswith("SIG") else 0)
        assert terminal.modes_left_on() == []
        assert b"Traceback" not in terminal.output


CRASHING = """
import sys
from watui.cli import entry
from watui.tui.screens.check import CheckScreen
from textual import work

def fail(secret):
    raise ValueError(secret)

def action_sample(self):
    token = "+16315551000 canary-token"
    fail(token)

async def failing(self):
    token = "+16315551000 canary-token"
    fail(token)

if {in_worker}:
    action_sample = work(failing)
CheckScreen.action_sample = action_sample
sys.argv[1:] = []
entry.main()
"""


@pytest.mark.parametrize("in_worker", [False, True], ids=["in the UI", "in a worker"])
def test_a_crash_leaves_the_terminal_as_it_was_and_tells_no_data(in_worker: bool, paths: Paths) -> None:
    with Terminal(program=("-c", CRASHING.format(in_worker=in_worker))) as terminal:
        terminal.until("paste")
        terminal.send(b"s")
        terminal.until_ended()
        assert terminal.exit_code == 70
        assert terminal.modes_left_on() == []
        assert b"watui stopped because of a mistake in itself (ValueError)" in terminal.output
        said = terminal.output + paths.crash_log.read_bytes()
        assert b"canary-token" not in said
        assert b"6315551000" not in said
        assert b"in fail" in paths.crash_log.read_bytes()


@pytest.mark.parametrize(
    ("size", "environment"),
    [((80, 24), {"LC_ALL": "C", "LANG": "C"}), ((30, 8), {}), ((10, 3), {}), ((80, 24), {"NO_COLOR": "1"})],
    ids=["LANG=C", "30x8", "10x3", "NO_COLOR"],
)
def test_poor_terminals_get_a_working_screen(size: tuple[int, int], environment: dict[str, str]) -> None:
    with Terminal(size=size, environment=environment) as terminal:
        terminal.until("help|quit|sample|wa")
        terminal.send(b"s")
        terminal.until("187|SIM")
        terminal.resize((80, 24))
        terminal.until("187 distinct numbers")
        terminal.send(b"q")
        terminal.until("Leave this list")
        terminal.send(b"y")
        terminal.until_ended()
        assert terminal.exit_code == 0


def test_a_dumb_terminal_gets_a_sentence_and_the_sample() -> None:
    with Terminal(environment={"TERM": "dumb"}, size=(120, 300)) as terminal:
        terminal.until_ended()
        assert terminal.exit_code == 0
        assert b"cannot show the console" in terminal.output
        assert b"\x1b[?1049h" not in terminal.output


@pytest.mark.parametrize("content", ["colour = 1", "schema = 99\n[simulator]\nseed = 1", 'region = "US'])
def test_settings_that_cannot_be_used_are_kept_aside_and_the_console_opens(paths: Paths, content: str) -> None:
    paths.config.mkdir(parents=True)
    paths.settings.write_text(content)
    with Terminal() as terminal:
        terminal.until("settings.toml.bad")
        terminal.until("import a file")
        terminal.send(b"q")
        terminal.until_ended()
        assert terminal.exit_code == 0
    assert [path.read_text() for path in paths.config.iterdir()] == [content]


@pytest.mark.parametrize("arguments", [["--profile", "shop"], ["--url", "http://127.0.0.1:1"]])
def test_settings_that_cannot_be_used_are_refused_where_a_server_is_meant(paths: Paths, arguments: list[str]) -> None:
    paths.config.mkdir(parents=True)
    paths.settings.write_text("read_onyl = true")
    with Terminal(arguments, size=(200, 24)) as terminal:
        terminal.until_ended()
        assert terminal.exit_code == 2
        assert "read_onyl" in terminal.text()
    assert paths.settings.exists()


def test_settings_stay_in_place_where_a_variable_means_another_server(paths: Paths) -> None:
    paths.config.mkdir(parents=True)
    paths.settings.write_text("read_onyl = true")
    with Terminal(size=(200, 24), environment={"WATUI_PROFILE": "shop"}) as terminal:
        terminal.until_ended()
        assert terminal.exit_code == 2
        assert "read_onyl" in terminal.text()
    assert paths.settings.exists()


def test_an_exchange_is_read_and_copied_by_keys_alone() -> None:
    with Terminal(size=(80, 24)) as terminal:
        terminal.until("paste")
        terminal.paste(NUMBERS[0])
        terminal.until("1 distinct number")
        terminal.send(b"\r")
        terminal.until("done")
        terminal.send(b"5")
        terminal.until("first question")
        terminal.until("follows what comes")
        terminal.until_quiet()
        assert terminal.bytes_in(1.5) == 0, "nothing is painted while nothing is said"
        terminal.send(b"\r")
        terminal.until(r"> Authorization: Bearer \*\*\*")
        terminal.send(b"\x1b")
        terminal.until_quiet()
        terminal.send(b"c")
        terminal.until("A command for curl")
        copied = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]+)", terminal.output)
        assert b'"Authorization: Bearer $WATUI_TOKEN"' in base64.b64decode(copied[-1])
