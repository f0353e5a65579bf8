"""The Check screen: paste or import, preview, live statuses."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.getters import query_one
from textual.worker import Worker, WorkerCancelled, WorkerFailed

from watui.ledger.rows import RowFilter, RunRecord
from watui.ledger.schema import LedgerUnusable, NoSuchRun
from watui.text import counted
from watui.tui import panels
from watui.tui.cells import RowLook
from watui.tui.commands import Scope, bar, bindings, panel_bar
from watui.tui.keys import key_of
from watui.tui.outlet import Outlet
from watui.tui.phases import ASKED, LEFT_ALONE, Phase
from watui.tui.screens.closing import unless_closed
from watui.tui.screens.intake import IntakeScreen
from watui.tui.screens.main import CHECK
from watui.tui.session import Session
from watui.tui.widgets.ground import Pane
from watui.tui.widgets.line import Line
from watui.tui.widgets.row_list import RowList
from watui.tui.widgets.seam import seams
from watui.tui.widgets.simulator_panel import PANEL_WIDTH, WIDE, SimulatorPanel
from watui.tui.widgets.static import Static

if TYPE_CHECKING:
    from watui.settings.settings import Notice
    from watui.tui.changes import Changes
    from watui.tui.hiding import Hiding

SEAMED_COLUMNS = 128
"""In which the counts change; a terminal that is wider has nothing there."""


class CheckScreen(IntakeScreen):
    """One list from import to its last verdict. The list itself is the Session's; this shows it."""

    BINDINGS: ClassVar = bindings(Scope.CHECK)
    SCOPE = Scope.CHECK
    AUTO_FOCUS = "RowTable"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]

    banner = query_one("#banner", Static)
    progress = query_one("#progress", Line)
    counts = query_one("#counts", Line)
    legend = query_one("#legend", Line)
    summary = query_one("#summary", Static)
    welcome = query_one("#welcome", Static)
    simulator = query_one("#simulator", SimulatorPanel)

    def __init__(
        self,
        session: Session,
        find_changes: Callable[[], Changes],
        hiding: Hiding,
        outlet: Outlet,
        notice: Notice = "off",
    ) -> None:
        """`notice` is how the end of a long run is told."""
        super().__init__(session, find_changes, hiding)
        self._notice: Notice = notice
        self.id = CHECK
        # All from the start: a class that comes later has the styles of the whole screen looked up once more.
        breadth = "-wide" if self.app.size.width >= WIDE else "-narrow"
        self.add_class(f"-{session.phase.value}", breadth, update=False)
        self._outlet = outlet
        self._is_state_old = False
        self._state_shown_at = 0.0
        self._is_unreadable = False
        self._deleting: str | None = None
        """What was shown of that, in words."""
        self._asking: Worker[None] | None = None
        self._looking: Worker[None] | None = None

    def compose(self) -> ComposeResult:
        yield Line(id="title")
        yield Static(id="banner")
        with Pane(id="body"):
            with Pane(id="list"):
                with Pane(id="state"):
                    yield from seams(SEAMED_COLUMNS)
                    yield Line(id="progress", is_seamed=True)
                    yield Line(id="counts", is_seamed=True)
                yield Static(id="summary")
                yield Static(id="welcome")
                yield Line(id="legend")
                yield RowList(self.session.desk, id="rows")
            yield SimulatorPanel(self.session.desk, id="simulator")
        yield Line(id="keys")

    def on_mount(self) -> None:
        self.welcome.update(panels.welcome(self.session.desk))
        self.set_interval(self._outlet.pace.tick, self._tick)
        self.show_phase()
        self.app.mode_change_signal.subscribe(self, self._came_here)
        self.call_after_refresh(self._warm_up)

    def _came_here(self, mode: str) -> None:
        if mode == CHECK:
            self._look_for_offer()

    # What the ledger says

    def _tick(self) -> None:
        """Show what has changed, while the terminal keeps up: the rows, and more seldom what stands around them."""
        session = self.session
        phase = session.phase
        if phase is Phase.EMPTY:
            self._follow_offer()
            self._follow_deletion()
            return
        # The first rows of a list are what a key led to: they do not wait until the line is free again.
        is_waited_for = phase is Phase.IMPORTING and not self.rows.table.row_count
        is_free = self._outlet.is_free
        if not is_free and not is_waited_for:
            return
        if self._read_again():
            self._is_state_old = True
            if session.phase is not phase or self.rows.look != self._look():
                self.show_phase()
            elif phase is Phase.IMPORTING:
                self._show_rows()
            else:
                self.rows.update()
        if is_free and self._is_state_old and time.monotonic() - self._state_shown_at >= self._outlet.pace.counts:
            self._show_state()

    def _read_again(self) -> bool:
        """Read where the list stands, if it has changed; return whether it has. Trouble with that is told once."""
        session = self.session
        try:
            has_changed = session.catch_up()
        except NoSuchRun as error:
            session.forget()
            has_changed = True
            self.refuse(f"The list on the screen was deleted by another process: {error}.")
        except LedgerUnusable as error:
            if not self._is_unreadable:
                self.refuse(str(error))
            self._is_unreadable = True
            return False
        self._is_unreadable = False
        return has_changed

    def _follow_offer(self) -> None:
        """Look for another run to offer, when there may be one."""
        is_looking = self._looking is not None and not self._looking.is_finished
        with contextlib.suppress(LedgerUnusable):
            if not is_looking and self.session.is_offer_old():
                self._looking = self._look_for_offer()

    def _follow_deletion(self) -> None:
        """Show how far it is that lists are deleted, while the terminal keeps up."""
        deletion = self.session.desk.deletion
        words = deletion.words if deletion is not None else None
        is_time = time.monotonic() - self._state_shown_at >= self._outlet.pace.counts
        if words != self._deleting and self._outlet.is_free and is_time:
            self._deleting = words
            self._show_state()

    @unless_closed
    def show_phase(self) -> None:
        """Show what belongs to the phase, after it has changed."""
        phase = self.session.phase
        self.hiding.follow(is_sample=self.session.is_sample)
        self.update_classes({f"-{name.value}": name is phase for name in Phase} | {"-asked": phase in ASKED})
        record, found, cost = self.session.record, self.session.summary, self.session.cost
        if phase is Phase.PREVIEW and record is not None and found is not None and cost is not None:
            self.summary.update(panels.summary(self.session.desk, record, found, cost, self.session.given))
        self._show_rows()
        self._show_state()

    @unless_closed
    def _show_state(self) -> None:
        self._is_state_old, self._state_shown_at = False, time.monotonic()
        session, width = self.session, self._list_width()
        run_id = session.record.id if session.record and session.phase in ASKED else None
        self.title_line.show(panels.title(session.desk, CHECK, run_id, session.version, self.size.width))
        if session.phase is Phase.IMPORTING:
            self.progress.show(panels.importing(session.reading, width))
        else:
            self.progress.show(panels.progress(session, width))
        self.counts.show(panels.counts(session.tally, session.version, self.rows.wanted, width))
        self.set_class(self.rows.wanted != RowFilter(), "-filtered")
        is_whole = not self.rows.is_picking and session.phase is not Phase.IMPORTING
        self.legend.show(panels.legend(session, self.rows.wanted, self.rows.table.row_count, is_whole=is_whole))
        banner = panels.banner(session)
        self.banner.display = banner is not None
        if banner is not None:
            self.banner.update(banner)
        self.show_keys()

    @unless_closed
    def show_keys(self) -> None:
        session, is_hiding = self.session, self.hiding.is_on
        if self.simulator.has_focus:
            offered = panel_bar(session.phase, is_hiding=is_hiding)
        else:
            offered = bar(Scope.CHECK, session.phase, is_hiding=is_hiding)
        if session.phase is Phase.PREVIEW and session.cost is not None and not session.cost.numbers:
            offered = panels.with_nothing_to_ask(offered, session.cost)
        self.keys.show(panels.key_bar(offered, self.size.width, session.desk))

    def _list_width(self) -> int:
        """Columns that the list has: all, but for a panel beside it."""
        return self.size.width - (PANEL_WIDTH if self.simulator.display and self.size.width >= WIDE else 0)

    def _show_rows(self) -> None:
        self.rows.show(self.session.record, self._look())

    def _look(self) -> RowLook:
        return RowLook(self.session.phase in (Phase.IMPORTING, Phase.PREVIEW), self.session.has_versions)

    @on(RowList.Shown)
    def rows_shown(self) -> None:
        self._show_state()

    def on_resize(self) -> None:
        self._show_state()

    async def versions_at_hand(self) -> Sequence[str | None]:
        return self.session.versions or (self.session.version,)

    async def action_tour(self) -> None:
        from watui.tui.screens.tour import TourScreen

        await self.app.push_screen(TourScreen())

    # From preview to verdicts

    def action_start(self) -> None:
        """Ask about the preview; anywhere else the key opens the contact of the row."""
        if self.session.phase is Phase.IMPORTING:
            self.refuse("A list is being read: it can be asked about when it is in.")
        elif self.session.phase is not Phase.PREVIEW:
            self.action_contact()
        elif (why := self.session.why_not_here) is not None:
            self.refuse(why)
        elif self.session.begin_asking():
            self.rows.filter(RowFilter())
            self._asking = self._ask()
        else:
            self.refuse("There is nothing to ask: every row is rejected.")

    def action_ask_all(self) -> None:
        """Ask also about what is known of the preview, or leave that out again."""
        session = self.session
        if session.phase is not Phase.PREVIEW or session.summary is None:
            return
        if session.summary.fresh:
            session.asks_all = not session.asks_all
            self.show_phase()
        else:
            self.refuse("All of it is asked: nothing was answered here within the last seven days, or it is to be new.")

    @work(exclusive=True, group="budget")
    async def action_budget(self) -> None:
        """Enter messages that were sent, or go on over the budget."""
        from watui.tui.screens.budget import BudgetDialog

        session = self.session
        with self.refusing():
            session.desk.look_at_budget()
            if session.desk.budget is None:
                self.refuse(f"{session.desk.profile} has no budget: calls are not counted here.")
                return
            entered = await self.app.push_screen_wait(BudgetDialog(session.desk.profile, session.desk.budget))
            if entered is not None:
                await (session.go_over if entered.is_over else session.enter_messages)(entered.number)
                self.show_phase()

    @work(exclusive=True, group="run")
    async def _ask(self) -> None:
        self.show_phase()
        began_at = time.monotonic()
        await self.session.ask()
        self.show_phase()
        from watui.tui.notices import LONG_SECONDS, sequence

        if time.monotonic() - began_at >= LONG_SECONDS and self.session.record is not None:
            # By its id alone: what a terminal does with it, nobody here can hide.
            self._outlet.send(sequence(self._notice, f"watui: run {self.session.record.id} {self.session.phase.value}"))

    def action_pause(self) -> None:
        """Pause, or go on; with no list at hand, with the latest run that has not ended."""
        session = self.session
        if session.is_asking:
            session.pause()
            self.show_phase()
        elif session.phase is Phase.STOPPED:
            self._resume()
        elif session.phase is Phase.WATCHED:
            self.refuse("Another process asks about this run: it can be paused there.")
        elif session.phase is Phase.ENDED:
            self.refuse("This run has ended: there is nothing to go on with.")
        elif session.phase is Phase.EMPTY and session.offer is not None:
            self.open(session.offer.record.id, resume=True)

    @work(exclusive=True, group="cancel")
    async def action_cancel(self) -> None:
        from watui.tui.screens.dialogs import Confirm

        session = self.session
        if session.phase is Phase.WATCHED:
            self.refuse("Another process asks about this run: it can be ended there.")
        if session.record is None or not (session.is_asking or session.phase is Phase.STOPPED):
            return
        left = session.record.numbers - session.final
        question = f"End this run with {counted(left, 'number')} not decided? What is known is kept."
        if await self.app.push_screen_wait(Confirm(Content(question), "end the run")):
            await self._stop(self._asking)
            if session.phase not in (Phase.RUNNING, Phase.PAUSED, Phase.STOPPED):
                return
            with self.refusing():
                await session.cancel()
            self.show_phase()

    def action_new(self) -> None:
        """Leave a list that needs nothing from here for another one."""
        if self.session.is_asking:
            self.refuse("A run is under way: let it end or cancel it first.")
        elif self.session.phase is Phase.PREVIEW:
            self.refuse(f"This list is not sent yet: {key_of('check.back')} discards it.")
        elif self.session.phase in LEFT_ALONE:
            self.session.forget()
            self.show_phase()
            self._look_for_offer()

    # Runs that were begun before, or elsewhere

    @work(exclusive=True, group="open")
    async def open(self, run_id: int, *, resume: bool = False) -> None:
        """Show a run of the ledger, and go on with it where that is wanted and nobody else asks."""
        with self.refusing():
            self.rows.filter(RowFilter())
            if not await self.session.open(run_id):
                self.refuse(f"Run {run_id} was not opened: another list has come meanwhile. It waits among the runs.")
                return
            self.show_phase()
            if resume and self.session.phase is Phase.STOPPED:
                self._resume()
            self.call_after_refresh(self._find_versions)

    @work(exclusive=True, group="versions")
    async def _find_versions(self) -> None:
        with self.refusing():
            await self.session.find_versions()
            self.show_phase()

    def _resume(self) -> None:
        if (why := self.session.why_not_here) is not None:
            self.refuse(why)
        else:
            self.session.begin_resuming()
            self._asking = self._ask()

    @work(exclusive=True, group="offer")
    async def _look_for_offer(self) -> None:
        if self.session.phase is not Phase.EMPTY:
            return  # A run is being opened: to look through the others would only keep it waiting.
        with self.refusing():
            await self.session.look_for_offer()
            self.show_phase()

    @work(exclusive=True, group="back")
    async def action_back(self) -> None:
        """One step back."""
        from watui.tui.screens.dialogs import Confirm

        session = self.session
        if self.simulator.has_focus:
            self.action_simulator()
            return
        if session.phase is Phase.IMPORTING and not self.rows.is_searching:
            await self._stop(self.adding)
            return
        if self.rows.back():
            return
        if session.phase is Phase.PREVIEW and session.record is not None:
            question = Content(
                f"Discard this list of {counted(session.record.read, 'row')}? Nothing of it has been sent."
            )
            if session.is_kept:
                session.forget()
                self.show_phase()
                self._look_for_offer()
            elif await self.app.push_screen_wait(Confirm(question, "discard it")):
                self._discard(session.record)

    @work(group="discard")
    async def _discard(self, draft: RunRecord) -> None:
        """Leave the draft, which is deleted while something else can be done."""
        self.session.forget()
        self.show_phase()
        with self.refusing(), self.telling_deleted(draft.rows):
            await self.session.desk.archive.discard(draft.id)

    # The simulator's panel

    def action_simulator(self) -> None:
        """Open the panel, or close it when it has the keys."""
        if not self.session.desk.is_simulator:
            self.refuse("There is nothing to change behind a real server: the panel is the simulator's.")
        elif self.simulator.display and self.simulator.has_focus:
            self.simulator.close()
            self.rows.table.focus()
        else:
            self.simulator.open()
        self._show_state()

    @on(SimulatorPanel.Looked)
    @on(events.DescendantFocus)
    @on(events.DescendantBlur)
    def panel_changed(self) -> None:
        self._show_state()

    @work(exclusive=True, group="reset")
    async def action_reset_world(self) -> None:
        from watui.tui.screens.dialogs import Confirm

        if not self.session.desk.is_simulator:
            self.refuse("Only the simulator's world can begin anew.")
            return
        question = "Let the simulator's world begin anew? Its blocklist and its cache are emptied; your lists are kept."
        if await self.app.push_screen_wait(Confirm(Content(question), "begin anew")):
            self.simulator.reset()

    # Parts

    @staticmethod
    async def _stop(worker: Worker[None] | None) -> None:
        if worker is not None:
            worker.cancel()
            with contextlib.suppress(WorkerCancelled, WorkerFailed):
                await worker.wait()

    @work(exclusive=True, group="warm-up")
    async def _warm_up(self) -> None:
        """Load what the first question needs while the person still reads."""
        _collect_garbage()
        with self.refusing():
            await self.session.desk.warm_up()
            for name in ("watui.archive", "watui.tui.changes"):
                await asyncio.to_thread(import_module, name)
            await self.session.look_for_offer()
            self.show_phase()
            await self.changes.settle()
            await self.session.keep_retention()


def _collect_garbage() -> None:
    """Let garbage be collected from now on, where that has waited: among what comes, not among all that was loaded."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
