"""The budget on the Check screen: its meter, its hard stop, and the two ways on."""

from contextlib import AbstractAsyncContextManager

import pytest

from tests.conftest import TOKEN
from tests.simulated import a_world
from tests.tui.story import NARROW, PEOPLE, WIDE, Story, console, console_at
from watui.client.failures import OverBudget
from watui.client.server import Server
from watui.contract.models import CheckRequest
from watui.contract.statuses import FINAL
from watui.ledger.budget import EntryKind, entries
from watui.settings.paths import Paths
from watui.settings.settings import Settings
from watui.simulator.serving import ServerThread
from watui.tui.phases import Phase
from watui.tui.screens.budget import BudgetDialog
from watui.tui.screens.traffic import REPLAY

pytestmark = pytest.mark.anyio

LIST = "\n".join(PEOPLE[:5])


def a_shop(paths: Paths, size: tuple[int, int] = NARROW) -> AbstractAsyncContextManager[Story]:
    """A console at a server that has a budget, which asks one number a request."""
    return console_at(a_world(latency=None), paths, size=size, settings=Settings(batch_size=1), has_budget=True)


async def enter(story: Story, *keys: str) -> None:
    """Type into the dialog and wait until it is closed."""
    await story.press("dollar_sign")
    await story.until_on(BudgetDialog)
    await story.press(*keys, "enter")
    await story.until(lambda: story.app.screen is story.screen, "the dialog is closed")
    await story.until_idle("budget")


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=repr)
async def test_a_run_stops_hard_and_goes_on_with_messages_or_over_the_budget(
    paths: Paths, size: tuple[int, int]
) -> None:
    async with a_shop(paths, size) as story:
        await story.preview(LIST)
        await story.until_shown("Budget: 0 of 0 calls left: nothing can be asked.")
        await story.press("enter")
        await story.until_phase(Phase.PAUSED)
        await story.until_shown("the budget of shop is used up: 0 of 0 calls used.", "WhatsApp's policy", "· 0/0 calls")
        await story.until_shown("$ enters messages, or goes on over it. p tries again.")
        assert story.exchanges == []

        await enter(story, *"3")
        await story.until(lambda: len(story.exchanges) == 3 and story.session.phase is Phase.PAUSED, "three calls")
        await story.until_shown("3 of 3 calls used", "· 3/3 calls")

        await enter(story, "tab", *"2")
        await story.until_phase(Phase.ENDED)
        await story.until_shown("· 5/5 calls")
        assert len(story.exchanges) == 5
        assert story.session.record is not None
        rows = list(story.session.desk.reader.rows(story.session.record.id))
        assert {row.status for row in rows} <= FINAL
        told = [(each.kind, each.number, each.calls) for each in entries(story.session.desk.reader, 9)]
        assert told == [(EntryKind.OVER, 2, 3), (EntryKind.MESSAGES, 3, 0)]


async def test_while_calls_are_left_only_messages_are_entered(paths: Paths) -> None:
    async with a_shop(paths) as story:
        await enter(story, *"12")
        await story.press("dollar_sign")
        dialog = await story.until_on(BudgetDialog)
        await story.until_shown("The budget of shop: 0 of 12 calls used")
        assert not dialog.query("#over")
        await story.press("0", "enter")
        await story.until_shown("Type a number from 1 to 999,999,999")
        await story.press(*"123456789", "enter")
        assert story.app.screen is dialog, "a digit too many"
        await story.press("escape")
        await story.until_idle("budget")
        await story.preview(LIST)
        await story.until_shown("Budget: 12 of 12 calls left")
        assert len(entries(story.session.desk.reader, 9)) == 1


async def test_a_check_that_is_asked_again_by_itself_is_reserved_as_well(paths: Paths) -> None:
    async with a_shop(paths) as story:
        await enter(story, "1")
        desk, request = story.session.desk, CheckRequest([PEOPLE[0]])
        await desk.check_once(request, REPLAY)
        with pytest.raises(OverBudget, match="1 of 1 calls used"):
            await desk.check_once(request, REPLAY)
        assert len(story.exchanges) == 1


async def test_who_has_no_budget_is_told_so(paths: Paths) -> None:
    async with console(paths) as story:
        await story.press("dollar_sign")
        await story.until_told("simulator has no budget: calls are not counted here.")
        await story.preview(LIST)
        await story.until_shown("No budget: asking the simulator costs nothing")


async def test_a_server_without_a_budget_has_nothing_to_hold_calls_back(paths: Paths, server: ServerThread) -> None:
    async with console(paths, Server.at(server.url, TOKEN)) as story:
        await story.preview(LIST)
        await story.until_shown("No budget: calls are not held to the messages sent")
