"""Foreign text never reaches a terminal with anything in it that a terminal obeys or hides."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watui.text import clean, counted

FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
HOSTILE = st.characters(categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"])


@given(st.text(st.characters() | HOSTILE))
def test_nothing_hidden_is_left_and_each_character_keeps_its_place(text: str) -> None:
    cleaned = clean(text)
    assert not {unicodedata.category(character) for character in cleaned} & FORBIDDEN
    assert clean(cleaned) == cleaned
    assert len(cleaned) == len(text)


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"])))
def test_clean_text_is_unchanged(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]52;c;AAAA\x07", "␛]52;c;AAAA␇"),
        ("\x1b[2J", "␛[2J"),
        ("a\tb\r\nc", "a␉b␍␊c"),
        ("\x00\x7f\x9b", "␀␡\ufffd"),
        ("\u202e321\u2066", "\ufffd321\ufffd"),
        ("+81\u200b90\ufeff", "+81\ufffd90\ufffd"),
        ("\u2028\u2029\ud800\ue000\U000e0041", "\ufffd" * 5),
        ("José 山田\u00a0[/] ＋８１", "José 山田\u00a0[/] ＋８１"),
    ],
)
def test_what_is_shown_instead(text: str, shown: str) -> None:
    assert clean(text) == shown


@pytest.mark.parametrize(
    ("count", "noun", "words"), [(1, "row", "1 row"), (1280, "row", "1,280 rows"), (0, "entry", "0 entries")]
)
def test_counted(count: int, noun: str, words: str) -> None:
    assert counted(count, noun) == words
