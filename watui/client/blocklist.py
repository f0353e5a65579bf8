"""Reads the blocklist while others change it (contract section 2).

A page is asked for by its offset, so an entry that goes away before it moves all later ones, and the next page would
begin too late. Each request therefore begins with the last entry that is known already: where another one stands in its
place, the list has moved, and reading goes back by a page until it meets known entries again. Whoever was on the list
all the time is met once, whoever came or went meanwhile may be.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

from watui.client.contacts import Page
from watui.client.failures import Unusable
from watui.contract.rules import MAX_PAGE

Ask = Callable[[int, int], Awaitable[Page]]
"""Asks for a page, by limit and offset."""

SPARE_PAGES = 100
"""Pages that may be read beside those that an unchanging list has, before a list counts as unreadable."""


class Part(NamedTuple):
    """Entries that were not known before."""

    wa_ids: tuple[str, ...]
    known: int
    """Entries known by now."""
    total: int
    """Of the whole list, as the latest answer says."""
    has_changed: bool
    """Whether the list has changed since reading began."""


async def read_all(ask: Ask, limit: int = MAX_PAGE) -> AsyncIterator[Part]:
    """Yield the whole list, a part an answer, each wa_id once. `limit` is 2 to 200.

    Raises Failure, Unusable too where the list changes faster than it can be read.
    """
    known: dict[str, None] = {}
    last: str | None = None
    offset, first_total, has_changed = 0, None, False
    pages_left = SPARE_PAGES
    while True:
        page = await ask(limit, offset)
        if first_total is None:
            first_total = page.total
            pages_left += page.total // (limit - 1)
        pages_left -= 1
        if pages_left < 0:
            raise Unusable("the blocklist changes faster than it can be read")
        first = page.wa_ids[0] if page.wa_ids else None
        is_linked = offset == 0 or (first == last if last is not None else first in known)
        has_changed |= page.total != first_total or not is_linked
        if not is_linked:
            offset, last = max(0, offset - limit + 1), None
            continue
        fresh = tuple(wa_id for wa_id in dict.fromkeys(page.wa_ids) if wa_id not in known)
        known.update(dict.fromkeys(fresh))
        yield Part(fresh, len(known), page.total, has_changed)
        if offset + len(page.wa_ids) >= page.total or not page.wa_ids:
            return
        offset, last = offset + len(page.wa_ids) - 1, page.wa_ids[-1]


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
