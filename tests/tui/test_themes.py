"""That what is written can be read in each of our themes."""

import pytest
from textual.color import Color
from textual.theme import Theme

from watui.tui.themes import ANSI, CONTRAST, DARK, DIM, LIGHT, THEMES, first_theme

WRITTEN = ("foreground", "primary", "text-success", "text-warning", "text-error", "text-accent", DIM)
GROUNDS = ("background", "surface", "panel")


def colours(theme: Theme) -> dict[str, Color]:
    """The colours of a theme by name, what has a share of transparency as it is on the background."""
    known = {name: value for name, value in theme.to_color_system().generate().items() if value.startswith("#")}
    name, share = DIM.removeprefix("$").removesuffix("%").split()
    parsed = {each: Color.parse(value) for each, value in known.items()}
    return parsed | {DIM: parsed["background"].blend(parsed[name], int(share) / 100)}


def luminance(colour: Color) -> float:
    """As WCAG 2 defines it, from 0 to 1."""
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: Color, other: Color) -> float:
    """As WCAG 2 defines it, from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    ("theme", "least"), [(DARK, 4.5), (LIGHT, 4.5), (CONTRAST, 7.0)], ids=["dark", "light", "contrast"]
)
@pytest.mark.parametrize("ground", GROUNDS)
def test_all_that_is_written_stands_out(theme: Theme, least: float, ground: str) -> None:
    known = colours(theme)
    faint = {name: contrast(known[name], known[ground]) for name in WRITTEN}
    if ground == "panel":
        del faint[DIM]  # The bars name what they show in other words as well.
    assert {name: found for name, found in faint.items() if found < least} == {}


def test_the_terminals_own_colours_are_the_only_ones_of_one_theme() -> None:
    named = [ANSI.primary, ANSI.secondary, ANSI.warning, ANSI.error, ANSI.success, ANSI.accent, ANSI.foreground]
    assert all(name is not None and name.startswith("ansi_") for name in named)
    assert ANSI.ansi


@pytest.mark.parametrize(
    ("chosen", "environment", "name"),
    [
        ("watui-light", {}, "watui-light"),
        ("no such theme", {}, "watui-dark"),
        ("watui-light", {"NO_COLOR": "1"}, "watui-ansi"),
        ("watui-light", {"NO_COLOR": ""}, "watui-light"),
    ],
)
def test_the_first_theme(chosen: str, environment: dict[str, str], name: str) -> None:
    assert first_theme(chosen, [theme.name for theme in THEMES], environment) == name
