"""A new run from what a run knows no more, or never knew."""

from dataclasses import replace
from itertools import islice

from watui.checks.prepare import CHUNK_ROWS
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import RunRecord, Stale


def add_recheck(ledger: Ledger, reader: Reader, record: RunRecord, wanted: Stale) -> int | None:
    """Add a draft with the rows of a run that are `wanted`; return its id, None where there are none.

    It is asked as that run was. Raises LedgerUnusable.
    """
    rows = reader.stale(record.id, wanted)
    chunk = list(islice(rows, CHUNK_ROWS))
    if not chunk:
        return None
    run_id = ledger.add_run(replace(record.options, rechecks=record.id))
    source_id = ledger.add_source(run_id, f"run {record.id}", None)
    while chunk:
        ledger.add_rows(run_id, source_id, chunk, {})
        chunk = list(islice(rows, CHUNK_ROWS))
    ledger.end_source(run_id, source_id)
    return run_id
