"""Carries out what was confirmed: one request after the other, each written down before it goes and after it came."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from watui.actions.plans import is_listed, target_of_action
from watui.client.contacts import ContactsClient
from watui.client.exchanges import NO_WHY, Why, because
from watui.client.failures import AccessDenied, Failure, Overloaded, Refused
from watui.client.pacing import MOST_TRIES, PACING, Remedy, Trouble, Waiting, remedy
from watui.ledger import trail
from watui.ledger.drivers import Driver
from watui.ledger.thread import LedgerThread
from watui.ledger.trail import Kind, NewAction, Outcome, Wish

SEEN = "the answer was lost; the blocklist shows that it was done"
NOT_SEEN = "the answer was lost; the blocklist shows that it was not done"
SHOWN = "the answer was lost; the identity shows that it was done"
NOT_SHOWN = "the answer was lost; the identity shows that it was not done"
LOST = "the answer was lost"
NOT_SENT = "not sent: the batch ended before"

ReadList = Callable[[], Awaitable[Collection[str]]]
"""Reads the whole blocklist."""


class End(NamedTuple):
    """How an action ended."""

    outcome: Outcome
    code: int | None = None
    note: str | None = None


@dataclass
class Step:
    """An action of a batch as it stands."""

    id: int
    action: NewAction
    end: End
    tries: int = 0
    why: Why = NO_WHY
    """Of the next time that it is sent."""


class Batch:
    """A confirmed batch. It can be paused, and stops by itself on failures that waiting does not mend."""

    def __init__(
        self,
        wish: Wish,
        steps: Sequence[Step],
        ledger: LedgerThread,
        client: ContactsClient,
        read_list: ReadList,
        driver: Driver,
    ) -> None:
        self.wish = wish
        self.steps = steps
        self.failure: Failure | None = None
        """Why it stopped; None while it goes on."""
        self.waiting: Waiting | None = None
        """What keeps it waiting; None while all is well."""
        self.follower: Callable[[Step], None] | None = None
        """Is told of every step that has changed, once that is committed."""
        self._ledger = ledger
        self._client = client
        self._read_list = read_list
        self._driver = driver
        self._trouble = Trouble(random.SystemRandom(), PACING)
        self._sent_at = -math.inf
        """When the latest request began."""
        self._met: Step | None = None
        """The step that met the latest failure."""
        self._go = asyncio.Event()
        self._go.set()

    @property
    def is_paused(self) -> bool:
        """Whether nothing is sent for now, at a person's wish or because of `failure`."""
        return not self._go.is_set()

    @property
    def counts(self) -> Counter[Outcome]:
        """How many steps stand how."""
        return Counter(step.end.outcome for step in self.steps)

    def pause(self) -> None:
        """Send nothing more; an answer under way still comes in."""
        self._go.clear()

    def resume(self) -> None:
        """Go on, whatever stopped it."""
        self.failure = None
        self._trouble.forgive()
        self._go.set()

    async def drive(self, stop_on_failure: bool) -> None:
        """Carry out every step, and settle what became of those whose answers were lost.

        A failure that waiting does not mend pauses the batch, or, with `stop_on_failure`, is raised.
        Raises LedgerUnusable, and then nothing more is sent.
        """
        while True:
            for step in self.steps:
                while step.end.outcome is Outcome.PLANNED:
                    await self._may_go(stop_on_failure)
                    await self._carry_out(step)
            lost = [step for step in self.steps if self._can_settle(step)]
            if not lost:
                self._driver.close()
                return
            await self._may_go(stop_on_failure)
            await self._settle(lost)

    async def give_up(self) -> None:
        """Write down what was never sent as not done. The driver must have been stopped."""
        met = self._met
        open_steps = [step for step in self.steps if step.end.outcome in (Outcome.PLANNED, Outcome.SENT)]
        for step in open_steps:
            was_sent = step.end.outcome is Outcome.SENT
            why = f"not sent: {self.failure.title}" if step is met and self.failure is not None else NOT_SENT
            step.end = End(Outcome.UNKNOWN, None, LOST) if was_sent else End(Outcome.FAILED, None, why)
        await self._write(open_steps)
        self._driver.close()

    async def _may_go(self, stop_on_failure: bool) -> None:
        """Wait as long as pause, pace or the server want it."""
        if self.failure is not None and stop_on_failure:
            raise self.failure
        if self.waiting is not None:
            await asyncio.sleep(max(0.0, self._trouble.until - time.monotonic()))
        elif self._sent_at > -math.inf:
            await asyncio.sleep(1 / self._client.most_rate)
        await self._go.wait()
        self.waiting = None

    async def _carry_out(self, step: Step) -> None:
        await self._ledger(trail.sent, step.id)
        step.end = End(Outcome.SENT)
        step.tries += 1
        self._sent_at = time.monotonic()
        try:
            with because(step.why):
                await self._send(step.action)
        except Failure as failure:
            step.why = Why("", step.why.attempt + 1, failure.outcome)
            step.end = self._failed(step, failure)
        else:
            self._trouble.answered(self._sent_at)
            step.end = End(Outcome.DONE)
        await self._write([step])

    async def _send(self, action: NewAction) -> None:
        wish, phone = self.wish, action.target
        match wish.kind:
            case Kind.BLOCK:
                await self._client.block(phone, wish.reason)
            case Kind.UNBLOCK:
                await self._client.unblock(phone)
            case Kind.REPORT:
                await self._client.report(phone, wish.reason, message_id=wish.message_id, block=wish.also_block)
            case Kind.ACKNOWLEDGE:
                assert wish.hash is not None, "an identity is acknowledged by its hash"
                await self._client.acknowledge(phone, wish.hash)

    def _failed(self, step: Step, failure: Failure) -> End:
        """Decide what a failure means for a step, and whether the batch goes on."""
        if isinstance(failure, Refused) and failure.code is not None and not isinstance(failure, AccessDenied):
            self._trouble.answered(self._sent_at)
            return End(Outcome.REFUSED, failure.code, failure.title)
        self._take(failure)
        self._met = step
        is_safe = isinstance(failure, Overloaded) and self.wish.kind is not Kind.REPORT
        if is_safe or not failure.may_have_worked:
            step.tries -= 1
            return End(Outcome.PLANNED)
        return End(Outcome.UNKNOWN, None, f"{LOST}: {failure.title}")

    def _take(self, failure: Failure) -> None:
        """Wait after a failure, or stop where waiting won't mend it."""
        # Whoever waits for the end of a batch is told early: that a server has answered before makes no difference.
        cure, now = remedy(failure, is_known=False), time.monotonic()
        self._trouble.failed(failure, cure, self._sent_at, now)
        if cure is Remedy.NOTHING or (cure is Remedy.TRIES and self._trouble.is_enough):
            # The next contact would meet the same: a wrong token, a server that has no such path, or is gone.
            self.failure = failure
            self.pause()
        if self.failure is None or self._trouble.is_wanted:
            self.waiting = self._trouble.waiting(failure, now, time.time())

    def _can_settle(self, step: Step) -> bool:
        if self.wish.kind is Kind.REPORT or step.end.outcome is not Outcome.UNKNOWN:
            return False
        return step.tries < MOST_TRIES or self._is_shown(step)

    def _is_shown(self, step: Step) -> bool:
        """Whether the server shows whether a step was done: on its list it may have another name than is known here."""
        return self.wish.kind is Kind.ACKNOWLEDGE or target_of_action(step.action).is_sure

    async def _settle(self, lost: Sequence[Step]) -> None:
        """Find out what became of steps without an answer; what was not done is sent again, up to MOST_TRIES times."""
        self._sent_at = time.monotonic()
        try:
            done = await self._done(lost)
        except Failure as failure:
            self._take(failure)
            return
        self._trouble.answered(self._sent_at)
        for step in lost:
            step.end = self._settled(step, step.id in done)
        await self._write(lost)

    def _settled(self, step: Step, is_done: bool) -> End:
        by_identity = self.wish.kind is Kind.ACKNOWLEDGE
        if is_done:
            return End(Outcome.DONE, None, SHOWN if by_identity else SEEN)
        if step.tries < MOST_TRIES:
            return End(Outcome.PLANNED)
        return End(Outcome.FAILED, None, NOT_SHOWN if by_identity else NOT_SEEN)

    async def _done(self, lost: Sequence[Step]) -> set[int]:
        """Return the ids of the steps that were done after all."""
        if self.wish.kind is Kind.ACKNOWLEDGE:
            return {step.id for step in lost if await self._is_acknowledged(step.action)}
        listed = await self._read_list()
        there = {step.id for step in lost if is_listed(step.action, listed)}
        if self.wish.kind is Kind.BLOCK:
            return there
        return {step.id for step in lost if step.id not in there and self._is_shown(step)}

    async def _is_acknowledged(self, action: NewAction) -> bool:
        identity = await self._client.identity(action.target)
        return identity.acknowledged and identity.hash == self.wish.hash

    async def _write(self, steps: Sequence[Step]) -> None:
        await self._ledger(trail.ended, [(step.id, *step.end) for step in steps])
        if self.follower is not None:
            for step in steps:
                self.follower(step)
