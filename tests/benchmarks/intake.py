"""Measures how fast a list becomes a run: converting its numbers (S13), and all of an import (S4)."""

import csv
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import phonenumbers

from tests.benchmarks.figures import Figure, memory
from tests.ledger.conftest import OPTIONS
from tests.numbers import mixed_numbers
from tests.pty.terminal import Terminal
from watui.checks.prepare import Import
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader

NUMBERS = 100_000
ROWS = 1_000_000
REPEATED = 0.05
"""Share of the rows that repeat a number of an earlier one."""

CONVERSIONS, IMPORTS, STARTS = 3, 3, 3
"""How often each is measured."""

SECONDS = 600.0

_CONVERSION = """
import sys, time
import phonenumbers
from tests.benchmarks.intake import NUMBERS, by_library
from tests.numbers import mixed_numbers
from watui.contract.conversion import checkable, read
numbers = list(mixed_numbers(NUMBERS, seed=1))
convert = {"read": read, "checkable": checkable, "library": by_library}[sys.argv[1]]
began = time.process_time()
for text, region in numbers:
    convert(text, region)
print(time.process_time() - began)
"""


def by_library(text: str, region: str) -> str | None:
    """Return the number that `phonenumbers` alone reads."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(text, region), phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        return None


def converting(how: str) -> float:
    """Return the processor seconds of a fresh process for NUMBERS mixed numbers."""
    return float(subprocess.run([sys.executable, "-c", _CONVERSION, how], check=True, capture_output=True).stdout)


def write_list(path: Path, rows: int) -> None:
    """Write a table of names and numbers in E.164, some of them repeated."""
    chance = random.Random(1)
    areas = (
        "205",
        "212",
        "213",
        "305",
        "312",
        "404",
        "415",
        "416",
        "503",
        "512",
        "604",
        "617",
        "702",
        "713",
        "808",
        "917",
    )
    with path.open("w") as file:
        file.write("name,phone\n")
        earlier: list[str] = []
        for row in range(rows):
            if earlier and chance.random() < REPEATED:
                number = chance.choice(earlier)
            else:
                number = f"+1{chance.choice(areas)}{chance.randint(2_000_000, 9_999_999)}"
                earlier.append(number)
            file.write(f"n{row},{number}\n")


def into_one_table(source: Path, folder: Path) -> float:
    """Return the seconds in which `csv.reader` and one table take the list."""
    with (
        closing(sqlite3.connect(folder / "table.sqlite3", isolation_level=None)) as db,
        source.open(newline="") as file,
    ):
        began = time.perf_counter()
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("CREATE TABLE list (name TEXT, phone TEXT)")
        db.execute("BEGIN")
        db.executemany("INSERT INTO list VALUES (?, ?)", islice(csv.reader(file), 1, None))
        db.execute("COMMIT")
        return time.perf_counter() - began


def imported(source: Path, folder: Path) -> tuple[float, int]:
    """Return the seconds from starting the process that imports to its end, and how many MB it took."""
    import msgspec

    path = folder / "ledger.sqlite3"
    with closing(Ledger(path)) as ledger:
        run_id = ledger.add_run(OPTIONS)
    wanted = msgspec.json.encode(Import(run_id, source.name, "US")).decode()
    began, most = time.perf_counter(), 0
    command = [sys.executable, "-P", "-m", "watui.checks.importing", str(path), str(source), wanted]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in process.stdout:
            most = max(most, memory(process.pid, "VmHWM"))
    seconds = time.perf_counter() - began
    assert process.returncode == 0
    with closing(Reader(path)) as reader:
        record = reader.run(run_id)
    assert record.entries == record.rows == record.read - 1 > record.numbers, (
        "all was read, and duplicates were collapsed"
    )
    return seconds, most


def until_rows_are_shown(source: Path, home: Path) -> float:
    """Return the seconds from choosing the file in a console to its first rows on the screen."""
    with Terminal(size=(120, 40), environment={"WATUI_HOME": str(home)}) as terminal:
        terminal.until("load sample")
        terminal.until_quiet()
        terminal.send(b"i")
        terminal.until("Import numbers")
        terminal.send(str(source).encode())
        terminal.until_quiet()
        began = time.monotonic()
        terminal.send(b"\r")
        terminal.until(r"\+1\d{10}", SECONDS)
        return time.monotonic() - began


def _in_turn(*measured: tuple[Callable[[], float], list[float]], times: int) -> None:
    for _ in range(times):
        for measure, found in measured:
            found.append(measure())


def conversion() -> Iterator[Figure]:
    library: list[float] = []
    converted: list[float] = []
    judged: list[float] = []
    _in_turn(
        (lambda: converting("library"), library),
        (lambda: converting("checkable"), converted),
        (lambda: converting("read"), judged),
        times=CONVERSIONS,
    )
    # Rates, so that more is better.
    baseline, rate, judged_rate = (NUMBERS / statistics.median(seconds) for seconds in (library, converted, judged))
    what = f"conversion of {NUMBERS:,} mixed numbers"
    against = "phonenumbers.parse and E.164"
    yield Figure("S13", what, rate, "numbers/s", baseline, least_ratio=5, against=against)
    what = "the same with region and doubt, as an import needs it, which the library is not asked for"
    yield Figure("S13", what, judged_rate, "numbers/s", baseline, against=against)
    from watui.contract.conversion import checkable, read

    differing = 0
    for text, region in mixed_numbers(NUMBERS, seed=1):
        number, reading = by_library(text, region), read(text, region)
        differing += reading.number != number or checkable(text, region) != (number if reading.possible else None)
    yield Figure("S13", "answers that differ", differing, "numbers", most=0)


def importing(rows: int = ROWS) -> Iterator[Figure]:
    baseline, seconds, megabytes, first = [], [], [], []
    with tempfile.TemporaryDirectory() as kept:
        source = Path(kept) / "list.csv"
        write_list(source, rows)
        for _ in range(IMPORTS):
            with tempfile.TemporaryDirectory() as folder:
                baseline.append(into_one_table(source, Path(folder)))
                took, most = imported(source, Path(folder))
                seconds.append(took)
                megabytes.append(most)
        for _ in range(STARTS):
            with tempfile.TemporaryDirectory() as folder:
                first.append(until_rows_are_shown(source, Path(folder)))
    yield Figure(
        "S4",
        f"{rows:,}-row CSV into a run of the ledger",
        statistics.median(seconds),
        "s",
        statistics.median(baseline),
        most_ratio=5,
        against="csv.reader into one table",
    )
    yield Figure("S4", "resident memory of the process that imports", max(megabytes), "MB", most=150)
    yield Figure("S4", "file chosen to first rows on the screen", statistics.median(first), "s", most=0.5)


def measure() -> Iterator[Figure]:
    yield from conversion()
    yield from importing(int(os.environ.get("WATUI_BENCHMARK_ROWS", ROWS)))
