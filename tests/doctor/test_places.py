"""Files that can't be used, read by others or out of room are found; nothing is made by looking."""

import os
import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from watui.doctor import places
from watui.findings import Finding, Level
from watui.ledger.ledger import Ledger
from watui.ledger.schema import SCHEMA_VERSION
from watui.settings.paths import Paths
from watui.settings.secrets import Secret, Secrets, Store

Usage = namedtuple("Usage", "total used free")

LOOKS = (places.settings, places.ledger, places.logs, places.secrets)


def found(look: Callable[[Paths], Iterator[Finding]], paths: Paths, subject: str) -> Finding:
    """Return the first finding of that subject."""
    return next(finding for finding in look(paths) if finding.subject == subject)


def test_an_empty_home_is_well_and_stays_empty(home: Path, paths: Paths) -> None:
    home.parent.mkdir(exist_ok=True)
    assert {finding.level for look in LOOKS for finding in look(paths)} == {Level.OK}
    assert not home.exists()


def test_settings_that_cannot_be_used_are_trouble(paths: Paths) -> None:
    paths.config.mkdir(parents=True)
    paths.settings.write_text("batch_size = 0", "utf-8")
    finding = found(places.settings, paths, "settings")
    assert finding.level is Level.TROUBLE
    assert str(paths.settings) in finding.words
    assert "batch_size" in finding.words
    assert finding.next_step


def test_a_log_with_numbers_is_worth_a_word(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATUI_LOG_NUMBERS", "1")
    assert found(places.settings, paths, "log_numbers").level is Level.NOTE


@pytest.mark.parametrize("is_open", [False, True])
def test_looking_at_a_ledger_changes_nothing(paths: Paths, is_open: bool) -> None:
    ledger = Ledger(paths.ledger)
    if not is_open:
        ledger.close()
    looked_at = (paths.data, *paths.data.iterdir())
    before = [place.stat().st_mtime_ns for place in looked_at]
    finding = found(places.ledger, paths, "ledger")
    assert [place.stat().st_mtime_ns for place in looked_at] == before
    if is_open:
        ledger.close()
    assert finding.level is Level.OK
    assert "kB" in finding.words or "bytes" in finding.words


@pytest.mark.parametrize(
    ("version", "level", "words"),
    [(SCHEMA_VERSION + 1, Level.TROUBLE, "newer version"), (SCHEMA_VERSION - 1, Level.OK, "older version")],
)
def test_a_ledger_of_another_version_is_named(paths: Paths, version: int, level: Level, words: str) -> None:
    Ledger(paths.ledger).close()
    with closing(sqlite3.connect(paths.ledger)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    finding = found(places.ledger, paths, "ledger")
    assert finding.level is level
    assert words in finding.words


def test_a_file_that_is_no_ledger_is_trouble(paths: Paths) -> None:
    paths.data.mkdir(parents=True)
    paths.ledger.write_bytes(b"no ledger" * 1000)
    finding = found(places.ledger, paths, "ledger")
    assert finding.level is Level.TROUBLE
    assert finding.next_step


@pytest.mark.parametrize(("free", "level"), [(places.LEAST_FREE_BYTES - 1, Level.NOTE), (2**40, Level.OK)])
def test_a_disk_that_is_nearly_full_is_worth_a_word(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, free: int, level: Level
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(0, 0, free))
    assert found(places.ledger, paths, "disk").level is level


def test_a_folder_that_cannot_be_written_to_is_trouble(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    assert found(places.ledger, paths, "folder").level is Level.TROUBLE


def test_a_network_file_system_is_worth_a_word(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "is_networked", lambda _: "nfs4")
    finding = found(places.ledger, paths, "file system")
    assert finding.level is Level.NOTE
    assert "nfs4" in finding.words


def test_logs_are_told_by_place_and_size(paths: Paths) -> None:
    paths.log.mkdir(parents=True)
    for name in ("watui.log", "watui.log.1"):
        (paths.log / name).write_bytes(b"x" * 1_000)
    paths.crash_log.touch()
    assert found(places.logs, paths, "log").words == f"{paths.event_log}, 2.0 kB"
    assert str(paths.crash_log) in found(places.logs, paths, "crash").words


def test_a_secret_that_others_can_read_is_trouble_with_the_command_that_mends_it(paths: Paths) -> None:
    Secrets(paths.secrets, {}).keep("o'lab", Secret.TOKEN, "canary", Store.FILE)
    assert found(places.secrets, paths, "secrets").level is Level.OK
    (file,) = paths.secrets.iterdir()
    file.chmod(0o644)
    paths.secrets.chmod(0o755)
    findings = list(places.secrets(paths))
    assert [finding.level for finding in findings] == [Level.TROUBLE, Level.TROUBLE]
    assert "canary" not in str(findings)
    for finding in findings:
        assert finding.next_step is not None
        assert os.system(finding.next_step) == 0
    assert found(places.secrets, paths, "secrets").level is Level.OK


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1.0 kB"), (83_400_000_000, "83 GB"), (2 * 10**15, "2,000 TB")],
)
def test_sizes_are_told_for_people(count: int, words: str) -> None:
    assert places.in_bytes(count) == words
