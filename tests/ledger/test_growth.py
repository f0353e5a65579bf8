"""What a reading costs, in steps of SQLite's machine, where a list is four times as long."""

from array import array
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.ledger.conftest import OPTIONS, new_row
from watui.ledger import reader as reader_module
from watui.ledger.drivers import Driver
from watui.ledger.known import fresh
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Extent, Reader
from watui.ledger.rows import Answered, Order, RowFilter
from watui.ledger.trail import history

SHORT, LONG = 1_000, 4_000
STEPS_AT_ONCE = 20


def a_run(ledger: Ledger, locks: Path, count: int) -> int:
    """Return a run of so many numbers, each twice in its list, that are all answered."""
    run_id = ledger.add_run(OPTIONS)
    rows = [new_row(line, f"+1212{place:07}") for line, place in enumerate([*range(count), *range(count)], 1)]
    ledger.add_rows(run_id, ledger.add_source(run_id, "list", None), rows, {})
    driver = Driver(locks)
    ledger.start(run_id, driver)
    numbers = range(1, count + 1)
    asked = ledger.asked(run_id, numbers)
    answers = [Answered(number, "valid", True, f"1212{number:07}") for number in numbers]
    ledger.answered(run_id, asked.ask_id, answers, "v2.41")
    driver.close()
    return run_id


def picked_again(reader: Reader, _: int, run_id: int) -> None:
    """Read what has changed since the last answer, which is that of one number."""
    rows = reader.run(run_id).rows
    extent = Extent(rows, reader.extent(run_id).answered + 1.0)
    reader.picked_since(run_id, RowFilter(status="valid"), array("I", range(1, rows + 1)), extent)


READINGS: dict[str, tuple[Callable[[Reader, int, int], object], float]] = {
    "compare": (lambda reader, before, after: list(reader.pairs(before, after)), 5.0),
    "fresh": (lambda reader, _, run_id: fresh(reader, run_id, 0.0), 5.0),
    "by number": (lambda reader, _, run_id: reader.matching(run_id, RowFilter(order=Order.NUMBER)), 6.0),
    "rows of a number": (lambda reader, _, run_id: reader.rows_of(run_id, [7]), 1.5),
    "a window": (lambda reader, _, run_id: reader.window(run_id, 500, 540), 1.5),
    "what has changed": (picked_again, 1.5),
    "history": (lambda reader, before, _: history(reader, OPTIONS.server, "+12120000007"), 1.5),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[Path, int, int]]:
    """A ledger and its two runs, by how many numbers each of them has."""
    return {count: two_runs(tmp_path_factory.mktemp("growth"), count) for count in (SHORT, LONG)}


def two_runs(folder: Path, count: int) -> tuple[Path, int, int]:
    path = folder / "ledger.sqlite3"
    with closing(Ledger(path)) as ledger:
        return path, a_run(ledger, folder, count), a_run(ledger, folder, count)


@pytest.mark.parametrize("reading", READINGS)
def test_a_reading_costs_what_it_shows(
    reading: str, runs: dict[int, tuple[Path, int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_module, "_STEPS_BETWEEN_LOOKS", STEPS_AT_ONCE)
    read, most = READINGS[reading]
    cost = {}
    for count, (path, before, after) in runs.items():
        reader = Reader(path)
        looks = 0

        def look() -> bool:
            nonlocal looks
            looks += 1
            return False

        reader.give_up_when(look)
        read(reader, before, after)
        cost[count] = looks
        reader.close()
    print(f"{reading}: {cost[SHORT] * STEPS_AT_ONCE:,} and {cost[LONG] * STEPS_AT_ONCE:,} steps")
    assert cost[LONG] <= most * max(cost[SHORT], 5)
