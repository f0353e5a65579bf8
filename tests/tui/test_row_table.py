"""Lines of a table are kept as they were painted: whatever changes their look has them painted anew."""

from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from textual.color import Color
from textual.geometry import Region, Size
from textual.scrollbar import ScrollBarRender

from tests.tui.story import NARROW, PEOPLE, WIDE, console
from watui.settings.paths import Paths
from watui.tui.phases import Phase
from watui.tui.widgets.row_table import RowTable

pytestmark = pytest.mark.anyio


def painted(table: RowTable[Any]) -> list[Any]:
    """What Textual gets to paint a table."""
    return [list(strip) for strip in table.render_lines(Region(0, 0, table.size.width, table.size.height))]


async def test_another_theme_is_seen_in_every_line(paths: Paths) -> None:
    async with console(paths, size=NARROW) as story:
        await story.preview("\n".join(PEOPLE))
        table = story.screen.rows.table
        before = painted(table)
        story.app.theme = "watui-light"
        await story.pilot.pause()
        after = painted(table)
        table.refresh()
        assert after == painted(table)
        assert all(old != new for old, new in zip(before, after, strict=True))


async def test_another_size_is_seen_in_every_line(paths: Paths) -> None:
    async with console(paths, size=NARROW) as story:
        await story.preview("\n".join(PEOPLE))
        table = story.screen.rows.table
        painted(table)
        await story.pilot.resize_terminal(*WIDE)
        await story.pilot.pause()
        after = painted(table)
        assert {sum(segment.cell_length for segment in line) for line in after} == {table.size.width}
        table.refresh()
        assert after == painted(table)


async def test_without_colours_neither_table_nor_ground_has_any(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with console(paths, size=NARROW) as story:
        await story.preview("\n".join(PEOPLE))
        screen = story.screen
        for widget in (screen.rows.table, screen.rows, screen):
            lines = widget.render_lines(Region(0, 0, widget.size.width, widget.size.height))
            colours = {
                part
                for strip in lines
                for segment in strip
                if segment.style
                for part in (segment.style.color, segment.style.bgcolor)
            }
            for colour in colours - {None}:
                assert colour is not None
                red, green, blue = Color.from_rich_color(colour).rgb
                assert red == green == blue, f"{colour} in {widget}"


async def test_what_changes_is_seen_in_its_line(paths: Paths) -> None:
    async with console(paths, size=NARROW) as story:
        await story.preview("\n".join(PEOPLE))
        table = story.screen.rows.table
        before = painted(table)
        await story.press("down")
        moved = painted(table)
        assert moved != before
        await story.press("enter")
        await story.until_phase(Phase.ENDED)
        decided = painted(table)
        assert decided != moved
        table.refresh()
        assert decided == painted(table)


@given(st.integers(1, 60), st.integers(1, 3_000), st.data())
def test_a_scrollbar_that_is_not_painted_anew_would_look_the_same(height: int, rows: int, data: st.DataObject) -> None:
    table = Mock(size=Size(80, height), virtual_size=Size(80, rows))
    last = max(0, rows - height)
    top = data.draw(st.integers(0, last))
    other = data.draw(st.integers(max(0, top - 20), min(last, top + 20)))

    def bar(position: int) -> list[Segment]:
        return ScrollBarRender.render_bar(
            size=height, virtual_size=rows, window_size=height, position=position
        ).segments

    assert (RowTable._thumb(table, top) == RowTable._thumb(table, other)) == (bar(top) == bar(other))


async def test_a_key_leads_to_the_row_and_its_detail_in_one_go(paths: Paths) -> None:
    async with console(paths, size=NARROW) as story:
        await story.preview("\n".join(PEOPLE))
        rows = story.screen.rows
        rows.table.move_to(1)
        second = rows.table.at_hand
        assert second is not None
        assert PEOPLE[1] in rows.detail.render_line(0).text
