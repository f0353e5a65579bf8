"""Rows into a workbook whose every text stays the text that it is."""

from collections.abc import Iterable
from io import BytesIO
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING

import msgspec

from watui.export.rows import COLUMNS, ResultRow
from watui.files import CannotWrite

if TYPE_CHECKING:
    from xlsxwriter import Workbook  # type: ignore[import-untyped]
    from xlsxwriter.format import Format  # type: ignore[import-untyped]
    from xlsxwriter.worksheet import Worksheet  # type: ignore[import-untyped]

MOST_ROWS = 1_048_575
"""Of a sheet, below its header."""

LONGEST_TEXT = 32_767
"""UTF-16 units of a cell."""

_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "use_zip64": True,
}

_TEXT, _WHOLE_NUMBER = 49, 1
"""Formats of cells that Excel knows by number."""

_COLUMN_WIDTH = 18
"""Shows a number and a wa_id whole."""


def refuse_without_xlsx() -> None:
    """Raise CannotWrite where no spreadsheet can be written."""
    try:
        import xlsxwriter  # noqa: F401
    except ImportError:
        raise CannotWrite("a spreadsheet needs one more package: install watui[xlsx]") from None


def write_workbook(file: IO[bytes], rows: Iterable[ResultRow]) -> None:
    """Write `rows` under a header; where a sheet is full, another one goes on.

    A text that is longer than a cell holds is cut, and ends in `…`. `file` gets all at once, at the end. Raises
    CannotWrite where XlsxWriter is missing.
    """
    refuse_without_xlsx()
    from xlsxwriter import Workbook
    from xlsxwriter.exceptions import FileCreateError  # type: ignore[import-untyped]

    packed = BytesIO()
    try:
        # A folder of its own, so that a failure leaves nothing of the rows behind.
        with TemporaryDirectory() as folder, Workbook(packed, {**_OPTIONS, "tmpdir": folder}) as workbook:
            _write_sheets(workbook, rows)
    except FileCreateError as error:
        # Its traceback would keep the unfinished archive, which complains when it is collected later.
        raise error.args[0].with_traceback(None) from None
    file.write(packed.getbuffer())


def _write_sheets(workbook: "Workbook", rows: Iterable[ResultRow]) -> None:
    bold = workbook.add_format({"bold": True})
    text = workbook.add_format({"num_format": _TEXT})
    number = workbook.add_format({"num_format": _WHOLE_NUMBER})
    sheet = _add_sheet(workbook, bold, text)
    for index, row in enumerate(rows):
        if index and index % MOST_ROWS == 0:
            sheet = _add_sheet(workbook, bold, text)
        _write_row(sheet, index % MOST_ROWS + 1, row, number)


def _add_sheet(workbook: "Workbook", bold: "Format", text: "Format") -> "Worksheet":
    """Add a sheet whose cells stay texts when somebody edits them, and bring no offer to make numbers of them."""
    sheet = workbook.add_worksheet()
    sheet.set_column(0, len(COLUMNS) - 1, _COLUMN_WIDTH, text)
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{MOST_ROWS + 1}"})
    sheet.freeze_panes(1, 0)
    for column, name in enumerate(COLUMNS):
        sheet.write_string(0, column, name, bold)
    return sheet


def _write_row(sheet: "Worksheet", place: int, row: ResultRow, number: "Format") -> None:
    for column, value in enumerate(msgspec.structs.astuple(row)):
        if isinstance(value, int):
            sheet.write_number(place, column, value, number)
        elif value is not None:
            _write_text(sheet, place, column, _cut(value))


def _write_text(sheet: "Worksheet", place: int, column: int, text: str) -> None:
    if text.startswith("<r>") and text.endswith("</r>"):
        # XlsxWriter takes that for markup of its own, and would write it into the sheet as it is: not so in parts.
        sheet.write_rich_string(place, column, "<", "r", text[2:])
    else:
        sheet.write_string(place, column, text)


def _cut(text: str) -> str:
    units = text.encode("utf-16-le")
    if len(units) <= 2 * LONGEST_TEXT:
        return text
    return units[: 2 * (LONGEST_TEXT - 1)].decode("utf-16-le", "ignore") + "…"
