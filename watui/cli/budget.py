"""`watui budget`: calls of checks against messages sent."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path

import click

from watui.checks.budget import MOST_AT_ONCE, POLICY, count_of, meter
from watui.cli.exits import Exit, Stop
from watui.cli.help import Group
from watui.cli.options import target_options
from watui.cli.rows import format_option, print_rows, usual_format
from watui.cli.session import Session, find_where
from watui.cli.talk import say
from watui.export.rows import BudgetRow
from watui.export.table import BUDGETS
from watui.ledger.budget import EntryKind, NeverEntered, add_messages, set_days, take_back
from watui.ledger.ledger import Ledger
from watui.text import counted

_HELP = f"""Say how the calls of checks stand against the messages sent.

    {POLICY}

    Profiles with budget = true are held to that. A call is a request of a check, polls included. Each is counted in
    the ledger before it is sent, whether the server gets it or not; where none is left, nothing more is asked. It is
    a running total since the budget began, by no calendar. The budget belongs to the server's number: all profiles
    and processes that ask the same URL share it.
    """


@click.group(
    cls=Group,
    invoke_without_command=True,
    help=_HELP,
    examples=[
        "watui budget --profile shop",
        "watui budget add 500 --profile shop",
        "watui budget take-back 450 --profile shop",
        "watui budget import sent.csv --profile shop",
    ],
)
@target_options
@format_option
@click.pass_context
def budget(
    context: click.Context, url: str | None, profile: str | None, region: str | None, format_: str | None
) -> int:
    if context.invoked_subcommand is not None:
        if any(option is not None for option in (url, profile, region, format_)):
            raise Stop(f"options go after the command: watui budget {context.invoked_subcommand} --profile NAME")
        return Exit.DONE
    with find_where(url, profile, region).open() as session:
        desk, found = session.desk, session.desk.budget
        stands = (found.messages, found.over, found.calls, found.left) if found else (None,) * 4
        print_rows([BudgetRow(desk.profile, desk.server_id, *stands)], BUDGETS, format_ or usual_format())
        if found is None:
            say(f"{desk.profile} has no budget: its calls are not counted.")
    return Exit.DONE


@budget.command()
@click.argument("messages", type=click.IntRange(1, MOST_AT_ONCE))
@target_options
def add(messages: int, url: str | None, profile: str | None, region: str | None) -> int:
    """Enter that so many MESSAGES were sent. They come to those that were entered before."""
    with find_where(url, profile, region).open() as session:
        _enter(session, lambda ledger: add_messages(ledger, session.desk.place, messages))
    return Exit.DONE


@budget.command("take-back")
@click.argument("number", type=click.IntRange(1, MOST_AT_ONCE))
@click.option("--over", is_flag=True, help="Take back calls that were allowed over the budget, and not messages.")
@target_options
def correct(number: int, over: bool, url: str | None, profile: str | None, region: str | None) -> int:
    """Take back a NUMBER of messages that were entered by mistake. The trail keeps both.

    A day that was imported is corrected by importing it again.
    """
    kind = EntryKind.OVER if over else EntryKind.MESSAGES
    with find_where(url, profile, region).open() as session:
        try:
            _enter(session, lambda ledger: take_back(ledger, session.desk.place, kind, number))
        except NeverEntered as error:
            day = "" if over else " by hand. To correct a day, import it again"
            raise Stop(f"{error}{day}") from error
    return Exit.DONE


@budget.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@target_options
def import_(file: Path, url: str | None, profile: str | None, region: str | None) -> int:
    """Enter the messages that FILE tells of.

    It is a CSV file with a day (2026-01-31) and a count in each row. A day that was entered before is
    replaced, so the same file may be given again.
    """
    days = _days(file)
    with find_where(url, profile, region).open() as session:
        _enter(session, lambda ledger: set_days(ledger, session.desk.place, days))
        say(f"{counted(sum(days.values()), 'message')} on {counted(len(days), 'date')}.")
    return Exit.DONE


def _enter(session: Session, work: Callable[[Ledger], None]) -> None:
    """Let `work` change the budget, and say how that stands. Stops where there is none."""
    desk = session.desk
    if desk.budget is None:
        raise Stop(f"{desk.profile} has no budget: 'watui profiles add NAME --replace --budget' gives a profile one")
    session.runner.run(desk.ledger(work))
    desk.look_at_budget()
    say(f"{desk.profile}: {meter(desk.budget)}.")


def _days(path: Path) -> dict[str, int]:
    """Return the messages of each day in a file; a first row without a digit is its header. Stops where it can't be."""
    days: dict[str, int] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for place, row in enumerate(csv.reader(file), 1):
                found = _day(row)
                if found is not None:
                    days[found[0]] = days.get(found[0], 0) + found[1]
                elif any(map(str.isdigit, "".join(row))) or (place > 1 and "".join(row).strip()):
                    wanted = f"a day such as 2026-01-31, and a count up to {MOST_AT_ONCE:,}"
                    raise Stop(f"{path} row {place}: {wanted}, are wanted")
    except (OSError, UnicodeError, csv.Error) as error:
        raise Stop(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    if not days:
        raise Stop(f"{path} holds no days with counts")
    return days


def _day(row: list[str]) -> tuple[str, int] | None:
    """Return the day of a row and its count; None where it has not just these."""
    try:
        day, count = row
        number = count_of(count)
        return (date.fromisoformat(day.strip()).isoformat(), number) if number is not None else None
    except ValueError:
        return None
