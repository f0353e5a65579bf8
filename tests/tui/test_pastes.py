"""Keys and pastes are parted in the same way, in whatever pieces they come."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watui.tui.pastes import END, ESCAPE, ESCAPE_KEY, START, Pastes

READ = START + END
"""What is read of a paste."""

typed = st.text(st.sampled_from("aé[20~\x1b\r")).map(str.encode).filter(lambda keys: START not in keys)
pasted = st.text(st.sampled_from("1é[20~\x1b\0\x9b\r\n")).map(str.encode).filter(lambda text: END not in text)


@given(st.lists(st.tuples(typed, pasted), max_size=4), typed, st.lists(st.integers(0, 60)))
def test_keys_go_through_and_pastes_come_whole(parts: list[tuple[bytes, bytes]], last: bytes, cuts: list[int]) -> None:
    sent = b"".join(keys + START + text + END for keys, text in parts) + last
    places = sorted({0, *(cut for cut in cuts if cut < len(sent)), len(sent)})
    pastes = Pastes(0.1)
    read = b"".join(pastes.part(sent[start:end]) for start, end in pairwise(places))
    assert read + pastes.held == b"".join(keys + READ for keys, _ in parts) + last
    assert [pastes.take() for _ in parts] == [text.decode() for _, text in parts]


def test_only_what_may_begin_a_paste_waits() -> None:
    pastes = Pastes(0.1)
    assert (pastes.part(b"a"), pastes.patience) == (b"a", None)
    assert (pastes.part(ESCAPE), pastes.patience) == (b"", 0.1)
    assert (pastes.part(b"["), pastes.patience) == (b"", 1.0)
    assert (pastes.part(b"A"), pastes.patience) == (b"\x1b[A", None)
    assert (pastes.part(b"\x1b["), pastes.let_go(), pastes.patience) == (b"", b"\x1b[", None)


@pytest.mark.parametrize("piece", [1, 5])
def test_a_line_that_stalls_makes_no_keys_of_a_bracket(piece: int) -> None:
    pastes, rest = Pastes(0.1), START[1:] + b"text" + END
    assert pastes.part(ESCAPE) + pastes.let_go() == ESCAPE_KEY
    assert b"".join(pastes.part(rest[place : place + piece]) for place in range(0, len(rest), piece)) == READ
    assert pastes.take() == "text"


def test_a_paste_whose_bracket_comes_too_slowly_is_left_to_who_reads() -> None:
    pastes = Pastes(0.1)
    read = pastes.part(START[:4]) + pastes.let_go() + pastes.part(START[4:] + b"1\r" + END)
    assert read == START + b"1\r" + END
    assert pastes.take() is None


@pytest.mark.parametrize("bad", [b"\xff", b"\x9b", b"\xe3\x81"])
def test_bytes_that_are_not_utf_8_are_replaced(bad: bytes) -> None:
    pastes = Pastes(0.1)
    assert pastes.part(b"a" + bad + b"b" + START + b"c" + bad + b"d" + END) == "a\ufffdb".encode() + READ
    assert pastes.take() == "c\ufffdd"
