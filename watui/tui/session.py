"""One list on the Check screen, from import to its last verdict. It knows no widget."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from watui.checks.pace import Pace
from watui.checks.standing import final_of
from watui.contract.models import Blocking
from watui.desk import Desk, Given
from watui.intake.problems import BadSource
from watui.intake.sources import SAMPLE_NAME
from watui.ledger.drivers import Driven
from watui.ledger.rows import QUEUED, REJECTED, RunOptions, RunRecord, RunState, Summary, Tally
from watui.ledger.schema import LedgerUnusable, NoSuchRun
from watui.tui.phases import LEFT_ALONE, Phase

if TYPE_CHECKING:
    from collections.abc import Callable

    from watui.archive import Offer
    from watui.checks.cost import Cost
    from watui.checks.prepare import Progress
    from watui.checks.run import Run
    from watui.checks.scheduler import Outlook
    from watui.client.pacing import Waiting
    from watui.ledger.ledger import Ledger
    from watui.ledger.trail import Place

LOOK_SECONDS = 1.0
"""How often it is looked whether another process is still at work on a run."""

MOST_VERSIONS = 9
"""Versions of servers that are told apart; no run meets more but by a server's mischief."""


class Reading:
    """How far a source is read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows = 0
        self.share: float | None = None
        """Of its bytes; None where nobody knows how many there are."""
        self.other: str | None = None
        """Another column of it that holds numbers, too."""
        self._pace = Pace()

    def note(self, progress: Progress) -> None:
        """Take note of how far it is by now."""
        self.rows, self.share, self.other = progress.rows, progress.share, progress.other
        if self.share is not None:
            self._pace.observe(time.monotonic(), self.share)

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at this rate, None while that can't be told, and where there is none."""
        return self._pace.seconds_left(1 - self.share) if self.share is not None and self.share < 1 else None


class Session:
    """The list at hand. All methods are called on the event loop."""

    def __init__(self, desk: Desk, blocking: Blocking, batch_size: int, retention_days: int = 0) -> None:
        self.desk = desk
        self._retention_days = retention_days
        self.phase = Phase.EMPTY
        self.record: RunRecord | None = None
        self.reading = Reading("")
        """What is being imported, in that phase."""
        self.given: tuple[Given, ...] = ()
        """What the draft was read from, as far as it was read here."""
        self.names: tuple[str, ...] = ()
        """Of all that the list at hand was read from."""
        self.list_region: str | None = None
        """Of which country its numbers without `+` are; None for the server's."""
        self.tally: Tally = {}
        self.versions: tuple[str | None, ...] = ()
        """Of the servers that answered, None among them where an answer named none."""
        self.summary: Summary | None = None
        """What the preview shows."""
        self.asks_all = False
        """Whether the list at hand is asked as a whole, what is known of it included."""
        self.offer: Offer | None = None
        """The latest run that can be gone on with, for while there is none at hand."""
        self.problem: str | None = None
        """Why the ledger stopped the run, or can't be read; None while all is well."""
        self._options = RunOptions(desk.server_id, desk.region, blocking, False, batch_size, desk.profile)
        self._run: Run | None = None
        self._pace = Pace()
        self._seen_waiting: Waiting | None = None
        self._has_changed = desk.reader.watch()
        self._is_old = False
        self._looked_at = 0.0
        self._was_there_before = False

    @property
    def is_asking(self) -> bool:
        """Whether a run is under way, paused or not."""
        return self.phase in (Phase.RUNNING, Phase.PAUSED)

    @property
    def is_sample(self) -> bool:
        """Whether the list at hand is the sample, and nothing else."""
        return set(self.names) == {SAMPLE_NAME}

    @property
    def has_room(self) -> bool:
        """Whether another list may take the place of this one."""
        return self.phase in LEFT_ALONE or self.phase is Phase.EMPTY or self.is_kept

    @property
    def is_kept(self) -> bool:
        """Whether this is a draft that was among the runs before: it stays there when it is left."""
        return self.phase is Phase.PREVIEW and self._was_there_before

    @property
    def cost(self) -> Cost | None:
        """What it takes to ask about the draft at hand; None where there is none."""
        if self.record is None or self.summary is None:
            return None
        from watui.checks.cost import cost_of

        return cost_of(self.record, self.summary, asks_all=self.asks_all)

    @property
    def failure(self) -> str | None:
        """Why the run stopped by itself, with what to do; None while all is well."""
        if self.problem is not None:
            return f"{self.problem}. What was answered by then is kept"
        failure = self._run.failure if self._run else None
        if failure is None:
            return None
        return f"{failure.title}." if self.is_over_budget else f"{failure.title}. {failure.next_step}"

    @property
    def is_over_budget(self) -> bool:
        """Whether it is the budget that stopped the run."""
        from watui.client.failures import OverBudget

        return self._run is not None and isinstance(self._run.failure, OverBudget)

    @property
    def version(self) -> str | None:
        """Server version of the latest answer, or the one to expect."""
        return (self.record.server_version if self.record else None) or self.desk.expected_version

    @property
    def has_versions(self) -> bool:
        """Whether servers of several versions answered, so that the same status means something else in other rows."""
        return len(self.versions) > 1

    @property
    def final(self) -> int:
        """Numbers with a final status."""
        return final_of(self.tally)

    @property
    def per_second(self) -> float:
        """Numbers that lately got a final status in a second."""
        return self._pace.per_second()

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at that rate, at least until the next poll; None while that can't be told."""
        if self.record is None:
            return None
        next_poll = self.outlook.next_poll if self.outlook else None
        return self._pace.seconds_left(self.record.numbers - self.final, at_least=next_poll or 0.0)

    @property
    def outlook(self) -> Outlook | None:
        """What the run that is asked from here is doing; None while there is none."""
        return self._run.outlook if self._run else None

    @property
    def waiting(self) -> Waiting | None:
        """What keeps the run waiting for the server, or for the ledger; None while all is well."""
        return self._run.waiting if self._run else None

    @property
    def is_blocked(self) -> bool:
        """Whether it is the ledger that keeps the run waiting."""
        return self._run is not None and self._run.blocked is not None

    @property
    def stuck(self) -> int:
        """Numbers that have been processing for so long that nobody should wait for them, as far as that is known."""
        return self._run.stuck if self._run else 0

    def catch_up(self) -> bool:
        """Read again where the list stands, if anything has changed, and return whether it has.

        Raises LedgerUnusable, also the next time, until that could be read; NoSuchRun where the list is no more.
        """
        if self.record is None:
            return False
        self._is_old = self._has_changed() or self._has_turned() or self._is_old
        if not self._is_old:
            return False
        self.refresh()
        return True

    def _has_turned(self) -> bool:
        """Whether the run has paused, gone on, begun to wait or lost its driver since the last `refresh`."""
        if self.record is not None and self.phase in (Phase.WATCHED, Phase.STOPPED):
            return self._is_time_to_look() and self._phase_of(self.record) is not self.phase
        if not self.is_asking or self._run is None:
            return False
        return self._run.is_paused is not (self.phase is Phase.PAUSED) or self._run.waiting is not self._seen_waiting

    def refresh(self) -> None:
        """Read again where the list stands. Raises LedgerUnusable; NoSuchRun where it is no more."""
        if self.record is None:
            return
        self._is_old = True
        self.record = self.desk.reader.run(self.record.id)
        self.tally = self.desk.reader.tally(self.record.id)
        self.desk.look_at_budget()
        self._note_version(self.record)
        if self.is_asking:
            self.phase = Phase.PAUSED if self._run and self._run.is_paused else Phase.RUNNING
            self._seen_waiting = self.waiting
        elif self.phase in (Phase.PREVIEW, Phase.WATCHED, Phase.STOPPED):
            self.phase = self._phase_of(self.record)
        if self.is_asking or self.phase is Phase.WATCHED:
            self._pace.observe(time.monotonic(), self.final)
        self._is_old = False

    def _note_version(self, record: RunRecord) -> None:
        """Note the version of the latest answer: to read those of all numbers takes long."""
        version = record.server_version
        has_answers = version is not None or any(status not in (QUEUED, REJECTED) for status in self.tally)
        if has_answers and version not in self.versions:
            self.versions = (*self.versions, version)[:MOST_VERSIONS]

    async def _versions_of(self, run_id: int) -> tuple[str | None, ...]:
        """Return the versions of all verdicts. Raises LedgerUnusable."""
        return tuple((await self.desk.archive.versions(run_id))[:MOST_VERSIONS])

    def _is_time_to_look(self) -> bool:
        """Whether it is a while ago that somebody looked who drives the run: that is not in the ledger."""
        is_time = time.monotonic() - self._looked_at >= LOOK_SECONDS
        if is_time:
            self._looked_at = time.monotonic()
        return is_time

    def _phase_of(self, record: RunRecord) -> Phase:
        match record.state:
            case RunState.DRAFT:
                return Phase.PREVIEW
            case RunState.RUNNING:
                return Phase.WATCHED if self.desk.is_driven(record) else Phase.STOPPED
            case _:
                return Phase.ENDED

    async def open(self, run_id: int) -> bool:
        """Show a run of the ledger as it stands; return False where another list is there by then.

        Raises LedgerUnusable.
        """
        shown, record, names = self._shown, self.desk.reader.run(run_id), self.desk.reader.source_names(run_id)
        summary = await self.desk.archive.summary(run_id) if record.state is RunState.DRAFT else None
        if self._shown != shown or not self.has_room:
            return False
        self.forget()
        self.record, self.summary, self.phase = record, summary, self._phase_of(record)
        self._was_there_before, self.names = True, names
        self.refresh()
        return True

    async def find_versions(self) -> None:
        """Look through all verdicts for the versions of their servers, which takes long. Raises LedgerUnusable."""
        if (run_id := self._shown) is not None:
            versions = await self._versions_of(run_id)
            self.versions = versions if self._shown == run_id else self.versions

    @property
    def _shown(self) -> int | None:
        """The run at hand."""
        return self.record.id if self.record is not None else None

    async def keep_retention(self) -> None:
        """Forget what is older than the settings want it. Raises LedgerUnusable."""
        await self.desk.archive.keep_retention(self._retention_days)

    async def look_for_offer(self) -> None:
        """Find the latest run of this server that was begun and has not ended. Raises LedgerUnusable."""
        self.offer = await self.desk.archive.offer(self.desk.server_id, self.desk.region)

    def is_offer_old(self) -> bool:
        """Whether another run may be the latest by now, or another process has begun or ceased to ask about it."""
        if not self._is_time_to_look():
            return False
        return self._has_changed() or (
            self.offer is not None and self.desk.is_driven(self.offer.record) is not self.offer.is_driven
        )

    @property
    def why_not_here(self) -> str | None:
        """Why the run can't be asked about from here; None where it can."""
        assert self.record is not None, "there is a run"
        run_id, options = self.record.id, self.record.options
        if self.is_kept and self.summary is not None and not all(source.is_whole for source in self.summary.sources):
            return f"Draft {run_id} was not read to its end: import its file once more."
        if options.server != self.desk.server_id:
            return f"This run is of another server. To go on: watui runs resume {run_id}"
        if options.region != self.desk.region:
            return f"This run was read as registered in {options.region}. To go on: watui --region {options.region}"
        return None

    def begin_resuming(self) -> None:
        """Leave a run that was cut short for one under way."""
        assert self.phase is Phase.STOPPED, "nobody asks"
        self.phase, self.problem = Phase.RUNNING, None

    def begin_import(self, name: str) -> None:
        """Make room for what comes and what it is called; a list that has ended is left to the ledger."""
        if self.phase in LEFT_ALONE:
            self.forget()
        self.phase, self.reading, self.names = Phase.IMPORTING, Reading(name), (*self.names, name)

    async def add(self, given: Given) -> None:
        """Add what was given to the draft, or to a new one. Raises BadSource."""
        try:
            if self.record is None:
                self.record = await self._new_draft()
            given = await self._read(self.record, given, self.list_region)
            self.given = (*self.given, given)
        finally:
            await asyncio.shield(self._end_import())
        if self.record is None:
            raise BadSource(f"{self.reading.name} holds no numbers: give one a row")

    @property
    def why_not_again(self) -> str | None:
        """Why the draft can't be read in another way; None where it can."""
        if self.phase is not Phase.PREVIEW or self.summary is None:
            return "There is no list that could be read in another way."
        if len(self.given) < len(self.summary.sources):
            return "This list was read before: import its file again to have it read in another way."
        return None

    async def read_again(self, given: tuple[Given, ...], list_region: str | None) -> None:
        """Read all that was given in another way, into a draft that takes the place of this one.

        Raises BadSource; this one stays then, as it does where the reading is stopped.
        """
        kept, known = self.record, (self.given, self.list_region)
        assert kept is not None, "there is a draft"
        dropped: RunRecord | None = None
        try:
            draft = dropped = self.record = await self._new_draft()
            read: tuple[Given, ...] = ()
            for each in given:
                self.reading = Reading(each.name)
                read = (*read, await self._read(draft, each, list_region))
            if not self.desk.reader.run(draft.id).rows:
                raise BadSource(f"{self.reading.name} holds no numbers so: it stays as it was")
            kept, dropped, known = draft, kept, (read, list_region)
        finally:
            self.record, (self.given, self.list_region) = kept, known
            await asyncio.shield(self._end_import())
            if dropped is not None:
                await asyncio.shield(self.desk.archive.discard(dropped.id))

    async def _read(self, draft: RunRecord, given: Given, list_region: str | None) -> Given:
        """Read what was given into a draft, and return what is known of it by then. Raises BadSource."""
        await self.desk.import_aside(draft.id, given, list_region, self._note_reading)
        return given._replace(other=self.reading.other)

    async def _new_draft(self) -> RunRecord:
        """Return an empty draft; one for which nobody waits any more is deleted. Raises LedgerUnusable."""
        making = asyncio.ensure_future(self.desk.add_draft(self._options))
        try:
            return await asyncio.shield(making)
        except asyncio.CancelledError:
            with contextlib.suppress(LedgerUnusable):
                await self.desk.archive.discard((await making).id)
            raise

    def _note_reading(self, progress: Progress) -> None:
        self.reading.note(progress)
        self._is_old = True

    async def _end_import(self) -> None:
        """Show what is in the draft, whole or not; a draft with nothing in it is not kept."""
        try:
            self.refresh()
            if self.record is not None and self.record.rows:
                self.summary = await self.desk.archive.summary(self.record.id)
                self.names = tuple(source.name for source in self.summary.sources)
        finally:
            self.phase = Phase.PREVIEW if self.record is not None else Phase.EMPTY
        if self.record is None or self.record.rows == 0:
            await self.discard()

    async def discard(self) -> None:
        """Delete the draft."""
        record = self.record
        self.forget()
        if record is not None:
            await self.desk.archive.discard(record.id)

    def forget(self) -> None:
        """Begin anew; a run that was started stays in the ledger."""
        self.phase, self.record, self.tally, self.summary, self.versions = Phase.EMPTY, None, {}, None, ()
        self._was_there_before = self._is_old = self.asks_all = False
        self.problem, self._run, self._pace = None, None, Pace()
        self.given, self.names, self.list_region = (), (), None

    def begin_asking(self) -> bool:
        """Leave the preview for a run; return whether there is anything to ask."""
        if self.phase is not Phase.PREVIEW or self.record is None or self.record.numbers == 0:
            return False
        self.phase = Phase.RUNNING
        return True

    async def ask(self) -> None:
        """Ask about the whole draft, until every number has a final status or `problem` says why not."""
        assert self.record is not None
        run_id = self.record.id
        try:
            takes_known = not self.asks_all and (self.summary is None or self.summary.fresh > 0)
            self._run = await self.desk.open_run(run_id, takes_known=takes_known)
            self._pace = Pace()  # What was known is there at once.
            if self.summary is not None and self.summary.fresh:
                await self.find_versions()
            await self._run.drive(stop_on_failure=False)
            if self._shown == run_id:
                await self.find_versions()
        except Driven:
            pass  # It is watched from here on.
        except (LedgerUnusable, OSError) as error:
            if self._shown == run_id:
                self.problem = str(error)
        finally:
            self._run = None
        if self._shown == run_id:
            self._end_asking()

    def _end_asking(self) -> None:
        """Show how the run stands that is not asked from here any more."""
        self.phase = Phase.STOPPED
        try:
            self.refresh()
        except NoSuchRun:
            self.forget()
        except LedgerUnusable:
            return  # It is read again as soon as it can be.

    def pause(self) -> None:
        """Pause, or go on."""
        if self._run is None:
            return
        if self._run.is_paused:
            self._run.resume()
            self.phase = Phase.RUNNING
        else:
            self._run.pause()
            self.phase = Phase.PAUSED

    async def enter_messages(self, messages: int) -> None:
        """Add to the messages that were sent, and go on where only that was wanting. Raises LedgerUnusable."""
        from watui.ledger.budget import add_messages

        await self._enter(add_messages, messages)

    async def go_over(self, calls: int) -> None:
        """Allow so many calls beyond the messages, and go on where only that was wanting. Raises LedgerUnusable."""
        from watui.ledger.budget import go_over

        await self._enter(go_over, calls)

    async def _enter(self, work: Callable[[Ledger, Place, int], None], number: int) -> None:
        await self.desk.ledger(work, self.desk.place, number)
        self.desk.look_at_budget()
        if self.is_over_budget:
            self.pause()

    async def cancel(self) -> None:
        """End the run early. Its driver must have been stopped. Raises Driven and LedgerUnusable."""
        assert self.record is not None
        self.phase = Phase.STOPPED
        await self.desk.cancel(self.record.id)
        self.refresh()
