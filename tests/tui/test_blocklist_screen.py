"""The Blocklist screen by pilot: pages, search, marks, and a list that others change meanwhile."""

import asyncio
import random
import time
from typing import Any

import pytest

from tests.conftest import TOKEN
from tests.simulated import a_world, create_app
from tests.tui.story import PROFILE, WIDE, Story, console, console_at, table_lines
from watui.client import contacts
from watui.client.server import Server
from watui.contract.kinds import ServerKind
from watui.contract.wa_ids import bare
from watui.ledger import trail
from watui.ledger.ledger import Ledger
from watui.ledger.trail import Kind, NewAction, Outcome, Place, Wish
from watui.settings.paths import Paths
from watui.simulator.conditions import Changes
from watui.simulator.faults import Fault
from watui.simulator.faults import Kind as Trouble
from watui.simulator.serving import ServerThread
from watui.simulator.world import World
from watui.tui.blocklist import CHANGED, CHANGED_WHILE_READ
from watui.tui.screens.bulk import BulkScreen
from watui.tui.screens.contact import ContactScreen
from watui.tui.screens.dialogs import Confirm, PlaceDialog

pytestmark = pytest.mark.anyio


def a_blocking_world(blocked: int, **conditions: Any) -> World:
    """Return a world in which somebody else has blocked so many contacts, +1 212-200-0000 first."""
    world = a_world(latency=None, **conditions)
    world.people.block_others(blocked, time.time())
    return world


def listed(world: World) -> list[str]:
    """Return the wa_ids of the whole blocklist."""
    return [bare(contact.wa_id) for contact in world.people.blocklist(100_000, 0).contacts]


def where(story: Story) -> str:
    """Return the line that says where on the list we are."""
    return " ".join(story.blocklist.state.render().plain.split())


def notice(story: Story) -> str:
    return story.blocklist.notice.render().plain.strip()


def readings(story: Story) -> list[str]:
    """Return the queries of the requests for pages."""
    return [each.url.partition("?")[2] for each in story.exchanges if "/blocklist?" in each.url]


def shown(story: Story) -> list[str]:
    """Return the wa_ids of the entries that are shown, whether they are in sight or not."""
    blocklist = story.blocklist.blocklist
    return [row.wa_id for row in blocklist.rows(0, blocklist.shown - 1).values()]


async def go(story: Story, *keys: str) -> None:
    """Press keys one after the other, and wait each time until everything is read."""
    for key in keys:
        await story.press(key)
        await story.until_idle("blocklist")


async def search(story: Story, text: str) -> None:
    await story.press("slash")
    story.blocklist.search_line.field.value = text
    await go(story, "enter")


# Pages


@pytest.mark.parametrize(
    ("blocked", "first", "last"),
    [
        (1, "1–1 of 1 contact page 1 of 1", "1–1 of 1 contact page 1 of 1"),
        (100, "1–100 of 100 contacts page 1 of 1", "1–100 of 100 contacts page 1 of 1"),
        (101, "1–100 of 101 contacts page 1 of 2", "101–101 of 101 contacts page 2 of 2"),
        (200, "1–100 of 200 contacts page 1 of 2", "101–200 of 200 contacts page 2 of 2"),
        (201, "1–100 of 201 contacts page 1 of 3", "201–201 of 201 contacts page 3 of 3"),
        (450, "1–100 of 450 contacts page 1 of 5", "401–450 of 450 contacts page 5 of 5"),
    ],
)
async def test_every_page_forward_and_back(paths: Paths, blocked: int, first: str, last: str) -> None:
    world = a_blocking_world(blocked)
    async with console_at(world, paths) as story:
        await story.open_blocklist()
        assert where(story) == first
        seen = shown(story)
        while "That is the last page." not in story.notices:
            await go(story, "right")
            seen += [wa_id for wa_id in shown(story) if wa_id not in seen[-100:]]
        assert seen == listed(world)
        assert where(story) == last
        while "That is the first page." not in story.notices:
            await go(story, "left")
        assert where(story) == first
        assert notice(story) == ""


async def test_first_last_and_the_other_keys_for_pages(paths: Paths) -> None:
    async with console_at(a_blocking_world(450), paths) as story:
        await story.open_blocklist()
        for key, page in (("greater_than_sign", 5), ("p", 4), ("n", 5), ("less_than_sign", 1)):
            await go(story, key)
            assert where(story).endswith(f"of 450 contacts page {page} of 5")
            assert story.blocklist.table.cursor == 0


async def test_pages_of_other_sizes(paths: Paths) -> None:
    async with console_at(a_blocking_world(450), paths) as story:
        await story.open_blocklist()
        for keys, words in (
            (("right", "l"), "1–200 of 450 contacts page 1 of 3"),
            (("right",), "201–400 of 450 contacts page 2 of 3"),
            (("l",), "1–50 of 450 contacts page 1 of 9"),
            (("right", "l"), "1–100 of 450 contacts page 1 of 5"),
        ):
            await go(story, *keys)
            assert where(story) == words
        limits = {int(query.partition("&")[0].removeprefix("limit=")) for query in readings(story)}
        assert limits <= set(range(1, 201))


async def test_going_to_a_place(paths: Paths) -> None:
    async with console_at(a_blocking_world(450), paths) as story:
        await story.open_blocklist()
        await story.press("t")
        dialog = await story.until_on(PlaceDialog)
        assert "1 to 450" in dialog.place.placeholder
        for wrong in ("0", "451", ""):
            dialog.place.value = wrong
            await story.press("enter")
            assert "The list has places 1 to 450" in str(dialog.hint.content)
        dialog.place.value = "333"
        await go(story, "enter")
        assert where(story) == "301–400 of 450 contacts page 4 of 5"
        assert "+1 212-200-0332" in story.blocklist.detail.render().plain
        assert story.blocklist.table.cursor == 32


async def test_the_next_page_is_there_before_it_is_turned_to(paths: Paths) -> None:
    async with console_at(a_blocking_world(450), paths) as story:
        await story.open_blocklist()
        for page in range(2, 6):
            before = len(readings(story))
            await story.press("right")
            await story.until(lambda wanted=page: f"page {wanted} of 5" in where(story), "the next page")  # type: ignore[misc]
            await story.until_idle("blocklist")
            assert readings(story)[before:] == ([f"limit=101&offset={page * 100 - 1}"] if page < 5 else [])


async def test_a_list_of_64_000_is_shown_after_one_request(paths: Paths) -> None:
    world = a_blocking_world(64_000)
    async with console_at(world, paths) as story:
        await story.open_blocklist()
        assert where(story) == "1–100 of 64,000 contacts page 1 of 640"
        assert readings(story) == ["limit=100&offset=0", "limit=101&offset=99"], "one, and one that is read ahead"
        await go(story, "greater_than_sign")
        assert where(story) == "63,901–64,000 of 64,000 contacts page 640 of 640"
        assert readings(story)[2:] == ["limit=100&offset=63900"]


async def test_an_empty_list_says_what_to_do(paths: Paths) -> None:
    async with console_at(a_world(latency=None), paths) as story:
        screen = await story.open_blocklist()
        assert where(story) == "Nobody is blocked"
        assert screen.welcome.display
        assert not screen.table.display
        await story.until_shown("paste numbers to block them, after a dry run", "b blocks the row at hand")
        await go(story, "right", "left", "t", "space", "enter")
        assert story.app.screen is screen
        await story.press("u")
        await story.until_told("There is nobody to unblock here.")


# What is known of an entry


async def test_what_was_blocked_from_here_has_its_reason_and_who_did_it(paths: Paths, ledger: Ledger) -> None:
    world = a_blocking_world(2)
    world.people.block_others(1, time.time())
    with ServerThread(create_app(world, TOKEN)) as server:
        _, second, _ = listed(world)
        block(ledger, server.url, second, "spam")
        async with console(paths, Server.at(server.url, TOKEN), size=WIDE) as story:
            screen = await story.open_blocklist()
            lines = table_lines(screen.table)
            assert lines[0].split() == ["place", "number", "wa_id", "status", "blocked", "by", "reason"]
            assert lines[1].split() == ["1", "+1", "212-200-0000", "12122000000"]
            assert lines[2].split() == ["2", "+1", "212-200-0001", "12122000001", "now", "ada", "spam"]
            assert "blocked elsewhere: no reason and no date come from the server" in screen.detail.render().plain
            await story.press("down")
            assert "by ada   “spam”" in screen.detail.render().plain


def block(ledger: Ledger, server: str, wa_id: str, reason: str) -> None:
    """Write down that somebody blocked a contact of a server from here."""
    intent = NewAction(f"+{wa_id}", f"+{wa_id}", wa_id, f"+{wa_id}", Outcome.PLANNED)
    place = Place(server, PROFILE, "ada")
    (action_id,) = trail.add_batch(ledger, Wish(Kind.BLOCK, reason), place, "somebody", [intent])
    trail.ended(ledger, [(action_id, Outcome.DONE, None, None)])


# Searching


async def test_a_search_goes_over_all_pages_and_finds_every_spelling(paths: Paths, ledger: Ledger) -> None:
    world = a_blocking_world(450)
    with ServerThread(create_app(world, TOKEN)) as server:
        block(ledger, server.url, "12122000333", "sends the same picture all day")
        async with console(paths, Server.at(server.url, TOKEN)) as story:
            await story.open_blocklist()
            for text in ("+1 212-200-0333", "12122000333", "(212) 200.0333", "00333", "same PICTURE", "ADA"):
                await search(story, text)
                assert where(story) == f"1 of 450 contacts with “{text}” esc shows all", text
                assert shown(story) == ["12122000333"], text
                assert "334" in table_lines(story.blocklist.table)[1], "its place on the whole list"
            await search(story, "no such text")
            assert where(story).startswith("0 of 450 contacts")
            await go(story, "right")
            assert story.notices[-1] == "A search shows all that it found: esc goes back to the pages."
            await go(story, "escape")
            assert where(story) == "1–100 of 450 contacts page 1 of 5"
            assert set(readings(story)[2:]) == {"limit=200&offset=0", "limit=200&offset=199", "limit=200&offset=398"}


# Marks


async def test_marks_stay_on_other_pages_and_what_is_marked_is_unblocked_together(paths: Paths) -> None:
    world = a_blocking_world(150)
    async with console_at(world, paths) as story:
        await story.open_blocklist()
        await story.press("space", "space", "space")
        assert "3 marked" in where(story)
        await story.press("up", "space")
        assert "2 marked" in where(story), "once more takes the mark away"
        await go(story, "right", "space")
        await search(story, "000077")
        await go(story, "space", "escape", "left")
        assert "4 marked" in where(story)
        assert [("●" in line) for line in table_lines(story.blocklist.table)[1:4]] == [True, True, False]
        await story.press("u")
        bulk = await story.until_on(BulkScreen)
        await story.until_idle("bulk")
        await story.until_shown("4 contacts to unblock")
        assert story.sent == []
        await story.press("enter")
        await story.until_shown("4 unblocked")
        await story.press("escape")
        await story.until(lambda: story.app.screen is not bulk, "back at the list")
        await story.until_idle("blocklist")
        assert where(story) == "1–100 of 146 contacts page 1 of 2", "and no mark is left"
        gone = ["12122000000", "12122000001", "12122000100", "12122000077"]
        assert sorted(gone) == sorted(path.partition("/")[0].removeprefix("+") for path, _ in story.sent)


async def test_a_dry_run_that_is_left_keeps_the_marks(paths: Paths) -> None:
    async with console_at(a_blocking_world(150), paths) as story:
        await story.open_blocklist()
        await story.press("space", "space")
        await go(story, "right")
        await story.press("space", "u")
        await story.until_on(BulkScreen)
        await story.until_shown("3 contacts to unblock")
        await story.press("escape")
        await story.until(lambda: story.app.screen is story.blocklist, "back at the list")
        await story.until_idle("blocklist")
        assert "3 marked" in where(story), "nothing was unblocked"
        assert story.sent == []


async def test_the_row_at_hand_is_unblocked_after_a_question(paths: Paths) -> None:
    world = a_blocking_world(3)
    async with console_at(world, paths) as story:
        await story.open_blocklist()
        await story.press("down", "u")
        await story.until_on(Confirm)
        await story.until_shown("Unblock +1 212-200-0001 at shop?", "Only who has written within the last 24 hours")
        await story.press("n")
        await story.until_idle("change")
        assert story.sent == []
        await story.press("u")
        await story.until_on(Confirm)
        await story.press("y")
        await story.until_told("+1 212-200-0001 is unblocked.")
        await story.until(lambda: where(story) == "1–2 of 2 contacts page 1 of 1", "the list without it")
        assert story.sent == [("+12122000001/unblock", None)]


async def test_enter_opens_the_contact_of_the_row(paths: Paths) -> None:
    async with console_at(a_blocking_world(3), paths) as story:
        await story.open_blocklist()
        for key in ("enter", "o"):
            await story.press("down", key)
            await story.until_on(ContactScreen)
            await story.until_shown("blocked yes")
            await story.press("escape")
        assert readings(story).count("limit=200&offset=0") == 1, "one reading of the list is good for both"


# A list that others change


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(("size", "most_gone"), [(50, 10), (50, 75), (100, 20), (100, 150)])
async def test_on_the_way_through_nobody_who_stays_is_left_out_unsaid(
    paths: Paths, seed: int, size: int, most_gone: int
) -> None:
    """Where less than a page goes at once nobody is left out at all."""
    chance = random.Random(seed)
    world = a_blocking_world(450)
    async with console_at(world, paths) as story:
        await story.open_blocklist()
        if size == 50:
            await go(story, "l", "l")
        seen, changes = set(shown(story)), 0
        while "That is the last page." not in story.notices:
            if chance.random() < 0.5:
                world.people.unblock_oldest(chance.randrange(most_gone), time.time())
                world.people.block_others(chance.randrange(20), time.time())
            await go(story, "right")
            seen |= set(shown(story))
            changes += notice(story) == CHANGED
            there = listed(world)
            left_out = set(there[: there.index(shown(story)[-1])]) - seen if shown(story)[-1] in there else set()
            assert not left_out or notice(story) == CHANGED
            assert not left_out or most_gone > size
            seen |= left_out
        assert changes


async def test_a_page_before_that_moved_is_shown_where_its_entries_stand(paths: Paths) -> None:
    world = a_blocking_world(450)
    async with console_at(world, paths) as story:
        await story.open_blocklist()
        await go(story, "right", "right")
        world.people.unblock_oldest(30, time.time())
        await go(story, "left")
        assert notice(story) == CHANGED
        assert shown(story) == listed(world)[70:170]
        await go(story, "left")
        assert shown(story) == listed(world)[:70]


async def test_a_search_through_a_list_that_changes_says_so(paths: Paths) -> None:
    world = a_blocking_world(450)
    world.change(Changes(faults=(Fault(Trouble.LATENCY, path="*/blocklist", seconds=0.1),)), time.time())
    async with console_at(world, paths) as story:
        await story.open_blocklist()
        stays = listed(world)[30:]
        read = len(readings(story))
        await story.press("slash")
        story.blocklist.search_line.field.value = "12122"
        await story.press("enter")
        await story.until(lambda: len(readings(story)) > read, "the first part")
        world.people.unblock_oldest(30, time.time())
        await story.until_idle("blocklist")
        assert notice(story) == CHANGED_WHILE_READ
        assert set(stays) <= set(shown(story))


# A server that fails


async def test_a_reload_that_takes_the_place_of_another_says_that_it_reads(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = 0

    async def reload(_: object) -> None:
        nonlocal begun
        begun += 1
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(lambda: None)  # as a connection that is closed takes its time

    async with console_at(a_blocking_world(3), paths, size=WIDE) as story:
        await story.open_blocklist()
        monkeypatch.setattr(type(story.blocklist.blocklist), "reload", reload)
        for count in (1, 2, 3):
            await story.press("ctrl+r")
            await story.until(lambda count=count: begun == count, "another reading")  # type: ignore[misc]
            await story.pilot.pause()
            await story.pilot.pause()
            assert story.blocklist._reading == "Reading…"


async def test_where_there_is_no_blocklist_nobody_is_sent_to_load_it_again(paths: Paths) -> None:
    server = Server.at("http://127.0.0.1:1", TOKEN, ServerKind.TURN)
    async with console(paths, server, size=WIDE) as story:
        await story.press("2")
        await story.until(lambda: "Turn.io does not show its blocklist" in notice(story), "why")
        assert where(story) == "There is no blocklist to read here."


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (Trouble.INTERNAL_ERROR, "Internal error (1014). Wait a little"),
        (Trouble.DENIED, "Access denied (1005): the token has expired. Give a valid token"),
        (Trouble.TIMEOUT, "did not answer within 1.5 seconds. The server may be busy"),
        (Trouble.WRONG_TYPE, "the answer is not JSON. Check that the address"),
    ],
)
async def test_a_server_that_fails_is_told_and_a_reload_mends_it(
    trouble: Trouble, words: str, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    if trouble is Trouble.TIMEOUT:
        monkeypatch.setattr(contacts, "NO_WAIT_SECONDS", 1.5)
    world = a_blocking_world(250, faults=(Fault(trouble),))
    async with console_at(world, paths, size=WIDE) as story:
        await story.press("2")
        await story.until(lambda: words in notice(story), f"{words} in {notice(story)}")
        assert where(story) == "Nothing was read yet: ctrl+r tries again."
        assert not story.blocklist.welcome.display, "nobody knows whether the list is empty"
        world.change(Changes(faults=()), time.time())
        await go(story, "ctrl+r")
        assert (where(story), notice(story)) == ("1–100 of 250 contacts page 1 of 3", "")
        world.change(Changes(faults=(Fault(trouble),)), time.time())
        await go(story, "greater_than_sign")
        assert words in notice(story)
        assert where(story) == "1–100 of 250 contacts page 1 of 3", "what was there stays"
        world.change(Changes(faults=()), time.time())
        await go(story, "ctrl+r")
        assert notice(story) == ""
