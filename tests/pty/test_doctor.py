"""`watui doctor` in a real terminal, which is asked how wide a character is and left as it was."""

import pytest

from tests.pty.terminal import Terminal

SIZE = (80, 100)

PATIENT = """
import sys
from watui.cli import entry
from watui.doctor import terminal
terminal.ANSWER_SECONDS = 30
sys.argv[1:] = ["doctor"]
entry.main()
"""


@pytest.mark.parametrize(("column", "words"), [(3, "drawn in 2 columns"), (2, "drawn in 1 column instead")])
def test_the_terminal_is_asked_how_wide_a_character_is(column: int, words: str) -> None:
    with Terminal(size=SIZE, program=("-c", PATIENT)) as terminal:
        terminal.until("漢")
        terminal.send(b"x\x1b[1;%dR" % column)
        terminal.until_ended()
        assert terminal.exit_code == 0
        assert terminal.modes_left_on() == []
        assert words in terminal.text()
        assert "漢" not in terminal.text()
        assert "^[" not in terminal.text()
        assert all(len(line) <= SIZE[0] for line in terminal.text().splitlines())


def test_a_terminal_that_does_not_answer_is_not_waited_for() -> None:
    with Terminal(["doctor"], size=SIZE) as terminal:
        terminal.until_ended()
        assert terminal.exit_code == 0
        assert terminal.modes_left_on() == []
        assert "does not tell where its cursor is" in terminal.text()
        assert "the embedded simulator" in terminal.text()
