"""Takes pastes out of what a terminal sends, before Textual looks for keys in it."""

import codecs
from collections import deque

START, END = b"\x1b[200~", b"\x1b[201~"
"""What a terminal puts around a paste. An END inside of the text can't be told from the true one."""


class Pastes:
    """What a terminal sends, parted into keys and pastes.

    Textual takes an escape sequence inside of a paste for keys, drops zero bytes, and ends at a byte that is not
    UTF-8. So it is to read brackets with nothing between them, and whoever hears of that paste takes its text here.
    """

    def __init__(self) -> None:
        self._is_inside = False
        self._tail = b""
        """The last bytes of what has come, in which the next bracket may have begun."""
        self._pasted = bytearray()
        self._texts: deque[str] = deque()
        self._keys = codecs.getincrementaldecoder("utf-8")("replace")

    def part(self, data: bytes) -> bytes:
        """Return what is to be read in place of `data`: keys at once, and brackets for each paste that ends in it.

        A bracket that opens is passed on as it comes, so that a lone escape key never waits. Textual does not know
        then whether a paste has begun; to open it twice does no harm.
        """
        read = b""
        while data:
            known = self._tail + data
            before, bracket, data = known.partition(END if self._is_inside else START)
            new = (before + bracket)[len(self._tail) :]
            if self._is_inside:
                self._pasted += new
            else:
                read += self._keys.decode(new).encode()
            if bracket and self._is_inside:
                self._keep()
                read += START + END
            self._is_inside ^= bool(bracket)
            self._tail = b"" if bracket else known[1 - len(START) :]
        return read

    def take(self) -> str:
        """Return the text of the first paste that nobody has taken, with its line ends as they came."""
        return self._texts.popleft()

    def _keep(self) -> None:
        self._texts.append(self._pasted.removesuffix(END).decode("utf-8", "replace"))
        self._pasted.clear()
