"""Measures the table at a million rows: opening it, its keys, and pages of it that are filtered and sorted."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import ParamSpec

from tests.benchmarks.figures import Figure, memory
from tests.benchmarks.intake import write_list
from watui.contract.statuses import Status
from watui.ledger.drivers import Driver
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import Answered, Order, RowFilter, RunOptions
from watui.settings.paths import find_paths

_P = ParamSpec("_P")

MANY, SOME, FEW = 1_000_000, 10_000, 100
SIZE = (120, 40)
PAGE = 40

DOWN, PAGE_DOWN = b"\x1b[B", b"\x1b[6~"
KEYS = 25
"""Of one kind, each measured."""
IMPORT_TURNS = 5
"""Between an import that goes on and one that is stopped."""
OPENINGS = 3

SILENCE_SECONDS = 0.03
"""After which nothing more is painted for a key."""
DEADLINE_SECONDS = 60.0
BETWEEN_KEYS_SECONDS = 0.05

SETTLED_SECONDS = 2.0
"""After which a console has done what it does at first."""

PAGES = 50
"""Measured of each list."""

_BY = {
    Order.GIVEN: "e.row",
    Order.NUMBER: "n.key IS NULL, n.key, e.row",
    Order.LATEST: "n.checked_at DESC, e.row",
}

_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[P\]][^\x1b\x07]*(?:\x1b\\|\x07))")

PER_SECOND = 2_000
"""Numbers that a run resolves."""
ANSWERED_AT_ONCE = 200

_FILL = """
WITH RECURSIVE place(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM place WHERE i < :rows),
    made AS (SELECT i, '+1' || (2000000000 + i * 2654435761 % 7919999999) AS number, i * 40503 % 100 AS share
        FROM place)
INSERT INTO number (run_id, number_id, key, input, number, region, first_row, status, final, wa_id, asked, checked_at,
                    server_version)
SELECT :run_id, i, number, number, number, 'US', i,
    CASE WHEN share < 40 THEN 'valid' WHEN share < 55 THEN 'invalid' WHEN share < 57 THEN 'failed'
         WHEN share < 60 THEN 'processing' ELSE 'queued' END,
    share < 57, CASE WHEN share < 40 THEN substr(number, 2) END, share < 60,
    CASE WHEN share < 60 THEN unixepoch() - i * 7919 % 3600 END, CASE WHEN share < 60 THEN 'v2.41' END
FROM made
"""


def fill(path: Path, rows: int) -> int:
    """Add a run of `rows` distinct numbers in mixed statuses that was cut short, and return its id."""
    with closing(Ledger(path)) as ledger:
        run_id = ledger.add_run(RunOptions("simulator", "US", "no_wait", False, 500, "simulator"))
        ledger.end_source(run_id, ledger.add_source(run_id, "numbers.csv", "phone"))
        with ledger.transaction() as db:
            # Numbers come in no order: the pages of their index have to stay in memory meanwhile.
            db.execute("PRAGMA cache_size = -400000")
            db.execute(_FILL, {"rows": rows, "run_id": run_id})
            db.execute(
                "INSERT INTO entry (run_id, row, source_id, line, input, number_id)"
                " SELECT run_id, first_row, 1, first_row + 1, input, number_id FROM number WHERE run_id = ?",
                (run_id,),
            )
            db.execute(
                "INSERT INTO tally (run_id, status, numbers, rows)"
                " SELECT run_id, status, count(*), sum(rows) FROM number WHERE run_id = ? GROUP BY status",
                (run_id,),
            )
            db.execute(
                "UPDATE run SET entries = :rows, numbers = :rows, server_version = 'v2.41', state = 'running',"
                " started_at = created_at WHERE id = :run_id",
                {"rows": rows, "run_id": run_id},
            )
    return run_id


class Console:
    """A console in a pseudo-terminal; what it paints is only read, so that nothing but the console takes time."""

    def __init__(self, home: Path, module: str = "watui") -> None:
        self.painted = b""
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:  # the child
            environment = {**os.environ, "WATUI_HOME": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            os.execve(sys.executable, [sys.executable, "-m", module], environment)
        fcntl.ioctl(self._descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._descriptor)

    def send(self, key: bytes) -> float:
        """Send a key and forget what was painted before it; return when."""
        while self._read(0.0):
            pass
        self.painted, sent = b"", time.perf_counter()
        os.write(self._descriptor, key)
        return sent

    def until(self, wanted: str, *, is_busy: bool = False) -> float:
        """Read until `wanted` is painted, and where it is not busy nothing after it; return when the last byte came."""
        last, deadline = 0.0, time.perf_counter() + DEADLINE_SECONDS
        while time.perf_counter() < deadline:
            if self._read(SILENCE_SECONDS):
                last = time.perf_counter()
                if is_busy and re.search(wanted, self.text()):
                    return last
            elif last and re.search(wanted, self.text()):
                return last
        raise AssertionError(f"{wanted!r} did not come:\n{self.text()}")

    def key(self, key: bytes, wanted: str, *, is_busy: bool = False) -> float:
        """Send a key; return the milliseconds to the last byte that is painted for it."""
        sent = self.send(key)
        return (self.until(wanted, is_busy=is_busy) - sent) * 1000

    def text(self) -> str:
        """What was painted since the last key, without what moves the cursor or changes colours."""
        return _SEQUENCE.sub("", self.painted.decode(errors="replace"))

    def _read(self, seconds: float) -> bool:
        if not select.select([self._descriptor], [], [], seconds)[0]:
            return False
        self.painted += os.read(self._descriptor, 65536)
        return True


@contextmanager
def opened(home: Path) -> Iterator[tuple[Console, float, int]]:
    """Open the one run of `home`; yield the console, the milliseconds that took, and the MB that it has more by it."""
    console = Console(home)
    try:
        console.until("import")
        time.sleep(SETTLED_SECONDS)
        console.key(b"3", "numbers.csv")
        before = memory(console.pid, "VmRSS")
        took = console.key(b"\r", r"line 2\b")
        yield console, took, memory(console.pid, "VmRSS") - before
    finally:
        console.close()


def walk(console: Console, key: bytes, count: int, *, is_busy: bool = False) -> list[float]:
    """Press a key over and over; return the milliseconds each time, to the line that tells of the row at hand."""
    took, line = [], "2"
    for _ in range(count):
        took.append(console.key(key, rf"line (?!{line}\b)\d+ ", is_busy=is_busy))
        found = re.findall(r"line (\d+) ", console.text())
        line = found[-1]
        time.sleep(BETWEEN_KEYS_SECONDS)
    return took


def _opening(homes: dict[int, Path]) -> Iterator[Figure]:
    took: dict[int, list[float]] = {rows: [] for rows in homes}
    more = []
    for _ in range(OPENINGS):
        for rows in (FEW, MANY):
            with opened(homes[rows]) as (_, milliseconds, megabytes):
                took[rows].append(milliseconds)
                if rows == MANY:
                    more.append(megabytes)
    what = f"a table of {MANY:,} rows is opened"
    yield Figure("S5", what, median(took[MANY]), "ms", median(took[FEW]), most_ratio=1.5, against=f"with {FEW} rows")
    yield Figure("S5", "memory that it takes more", median(more), "MB", most=15)


def _keys(homes: dict[int, Path]) -> Iterator[Figure]:
    down: dict[int, list[float]] = {rows: [] for rows in (SOME, MANY)}
    page: dict[int, list[float]] = {rows: [] for rows in (SOME, MANY)}
    for rows in (SOME, MANY, SOME, MANY):
        with opened(homes[rows]) as (console, _, _):
            time.sleep(SETTLED_SECONDS)
            down[rows] += walk(console, DOWN, KEYS)
            page[rows] += walk(console, PAGE_DOWN, KEYS)
    many = f"{MANY:,} rows"
    against = f"at {SOME:,}"
    yield Figure("S6", f"down, {many}", median(down[MANY]), "ms", median(down[SOME]), most_ratio=1.2, against=against)
    yield Figure("S6", f"page down, {many}", median(page[MANY]), "ms", median(page[SOME]), 10, 1.2, against=against)
    with closing(Console(homes[FEW], "tests.benchmarks.bare_table")) as bare:
        bare.until(r"line 2\b")
        time.sleep(SETTLED_SECONDS)
        yield Figure("S6", "page down of a bare table of Textual", median(walk(bare, PAGE_DOWN, KEYS)), "ms")
    with opened(homes[MANY]) as (console, _, _), _answers(homes[MANY]):
        time.sleep(SETTLED_SECONDS)
        busy = walk(console, PAGE_DOWN, KEYS, is_busy=True)
    what = f"page down, {many}, while {PER_SECOND:,} numbers a second are resolved elsewhere, p95"
    yield Figure("S6", what, quantiles(busy, n=20)[-1], "ms", most=30)
    yield from _importing(homes[FEW])


def _importing(home: Path) -> Iterator[Figure]:
    """Page down while a list comes in, and in between the same table at rest, for the importing process is stopped."""
    source = home / "import.csv"
    write_list(source, MANY)
    rest: list[float] = []
    busy: list[float] = []
    with closing(Console(home)) as console:
        console.until("import")
        time.sleep(SETTLED_SECONDS)
        console.key(b"i", "Import numbers")
        console.key(str(source).encode(), source.name)
        console.key(b"\r", r"line 2\b", is_busy=True)
        importing = Path(f"/proc/{console.pid}/task/{console.pid}/children").read_text().split()[-1]
        time.sleep(SETTLED_SECONDS)
        for _ in range(IMPORT_TURNS):
            busy += walk(console, PAGE_DOWN, KEYS // IMPORT_TURNS, is_busy=True)
            os.kill(int(importing), signal.SIGSTOP)
            try:
                time.sleep(SETTLED_SECONDS)
                rest += walk(console, PAGE_DOWN, KEYS // IMPORT_TURNS, is_busy=True)
            finally:
                os.kill(int(importing), signal.SIGCONT)
    what = f"page down, while {MANY:,} rows are being imported"
    yield Figure("S6", what, median(busy), "ms", median(rest), most_ratio=1.6, against="at rest")


@contextmanager
def _answers(home: Path) -> Iterator[None]:
    """Let a process of its own resolve numbers of the run of `home` meanwhile."""
    process = subprocess.Popen([sys.executable, "-c", f"from {__name__} import resolve; resolve({str(home)!r})"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def resolve(home: str) -> None:
    """Write down answers at the wanted rate, until it is ended."""
    paths = find_paths({"WATUI_HOME": home})
    ledger, run_id = Ledger(paths.ledger), 1
    ledger.start(run_id, Driver(paths.locks))
    wanted, began = ledger.unanswered(run_id), time.monotonic()
    for first in range(0, len(wanted), ANSWERED_AT_ONCE):
        some = wanted[first : first + ANSWERED_AT_ONCE]
        answers = [Answered(number_id, Status.VALID, True, str(number_id)) for number_id in some]
        ledger.answered(run_id, ledger.asked(run_id, some).ask_id, answers, "v2.41")
        time.sleep(max(0.0, began + first / PER_SECOND - time.monotonic()))


def _pages(home: Path) -> Iterator[Figure]:
    with closing(Reader(find_paths({"WATUI_HOME": str(home)}).ledger)) as reader:
        for wanted in (RowFilter("invalid"), RowFilter("valid", order=Order.NUMBER), RowFilter(order=Order.LATEST)):
            began = time.perf_counter()
            next(ordinals for ordinals in reader.picking(1, wanted) if ordinals)
            first = time.perf_counter() - began
            ordinals = reader.matching(1, wanted)
            pages = [
                _milliseconds(reader.picked, 1, ordinals[start : start + PAGE])
                for start in range(0, len(ordinals) - PAGE, len(ordinals) // PAGES)
            ]
            by_offset = _milliseconds(_by_offset, reader, wanted, len(ordinals) // 2)
            name = f"{wanted.status or 'all'}, {wanted.order}"
            yield Figure(
                "S14", f"any page of {name}", median(pages), "ms", by_offset, most_ratio=0.02, against="by OFFSET"
            )
            yield Figure("S14", f"the first rows of {name} from nothing", first * 1000, "ms", most=100)
        yield Figure("S14", "counts by status", median(_milliseconds(reader.tally, 1) for _ in range(PAGES)), "ms")


def _by_offset(reader: Reader, wanted: RowFilter, offset: int) -> None:
    where = " AND n.status = :status" if wanted.status else ""
    found = reader.query(
        "SELECT e.row, e.line, e.input, n.number, n.status, n.wa_id, n.checked_at FROM entry e"
        " LEFT JOIN number n ON n.run_id = e.run_id AND n.number_id = e.number_id"
        f" WHERE e.run_id = 1{where} ORDER BY {_BY[wanted.order]} LIMIT {PAGE} OFFSET {offset}",
        {"status": wanted.status} if wanted.status else {},
    )
    assert len(list(found)) == PAGE


def _milliseconds(do: Callable[_P, object], *arguments: _P.args, **named: _P.kwargs) -> float:
    began = time.perf_counter()
    do(*arguments, **named)
    return (time.perf_counter() - began) * 1000


def measure() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        homes = {rows: Path(folder) / str(rows) for rows in (FEW, SOME, MANY)}
        for rows, home in homes.items():
            fill(find_paths({"WATUI_HOME": str(home)}).ledger, rows)
        yield from _opening(homes)
        yield from _pages(homes[MANY])
        yield from _keys(homes)
