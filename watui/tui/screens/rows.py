"""The screens that show the rows of a run: to look closer at them, and to take them away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import work
from textual.getters import query_one

from watui.ledger.trail import Kind
from watui.text import counted
from watui.tui import panels
from watui.tui.keys import key_of
from watui.tui.phases import Phase
from watui.tui.screens.main import ContactsScreen
from watui.tui.session import Session
from watui.tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from watui.tui.changes import Changes
    from watui.tui.contacts import Contact
    from watui.tui.hiding import Hiding

MOST_COPIED = 75_000
"""Characters that go to a terminal's clipboard; terminals drop what is much longer."""


class RowsScreen(ContactsScreen):
    """A screen with the rows of the list at hand; there may be no list."""

    rows = query_one("#rows", RowList)

    def __init__(self, session: Session, find_changes: Callable[[], Changes], hiding: Hiding) -> None:
        super().__init__(find_changes, hiding)
        self.session = session

    # Looking closer, and taking away

    async def action_search(self) -> None:
        if self.session.record is not None:
            await self.rows.start_search()

    def action_status(self) -> None:
        """Show the rows of the next status, after the last one all."""
        if self.session.record is None:
            return
        wanted = self.rows.wanted
        tally = self.session.tally
        choices = [None, *(name for name in panels.shown_statuses(tally, self.session.version) if name in tally)]
        place = choices.index(wanted.status) if wanted.status in choices else 0
        self.rows.filter(wanted._replace(status=choices[(place + 1) % len(choices)]))

    def action_arrange(self) -> None:
        if self.session.phase is Phase.IMPORTING:
            self.refuse("A list is being read: arrange its rows when it is in.")
        elif self.session.record is not None:
            self.rows.reorder()

    @work(exclusive=True, group="jump")
    async def action_jump(self) -> None:
        from watui.tui.screens.dialogs import PlaceDialog

        total = self.rows.table.row_count
        if not total:
            self.refuse("There is no row to go to.")
            return
        place = await self.app.push_screen_wait(PlaceDialog(total))
        if place is not None:
            self.rows.table.move_to(place - 1)

    @work(exclusive=True, group="copy")
    async def action_copy(self) -> None:
        record = self.session.record
        if record is None:
            return
        with self.refusing():
            numbers = await self.session.desk.archive.numbers(record.id, self.rows.wanted, MOST_COPIED)
            if numbers is None:
                self.refuse(
                    f"That is too much for a terminal's clipboard: export the rows with {key_of('check.export')}."
                )
            elif not numbers:
                self.refuse("No row shown holds a number.")
            elif await self.may_copy():
                from watui.tui.clipboard import copy, nothing_came

                count, went = counted(len(numbers), "number"), await copy(self.app, "\n".join(numbers))
                self.notify(f"{count} {went}. {nothing_came('check.export', 'exports')}", markup=False)

    @work(exclusive=True, group="export")
    async def action_export(self) -> None:
        record = self.session.record
        if record is None:
            return
        from watui.tui.screens.dialogs import Destination, ExportDialog, free_name

        suggestion = free_name(f"watui-run-{record.id}")
        wanted, archive = self.rows.wanted, self.session.desk.archive

        async def write(place: Destination) -> None:
            self.tell_exported(await archive.export(record.id, wanted, *place), place)

        await self.write_where_wanted(ExportDialog, self.rows.table.row_count, suggestion, write)

    # Contacts

    def contact_at_hand(self) -> Contact | None:
        from watui.tui.contacts import Contact

        row = self.rows.table.row
        return Contact.of_row(row) if row is not None else None

    @work(group="change")
    async def action_block_all(self) -> None:
        record = self.session.record
        if record is None:
            self.refuse("There is no list to block.")
            return
        with self.refusing():
            targets = await self.session.desk.archive.targets(record.id, self.rows.wanted)
            await self.change(Kind.BLOCK, targets)
