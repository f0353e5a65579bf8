"""What is loaded before the first screen, and for the shortest commands: nothing that only a first question needs."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.pty.terminal import Terminal

HEAVY = {"httpx", "phonenumbers", "starlette", "uvicorn", "tomlkit", "keyring", "charset_normalizer", "wcwidth", "csv"}

LATER = {
    "click",
    "email.utils",
    "getpass",
    "hashlib",
    "secrets",
    "tomllib",
    "watui.actions.words",
    "watui.checks.run",
    "watui.checks.scheduler",
    "watui.export.formats",
    "watui.intake.records",
    "watui.ledger.upkeep",
    "watui.tui.changes",
    "watui.tui.screens.dialogs",
    "watui.tui.screens.settings",
}

COMMAND = """
import atexit, sys
from pathlib import Path
loaded = Path(sys.argv.pop())
atexit.register(lambda: loaded.write_text(" ".join(sys.modules)))
from watui.cli.entry import main
main()
"""

CONSOLE = """
import sys
from pathlib import Path
loaded = Path(sys.argv.pop())
from watui.cli.entry import main
from watui.tui.screens.check import CheckScreen
def first_screen_is_there(screen):
    loaded.write_text(" ".join(sys.modules))
    screen.app.exit()
CheckScreen._warm_up = first_screen_is_there
main()
"""


@pytest.mark.parametrize(
    ("arguments", "most", "unwanted"),  # a few modules more than there are
    [
        (["--version"], 66, {"click", "asyncio", "logging", "sqlite3", "msgspec"}),
        (["check", "--number"], 326, {*HEAVY - {"csv", "wcwidth"}, "textual", "rich"}),
    ],
)
def test_a_command_loads_no_more_than_it_needs(
    arguments: list[str], most: int, unwanted: set[str], tmp_path: Path
) -> None:
    told = tmp_path / "loaded"
    subprocess.run([sys.executable, "-c", COMMAND, *arguments, str(told)], capture_output=True, check=False)
    loaded = told.read_text().split()
    assert unwanted.isdisjoint(loaded)
    assert len(loaded) <= most


def test_the_first_screen_waits_for_nothing_heavy(tmp_path: Path) -> None:
    told = tmp_path / "loaded"
    with Terminal(program=("-c", CONSOLE, str(told)), environment={"WATUI_HOME": str(tmp_path)}) as terminal:
        terminal.until_ended()
    loaded = told.read_text().split()
    assert "textual" in loaded
    assert (HEAVY | LATER).isdisjoint(loaded)
    assert len(loaded) <= 486  # a few more than there are


@pytest.mark.parametrize("room", ["watui.tui.session", "watui.tui.hiding"])
def test_what_knows_no_widget_loads_no_textual(room: str) -> None:
    code = f"import sys, {room}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.split()
    assert room in loaded
    assert {"textual", "rich"}.isdisjoint(loaded)


def test_keys_pressed_before_the_first_screen_are_not_lost(tmp_path: Path) -> None:
    with Terminal(environment={"WATUI_HOME": str(tmp_path)}) as terminal:
        terminal.send(b"i")
        terminal.until("Import numbers")
