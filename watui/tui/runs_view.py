"""How runs, and what differs between two of them, look: pure functions from rows to cells and content."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual.content import Content

from watui.checks.compare import Change
from watui.contract.conversion import for_people
from watui.export.rows import PairRow, RunRow
from watui.ledger.upkeep import Deletion
from watui.text import clean, counted
from watui.tui.cells import STATUS_STYLES, aged, status_text
from watui.tui.grid import Cell, Column, fit, lay_out
from watui.tui.keys import key_of
from watui.tui.panels import choices, duration
from watui.tui.themes import DIM

_GAP = "   "

MARK = "●"

STATE_STYLES = {"running": "processing", "unfinished": "failed", "done": "valid", "cancelled": "failed"}

_NARROW = (
    ("", 1),
    ("run", 4),
    ("state", 10),
    ("age", 5),
    ("numbers", 9),
    ("valid", 9),
    ("version", 7),
    ("left", 9),
    ("source", 0),
)
_WIDE = (
    ("", 1),
    ("run", 4),
    ("state", 10),
    ("age", 5),
    ("took", 6),
    ("numbers", 9),
    ("valid", 9),
    ("invalid", 9),
    ("failed", 6),
    ("left", 7),
    ("version", 7),
    ("at", 10),
    ("source", 0),
)
_WIDE_FROM = 110
_DROPS = ("age", "numbers", "left", "version", "valid")


class ShownRun(NamedTuple):
    """A run as it is shown."""

    run: RunRow
    began: float
    """When it was asked first, or imported; in seconds since 1970."""
    seconds: float | None
    """For which it was asked; None where it has not ended."""
    is_marked: bool


class RunsLook:
    """How runs look."""

    def columns(self, width: int) -> tuple[Column, ...]:
        return lay_out(_WIDE if width >= _WIDE_FROM else _NARROW, width, _DROPS)

    def cells(self, row: ShownRun, wanted: tuple[Column, ...], now: float) -> Sequence[Cell]:
        return tuple(_run_cell(row, column, now) for column in wanted)


def _run_cell(row: ShownRun, column: Column, now: float) -> Cell:
    run, style = row.run, ""
    match column.name:
        case "":
            text, style = MARK if row.is_marked else "", "valid"
        case "run":
            text, style = str(run.run_id), "dim"
        case "state":
            text, style = run.state, STATE_STYLES.get(run.state, "dim")
        case "age":
            return aged(now - row.began, column)
        case "took":
            text, style = "" if row.seconds is None else duration(max(1.0, row.seconds)), "dim"
        case "numbers" | "valid" | "invalid" | "failed" | "left":
            count = getattr(run, column.name)
            text, style = f"{count:,}" if count else "", STATUS_STYLES.get(column.name, "")
        case "version":
            text, style = run.server_version or "", "dim"
        case "at":
            text, style = run.profile or run.server, "dim"
        case _:
            text = run.source
    return Cell(fit(clean(text), column.width), style)


def state(shown: Sequence[ShownRun], problem: str | None, deletion: Deletion | None) -> Content:
    """Return how many runs there are, or why that can't be said; and what is being deleted."""
    if problem is not None:
        return Content.styled(f" {clean(problem)}", "$text-error")
    open_ = sum(each.run.state == "unfinished" for each in shown)
    more = f"{_GAP}{open_:,} cut short" if open_ else ""
    return Content.assemble(
        f" {counted(len(shown), 'run')}", (more, "$text-warning"), f"{_GAP}{deletion.words}" if deletion else ""
    )


def detail(row: ShownRun | None) -> Content:
    """Return what there is to say of the run under the cursor, on one line."""
    if row is None:
        return Content("")
    run = row.run
    of = f" of run {run.rechecks}" if run.rechecks is not None else ""
    words = [
        f" run {run.run_id}{f', a recheck{of}' if of else ''}",
        f"{counted(run.rows, 'row')}, {counted(run.numbers, 'number')}, {run.rejected:,} rejected",
        f"at {run.profile or run.server} for {run.region}",
        run.source,
    ]
    return Content.styled(clean(_GAP.join(words)), DIM)


def welcome() -> Content:
    """Return what is said where there is no run yet."""
    return Content("\n").join(
        [
            Content.styled("No run yet", "bold"),
            Content(""),
            *choices((key_of("screens.show_check"), "to the Check screen: paste numbers there")),
        ]
    )


class PairsLook:
    """How what differs between two runs looks."""

    def columns(self, width: int) -> tuple[Column, ...]:
        wanted = [("number", 20), ("change", 14), ("before", 12), ("after", 12), ("wa_id", 0)]
        return lay_out(wanted, width, ("wa_id",))

    def cells(self, row: PairRow, wanted: tuple[Column, ...], now: float) -> Sequence[Cell]:
        return tuple(_pair_cell(row, column) for column in wanted)


_CHANGE_STYLES = {Change.NEWLY_VALID: "valid", Change.GONE: "invalid", Change.WA_ID: "failed"}


def _pair_cell(row: PairRow, column: Column) -> Cell:
    style = ""
    match column.name:
        case "number":
            text = for_people(row.number or row.input)
        case "change":
            text, style = row.change, _CHANGE_STYLES.get(Change(row.change), "dim")
        case "before" | "after":
            status = row.before if column.name == "before" else row.after
            text, style = status_text(status) if status else "not in it", STATUS_STYLES.get(status or "", "dim")
        case _:
            moved = (row.wa_id_before, row.wa_id_after)
            text, style = " → ".join(each for each in dict.fromkeys(moved) if each), "dim"
    return Cell(fit(clean(text), column.width), style)
