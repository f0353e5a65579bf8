"""The trail: every change of a contact, written down as intent before it is sent and as outcome after.

Changes that a person confirmed together are a batch. Functions take the Ledger, or the Reader, that they act on.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from watui.ledger.ledger import Ledger
from watui.ledger.reader import IN_PART, PARTS, Reader
from watui.ledger.schema import LedgerUnusable


class Kind(StrEnum):
    """What is done to a contact."""

    BLOCK = "block"
    UNBLOCK = "unblock"
    REPORT = "report"
    ACKNOWLEDGE = "acknowledge"


class Outcome(StrEnum):
    """How an action stands."""

    PLANNED = "planned"
    """Not sent yet."""
    SENT = "sent"
    """About to be sent, or sent: no answer is written down."""
    DONE = "done"
    """The server did it."""
    UNCHANGED = "unchanged"
    """It was so already; nothing was sent."""
    REFUSED = "refused"
    """The server said no."""
    FAILED = "failed"
    """It did not happen."""
    UNKNOWN = "unknown"
    """It was sent, and nobody knows what became of it."""
    LEFT_OUT = "left out"
    """Never sent: no number, or changed by somebody else since."""


class Wish(NamedTuple):
    """What a person wants done to contacts."""

    kind: Kind
    reason: str | None = None
    message_id: str | None = None
    """Of the message that is reported."""
    hash: str | None = None
    """Of the identity that is acknowledged."""
    also_block: bool = False
    """Whether a report blocks as well."""
    undoes: int | None = None
    """The batch that it takes back."""


class Place(NamedTuple):
    """Where changes are made, and in whose name."""

    server: str
    profile: str
    by: str


class NewAction(NamedTuple):
    """One contact of a batch."""

    input: str
    number: str | None
    """E.164, None where it is not known."""
    wa_id: str | None
    """As a server told, else the one that is usual for the number."""
    target: str
    """What stands for the contact in the request's path."""
    outcome: Outcome
    note: str | None = None
    """Why it is not sent, if it isn't."""


class Action(NamedTuple):
    """An action as it stands, with what its batch says."""

    id: int
    batch_id: int
    kind: Kind
    server: str
    profile: str
    by: str
    reason: str | None
    message_id: str | None
    hash: str | None
    also_block: bool
    undoes: int | None
    created_at: float
    input: str
    number: str | None
    wa_id: str | None
    target: str
    outcome: Outcome
    sent_at: float | None
    """When it was sent last, in seconds since 1970."""
    ended_at: float | None
    code: int | None
    """Error code of the answer."""
    note: str | None
    """The answer in words, or why it was not sent."""

    @property
    def wish(self) -> Wish:
        """What was wanted of its batch."""
        return Wish(self.kind, self.reason, self.message_id, self.hash, self.also_block, self.undoes)


class Verdict(NamedTuple):
    """What a server once said of a number."""

    run_id: int
    status: str
    wa_id: str | None
    checked_at: float
    server_version: str | None


class Known(NamedTuple):
    """What the ledger knows of an entry of a blocklist."""

    number: str | None = None
    status: str | None = None
    """The latest."""
    server_version: str | None = None
    blocked_at: float | None = None
    """When it was blocked from here, and not unblocked since."""
    reason: str | None = None
    by: str | None = None


# Writing


def add_batch(ledger: Ledger, wish: Wish, place: Place, driver: str, actions: Iterable[NewAction]) -> list[int]:
    """Write down a batch and all of its actions; return the ids of the actions, in order.

    `driver` is the id of the process that carries it out.
    """
    now = time.time()
    with ledger.transaction() as db:
        batch_id = db.execute(
            "INSERT INTO batch (kind, reason, message_id, hash, also_block, undoes, server, profile, by, driver,"
            " created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*wish, *place, driver, now),
        ).lastrowid
        ids = []
        for action in actions:
            is_over = action.outcome is not Outcome.PLANNED
            row = (batch_id, *action, now if is_over else None)
            cursor = db.execute(
                "INSERT INTO action (batch_id, input, number, wa_id, target, outcome, note, ended_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                row,
            )
            assert cursor.lastrowid is not None
            ids.append(cursor.lastrowid)
    return ids


def sent(ledger: Ledger, action_id: int) -> None:
    """Write down that an action is about to be sent."""
    with ledger.transaction() as db:
        db.execute(
            "UPDATE action SET outcome = ?, sent_at = ? WHERE action_id = ?", (Outcome.SENT, time.time(), action_id)
        )


def ended(ledger: Ledger, ends: Sequence[tuple[int, Outcome, int | None, str | None]]) -> None:
    """Write down how actions ended: id, outcome, error code, and the answer in words."""
    now = time.time()
    with ledger.transaction() as db:
        db.executemany(
            "UPDATE action SET outcome = ?, code = ?, note = ?, ended_at = ? WHERE action_id = ?",
            [(outcome, code, note, now, action_id) for action_id, outcome, code, note in ends],
        )


def settled(ledger: Ledger, ends: Sequence[tuple[int, Outcome, Outcome, int | None, str | None]]) -> set[int]:
    """Write down how actions ended that were cut short: id, the outcome that was seen, then as in `ended`.

    Returns the ids of those that were; who has another outcome by now is left alone.
    """
    now = time.time()
    with ledger.transaction() as db:
        return {
            action_id
            for action_id, seen, outcome, code, note in ends
            if db.execute(
                "UPDATE action SET outcome = ?, code = ?, note = ?, ended_at = ? WHERE action_id = ? AND outcome = ?",
                (outcome, code, note, now, action_id, seen),
            ).rowcount
        }


def decide(ledger: Ledger, action_id: int, outcome: Outcome, note: str) -> None:
    """Write down what a person says of an action whose outcome is unknown. Raises LedgerUnusable for any other."""
    with ledger.transaction() as db:
        changed = db.execute(
            "UPDATE action SET outcome = ?, note = ?, ended_at = ? WHERE action_id = ? AND outcome = ?",
            (outcome, note, time.time(), action_id, Outcome.UNKNOWN),
        ).rowcount
        if changed == 0:
            raise LedgerUnusable(f"action {action_id} is none whose outcome is unknown")


# Reading

_ACTION = """
SELECT a.action_id, a.batch_id, b.kind, b.server, b.profile, b.by, b.reason, b.message_id, b.hash, b.also_block,
       b.undoes, b.created_at, a.input, a.number, a.wa_id, a.target, a.outcome, a.sent_at, a.ended_at, a.code, a.note
FROM action a JOIN batch b ON b.batch_id = a.batch_id
"""


_CHANGED_SINCE = """
EXISTS (
    SELECT 1 FROM action l JOIN batch b ON b.batch_id = l.batch_id
    WHERE b.server = :server AND l.batch_id > a.batch_id
    AND (l.outcome = 'done' OR l.outcome = 'unknown' AND b.undoes IS NOT f.batch_id)
    AND (b.kind = f.kind OR f.kind IN ('block', 'unblock') AND (b.kind IN ('block', 'unblock') OR b.also_block))
    AND (b.kind <> 'report' OR f.kind <> 'report' OR b.message_id IS f.message_id)
    AND (l.number = a.number OR l.wa_id = a.wa_id OR l.target = a.target)
)
"""
# Whether the same, or its contrary, was done later to the contact of action `a` of batch `f`.


def batch(reader: Reader, batch_id: int) -> list[Action]:
    """Return the actions of a batch, in order."""
    return _actions(reader, "WHERE a.batch_id = ? ORDER BY a.action_id", batch_id)


def batch_of(reader: Reader, action_id: int) -> list[Action]:
    """Return the actions of the batch that an action belongs to, in order; none where there is no such action."""
    return _actions(
        reader,
        "WHERE a.batch_id = (SELECT batch_id FROM action WHERE action_id = ?) ORDER BY a.action_id",
        action_id,
    )


def latest(reader: Reader, most: int) -> list[Action]:
    """Return the latest actions, the newest first."""
    return _actions(reader, "ORDER BY a.action_id DESC LIMIT ?", most)


def of_contact(reader: Reader, number: str | None, wa_id: str | None, server: str | None = None) -> list[Action]:
    """Return every action on a contact, known by its number or its wa_id, the newest first."""
    return _actions(
        reader,
        "WHERE (a.number = ? OR a.wa_id = ?) AND (? IS NULL OR b.server = ?) ORDER BY a.action_id DESC",
        number,
        wa_id,
        server,
        server,
    )


def unsettled(reader: Reader, server: str) -> dict[str, list[Action]]:
    """Return, by driver, the actions at a server that have no outcome, or an unknown one that can be found out."""
    rows = reader.query(
        _ACTION.replace("SELECT", "SELECT b.driver,")
        + "WHERE b.server = ? AND (a.outcome IN (?, ?) OR (a.outcome = ? AND b.kind <> ?)) ORDER BY a.action_id",
        (server, Outcome.PLANNED, Outcome.SENT, Outcome.UNKNOWN, Kind.REPORT),
    )
    found: dict[str, list[Action]] = {}
    for driver, *row in rows:
        found.setdefault(driver, []).append(_action(row))
    return found


def latest_batch(reader: Reader, server: str) -> int | None:
    """Return the latest block or unblock that can be taken back: not all that it did was changed again since.

    One whose taking back was cut short was not taken back.
    """
    rows = reader.query(
        "SELECT max(f.batch_id) FROM batch f WHERE f.server = :server AND f.kind IN ('block', 'unblock')"
        " AND f.undoes IS NULL AND NOT EXISTS (SELECT 1 FROM batch u WHERE u.undoes = f.batch_id AND NOT EXISTS ("
        " SELECT 1 FROM action o WHERE o.batch_id = u.batch_id"
        " AND o.outcome IN ('planned', 'sent', 'failed', 'unknown')))"
        " AND EXISTS (SELECT 1 FROM action a WHERE a.batch_id = f.batch_id"
        f" AND a.outcome = 'done' AND NOT {_CHANGED_SINCE})",
        {"server": server},
    )
    return next((batch_id for (batch_id,) in rows), None)


def recent_reasons(reader: Reader, most: int) -> list[str]:
    """Return reasons that were given lately, each once, the latest first."""
    rows = reader.query(
        "SELECT reason FROM batch WHERE reason IS NOT NULL GROUP BY reason ORDER BY max(batch_id) DESC LIMIT ?", (most,)
    )
    return [reason for (reason,) in rows]


def recent_message_ids(reader: Reader, number: str | None) -> list[str]:
    """Return the ids of messages of a contact that were reported, the latest first."""
    rows = reader.query(
        "SELECT b.message_id FROM action a JOIN batch b ON b.batch_id = a.batch_id"
        " WHERE a.number = ? AND b.message_id IS NOT NULL GROUP BY 1 ORDER BY max(a.action_id) DESC",
        (number,),
    )
    return [message_id for (message_id,) in rows]


def history(reader: Reader, server: str, number: str) -> list[Verdict]:
    """Return what a server said of a number (E.164), the latest first."""
    rows = reader.query(
        f"WITH RECURSIVE {PARTS.format('server = ?')}"
        " SELECT n.run_id, n.status, n.wa_id, n.checked_at, n.server_version"
        f" FROM part CROSS JOIN number n INDEXED BY number_checked ON {IN_PART} AND n.key = ?"
        " WHERE n.checked_at IS NOT NULL ORDER BY n.checked_at DESC",
        (server, number),
    )
    return list(map(Verdict._make, rows))


def known(reader: Reader, server: str, wa_ids: Sequence[str]) -> dict[str, Known]:
    """Return what is known of the entries of a server's blocklist; who is not known is missing."""
    if not wa_ids:
        return {}
    marks = ",".join("?" * len(wa_ids))
    found: dict[str, Known] = {}
    rows = reader.query(
        f"WITH RECURSIVE {PARTS.format('server = ?')}"
        " SELECT n.wa_id, n.number, n.status, n.server_version, n.checked_at AS at"
        f" FROM part CROSS JOIN number n INDEXED BY number_other_wa_id ON {IN_PART} AND n.wa_id IN ({marks})"
        " WHERE '+' || n.wa_id <> n.key"
        " UNION ALL SELECT n.wa_id, n.number, n.status, n.server_version, n.checked_at"
        f" FROM part CROSS JOIN number n INDEXED BY number_checked ON {IN_PART} AND n.key IN ({marks})"
        " WHERE '+' || n.wa_id = n.key AND n.checked_at IS NOT NULL ORDER BY at",
        (server, *wa_ids, *(f"+{wa_id}" for wa_id in wa_ids)),
    )
    for wa_id, number, status, version, _ in rows:
        found[wa_id] = Known(number, status, version)
    rows = reader.query(
        "SELECT a.wa_id, a.number, b.kind, b.also_block, coalesce(a.ended_at, a.sent_at), b.reason, b.by"
        " FROM action a JOIN batch b ON b.batch_id = a.batch_id"
        f" WHERE a.wa_id IN ({marks}) AND b.server = ? AND a.outcome = '{Outcome.DONE}' ORDER BY a.action_id",
        (*wa_ids, server),
    )
    for wa_id, number, kind, also_block, at, reason, by in rows:
        before = found.get(wa_id, Known())
        before = before._replace(number=before.number or number)
        if kind == Kind.BLOCK or (kind == Kind.REPORT and also_block and before.blocked_at is None):
            before = before._replace(blocked_at=at, reason=reason, by=by)
        elif kind == Kind.UNBLOCK:
            before = before._replace(blocked_at=None, reason=None, by=None)
        found[wa_id] = before
    return found


def changed_since(reader: Reader, server: str, batch_id: int) -> set[str]:
    """Return the targets of a batch to whom the same, or its contrary, was done by a later one.

    Reports of two messages are two things.
    """
    rows = reader.query(
        "SELECT DISTINCT a.target FROM action a JOIN batch f ON f.batch_id = a.batch_id"
        f" WHERE a.batch_id = :batch_id AND {_CHANGED_SINCE}",
        {"batch_id": batch_id, "server": server},
    )
    return {target for (target,) in rows}


def told_wa_ids(reader: Reader, server: str, numbers: Sequence[str]) -> dict[str, str]:
    """Return the wa_ids that a server told of `numbers` (E.164), by number; who was never told is missing."""
    if not numbers:
        return {}
    marks = ",".join("?" * len(numbers))
    rows = reader.query(
        f"WITH RECURSIVE {PARTS.format('server = ?')} SELECT n.number, n.wa_id"
        f" FROM part CROSS JOIN number n INDEXED BY number_checked ON {IN_PART} AND n.key IN ({marks})"
        " WHERE n.wa_id IS NOT NULL AND n.number IS NOT NULL AND n.checked_at IS NOT NULL ORDER BY n.checked_at",
        (server, *numbers),
    )
    return dict(rows)


def _actions(reader: Reader, condition: str, *values: object) -> list[Action]:
    return [_action(row) for row in reader.query(_ACTION + condition, values)]


def _action(row: Sequence[object]) -> Action:
    action = Action._make(row)
    return action._replace(kind=Kind(action.kind), also_block=bool(action.also_block), outcome=Outcome(action.outcome))
