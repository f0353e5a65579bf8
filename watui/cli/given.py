"""What a command line gives to check, into a draft of the ledger.

Without an event loop, so that ctrl+c ends it even while standard input says nothing.
"""

import io
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from shlex import quote

from watui.checks.cost import cost_of
from watui.checks.importing import import_source
from watui.checks.prepare import Import, add_source
from watui.checks.rows import summary_of
from watui.checks.standing import misread_in_words, reasons_in_words, skipped_in_words
from watui.cli.exits import Stop
from watui.cli.talk import say
from watui.client.server import Server
from watui.contract.list_regions import PLUS, in_words
from watui.intake.entries import read_entries, single
from watui.intake.problems import BadSource
from watui.intake.records import Layout
from watui.intake.sample import sample_text
from watui.intake.sources import SAMPLE_NAME, source_name
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import Budget, RunOptions, RunRecord, Summary
from watui.ledger.upkeep import discard
from watui.settings.paths import Paths
from watui.sites import Site
from watui.text import counted

NUMBERS_NAME = "--number"


@dataclass(frozen=True)
class Given:
    """What to check, and how to read it."""

    files: Sequence[str]
    numbers: Sequence[str]
    sample: bool
    column: str | None
    skip_doubtful: bool
    list_region: str | None = None
    """Of which country numbers without `+` are; None for the server's."""


def find_budget(paths: Paths, target: Site) -> Budget | None:
    """Return how the budget of a server stands; None where it has none. Raises LedgerUnusable."""
    if not target.has_budget:
        return None
    from watui.ledger.budget import budget_of

    with closing(Reader(paths.ledger)) as reader:
        return budget_of(reader, target.server_id)


def import_all(paths: Paths, given: Given, options: RunOptions) -> tuple[RunRecord, Summary]:
    """Import every source into a new draft and return it and what is in it; one with nothing to ask is not kept.

    Stops where a source can't be read or nothing is left to ask. Raises LedgerUnusable.
    """
    ledger, reader = Ledger(paths.ledger), Reader(paths.ledger)
    run_id = ledger.add_run(options)
    is_kept = False
    try:
        layouts = _import(ledger, run_id, given, options.region)
        record = reader.run(run_id)
        found = summary_of(reader, run_id)
        if record.entries == 0:
            names = ", ".join(source.name for source in found.sources)
            raise Stop(_why_nothing(record, names, reasons_in_words(found)))
        is_kept = True
        for name, layout in layouts:
            say_column(name, layout)
        return record, found
    except BadSource as error:
        raise Stop(str(error)) from error
    finally:
        if not is_kept:
            from watui.cli.deleting import DeletionLine

            line = DeletionLine()
            discard(ledger, run_id, line.show)
            line.clear()
        ledger.close()
        reader.close()


def _import(ledger: Ledger, run_id: int, given: Given, region: str) -> list[tuple[str, Layout]]:
    """Import every source, and return by name how the files are laid out. Raises BadSource."""

    def source(name: str) -> Import:
        return Import(run_id, name, region, given.column, given.skip_doubtful, given.list_region)

    names = [(path, source_name(path)) for path in given.files]
    layouts = [(name, import_source(ledger, path, source(name))) for path, name in names]
    if given.numbers:
        rows = [single(line, number) for line, number in enumerate(given.numbers, 1)]
        add_source(ledger, source(NUMBERS_NAME), None, rows)
    if given.sample:
        layout, sample = read_entries(io.StringIO(sample_text()), None, SAMPLE_NAME)
        add_source(ledger, source(SAMPLE_NAME), layout.column_name, sample)
    return layouts


def say_column(name: str, layout: Layout) -> None:
    """Say which column of a table was taken, and which one might have been."""
    if layout.delimiter is None:
        return
    words = f"{name}: column {layout.column_name or layout.column + 1}"
    if layout.other is not None:
        words += f"; {layout.other} holds numbers, too: --column {quote(layout.other)} reads that"
    say(words)


def _why_nothing(record: RunRecord, names: str, reasons: str) -> str:
    if record.read == 0:
        return f"{names} is empty: give one number a row"
    return f"no phone numbers in {names}: {reasons or 'only blank lines, comments or a header'}"


def say_summary(
    record: RunRecord, found: Summary, server: Server | None, given: Given, budget: Budget | None, *, asks_all: bool
) -> None:
    """Say what a draft holds and what asking about it, or about what is not known of it, takes."""
    who = f"the server at {server.host}" if server else "the embedded simulator"
    cost = cost_of(record, found, asks_all=asks_all)
    say(f"For {who}, read as registered in {record.options.region}:")
    say(
        f"{counted(record.read, 'row')} read: {counted(record.entries, 'entry')}, {record.rejected:,} rejected"
        f"{skipped_in_words(record)}. {counted(record.numbers, 'distinct number')}."
    )
    if cost.known:
        say(
            f"Answered here within the last seven days, so they are not asked, and printed as they are known:"
            f" {cost.known:,}. --recheck asks them, too."
        )
    elif found.fresh:
        say(f"Answered here within the last seven days, asked all the same: {found.fresh:,}.")
    if given.list_region is not None:
        say(f"As wanted, {in_words(given.list_region)}.")
    elif words := misread_in_words(found, record.options.region):
        answer = f"--list-region {found.list_region or 'COUNTRY'}"
        say(f"{words} {answer} {'puts it back' if found.list_region == PLUS else 'reads them so'}.")
    say(f"To ask: {counted(cost.numbers, 'number')} in {cost.words}." if cost.numbers else "Nothing is to be asked.")
    if budget is None:
        say("No budget: calls are not counted there.")
    else:
        from watui.checks.budget import meter

        enough = "" if cost.calls <= budget.left else " That may not do."
        say(f"Budget of {record.options.profile}: {meter(budget)}.{enough}")
    if found.problems:
        say(f"Rejected, never sent: {reasons_in_words(found)}.")
    if record.doubtful:
        say(f"Doubtful, asked all the same: {record.doubtful:,}. --skip-doubtful leaves them out.")
