"""Questions about how a list is read: which column holds the numbers, and of which country they are."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Input, OptionList

from watui.contract.conversion import UnknownRegion
from watui.contract.list_regions import PLUS, check_list_region
from watui.intake.entries import Look
from watui.text import clean, masked, masked_number, shortened
from watui.tui.masking import is_masked
from watui.tui.screens.modal import Modal
from watui.tui.widgets.safe_input import SafeInput
from watui.tui.widgets.static import Static

_MOST_OF_A_CELL = 20


class ColumnDialog(Modal[str | None]):
    """Shows the first rows by column and asks which one holds the numbers; gives its number, from 1, or None."""

    AUTO_FOCUS = "OptionList"
    columns = query_one(OptionList)

    def __init__(self, name: str, look: Look, chosen: str | None) -> None:
        """`chosen` is the number of the column that was chosen before, None for the one that was found."""
        super().__init__()
        self._of = name
        self._rows = look.first
        self._at_hand = int(chosen) - 1 if chosen is not None else look.layout.column
        self._has_header = look.layout.has_header

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(Content(f"Which column of {clean(self._of)} holds the numbers?").stylize("bold"))
            count = max(map(len, self._rows), default=0)
            yield OptionList(*(self._described(index) for index in range(count)))
            yield Static(Content("enter reads it again · esc goes back"), id="hint")

    def on_mount(self) -> None:
        self.columns.highlighted = self._at_hand

    def _described(self, index: int) -> Content:
        cells = [clean(row[index].strip()) if index < len(row) else "" for row in self._rows]
        if is_masked(self):
            cells = list(map(masked_number if index == self._at_hand else masked, cells))
        cells = [shortened(cell, _MOST_OF_A_CELL) or "–" for cell in cells]
        header = [(f"{cells.pop(0)}  ", "bold")] if self._has_header and cells else []
        mark = "›" if index == self._at_hand else " "
        return Content.assemble(f"{mark} {index + 1}  ", *header, " · ".join(cells)).truncate(10_000)

    @on(OptionList.OptionSelected)
    def choose(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(str(event.option_index + 1))


class CountryDialog(Modal[str | None]):
    """Asks of which country numbers without `+` are; gives a list's region, empty for the server's, or None."""

    AUTO_FOCUS = "#country"
    hint = query_one("#hint", Static)

    def __init__(self, suggestion: str, region: str) -> None:
        """`region` is the server's."""
        super().__init__()
        self._suggestion = suggestion
        self._region = region

    def compose(self) -> ComposeResult:
        key = "bold $primary"
        with Vertical(id="dialog"):
            yield Static(Content.styled("Of which country are the numbers without +?", "bold"))
            yield Static(
                Content(
                    f"The server is registered in {self._region}, and would read them as of that country. As of another"
                    " one they are sent with + and country code; your rows stay as you gave them."
                )
            )
            yield SafeInput(self._suggestion, placeholder=f"{self._region}, as the server reads them", id="country")
            yield Static(
                Content.assemble(
                    ("US", key),
                    " two letters of a country   ",
                    (PLUS, key),
                    " they only lack their +",
                )
            )
            yield Static(Content("enter reads the list again · empty as the server · esc goes back"), id="hint")

    @on(Input.Submitted)
    def submit(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        try:
            self.dismiss(check_list_region(text) if text else "")
        except UnknownRegion as error:
            self.hint.update(Content.styled(clean(str(error)), "$text-error"))
