"""`watui check`: a list from file to verdicts without a console."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

import click

from watui.cli.asking import Options, ask, find_output, output_options, recheck_option
from watui.cli.exits import Exit, Stop
from watui.cli.given import Given, find_budget, import_all, say_summary
from watui.cli.help import ASKING, Command, option
from watui.cli.options import FILE, target_options
from watui.cli.talk import say
from watui.cli.target import find_list_region, find_settings, find_target
from watui.contract.models import BLOCKING_MODES, Blocking
from watui.contract.rules import MAX_BATCH_SIZE
from watui.ledger.rows import RunOptions
from watui.ledger.schema import LedgerUnusable
from watui.settings.paths import find_paths


@click.command(
    cls=Command,
    examples=[
        "watui check numbers.csv --output results.csv",
        "watui check contacts.vcf book.xlsx --dry-run",
        "grep -v '^#' numbers.txt | watui check - --region IN --format csv",
        "watui check --number +16315551000 --number +16315551001",
    ],
)
@click.argument("files", nargs=-1, type=FILE, metavar="[FILE…|-]")
@option("--number", "numbers", multiple=True, metavar="N", help="Check this number; may be given several times.")
@option("--sample", is_flag=True, help="Check the sample numbers (simulator only).")
@option("--column", metavar="NAME", help="Column of the numbers: header, or a number from 1. Else it is found.")
@option(
    "--list-region",
    metavar="COUNTRY",
    help="Country of the numbers without + where it is not the server's; + where only their + is missing.",
)
@option("--dry-run", is_flag=True, help="Read and convert, say what would be asked, and ask nothing.")
@option(
    "--blocking",
    type=click.Choice(BLOCKING_MODES),
    section=ASKING,
    help="Poll (no_wait, the default), or wait for answers.",
)
@recheck_option
@option(
    "--force-check",
    is_flag=True,
    section=ASKING,
    help="Ask all numbers, and past the server's cache of seven days.",
)
@option(
    "--batch-size",
    type=click.IntRange(1, MAX_BATCH_SIZE),
    metavar="N",
    section=ASKING,
    help=f"Numbers in one request, at most {MAX_BATCH_SIZE:,}. Default: that of the profile, or of the settings.",
)
@option("--skip-doubtful", is_flag=True, help="Reject what is no valid number instead of asking.")
@target_options
@output_options
def check(
    files: Sequence[str],
    numbers: Sequence[str],
    sample: bool,
    url: str | None,
    profile: str | None,
    region: str | None,
    column: str | None,
    list_region: str | None,
    blocking: Blocking | None,
    recheck: bool,
    force_check: bool,
    batch_size: int | None,
    skip_doubtful: bool,
    dry_run: bool,
    **wanted: Unpack[Options],
) -> int:
    """Check the numbers of FILEs and print a row for each.

    A FILE is a text, a table, an .xlsx or a .vcf; - is standard input. What is in it is found by looking: encoding,
    delimiter, header and the column of the numbers.
    """
    given = Given(files, numbers, sample, column, skip_doubtful, find_list_region(list_region))
    if not given.files and not given.numbers and not given.sample:
        raise Stop("nothing to check: name a FILE, - for standard input, --number N or --sample")
    output = find_output(wanted, given.files)
    paths = find_paths()
    settings = find_settings(paths)
    target = find_target(settings, paths, url, profile, region)
    server = target.server
    if sample and server is not None:
        raise Stop("sample numbers are for the simulator only: leave out --sample, or say --profile simulator")
    options = RunOptions(
        target.server_id,
        target.region,
        blocking or settings.blocking,
        force_check,
        batch_size or target.batch_size,
        target.profile,
    )
    try:
        record, found = import_all(paths, given, options)
        budget = find_budget(paths, target)
    except LedgerUnusable as error:
        raise Stop(str(error)) from error
    say_summary(record, found, server, given, budget, asks_all=recheck)
    if dry_run:
        say(f"Dry run: nothing was asked. The list is kept as draft {record.id}.")
        return Exit.DONE
    return ask(output, record, paths, target, takes_known=found.fresh > 0 and not recheck)
