"""Reads the rows of a spreadsheet as texts, with all the digits that are in it, in a process of its own.

A small file can ask for more memory than there is: a cell far to the right and one far down make a table of all that
lies between, and an archive unpacks to whatever it likes. What asks for too much ends that process and not ours. It is
this module, run with `python -m`; each line that it tells is JSON: some rows, or, as a string, why there are none.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, time
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from watui.intake.lines import Record
from watui.intake.problems import BadSource

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

_BEGINNINGS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""Of .xlsx, .xlsb and .ods, and of .xls."""

_ALL_DIGITS = 2**53
"""Below this a number of a cell is exact, however it is shown."""

_MOST_MEMORY = 2**31
"""Bytes: enough for a million rows of a dozen columns."""

_MOST_SECONDS = 300
"""Of a processor."""

_ROWS_AT_ONCE = 100
"""That are told in one line."""


def is_workbook(path: Path) -> bool:
    """Whether the file at `path` begins like a spreadsheet, or an archive."""
    with suppress(OSError, ValueError):
        if path.is_file():
            with path.open("rb") as file:
                return file.read(4) in _BEGINNINGS
    return False


def read_sheet(path: Path, name: str) -> Iterator[Record]:
    """Yield the rows of the first visible sheet with something in it. Raises BadSource."""
    import subprocess
    from importlib.util import find_spec

    if find_spec("python_calamine") is None:
        raise BadSource(f"{name} is a spreadsheet, which needs one more package: install watui[xlsx]")
    decoder = msgspec.json.Decoder(list[list[str]] | str)
    # In a group of its own: what interrupts us is no reason to say that the file can't be read.
    with subprocess.Popen(  # noqa: S603 - nothing in it is anybody's but ours, and a path
        [sys.executable, "-P", "-m", __name__, str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        process_group=0,
    ) as process:
        assert process.stdout is not None
        try:
            lines = count(1)
            for told in map(decoder.decode, process.stdout):
                if isinstance(told, str):
                    raise BadSource(f"{name} {told}: save it as CSV first")
                for cells, line in zip(told, lines, strict=False):
                    yield Record(line, cells)
            if process.wait() != 0:
                raise BadSource(
                    f"{name} takes too much to read: it has a cell far away from the others, or is damaged. Copy the"
                    " rows into a new sheet, or save it as CSV"
                )
        finally:
            process.kill()


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


def main() -> None:
    """Tell the rows of the file that the argument names on standard output."""
    from python_calamine import CalamineError, CalamineWorkbook

    _limit()
    out = sys.stdout.buffer
    encode = msgspec.json.Encoder().encode
    try:
        with CalamineWorkbook.from_path(sys.argv[1]) as workbook:
            found = _first_sheet(workbook)
            rows = found.iter_rows() if found is not None else iter(())
            while some := [list(map(as_text, cells)) for cells in islice(rows, _ROWS_AT_ONCE)]:
                out.write(encode(some) + b"\n")
    except CalamineError:
        out.write(encode("is no spreadsheet that can be read") + b"\n")
    out.flush()


def _first_sheet(workbook: CalamineWorkbook) -> CalamineSheet | None:
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    for sheet in workbook.sheets_metadata:
        if sheet.visible is SheetVisibleEnum.Visible and sheet.typ is SheetTypeEnum.WorkSheet:
            found = workbook.get_sheet_by_name(sheet.name)
            if found.width:
                return found
    return None


def _limit() -> None:
    """Let the system hold this process to what a sheet may take."""
    import resource

    for kind, most in (
        (resource.RLIMIT_AS, _MOST_MEMORY),
        (resource.RLIMIT_CPU, _MOST_SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
        with suppress(OSError, ValueError):  # Where the system can't, as with memory on macOS.
            resource.setrlimit(kind, (wanted, wanted))


if __name__ == "__main__":
    main()
