"""The Runs screen: all that was checked; resume, compare, export, ask again, forget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.worker import Worker

from watui.checks.compare import Comparison
from watui.contract.statuses import told_apart
from watui.export.rows import PairRow
from watui.ledger.rows import RowFilter
from watui.ledger.schema import LedgerUnusable
from watui.text import clean, counted, shortened
from watui.tui import panels, runs_view
from watui.tui.changes import Changes
from watui.tui.commands import Scope, bar, bindings, together
from watui.tui.hiding import Hiding
from watui.tui.keys import key_of
from watui.tui.panels import MOST_OF_A_SOURCE
from watui.tui.phases import Phase
from watui.tui.runs_view import PairsLook, RunsLook, ShownRun
from watui.tui.screens.check import CheckScreen
from watui.tui.screens.closing import unless_closed
from watui.tui.screens.dialogs import Confirm, Destination, ExportDialog, free_name
from watui.tui.screens.main import RUNS, MainScreen
from watui.tui.screens.modal import Modal
from watui.tui.session import LOOK_SECONDS, Session
from watui.tui.view import ListView
from watui.tui.widgets.line import Line
from watui.tui.widgets.row_table import RowTable
from watui.tui.widgets.static import Static


class RunsScreen(MainScreen):
    """All runs and drafts of the ledger, whoever made them. It follows what other processes do."""

    CSS_PATH = "runs.tcss"
    BINDINGS: ClassVar = bindings(Scope.RUNS)
    SCOPE = Scope.RUNS
    AUTO_FOCUS = "RowTable"

    state = query_one("#runs-state", Line)
    table = query_one("#runs-table", RowTable)
    welcome = query_one("#runs-welcome", Static)
    detail = query_one("#runs-detail", Line)

    def __init__(self, session: Session, find_changes: Callable[[], Changes], hiding: Hiding) -> None:
        super().__init__(find_changes, hiding)
        self.id = RUNS
        self.session = session
        self._desk = session.desk
        self._has_changed = session.desk.reader.watch()
        self._reading: Worker[None] | None = None
        self._look_of_runs = RunsLook()
        self._is_old = self._is_deleting = False
        self._problem: str | None = None
        self._shown: list[ShownRun] = []
        self._marked: int | None = None

    def compose(self) -> ComposeResult:
        yield Line(id="title")
        yield Line(id="runs-state")
        yield RowTable(id="runs-table")
        yield Static(runs_view.welcome(), id="runs-welcome")
        yield Line(id="runs-detail")
        yield Line(id="keys")

    def on_mount(self) -> None:
        self.app.mode_change_signal.subscribe(self, lambda _: self._look())
        self.set_interval(LOOK_SECONDS, self._follow)
        self.watch(self.table, "at_hand", self._show_detail, init=False)
        self._look()

    def on_resize(self) -> None:
        self._show()

    # What is shown

    def _follow(self) -> None:
        """Look again where anything has changed; that a driver has died stands in no ledger."""
        try:
            self._is_old = self._has_changed() or self._is_old
        except LedgerUnusable:
            self._is_old = True
        was_deleting, self._is_deleting = self._is_deleting, self._desk.deletion is not None
        is_under_way = was_deleting or self._is_deleting or any(each.run.state == "running" for each in self._shown)
        if self._is_old or is_under_way:
            self._look()

    def _look(self) -> None:
        """Read all runs anew, unless that is under way."""
        if self.is_active and (self._reading is None or self._reading.is_finished):
            self._reading = self._read()

    @work(group="runs")
    async def _read(self) -> None:
        self._is_old = False
        try:
            found = await self._desk.archive.runs()
        except LedgerUnusable as error:
            self._is_old, self._problem = True, str(error)
        else:
            self._problem = None
            if self._marked not in {run.run_id for run, _, _ in found}:
                self._marked = None
            self._shown = [ShownRun(run, began, seconds, run.run_id == self._marked) for run, began, seconds in found]
        self._show()

    @unless_closed
    def _show(self) -> None:
        self.welcome.display = not self._shown
        self.table.display = bool(self._shown)
        if self._shown and self.focused is None:
            self.table.focus()
        at_hand = self._at_hand()
        self.table.show(ListView("runs", self._shown), self._look_of_runs)
        ids = [each.run.run_id for each in self._shown]
        if at_hand is not None and at_hand.run.run_id in ids:
            self.table.move_to(ids.index(at_hand.run.run_id))
        self.title_line.show(panels.title(self._desk, RUNS, None, None, self.size.width))
        self.state.show(runs_view.state(self._shown, self._problem, self._desk.deletion))
        self.show_keys()

    @unless_closed
    def show_keys(self) -> None:
        self.keys.show(panels.key_bar(bar(Scope.RUNS, is_hiding=self.hiding.is_on), self.size.width))

    def _show_detail(self, row: object) -> None:
        self.detail.show(runs_view.detail(row if isinstance(row, ShownRun) else None))

    async def versions_at_hand(self) -> Sequence[str | None]:
        row = self._at_hand()
        return await self._desk.archive.versions(row.run.run_id) if row is not None else ()

    # What can be done

    def action_open(self) -> None:
        self._open(resume=False)

    def action_resume(self) -> None:
        row = self._at_hand()
        if row is not None and row.run.state == "unfinished":
            self._open(resume=True)
        elif row is not None:
            self.refuse(f"Run {row.run.run_id} is {row.run.state}: only a run that was cut short is gone on with.")

    def _open(self, *, resume: bool) -> None:
        row = self._at_hand()
        if row is None:
            return
        is_shown = self.session.record is not None and self.session.record.id == row.run.run_id
        if not is_shown and not self.session.has_room:
            self.refuse("There is a list on the Check screen that was not asked, or is asked right now: end it first.")
            return
        check = self._check_screen()
        if not is_shown or (resume and self.session.phase is Phase.STOPPED):
            check.open(row.run.run_id, resume=resume)
        self.action_show_check()

    def _check_screen(self) -> CheckScreen:
        return next(screen for screen in self.app.get_screen_stack("check") if isinstance(screen, CheckScreen))

    def action_mark(self) -> None:
        row = self._at_hand()
        if row is not None:
            self._marked = None if self._marked == row.run.run_id else row.run.run_id
            self._look()

    @work(exclusive=True, group="compare")
    async def action_compare(self) -> None:
        row = self._at_hand()
        if row is None:
            return
        other = self._marked if self._marked is not None else self._before(row)
        drafts = {each.run.run_id for each in self._shown if each.run.state == "draft"}
        if found := drafts & {row.run.run_id, other}:
            self.refuse(f"Run {found.pop()} is a draft: nothing of it was asked yet.")
            return
        if other is None or other == row.run.run_id:
            self.refuse(f"Mark one run with {key_of('runs.mark')}, go to another, and compare.")
            return
        before, after = sorted((other, row.run.run_id))
        with self.refusing():
            comparison, pairs = await self._desk.archive.compare(before, after)
            await self.app.push_screen_wait(PairsScreen(before, after, comparison, pairs))

    def _before(self, row: ShownRun) -> int | None:
        """Return the run before that one, of the same list as far as its name says."""
        same = [each.run for each in self._shown if each.run.source == row.run.source and each.run.state != "draft"]
        return next((run.run_id for run in same if run.run_id < row.run.run_id), None)

    @work(exclusive=True, group="export")
    async def action_export(self) -> None:
        row = self._at_hand()
        if row is None:
            return
        run_id = row.run.run_id

        async def write(place: Destination) -> None:
            self.tell_exported(await self._desk.archive.export(run_id, RowFilter(), *place), place)

        await self.write_where_wanted(ExportDialog, row.run.rows, free_name(f"watui-run-{run_id}"), write)

    @work(exclusive=True, group="recheck")
    async def action_recheck(self) -> None:
        row = self._at_hand()
        if row is None:
            return
        if not self.session.has_room:
            self.refuse("There is a list on the Check screen that was not asked, or is asked right now: end it first.")
            return
        with self.refusing():
            draft = await self._desk.archive.recheck(row.run.run_id)
            if draft is None:
                self.refuse(f"Nothing of run {row.run.run_id} is older than seven days, failed or open.")
                return
            self._check_screen().open(draft)
            self.action_show_check()

    @work(exclusive=True, group="ask to forget")
    async def action_forget(self) -> None:
        row = self._at_hand()
        if row is None:
            return
        run_id = row.run.run_id
        if self.session.record is not None and self.session.record.id == run_id:
            self.refuse("This run is on the Check screen: leave it there first.")
            return
        source = shortened(clean(row.run.source), MOST_OF_A_SOURCE)
        question = f"Forget run {run_id}, {counted(row.run.rows, 'row')} from {source}? Nothing of it is kept."
        if await self.app.push_screen_wait(Confirm(Content(question), "forget it")):
            self._forget(run_id, row.run.rows)

    @work(group="forget")
    async def _forget(self, run_id: int, rows: int) -> None:
        with self.refusing(), self.telling_deleted(rows):
            if not await self._desk.archive.forget_run(run_id):
                self.refuse("Another process uses the ledger: traces stay in its files until more is forgotten.")
        self._look()

    def _at_hand(self) -> ShownRun | None:
        row = self.table.row
        return row if isinstance(row, ShownRun) else None


class PairsScreen(Modal[None]):
    """What differs between two runs."""

    CSS_PATH = "runs.tcss"
    BINDINGS: ClassVar = bindings(*together(Scope.PAIRS))
    AUTO_FOCUS = "RowTable"

    table = query_one("#pairs-table", RowTable)

    def __init__(self, before: int, after: int, comparison: Comparison, pairs: Sequence[PairRow]) -> None:
        super().__init__()
        self._runs = (before, after)
        self._comparison = comparison
        self._pairs = pairs

    def compose(self) -> ComposeResult:
        before, after = self._runs
        counts, versions = self._comparison.words, list(self._comparison.versions)
        with Vertical(id="pairs"):
            yield Static(Content.styled(f"Run {after} compared with run {before}", "bold"))
            what = f"{counts}: no number differs." if counts and not self._pairs else counts
            meaning = f"\n{clean(told_apart(versions))}" if versions else ""
            yield Static(Content(f"{what or 'Neither holds a number.'}{meaning}"), id="pairs-state")
            yield RowTable(id="pairs-table")
            yield Static(panels.key_bar(bar(Scope.PAIRS), self.size.width), id="pairs-keys")

    def on_mount(self) -> None:
        self.table.display = bool(self._pairs)
        self.table.show(ListView("pairs", self._pairs), PairsLook())

    async def action_meaning(self) -> None:
        from watui.tui.screens.meaning import MeaningScreen

        await self.app.push_screen(MeaningScreen(list(self._comparison.versions) or [None]))
