"""That what is written can be read in each of our themes."""

import pytest
from rich.segment import Segment
from textual.color import Color
from textual.geometry import Region
from textual.theme import Theme
from textual.widget import Widget

from tests.tui.story import PEOPLE, console
from watui.settings.paths import Paths
from watui.settings.settings import Settings
from watui.tui.themes import ANSI, CONTRAST, DARK, DIM, LIGHT, QUIET, THEMES, first_theme

WRITTEN = ("foreground", "primary", "text-success", "text-warning", "text-error", "text-accent", DIM)
GROUNDS = ("background", "surface", "panel")


def colours(theme: Theme) -> dict[str, Color]:
    """The colours of a theme by name, what has a share of transparency as it is on the background."""
    known = {name: value for name, value in theme.to_color_system().generate().items() if value.startswith("#")}
    parsed = {each: Color.parse(value) for each, value in known.items()}
    return parsed | {DIM: parsed["background"].blend(parsed["foreground"], QUIET)}


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


@pytest.mark.anyio
@pytest.mark.parametrize("theme", [ANSI.name, DARK.name, "nord"])
async def test_what_matters_less_is_quiet_in_every_theme(paths: Paths, theme: str) -> None:
    async with console(paths, settings=Settings(theme=theme)) as story:
        await story.resolve("\n".join(PEOPLE[:3]))
        await story.press("end")  # So that the cursor is on neither of them.
        shown = [*segments(story.screen.legend), *segments(story.screen.rows.table)]
        styles = {
            words: next(part.style for part in shown if words in part.text and part.style is not None)
            for words in ("has a WhatsApp account", "now", PEOPLE[1])
        }
        usual = styles.pop(PEOPLE[1])
        for words, style in styles.items():
            is_faint = theme == ANSI.name
            assert bool(style.dim) is is_faint, words
            assert (style.color != usual.color) is not is_faint, words


def segments(widget: Widget) -> list[Segment]:
    """What a widget paints, as it goes to the terminal."""
    lines = widget.render_lines(Region(0, 0, *widget.size))
    return [part for line in lines for part in line]
