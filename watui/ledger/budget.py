"""The budget of a server's number: its checks, counted against the messages that it has sent.

It is a running total since the budget began, by no calendar: a clock has no say in it. It belongs to the server, so
that all profiles and processes that ask there share it. Functions take the Ledger, or the Reader, that they act on.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import Budget
from watui.ledger.trail import Place

_NO_DAY = ""
"""Of messages that were entered by no day."""


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


class NeverEntered(Exception):
    """Less was entered than is to be taken back; the message says how much."""


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
    with ledger.transaction() as db:
        _enter(db, place, EntryKind.MESSAGES, {_NO_DAY: messages})


def set_days(ledger: Ledger, place: Place, days: Mapping[str, int]) -> None:
    """Enter how many messages were sent on days (ISO 8601); what was entered for one of them before is replaced."""
    with ledger.transaction() as db:
        _enter(db, place, EntryKind.MESSAGES, days, replaces=True)


def go_over(ledger: Ledger, place: Place, calls: int) -> None:
    """Let so many calls be made beyond the messages."""
    with ledger.transaction() as db:
        _enter(db, place, EntryKind.OVER, {}, over=calls)


def take_back(ledger: Ledger, place: Place, kind: EntryKind, number: int) -> None:
    """Take back so many messages that were entered by no day, or calls over them. Raises NeverEntered."""
    by_no_day = "SELECT messages FROM sent_messages WHERE server = ? AND day = ?", (place.server, _NO_DAY)
    over = "SELECT over FROM budget WHERE server = ?", (place.server,)
    with ledger.transaction() as db:
        entered = db.execute(*(over if kind is EntryKind.OVER else by_no_day)).fetchone() or (0,)
        if entered[0] < number:
            raise NeverEntered(f"no more than {entered[0]:,} was entered")
        if kind is EntryKind.OVER:
            _enter(db, place, kind, {}, over=-number)
        else:
            _enter(db, place, kind, {_NO_DAY: -number})


def _enter(
    db: sqlite3.Connection,
    place: Place,
    kind: EntryKind,
    days: Mapping[str, int],
    *,
    replaces: bool = False,
    over: int = 0,
) -> None:
    """Add messages of `days` to those that there are, or replace those, and calls to those `over` them."""
    named = {"server": place.server, "over": over}
    db.execute("INSERT INTO budget (server) VALUES (:server) ON CONFLICT DO NOTHING", named)
    stands = "SELECT messages, over, calls FROM budget WHERE server = :server"
    before = Budget(*db.execute(stands, named).fetchone())
    db.executemany(
        "INSERT INTO sent_messages (server, day, messages) VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
        f" SET messages = excluded.messages{'' if replaces else ' + messages'}",
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
