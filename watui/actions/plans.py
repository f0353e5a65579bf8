"""What is going to be sent, worked out before anything is: pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from watui.contract.conversion import read
from watui.contract.wa_ids import bare, find_wa_id, number_of, numbers_of, wa_id_of
from watui.intake.entries import Entry
from watui.ledger.rows import REJECTED, Row
from watui.ledger.trail import Action, Kind, NewAction, Outcome, Wish

ALREADY_BLOCKED = "is blocked already"
NOT_BLOCKED = "is not blocked"
TWICE = "the same number stands above"
CHANGED_SINCE = "was changed again since"

REVERSE = {Kind.BLOCK: Kind.UNBLOCK, Kind.UNBLOCK: Kind.BLOCK}
"""What takes back what."""


class Target(NamedTuple):
    """A contact as a person named it."""

    input: str
    number: str | None
    """E.164, None where the input can't be read."""
    phone: str
    """What stands for it in a request's path, as long as no wa_id is known."""
    is_sure: bool
    """Whether a server will surely read it in the same way."""
    problem: str | None = None
    """Why it can't be sent at all."""


class Plan(NamedTuple):
    """A batch that nobody has confirmed yet: nothing of it is written down."""

    wish: Wish
    actions: Sequence[NewAction]

    @property
    def to_send(self) -> list[NewAction]:
        """What goes to the server when it is confirmed."""
        return [action for action in self.actions if action.outcome is Outcome.PLANNED]

    def notes(self) -> list[tuple[str, int]]:
        """Return why some are not sent, with their counts, the most frequent first."""
        return Counter(action.note for action in self.actions if action.note).most_common()


def target_of(entry: Entry, region: str) -> Target:
    """Return the contact that `entry` names, for a server registered in `region`."""
    if entry.problem is not None:
        return Target(entry.input, None, "", False, entry.problem)
    if (wa_id := bare(entry.input)) != entry.input and wa_id.isascii() and wa_id.isdigit():
        return target_of_wa_id(wa_id, None)
    reading = read(entry.input, region)
    is_sure = reading.number is not None and reading.doubt is None
    # What is doubtful goes as it was given: the server decides, and says what it makes of it.
    return Target(entry.input, reading.number, reading.number if is_sure and reading.number else entry.input, is_sure)


def target_of_row(row: Row) -> Target:
    """Return the contact of a row of a run."""
    if row.status == REJECTED:
        return Target(row.input, None, "", False, row.problem)
    is_sure = row.number is not None and row.problem is None
    return Target(row.input, row.number, row.number if is_sure and row.number else row.input, is_sure)


def target_of_wa_id(wa_id: str, number: str | None) -> Target:
    """Return the contact that a blocklist names; a wa_id is never converted."""
    return Target(number or number_of(wa_id), number, number_of(wa_id), True)


def plan(wish: Wish, targets: Iterable[Target], listed: Collection[str], wa_ids: Mapping[str, str]) -> Plan:
    """Work out what becomes of every target.

    `listed` are the wa_ids of the server's blocklist (empty where that does not matter), `wa_ids` those that the
    server once told, by number.
    """
    actions, seen = [], set()
    for target in targets:
        action = _action(wish.kind, target, listed, wa_ids.get(target.number or ""))
        key = action.wa_id or target.input
        if key in seen and action.outcome is Outcome.PLANNED:
            action = action._replace(outcome=Outcome.LEFT_OUT, note=TWICE)
        seen.add(key)
        actions.append(action)
    return Plan(wish, actions)


def plan_undo(actions: Sequence[Action], listed: Collection[str], changed_since: Collection[str]) -> Plan:
    """Work out how a batch of blocks or unblocks is taken back: only what it changed, and nobody else did since."""
    wish = Wish(REVERSE[actions[0].kind], undoes=actions[0].batch_id)
    undone = []
    for action in actions:
        if action.outcome is not Outcome.DONE:
            continue
        found = _action(wish.kind, _once_more(action, wish.kind), listed, action.wa_id)
        if action.target in changed_since:
            found = found._replace(outcome=Outcome.LEFT_OUT, note=CHANGED_SINCE)
        undone.append(found)
    return Plan(wish, undone)


def target_of_action(action: Action | NewAction) -> Target:
    """Return the contact of an action as it was meant."""
    is_sure = action.target in (action.number, number_of(action.wa_id or ""))
    return Target(action.input, action.number, action.target, is_sure)


def _once_more(action: Action, kind: Kind) -> Target:
    """Return the contact of an action, for what takes that back."""
    target = target_of_action(action)
    if kind is not Kind.BLOCK or action.wa_id is None:
        return target
    # Once it is off the list a server need not know the wa_id any more, and as a number it may not be read.
    number = action.number or next(iter(numbers_of(action.wa_id)), None)
    if number is None:
        return target
    return target._replace(number=number, phone=number if target.is_sure else target.phone)


def is_listed(action: NewAction | Action, listed: Collection[str]) -> bool:
    """Whether the contact of `action` is on the blocklist."""
    return _find(action.input, action.number, listed, action.wa_id) is not None


def _action(kind: Kind, target: Target, listed: Collection[str], told: str | None) -> NewAction:
    # A block goes out as a number; what names somebody else as a wa_id is no reason not to send it.
    found = _find(target.phone if kind is Kind.BLOCK else target.input, target.number, listed, told)
    number = target.number
    if kind is Kind.ACKNOWLEDGE:
        found = target.phone.removeprefix("+")
    elif found is not None and number is not None and find_wa_id(number, (found,), told) is None:
        number = None  # the digits are a wa_id: what they would be as a number is somebody else
    wa_id = found or told or (wa_id_of(number) if number else None)
    action = NewAction(target.input, number, wa_id, target.phone, Outcome.PLANNED)
    if target.problem is not None:
        return action._replace(outcome=Outcome.LEFT_OUT, note=target.problem)
    if kind is Kind.BLOCK and found is not None:
        return action._replace(outcome=Outcome.UNCHANGED, note=ALREADY_BLOCKED)
    if kind is Kind.UNBLOCK and found is None and target.is_sure:
        return action._replace(outcome=Outcome.UNCHANGED, note=NOT_BLOCKED)
    if kind is Kind.UNBLOCK and found is not None:
        return action._replace(target=number_of(found))
    return action


def _find(text: str, number: str | None, listed: Collection[str], told: str | None) -> str | None:
    """Return the entry of the blocklist that a contact is: digits may be a wa_id themselves (contract section 2)."""
    digits = text.removeprefix("+")
    if digits in listed:
        return digits
    return find_wa_id(number, listed, told) if number is not None else None
