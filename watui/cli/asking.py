"""A run that is asked from the command line: its progress, its rows, and how it ends."""

from __future__ import annotations

import asyncio
import math
import shlex
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypedDict

import click

from watui.checks.budget import MOST_AT_ONCE
from watui.checks.pace import Pace
from watui.checks.rows import result_row
from watui.checks.standing import STUCK_POLLS, final_of
from watui.cli.exits import Exit, ReaderGone, Stop
from watui.cli.help import ASKING, OUTPUT, Decorated, option
from watui.cli.options import har_option, hide_numbers_option, refuse_output
from watui.cli.rows import FORMATS, print_lines, print_rows, usual_format
from watui.cli.session import code_of, in_words, recording
from watui.cli.talk import ProgressLine, hides_numbers, say, written_to
from watui.client.exchanges import Exchange
from watui.client.failures import Failure, OverBudget
from watui.contract.statuses import FINAL, Status, in_sentences
from watui.desk import Desk
from watui.export.formats import Format, format_of, write_rows
from watui.export.hiding import hidden
from watui.export.rows import ResultRow, json_line
from watui.export.table import RESULTS, RESULTS_BY_VERSION, formatted
from watui.export.xlsx import refuse_without_xlsx
from watui.files import CannotWrite, write_whole
from watui.ledger.drivers import Driven
from watui.ledger.reader import Reader
from watui.ledger.rows import QUEUED, REJECTED, RunRecord
from watui.ledger.schema import LedgerUnusable
from watui.settings.paths import Paths
from watui.sites import Site
from watui.text import clean, counted

if TYPE_CHECKING:
    from watui.checks.run import Run

UNATTENDED_SECONDS = 300.0
"""How long a run may take where nobody watches it."""

PROGRESS_SECONDS = 0.2

LIFE_SIGN_SECONDS = 60.0
"""Between two words about the progress where there is no terminal."""


class Options(TypedDict):
    """What the options of `output_options` say."""

    format_: str | None
    output: Path | None
    give_up_after: float | None
    follow: bool
    trace: bool
    over_budget: int | None
    har: Path | None


class Output(NamedTuple):
    """What becomes of a run's rows, and how long it may take."""

    format: str
    """One of FORMATS, or of Format."""
    path: Path | None
    give_up_after: float | None
    follow: bool
    trace: bool
    over_budget: int | None = None
    har: Path | None = None
    """Where every request and answer is written."""


def output_options(command: Decorated) -> Decorated:
    """Give a command the options that say what becomes of a run's rows."""
    unattended = f"{UNATTENDED_SECONDS:g} without a terminal, never on one."
    for add in (
        hide_numbers_option,
        har_option,
        option(
            "--over-budget",
            type=click.IntRange(1, MOST_AT_ONCE),
            metavar="N",
            section=ASKING,
            help="Where the budget is used up, make up to N calls more; the trail keeps that.",
        ),
        option(
            "--trace",
            is_flag=True,
            section=OUTPUT,
            help="Show every request and answer on stderr, without the token.",
        ),
        option("--follow", is_flag=True, section=OUTPUT, help="Print a JSON line whenever a status changes."),
        option(
            "--give-up-after",
            type=click.FloatRange(0, min_open=True),
            metavar="SECONDS",
            section=ASKING,
            help=f"Stop asking then. Default: {unattended}",
        ),
        option(
            "--output",
            type=click.Path(path_type=Path),
            metavar="PATH",
            section=OUTPUT,
            help="Write the rows there, or nothing.",
        ),
        option(
            "--format",
            "format_",
            type=click.Choice(FORMATS),
            section=OUTPUT,
            help="Default: by --output; a table on a terminal; jsonl.",
        ),
    ):
        command = add(command)
    return command


recheck_option = option(
    "--recheck",
    is_flag=True,
    section=ASKING,
    help="Ask also about what was answered here within the last seven days.",
)


def find_output(options: Options, sources: Sequence[str] = ()) -> Output:
    """Return what the options ask for; `sources` are files that are read meanwhile. Stops where that can't be."""
    if options["follow"] and options["format_"] not in (None, "jsonl"):
        raise Stop("--follow prints JSON lines: leave out --format, or say --format jsonl")
    limit, path = options["give_up_after"], options["output"]
    if limit is not None and not math.isfinite(limit):
        raise Stop("--give-up-after takes a number of seconds")
    if path is not None:
        refuse_output(path, sources)
    if options["har"] is not None:
        refuse_output(options["har"], [*sources, *([str(path)] if path is not None else [])])
    chosen = options["format_"] or (format_of(path) if path is not None else None) or usual_format(path)
    if chosen == Format.XLSX:
        try:
            refuse_without_xlsx()
        except CannotWrite as error:
            raise Stop(str(error)) from error
    return Output(chosen, path, limit, options["follow"], options["trace"], options["over_budget"], options["har"])


def ask(output: Output, record: RunRecord, paths: Paths, target: Site, *, takes_known: bool = False) -> int:
    """Ask about what is open of a run, write its rows, and return how the command ends.

    Where it `takes_known`, what other runs know is taken over and not asked.
    """
    try:
        return asyncio.run(_asked(output, record, paths, target, takes_known))
    except BrokenPipeError as error:
        raise ReaderGone from error
    except Driven as error:
        raise Stop(f"{error}: 'watui runs show {record.id}' says where it stands") from error
    except (LedgerUnusable, CannotWrite, OSError) as error:
        raise Stop(f"{error}. What was answered by then is kept as run {record.id}.", Exit.UNFINISHED) from error


async def _asked(output: Output, record: RunRecord, paths: Paths, target: Site, takes_known: bool) -> int:
    desk = Desk.at(paths, target)
    if desk.warning is not None:
        say(desk.warning)
    try:
        with recording(desk, output.har):
            failure = await _ask(desk, record, output, takes_known)
            if isinstance(failure, OverBudget) and output.over_budget is not None:
                from watui.ledger.budget import go_over

                await desk.ledger(go_over, desk.place, output.over_budget)
                say(f"{in_words(failure)}.")
                say(
                    f"It goes on over the budget by up to {counted(output.over_budget, 'call')}, which the trail keeps."
                )
                failure = await _ask(desk, record, output, takes_known, is_first=False)
        write(desk.reader, record, output)
        return _conclude(desk, record, failure)
    finally:
        await desk.close()


async def _ask(
    desk: Desk, record: RunRecord, output: Output, takes_known: bool, *, is_first: bool = True
) -> Failure | None:
    """Drive the run to its end or to the time limit; return the failure that stopped it.

    Where that is not the first time, what had a final status by then is not printed again.
    """
    limit = output.give_up_after
    if limit is None and not sys.stderr.isatty():
        limit = UNATTENDED_SECONDS
    if output.trace:
        desk.exchanges.follow(_trace)
    run = await desk.open_run(record.id, takes_known=takes_known)
    if output.follow:
        if is_first:
            _print_rows(row for row in desk.result_rows(record.id) if row.status in FINAL | {REJECTED})
        run.follower = lambda numbers: _print_rows(map(result_row, desk.reader.rows_of(record.id, numbers)))
    progress = asyncio.create_task((_show_progress if sys.stderr.isatty() else _say_progress)(desk, record, run))
    try:
        async with asyncio.timeout(limit):
            try:
                await run.drive(stop_on_failure=True)
            finally:
                progress.cancel()
                await asyncio.gather(progress, return_exceptions=True)
    except TimeoutError:
        trouble = f" The last trouble: {run.waiting.reason}." if run.waiting else ""
        say(f"Gave up after {limit:g} seconds.{trouble}")
    except Failure as failure:
        return failure
    except asyncio.CancelledError:
        say(_interrupted(output, record))
        raise
    finally:
        say(f"{counted(run.requests, 'request')} sent.")
    return None


def _interrupted(output: Output, record: RunRecord) -> str:
    unwritten = f"{output.path} was not written. " if output.path is not None else ""
    into = f" --output {shlex.quote(str(output.path))}" if output.path is not None else ""
    kept = f"What was answered by then is kept: 'watui runs resume {record.id}{into}' goes on."
    return f"Interrupted. {unwritten}{kept}"


async def _show_progress(desk: Desk, record: RunRecord, run: Run) -> None:
    line, pace = ProgressLine(), Pace()
    try:
        while True:
            final = final_of(desk.reader.tally(record.id))
            pace.observe(time.monotonic(), final)
            left = pace.seconds_left(record.numbers - final, at_least=run.outlook.next_poll or 0.0)
            ending = f" have a final status, about {left:.0f} s left" if left is not None else " have a final status"
            if run.stuck:
                ending += f", {run.stuck:,} stuck"
            if run.waiting is not None:
                ending = f"; {run.waiting.words}"
            line.show(f"{final:,} of {record.numbers:,} numbers{ending}")
            await asyncio.sleep(PROGRESS_SECONDS)
    finally:
        line.clear()


async def _say_progress(desk: Desk, record: RunRecord, run: Run) -> None:
    """Say now and then where it stands, for whoever reads a log."""
    while True:
        await asyncio.sleep(LIFE_SIGN_SECONDS)
        trouble = f"; {run.waiting.words}" if run.waiting else ""
        final = final_of(desk.reader.tally(record.id))
        say(f"{final:,} of {record.numbers:,} numbers have a final status{trouble}")


def _print_rows(rows: Iterable[ResultRow]) -> None:
    print_lines(map(json_line, map(hidden, rows) if hides_numbers() else rows))


def _trace(exchange: Exchange) -> None:
    if hides_numbers():
        from watui.traffic.hiding import hidden as without_numbers

        exchange = without_numbers(exchange)
    say(f"> {exchange.method} {exchange.url}{f'  {exchange.secret}' if exchange.secret else ''}")
    say(f"> {exchange.request.decode('utf-8', 'replace')}")
    outcome = f"HTTP {exchange.status}" if exchange.status is not None else f"no answer: {exchange.failure}"
    say(f"< {outcome} after {exchange.seconds * 1000:.0f} ms")
    if exchange.response:
        say(f"< {exchange.response.decode('utf-8', 'replace')}")


def write(reader: Reader, record: RunRecord, output: Output, *, is_over: bool = False) -> None:
    """Write all rows of a run where they are wanted, unless they were printed as they changed. Raises CannotWrite.

    Of a run that `is_over` none was.
    """
    rows = map(result_row, reader.rows(record.id))
    layout = RESULTS_BY_VERSION if len(reader.versions(record.id)) > 1 else RESULTS
    if output.path is not None and output.format in list(Format):
        count = write_rows(output.path, rows, Format(output.format), replace=True, hides_numbers=hides_numbers())
        say(f"{counted(count, Format(output.format).noun)} {written_to(output.path)}")
    elif output.path is not None:
        shown = map(hidden, rows) if hides_numbers() else rows
        write_whole(output.path, formatted(shown, layout, output.format, None), replace=True)
        say(f"{counted(record.rows, 'row')} {written_to(output.path)}")
    elif not output.follow or is_over:
        print_rows(rows, layout, output.format)


def _conclude(desk: Desk, record: RunRecord, failure: Failure | None) -> Exit:
    tally = desk.reader.tally(record.id)
    counts = ", ".join(
        f"{count.numbers:,} {'without an answer' if status == QUEUED else clean(status)}"
        for status, count in sorted(tally.items())
        if count.numbers
    )
    meaning = f" {in_sentences(desk.reader.versions(record.id))}" if Status.VALID in tally else ""
    say(f"Run {record.id}: {counts}.{meaning}")
    is_open = any(count.numbers and status not in FINAL for status, count in tally.items())
    if stuck := desk.reader.polled_often(record.id, STUCK_POLLS):
        what = f"Stuck, without a verdict after {STUCK_POLLS} answers or more: {stuck:,}."
        say(f"{what} 'watui runs cancel {record.id}' sets them aside.")
    if is_open:
        say(f"'watui runs resume {record.id}' asks about what is open.")
    if failure is not None:
        say(f"watui: {in_words(failure)}.")
        return code_of(failure)
    return Exit.UNFINISHED if is_open else Exit.DONE
