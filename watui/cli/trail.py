"""`watui actions`: the trail of changes."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, TypeVar

import click

from watui.actions import words
from watui.cli.exits import Exit, Stop
from watui.cli.help import Group, option
from watui.cli.options import hide_numbers_option, target_options
from watui.cli.rows import format_option, print_rows, usual_format
from watui.cli.session import Session, find_where, how_to_know
from watui.cli.talk import say
from watui.contract import errors
from watui.contract.conversion import read
from watui.desk import Desk
from watui.export.rows import ActionRow, iso
from watui.export.table import TRAIL
from watui.ledger import trail
from watui.ledger.budget import Entry, entries
from watui.ledger.trail import Action, Kind, Outcome, Wish
from watui.text import counted

if TYPE_CHECKING:
    from watui.actions.actions import Actions

_Answer = TypeVar("_Answer")

WA_ID = re.compile(r"\d+", re.ASCII)
"""Digits alone may be a wa_id."""

DEFAULT_LIMIT = 50
"""Actions that are shown where nothing is said."""


def action_row(action: Action) -> ActionRow:
    """Return an action as other programs get it."""
    return ActionRow(
        at=iso(action.ended_at or action.sent_at or action.created_at),
        kind=action.kind,
        input=action.input,
        number=action.number,
        wa_id=action.wa_id,
        outcome=action.outcome,
        code=action.code,
        details=action.note,
        reason=action.reason,
        message_id=action.message_id,
        hash=action.hash,
        block=action.also_block if action.kind is Kind.REPORT else None,
        profile=action.profile,
        server=action.server,
        by=action.by,
        action_id=action.id,
        batch_id=action.batch_id,
        undoes=action.undoes,
    )


def _budget_row(entry: Entry) -> ActionRow:
    """Return what a person has entered into a budget as a row of the trail."""
    return ActionRow(
        at=iso(entry.at),
        kind=entry.kind,
        input="",
        number=None,
        wa_id=None,
        outcome=Outcome.DONE,
        details=f"{entry.number:,}, when {entry.calls:,} of {counted(entry.allowed, 'call')} were used",
        reason=None,
        message_id=None,
        hash=None,
        block=None,
        profile=entry.profile,
        server=entry.server,
        by=entry.by,
        undoes=None,
    )


@click.group(
    cls=Group,
    invoke_without_command=True,
    examples=[
        "watui actions --number +16315551000",
        "watui actions undo                   # the latest block or unblock",
        "watui actions decide 12 done         # a report whose answer was lost",
    ],
)
@click.option("--number", metavar="NUMBER", help="Only what was done to this contact.")
@option(
    "--limit",
    type=click.IntRange(1),
    default=DEFAULT_LIMIT,
    metavar="N",
    help=f"Print N at most. Default: {DEFAULT_LIMIT}.",
)
@target_options
@format_option
@hide_numbers_option
@click.pass_context
def actions(
    context: click.Context,
    number: str | None,
    limit: int,
    url: str | None,
    profile: str | None,
    region: str | None,
    format_: str | None,
) -> int:
    """Print the trail of changes of contacts, the newest first. Those made at other servers are in it."""
    if context.invoked_subcommand is not None:
        if any(option is not None for option in (number, url, profile, region, format_)):
            raise Stop(f"options go after the command: watui actions {context.invoked_subcommand} --url URL")
        return Exit.DONE
    where = find_where(url, profile, region)
    contact = _contact(number, where.target.region) if number is not None else None
    with where.open() as session:
        session.settle()
        reader = session.desk.reader
        found = [
            *map(action_row, trail.of_contact(reader, *contact)[:limit] if contact else trail.latest(reader, limit)),
            *map(_budget_row, [] if contact else entries(reader, limit)),
        ]
        found = sorted(found, key=lambda row: row.at or "", reverse=True)[:limit]
        print_rows(found, TRAIL, format_ or usual_format())
        nothing = "Nothing was changed yet." if contact is None else "Nothing was done to that contact from here."
        say(f"{counted(len(found), 'action')}, the newest first." if found else nothing)
    return Exit.DONE


@actions.command()
@click.argument("action", type=click.IntRange(1))
@click.argument("outcome", type=click.Choice([Outcome.DONE.value, Outcome.FAILED.value]))
@target_options
@hide_numbers_option
def decide(
    action: int, outcome: Literal["done", "failed"], url: str | None, profile: str | None, region: str | None
) -> int:
    """Say what became of the report ACTION, whose answer was lost. It was done, or it failed."""
    with find_where(url, profile, region).open() as session:
        session.settle()
        _require_undecided(session, action)
        by = session.ask(_who)
        session.runner.run(session.desk.ledger(trail.decide, action, Outcome(outcome), f"decided by {by}"))
        say(f"Action {action}: {outcome}, as you say.")
    return Exit.DONE


def _require_undecided(session: Session, action_id: int) -> None:
    found = next((each for each in trail.batch_of(session.desk.reader, action_id) if each.id == action_id), None)
    if found is None:
        raise Stop(f"there is no action {action_id}: 'watui actions' shows those that there are")
    if found.outcome in (Outcome.PLANNED, Outcome.SENT):
        raise Stop(f"action {action_id} has no outcome yet: wait for its end, or say --url or --profile of its server")
    if found.outcome is not Outcome.UNKNOWN:
        raise Stop(f"action {action_id} is {found.outcome}: only an unknown outcome is decided")
    if found.kind is not Kind.REPORT:
        raise Stop(f"action {action_id} is no report: its server says what became of it, 'watui actions' asks there")


async def _who(actions: Actions) -> str:
    return actions.place.by


def _contact(text: str, region: str) -> tuple[str | None, str | None]:
    """Return the number and the wa_id that `text` may be. Stops where it can be neither."""
    text = text.strip()
    number = read(text, region).number
    wa_id = text.removeprefix("+") if WA_ID.fullmatch(text.removeprefix("+")) else None
    if number is None and wa_id is None:
        raise Stop(f"'{text}' is no number: write it with + and country code")
    return number, wa_id


def told(actions: Sequence[Action], session: Session) -> Iterator[str]:
    """Yield what a person is to know of a batch that has ended: what did not happen and why, and the sum."""
    batch, wish, options = actions[0].batch_id, actions[0].wish, session.options
    ends = Counter((action.outcome, action.code, action.note or "") for action in actions)
    for (outcome, code, note), count in ends.most_common():
        times = f"{count:,} × " if len(actions) > 1 else ""
        match outcome:
            case Outcome.REFUSED:
                yield f"{times}Refused: {note.rstrip('.')}. {_explanation(wish, code, session.desk, actions)}".rstrip()
            case Outcome.UNKNOWN:
                yield f"{times}Unknown: {note.rstrip('.')}. {how_to_know(actions[0], options)}"
            case Outcome.FAILED:
                yield f"{times}Not done: {note.rstrip('.')}. 'watui actions again {batch}{options}' does it."
    counts = Counter(action.outcome for action in actions)
    can_undo = wish.kind in (Kind.BLOCK, Kind.UNBLOCK) and counts[Outcome.DONE]
    hint = f" 'watui actions undo {batch}{options}' takes it back." if can_undo else ""
    yield f"Batch {batch}: {words.summary(wish, counts)}.{hint}"


def _explanation(wish: Wish, code: int | None, desk: Desk, actions: Sequence[Action]) -> str:
    explained = words.explain(wish, code) or ""
    if code != errors.NOT_ENGAGED or not desk.is_simulator:
        return explained
    number = shlex.quote(actions[0].number or actions[0].input) if len(actions) == 1 else "NUMBER"
    return f"{explained} 'watui simulator inbound {number}' lets it write to you."
