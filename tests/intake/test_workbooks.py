"""Spreadsheets: every row of a sheet is a row, with all the digits that are in its cells."""

import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from xlsxwriter import Workbook  # type: ignore[import-untyped]

from watui.intake import problems
from watui.intake.entries import Entry, Row, Skipped, look_at, open_entries
from watui.intake.problems import BadSource
from watui.intake.workbooks import as_text

Sheet = list[list[Any]]


def write(path: Path, *sheets: Sheet) -> None:
    with Workbook(path) as workbook:
        for rows in sheets:
            sheet = workbook.add_worksheet()
            for row, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    sheet.write(row, column, cell)


def read(path: Path, column: str | None = None) -> tuple[str | None, list[Row]]:
    with open_entries(str(path), column) as source:
        return source.layout.column_name, list(source.rows)


def test_a_sheet_is_read_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"  # It is found by its content, whatever it is called.
    write(
        path,
        [],
        [
            [],
            ["name", "joined", "phone"],
            ["Ada", 45000.5, 447900123456.0],
            ["Bo", "", "+49 172 3456789"],
            [],
            ["Cy", True, 4.479e17],
            ["Di", "", "４４７９００１２３４５６"],
            ["Ed", "", ""],
            ["Fay", "", "0172\n3456789"],
            ["", "", "", "beside it"],
        ],
        [["+12125550100"]],
    )
    column, rows = read(path)
    assert column == "phone"
    assert rows == [
        Skipped.BLANK,
        Skipped.HEADER,
        Entry(3, "447900123456", None),
        Entry(4, "+49 172 3456789", None),
        Skipped.BLANK,
        Entry(6, "4.479e+17", problems.SCIENTIFIC),
        Entry(7, "４４７９００１２３４５６", None),
        Entry(8, "", problems.NO_DIGITS),
        Entry(9, "0172\n3456789", problems.CONTROL_CHARACTERS),
        Entry(10, "", problems.NO_DIGITS),
    ]


def test_a_header_stands_under_a_title(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    header = ["Name", "Joined", "Phone", "Mobile"]
    write(
        path, [["Customer list 2024"], [], header, ["Ada", 45000, "", "+49 172 3456789"], ["Bo", 45001, "+12125550100"]]
    )
    assert read(path) == (
        "Phone",
        [
            Skipped.HEADER,
            Skipped.BLANK,
            Skipped.HEADER,
            Entry(4, "", problems.NO_DIGITS),
            Entry(5, "+12125550100", None),
        ],
    )


def test_a_column_can_be_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    write(path, [["work", "home"], ["+12125550100", "+12125550101"]])
    assert read(path, "home") == ("home", [Skipped.HEADER, Entry(2, "+12125550101", None)])
    with pytest.raises(BadSource, match=r"no column 'fax': it has work, home; give a name or 1 to 2"):
        read(path, "fax")


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (447900123456.0, "447900123456"),
        (-5.0, "-5"),
        (2.0**53, "9007199254740992.0"),
        (4.479e17, "4.479e+17"),
        (1.5, "1.5"),
        (12, "12"),
        (True, "TRUE"),
        ("0172", "0172"),
        ("", ""),
        (date(2024, 1, 2), "2024-01-02"),
        (datetime(2024, 1, 2, 3, 4), "2024-01-02T03:04:00"),
    ],
)
def test_cells(cell: object, text: str) -> None:
    assert as_text(cell) == text


def test_what_is_no_spreadsheet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "archive.xlsx"
    path.write_bytes(b"PK\x03\x04 and then something else")
    with pytest.raises(BadSource, match=r"archive\.xlsx is no spreadsheet that can be read: save it as CSV first"):
        read(path)


def rewrite(path: Path, suffix: str, old: str, new: str) -> None:
    """Replace `old` by `new` in the parts of a workbook whose names end with `suffix`."""
    with ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data.replace(old.encode(), new.encode()) if name.endswith(suffix) else data)


@pytest.mark.parametrize("place", ["XFD1048576", "A99999999999999"])
def test_a_cell_far_away_takes_only_the_file_along(tmp_path: Path, place: str) -> None:
    path = tmp_path / "far.xlsx"
    write(path, [["+12125550100"], ["+12125550101"]])
    rewrite(path, "sheet1.xml", 'r="A2"', f'r="{place}"')
    with pytest.raises(BadSource, match=r"far\.xlsx .*save it as CSV"):
        read(path)
    with pytest.raises(BadSource, match=r"far\.xlsx .*save it as CSV"):
        look_at(str(path))


@pytest.mark.long
def test_an_archive_that_unpacks_to_very_much_takes_only_the_file_along(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    write(path, [["+12125550100"]])
    rewrite(path, "sharedStrings.xml", "+12125550100", 2**31 * "1")
    with pytest.raises(BadSource, match=r"bomb\.xlsx takes too much to read"):
        read(path)


def test_cells_far_away_that_hold_nothing_are_no_hindrance(tmp_path: Path) -> None:
    path = tmp_path / "formatted.xlsx"
    with Workbook(path) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write(0, 0, "+12125550100")
        sheet.write_blank(1_048_575, 16_383, None, workbook.add_format({"bold": True}))
    assert read(path)[1] == [Entry(1, "+12125550100", None)]


def test_every_row_of_a_longer_sheet_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "long.xlsx"
    write(path, [[f"+1212555{line:04}"] for line in range(1, 1001)])
    assert read(path)[1] == [Entry(line, f"+1212555{line:04}", None) for line in range(1, 1001)]
    assert look_at(str(path)).first[0] == ["+12125550001"]


def test_an_empty_workbook_has_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "empty.xlsx"
    write(path, [])
    assert read(path) == (None, [])


def test_without_the_package_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list.xlsx"
    write(path, [["+12125550100"]])
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    with pytest.raises(BadSource, match=r"install watui\[xlsx\]"):
        read(path)
