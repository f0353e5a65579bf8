"""How settings and profiles look: pure functions from what was read to cells and content."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from watui.checkup import Checkup
from watui.client.failures import CertificateChanged
from watui.findings import Finding, Level
from watui.text import clean
from watui.tui.grid import Cell, Column, fit, lay_out
from watui.tui.groups import Group, Member
from watui.tui.themes import DIM

_MARKS = {Level.OK: ("✓", "$text-success"), Level.NOTE: ("•", "$text-accent"), Level.TROUBLE: ("✗", "$text-error")}


_IN_DIGITS = frozenset({"pinned", "shown"})
"""Subjects of findings that are shown side by side instead."""


class GroupsLook:
    """How profiles look in the list of them."""

    def columns(self, width: int) -> tuple[Column, ...]:
        return lay_out((("profile", 18), ("", 15), ("about", 0)), width, ("",))

    def cells(self, row: Group, wanted: tuple[Column, ...], now: float) -> Sequence[Cell]:
        return tuple(_group_cell(row, column) for column in wanted)


def _group_cell(row: Group, column: Column) -> Cell:
    style = ""
    match column.name:
        case "profile":
            text = row.name
        case "":
            words = [word for word, holds in (("in use", row.is_in_use), ("default", row.is_default)) if holds]
            text, style = ", ".join(words), "valid"
        case _:
            text, style = row.about, "dim"
    return Cell(fit(clean(text), column.width), style)


class MembersLook:
    """How the members of a profile look."""

    def columns(self, width: int) -> tuple[Column, ...]:
        return lay_out((("setting", 15), ("value", 0)), width, ())

    def cells(self, row: Member, wanted: tuple[Column, ...], now: float) -> Sequence[Cell]:
        shown = row.value or "–"
        return (
            Cell(fit(row.name, wanted[0].width), "" if row.is_chosen else "dim"),
            Cell(fit(clean(shown), wanted[1].width), "" if row.is_chosen or row.is_fact else "dim"),
        )


def heading(group: Group | None) -> Content:
    """Return what the lower list is about."""
    if group is None:
        return Content("")
    what = "For all profiles" if group.is_general else f"Profile {clean(group.name)}"
    return Content.styled(f" {what}", "bold")


def description(member: Member | None) -> Content:
    """Return what a setting is for."""
    return Content.styled(clean(member.description) if member is not None else "", DIM)


def side_by_side(pinned: str, shown: str) -> Content:
    """Return two fingerprints, each digit of one under that of the other."""
    return Content("\n").join([digits("pinned", pinned), digits("shown", shown)])


def digits(word: str, fingerprint: str) -> Content:
    """Return a fingerprint on two lines behind a word; what is none, such as why it is not known, on one."""
    middle = fingerprint.find(":", len(fingerprint) // 2 - 1) + 1
    first, second = (fingerprint[:middle], fingerprint[middle:]) if " " not in fingerprint else (fingerprint, "")
    rest = f"\n{'':<9}{clean(second)}" if second else ""
    return Content.assemble((f"{word:<9}", "bold"), clean(first), rest)


def found(checkup: Checkup, learnt: str | None = None) -> Content:
    """Return what was found at a server, what was `learnt` of its country, and what to do about the rest."""
    failure = checkup.failure
    shown = _findings(checkup.findings)
    if learnt is not None:
        shown = Content("\n").join([shown, Content(f"  That is the region of the profile from now on: {learnt}.")])
    if isinstance(failure, CertificateChanged):
        return Content("\n\n").join([shown, side_by_side(failure.pinned, failure.shown)])
    return shown


def _findings(found: Sequence[Finding]) -> Content:
    lines: list[Content] = []
    shown = [each for each in found if each.subject not in _IN_DIGITS]
    width = max((len(each.subject) for each in shown), default=0) + 2
    for each in shown:
        mark, style = _MARKS[each.level]
        lines.append(Content.assemble((f"{mark} ", style), (each.subject.ljust(width), "bold"), clean(each.words)))
        if each.next_step is not None:
            lines.append(Content.assemble(("  → ", DIM), clean(each.next_step)))
    return Content("\n").join(lines)
