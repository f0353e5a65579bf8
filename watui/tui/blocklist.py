"""The blocklist as a person goes through it: pages that hang together while the list changes. It knows no widget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from watui.client.blocklist import Part, read_page
from watui.client.contacts import Page
from watui.contract.rules import DEFAULT_PAGE
from watui.contract.wa_ids import number_of
from watui.desk import Desk
from watui.ledger import trail
from watui.ledger.schema import LedgerUnusable
from watui.ledger.trail import Known
from watui.tui.contacts import Contact
from watui.tui.keys import key_of

Progress = Callable[[Part], None]

PAGE_SIZES = (50, 100, 200)

_SPELLING = str.maketrans("", "", " +-()/.")

CHANGED = "The list changed: places have moved, nobody was left out."
CHANGED_WHILE_READ = "The list changed while it was read: who came or went meanwhile may be missing, or still there."


class BlockRow(NamedTuple):
    """An entry of the blocklist, with what is known of it."""

    position: int
    """On the whole list, from 1."""
    wa_id: str
    known: Known
    is_marked: bool

    @property
    def number(self) -> str:
        """The number, or the wa_id with `+` where none is known."""
        return self.known.number or number_of(self.wa_id)

    @property
    def contact(self) -> Contact:
        return Contact.of_wa_id(self.wa_id, self.known.number)


class Blocklist:
    """One page of the list, or all entries that a search finds; what was marked stays marked on other pages.

    Methods that ask the server raise Failure, OSError and LedgerUnusable, and then change nothing.
    """

    def __init__(self, desk: Desk) -> None:
        self.limit = DEFAULT_PAGE
        self.page: Page | None = None
        """What is shown; None before the first answer."""
        self.found: Sequence[tuple[int, str]] | None = None
        """Position and wa_id of what a search has found; None while there is none."""
        self.text = ""
        self.notice: str | None = None
        """What a person must know of how the page came about."""
        self.marked: dict[str, None] = {}
        self._desk = desk
        self._next: Page | None = None
        self._known: dict[str, Known] = {}

    @property
    def total(self) -> int:
        return self.page.total if self.page else 0

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.total // self.limit))

    @property
    def page_number(self) -> int:
        """Of the page that is shown, from 1."""
        return -(-self.page.offset // self.limit) + 1 if self.page else 1

    @property
    def shown(self) -> int:
        """How many entries are shown."""
        return len(self._entries())

    def rows(self, first: int, last: int) -> Mapping[int, BlockRow]:
        """Return the entries at places `first` to `last` of what is shown."""
        entries = self._entries()[first : last + 1]
        missing = [wa_id for _, wa_id in entries if wa_id not in self._known]
        if missing:
            known = self._ask_ledger(missing)
            self._known |= {wa_id: known.get(wa_id, Known()) for wa_id in missing}
        return {
            first + place: BlockRow(position, wa_id, self._known[wa_id], wa_id in self.marked)
            for place, (position, wa_id) in enumerate(entries)
        }

    def _ask_ledger(self, wa_ids: Sequence[str]) -> dict[str, Known]:
        """Return what is known of entries; while the ledger can't be read, nothing: painting goes on."""
        try:
            return trail.known(self._desk.reader, self._desk.server_id, wa_ids)
        except LedgerUnusable:
            return {}

    async def load(self, offset: int = 0, limit: int | None = None) -> None:
        """Show the page at `offset`, of `limit` entries at most, or the last one where the list is shorter."""
        client = (await self._desk.actions()).client
        page = await client.blocklist(limit or self.limit, max(0, offset))
        if not page.wa_ids and page.total and offset:
            page = await client.blocklist(self.limit, (page.total - 1) // self.limit * self.limit)
        self._take(page)
        self.notice = None

    async def reload(self) -> None:
        """Load what is shown again."""
        self._known.clear()
        if self.found is not None:
            await self.search(self.text)
        else:
            await self.load(self.page.offset if self.page else 0)

    async def turn(self, step: int) -> bool:
        """Go to the page after or before; return whether there is one. Nothing is left out or doubled between them."""
        page = self.page
        if page is None or (page.offset == 0 if step < 0 else page.offset + len(page.wa_ids) >= page.total):
            return False
        if step < 0:
            place = await self._place_of(page)
            await self.load(max(0, place - self.limit), min(self.limit, place) or None)
            self.notice = CHANGED if place != page.offset else None
            return True
        following = self._next or await self._read_next(page)
        if following is None:
            await self.load(await self._place_after(page))
            self.notice = CHANGED
        else:
            self._take(following)
        return True

    async def last(self) -> None:
        """Show the last page."""
        await self.load((self.pages - 1) * self.limit)

    async def read_ahead(self) -> None:
        """Read the page after this one, so that it is there when it is wanted."""
        page = self.page
        if page is None or self._next is not None or self.found is not None:
            return
        if page.offset + len(page.wa_ids) >= page.total:
            return
        ahead = await self._read_next(page)
        if page is not self.page:
            return
        if ahead is None:
            again = key_of("blocklist.again")
            self.notice = f"The list has changed since this page was loaded: {again} loads it again."
        else:
            self._next = ahead
            self.page = page._replace(total=ahead.total)

    async def search(self, text: str, progress: Progress | None = None) -> None:
        """Read the whole list and show the entries that hold `text`: in wa_id, number, reason or name."""
        actions = await self._desk.actions()
        wanted = _folded(text)
        found: list[tuple[int, str]] = []
        part: Part | None = None
        async for part in actions.read_list():
            first = part.known - len(part.wa_ids) + 1
            found += self._fitting(list(enumerate(part.wa_ids, first)), wanted)
            if progress is not None:
                progress(part)
        self.text, self.found = text, found
        self.notice = CHANGED_WHILE_READ if part is not None and part.has_changed else None

    def end_search(self) -> None:
        """Show the page again."""
        self.found, self.text, self.notice = None, "", None

    def mark(self, wa_id: str) -> None:
        """Mark an entry, or take its mark away."""
        if wa_id in self.marked:
            del self.marked[wa_id]
        else:
            self.marked[wa_id] = None

    def marked_contacts(self) -> list[Contact]:
        """Return the contacts that are marked, in the order in which they were."""
        missing = [wa_id for wa_id in self.marked if wa_id not in self._known]
        found = self._known | (self._ask_ledger(missing) if missing else {})
        return [Contact.of_wa_id(wa_id, found.get(wa_id, Known()).number) for wa_id in self.marked]

    def _entries(self) -> Sequence[tuple[int, str]]:
        if self.found is not None:
            return self.found
        return list(enumerate(self.page.wa_ids, self.page.offset + 1)) if self.page else []

    def _take(self, page: Page) -> None:
        self.page, self._next = page, None
        self.end_search()

    async def _read_next(self, page: Page) -> Page | None:
        """Return the page that follows, None where the list has moved."""
        client = (await self._desk.actions()).client
        before = page.wa_ids[-1] if page.wa_ids else None
        return await read_page(client.blocklist, self.limit, page.offset + len(page.wa_ids), before)

    async def _place_after(self, page: Page) -> int:
        """Return the offset behind the last entry of `page` that is still listed: entries before it may have gone."""
        now = (await (await self._desk.actions()).client.blocklist(self.limit, page.offset)).wa_ids
        shown = frozenset(page.wa_ids)
        places = [place for place, wa_id in enumerate(now) if wa_id in shown]
        return page.offset + places[-1] + 1 if places else await self._place_of(page)

    async def _place_of(self, page: Page) -> int:
        """Return the offset of the first entry of `page` that is still listed: entries before it may have gone."""
        if page.offset == 0:
            return 0
        start = max(0, page.offset - self.limit)
        before = (await (await self._desk.actions()).client.blocklist(page.offset - start, start)).wa_ids
        places = {wa_id: start + place for place, wa_id in enumerate(before)}
        return next((places[wa_id] for wa_id in page.wa_ids if wa_id in places), page.offset)

    def _fitting(self, entries: list[tuple[int, str]], wanted: str) -> list[tuple[int, str]]:
        known = self._ask_ledger([wa_id for _, wa_id in entries]) if wanted else {}
        return [(place, wa_id) for place, wa_id in entries if wanted in _text(wa_id, known.get(wa_id, Known()))]


def _text(wa_id: str, known: Known) -> str:
    return _folded("\n".join((wa_id, known.number or "", known.reason or "", known.by or "")))


def _folded(text: str) -> str:
    """Return `text` without what people put between the digits of a number."""
    return text.casefold().translate(_SPELLING)
