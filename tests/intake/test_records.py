"""How a source is laid out: its delimiter, its header, the column of the numbers, its physical lines."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watui.intake.lines import LONGEST_LINE, Record, looks_like_number
from watui.intake.problems import BadSource
from watui.intake.records import Layout, read_records


def _read(text: str, column: str | None = None) -> tuple[Layout, list[Record]]:
    layout, records = read_records(io.StringIO(text, newline=None), column, "list.csv")
    return layout, list(records)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(delimiter: str, end: str) -> None:
    rows = [["name", "phone", "city"], ["Al", "+1 212 555 0100", "Bonn"], ["Bo", "", "Pune"]]
    layout, records = _read("".join(delimiter.join(row) + end for row in rows))
    assert layout == Layout(delimiter, 1, "phone", True)
    assert records == [Record(number, row) for number, row in enumerate(rows, 1)]


@pytest.mark.parametrize(
    ("text", "layout"),
    [
        pytest.param("", Layout(None, 0, None, False), id="empty"),
        pytest.param("\n \n# x\n", Layout(None, 0, None, False), id="nothing but blanks and comments"),
        pytest.param("+12125550100\n+12125550101\n", Layout(None, 0, None, False), id="plain list"),
        pytest.param("phone\n+12125550100\n", Layout(None, 0, "phone", True), id="list with a header"),
        pytest.param("phone2\n+12125550100\n", Layout(None, 0, "phone2", True), id="header with a digit"),
        pytest.param("# list\n\n電話\n+12125550100\n", Layout(None, 0, "電話", True), id="header after comments"),
        pytest.param("ask at the desk\n", Layout(None, 0, None, False), id="one line is no header"),
        pytest.param("Al,+12125550100\nBo,+12125550101\n", Layout(",", 1, None, False), id="table without header"),
        pytest.param(
            "id,mobile\n1234567,+12125550100\n1234568,+12125550101\n", Layout(",", 1, "mobile", True), id="telling name"
        ),
        pytest.param(
            "name;phone;note\nAl;;x,y\nBo;+12125550101;a,b\n", Layout(";", 1, "phone", True), id="commas in the notes"
        ),
        pytest.param(
            "phone,contact name\n4.47900E+11,Al\n4.47911E+11,Bo\n", Layout(",", 0, "phone", True), id="scientific"
        ),
        pytest.param("a\x1b[0m phone\n+12125550100\n", Layout(None, 0, "a␛[0m phone", True), id="hostile header"),
        # One row with a comma too many must not draw the column away from all others.
        pytest.param(
            "Al,+12125550100\nBo,+12125550101\nSmith, Cy,+12125550102\nDi,+12125550103\n",
            Layout(",", 1, None, False),
            id="one row with a cell too many",
        ),
        # Both names say `number`; what is asked about must be the phones.
        pytest.param(
            "Order number,Phone\n100001,+12125550100\n100002,+12125550101\n",
            Layout(",", 1, "Phone", True),
            id="order numbers beside phones",
        ),
        pytest.param("#N/A\n+12125550100\n", Layout(None, 0, None, False), id="a spreadsheet's error is no header"),
        # A title above the table, and dates as a spreadsheet keeps them.
        pytest.param(
            "Customer list 2024;;;\n;;;\nName;Joined;Phone;Mobile\nAl;45000;+12125550100;\nBo;45001;;+12125550101\n",
            Layout(";", 2, "Phone", True, titles=1, other="Mobile"),
            id="a title above the header",
        ),
        pytest.param("joined,x\n45000,2125550100\n45001,\n45002,\n", Layout(",", 1, "x", True), id="dates"),
        pytest.param("Al,20001\nBo,20002\n", Layout(",", 1, None, False), id="nothing else than short numbers"),
        pytest.param("sep=;\na;b\nAl;+12125550100\n", Layout(";", 1, "b", True, titles=1), id="the delimiter said"),
        pytest.param('"sep=,"\nAl;1,+12125550100\n', Layout(",", 1, None, False, titles=1), id="and meant"),
        pytest.param("sep=\t\nAl\t+12125550100\n", Layout("\t", 1, None, False, titles=1), id="and a tab"),
        pytest.param(
            "Kunde Nr;Telefon\n1000001;\n1000002;\n1000003;0172 3456789\n",
            Layout(";", 1, "Telefon", True),
            id="a telling name wins",
        ),
        pytest.param(
            "Telefon;Mobil\n030 1234567;\n030 1234568;0172 3456789\n",
            Layout(";", 0, "Telefon", True, other="Mobil"),
            id="two telling names",
        ),
        pytest.param(
            "Al,+12125550100,+12125550102\nBo,+12125550101,+12125550103\n",
            Layout(",", 1, None, False, other="3"),
            id="two columns without names",
        ),
        pytest.param(
            "Al;+12125550100;\nBo;my phone;x\n", Layout(";", 1, None, False), id="a number is no title of a table"
        ),
        pytest.param(
            "a;b;c\nBo;my phone;x\nAl;+12125550100;\n", Layout(";", 1, "b", True), id="a header is as wide as its table"
        ),
    ],
)
def test_layouts(text: str, layout: Layout) -> None:
    assert _read(text)[0] == layout


@pytest.mark.parametrize("column", ["mobile", "4"])
def test_a_column_under_a_title(column: str) -> None:
    text = "Customer list 2024;;;\n;;;\nName;Joined;Phone;Mobile\nAl;45000;+12125550100;\n"
    assert _read(text, column)[0] == Layout(";", 3, "Mobile", True, titles=1)


TABLE = "Name, Home Phone ,2024\nAl,1234567,7654321\n"


@pytest.mark.parametrize(
    ("column", "layout"),
    [
        ("name", Layout(",", 0, "Name", True)),
        ("HOME phone", Layout(",", 1, "Home Phone", True)),
        ("1", Layout(",", 0, "Name", True)),
        # A header may look like a number.
        ("2024", Layout(",", 2, "2024", True)),
    ],
)
def test_a_column_by_name_or_number(column: str, layout: Layout) -> None:
    assert _read(TABLE, column)[0] == layout


@pytest.mark.parametrize("column", ["fax", "0", "4", "-1", "１", ""])
@pytest.mark.parametrize("text", [TABLE, "+12125550100,+12125550101\n"], ids=["table", "one line"])
def test_an_unknown_column_is_refused(text: str, column: str) -> None:
    with pytest.raises(BadSource, match=r"list\.csv has no column"):
        _read(text, column)


def test_a_refusal_names_the_columns_that_there_are_safely() -> None:
    with pytest.raises(BadSource) as caught:
        _read("Name,,b\x1b\nAl,1,2\n", "fa\x1bx")
    assert str(caught.value) == ("list.csv has no column 'fa␛x': it has Name, (no name), b␛; give a name or 1 to 3")


@pytest.mark.parametrize(
    ("text", "records"),
    [
        pytest.param(
            'name,phone\n"Smith, Al",+12125550100\n"say ""hi""","+12125550101"\n',
            [(1, "name", "phone"), (2, "Smith, Al", "+12125550100"), (3, 'say "hi"', "+12125550101")],
            id="quoted delimiters and quotes",
        ),
        pytest.param(
            'note,phone\r\n"two\r\nlines",+12125550100\r\nx,+12125550101\r\n',
            [(1, "note", "phone"), (2, "two\nlines", "+12125550100"), (4, "x", "+12125550101")],
            id="a line end inside quotes",
        ),
        pytest.param(
            'name,phone\n"Al,+12125550100\nBo,+12125550101\n',
            [(1, "name", "phone"), (2, '"Al', "+12125550100"), (3, "Bo", "+12125550101")],
            id="a quote that nothing closes",
        ),
        pytest.param(
            'name,phone\n5" pipe,+12125550100\nBo,+12125550101\n',
            [(1, "name", "phone"), (2, '5" pipe', "+12125550100"), (3, "Bo", "+12125550101")],
            id="a quote inside a cell",
        ),
        pytest.param('"+12125550100"\n"+12125550101"\n', [(1, "+12125550100"), (2, "+12125550101")], id="quoted list"),
        pytest.param(
            "# ours\n+12125550100; +12125550101;\n",
            [(1, "# ours"), (2, "+12125550100"), (2, " +12125550101"), (2, "")],
            id="one line of numbers",
        ),
    ],
)
def test_quotes(text: str, records: list[tuple[int, ...]]) -> None:
    assert [(record.line, *record.cells) for record in _read(text)[1]] == records


@given(
    st.lists(
        st.tuples(st.text(st.sampled_from('ab ",\n|;'), max_size=8), st.integers(10**9, 10**10 - 1).map(str)),
        max_size=6,
    )
)
def test_what_a_csv_writer_writes_is_read_as_it_was(rows: list[tuple[str, str]]) -> None:
    # Simple rows first, so that the delimiter is beyond doubt.
    written = [("name", "phone"), *[("Al", "2125550100")] * 60, *rows]
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(written)
    layout, records = _read(buffer.getvalue())
    assert layout == Layout(",", 1, "phone", True)
    assert [tuple(record.cells) for record in records] == written


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("length", [LONGEST_LINE - 1, LONGEST_LINE, LONGEST_LINE + 1, 10 * LONGEST_LINE])
def test_a_line_is_one_line_however_long_it_is(length: int, end: str) -> None:
    _, records = _read("+12125550100" + end + "1" * length + end + "+12125550101" + end)
    assert [record.line for record in records] == [1, 2, 3]
    assert records[1].cells[0] == "1" * min(length, LONGEST_LINE)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("+1 (212) 555-0100", True),
        ("tel:+1-212-555-0100", True),
        ("０９０−１２３４−５６７８", True),
        ("+1\u00a0212\u200b5550100", True),
        ("4.47900E+11", True),
        ("447911123456,0", True),
        ("2125550100 x5", True),
        ("1234", False),
        ("1" * 18, False),
        ("Al 2125550100", False),
        ("ask", False),
        ("", False),
    ],
)
def test_what_could_be_a_number(cell: str, expected: bool) -> None:
    assert looks_like_number(cell) is expected
