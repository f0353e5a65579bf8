"""Plans, begins and settles changes of contacts at one server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from pathlib import Path

from watui.actions import plans
from watui.actions.batch import LOST, NOT_SEEN, NOT_SENT, SEEN, Batch, End, Step
from watui.actions.plans import Plan, Target
from watui.client.blocklist import Part, patient, read_all
from watui.client.contacts import ContactsClient
from watui.client.failures import Refused
from watui.ledger import trail
from watui.ledger.drivers import Driver, is_gone
from watui.ledger.reader import Reader
from watui.ledger.thread import LedgerThread
from watui.ledger.trail import Action, Kind, Outcome, Place, Wish

KNOWN_AT_ONCE = 500
"""Entries of a blocklist that the ledger is asked about in one question."""

CHANGING = (Kind.BLOCK, Kind.UNBLOCK)
"""What can be read off the blocklist, and taken back."""

Progress = Callable[[Part], None]


class Actions:
    """Changes contacts at one place. Raises Failure where the server can't be asked, and LedgerUnusable."""

    def __init__(self, place: Place, ledger: LedgerThread, reader: Reader, client: ContactsClient, locks: Path) -> None:
        self.place = place
        self.client = client
        self._ledger = ledger
        self._reader = reader
        self._locks = locks
        self._driver: Driver | None = None

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
        """Work out what is going to be sent. Reads the blocklist where it matters, and writes nothing."""
        listed = await self.blocklist(progress) if wish.kind in CHANGING or wish.also_block else {}
        return plans.plan(wish, targets, listed, self._told(targets, listed))

    async def plan_undo(self, batch_id: int, progress: Progress | None = None) -> Plan:
        """Work out how a batch of blocks or unblocks is taken back. Raises ValueError for any other."""
        actions = trail.batch(self._reader, batch_id)
        if not actions or actions[0].kind not in CHANGING or actions[0].server != self.place.server:
            raise ValueError(f"there is no block or unblock {batch_id} at {self.place.profile} to take back")
        since = trail.changed_since(self._reader, self.place.server, batch_id)
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
            Target(action.input, action.number, action.target, is_sure=True)
            for action in actions
            if action.outcome is Outcome.FAILED and action.target not in since
        ]
        return await self.plan(actions[0].wish, targets, progress)

    async def begin(self, plan: Plan) -> Batch:
        """Write down a plan that a person has confirmed, and return it ready to be driven."""
        if self._driver is None:
            self._driver = Driver(self._locks)
        ids = await self._ledger(trail.add_batch, plan.wish, self.place, self._driver.id, plan.actions)
        steps = [
            Step(id_, action, End(action.outcome, None, action.note))
            for id_, action in zip(ids, plan.actions, strict=True)
        ]
        return Batch(plan.wish, steps, self._ledger, self.client, self.blocklist)

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
        ends = {action.id: await self._end(action, listed) for action in left}
        if ends:
            await self._ledger(trail.ended, [(id_, *end) for id_, end in ends.items()])
        return [action._replace(**ends[action.id]._asdict()) for action in left]

    def close(self) -> None:
        """Let others settle what is left."""
        if self._driver is not None:
            self._driver.close()

    async def _end(self, action: Action, listed: Collection[str]) -> End:
        if action.outcome is Outcome.PLANNED:
            return End(Outcome.FAILED, None, NOT_SENT)
        match action.kind:
            case Kind.REPORT:
                return End(Outcome.UNKNOWN, None, LOST)
            case Kind.ACKNOWLEDGE:
                try:
                    identity = await self.client.identity(action.target)
                except Refused as failure:
                    return End(Outcome.FAILED, failure.code, failure.title)
                is_done = identity.acknowledged and identity.hash == action.hash
            case _:
                is_done = plans.is_listed(action, listed) is (action.kind is Kind.BLOCK)
        return End(Outcome.DONE, None, SEEN) if is_done else End(Outcome.FAILED, None, NOT_SEEN)

    def _told(self, targets: Iterable[Target], listed: Collection[str]) -> dict[str, str]:
        """Return the wa_ids on the list whose numbers the ledger knows, by number."""
        usual = {target.number.removeprefix("+") for target in targets if target.number}
        odd = [wa_id for wa_id in listed if wa_id not in usual]
        told: dict[str, str] = {}
        for start in range(0, len(odd), KNOWN_AT_ONCE):
            found = trail.known(self._reader, self.place.server, odd[start : start + KNOWN_AT_ONCE])
            told |= {who.number: wa_id for wa_id, who in found.items() if who.number is not None}
        return told
