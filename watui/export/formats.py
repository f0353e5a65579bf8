"""The rows of a run in the formats that other programs read, as text or as a file."""

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from itertools import islice
from pathlib import Path

import msgspec

from watui.contract.rules import MAX_BATCH_SIZE
from watui.contract.statuses import Status, meaning
from watui.export.hiding import hidden
from watui.export.rows import ResultRow, csv_lines, jsonl
from watui.export.xlsx import write_workbook
from watui.files import whole_file, write_whole
from watui.text import clean


class Format(StrEnum):
    """What rows are written as."""

    CSV = "csv"
    JSONL = "jsonl"
    XLSX = "xlsx"
    NUMBERS = "numbers"
    """One number (E.164) a line."""
    WA_IDS = "wa_ids"
    """One wa_id a line, of valid rows alone."""
    BODY = "body"
    """The ready body of a check; where the numbers are more than one request takes, one body a line."""

    @property
    def noun(self) -> str:
        """What is counted of it, in the singular."""
        match self:
            case Format.NUMBERS | Format.BODY:
                return "number"
            case Format.WA_IDS:
                return "wa_id"
            case _:
                return "row"

    @property
    def has_wa_ids(self) -> bool:
        """Whether wa_ids are in it."""
        return self not in (Format.NUMBERS, Format.BODY)


_WA_IDS_ENDING = "wa_ids.txt"
_ENDINGS = {
    ".csv": Format.CSV,
    ".jsonl": Format.JSONL,
    ".xlsx": Format.XLSX,
    ".txt": Format.NUMBERS,
    ".json": Format.BODY,
}


def format_of(path: Path) -> Format | None:
    """Return the format that the ending of a file's name stands for."""
    if path.name.lower().endswith(_WA_IDS_ENDING):
        return Format.WA_IDS
    return _ENDINGS.get(path.suffix.lower())


def text_of(
    rows: Iterable[ResultRow], format_: Format, *, raw: bool = False, hides_numbers: bool = False
) -> Iterator[str]:
    """Yield `rows` as text. A list names each number or wa_id once; `raw` leaves the cells of CSV as they are.

    Raises ValueError for XLSX, which is no text.
    """
    return _text(_used(rows, format_, hides_numbers), format_, raw)


def write_rows(
    path: Path,
    rows: Iterable[ResultRow],
    format_: Format,
    *,
    raw: bool = False,
    replace: bool,
    hides_numbers: bool = False,
) -> int:
    """Write `rows` into `path`, whole or not at all; return how many have a part in it: of a list, its entries.

    Raises CannotWrite, also where `path` exists and `replace` is false.
    """
    count = 0

    def counted() -> Iterator[ResultRow]:
        nonlocal count
        for row in _used(rows, format_, hides_numbers):
            count += 1
            yield row

    if format_ is Format.XLSX:
        with whole_file(path, replace=replace) as place, place.open("wb") as file:
            write_workbook(file, counted())
    else:
        write_whole(path, _text(counted(), format_, raw), replace=replace)
    return count


def wa_id_warning(versions: Iterable[str | None]) -> str | None:
    """Return what to say to somebody who takes away wa_ids that servers of `versions` gave (contract section 1)."""
    if all(meaning(version).claims_account for version in versions):
        return None
    return (
        "A wa_id of a server from v2.43 on, or of an unknown version, is not guaranteed to be real and should not be"
        f" used in later calls ({meaning(None).valid})."
    )


def _text(used: Iterator[ResultRow], format_: Format, raw: bool) -> Iterator[str]:
    match format_:
        case Format.CSV:
            return csv_lines(used, raw=raw)
        case Format.JSONL:
            return jsonl(used)
        case Format.NUMBERS | Format.WA_IDS:
            entry_of = _ENTRY_OF[format_]
            return (f"{entry_of(row)}\n" for row in used)
        case Format.BODY:
            return _bodies(used)
        case Format.XLSX:
            raise ValueError("a spreadsheet is no text")


def _bodies(used: Iterator[ResultRow]) -> Iterator[str]:
    while numbers := [row.number for row in islice(used, MAX_BATCH_SIZE)]:
        yield msgspec.json.encode({"blocking": "no_wait", "contacts": numbers}).decode() + "\n"


def _used(rows: Iterable[ResultRow], format_: Format, hides_numbers: bool) -> Iterator[ResultRow]:
    """Return the rows that have a part in `format_`: all, or of a list the first with each entry."""
    entry_of = _ENTRY_OF.get(format_)
    used = iter(rows) if entry_of is None else _first_of_each(rows, entry_of)
    return map(hidden, used) if hides_numbers else used


def _first_of_each(rows: Iterable[ResultRow], entry_of: Callable[[ResultRow], str | None]) -> Iterator[ResultRow]:
    seen: set[str] = set()
    for row in rows:
        entry = entry_of(row)
        if entry and entry not in seen:
            seen.add(entry)
            yield row


def _number(row: ResultRow) -> str | None:
    return row.number


def _wa_id(row: ResultRow) -> str | None:
    """Return the wa_id of a valid row; what a server sent stays on one line."""
    return clean(row.wa_id) if row.wa_id is not None and row.status == Status.VALID else None


_ENTRY_OF = {Format.NUMBERS: _number, Format.BODY: _number, Format.WA_IDS: _wa_id}
"""The entry of a list that a row makes, by format; None where it makes none."""
