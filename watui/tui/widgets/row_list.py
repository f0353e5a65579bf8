"""The rows of a run and what helps to find one: the table, a search line, a filter, and the row at hand in full."""

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.getters import query_one
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static
from textual.worker import Worker

from watui.desk import Desk
from watui.ledger.rows import Row, RowFilter, RunRecord
from watui.ledger.schema import LedgerUnusable
from watui.tui import panels
from watui.tui.cells import RowLook
from watui.tui.view import RunView
from watui.tui.widgets.line import Line
from watui.tui.widgets.row_table import RowTable
from watui.tui.widgets.safe_input import SafeInput

PICK_SECONDS = 1.0
"""Between two readings of what a filter picks, while rows change."""

SEARCH_SECONDS = 0.15
"""After the last key of a search, before it is carried out."""


class SearchInput(SafeInput):
    """The search line; a paste of several lines is a list, not a search."""

    def on_paste(self, event: events.Paste) -> None:
        if len(event.text.splitlines()) > 1:
            event.prevent_default()
        else:
            event.stop()


class NumberTable(RowTable[Row]):
    """The rows of a run."""


class RowList(Vertical):
    """Shows the rows of one run that fit a filter; reading a filter is left to another thread."""

    DEFAULT_CSS = """
    RowList {
        height: 1fr;
    }
    RowList RowTable {
        height: 1fr;
    }
    RowList #search-line {
        display: none;
        height: 1;
        background: $surface;
    }
    RowList #search-mark {
        width: 3;
    }
    RowList #search {
        border: none;
        height: 1;
        padding: 0;
        background: $surface;
    }
    RowList #detail {
        background: $surface;
    }
    """

    table = query_one("#table", NumberTable)
    search_line = query_one("#search-line", Horizontal)
    search = query_one("#search", SearchInput)
    detail = query_one("#detail", Line)

    class Shown(Message):
        """Other rows are shown, or none."""

    def __init__(self, desk: Desk, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.wanted = RowFilter()
        self.look = RowLook(preview=True)
        self._desk = desk
        self._record: RunRecord | None = None
        self._row: Row | None = None
        self._is_stale = False
        self._searching: Timer | None = None
        self._picking: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        yield NumberTable(id="table")
        with Horizontal(id="search-line"):
            yield Static(Content.styled(" / ", "bold $primary"), id="search-mark")
            yield SearchInput(placeholder="part of an input, a number, a wa_id or a note", id="search")
        yield Line(id="detail")

    def on_mount(self) -> None:
        self.set_interval(PICK_SECONDS, self._pick_again)

    def show(self, record: RunRecord | None, look: RowLook) -> None:
        """Show the rows of `record` from now on, or none, drawn as `look` says."""
        if record is None or self._record is None or record.id != self._record.id:
            self.wanted = RowFilter()
            self._hide_search()
        self._record, self.look = record, look
        if record is None:
            self._show_view(None)
        elif self.wanted == RowFilter():
            self._show_view(RunView(self._desk.reader, record.id, record.rows, None))
        else:
            self._picking = self._pick(record, self.wanted)

    def update(self) -> None:
        """Show what has changed in the ledger; what the filter picks is read again soon."""
        self._is_stale = True
        self.table.update_rows()

    def filter(self, wanted: RowFilter) -> None:
        """Show only the rows that fit `wanted`."""
        self.wanted = wanted
        self.show(self._record, self.look)

    def start_search(self) -> None:
        """Open the search line."""
        self.search_line.display = True
        self.search.focus()

    def back(self) -> bool:
        """Close the search line or take the filter away; return whether there was anything of it."""
        if self.search_line.display:
            self._hide_search()
            self.filter(self.wanted._replace(text=""))
        elif self.wanted != RowFilter():
            self._hide_search()
            self.filter(RowFilter())
        else:
            return False
        return True

    @on(RowTable.Moved)
    def show_detail(self, event: RowTable.Moved) -> None:
        event.stop()
        self._row = event.row if isinstance(event.row, Row) else None
        self._show_detail()

    def on_resize(self) -> None:
        self._show_detail()

    @on(Input.Changed, "#search")
    def search_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self._searching is not None:
            self._searching.stop()
        if self.search_line.display:
            wanted = self.wanted._replace(text=event.value.strip())
            self._searching = self.set_timer(SEARCH_SECONDS, lambda: self.filter(wanted))

    @on(Input.Submitted, "#search")
    def search_done(self, event: Input.Submitted) -> None:
        event.stop()
        self.search_line.display = False
        self.table.focus()

    def _pick_again(self) -> None:
        is_picking = self._picking is not None and not self._picking.is_finished
        if self._is_stale and not is_picking and self._record is not None and self.wanted != RowFilter():
            self._picking = self._pick(self._record, self.wanted)

    @work(exclusive=True, group="filter")
    async def _pick(self, record: RunRecord, wanted: RowFilter) -> None:
        self._is_stale = False
        try:
            ordinals = await self._desk.matching(record.id, wanted)
        except LedgerUnusable:
            self._is_stale = True
            return
        if wanted == self.wanted and self._record is not None and self._record.id == record.id:
            self._show_view(RunView(self._desk.reader, record.id, record.rows, ordinals))

    def _show_detail(self) -> None:
        self.detail.show(panels.detail(self._row, self.size.width))

    def _show_view(self, view: RunView | None) -> None:
        self.table.show(view, self.look)
        self.post_message(self.Shown())

    def _hide_search(self) -> None:
        if self._searching is not None:
            self._searching.stop()
        if self.search_line.display:
            self.search_line.display = False
            self.table.focus()
        self.search.value = ""
