"""The Blocklist screen: pages, search, marks, unblock, and block what is pasted."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.getters import query_one

from watui.actions.plans import Target, target_of
from watui.client.blocklist import Part
from watui.client.failures import Failure, NotOffered
from watui.intake.entries import Entry, Row, open_entries, read_entries
from watui.intake.sources import PASTE_NAME
from watui.ledger.schema import LedgerUnusable
from watui.ledger.trail import Kind
from watui.tui import blocklist_view, panels
from watui.tui.blocklist import PAGE_SIZES, Blocklist, BlockRow
from watui.tui.changes import Changes
from watui.tui.commands import Scope, bar, bindings
from watui.tui.contacts import Contact
from watui.tui.hiding import Hiding
from watui.tui.keys import key_of
from watui.tui.screens.closing import unless_closed
from watui.tui.screens.dialogs import ImportDialog, PlaceDialog
from watui.tui.screens.main import BLOCKLIST, ContactsScreen
from watui.tui.widgets.line import Line
from watui.tui.widgets.row_table import RowTable
from watui.tui.widgets.search_line import SearchLine
from watui.tui.widgets.static import Static

Step = Callable[[], Awaitable[object]]


class BlocklistScreen(ContactsScreen):
    """Shows the Blocklist, which holds the pages."""

    CSS_PATH = "blocklist.tcss"
    BINDINGS: ClassVar = bindings(Scope.BLOCKLIST)
    SCOPE = Scope.BLOCKLIST
    AUTO_FOCUS = "RowTable"

    state = query_one("#blocklist-state", Line)
    notice = query_one("#blocklist-notice", Line)
    table = query_one("#blocklist-table", RowTable)
    welcome = query_one("#blocklist-welcome", Static)
    search_line = query_one(SearchLine)
    detail = query_one("#blocklist-detail", Line)

    def __init__(self, find_changes: Callable[[], Changes], hiding: Hiding) -> None:
        super().__init__(find_changes, hiding)
        self.id = BLOCKLIST
        self.blocklist = Blocklist(self.changes.desk)
        self._seen = self.changes.made
        self._problem: str | None = None
        self._is_offered = True
        """Whether the server has a blocklist, as far as is known."""
        self._reading: str | None = None

    def compose(self) -> ComposeResult:
        yield Line(id="title")
        yield Line(id="blocklist-state")
        yield Line(id="blocklist-notice")
        yield RowTable(id="blocklist-table")
        yield Static(blocklist_view.welcome(), id="blocklist-welcome")
        yield SearchLine("part of a number, a wa_id, a reason or a name")
        yield Line(id="blocklist-detail")
        yield Line(id="keys")

    def on_mount(self) -> None:
        self.app.mode_change_signal.subscribe(self, self._came_here)
        self.watch(self.app, "is_utc", lambda: self._show_detail(self.table.row), init=False)
        self.watch(self.table, "at_hand", self._show_detail, init=False)
        self.show()
        self._go(self.blocklist.load)

    def _came_here(self, mode: str) -> None:
        if mode == BLOCKLIST and self.blocklist.page is not None and self.blocklist.found is None:
            self._go(self.blocklist.reload)

    def on_resize(self) -> None:
        self.show()

    def contact_at_hand(self) -> Contact | None:
        row = self.table.row
        return row.contact if isinstance(row, BlockRow) else None

    async def versions_at_hand(self) -> Sequence[str | None]:
        row = self.table.row
        return (row.known.server_version,) if isinstance(row, BlockRow) and row.known.status else ()

    def changed(self) -> None:
        if self._seen != self.changes.made:
            self._seen = self.changes.made
            self._go(self.blocklist.reload)

    # Going through the list

    @work(exclusive=True, group="blocklist")
    async def _go(self, step: Step) -> None:
        """Take a step on the list, then read the next page ahead."""
        async with self._reading_it("Reading…"):
            await step()
        if self._problem is None:
            async with self._reading_it(None):
                await self.blocklist.read_ahead()

    @contextlib.asynccontextmanager
    async def _reading_it(self, words: str | None) -> AsyncIterator[None]:
        self._problem, self._reading = None, words
        page = self.blocklist.page
        if page is None:
            self._show_state()
        try:
            yield
        except Failure as failure:
            self._is_offered = not isinstance(failure, NotOffered)
            self._problem = f"{failure.title}. {failure.next_step}"
        except (LedgerUnusable, OSError) as error:
            self._problem = str(error)
        # Not where it was cancelled: then another reading has begun, of which the words are.
        self._reading = None
        self.show()

    def action_page(self, step: int) -> None:
        if self.blocklist.found is not None:
            self.refuse(f"A search shows all that it found: {key_of('blocklist.clear')} goes back to the pages.")
        else:
            self._go(lambda: self._turn(step))

    async def _turn(self, step: int) -> None:
        if not await self.blocklist.turn(step):
            self.refuse("That is the last page." if step > 0 else "That is the first page.")

    def action_first_page(self) -> None:
        self._go(self.blocklist.load)

    def action_last_page(self) -> None:
        self._go(self.blocklist.last)

    def action_again(self) -> None:
        self._go(self.blocklist.reload)

    def action_size(self) -> None:
        limit = self.blocklist.limit
        self.blocklist.limit = PAGE_SIZES[(PAGE_SIZES.index(limit) + 1) % len(PAGE_SIZES)]
        self.action_first_page()

    @work(exclusive=True, group="jump")
    async def action_jump(self) -> None:
        total = self.blocklist.total
        place = await self.app.push_screen_wait(PlaceDialog(total)) if total else None
        if place is not None:
            limit = self.blocklist.limit
            self._go(lambda: self._jump((place - 1) // limit * limit, (place - 1) % limit))

    async def _jump(self, offset: int, row: int) -> None:
        await self.blocklist.load(offset)
        self.show()
        self.table.move_to(row)

    # Searching and marking

    def action_find(self) -> None:
        self.search_line.open()

    @on(SearchLine.Wanted)
    def search(self, event: SearchLine.Wanted) -> None:
        if not event.is_done:
            return  # The whole list is read for it.
        self.table.focus()
        if event.text:
            self._go(lambda: self.blocklist.search(event.text, self._progress))

    def _progress(self, part: Part) -> None:
        self._reading = f"{part.known:,} of {part.total:,} read"
        self._show_state()

    def action_clear(self) -> None:
        """One step back."""
        if self.search_line.is_open:
            self.search_line.close()
            self.table.focus()
        elif self.blocklist.found is not None:
            self.blocklist.end_search()
        elif self.blocklist.marked:
            self.blocklist.marked.clear()
        self.show()

    def action_mark(self) -> None:
        row = self.table.row
        if isinstance(row, BlockRow):
            self.blocklist.mark(row.wa_id)
            self.table.update_rows()
            self.table.action_move(1)
            self._show_state()

    # Changing it

    @work(group="change")
    async def action_unblock(self) -> None:
        marked = self.blocklist.marked_contacts()
        at_hand = self.contact_at_hand()
        contacts = marked or ([at_hand] if at_hand else [])
        if not contacts:
            self.refuse("There is nobody to unblock here.")
            return
        if await self.change(Kind.UNBLOCK, [contact.target for contact in contacts]):
            self.blocklist.marked.clear()
            self.show()

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        if self.changes.may_change():
            self._block_text(event.text)

    @work(group="change")
    async def action_add(self) -> None:
        path = (
            await self.app.push_screen_wait(ImportDialog("Block the numbers of a file"))
            if self.changes.may_change()
            else None
        )
        if path is not None:
            with self.refusing():
                await self._block(await asyncio.to_thread(self._targets_in, str(path)))

    @work(group="change")
    async def _block_text(self, text: str) -> None:
        with self.refusing():
            lines = io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n"))
            _, rows = read_entries(lines, None, PASTE_NAME)
            await self._block(await asyncio.to_thread(self._targets, rows))

    def _targets_in(self, path: str) -> list[Target]:
        with open_entries(path, None) as source:
            return self._targets(source.rows)

    def _targets(self, rows: Iterable[Row]) -> list[Target]:
        return [target_of(row, self.changes.desk.region) for row in rows if isinstance(row, Entry)]

    async def _block(self, targets: list[Target]) -> None:
        if targets:
            await self.change(Kind.BLOCK, targets)
        else:
            self.refuse("There are no numbers in that: give one a row.")

    # What is shown

    def _show_detail(self, row: object) -> None:
        self.detail.show(blocklist_view.detail(row if isinstance(row, BlockRow) else None))

    @unless_closed
    def show(self) -> None:
        """Show the list as it stands."""
        self.table.show(blocklist_view.BlocklistView(self.blocklist), blocklist_view.BlocklistLook())
        is_empty = self.blocklist.page is not None and not self.blocklist.total
        self.welcome.display = is_empty
        self.table.display = not is_empty
        self._show_state()

    @unless_closed
    def _show_state(self) -> None:
        self.title_line.show(panels.title(self.changes.desk, BLOCKLIST, None, None, self.size.width))
        self.state.show(blocklist_view.state(self.blocklist, self._reading, is_offered=self._is_offered))
        self.notice.show(blocklist_view.notice(self.blocklist, self._problem))
        self.show_keys()

    @unless_closed
    def show_keys(self) -> None:
        offered = bar(Scope.BLOCKLIST, is_hiding=self.hiding.is_on)
        self.keys.show(panels.key_bar(offered, self.size.width, self.changes.desk))
