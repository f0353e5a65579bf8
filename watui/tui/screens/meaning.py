"""What the statuses at hand mean, and by which rule: that depends on the version of the server that gave them."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content

from watui.contract.statuses import Status, by_meaning, explain
from watui.ledger.rows import QUEUED, REJECTED
from watui.text import clean
from watui.tui.cells import status_text
from watui.tui.commands import described
from watui.tui.screens.help import keyed
from watui.tui.screens.modal import Modal
from watui.tui.themes import DIM
from watui.tui.widgets.static import Static


class MeaningScreen(Modal[None]):
    """Tells the rule for each of the versions that answered, and what it makes of every status."""

    BINDINGS: ClassVar = [Binding("q,enter", "close", show=False)]
    OPENED_BY = frozenset(command.name for command in described() if command.id == "meaning")

    def __init__(self, versions: Sequence[str | None]) -> None:
        """None among `versions` stands for one that is not known."""
        super().__init__()
        self._versions = versions

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="dialog"):
            yield Static(meanings(self._versions))
            yield Static(Content.styled("esc goes back", DIM))


def meanings(versions: Sequence[str | None]) -> Content:
    """Return what statuses mean where servers of `versions` answered, the oldest first."""
    lines: list[Content] = []
    for known, names in by_meaning(versions).items():
        version = names[0]
        lines += [
            Content.assemble((known.rule, "bold"), (f"   here: {clean(', '.join(names))}", DIM)),
            Content(known.why),
            *(keyed(status_text(status), explain(status, version).partition(": ")[2]) for status in Status),
            Content(""),
        ]
    return Content("\n").join(
        [
            *lines,
            Content.styled("Words of watui, whatever the version", "bold"),
            keyed(status_text(QUEUED), "not answered yet"),
            keyed(status_text(REJECTED), "never sent: the row holds no number"),
        ]
    )
