"""The log: what watui did, when, and how that ended; with no secrets, and with no numbers unless a person wants them.

Every room tells the logger of its own module, below `watui`; what is told is written here.
"""

import contextlib
import logging
import os
import re
from collections.abc import Iterator
from datetime import datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

from watui.client.exchanges import Exchange
from watui.lock import Lock
from watui.text import clean, shortened

MOST_BYTES = 1_000_000
"""Of one file, from which on another is begun."""

OLD_FILES = 3
"""Files that are kept beside the one that is written to."""

MOST_CHARACTERS = 50_000
"""Of one body, where numbers are logged."""

_LOGGER = logging.getLogger("watui")
_LOGGER.setLevel(logging.INFO)
_LOGGER.propagate = False
_LOGGER.addHandler(logging.NullHandler())

_EXCHANGES = logging.getLogger(__name__)

_BEFORE_CONTACTS = frozenset({"contacts", "blacklist"})
"""Parts of a path behind which a contact is named."""

_BLOCKLIST = "blocklist"
"""What stands there without being a contact."""

_DIGITS = re.compile(r"\d{5,}")


@contextlib.contextmanager
def keep_log(path: Path, first: str, most_bytes: int = MOST_BYTES) -> Iterator[None]:
    """Write into the log at `path` what is told in the block, and `first` before it.

    The file is opened, and made, when there is something to write. Where that fails, nothing is written.
    """
    handler = _LogFile(path, first, most_bytes)
    _LOGGER.addHandler(handler)
    try:
        yield
    finally:
        _LOGGER.removeHandler(handler)


def log_files(path: Path) -> list[Path]:
    """Return the files of the log at `path` that there are, the latest first."""
    return [each for each in (path, *(Path(f"{path}.{age}") for age in range(1, OLD_FILES + 1))) if each.is_file()]


def log_exchange(exchange: Exchange, *, with_numbers: bool = False) -> None:
    """Log a request and its answer: which it was and how it ended, `with_numbers` all that was said."""
    path = urlsplit(exchange.url).path
    outcome = f"HTTP {exchange.status}" if exchange.status is not None else exchange.failure_kind or "interrupted"
    words = (
        f"{exchange.method} {path if with_numbers else masked_path(path)}: {outcome},"
        f" {exchange.seconds * 1000:.0f} ms, {len(exchange.request):,} bytes sent, {len(exchange.response):,} received"
    )
    if with_numbers:
        words += f" > {_shown(exchange.request)} < {_shown(exchange.response)}"
    _EXCHANGES.info("%s", words)


def masked_path(path: str) -> str:
    """Return the path of a request without the contact that it names, and without other numbers."""
    parts = path.split("/")
    masked = [
        "{contact}" if part and part != _BLOCKLIST and before in _BEFORE_CONTACTS else _DIGITS.sub("{number}", part)
        for before, part in zip(("", *parts), parts, strict=False)
    ]
    return "/".join(masked)


def _shown(body: bytes) -> str:
    return shortened(body.decode("utf-8", "replace"), MOST_CHARACTERS)


class _LogFile(RotatingFileHandler):
    """Writes lines into a file that several processes write to.

    Rotation by several processes loses lines where one goes on writing to a file that another has moved away, and
    whole files where two of them move at once. So the file is opened by its name for each line, which costs little at
    twenty a second, and who moves it holds a lock; whoever does not get that leaves the moving to its holder.
    """

    def __init__(self, path: Path, first: str, most_bytes: int) -> None:
        super().__init__(path, maxBytes=most_bytes, backupCount=OLD_FILES, encoding="utf-8", delay=True)
        self._path = path
        self._first: logging.LogRecord | None = logging.LogRecord(_LOGGER.name, logging.INFO, "", 0, first, (), None)

    def emit(self, record: logging.LogRecord) -> None:
        first, self._first = self._first, None
        for each in (first, record):
            if each is not None:
                super().emit(each)
                self._let_go()

    def doRollover(self) -> None:  # noqa: N802 - the name is the library's
        """Move the file away, if nobody has done so since it was opened."""
        lock = Lock.take(self._path.with_name(f"{self._path.name}.lock"))
        if lock is None:
            return
        try:
            if self._is_still_there():
                super().doRollover()
            else:
                self._let_go()
        finally:
            lock.release()

    def _is_still_there(self) -> bool:
        """Whether the file that is open is still the one of that name."""
        try:
            return self.stream is not None and os.path.samestat(self._path.stat(), os.fstat(self.stream.fileno()))
        except FileNotFoundError:
            return False

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")
        return f"{at} {record.process} {record.levelname.lower()} {clean(record.getMessage())}"

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is the library's
        """Give the line up: what watui does matters more than that it is written down."""

    def _open(self) -> TextIO:  # type: ignore[override]
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return open(self._path, "a", encoding=self.encoding, opener=_private)

    def _let_go(self) -> None:
        if self.stream is not None:
            with contextlib.suppress(OSError):
                self.stream.close()
            self.stream = None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
