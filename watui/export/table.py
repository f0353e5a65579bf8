"""Rows as a table for people, in plain text; and rows of any kind in any format."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

import msgspec
from wcwidth import wcswidth

from watui.export.rows import (
    ActionRow,
    BlocklistRow,
    BudgetRow,
    FindingRow,
    IdentityRow,
    NodeRow,
    PairRow,
    ProfileRow,
    ResultRow,
    RunRow,
    csv_lines,
    jsonl,
)
from watui.text import clean

_ELLIPSIS = "…"

_MOST_CHARACTERS_A_COLUMN = 4
"""Combining characters take no column; beyond so many of them a cell is not worth measuring."""

_MINUTES = len("2026-01-02T03:04")

_Row = TypeVar("_Row", bound=msgspec.Struct)


class Column(NamedTuple, Generic[_Row]):
    """One column of a table."""

    heading: str
    width: int | None
    """On a terminal; the last column takes what is left."""
    cell: Callable[[_Row], str | None]


class Layout(NamedTuple, Generic[_Row]):
    """How rows of one kind are written."""

    members: Sequence[str]
    """All of them, for other programs."""
    columns: Sequence[Column[_Row]]
    """What people see of them."""


def table(rows: Iterable[_Row], layout: Layout[_Row], width: int | None) -> Iterator[str]:
    """Yield a heading and one line a row, every cell cut to its column and the line to `width`; None cuts nothing."""
    widths = [column.width for column in layout.columns]
    yield _line([column.heading for column in layout.columns], widths, width)
    for row in rows:
        yield _line([clean(column.cell(row) or "") for column in layout.columns], widths, width)


def formatted(rows: Iterable[_Row], layout: Layout[_Row], format_: str, width: int | None) -> Iterator[str]:
    """Yield `rows` as lines of the `format_` table, jsonl or csv; a table is cut to `width`."""
    match format_:
        case "jsonl":
            return jsonl(rows)
        case "csv":
            return csv_lines(rows, layout.members)
        case _:
            return table(rows, layout, width)


def minute(at: str | None) -> str:
    """Return an ISO 8601 time as people read it in a table; nothing for None."""
    return (at or "")[:_MINUTES].replace("T", " ")


def _line(cells: Sequence[str], widths: Sequence[int | None], width: int | None) -> str:
    padded = []
    for cell, room in zip(cells, widths, strict=True):
        shown = cell if width is None or room is None else _cut(cell, room)
        padded.append(shown if room is None else shown + " " * (room - wcswidth(shown)))
    line = " ".join(padded).rstrip()
    return (line if width is None else _cut(line, width)) + "\n"


def _cut(text: str, width: int) -> str:
    text = text[: width * _MOST_CHARACTERS_A_COLUMN]
    if wcswidth(text) <= width:
        return text
    while text and wcswidth(text) > width - 1:
        text = text[:-1]
    return text + _ELLIPSIS


def _problem(row: ResultRow) -> str:
    return row.problem or (f"same number as line {row.duplicate_of}" if row.duplicate_of else "")


def _what(row: ActionRow) -> str:
    """Return what there is to say of a change, in one cell."""
    message = f"message {row.message_id}" if row.message_id else None
    blocks = "blocks too" if row.block else None
    undoes = f"undoes {row.undoes}" if row.undoes else None
    return "; ".join(filter(None, (row.details, row.reason, message, blocks, undoes, f"by {row.by} at {row.profile}")))


RESULTS: Layout[ResultRow] = Layout(
    ResultRow.__struct_fields__,
    (
        Column("line", 6, lambda row: str(row.line)),
        Column("input", 22, lambda row: row.input),
        Column("number", 16, lambda row: row.number),
        Column("country", 7, lambda row: row.region),
        Column("status", 10, lambda row: row.status),
        Column("wa_id", 15, lambda row: row.wa_id),
        Column("problem", None, _problem),
    ),
)

_VERSION = Column[ResultRow]("version", 7, lambda row: row.server_version or ("unknown" if row.checked_at else ""))
_BEHIND_STATUS = [column.heading for column in RESULTS.columns].index("status") + 1

RESULTS_BY_VERSION = RESULTS._replace(
    columns=(*RESULTS.columns[:_BEHIND_STATUS], _VERSION, *RESULTS.columns[_BEHIND_STATUS:])
)
"""For where servers of several versions answered: the same status means something else at each."""

CHANGES: Layout[ActionRow] = Layout(
    ActionRow.__struct_fields__,
    (
        Column("input", 22, lambda row: row.input),
        Column("number", 16, lambda row: row.number),
        Column("outcome", 9, lambda row: row.outcome),
        Column("details", None, lambda row: row.details),
    ),
)
"""Changes that a person has just confirmed, or is about to."""

TRAIL: Layout[ActionRow] = Layout(
    ActionRow.__struct_fields__,
    (
        Column("batch", 5, lambda row: str(row.batch_id or "")),
        Column("action", 6, lambda row: str(row.action_id or "")),
        Column("time (UTC)", 16, lambda row: minute(row.at)),
        Column("kind", 11, lambda row: row.kind),
        Column("number", 16, lambda row: row.number or row.input),
        Column("outcome", 9, lambda row: row.outcome),
        Column("details", None, _what),
    ),
)

BLOCKLIST: Layout[BlocklistRow] = Layout(
    BlocklistRow.__struct_fields__,
    (
        Column("number", 16, lambda row: row.number),
        Column("wa_id", 15, lambda row: row.wa_id),
        Column("blocked at (UTC)", 16, lambda row: minute(row.blocked_at)),
        Column("status", 14, lambda row: f"{row.status} {row.server_version or 'unknown'}" if row.status else None),
        Column("by", 8, lambda row: row.by),
        Column("reason", None, lambda row: row.reason),
    ),
)

IDENTITIES: Layout[IdentityRow] = Layout(
    IdentityRow.__struct_fields__,
    (
        Column("wa_id", 15, lambda row: row.wa_id),
        Column("hash", 14, lambda row: row.hash),
        Column("created at (UTC)", 16, lambda row: minute(row.created_at)),
        Column("acknowledged", None, lambda row: "yes" if row.acknowledged else "no"),
    ),
)

RUNS: Layout[RunRow] = Layout(
    RunRow.__struct_fields__,
    (
        Column("run", 4, lambda row: str(row.run_id)),
        Column("state", 10, lambda row: row.state),
        Column("source", 20, lambda row: row.source),
        Column("numbers", 7, lambda row: f"{row.numbers:,}"),
        Column("valid", 7, lambda row: f"{row.valid:,}"),
        Column("invalid", 7, lambda row: f"{row.invalid:,}"),
        Column("failed", 6, lambda row: f"{row.failed:,}"),
        Column("left", 7, lambda row: f"{row.left:,}"),
        Column("begun (UTC)", 16, lambda row: minute(row.started_at or row.created_at)),
        Column("version", 8, lambda row: row.server_version),
        Column("at", None, lambda row: row.profile or row.server),
    ),
)

PAIRS: Layout[PairRow] = Layout(
    PairRow.__struct_fields__,
    (
        Column("change", 14, lambda row: row.change),
        Column("number", 16, lambda row: row.number or row.input),
        Column("before", 10, lambda row: row.before),
        Column("after", 10, lambda row: row.after),
        Column("wa_id before", 15, lambda row: row.wa_id_before),
        Column("wa_id after", None, lambda row: row.wa_id_after),
    ),
)

PROFILES: Layout[ProfileRow] = Layout(
    ProfileRow.__struct_fields__,
    (
        Column("profile", 16, lambda row: f"{row.profile}{' *' if row.is_default else ''}"),
        Column("kind", 9, lambda row: row.kind),
        Column("region", 6, lambda row: row.region),
        Column("url", 30, lambda row: row.url),
        Column("login", 10, lambda row: row.user or "token"),
        Column("read only", 9, lambda row: "yes" if row.read_only else "no"),
        Column("secret", None, lambda row: row.secret or "none"),
    ),
)

BUDGETS: Layout[BudgetRow] = Layout(
    BudgetRow.__struct_fields__,
    (
        Column("profile", 16, lambda row: row.profile),
        Column("messages", 10, lambda row: f"{row.messages:,}" if row.messages is not None else "no budget"),
        Column("over", 8, lambda row: f"{row.over:,}" if row.over is not None else ""),
        Column("calls", 10, lambda row: f"{row.calls:,}" if row.calls is not None else ""),
        Column("left", 10, lambda row: f"{row.left:,}" if row.left is not None else ""),
        Column("server", None, lambda row: row.server),
    ),
)

FINDINGS: Layout[FindingRow] = Layout(
    FindingRow.__struct_fields__,
    (
        Column("what", 12, lambda row: row.subject),
        Column("", 7, lambda row: row.level),
        Column("found", None, lambda row: f"{row.words}{f'. {row.next_step}' if row.next_step else ''}"),
    ),
)

NODES: Layout[NodeRow] = Layout(
    NodeRow.__struct_fields__,
    (
        Column("node", 24, lambda row: row.node),
        Column("status", 14, lambda row: row.status),
        Column("role", 18, lambda row: row.role),
        Column("version", None, lambda row: row.server_version),
    ),
)
