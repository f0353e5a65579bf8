"""How a list comes to the Check screen: pasted, from a file or the sample, and read in another way."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import events, work
from textual.worker import Worker

from watui.desk import Given
from watui.intake.sources import PASTE_NAME, SAMPLE_NAME, STDIN, source_name
from watui.ledger.rows import RowFilter
from watui.tui.phases import LEFT_ALONE, Phase
from watui.tui.screens.rows import RowsScreen
from watui.tui.session import Session

if TYPE_CHECKING:
    from watui.tui.changes import Changes
    from watui.tui.hiding import Hiding


class IntakeScreen(RowsScreen):
    """A screen that takes lists, up to their preview."""

    def __init__(self, session: Session, find_changes: Callable[[], Changes], hiding: Hiding) -> None:
        super().__init__(session, find_changes, hiding)
        self.adding: Worker[None] | None = None
        """What reads a list."""

    @abstractmethod
    def show_phase(self) -> None:
        """Show what belongs to the phase of the list, after it has changed."""

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        if self.session.is_asking:
            self.refuse("A run is under way: let it end or cancel it, then paste again.")
        elif self.session.phase is Phase.IMPORTING:
            self.refuse("A list is being read: paste again when it is in.")
        elif not event.text.strip():
            self.refuse("There was nothing but blanks to paste.")
        elif self._takes_more():
            self.adding = self._add(Given(STDIN, PASTE_NAME, event.text))

    @work(exclusive=True, group="import")
    async def action_import(self) -> None:
        if self.session.is_asking or self.session.phase is Phase.IMPORTING:
            self.refuse("A list is under way: let it end or cancel it, then import.")
            return
        if not self._takes_more():
            return
        from watui.tui.screens.dialogs import ImportDialog

        path = await self.app.push_screen_wait(ImportDialog())
        if path is not None:
            self.adding = self._add(Given(str(path), source_name(str(path))))

    def _takes_more(self) -> bool:
        """Whether rows can be added: not to a draft of another server or region; that is told."""
        why = self.session.why_not_here if self.session.phase is Phase.PREVIEW else None
        if why is not None:
            self.refuse(why)
        return why is None

    def action_sample(self) -> None:
        if not self.session.desk.is_simulator:
            self.refuse("Sample numbers are for the simulator only: they are never sent to a real server.")
        elif self.session.phase in LEFT_ALONE | {Phase.EMPTY}:
            from watui.intake.sample import sample_text

            self.adding = self._add(Given(STDIN, SAMPLE_NAME, sample_text()))
        else:
            self.refuse("There is a list on the screen already.")

    @work(exclusive=True, group="add")
    async def _add(self, given: Given) -> None:
        self._begin_import(given.name)
        try:
            with self.refusing():
                await self.session.add(given)
        finally:
            self.show_phase()

    def _begin_import(self, name: str) -> None:
        self.rows.filter(RowFilter())
        self.session.begin_import(name)
        self.show_phase()

    @work(exclusive=True, group="look")
    async def action_column(self) -> None:
        """Let another column of what was read last be the one with the numbers."""
        from watui.intake.entries import look_at
        from watui.tui.screens.layouts import ColumnDialog

        session = self.session
        if (why := session.why_not_again) is not None:
            self.refuse(why)
            return
        *others, last = session.given
        with self.refusing():
            look = await asyncio.to_thread(look_at, last.path, last.text)
            column = await self.app.push_screen_wait(ColumnDialog(last.name, look, last.column))
            if column is not None and session.why_not_again is None:
                self.adding = self._read_otherwise((*others, last._replace(column=column)), session.list_region)

    @work(exclusive=True, group="look")
    async def action_list_region(self) -> None:
        """Say of which country the numbers without + are."""
        from watui.tui.screens.layouts import CountryDialog

        session = self.session
        if (why := session.why_not_again) is not None:
            self.refuse(why)
            return
        found = session.summary.list_region if session.summary is not None else None
        dialog = CountryDialog(session.list_region or found or "", session.desk.region)
        wanted = await self.app.push_screen_wait(dialog)
        if wanted is not None and session.why_not_again is None:
            self.adding = self._read_otherwise(session.given, wanted or None)

    @work(exclusive=True, group="add")
    async def _read_otherwise(self, given: tuple[Given, ...], list_region: str | None) -> None:
        self._begin_import(given[-1].name)
        try:
            with self.refusing():
                await self.session.read_again(given, list_region)
        finally:
            self.show_phase()
