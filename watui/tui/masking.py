"""Hides the numbers of people wherever the console paints them."""

from rich.segment import Segment
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter
from textual.widget import Widget

from watui.text import masked, masked_parts


class Masking(LineFilter):
    """Hides all digits of a number but the last three; what is painted keeps its place.

    It sees one line at a time: of what goes on in the next one, more is hidden before it is wrapped.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        parts = masked_parts([segment.text for segment in segments])
        return [segment._replace(text=part) for segment, part in zip(segments, parts, strict=True)]


def is_masked(widget: Widget) -> bool:
    """Whether numbers are hidden where `widget` is painted."""
    return any(isinstance(each, Masking) for each in widget.app.get_line_filters())


def without_numbers(content: Content) -> Content:
    """Return `content` with its numbers hidden, and all its styles in their places."""
    return Content(masked(content.plain), list(content.spans))
