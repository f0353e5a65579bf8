"""The tables, and how a connection to them is opened."""

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from watui.ledger.mounts import is_networked

BUSY_SECONDS = 10.0
"""How long a transaction waits for another process's."""

_BUSY_STEP_SECONDS = 0.02

COPIED_PAGES = 1_000
"""Pages of a copy that are written at once: whoever makes it can be interrupted in between."""

_TABLES = """
CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    state TEXT NOT NULL,
    server TEXT NOT NULL,
    region TEXT NOT NULL,
    blocking TEXT NOT NULL,
    force_check INTEGER NOT NULL,
    batch_size INTEGER NOT NULL,
    created_at REAL NOT NULL,
    started_at REAL,
    ended_at REAL,
    server_version TEXT,
    entries INTEGER NOT NULL DEFAULT 0,
    rejected INTEGER NOT NULL DEFAULT 0,
    header INTEGER NOT NULL DEFAULT 0,
    blank INTEGER NOT NULL DEFAULT 0,
    comment INTEGER NOT NULL DEFAULT 0,
    doubtful INTEGER NOT NULL DEFAULT 0,
    numbers INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE source (
    run_id INTEGER NOT NULL,
    source_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    column_name TEXT,
    is_whole INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, source_id)
) WITHOUT ROWID;
CREATE TABLE number (
    run_id INTEGER NOT NULL,
    number_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    input TEXT NOT NULL,
    number TEXT,
    region TEXT,
    doubt TEXT,
    first_row INTEGER NOT NULL,
    rows INTEGER NOT NULL DEFAULT 1,
    status TEXT NOT NULL DEFAULT 'queued',
    final INTEGER NOT NULL DEFAULT 0,
    wa_id TEXT,
    asked INTEGER NOT NULL DEFAULT 0,
    checked_at REAL,
    server_version TEXT,
    PRIMARY KEY (run_id, number_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX number_key ON number (run_id, key);
CREATE TABLE entry (
    run_id INTEGER NOT NULL,
    row INTEGER NOT NULL,
    source_id INTEGER NOT NULL,
    line INTEGER NOT NULL,
    input TEXT NOT NULL,
    number_id INTEGER,
    problem TEXT,
    is_duplicate INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, row)
) WITHOUT ROWID;
CREATE INDEX entry_duplicate ON entry (run_id, number_id) WHERE is_duplicate = 1;
CREATE TABLE tally (
    run_id INTEGER NOT NULL,
    status TEXT NOT NULL,
    numbers INTEGER NOT NULL DEFAULT 0,
    rows INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run_id, status)
) WITHOUT ROWID;
CREATE TABLE ask (
    ask_id INTEGER PRIMARY KEY,
    run_id INTEGER NOT NULL,
    asked_at REAL NOT NULL,
    numbers INTEGER NOT NULL,
    answered_at REAL,
    failure TEXT
);
CREATE TRIGGER tally_status AFTER UPDATE OF status ON number WHEN old.status <> new.status
BEGIN
    UPDATE tally SET numbers = numbers - 1, rows = rows - old.rows WHERE run_id = old.run_id AND status = old.status;
    INSERT INTO tally (run_id, status, numbers, rows) VALUES (new.run_id, new.status, 1, new.rows)
        ON CONFLICT (run_id, status) DO UPDATE SET numbers = numbers + 1, rows = rows + excluded.rows;
END;
"""
# `entry` holds every row that is not skipped, numbered from 1 in the order of the sources, so that a window of
# rows is a range of keys. `number` holds each distinct number once; `key` is what makes two inputs the same
# question. `tally` counts numbers and rows by status.

_TRAIL = """
CREATE TABLE batch (
    batch_id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    server TEXT NOT NULL,
    profile TEXT NOT NULL,
    by TEXT NOT NULL,
    driver TEXT NOT NULL,
    reason TEXT,
    message_id TEXT,
    hash TEXT,
    also_block INTEGER NOT NULL DEFAULT 0,
    undoes INTEGER,
    created_at REAL NOT NULL
);
CREATE TABLE action (
    action_id INTEGER PRIMARY KEY,
    batch_id INTEGER NOT NULL,
    input TEXT NOT NULL,
    number TEXT,
    wa_id TEXT,
    target TEXT NOT NULL,
    outcome TEXT NOT NULL,
    sent_at REAL,
    ended_at REAL,
    code INTEGER,
    note TEXT
);
CREATE INDEX action_batch ON action (batch_id);
CREATE INDEX action_number ON action (number);
CREATE INDEX action_wa_id ON action (wa_id);
CREATE INDEX action_open ON action (outcome) WHERE outcome IN ('planned', 'sent', 'unknown');
CREATE INDEX number_wa_id ON number (wa_id) WHERE wa_id IS NOT NULL;
"""
# `action` is one change of one contact, `batch` what a person confirmed at once. An entry of a blocklist is found by
# its wa_id.

_DRIVEN_RUNS = """
ALTER TABLE run ADD COLUMN driver TEXT;
ALTER TABLE run ADD COLUMN profile TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN rechecks INTEGER;
ALTER TABLE ask ADD COLUMN polls INTEGER NOT NULL DEFAULT 0;
"""
# `driver` is whoever asked last: at work while its lock is held. `rechecks` is the run that a run asks about anew.
# `polls` are the numbers of a question that were answered before.

_POLLS = """
ALTER TABLE number ADD COLUMN polls INTEGER NOT NULL DEFAULT 0;
CREATE TABLE last_run (id INTEGER NOT NULL);
INSERT INTO last_run SELECT coalesce(max(id), 0) FROM run;
"""
# `polls` are the answers that left a number without a final status. `last_run` holds the latest id that a run was
# given: none is given twice, whatever becomes of the run.

PART_NUMBERS = 20_000
"""Numbers of a run that are found by a key together: what is looked for is looked for in each part."""

_LONG_LISTS = f"""
DROP INDEX number_key;
DROP INDEX number_wa_id;
DROP TRIGGER tally_status;
CREATE INDEX number_checked ON number (run_id, number_id / {PART_NUMBERS}, key) WHERE checked_at IS NOT NULL;
CREATE INDEX number_other_wa_id ON number (run_id, number_id / {PART_NUMBERS}, wa_id) WHERE '+' || wa_id <> key;
CREATE INDEX number_checked_at ON number (run_id, checked_at) WHERE checked_at IS NOT NULL;
"""
# Keys come in no order. In an index of all of them every number of an import, or an answer, would change a page of its
# own; a part is few pages. A draft's duplicates are found in memory (keys.py); what is asked of a key is what servers
# said of it. A wa_id is nearly always the digits of its number, and then it is found by that. Answers come in the order
# of their times, so the index of these grows at its end alone: it finds the latest ones, and what has changed since a
# moment. Counts are kept right by whoever changes statuses: an answer changes many at once, which a trigger would count
# one by one.

_LISTS_AS_THEY_ARE = """
ALTER TABLE number ADD COLUMN sent TEXT;
ALTER TABLE source ADD COLUMN list_region TEXT;
ALTER TABLE run ADD COLUMN prose INTEGER NOT NULL DEFAULT 0;
"""
# `sent` is what a server is asked where that is not the input as it was given: a number of a source that is said to be
# of another country than the server. `prose` counts what holds no number in a source that is no list.

_KNOWN = """
ALTER TABLE run ADD COLUMN known_since REAL;
ALTER TABLE number ADD COLUMN known_from INTEGER;
"""
# A run takes over what others knew, from `known_since` on, when it begins; NULL where it asks all. `known_from` is the
# run that got the answer, where it was taken over; `checked_at` is when that was.

_BUDGET = """
CREATE TABLE budget (
    server TEXT PRIMARY KEY,
    messages INTEGER NOT NULL DEFAULT 0,
    over INTEGER NOT NULL DEFAULT 0,
    calls INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE sent_messages (
    server TEXT NOT NULL,
    day TEXT NOT NULL,
    messages INTEGER NOT NULL,
    PRIMARY KEY (server, day)
) WITHOUT ROWID;
CREATE TABLE budget_entry (
    entry_id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    kind TEXT NOT NULL,
    number INTEGER NOT NULL,
    server TEXT NOT NULL,
    profile TEXT NOT NULL,
    by TEXT NOT NULL,
    calls INTEGER NOT NULL,
    allowed INTEGER NOT NULL
);
"""
# `budget` counts the calls of checks to a server, each before it is sent, against its messages and what a person allows
# over them. `sent_messages` are those by day, or by no day. `budget_entry` is who entered what.

ADDED = "ON CONFLICT DO UPDATE SET numbers = numbers + excluded.numbers, rows = rows + excluded.rows"
"""How what is inserted into `tally` is added to what is there."""

_STEPS = (_TABLES, _TRAIL, _DRIVEN_RUNS, _POLLS, _LONG_LISTS, _LISTS_AS_THEY_ARE, _KNOWN, _BUDGET)
"""What leads from each version of the tables to the next, from an empty file on."""

SCHEMA_VERSION = len(_STEPS)


Values = Sequence[object] | Mapping[str, object]


_PASSING = {
    sqlite3.SQLITE_FULL: ("the disk is full", "there is room"),
    sqlite3.SQLITE_READONLY: ("the ledger is read-only", "it can be written"),
    sqlite3.SQLITE_IOERR: ("the disk reports an error", "it works again"),
    sqlite3.SQLITE_BUSY: ("another process keeps the ledger locked", "it is done"),
    sqlite3.SQLITE_CANTOPEN: ("the files of the ledger cannot be opened", "they can be"),
}
"""What can be wrong for a while, and until when it is, by SQLite's primary code."""

_LASTING = {sqlite3.SQLITE_READONLY_DBMOVED, sqlite3.SQLITE_IOERR_CORRUPTFS, sqlite3.SQLITE_IOERR_DATA}
"""Extended codes of what does not pass all the same: the file was moved or deleted, or is damaged."""


class LedgerUnusable(Exception):
    """The ledger can't be opened, read or written; the message says why."""


class NoSuchRun(LedgerUnusable):
    """A run is not there, or no more."""

    def __init__(self, run_id: int) -> None:
        super().__init__(f"there is no run {run_id}")


class LedgerBlocked(LedgerUnusable):
    """The ledger can't be used now; the same may well work later."""

    def __init__(self, what: str, reason: str, until: str) -> None:
        super().__init__(f"{what}: {reason}")
        self.reason = reason
        self.until = until
        """What ends it, in words."""


def unusable(what: str, error: sqlite3.Error) -> LedgerUnusable:
    """Return what `error` means for whoever wanted to use the ledger: LedgerBlocked where it can pass."""
    code = getattr(error, "sqlite_errorcode", 0)
    passing = _PASSING.get(code & 0xFF) if code not in _LASTING else None
    return LedgerBlocked(what, *passing) if passing else LedgerUnusable(f"{what}: {error}")


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open the ledger at `path` as `connect` does; where nothing can be written, as it is. Raises LedgerUnusable."""
    is_alone = _is_alone(path)
    try:
        return connect(path)
    except LedgerBlocked as blocked:
        try:
            connection = _open_as_it_is(path, is_alone)
            if _version(connection) != SCHEMA_VERSION:
                raise blocked
        except sqlite3.Error:
            raise blocked from None
        return connection


def version_at(path: Path) -> int:
    """Return the version of the tables at `path`, where nothing is made or changed. Raises LedgerUnusable."""
    try:
        with closing(_open_as_it_is(path, _is_alone(path))) as connection:
            return _version(connection)
    except sqlite3.Error as error:
        raise unusable(f"cannot read the ledger {path}", error) from error


def connect(path: Path) -> sqlite3.Connection:
    """Open the ledger at `path`, making it where there is none. Transactions are begun by hand.

    Tables of an older version are brought up to date, after a copy of them was kept. Raises LedgerUnusable.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            path.touch(mode=0o600)
        connection = _open(path)
    except OSError as error:
        raise LedgerUnusable(f"cannot open the ledger {path}: {error}") from error
    except sqlite3.Error as error:
        raise unusable(f"cannot open the ledger {path}", error) from error
    try:
        _set_journal_mode(connection, "WAL" if is_networked(path) is None else "DELETE")
        connection.execute("PRAGMA synchronous = FULL")
        version = _version(connection)
        if version > SCHEMA_VERSION:
            raise LedgerUnusable(f"{path} was written by a newer version of watui: move it away or update watui")
        if version < SCHEMA_VERSION:
            _bring_up_to_date(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise unusable(f"cannot open the ledger {path}", error) from error
    except LedgerUnusable:
        connection.close()
        raise
    return connection


def journal_mode(connection: sqlite3.Connection) -> str:
    """Return how writes are kept whole: `wal`, or `delete` where the file system can't do that."""
    return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


def write_copy(path: Path, copy: Path) -> None:
    """Write the ledger at `path`, as it is at this moment, into the file `copy`. Others go on writing meanwhile.

    Raises OSError and sqlite3.Error.
    """
    copy.touch(mode=0o600)
    copy.chmod(0o600)
    with closing(_open(path)) as source, closing(_open(copy)) as target:
        source.execute("BEGIN")
        _version(source)  # What is committed after this first reading is not seen.
        target.execute("PRAGMA journal_mode = OFF")
        source.backup(target, pages=COPIED_PAGES)
        target.execute("PRAGMA journal_mode = DELETE")


def kept_copies(path: Path) -> list[Path]:
    """Return the copies that are left of the ledger at `path` from before its tables were brought up to date."""
    return sorted(path.parent.glob(f"{path.name}.v*.backup*"))


def query(connection: sqlite3.Connection, statement: str, values: Values = ()) -> Iterator[Any]:
    """Yield the rows that `statement` selects. Raises LedgerUnusable, LedgerBlocked where what is wrong can pass."""
    try:
        # Not `yield from`: that would close a cursor whose connection may be closed by then.
        for row in connection.execute(statement, values):  # noqa: UP028
            yield row
    except sqlite3.Error as error:
        raise unusable("the ledger cannot be read", error) from error


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def _is_alone(path: Path) -> bool:
    """Whether nobody is about to change the ledger at `path`: there is no log of changes."""
    return not Path(f"{path}-wal").exists()


def _open_as_it_is(path: Path, is_alone: bool) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' * is_alone}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _set_journal_mode(connection: sqlite3.Connection, mode: str) -> None:
    """Switch to `mode`, if that can be had. SQLite does not wait for others in this one case, so this does."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute(f"PRAGMA journal_mode = {mode}")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_BUSY_STEP_SECONDS)
        else:
            return


def _bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    version = _version(connection)
    if 0 < version < SCHEMA_VERSION:
        _keep_copy(path, path.with_name(f"{path.name}.v{version}.backup"))
    steps, statement = _STEPS[version:], ""
    for line in "".join(steps).splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
    connection.execute(f"PRAGMA user_version = {version + len(steps)}")
    connection.execute("COMMIT")


def _keep_copy(path: Path, copy: Path) -> None:
    """Copy the ledger once. Nobody else is at it: the connection that asks for it has begun to write."""
    if copy.exists():
        return
    part = copy.with_name(f"{copy.name}.part")
    try:
        part.unlink(missing_ok=True)
        write_copy(path, part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(copy)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        why = getattr(error, "strerror", None) or error
        raise LedgerUnusable(f"cannot copy the ledger to {copy} before its tables are changed: {why}") from error
