"""Sources that are no lists: address books and texts. Their numbers are entries, what holds none is counted."""

import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watui.intake import problems
from watui.intake.entries import Entry, Row, Skipped, read_entries
from watui.intake.prose import find_numbers


def read(text: str, column: str | None = None) -> list[Row]:
    return list(read_entries(io.StringIO(text, newline=None), column, "given")[1])


CARDS = """\
BEGIN:VCARD
VERSION:3.0
FN:Ada
TEL;TYPE=CELL:+1 212 555 0100
item1.TEL;TYPE=WORK:+1 212
  555 0101
END:VCARD
BEGIN:VCARD
VERSION:4.0
FN:Bo
TEL;VALUE=uri;TYPE="voice,home":tel:+1-212-555-0102;ext=23
tel;waid=447900123456:+44 7900\\, 123456
PHOTO;ENCODING=b:TUlJQ2FqQ0NBZE9nQXdJQkFnSUNCRVV3RFFZSktvWklodmNO
 QVFFRUJRQXdkekVMTUFrR0ExVUVCaE1DVlZNeExEQXFCZ05WQkFvVEkwNWxkSE5q
END:VCARD

BEGIN:VCARD
VERSION:2.1
N:Cy
TEL;CELL;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:=2B44=207900=
=20123457
TEL:
TEL:none
END:VCARD
begin:vcard
FN:Di
NOTE:TEL:+1 212 555 0199
end:vcard
BEGIN:VCARD
FN:cut short
"""


def test_a_number_of_a_card_is_no_comment_whatever_it_begins_with() -> None:
    card = "BEGIN:VCARD\nTEL:#31#+12125550100\nTEL:*100#\nTEL:+12125550100p1\nEND:VCARD\n"
    assert read(card) == [
        Entry(2, "#31#+12125550100", None),
        Entry(3, "*100#", None),
        Entry(4, "+12125550100p1", None),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_an_address_book(end: str) -> None:
    assert read("\n" + CARDS.replace("\n", end)) == [
        Entry(5, "+1 212 555 0100", None),
        Entry(6, "+1 212 555 0101", None),
        Entry(12, "tel:+1-212-555-0102;ext=23", None),
        Entry(13, "+44 7900, 123456", None),
        Entry(21, "+44 7900 123457", None),
        Skipped.BLANK,
        Entry(24, "none", problems.NO_DIGITS),
        Skipped.PROSE,
        Skipped.PROSE,
    ]


@pytest.mark.parametrize("charset", ["idna", "punycode", "undefined", "hex", "none-such", "UTF-8"])
def test_a_charset_that_cannot_be_read_is_taken_for_utf8(charset: str) -> None:
    card = f"BEGIN:VCARD\nTEL;ENCODING=QUOTED-PRINTABLE;CHARSET={charset}:+1631=E95551000\nEND:VCARD\n"
    (row,) = read(card)
    assert row == Entry(2, "+1631\ufffd5551000", problems.UNDECODABLE)


def test_a_number_that_goes_on_and_on_is_cut() -> None:
    head = "BEGIN:VCARD\nTEL;ENCODING=QUOTED-PRINTABLE:+1=\n"
    (row,) = read(head + 1600 * f"{64 * '1'}=\n" + "1\nEND:VCARD\n")
    assert isinstance(row, Entry)
    assert (row.line, row.problem) == (2, problems.TOO_LONG)


@pytest.mark.parametrize("fold", ["=\n", "\n "])
def test_what_is_no_number_is_not_put_together(fold: str) -> None:
    started = time.process_time()
    note = fold.join(["TEL:+12125550199"] * 200_000)
    assert read(f"BEGIN:VCARD\nNOTE;ENCODING=QUOTED-PRINTABLE:{note}\nTEL:+12125550100\nEND:VCARD\n") == [
        Entry(200_002, "+12125550100", None)
    ]
    assert time.process_time() - started < 5


def test_parameters_may_be_folded_too() -> None:
    assert read("BEGIN:VCARD\nTEL;TYPE=\n CELL:+1 212\n  555 0100\nEND:VCARD\n") == [Entry(2, "+1 212 555 0100", None)]


@given(st.text() | st.lists(st.sampled_from([*CARDS.splitlines(), " x", "=", "TEL;", ";"])).map("\n".join))
def test_any_card_is_read(text: str) -> None:
    for row in read("BEGIN:VCARD\n" + text):
        assert not isinstance(row, Entry) or 0 < row.line <= text.count("\n") + text.count("\r") + 2


NUMBERS_WITH_A_BAR = ["0172 3456789", "0173 9999999", "0172 3456780", "0173 9999990"]

LETTER = """\
Dear all,

please call Ada on +1 (212) 555-0100 or, after 18:30, on 0172 3456789.
Our order 12345678 of 15.01.2025 is still open; customer no. 4711.
Bo has moved: his numbers are +44 7900 123456 / +44 7900 123457, and in the office 030/1234567 x23.
The number of the hotel is 447900123458 as far as I know.
"""


def test_a_letter() -> None:
    assert read(LETTER) == [
        Skipped.PROSE,
        Skipped.BLANK,
        Entry(3, "+1 (212) 555-0100", None),
        Entry(3, "0172 3456789", None),
        Skipped.PROSE,
        Entry(5, "+44 7900 123456", None),
        Entry(5, "+44 7900 123457", None),
        Entry(5, "030/1234567 x23", None),
        Entry(6, "447900123458", None),
    ]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("call tel:+1-212-555-0100 now", ["tel:+1-212-555-0100"]),
        ("(212) 555-0100, please", ["(212) 555-0100"]),
        ("＋８１ ９０ １２３４ ５６７８ です", ["＋８１ ９０ １２３４ ５６７８"]),
        ("on 2025-01-15 and 15.01.2025 and 1/15/2025", []),
        ("id A1234567890", []),
        ("IBAN DE02120300000000202051", []),
        ("$1,234,567.00 or 192.168.0.1", []),
        ("[15.01.25, 10:30:12] +49 172 3456789: hello", ["+49 172 3456789"]),
        ("at the office under 030 / 23125-000", ["030 / 23125-000"]),
        ("at the office under +49 30 / 23125-000, please", ["+49 30 / 23125-000"]),
        ("0172 3456789 / 0173 9999999 or 0172 3456780/0173 9999990", NUMBERS_WITH_A_BAR),
        ("on 20240315 it was 20240315-001", []),
        ("invoice 20240315-001 and invoice no. 1234567890", []),
        ("Rechnungsnummer: 2024031500", []),
        ("the order of Ada, +1 212 555 0100", ["+1 212 555 0100"]),
        ("IBAN DE89 3704 0044 0532 0130 00 or (GB29NWBK60161331926819).", []),
        ("AT61 1904 3002 3457 3201 0172 3456789", ["0172 3456789"]),
        ("DE89 3704 0044 0532 0130 01", []),
        (
            "customer 0172 3456789, customer no. 0172 3456789, order +1 212 555 0100",
            ["0172 3456789", "+1 212 555 0100"],
        ),
        ("none", []),
    ],
)
def test_numbers_in_a_line(text: str, numbers: list[str]) -> None:
    assert find_numbers(text) == numbers


def test_what_may_be_no_number_in_a_letter_is_not_asked_and_named() -> None:
    letter = (
        LETTER
        + "Invoice 20240315-001 is of 20240315, order no. 1234567890 too; pay it to\nDE89 3704 0044 0532 0130 00.\n"
    )
    assert read(letter)[-3:] == [
        Entry(7, "20240315-001", problems.OTHERWISE),
        Entry(7, "1234567890", problems.OTHERWISE),
        Skipped.PROSE,
    ]


@pytest.mark.parametrize(
    "text",
    [
        "name,address,phone\nAda,12 Long Lane West,+12125550100\nBo,1 Long Lane West,+12125550101\n",
        "phone\nplease call me there +12125550100\nor call him there +12125550101\n",
        "please ask at the desk\n+12125550100\n",
    ],
)
def test_a_list_with_words_in_it_stays_a_list(text: str) -> None:
    assert len(read(text)) == text.count("\n")
    assert Skipped.PROSE not in read(text)


def test_with_a_column_named_it_is_a_table() -> None:
    assert read("please call me there +12125550100\n", "1") == [Entry(1, "please call me there +12125550100", None)]


@given(st.lists(st.sampled_from([*LETTER.splitlines(), "+1 212 555 0100", "4.47900E+11", "x" * 10]), max_size=12))
def test_no_line_is_lost(lines: list[str]) -> None:
    text = LETTER + "\n".join(lines)
    rows = read(text)
    skipped = sum(isinstance(row, Skipped) for row in rows)
    assert skipped + len({row.line for row in rows if isinstance(row, Entry)}) == len(text.splitlines())
    assert all(row.input in text.splitlines()[row.line - 1] for row in rows if isinstance(row, Entry))
