"""The console's own themes."""

from textual.theme import Theme

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
    primary="#0a7d55",
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

THEMES = (DARK, LIGHT)
