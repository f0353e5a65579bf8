"""One line of text that repaints itself alone, and of itself what has changed."""

from collections.abc import Iterator
from itertools import zip_longest

from rich.cells import get_character_cell_size
from textual.content import Content
from textual.geometry import Region
from textual.widget import Widget

NEAR = 8
"""Columns between two changes that are painted together: to go from one to the other costs as much."""


class Line(Widget):
    """Content on one line, cut with an ellipsis; setting the same content again paints nothing."""

    DEFAULT_CSS = """
    Line {
        height: 1;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    """

    def __init__(self, *, id: str | None = None, is_seamed: bool = False) -> None:
        """Where it `is_seamed`, there are seams below it, and what has not changed in between is not painted."""
        super().__init__(id=id)
        self._is_seamed = is_seamed
        self._content = Content("")

    def show(self, content: Content) -> None:
        """Show `content` from now on."""
        if content.is_same(self._content):
            return
        old, self._content = self._content, content
        if not self._is_seamed or max(old.cell_length, content.cell_length) > self.size.width:
            self.refresh()
        else:
            self.refresh(*(Region(first, 0, end - first, 1) for first, end in changed(old, content)))

    def render(self) -> Content:
        return self._content


def changed(old: Content, new: Content) -> list[tuple[int, int]]:
    """Return the first column and the one behind the last of each part in which two lines differ."""
    parts: list[tuple[int, int]] = []
    for column, (was, is_now) in enumerate(zip_longest(_columns(old), _columns(new))):
        if was == is_now:
            continue
        if parts and column - parts[-1][1] < NEAR:
            parts[-1] = (parts[-1][0], column + 1)
        else:
            parts.append((column, column + 1))
    return parts


def _columns(content: Content) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what is in each column, and its styles; a wide character is in two."""
    for place, character in enumerate(content.plain):
        styles = tuple(str(span.style) for span in content.spans if span.start <= place < span.end)
        for _ in range(get_character_cell_size(character)):
            yield character, styles
