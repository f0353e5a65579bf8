"""The line in which a text is typed that rows are to hold."""

from __future__ import annotations

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input

from watui.tui.widgets.safe_input import SafeInput
from watui.tui.widgets.static import Static

SEARCH_SECONDS = 0.15
"""After the last key of a search, before it is carried out."""


class SearchInput(SafeInput):
    """The field of it; a paste of several lines is a list, not a search."""

    def on_paste(self, event: events.Paste) -> None:
        if len(event.text.splitlines()) > 1:
            event.prevent_default()
        else:
            event.stop()


class SearchLine(Horizontal):
    """Tells what is wanted while it is typed, and at its end, when it closes. At first it is closed."""

    DEFAULT_CSS = """
    SearchLine {
        height: 1;
        background: $surface;
    }
    SearchLine Static {
        width: 3;
    }
    SearchLine SearchInput, SearchLine SearchInput:focus {
        border: none;
        height: 1;
        padding: 0;
        background: $surface;
    }
    """

    class Wanted(Message):
        """Rows are wanted that hold `text`; whoever hears that it `is_done` takes the keys."""

        def __init__(self, text: str, *, is_done: bool) -> None:
            super().__init__()
            self.text = text
            self.is_done = is_done

    def __init__(self, placeholder: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.field = SearchInput(placeholder=placeholder)
        self.display = False
        self._waiting: Timer | None = None

    def compose(self) -> ComposeResult:
        yield Static(Content.styled(" / ", "bold $primary"))
        yield self.field

    @property
    def is_open(self) -> bool:
        """Whether it is seen."""
        return self.display

    def open(self) -> None:
        """Show it, and let it have the keys; what was searched for last stands there."""
        self.display = True
        self.field.focus()

    def close(self) -> None:
        """Close it without a word, and forget what was typed."""
        self._hide()
        self.field.value = ""

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        event.stop()
        self._wait_no_more()
        if self.is_open:
            self._waiting = self.set_timer(SEARCH_SECONDS, lambda: self._tell(event.value, is_done=False))

    @on(Input.Submitted)
    def done(self, event: Input.Submitted) -> None:
        event.stop()
        self._hide()
        self._tell(event.value, is_done=True)

    def _hide(self) -> None:
        self._wait_no_more()
        self.display = False

    def _wait_no_more(self) -> None:
        if self._waiting is not None:
            self._waiting.stop()

    def _tell(self, text: str, *, is_done: bool) -> None:
        self.post_message(self.Wanted(text.strip(), is_done=is_done))
