"""Where files are, who can read them, and whether there is room."""

import os
import shlex
import shutil
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from watui.findings import Finding, Level
from watui.ledger.mounts import is_networked
from watui.ledger.schema import SCHEMA_VERSION, LedgerUnusable, version_at
from watui.log import log_files
from watui.settings.paths import HOME_VARIABLE, Paths
from watui.settings.settings import BadSettings, load

LEAST_FREE_BYTES = 256 * 2**20
"""Of a disk: below that a long list may fill it."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def settings(paths: Paths) -> Iterator[Finding]:
    """Look at the settings."""
    try:
        found = load(paths.settings)
    except BadSettings as error:
        yield Finding("settings", Level.TROUBLE, str(error), "Correct it, or move the file away: all is as usual then.")
        return
    words = str(paths.settings) if paths.settings.exists() else f"{paths.settings} is not there: all is as usual"
    yield Finding("settings", Level.OK, words)
    if found.log_numbers:
        yield Finding("log_numbers", Level.NOTE, "the log holds numbers", "Set log_numbers = false when you are done.")


def ledger(paths: Paths) -> Iterator[Finding]:
    """Look at the ledger, and at the disk that it is on."""
    path = paths.ledger
    if path.exists():
        yield _of_ledger(path)
    else:
        yield Finding("ledger", Level.OK, f"{path} is made when it is first needed")
    folder = _nearest(path)
    if not os.access(path if path.exists() else folder, os.W_OK):
        words = f"{folder} cannot be written to"
        yield Finding("folder", Level.TROUBLE, words, f"Let it be yours, or name another one in {HOME_VARIABLE}.")
    free = shutil.disk_usage(folder).free
    is_short = free < LEAST_FREE_BYTES
    step = "Make room: when the disk is full, nothing more is asked." if is_short else None
    yield Finding("disk", Level.NOTE if is_short else Level.OK, f"{in_bytes(free)} free", step)
    if (system := is_networked(path)) is not None:
        words = f"the ledger is on a file system of the network ({system}): slower, and locks may not hold"
        yield Finding("file system", Level.NOTE, words, f"Name a folder on a disk of this machine in {HOME_VARIABLE}.")


def logs(paths: Paths) -> Iterator[Finding]:
    """Look at what was written down of what watui did."""
    files = log_files(paths.event_log)
    size = sum(file.stat().st_size for file in files)
    yield Finding("log", Level.OK, f"{paths.event_log}, {in_bytes(size)}" if files else f"{paths.event_log}, none yet")
    if paths.log.exists() and not os.access(paths.log, os.W_OK):
        yield Finding("log", Level.NOTE, f"{paths.log} cannot be written to: nothing is logged", "Let it be yours.")
    if paths.crash_log.exists():
        at = datetime.fromtimestamp(paths.crash_log.stat().st_mtime).astimezone()
        words = f"watui stopped because of a mistake in itself on {at:%Y-%m-%d at %H:%M}: {paths.crash_log}"
        yield Finding("crash", Level.NOTE, words, "Report it with that file, which holds no data; then delete it.")


def secrets(paths: Paths) -> Iterator[Finding]:
    """Look at who can read the files with secrets."""
    folder = paths.secrets
    if not folder.exists():
        yield Finding("secrets", Level.OK, "none is kept in a file")
        return
    places = [folder, *sorted(folder.iterdir())]
    open_ = [place for place in places if place.stat().st_mode & _OTHERS]
    for place in open_:
        command = f"chmod {'700' if place.is_dir() else '600'} {shlex.quote(str(place))}"
        yield Finding("secrets", Level.TROUBLE, f"{place} can be read by others", command)
    if not open_:
        yield Finding("secrets", Level.OK, f"{folder}, which only you can read")


def in_bytes(count: float) -> str:
    """Return a number of bytes for people."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.0f} TB"


def _of_ledger(path: Path) -> Finding:
    try:
        version = version_at(path)
        words = f"{path}, {in_bytes(path.stat().st_size)}"
    except LedgerUnusable as error:
        return Finding("ledger", Level.TROUBLE, str(error), "Move it away: another one is made.")
    if version > SCHEMA_VERSION:
        return Finding("ledger", Level.TROUBLE, f"{words}, written by a newer version of watui", "Update watui.")
    if version < SCHEMA_VERSION:
        words += ", of an older version: it is copied, and brought up to date, when it is next opened"
    return Finding("ledger", Level.OK, words)


def _nearest(path: Path) -> Path:
    """Return the folder of `path`, or that in which it is to be made."""
    return next(folder for folder in path.parents if folder.exists())
