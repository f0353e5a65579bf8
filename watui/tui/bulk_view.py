"""How the contacts of a plan or a batch look: pure functions from actions to cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from watui.actions.plans import Plan
from watui.contract.conversion import for_people
from watui.ledger.trail import NewAction, Outcome
from watui.text import clean
from watui.tui.contacts import OUTCOME_GLYPHS
from watui.tui.grid import Cell, Column, fit, lay_out

if TYPE_CHECKING:
    from watui.actions.batch import Batch


class BulkRow(NamedTuple):
    """A contact of the list as it stands."""

    action: NewAction
    outcome: Outcome
    note: str | None


class BulkView:
    """The contacts of a plan, or of a batch."""

    key = "bulk"

    def __init__(self, plan: Plan, batch: Batch | None) -> None:
        self._plan = plan
        self._batch = batch

    def __len__(self) -> int:
        return len(self._plan.actions)

    def window(self, first: int, last: int) -> Mapping[int, BulkRow]:
        return {place: self._row(place) for place in range(first, last + 1)}

    def _row(self, place: int) -> BulkRow:
        action = self._plan.actions[place]
        if self._batch is None:
            return BulkRow(action, action.outcome, action.note)
        end = self._batch.steps[place].end
        return BulkRow(action, end.outcome, end.note)


class BulkLook:
    """How they look."""

    def columns(self, width: int) -> tuple[Column, ...]:
        return lay_out([("number", 20), ("wa_id", 15), ("outcome", 12), ("note", 0)], width, ("wa_id",))

    def cells(self, row: BulkRow, wanted: tuple[Column, ...], now: float) -> Sequence[Cell]:
        return tuple(self._cell(row, column) for column in wanted)

    def _cell(self, row: BulkRow, column: Column) -> Cell:
        style = ""
        match column.name:
            case "number":
                text = for_people(row.action.number or row.action.input)
            case "wa_id":
                text, style = row.action.wa_id or "", "dim"
            case "outcome":
                text, style = f"{OUTCOME_GLYPHS[row.outcome]} {row.outcome}", _STYLES.get(row.outcome, "dim")
            case _:
                text, style = row.note or "", "dim"
        return Cell(fit(clean(text), column.width), style)


_STYLES = {
    Outcome.DONE: "valid",
    Outcome.REFUSED: "invalid",
    Outcome.FAILED: "failed",
    Outcome.UNKNOWN: "failed",
    Outcome.SENT: "processing",
}
