"""A run that the tests drive themselves, so that they say when what changes, and a console that watches it."""

import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

from tests.pty.terminal import Terminal
from watui.contract.statuses import Status
from watui.ledger.drivers import Driver
from watui.ledger.ledger import Ledger
from watui.ledger.rows import QUEUED, NewRow, RunOptions, RunState
from watui.ledger.schema import ADDED
from watui.settings.paths import Paths, find_paths

VISIBLE = 30
"""Rows that change: the first ones, all in sight in 40 lines."""

CHANGE_SECONDS = 0.05
"""Between two changes of all rows in sight: twice as often as anything is painted."""


class Feed:
    """A run that this process drives: what becomes of its numbers is written into the ledger."""

    def __init__(self, paths: Paths, numbers: int = 10_000) -> None:
        """`paths` are those of the console that watches."""
        self._chance = random.Random(7)
        self._ledger = Ledger(paths.ledger)
        self._driver = Driver(paths.locks)
        self._run_id = self._ledger.add_run(RunOptions("simulator", "US", "no_wait", False, 500, "simulator"))
        source_id = self._ledger.add_source(self._run_id, "numbers.csv", None)
        texts = [f"+1212{2_000_000 + number}" for number in range(numbers)]
        rows = [NewRow(line, text, text, text, "US", None, None) for line, text in enumerate(texts, 1)]
        self._ledger.add_rows(self._run_id, source_id, rows, {})
        self._ledger.end_source(self._run_id, source_id)
        self._ledger.start(self._run_id, self._driver)
        self._statuses: dict[int, str] = {}
        self._left = iter(range(4 * VISIBLE, numbers))
        self.due = 0.0
        """When the rows in sight are to change again."""
        self._set(dict.fromkeys(range(1, numbers + 1), Status.PROCESSING))
        self._set(dict.fromkeys(range(VISIBLE + 1, 2 * VISIBLE + 1), Status.FAILED))

    def close(self) -> None:
        self._driver.close()
        self._ledger.close()

    def swap(self) -> None:
        """Let one number in sight have the status of one further down, and the other way round: no count changes."""
        seen = self._chance.randint(2, VISIBLE)
        unseen = seen + 2 * VISIBLE
        first, second = self._statuses[seen], self._statuses[unseen]
        if first is second:
            unseen -= VISIBLE
            second = self._statuses[unseen]
        self._set({seen: second, unseen: first})

    def decide(self, count: int = 2) -> None:
        """Give so many numbers out of sight a final status."""
        self._set({next(self._left): Status.VALID for _ in range(count)}, final=True)

    def churn(self) -> None:
        """Give each number in sight another status, and decide some out of sight."""
        self.churn_some(VISIBLE)
        self.decide()
        self.due = time.monotonic() + CHANGE_SECONDS

    def churn_some(self, count: int) -> None:
        """Give so many numbers in sight another status."""
        seen = self._chance.sample(range(1, VISIBLE + 1), count)
        self._set({number: self._other(self._statuses[number]) for number in seen})

    def end(self) -> None:
        self._ledger.end(self._run_id, RunState.DONE)

    def _other(self, status: str) -> Status:
        return self._chance.choice([each for each in Status if each is not status])

    def _set(self, statuses: Mapping[int, str], *, final: bool = False) -> None:
        moved = Counter[str](statuses.values())
        moved.subtract(self._statuses.get(number, QUEUED) for number in statuses)
        self._statuses.update(statuses)
        with self._ledger.transaction() as db:
            db.executemany(
                "UPDATE number SET status = ?, final = ? WHERE run_id = ? AND number_id = ?",
                [(status, final, self._run_id, number) for number, status in statuses.items()],
            )
            db.executemany(
                f"INSERT INTO tally (run_id, status, numbers, rows) VALUES (?, ?, ?, ?) {ADDED}",
                [(self._run_id, status, count, count) for status, count in moved.items()],
            )


@contextmanager
def watching(terminal: Terminal, numbers: int = 10_000) -> Iterator[Feed]:
    """A run that the console in `terminal` watches."""
    with closing(Feed(find_paths(), numbers)) as feed, terminal:
        terminal.until("is under way in another process: p watches it")
        terminal.send(b"p")
        terminal.until("another process asks")
        terminal.until_quiet()
        yield feed
