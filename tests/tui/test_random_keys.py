"""Keys in a hurry, and by chance: what is confirmed is done once, and nothing else is."""

import asyncio
import contextlib
import random
import time
from collections import Counter, deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from textual import events
from textual.command import CommandPalette
from textual.pilot import WaitForScreenTimeout
from textual.screen import Screen

from tests.conftest import TOKEN
from tests.simulated import a_world, create_app
from tests.tui.story import HOSTILE, NOBODY, PEOPLE, Story, console, console_at, is_change
from watui.client import contacts
from watui.client.server import Server
from watui.ledger import trail
from watui.ledger.trail import Outcome, Wish
from watui.settings.paths import Paths
from watui.simulator.faults import Fault, Kind
from watui.simulator.record import Latest, Record
from watui.simulator.serving import ServerThread
from watui.tui.app import WatuiApp
from watui.tui.commands import COMMANDS
from watui.tui.screens.bulk import MOST_UNTYPED, BulkScreen
from watui.tui.screens.dialogs import Confirm
from watui.tui.screens.reasons import BlockDialog, ReportDialog

pytestmark = pytest.mark.anyio

KEYS = [
    *sorted({key for command in COMMANDS for key in command.keys}),
    *[command.keys[0] for command in COMMANDS if command.changes] * 3,
    *(
        "tab",
        "shift+tab",
        "home",
        "end",
        "pageup",
        "pagedown",
        "backspace",
        "delete",
        "ctrl+c",
        "ctrl+u",
        "f5",
        "1",
        "2",
    ),
]
"""What changes contacts comes more often than the rest."""

ANSWERS = ("y", "y", "n", "enter", "enter", "escape", "escape", "tab")
PALETTE_KEYS = ("a", "b", "o", "r", "backspace", "down", "up", "enter", "escape")
"""For Textual's own palette, which errs on clicks and on other keys while its list is empty or filled anew."""

OTHER_CHARACTERS = "0123456789abc @Zß日é[/]\\"

TEXTS = (
    "\n".join(PEOPLE[:4]),
    "\n".join([*PEOPLE[10:22], NOBODY]),
    "name,phone\nA,+1 212-200-0003\nB,nobody\n",
    "y\ny\ny\n",
    "a reason",
    HOSTILE,
    "\n",
    "x" * 80,
)
CLICKS, PASTES, BURSTS, COUNTS = 0.06, 0.02, 0.05, 0.5
"""Of the moves, how many are clicks, pastes and one key several times at once; and how often a count is typed where
one is asked for."""

AT_ONCE = 3
"""Moves that on the average come before the console has dealt with the first of them."""

SIZE = (64, 16)
"""Small, for it is painted very often."""

SETTLED_EVERY = 50
"""Moves after which everything under way comes to an end before the next one."""

CHANGING_ANSWERS = {"unblock it": "unblock", "report it": "report", "acknowledge it": "identity"}
"""What a yes stands for, by the words beside it."""


class Witness:
    """Sees what was confirmed, and what then reached the server."""

    def __init__(self, patches: pytest.MonkeyPatch) -> None:
        self.allowed: Counter[str] = Counter()
        """Requests that a person has confirmed, by the last part of their path."""
        self.seen: Counter[str] = Counter()
        self.unconfirmed: list[str] = []
        self.lists: list[tuple[int, str]] = []
        """Contacts of each list that was begun, and what was typed as their count."""
        self.screens: Counter[str] = Counter()
        self.exits = 0
        self._watch_dialogs(patches)
        self._watch_lists(patches)

    def request(self, exchange: Latest) -> None:
        """Take note of a request that the server has answered."""
        if not is_change(exchange.method, exchange.path):
            return
        what = exchange.path.rpartition("/")[2]
        self.seen[what] += 1
        if self.seen[what] > self.allowed[what]:
            self.unconfirmed.append(exchange.in_words())

    def _watch_dialogs(self, patches: pytest.MonkeyPatch) -> None:
        dismiss = Screen.dismiss

        def watched(screen: Screen[Any], result: Any = None) -> Any:
            if isinstance(screen, Confirm) and result is True:
                self.allowed[CHANGING_ANSWERS.get(screen._yes, "")] += 1
            if isinstance(screen, BlockDialog) and isinstance(result, Wish):
                self.allowed["block"] += 1
            return dismiss(screen, result)

        patches.setattr(Screen, "dismiss", watched)

    def _watch_lists(self, patches: pytest.MonkeyPatch) -> None:
        go = BulkScreen.action_go

        def watched(screen: BulkScreen) -> None:
            before, typed, plan = screen._driving, screen.typed.value, screen._plan
            go(screen)
            if screen._driving is not before and plan is not None:
                self.allowed[plan.wish.kind] += len(plan.to_send)
                self.lists.append((len(plan.to_send), typed))

        patches.setattr(BulkScreen, "action_go", watched)

    def assert_all_confirmed(self) -> None:
        assert self.unconfirmed == []
        for count, typed in self.lists:
            assert count <= MOST_UNTYPED or typed == str(count)


async def settled(story: Story) -> None:
    """Let the console come to rest; a pilot gives up on a widget that goes away without an answer."""
    with contextlib.suppress(WaitForScreenTimeout):
        await story.pilot.pause()


class Hands:
    """Somebody who presses whatever key is near."""

    def __init__(self, story: Story, seed: int, witness: Witness) -> None:
        self._story = story
        self._chance = random.Random(seed)
        self._witness = witness

    async def move(self, moves: int) -> None:
        """Make so many moves: a key, a click or a paste each, some of them at once."""
        latest: deque[object] = deque(maxlen=30)
        for move in range(moves):
            if self._story.app.return_code == 1:
                return  # A mistake of the console's own, which the pilot raises at its end.
            assert self._story.app.is_running, f"the console ended after {latest}"
            self._witness.screens[type(self._story.app.screen).__name__] += 1
            made = self._move()
            latest.append([getattr(event, "key", event) for event in made])
            if isinstance(made[0], events.MouseEvent):
                # Textual errs on a click at what goes away in that moment.
                await settled(self._story)
            for event in made:
                self._story.app.post_message(event)
            if self._is_at_palette(made) or move % SETTLED_EVERY == 0:
                await settled(self._story)
            elif self._chance.random() < 1 / AT_ONCE:
                await self._handled()

    def _is_at_palette(self, made: Sequence[events.Event]) -> bool:
        """Whether Textual's own palette is open, or opens now: it errs where it is hurried."""
        opens = any(isinstance(event, events.Key) and event.key == "ctrl+p" for event in made)
        return opens or isinstance(self._story.app.screen, CommandPalette)

    async def _handled(self) -> None:
        """Wait until all that was done has come to the widgets that it is for."""
        for target in (self._story.app, self._story.app.screen):
            done = asyncio.Event()
            target.call_later(done.set)
            while target.is_running and not done.is_set():  # noqa: ASYNC110  a screen that closes never gets to it
                await asyncio.sleep(0)

    def _move(self) -> Sequence[events.Event]:
        chance, share, screen = self._chance, self._chance.random(), self._story.app.screen
        is_palette = isinstance(screen, CommandPalette)
        if share < CLICKS and not is_palette:
            return self._click()
        if share < CLICKS + PASTES:
            return [events.Paste(chance.choice(TEXTS).replace("\n", "\r"))]
        if isinstance(screen, BulkScreen) and screen.query("#bulk-count") and chance.random() < COUNTS:
            # Nobody comes upon the right number by chance.
            screen.typed.value = str(len(screen._plan.to_send) if screen._plan else 0)
        if is_palette:
            return [_key(chance.choice(PALETTE_KEYS))]
        if len(self._story.app.screen_stack) > 1 and chance.random() < 0.5:
            key = chance.choice(ANSWERS)
        else:
            key = chance.choice(KEYS) if chance.random() < 0.85 else chance.choice(OTHER_CHARACTERS)
        times = chance.randint(2, 4) if chance.random() < BURSTS and key != "ctrl+p" else 1
        return [_key(key) for _ in range(times)]

    def _click(self) -> list[events.Event]:
        size = self._story.app.size
        x, y = self._chance.randrange(size.width), self._chance.randrange(size.height)
        shared = (None, x, y, 0, 0, 1, False, False, False, x, y)
        return [events.MouseMove(*shared), events.MouseDown(*shared), events.MouseUp(*shared)]


NAMED = {"space": " ", "slash": "/", "question_mark": "?", "less_than_sign": "<", "greater_than_sign": ">"}


def _key(key: str) -> events.Key:
    return events.Key(key, NAMED.get(key, key if len(key) == 1 else None))


async def back_to_the_list(story: Story) -> None:
    """Close whatever is open, and end what is under way."""
    await settled(story)
    while len(story.app.screen_stack) > 1 and story.app.return_code != 1:
        with contextlib.suppress(WaitForScreenTimeout):
            await story.press("y" if isinstance(story.app.screen, Confirm) else "escape")


async def play(
    paths: Paths, folder: Path, patches: pytest.MonkeyPatch, moves: int, seed: int, *, read_only: bool
) -> Witness:
    """Let somebody press keys at random, and return what was seen."""
    patches.chdir(folder)
    patches.setattr(contacts, "RATE_LIMIT", 1e9)
    witness = Witness(patches)
    patches.setattr(WatuiApp, "exit", lambda *_, **__: setattr(witness, "exits", witness.exits + 1))
    world = a_world(latency=None, engaged=1.0)
    world.people.block_others(120, time.time())
    for number in PEOPLE[:3]:
        world.people.change_identity(number, time.time())
    with ServerThread(create_app(world, TOKEN, record=Record(follower=witness.request))) as server:
        at = Server.at(server.url, TOKEN)
        async with console(paths, at, SIZE, read_only=read_only, notifications=False) as story:
            await story.resolve("\n".join(PEOPLE[:12]))
            began = time.monotonic()
            await Hands(story, seed, witness).move(moves)
            seconds = time.monotonic() - began
            await back_to_the_list(story)
    print(
        f"\n{moves:,} moves in {seconds:.1f} s, read-only {read_only}: sent {dict(witness.seen)},"
        f" confirmed {dict(witness.allowed)}, lists {witness.lists}, ends {witness.exits},"
        f" screens {dict(witness.screens)}"
    )
    return witness


# In a hurry


def at_once(story: Story, *keys: str) -> None:
    """Press keys before the console has dealt with the first of them."""
    for key in keys:
        story.app.post_message(_key(key))


@pytest.mark.parametrize("key", ["b", "r"])
async def test_enter_twice_closes_a_dialog_once(paths: Paths, key: str) -> None:
    async with console_at(a_world(latency=None, engaged=1.0), paths) as story:
        await story.preview(PEOPLE[0])
        await story.press(key)
        await story.until_on(BlockDialog if key == "b" else ReportDialog)
        at_once(story, "enter", "enter")
        if key == "r":
            await story.until_on(Confirm)
            at_once(story, "y", "y")
        await story.until_told("+1 631-555-1000 is ")
        assert len(story.sent) == 1


@pytest.mark.parametrize("close", ["escape", "enter"])
async def test_what_is_closed_while_it_opens(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, close: str
) -> None:
    monkeypatch.chdir(tmp_path)
    async with console_at(a_world(latency=None, engaged=1.0), paths) as story:
        await story.resolve("\n".join(PEOPLE[:2]))
        for key in ("b", "r", "o", "i", "e", "B", "question_mark"):
            at_once(story, key, close)
            await story.pilot.pause()
            await back_to_the_list(story)
            assert story.app.is_running, key


async def test_a_key_that_comes_before_the_widgets_of_a_dialog_does_nothing(paths: Paths) -> None:
    async with console_at(a_world(latency=None), paths) as story:
        dialog = ReportDialog("+1 631-555-1000", "shop", (), ())
        story.app.push_screen(dialog)
        assert not await story.app.run_action("submit", dialog)
        await story.until(lambda: dialog.is_mounted, "the dialog")
        assert story.app.screen is dialog


@pytest.mark.parametrize("key", ["pagedown", "pageup", "home", "end"])
async def test_a_page_of_the_palette_that_is_not_there_is_not_turned(paths: Paths, key: str) -> None:
    async with console_at(a_world(latency=None), paths) as story:
        for moment in range(6):
            at_once(story, "ctrl+p")
            for _ in range(moment):
                await asyncio.sleep(0)
            at_once(story, "o", key, "backspace", key, key)
            await settled(story)
            await story.press("escape")
            await back_to_the_list(story)


async def test_a_console_outlives_what_it_waits_for(paths: Paths) -> None:
    async with console_at(a_world(latency=None), paths) as story:
        awaited: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def waits() -> None:
            await awaited

        story.app.call_next(waits)
        await asyncio.sleep(0)
        awaited.cancel()
        await story.preview(PEOPLE[0])
        assert story.app.is_running


async def test_enter_twice_begins_a_list_once(paths: Paths) -> None:
    async with console_at(a_world(latency=None, engaged=1.0), paths) as story:
        await story.preview("\n".join(PEOPLE[:5]))
        await story.press("B")
        await story.until_shown("5 contacts to block")
        at_once(story, "enter", "enter")
        await story.until_shown("5 blocked")
        batches = {action.batch_id for action in trail.latest(story.session.desk.reader, 100)}
        assert len(batches) == 1, "nothing is written down that nobody carries out"


async def test_a_list_that_is_left_while_it_begins(paths: Paths) -> None:
    async with console_at(a_world(latency=None, engaged=1.0), paths) as story:
        await story.preview("\n".join(PEOPLE[:5]))
        await story.press("B")
        await story.until_shown("5 contacts to block")
        at_once(story, "enter", "escape")
        await story.pilot.pause()
        await back_to_the_list(story)
        await story.until_idle("bulk")
        open_ends = {Outcome.PLANNED, Outcome.SENT}
        await story.until(
            lambda: not open_ends & {action.outcome for action in trail.latest(story.session.desk.reader, 100)},
            "an end for everybody",
        )


SLOW = Fault(Kind.LATENCY, path="*/block", seconds=0.5)
"""A server that takes its time to block somebody."""


async def test_a_block_under_way_comes_to_its_end_whatever_is_asked_next(paths: Paths) -> None:
    async with console_at(a_world(latency=None, engaged=1.0, faults=(SLOW,)), paths) as story:
        await story.preview("\n".join(PEOPLE[:2]))
        await story.press("b")
        await story.until_on(BlockDialog)
        await story.press("enter", "down")
        await story.until(lambda: story.app.changes.is_under_way, "the change")
        at_once(story, "b", "r", "B", "z")
        await story.until_told("+1 631-555-1000 is blocked.")
        assert set(story.notices[:-1]) == {"A change is under way: wait until it has ended."}
        await story.press("b")
        await story.until_shown("Block +1 631-555-1002 at shop")
        assert [path for path, _ in story.sent] == [f"{PEOPLE[0]}/block"]


async def test_a_block_under_way_comes_to_its_end_when_its_panel_is_closed(paths: Paths) -> None:
    async with console_at(a_world(latency=None, engaged=1.0, faults=(SLOW,)), paths) as story:
        await story.open_contact(PEOPLE[0])
        await story.press("b")
        await story.until_on(BlockDialog)
        await story.press("enter", "escape")
        await story.until(lambda: bool(story.notices), "what became of it")
        assert story.notices == ["+1 631-555-1000 is blocked."]


async def test_leaving_while_a_list_is_carried_out_asks_first(paths: Paths) -> None:
    async with console_at(a_world(latency=None, engaged=1.0, faults=(SLOW,)), paths) as story:
        await story.preview("\n".join(PEOPLE[:5]))
        await story.press("B")
        await story.until_shown("5 contacts to block")
        await story.press("enter")
        await story.until(lambda: len(story.sent) == 1, "the first request")
        await story.press("ctrl+q")
        await story.until(lambda: isinstance(story.app.screen, Confirm) or story.app.return_value == 0, "the question")
        assert isinstance(story.app.screen, Confirm), "four of five were not sent"


# By chance


async def test_nothing_is_changed_that_was_not_confirmed(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = await play(paths, tmp_path, monkeypatch, 2_000, 1, read_only=False)
    witness.assert_all_confirmed()
    assert witness.seen.total() > 0


async def test_read_only_changes_nothing(paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    witness = await play(paths, tmp_path, monkeypatch, 1_000, 2, read_only=True)
    assert witness.seen.total() == 0
    assert witness.lists == []


@pytest.mark.long
@pytest.mark.parametrize("read_only", [False, True])
async def test_the_same_for_long(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_only: bool
) -> None:
    witness = await play(paths, tmp_path, monkeypatch, 50_000, 3, read_only=read_only)
    witness.assert_all_confirmed()
    assert (witness.seen.total() == 0) is read_only
