"""What the Blocklist screen shows: pure functions from the list to content."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from textual.content import Content

from watui.contract.conversion import for_people
from watui.text import clean, counted, shortened
from watui.tui.blocklist import Blocklist, BlockRow
from watui.tui.cells import STATUS_STYLES, age, status_text
from watui.tui.grid import Cell, Column, fit, lay_out
from watui.tui.keys import key_of
from watui.tui.panels import MOST_OF_A_SEARCH, choices
from watui.tui.themes import DIM
from watui.zone import ZONE

_GAP = "   "

MARK = "●"

_NARROW = (("", 1), ("place", 6), ("number", 20), ("wa_id", 15), ("blocked", 7), ("reason", 0))
_WIDE = (*_NARROW[:4], ("status", 12), ("blocked", 7), ("by", 10), ("reason", 0))
_WIDE_FROM = 100
_DROPS = ("by", "wa_id", "blocked", "place")


class BlocklistView:
    """The entries that are shown, for the table."""

    def __init__(self, blocklist: Blocklist) -> None:
        self._blocklist = blocklist
        page = blocklist.page
        self.key = (blocklist.text, blocklist.found is not None, page.offset if page else 0)

    def __len__(self) -> int:
        return self._blocklist.shown

    def window(self, first: int, last: int) -> Mapping[int, BlockRow]:
        return self._blocklist.rows(first, last)


class BlocklistLook:
    """How they look."""

    def columns(self, width: int) -> tuple[Column, ...]:
        return lay_out(_WIDE if width >= _WIDE_FROM else _NARROW, width, _DROPS)

    def cells(self, row: BlockRow, wanted: tuple[Column, ...], now: float) -> Sequence[Cell]:
        return tuple(_cell(row, column, now) for column in wanted)


def _cell(row: BlockRow, column: Column, now: float) -> Cell:
    known, style = row.known, ""
    match column.name:
        case "":
            text, style = MARK if row.is_marked else "", "valid"
        case "place":
            text, style = f"{row.position:,}", "dim"
        case "number":
            text = for_people(row.number)
        case "wa_id":
            text, style = row.wa_id, "dim"
        case "status":
            text = status_text(known.status) if known.status else ""
            style = STATUS_STYLES.get(known.status or "", "dim")
        case "blocked":
            text, style = age(now - known.blocked_at) if known.blocked_at else "", "dim"
        case "by":
            text, style = known.by or "", "dim"
        case _:
            text = known.reason or ""
    return Cell(fit(clean(text), column.width), style)


def state(blocklist: Blocklist, reading: str | None, *, is_offered: bool = True) -> Content:
    """Return where we are on the list, or that it is not one which the server lets be read."""
    if blocklist.page is None:
        nothing = (
            f"Nothing was read yet: {key_of('blocklist.again')} tries again."
            if is_offered
            else "There is no blocklist to read here."
        )
        return Content.styled(f" {reading or nothing}", DIM)
    parts = [Content(f" {_where(blocklist)}")]
    if blocklist.marked:
        parts.append(Content.styled(f"{len(blocklist.marked):,} marked", "bold $primary"))
    if reading:
        parts.append(Content.styled(reading, DIM))
    return Content(_GAP).join(parts)


def _where(blocklist: Blocklist) -> str:
    total = counted(blocklist.total, "contact")
    if blocklist.found is not None:
        text = shortened(clean(blocklist.text), MOST_OF_A_SEARCH)
        return f"{blocklist.shown:,} of {total} with “{text}”{_GAP}{key_of('blocklist.clear')} shows all"
    if not blocklist.total:
        return "Nobody is blocked"
    assert blocklist.page is not None
    first = blocklist.page.offset + 1
    last = blocklist.page.offset + len(blocklist.page.wa_ids)
    return f"{first:,}–{last:,} of {total}{_GAP}page {blocklist.page_number:,} of {blocklist.pages:,}"


def notice(blocklist: Blocklist, problem: str | None) -> Content:
    """Return what a person must know of what is shown."""
    if problem is not None:
        return Content.styled(f" {clean(problem)}", "$text-error")
    return Content.styled(f" {blocklist.notice or ''}", "$text-warning")


def detail(row: BlockRow | None) -> Content:
    """Return what is known of the entry under the cursor, on one line."""
    if row is None:
        return Content("")
    known = row.known
    parts = [Content(f" {clean(for_people(row.number))}"), Content.styled(f"wa_id {clean(row.wa_id)}", DIM)]
    if known.blocked_at is not None:
        parts.append(Content.styled(f"blocked {ZONE.minute(known.blocked_at)} by {clean(known.by or '')}", DIM))
    if known.reason:
        parts.append(Content(f"“{clean(known.reason)}”"))
    if known.status:
        parts.append(Content.styled(f"last {clean(known.status)} on {clean(known.server_version or 'unknown')}", DIM))
    if known.blocked_at is None:
        parts.append(Content.styled("blocked elsewhere: no reason and no date come from the server", DIM))
    return Content(_GAP).join(parts)


def welcome() -> Content:
    """Return what an empty blocklist says."""
    blocks = key_of("check.block")
    return Content("\n").join(
        [
            Content.styled("Nobody is blocked", "bold"),
            Content(""),
            *choices(
                ("paste", "numbers to block them, after a dry run"),
                (key_of("blocklist.add"), "block the numbers of a file"),
                (key_of("screens.show_check"), f"back to the list that is checked: {blocks} blocks the row at hand"),
            ),
        ]
    )
