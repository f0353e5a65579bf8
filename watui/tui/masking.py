"""Hides the numbers of people wherever the console paints them."""

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from watui.text import masked_parts


class Masking(LineFilter):
    """Hides all digits of a number but the last three; what is painted keeps its place."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        parts = masked_parts([segment.text for segment in segments])
        return [segment._replace(text=part) for segment, part in zip(segments, parts, strict=True)]
