"""A list that is blocked or unblocked: a dry run first, then an outcome for each, then one undo."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Input

from watui.actions import words
from watui.actions.plans import REVERSE, Plan, Target
from watui.client.failures import Failure
from watui.ledger import trail
from watui.ledger.schema import LedgerUnusable
from watui.ledger.trail import Kind, Outcome, Wish
from watui.text import clean, counted
from watui.tui.bulk_view import BulkLook, BulkView
from watui.tui.commands import Scope, bar, bindings, together
from watui.tui.panels import key_bar
from watui.tui.phases import Stage
from watui.tui.screens.closing import unless_closed
from watui.tui.screens.dialogs import Confirm
from watui.tui.screens.modal import Modal
from watui.tui.screens.reasons import ReasonInput
from watui.tui.themes import DIM
from watui.tui.widgets.line import Line
from watui.tui.widgets.row_table import RowTable
from watui.tui.widgets.safe_input import SafeInput
from watui.tui.widgets.static import Static

if TYPE_CHECKING:
    from watui.actions.batch import Batch
    from watui.client.blocklist import Part
    from watui.tui.changes import Changes

MOST_UNTYPED = 10
"""Contacts that are changed without typing how many they are."""

TICK_SECONDS = 0.2


class BulkScreen(Modal[bool]):
    """Plans, confirms, carries out and takes back changes of many contacts; gives whether anything was sent."""

    CSS_PATH = "changes.tcss"
    BINDINGS: ClassVar = bindings(*together(Scope.BULK))
    AUTO_FOCUS = ""

    head = query_one("#bulk-head", Static)
    reason = query_one(ReasonInput)
    typed = query_one("#bulk-count", SafeInput)
    state = query_one("#bulk-state", Static)
    table = query_one("#bulk-table", RowTable)
    keys = query_one("#bulk-keys", Line)

    def __init__(self, changes: Changes, wish: Wish, targets: Sequence[Target], reasons: Sequence[str]) -> None:
        """Where the wish undoes a batch, that says what is done to whom."""
        super().__init__()
        self._changes = changes
        self._desk = changes.desk
        self._wish = wish
        self._targets = targets
        self._reasons = reasons
        self._stage = Stage.READING
        self._plan: Plan | None = None
        self._batch: Batch | None = None
        self._has_begun = False
        self._problem: str | None = None
        self._engaged: str = ""
        self._driving: asyncio.Task[None] | None = None
        self._shown: Counter[Outcome] | None = None

    def compose(self) -> ComposeResult:
        with Vertical(id="bulk"):
            yield Static(id="bulk-head")
            yield ReasonInput(self._reasons)
            yield SafeInput(id="bulk-count", type="integer")
            yield Static(id="bulk-state")
            yield RowTable(id="bulk-table")
            yield Line(id="bulk-keys")

    def on_mount(self) -> None:
        self.set_interval(TICK_SECONDS, self._tick)
        self._show()
        self._read()

    def on_resize(self) -> None:
        self._show_keys()

    # The dry run

    @work(exclusive=True, group="bulk")
    async def _read(self) -> None:
        try:
            actions = await self._desk.actions()
            if self._wish.undoes is not None:
                self._plan = await actions.plan_undo(self._wish.undoes, self._progress)
            else:
                self._plan = await actions.plan(self._wish, self._targets, self._progress)
            self._wish = self._plan.wish
            self._engaged = await self._engagement(self._plan)
        except (Failure, LedgerUnusable, OSError, ValueError) as error:
            step = f" {error.next_step}" if isinstance(error, Failure) else ""
            self._problem = f"{error}.{step}"
            self._stage = Stage.ENDED
        else:
            self._stage = Stage.PLANNED
            self._show_rows(self._plan, None)
        self._show()

    @unless_closed
    def _progress(self, part: Part) -> None:
        if part.known < part.total:
            self.state.update(Content(f"Reading the blocklist: {part.known:,} of {part.total:,}"))

    async def _engagement(self, plan: Plan) -> str:
        """Return how many could not be blocked again: the simulator knows, a real server does not tell."""
        if self._wish.kind is not Kind.UNBLOCK:
            return ""
        states = await self._desk.contacts_backstage([action.target for action in plan.to_send])
        if not states:
            return words.CANNOT_BLOCK_AGAIN
        lost = sum(not state.is_engaged for state in states)
        if not lost:
            return "All of them wrote within the last 24 hours, so they can be blocked again."
        return f"{lost:,} of {len(states):,} could not be blocked again: they did not write within the last 24 hours."

    # Confirmed

    @on(Input.Submitted)
    def submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_go()

    def action_go(self) -> None:
        """Begin, if everything is in place for it."""
        if self._stage is not Stage.PLANNED or self._plan is None:
            return
        to_send = len(self._plan.to_send)
        if not to_send:
            self._complain("There is nothing to send.")
        elif self.reason.display and (problem := self.reason.problem) is not None:
            self._complain(f"The reason is {problem}.")
        elif to_send > MOST_UNTYPED and self.typed.value.strip() != str(to_send):
            self.typed.focus()
            given = self.typed.value.strip()
            wrong = f"{given} is not the number of contacts. " if given else ""
            self._complain(f"{wrong}Type {to_send} to {self._wish.kind} them.")
        else:
            self._stage = Stage.RUNNING
            self._driving = self._changes.begin(self._carry_out(self._plan))
            self._follow(self._driving)

    @work(exclusive=True, group="bulk")
    async def _follow(self, driving: asyncio.Task[None]) -> None:
        await asyncio.shield(driving)

    async def _carry_out(self, plan: Plan) -> None:
        plan = plan._replace(wish=plan.wish._replace(reason=self.reason.value if self.reason.display else None))
        try:
            actions = await self._desk.actions()
            self._batch = batch = await actions.begin(plan)
            self._problem, self._has_begun = None, True
            self._show_rows(plan, batch)
            self._show()
            try:
                await batch.drive(stop_on_failure=False)
            finally:
                await asyncio.shield(batch.give_up())
        except (LedgerUnusable, OSError) as error:
            self._problem = str(error)
        finally:
            self._stage = Stage.ENDED
            self._show()

    def action_hold(self) -> None:
        """Pause, or go on."""
        if self._batch is not None and self._stage in (Stage.RUNNING, Stage.PAUSED):
            if self._batch.is_paused:
                self._batch.resume()
            else:
                self._batch.pause()
            self._tick()

    def action_take_back(self) -> None:
        """Take back what this list has changed, after a dry run of its own."""
        done = self._batch.counts[Outcome.DONE] if self._batch is not None else 0
        if self._stage is not Stage.ENDED or self._batch is None:
            return
        if not done or self._wish.undoes is not None:
            return
        batch_id = trail.batch_of(self._desk.reader, self._batch.steps[0].id)[0].batch_id
        self._wish = Wish(REVERSE[self._wish.kind], undoes=batch_id)
        self._stage, self._plan, self._batch = Stage.READING, None, None
        self.typed.value = ""
        self._show()
        self._read()

    @work(exclusive=True, group="leave")
    async def action_leave(self) -> None:
        """Back; what is under way is ended, after asking."""
        if self._stage in (Stage.RUNNING, Stage.PAUSED):
            left = self._batch.counts[Outcome.PLANNED] if self._batch is not None else 0
            question = f"End this with {counted(left, 'contact')} not sent? What was done stays done."
            if not await self.app.push_screen_wait(Confirm(Content(question), "end it")):
                return
            if self._driving is not None:
                self._driving.cancel()
                await asyncio.wait([self._driving])
        self.dismiss(self._has_begun)

    # What is shown

    def _tick(self) -> None:
        batch = self._batch
        if batch is None or self._stage not in (Stage.RUNNING, Stage.PAUSED):
            return
        stage = Stage.PAUSED if batch.is_paused else Stage.RUNNING
        counts = batch.counts
        if stage is not self._stage or counts != self._shown or batch.waiting is not None:
            self._stage, self._shown = stage, counts
            self.table.update_rows()
            self._show()

    @unless_closed
    def _show_rows(self, plan: Plan, batch: Batch | None) -> None:
        self.table.show(BulkView(plan, batch), BulkLook())
        if batch is not None:
            self.table.focus()

    @unless_closed
    def _show(self) -> None:
        is_planned = self._stage is Stage.PLANNED
        to_send = len(self._plan.to_send) if self._plan else 0
        self.reason.display = is_planned and self._wish.kind is Kind.BLOCK and to_send > 0
        self.typed.display = is_planned and to_send > MOST_UNTYPED
        self.typed.placeholder = f"type {to_send} to {self._wish.kind} {counted(to_send, 'contact')}"
        self.table.update_rows()
        self.head.update(self._head())
        self.state.update(self._state())
        self._focus_first()
        self._show_keys()

    def _focus_first(self) -> None:
        if self._stage is Stage.PLANNED and self.focused is None:
            shown = [field for field in (self.reason, self.typed) if field.display]
            target = self.reason.field if self.reason in shown else self.typed if self.typed in shown else self.table
            target.focus()

    def _head(self) -> Content:
        kind = self._wish.kind.capitalize()
        undo = f": takes back batch {self._wish.undoes}" if self._wish.undoes is not None else ""
        return Content.assemble((f"{kind} a list", "bold"), f" at {clean(self._desk.profile)}{undo}")

    def _state(self) -> Content:
        if self._batch is not None:
            summary = Content(words.summary(self._wish, self._batch.counts))
            return Content("\n").join([summary, *self._trouble(self._batch)])
        if self._problem is not None and self._plan is None:
            return Content.styled(clean(self._problem), "$text-error")
        return self._planned(self._plan) if self._plan is not None else Content("Reading the blocklist…")

    def _trouble(self, batch: Batch) -> list[Content]:
        """Return what keeps a batch from going on, or what its refusals mean."""
        waiting, warning = batch.waiting, "$text-warning"
        if self._problem is not None:
            return [Content.styled(f"Stopped: {clean(self._problem)}", "$text-error")]
        if batch.failure is not None:
            return [Content.styled(f"Paused: {clean(batch.failure.title)}. {batch.failure.next_step}", warning)]
        if self._stage is Stage.PAUSED:
            return [Content.styled("Paused", f"bold {warning}")]
        if self._stage is Stage.ENDED:
            return [Content.styled(explained, DIM) for explained in self._explained(batch)]
        if waiting is not None and waiting.until > time.time():
            said = clean(waiting.words)
            return [Content.styled(f"{said[0].upper()}{said[1:]}", warning)]
        return []

    def _planned(self, plan: Plan) -> Content:
        found = words.planned(self._wish.kind, len(plan.to_send), plan.notes())
        said = [Content.assemble(("Nothing has been sent yet. ", "bold"), found)]
        if self._engaged and plan.to_send:
            said.append(Content.styled(self._engaged, "$text-warning"))
        if self._problem is not None:
            said.append(Content.styled(self._problem, "$text-error"))
        return Content("\n").join(said)

    def _explained(self, batch: Batch) -> list[str]:
        codes = Counter(step.end.code for step in batch.steps if step.end.outcome is Outcome.REFUSED)
        found = ((code, count, words.explain(self._wish, code)) for code, count in codes.most_common())
        return [f"{count:,} × {code}: {explained}" for code, count, explained in found if explained]

    def _complain(self, words_: str) -> None:
        self._problem = words_
        self._show()
        self._problem = None if self._stage is Stage.PLANNED else self._problem

    def _show_keys(self) -> None:
        done = self._batch.counts[Outcome.DONE] if self._batch is not None else 0
        can_undo = done > 0 and self._wish.undoes is None
        offered = [command for command in bar(Scope.BULK, self._stage) if command.id != "take_back" or can_undo]
        self.keys.show(key_bar(offered, self.keys.size.width))
