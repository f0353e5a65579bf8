"""A long paste at a real terminal, in pieces of any size: every line becomes an entry, and none of its bytes a key."""

import time
from collections.abc import Iterator
from contextlib import closing
from itertools import cycle

import pytest

from tests.pty.terminal import Terminal
from watui.intake.problems import CONTROL_CHARACTERS, UNDECODABLE
from watui.ledger.reader import Reader
from watui.settings.paths import Paths

LINES = 10_000
PROMISED_SECONDS = 2.0
"""From the first byte to the last row; said and not asserted, for other tests may keep the machine busy."""

LINE_ENDS = (b"\r", b"\r\n", b"\n")

CONTROLS = (
    *(bytes([code]) for code in (*range(0x20), 0x7F) if bytes([code]) not in b"\t\r\n"),
    *(chr(code).encode() for code in range(0x80, 0xA0)),
    *(b"\x1b[A", b"\x1b[I", b"\x1b[200~", b"\x1b[<0;5;5M", b"\x1bOP", b"\x1b]52;c;QQ==\x07", b"\x1b\x1b\x1b"),
    b"\x1b[" + b"1;" * 40,
)
"""What a terminal would obey, or a program take for keys and for the mouse."""

BROKEN = (b"\x9b2J", b"\xe3\x81", b"\xff\xfe")
"""Bytes that are not UTF-8."""

KEYS = b"qsnxvip123"
"""Would each do something, were they keys."""


def lines() -> Iterator[tuple[bytes, str | None]]:
    """Yield lines, and why each is to be rejected."""
    controls, broken, keys = cycle(CONTROLS), cycle(BROKEN), cycle(KEYS)
    for place in range(LINES):
        number = b"+1 212 555 %04d" % place
        if place % 10 == 3:
            yield number + next(controls) + bytes([next(keys)]), CONTROL_CHARACTERS
        elif place % 10 == 7:
            yield number + next(broken) + bytes([next(keys)]), UNDECODABLE
        else:
            yield (number if place % 10 else number.replace(b"+1", "＋１".encode())), None


@pytest.mark.parametrize(
    "piece",
    [
        1,
        pytest.param(7, marks=pytest.mark.long),
        pytest.param(1024, marks=pytest.mark.long),
        pytest.param(64 * 1024, id="64 KB"),
    ],
)
def test_every_line_of_a_long_paste_becomes_an_entry(piece: int, paths: Paths) -> None:
    pasted = list(lines())
    text = b"".join(line + end for (line, _), end in zip(pasted, cycle(LINE_ENDS), strict=False))
    with Terminal(size=(120, 40)) as terminal:
        terminal.until("paste")
        began = time.monotonic()
        terminal.send(b"\x1b[200~" + text + b"\x1b[201~", piece)
        terminal.until(f"{LINES:,} rows read")
        seconds = time.monotonic() - began
        terminal.send(b"?")
        terminal.until("On the Check screen")
        terminal.send(b"\x1b")
        terminal.until("Nothing has been sent yet")
    with closing(Reader(paths.ledger)) as reader:
        problems = [row.problem for row in reader.rows(1)]
        assert len(reader.runs()) == 1
    found = f"{len(problems):,} of {LINES:,} entries in {seconds:.2f} s"
    print(f"\npieces of {piece} bytes: {found}, promised {PROMISED_SECONDS:g} s")
    assert problems == [problem for _, problem in pasted]


def test_bytes_that_are_no_text_do_not_end_the_console() -> None:
    with Terminal() as terminal:
        terminal.until("paste")
        terminal.send(b"".join(BROKEN) + b"?")
        terminal.until("On the Check screen")
