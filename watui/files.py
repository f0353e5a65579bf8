"""Writes a file whole or not at all."""

import contextlib
import os
import stat
import time
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from watui import failpoints

STALE_SECONDS = 3600.0
"""Age from which on a file that was never finished is removed."""


class CannotWrite(Exception):
    """A file that can't be written; the message says why. What was there before is unchanged."""


USUAL_MODE, PRIVATE_MODE = 0o666, 0o600
"""Of a new file, less what the umask takes away: for whoever, and for its owner alone."""


def write_whole(path: Path, parts: Iterable[str], *, replace: bool, mode: int = USUAL_MODE) -> None:
    """Write `parts` into `path` as UTF-8, as `whole_file` does."""
    with whole_file(path, replace=replace, mode=mode) as place, place.open("w", encoding="utf-8", newline="") as file:
        file.writelines(parts)


@contextlib.contextmanager
def whole_file(path: Path, *, replace: bool, mode: int = USUAL_MODE) -> Iterator[Path]:
    """Give the path to write to: a temporary file beside `path`, which takes its place at the end.

    A link is followed, and what is no regular file, such as a pipe or a device, is given as it is. A new file gets
    `mode`; an old one keeps its own, unless `mode` is another than the usual one. Where the block raises, all is as
    before. Raises CannotWrite, also for what the system refuses in the block, and where `path` exists and `replace` is
    false.
    """
    try:
        _refuse(path, replace)
        if path.exists() and not path.is_file():
            yield path
        else:
            with _part_of(path.resolve(), mode) as part:
                yield part
    except (OSError, ValueError, RuntimeError) as error:
        raise CannotWrite(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from error


@contextlib.contextmanager
def _part_of(path: Path, mode: int) -> Iterator[Path]:
    mark = f".{zlib.crc32(os.fsencode(path.name)):08x}-"
    _sweep(path.parent, mark)
    part = path.with_name(f"{mark}{os.urandom(8).hex()}.part")
    try:
        part.touch(mode, exist_ok=False)
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        if path.exists():
            part.chmod(stat.S_IMODE(path.stat().st_mode) if mode == USUAL_MODE else mode)
        failpoints.reach("file.rename")
        part.replace(path)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _sweep(folder: Path, mark: str) -> None:
    """Remove what killed processes have left of the same file. What is new may be somebody's at work."""
    for part in folder.glob(f"{mark}*.part"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > STALE_SECONDS:
                part.unlink()


def _refuse(path: Path, replace: bool) -> None:
    if path.is_dir():
        raise CannotWrite(f"{path} is a directory: name a file in it")
    if not replace and path.exists():
        raise CannotWrite(f"{path} is there already: choose another name")
