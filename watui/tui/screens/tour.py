"""The tour: one step of it at a time, as it happens."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import AsyncExitStack
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.getters import query_one
from textual.worker import Worker, WorkerCancelled, WorkerFailed

from watui.client.failures import Failure
from watui.text import clean
from watui.tour import STEPS, VERSIONS, Kind, Stage, Told, opened
from watui.tui.commands import Scope, bar, bindings, together
from watui.tui.panels import key_bar
from watui.tui.screens.closing import unless_closed
from watui.tui.screens.modal import Modal
from watui.tui.themes import DIM
from watui.tui.widgets.line import Line
from watui.tui.widgets.static import Static


class TourScreen(Modal[None]):
    """Plays a step when it is come to. Its simulator is served for as long as the screen is open."""

    CSS_PATH = "tour.tcss"
    BINDINGS: ClassVar = bindings(*together(Scope.TOUR))
    AUTO_FOCUS = "#tour-scroll"

    heading = query_one("#tour-heading", Static)
    shown = query_one("#tour-log", Static)
    scroll = query_one("#tour-scroll", VerticalScroll)
    keys = query_one("#tour-keys", Line)

    def __init__(self) -> None:
        super().__init__()
        self.place = 0
        """Of the step at hand, from 0."""
        self._told: list[Content] = []
        self._stack = AsyncExitStack()
        self._opening: asyncio.Task[Stage] | None = None
        self._playing: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="tour"):
            yield Static(id="tour-heading")
            with VerticalScroll(id="tour-scroll"):
                yield Static(id="tour-log")
            yield Line(id="tour-keys")

    def on_mount(self) -> None:
        self._playing = self._play()

    async def on_unmount(self) -> None:
        if self._playing is not None:
            self._playing.cancel()
            with contextlib.suppress(WorkerCancelled, WorkerFailed):
                await self._playing.wait()
        if self._opening is not None:
            await asyncio.wait([self._opening])
        await self._stack.aclose()

    def on_resize(self) -> None:
        self._show_keys()

    def action_turn(self, steps: int) -> None:
        """Go so many steps further, or back; behind the last one the tour ends."""
        place = self.place + steps
        if place == len(STEPS):
            self.dismiss(None)
        elif place >= 0:
            self.place = place
            self._playing = self._play()

    async def action_meaning(self) -> None:
        from watui.tui.screens.meaning import MeaningScreen

        await self.app.push_screen(MeaningScreen(VERSIONS))

    @work(exclusive=True, group="tour")
    async def _play(self) -> None:
        step = STEPS[self.place]
        self._told = []
        counted = Content.styled(f"{self.place + 1} of {len(STEPS)}", DIM)
        self._show_heading(Content.assemble((step.title, "bold"), "   ", counted, f"\n{step.rule}"))
        self.scroll.scroll_home(animate=False)
        self._show()
        self._show_keys()
        try:
            stage = await self._stage()
            await stage.play(step, self._tell)
        except (Failure, OSError) as error:
            self._told.append(Content.styled(clean(str(error)), "$text-error"))
            self._show()

    async def _stage(self) -> Stage:
        """Open the simulator once, whoever is cancelled meanwhile."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._stack.enter_async_context(opened()))
        return await asyncio.shield(self._opening)

    def _tell(self, told: Told) -> None:
        said = clean(told.text)
        match told.kind:
            case Kind.REQUEST:
                shown = Content.assemble(("→ ", "bold $primary"), (said, "bold"))
            case Kind.ANSWER:
                answer = Content.assemble(("← ", "bold $primary"), said)
                shown = Content("\n").join([answer, *(Content.styled(f"  {clean(line)}", DIM) for line in told.more)])
            case Kind.NOTE:
                shown = Content.assemble((said, "$text-accent"), "\n")
        self._told.append(shown)
        self._show()

    @unless_closed
    def _show_heading(self, words: Content) -> None:
        self.heading.update(words)

    @unless_closed
    def _show(self) -> None:
        self.shown.update(Content("\n").join(self._told))
        self.call_after_refresh(self._show_keys)

    @unless_closed
    def _show_keys(self) -> None:
        line = key_bar(bar(Scope.TOUR), self.keys.size.width)
        if self.scroll.max_scroll_y > 0:
            line = Content.assemble(line, (" ↓", "bold $primary"), " rest")
        self.keys.show(line)
