"""How a command ends."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of `watui`, the same for every command."""

    DONE = 0
    """Every entry has a final status or a stated rejection."""
    UNFINISHED = 1
    """Some entries have no final status, or the rows could not be written; what is known is kept as a run."""
    USAGE = 2
    """The command line, a file or a setting can't be used; nothing was sent."""
    UNREACHABLE = 3
    """No answer from the server, or none that can be used."""
    REFUSED = 4
    """The server said no."""
    BUG = 70
    """A mistake of watui itself."""
    INTERRUPTED = 130
    """Ended by ctrl+c."""
    UNHEARD = 141
    """Whoever read the output went away."""


class ReaderGone(Exception):
    """Whoever read standard output went away."""


class Stop(Exception):
    """Ends a command with a sentence on stderr."""

    def __init__(self, words: str, code: Exit = Exit.USAGE) -> None:
        super().__init__(words)
        self.code = code
