"""A yes or no in a dialog."""

from typing import ClassVar

from textual.binding import Binding
from textual.content import Content
from textual.reactive import reactive

from watui.tui.themes import DIM
from watui.tui.widgets.static import Static


class Toggle(Static, can_focus=True):
    """A yes or no; the box shows which without any colour."""

    BINDINGS: ClassVar = [Binding("space,x", "turn", show=False)]
    DEFAULT_CSS = """
    Toggle {
        height: 1;
    }
    Toggle:focus {
        text-style: bold;
        background: $panel;
    }
    """

    value = reactive(False)

    def __init__(self, label: str, value: bool = False) -> None:
        super().__init__()
        self._label = label
        self.set_reactive(Toggle.value, value)

    def render(self) -> Content:
        return Content.assemble((" [x] " if self.value else " [ ] ", "bold $primary"), self._label, ("   space", DIM))

    def action_turn(self) -> None:
        """Take the other answer."""
        self.value = not self.value

    def on_click(self) -> None:
        self.action_turn()
