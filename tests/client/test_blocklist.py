"""Reading the blocklist while it changes: who stands on it all the time is met once, and the reader is told of changes.

The list is that of the contract's section 2: the oldest block first, a new one at the end. It is read from its front,
and once more from its end where the answers cannot be of one list that stays. At most that takes `most_requests`.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, compress, pairwise, permutations, product, takewhile

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tests.conftest import examples
from watui.client.blocklist import Ask, Part, read_all, read_page
from watui.client.contacts import Page
from watui.client.failures import Unusable
from watui.contract.rules import MAX_PAGE

pytestmark = pytest.mark.anyio

Change = Callable[["Blocklist"], object]
Step = Callable[["Blocklist", int, int], None]

LARGEST = 64_000
"""Entries of the largest list that is known of."""

ENDLESS = 12_000
"""More requests than any list of these tests can take."""


class Blocklist:
    """A server's list. Before each request but the first, the next of `changes` happens; `stayed` were never off it."""

    def __init__(self, wa_ids: Iterable[str], changes: Sequence[Change] = (), goes_on: bool = False) -> None:
        self.wa_ids = list(wa_ids)
        self.stayed = set(self.wa_ids)
        self.ever = set(self.wa_ids)
        self.anew: set[str] = set()
        """Who was blocked anew."""
        self.requests: list[tuple[int, int]] = []
        self.answers: list[Page] = []
        self._changes = changes
        self._goes_on = goes_on
        self._blocked = 0

    async def ask(self, limit: int, offset: int) -> Page:
        assert 1 <= limit <= MAX_PAGE
        assert offset >= 0
        assert len(self.requests) < ENDLESS
        turn = len(self.requests) - 1
        if self._changes and turn >= 0 and (turn < len(self._changes) or self._goes_on):
            self._changes[turn % len(self._changes)](self)
        self.requests.append((limit, offset))
        self.answers.append(Page(tuple(self.wa_ids[offset : offset + limit]), offset, len(self.wa_ids)))
        return self.answers[-1]

    def block(self, wa_ids: Iterable[str]) -> None:
        """Add `wa_ids` at the end."""
        added = list(wa_ids)
        self.anew.update(self.ever.intersection(added))
        self.ever.update(added)
        self.wa_ids += added

    def block_new(self, count: int) -> None:
        """Add somebody who never was on the list."""
        self.block(f"new{self._blocked + place}" for place in range(count))
        self._blocked += count

    def unblock(self, first: int, count: int) -> list[str]:
        """Remove `count` entries from `first` on; return them."""
        gone = self.wa_ids[first : first + count]
        del self.wa_ids[first : first + count]
        self.stayed.difference_update(gone)
        return gone

    def renew(self) -> None:
        """Put somebody else in the place of everybody."""
        self.block_new(len(self.unblock(0, len(self.wa_ids))))

    def first_pass(self) -> list[Page]:
        """Return the answers up to the first that reaches the end of the list."""
        before = list(takewhile(lambda page: page.offset + len(page.wa_ids) < page.total, self.answers))
        return self.answers[: len(before) + 1]


def a_list(size: int, *changes: Change, goes_on: bool = False) -> Blocklist:
    return Blocklist(map(str, range(size)), changes, goes_on)


async def parts_of(blocklist: Blocklist, limit: int) -> list[Part]:
    return [part async for part in read_all(blocklist.ask, limit)]


async def parts_before_failure(ask: Ask, limit: int) -> list[Part]:
    """Return what is read until no more of it can be."""
    parts: list[Part] = []
    try:
        async for part in read_all(ask, limit):
            parts.append(part)  # noqa: PERF401 - a comprehension would lose what came before a failure
    except Unusable:
        return parts
    pytest.fail("all is taken for a list")


def met(parts: Iterable[Part]) -> list[str]:
    return [wa_id for part in parts for wa_id in part.wa_ids]


def pages_of(size: int, limit: int) -> int:
    """Return how many requests a list takes that nobody changes: all but the first show one entry again."""
    return 1 + max(0, -((limit - size) // (limit - 1)))


def most_requests(size: int, limit: int) -> int:
    """Return how many requests a list takes at most that never has more than `size` entries."""
    return pages_of(size, limit) + -(-size // limit)


def can_be_of_one_list(answers: Sequence[Page]) -> bool:
    """Whether a list that stays could have been answered so: one total, one entry a place, and one place an entry."""
    seen = {(place, wa_id) for page in answers for place, wa_id in enumerate(page.wa_ids, page.offset)}
    places, wa_ids = {place for place, _ in seen}, {wa_id for _, wa_id in seen}
    return len({page.total for page in answers}) == 1 and len(seen) == len(places) == len(wa_ids)


# The whole list


@pytest.mark.parametrize("size", [0, 1, 2, 3, 199, 200, 201, 399, 400, 1_000])
@pytest.mark.parametrize("limit", [2, 3, 100, 200])
async def test_a_list_that_stays_is_read_in_order(size: int, limit: int) -> None:
    blocklist = a_list(size)
    parts = await parts_of(blocklist, limit)
    assert met(parts) == blocklist.wa_ids
    assert [part.known for part in parts] == [*accumulate(len(part.wa_ids) for part in parts)]
    assert {(part.total, part.has_changed) for part in parts} == {(size, False)}
    assert len(blocklist.requests) == pages_of(size, limit)
    assert {asked for asked, _ in blocklist.requests} == {limit}


async def test_the_largest_list_takes_322_requests_and_no_time() -> None:
    blocklist = a_list(LARGEST)
    began = time.process_time()
    parts = await parts_of(blocklist, MAX_PAGE)
    assert time.process_time() - began < 1
    assert met(parts) == blocklist.wa_ids
    assert len(blocklist.requests) == pages_of(LARGEST, MAX_PAGE) == 322
    assert not parts[-1].has_changed


@pytest.mark.parametrize(
    ("change", "total"),
    [
        (lambda blocklist: blocklist.unblock(0, 1), LARGEST - 1),
        (lambda blocklist: blocklist.block_new(1), LARGEST + 1),
        (lambda blocklist: blocklist.block(blocklist.unblock(0, 1)), LARGEST),
    ],
    ids=["one goes", "one comes", "one is blocked anew"],
)
async def test_the_largest_list_takes_642_requests_where_it_has_changed(change: Change, total: int) -> None:
    blocklist = a_list(LARGEST, change)
    parts = await parts_of(blocklist, MAX_PAGE)
    assert blocklist.stayed <= set(met(parts)) <= blocklist.ever
    assert parts[-1][1:] == (len(set(met(parts))), total, True)
    assert most_requests(LARGEST, MAX_PAGE) == 322 + 320
    assert len(blocklist.requests) == 322 + -(-total // MAX_PAGE)


def nothing(_: Blocklist) -> None:
    pass


def take_away(blocklist: Blocklist, first: int, count: int) -> None:
    blocklist.unblock(first, count)


def add(blocklist: Blocklist, _: int, count: int) -> None:
    blocklist.block_new(count)


def move_to_the_end(blocklist: Blocklist, first: int, count: int) -> None:
    blocklist.block(blocklist.unblock(first, count))


SAME, CHANGED, MISSED = "no change told", "a change told", "somebody missed, no change told"
"""What comes out of reading a list that changes."""

TINY = (st.sampled_from(range(8)), st.integers(2, 3))
LARGE = (
    st.one_of(st.sampled_from([200, 201, 399, 400]), st.integers(9, 400)),
    st.one_of(st.sampled_from([2, 3, 199, 200]), st.integers(2, 200)),
)
"""Sizes of lists, and limits of their pages."""


@st.composite
def readings(draw: st.DrawFn, *kinds: Step) -> tuple[int, int, list[Change]]:
    """Return a size, a limit, and what of these `kinds` happens between requests; most of it to few entries."""
    sizes, limits = draw(st.sampled_from([TINY, LARGE]))
    size = draw(sizes)
    counts = st.one_of(st.integers(1, 3), st.integers(1, max(1, size)))
    steps = st.tuples(st.sampled_from(kinds), st.integers(0, max(0, size - 1)), counts)

    def change(steps: list[tuple[Step, int, int]]) -> Change:
        return lambda blocklist: [step(blocklist, first, count) for step, first, count in steps]

    return size, draw(limits), draw(st.lists(st.lists(steps, max_size=4).map(change), min_size=1, max_size=10))


async def check_reading(size: int, limit: int, changes: list[Change]) -> str:
    """Read a list that changes, and look whether all is as it must be; return what came out."""
    blocklist = a_list(size, *changes)
    parts = await parts_of(blocklist, limit)
    first_pass = blocklist.first_pass()
    has_changed = parts[-1].has_changed
    assert max(Counter(met(parts)).values(), default=1) == 1
    assert set(met(parts)) <= blocklist.ever
    missed = blocklist.stayed.difference(met(parts))
    if missed:
        # The hole that the module tells of: nothing in the answers speaks against a list that stays, and somebody
        # whom the next page was to begin with was blocked anew.
        assert not has_changed
        assert can_be_of_one_list(blocklist.answers)
        assert blocklist.anew & {page.wa_ids[-1] for page in first_pass[:-1]}
    assert has_changed is not can_be_of_one_list(first_pass)
    assert all(earlier.has_changed <= later.has_changed for earlier, later in pairwise(parts))
    assert [part.known for part in parts] == [*accumulate(len(part.wa_ids) for part in parts)]
    assert [part.total for part in parts] == [page.total for page in blocklist.answers]
    assert has_changed or len(blocklist.requests) == len(first_pass)
    assert len(blocklist.requests) <= most_requests(max(page.total for page in blocklist.answers), limit)
    return MISSED if missed else CHANGED if has_changed else SAME


@settings(max_examples=examples(2))
@given(readings(take_away, add))
async def test_who_stays_is_met_once_whoever_comes_or_goes(reading: tuple[int, int, list[Change]]) -> None:
    event(await check_reading(*reading))


@settings(max_examples=examples(2))
@given(readings(take_away, add, move_to_the_end))
async def test_who_stays_is_met_once_where_some_are_blocked_anew(reading: tuple[int, int, list[Change]]) -> None:
    event(await check_reading(*reading))


def arrangements(size: int) -> Iterator[Change]:
    """Yield what may have become of a list, and how: who is left, and behind them some blocked anew, or two others."""

    def change(left: list[str], added: tuple[str, ...]) -> Change:
        def happen(blocklist: Blocklist) -> None:
            for place in reversed(range(size)):
                if blocklist.wa_ids[place] not in left:
                    blocklist.unblock(place, 1)
            blocklist.block(added)

        return happen

    wa_ids = [*map(str, range(size))]
    for is_left in product([False, True], repeat=size):
        left = [*compress(wa_ids, is_left)]
        others = [wa_id for wa_id in [*wa_ids, "a", "b"] if wa_id not in left]
        for count in range(size - len(left) + 2):
            yield from (change(left, added) for added in permutations(others, count))


@pytest.mark.parametrize("limit", [2, 3])
async def test_who_stays_is_met_once_whatever_becomes_of_a_tiny_list(limit: int) -> None:
    """All that can happen at once to a list of up to four, between any two requests."""
    ends = [
        await check_reading(size, limit, [nothing] * turn + [change])
        for size in range(5)
        for turn in range(pages_of(size, limit) - 1)
        for change in arrangements(size)
    ]
    assert set(ends) == {SAME, CHANGED, MISSED}


async def test_who_moved_out_of_the_next_page_is_met_on_the_way_back() -> None:
    blocklist = a_list(5, lambda blocklist: blocklist.unblock(0, 2))
    parts = await parts_of(blocklist, 3)
    assert [part.wa_ids for part in parts] == [("0", "1", "2"), ("4",), ("3",)]
    assert blocklist.requests == [(3, 0), (3, 2), (3, 0)]
    assert [part.has_changed for part in parts] == [False, True, True]


async def test_who_moves_to_the_front_on_the_way_back_is_met_there() -> None:
    def one_goes(blocklist: Blocklist) -> None:
        blocklist.unblock(0, 1)

    blocklist = a_list(12, *[one_goes] * 9)
    parts = await parts_of(blocklist, 3)
    assert blocklist.stayed <= set(met(parts))
    assert [offset for _, offset in blocklist.requests] == [0, 2, 4, 6, 6, 3, 0]
    assert len(set(met(parts))) == len(met(parts)) == parts[-1].known


async def test_an_exchange_that_keeps_the_total_is_seen_where_it_moves_the_rest() -> None:
    def exchange(blocklist: Blocklist) -> None:
        blocklist.unblock(1, 1)
        blocklist.block_new(1)

    blocklist = a_list(5, exchange)
    parts = await parts_of(blocklist, 3)
    assert {page.total for page in blocklist.answers} == {5}
    assert sorted(met(parts)) == ["0", "1", "2", "3", "4", "new0"]
    assert parts[-1].has_changed


def exchange_of_three(*added: str) -> Blocklist:
    """Return the list 0, 1, 2, of which 0 and 1 go after the first request, and `added` come."""

    def change(blocklist: Blocklist) -> None:
        blocklist.unblock(0, 2)
        blocklist.block(added)

    return a_list(3, change)


async def test_the_documented_hole_an_entry_blocked_anew_just_where_it_is_looked_for() -> None:
    """The answers 0 1 and 1 3 of 3 entries are those of the list 0 1 3, which never was."""
    blocklist = exchange_of_three("1", "3")
    parts = await parts_of(blocklist, 2)
    assert blocklist.wa_ids == ["2", "1", "3"]
    assert can_be_of_one_list(blocklist.answers)
    assert met(parts) == ["0", "1", "3"]
    assert not parts[-1].has_changed


@pytest.mark.parametrize(
    "added", [["1"], ["1", "0"], ["1", "3", "4"], ["3", "1"]], ids=["another total", "twice met", "longer", "moved"]
)
async def test_an_entry_blocked_anew_hides_nobody_where_anything_else_tells_of_it(added: list[str]) -> None:
    blocklist = exchange_of_three(*added)
    parts = await parts_of(blocklist, 2)
    assert parts[-1].has_changed
    assert blocklist.stayed == {"2"} <= set(met(parts))


@pytest.mark.parametrize(("size", "limit", "left"), [(300, 2, 0), (300, 2, 3), (LARGEST, MAX_PAGE, 100)])
async def test_a_list_that_shrinks_once_is_read_to_its_end(size: int, limit: int, left: int) -> None:
    def shrink(blocklist: Blocklist) -> None:
        blocklist.unblock(0, size - left)

    blocklist = a_list(size, *[nothing] * (pages_of(size, limit) * 9 // 10), shrink)
    parts = await parts_of(blocklist, limit)
    assert blocklist.stayed <= set(met(parts))
    assert parts[-1].has_changed
    assert parts[-1].total == left
    assert len(blocklist.requests) <= pages_of(size, limit) + -(-left // limit)


@pytest.mark.parametrize(("size", "limit"), [(3, 2), (201, 200), (600, 200), (600, 7)])
async def test_a_list_that_is_another_at_each_request_comes_to_an_end(size: int, limit: int) -> None:
    blocklist = a_list(size, Blocklist.renew, goes_on=True)
    parts = await parts_of(blocklist, limit)
    assert parts[-1].has_changed
    assert len(blocklist.requests) == most_requests(size, limit)
    assert len(set(met(parts))) == len(met(parts)) == parts[-1].known
    assert set(met(parts)) <= blocklist.ever


async def test_a_server_that_minds_no_offset_comes_to_an_end() -> None:
    blocklist = a_list(401)

    async def ask(limit: int, offset: int) -> Page:
        return (await blocklist.ask(limit, 0))._replace(offset=offset)

    parts = [part async for part in read_all(ask)]
    assert met(parts) == blocklist.wa_ids[:200]
    assert parts[-1].has_changed
    assert len(blocklist.requests) <= most_requests(401, MAX_PAGE)


# What cannot be read


@pytest.mark.parametrize("given_of_it", [0, 1, 2, 199, 200, 250, 400])
@pytest.mark.parametrize("limit", [2, 200])
async def test_a_total_that_never_comes_is_no_end_of_the_list(given_of_it: int, limit: int) -> None:
    """A server that says of a list that it is longer than all that it gives of it."""
    blocklist = a_list(given_of_it)

    async def ask(limit: int, offset: int) -> Page:
        return (await blocklist.ask(limit, offset))._replace(total=401)

    assert met(await parts_before_failure(ask, limit)) == blocklist.wa_ids
    assert len(blocklist.requests) <= pages_of(given_of_it, limit) + 1


@pytest.mark.parametrize("full", [0, 1, 2])
@pytest.mark.parametrize("given_of_rest", [0, 1])
@pytest.mark.parametrize("limit", [2, 200])
async def test_pages_that_do_not_lead_on_are_no_list(full: int, given_of_rest: int, limit: int) -> None:
    """A server that after some `full` pages gives an entry or none, whatever is asked, and says that there are more."""
    blocklist = a_list(LARGEST)

    async def ask(limit: int, offset: int) -> Page:
        page = await blocklist.ask(limit, offset)
        return page if len(blocklist.requests) <= full else page._replace(wa_ids=page.wa_ids[:given_of_rest])

    await parts_before_failure(ask, limit)
    assert len(blocklist.requests) <= full + 2


# One page


@pytest.mark.parametrize("offset", [1, 100, 200, 400])
async def test_a_page_is_given_where_the_entry_before_it_is_still_there(offset: int) -> None:
    for limit in range(1, MAX_PAGE + 1):
        blocklist = a_list(401)
        page = await read_page(blocklist.ask, limit, offset, str(offset - 1))
        assert page == Page(tuple(blocklist.wa_ids[offset : offset + limit]), offset, 401)
        assert len(blocklist.requests) == (2 if limit == MAX_PAGE else 1)


@pytest.mark.parametrize("limit", [1, 100, 199, 200])
@pytest.mark.parametrize(
    ("size", "before"), [(401, "98"), (401, "100"), (401, "somebody"), (100, "98"), (99, "98"), (99, "99"), (0, "99")]
)
async def test_no_page_is_given_where_another_entry_stands_before_it(limit: int, size: int, before: str) -> None:
    assert await read_page(a_list(size).ask, limit, 100, before) is None


@pytest.mark.parametrize("limit", [1, 100, 199, 200])
@pytest.mark.parametrize(("offset", "before"), [(0, None), (0, "somebody"), (100, None), (500, None)])
async def test_a_page_without_one_before_it_is_taken_as_it_comes(limit: int, offset: int, before: str | None) -> None:
    blocklist = a_list(401)
    page = await read_page(blocklist.ask, limit, offset, before)
    assert page == Page(tuple(blocklist.wa_ids[offset : offset + limit]), offset, 401)
    assert blocklist.requests == [(limit, offset)]


@pytest.mark.parametrize("limit", [1, 199, 200])
async def test_the_page_behind_the_last_entry_is_empty(limit: int) -> None:
    assert await read_page(a_list(100).ask, limit, 100, "99") == Page((), 100, 100)


async def test_a_full_page_does_not_count_where_the_list_moves_before_the_entry_before_it_is_seen() -> None:
    blocklist = a_list(401, lambda blocklist: blocklist.unblock(0, 1))
    assert await read_page(blocklist.ask, MAX_PAGE, 100, "99") is None
