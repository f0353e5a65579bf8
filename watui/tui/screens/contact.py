"""A contact's panel: who it is, what a server said of it, what was done to it, and what can be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.getters import query_one

from watui.client.failures import Failure, Refused
from watui.contract import errors
from watui.ledger import trail
from watui.ledger.schema import LedgerUnusable
from watui.ledger.trail import Kind, Outcome
from watui.tui.commands import Scope, bar, bindings, together
from watui.tui.contacts import Contact, Facts, lines
from watui.tui.masking import is_masked
from watui.tui.panels import key_bar
from watui.tui.screens.closing import unless_closed
from watui.tui.screens.modal import Modal
from watui.tui.widgets.line import Line
from watui.tui.widgets.static import Static

if TYPE_CHECKING:
    from watui.tui.changes import Changes


class ContactScreen(Modal[None]):
    """Shows one contact. What the ledger knows is there at once, what the server knows comes when it answers."""

    CSS_PATH = "changes.tcss"
    BINDINGS: ClassVar = bindings(*together(Scope.CONTACT))
    facts_shown = query_one("#facts", Static)
    scroll = query_one("#contact-scroll", VerticalScroll)
    keys = query_one("#contact-keys", Line)

    def __init__(self, contact: Contact, changes: Changes) -> None:
        super().__init__()
        self._contact = contact
        self._changes = changes
        self._facts = Facts([], [])

    def compose(self) -> ComposeResult:
        with Vertical(id="contact"):
            with VerticalScroll(id="contact-scroll"):
                yield Static(id="facts")
            yield Line(id="contact-keys")

    def on_mount(self) -> None:
        for shown_otherwise in ("is_utc", "hides_numbers"):
            self.watch(self.app, shown_otherwise, lambda: self._show(self._facts), init=False)
        self._look()

    def on_resize(self) -> None:
        self.call_after_refresh(lambda: self._show(self._facts))

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        """Read everything again, the ledger first."""
        desk, contact = self._changes.desk, self._contact
        try:
            verdicts = trail.history(desk.reader, desk.server_id, contact.number)
            actions = trail.of_contact(desk.reader, contact.number, contact.wa_id, desk.server_id)
        except LedgerUnusable as error:
            self._changes.refuse(str(error))
            return
        if contact.wa_id is None and (told := next((v.wa_id for v in verdicts if v.wa_id), None)):
            self._contact = contact = contact._replace(wa_id=told)
        self._show(self._facts._replace(verdicts=verdicts, actions=actions))
        self._show(self._facts._replace(state=next(iter(await desk.contacts_backstage([contact.number])), None)))
        await self._look_at_server(contact)

    async def _look_at_server(self, contact: Contact) -> None:
        try:
            actions = await self._changes.desk.actions()
            identity = await actions.client.identity(contact.likely_wa_id)
            self._show(self._facts._replace(identity=identity, identity_problem=None))
        except Refused as failure:
            is_nobody = failure.code == errors.NOT_FOUND
            words = "none: the server knows no such contact" if is_nobody else failure.title
            self._show(self._facts._replace(identity=None, identity_problem=words))
        except (Failure, OSError) as error:
            self._show(self._facts._replace(identity=None, identity_problem=f"unknown: {error}"))
        try:
            is_blocked = await self._changes.is_blocked(contact)
            self._show(self._facts._replace(is_blocked=is_blocked, blocked_problem=None))
        except (Failure, OSError) as error:
            self._show(self._facts._replace(is_blocked=None, blocked_problem=f"unknown: {error}"))

    @unless_closed
    def _show(self, facts: Facts) -> None:
        self._facts = facts
        width = self.scroll.scrollable_content_region.width
        self.facts_shown.update(lines(self._contact, facts, width, hides_numbers=is_masked(self)))
        self._show_keys()

    def _show_keys(self) -> None:
        offered = [command for command in bar(Scope.CONTACT) if self._is_offered(command.id)]
        self.keys.show(key_bar(offered, self.keys.size.width, self._changes.desk))

    def _is_offered(self, command_id: str) -> bool:
        match command_id:
            case "block":
                return self._facts.is_blocked is not True
            case "unblock":
                return self._facts.is_blocked is not False
            case "acknowledge":
                return self._facts.identity is not None and not self._facts.identity.acknowledged
            case "decide":
                return any(action.outcome is Outcome.UNKNOWN for action in self._facts.actions)
            case "inbound":
                return self._changes.desk.is_simulator
            case _:
                return True

    async def action_meaning(self) -> None:
        from watui.tui.screens.meaning import MeaningScreen

        said = {verdict.server_version for verdict in self._facts.verdicts}
        await self.app.push_screen(MeaningScreen(list(said) or [self._changes.desk.expected_version]))

    @work(group="change")
    async def action_block(self) -> None:
        await self._changes.change(Kind.BLOCK, [self._contact.target])
        self._look()

    @work(group="change")
    async def action_unblock(self) -> None:
        await self._changes.change(Kind.UNBLOCK, [self._contact.target])
        self._look()

    @work(group="change")
    async def action_report(self) -> None:
        await self._changes.change(Kind.REPORT, [self._contact.target])
        self._look()

    @work(group="change")
    async def action_acknowledge(self) -> None:
        if self._facts.identity is None:
            self._changes.refuse("There is no identity to acknowledge.")
        elif self._facts.identity.acknowledged:
            self._changes.refuse("This identity is acknowledged already.")
        else:
            await self._changes.acknowledge(self._contact, self._facts.identity)
            self._look()

    @work(group="change")
    async def action_inbound(self) -> None:
        await self._changes.inbound(self._contact)
        self._look()

    @work(group="change")
    async def action_decide(self) -> None:
        await self._changes.decide(self._contact)
        self._look()
