"""A dialog about the budget: what was sent is entered, or so many calls are allowed all the same."""

from typing import NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Input

from watui.checks.budget import MOST_AT_ONCE, POLICY, count_of, meter
from watui.ledger.rows import Budget
from watui.text import clean
from watui.tui.screens.modal import Modal
from watui.tui.widgets.safe_input import SafeInput
from watui.tui.widgets.static import Static


class Entered(NamedTuple):
    """What a person has typed."""

    number: int
    is_over: bool
    """Whether these are calls beyond the messages sent, and not messages."""


class BudgetDialog(Modal[Entered | None]):
    """Shows a budget and asks for messages that were sent since; once it is used up, also by how much to go over it."""

    AUTO_FOCUS = "#messages"
    hint = query_one("#hint", Static)

    def __init__(self, profile: str, budget: Budget) -> None:
        super().__init__()
        self._profile = profile
        self._budget = budget

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(Content.styled(f"The budget of {clean(self._profile)}: {meter(self._budget)}", "bold"))
            yield Static(Content(POLICY), id="policy")
            yield SafeInput(placeholder="messages sent since the last entry", type="integer", id="messages")
            if not self._budget.left:
                yield SafeInput(placeholder="or: go on over the budget by so many calls", type="integer", id="over")
            tab = "" if self._budget.left else " · tab goes to the other field; the trail keeps what is entered there"
            yield Static(Content(f"enter enters it · esc goes back{tab}"), id="hint")

    @on(Input.Submitted)
    def submit(self, event: Input.Submitted) -> None:
        event.stop()
        if number := count_of(event.value):
            self.dismiss(Entered(number, event.input.id == "over"))
        else:
            self.hint.update(Content.styled(f"Type a number from 1 to {MOST_AT_ONCE:,}", "$text-error"))
