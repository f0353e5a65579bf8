"""Rows as cells: pure functions from a row of the ledger to text and style."""

from typing import NamedTuple

from watui.checks.freshness import Freshness, freshness
from watui.checks.standing import known_of, note_of
from watui.contract.statuses import Status
from watui.ledger.rows import QUEUED, REJECTED, Row
from watui.text import clean
from watui.tui.grid import Cell, Column, Wanted, fit, needed, place, without_drops

GLYPHS: dict[str, str] = {
    Status.VALID: "✓",
    Status.INVALID: "✗",
    Status.FAILED: "!",
    Status.PROCESSING: "◦",
    QUEUED: "·",
    REJECTED: "-",
}
"""Beside the word, so that colour is never the only carrier of meaning."""

OTHER_GLYPH = "?"

DOUBTFUL = "doubtful: "

STATUS_STYLES: dict[str, str] = {
    Status.VALID: "valid",
    Status.INVALID: "invalid",
    Status.FAILED: "failed",
    Status.PROCESSING: "processing",
}
"""Component classes of the table; every other status is shown dim."""

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


_PREVIEW = (("line", 7), ("input", 0), ("number", 16), ("country", 8), ("note", 22))
_STATUS = (("input", 0), ("number", 16), ("country", 8), ("status", 12), ("wa_id", 15), ("age", 5))
_VERSION = ("version", 7)
"""Stands behind the status where servers of several versions answered, for it means something else at each."""
_WIDE_STATUS = (("line", 7), *_STATUS, ("note", 26))
_WIDE = 110
_NARROW_DROPS = ("line", "age", "wa_id", "country", "note", "number")
"""What a narrow terminal goes without, first to last; input and status stay, and the version."""

_MOST_INPUT = 40


def columns(width: int, *, preview: bool, has_versions: bool = False) -> tuple[Column, ...]:
    """Return the columns that fit `width`; the input takes what the others leave, then the note.

    With `has_versions` there is one for the version of the server that answered.
    """
    wanted: Wanted = _PREVIEW if preview else _WIDE_STATUS if width >= _WIDE else _STATUS
    if has_versions and not preview:
        wanted = _with_version(wanted)
    wanted = without_drops(wanted, width, _NARROW_DROPS)
    free = max(1, width - needed(wanted))
    has_note = wanted[-1][0] == "note"
    input_width = min(free, _MOST_INPUT) if has_note else free
    widths = {"input": input_width, "note": wanted[-1][1] + free - input_width}
    return place([(name, widths.get(name, room)) for name, room in wanted])


def _with_version(wanted: Wanted) -> Wanted:
    """Return `wanted` with the version behind the status; a note gives the room for it."""
    taken = _VERSION[1] + 1
    behind = [name for name, _ in wanted].index("status") + 1
    narrower = [(name, room - taken if name == "note" else room) for name, room in wanted]
    return [*narrower[:behind], _VERSION, *narrower[behind:]]


def cells(row: Row, wanted: tuple[Column, ...], now: float) -> tuple[Cell, ...]:
    """Return the cells of `row` in the columns `wanted`. `now` is in seconds since 1970."""
    return tuple(_cell(row, column, now) for column in wanted)


def status_text(status: str) -> str:
    """Return `status` with its glyph."""
    return f"{GLYPHS.get(status, OTHER_GLYPH)} {clean(status)}"


def note(row: Row) -> str:
    """Return what there is to say of a row beside its answer, in whole."""
    if row.status == REJECTED:
        return f"rejected: {row.problem}"
    if words := note_of(row):
        return f"{DOUBTFUL}{words}" if words == row.problem else words
    if words := known_of(row):
        return words
    if row.duplicate_of:
        return f"same as line {row.duplicate_of}"
    return f"sent as {row.sent}" if row.sent is not None else ""


def short_note(row: Row) -> str:
    """Return the same for a column that may cut it: what is wrong comes first, behind a glyph."""
    if row.status == REJECTED:
        return f"{GLYPHS[REJECTED]} {row.problem}"
    words = note(row)
    return f"{OTHER_GLYPH} {row.problem}" if words == f"{DOUBTFUL}{row.problem}" else words


def age(seconds: float) -> str:
    """Return how long ago something was, in at most four characters."""
    if seconds < _MINUTE:
        return "now"
    if seconds < _HOUR:
        return f"{int(seconds // _MINUTE)} m"
    if seconds < _DAY:
        return f"{int(seconds // _HOUR)} h"
    return f"{min(int(seconds // _DAY), 999)} d"


FRESHNESS = {Freshness.FRESH: ("", "dim"), Freshness.EXPIRING: ("~", "failed"), Freshness.STALE: ("!", "failed")}
"""What stands behind an age, and its style."""


def aged(seconds: float | None, column: Column) -> Cell:
    """Return an age with a sign for what it means, empty for None."""
    if seconds is None:
        return Cell(fit("", column.width))
    sign, style = FRESHNESS[freshness(seconds)]
    return Cell(fit(age(seconds) + sign, column.width), style)


def _cell(row: Row, column: Column, now: float) -> Cell:
    style = ""
    match column.name:
        case "line":
            text, style = str(row.line), "dim"
        case "input":
            text = clean(row.input)
        case "number":
            text = row.number or ""
        case "country":
            text = row.region or ""
        case "status":
            text, style = status_text(row.status), STATUS_STYLES.get(row.status, "dim")
        case "version":
            text, style = clean(row.server_version or ("unknown" if row.checked_at is not None else "")), "dim"
        case "wa_id":
            text = clean(row.wa_id or "")
        case "age":
            return aged(now - row.checked_at if row.checked_at is not None else None, column)
        case _:
            text, style = clean(short_note(row)), "doubtful" if note_of(row) else "dim"
    return Cell(fit(text, column.width), style)


class RowLook(NamedTuple):
    """How the rows of a run look: in a preview, or with their statuses."""

    preview: bool
    has_versions: bool = False

    def columns(self, width: int) -> tuple[Column, ...]:
        return columns(width, preview=self.preview, has_versions=self.has_versions)

    def cells(self, row: Row, wanted: tuple[Column, ...], now: float) -> tuple[Cell, ...]:
        return cells(row, wanted, now)
