"""Which colours the terminal is told to use."""

import re

import pytest

from tests.pty.terminal import Terminal

_STYLES = re.compile(rb"\x1b\[([0-9;]*)m")


def told_colours(environment: dict[str, str]) -> set[str]:
    """Every colour, as a parameter of SGR, that the sample's preview and a dialog are painted in."""
    with Terminal(environment=environment) as terminal:
        terminal.until("import a file")
        terminal.send(b"s")
        terminal.until("187 distinct numbers")
        terminal.send(b"t")
        terminal.until("Go to ")
        styles = b";".join(_STYLES.findall(terminal.output)).decode().replace("38;2", "rgb").replace("48;2", "rgb")
    return {code for code in styles.split(";") if re.fullmatch(r"rgb|(3|4|9|10)[0-8]", code)}


def test_no_colour_is_used_where_none_is_wanted() -> None:
    assert told_colours({"NO_COLOR": "1"}) == set()


def test_the_terminals_own_colours_are_used_where_they_are_wanted() -> None:
    found = told_colours({"WATUI_THEME": "watui-ansi"})
    assert found
    assert "rgb" not in found


@pytest.mark.parametrize("theme", ["watui-dark", "watui-contrast"])
def test_colours_of_our_own_are_used_otherwise(theme: str) -> None:
    assert "rgb" in told_colours({"WATUI_THEME": theme})


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"WATUI_THEME": "watui-ansi"}], ids=str)
def test_where_one_is_can_be_seen_without_colours_of_our_own(environment: dict[str, str]) -> None:
    with Terminal(environment=environment) as terminal:
        terminal.until("import a file")
        terminal.send(b"i")
        terminal.until("Import numbers")
        terminal.send(b"xyz")
        terminal.until("xyz")
        terminal.until_quiet()
        row = next(y for y, line in enumerate(terminal.screen.display) if "xyz" in line)
        letter, cursor = (terminal.screen.buffer[row][terminal.screen.display[row].index("xyz") + x] for x in (2, 3))
        assert cursor.reverse is not letter.reverse
        terminal.send(b"\x1b")
        terminal.until("import a file")
        terminal.send(b"\x10")
        terminal.until("Arrange the rows")
        terminal.until_quiet()
        looks = {
            (cell.bg, cell.reverse, cell.underscore)
            for y, line in enumerate(terminal.screen.display)
            if re.search(r"\((a|b|B|2)\)", line)
            for cell in [terminal.screen.buffer[y][line.index("(")]]
        }
        assert len(looks) > 1
