"""Opens what a person gives, a file or standard input, in whatever encoding it is."""

import codecs
import contextlib
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from watui.intake.problems import BadSource
from watui.text import clean

HEAD_BYTES = 64 * 1024
"""How much of a source is looked at to find its encoding."""

STDIN = "-"
"""The path that means standard input, as everywhere."""

PASTE_NAME = "paste"
"""How what is pasted is called as a source."""

SAMPLE_NAME = "sample"
"""What the program's own numbers are called as a source."""

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MOST = 0.7
"""Share of zero bytes that shows on which side of each pair UTF-16 has them."""

_ZIP = b"PK\x03\x04"
_STDIN_DESCRIPTOR = 0


@contextmanager
def open_text(path: str) -> Iterator[TextIO]:
    """Open the file at `path`, or standard input, in the encoding that its first bytes show.

    Bytes that do not fit that encoding become U+FFFD, so that the row they stand in can be rejected.
    Line ends of every kind become line feeds. Raises BadSource where it can't be read as text.
    """
    name = source_name(path)
    with contextlib.ExitStack() as stack:
        try:
            if path != STDIN and Path(path).is_dir():
                raise BadSource(f"{name} is a directory: name a file in it")
            raw = stack.enter_context(io.FileIO(_STDIN_DESCRIPTOR if path == STDIN else path, closefd=path != STDIN))
            binary = stack.enter_context(io.BufferedReader(raw, HEAD_BYTES))
            encoding = find_encoding(binary.peek(HEAD_BYTES), name)
        except (OSError, ValueError) as error:
            raise BadSource(f"cannot read {name}: {getattr(error, 'strerror', None) or error}") from error
        yield stack.enter_context(io.TextIOWrapper(binary, encoding, errors="replace"))


def share_read(text: TextIO) -> float | None:
    """Return which share of its bytes was read of what `open_text` gave; None where nobody knows how many there are."""
    status = os.fstat(text.fileno())
    if not stat.S_ISREG(status.st_mode):
        return None
    return min(1.0, text.buffer.tell() / max(1, status.st_size))


def source_name(path: str) -> str:
    """Return what a source is called, safe to show: the file's name, or `stdin`."""
    return "stdin" if path == STDIN else clean(Path(path).name or path)


def find_encoding(head: bytes, name: str) -> str:
    """Return the encoding of a source that begins with `head`. Raises BadSource for what is not text."""
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    if head.startswith(_ZIP):
        raise BadSource(f"{name} is a spreadsheet or an archive: save it as CSV first")
    if b"\x00" in head:
        return _utf16_without_mark(head, name)
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return _guess(head, name)
    return "utf-8"


def _utf16_without_mark(head: bytes, name: str) -> str:
    pairs = max(1, len(head) // 2)
    in_first, in_second = head[0::2].count(0) / pairs, head[1::2].count(0) / pairs
    if in_second > _MOST > in_first:
        return "utf-16-le"
    if in_first > _MOST > in_second:
        return "utf-16-be"
    for encoding in ("utf-16-le", "utf-16-be"):
        if _is_text_with_digits(head, encoding):
            return encoding
    raise _not_text(name)


def _is_text_with_digits(head: bytes, encoding: str) -> bool:
    """Whether `head` makes sense so, in a script whose characters have no zero bytes, and is about numbers."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)
    except UnicodeDecodeError:
        return False
    return any(map(str.isdigit, text)) and all(each.isprintable() or each.isspace() for each in text)


def _guess(head: bytes, name: str) -> str:
    import charset_normalizer

    last_line_end = head.rfind(b"\n") + 1
    best = charset_normalizer.from_bytes(head[: last_line_end or len(head)]).best()
    if best is None:
        raise _not_text(name)
    return best.encoding


def _not_text(name: str) -> BadSource:
    return BadSource(f"{name} is not a text file: give a text, a table, a spreadsheet or an address book")
