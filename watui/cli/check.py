"""`watui check`: a list from file to verdicts without a console."""

from __future__ import annotations

import asyncio
import math
import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
import msgspec

from watui.checks.pace import Pace
from watui.cli.exits import Exit, ReaderGone, Stop
from watui.cli.given import Given, import_all, say_summary
from watui.cli.talk import ProgressLine, say
from watui.cli.target import Target, find_settings, find_target, target_options
from watui.client.exchanges import Exchange
from watui.client.failures import Failure, Refused
from watui.contract.models import BLOCKING_MODES, Blocking
from watui.contract.rules import MAX_BATCH_SIZE
from watui.contract.statuses import FINAL, Status, explain
from watui.desk import Desk, result_row
from watui.export.rows import ResultRow, json_line
from watui.export.table import RESULTS, Layout, formatted
from watui.files import CannotWrite, write_whole
from watui.intake.sources import STDIN
from watui.ledger.rows import QUEUED, REJECTED, RowFilter, RunOptions, RunRecord
from watui.ledger.schema import LedgerUnusable
from watui.settings.paths import Paths, find_paths
from watui.text import clean, counted

if TYPE_CHECKING:
    from watui.checks.run import Run

UNATTENDED_SECONDS = 300.0
"""How long a run may take where nobody watches it."""

PROGRESS_SECONDS = 0.2

FORMATS = ("table", "jsonl", "csv")

_Row = TypeVar("_Row", bound=msgspec.Struct)


@dataclass(frozen=True)
class Wanted:
    """What a command line asks for, beside what to check and where."""

    format: str
    output: Path | None
    give_up_after: float | None
    follow: bool
    trace: bool


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE…|-]")
@click.option("--number", "numbers", multiple=True, metavar="N", help="Check this number; may be given several times.")
@click.option("--sample", is_flag=True, help="Check the sample numbers (simulator only).")
@target_options
@click.option("--column", metavar="NAME", help="Column of the numbers: header, or a number from 1. Else it is found.")
@click.option("--blocking", type=click.Choice(BLOCKING_MODES), help="Poll (no_wait, the default), or wait for answers.")
@click.option("--force-check", is_flag=True, help="Ask past the server's cache of seven days.")
@click.option("--batch-size", type=click.IntRange(1, MAX_BATCH_SIZE), metavar="N", help="Numbers in one request.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    help="Default: by --output; a table on a terminal; jsonl.",
)
@click.option("--output", type=click.Path(path_type=Path), metavar="PATH", help="Write the rows there, or nothing.")
@click.option("--skip-doubtful", is_flag=True, help="Reject what is no valid number instead of asking.")
@click.option(
    "--give-up-after",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help=f"Stop asking then. Default: {UNATTENDED_SECONDS:g} without a terminal, never on one.",
)
@click.option("--follow", is_flag=True, help="Print a JSON line whenever a status changes.")
@click.option("--trace", is_flag=True, help="Show every request and answer on stderr, without the token.")
@click.option("--dry-run", is_flag=True, help="Read and convert, say what would be asked, and ask nothing.")
def check(
    files: Sequence[str],
    numbers: Sequence[str],
    sample: bool,
    url: str | None,
    profile: str | None,
    region: str | None,
    column: str | None,
    blocking: Blocking | None,
    force_check: bool,
    batch_size: int | None,
    format_: str | None,
    output: Path | None,
    skip_doubtful: bool,
    give_up_after: float | None,
    follow: bool,
    trace: bool,
    dry_run: bool,
) -> int:
    """Check the numbers in FILEs (.txt, .csv, .tsv; - is standard input) and print a row for each."""
    given = Given(files, numbers, sample, column, skip_doubtful)
    wanted = Wanted(format_ or usual_format(output), output, give_up_after, follow, trace)
    _refuse_contradictions(given, wanted, format_)
    paths = find_paths()
    settings = find_settings(paths)
    target = find_target(settings, url, profile, region)
    server = target.server
    if sample and server is not None:
        raise Stop("sample numbers are for the simulator only: leave out --sample, or say --profile simulator")
    options = RunOptions(
        target.server_id,
        target.region,
        blocking or settings.blocking,
        force_check,
        batch_size or settings.batch_size,
    )
    try:
        record, found = import_all(paths, given, options)
    except LedgerUnusable as error:
        raise Stop(str(error)) from error
    say_summary(record, found, server)
    if dry_run:
        say(f"Dry run: nothing was asked. The list is kept as draft {record.id}.")
        return Exit.DONE
    try:
        return asyncio.run(_check(wanted, record, paths, target))
    except BrokenPipeError as error:
        raise ReaderGone from error
    except (LedgerUnusable, CannotWrite, OSError) as error:
        raise Stop(f"{error}. What was answered by then is kept as run {record.id}.", Exit.UNFINISHED) from error


def _refuse_contradictions(given: Given, wanted: Wanted, format_: str | None) -> None:
    if not given.files and not given.numbers and not given.sample:
        raise Stop("nothing to check: name a FILE, - for standard input, --number N or --sample")
    if wanted.follow and format_ not in (None, "jsonl"):
        raise Stop("--follow prints JSON lines: leave out --format, or say --format jsonl")
    if wanted.give_up_after is not None and not math.isfinite(wanted.give_up_after):
        raise Stop("--give-up-after takes a number of seconds")
    if wanted.output is not None:
        _refuse_output(wanted.output, given.files)


def usual_format(output: Path | None = None) -> str:
    """Return the format that the ending of a file asks for, else what suits where the rows go."""
    if output is not None:
        return "csv" if output.suffix.lower() == ".csv" else "jsonl"
    return "table" if sys.stdout.isatty() else "jsonl"


def _refuse_output(path: Path, files: Sequence[str]) -> None:
    try:
        if any(name != STDIN and Path(name).exists() and path.exists() and path.samefile(name) for name in files):
            raise Stop(f"cannot write {path}: the numbers are read from it")
        if not path.parent.is_dir():
            raise Stop(f"cannot write {path}: there is no folder {path.parent}")
        if path.is_dir():
            raise Stop(f"cannot write {path}: it is a directory, name a file in it")
    except (OSError, ValueError) as error:
        raise Stop(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from error


async def _check(wanted: Wanted, record: RunRecord, paths: Paths, target: Target) -> int:
    desk = target.open_desk(paths)
    try:
        failure = await _ask(desk, record, wanted)
        _write(desk, record, wanted)
        return _conclude(desk, record, failure)
    finally:
        await desk.close()


async def _ask(desk: Desk, record: RunRecord, wanted: Wanted) -> Failure | None:
    """Drive the run to its end or to the time limit; return the failure that stopped it."""
    limit = wanted.give_up_after
    if limit is None and not sys.stderr.isatty():
        limit = UNATTENDED_SECONDS
    if wanted.trace:
        desk.exchanges.follow(_trace)
    run = await desk.open_run(record.id)
    if wanted.follow:
        _print_rows(desk.result_rows(record.id, RowFilter(status=REJECTED)))
        run.follower = lambda numbers: _print_rows(map(result_row, desk.reader.rows_of(record.id, numbers)))
    progress = asyncio.create_task(_show_progress(desk, record, run)) if sys.stderr.isatty() else None
    try:
        async with asyncio.timeout(limit):
            await run.drive(stop_on_failure=True)
    except TimeoutError:
        trouble = f" The last trouble: {run.waiting.reason}." if run.waiting else ""
        say(f"Gave up after {limit:g} seconds.{trouble}")
    except Failure as failure:
        return failure
    except asyncio.CancelledError:
        say(f"Interrupted. What was answered by then is kept as run {record.id}.")
        raise
    finally:
        if progress is not None:
            progress.cancel()
            await asyncio.gather(progress, return_exceptions=True)
        say(f"{counted(run.requests, 'request')} sent.")
    return None


async def _show_progress(desk: Desk, record: RunRecord, run: Run) -> None:
    line, pace = ProgressLine(), Pace()
    try:
        while True:
            final = sum(count.numbers for status, count in desk.reader.tally(record.id).items() if status in FINAL)
            pace.observe(time.monotonic(), final)
            left = pace.seconds_left(record.numbers - final)
            ending = f", about {left:.0f} s left" if left is not None else ""
            if run.waiting is not None:
                ending = f"; waits {max(0.0, run.waiting.until - time.time()):.0f} s: {run.waiting.reason}"
            line.show(f"{final:,} of {record.numbers:,} numbers have a final status{ending}")
            await asyncio.sleep(PROGRESS_SECONDS)
    finally:
        line.clear()


def _print_rows(rows: Iterable[ResultRow]) -> None:
    for row in rows:
        click.echo(json_line(row), nl=False)


def _trace(exchange: Exchange) -> None:
    say(f"> {exchange.method} {exchange.url}{'  Authorization: Bearer ***' * exchange.had_token}")
    say(f"> {exchange.request.decode('utf-8', 'replace')}")
    outcome = f"HTTP {exchange.status}" if exchange.status is not None else f"no answer: {exchange.failure}"
    say(f"< {outcome} after {exchange.seconds * 1000:.0f} ms")
    if exchange.response:
        say(f"< {exchange.response.decode('utf-8', 'replace')}")


def _write(desk: Desk, record: RunRecord, wanted: Wanted) -> None:
    rows = desk.result_rows(record.id)
    if wanted.output is not None:
        write_whole(wanted.output, formatted(rows, RESULTS, wanted.format, None), replace=True)
        say(f"{counted(record.rows, 'row')} written to {wanted.output}")
    elif not wanted.follow:
        print_rows(rows, RESULTS, wanted.format)


def print_rows(rows: Iterable[_Row], layout: Layout[_Row], format_: str) -> None:
    """Print `rows` on stdout; what a terminal would obey in them is made visible there."""
    on_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if on_terminal else None
    for line in formatted(rows, layout, format_, width):
        click.echo(clean(line.rstrip("\r\n")) + "\n" if on_terminal else line, nl=False)


def _conclude(desk: Desk, record: RunRecord, failure: Failure | None) -> Exit:
    tally = desk.reader.tally(record.id)
    counts = ", ".join(
        f"{count.numbers:,} {'without an answer' if status == QUEUED else clean(status)}"
        for status, count in sorted(tally.items())
        if count.numbers
    )
    meaning = f" {explain(Status.VALID, desk.reader.run(record.id).server_version)}." if Status.VALID in tally else ""
    say(f"Run {record.id}: {counts}.{meaning}")
    if isinstance(failure, Refused):
        say(f"watui: the server refused: {failure.title}. {failure.next_step}")
        return Exit.REFUSED
    if failure is not None:
        say(f"watui: {failure.title}. {failure.next_step}")
        return Exit.UNREACHABLE
    is_open = any(count.numbers and status not in FINAL for status, count in tally.items())
    return Exit.UNFINISHED if is_open else Exit.DONE
