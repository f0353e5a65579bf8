"""`watui runs forget` and `watui backup`: what is deleted from the ledger for good, and copies of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from watui.cli.exits import Exit, Stop
from watui.cli.talk import say
from watui.cli.target import find_region, find_settings
from watui.contract.conversion import read
from watui.desk import DAY_SECONDS
from watui.files import CannotWrite
from watui.ledger import schema, upkeep
from watui.ledger.drivers import Driven
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.schema import LedgerUnusable
from watui.ledger.upkeep import Forgotten
from watui.settings.paths import Paths, find_paths
from watui.text import counted


@click.command()
@click.argument("run_ids", nargs=-1, type=click.IntRange(1), metavar="[ID]…")
@click.option("--number", "numbers", multiple=True, metavar="N", help="Forget this number, in runs and trail.")
@click.option("--older-than", type=click.FloatRange(0), metavar="DAYS", help="Forget what ended before that.")
@click.option("--region", metavar="CC", help="Country of numbers that are written without a +.")
@click.option("--yes", is_flag=True, help="Don't ask.")
def forget(
    run_ids: Sequence[int], numbers: Sequence[str], older_than: float | None, region: str | None, yes: bool
) -> int:
    """Delete runs, numbers, or all that is old, with all traces."""
    if not run_ids and not numbers and older_than is None:
        raise Stop("what is to be forgotten? Name a run ID, --number N or --older-than DAYS")
    paths = find_paths()
    known = [_number(text, find_region(region or find_settings(paths).region)) for text in numbers]
    if not yes:
        _confirm(run_ids, known, older_than)
    with _refusing():
        done = _forget(paths, run_ids, known, older_than)
        is_clean = upkeep.erase_traces(paths.ledger)
    parts = (
        counted(done.runs, "run") if done.runs or run_ids else "",
        counted(done.rows, "row") if done.rows or known else "",
        counted(done.actions, "action") if done.actions else "",
    )
    say(f"Forgotten: {', '.join(part for part in parts if part) or 'nothing'}.")
    if not is_clean:
        say("Another process has the ledger open: its files hold traces until 'watui runs forget' is said once more.")
    for copy in schema.kept_copies(paths.ledger):
        say(f"{copy}, a copy from before an update, holds what the ledger held then: delete it when you can.")
    return Exit.DONE if is_clean else Exit.UNFINISHED


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
def backup(path: Path) -> int:
    """Copy the ledger to the new file PATH, also while others write into it."""
    with _refusing():
        upkeep.backup(find_paths().ledger, path)
    say(f"The ledger is copied to {path}. Put it in its place as {find_paths().ledger} while no watui runs.")
    return Exit.DONE


def _forget(paths: Paths, run_ids: Sequence[int], numbers: Sequence[str], older_than: float | None) -> Forgotten:
    ledger, reader = Ledger(paths.ledger), Reader(paths.ledger)
    try:
        runs = rows = actions = 0
        for run_id in run_ids:
            upkeep.forget_run(ledger, paths.locks, run_id)
            runs += 1
        for number in numbers:
            found = upkeep.forget_number(ledger, paths.locks, number, reader.wa_ids(number), _read_number)
            rows, actions = rows + found.rows, actions + found.actions
        if older_than is not None:
            found = upkeep.forget_older(ledger, time.time() - older_than * DAY_SECONDS)
            runs, actions = runs + found.runs, actions + found.actions
        return Forgotten(runs, rows, actions)
    finally:
        reader.close()
        ledger.close()


def _read_number(text: str, region: str) -> str | None:
    return read(text, region).number


def _number(text: str, region: str) -> str:
    return read(text, region).number or text.strip()


def _confirm(run_ids: Sequence[int], numbers: Sequence[str], older_than: float | None) -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Stop("there is no terminal at which to confirm that: add --yes")
    what = [f"run {run_id}" for run_id in run_ids] + [f"all that is known of {number}" for number in numbers]
    if older_than is not None:
        what.append(f"all runs and changes that ended more than {older_than:g} days ago")
    if not click.confirm(f"Forget {', '.join(what)}? Nothing of it is kept", err=True):
        raise Stop("nothing was forgotten", Exit.UNFINISHED)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except (CannotWrite, Driven, LedgerUnusable) as error:
        raise Stop(str(error)) from error
