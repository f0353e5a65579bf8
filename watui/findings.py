"""What was found when something was looked at, for people and for programs."""

from enum import StrEnum
from typing import NamedTuple


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; nothing fails for it."""
    TROUBLE = "trouble"
    """Something does not work."""


class Finding(NamedTuple):
    """One thing that was looked at."""

    subject: str
    level: Level
    words: str
    """What was found. It may quote others: pass it through `clean` before it is shown."""
    next_step: str | None = None
    """What to do, where something is to be done."""
