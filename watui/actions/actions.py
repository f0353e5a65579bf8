"""Plans, begins and settles changes of contacts at one server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from watui.actions import plans, words
from watui.actions.batch import LOST, NOT_SEEN, NOT_SENT, NOT_SHOWN, SEEN, SHOWN, Batch, End, Step
from watui.actions.plans import Plan, Target
from watui.client.blocklist import Part, patient, read_all
from watui.client.contacts import ContactsClient
from watui.client.failures import AccessDenied, Refused
from watui.ledger import trail
from watui.ledger.drivers import Driver, is_gone
from watui.ledger.reader import Reader
from watui.ledger.thread import LedgerThread
from watui.ledger.trail import Action, Kind, Outcome, Place, Wish

KNOWN_AT_ONCE = 500
"""Numbers that the ledger is asked about in one question."""

CHANGING = (Kind.BLOCK, Kind.UNBLOCK)
"""What can be read off the blocklist, and taken back."""

_P = ParamSpec("_P")
_T = TypeVar("_T")

Progress = Callable[[Part], None]


class ReadOnly(Exception):
    """Nothing may be changed here."""

    def __init__(self, profile: str) -> None:
        super().__init__(words.read_only(profile))


class Actions:
    """Changes contacts at one place. Raises Failure where the server can't be asked, and LedgerUnusable."""

    def __init__(
        self,
        place: Place,
        ledger: LedgerThread,
        reader: Reader,
        client: ContactsClient,
        locks: Path,
        *,
        read_only: bool = False,
    ) -> None:
        self.place = place
        self.client = client
        self.read_only = read_only
        self._ledger = ledger
        self._reader = reader
        self._locks = locks
        self._drivers: list[Driver] = []

    def read_list(self) -> AsyncIterator[Part]:
        """Read the whole blocklist, a part at a time, as fast as the server allows."""
        return read_all(patient(self.client.blocklist))

    async def blocklist(self, progress: Progress | None = None) -> dict[str, None]:
        """Return the wa_ids of the whole blocklist, in its order; `progress` is told of every part."""
        listed: dict[str, None] = {}
        async for part in self.read_list():
            listed.update(dict.fromkeys(part.wa_ids))
            if progress is not None:
                progress(part)
        return listed

    async def plan(self, wish: Wish, targets: Sequence[Target], progress: Progress | None = None) -> Plan:
        """Work out what is going to be sent. Reads the blocklist where it matters, and writes nothing.

        Raises NotOffered where servers of this kind don't do that.
        """
        for kind in (wish.kind, *([Kind.BLOCK] if wish.also_block else [])):
            self.client.require(words.ABILITY[kind])
        listed = await self.blocklist(progress) if wish.kind in CHANGING or wish.also_block else {}
        return await asyncio.to_thread(self._planned, wish, targets, listed)

    async def plan_undo(self, batch_id: int, progress: Progress | None = None) -> Plan:
        """Work out how a batch of blocks or unblocks is taken back. Raises ValueError for any other."""
        actions = trail.batch(self._reader, batch_id)
        if not actions or actions[0].kind not in CHANGING or actions[0].server != self.place.server:
            raise ValueError(f"there is no block or unblock {batch_id} at {self.place.profile} to take back")
        since = await asyncio.to_thread(self._apart, trail.changed_since, self.place.server, batch_id)
        return plans.plan_undo(actions, await self.blocklist(progress), since)

    async def plan_again(self, batch_id: int, progress: Progress | None = None) -> Plan:
        """Plan once more what of a batch did not happen, and was not done otherwise since.

        Raises ValueError where there is no such batch here.
        """
        actions = trail.batch(self._reader, batch_id)
        if not actions or actions[0].server != self.place.server:
            raise ValueError(f"there is no batch {batch_id} at {self.place.profile}")
        since = trail.changed_since(self._reader, self.place.server, batch_id)
        targets = [
            plans.target_of_action(action)
            for action in actions
            if action.outcome is Outcome.FAILED and action.target not in since
        ]
        return await self.plan(actions[0].wish, targets, progress)

    async def begin(self, plan: Plan) -> Batch:
        """Write down a plan that a person has confirmed, and return it ready to be driven."""
        if self.read_only:
            raise ReadOnly(self.place.profile)
        driver = Driver(self._locks)
        self._drivers.append(driver)
        ids = await self._ledger(trail.add_batch, plan.wish, self.place, driver.id, plan.actions)
        steps = [
            Step(id_, action, End(action.outcome, None, action.note))
            for id_, action in zip(ids, plan.actions, strict=True)
        ]
        return Batch(plan.wish, steps, self._ledger, self.client, self.blocklist, driver)

    async def settle(self) -> list[Action]:
        """Find out what became of changes that were cut short, and write it down; return them as they stand now.

        One reading of the blocklist settles all blocks and unblocks. What was not done is not sent again, and a report
        stays unknown until a person decides.
        """
        left = [
            action
            for driver, actions in trail.unsettled(self._reader, self.place.server).items()
            if is_gone(self._locks, driver)
            for action in actions
        ]
        is_read = any(action.kind in CHANGING and action.outcome is not Outcome.PLANNED for action in left)
        listed = await self.blocklist() if is_read else {}
        ends: dict[int, End] = {}
        for action in left:
            if (end := await self._end(action, listed)) is not None:
                ends[action.id] = end
        seen = {action.id: action.outcome for action in left}
        written = await self._ledger(trail.settled, [(id_, seen[id_], *end) for id_, end in ends.items()])
        return [action._replace(**ends[action.id]._asdict()) for action in left if action.id in written]

    def close(self) -> None:
        """Let others settle what is left."""
        for driver in self._drivers:
            driver.close()

    async def _end(self, action: Action, listed: Collection[str]) -> End | None:
        """Return how an action ended, None where that can't be known."""
        if action.outcome is Outcome.PLANNED:
            return End(Outcome.FAILED, None, NOT_SENT)
        match action.kind:
            case Kind.REPORT:
                return End(Outcome.UNKNOWN, None, LOST)
            case Kind.ACKNOWLEDGE:
                return await self._acknowledged(action)
            case _:
                is_there = plans.is_listed(action, listed)
        if not is_there and not plans.target_of_action(action).is_sure:
            return None if action.outcome is Outcome.UNKNOWN else End(Outcome.UNKNOWN, None, LOST)
        is_done = is_there is (action.kind is Kind.BLOCK)
        return End(Outcome.DONE, None, SEEN) if is_done else End(Outcome.FAILED, None, NOT_SEEN)

    async def _acknowledged(self, action: Action) -> End:
        try:
            identity = await self.client.identity(action.target)
        except Refused as failure:
            if failure.code is None or isinstance(failure, AccessDenied):
                raise
            return End(Outcome.FAILED, failure.code, failure.title)
        is_done = identity.acknowledged and identity.hash == action.hash
        return End(Outcome.DONE, None, SHOWN) if is_done else End(Outcome.FAILED, None, NOT_SHOWN)

    def _planned(self, wish: Wish, targets: Sequence[Target], listed: Collection[str]) -> Plan:
        """Plan, with the wa_ids that the server told of the targets; for a thread of its own."""
        numbers = [target.number for target in targets if target.number is not None]
        told: dict[str, str] = {}
        for start in range(0, len(numbers), KNOWN_AT_ONCE):
            told |= self._apart(trail.told_wa_ids, self.place.server, numbers[start : start + KNOWN_AT_ONCE])
        return plans.plan(wish, targets, listed, told)

    def _apart(self, question: Callable[Concatenate[Reader, _P], _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
        """Ask a reader of its own, for threads other than the caller's."""
        reader = Reader(self._reader.path)
        try:
            return question(reader, *arguments, **named)
        finally:
            reader.close()
