"""Many contacts at once: the dry run, the count that is typed, outcomes as they come, and the way back."""

import time
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from tests.simulated import a_world
from tests.tui.story import NOBODY, PEOPLE, WIDE, Story, console, console_at, table_lines
from watui.actions import batch
from watui.actions.batch import NOT_SENT
from watui.client import contacts
from watui.client.pacing import Pacing
from watui.contract.wa_ids import bare
from watui.ledger import trail
from watui.ledger.trail import Outcome
from watui.settings.paths import Paths
from watui.simulator.conditions import Changes
from watui.simulator.faults import Fault
from watui.simulator.faults import Kind as Trouble
from watui.simulator.world import World
from watui.tui.screens.bulk import BulkScreen
from watui.tui.screens.dialogs import Confirm, ImportDialog

pytestmark = pytest.mark.anyio

HARDLY = Fault(Trouble.LATENCY, path="*/block", seconds=1.0)
"""So slow that no list ends while somebody looks."""

SLOWLY = Fault(Trouble.LATENCY, path="*/block", seconds=0.1)
"""Slow enough to look at a list while it is carried out."""


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing wait between two requests, or before it is tried again."""
    monkeypatch.setattr(batch, "PACING", Pacing(first=0.0))
    monkeypatch.setattr(contacts, "RATE_LIMIT", 1e9)


@pytest.fixture
def world() -> World:
    """A world in which everybody with an account wrote lately."""
    return a_world(latency=None, engaged=1.0)


def suffer(world: World, *faults: Fault) -> None:
    """Let these faults, and no others, hit the server from now on."""
    world.change(Changes(faults=faults), time.time())


def blocked(world: World) -> list[str]:
    """Return the numbers on the blocklist."""
    return [f"+{bare(contact.wa_id)}" for contact in world.people.blocklist(100_000, 0).contacts]


def outcomes(story: Story) -> list[Outcome]:
    """Return how the contacts of the latest list stand in the trail."""
    reader = story.session.desk.reader
    return [action.outcome for action in trail.batch(reader, trail.latest(reader, 1)[0].batch_id)]


async def plan(story: Story, numbers: list[str]) -> BulkScreen:
    """Paste numbers on the blocklist, and wait for the dry run."""
    await story.open_blocklist()
    await story.paste("\n".join(numbers))
    bulk = await story.until_on(BulkScreen)
    await story.until_idle("bulk")
    return bulk


async def confirm(story: Story, count: int, reason: str | None = None) -> None:
    """Fill in what the dry run asks for, and send."""
    assert isinstance(story.app.screen, BulkScreen)
    if reason is not None:
        await story.paste(reason)
    if count > 10:
        story.app.screen.typed.value = str(count)
    await story.press("enter")


# The dry run


async def test_a_dry_run_counts_what_is_to_be_sent_and_what_is_not(paths: Paths, world: World) -> None:
    world.people.block(PEOPLE[1], time.time())
    async with console_at(world, paths, size=WIDE) as story:
        bulk = await plan(story, [*PEOPLE[:3], PEOPLE[0].replace("555", "-555-"), "nobody", "6315551005"])
        await story.until_shown("Block a list at shop", "Nothing has been sent yet. 3 contacts to block, ")
        for words in ("1 × is blocked already", "1 × the same number stands above", "1 × no digits"):
            assert words in story.all_text()
        assert [line.split("  ")[0].strip() for line in table_lines(bulk.table)[1:6]] == [
            "+1 631-555-1000",
            "+1 631-555-1002",
            "+1 631-555-1003",
            "+1 631-555-1000",
            "nobody",
        ]
        assert "= unchanged  is blocked already" in table_lines(bulk.table)[2]
        assert "- left out" in table_lines(bulk.table)[5]
        assert story.sent == []
        assert trail.latest(story.session.desk.reader, 1) == [], "a dry run writes nothing down"


async def test_up_to_ten_need_no_count_and_the_reason_goes_along(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        bulk = await plan(story, PEOPLE[:10])
        assert not bulk.typed.display
        await confirm(story, 10, "spam")
        await story.until_shown("10 blocked")
        assert story.sent == [(f"{number}/block", {"reason": "spam"}) for number in PEOPLE[:10]]
        await story.press("escape")
        await story.until(lambda: story.app.screen is story.blocklist, "back at the list")
        await story.until_shown("1–10 of 10 contacts")


async def test_more_than_ten_are_sent_only_after_their_count_was_typed(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        bulk = await plan(story, PEOPLE[:11])
        assert bulk.typed.placeholder == "type 11 to block 11 contacts"
        for wrong in ("", "10", "12", "110", "-11"):
            bulk.typed.value = wrong
            await story.press("enter")
            assert "Type 11 to block them." in story.all_text()
        assert story.sent == []
        bulk.typed.value = "11"
        await story.press("enter")
        await story.until_shown("11 blocked")
        assert blocked(world) == PEOPLE[:11]


async def test_a_reason_that_is_too_long_is_refused_before_anything_is_sent(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        bulk = await plan(story, PEOPLE[:2])
        await confirm(story, 2, "x" * 60)
        assert "The reason is 1 character too long: 59 at most." in story.all_text()
        assert bulk.reason.value == "x" * 60
        await story.press("backspace", "enter")
        await story.until_shown("2 blocked")
        assert [body for _, body in story.sent] == [{"reason": "x" * 59}] * 2


async def test_where_there_is_nothing_to_send_nothing_is(paths: Paths, world: World) -> None:
    world.people.block(PEOPLE[0], time.time())
    async with console_at(world, paths) as story:
        await plan(story, [PEOPLE[0], "nobody"])
        await story.until_shown("0 contacts to block, 1 × is blocked already")
        await story.press("enter")
        await story.until_shown("There is nothing to send.")
        await story.press("escape")
        assert story.app.screen is story.blocklist
        assert story.sent == []


async def test_one_pasted_number_is_asked_for_as_one(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        await story.open_blocklist()
        await story.paste(PEOPLE[0])
        await story.until_shown("Block +1 631-555-1000 at shop")
        await story.paste("spam")
        await story.press("enter")
        await story.until_told("+1 631-555-1000 is blocked.")
        await story.paste("\n\n")
        await story.until_told("There are no numbers in that: give one a row.")


async def test_the_numbers_of_a_file(paths: Paths, world: World, tmp_path: Path) -> None:
    source = tmp_path / "people.csv"
    source.write_text("name,phone\n" + "".join(f"A,{number}\n" for number in PEOPLE[:3]))
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
    async with console_at(world, paths) as story:
        await story.open_blocklist()
        for name in ("picture.png", "people.csv"):
            await story.press("i")
            await story.until_on(ImportDialog)
            story.app.screen.query_one("#path", Input).value = str(tmp_path / name)
            await story.press("enter")
            await story.until_idle("change") if name == "picture.png" else await story.until_on(BulkScreen)
        assert any("not a text file" in told for told in story.notices)
        await story.until_shown("3 contacts to block")


async def test_a_server_that_fails_in_the_dry_run_is_told(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        await story.open_blocklist()
        suffer(world, Fault(Trouble.DENIED))
        await story.paste("\n".join(PEOPLE[:3]))
        await story.until_on(BulkScreen)
        await story.until_shown("Access denied (1005): the token has expired. Give a valid token")
        await story.press("enter")
        await story.press("escape")
        assert story.app.screen is story.blocklist
        assert story.sent == []


# From the rows of a run


async def test_all_rows_that_are_shown_are_blocked(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        await story.resolve("\n".join([*PEOPLE[:4], NOBODY]))
        await story.press("f")
        await story.until(lambda: story.screen.rows.table.row_count == 4, "the valid rows")
        await story.press("slash", *"100")
        await story.press("enter")
        await story.press("B")
        await story.until_on(BulkScreen)
        await story.until_shown("4 contacts to block")
        await story.press("escape", "f")
        await story.until(lambda: story.screen.rows.table.row_count == 1, "the invalid one")
        await story.press("B")
        await story.until_shown("Block +1 631-555-1001 at shop")
        await story.press("escape")
        assert story.sent == []


# While it is carried out, and after


async def test_outcomes_come_one_after_the_other_and_it_can_be_paused(paths: Paths, world: World) -> None:
    suffer(world, SLOWLY)
    async with console_at(world, paths) as story:
        bulk = await plan(story, [*PEOPLE[:2], NOBODY, *PEOPLE[2:10]])
        await confirm(story, 11)
        await story.until(lambda: "✓ done" in table_lines(bulk.table)[1], "the first outcome")
        assert "· planned" in table_lines(bulk.table)[8]
        await story.until(lambda: "✗ refused" in table_lines(bulk.table)[3], "a refusal")
        await story.press("p")
        await story.until_shown("Paused", "p go on")
        await story.until(lambda: Outcome.SENT not in outcomes(story), "the answer that was under way")
        sent = len(story.sent)
        assert 3 <= sent < 11
        for _ in range(20):
            await story.pilot.pause()
        assert len(story.sent) == sent
        await story.press("p")
        await story.until_shown("10 blocked, 1 refused")
        await story.until_shown("1 × 2048: It has not written to you within the last 24 hours")
        assert outcomes(story) == [Outcome.DONE] * 2 + [Outcome.REFUSED] + [Outcome.DONE] * 8


async def test_leaving_asks_and_what_was_not_sent_is_not_sent(paths: Paths, world: World) -> None:
    suffer(world, SLOWLY)
    async with console_at(world, paths) as story:
        bulk = await plan(story, PEOPLE[:20])
        await confirm(story, 20)
        await story.until(lambda: "✓ done" in table_lines(bulk.table)[2], "two outcomes")
        suffer(world, HARDLY)
        await story.press("escape")
        await story.until_on(Confirm)
        await story.until_shown("contacts not sent? What was done stays done.")
        await story.press("n")
        await story.until_on(BulkScreen)
        await story.press("escape")
        await story.until_on(Confirm)
        await story.press("y")
        await story.until(lambda: story.app.screen is story.blocklist, "back at the list")
        sent = len(story.sent)
        assert 2 <= sent < 20
        suffer(world)
        await story.until_idle("blocklist")
        await story.until_idle("bulk")
        assert len(story.sent) == sent
        left = trail.batch(story.session.desk.reader, 1)[sent:]
        assert [(action.outcome, action.note) for action in left] == [(Outcome.FAILED, NOT_SENT)] * (20 - sent)


@pytest.mark.parametrize("trouble", [Trouble.ERROR_AFTER_WORK, Trouble.RESET_AFTER_WORK, Trouble.INTERNAL_ERROR])
async def test_a_list_some_of_whose_answers_are_lost_ends_as_wanted(
    trouble: Trouble, paths: Paths, world: World
) -> None:
    suffer(world, Fault(trouble, path="*/block", every=3))
    async with console_at(world, paths) as story:
        await plan(story, PEOPLE[:12])
        await confirm(story, 12)
        await story.until_shown("12 blocked")
        assert sorted(blocked(world)) == PEOPLE[:12]
        assert set(outcomes(story)) == {Outcome.DONE}


async def test_a_server_that_fails_for_good_stops_it_until_it_is_mended(paths: Paths, world: World) -> None:
    suffer(world, Fault(Trouble.DENIED, path="*/block"))
    async with console_at(world, paths) as story:
        await plan(story, PEOPLE[:3])
        await confirm(story, 3)
        await story.until_shown("Paused: Access denied (1005)", "WATUI_TOKEN", "p go on")
        assert len(story.sent) == 1
        suffer(world)
        await story.press("p")
        await story.until_shown("3 blocked")
        assert blocked(world) == PEOPLE[:3]


async def test_a_server_that_asks_for_patience_is_named(paths: Paths, world: World) -> None:
    suffer(world, Fault(Trouble.TOO_MANY_REQUESTS, path="*/block", nth=2, retry_after=3600))
    async with console_at(world, paths) as story:
        await plan(story, PEOPLE[:3])
        await confirm(story, 3)
        await story.until_shown("1 blocked, 2 to do", "The server asks us to wait until", "Too many requests (1015)")
        await story.press("escape")
        await story.until_on(Confirm)
        await story.press("y")
        await story.until(lambda: story.app.screen is story.blocklist, "back at the list")
        assert len(story.sent) == 2


# The way back


async def test_undo_gives_back_exactly_what_was_there(paths: Paths, world: World) -> None:
    world.people.block_others(3, time.time())
    for number in PEOPLE[:4]:
        world.people.block(number, time.time())
    before = blocked(world)
    async with console_at(world, paths) as story:
        await plan(story, [*PEOPLE[:16], NOBODY])
        await confirm(story, 13, "spam")
        await story.until_shown("12 blocked, 4 already so, 1 refused")
        await story.press("z")
        await story.until_shown("Unblock a list at shop: takes back batch 1", "12 contacts to unblock")
        assert len(story.sent) == 13
        await confirm(story, 12)
        await story.until_shown("12 unblocked")
        assert blocked(world) == before
        await story.press("z")
        await story.until_shown("12 unblocked")
        await story.press("escape", "z")
        await story.until_told("There is no block or unblock to take back.")


async def test_the_latest_change_is_undone_from_either_screen(paths: Paths, world: World) -> None:
    world.people.block_others(2, time.time())
    before = blocked(world)
    async with console_at(world, paths) as story:
        await story.press("z")
        await story.until_told("There is no block or unblock to take back.")
        await plan(story, PEOPLE[:2])
        await confirm(story, 2)
        await story.until_shown("2 blocked")
        await story.press("escape")
        await story.until_shown("1–4 of 4 contacts")
        await story.press("u")
        await story.until_on(Confirm)
        await story.press("y")
        await story.until_told("+1 212-200-0000 is unblocked.")
        for key, words, ended in (("1", "Block a list", "1 blocked"), ("2", "Unblock a list", "2 unblocked")):
            await story.press(key, "z")
            await story.until_on(BulkScreen)
            await story.until_shown(words, "takes back batch", "Nothing has been sent yet.")
            await story.press("enter")
            await story.until_shown(ended)
            await story.press("escape")
        assert sorted(blocked(world)) == before


async def test_what_somebody_changed_since_is_left_alone(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        await plan(story, PEOPLE[:3])
        await confirm(story, 3)
        await story.until_shown("3 blocked")
        await story.press("escape")
        await story.until_shown("1–3 of 3 contacts")
        world.people.unblock(PEOPLE[1], time.time())
        await story.press("z")
        await story.until_shown("2 contacts to unblock, 1 × is not blocked")
        await story.press("enter")
        await story.until_shown("2 unblocked, 1 already so")
        assert blocked(world) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (Changes(engaged=0.0), "2 of 2 could not be blocked again: they did not write within the last 24 hours."),
        (Changes(engaged=1.0), "All of them wrote within the last 24 hours, so they can be blocked again."),
    ],
)
async def test_the_simulator_says_who_could_not_be_blocked_again(paths: Paths, changes: Any, words: str) -> None:
    async with console(paths) as story:
        backstage = await story.session.desk.backstage()
        await backstage.change(Changes(engaged=1.0))
        await plan(story, PEOPLE[:2])
        await confirm(story, 2)
        await story.until_shown("2 blocked")
        await backstage.change(changes)
        await story.press("z")
        await story.until_shown("2 contacts to unblock", words)
