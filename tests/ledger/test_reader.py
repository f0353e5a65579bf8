"""Reading runs: windows, filters and picks equal a naive scan over all rows."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ledger.conftest import OPTIONS, new_row
from watui.contract.statuses import FINAL, Status
from watui.ledger import reader as reader_module
from watui.ledger.drivers import Driver
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import Answered, NewRow, Order, Row, RowFilter
from watui.ledger.schema import LedgerUnusable
from watui.settings.paths import Paths

COUNT = 300
ODD_INPUTS = ("CAFÉ 12", "café 12", "Élan 5", "100%", "a_b 1", "o'brien 2", 'say "3"', "Ärger ４", "(555) 10")


class Listed(NamedTuple):
    """A run with all of its rows, read once."""

    reader: Reader
    run_id: int
    rows: list[Row]

    def __repr__(self) -> str:
        return f"Listed({len(self.rows)} rows)"


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listed]:
    """A run of many rows in every status, with duplicates, rejected rows and odd inputs; and all of its rows."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.sqlite3"
    ledger, reader, chance = Ledger(path), Reader(path), Random(1)
    other = ledger.add_run(OPTIONS)
    ledger.add_rows(other, ledger.add_source(other, "other", None), [new_row(1, "55510")], {})
    run_id = ledger.add_run(OPTIONS)
    for name in ("one", "two"):
        rows = [new_row(line, chance.choice([str(55500 + chance.randrange(150)), None])) for line in range(1, COUNT)]
        rows += [
            NewRow(COUNT + place, text, text, None, None, "too short", None) for place, text in enumerate(ODD_INPUTS)
        ]
        ledger.add_rows(run_id, ledger.add_source(run_id, name, None), rows, {})
    numbers = list(ledger.unanswered(run_id))
    statuses = ["queued", "processing", "pending", "valid", "invalid", "failed"]
    answers = [
        Answered(number, status, status in FINAL, f"521ABC{number}" if status == "valid" else None)
        for number in numbers
        if (status := chance.choice(statuses)) != "queued"
    ]
    chance.shuffle(answers)
    for some in (answers[::3], answers[1::3], answers[2::3]):
        ledger.answered(run_id, ledger.asked(run_id, [each.number_id for each in some]).ask_id, some, "v2.41")
    yield Listed(reader, run_id, list(reader.rows(run_id)))
    reader.close()
    ledger.close()


generously = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def test_the_rows_are_those_of_this_run_in_order(listed: Listed) -> None:
    _, _, rows = listed
    assert [row.row for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) == 2 * (COUNT - 1 + len(ODD_INPUTS))
    assert {row.source for row in rows} == {"one", "two"}
    assert {row.status for row in rows} == {
        "queued",
        "processing",
        "pending",
        "valid",
        "invalid",
        "failed",
        "rejected",
    }


@generously
@given(st.integers(-5, 2 * COUNT), st.integers(-5, 700))
def test_a_window_is_a_slice(listed: Listed, first: int, last: int) -> None:
    reader, run_id, rows = listed
    assert reader.window(run_id, first, last) == [row for row in rows if first <= row.row <= last]


@generously
@given(st.lists(st.integers(-3, 700), max_size=30))
def test_picked_rows_and_rows_of_numbers_are_those_asked_for(listed: Listed, wanted: list[int]) -> None:
    reader, run_id, rows = listed
    by_ordinal = {row.row: row for row in rows}
    assert reader.picked(run_id, wanted) == [by_ordinal[each] for each in wanted if each in by_ordinal]
    assert reader.rows_of(run_id, wanted) == [row for row in rows if row.number_id in wanted]


texts = st.one_of(
    st.sampled_from(
        ["", "555", "+1", "abc", "ABC", "521a", "%", "_", "'", "É", "é", "CAFÉ", "café", "Ä", "ä", "４", "("]
    ),
    st.text("0123456789+()aAéÉ %_'\" ", max_size=4),
)
states = st.sampled_from([None, "queued", "processing", "pending", "valid", "invalid", "failed", "rejected", "none"])
wanted_rows = st.builds(RowFilter, states, texts, st.sampled_from(Order))


@generously
@given(wanted_rows)
def test_a_filter_finds_what_a_naive_scan_finds_in_the_order_wanted(listed: Listed, wanted: RowFilter) -> None:
    reader, run_id, rows = listed
    expected = ordered((row for row in rows if fits(row, wanted)), wanted.order)
    assert list(reader.matching(run_id, wanted)) == [row.row for row in expected]
    assert list(reader.rows(run_id, wanted)) == expected


@generously
@given(wanted_rows, st.integers(1, 40))
def test_what_is_picked_at_first_is_how_the_whole_begins(listed: Listed, wanted: RowFilter, size: int) -> None:
    reader, run_id, _ = listed
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader_module, "HEAD_NUMBERS", size)
        patch.setattr(reader_module, "FIRST_ROWS", size)
        pieces = [list(piece) for piece in reader.picking(run_id, wanted)]
    assert len(pieces) > 1
    assert all(piece == pieces[-1][: len(piece)] for piece in pieces)
    if wanted == RowFilter(order=wanted.order):
        assert pieces[0], "without a filter the first rows come at once"


@generously
@given(states, texts, st.lists(st.sampled_from(["answer", "add"]), min_size=1, max_size=4), st.randoms())
def test_what_a_filter_picks_follows_a_run(states: str | None, text: str, steps: list[str], chance: Random) -> None:
    wanted = RowFilter(states, text)
    with TemporaryDirectory() as folder:
        ledger, reader = Ledger(Path(folder) / "ledger.sqlite3"), Reader(Path(folder) / "ledger.sqlite3")
        run_id = ledger.add_run(OPTIONS)
        source = ledger.add_source(run_id, "list", None)
        extent, picked = reader.extent(run_id), reader.matching(run_id, wanted)
        for step in ["add", *steps]:
            if step == "add":
                keys = [chance.choice([str(55500 + chance.randrange(30)), None]) for _ in range(20)]
                ledger.add_rows(run_id, source, [new_row(line, key) for line, key in enumerate(keys)], {})
            elif asked := sorted(chance.sample(open_ := list(ledger.unanswered(run_id)), len(open_) // 2)):
                answers = [
                    Answered(each, status := chance.choice(list(Status)), status in FINAL, "521A") for each in asked
                ]
                ledger.answered(run_id, ledger.asked(run_id, asked).ask_id, answers, None)
            before, extent = extent, reader.extent(run_id)
            picked = reader.picked_since(run_id, wanted, picked, before)
            assert picked == reader.matching(run_id, wanted)
        reader.close()
        ledger.close()


def ordered(rows: Iterable[Row], order: Order) -> list[Row]:
    """Sort rows by what `order` says."""
    statuses = ["valid", "invalid", "failed", "processing", "queued", "pending", "rejected"]
    match order:
        case Order.GIVEN:
            return list(rows)
        case Order.NUMBER:
            rows = list(rows)
            entries = [row for row in rows if row.status != "rejected"]
            rejected = [row for row in rows if row.status == "rejected"]
            return sorted(entries, key=lambda row: (row.number is None, row.number or row.input)) + rejected
        case Order.STATUS:
            return sorted(rows, key=lambda row: statuses.index(row.status))
        case Order.LATEST:
            return sorted(rows, key=lambda row: -(row.checked_at or 0.0))


def fits(row: Row, wanted: RowFilter) -> bool:
    why = f"{'rejected' if row.status == 'rejected' else 'doubtful'}: {row.problem}" if row.problem else ""
    fields = (row.input, row.number or "", row.wa_id or "", why)
    has_text = any(wanted.text.lower() in field.lower() for field in fields)
    return has_text and wanted.status in (None, row.status)


@pytest.mark.parametrize("page", [1, 7, 10_000])
@pytest.mark.parametrize("wanted", [None, RowFilter(), RowFilter("valid"), RowFilter(text="555")])
def test_pages_hide_no_row(
    listed: Listed, page: int, wanted: RowFilter | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, run_id, rows = listed
    monkeypatch.setattr(reader_module, "PAGE_ROWS", page)
    assert list(reader.rows(run_id, wanted)) == [row for row in rows if fits(row, wanted or RowFilter())]


def test_a_duplicate_carries_its_numbers_answer(listed: Listed) -> None:
    _, _, rows = listed
    first: dict[int, Row] = {}
    for row in rows:
        if row.number_id is None:
            assert (row.duplicate_of, row.number, row.status) == (None, None, "rejected")
            continue
        original = first.setdefault(row.number_id, row)
        assert row.duplicate_of == (None if original is row else original.line)
        assert (row.status, row.wa_id, row.checked_at) == (original.status, original.wa_id, original.checked_at)


def test_counts_of_problems_and_regions_equal_a_scan(listed: Listed) -> None:
    reader, run_id, rows = listed
    found = reader.summary(run_id)
    assert list(found.problems) == [("no digits", sum(row.status == "rejected" for row in rows))]
    regions = Counter({row.number_id: row.region for row in rows if row.number_id is not None}.values())
    assert list(found.regions) == regions.most_common()


def test_it_notices_what_other_connections_commit(ledger: Ledger, reader: Reader, paths: Paths, driver: Driver) -> None:
    has_changed = reader.watch()
    assert not has_changed()
    run_id = ledger.add_run(OPTIONS)
    assert has_changed()
    assert not has_changed()
    other = Ledger(paths.ledger)
    other.start(run_id, driver)
    other.close()
    assert has_changed()
    reader.run(run_id)
    assert not has_changed(), "reading is no change"


def test_a_run_that_is_not_there_is_a_key_error(reader: Reader) -> None:
    with pytest.raises(LedgerUnusable):
        reader.run(1)
    assert list(reader.rows(1)) == []
    assert reader.tally(1) == {}
