"""Takes pastes out of what a terminal sends, before Textual looks for keys in it."""

import codecs
from collections import deque

START, END = b"\x1b[200~", b"\x1b[201~"
"""What a terminal puts around a paste. An END inside of the text can't be told from the true one."""

ESCAPE, ESCAPE_KEY = b"\x1b", b"\x1b[27u"
"""The byte with which a sequence begins, and a sequence that is the key and nothing else."""

_SECONDS = 1.0
"""How long the rest of a START is waited for: nobody types the first two bytes of it."""


class Pastes:
    """What a terminal sends, parted into keys and pastes.

    Textual takes an escape sequence inside of a paste for keys, drops zero bytes, and ends at a byte that is not
    UTF-8. So it is to read brackets with nothing between them, and whoever hears of that paste takes its text here.
    """

    def __init__(self, escape_seconds: float) -> None:
        """`escape_seconds`: after this time a byte that could begin a sequence is the escape key."""
        self.held = b""
        """What has come and may be the beginning of a START: it is kept back for `patience`."""
        self._escape_seconds = escape_seconds
        self._is_inside = False
        self._tail = b""
        """The end of what has come, as far as a bracket may have begun in it."""
        self._pasted = bytearray()
        self._texts: deque[str] = deque()
        self._keys = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def patience(self) -> float | None:
        """Seconds without another byte after which to `let_go`; None where nothing is held."""
        if not self.held:
            return None
        return self._escape_seconds if self.held == ESCAPE else _SECONDS

    def part(self, data: bytes) -> bytes:
        """Return what is to be read now that `data` has come: keys, and brackets for each paste that has ended."""
        read = b""
        while data:
            known = self._tail + data
            _, bracket, rest = known.partition(END if self._is_inside else START)
            new = data[: len(data) - len(rest)]
            if self._is_inside:
                self._pasted += new
                self._tail = known[1 - len(END) :]
            else:
                read += self._typed(known, self.held + new, bracket)
            if bracket:
                read += self._keep() if self._is_inside else b""
                self._is_inside, self._tail = not self._is_inside, b""
            data = rest
        return read

    def let_go(self) -> bytes:
        """Return what is to be read of what was held, as no more has come."""
        held, self.held = self.held, b""
        if held == ESCAPE:
            return ESCAPE_KEY  # On a line that stalls this may still be the first byte of a START.
        self._tail = b""
        return held

    def take(self) -> str | None:
        """Return the text of the first paste that nobody has taken, with its line ends as they came.

        None where a paste was not taken out, as its bracket came too slowly.
        """
        return self._texts.popleft() if self._texts else None

    def _typed(self, known: bytes, unread: bytes, bracket: bytes) -> bytes:
        """Return the keys in `unread`, and hold its end back where that may be the beginning of a START."""
        self._tail = next((START[:size] for size in range(len(START) - 1, 0, -1) if known.endswith(START[:size])), b"")
        kept = min(len(unread), len(bracket or self._tail))
        keys = unread[: len(unread) - kept]
        self.held = b"" if bracket else unread[len(keys) :]
        return self._keys.decode(keys).encode()

    def _keep(self) -> bytes:
        self._texts.append(self._pasted.removesuffix(END).decode("utf-8", "replace"))
        self._pasted.clear()
        return START + END
