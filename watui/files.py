"""Writes a file whole or not at all."""

import contextlib
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path


class CannotWrite(Exception):
    """A file that can't be written; the message says why. What was there before is unchanged."""


def write_whole(path: Path, parts: Iterable[str], *, replace: bool) -> None:
    """Write `parts` into `path` as UTF-8, by way of a temporary file beside it.

    A link is followed, the mode of an old file is kept, and what is no regular file, such as a pipe or a device,
    is written to as it is. Raises CannotWrite, also where `path` exists and `replace` is false.
    """
    try:
        target = path.resolve()
        _refuse(target, replace)
        if target.exists() and not target.is_file():
            with target.open("w", encoding="utf-8", newline="") as file:
                file.writelines(parts)
        else:
            _replace(target, parts)
    except (OSError, ValueError, RuntimeError) as error:
        raise CannotWrite(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from error


def _replace(path: Path, parts: Iterable[str]) -> None:
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with temporary.open("x", encoding="utf-8", newline="") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _refuse(path: Path, replace: bool) -> None:
    if path.is_dir():
        raise CannotWrite(f"{path} is a directory: name a file in it")
    if not replace and path.exists():
        raise CannotWrite(f"{path} is there already: choose another name")
