"""Why a contact is blocked or reported: the dialogs that ask, with a counter that is right for every script."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.getters import query_one
from textual.message import Message
from textual.widgets import Input

from watui.actions import words
from watui.contract.rules import MAX_REASON
from watui.ledger.trail import Kind, Wish
from watui.text import clean
from watui.tui.screens.closing import unless_closed
from watui.tui.screens.modal import Modal
from watui.tui.themes import DIM
from watui.tui.widgets.safe_input import SafeInput
from watui.tui.widgets.static import Static
from watui.tui.widgets.toggle import Toggle

_KEY = "bold $primary"


class PickInput(SafeInput):
    """An input in which up and down go through texts that were used before."""

    BINDINGS: ClassVar = [Binding("up", "pick(1)", show=False), Binding("down", "pick(-1)", show=False)]

    def __init__(self, known: Sequence[str], *, placeholder: str, id: str) -> None:
        super().__init__(placeholder=placeholder, id=id)
        self.known = known
        self._picked = -1

    def action_pick(self, step: int) -> None:
        """Put the text used before that one in place; beyond the latest an empty one."""
        self._picked = max(-1, min(self._picked + step, len(self.known) - 1))
        self.value = self.known[self._picked] if self._picked >= 0 else ""
        self.cursor_position = len(self.value)


class ReasonInput(Horizontal):
    """A reason of 1 to 59 code points, or none, with a counter."""

    DEFAULT_CSS = """
    ReasonInput {
        height: 3;
    }
    ReasonInput Input {
        width: 1fr;
    }
    ReasonInput #reason-count {
        width: 9;
        padding: 1 0 0 1;
    }
    """

    field = query_one("#reason", PickInput)
    count = query_one("#reason-count", Static)

    class Changed(Message):
        """Another reason stands there."""

    def __init__(self, recent: Sequence[str]) -> None:
        super().__init__()
        self._recent = recent

    def compose(self) -> ComposeResult:
        more = "   ↑ recent ones" if self._recent else ""
        yield PickInput(self._recent, placeholder=f"reason (optional){more}", id="reason")
        yield Static(id="reason-count")

    @unless_closed
    def on_mount(self) -> None:
        self._show()

    @property
    def value(self) -> str | None:
        """The reason, None where there is none."""
        return self.field.value.strip() or None

    @property
    def problem(self) -> str | None:
        """Why it can't be sent."""
        return words.reason_problem(self.value or "")

    @on(Input.Changed)
    def changed(self, event: Input.Changed) -> None:
        event.stop()
        self._show()
        self.post_message(self.Changed())

    def _show(self) -> None:
        length = len(self.value or "")
        self.count.update(Content.styled(f"{length} of {MAX_REASON}", "bold $text-error" if self.problem else DIM))


class BlockDialog(Modal[Wish | None]):
    """Asks whether a contact is to be blocked, and why."""

    AUTO_FOCUS = "#reason"
    reason = query_one(ReasonInput)
    hint = query_one("#hint", Static)

    def __init__(self, name: str, profile: str, recent: Sequence[str]) -> None:
        super().__init__()
        self._who = name
        self._where = profile
        self._recent = recent

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(Content.assemble(("Block ", "bold"), (self._who, "bold"), f" at {self._where}"))
            yield ReasonInput(self._recent)
            yield Static(
                Content("Only who has written to you within the last 24 hours can be blocked. Its messages stop."),
            )
            yield Static(_submit("block it"), id="hint")

    @on(Input.Submitted)
    def submit(self, event: Input.Submitted) -> None:
        event.stop()
        if (problem := self.reason.problem) is not None:
            self.hint.update(Content.styled(f"The reason is {problem}", "$text-error"))
        else:
            self.dismiss(Wish(Kind.BLOCK, self.reason.value))

    @on(ReasonInput.Changed)
    def mended(self) -> None:
        self.hint.update(_submit("block it"))


class ReportDialog(Modal[Wish | None]):
    """Asks what of a contact is reported, and why."""

    BINDINGS: ClassVar = [Binding("enter", "submit", show=False)]
    AUTO_FOCUS = "#reason"
    reason = query_one(ReasonInput)
    message_id = query_one("#message-id", PickInput)
    also_block = query_one(Toggle)
    leaves = query_one("#leaves", Static)
    hint = query_one("#hint", Static)

    def __init__(self, name: str, profile: str, recent: Sequence[str], message_ids: Sequence[str]) -> None:
        super().__init__()
        self._who = name
        self._where = profile
        self._recent = recent
        self._message_ids = message_ids

    def compose(self) -> ComposeResult:
        known = f"   ↑ {len(self._message_ids)} known" if self._message_ids else ""
        with Vertical(id="dialog"):
            yield Static(Content.assemble(("Report ", "bold"), (self._who, "bold"), f" at {self._where}"))
            yield ReasonInput(self._recent)
            yield PickInput(self._message_ids, placeholder=f"message id (optional){known}", id="message-id")
            yield Toggle("also block it")
            yield Static(id="leaves")
            yield Static(_submit("go on", has_fields=True), id="hint")

    @unless_closed
    def on_mount(self) -> None:
        self._show()

    @on(Input.Changed, "#message-id")
    @on(ReasonInput.Changed)
    def changed(self) -> None:
        self._show()

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_submit()

    def action_submit(self) -> None:
        """Give what was asked for, or say what is wrong with it."""
        if (problem := self.reason.problem) is not None:
            self.hint.update(Content.styled(f"The reason is {problem}", "$text-error"))
            return
        message_id = self.message_id.value.strip() or None
        self.dismiss(Wish(Kind.REPORT, self.reason.value, message_id, also_block=self.also_block.value))

    def _show(self) -> None:
        leaves = clean(words.what_leaves(self.message_id.value.strip()))
        self.leaves.update(Content.assemble((leaves, "$text-warning"), f" {words.NO_UNDO}"))
        self.hint.update(_submit("go on", has_fields=True))


def _submit(what: str, has_fields: bool = False) -> Content:
    fields = Content.assemble(("tab", _KEY), " next field   ") if has_fields else ""
    return Content.assemble(("enter", _KEY), f" {what}   ", fields, ("esc", _KEY), " back")
