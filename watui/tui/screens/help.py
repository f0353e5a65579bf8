"""What every key does."""

import textwrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content

from watui.tui.commands import Command, Scope, described
from watui.tui.keys import key_names
from watui.tui.screens.modal import Modal
from watui.tui.themes import DIM
from watui.tui.widgets.static import Static

_TITLES = {
    Scope.CHECK: "On the Check screen",
    Scope.BLOCKLIST: "On the Blocklist screen",
    Scope.RUNS: "On the Runs screen",
    Scope.SETTINGS: "On the Settings screen",
    Scope.TRAFFIC: "On the Traffic screen",
    Scope.CONTACTS: "In both lists of contacts",
    Scope.SCREENS: "On all screens",
    Scope.SHOWING: "On screens and in panels",
    Scope.EVERYWHERE: "Anywhere; in a dialog ctrl+q alone",
    Scope.CONTACT: "In a contact's panel",
    Scope.BULK: "With a list to block or unblock",
    Scope.SIMULATOR: "In the simulator's panel",
    Scope.TOUR: "On the tour",
    Scope.PAIRS: "In a comparison of two runs",
}

_MOVING = {
    Scope.CHECK: (("paste", "add the pasted lines to a new list, or to the one in the preview"),),
    Scope.SCREENS: (("↑ ↓  k j", "move; page up and page down, home and end as usual"),),
}
_KEY_WIDTH = 12
_WORDS_WIDTH = 54
"""Columns of a line that are left for words at 80 columns."""


class HelpScreen(Modal[None]):
    """Help, made from the registry of commands."""

    BINDINGS: ClassVar = [Binding("q", "close", show=False)]
    OPENED_BY = frozenset({"everywhere.help"})

    def __init__(self, scope: Scope) -> None:
        """`scope` is that of the screen at hand, whose keys come first."""
        super().__init__()
        self._scope = scope

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="dialog"):
            yield Static(Content("\n").join(self._lines()))

    def _lines(self) -> list[Content]:
        lines: list[Content] = []
        for scope in sorted(_TITLES, key=lambda scope: scope is not self._scope):
            lines += [Content.styled(_TITLES[scope], "bold")]
            lines += [_command(command) for command in described() if command.scope is scope]
            lines += [keyed(key, words) for key, words in _MOVING.get(scope, ())]
            lines.append(Content(""))
        return [*lines, Content.styled("esc closes this help", DIM)]


def _command(command: Command) -> Content:
    asks = " (asks first)" if command.is_destructive else ""
    return keyed(" ".join(key_names(command)), command.help + asks)


def keyed(key: str, words: str) -> Content:
    """Return a key, or another word, with what there is to say of it; that goes on below itself."""
    first, *rest = textwrap.wrap(words, _WORDS_WIDTH)
    indented = (f"\n{'':<{_KEY_WIDTH}} {part}" for part in rest)
    return Content.assemble((f"{key:<{_KEY_WIDTH}} ", "bold $primary"), first, *indented)
