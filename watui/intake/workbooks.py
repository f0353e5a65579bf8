"""Reads the rows of a spreadsheet as texts, with all the digits that are in it."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time
from pathlib import Path

from watui.intake.lines import Record
from watui.intake.problems import BadSource

_BEGINNINGS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""Of .xlsx, .xlsb and .ods, and of .xls."""

_ALL_DIGITS = 2**53
"""Below this a number of a cell is exact, however it is shown."""


def is_workbook(path: Path) -> bool:
    """Whether the file at `path` begins like a spreadsheet, or an archive."""
    with suppress(OSError, ValueError):
        if path.is_file():
            with path.open("rb") as file:
                return file.read(4) in _BEGINNINGS
    return False


def read_sheet(path: Path, name: str) -> Iterator[Record]:
    """Return the rows of the first visible sheet with something in it. Raises BadSource."""
    try:
        from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum
    except ImportError:
        raise BadSource(f"{name} is a spreadsheet, which needs one more package: install watui[xlsx]") from None
    try:
        with CalamineWorkbook.from_path(path) as workbook:
            for sheet in workbook.sheets_metadata:
                if sheet.visible is SheetVisibleEnum.Visible and sheet.typ is SheetTypeEnum.WorkSheet:
                    found = workbook.get_sheet_by_name(sheet.name)
                    if found.width:
                        rows = enumerate(found.iter_rows(), 1)
                        return (Record(line, list(map(as_text, cells))) for line, cells in rows)
    except CalamineError as error:
        raise BadSource(f"{name} is no spreadsheet that can be read: save it as CSV first") from error
    return iter(())


def as_text(cell: object) -> str:
    """Return what a cell holds; a whole number with all its digits, even where it is shown as `4.479E+11`."""
    match cell:
        case bool():
            return str(cell).upper()
        case float() if cell.is_integer() and abs(cell) < _ALL_DIGITS:
            return str(int(cell))
        case datetime() | date() | time():
            return cell.isoformat()
        case _:
            return str(cell)
