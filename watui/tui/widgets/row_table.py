"""A table that costs what it shows: the Line API over a window of rows."""

import time
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import ClassVar, Generic, Protocol, Self, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip

from watui.text import masked_number
from watui.tui.cells import STATUS_STYLES
from watui.tui.grid import NUMBERS, Cell, Column, fit
from watui.tui.masking import is_masked

HEADER_LINES = 1

R = TypeVar("R")
Shown = TypeVar("Shown", covariant=True)
Drawn = TypeVar("Drawn", contravariant=True)


class View(Protocol[Shown]):
    """Rows by their position, read when they are wanted."""

    @property
    def key(self) -> object:
        """What they are rows of: the cursor stays where it is while that is the same."""

    def __len__(self) -> int: ...

    def window(self, first: int, last: int) -> Mapping[int, Shown]:
        """Return the rows at positions `first` to `last`, both included."""


class Look(Protocol[Drawn]):
    """How rows are drawn."""

    def columns(self, width: int) -> tuple[Column, ...]:
        """Return the columns that fit `width`."""

    def cells(self, row: Drawn, wanted: tuple[Column, ...], now: float) -> Sequence[Cell]:
        """Return the cells of a row in the columns `wanted`."""


class RowTable(ScrollView, Generic[R], can_focus=True):
    """Shows a View with a cursor. Rows are read when they come into sight; only cells that change are repainted."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "row-table--header",
        "row-table--cursor",
        "row-table--dim",
        "row-table--doubtful",
        *(f"row-table--{name}" for name in STATUS_STYLES.values()),
    }
    BINDINGS: ClassVar = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home,g", "first", show=False),
        Binding("end,G", "last", show=False),
    ]

    cursor: var[int] = var(0)
    at_hand: var[R | None] = var(None)
    """The row under the cursor, as it was last seen. Whoever watches it is painted together with the table."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: View[R] | None = None
        self._look: Look[R] | None = None
        self._rows: Mapping[int, R] = {}
        self._painted: dict[int, R] = {}
        self._columns: tuple[Column, ...] = ()
        self._inks: dict[tuple[str, bool], Style] = {}
        self._lines: dict[int, Strip] = {}
        """Of the viewport, as they were painted."""
        self._width = 0
        """Of those lines."""

    @property
    def row(self) -> R | None:
        """The row under the cursor."""
        return self._row_at(self.cursor)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that fit, at their places."""
        return self._columns

    @property
    def row_count(self) -> int:
        """Rows in the view."""
        return len(self._view) if self._view else 0

    def show(self, view: View[R] | None, look: Look[R]) -> None:
        """Show `view` from now on, drawn as `look` says; of the same rows only cells that differ are repainted."""
        is_same_list = self._view is not None and view is not None and self._view.key == view.key
        before = (self._look, self.cursor, self.scroll_offset) if is_same_list else None
        self._view, self._look, self._rows = view, look, {}
        self._lay_out()
        self.cursor = min(self.cursor, max(0, self.row_count - 1)) if is_same_list else 0
        self._keep_in_sight()
        if before == (look, self.cursor, self.scroll_offset):
            self.update_rows()
        else:
            self._painted = {}
            self.refresh()
            self.at_hand = self.row

    def move_to(self, position: int) -> None:
        """Put the cursor on the row at `position`, or on the last one."""
        self._move_to(position)

    def update_rows(self) -> None:
        """Read the rows in sight again and repaint the cells that differ from what was painted."""
        if self._view is None:
            return
        top, now = self.scroll_offset.y, time.time()
        self._rows = self._view.window(top, min(top + self._visible_rows, len(self._view)) - 1)
        for y in range(self._visible_rows):
            old, new = self._painted.get(top + y), self._rows.get(top + y)
            if old == new:
                continue
            if old is None or new is None:
                self._painted.pop(top + y, None)
                self.refresh(Region(0, y + HEADER_LINES, self.size.width, 1))
                continue
            for column, was, is_now in zip(self._columns, self._cells(old, now), self._cells(new, now), strict=True):
                if was != is_now:
                    self.refresh(Region(column.x, y + HEADER_LINES, column.width, 1))
        self.at_hand = self.row

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._inks, self._lines = {}, {}

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        for y in chain.from_iterable(region.line_range for region in regions):
            self._lines.pop(y, None)
        if not regions:
            self._lines = {}
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Render lines as they are: a table has no border, padding or tint, for which Textual makes each anew."""
        if self._width != self.size.width:
            self._lines, self._width = {}, self.size.width
        for y in crop.line_range:
            if y not in self._lines:
                self._lines[y] = self._filtered(self.render_line(y))
        return [self._lines[y].crop(crop.x, crop.right) for y in crop.line_range]

    def _filtered(self, line: Strip) -> Strip:
        background = self.background_colors[1]
        for each in self.get_line_filters():
            line = line.apply_filter(each, background)
        return line

    def render_line(self, y: int) -> Strip:
        """Render the line `y` of the viewport."""
        if y < HEADER_LINES:
            return self._strip([Cell(fit(column.name, column.width)) for column in self._columns], "header")
        position = self.scroll_offset.y + y - HEADER_LINES
        row = self._row_at(position)
        if row is None:
            return Strip.blank(self._width, self._ink(""))
        self._painted[position] = row
        return self._strip(self._cells(row, time.time()), is_cursor=position == self.cursor)

    def on_resize(self, _: events.Resize) -> None:
        self._lay_out()
        self.refresh()
        self._keep_in_sight()

    def on_click(self, event: events.Click) -> None:
        position = self.scroll_offset.y + event.y - HEADER_LINES
        if event.y >= HEADER_LINES and self._row_at(position) is not None:
            self._move_to(position)

    def action_move(self, rows: int) -> None:
        self._move_to(self.cursor + rows)

    def action_page(self, pages: int) -> None:
        self._move_to(self.cursor + pages * max(1, self._visible_rows - 1))

    def action_first(self) -> None:
        self._move_to(0)

    def action_last(self) -> None:
        self._move_to(len(self._view or ()) - 1)

    @property
    def _visible_rows(self) -> int:
        return max(1, self.size.height - HEADER_LINES)

    def _lay_out(self) -> None:
        self._columns = self._look.columns(self.size.width - 1) if self._look else ()
        size, before = Size(self.size.width, self.row_count + HEADER_LINES), self.virtual_size
        if self.show_vertical_scrollbar and size.width == before.width and size.height >= before.height:
            # Only the scrollbar changes: to lay the screen out anew would paint every row.
            self.set_reactive(RowTable.virtual_size, size)
            self.vertical_scrollbar.window_virtual_size = size.height
        else:
            self.virtual_size = size

    def _move_to(self, position: int) -> None:
        last = len(self._view) - 1 if self._view else -1
        if last < 0:
            return
        old, self.cursor = self.cursor, max(0, min(position, last))
        if old == self.cursor:
            return
        self._keep_in_sight()
        for changed in (old, self.cursor):
            self.refresh(Region(0, changed - self.scroll_offset.y + HEADER_LINES, self.size.width, 1))
        self.at_hand = self.row

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        if self._thumb(old_value) == self._thumb(new_value):
            # What is seen of the scrollbar stays: it would be painted in vain.
            self.vertical_scrollbar.set_reactive(ScrollBar.position, new_value)
        super().watch_scroll_y(old_value, new_value)
        self._painted.clear()

    def _thumb(self, top: float) -> int:
        """Return where the scrollbar shows the line `top`, in the eighths of a line that it can draw."""
        seen, whole = self.size.height, self.virtual_size.height
        thumb = max(1, seen * seen / whole) if whole else 1
        return int((seen - thumb) * (top / (whole - seen)) * 8) if whole > seen else 0

    def _keep_in_sight(self) -> None:
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + self._visible_rows:
            self.scroll_to(y=self.cursor - self._visible_rows + 1, animate=False)

    def _cells(self, row: R, now: float) -> Sequence[Cell]:
        assert self._look is not None, "a row is drawn only of a view that is shown"
        found = self._look.cells(row, self._columns, now)
        if not is_masked(self):
            return found
        return [
            cell._replace(text=masked_number(cell.text)) if column.name in NUMBERS else cell
            for cell, column in zip(found, self._columns, strict=True)
        ]

    def _row_at(self, position: int) -> R | None:
        if self._view is None or not 0 <= position < len(self._view):
            return None
        if position in self._rows:
            return self._rows[position]
        top = self.scroll_offset.y
        if not top <= position < top + self._visible_rows:
            return self._view.window(position, position).get(position)
        self._rows = self._view.window(top, min(top + self._visible_rows, len(self._view)) - 1)
        return self._rows.get(position)

    def _strip(self, row_cells: Sequence[Cell], name: str = "", *, is_cursor: bool = False) -> Strip:
        """Return cells, each with a gap behind it; neighbours that look alike are written with one style."""
        base = self._ink(name, is_cursor)
        segments = [Segment(" ", base)]
        segments += (
            Segment(
                f"{cell.text} ", self._ink(cell.style, is_cursor) if cell.style and not cell.text.isspace() else base
            )
            for cell in row_cells
        )
        return Strip(segments).adjust_cell_length(self._width, base).simplify()

    def _ink(self, name: str, is_cursor: bool = False) -> Style:
        """Return how text of a component class looks on its row, empty for none.

        It is looked up once for all cells: for each one that takes longer than all else.
        """
        if (name, is_cursor) not in self._inks:
            segments = [Segment("", self._look_up(name, is_cursor))]
            for line_filter in self.get_line_filters():
                segments = line_filter.apply(segments, self.background_colors[1])
            self._inks[name, is_cursor] = segments[0].style or Style.null()
        return self._inks[name, is_cursor]

    def _look_up(self, name: str, is_cursor: bool) -> Style:
        if name:
            style = self.get_component_rich_style(f"row-table--{name}")
            # Without its background, which is the row's.
            dim = style.dim and not is_cursor  # The cursor's row is read first of all.
            ink = Style(color=style.color, bold=style.bold, dim=dim, underline=style.underline)
            return self._ink("", is_cursor) + ink
        cursor = self.get_component_rich_style("row-table--cursor") if is_cursor else Style.null()
        return self.rich_style + cursor
