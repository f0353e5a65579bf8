"""The tour by pilot."""

import pytest

from tests.tui.story import console
from watui import tour
from watui.settings.paths import Paths
from watui.tour import STEPS
from watui.tui.screens.check import CheckScreen
from watui.tui.screens.tour import TourScreen

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tour, "POLL_SECONDS", 0.02)


async def test_each_step_is_gone_to_and_the_last_one_ends_it(paths: Paths) -> None:
    async with console(paths) as story:
        await story.press("T")
        screen = await story.until_on(TourScreen)
        await story.until_shown(STEPS[0].title, '"wa_id":"916315551002"')
        await story.press("enter")
        await story.until_shown(STEPS[1].title, "2 of 10", '"status":"processing"')
        await story.press("p", "p", "p")
        await story.until_shown(STEPS[0].title, "1 of 10")
        for place in range(1, len(STEPS)):
            await story.press("n")
            assert screen.place == place
        await story.until_shown("refused")
        await story.press("right")
        await story.until_on(CheckScreen)


async def test_nothing_of_it_reaches_the_server_at_hand(paths: Paths) -> None:
    async with console(paths) as story:
        await story.press("T")
        await story.until_on(TourScreen)
        await story.until_shown("always.")
        await story.press("escape")
        await story.until_on(CheckScreen)
        assert list(story.exchanges) == []
        assert story.session.desk.reader.runs() == []
