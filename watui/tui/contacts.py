"""A contact as a row names it, and what is known of it: pure functions to content."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content

from watui.actions import words
from watui.actions.plans import Target, target_of_row, target_of_wa_id
from watui.contract.conversion import for_people, read
from watui.contract.statuses import explain, meaning
from watui.contract.wa_ids import number_of, wa_id_of
from watui.ledger.rows import Row
from watui.ledger.trail import Action, Outcome, Verdict, Wish
from watui.text import clean, counted
from watui.tui.cells import STATUS_STYLES, status_text
from watui.tui.keys import key_of
from watui.tui.masking import without_numbers
from watui.tui.panels import STYLES
from watui.tui.themes import DIM
from watui.zone import ZONE

if TYPE_CHECKING:
    from watui.actions.batch import End
    from watui.contract.models import Identity
    from watui.simulator.control import ContactState

_LABEL_WIDTH = 12

LEAST_WIDTH = 20

MOST_VERDICTS, MOST_ACTIONS = 5, 20

OUTCOME_STYLES: dict[Outcome, str] = {
    Outcome.DONE: "$text-success",
    Outcome.REFUSED: "$text-error",
    Outcome.FAILED: "$text-warning",
    Outcome.UNKNOWN: "bold $text-warning",
    Outcome.SENT: "$text-accent",
}

OUTCOME_GLYPHS: dict[Outcome, str] = {
    Outcome.PLANNED: "·",
    Outcome.SENT: "◦",
    Outcome.DONE: "✓",
    Outcome.UNCHANGED: "=",
    Outcome.REFUSED: "✗",
    Outcome.FAILED: "!",
    Outcome.UNKNOWN: "?",
    Outcome.LEFT_OUT: "-",
}
"""Beside the word, so that colour is never the only carrier of meaning."""


class Contact(NamedTuple):
    """A contact, as far as the row that names it knows."""

    target: Target
    wa_id: str | None
    """As a server told it; None where none did."""

    @classmethod
    def of_row(cls, row: Row) -> Contact | None:
        """Return the contact of a row of a run, None where it is rejected."""
        target = target_of_row(row)
        return cls(target, row.wa_id) if target.problem is None or target.number is not None else None

    @classmethod
    def of_wa_id(cls, wa_id: str, number: str | None) -> Contact:
        """Return the contact of an entry of the blocklist."""
        return cls(target_of_wa_id(wa_id, number), wa_id)

    @property
    def number(self) -> str:
        """The number (E.164), or what comes nearest to one."""
        return self.target.number or (number_of(self.wa_id) if self.wa_id else self.target.input)

    @property
    def likely_wa_id(self) -> str:
        """The wa_id that a server told, or the one that is usual for the number."""
        return self.wa_id or wa_id_of(self.number)

    @property
    def name(self) -> str:
        """What people call it."""
        return clean(for_people(self.number))


class Facts(NamedTuple):
    """What is known of a contact."""

    verdicts: list[Verdict]
    actions: list[Action]
    is_blocked: bool | None = None
    """None while that is not known."""
    blocked_problem: str | None = None
    """Why that can't be known."""
    identity: Identity | None = None
    identity_problem: str | None = None
    state: ContactState | None = None
    """What the simulator knows of it."""


def lines(contact: Contact, facts: Facts, width: int, *, hides_numbers: bool = False) -> Content:
    """Return all that is known of a contact, in lines of `width` columns; numbers are hidden before they are cut."""
    region = read(contact.number, "ZZ").region or "no country"
    nothing = Content("")
    parts = [
        ("number", Content.assemble((contact.name, "bold"), f"   {region}   {clean(contact.number)}")),
        ("wa_id", _wa_id(contact, facts)),
        ("blocked", _blocked(facts)),
        ("engaged", _engaged(facts)),
        ("identity", _identity(facts)),
        ("", nothing),
        *_listed("status", [_verdict(verdict) for verdict in facts.verdicts[:MOST_VERDICTS]], "never checked here"),
        ("", nothing),
        *_listed("done to it", [_action(action) for action in facts.actions[:MOST_ACTIONS]], "nothing"),
    ]
    if len(facts.actions) > MOST_ACTIONS:
        parts.append(("", Content.styled(f"and {len(facts.actions) - MOST_ACTIONS:,} before", DIM)))
    if hides_numbers:
        parts = [(label, without_numbers(words_)) for label, words_ in parts]
    return Content("\n").join(line for label, words_ in parts for line in _lines(label, words_, width))


def _listed(label: str, items: list[Content], none: str) -> list[tuple[str, Content]]:
    shown = items or [Content.styled(none, DIM)]
    return [(label if place == 0 else "", item) for place, item in enumerate(shown)]


def _lines(label: str, words_: Content, width: int) -> list[Content]:
    """Return a label and what belongs to it; lines that are too long go on below, indented."""
    first, *rest = words_.wrap(max(LEAST_WIDTH, width - _LABEL_WIDTH)) or [Content("")]
    indent = " " * _LABEL_WIDTH
    head = Content.assemble((f"{label:<{_LABEL_WIDTH}}", DIM), first)
    return [head, *(Content.assemble(indent, line) for line in rest)]


def _wa_id(contact: Contact, facts: Facts) -> Content:
    if contact.wa_id:
        told = [verdict.server_version for verdict in facts.verdicts if verdict.wa_id == contact.wa_id]
        is_doubtful = told and not any(meaning(version).claims_account for version in told)
        doubt = f"   not guaranteed to be real ({clean(told[0] or 'version unknown')})" if is_doubtful else ""
        return Content.assemble(clean(contact.wa_id), (doubt, "$text-warning"))
    return Content.assemble(contact.likely_wa_id, ("   the usual one; no server has told it", DIM))


def _blocked(facts: Facts) -> Content:
    if facts.blocked_problem is not None:
        return Content.styled(clean(facts.blocked_problem), "$text-warning")
    if facts.is_blocked is None:
        return Content.styled("reading the blocklist…", DIM)
    return Content.styled("yes", "bold $text-error") if facts.is_blocked else Content("no")


def _engaged(facts: Facts) -> Content:
    if facts.state is None:
        return Content.styled("only the server knows: whether it wrote within the last 24 hours", DIM)
    if not facts.state.has_account:
        return Content.styled("no: it has no account in the simulator's world", DIM)
    if facts.state.is_engaged:
        return Content.assemble("yes, it wrote within the last 24 hours", (_messages(facts.state), DIM))
    return Content.assemble(
        "no, it can be neither blocked nor reported   ", (key_of("contact.inbound"), "bold $primary"), " lets it write"
    )


def _messages(state: ContactState) -> str:
    return f"   {counted(len(state.messages), 'message')}" if state.messages else ""


def _identity(facts: Facts) -> Content:
    if facts.identity_problem is not None:
        return Content.styled(clean(facts.identity_problem), DIM)
    if facts.identity is None:
        return Content.styled("reading…", DIM)
    identity = facts.identity
    changed = f"   changed {ZONE.minute(identity.created_timestamp, 1000)}   "
    if identity.acknowledged:
        return Content.assemble(clean(identity.hash), (changed, DIM), "acknowledged")
    return Content.assemble(
        clean(identity.hash),
        (changed, DIM),
        ("not acknowledged   ", "$text-warning"),
        (key_of("contact.acknowledge"), "bold $primary"),
        " does",
    )


def _verdict(verdict: Verdict) -> Content:
    style = STYLES.get(STATUS_STYLES.get(verdict.status, ""), DIM)
    version = clean(verdict.server_version or "version unknown")
    meant = explain(clean(verdict.status), verdict.server_version).partition(": ")[2]
    said = f"{ZONE.minute(verdict.checked_at)}   {version}   run {verdict.run_id}"
    return Content.assemble((f"{status_text(verdict.status):<13}", style), (f"{said}   {meant}", DIM))


def _action(action: Action) -> Content:
    at = ZONE.minute(action.ended_at or action.sent_at or action.created_at)
    reason = f" “{clean(action.reason)}”" if action.reason else ""
    block = " and block" if action.also_block else ""
    undo = f" (undoes {action.undoes})" if action.undoes else ""
    style = OUTCOME_STYLES.get(action.outcome, DIM)
    outcome = f"{OUTCOME_GLYPHS[action.outcome]} {action.outcome}"
    note = f"   {clean(action.note)}" if action.note else ""
    return Content.assemble(
        (f"{at}  ", DIM),
        f"{action.kind}{block}{reason}{undo}  ",
        (outcome, style),
        (f"  by {clean(action.by)}{note}", DIM),
    )


def result(wish: Wish, contact: str, end: End, explained: str | None) -> str:
    """Return how a change of one contact ended, for a notice; a refusal as it is `explained`, or as it came."""
    done = words.done_words(wish)
    match end.outcome:
        case Outcome.DONE:
            return f"{contact} is {done}."
        case Outcome.UNCHANGED | Outcome.LEFT_OUT:
            return f"{contact} {end.note}: nothing was sent."
        case Outcome.REFUSED if explained:
            return f"{contact} is not {done} ({end.code}). {explained}"
        case Outcome.UNKNOWN:
            return f"Nobody knows whether {contact} is {done}: {end.note}."
        case _:
            return f"{contact} is not {done}: {end.note}."
