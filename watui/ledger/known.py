"""What other runs tell of a list: answers of the same server for the same region, and how it was polled.

Functions take the Ledger, or the Reader, that they act on.
"""

from __future__ import annotations

import sqlite3

from watui.ledger import schema
from watui.ledger.ledger import Ledger
from watui.ledger.reader import IN_PART, PARTS, Reader
from watui.ledger.rows import QUEUED, Polled, RunState

AT_ONCE = 20_000
"""Answers that one transaction takes over: short enough that others can write in between."""

LATEST = 5
"""Runs of which it is told how they were polled."""

_OTHERS = (
    "id <> :run_id AND (server, region) = (SELECT server, region FROM run WHERE id = :run_id)"
    f" AND started_at IS NOT NULL AND state <> '{RunState.DISCARDED}' AND (ended_at IS NULL OR ended_at >= :since)"
)
_COUNTS = "n.final = 1 AND n.status <> 'failed' AND n.checked_at >= :since"
_ANSWER = "n.status, n.wa_id, n.checked_at, n.server_version, coalesce(n.known_from, n.run_id) AS known_from"

_OF_A_SHORT_LIST = f"""
WITH RECURSIVE {PARTS.format(_OTHERS)}
SELECT own.number_id, status, wa_id, max(checked_at), server_version, known_from FROM (
    SELECT own.number_id, {_ANSWER} FROM part
    CROSS JOIN number own CROSS JOIN number n INDEXED BY number_checked ON {IN_PART} AND n.key = own.key
    WHERE own.run_id = :run_id AND {_COUNTS}
) own GROUP BY own.number_id
"""
_OF_A_LONG_LIST = f"""
SELECT sum(number_id), status, wa_id, max(checked_at), server_version, known_from FROM (
    SELECT key, number_id, NULL AS status, NULL AS wa_id, NULL AS checked_at, NULL AS server_version, NULL AS known_from
    FROM number WHERE run_id = :run_id
    UNION ALL
    SELECT n.key, NULL, {_ANSWER} FROM (SELECT id FROM run WHERE {_OTHERS}) CROSS JOIN number n ON n.run_id = id
    WHERE {_COUNTS}
) GROUP BY key HAVING count(number_id) AND count(checked_at)
"""
# The latest answer of each number: SQLite takes the other columns from the row of the maximum. A list that is longer
# than a part is quicker put in order together with all answers than looked for in each part.


def fresh(reader: Reader, run_id: int, since: float) -> int:
    """Return how many numbers have a verdict from `since` on, of the same server for the same region."""
    answers = _answers(reader.run(run_id).numbers)
    return int(next(reader.query(f"SELECT count(*) FROM ({answers})", {"run_id": run_id, "since": since}))[0])


def find_known(ledger: Ledger, run_id: int) -> None:
    """Look up what is known of a run that takes it over, for `take_known`."""
    with ledger.transaction(writes=False) as db:
        numbers, since = db.execute("SELECT numbers, known_since FROM run WHERE id = ?", (run_id,)).fetchone()
        db.execute("DROP TABLE IF EXISTS known")
        db.execute(
            "CREATE TEMP TABLE known"
            " (number_id INTEGER PRIMARY KEY, status, wa_id, checked_at, server_version, known_from)"
        )
        db.execute(f"INSERT INTO known SELECT * FROM ({_answers(numbers)})", {"run_id": run_id, "since": since})


def take_known(ledger: Ledger, run_id: int) -> bool:
    """Give some numbers of a run the answers that `find_known` has found; return whether there are more.

    What was asked by then is left alone. An answer keeps its time and its version, and says which run got it.
    """
    with ledger.transaction() as db:
        part = {"run_id": run_id, "last": _last_of_part(db)}
        db.execute(
            "CREATE TEMP TABLE taken AS SELECT k.*, n.rows FROM known k CROSS JOIN number n ON n.run_id = :run_id"
            f" AND n.number_id = k.number_id WHERE k.number_id <= :last AND n.status = '{QUEUED}' AND n.asked = 0",
            part,
        )
        db.execute(
            "UPDATE number SET final = 1, status = t.status, wa_id = t.wa_id, checked_at = t.checked_at,"
            " server_version = t.server_version, known_from = t.known_from"
            " FROM taken t WHERE number.run_id = :run_id AND number.number_id = t.number_id",
            part,
        )
        db.execute(
            "INSERT INTO tally SELECT :run_id, status, count(*), sum(rows) FROM taken GROUP BY status UNION ALL"
            f" SELECT :run_id, '{QUEUED}', -count(*), -coalesce(sum(rows), 0) FROM taken WHERE 1 {schema.ADDED}",
            part,
        )
        db.execute(
            "UPDATE run SET server_version = t.server_version FROM"
            " (SELECT server_version FROM taken ORDER BY checked_at DESC LIMIT 1) t WHERE id = :run_id",
            part,
        )
        db.execute("DROP TABLE taken")
        db.execute("DELETE FROM known WHERE number_id <= :last", part)
        return bool(db.execute("SELECT EXISTS (SELECT 1 FROM known)").fetchone()[0])


def _last_of_part(db: sqlite3.Connection) -> int:
    """Return the last number that is taken over in one transaction."""
    found = db.execute("SELECT max(number_id) FROM (SELECT number_id FROM known ORDER BY 1 LIMIT ?)", (AT_ONCE,))
    return int(found.fetchone()[0] or 0)


def polled(reader: Reader, run_id: int) -> list[Polled]:
    """Return how the latest runs that ended at the server of a run were polled, the latest one first.

    A question that got no answer tells nothing of that: it was asked once more.
    """
    found = reader.query(
        "SELECT sum(a.numbers - a.polls), r.batch_size, sum(a.polls > 0) FROM ask a JOIN run r ON r.id = a.run_id"
        " WHERE (r.server, r.blocking) = (SELECT server, blocking FROM run WHERE id = ?) AND r.state = ?"
        " AND a.answered_at IS NOT NULL AND a.failure IS NULL"
        " GROUP BY r.id ORDER BY r.id DESC LIMIT ?",
        (run_id, RunState.DONE, LATEST),
    )
    return [Polled(*row) for row in found]


def _answers(numbers: int) -> str:
    """Return the statement that selects what is known of a list of so many numbers."""
    return _OF_A_SHORT_LIST if numbers <= schema.PART_NUMBERS else _OF_A_LONG_LIST
