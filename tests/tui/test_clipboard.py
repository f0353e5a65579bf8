"""What is copied, and what is said of where it went."""

import os
from pathlib import Path

import pytest
from textual.app import App

from watui.tui.clipboard import copy

pytestmark = pytest.mark.anyio

NUMBERS = "+16315551000\n+16315551001"


def a_tmux(folder: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> Path:
    """Put a tmux first in the PATH that notes what it is given and ends with `code`; return where it does."""
    noted, tmux = folder / "noted", folder / "tmux"
    tmux.write_text(f'#!/bin/sh\necho "$@" > "{noted}"\ncat >> "{noted}"\nexit {code}\n')
    tmux.chmod(0o700)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return noted


async def test_the_terminal_is_sent_it_and_nothing_is_promised() -> None:
    app: App[object] = App()
    assert await copy(app, NUMBERS, {}) == "sent to the terminal's clipboard"
    assert app.clipboard == NUMBERS


async def test_tmux_is_given_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noted = a_tmux(tmp_path, monkeypatch, 0)
    app: App[object] = App()
    assert "handed to tmux" in await copy(app, NUMBERS, {"TMUX": "/tmp/tmux"})
    assert noted.read_text() == f"load-buffer -w -\n{NUMBERS}"
    assert app.clipboard == NUMBERS


async def test_a_tmux_that_does_not_take_it_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_tmux(tmp_path, monkeypatch, 1)
    assert "where its option set-clipboard is on" in await copy(App(), NUMBERS, {"TMUX": "/tmp/tmux"})


async def test_where_there_is_no_tmux_to_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "where its option set-clipboard is on" in await copy(App(), NUMBERS, {"TMUX": "/tmp/tmux"})


async def test_a_terminal_that_takes_nothing_is_named() -> None:
    assert await copy(App(), NUMBERS, {"TERM_PROGRAM": "Apple_Terminal"}) == (
        "sent to the terminal's clipboard; Apple's Terminal does not take what is copied"
    )
