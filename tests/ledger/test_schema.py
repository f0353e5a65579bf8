"""How a ledger is opened: older tables with a copy of them, and file systems that other machines write to as well."""

import os
import resource
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.killed import is_killed
from tests.ledger.conftest import OPTIONS, new_row
from tests.ledger.mortal import open_up_to, open_up_to_the_copy
from watui.ledger import schema
from watui.ledger.ledger import Ledger
from watui.ledger.mounts import is_networked
from watui.ledger.reader import Reader
from watui.ledger.schema import SCHEMA_VERSION, LedgerUnusable

OLDER = range(1, SCHEMA_VERSION)
FIRST_TABLES = ("run", "source", "number", "entry", "tally", "ask")
ROWS = 3_000


def old_ledger(path: Path, version: int) -> None:
    """Make a ledger as watui had it when its tables were of `version`, with a run and a draft."""
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript("".join(schema._STEPS[:version]) + f"PRAGMA user_version = {version};")
        for run_id, state in ((1, "done"), (2, "draft")):
            db.execute(
                "INSERT INTO run (id, state, server, region, blocking, force_check, batch_size, created_at, entries,"
                " numbers) VALUES (?, ?, 'simulator', 'US', 'no_wait', 0, 500, 1.0, ?, ?)",
                (run_id, state, ROWS, ROWS),
            )
            db.execute("INSERT INTO source (run_id, source_id, name) VALUES (?, 1, 'list')", (run_id,))
            db.execute("INSERT INTO tally VALUES (?, 'queued', ?, ?)", (run_id, ROWS, ROWS))
            db.execute("INSERT INTO ask (run_id, asked_at, numbers) VALUES (?, 2.0, ?)", (run_id, ROWS))
            for row in range(1, ROWS + 1):
                key = f"+1631555{row:04}"
                db.execute(
                    "INSERT INTO number (run_id, number_id, key, input, number, first_row) VALUES (?, ?, ?, ?, ?, ?)",
                    (run_id, row, key, key, key, row),
                )
                db.execute(
                    "INSERT INTO entry (run_id, row, source_id, line, input, number_id) VALUES (?, ?, 1, ?, ?, ?)",
                    (run_id, row, row, key, row),
                )
        db.commit()


def content(path: Path, version: int) -> list[Any]:
    """Return all rows of the first tables, with the columns that they had then, after looking whether all is sound."""
    with closing(sqlite3.connect(path)) as db, closing(sqlite3.connect(":memory:")) as first:
        first.executescript(schema._STEPS[0])
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA user_version").fetchone() == (version,)
        columns = {
            table: ", ".join(name for _, name, *_ in first.execute(f"PRAGMA table_info({table})"))
            for table in FIRST_TABLES
        }
        return [db.execute(f"SELECT {columns[table]} FROM {table} ORDER BY 1, 2").fetchall() for table in FIRST_TABLES]


def copy_of(path: Path, version: int) -> Path:
    return path.with_name(f"{path.name}.v{version}.backup")


def names(path: Path) -> set[str]:
    """Return what lies beside the ledger, without what SQLite itself keeps there."""
    return {other.name for other in path.parent.iterdir()} - {path.name, f"{path.name}-wal", f"{path.name}-shm"}


@contextmanager
def disk_of(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "ledger.sqlite3"


# Older tables


@pytest.mark.parametrize("version", OLDER)
def test_an_older_ledger_keeps_its_rows_and_leaves_a_copy(path: Path, version: int) -> None:
    old_ledger(path, version)
    before = content(path, version)
    with ThreadPoolExecutor(6) as pool:
        for ledger in pool.map(Ledger, [path] * 6):
            ledger.close()
    assert content(path, SCHEMA_VERSION) == before
    copy = copy_of(path, version)
    assert content(copy, version) == before
    assert copy.stat().st_mode & 0o777 == 0o600
    assert names(path) == {copy.name}
    assert schema.kept_copies(path) == [copy]


def test_no_copy_is_made_where_there_is_nothing_old(path: Path) -> None:
    for _ in range(2):
        Ledger(path).close()
    assert names(path) == set()
    assert schema.kept_copies(path) == []


def test_a_copy_that_is_there_already_is_left_as_it_is(path: Path) -> None:
    old_ledger(path, 1)
    copy_of(path, 1).write_text("from before")
    Ledger(path).close()
    assert copy_of(path, 1).read_text() == "from before"


@pytest.mark.parametrize("version", OLDER)
def test_a_copy_can_take_the_place_of_the_ledger(path: Path, version: int) -> None:
    old_ledger(path, version)
    before = content(path, version)
    Ledger(path).close()
    copy_of(path, version).replace(path)
    Ledger(path).close()
    assert content(path, SCHEMA_VERSION) == before


def test_a_full_disk_changes_nothing(path: Path) -> None:
    old_ledger(path, 1)
    before, bytes_before = content(path, 1), path.read_bytes()
    with disk_of(path.stat().st_size // 2), pytest.raises(LedgerUnusable, match="cannot copy the ledger"):
        Ledger(path)
    assert path.read_bytes() == bytes_before
    assert content(path, 1) == before
    assert names(path) == set()
    Ledger(path).close()
    assert content(path, SCHEMA_VERSION) == before


@pytest.mark.parametrize("version", OLDER)
def test_who_is_killed_while_bringing_it_up_to_date_leaves_a_ledger(path: Path, version: int) -> None:
    """At every statement in turn, and while the copy is made."""
    old_ledger(path, version)
    before, kills = content(path, version), 0
    assert is_killed(open_up_to_the_copy, path)
    assert schema.kept_copies(path) == [copy_of(path, version).with_suffix(".backup.part")]
    while is_killed(open_up_to, path, kills + 1):
        kills += 1
        assert content(path, version) == before
        assert content(copy_of(path, version), version) == before
    print(f"killed at {kills} statements, nothing lost")
    assert kills > 0
    assert content(path, SCHEMA_VERSION) == before
    assert names(path) == {copy_of(path, version).name}


# File systems

MOUNTS = r"""
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 27 0:40 / /home rw,relatime shared:7 master:2 - nfs4 server:/home rw,vers=4.2
41 40 0:41 / /home/ada/local rw - xfs /dev/vdb rw
42 27 0:42 / /mnt/with\040space rw - cifs //server/share rw
43 27 0:43 / /mnt/back\134slash rw - fuse.sshfs ada@server: rw
44 27 0:44 / /mnt/drive rw - fuseblk /dev/sdb1 rw
45 27 0:45 / /mnt/c rw - 9p C:\134 rw
46 27 0:46 / /mnt/encrypted rw - fuse.gocryptfs /secret rw
47 27 0:47 / /mnt/auto rw - autofs systemd-1 rw
48 47 0:48 / /mnt/auto rw - nfs server:/auto rw
49 27 0:49 / /mnt/hidden rw - nfs server:/hidden rw
50 49 0:50 / /mnt/hidden rw - tmpfs tmpfs rw

nothing of the kind
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", None),
        ("/data/ledger.sqlite3", None),
        ("/home/ada/ledger.sqlite3", "nfs4"),
        ("/home", "nfs4"),
        ("/homes/ada/ledger.sqlite3", None),
        ("/home/ada/local/ledger.sqlite3", None),
        ("/home/ada/locals/ledger.sqlite3", "nfs4"),
        ("/mnt/with space/a/b", "cifs"),
        ("/mnt/back\\slash/a", "fuse.sshfs"),
        ("/mnt/drive/a", None),
        ("/mnt/c/Users", "9p"),
        ("/mnt/encrypted/a", None),
        ("/mnt/auto/a", "nfs"),
        ("/mnt/hidden/a", None),
        ("/mnt/auto/../drive/a", None),
    ],
)
def test_the_file_system_is_that_of_the_deepest_mount(tmp_path: Path, path: str, expected: str | None) -> None:
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(MOUNTS)
    assert is_networked(Path(path), mountinfo) == expected


def test_a_link_is_followed_to_its_file_system(tmp_path: Path) -> None:
    (tmp_path / "away").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "away")
    mountinfo = tmp_path / "mountinfo"
    mountinfo.write_text(f"1 1 0:1 / / rw - ext4 x rw\n2 1 0:2 / {tmp_path / 'away'} rw - nfs server:/ rw\n")
    assert is_networked(tmp_path / "link" / "ledger.sqlite3", mountinfo) == "nfs"
    assert is_networked(tmp_path / "ledger.sqlite3", mountinfo) is None


def test_where_nobody_can_tell_it_is_not_networked(tmp_path: Path) -> None:
    assert is_networked(tmp_path, tmp_path / "no mountinfo") is None
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert is_networked(tmp_path / "loop" / "ledger.sqlite3") is None


def test_a_ledger_is_kept_in_a_write_ahead_log(path: Path) -> None:
    with closing(schema.connect(path)) as db:
        assert schema.journal_mode(db) == "wal"


@pytest.mark.parametrize("was_local", [False, True])
def test_on_a_networked_file_system_there_is_no_shared_memory(
    path: Path, was_local: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if was_local:
        Ledger(path).close()
    monkeypatch.setattr(schema, "is_networked", lambda _: "nfs4")
    ledger, other, reader = Ledger(path), Ledger(path), Reader(path)
    has_changed = reader.watch()
    run_id = ledger.add_run(OPTIONS)
    assert has_changed()
    assert not has_changed()
    other.add_rows(run_id, other.add_source(run_id, "list", None), [new_row(1, "22")], {})
    assert has_changed()
    assert [row.input for row in reader.rows(run_id)] == ["(22) 1"]
    assert names(path) == set()
    for each in (ledger, other, reader):
        each.close()
    assert os.listdir(path.parent) == [path.name]
    with closing(schema.connect(path)) as db:
        assert schema.journal_mode(db) == "delete"


def test_a_file_system_that_cannot_share_memory_is_accepted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_without_memory(path: Path) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{path}?vfs=unix-dotfile", uri=True, isolation_level=None)

    monkeypatch.setattr(schema, "_open", open_without_memory)
    with closing(schema.connect(path)) as db:
        assert db.execute("PRAGMA journal_mode = WAL").fetchone() == ("delete",)
        assert schema.journal_mode(db) == "delete"
        assert db.execute("SELECT count(*) FROM run").fetchone() == (0,)
