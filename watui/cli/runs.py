"""`watui runs`: what was checked, and what can be done with it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Unpack

import click

from watui.checks.compare import Change, Comparison
from watui.checks.recheck import add_recheck
from watui.checks.rows import result_row, run_row
from watui.checks.standing import STUCK_POLLS, left_of
from watui.cli.asking import Options, ask, find_output, output_options, recheck_option, write
from watui.cli.exits import Exit, ReaderGone, Stop
from watui.cli.forget import forget
from watui.cli.help import OUTPUT, Group, option
from watui.cli.options import hide_numbers_option, refuse_output, suggesting, target_options
from watui.cli.rows import FORMATS, format_option, print_lines, print_rows, usual_format
from watui.cli.talk import fit_to_see, hides_numbers, say, written_to
from watui.cli.target import find_settings, find_target
from watui.client.server import BadServer
from watui.contract.rules import CACHE_SECONDS
from watui.contract.statuses import Status, in_sentences, told_apart
from watui.export.formats import Format, format_of, text_of, wa_id_warning, write_rows
from watui.export.rows import PairRow
from watui.export.table import PAIRS, RUNS
from watui.files import CannotWrite
from watui.ledger.drivers import Driven, is_gone
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import QUEUED, REJECTED, Order, Overview, RowFilter, RunOptions, RunRecord, RunState, Stale
from watui.ledger.schema import LedgerUnusable
from watui.ledger.upkeep import DAY_SECONDS
from watui.settings.paths import Paths, find_paths
from watui.settings.settings import SIMULATOR, Profile
from watui.sites import Site, server_of
from watui.text import counted

CACHE_DAYS = CACHE_SECONDS / DAY_SECONDS

RUN = click.argument("run_id", type=click.IntRange(1), metavar="ID", shell_complete=suggesting("runs"))


@click.group(
    cls=Group,
    invoke_without_command=True,
    examples=[
        "watui runs                           # all of them, the latest first",
        "watui runs resume                    # goes on with what was cut short",
        "watui runs export 7 --output results.xlsx",
        "watui runs compare 5 7",
    ],
)
@option("--format", "format_", type=click.Choice(FORMATS), section=OUTPUT, help="Of the list.")
@hide_numbers_option
@click.pass_context
def runs(context: click.Context, format_: str | None) -> int:
    """List, resume, export and compare runs. Without a command: the list."""
    if context.invoked_subcommand is None:
        return int(context.invoke(list_, format_=format_))
    if format_ is not None:
        raise Stop(f"options go after the command: watui runs {context.invoked_subcommand} --format {format_}")
    return Exit.DONE


@runs.command("list")
@format_option
@hide_numbers_option
def list_(format_: str | None) -> int:
    """Print all runs and drafts, the latest first."""
    paths = find_paths()
    with _reading(paths) as reader:
        found = reader.runs()
        print_rows((run_row(each, paths.locks) for each in found), RUNS, format_ or usual_format())
    if not found:
        say("There is no run yet: 'watui check FILE' begins one.")
    return Exit.DONE


@runs.command()
@RUN
@option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    section=OUTPUT,
    help="Print it as a row instead of words.",
)
@hide_numbers_option
def show(run_id: int, format_: str | None) -> int:
    """Say where the run ID stands."""
    paths = find_paths()
    with _reading(paths) as reader:
        found = _overview(reader, run_id)
        row = run_row(found, paths.locks)
        if format_ is not None:
            print_rows([row], RUNS, format_)
            return Exit.DONE
        in_doubt, stuck = reader.in_doubt(run_id), reader.polled_often(run_id, STUCK_POLLS)
        meaning = in_sentences(reader.versions(run_id))
    counts = ", ".join(f"{count.numbers:,} {status}" for status, count in sorted(found.tally.items()) if count.numbers)
    times = (("imported", row.created_at), ("begun", row.started_at), ("ended", row.ended_at))
    lines = [
        f"Run {run_id}: {row.state}, from {row.source}, at {row.profile or row.server}",
        f"{counted(row.rows, 'row')}, {row.rejected:,} rejected, {counted(row.numbers, 'distinct number')}: {counts}",
        ", ".join(f"{word} {at}" for word, at in times if at is not None),
    ]
    if row.valid:
        lines.insert(2, meaning)
    if stuck:
        lines.append(f"Stuck, without a verdict after {STUCK_POLLS} answers or more: {stuck:,}")
    if row.state == "unfinished":
        lines.append(f"{_left(row.left, in_doubt)}. 'watui runs resume {run_id}' goes on.")
    with _reading(paths):
        print_lines(f"{fit_to_see(line)}\n" for line in lines)
    return Exit.DONE


@runs.command(examples=["watui runs resume", "watui runs resume 7 --output results.csv --give-up-after 3600"])
@click.argument(
    "run_id", type=click.IntRange(1), metavar="[ID]", required=False, shell_complete=suggesting("open_runs")
)
@recheck_option
@target_options
@output_options
def resume(
    run_id: int | None,
    recheck: bool,
    url: str | None,
    profile: str | None,
    region: str | None,
    **options: Unpack[Options],
) -> int:
    """Ask about what is open of the run ID and print all its rows.

    Without ID, it is the latest that is unfinished. Of a run that has ended, the rows are printed and nothing is asked.
    """
    output = find_output(options)
    if region is not None:
        raise Stop("a run keeps its region: leave out --region")
    paths = find_paths()
    with _reading(paths) as reader:
        record = _unfinished(reader, paths) if run_id is None else _overview(reader, run_id).record
        if record is None:
            latest = next((each.record for each in reader.runs() if each.record.state is RunState.DONE), None)
            hint = f" 'watui runs export {latest.id}' prints the rows of the latest run." if latest else ""
            say(f"There is nothing to resume.{hint}")
            return Exit.DONE
        if record.driver is not None and not is_gone(paths.locks, record.driver):
            raise Stop(
                f"another process asks about run {record.id} right now: 'watui' shows it live, 'watui runs show"
                f" {record.id}' where it stands"
            )
        if record.state is RunState.DRAFT and not all(each.is_whole for each in reader.summary(record.id).sources):
            raise Stop(f"draft {record.id} was not read to its end: give 'watui check' its file once more")
        if record.state not in (RunState.RUNNING, RunState.DRAFT):
            say(f"Run {record.id} is {record.state}: nothing is asked.")
            write(reader, record, output, is_over=True)
            return Exit.DONE if record.state is RunState.DONE else Exit.UNFINISHED
        in_doubt, tally = reader.in_doubt(record.id), reader.tally(record.id)
    target = target_of(paths, record, url, profile)
    say(f"Run {record.id} at {target.profile}: {_left(left_of(tally), in_doubt)}.")
    return ask(output, record, paths, target, takes_known=not recheck)


@runs.command(
    examples=[
        "watui runs export 7 --output results.xlsx",
        "watui runs export 7 --status valid --format numbers > valid.txt",
    ]
)
@RUN
@click.option(
    "--format",
    "format_",
    type=click.Choice([each.value for each in Format]),
    help="csv, jsonl, xlsx, numbers or wa_ids (one a line), body (JSON of a check). Default: by --output, else csv.",
)
@click.option("--output", type=click.Path(path_type=Path), metavar="PATH", help="Write there; else to standard output.")
@click.option("--raw", is_flag=True, help="CSV as it is: cells that a spreadsheet takes for formulas stay unmarked.")
@click.option(
    "--status",
    metavar="STATUS",
    shell_complete=suggesting("statuses"),
    help="Only rows of this status, such as valid, invalid or rejected.",
)
@click.option("--search", metavar="TEXT", help="Only rows that hold this text.")
@click.option(
    "--sort", type=click.Choice([each.name.lower() for each in Order]), default="given", help="The order of rows."
)
@click.option("--replace", is_flag=True, help="Write over a file that is there already.")
@hide_numbers_option
def export(
    run_id: int,
    format_: str | None,
    output: Path | None,
    raw: bool,
    status: str | None,
    search: str | None,
    sort: str,
    replace: bool,
) -> int:
    """Write the rows of the run ID."""
    chosen = Format(format_) if format_ else (format_of(output) if output is not None else Format.CSV)
    if chosen is None:
        raise Stop(f"what is {output} to be? Say --format {', '.join(Format)}, or end the name in .csv, .jsonl, .xlsx")
    if output is None and chosen is Format.XLSX:
        raise Stop("a spreadsheet is written to a file: say --output PATH.xlsx")
    if output is not None:
        refuse_output(output)
    with _reading(find_paths()) as reader:
        known = [*Status, QUEUED, REJECTED, *_overview(reader, run_id).tally]
        if status is not None and status not in known:
            raise Stop(f"no row has the status {status}: there are {', '.join(dict.fromkeys(known))}")
        shown = map(result_row, reader.rows(run_id, RowFilter(text=search or "", order=Order[sort.upper()])))
        rows = (row for row in shown if status is None or row.status == status)
        if chosen.has_wa_ids and (warning := wa_id_warning(reader.versions(run_id))) is not None:
            say(warning)
        if output is None:
            print_lines(text_of(rows, chosen, raw=raw, hides_numbers=hides_numbers()))
        else:
            count = write_rows(output, rows, chosen, raw=raw, replace=replace, hides_numbers=hides_numbers())
            say(f"{counted(count, chosen.noun)} {written_to(output)}")
    return Exit.DONE


@runs.command()
@click.argument("before", type=click.IntRange(1), metavar="A", shell_complete=suggesting("runs"))
@click.argument("after", type=click.IntRange(1), metavar="B", shell_complete=suggesting("runs"))
@click.option("--all", "all_", is_flag=True, help="Print what is unchanged as well.")
@format_option
@hide_numbers_option
def compare(before: int, after: int, all_: bool, format_: str | None) -> int:
    """Print what the run B says otherwise than the run A. That is newly valid, gone, another wa_id, another status.

    Valid and invalid of servers whose versions mean something else by them are not comparable.
    """
    with _reading(find_paths()) as reader:
        regions = {_overview(reader, run_id).record.options.region for run_id in (before, after)}
        if len(regions) > 1:
            say("The two were read as registered in different countries: the same input may be two numbers.")
        comparison = Comparison()

        def rows() -> Iterator[PairRow]:
            for pair in reader.pairs(before, after):
                change = comparison.take(pair)
                if all_ or change is not Change.NONE:
                    yield PairRow(change.value, *pair)

        print_rows(rows(), PAIRS, format_ or usual_format())
    say(f"{comparison.words}." if comparison.words else "Neither run holds a number.")
    if comparison.versions:
        say(f"{told_apart(list(comparison.versions))}.")
    return Exit.DONE


@runs.command(examples=["watui runs recheck 7 --older-than 30 --dry-run"])
@RUN
@option(
    "--older-than",
    type=click.FloatRange(0),
    metavar="DAYS",
    help=f"Ask again what was answered before that. Default: {CACHE_DAYS:g}, as a server keeps it.",
)
@click.option("--failed", is_flag=True, help="Ask again what failed.")
@click.option("--open", "open_", is_flag=True, help="Ask again what got no final status.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked, and ask nothing.")
@target_options
@output_options
def recheck(
    run_id: int,
    older_than: float | None,
    failed: bool,
    open_: bool,
    dry_run: bool,
    url: str | None,
    profile: str | None,
    region: str | None,
    **chosen: Unpack[Options],
) -> int:
    """Ask anew about numbers of the run ID, as a new run.

    About old answers, failed checks and what never ended. With one of the options, about those alone.
    """
    output = find_output(chosen)
    if region is not None:
        raise Stop("a run keeps its region: leave out --region")
    if older_than is not None and not math.isfinite(older_than):
        raise Stop("--older-than takes a number of days")
    paths = find_paths()
    with _reading(paths) as reader:
        record = _overview(reader, run_id).record
        target = target_of(paths, record, url, profile)
        options = record.options._replace(
            server=target.server_id,
            profile=target.profile,
            # The server's own cache would say the same again.
            force_check=record.options.force_check or (older_than is not None and older_than < CACHE_DAYS),
            rechecks=run_id,
        )
        draft = _recheck(paths, reader, options, stale_of(older_than, failed, open_))
        if draft is None:
            say(f"Run {run_id} has nothing to ask again.")
            return Exit.DONE
        again = reader.run(draft)
    say(f"{counted(again.numbers, 'number')} of run {run_id}, as run {draft}.")
    if dry_run:
        say(f"Dry run: nothing was asked. 'watui runs resume {draft}' asks.")
        return Exit.DONE
    return ask(output, again, paths, target)


runs.add_command(forget)


def stale_of(older_than: float | None, failed: bool, open_: bool) -> Stale:
    """Return what is asked anew: what is named, else all of it."""
    is_named = older_than is not None or failed or open_
    days = older_than if older_than is not None else None if is_named else CACHE_DAYS
    before = time.time() - days * DAY_SECONDS if days is not None else None
    return Stale(before, failed or not is_named, open_ or not is_named)


def target_of(paths: Paths, record: RunRecord, url: str | None, profile: str | None) -> Site:
    """Return the server that a run is to be asked at: the one given, else its own."""
    settings, region = find_settings(paths), record.options.region
    if url is not None or profile is not None:
        return find_target(settings, paths, url, profile, region)
    server = record.options.server
    if server == SIMULATOR:
        return find_target(settings, paths, None, SIMULATOR, region)
    known = settings.profiles.get(record.options.profile)
    if known is not None and _is_at(known, server):
        return find_target(settings, paths, None, record.options.profile, region)
    return find_target(settings, paths, server, None, region)


def _is_at(profile: Profile, url: str) -> bool:
    """Whether a profile is of the server at a base URL."""
    try:
        server = server_of(profile)
    except BadServer:
        return False
    return server is not None and server.url == url


@contextmanager
def _reading(paths: Paths) -> Iterator[Reader]:
    try:
        reader = Reader(paths.ledger)
        try:
            yield reader
        finally:
            reader.close()
    except BrokenPipeError as error:
        raise ReaderGone from error
    except (CannotWrite, Driven, LedgerUnusable) as error:
        raise Stop(str(error)) from error


def _recheck(paths: Paths, reader: Reader, options: RunOptions, wanted: Stale) -> int | None:
    with closing(Ledger(paths.ledger)) as ledger:
        return add_recheck(ledger, reader, paths.locks, options, wanted)


def _overview(reader: Reader, run_id: int) -> Overview:
    found = next((each for each in reader.runs() if each.record.id == run_id), None)
    if found is None:
        raise Stop(f"there is no run {run_id}: 'watui runs' lists those that there are")
    return found


@runs.command()
@click.argument("run_id", type=click.IntRange(1), metavar="ID", shell_complete=suggesting("open_runs"))
def cancel(run_id: int) -> int:
    """End the unfinished run ID. What is known is kept, and it is not offered any more."""
    paths = find_paths()
    with _reading(paths) as reader:
        record = _overview(reader, run_id).record
        if record.state is not RunState.RUNNING:
            raise Stop(f"run {run_id} is {record.state}: only an unfinished run is cancelled")
        with closing(Ledger(paths.ledger)) as ledger:
            ledger.cancel(run_id, paths.locks)
    say(f"Run {run_id} is cancelled; what is known is kept.")
    return Exit.DONE


def _unfinished(reader: Reader, paths: Paths) -> RunRecord | None:
    """Return the latest run that was begun and that nobody asks about."""
    found = (each.record for each in reader.runs() if each.record.state is RunState.RUNNING)
    return next((record for record in found if record.driver is None or is_gone(paths.locks, record.driver)), None)


def _left(left: int, in_doubt: int) -> str:
    doubt = f"; at most {in_doubt:,} {'is' if in_doubt == 1 else 'are'} asked twice" if in_doubt else ""
    return f"{counted(left, 'number')} left{doubt}"
