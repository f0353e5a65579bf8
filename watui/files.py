"""Writes a file whole or not at all."""

import contextlib
import os
import secrets
from collections.abc import Iterable
from pathlib import Path


class CannotWrite(Exception):
    """A file that can't be written; the message says why. What was there before is unchanged."""


def write_whole(path: Path, parts: Iterable[str], *, replace: bool) -> int:
    """Write `parts` into `path` as UTF-8, by way of a temporary file beside it; return how many there were.

    Raises CannotWrite, also where `path` exists and `replace` is false.
    """
    count = 0
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        _refuse(path, replace)
        with temporary.open("x", encoding="utf-8", newline="") as file:
            for part in parts:
                file.write(part)
                count += 1
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except (OSError, ValueError) as error:
        raise CannotWrite(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from error
    finally:
        with contextlib.suppress(OSError, ValueError):
            temporary.unlink(missing_ok=True)
    return count


def _refuse(path: Path, replace: bool) -> None:
    if path.is_dir():
        raise CannotWrite(f"{path} is a directory: name a file in it")
    if not replace and path.exists():
        raise CannotWrite(f"{path} is there already: choose another name")
