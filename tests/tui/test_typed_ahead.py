"""Keys that come all at once: each goes to what the one before it has led to."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.message import Message
from textual.widgets import Input, Static

from tests.simulated import a_world
from tests.tui.story import PEOPLE, Story, console_at
from watui.desk import Desk
from watui.settings.paths import Paths
from watui.tui import typed_ahead
from watui.tui.phases import Phase
from watui.tui.screens.dialogs import ImportDialog, PlaceDialog
from watui.tui.screens.modal import Palette
from watui.tui.screens.reasons import BlockDialog, ReportDialog
from watui.tui.typed_ahead import TypedAhead

pytestmark = pytest.mark.anyio

NAMED = {"/": "slash", " ": "space"}
KEYS = {"enter", "escape", "down", "tab", "ctrl+p"}

NO_TIME, MUCH_TIME = 0.0, 600.0
"""Seconds."""


def at_once(app: App[Any], *typed: str) -> None:
    """Press keys, and type text, before the console has dealt with the first of it."""
    for each in typed:
        for key in [each] if each in KEYS else each:
            app.post_message(events.Key(NAMED.get(key, key), key if len(key) == 1 else None))


def value(story: Story, selector: str) -> str:
    return story.app.screen.query_one(selector, Input).value


@pytest.mark.parametrize(
    ("typed", "screen", "field", "text"),
    [
        (("i", "/tmp/x 7.csv"), ImportDialog, "#path", "/tmp/x 7.csv"),
        (("b", "fib 7sx"), BlockDialog, "#reason", "fib 7sx"),
        (("r", "spam", "tab", "wamid"), ReportDialog, "#message-id", "wamid"),
        (("t", "2"), PlaceDialog, "#place", "2"),
        (("ctrl+p", "exit"), Palette, "Input", "exit"),
        (("o", "b", "spam"), BlockDialog, "#reason", "spam"),
        (("b", "escape", "r", "escape", "o", "escape", "t", "5"), PlaceDialog, "#place", "5"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
async def test_what_is_typed_for_a_dialog_goes_there(
    typed: tuple[str, ...], screen: type, field: str, text: str, paths: Paths
) -> None:
    async with console_at(a_world(latency=None), paths) as story:
        await story.preview("\n".join(PEOPLE[:5]))
        at_once(story.app, *typed)
        await story.until_on(screen)
        await story.until(lambda: value(story, field) == text, f"{text} in {field}")
        assert story.session.phase is Phase.PREVIEW


async def test_what_is_typed_for_a_list_waits_until_it_is_in(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typed_ahead, "PATIENCE_SECONDS", MUCH_TIME)
    async with console_at(a_world(latency=None), paths) as story:
        story.app.post_message(events.Paste("\n".join(PEOPLE[:5])))
        at_once(story.app, "enter")
        await story.until_phase(Phase.ENDED)


async def test_all_that_is_typed_ahead_waits_no_longer_than_one_dialog_may(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(typed_ahead, "PATIENCE_SECONDS", 0.05)
    async with console_at(a_world(latency=None), paths) as story:
        await story.preview("\n".join(PEOPLE[:5]))
        monkeypatch.setattr(type(story.session.desk.archive), "numbers", never)
        began_at = asyncio.get_running_loop().time()
        at_once(story.app, "c" * 40, "t", "3")
        await story.until_on(PlaceDialog)
        assert asyncio.get_running_loop().time() - began_at < 40 * 0.05


async def test_what_is_typed_for_the_search_goes_there(paths: Paths) -> None:
    async with console_at(a_world(latency=None), paths) as story:
        await story.preview("\n".join(PEOPLE[:5]))
        at_once(story.app, "/", PEOPLE[1][-3:], "enter", "t", "1", "enter", "b", "it")
        await story.until_on(BlockDialog)
        await story.until(lambda: value(story, "#reason") == "it", "the reason")
        await story.until(lambda: story.screen.rows.wanted.text == PEOPLE[1][-3:], "the search")
        assert story.session.phase is Phase.PREVIEW


async def test_a_question_gets_the_answer_that_was_typed_for_it(paths: Paths) -> None:
    async with console_at(a_world(latency=None), paths) as story:
        await story.preview("\n".join(PEOPLE[:5]))
        at_once(story.app, "r", "spam", "enter", "y", "down", "down")
        await story.until(lambda: story.screen.rows.table.cursor == 2, "the rows")
        await story.until(lambda: len(story.sent) == 1, "the report")
        assert story.sent == [(f"{PEOPLE[0]}/report", {"reason": "spam"})]
        assert story.session.phase is Phase.PREVIEW


async def test_a_paste_stays_between_the_keys_around_it(paths: Paths) -> None:
    async with console_at(a_world(latency=None), paths) as story:
        await story.preview(PEOPLE[0])
        at_once(story.app, "b", "x")
        story.app.post_message(events.Paste("spam"))
        at_once(story.app, "q")
        await story.until_on(BlockDialog)
        await story.until(lambda: value(story, "#reason") == "xspamq", "the reason")


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Lets the other side of the simulator answer, of which a report asks something before its dialog comes."""
    answered = asyncio.Event()

    async def contacts(*_: object) -> list[object]:
        await answered.wait()
        return []

    monkeypatch.setattr(Desk, "contacts_backstage", contacts)
    return answered


async def test_a_dialog_that_is_late_is_waited_for(
    paths: Paths, answered: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typed_ahead, "PATIENCE_SECONDS", MUCH_TIME)
    monkeypatch.setattr(typed_ahead, "LONGEST_SECONDS", MUCH_TIME)
    async with console_at(a_world(latency=None), paths) as story:
        await story.preview("\n".join(PEOPLE[:5]))
        at_once(story.app, "r", "fix")
        await story.pilot.pause()
        assert not isinstance(story.app.screen, ReportDialog)
        answered.set()
        await story.until_on(ReportDialog)
        await story.until(lambda: value(story, "#reason") == "fix", "the reason")


async def test_a_dialog_that_does_not_come_keeps_no_key_for_ever(
    paths: Paths, answered: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typed_ahead, "PATIENCE_SECONDS", NO_TIME)
    async with console_at(a_world(latency=None), paths) as story:
        await story.preview("\n".join(PEOPLE[:5]))
        at_once(story.app, "r", "down", "down")
        await story.until(lambda: story.screen.rows.table.cursor == 2, "the rows")
        answered.set()
        await story.until_on(ReportDialog)


async def test_an_action_that_was_under_way_before_keeps_no_key(
    paths: Paths, answered: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console_at(a_world(latency=None), paths) as story:
        await story.preview("\n".join(PEOPLE[:5]))
        with monkeypatch.context() as patches:
            patches.setattr(typed_ahead, "PATIENCE_SECONDS", NO_TIME)
            await story.press("r")
        monkeypatch.setattr(typed_ahead, "PATIENCE_SECONDS", MUCH_TIME)
        monkeypatch.setattr(typed_ahead, "LONGEST_SECONDS", MUCH_TIME)
        at_once(story.app, "down", "down")
        await story.until(lambda: story.screen.rows.table.cursor == 2, "the rows")
        answered.set()
        await story.until_on(ReportDialog)


class Slow(Static, can_focus=True):
    """Gets through with a key when it is let go."""

    def __init__(self) -> None:
        super().__init__("slow")
        self.begun, self.free = asyncio.Event(), asyncio.Event()

    async def on_key(self) -> None:
        self.begun.set()
        await self.free.wait()


class Typewriter(App[None]):
    """Notes what has come to its end, the keys by way of a widget that is slow."""

    def __init__(self) -> None:
        super().__init__()
        self._typed = TypedAhead(self, super().post_message)
        self.slow = Slow()
        self.come: list[str] = []

    def compose(self) -> ComposeResult:
        yield self.slow

    def post_message(self, message: Message) -> bool:
        return self._typed.takes(message) or super().post_message(message)

    def on_key(self, event: events.Key) -> None:
        self.come.append(event.key)

    def on_mouse_move(self) -> None:
        self.come.append("mouse")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0)


async def test_keys_and_the_mouse_keep_their_order() -> None:
    app = Typewriter()
    async with app.run_test():
        at_once(app, "a")
        app.post_message(events.MouseMove(None, 0, 0, 0, 0, 0, False, False, False))
        at_once(app, "b")
        await app.slow.begun.wait()
        assert app.come == []
        app.slow.free.set()
        await until(lambda: len(app.come) == 3)
        assert app.come == ["a", "mouse", "b"]


async def test_a_widget_that_is_stuck_keeps_no_key_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typed_ahead, "LONGEST_SECONDS", NO_TIME)
    app = Typewriter()
    async with app.run_test():
        at_once(app, "a")
        await app.slow.begun.wait()
        app.screen.set_focus(None)
        at_once(app, "b")
        await until(lambda: app.come == ["b"])
        app.slow.free.set()
        await until(lambda: app.come == ["b", "a"])
