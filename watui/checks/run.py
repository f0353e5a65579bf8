"""Drives a run: asks what the scheduler says, writes down every question before it goes out and every answer after."""

import asyncio
import logging
import math
import random
import time
from collections.abc import Callable, Sequence
from typing import Concatenate, NamedTuple, ParamSpec, Self, TypeVar

from watui.checks.budget import used_up
from watui.checks.scheduler import Ask, Done, Knock, Outlook, Policy, Scheduler, Wait
from watui.client.contacts import ContactsClient, Verdicts
from watui.client.exchanges import Why, because
from watui.client.failures import Failure, OverBudget
from watui.client.pacing import Waiting
from watui.contract.statuses import FINAL
from watui.ledger.drivers import Driver
from watui.ledger.known import find_known, take_known
from watui.ledger.ledger import Ledger
from watui.ledger.rows import Answered, RunRecord, RunState, UsedUp
from watui.ledger.schema import LedgerBlocked
from watui.ledger.thread import LedgerThread


class Patience(NamedTuple):
    """How soon, in seconds, a write that failed is tried again: each time after twice as long."""

    first: float = 0.5
    longest: float = 10.0


PATIENCE = Patience()

_LOGGER = logging.getLogger(__name__)

_P = ParamSpec("_P")
_T = TypeVar("_T")

Follower = Callable[[Sequence[int]], None]
"""Is told the ids of numbers whose status has changed, once that is committed."""


class Run:
    """One run being asked. It can be paused, and stops by itself on failures that waiting does not mend.

    What cannot be written for now, as on a full disk, is kept and tried again; until it is written, nothing is asked.
    """

    def __init__(
        self,
        record: RunRecord,
        ledger: LedgerThread,
        client: ContactsClient,
        scheduler: Scheduler,
        driver: Driver,
        patience: Patience,
        budget: str | None,
    ) -> None:
        self.record = record
        self.failure: Failure | None = None
        """Why it stopped; None while it goes on."""
        self.blocked: Waiting | None = None
        """What keeps the ledger from being written, and until when that is left alone; None while all is well."""
        self.requests = 0
        """Requests sent."""
        self.follower: Follower | None = None
        self._ledger = ledger
        self._client = client
        self._scheduler = scheduler
        self._driver = driver
        self._patience = patience
        self._budget = budget
        self._open_status: dict[int, str] = {}
        self._paused = False
        self._trouble: Waiting | None = None
        """With the server."""
        self._unwritten: set[object] = set()
        """One for each write that is to be tried again."""
        self._blocked_at = -math.inf
        """When a write last failed, as the scheduler tells time."""
        self._wake = asyncio.Event()
        self._may_send = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(
        cls,
        record: RunRecord,
        ledger: LedgerThread,
        client: ContactsClient,
        policy: Policy,
        driver: Driver,
        patience: Patience = PATIENCE,
        known_since: float | None = None,
        budget: str | None = None,
    ) -> Self:
        """Return the run with what is still to ask, driven by `driver` from now on. Nothing is sent yet.

        What other runs know from `known_since` on, where that is given, is taken over and not asked. `budget` is the
        server whose budget every request is reserved in.
        Raises Driven where somebody else drives it, and LedgerUnusable.
        """
        try:
            await ledger(Ledger.start, record.id, driver, known_since)
            if known_since is not None:
                await ledger(find_known, record.id)
                while await ledger(take_known, record.id):
                    continue
            unanswered = await ledger(Ledger.unanswered, record.id)
            open_numbers = await ledger(Ledger.open_numbers, record.id)
        except BaseException:
            driver.close()
            raise
        left = len(unanswered) + len(open_numbers)
        _LOGGER.info("run %d begins: %d of %d numbers are open", record.id, left, record.numbers)
        scheduler = Scheduler(policy, unanswered, open_numbers, random.SystemRandom())
        return cls(record, ledger, client, scheduler, driver, patience, budget)

    @property
    def is_paused(self) -> bool:
        """Whether nothing is asked for now, at a person's wish or because of `failure`."""
        return self._paused

    @property
    def waiting(self) -> Waiting | None:
        """What keeps it waiting; None while all is well."""
        return self.blocked or self._trouble

    @property
    def in_flight(self) -> int:
        """Requests without an answer."""
        return self._scheduler.in_flight

    @property
    def stuck(self) -> int:
        """Numbers that have been processing for so long that nobody should wait for them."""
        return self._scheduler.stuck

    @property
    def outlook(self) -> Outlook:
        """What it is doing, and will do next."""
        return self._scheduler.outlook(time.monotonic())

    def pause(self) -> None:
        """Ask nothing more; answers under way still come in."""
        _LOGGER.info("run %d is paused", self.record.id)
        self._paused = True
        self._wake.set()

    def resume(self) -> None:
        """Go on, whatever stopped it; what the server asked to wait still holds."""
        _LOGGER.info("run %d goes on", self.record.id)
        self.failure = None
        self._paused = False
        self._scheduler.forgive()
        if self._trouble is not None and not self._trouble.is_wanted:
            self._trouble = None
        self._may_send.set()
        self._wake.set()

    async def drive(self, stop_on_failure: bool) -> None:
        """Ask until every number has a final status, then mark the run as done.

        A failure that waiting does not mend pauses the run, or, with `stop_on_failure`, is raised.
        Cancelling is safe at any moment: what was asked and answered by then is written down, if it can be.
        """
        is_done = False
        try:
            try:
                await self._drive(stop_on_failure)
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._insist(Ledger.end, self.record.id, RunState.DONE)
            is_done = True
        finally:
            self._driver.close()
            state = "done" if is_done else "left unfinished"
            _LOGGER.info("run %d is %s after %d requests", self.record.id, state, self.requests)

    async def _drive(self, stop_on_failure: bool) -> None:
        while True:
            self._raise_finished()
            # What was sent is paid for: where nothing more may be, its answers are waited for.
            is_paid = isinstance(self.failure, OverBudget) and self._scheduler.in_flight > 0
            if self.failure is not None and stop_on_failure and not is_paid:
                raise self.failure
            self._wake.clear()
            now = time.monotonic()
            is_held = bool(self._unwritten) or (self._paused and not self._scheduler.is_done)
            step = Wait(math.inf) if is_held else self._scheduler.next(now)
            match step:
                case Done():
                    return
                case Ask():
                    self._tasks.add(asyncio.create_task(self._ask(step)))
                case Knock():
                    self._tasks.add(asyncio.create_task(self._knock()))
                case Wait(until):
                    await self._sleep(None if math.isinf(until) else until - now)

    async def _sleep(self, seconds: float | None) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    def _raise_finished(self) -> None:
        """Forget the tasks that are done; raise what went wrong in them beyond a Failure, such as a damaged ledger."""
        for task in [task for task in self._tasks if task.done()]:
            self._tasks.discard(task)
            task.result()

    async def _ask(self, ask: Ask) -> None:
        run_id = self.record.id
        try:
            try:
                ask_id, inputs = await self._insist(Ledger.asked, run_id, ask.numbers, self._driver.id, self._budget)
            except UsedUp as error:
                self._failed(ask, used_up(self.record.options.profile, error.budget))
                return
            has_gone_out = False

            async def ready() -> None:
                nonlocal has_gone_out
                await self._until_written(ask.sent_at)
                if has_gone_out:
                    await self._reserve_another()
                self.requests += 1
                has_gone_out = True

            try:
                with because(_why(ask)):
                    verdicts = await self._client.check(
                        [inputs[number] for number in ask.numbers],
                        blocking=self.record.options.blocking,
                        force_check=self.record.options.force_check and ask.is_first,
                        ready=ready,
                    )
            except Failure as failure:
                self.requests -= has_gone_out and not failure.was_sent
                await self._insist(Ledger.failed, ask_id, failure.title)
                self._failed(ask, failure)
            else:
                answers = _answers(inputs, verdicts)
                mentioned = {answer.number_id for answer in answers}
                left_out = [number for number in ask.numbers if number not in mentioned]
                await self._insist(Ledger.answered, run_id, ask_id, answers, verdicts.version, left_out)
                self._answered(ask, answers)
        finally:
            self._wake.set()

    async def _reserve_another(self) -> None:
        """Reserve one more call for a question that goes out again, with another token. Raises OverBudget."""
        if self._budget is not None:
            try:
                await self._insist(Ledger.reserve, self._budget)
            except UsedUp as error:
                raise used_up(self.record.options.profile, error.budget) from error

    async def _knock(self) -> None:
        is_open = False
        try:
            is_open = await self._client.knock()
        finally:
            self._scheduler.knocked(is_open, time.monotonic())
            self._wake.set()

    async def _insist(
        self, method: Callable[Concatenate[Ledger, _P], _T], *arguments: _P.args, **named: _P.kwargs
    ) -> _T:
        """Let the ledger carry out `method`, again and again where what is wrong can pass."""
        write = object()

        def attempt(ledger: Ledger) -> _T:
            try:
                return method(ledger, *arguments, **named)
            except LedgerBlocked:
                # On the ledger's thread, so that what another task is about to send is held back.
                self._unwritten.add(write)
                self._blocked_at = time.monotonic()
                raise

        seconds = self._patience.first
        while True:
            try:
                result = await self._ledger(attempt)
            except LedgerBlocked as error:
                reason = f"{error.reason}: nothing is asked until {error.until}"
                self.blocked = Waiting(time.time() + seconds, reason)
                await asyncio.sleep(seconds)
                seconds = min(2 * seconds, self._patience.longest)
            else:
                self._written(write)
                return result

    def _written(self, write: object) -> None:
        self._unwritten.discard(write)
        if self.blocked is not None and not self._unwritten:
            self.blocked = None
            self._may_send.set()
            self._wake.set()

    async def _until_written(self, since: float) -> None:
        """Where a write has failed since then, wait until none is to be made any more, nor anybody has paused."""
        while self._blocked_at >= since and (self._unwritten or self._paused):
            self._may_send.clear()
            await self._may_send.wait()

    def _answered(self, ask: Ask, answers: Sequence[Answered]) -> None:
        final = {answer.number_id for answer in answers if answer.final}
        self._scheduler.answered(ask, (number for number in ask.numbers if number not in final), time.monotonic())
        if self._scheduler.trouble is None:
            self._trouble = None
        if self.follower is None:
            return
        changed = [answer.number_id for answer in answers if self._open_status.get(answer.number_id) != answer.status]
        for answer in answers:
            self._open_status.pop(answer.number_id, None)
            if not answer.final:
                self._open_status[answer.number_id] = answer.status
        self.follower(changed)

    def _failed(self, ask: Ask, failure: Failure) -> None:
        now = time.monotonic()
        goes_on = self._scheduler.failed(ask, failure, now)
        if (trouble := self._scheduler.trouble) is not None:
            self._trouble = trouble.waiting(failure, now, time.time())
        if not goes_on:
            _LOGGER.warning("run %d is stopped: %s", self.record.id, type(failure).__name__)
            self.failure, self._paused = failure, True


def _why(ask: Ask) -> Why:
    """Return why a question is sent: numbers that were answered twice without a final status are polled twice."""
    polls = {group.polls for group in ask.groups}
    if not polls:
        words = "first question"
    elif min(polls) == max(polls):
        words = f"poll {min(polls)}"
    else:
        words = f"polls {min(polls)} to {max(polls)}"
    return Why(words, ask.attempt, ask.after)


def _answers(inputs: dict[int, str], verdicts: Verdicts) -> list[Answered]:
    contacts = verdicts.contacts
    return [
        Answered(number_id, contact.status, contact.status in FINAL, contact.wa_id)
        for number_id, text in inputs.items()
        if (contact := contacts.get(text)) is not None
    ]
