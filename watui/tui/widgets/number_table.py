"""A table over the ledger that costs what it shows: the Line API over a window of rows."""

import time
from collections.abc import Mapping

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.strip import Strip

from watui.ledger.rows import Row
from watui.tui.cells import STATUS_STYLES, Cell, Column, cells, columns, fit
from watui.tui.view import View

HEADER_LINES = 1


class NumberTable(ScrollView, can_focus=True):
    """Shows a View with a cursor. Rows are read when they come into sight; only cells that change are repainted."""

    COMPONENT_CLASSES = {
        "number-table--header",
        "number-table--cursor",
        "number-table--dim",
        "number-table--doubtful",
        *(f"number-table--{name}" for name in STATUS_STYLES.values()),
    }
    BINDINGS = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("home,g", "first", show=False),
        Binding("end,G", "last", show=False),
    ]

    cursor: var[int] = var(0)
    preview: var[bool] = var(True)

    class Moved(Message):
        """The cursor is on another row, or its row has changed."""

        def __init__(self, row: Row | None) -> None:
            super().__init__()
            self.row = row

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, NumberTable.Moved)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: View | None = None
        self._rows: Mapping[int, Row] = {}
        self._painted: dict[int, Row] = {}
        self._told: Row | None = None
        self._columns: tuple[Column, ...] = ()

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self._row_at(self.cursor)

    @property
    def row_count(self) -> int:
        """Rows in the view."""
        return len(self._view) if self._view else 0

    def show(self, view: View | None, *, preview: bool) -> None:
        """Show `view` from now on, in the columns of a preview or of a run."""
        is_same_list = self._view is not None and view is not None and self._view.run_id == view.run_id
        self._view, self._rows, self._painted, self.preview = view, {}, {}, preview
        if not is_same_list:
            self.cursor = 0
        self._lay_out()
        self.cursor = min(self.cursor, max(0, len(view) - 1)) if view else 0
        self._keep_in_sight()
        self.refresh()
        self._tell()

    def update_rows(self) -> None:
        """Read the rows in sight again and repaint the cells that differ from what was painted."""
        if self._view is None or not len(self._view):
            return
        top, now = self.scroll_offset.y, time.time()
        self._rows = self._view.window(top, min(top + self._visible_rows, len(self._view)) - 1)
        for position, row in self._rows.items():
            old = self._painted.get(position)
            if old is None or old == row:
                continue
            changed = zip(self._columns, cells(old, self._columns, now), cells(row, self._columns, now), strict=True)
            for column, was, new in changed:
                if was != new:
                    self.refresh(Region(column.x, position - top + HEADER_LINES, column.width, 1))
        self._tell()

    def render_line(self, y: int) -> Strip:
        """Render the line `y` of the viewport."""
        base = self.rich_style
        if y < HEADER_LINES:
            style = base + self._foreground("header")
            return self._strip([Cell(fit(c.name, c.width), "") for c in self._columns], style)
        position = self.scroll_offset.y + y - HEADER_LINES
        row = self._row_at(position)
        if row is None:
            return Strip.blank(self.size.width, base)
        self._painted[position] = row
        if position == self.cursor:
            base += self.get_component_rich_style("number-table--cursor")
        return self._strip(cells(row, self._columns, time.time()), base)

    def on_resize(self, _: events.Resize) -> None:
        self._lay_out()
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
        self._columns = columns(self.size.width - 1, preview=self.preview)
        self.virtual_size = Size(self.size.width, self.row_count + HEADER_LINES)

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
        self._tell()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._painted.clear()

    def _tell(self) -> None:
        """Report the row under the cursor, if it is another one or has changed."""
        if (row := self.row) != self._told:
            self._told = row
            self.post_message(self.Moved(row))

    def _keep_in_sight(self) -> None:
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + self._visible_rows:
            self.scroll_to(y=self.cursor - self._visible_rows + 1, animate=False)

    def _row_at(self, position: int) -> Row | None:
        if self._view is None or not 0 <= position < len(self._view):
            return None
        if position in self._rows:
            return self._rows[position]
        top = self.scroll_offset.y
        if not top <= position < top + self._visible_rows:
            return self._view.window(position, position).get(position)
        self._rows = self._view.window(top, min(top + self._visible_rows, len(self._view)) - 1)
        return self._rows.get(position)

    def _foreground(self, name: str) -> Style:
        """Return a component's style without its background, which is the row's."""
        style = self.get_component_rich_style(f"number-table--{name}")
        return Style(color=style.color, bold=style.bold, underline=style.underline)

    def _strip(self, row_cells: "list[Cell] | tuple[Cell, ...]", base: Style) -> Strip:
        gap = Segment(" ", base)
        segments = [gap]
        for cell in row_cells:
            segments += (Segment(cell.text, base + self._foreground(cell.style) if cell.style else base), gap)
        return Strip(segments).adjust_cell_length(self.size.width, base)
