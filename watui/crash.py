"""What is told of a mistake of our own: where it happened, never with what data."""

import logging
import traceback
from pathlib import Path
from typing import NamedTuple, Self

_LOGGER = logging.getLogger(__name__)


class Crash(NamedTuple):
    """A bug, without the message of its exception, which may hold numbers or a token."""

    kind: str
    places: tuple[str, ...]
    """File, line and function of every frame, the innermost last."""

    @classmethod
    def of(cls, error: BaseException) -> Self:
        frames = traceback.extract_tb(error.__traceback__)
        return cls(type(error).__name__, tuple(f"{f.filename}:{f.lineno} in {f.name}" for f in frames))

    def report(self, log: Path) -> str:
        """Write the crash into `log` and return the words for the person."""
        _LOGGER.error("a mistake in watui itself (%s)", self.kind)
        words = f"watui stopped because of a mistake in itself ({self.kind}). What was answered by then is kept."
        try:
            log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            log.write_text("\n".join((self.kind, *self.places)) + "\n", "utf-8")
        except OSError:
            return words
        return f"{words} Where it happened is in {log}"
