"""Foreign text never reaches a terminal with anything in it that a terminal obeys or hides."""

import time
import unicodedata
from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from watui.text import clean, counted, masked, masked_number, masked_parts, shortened

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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("+1 212 555 0100", "+• ••• ••• •100"),
        ("12125550100", "••••••••100"),
        ("line 2  +1 212 555 0100 → +12125550100 US", "line 2  +• ••• ••• •100 → +••••••••100 US"),
        ("(631) 555-1002", "(•••) •••-•002"),
        ("(631)  555-1002", "(•••)  •••-•002"),
        ("(+44) (0)20 7946 0958", "(+••) (•)•• •••• •958"),
        ("0612-34-56-78", "••••-••-•6-78"),
        ("2012-12-12-12", "••••-••-•2-12"),
        ("1631-55-5100", "••••-••-•100"),
        ("0176-12-34567", "••••-••-••567"),
        ("631,555,1002", "•••,•••,•002"),
        ("1_631_555_1002", "•_•••_•••_•002"),
        ("1·631·555·1002", "•·•••·•••·•002"),
        ("3:06.12.34.56.78", "3:••.••.••.•6.78"),
        ("1\u202f631\u3000555 1002", "•\u202f•••\u3000••• •002"),
        ("tel:+49-175-2222222", "tel:+••-•••-••••222"),
        ("０３－１２３４－５６７８", "＊＊－＊＊＊＊－＊６７８"),
        ("/v1/contacts/%2B16315551000/block", "/v1/contacts/%2B••••••••000/block"),
        ("16315551000@s.whatsapp.net", "••••••••000@s.whatsapp.net"),
        ("+49 172 3456789 / +49 173 9999999", "+•• ••• ••••789 / +•• ••• ••••999"),
        ("2026-11-22 06:06  +1 631 555 1000", "2026-11-22 06:06  +• ••• ••• •000"),
        ("187 of 1,234,567 numbers", "187 of 1,234,567 numbers"),
        ("next poll 06:06:22 · median 1.4 s", "next poll 06:06:22 · median 1.4 s"),
        ("  12  153  34   3  1999", "  12  153  34   3  1999"),
        ("127.0.0.1:43211, v2.45.1, 4.47900E+11", "127.0.0.1:43211, v2.45.1, 4.47900E+11"),
        ("192.168.100.100:9090", "192.168.100.100:9090"),
        ("http://10.0.0.1:43211/v1, 2 of 1,234,567 left", "http://10.0.0.1:43211/v1, 2 of 1,234,567 left"),
        ("from 2026-11-22 to 2026-12-01, 06:06-07:30", "from 2026-11-22 to 2026-12-01, 06:06-07:30"),
        ("2026-11-22 23:59:59.999Z, 3 of 12 · 14 of 1,234", "2026-11-22 23:59:59.999Z, 3 of 12 · 14 of 1,234"),
        ("16315551000, 16315551001,16315551002", "••••••••000, ••••••••001,••••••••002"),
        ("tel:16315551000: refused", "tel:••••••••000: refused"),
        ("+1 631 555 1000: refused", "+• ••• ••• •000: refused"),
        ("line 12:16315551000.", "line 12:••••••••000."),
        ("06:06:22 1631 555 1000 06:06", "06:06:22 •••• ••• •000 06:06"),
        ("2026-11-22T06:06:22.123+00:00", "2026-11-22T06:06:22.123+00:00"),
        ("12,345 16315551000 1,234", "12,345 ••••••••000 1,234"),
        ("0172/3456789", "••••/••••789"),
        ("members 16315551000.csv", "members ••••••••000.csv"),
    ],
)
def test_only_the_end_of_a_number_is_shown(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert masked(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (shortened("+447900123456 / +447900123457", 20), "+••••••••••••…•••457"),
        (shortened("of +44 7900 123456 to +44 7900 123457", 19), "of +•• •••• …•••457"),
        ("+1 631 5…", "+• ••• •…"),
        ("+1 631 …", "+• ••• …"),
        ("contacts/16…", "contacts/••…"),
        ("row 12 of 1,234…", "row 12 of 1,234…"),
        ("Reading list.csv… 12 rows", "Reading list.csv… 12 rows"),
    ],
)
def test_of_a_number_that_is_cut_no_more_is_shown(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert masked(shown) == shown


@given(st.text(), st.lists(st.integers(0, 40), max_size=4))
def test_what_is_hidden_does_not_depend_on_how_a_line_is_cut(text: str, cuts: list[int]) -> None:
    places = sorted({0, *(cut for cut in cuts if cut < len(text)), len(text)})
    parts = [text[first:end] for first, end in pairwise(places)]
    assert "".join(masked_parts(parts)) == masked(text)
    assert len(masked_parts(parts)) == len(parts)


@given(st.from_regex(r"\+?[0-9]{7,15}", fullmatch=True))
def test_no_number_is_shown_whole(number: str) -> None:
    assert sum(map(str.isdigit, masked(number))) == 3
    assert masked(number)[-3:] == number[-3:]
    assert len(masked(number)) == len(number)


@given(st.from_regex(r"[1-9][0-9]{8,14}", fullmatch=True), st.sampled_from(" -./_·"), st.integers(1, 4))
def test_a_number_in_groups_is_hidden_in_prose(number: str, separator: str, size: int) -> None:
    groups = separator.join(number[place : place + size] for place in range(0, len(number), size))
    shown = masked(f"input +{groups} is doubtful")
    assert [character for character in shown if character.isdigit()] == list(number[-3:])


@given(st.datetimes(datetime(1970, 1, 1), datetime(2099, 12, 31)), st.sampled_from([" ", "T"]))
def test_times_stay_readable(at: datetime, separator: str) -> None:
    for told in (at.isoformat(separator, "milliseconds"), f"{at:%Y-%m-%d %H:%M}Z", f"{at:%H:%M:%S}"):
        assert masked(f"sent at {told}, 3 rows") == f"sent at {told}, 3 rows"


@given(st.text(st.sampled_from("0123456789+-.,:;/() •＊４x_·…"), max_size=40))
def test_what_is_hidden_stays_as_it_is(text: str) -> None:
    assert masked(masked(text)) == masked(text)
    assert len(masked(text)) == len(text)
    assert cell_len(masked(text)) == cell_len(text)


@pytest.mark.parametrize("piece", ["1-", "1 ", "(", "1", "1,", "123,", "+ ( ", "2026-", "1:", "1.", "1 (", "06:06 "])
def test_a_long_line_is_hidden_as_fast_as_it_is_long(piece: str) -> None:
    began = time.monotonic()
    masked(piece * 20_000)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+1  631 / 555, 1000", "+•  ••• / •••, •000"),
        ("４４７９１１１２３４５６", "＊＊＊＊＊＊＊＊＊４５６"),
        ("4.47900E+11", "•.••••0E+11"),
        ("163", "163"),
        ("+1  631,  55…", "+•  •••,  ••…"),
        ("nobody", "nobody"),
        ("", ""),
    ],
)
def test_of_a_number_all_digits_but_the_last_three_are_hidden(number: str, shown: str) -> None:
    assert masked_number(number) == shown
    assert masked_number(shown) == shown
