"""The line to the terminal: how much it carries, and whether the terminal has caught up with what was painted."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

_ASKED_BYTES = 512
"""So much is painted before the terminal is asked again: what is smaller keeps nobody waiting."""

_REST = 4.0
"""How long the line is left to the keys after a frame, by the time that the terminal took for it."""

_LOST_SECONDS = 3.0
"""After which an answer is taken for lost: at least so much, and _LOST times what answers took lately."""

_LOST = 5.0

_FADING = 0.9
"""How much of the time that an answer took still counts at the next one."""

_MOST_LOST = 2
"""Answers in a row; after that a terminal is taken for one that does not answer, until it does."""

_MOST_REST = 5.0
"""Seconds."""

_ASK_AGAIN_SECONDS = 60.0
"""Between two questions to a terminal that does not answer."""

_LEAVE_SECONDS = (0.5, 3.0)
"""How long an answer is waited for at the end, so that no shell takes it for typed: at least, and at most."""


class Pace(NamedTuple):
    """How often a console paints what nobody has asked for."""

    tick: float
    """Seconds between two looks at the ledger."""
    counts: float
    """Seconds between two paintings of what stands above and below a list."""
    bytes_per_second: float
    longest: float
    """Seconds that it waits at most, however much was painted."""


USUAL = Pace(0.1, 0.4, 8_000, 0.6)
LOW_BANDWIDTH = Pace(0.5, 2.0, 2_000, 2.5)


class Outlet:
    """Knows what is on its way to the terminal. What a key leads to is painted at once; the rest waits for its turn."""

    def __init__(self, pace: Pace = USUAL, clock: Callable[[], float] = time.monotonic) -> None:
        self.pace = pace
        self._clock = clock
        self._free_at = 0.0
        self._unasked = 0
        self._lock = threading.RLock()  # A signal may come while it is held.
        self._asked_at: deque[float] = deque()
        self._has_answered = False
        self._usual_seconds = 0.0
        """What answers took lately."""
        self._lost = 0
        """Answers in a row."""
        self._ask_at = 0.0
        """When a terminal that does not answer is asked again."""
        self._is_open = True
        self._is_silent = threading.Event()
        self._is_silent.set()
        self.send: Callable[[str], None] = lambda _: None
        """Sends a terminal what it does not paint, such as a bell; nothing where there is no terminal."""

    @property
    def is_free(self) -> bool:
        """Whether it can take what nobody waits for."""
        return self._clock() >= self._free_at and not (self._has_answered and self._is_asking())

    def wrote(self, size: int) -> None:
        """Note that so many bytes were painted."""
        now = self._clock()
        free_at = max(self._free_at, now) + size / self.pace.bytes_per_second
        self._free_at = min(free_at, now + self.pace.longest)
        self._unasked += size

    def should_ask(self) -> bool:
        """Whether the terminal is to be asked now whether it has caught up."""
        is_waited_for = self._is_asking() and not self._has_answered
        is_worth_it = self._unasked >= _ASKED_BYTES and self._clock() >= self._ask_at
        if is_waited_for or not is_worth_it or not self._is_open:
            return False
        self._unasked = 0
        self._is_silent.clear()
        self._asked_at.append(self._clock())
        return True

    def answered(self) -> None:
        """Note that the terminal has caught up with what it was asked after. This may come from another thread."""
        with self._lock:
            self._lost, self._ask_at, self._has_answered = 0, 0.0, True
            if not self._asked_at:
                return  # It had been given up.
            now, asked_at = self._clock(), self._asked_at.popleft()
            self._usual_seconds = max(now - asked_at, _FADING * self._usual_seconds)
            self._free_at = max(self._free_at, now + min(_MOST_REST, _REST * (now - asked_at)))
            if not self._asked_at:
                self._is_silent.set()

    def open(self) -> None:
        """Begin anew: what was asked before the console left the terminal, or had come to it, is not answered."""
        with self._lock:
            self._asked_at.clear()
            self._is_silent.set()
            self._lost, self._ask_at, self._is_open = 0, 0.0, True

    def close(self) -> None:
        """Ask nothing more, and wait for a moment for what the terminal has still to say, if it does answer."""
        self._is_open = False
        if self._has_answered:
            least, most = _LEAVE_SECONDS
            self._is_silent.wait(min(most, max(least, 2 * self._usual_seconds)))

    def _is_asking(self) -> bool:
        with self._lock:
            patience = max(_LOST_SECONDS, _LOST * self._usual_seconds)
            if self._asked_at and self._clock() - self._asked_at[0] > patience:
                self._lost += 1
                if self._lost >= _MOST_LOST or not self._has_answered:
                    self._ask_at = self._clock() + _ASK_AGAIN_SECONDS
                self._asked_at.clear()
                self._is_silent.set()
            return bool(self._asked_at)
