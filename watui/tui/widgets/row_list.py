"""The rows of a run and what helps to find one: the table, a search line, a filter, and the row at hand in full."""

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.getters import query_one
from textual.message import Message
from textual.widgets import Input

from watui.desk import Desk
from watui.ledger.rows import RowFilter, RunRecord
from watui.tui import panels
from watui.tui.view import View
from watui.tui.widgets.line import Line
from watui.tui.widgets.number_table import NumberTable

FILTER_UPDATES = 10
"""Updates of the rows between two readings of what a filter picks."""


class SearchInput(Input):
    """The search line; a paste of several lines is a list, not a search."""

    def on_paste(self, event: events.Paste) -> None:
        if len(event.text.splitlines()) > 1:
            event.prevent_default()
        else:
            event.stop()


class RowList(Vertical):
    """Shows the rows of one run that fit a filter; reading a filter is left to another thread."""

    DEFAULT_CSS = """
    RowList {
        height: 1fr;
    }
    RowList NumberTable {
        height: 1fr;
    }
    RowList #search {
        display: none;
        border: none;
        height: 1;
        padding: 0 1;
        background: $surface;
    }
    RowList #detail {
        background: $surface;
    }
    """

    table = query_one("#table", NumberTable)
    search = query_one("#search", SearchInput)
    detail = query_one("#detail", Line)

    class Shown(Message):
        """Other rows are shown, or none."""

    def __init__(self, desk: Desk, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.wanted = RowFilter()
        self._desk = desk
        self._record: RunRecord | None = None
        self._preview = True
        self._updates = 0

    def compose(self) -> ComposeResult:
        yield NumberTable(id="table")
        yield SearchInput(placeholder="part of an input, a number or a wa_id", id="search")
        yield Line(id="detail")

    def on_mount(self) -> None:
        self.search.cursor_blink = False

    def show(self, record: RunRecord | None, *, preview: bool) -> None:
        """Show the rows of `record` from now on, or none, in the columns of a preview or of a run."""
        if record is None or self._record is None or record.id != self._record.id:
            self.wanted = RowFilter()
            self._hide_search()
        self._record, self._preview = record, preview
        if record is None:
            self._show_view(None)
        elif self.wanted == RowFilter():
            self._show_view(View(self._desk.reader, record.id, record.rows, None))
        else:
            self._pick(record, self.wanted)

    def update(self) -> None:
        """Show what has changed in the ledger; what the filter picks is read again now and then."""
        self._updates += 1
        if self.wanted != RowFilter() and self._record is not None and self._updates % FILTER_UPDATES == 0:
            self._pick(self._record, self.wanted)
        self.table.update_rows()

    def filter(self, wanted: RowFilter) -> None:
        """Show only the rows that fit `wanted`."""
        self.wanted = wanted
        self.show(self._record, preview=self._preview)

    def start_search(self) -> None:
        """Open the search line."""
        self.search.display = True
        self.search.focus()

    def back(self) -> bool:
        """Close the search line or take the filter away; return whether there was anything of it."""
        if self.search.display:
            self._hide_search()
            self.filter(self.wanted._replace(text=""))
        elif self.wanted != RowFilter():
            self._hide_search()
            self.filter(RowFilter())
        else:
            return False
        return True

    @on(NumberTable.Moved)
    def show_detail(self, event: NumberTable.Moved) -> None:
        event.stop()
        self.detail.show(panels.detail(event.row))

    @on(Input.Changed, "#search")
    def search_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.search.display:
            self.filter(self.wanted._replace(text=event.value.strip()))

    @on(Input.Submitted, "#search")
    def search_done(self, event: Input.Submitted) -> None:
        event.stop()
        self.search.display = False
        self.table.focus()

    @work(exclusive=True, group="filter")
    async def _pick(self, record: RunRecord, wanted: RowFilter) -> None:
        ordinals = await self._desk.matching(record.id, wanted)
        if wanted == self.wanted and self._record is not None and self._record.id == record.id:
            self._show_view(View(self._desk.reader, record.id, record.rows, ordinals))

    def _show_view(self, view: View | None) -> None:
        self.table.show(view, preview=self._preview)
        self.post_message(self.Shown())

    def _hide_search(self) -> None:
        if self.search.display:
            self.search.display = False
            self.table.focus()
        self.search.value = ""
