"""Whether the numbers of people are hidden. It knows no widget."""

from collections.abc import Callable

from watui.text import masked


class Hiding:
    """Numbers are hidden as a person wants it; where nobody has said, while the list at hand is the sample."""

    def __init__(self, wanted: bool | None, changed: Callable[[], None]) -> None:
        """`wanted` is what a person has said, None for nothing; `changed` is called when it has changed."""
        self.wanted = wanted
        self._is_sample = False
        self._changed = changed

    @property
    def is_on(self) -> bool:
        """Whether they are hidden now."""
        return self._is_sample if self.wanted is None else self.wanted

    def turn(self) -> None:
        """Want it the other way."""
        self.wanted = not self.is_on
        self._changed()

    def follow(self, *, is_sample: bool) -> None:
        """Note whether the list at hand is the sample."""
        was_on, self._is_sample = self.is_on, is_sample
        if self.is_on is not was_on:
            self._changed()

    def shown(self, text: str) -> str:
        """Return `text` as it may leave the program."""
        return masked(text) if self.is_on else text
