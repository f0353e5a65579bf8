"""A file is written whole or not at all."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from watui.files import CannotWrite, write_whole


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_parts_are_written_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    write_whole(path, iter(["é,\r\n", "", "山\n"]), replace=False)
    assert path.read_bytes() == "é,\r\n山\n".encode()
    assert _names(tmp_path) == ["out.csv"]


def test_an_old_file_is_replaced_only_where_that_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")
    with pytest.raises(CannotWrite, match="there already"):
        write_whole(path, ["new"], replace=False)
    assert path.read_text() == "old"
    write_whole(path, ["new"], replace=True)
    assert path.read_text() == "new"
    assert _names(tmp_path) == ["out.csv"]


@pytest.mark.parametrize(
    "target",
    ["", "missing/out.csv", "a-file/out.csv", "n" * 300],
    ids=["folder", "in no folder", "in a file", "name too long"],
)
@pytest.mark.parametrize("replace", [False, True])
def test_a_path_that_cannot_be_written(tmp_path: Path, target: str, replace: bool) -> None:
    (tmp_path / "a-file").write_text("old")
    with pytest.raises(CannotWrite) as caught:
        write_whole(tmp_path / target, ["new"], replace=replace)
    assert str(tmp_path / target) in str(caught.value)
    assert _names(tmp_path) == ["a-file"]
    assert (tmp_path / "a-file").read_text() == "old"


@pytest.mark.parametrize("failing", ["pathlib.Path.open", "os.fsync", "pathlib.Path.replace"])
@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_system_that_refuses_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str, code: int
) -> None:
    """Raised by hand, since permissions do not stop every user who may run the tests."""
    path = tmp_path / "out.csv"
    path.write_text("old")

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patched:
        patched.setattr(failing, refuse)
        with pytest.raises(CannotWrite, match=os.strerror(code)):
            write_whole(path, ["new"], replace=True)
    assert path.read_text() == "old"
    assert _names(tmp_path) == ["out.csv"]


def test_parts_that_end_in_an_error_leave_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")

    def parts() -> Iterator[str]:
        yield "new"
        raise LookupError

    with pytest.raises(LookupError):
        write_whole(path, parts(), replace=True)
    assert path.read_text() == "old"
    assert _names(tmp_path) == ["out.csv"]


def test_a_link_is_followed_and_the_mode_is_kept(tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    write_whole(link, ["new"], replace=True)
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert real.stat().st_mode & 0o777 == 0o640


def test_a_pipe_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as reader:
        got = reader.submit(pipe.read_text)
        write_whole(pipe, ["a", "b"], replace=True)
        assert got.result(10) == "ab"
    assert pipe.is_fifo()


def test_what_a_killed_process_left_goes_with_the_next_writing(tmp_path: Path) -> None:
    killed = (
        "import sys; from pathlib import Path; from watui.files import write_whole\n"
        "write_whole(Path(sys.argv[1]), ['half'], replace=True)"
    )
    path, other = tmp_path / "out.csv", tmp_path / "other.csv"
    for _ in range(2):
        for place in (path, other):
            environment = {**os.environ, "WATUI_FAILPOINT": "file.rename:1"}
            assert subprocess.run([sys.executable, "-c", killed, place], env=environment).returncode < 0
    write_whole(path, ["whole"], replace=True)
    assert len(_names(tmp_path)) == 5, "what is new may be somebody's at work"
    for left in tmp_path.glob(".*.part"):
        os.utime(left, (0, 0))
    write_whole(path, ["whole"], replace=True)
    assert len(_names(tmp_path)) == 3, "of the other file nothing is known"
    assert path.read_text() == "whole"
