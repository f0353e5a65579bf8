"""What all screens over a screen have in common: they are closed once, however fast the keys come."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.command import CommandInput, CommandList, CommandPalette
from textual.screen import ModalScreen, Screen

from watui.tui.keys import is_key_of
from watui.tui.widgets.safe_input import SafeInput

Answer = TypeVar("Answer")


class ClosedOnce(Screen[Answer]):
    """A screen that closes nobody but itself.

    A second key may come before the first has closed it, and Textual would close whatever is on top by then.
    It is named as the last base: Textual takes styles and keys from the first one alone.
    """

    def dismiss(self, result: Answer | None = None) -> AwaitComplete:
        """Close, if this is the screen at hand."""
        if not self.is_active:
            return AwaitComplete()
        closing = super().dismiss(result)
        for widget in self.walk_children(with_self=True):
            # Textual keeps for long what a closed widget painted last, but not what was to be painted anew.
            widget.refresh()
        return closing


class Modal(ModalScreen[Answer], ClosedOnce[Answer]):
    """A screen over another; escape closes it without an answer, ctrl+q leaves watui from here, too."""

    OPENED_BY: ClassVar[frozenset[str]] = frozenset()
    """Commands whose keys close it again, by their names."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        Binding("ctrl+q", "app.quit", show=False),
        # Before all others, so that what is typed ahead of the screen goes to the field that it was meant for.
        Binding("tab", "app.focus_next", show=False, priority=True),
        Binding("shift+tab", "app.focus_previous", show=False, priority=True),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # A key may come before the widgets that it is about.
        return super().check_action(action, parameters) if self.is_mounted or action == "close" else False

    def on_key(self, event: events.Key) -> None:
        if is_key_of(event.key, self.OPENED_BY):
            event.stop()
            self.action_close()

    def action_close(self) -> None:
        self.dismiss(None)


class SafeCommandInput(CommandInput, SafeInput):
    """The palette's input, into which anything may be pasted."""


class Palette(CommandPalette, ClosedOnce[None]):
    """Textual's list of commands. Without Textual's id, for one may still be closing when the next one opens."""

    def compose(self) -> ComposeResult:
        for widget in super().compose():
            if isinstance(widget, CommandInput):
                yield SafeCommandInput(placeholder=widget.placeholder, select_on_focus=False)
            else:
                yield widget

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # Textual errs where a page is turned of a list that is not laid out.
        if action == "command_list" and not any(each.scrollable_content_region for each in self.query(CommandList)):
            return False
        return super().check_action(action, parameters)
