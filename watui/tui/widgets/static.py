"""Text that is wrapped: numbers in it are hidden before, for half a number would not be known as one."""

import textual.widgets
from textual.content import Content
from textual.visual import Visual

from watui.tui.masking import is_masked, without_numbers


class Static(textual.widgets.Static):  # noqa: TID251  The one that hides.
    """Textual's, in which no number goes on in another line while numbers are hidden."""

    def render(self) -> Visual:
        visual = self.visual
        return without_numbers(visual) if isinstance(visual, Content) and is_masked(self) else visual
