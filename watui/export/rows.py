"""Rows into CSV and JSONL, a line at a time."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec

_PLAIN_NUMBER = re.compile(r"\+?\d{1,15}", re.ASCII)
_FORMULA_STARTS = tuple("=+-@＝＋－＠\t\r\n")


class ResultRow(msgspec.Struct, frozen=True):
    """One row as other programs get it, in this order of columns."""

    source: str
    line: int
    """Physical line of the source."""
    input: str
    number: str | None
    region: str | None
    """Of the number."""
    status: str
    wa_id: str | None
    problem: str | None
    """Why it is rejected, or doubtful."""
    duplicate_of: int | None
    """Line of the first row with the same number, whose answer this row carries."""
    checked_at: str | None
    """ISO 8601, UTC."""
    server_version: str | None


COLUMNS: tuple[str, ...] = ResultRow.__struct_fields__


def iso(at: float | None) -> str | None:
    """Return seconds since 1970 as ISO 8601 in UTC."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def json_line(row: ResultRow) -> str:
    """Return `row` as one JSON object on one line."""
    return msgspec.json.encode(row).decode() + "\n"


def jsonl(rows: Iterable[ResultRow]) -> Iterator[str]:
    """Yield one JSON object a row."""
    return map(json_line, rows)


def csv_lines(rows: Iterable[ResultRow]) -> Iterator[str]:
    """Yield a header and one line a row (RFC 4180).

    A cell that a spreadsheet would take for a formula, such as `+1-631-555-1002` or `=1+1`, gets a leading
    apostrophe; plain digits with or without `+` are left alone.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)

    def line(cells: Iterable[object]) -> str:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow(cells)
        return buffer.getvalue()

    yield line(COLUMNS)
    for row in rows:
        yield line(_safe_cell(value) for value in msgspec.structs.astuple(row))


def _safe_cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS) and not _PLAIN_NUMBER.fullmatch(value):
        return "'" + value
    return value
