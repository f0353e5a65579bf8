"""What lies below other widgets."""

from textual.containers import Vertical
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class Ground(Widget):
    """Nothing but its background: one line for all of it, where Textual would render, cut and keep each.

    It has neither border nor tint. It is named after the class whose styles are wanted: `class Pane(Vertical, Ground)`.
    """

    def render_lines(self, crop: Region) -> list[Strip]:
        line = Strip.blank(crop.width, self.visual_style.rich_style.background_style)
        for line_filter in self.get_line_filters():
            line = line.apply_filter(line_filter, self.background_colors[1])
        return [line] * crop.height


class Pane(Vertical, Ground):
    """Holds other widgets, and has neither border nor text of its own."""
