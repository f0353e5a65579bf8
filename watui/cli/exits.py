"""How a command ends."""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of `watui`, the same for every command."""

    DONE = 0
    """All of it is done, or was so already; every entry has a final status or a stated rejection."""
    UNFINISHED = 1
    """Part of it is not done, was refused or is not known, nobody confirmed it, or the rows could not be written; what
    is known is kept. The doctor found trouble."""
    USAGE = 2
    """The command line, a file or a setting can't be used; nothing was sent."""
    UNREACHABLE = 3
    """No answer from the server, or none that can be used."""
    REFUSED = 4
    """The server said no to what was asked; where several contacts were changed, UNFINISHED says so instead."""
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
