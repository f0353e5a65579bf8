"""The simulator's panel: what the server is like, and what it does, while a list is checked."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.message import Message

from watui.client.failures import Failure
from watui.desk import Desk
from watui.text import clean
from watui.tui.commands import Scope, bindings
from watui.tui.widgets.static import Static

if TYPE_CHECKING:
    from watui.backstage import Backstage
    from watui.simulator.control import State
    from watui.simulator.record import Latest

Act = Callable[["Backstage"], Awaitable["State"]]

POLL_SECONDS = 0.5
"""How often the simulator is asked what it did, while the panel is open."""

MOST_LINES = 60

WIDE = 116
"""Columns of a terminal from which on the panel stands beside the list, not below it."""

PANEL_WIDTH = 52
"""Columns of the panel beside a list."""


class SimulatorPanel(Vertical, can_focus=True):
    """Shows and changes the embedded simulator. Data comes in by messages; what changes goes out as Looked."""

    BINDINGS: ClassVar = bindings(Scope.SIMULATOR)

    head = query_one("#simulator-head", Static)
    choices = query_one("#simulator-settings", Static)
    about = query_one("#simulator-about", Static)
    log_lines = query_one("#simulator-log", Static)

    class Looked(Message):
        """The simulator was looked at; `problem` says why it could not be, or would not change."""

        def __init__(self, state: "State | None", problem: str | None = None) -> None:
            super().__init__()
            self.state = state
            self.problem = problem

    def __init__(self, desk: Desk, *, id: str) -> None:
        super().__init__(id=id)
        self._desk = desk
        self._state: State | None = None
        self._chosen = 0
        self._seen = 0
        self._asking = asyncio.Lock()
        self._latest: deque[Latest] = deque(maxlen=MOST_LINES)

    def on_mount(self) -> None:
        self.set_interval(POLL_SECONDS, self._poll)
        self.watch(self.app, "is_utc", self._show, init=False)

    def open(self) -> None:
        """Show the panel, and let it have the keys."""
        if not self.children:
            choices = Vertical(Static(id="simulator-settings"), Static(id="simulator-about"), id="simulator-choices")
            self.mount(Static(id="simulator-head"), choices, Static(id="simulator-log"))
        self.display = True
        self.focus()
        self._poll()

    def close(self) -> None:
        """Hide it."""
        self.display = False

    def _poll(self) -> None:
        if self.display and not self._asking.locked():
            self._look()

    @work(group="simulator")
    async def _look(self) -> None:
        await self._ask(lambda backstage: backstage.state(self._seen))

    @work(group="simulator")
    async def _choose(self, step: int) -> None:
        await self._ask(self._choice(self._chosen, step))
        await self._ask(lambda backstage: backstage.state(self._seen))

    @work(group="simulator")
    async def _reset(self) -> None:
        await self._ask(lambda backstage: backstage.reset())

    async def _ask(self, act: "Act") -> None:
        """Ask one thing after the other: each choice is made from what the one before has led to."""
        async with self._asking:
            try:
                state = await act(await self._desk.backstage())
            except Failure as failure:
                self.post_message(self.Looked(None, f"{failure.title}. {failure.next_step}"))
            except OSError as error:
                self.post_message(self.Looked(None, str(error)))
            else:
                self._take(state)
                self.post_message(self.Looked(state))

    def _take(self, state: "State") -> None:
        """Remember how the simulator is, and what it did."""
        if state.requests < self._seen:  # the world began anew
            self._seen = 0
            self._latest.clear()
        fresh = [exchange for exchange in state.latest if exchange.seq > self._seen]
        self._latest.extend(fresh)
        self._seen = fresh[-1].seq if fresh else self._seen
        self._state = self._desk.simulator_state = state

    def _choice(self, chosen: int, step: int) -> "Act":
        """Return what lets the setting `chosen` have another value, `step` places on."""
        from watui.simulator.scenario import shipped
        from watui.tui import simulator_view

        async def act(backstage: "Backstage") -> "State":
            assert self._state is not None
            setting = simulator_view.settings(self._state, shipped())[chosen]
            wanted = simulator_view.changes(setting.name, setting.neighbour(step))
            return await (backstage.play(wanted) if isinstance(wanted, str) else backstage.change(wanted))

        return act

    @on(Looked)
    def looked(self, event: Looked) -> None:
        """Take note, and let the screen know: its title names the version."""
        if event.state is None:
            self.head.update(Content.styled(clean(event.problem or ""), "$text-error"))
        else:
            self._show()

    def _show(self) -> None:
        from watui.simulator.scenario import shipped
        from watui.tui import simulator_view

        if self._state is None:
            return
        scenarios = shipped()
        found = simulator_view.settings(self._state, scenarios)
        is_wide = self.app.size.width >= WIDE
        _update(self.head, simulator_view.head(self._state, is_wide))
        _update(self.choices, simulator_view.setting_lines(found, self._chosen, self.has_focus))
        about = simulator_view.about(self._state, scenarios)
        _update(self.about, about)
        lines = [simulator_view.exchange_lines(exchange) for exchange in reversed(self._latest)]
        # Where there is no room for both, the lesson stands in place of what the server did while it is chosen.
        is_lesson = not is_wide and self.has_focus and found[self._chosen].name == "scenario"
        self.log_lines.set_class(is_lesson, "-lesson")
        told = Content("\n").join(lines) if lines else Content("Nothing was asked yet.")
        _update(self.log_lines, about if is_lesson else told)

    def on_focus(self) -> None:
        self._show()

    def on_blur(self) -> None:
        self._show()

    def action_setting(self, step: int) -> None:
        """Go to another setting."""
        from watui.tui import simulator_view

        if self._state is not None:
            self._chosen = (self._chosen + step) % len(simulator_view.settings(self._state, ()))
            self._show()

    def action_choose(self, step: int) -> None:
        """Choose another value, which holds at once."""
        if self._state is not None:
            self._choose(step)

    def reset(self) -> None:
        """Let the world begin anew."""
        self._reset()


def _update(shown: Static, content: Content) -> None:
    """Show `content`, painting nothing where it is there already."""
    if not (isinstance(shown.content, Content) and content.is_same(shown.content)):
        shown.update(content)
