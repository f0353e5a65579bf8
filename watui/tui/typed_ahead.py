"""Hands on what is typed one by one: each key goes to what the key before it has led to.

A line that stalls, and a script, deliver many keys at once. Textual gives each to whatever has the keys at that moment,
and a dialog that a key opens takes a moment to come: what was typed for it would be commands of the list below.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from textual import events
from textual.app import App
from textual.dom import DOMNode
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Input
from textual.worker import Worker

PATIENCE_SECONDS = 0.5
"""How long all that was typed ahead waits at most for dialogs of actions, which may have to ask a server first."""

_LEADING = ("action_", "_add")
"""How the workers are called that may lead to something else than a key was typed at: a dialog, a list."""

_MOVING = frozenset({"up", "down", "pageup", "pagedown", "home", "end"})
"""Keys that lead to nothing that another key could miss."""

_STEP_SECONDS = 0.01
"""Between two looks whether that dialog has come."""

_PAINTED_SECONDS = 0.02
"""After which a key is painted, as a rule: nothing that it leads to is looked at before, if no other key waits."""

LONGEST_SECONDS = 5.0
"""How long a key waits at most, whatever has become of those who had the one before."""


class TypedAhead:
    """What a person has typed, pasted or clicked, and was not handed on yet."""

    def __init__(self, app: App[Any], hand_on: Callable[[Message], bool]) -> None:
        """`hand_on` lets `app` have an event."""
        self._app = app
        self._hand_on = hand_on
        self._waiting: deque[Message] = deque()
        self._has_come = asyncio.Event()
        self._returned: Message | None = None
        """What has come back to the app last, after all on its way had it and left it alone."""
        self._handing: asyncio.Task[None] | None = None

    def takes(self, message: Message) -> bool:
        """Take `message` if it comes from a person, to hand it on when it is its turn; return whether it does."""
        if not isinstance(message, events.InputEvent | events.Paste):
            return False
        if message.is_forwarded:
            self._returned = message
            return False
        self._waiting.append(message)
        self._has_come.set()
        if self._handing is None or self._handing.done():
            self._handing = asyncio.create_task(self._hand_all())
            self._handing.add_done_callback(self._ended)
        return True

    def _ended(self, handing: asyncio.Task[None]) -> None:
        """Let the app know of a mistake of ours: nobody waits for the task."""

        def tell(error: BaseException) -> None:
            raise error

        if not handing.cancelled() and (error := handing.exception()) is not None:
            self._app.call_later(tell, error)

    async def _hand_all(self) -> None:
        patience = PATIENCE_SECONDS
        while self._waiting:
            typed = self._waiting.popleft()
            if self._leads_nowhere(typed):
                self._hand_on(typed)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_SECONDS):
                    before = self._leading()
                    way, screens = await self._hand(typed)
                    deadline = time.monotonic() + patience
                    while self._screens() == screens and self._leading() - before and time.monotonic() < deadline:
                        await asyncio.sleep(_STEP_SECONDS)
                        await self._ready(way)
                    patience = min(patience, max(0.0, deadline - time.monotonic()))

    def _leads_nowhere(self, typed: Message) -> bool:
        """Whether the next key goes wherever this one goes: it moves in a list, or is a letter in a field."""
        if not isinstance(typed, events.Key):
            return isinstance(typed, events.MouseEvent)
        screens = self._screens()
        return typed.key in _MOVING or (typed.is_printable and bool(screens) and isinstance(screens[-1].focused, Input))

    async def _hand(self, typed: Message) -> tuple[list[DOMNode], list[Screen[Any]]]:
        """Hand on a key or a paste, and wait until what it leads to at once is in place; return who had it, and on
        which screens.
        """
        way, screens = self._way(), self._screens()
        self._hand_on(typed)
        await self._painted()
        await _passed([self._app] if self._returned is typed else [self._app, *way])
        await self._ready(way)
        return way, screens

    async def _painted(self) -> None:
        """Leave the console to what was typed, as long as nothing else waits."""
        self._has_come.clear()
        if not self._waiting:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PAINTED_SECONDS):
                    await self._has_come.wait()

    async def _ready(self, way: list[DOMNode]) -> None:
        """Wait until all who get the next key have nothing to do; those on `way` had the one before."""
        while (ahead := self._way()) != way or any(each.message_queue_size for each in way):
            way = ahead
            await _passed(way)

    def _way(self) -> list[DOMNode]:
        """Return to whom a key would go now: the widget that has the keys, and all around it."""
        screens = self._screens()
        return (screens[-1].focused or screens[-1]).ancestors_with_self if screens else []

    def _screens(self) -> list[Screen[Any]]:
        return self._app.screen_stack if self._app.is_running else []

    def _leading(self) -> set[Worker[Any]]:
        """Return the workers that are not through, and may yet show something else."""
        return {each for each in self._app.workers if each.name.startswith(_LEADING) and not each.is_finished}


async def _passed(way: Iterable[DOMNode]) -> None:
    """Wait until each of `way`, one after the other, has done what it was given so far."""
    for each in way:
        done = asyncio.Event()
        if each.call_later(done.set):
            await done.wait()
