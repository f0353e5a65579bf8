"""A budget in the ledger: whatever is entered, however the clock goes, and whoever reserves."""

import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger.conftest import OPTIONS, new_row
from watui.ledger.budget import EntryKind, NeverEntered, add_messages, budget_of, entries, go_over, set_days, take_back
from watui.ledger.drivers import Driver
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import Budget, UsedUp
from watui.ledger.trail import Place

SHOP = Place("https://wa.example.com", "shop", "ada")
OTHER_PROFILE = SHOP._replace(profile="other")
ELSEWHERE = SHOP._replace(server="https://elsewhere.example.com")

DAYS = st.dictionaries(st.sampled_from(["2026-01-01", "2026-01-02", "2026-01-03"]), st.integers(0, 4))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 4)),
        st.tuples(st.just("over"), st.integers(1, 2)),
        st.tuples(st.just("take back"), st.integers(1, 4)),
        st.tuples(st.just("take back over"), st.integers(1, 2)),
        st.tuples(st.just("days"), DAYS),
        st.tuples(st.just("reserve"), st.integers(0, 1)),
        st.tuples(st.just("clock"), st.floats(-1e9, 1e9)),
        st.tuples(st.just("open anew"), st.integers(0, 1)),
    ),
    max_size=40,
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(tmp_path / "ledger.sqlite3")) as ledger:
        yield ledger


@pytest.fixture
def reader(ledger: Ledger, tmp_path: Path) -> Iterator[Reader]:
    with closing(Reader(tmp_path / "ledger.sqlite3")) as reader:
        yield reader


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_no_call_is_reserved_beyond_the_messages_and_what_was_allowed(steps: list[tuple[str, object]]) -> None:
    """Of two processes, one after the other and at once, under a clock that goes where it likes."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite3"
        ledgers = [Ledger(path), Ledger(path)]
        reader = Reader(path)
        by_hand, days, over, calls, clock = 0, dict[str, int](), 0, 0, time.time()
        for step, value in steps:
            with patch("time.time", lambda now=clock: now):
                match step, value:
                    case "add", int():
                        add_messages(ledgers[0], SHOP, value)
                        by_hand += value
                    case "over", int():
                        go_over(ledgers[1], OTHER_PROFILE, value)
                        over += value
                    case "take back", int():
                        with nullcontext() if value <= by_hand else pytest.raises(NeverEntered):
                            take_back(ledgers[1], SHOP, EntryKind.MESSAGES, value)
                        by_hand -= value if value <= by_hand else 0
                    case "take back over", int():
                        with nullcontext() if value <= over else pytest.raises(NeverEntered):
                            take_back(ledgers[0], SHOP, EntryKind.OVER, value)
                        over -= value if value <= over else 0
                    case "days", dict():
                        set_days(ledgers[0], SHOP, value)
                        days |= value
                    case "reserve", int():
                        is_free = calls < by_hand + sum(days.values()) + over
                        with nullcontext() if is_free else pytest.raises(UsedUp):
                            ledgers[value].reserve(SHOP.server)
                        calls += is_free
                    case "clock", float():
                        clock = value
                    case _, int():
                        ledgers[value].close()
                        ledgers[value] = Ledger(path)
            assert budget_of(reader, SHOP.server) == Budget(by_hand + sum(days.values()), over, calls)
        for ledger in ledgers:
            ledger.close()
        reader.close()


def test_a_call_is_reserved_with_its_question_or_neither_is_written_down(
    ledger: Ledger, reader: Reader, tmp_path: Path
) -> None:
    run_id = ledger.add_run(OPTIONS)
    ledger.add_rows(run_id, ledger.add_source(run_id, "list", None), [new_row(1, "11")], {})
    driver = Driver(tmp_path / "locks")
    ledger.start(run_id, driver)
    add_messages(ledger, SHOP, 1)
    ledger.asked(run_id, [1], driver.id, SHOP.server)
    with pytest.raises(UsedUp, match="1 of 1 calls"):
        ledger.asked(run_id, [1], driver.id, SHOP.server)
    assert [row.asked for row in reader.rows(run_id)] == [1]
    assert next(reader.query("SELECT count(*) FROM ask", ()))[0] == 1
    ledger.asked(run_id, [1], driver.id)
    assert budget_of(reader, SHOP.server) == Budget(1, 0, 1), "who has no budget is not counted"
    driver.close()


def test_a_server_has_one_budget_and_without_any_there_is_no_call(ledger: Ledger, reader: Reader) -> None:
    with pytest.raises(UsedUp, match="0 of 0 calls"):
        ledger.reserve(SHOP.server)
    add_messages(ledger, SHOP, 1)
    add_messages(ledger, OTHER_PROFILE, 1)
    add_messages(ledger, ELSEWHERE, 5)
    assert budget_of(reader, SHOP.server).allowed == 2
    assert budget_of(reader, ELSEWHERE.server).allowed == 5


def test_a_slip_of_the_finger_is_taken_back_and_both_are_kept(ledger: Ledger, reader: Reader) -> None:
    add_messages(ledger, SHOP, 5000)
    set_days(ledger, SHOP, {"2026-01-01": 7})
    ledger.reserve(SHOP.server)
    with pytest.raises(NeverEntered, match="no more than 5,000 was entered"):
        take_back(ledger, SHOP, EntryKind.MESSAGES, 5001)
    take_back(ledger, OTHER_PROFILE, EntryKind.MESSAGES, 5000)
    with pytest.raises(NeverEntered, match="no more than 0 was entered"):
        take_back(ledger, SHOP, EntryKind.OVER, 1)
    told = [(each.kind, each.number, each.profile, each.allowed) for each in entries(reader, 9)]
    assert told == [
        (EntryKind.MESSAGES, -5000, "other", 5007),
        (EntryKind.MESSAGES, 7, "shop", 5000),
        (EntryKind.MESSAGES, 5000, "shop", 0),
    ]
    assert budget_of(reader, SHOP.server) == Budget(7, 0, 1)


def test_who_entered_what_is_kept_with_how_the_budget_stood(ledger: Ledger, reader: Reader) -> None:
    add_messages(ledger, SHOP, 3)
    for _ in range(3):
        ledger.reserve(SHOP.server)
    go_over(ledger, OTHER_PROFILE, 2)
    set_days(ledger, SHOP, {"2026-01-01": 4, "2026-01-02": 1})
    set_days(ledger, SHOP, {"2026-01-02": 3})
    told = [(each.kind, each.number, each.profile, each.by, each.calls, each.allowed) for each in entries(reader, 9)]
    assert told == [
        (EntryKind.MESSAGES, 2, "shop", "ada", 3, 10),
        (EntryKind.MESSAGES, 5, "shop", "ada", 3, 5),
        (EntryKind.OVER, 2, "other", "ada", 3, 3),
        (EntryKind.MESSAGES, 3, "shop", "ada", 0, 0),
    ]
    assert budget_of(reader, SHOP.server) == Budget(10, 2, 3)
