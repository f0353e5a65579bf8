"""The budget of a server's number: its checks, counted against the messages that it has sent.

It is a running total since the budget began, by no calendar: a clock has no say in it. It belongs to the server, so
that all profiles and processes that ask there share it. Functions take the Ledger, or the Reader, that they act on.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import Budget
from watui.ledger.trail import Place


class EntryKind(StrEnum):
    """What a person has entered."""

    MESSAGES = "messages sent"
    OVER = "over the budget"
    """Calls that are made all the same."""


class Entry(NamedTuple):
    """What a person has entered, with how the budget stood then."""

    at: float
    """In seconds since 1970."""
    kind: EntryKind
    number: int
    """Of messages, or of calls."""
    server: str
    profile: str
    by: str
    calls: int
    """Made by then."""
    allowed: int
    """Before this."""


def budget_of(reader: Reader, server: str) -> Budget:
    """Return how the budget of a server stands; one that nobody has begun allows no call."""
    found = reader.query("SELECT messages, over, calls FROM budget WHERE server = ?", (server,))
    return next((Budget(*row) for row in found), Budget())


def entries(reader: Reader, most: int) -> list[Entry]:
    """Return what was entered for any server, the latest first."""
    found = reader.query(
        "SELECT at, kind, number, server, profile, by, calls, allowed FROM budget_entry ORDER BY entry_id DESC LIMIT ?",
        (most,),
    )
    return [Entry(at, EntryKind(kind), *rest) for at, kind, *rest in found]


def add_messages(ledger: Ledger, place: Place, messages: int) -> None:
    """Enter that so many messages were sent."""
    _enter(ledger, place, EntryKind.MESSAGES, {"": messages}, is_more=True)


def set_days(ledger: Ledger, place: Place, days: Mapping[str, int]) -> None:
    """Enter how many messages were sent on days (ISO 8601); what was entered for one of them before is replaced."""
    _enter(ledger, place, EntryKind.MESSAGES, days, is_more=False)


def go_over(ledger: Ledger, place: Place, calls: int) -> None:
    """Let so many calls be made beyond the messages."""
    _enter(ledger, place, EntryKind.OVER, {}, is_more=True, over=calls)


def _enter(
    ledger: Ledger, place: Place, kind: EntryKind, days: Mapping[str, int], *, is_more: bool, over: int = 0
) -> None:
    named = {"server": place.server, "over": over}
    with ledger.transaction() as db:
        db.execute("INSERT INTO budget (server) VALUES (:server) ON CONFLICT DO NOTHING", named)
        stands = "SELECT messages, over, calls FROM budget WHERE server = :server"
        before = Budget(*db.execute(stands, named).fetchone())
        db.executemany(
            "INSERT INTO sent_messages (server, day, messages) VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
            f" SET messages = excluded.messages{' + messages' if is_more else ''}",
            [(place.server, day, messages) for day, messages in days.items()],
        )
        db.execute(
            "UPDATE budget SET over = over + :over, messages ="
            " (SELECT coalesce(sum(messages), 0) FROM sent_messages WHERE server = :server) WHERE server = :server",
            named,
        )
        now = Budget(*db.execute(stands, named).fetchone())
        db.execute(
            "INSERT INTO budget_entry (at, kind, number, server, profile, by, calls, allowed)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (time.time(), kind, over or now.messages - before.messages, *place, before.calls, before.allowed),
        )
