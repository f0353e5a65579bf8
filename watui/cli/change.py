"""One change of contacts on the command line: planned, confirmed, carried out, told."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from watui.actions import plans, words
from watui.cli.asking import PROGRESS_SECONDS
from watui.cli.exits import Exit, Stop
from watui.cli.rows import print_rows
from watui.cli.session import Session, Where, code_of, in_words
from watui.cli.talk import ProgressLine, ask, can_ask, is_confirmed, say
from watui.cli.trail import action_row, told
from watui.client.failures import Failure
from watui.export.rows import ActionRow, iso
from watui.export.table import CHANGES, minute
from watui.ledger import trail
from watui.ledger.schema import LedgerUnusable
from watui.ledger.trail import Action, Kind, NewAction, Outcome
from watui.text import counted

if TYPE_CHECKING:
    from watui.actions.actions import Progress
    from watui.actions.batch import Batch
    from watui.actions.plans import Plan
    from watui.client.blocklist import Part

MOST_WITHOUT_COUNT = 10
"""Contacts that a plain yes confirms; for more, their number is typed."""

_WHOLE = (Outcome.DONE, Outcome.UNCHANGED)
_LEFT_OUT_RIGHTLY = (plans.TWICE, plans.CHANGED_SINCE)

DrawUp = Callable[[Session, "Progress"], "Drawn"]


class Drawn(NamedTuple):
    """A plan that nobody has seen yet."""

    plan: Plan
    origin: int | None = None
    """The batch that it begins with."""


class How(NamedTuple):
    """How a change is made."""

    yes: bool
    dry_run: bool
    format: str


def require_consent(where: Where, how: How) -> None:
    """Stop where nothing may be changed, or where nobody can be asked whether it shall be."""
    if how.dry_run:
        return
    if where.target.read_only:
        raise Stop(words.read_only(where.target.profile))
    if not how.yes and not can_ask():
        raise Stop("there is no terminal at which to confirm that: add --yes, or look first with --dry-run")


def change(where: Where, how: How, draw_up: DrawUp) -> Exit:
    """Ask whether the plan that `draw_up` returns is wanted, carry it out, and print what came of it."""
    require_consent(where, how)
    with where.open() as session:
        try:
            planned = prepare(session, draw_up)
            is_wanted = bool(planned.plan.to_send) and not how.dry_run
            if is_wanted and not how.yes and not planned.is_confirmed():
                say("Nothing was sent.")
                return Exit.UNFINISHED
        except KeyboardInterrupt as interrupt:
            raise Stop("interrupted: nothing was sent", Exit.INTERRUPTED) from interrupt
        if is_wanted:
            planned.carry_out()
        print_rows(planned.rows(), CHANGES, how.format)
        return Exit.DONE if how.dry_run else planned.tell()


def prepare(session: Session, draw_up: DrawUp) -> Change:
    """Settle what was cut short before, plan, and say what is planned."""
    session.settle()
    line = ProgressLine()

    def progress(part: Part) -> None:
        if sys.stderr.isatty():
            line.show(f"Reading the blocklist: {part.known:,} of {part.total:,}")

    try:
        planned = Change(session, *draw_up(session, progress))
    except Failure as failure:
        raise Stop(f"{in_words(failure)}. Nothing was sent", code_of(failure)) from failure
    finally:
        line.clear()
    planned.announce()
    return planned


class Change:
    """A plan on its way: announced, confirmed, carried out, told."""

    def __init__(self, session: Session, plan: Plan, origin: int | None) -> None:
        self.plan = plan
        self._origin = origin
        self._session = session
        self._desk = session.desk
        self._actions: list[Action] = []
        """As they stand once it is carried out."""
        self._failure: Failure | None = None
        """What stopped it."""
        self._is_interrupted = False

    def announce(self) -> None:
        """Say what is going to happen, and what of it can't be had back."""
        wish, planned = self.plan.wish, self.plan.actions
        if self._origin is not None:
            say(self._what_it_was(self._origin))
        if not planned:
            say("There is nothing to do.")
        elif len(planned) == 1 and planned[0].note is not None:
            say(f"{_name(planned[0])} {planned[0].note}.")
        else:
            said = words.planned(wish.kind, len(self.plan.to_send), self.plan.notes())
            say(f"At {self._desk.profile}: {said}.")
        if self.plan.to_send and wish.kind is Kind.UNBLOCK:
            say(self._cannot_block_again())
        if self.plan.to_send and wish.kind is Kind.REPORT:
            say(f"{words.what_leaves(wish.message_id or '')} {words.NO_UNDO}")

    def is_confirmed(self) -> bool:
        """Ask the person."""
        wish, contacts = self.plan.wish, self.plan.to_send
        verb = f"{wish.kind} and block" if wish.also_block else str(wish.kind)
        who = _name(contacts[0]) if len(contacts) == 1 else counted(len(contacts), "contact")
        question = f"{verb.capitalize()} {who} at {self._desk.profile}?"
        if len(contacts) > MOST_WITHOUT_COUNT:
            return ask(f"{question} Type {len(contacts)} to {verb} them: ") == str(len(contacts))
        return is_confirmed(question)

    def carry_out(self) -> None:
        """Send it, until all is sent, something stops it, or ctrl+c does."""
        batch = self._session.ask(lambda actions: actions.begin(self.plan))
        try:
            self._drive(batch)
            self._actions = trail.batch_of(self._desk.reader, batch.steps[0].id)
        except LedgerUnusable as error:
            hint = f"'watui actions{self._session.options}' finds out what was done"
            raise Stop(f"{error}. Nothing more is sent; {hint}", Exit.UNFINISHED) from error

    def rows(self) -> Iterator[ActionRow]:
        """Yield how every contact stands, in the order in which they were named."""
        if self._actions:
            return map(action_row, self._actions)
        return (self._planned_row(action) for action in self.plan.actions)

    def tell(self) -> Exit:
        """Say what came of it, and return how the command ends."""
        for sentence in told(self._actions, self._session) if self._actions else ():
            say(sentence)
        if self._failure is not None:
            say(f"watui: {in_words(self._failure)}.")
        if self._is_interrupted:
            say("Interrupted: nothing more is sent.")
            return Exit.INTERRUPTED
        return self._code()

    def _what_it_was(self, batch_id: int) -> str:
        found = trail.batch(self._desk.reader, batch_id)
        sum_ = words.summary(found[0].wish, Counter(action.outcome for action in found))
        return f"Batch {batch_id}, {minute(iso(found[0].created_at))} UTC, by {found[0].by}: {sum_}."

    def _cannot_block_again(self) -> str:
        """Return who of those that are unblocked could not be blocked again, as far as that can be known."""
        contacts = [action.target for action in self.plan.to_send]
        known = self._session.runner.run(self._desk.contacts_backstage(contacts))
        silent = sum(not contact.is_engaged for contact in known)
        if silent == 0:
            return words.CANNOT_BLOCK_AGAIN
        who = f"{silent:,} of these {len(known):,}" if len(known) > 1 else _name(self.plan.to_send[0])
        return f"{words.CANNOT_BLOCK_AGAIN} {who} could not."

    def _drive(self, batch: Batch) -> None:
        try:
            self._failure = self._session.runner.run(_driven(batch))
        except KeyboardInterrupt:
            self._is_interrupted = True
            self._session.runner.run(batch.give_up())

    def _planned_row(self, action: NewAction) -> ActionRow:
        wish = self.plan.wish
        return ActionRow(
            kind=wish.kind,
            input=action.input,
            number=action.number,
            wa_id=action.wa_id,
            outcome=action.outcome,
            details=action.note,
            reason=wish.reason,
            message_id=wish.message_id,
            hash=wish.hash,
            block=wish.also_block if wish.kind is Kind.REPORT else None,
            profile=self._desk.profile,
            server=self._desk.server_id,
            undoes=wish.undoes,
        )

    def _code(self) -> Exit:
        ends = self._actions or self.plan.actions
        outcomes = Counter(end.outcome for end in ends)
        has_come_to_something = any(outcomes[each] for each in (Outcome.DONE, Outcome.REFUSED, Outcome.UNKNOWN))
        if self._failure is not None and not has_come_to_something:
            return code_of(self._failure)
        if len(ends) == 1 and outcomes[Outcome.REFUSED]:
            return Exit.REFUSED
        is_whole = all(
            end.outcome in _WHOLE or (end.outcome is Outcome.LEFT_OUT and end.note in _LEFT_OUT_RIGHTLY) for end in ends
        )
        return Exit.DONE if is_whole else Exit.UNFINISHED


async def _driven(batch: Batch) -> Failure | None:
    """Carry out a batch as far as that goes, showing how far it is; return the failure that stopped it."""
    progress = asyncio.create_task(_show_progress(batch)) if sys.stderr.isatty() else None
    try:
        await batch.drive(stop_on_failure=True)
    except Failure as failure:
        await batch.give_up()
        return failure
    finally:
        if progress is not None:
            progress.cancel()
            await asyncio.gather(progress, return_exceptions=True)
    return None


async def _show_progress(batch: Batch) -> None:
    line, total = ProgressLine(), batch.counts[Outcome.PLANNED]
    try:
        while True:
            counts = batch.counts
            left = counts[Outcome.PLANNED] + counts[Outcome.SENT]
            waiting = batch.waiting
            why = f"; {waiting.words}" if waiting else ""
            line.show(f"{total - left:,} of {counted(total, 'contact')}{why}")
            await asyncio.sleep(PROGRESS_SECONDS)
    finally:
        line.clear()


def _name(action: NewAction) -> str:
    return action.number or action.input
