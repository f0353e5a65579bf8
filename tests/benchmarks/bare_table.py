"""The least that Textual takes for a page of rows: python -m tests.benchmarks.bare_table"""

from typing import ClassVar

from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

ROWS = 1_000_000


class BareTable(ScrollView, can_focus=True):
    """Lines that are made up as they are painted, each of one style."""

    BINDINGS: ClassVar = [Binding("pagedown", "page_on", show=False)]

    def on_mount(self) -> None:
        self.virtual_size = Size(self.size.width, ROWS)

    def action_page_on(self) -> None:
        self.scroll_to(y=self.scroll_offset.y + self.size.height - 1, animate=False)

    def render_line(self, y: int) -> Strip:
        line = self.scroll_offset.y + y + 2
        return Strip([Segment(f" line {line} +1{line:010} US valid".ljust(self.size.width))], self.size.width)


class BareApp(App[None]):
    def compose(self) -> ComposeResult:
        yield BareTable()


if __name__ == "__main__":
    BareApp().run()
