"""What a run and its rows say, to other programs and to people."""

import math
import time
from pathlib import Path

from watui.checks.scheduler import STUCK_POLLS
from watui.contract.conversion import contradiction
from watui.contract.rules import CACHE_SECONDS
from watui.contract.statuses import FINAL, Status
from watui.export.rows import ResultRow, RunRow, iso
from watui.ledger.drivers import is_gone
from watui.ledger.reader import Reader
from watui.ledger.rows import QUEUED, Overview, Row, RunRecord, RunState, Summary, Tally
from watui.text import counted


def result_row(row: Row) -> ResultRow:
    """Return a row of the ledger as other programs get it: what is asked and not answered is processing."""
    return ResultRow(
        row.source,
        row.line,
        row.input,
        row.number,
        row.region,
        Status.PROCESSING if row.status == QUEUED and row.asked else row.status,
        row.wa_id,
        note_of(row),
        row.duplicate_of,
        iso(row.checked_at),
        row.server_version,
    )


def note_of(row: Row) -> str | None:
    """Return what there is to say of a row beside its answer: why it is rejected, doubtful, odd or stuck."""
    if row.polls >= STUCK_POLLS and row.status not in FINAL:
        return f"stuck: no verdict in {row.polls} answers"
    return contradiction(row.number, row.wa_id) or row.problem


def run_row(found: Overview, locks: Path) -> RunRow:
    """Return a run as other programs get it; `locks` is where its driver would hold one."""
    record, options = found.record, found.record.options
    numbers = {status: count.numbers for status, count in found.tally.items()}
    return RunRow(
        run_id=record.id,
        state=run_state(record, locks),
        source=", ".join(found.sources),
        profile=options.profile,
        server=options.server,
        region=options.region,
        server_version=record.server_version,
        created_at=iso(record.created_at),
        started_at=iso(record.started_at),
        ended_at=iso(record.ended_at),
        rows=record.rows,
        rejected=record.rejected,
        numbers=record.numbers,
        valid=numbers.get(Status.VALID, 0),
        invalid=numbers.get(Status.INVALID, 0),
        failed=numbers.get(Status.FAILED, 0),
        left=left_of(found.tally),
        rechecks=options.rechecks,
    )


def run_state(record: RunRecord, locks: Path) -> str:
    """Return where a run stands, in a word: `unfinished` where it was begun and nobody asks about it any more."""
    if record.state is RunState.RUNNING and (record.driver is None or is_gone(locks, record.driver)):
        return "unfinished"
    return record.state.value


def left_of(tally: Tally) -> int:
    """Return how many numbers have no final status."""
    return sum(count.numbers for status, count in tally.items() if status not in FINAL)


def final_of(tally: Tally) -> int:
    """Return how many numbers have a final status."""
    return sum(count.numbers for status, count in tally.items() if status in FINAL)


def summary_of(reader: Reader, run_id: int) -> Summary:
    """Return what is in a list; fresh is what a server still has in its cache (contract section 1)."""
    return reader.summary(run_id)._replace(fresh=reader.fresh(run_id, time.time() - CACHE_SECONDS))


def requests_needed(record: RunRecord) -> int:
    """Return how many requests ask about every number of a draft once."""
    return math.ceil(record.numbers / record.options.batch_size)


def skipped_in_words(record: RunRecord) -> str:
    """Return the rows that hold no number by their nature, by kind, ready to stand behind a comma."""
    kinds = (("header", record.header), ("blank", record.blank), ("comment", record.comment))
    return "".join(f", {counted(count, kind)}" for kind, count in kinds if count)


def reasons_in_words(found: Summary) -> str:
    """Return why rows are rejected, and how many for each reason."""
    return ", ".join(f"{count:,} × {problem}" for problem, count in found.problems)
