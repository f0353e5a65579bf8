"""The rows of a run and what helps to find one: the table, a search line, a filter, and the row at hand in full."""

from __future__ import annotations

import time
from array import array
from typing import TYPE_CHECKING

from textual import events, on, work
from textual.app import ComposeResult
from textual.getters import query_one
from textual.message import Message
from textual.worker import Worker

from watui.desk import Desk
from watui.ledger.rows import Order, Row, RowFilter, RunRecord
from watui.ledger.schema import LedgerUnusable
from watui.text import masked_number
from watui.tui import panels
from watui.tui.cells import RowLook
from watui.tui.masking import is_masked
from watui.tui.view import RunView
from watui.tui.widgets.ground import Pane
from watui.tui.widgets.line import Line
from watui.tui.widgets.row_table import RowTable
from watui.tui.widgets.seam import Seam
from watui.tui.widgets.search_line import SearchLine

if TYPE_CHECKING:
    from watui.archive import Picked

PICK_SECONDS = 1.0
"""Between two readings of what a filter picks, while rows change."""

PAUSE = 9
"""And how many times as long as such a reading took: it is at work for a tenth of the time at most."""


class NumberTable(RowTable[Row]):
    """The rows of a run."""

    class Laid(Message):
        """The columns may have other places."""

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.post_message(self.Laid())


class RowList(Pane):
    """Shows the rows of one run that fit a filter; reading a filter is left to another thread."""

    DEFAULT_CSS = """
    RowList {
        height: 1fr;
        layers: below default;
    }
    RowList RowTable {
        height: 1fr;
    }
    RowList #detail {
        background: $surface;
    }
    """

    table = query_one("#table", NumberTable)
    seam = query_one(Seam)
    detail = query_one("#detail", Line)

    class Shown(Message):
        """The filter shows other rows, or none. What `show` leads to is not told: it is known to whoever calls it."""

    def __init__(self, desk: Desk, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.wanted = RowFilter()
        self.look = RowLook(preview=True)
        self._desk = desk
        self._record: RunRecord | None = None
        self.is_picking = False
        """Whether not all of the rows that the filter picks are known yet."""
        self._view: RunView | None = None
        self._picked: Picked | None = None
        self._is_stale = False
        self._pick_at = 0.0
        self._picking: Worker[None] | None = None
        self.search_line = SearchLine("part of an input, a number, a wa_id or a note")

    def compose(self) -> ComposeResult:
        yield Seam()
        yield NumberTable(id="table")
        yield Line(id="detail")

    def on_mount(self) -> None:
        self.set_interval(PICK_SECONDS, self._pick_again)
        self.watch(self.table, "at_hand", self._show_detail)
        self.watch(self.app, "hides_numbers", self._show_detail, init=False)

    def show(self, record: RunRecord | None, look: RowLook) -> None:
        """Show the rows of `record` from now on, or none, drawn as `look` says."""
        is_other = record is None or self._record is None or record.id != self._record.id
        if is_other:
            self.wanted = RowFilter()
            self._hide_search()
        self._record, self.look = record, look
        if is_other or self.wanted == RowFilter():
            self._begin()
        else:
            self._is_stale = True
            self._show_view(self._view)

    def update(self) -> None:
        """Show what has changed in the ledger; what the filter picks is read again soon."""
        self._is_stale = True
        self.table.update_rows()

    def filter(self, wanted: RowFilter) -> None:
        """Show only the rows that fit `wanted`, in its order; of all rows, from the one at hand on."""
        at_hand, self.wanted = self.table.row, wanted
        self._begin()
        if at_hand is not None and wanted == RowFilter():
            self.table.move_to(at_hand.row - 1)
        self.post_message(self.Shown())

    async def start_search(self) -> None:
        """Open the search line."""
        if not self.search_line.is_attached:
            await self.mount(self.search_line, before=self.detail)
        self.search_line.open()

    @property
    def is_searching(self) -> bool:
        """Whether the search line is open."""
        return self.search_line.is_open

    def reorder(self) -> None:
        """Show the rows in the next order."""
        orders = list(Order)
        self.filter(self.wanted._replace(order=orders[(orders.index(self.wanted.order) + 1) % len(orders)]))

    def back(self) -> bool:
        """Close the search line, or take the filter away, or the order; return whether there was anything of it."""
        if self.is_searching:
            self._hide_search()
            self.filter(self.wanted._replace(text=""))
        elif self.wanted.leaves_out:
            self._hide_search()
            self.filter(RowFilter(order=self.wanted.order))
        elif self.wanted != RowFilter():
            self._hide_search()
            self.filter(RowFilter())
        else:
            return False
        return True

    @on(NumberTable.Laid)
    def lay_seam(self) -> None:
        status = next((column for column in self.table.columns if column.name == "status"), None)
        self.seam.display = status is not None
        if status is not None:
            self.seam.lay(status.x, status.width + 1)  # with the gap: it is gone to, where it begins at an edge

    def on_resize(self) -> None:
        self._show_detail()

    @on(SearchLine.Wanted)
    def search(self, event: SearchLine.Wanted) -> None:
        event.stop()
        if event.is_done:
            self.table.focus()
        if event.text != self.wanted.text:
            self.filter(self.wanted._replace(text=event.text))

    def _begin(self) -> None:
        """Show what is wanted now, as soon as it is known."""
        if self._picking is not None:
            self._picking.cancel()
        record, self._picked = self._record, None
        self.is_picking = record is not None and self.wanted != RowFilter()
        if record is None:
            self._show_view(None)
        elif self.is_picking:
            self._picking = self._pick(record, self.wanted)
        else:
            self._show_view(RunView(self._desk.reader, record.id, record.rows, None))

    def _pick_again(self) -> None:
        is_due = self._is_stale and not self.is_picking and time.monotonic() >= self._pick_at
        if is_due and self._record is not None and self.wanted != RowFilter():
            self._picking = self._pick(self._record, self.wanted)

    @work(exclusive=True, group="filter")
    async def _pick(self, record: RunRecord, wanted: RowFilter) -> None:
        """Show what `wanted` picks: first what is known soon, where it is wanted for the first time; then all."""
        self._is_stale, is_new, began = False, self.is_picking, time.monotonic()
        found = self._desk.archive.pick(
            record.id, wanted, self._picked, lambda ordinals: self._show_some(wanted, ordinals)
        )
        try:
            self._picked = await found
        except LedgerUnusable:
            self._is_stale, self.is_picking = True, False
            return
        finally:
            self._pick_at = time.monotonic() + PAUSE * (time.monotonic() - began)
        self.is_picking = False
        at_hand, ordinals = self.table.row if self.table.cursor else None, self._picked.ordinals
        view = RunView(self._desk.reader, record.id, len(ordinals), ordinals)
        self._show_view(view)
        # The cursor stays on its row, so that a key means what was seen; at the top it shows what is first now.
        position = view.position_of(at_hand.row) if at_hand is not None and not is_new else None
        if position is not None:
            self.table.move_to(position)
        self.post_message(self.Shown())

    def _show_some(self, wanted: RowFilter, ordinals: array[int]) -> None:
        """Show what is picked by now; where all rows are merely put in order, it is known how many they are."""
        if self.is_attached and self.is_picking and wanted == self.wanted and self._record is not None:
            total = len(ordinals) if wanted.leaves_out else self._record.rows
            self._show_view(RunView(self._desk.reader, self._record.id, total, ordinals))
            self.post_message(self.Shown())

    def _show_detail(self) -> None:
        row = self.table.at_hand
        if row is not None and is_masked(self):
            row = row._replace(input=masked_number(row.input))
        self.detail.show(panels.detail(row, self.size.width))

    def _show_view(self, view: RunView | None) -> None:
        self._view = view
        self.table.show(view, self.look)
        self.lay_seam()

    def _hide_search(self) -> None:
        if self.is_searching:
            self.table.focus()
        self.search_line.close()
