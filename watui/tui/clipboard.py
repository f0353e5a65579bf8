"""Hands what is copied to a clipboard, and says as much as is known of whether it came there."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Mapping

from textual.app import App

from watui.doctor.terminal import CLIPBOARD_WORDS, TMUX_SECONDS
from watui.tui.keys import key_of


def nothing_came(exporting: str, verb: str) -> str:
    """Return what is said beside where it went, for no terminal tells whether it takes that: what makes a file instead.

    That is the command called `exporting`; `verb` says what it does.
    """
    return f"Nothing to paste? {key_of(exporting)} {verb}."


async def copy(app: App[object], text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Copy `text` by way of the terminal (OSC 52), and of tmux where that is in between; return where it went."""
    App.copy_to_clipboard(app, text)  # As it is, whatever is hidden of what somebody selects on a screen.
    if environment.get("TMUX"):
        if await asyncio.to_thread(_hand_to_tmux, text):
            return "handed to tmux (its prefix and ] paste it), and by it to the terminal"
        return "sent to tmux, which hands it on where its option set-clipboard is on"
    doubt = CLIPBOARD_WORDS.get(environment.get("TERM_PROGRAM", ""))
    return f"sent to the terminal's clipboard{f'; {doubt}' if doubt is not None else ''}"


def _hand_to_tmux(text: str) -> bool:
    """Give `text` to tmux itself, which hands it on to its terminal in its usual settings, too."""
    tmux = shutil.which("tmux")
    if tmux is None:
        return False
    try:
        subprocess.run(  # noqa: S603 - nothing in the command is anybody's but ours
            [tmux, "load-buffer", "-w", "-"],
            input=text.encode("utf-8", "replace"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TMUX_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return True
