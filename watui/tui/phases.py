"""Where a list stands that is worked on: on the Check screen, or while its contacts are changed."""

from enum import Enum


class Phase(Enum):
    """Where the list on the Check screen stands."""

    EMPTY = "empty"
    IMPORTING = "importing"
    PREVIEW = "preview"
    RUNNING = "running"
    PAUSED = "paused"
    WATCHED = "watched"
    """Another process asks."""
    STOPPED = "stopped"
    """It was begun, and nobody asks any more."""
    ENDED = "ended"


LEFT_ALONE = frozenset({Phase.WATCHED, Phase.STOPPED, Phase.ENDED})
"""In which a list needs nothing from here: another one may take its place."""

ASKED = frozenset({Phase.RUNNING, Phase.PAUSED}) | LEFT_ALONE
"""In which a server has been asked."""


class Stage(Enum):
    """Where a list that is blocked or unblocked stands."""

    READING = "reading"
    """The blocklist is read, to see who is on it."""
    PLANNED = "planned"
    """Nothing is sent yet."""
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"
