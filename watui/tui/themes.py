"""The console's own themes."""

import os
from collections.abc import Collection, Mapping

from textual.color import Color
from textual.theme import Theme

DIM = "$quiet"
"""How it is written what matters less: a variable of every theme."""

QUIET = 0.65
"""Share of the foreground, where a theme has colours of its own."""

DARK = Theme(
    name="watui-dark",
    primary="#3ecf8e",
    secondary="#6cb6ff",
    accent="#8ab4f8",
    success="#57d98a",
    warning="#f0b429",
    error="#ff7b72",
    foreground="#dbe2ea",
    background="#0f1419",
    surface="#161c23",
    panel="#212a34",
    dark=True,
)

LIGHT = Theme(
    name="watui-light",
    primary="#08704c",
    secondary="#1b5fb4",
    accent="#1b5fb4",
    success="#12713c",
    warning="#9a5b00",
    error="#b3261e",
    foreground="#1c2430",
    background="#fbfcfd",
    surface="#f0f3f6",
    panel="#dfe6ec",
    dark=False,
)

CONTRAST = Theme(
    name="watui-contrast",
    primary="#5cffb0",
    secondary="#8cc8ff",
    accent="#9ad0ff",
    success="#6bff9e",
    warning="#ffd23f",
    error="#ff9d94",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#3a3a3a",
    dark=True,
    variables={"text-disabled": "#b0b0b0"},
)

ANSI = Theme(
    name="watui-ansi",
    ansi=True,
    primary="ansi_green",
    secondary="ansi_blue",
    accent="ansi_cyan",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_red",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    dark=True,
    variables={
        # Its own colours tell nothing of contrast: bright black is the background of some palettes. Faint is what the
        # terminal makes of it.
        "quiet": "ansi_default dim",
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "border-blurred": "ansi_default",
        "block-cursor-foreground": "ansi_black",
        "block-cursor-background": "ansi_cyan",
        "block-cursor-text-style": "bold",
        "block-cursor-blurred-foreground": "ansi_black",
        "block-cursor-blurred-background": "ansi_cyan",
        "block-cursor-blurred-text-style": "none",
        "input-cursor-background": "ansi_default",
        "input-cursor-foreground": "ansi_default",
        "input-cursor-text-style": "reverse",
        "input-selection-background": "ansi_blue",
        "input-selection-foreground": "ansi_black",
        "screen-selection-background": "ansi_blue",
        "screen-selection-foreground": "ansi_black",
    },
)
"""The terminal's own colours, whatever they are: nothing here tells light from dark."""

THEMES = (DARK, LIGHT, CONTRAST, ANSI)


def quiet(foreground: str) -> str:
    """Return what DIM is in a theme that does not say: a foreground that lets the ground through."""
    return foreground if foreground.startswith("ansi_") else Color.parse(foreground).multiply_alpha(QUIET).css


def first_theme(chosen: str, known: Collection[str], environment: Mapping[str, str] = os.environ) -> str:
    """Return the theme to begin with: the `chosen` one where it is known, and where NO_COLOR is set the one that needs
    no colours.
    """
    if environment.get("NO_COLOR"):
        return ANSI.name
    return chosen if chosen in known else DARK.name
