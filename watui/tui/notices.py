"""Tells somebody who looks elsewhere that a long run has ended."""

import os
from collections.abc import Mapping

from watui.settings.settings import Notice

LONG_SECONDS = 20.0
"""A run that took less was waited for."""

_BELL = "\x07"


def sequence(notice: Notice, words: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return what a terminal is sent for it to tell `words`, which hold nothing that a terminal obeys."""
    match notice:
        case "bell":
            return _BELL
        case "title":
            return f"\x1b]2;{words}\x07"
        case "desktop":
            return _through_tmux(f"\x1b]9;{words}\x07") if environment.get("TMUX") else f"\x1b]9;{words}\x07"
        case "off":
            return ""


def _through_tmux(sent: str) -> str:
    """Return what tmux passes on to the terminal around it, where its option allow-passthrough is on."""
    return f"\x1bPtmux;{sent.replace(chr(0x1B), chr(0x1B) * 2)}\x1b\\"
