"""One line of text that repaints itself alone."""

from textual.content import Content
from textual.widget import Widget


class Line(Widget):
    """Content on one line, cut with an ellipsis; setting the same content again paints nothing."""

    DEFAULT_CSS = """
    Line {
        height: 1;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._content = Content("")

    def show(self, content: Content) -> None:
        """Show `content` from now on."""
        if not content.is_same(self._content):
            self._content = content
            self.refresh()

    def render(self) -> Content:
        return self._content
