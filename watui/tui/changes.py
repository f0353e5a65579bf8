"""Changes of contacts in the console: asks, carries out, and tells. It knows screens only to ask questions."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from typing import TYPE_CHECKING

from textual.app import App
from textual.content import Content

from watui.actions import words
from watui.actions.plans import REVERSE, Target
from watui.client.failures import Failure
from watui.contract import errors
from watui.contract.conversion import for_people
from watui.contract.wa_ids import find_wa_id
from watui.desk import Desk
from watui.ledger import trail
from watui.ledger.schema import LedgerUnusable
from watui.ledger.trail import Action, Kind, Outcome, Wish
from watui.text import clean
from watui.tui.contacts import Contact, result
from watui.tui.keys import key_of
from watui.tui.screens.bulk import BulkScreen
from watui.tui.screens.dialogs import Confirm
from watui.tui.screens.reasons import BlockDialog, ReportDialog

if TYPE_CHECKING:
    from watui.actions.actions import Actions
    from watui.client.pacing import Waiting
    from watui.contract.models import Identity

LISTED_SECONDS = 60.0
"""How long a reading of the whole blocklist is good enough to say whether somebody is on it."""

MOST_REASONS = 9
"""Recent reasons that are offered."""


class Changes:
    """What a person changes about contacts. Whatever can go wrong is told as a notice."""

    def __init__(self, app: App[int], desk: Desk) -> None:
        self.desk = desk
        self.made = 0
        """How often something may have been changed."""
        self._app = app
        self._listed: dict[str, None] = {}
        self._listed_at: float | None = None
        self._reading = asyncio.Lock()
        self._is_asking = False
        self._under_way: set[asyncio.Task[None]] = set()

    async def change(self, kind: Kind, targets: Sequence[Target]) -> bool:
        """Block, unblock or report contacts, after asking; more than one through a dry run.

        Returns whether anything was sent.
        """
        with self._one_at_a_time(kind) as may_change:
            if not may_change or not targets:
                return False
            if len(targets) > 1:
                bulk = BulkScreen(self, Wish(kind), targets, self._reasons())
                return self._take_note(await self._app.push_screen_wait(bulk))
            if (problem := targets[0].problem) is not None:
                self.refuse(f"{targets[0].input}: {problem}. Nothing was sent.")
                return False
            wish = await self._ask(kind, targets[0])
            if wish is not None:
                await self._carry_out(wish, targets[0])
            return self._take_note(wish is not None)

    async def acknowledge(self, contact: Contact, identity: Identity) -> None:
        """Acknowledge an identity, after asking."""
        with self._one_at_a_time(Kind.ACKNOWLEDGE) as may_change:
            if not may_change:
                return
            at = clean(self.desk.profile)
            question = f"Acknowledge the identity {clean(identity.hash)} of {contact.name} at {at}?"
            if await self._app.push_screen_wait(Confirm(Content(question), "acknowledge it")):
                target = contact.target._replace(phone=contact.likely_wa_id)
                await self._carry_out(Wish(Kind.ACKNOWLEDGE, hash=identity.hash), target)

    async def undo(self) -> None:
        """Take back the latest block or unblock, after a dry run."""
        with self._one_at_a_time(Kind.UNBLOCK) as may_change:
            if not may_change:
                return
            batch_id = trail.latest_batch(self.desk.reader, self.desk.server_id)
            if batch_id is None:
                self.refuse("There is no block or unblock to take back.")
                return
            kind = REVERSE[trail.batch(self.desk.reader, batch_id)[0].kind]
            bulk = BulkScreen(self, Wish(kind, undoes=batch_id), (), [])
            self._take_note(await self._app.push_screen_wait(bulk))

    async def inbound(self, contact: Contact) -> None:
        """Let a contact write to us, on the simulator."""
        if not self.desk.is_simulator:
            self.refuse("Only on the simulator can you make a contact write.")
            return
        async with self._telling():
            await (await self.desk.backstage()).inbound(contact.number)
            self.tell(f"{contact.name} wrote to you: it can be blocked and reported for 24 hours.")

    async def decide(self, contact: Contact) -> None:
        """Let a person say whether a report was made whose answer was lost."""
        async with self._telling():
            await self._decide(contact)

    async def _decide(self, contact: Contact) -> None:
        found = trail.of_contact(self.desk.reader, contact.target.number, contact.wa_id, self.desk.server_id)
        unknown = next((action for action in found if action.outcome is Outcome.UNKNOWN), None)
        if unknown is None:
            self.refuse("There is nothing to decide: no outcome is unknown.")
            return
        question = f"Did the {unknown.kind} of {contact.name} reach the server? Its answer was lost."
        is_done = await self._app.push_screen_wait(Confirm(Content(question), "it did", "it did not     esc back"))
        if is_done is None:
            return
        outcome = Outcome.DONE if is_done else Outcome.FAILED
        by = (await self.desk.actions()).place.by
        await self.desk.ledger(trail.decide, unknown.id, outcome, f"decided by {by}")

    async def settle(self) -> None:
        """Find out what became of changes that were cut short, and tell."""
        async with self._telling():
            await self._settle()

    async def _settle(self) -> None:
        if not trail.unsettled(self.desk.reader, self.desk.server_id):
            return
        from watui.actions.batch import End

        groups: dict[tuple[int, End], list[Action]] = {}
        for action in await (await self.desk.actions()).settle():
            end = End(action.outcome, action.code, action.note)
            groups.setdefault((action.batch_id, end), []).append(action)
        for (batch_id, end), actions in groups.items():
            first = actions[0]
            one = for_people(first.number or first.input)
            who = one if len(actions) == 1 else f"Each of {len(actions):,} contacts of batch {batch_id}"
            again = f" 'watui actions again {batch_id}' does it." if end.outcome is Outcome.FAILED else ""
            self.tell(f"Cut short before: {result(first.wish, who, end, None)}{again}")

    async def is_blocked(self, contact: Contact) -> bool:
        """Whether a contact is on the blocklist, by a reading of all of it that may be a minute old. Raises Failure."""
        async with self._reading:
            is_old = self._listed_at is None or time.monotonic() - self._listed_at > LISTED_SECONDS
            if is_old:
                self._listed = await (await self.desk.actions()).blocklist()
                self._listed_at = time.monotonic()
        return find_wa_id(contact.number, self._listed, contact.wa_id) is not None

    def begin(self, change: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Let a change come to its end, whatever becomes of the screen that asked for it."""
        task = asyncio.create_task(change)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    def may_change(self) -> bool:
        """Whether a change could begin now; where not, that is told."""
        with self._one_at_a_time(Kind.UNBLOCK) as may_change:
            return may_change

    def tell(self, words_: str) -> None:
        """Say what was done."""
        self._app.notify(clean(words_), markup=False)

    def refuse(self, words_: str) -> None:
        """Say why something is not done."""
        self._app.notify(clean(words_), severity="warning", markup=False, timeout=10)

    @property
    def is_under_way(self) -> bool:
        """Whether a change waits for its answer, or a list for its end."""
        return bool(self._under_way)

    async def close(self) -> None:
        """Let nothing more be sent; what was not sent by then is written down as not done."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    @contextlib.contextmanager
    def _one_at_a_time(self, kind: Kind) -> Iterator[bool]:
        """Give whether something may be changed now; where not, that is told."""
        if (why := self.desk.why_not(kind)) is not None:
            self.refuse(f"{why}.")
        elif self._is_asking or self._under_way:
            self.refuse("A change is under way: wait until it has ended.")
        else:
            self._app.clear_notifications()
            self._is_asking = True
            try:
                yield True
            except LedgerUnusable as error:
                self.refuse(str(error))
            finally:
                self._is_asking = False
            return
        yield False

    def _take_note(self, was_sent: bool) -> bool:
        """Let the blocklist be read again where something was sent."""
        if was_sent:
            self._listed_at = None
            self.made += 1
        return was_sent

    def _reasons(self) -> list[str]:
        return trail.recent_reasons(self.desk.reader, MOST_REASONS)

    async def _ask(self, kind: Kind, target: Target) -> Wish | None:
        """Ask whether, and why; None for no."""
        name = clean(for_people(target.number or target.input))
        at = clean(self.desk.profile)
        match kind:
            case Kind.BLOCK:
                return await self._app.push_screen_wait(BlockDialog(name, at, self._reasons()))
            case Kind.REPORT:
                known = await self._message_ids(target)
                wish = await self._app.push_screen_wait(ReportDialog(name, at, self._reasons(), known))
                return wish if wish is not None and await self._confirm_report(name, at, wish) else None
            case _:
                again = await self._engagement(target)
                question = f"Unblock {name} at {at}? {again}"
                is_wanted = await self._app.push_screen_wait(Confirm(Content(question), "unblock it"))
                return Wish(kind) if is_wanted else None

    async def _confirm_report(self, name: str, at: str, wish: Wish) -> bool:
        block = " It is blocked as well." if wish.also_block else ""
        leaves = clean(words.what_leaves(wish.message_id or ""))
        question = f"Report {name} at {at}? {leaves}{block} {words.NO_UNDO}"
        is_wanted = await self._app.push_screen_wait(Confirm(Content(question), "report it"))
        return bool(is_wanted)

    async def _message_ids(self, target: Target) -> list[str]:
        """Return the ids of messages that the simulator or the ledger knows, the latest first."""
        states = await self.desk.contacts_backstage([target.number or target.input])
        told = [message for state in states for message in reversed(state.messages)]
        return list(dict.fromkeys([*told, *trail.recent_message_ids(self.desk.reader, target.number)]))

    async def _engagement(self, target: Target) -> str:
        states = await self.desk.contacts_backstage([target.number or target.input])
        if any(state.is_engaged for state in states):
            return "It wrote within the last 24 hours, so it can be blocked again."
        return words.CANNOT_BLOCK_AGAIN + (" It has not." if states else "")

    async def _carry_out(self, wish: Wish, target: Target) -> None:
        await asyncio.shield(self.begin(self._carried_out(wish, target)))

    async def _carried_out(self, wish: Wish, target: Target) -> None:
        async with self._telling():
            await self._settle()
            await self._drive(await self.desk.actions(), wish, target)

    async def _drive(self, actions: Actions, wish: Wish, target: Target) -> None:
        name = for_people(target.number or target.input)
        batch = await actions.begin(await actions.plan(wish, [target]))
        batch.follower = lambda _: self._tell_waiting(name, batch.waiting)
        try:
            await batch.drive(stop_on_failure=True)
        finally:
            await asyncio.shield(batch.give_up())
            end = batch.steps[0].end
            said = result(wish, name, end, self._explained(wish, end.code))
            (self.tell if end.outcome is Outcome.DONE else self.refuse)(said)

    def _tell_waiting(self, name: str, waiting: Waiting | None) -> None:
        """Say why nothing happens for a while."""
        if waiting is not None and waiting.is_long:
            said = clean(f"{name}: {waiting.words}. It goes on by itself.")
            self._app.notify(said, severity="warning", markup=False, timeout=waiting.seconds)

    def _explained(self, wish: Wish, code: int | None) -> str | None:
        explained = words.explain(wish, code)
        if code == errors.NOT_ENGAGED and self.desk.is_simulator:
            return f"{explained} On the simulator, {key_of('contact.inbound')} in its panel lets it write."
        return explained

    @contextlib.asynccontextmanager
    async def _telling(self) -> AsyncIterator[None]:
        try:
            yield
        except Failure as failure:
            self.refuse(f"{failure.title}. {failure.next_step}")
        except (LedgerUnusable, OSError) as error:
            self.refuse(str(error))
