"""Drives the console as a person would, and waits for what the screen shows instead of sleeping."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec
from textual import events
from textual.pilot import Pilot
from textual.screen import Screen
from textual.strip import Strip

from tests.conftest import TOKEN
from tests.simulated import create_app
from watui.client.exchanges import Exchange
from watui.client.server import Server
from watui.desk import Desk
from watui.settings.paths import Paths
from watui.settings.settings import SIMULATOR, Settings
from watui.simulator.population import has_account
from watui.simulator.serving import ServerThread
from watui.simulator.world import World
from watui.tui.app import WatuiApp
from watui.tui.phases import Phase
from watui.tui.screens.blocklist import BlocklistScreen
from watui.tui.screens.check import CheckScreen
from watui.tui.screens.contact import ContactScreen
from watui.tui.widgets.row_table import RowTable

DEADLINE_SECONDS = 20.0
STEP_SECONDS = 0.01
"""Between two looks at what is waited for; a pause of the pilot asks every widget, which is work for a while."""

WIDE, NARROW = (120, 40), (80, 24)

PROFILE = "shop"
"""What a server is called that is none of the embedded simulator."""

_NUMBERS = [f"+1631555{line:04}" for line in range(1_000, 1_100)]
_AGES = (0.0, 1e9)
"""Of a world, in seconds: before anybody moves, and after all have."""

PEOPLE = [number for number in _NUMBERS if all(has_account(0, number, age) for age in _AGES)]
"""Numbers with an account; whether they wrote lately is for the world to say."""

NOBODY = next(number for number in _NUMBERS if not any(has_account(0, number, age) for age in _AGES))
"""A number without an account."""

HOSTILE = "\x1b[31m\x1b]8;;x\x07\x1b]52;c;QQ==\x07\x9b2J\u202e\u200b[/x][@click=app.quit]q[/]"
"""What a terminal would obey, reorder or hide, and what Textual could take for markup."""

ShownScreen = TypeVar("ShownScreen", bound=Screen[Any])


def is_change(method: str, path: str) -> bool:
    """Whether a request changes a contact."""
    what = path.partition("?")[0].rpartition("/")[2]
    return (method, what) in {("POST", "block"), ("POST", "unblock"), ("POST", "report"), ("PUT", "identity")}


class Story:
    """A console under test."""

    def __init__(self, app: WatuiApp, pilot: Pilot[int] | None = None) -> None:
        """A story that is to know what is told from the first moment on gets its pilot later."""
        self.app = app
        self._pilot = pilot
        self.session = app.session
        self.notices: list[str] = []
        self.exchanges: list[Exchange] = []
        """All that was asked and answered, the console's own questions to a simulator's other side left out."""
        app.session.desk.exchanges.follow(self.exchanges.append)
        notify = app.notify

        def remember(message: str, **options: Any) -> None:
            self.notices.append(message)
            notify(message, **options)

        app.notify = remember  # type: ignore[method-assign]

    @property
    def pilot(self) -> Pilot[int]:
        assert self._pilot is not None, "the console runs"
        return self._pilot

    def begin(self, pilot: Pilot[int]) -> None:
        """Take the pilot of the console, which runs now."""
        self._pilot = pilot

    @property
    def screen(self) -> CheckScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, CheckScreen)
        return screen

    @property
    def blocklist(self) -> BlocklistScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, BlocklistScreen)
        return screen

    @property
    def sent(self) -> list[tuple[str, Any]]:
        """What was sent to change contacts: the path behind that of the API, and the body."""
        return [
            (
                each.url.partition("/v1/contacts/")[2].replace("%2B", "+"),
                msgspec.json.decode(each.request) if each.request else None,
            )
            for each in self.exchanges
            if is_change(each.method, each.url)
        ]

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def paste(self, text: str) -> None:
        """Paste as a terminal delivers it: line ends become carriage returns."""
        self.app.post_message(events.Paste(text.replace("\n", "\r")))
        await self.pilot.pause()

    async def preview(self, text: str) -> None:
        """Paste, and wait for the summary."""
        await self.paste(text)
        await self.until_phase(Phase.PREVIEW)

    async def resolve(self, text: str) -> None:
        """Paste, ask, and wait for the last verdict."""
        await self.preview(text)
        await self.press("enter")
        await self.until_phase(Phase.ENDED)

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Let the console go on until `condition` holds."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"it never came to this: {what}"
            await asyncio.sleep(STEP_SECONDS)
        await self.pilot.pause()

    async def until_phase(self, phase: Phase) -> None:
        await self.until(lambda: self.session.phase is phase and self.screen.has_class(f"-{phase.value}"), phase.value)

    async def until_told(self, words: str) -> None:
        """Wait for a notice that holds `words`."""
        await self.until(lambda: any(words in notice for notice in self.notices), f"{words} in {self.notices}")

    async def until_on(self, kind: type[ShownScreen]) -> ShownScreen:
        """Wait for a screen or a dialog, and return it."""
        await self.until(lambda: isinstance(self.app.screen, kind), kind.__name__)
        screen = self.app.screen
        assert isinstance(screen, kind)
        return screen

    async def until_idle(self, group: str) -> None:
        """Wait until nothing of a group of work is under way."""
        await self.until(
            lambda: all(worker.is_finished for worker in self.app.workers if worker.group == group), f"idle {group}"
        )

    async def until_shown(self, *words: str) -> None:
        """Wait until all of `words` stand somewhere on the screen."""
        await self.until(lambda: all(each in self.all_text() for each in words), f"{words} in\n{self.all_text()}")

    async def open_blocklist(self) -> BlocklistScreen:
        """Go to the blocklist, and wait for its page and for what is read ahead."""
        await self.press("2")
        await self.until(lambda: self.blocklist.blocklist.page is not None, "the first page")
        await self.until_idle("blocklist")
        return self.blocklist

    async def open_contact(self, number: str) -> ContactScreen:
        """Open the panel of a contact from a preview of its number, and wait for all that is known."""
        await self.preview(number)
        await self.press("o")
        panel = await self.until_on(ContactScreen)
        await self.until_idle("look")
        return panel

    def strips(self) -> list[Strip]:
        """All that is on the screen, line by line of every widget."""
        widgets = [widget for widget in self.app.screen.query("*") if widget.region.area and widget.is_on_screen]
        return [widget.render_line(y) for widget in widgets for y in range(widget.size.height)]

    def all_text(self) -> str:
        """The words of all that is on the screen, each with one blank behind it."""
        return " ".join(word for strip in self.strips() for word in strip.text.split())

    def assert_harmless(self) -> None:
        """Whatever is shown of others' text holds nothing that a terminal obeys, and nothing to click."""
        for strip in self.strips():
            assert strip.text.isprintable(), f"{strip.text!r}"
            assert not any("@click" in segment.style.meta for segment in strip if segment.style), f"{strip.text!r}"

    def table(self) -> list[str]:
        """The lines of the table that are in sight, the header first."""
        return table_lines(self.screen.rows.table)


def table_lines(table: RowTable[Any]) -> list[str]:
    """The lines of a table that are in sight, the header first."""
    return [table.render_line(y).text for y in range(table.size.height)]


@asynccontextmanager
async def console(
    paths: Paths,
    server: Server | None = None,
    size: tuple[int, int] = NARROW,
    settings: Settings | None = None,
    *,
    read_only: bool = False,
    has_budget: bool = False,
    notifications: bool = True,
) -> AsyncIterator[Story]:
    """A console at work on `server`, or on the embedded simulator; without `notifications` none is painted."""
    profile = SIMULATOR if server is None else PROFILE
    desk = Desk(paths, server, (settings or Settings()).region, profile, read_only=read_only, has_budget=has_budget)
    app = WatuiApp(desk, settings or Settings())
    story = Story(app)
    try:
        async with app.run_test(size=size, notifications=notifications) as pilot:
            story.begin(pilot)
            await pilot.pause()
            yield story
    finally:
        await desk.close()


@asynccontextmanager
async def console_at(world: World, paths: Paths, **options: Any) -> AsyncIterator[Story]:
    """A console at work on a server of its own, behind which is `world`."""
    with ServerThread(create_app(world, TOKEN)) as server:
        async with console(paths, Server.at(server.url, TOKEN), **options) as story:
            yield story
