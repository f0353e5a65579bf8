"""Rows into CSV and JSONL, a line at a time."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache

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
    known_from: int | None = None
    """The run that got the answer, where it was known before this one began."""


COLUMNS: tuple[str, ...] = ResultRow.__struct_fields__


class ActionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a contact, planned or of the trail."""

    at: str | None = None
    """When its outcome was written down, else when it was sent or confirmed; ISO 8601, UTC."""
    kind: str
    input: str
    number: str | None
    wa_id: str | None
    outcome: str
    code: int | None = None
    """Of the error that the server answered."""
    details: str | None
    """The answer in words, or why nothing was sent."""
    reason: str | None
    message_id: str | None
    hash: str | None
    block: bool | None
    """Of a report: whether it blocks as well."""
    profile: str
    server: str
    by: str | None = None
    action_id: int | None = None
    batch_id: int | None = None
    undoes: int | None
    """The batch that it takes back."""


class BlocklistRow(msgspec.Struct, frozen=True):
    """One entry of the blocklist; the server says its wa_id alone, all else is from the ledger."""

    number: str
    wa_id: str
    blocked_at: str | None
    """When it was blocked from here; ISO 8601, UTC."""
    reason: str | None
    by: str | None
    status: str | None
    """The latest that a check had."""
    server_version: str | None
    """Of the server that gave it."""


class ProfileRow(msgspec.Struct, frozen=True):
    """One profile of the settings."""

    profile: str
    url: str
    kind: str
    region: str
    read_only: bool
    user: str | None
    """Who logs in; None where a token is kept."""
    secret: str | None
    """Where its password or token is, in words; None where there is none."""
    trust: str
    """Whom to believe that it is the server: system, a file, or the fingerprint of a pinned certificate."""
    word: str | None
    is_default: bool


class BudgetRow(msgspec.Struct, frozen=True):
    """How the calls to a server stand against its messages; without a budget all is empty."""

    profile: str
    server: str
    messages: int | None
    over: int | None
    """Calls that a person allows beyond the messages."""
    calls: int | None
    left: int | None


class FindingRow(msgspec.Struct, frozen=True):
    """One thing that was looked at."""

    subject: str
    level: str
    words: str
    next_step: str | None


class NodeRow(msgspec.Struct, frozen=True):
    """One node of a server."""

    node: str | None
    status: str
    role: str | None
    server_version: str | None


class IdentityRow(msgspec.Struct, frozen=True):
    """The identity of a contact."""

    wa_id: str
    hash: str
    created_at: str | None
    """ISO 8601, UTC."""
    acknowledged: bool


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """One run."""

    run_id: int
    state: str
    """draft, running (a process asks right now), unfinished (nobody does), done or cancelled."""
    source: str
    """Names of what it was imported from."""
    profile: str
    server: str
    region: str
    server_version: str | None
    created_at: str | None
    """ISO 8601, UTC."""
    started_at: str | None
    ended_at: str | None
    rows: int
    """Of the list: those that are asked about, and rejected ones."""
    rejected: int
    numbers: int
    """Distinct ones."""
    valid: int
    """Of the numbers, like the next three."""
    invalid: int
    failed: int
    left: int
    """Without a final status."""
    rechecks: int | None
    """The run that it asks about anew."""


class PairRow(msgspec.Struct, frozen=True):
    """A number as an earlier and a later run know it."""

    change: str
    number: str | None
    input: str
    before: str | None
    """Its status in the earlier run."""
    after: str | None
    wa_id_before: str | None
    wa_id_after: str | None
    server_version_before: str | None
    server_version_after: str | None


@lru_cache(maxsize=64)
def iso(at: float | None) -> str | None:
    """Return seconds since 1970 as ISO 8601 in UTC. Many rows share one time: that of their answer."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def json_line(row: msgspec.Struct) -> str:
    """Return `row` as one JSON object on one line."""
    return msgspec.json.encode(row).decode() + "\n"


def jsonl(rows: Iterable[msgspec.Struct]) -> Iterator[str]:
    """Yield one JSON object a row."""
    return map(json_line, rows)


def csv_lines(rows: Iterable[msgspec.Struct], columns: Sequence[str] = COLUMNS, *, raw: bool = False) -> Iterator[str]:
    """Yield a header and one line a row (RFC 4180). `columns` are the members of the rows.

    A cell that a spreadsheet would take for a formula, such as `+1-631-555-1002` or `=1+1`, gets a leading
    apostrophe; plain digits with or without `+` are left alone. `raw` leaves every cell as it is.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer)

    def line(cells: Iterable[object]) -> str:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow(cells)
        return buffer.getvalue()

    yield line(columns)
    for row in rows:
        cells = msgspec.structs.astuple(row)
        yield line(cells if raw else map(_safe_cell, cells))


def _safe_cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS) and not _PLAIN_NUMBER.fullmatch(value):
        return "'" + value
    return value
