"""An input whose text a terminal never obeys."""

from rich.segment import Segment
from textual.strip import Strip
from textual.widgets import Input

from watui.text import clean

_JOINER = "\N{ZERO WIDTH JOINER}"
"""Makes one picture of several emoji."""


class SafeInput(Input):
    """An input that draws control characters, which a paste may bring, instead of sending them to the terminal."""

    def on_mount(self) -> None:
        self.cursor_blink = False

    def render_line(self, y: int) -> Strip:
        strip = super().render_line(y)
        if strip.text.isprintable():
            return strip
        segments = [Segment(_drawable(segment.text), segment.style, segment.control) for segment in strip]
        return Strip(segments).adjust_cell_length(strip.cell_length)


def _drawable(text: str) -> str:
    return _JOINER.join(map(clean, text.split(_JOINER)))
