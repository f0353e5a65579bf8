"""Drives the console as a person would, and waits for what the screen shows instead of sleeping."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from textual import events
from textual.pilot import Pilot

from watui.client.server import Server
from watui.desk import Desk
from watui.settings.paths import Paths
from watui.settings.settings import Settings
from watui.tui.app import WatuiApp
from watui.tui.commands import Phase
from watui.tui.screens.check import CheckScreen

DEADLINE_SECONDS = 20.0
WIDE, NARROW = (120, 40), (80, 24)


class Story:
    """A console under test."""

    def __init__(self, app: WatuiApp, pilot: Pilot[int]) -> None:
        self.app = app
        self.pilot = pilot
        self.session = app.session
        self.notices: list[str] = []
        notify = app.notify

        def remember(message: str, **options: Any) -> None:
            self.notices.append(message)
            notify(message, **options)

        app.notify = remember  # type: ignore[method-assign]

    @property
    def screen(self) -> CheckScreen:
        screen = self.app.screen_stack[0]
        assert isinstance(screen, CheckScreen)
        return screen

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
            await self.pilot.pause()
        await self.pilot.pause()

    async def until_phase(self, phase: Phase) -> None:
        await self.until(lambda: self.session.phase is phase and self.screen.has_class(f"-{phase.value}"), phase.value)

    async def until_told(self, words: str) -> None:
        """Wait for a notice that holds `words`."""
        await self.until(lambda: any(words in notice for notice in self.notices), f"{words} in {self.notices}")

    def table(self) -> list[str]:
        """The lines of the table that are in sight, the header first."""
        table = self.screen.rows.table
        return [table.render_line(y).text for y in range(table.size.height)]


@asynccontextmanager
async def console(
    paths: Paths, server: Server | None = None, size: tuple[int, int] = NARROW, settings: Settings | None = None
) -> AsyncIterator[Story]:
    """A console at work on `server`, or on the embedded simulator."""
    desk = Desk(paths, server, (settings or Settings()).region)
    app = WatuiApp(desk, settings or Settings())
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            yield Story(app, pilot)
    finally:
        await desk.close()
