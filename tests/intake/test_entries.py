"""Every record is an entry, is rejected with a reason, or is counted as skipped; no number is changed or lost."""

import io
import re
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watui.intake import problems
from watui.intake.entries import LONGEST_INPUT, Entry, Row, Skipped, find_problem, look_at, read_entries, single
from watui.intake.records import Layout


def _read(text: str, column: str | None = None) -> tuple[Layout, list[Row]]:
    layout, rows = read_entries(io.StringIO(text, newline=None), column, "list.csv")
    return layout, list(rows)


def _entries(text: str) -> list[tuple[int, str, str | None]]:
    return [(row.line, row.input, row.problem) for row in _read(text)[1] if isinstance(row, Entry)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("+1 212 555 0100", None),
        ("0044 20 7946 0900", None),
        ("tel:+1-212-555-0100", None),
        ("+1 212 555 0100 ext. 5", None),
        ("＋８１ ９０", None),
        ("+1\u00a0212\u00a05550100", None),
        ("+1\u200b212\u20605550100", None),
        ("+1\t212", None),
        ("1", None),
        ("ask at the desk", problems.NO_DIGITS),
        ("", problems.NO_DIGITS),
        ("²", problems.NO_DIGITS),
        ("#DIV/0!", problems.SHEET_ERROR),
        ("4.47900E+11", problems.SCIENTIFIC),
        ("4,479e+11", problems.SCIENTIFIC),
        ("4E11", problems.SCIENTIFIC),
        ("+4.479E+11", problems.SCIENTIFIC),
        ("+49 172 3456789 / +49 173 9999999", problems.TWO_NUMBERS),
        ("+49 172 3456789; +49 173 9999999", problems.TWO_NUMBERS),
        ("0172 3456789, 0173 9999999", problems.TWO_NUMBERS),
        ("0172 3456789 or 0173 9999999", problems.TWO_NUMBERS),
        ("+491723456789 +491739999999", problems.TWO_NUMBERS),
        ("home ０１７２３４５６７８９ | work ０１７３９９９９９９９", problems.TWO_NUMBERS),
        ("+49 30 12345678 / 79", None),
        ("030/12345678", None),
        ("+1 212 555 0100 ext 1234567", None),
        ("+1 212 555 0100 2025-01-15", None),
        ("+1 212 555 0100, 15.01.2025", None),
        ("tel:555-0100;phone-context=+1-212-555", None),
        ("+1212\ufffd5550100", problems.UNDECODABLE),
        ("+1212\n5550100", problems.CONTROL_CHARACTERS),
        ("+1212\x1b[2J", problems.CONTROL_CHARACTERS),
        ("+1212\x7f", problems.CONTROL_CHARACTERS),
        ("+1212\x9b1", problems.CONTROL_CHARACTERS),
        ("+1212\x00", problems.CONTROL_CHARACTERS),
        ("1" * LONGEST_INPUT, None),
        ("1" * (LONGEST_INPUT + 1), problems.TOO_LONG),
    ],
)
def test_problems(text: str, problem: str | None) -> None:
    assert find_problem(text) == problem
    # The same whether it is given by itself or stands in a list; a line end would make two rows there.
    if text and "\n" not in text:
        assert single(7, f" {text}\u00a0") == Entry(7, text, problem)
        assert _entries(f"+12125550100\n\u00a0{text}\n")[-1] == (2, text[:LONGEST_INPUT], problem)


def test_one_input_by_itself() -> None:
    assert single(1, " \t\u00a0") is Skipped.BLANK
    # A byte of the command line that is not in its encoding.
    assert single(2, "+1212\udcff") == Entry(2, "+1212\ufffd", problems.UNDECODABLE)


def test_counts_and_physical_lines() -> None:
    text = '# ours\r\n\r\nname,phone\r\n"Al\r\nX",+12125550100\r\n,\r\n #no\r\nBo, +12125550101 \r\nCy\r\nDi,none\r\n'
    layout, rows = _read(text)
    assert (layout.column, layout.column_name) == (1, "phone")
    assert Counter(row for row in rows if isinstance(row, Skipped)) == {
        Skipped.COMMENT: 2,
        Skipped.BLANK: 2,
        Skipped.HEADER: 1,
    }
    assert [row for row in rows if isinstance(row, Entry)] == [
        Entry(4, "+12125550100", None),
        Entry(8, "+12125550101", None),
        Entry(9, "", problems.NO_DIGITS),
        Entry(10, "none", problems.NO_DIGITS),
    ]


def test_a_column_that_was_asked_for() -> None:
    _, rows = _read("work,home\n+12125550100,+12125550101\n", "HOME")
    assert rows == [Skipped.HEADER, Entry(2, "+12125550101", None)]


@pytest.mark.parametrize(
    "first",
    [
        "+12125550100",
        "tel:+12125550100",
        " tel:+12125550100",
        "TEL:+12125550100",
        "Mobile: +1 212 555 0100",
        "+1 212 555 0100 (cell)",
        "WhatsApp +12125550100",
    ],
)
def test_a_first_row_that_holds_a_number_is_no_header(first: str) -> None:
    assert _entries(f"{first}\n+12125550101\n") == [(1, first.strip(), None), (2, "+12125550101", None)]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('name,phone\n"Al,+12125550100\nBo,+12125550101\nCy,+12125550102\n', id="never closed"),
        pytest.param('name,phone\n"Al,+12125550100\n"Bo","+12125550101"\nCy,+12125550102\n', id="a quoted row follows"),
        pytest.param('name,phone\nAl,"+12125550100\nBo,"+12125550101"\nCy,+12125550102\n', id="in the number"),
        pytest.param(
            'name,phone\n"Al,+12125550100\nBo,+12125550101\nCy,+12125550102\n' + "x,1\n" * 100, id="a long way"
        ),
    ],
)
def test_a_quote_that_nobody_closed_swallows_no_row(text: str) -> None:
    found = [re.sub(r"\D", "", cell) for _, cell, _ in _entries(text)][:3]
    assert found == ["12125550100", "12125550101", "12125550102"]


def test_a_huge_line_is_rejected_and_the_next_is_read() -> None:
    assert _entries("+12125550100\n" + "1" * 1_000_000 + "\n+12125550101\n") == [
        (1, "+12125550100", None),
        (2, "1" * LONGEST_INPUT, problems.TOO_LONG),
        (3, "+12125550101", None),
    ]


@pytest.mark.parametrize("filler", [10, 99_980, 99_990, 99_999, 100_000, 1_000_000])
def test_a_number_in_a_huge_row_is_whole_or_rejected(filler: int) -> None:
    """The line is cut somewhere; half a number is another number."""
    for _, number, problem in _entries("note,phone\n" + "a" * filler + ",+12125550100\nb,+12125550100\n"):
        assert number == "+12125550100" or problem is not None


PIECES = st.sampled_from(
    [
        *"\u00a0\u200b\ufeff\x00\x1b\x85\u2028",
        "+1212",
        "5550100",
        "0",
        "０",
        "E+11",
        "4.479",
        "-",
        "tel:",
        "a",
        "phone",
        *"#,;\t|\n\r \n",
        "\r\n",
    ]
)
TEXT = st.lists(PIECES, max_size=60).map("".join) | st.text()
QUOTED = st.lists(PIECES | st.sampled_from(['"', '""', '",', ',"']), max_size=60).map("".join)


@given(TEXT.map(lambda text: text.replace('"', "'")))
@example("\r\n\r\r\n")
def test_every_line_is_an_entry_or_rejected_or_skipped_and_unchanged(text: str) -> None:
    # Two lines before it, so that it is never one line of numbers, whose cells are rows.
    text = "name\nask at the desk\n" + text
    lines = re.split("\r\n|\r|\n", text)
    if not lines[-1]:
        lines.pop()
    layout, rows = _read(text)
    assert len(rows) == len(lines)
    for number, (row, line) in enumerate(zip(rows, lines, strict=True), 1):
        cells = line.split(layout.delimiter) if layout.delimiter else [line]
        if isinstance(row, Skipped):
            skipped = {Skipped.BLANK: not "".join(cells).strip(), Skipped.COMMENT: line.lstrip().startswith("#")}
            assert skipped.get(row, layout.has_header)
        else:
            cell = cells[layout.column].strip() if layout.column < len(cells) else ""
            assert row == Entry(number, cell[:LONGEST_INPUT], find_problem(cell))
    assert rows.count(Skipped.HEADER) == layout.has_header


@given(QUOTED)
def test_quotes_anywhere_crash_nothing_and_make_up_nothing(text: str) -> None:
    plain = re.sub(r'["\r\n]', "", text)
    last = 0
    for line, cell, problem in _entries(text):
        assert line >= last
        last = line
        if problem is None:
            assert cell.replace('"', "") in plain
    assert last <= len(re.split("\r\n|\r|\n", text))


def test_the_delimiter_that_excel_says_and_a_header_are_no_numbers() -> None:
    layout, rows = _read("sep=;\nKunde Nr;Telefon\n1;0172 3456789\n")
    assert layout.column_name == "Telefon"
    assert rows == [Skipped.HEADER, Skipped.HEADER, Entry(3, "0172 3456789", None)]
    look = look_at("list.csv", "sep=;\nKunde Nr;Telefon\n1;0172 3456789\n")
    assert look.first == [["Kunde Nr", "Telefon"], ["1", "0172 3456789"]]
