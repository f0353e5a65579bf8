"""One key tells all times in UTC, and in the zone of this machine again."""

import asyncio
import gc
import re
import time
from collections.abc import Iterator

import pytest

from tests.tui.story import Story, console
from watui.cli.console import open_console
from watui.desk import Desk
from watui.settings.paths import Paths
from watui.settings.settings import Settings
from watui.tui import app
from watui.tui.app import Switched, WatuiApp
from watui.zone import ZONE

pytestmark = pytest.mark.anyio

NUMBER = "+1 631 555 1000"


@pytest.fixture(autouse=True)
def half_a_day_away(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "AWAY-12")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def times(story: Story) -> list[tuple[str, str]]:
    """The times that the screen tells: hour, and the mark of UTC."""
    return re.findall(r"\b(\d\d):\d\d(?::\d\d)?(?:\.\d+)?(Z?)", story.all_text())


async def assert_told_in_both(story: Story) -> None:
    """All times on the screen, of which there is one at least, are told in UTC after `Z`."""
    await story.until(lambda: bool(times(story)), "a time")
    assert {mark for _, mark in times(story)} == {""}
    here = {int(hour) for hour, _ in times(story)}
    await story.press("Z")
    await story.until(lambda: {mark for _, mark in times(story)} == {"Z"}, "all times in UTC")
    assert {(int(hour) + 12) % 24 for hour, _ in times(story)} == here
    await story.press("Z")
    await story.until(lambda: {mark for _, mark in times(story)} == {""}, "all times as before")


async def test_the_panel_of_a_contact(paths: Paths) -> None:
    async with console(paths) as story:
        await story.resolve(NUMBER)
        await story.open_contact(NUMBER)
        await story.until_shown("identity", "run 1")
        await assert_told_in_both(story)


async def test_the_traffic(paths: Paths) -> None:
    async with console(paths) as story:
        await story.resolve(NUMBER)
        await story.press("5")
        await story.until_shown("sent at")
        await assert_told_in_both(story)


async def test_the_blocklist(paths: Paths) -> None:
    async with console(paths) as story:
        await story.resolve(NUMBER)
        await story.open_contact(NUMBER)
        await story.press("w")
        await story.until_told("wrote to you")
        await story.press("b", "enter")
        await story.until_told("is blocked")
        await story.press("escape")
        await story.open_blocklist()
        await story.until_shown("blocked 2")
        await assert_told_in_both(story)


async def test_what_the_simulator_did(paths: Paths) -> None:
    async with console(paths) as story:
        await story.resolve(NUMBER)
        await story.press("v")
        await assert_told_in_both(story)


async def test_it_says_which_zone_it_is(paths: Paths) -> None:
    async with console(paths) as story:
        await story.press("Z")
        await story.until_told("Times are in UTC; Z tells them in the zone of this machine, AWAY.")
        await story.press("Z")
        await story.until_told("Times are in the zone of this machine, AWAY; Z tells them in UTC.")


async def test_a_console_begins_with_its_own_zone_whatever_another_one_told(paths: Paths) -> None:
    async with console(paths) as story:
        await story.press("Z")
        assert ZONE.is_utc
        story.app.switch_to("simulator")
        await story.until(lambda: story.app.switched is not None, "the end")
        assert story.app.switched == Switched("simulator", is_utc=True)
    async with console(paths) as story:
        assert (story.app.is_utc, ZONE.is_utc) == (False, False)
        await story.press("Z")
        await story.until_told("Times are in UTC; Z tells them in the zone of this machine, AWAY.")


async def test_a_console_that_is_gone_over_to_goes_on_in_utc(paths: Paths) -> None:
    later = WatuiApp(Desk(paths, None, "US"), Settings(), is_utc=True)
    async with later.run_test():
        assert ZONE.is_utc
        later.action_utc()
        assert not ZONE.is_utc
    await later.session.desk.close()


def test_the_command_line_opens_the_next_console_as_the_last_one_was_left(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[Switched | int] = [Switched("simulator", hides_numbers=True, is_utc=True), Switched("simulator"), 0]
    begun = []

    def run_console(desk: Desk, *arguments: object, is_utc: bool) -> Switched | int:
        asyncio.run(desk.close())
        begun.append((arguments[-1], is_utc))
        return ends[len(begun) - 1]

    monkeypatch.setattr(app, "run_console", run_console)
    monkeypatch.setattr(gc, "disable", lambda: None)
    assert open_console() == 0
    assert begun == [(None, False), (True, True), (None, False)]
