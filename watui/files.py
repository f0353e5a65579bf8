"""Writes a file whole or not at all."""

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
    if path.is_dir():
        raise CannotWrite(f"{path} is a directory: name a file in it")
    if not replace and path.exists():
        raise CannotWrite(f"{path} is there already: choose another name")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    count = 0
    try:
        with temporary.open("x", encoding="utf-8", newline="") as file:
            for part in parts:
                file.write(part)
                count += 1
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise CannotWrite(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return count
