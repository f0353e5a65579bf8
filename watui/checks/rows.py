"""What a run and its rows say to other programs."""

from pathlib import Path

from watui.checks.cost import known_since
from watui.checks.standing import known_of, left_of, note_of
from watui.contract.conversion import country_code
from watui.contract.list_regions import find_list_region
from watui.contract.statuses import Status
from watui.export.rows import ResultRow, RunRow, iso
from watui.ledger.drivers import is_gone
from watui.ledger.known import fresh, polled
from watui.ledger.reader import Reader
from watui.ledger.rows import QUEUED, Overview, Row, RunRecord, RunState, Summary

_SAMPLE = 200
"""Numbers without `+` by which their country is found."""


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
        note_of(row) or known_of(row),
        row.duplicate_of,
        iso(row.checked_at),
        row.server_version,
        row.known_from,
    )


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


def summary_of(reader: Reader, run_id: int) -> Summary:
    """Return what is in a list, and what other runs tell of it."""
    options = reader.run(run_id).options
    bare, misread, sample = reader.bare(run_id, country_code(options.region), _SAMPLE)
    since = known_since(options)
    return reader.summary(run_id)._replace(
        fresh=fresh(reader, run_id, since) if since is not None else 0,
        polled=polled(reader, run_id),
        bare=bare,
        misread=misread,
        list_region=find_list_region(sample, options.region),
    )
