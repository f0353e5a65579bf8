"""Who carries something out, as other processes see it: alive as long as its process is, and no longer."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from watui.ledger.drivers import Driver, is_gone
from watui.ledger.schema import LedgerUnusable

PROGRAM = """
import sys
from pathlib import Path
from watui.ledger.drivers import Driver
driver = Driver(Path(sys.argv[1]))
print(driver.id, flush=True)
sys.stdin.read()
"""


@contextmanager
def a_process(folder: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Another process that is a driver until its standard input ends, and its id."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_driver_lives_until_it_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "locks"
    one, other = Driver(folder), Driver(folder)
    assert one.id != other.id
    assert not is_gone(folder, one.id)
    one.close()
    assert is_gone(folder, one.id)
    assert not is_gone(folder, other.id)
    assert len(files(folder)) == 1
    other.close()
    assert files(folder) == []


def test_who_was_never_there_is_gone_and_leaves_no_lock(tmp_path: Path) -> None:
    assert is_gone(tmp_path, "0123456789abcdef")
    assert is_gone(tmp_path / "nowhere", "0123456789abcdef")
    assert files(tmp_path) == []


def test_locks_are_for_their_owner_alone(tmp_path: Path) -> None:
    driver = Driver(tmp_path / "locks")
    assert (tmp_path / "locks").stat().st_mode & 0o777 == 0o700
    (lock,) = (tmp_path / "locks").iterdir()
    assert lock.stat().st_mode & 0o777 == 0o600
    driver.close()


def test_a_process_that_is_killed_is_gone_at_once_and_its_lock_with_it(tmp_path: Path) -> None:
    alive = Driver(tmp_path)
    with a_process(tmp_path) as (process, driver_id):
        assert not is_gone(tmp_path, driver_id)
        assert len(files(tmp_path)) == 2, "looking removes no lock of the living"
        process.kill()
        process.wait()
        assert is_gone(tmp_path, driver_id)
        assert files(tmp_path) == [f"{alive.id}.lock"]
        assert is_gone(tmp_path, driver_id)
    assert not is_gone(tmp_path, alive.id)
    alive.close()


def test_a_program_that_a_driver_starts_does_not_keep_it_alive(tmp_path: Path) -> None:
    program = PROGRAM.replace("sys.stdin.read()", "import os; os.posix_spawnp('cat', ['cat'], os.environ)")
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        driver_id = process.stdout.readline().strip()
        assert process.wait() == 0
        # `cat` goes on until its standard input ends, behind this block.
        assert is_gone(tmp_path, driver_id)


def test_several_may_look_at_once(tmp_path: Path) -> None:
    with a_process(tmp_path) as (process, driver_id):
        process.kill()
        process.wait()
        program = "import sys; from pathlib import Path; from watui.ledger.drivers import is_gone\n"
        program += "print(is_gone(Path(sys.argv[1]), sys.argv[2]))"
        command = [sys.executable, "-c", program, str(tmp_path), driver_id]
        looking = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
        # Who looks in the very moment in which another one holds the lock takes the dead for alive, this once.
        assert "True" in [each.communicate()[0].strip() for each in looking]
    assert is_gone(tmp_path, driver_id)
    assert files(tmp_path) == []


def test_where_no_lock_can_be_had_it_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerUnusable, match="cannot lock"):
        Driver(tmp_path / "file")
