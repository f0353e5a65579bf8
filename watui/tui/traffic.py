"""The exchanges that the Traffic screen shows. It knows no widget."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from watui.client.exchanges import Exchange, Exchanges
from watui.contract.models import CheckRequest
from watui.traffic.words import contact_of, headers, holds, is_check, path

if TYPE_CHECKING:
    from watui.desk import Desk
    from watui.simulator.control import ContactState
    from watui.simulator.record import Latest

MOST_CONTACTS = 20
"""Inputs of one check of which it is told how the simulator reads them."""

SAME_SECONDS = 2.0
"""By which two clocks may tell the moment of one request differently."""


class Traffic:
    """The latest exchanges, or those of them that hold a text. What is shown stays as it is until `look` is called."""

    def __init__(self, exchanges: Exchanges) -> None:
        self.rows: Sequence[Exchange] = ()
        self.wanted = ""
        """Text that the exchanges hold; empty for all."""
        self._exchanges = exchanges
        self._found: deque[Exchange] = deque()
        self._read = 0
        """Number of the latest exchange that was searched."""
        self._looked = 0
        """And of the latest one that there was when it was looked at."""

    @property
    def has_come(self) -> bool:
        """Whether anything has come since it was looked at, wanted or not."""
        return self._exchanges.count > self._looked

    @property
    def newer(self) -> int:
        """Exchanges that came since it was looked at and would be shown."""
        self._search()
        return sum(exchange.number > self._looked for exchange in self._found) if self.has_come else 0

    @property
    def lost(self) -> int:
        """Exchanges that are not kept any more."""
        return next(iter(self._exchanges)).number - 1 if self._exchanges.count else 0

    def search(self, text: str) -> None:
        """Want the exchanges that hold `text`, and look."""
        self.wanted, self._read = text, 0
        self._found.clear()
        self.look()

    def look(self) -> None:
        """Take the exchanges that there are now."""
        self._search()
        self._looked = self._exchanges.count
        self.rows = tuple(self._found)

    def _search(self) -> None:
        """Find what is wanted among the exchanges that there are now; each is searched once."""
        for exchange in self._exchanges:
            if exchange.number > self._read and (not self.wanted or holds(exchange, self.wanted)):
                self._found.append(exchange)
        while self._found and self._found[0].number <= self.lost:
            self._found.popleft()
        self._read = self._exchanges.count

    def place_of(self, number: int) -> int:
        """Return where the exchange of that number is, or the next one that is still there."""
        return next((place for place, each in enumerate(self.rows) if each.number >= number), len(self.rows) - 1)


def question(exchange: Exchange) -> CheckRequest | None:
    """Return what was asked in a check; None where it was no check, or can't be read whole."""
    if not is_check(exchange) or exchange.request_left_out:
        return None
    try:
        asked = msgspec.json.decode(exchange.request, type=CheckRequest)
    except msgspec.DecodeError:
        return None
    return asked if asked.contacts else None


class Backstage(NamedTuple):
    """What the simulator knows of an exchange."""

    latest: Latest | None
    """What it did; None where it does not tell, or no more."""
    contacts: Sequence[ContactState] = ()
    """What it knows now of the contacts that were named, MOST_CONTACTS at most."""
    is_known: bool = True
    """Whether it was asked at all."""


NOT_YET = Backstage(None, is_known=False)


async def look_backstage(desk: Desk, exchange: Exchange) -> Backstage:
    """Ask the embedded simulator about an exchange. Raises OSError."""
    number = number_of(exchange)
    state = await desk.look_backstage(number - 1 if number is not None else 0)
    latest = told_of(exchange, state.latest) if state is not None else None
    contact, asked = contact_of(exchange), question(exchange)
    named = [contact] if contact is not None else asked.contacts[:MOST_CONTACTS] if asked is not None else []
    return Backstage(latest, await desk.contacts_backstage(named) if named else ())


def number_of(exchange: Exchange) -> int | None:
    """Return the number that the simulator gave an exchange; None where no answer of it came."""
    from watui.simulator.wire import NUMBER_HEADER

    for name, value in headers(exchange.response_head):
        if name.lower() == NUMBER_HEADER.lower() and value.isascii() and value.isdigit():
            return int(value)
    return None


def told_of(exchange: Exchange, latest: Sequence[Latest]) -> Latest | None:
    """Return what the simulator tells of an exchange; of one without an answer, by the moment of its request."""
    # Where it answers as of another country its own path has a prefix.
    same = [each for each in latest if each.method == exchange.method and path(exchange).endswith(each.path)]
    if (number := number_of(exchange)) is not None:
        return next((each for each in same if each.seq == number), None)
    unanswered = [each for each in same if not each.status and abs(each.at - exchange.at) < SAME_SECONDS]
    return min(unanswered, key=lambda each: abs(each.at - exchange.at), default=None)
