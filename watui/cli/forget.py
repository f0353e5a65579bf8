"""`watui runs forget` and `watui backup`: what is deleted from the ledger for good, and copies of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import click

from watui.cli.deleting import DeletionLine
from watui.cli.exits import Exit, Stop
from watui.cli.help import Command, option
from watui.cli.options import suggesting
from watui.cli.talk import can_ask, is_confirmed, say
from watui.cli.target import find_region, find_settings
from watui.contract.conversion import read
from watui.files import CannotWrite
from watui.ledger import schema, upkeep
from watui.ledger.drivers import Driven
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.schema import LedgerUnusable
from watui.ledger.upkeep import DAY_SECONDS, Deletion, Forgotten
from watui.settings.paths import Paths, find_paths
from watui.settings.settings import SIMULATOR
from watui.text import counted


@click.command(
    cls=Command,
    examples=[
        "watui runs forget 5 6",
        "watui runs forget --number +16315551000",
        "watui runs forget --older-than 90 --yes",
    ],
)
@click.argument("run_ids", nargs=-1, type=click.IntRange(1), metavar="[ID]…", shell_complete=suggesting("runs"))
@click.option("--number", "numbers", multiple=True, metavar="N", help="Forget this number, in runs and trail.")
@option("--older-than", type=click.FloatRange(0), metavar="DAYS", help="Forget what ended, and drafts, before that.")
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
    with _refusing(), closing(Reader(paths.ledger)) as reader:
        in_simulator = any(reader.run(run_id).options.server == SIMULATOR for run_id in run_ids)
    if not yes:
        _confirm(run_ids, known, older_than)
    done, is_clean, line = Forgotten(), True, DeletionLine()
    try:
        with _refusing():
            for found in _forgotten(paths, run_ids, known, older_than, line):
                done = Forgotten(*map(sum, zip(done, found, strict=True)))
    finally:
        if any(done):
            with _refusing():
                line.show(Deletion(0, 1.0))
                is_clean = upkeep.erase_traces(paths.ledger)
        line.clear()
        _say_forgotten(done, known)
    if not is_clean:
        say("Another process has the ledger open: its files hold traces until 'watui runs forget' is said once more.")
    if in_simulator or _is_in_world(paths, known):
        say("The embedded simulator's world keeps what it was asked: 'watui simulator reset' empties it.")
    for copy in schema.kept_copies(paths.ledger):
        say(f"{copy}, a copy from before an update, holds what the ledger held then: delete it when you can.")
    return Exit.DONE if is_clean else Exit.UNFINISHED


@click.command(
    cls=Command,
    examples=[
        "watui backup ledger-copy.sqlite3",
    ],
)
@click.argument("path", type=click.Path(path_type=Path))
def backup(path: Path) -> int:
    """Copy the ledger to the new file PATH. Others may write into it meanwhile."""
    with _refusing():
        upkeep.backup(find_paths().ledger, path)
    say(f"The ledger is copied to {path}. Put it in its place as {find_paths().ledger} while no watui runs.")
    return Exit.DONE


def _forgotten(
    paths: Paths, run_ids: Sequence[int], numbers: Sequence[str], older_than: float | None, line: DeletionLine
) -> Iterator[Forgotten]:
    """Forget one after the other, and yield how much that was each time."""
    with closing(Ledger(paths.ledger)) as ledger, closing(Reader(paths.ledger)) as reader:
        for run_id in dict.fromkeys(run_ids):
            upkeep.forget_run(ledger, paths.locks, run_id, line.show)
            yield Forgotten(runs=1)
        for number in numbers:
            line.look_for(number)
            yield upkeep.forget_number(ledger, paths.locks, number, reader.wa_ids(number), _read_number)
        if older_than is not None:
            yield upkeep.forget_older(ledger, time.time() - older_than * DAY_SECONDS, line.show)


def _say_forgotten(done: Forgotten, numbers: Sequence[str]) -> None:
    parts = [counted(count, noun) for count, noun in zip(done, ("run", "row", "action"), strict=True) if count]
    nothing = f"nothing, for nothing was known of {', '.join(numbers)}" if numbers else "nothing"
    say(f"Forgotten: {', '.join(parts) or nothing}.")


def _is_in_world(paths: Paths, numbers: Sequence[str]) -> bool:
    """Whether the embedded simulator has been asked about one of the numbers."""
    from watui.simulator.embedded import WORLD

    try:
        world = (paths.simulator / WORLD).read_text("utf-8")
    except OSError:
        return False
    return any(number.removeprefix("+") in world for number in numbers)


def _read_number(text: str, region: str) -> str | None:
    return read(text, region).number


def _number(text: str, region: str) -> str:
    number = read(text, region).number or text.strip()
    if not any(character.isdigit() for character in number):
        raise Stop(f"{text!r} is no number")
    return number


def _confirm(run_ids: Sequence[int], numbers: Sequence[str], older_than: float | None) -> None:
    if not can_ask():
        raise Stop("there is no terminal at which to confirm that: add --yes")
    what = [f"run {run_id}" for run_id in run_ids] + [f"all that is known of {number}" for number in numbers]
    if older_than is not None:
        what.append(f"all runs and changes that ended, and drafts added, more than {older_than:g} days ago")
    if not is_confirmed(f"Forget {', '.join(what)}? Nothing of it is kept."):
        raise Stop("nothing was forgotten", Exit.UNFINISHED)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except (CannotWrite, Driven, LedgerUnusable) as error:
        raise Stop(str(error)) from error
