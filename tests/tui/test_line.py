"""What is painted again of a line is what has changed of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from tests.tui.story import console
from watui.settings.paths import Paths
from watui.tui.widgets.line import NEAR, changed

_PARTS = st.lists(
    st.tuples(st.text("ab 漢", max_size=6), st.sampled_from(["", "bold", "$primary"])).map(lambda part: part),
    max_size=6,
)


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("", "", []),
        ("same", "same", []),
        ("12 of 90", "13 of 90", [(1, 2)]),
        ("99 of 900", "100 of 900", [(0, 10)]),
        ("1" + NEAR * " " + "1", "2" + NEAR * " " + "2", [(0, 1), (9, 10)]),
        ("1234 x", "1235 y", [(3, 6)]),
        ("short", "", [(0, 5)]),
        ("漢1", "漢2", [(2, 3)]),
    ],
)
def test_only_what_differs_is_painted(old: str, new: str, parts: list[tuple[int, int]]) -> None:
    assert changed(Content(old), Content(new)) == parts


def test_another_style_is_a_change() -> None:
    assert changed(Content("same"), Content.assemble("s", ("am", "bold"), "e")) == [(1, 3)]


@given(_PARTS, _PARTS)
def test_what_is_not_painted_is_the_same(old: list[tuple[str, str]], new: list[tuple[str, str]]) -> None:
    first, second = Content.assemble(*old), Content.assemble(*new)
    painted = {column for start, end in changed(first, second) for column in range(start, end)}
    width = max(first.cell_length, second.cell_length)
    assert painted <= set(range(width))
    for column in set(range(width)) - painted:
        assert _at(first, column) == _at(second, column)


def _at(content: Content, column: int) -> tuple[str, list[str]]:
    end = 0
    for place, character in enumerate(content.plain):
        end += Content(character).cell_length
        if end > column:
            return character, [str(span.style) for span in content.spans if span.start <= place < span.end]
    return "", []


@pytest.mark.anyio
async def test_the_same_again_paints_nothing(paths: Paths) -> None:
    async with console(paths) as story:
        line = story.screen.title_line
        shown = line.render()
        line.show(Content.assemble(shown))
        assert line.render() is shown
