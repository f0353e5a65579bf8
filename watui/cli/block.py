"""`watui block`, `unblock`, `report`, `actions undo` and `again`: every change is planned, confirmed, made and told."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from watui.actions import plans, words
from watui.cli.change import Drawn, How, change, require_consent
from watui.cli.exits import Exit, Stop
from watui.cli.given import say_column
from watui.cli.help import Command, Decorated
from watui.cli.options import FILE, har_option, hide_numbers_option, refuse_output, target_options
from watui.cli.rows import format_option, usual_format
from watui.cli.session import Session, Where, find_where
from watui.cli.trail import actions
from watui.contract.rules import MAX_REASON
from watui.intake.entries import Entry, open_entries, single
from watui.intake.problems import BadSource
from watui.intake.sources import source_name
from watui.ledger import trail
from watui.ledger.trail import Kind, Wish

if TYPE_CHECKING:
    from watui.actions.actions import Actions, Progress
    from watui.actions.plans import Plan


class Named(NamedTuple):
    """The contacts that a command line names."""

    numbers: Sequence[str]
    source: str | None = None
    column: str | None = None


def change_options(command: Decorated) -> Decorated:
    """Give a command the options that make its `where` and its `how`."""

    @target_options
    @click.option("--yes", is_flag=True, help="Do not ask. Needed where there is no terminal.")
    @click.option("--dry-run", is_flag=True, help="Print what would be sent; send nothing and write nothing down.")
    @format_option
    @har_option
    @hide_numbers_option
    @functools.wraps(command)
    def folded(
        url: str | None,
        profile: str | None,
        region: str | None,
        yes: bool,
        dry_run: bool,
        format_: str | None,
        har: Path | None,
        **rest: Any,
    ) -> Any:
        how = How(yes, dry_run, format_ or usual_format())
        return command(where=find_where(url, profile, region, har), how=how, **rest)

    return folded  # type: ignore[return-value]


def list_options(command: Decorated) -> Decorated:
    """Give a command the argument and the options that make its `named`."""

    @click.argument("numbers", nargs=-1, metavar="[NUMBER…]")
    @click.option(
        "--from", "source", type=FILE, metavar="FILE", help="Read numbers from FILE too; - is standard input."
    )
    @click.option("--column", metavar="NAME", help="Column in FILE: header, or a number from 1. Else it is found.")
    @functools.wraps(command)
    def folded(numbers: Sequence[str], source: str | None, column: str | None, **rest: Any) -> Any:
        if not numbers and source is None:
            raise Stop("nobody is named: give a NUMBER, or a list with --from FILE")
        if column is not None and source is None:
            raise Stop("--column is one of the list: name that with --from FILE")
        return command(named=Named(numbers, source, column), **rest)

    return folded  # type: ignore[return-value]


reason_option = click.option("--reason", default="", metavar="R", help=f"Why, in at most {MAX_REASON} characters.")


@click.command(
    cls=Command,
    examples=[
        "watui block +16315551000 --reason spam",
        "watui block --from abusers.csv --dry-run     # who would be blocked?",
    ],
)
@list_options
@reason_option
@change_options
def block(named: Named, reason: str, where: Where, how: How) -> int:
    """Block contacts. Only who has written to you within the last 24 hours can be blocked."""
    return _change_named(Wish(Kind.BLOCK, _reason(reason)), named, where, how)


@click.command(
    cls=Command,
    examples=[
        "watui unblock +16315551000",
        "watui unblock --from abusers.csv --yes --format csv",
    ],
)
@list_options
@change_options
def unblock(named: Named, where: Where, how: How) -> int:
    """Unblock contacts. They are named by number or, as on the blocklist, by wa_id."""
    return _change_named(Wish(Kind.UNBLOCK), named, where, how)


@click.command(
    cls=Command,
    examples=[
        "watui report +16315551000 --message-id ABEGkZBiMxAh --reason spam",
        "watui report +16315551000 --block",
    ],
)
@click.argument("number")
@reason_option
@click.option("--message-id", metavar="ID", help="The message to report. Without it the last five go to WhatsApp.")
@click.option("--block", "also_block", is_flag=True, help="Block the contact as well.")
@change_options
def report(number: str, reason: str, message_id: str | None, also_block: bool, where: Where, how: How) -> int:
    """Report a contact to WhatsApp, which gets messages of the chat. That can't be taken back."""
    if message_id is not None and not message_id.strip():
        raise Stop("--message-id is empty: leave it out to hand over the last messages of the chat")
    message_id = sendable(message_id, "the message id") if message_id is not None else None
    wish = Wish(Kind.REPORT, _reason(reason), message_id, also_block=also_block)
    return _change_named(wish, Named([number]), where, how)


@actions.command()
@click.argument("batch", type=click.IntRange(1), required=False)
@change_options
def undo(batch: int | None, where: Where, how: How) -> int:
    """Take back what BATCH blocked or unblocked. Without BATCH, that is the latest at this server."""

    def draw_up(session: Session, progress: Progress) -> Drawn:
        found = batch or trail.latest_batch(session.desk.reader, session.desk.server_id)
        if found is None:
            raise Stop(f"nothing was blocked or unblocked at {session.desk.profile} that is not taken back already")
        return _drawn_from(session, found, lambda actions: actions.plan_undo(found, progress))

    return change(where, how, draw_up)


@actions.command()
@click.argument("batch", type=click.IntRange(1))
@change_options
def again(batch: int, where: Where, how: How) -> int:
    """Do what of BATCH did not happen. That is what was never sent, or was found not to be done."""

    def draw_up(session: Session, progress: Progress) -> Drawn:
        return _drawn_from(session, batch, lambda actions: actions.plan_again(batch, progress))

    return change(where, how, draw_up)


def sendable(text: str, name: str) -> str:
    """Return `text` without blanks around it. Stops where it is no text that can be sent."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Stop(f"{name} holds bytes that are no text in your terminal's encoding: type it again") from error
    return text.strip()


def _change_named(wish: Wish, named: Named, where: Where, how: How) -> Exit:
    require_consent(where, how)
    if where.har is not None and named.source is not None:
        refuse_output(where.har, [named.source])
    targets = _targets(wish.kind, named, where.target.region)

    def draw_up(session: Session, progress: Progress) -> Drawn:
        return Drawn(session.ask(lambda actions: actions.plan(wish, targets, progress)))

    return change(where, how, draw_up)


def _targets(kind: Kind, named: Named, region: str) -> list[plans.Target]:
    """Return the contacts that are named. Stops where a list can't be read, or nobody in it is a contact."""
    rows = [single(line, text) for line, text in enumerate(named.numbers, 1)]
    if named.source is not None:
        try:
            with open_entries(named.source, named.column) as source:
                say_column(source_name(named.source), source.layout)
                rows += source.rows
        except BadSource as error:
            raise Stop(str(error)) from error
    entries = [row for row in rows if isinstance(row, Entry)]
    problems = Counter(entry.problem for entry in entries)
    if len(entries) == problems[None] == 0:
        raise Stop(f"nobody to {kind}: there is no number in what is given")
    if not problems[None]:
        hint = "" if named.source is not None else "; a list of numbers is read with --from FILE"
        what = f"'{entries[0].input}'" if len(entries) == 1 else "these"
        reasons = ", ".join(f"{count:,} × {problem}" for problem, count in problems.most_common())
        raise Stop(f"cannot {kind} {what}: {entries[0].problem if len(entries) == 1 else reasons}{hint}")
    return [plans.target_of(entry, region) for entry in entries]


def _drawn_from(session: Session, batch_id: int, draw_up: Callable[[Actions], Coroutine[Any, Any, Plan]]) -> Drawn:
    """Return a plan that begins with an earlier batch. Stops where there is none."""
    try:
        return Drawn(session.ask(draw_up), batch_id)
    except ValueError as error:
        raise Stop(str(error)) from error


def _reason(text: str) -> str | None:
    reason = sendable(text, "the reason")
    if (problem := words.reason_problem(reason)) is not None:
        raise Stop(f"the reason is {problem}")
    return reason or None
