"""A new run from what a run knows no more, or never knew."""

from itertools import islice
from pathlib import Path

from watui.checks.prepare import CHUNK_ROWS
from watui.ledger.drivers import Driven, is_gone
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import RunOptions, Stale


def add_recheck(ledger: Ledger, reader: Reader, locks: Path, options: RunOptions, wanted: Stale) -> int | None:
    """Add a draft with the rows of the run `options.rechecks` that are `wanted`; return its id, None without any.

    `locks` is where drivers hold theirs. Raises Driven where somebody asks about that run, and LedgerUnusable.
    """
    assert options.rechecks is not None, "a run is asked anew"
    driver = reader.run(options.rechecks).driver
    if driver is not None and not is_gone(locks, driver):
        raise Driven(f"run {options.rechecks} is still asked: let it end first")
    rows = reader.stale(options.rechecks, wanted)
    chunk = list(islice(rows, CHUNK_ROWS))
    if not chunk:
        return None
    run_id = ledger.add_run(options)
    source_id = ledger.add_source(run_id, f"run {options.rechecks}", None)
    while chunk:
        ledger.add_rows(run_id, source_id, chunk, {})
        chunk = list(islice(rows, CHUNK_ROWS))
    ledger.end_source(run_id, source_id)
    return run_id
