"""Reads the blocklist while others change it (contract section 2).

A page is asked for by its offset, so an entry that goes away before it moves all later ones, and the next page would
begin too late. Each request therefore begins with the last entry of the page before: where another one stands in its
place, the list has moved. A list that has changed is read once more from its end to its front, against the movement,
and what was missed is met then: whoever was on the list all the time is met once, whoever came or went meanwhile may
be. One case can't be seen: that entries of a page went, and its last one was blocked anew in the very place where it is
looked for.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import NamedTuple

from watui.client.contacts import Page
from watui.client.exchanges import NO_WHY, Why, because
from watui.client.failures import Overloaded, Unusable
from watui.client.pacing import PACING, Remedy, Trouble
from watui.contract.rules import MAX_PAGE

Ask = Callable[[int, int], Awaitable[Page]]
"""Asks for a page, by limit and offset."""


LONGEST_WAIT = 30.0
"""Seconds before the same page is asked for once more; who asks for a longer wait is not waited for."""


class Part(NamedTuple):
    """Entries that were not known before."""

    wa_ids: tuple[str, ...]
    known: int
    """Entries known by now."""
    total: int
    """Of the whole list, as the latest answer says."""
    has_changed: bool
    """Whether the list has changed since reading began."""


def patient(ask: Ask) -> Ask:
    """Return `ask`, asking again where that was too quick: a long list takes more requests than a burst allows."""

    async def asked(limit: int, offset: int) -> Page:
        trouble = Trouble(random.SystemRandom(), PACING)
        why = NO_WHY
        while True:
            sent_at = time.monotonic()
            try:
                with because(why):
                    return await ask(limit, offset)
            except Overloaded as failure:
                why = Why("", why.attempt + 1, failure.outcome)
                now = time.monotonic()
                trouble.failed(failure, Remedy.TIME, sent_at, now)
                if trouble.until - now > LONGEST_WAIT:
                    raise
                await asyncio.sleep(trouble.until - now)

    return asked


class _Reading:
    """What is known of the list so far."""

    def __init__(self) -> None:
        self.known: dict[str, None] = {}
        self.total: int | None = None
        self.has_changed = False

    def take(self, page: Page, before: str | None) -> Part:
        """Take note of a page, which should begin with `before`."""
        fresh = tuple(wa_id for wa_id in dict.fromkeys(page.wa_ids) if wa_id not in self.known)
        expected = fresh if before is None else (before, *fresh)
        self.has_changed |= page.wa_ids != expected or self.total not in (None, page.total)
        self.total = page.total
        self.known.update(dict.fromkeys(fresh))
        return Part(fresh, len(self.known), page.total, self.has_changed)


async def read_all(ask: Ask, limit: int = MAX_PAGE) -> AsyncIterator[Part]:
    """Yield the whole list, a part an answer, each wa_id once. `limit` is 2 to 200. Raises Failure."""
    reading = _Reading()
    offset, before = 0, None
    while True:
        page = await ask(limit, offset)
        yield reading.take(page, before)
        if offset + len(page.wa_ids) >= page.total:
            break
        if len(page.wa_ids) < (1 if before is None else 2):
            raise Unusable(f"the blocklist says that it has {page.total:,} entries, and does not give them")
        offset, before = offset + len(page.wa_ids) - 1, page.wa_ids[-1]
    if reading.has_changed:
        for start in _backwards(page.total, limit):
            yield reading.take(await ask(limit, start), None)


def _backwards(total: int, limit: int) -> Iterator[int]:
    """Yield the offsets of pages from the end of the list to its front."""
    start = total
    while start > 0:
        start = max(0, start - limit)
        yield start


async def read_page(ask: Ask, limit: int, offset: int, before: str | None) -> Page | None:
    """Return a page of 1 to 200 entries, None where the list has moved: `before` does not stand just before it.

    Without `before` there is nothing to compare. Raises Failure.
    """
    if offset == 0 or before is None:
        return await ask(limit, offset)
    if limit < MAX_PAGE:
        page = await ask(limit + 1, offset - 1)
        first, rest = page.wa_ids[:1], page.wa_ids[1:]
        return Page(rest, offset, page.total) if first == (before,) else None
    page = await ask(limit, offset)
    return page if (await ask(1, offset - 1)).wa_ids == (before,) else None
