"""Keys that a slow line delivers in one piece: what was typed for a dialog goes into it, and nowhere else."""

from pathlib import Path

from tests.pty.terminal import Terminal


def sampled(terminal: Terminal) -> None:
    """Load the sample, and wait until it is all there."""
    terminal.until("import a file")
    terminal.send(b"s")
    terminal.until("187 distinct numbers")


def test_the_path_of_a_list_that_is_imported(tmp_path: Path) -> None:
    numbers = tmp_path / "big fish.csv"  # b, i, s, f, x and 1: all of them commands
    numbers.write_text("phone\n+1 631 555 1000\n+1 631 555 1001\n")
    with Terminal() as terminal:
        terminal.until("import a file")
        terminal.send(b"i%s\r" % bytes(numbers))
        terminal.until("2 distinct numbers")


def test_a_search() -> None:
    with Terminal() as terminal:
        sampled(terminal)
        terminal.send(b"/7\r")
        terminal.until("rows with “7”")


def test_a_reason_to_block() -> None:
    with Terminal() as terminal:
        sampled(terminal)
        terminal.send(b"bxbf 7 sniq")
        terminal.until("xbf 7 sniq +▎ 10 of 59")


def test_one_dialog_after_the_other() -> None:
    with Terminal() as terminal:
        sampled(terminal)
        terminal.send(b"t5\rt2\robspam")
        terminal.until("spam +▎ 4 of 59")


def test_a_command_that_is_looked_for_by_name() -> None:
    with Terminal() as terminal:
        sampled(terminal)
        terminal.send(b"\x10theme")
        terminal.until("theme")
