"""The log: a line an event, neither numbers nor secrets unless numbers are wanted, bounded, and shared by processes."""

import logging
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import SECONDS, environment
from watui import log
from watui.client.exchanges import Exchange
from watui.log import OLD_FILES, keep_log, log_exchange, log_files, masked_path
from watui.settings.paths import Paths
from watui.settings.settings import remove_profile, save, save_profile

LOGGER = logging.getLogger("watui.test")

NUMBER = "16315550123"


def text_of(paths: Paths) -> str:
    return "".join(file.read_text("utf-8") for file in log_files(paths.event_log))


def an_exchange(path: str, status: int | None = 200, failure_kind: str | None = None) -> Exchange:
    return Exchange(0.0, "POST", f"https://h.test{path}", b"12", status, b"123", 0.25, None, None, failure_kind)


def test_a_line_says_when_who_and_what(paths: Paths) -> None:
    with keep_log(paths.event_log, "100% begins"):
        LOGGER.warning("two\nlines of %s", "\x1b[31m")
    first, second = paths.event_log.read_text("utf-8").splitlines()
    at, process_id, level, words = first.split(" ", 3)
    assert (int(process_id), level, words) == (os.getpid(), "info", "100% begins")
    assert at[10] == "T"
    assert at[-6] in "+-"
    assert second.split(" ", 2)[2] == "warning two␊lines of ␛[31m"


def test_without_an_event_there_is_no_file(home: Path, paths: Paths) -> None:
    with keep_log(paths.event_log, "begins"):
        pass
    LOGGER.warning("after the end")
    assert not home.exists()


def test_only_the_owner_can_read_it(paths: Paths) -> None:
    mask = os.umask(0)
    try:
        with keep_log(paths.event_log, "begins", most_bytes=100):
            for number in range(5):
                LOGGER.info("event %d", number)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(paths.log.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in paths.log.iterdir()} == {0o600}
    assert len(log_files(paths.event_log)) > 1


@pytest.mark.parametrize("obstacle", ["a file in place of the folder", "a folder in place of the file", "a full disk"])
def test_what_cannot_be_written_is_given_up(
    paths: Paths, obstacle: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    if obstacle == "a full disk":
        paths.log.mkdir(parents=True)
        paths.event_log.symlink_to("/dev/full")
    elif obstacle.endswith("file"):
        paths.event_log.mkdir(parents=True)
    else:
        paths.log.parent.mkdir(parents=True)
        paths.log.touch()
    with keep_log(paths.event_log, "begins"):
        LOGGER.info("event")
    assert capfd.readouterr() == ("", "")


def test_rotation_keeps_the_size_bounded(paths: Paths) -> None:
    most, line = 2_000, "x" * 100
    with keep_log(paths.event_log, "begins", most):
        for _ in range(500):
            LOGGER.info(line)
    files = log_files(paths.event_log)
    assert len(files) == 1 + OLD_FILES
    assert all(file.stat().st_size <= most for file in files)


WRITER = """
import logging, sys
from pathlib import Path
from watui.log import keep_log
with keep_log(Path(sys.argv[1]), "begins", 20_000):
    for number in range(300):
        logging.getLogger("watui.writer").info("writer %s line %d", sys.argv[2], number)
"""


def test_two_processes_lose_no_line(paths: Paths) -> None:
    """Two of them write 300 lines each, which need more than one file, and fewer than are kept."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(paths.event_log), name], env=environment())
        for name in ("a", "b")
    ]
    assert [writer.wait(SECONDS) for writer in writers] == [0, 0]
    assert 1 < len(log_files(paths.event_log)) < 1 + OLD_FILES
    words = [line.split(" ", 3)[3] for line in text_of(paths).splitlines()]
    expected = [f"writer {name} line {number}" for name in "ab" for number in range(300)]
    assert sorted(words) == sorted([*expected, "begins", "begins"])


def test_who_finds_the_file_moved_does_not_move_it_again(paths: Paths) -> None:
    first, second = (log._LogFile(paths.event_log, "begins", 200) for _ in range(2))
    record = logging.LogRecord("watui", logging.INFO, "", 0, "x" * 150, (), None)
    first.emit(record)
    assert second.shouldRollover(record)
    first.emit(record)
    before = log_files(paths.event_log)
    second.doRollover()
    assert log_files(paths.event_log) == before
    second.emit(record)
    assert text_of(paths).count("x" * 150) == 3


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/v1/contacts", "/v1/contacts"),
        ("/v1/contacts/", "/v1/contacts/"),
        (f"/v1/contacts/+{NUMBER}/block", "/v1/contacts/{contact}/block"),
        (f"/v1/contacts/%2B{NUMBER}/identity", "/v1/contacts/{contact}/identity"),
        ("/v1/contacts/%2E%2E%2F1/report", "/v1/contacts/{contact}/report"),
        ("/v1/contacts/blocklist", "/v1/contacts/blocklist"),
        (f"/blacklist/{NUMBER}", "/blacklist/{contact}"),
        (f"/phones/{NUMBER}/v1/contacts", "/phones/{number}/v1/contacts"),
        ("/v1/users/login", "/v1/users/login"),
    ],
)
def test_a_path_names_nobody(path: str, shown: str) -> None:
    assert masked_path(path) == shown


@pytest.mark.parametrize(
    ("exchange", "outcome"),
    [
        (an_exchange(f"/v1/contacts/blocklist?q={NUMBER}"), "HTTP 200"),
        (an_exchange("/v1/contacts/blocklist", None, "TimedOut"), "TimedOut"),
        (an_exchange("/v1/contacts/blocklist", None), "interrupted"),
    ],
)
def test_an_exchange_is_told_by_what_came_of_it(paths: Paths, exchange: Exchange, outcome: str) -> None:
    with keep_log(paths.event_log, "begins"):
        log_exchange(exchange)
    last = paths.event_log.read_text("utf-8").splitlines()[-1]
    expected = f"info POST /v1/contacts/blocklist: {outcome}, 250 ms, 2 bytes sent, 3 received"
    assert last.endswith(expected)


def test_changes_of_settings_are_told_by_name(paths: Paths) -> None:
    with keep_log(paths.event_log, "begins"):
        save(paths.settings, "region", "DE")
        save_profile(paths.settings, "lab", {"url": f"https://{NUMBER}.test", "user": "canary-user"})
        remove_profile(paths.settings, "lab")
    words = [line.split(" ", 3)[3] for line in text_of(paths).splitlines()]
    assert words[1:] == ["setting region is changed", "profile lab is changed: url, user", "profile lab is removed"]
