"""What the screens that a list fills have in common: the title, the key bar, changes of contacts, plain refusals."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.content import Content
from textual.getters import query_one
from textual.screen import Screen

from watui.files import CannotWrite
from watui.intake.problems import BadSource
from watui.ledger.drivers import Driven
from watui.ledger.schema import LedgerUnusable
from watui.ledger.trail import Kind
from watui.text import clean, counted
from watui.tui.commands import Scope, bindings
from watui.tui.keys import key_of
from watui.tui.widgets.ground import Ground
from watui.tui.widgets.line import Line

if TYPE_CHECKING:
    from watui.actions.plans import Target
    from watui.archive import Exported
    from watui.tui.changes import Changes
    from watui.tui.contacts import Contact
    from watui.tui.hiding import Hiding
    from watui.tui.screens.dialogs import Destination, ExportDialog

CHECK, BLOCKLIST, RUNS, SETTINGS, TRAFFIC = "check", "blocklist", "runs", "settings", "traffic"
"""Names of the screens."""


class MainScreen(Screen[None], Ground):
    """One of the screens between which the digits go."""

    BINDINGS: ClassVar = bindings(Scope.SCREENS)
    SCOPE: ClassVar[Scope]
    """Whose commands it has beside those of all main screens."""

    title_line = query_one("#title", Line)
    keys = query_one("#keys", Line)

    def __init__(self, find_changes: Callable[[], Changes], hiding: Hiding) -> None:
        super().__init__()
        self._find_changes = find_changes
        self.hiding = hiding

    @property
    def changes(self) -> Changes:
        """What changes contacts; it is loaded when it is first needed."""
        return self._find_changes()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # A key may come before the widgets that it is about.
        return super().check_action(action, parameters) if self.is_mounted else False

    def show_keys(self) -> None:
        """Show what the keys do now."""
        raise NotImplementedError

    async def may_copy(self) -> bool:
        """Whether numbers may be copied whole: where they are hidden, that is asked."""
        if not self.hiding.is_on:
            return True
        from watui.tui.screens.dialogs import Confirm

        question = Content.assemble(
            ("Copy the numbers with all their digits?", "bold"),
            f"\n\nThey are hidden on the screen: {key_of('showing.mask')} shows them.",
        )
        answer = await self.app.push_screen_wait(Confirm(question, "copy them"))
        return answer is True

    def action_show_check(self) -> None:
        self._go_to(CHECK)

    def action_show_blocklist(self) -> None:
        self._go_to(BLOCKLIST)

    def action_show_runs(self) -> None:
        self._go_to(RUNS)

    def action_show_settings(self) -> None:
        self._go_to(SETTINGS)

    def action_show_traffic(self) -> None:
        self._go_to(TRAFFIC)

    async def versions_at_hand(self) -> Sequence[str | None]:
        """Return the versions of the servers whose statuses are at hand; None for one that is not known."""
        return ()

    @work(exclusive=True, group="meaning")
    async def action_meaning(self) -> None:
        from watui.tui.screens.meaning import MeaningScreen

        with self.refusing():
            versions = await self.versions_at_hand() or (self.changes.desk.expected_version,)
            if self.is_active:
                await self.app.push_screen(MeaningScreen(versions))

    def _go_to(self, name: str) -> None:
        if self.is_active and self.id != name:
            self.app.switch_mode(name)

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """Tell a failure that a person can do something about."""
        try:
            yield
        except (BadSource, CannotWrite, Driven, LedgerUnusable, OSError) as error:
            self.refuse(str(error))

    @contextlib.contextmanager
    def telling_deleted(self, rows: int) -> Iterator[None]:
        """Tell the end of deleting so many rows, where that takes long enough for it to be shown meanwhile."""
        from watui.archive import LONG_SECONDS

        began_at = time.monotonic()
        yield
        if time.monotonic() - began_at >= LONG_SECONDS:
            self.notify(f"{counted(rows, 'row')} deleted.", markup=False)

    async def write_where_wanted(
        self, dialog: type[ExportDialog], count: int, path: Path, write: Callable[[Destination], Awaitable[None]]
    ) -> None:
        """Ask where to, and write; where that fails, ask again with what was given, and the reason."""
        problem, hides_numbers = None, self.hiding.is_on
        while (
            given := await self.app.push_screen_wait(dialog(count, path, problem, hides_numbers=hides_numbers))
        ) is not None:
            try:
                await write(given)
                return
            except LedgerUnusable as error:  # No other path mends that.
                self.refuse(str(error))
                return
            except (CannotWrite, OSError) as error:
                (path, hides_numbers), problem = given, str(error)
            if not self.is_active:
                self.refuse(problem)
                return

    def tell_written(self, words: str, destination: Destination) -> None:
        """Say how much was written, and where."""
        hidden = ", numbers hidden" if destination.hides_numbers else ""
        self.notify(f"{words} written to {clean(str(destination.path))}{hidden}", markup=False)

    def tell_exported(self, exported: Exported, destination: Destination) -> None:
        """Say what was written, and what must be known of it."""
        self.tell_written(exported.words, destination)
        if exported.warning is not None:
            self.notify(exported.warning, severity="warning", markup=False, timeout=15)

    def refuse(self, words: str) -> None:
        """Say why something is not done."""
        self.notify(clean(words), severity="warning", markup=False)


class ContactsScreen(MainScreen):
    """A screen whose rows are contacts."""

    BINDINGS: ClassVar = bindings(Scope.CONTACTS)

    def contact_at_hand(self) -> Contact | None:
        """Return the contact of the row under the cursor."""
        raise NotImplementedError

    def changed(self) -> None:
        """Show what a change of contacts has led to."""

    @work(exclusive=True, group="contact")
    async def action_contact(self) -> None:
        from watui.tui.screens.contact import ContactScreen

        if (contact := self._contact()) is not None:
            await self.app.push_screen_wait(ContactScreen(contact, self.changes))
            self.changed()

    @work(group="change")
    async def action_block(self) -> None:
        if (contact := self._contact()) is not None:
            await self.change(Kind.BLOCK, [contact.target])

    @work(group="change")
    async def action_report(self) -> None:
        if (contact := self._contact()) is not None:
            await self.change(Kind.REPORT, [contact.target])

    @work(group="change")
    async def action_undo(self) -> None:
        await self.changes.undo()
        self.changed()

    async def change(self, kind: Kind, targets: Sequence[Target]) -> bool:
        """Change contacts, after asking, and show what has become of them; return whether anything was sent."""
        was_sent = await self.changes.change(kind, targets)
        self.changed()
        return was_sent

    def _contact(self) -> Contact | None:
        contact = self.contact_at_hand()
        if contact is None:
            self.refuse("There is no number at hand: go to a row that has one.")
        return contact
