"""One list on the Check screen, from import to its last verdict. It knows no widget."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from watui.checks.pace import Pace
from watui.contract.models import Blocking
from watui.contract.statuses import FINAL
from watui.desk import Desk
from watui.intake.problems import BadSource
from watui.intake.sources import STDIN, source_name
from watui.ledger.rows import RunOptions, RunRecord, Summary, Tally
from watui.ledger.schema import LedgerUnusable
from watui.tui.commands import Phase

if TYPE_CHECKING:
    from watui.checks.run import Run, Waiting


class Session:
    """The list at hand. All methods are called on the event loop."""

    def __init__(self, desk: Desk, blocking: Blocking, batch_size: int) -> None:
        self.desk = desk
        self.phase = Phase.EMPTY
        self.record: RunRecord | None = None
        self.tally: Tally = {}
        self.summary: Summary | None = None
        """What the preview shows."""
        self.problem: str | None = None
        """Why the ledger stopped the run, or can't be read; None while all is well."""
        self._options = RunOptions(desk.server_id, desk.region, blocking, False, batch_size)
        self._run: Run | None = None
        self._pace = Pace()
        self._seen_waiting: Waiting | None = None

    @property
    def is_asking(self) -> bool:
        """Whether a run is under way, paused or not."""
        return self.phase in (Phase.RUNNING, Phase.PAUSED)

    @property
    def failure(self) -> str | None:
        """Why the run stopped by itself, with what to do; None while all is well."""
        if self.problem is not None:
            return f"{self.problem}. What was answered by then is kept"
        failure = self._run.failure if self._run else None
        return f"{failure.title}. {failure.next_step}" if failure else None

    @property
    def version(self) -> str | None:
        """Server version of the latest answer, or the one to expect."""
        return (self.record.server_version if self.record else None) or self.desk.expected_version

    @property
    def final(self) -> int:
        """Numbers with a final status."""
        return sum(count.numbers for status, count in self.tally.items() if status in FINAL)

    @property
    def per_second(self) -> float:
        """Numbers that lately got a final status in a second."""
        return self._pace.per_second()

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at that rate, None while that can't be told."""
        return self._pace.seconds_left(self.record.numbers - self.final) if self.record else None

    @property
    def waiting(self) -> Waiting | None:
        """What keeps the run waiting; None while all is well."""
        return self._run.waiting if self._run else None

    @property
    def has_turned(self) -> bool:
        """Whether the run has paused, gone on or begun to wait by itself since the last `refresh`."""
        if not self.is_asking or self._run is None:
            return False
        return self._run.is_paused is not (self.phase is Phase.PAUSED) or self._run.waiting is not self._seen_waiting

    def refresh(self) -> None:
        """Read again where the list stands."""
        if self.record is None:
            return
        self.record = self.desk.reader.run(self.record.id)
        self.tally = self.desk.reader.tally(self.record.id)
        if self.is_asking:
            self.phase = Phase.PAUSED if self._run and self._run.is_paused else Phase.RUNNING
            self._seen_waiting = self.waiting
            self._pace.observe(time.monotonic(), self.final)

    def begin_import(self) -> None:
        """Make room for what comes; a list that has ended is left to the ledger."""
        if self.phase is Phase.ENDED:
            self.forget()
        self.phase = Phase.IMPORTING

    async def add_file(self, path: str) -> None:
        """Add a file to the draft, or to a new one. Raises BadSource."""
        await self._add(path, source_name(path))

    async def add_text(self, text: str, name: str) -> None:
        """Add pasted text to the draft, or to a new one. Raises BadSource."""
        await self._add(STDIN, name, text)

    async def _add(self, path: str, name: str, text: str | None = None) -> None:
        try:
            if self.record is None:
                self.record = await self.desk.add_draft(self._options)
            await self.desk.import_aside(self.record.id, path, name, text)
        finally:
            await asyncio.shield(self._end_import())
        if self.record is None:
            raise BadSource(f"{name} holds no numbers: give one a row")

    async def _end_import(self) -> None:
        """Show what is in the draft, whole or not; a draft with nothing in it is not kept."""
        try:
            self.refresh()
            if self.record is not None and self.record.rows:
                self.summary = await self.desk.summary(self.record.id)
        finally:
            self.phase = Phase.PREVIEW if self.record is not None else Phase.EMPTY
        if self.record is None or self.record.rows == 0:
            await self.discard()

    async def discard(self) -> None:
        """Delete the draft."""
        record = self.record
        self.forget()
        if record is not None:
            await self.desk.discard(record.id)

    def forget(self) -> None:
        """Begin anew; a run that was started stays in the ledger."""
        self.phase, self.record, self.tally, self.summary = Phase.EMPTY, None, {}, None
        self.problem, self._run, self._pace = None, None, Pace()

    def begin_asking(self) -> bool:
        """Leave the preview for a run; return whether there is anything to ask."""
        if self.phase is not Phase.PREVIEW or self.record is None or self.record.numbers == 0:
            return False
        self.phase = Phase.RUNNING
        return True

    async def ask(self) -> None:
        """Ask about the whole draft, until every number has a final status or `problem` says why not."""
        assert self.record is not None
        try:
            self._run = await self.desk.open_run(self.record.id)
            await self._run.drive(stop_on_failure=False)
            self.refresh()
        except (LedgerUnusable, OSError) as error:
            self.problem = str(error)
        self.phase = Phase.ENDED

    def pause(self) -> None:
        """Pause, or go on."""
        if self._run is not None:
            if self._run.is_paused:
                self._run.resume()
            else:
                self._run.pause()
        self.refresh()

    async def cancel(self) -> None:
        """End the run early. Its driver must have been stopped. Raises LedgerUnusable."""
        assert self.record is not None
        self.phase = Phase.ENDED
        await self.desk.cancel(self.record.id)
        self.refresh()
