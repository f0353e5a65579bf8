"""Writing runs: what is promised of rows, numbers, counters and statuses after any sequence of calls."""

import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger.conftest import OPTIONS, new_row
from watui.contract.statuses import FINAL
from watui.ledger.drivers import Driven, Driver
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import Answered, RunOptions, RunState, Source
from watui.ledger.schema import LedgerUnusable
from watui.ledger.upkeep import discard, forget_run
from watui.settings.paths import Paths

KEYS = ["1", "22", "333", "4444", None]
STATUSES = ["processing", "pending", "valid", "invalid", "failed"]


def test_a_run_is_a_draft_then_running_then_ended(ledger: Ledger, reader: Reader, driver: Driver) -> None:
    run_id = ledger.add_run(RunOptions("wa.example.com", "IN", "wait", True, 7))
    draft = reader.run(run_id)
    assert (draft.state, draft.started_at, draft.ended_at) == (RunState.DRAFT, None, None)
    assert draft.options == RunOptions("wa.example.com", "IN", "wait", True, 7)
    ledger.start(run_id, driver)
    started = reader.run(run_id)
    assert started.state == RunState.RUNNING
    assert started.started_at is not None
    ledger.start(run_id, driver)
    assert reader.run(run_id).started_at == started.started_at, "resuming keeps the time of the first start"
    ledger.end(run_id, RunState.CANCELLED)
    assert reader.run(run_id).state == RunState.CANCELLED


def test_what_is_asked_is_written_down_before_the_answer(ledger: Ledger, reader: Reader, paths: Paths) -> None:
    run_id = ledger.add_run(OPTIONS)
    ledger.add_rows(run_id, ledger.add_source(run_id, "list", None), [new_row(1, "22"), new_row(2, "333")], {})
    assert list(ledger.unanswered(run_id)) == [1, 2]
    ask_id = ledger.asked(run_id, [2]).ask_id

    other = Reader(paths.ledger)  # as another process sees it, or this one after a crash
    assert list(other.query("SELECT asked FROM number WHERE run_id = ? ORDER BY 1", (run_id,))) == [(0,), (1,)]
    assert other.in_doubt(run_id) == 1
    other.close()

    ledger.answered(run_id, ask_id, [Answered(2, "processing", False, None)], "v2.41")
    assert (list(ledger.unanswered(run_id)), list(ledger.open_numbers(run_id))) == ([1], [2])
    assert reader.in_doubt(run_id) == 0
    ledger.answered(run_id, ledger.asked(run_id, [2]).ask_id, [Answered(2, "valid", True, "1333")], "v2.41")
    assert (list(ledger.unanswered(run_id)), list(ledger.open_numbers(run_id))) == ([1], [])


def test_a_failed_ask_leaves_its_numbers_open(ledger: Ledger, reader: Reader) -> None:
    run_id = ledger.add_run(OPTIONS)
    ledger.add_rows(run_id, ledger.add_source(run_id, "list", None), [new_row(1, "22")], {})
    ledger.failed(ledger.asked(run_id, [1]).ask_id, "no answer")
    assert list(ledger.unanswered(run_id)) == [1]
    assert {status: tuple(count) for status, count in reader.tally(run_id).items()} == {"queued": (1, 1)}


@pytest.mark.parametrize("text", ["valid\0", "\0", "it's", '["x"]', "?", "\x1b[2J", "\N{RIGHT-TO-LEFT OVERRIDE}1"])
def test_what_a_server_says_is_kept_to_the_letter(text: str, ledger: Ledger, reader: Reader) -> None:
    run_id = ledger.add_run(OPTIONS)
    ledger.add_rows(run_id, ledger.add_source(run_id, "list", None), [new_row(1, "22"), new_row(2, "333")], {})
    answers = [Answered(2, text, False, text), Answered(1, "valid", True, "1")]
    ledger.answered(run_id, ledger.asked(run_id, [2, 1]).ask_id, answers, text)
    said = [(row.status, row.wa_id, row.server_version) for row in reader.rows(run_id)]
    assert said == [("valid", "1", text), (text, text, text)]
    assert reader.tally(run_id)[text].numbers == 1


def test_the_first_spelling_is_sent_for_all(ledger: Ledger, reader: Reader) -> None:
    run_id = ledger.add_run(OPTIONS)
    first, second = ledger.add_source(run_id, "one", "phone"), ledger.add_source(run_id, "two", None)
    ledger.add_rows(run_id, first, [new_row(3, "22"), new_row(5, "22"), new_row(6, None)], {"header": 1, "blank": 2})
    ledger.add_rows(run_id, second, [new_row(1, "22"), new_row(2, "333")], {"comment": 3})
    assert ledger.asked(run_id, [1, 2]).inputs == {1: "(22) 3", 2: "(333) 2"}
    assert [(row.source, row.line, row.number_id, row.duplicate_of) for row in reader.rows(run_id)] == [
        ("one", 3, 1, None),
        ("one", 5, 1, 3),
        ("one", 6, None, None),
        ("two", 1, 1, 3),
        ("two", 2, 2, None),
    ]
    run = reader.run(run_id)
    assert (run.entries, run.rejected, run.numbers, run.skipped, run.read) == (4, 1, 2, 6, 11)
    ledger.end_source(run_id, first)
    assert reader.summary(run_id).sources == (Source("one", "phone", True), Source("two", None, False))


def test_a_discarded_draft_leaves_nothing_and_others_alone(ledger: Ledger, reader: Reader, paths: Paths) -> None:
    kept, dropped = ledger.add_run(OPTIONS), ledger.add_run(OPTIONS)
    for run_id in (kept, dropped):
        ledger.add_rows(run_id, ledger.add_source(run_id, "list", None), [new_row(1, "22"), new_row(2, None)], {})
    discard(ledger, dropped)
    with pytest.raises(LedgerUnusable):
        reader.run(dropped)
    assert len(list(reader.rows(kept))) == 2
    database = sqlite3.connect(paths.ledger)
    for table in ("run", "source", "number", "entry", "tally", "ask"):
        column = "id" if table == "run" else "run_id"
        left = database.execute(f"SELECT count(*) FROM {table} WHERE {column} = ?", (dropped,)).fetchone()
        assert left == (0,), table
    database.close()


def test_rows_that_cannot_be_read_to_their_end_are_not_half_added(ledger: Ledger, reader: Reader) -> None:
    run_id = ledger.add_run(OPTIONS)
    source_id = ledger.add_source(run_id, "list", None)
    rows = (new_row(1 // (2 - line), "22") for line in (1, 2))
    with pytest.raises(ZeroDivisionError):
        ledger.add_rows(run_id, source_id, rows, {})
    assert list(reader.rows(run_id)) == []
    assert reader.run(run_id).read == 0
    ledger.add_rows(run_id, source_id, [new_row(1, "22")], {})
    assert len(list(reader.rows(run_id))) == 1


@pytest.mark.parametrize("numbers", [[1, 2, 3], [2, 3], [1, 3], [3, 1], [1, 1, 3], [2], []])
def test_what_is_asked_of_some_numbers_leaves_the_others_alone(
    ledger: Ledger, reader: Reader, numbers: list[int]
) -> None:
    run_id = ledger.add_run(OPTIONS)
    source_id = ledger.add_source(run_id, "list", None)
    ledger.add_rows(run_id, source_id, [new_row(line, str(line)) for line in range(1, 5)], {})
    ledger.answered(run_id, ledger.asked(run_id, [1, 2, 3, 4]).ask_id, [Answered(4, "valid", True, "4")], "v2.41")
    asked = ledger.asked(run_id, numbers)
    ledger.answered(run_id, asked.ask_id, [], "v2.41", numbers)
    assert asked.inputs.keys() == set(numbers)
    assert {row.number_id: row.asked for row in reader.rows(run_id)} == {n: 1 + (n in numbers) for n in range(1, 5)}
    with closing(sqlite3.connect(reader.path)) as database:
        polls = dict(database.execute("SELECT number_id, polls FROM number"))
    assert polls == {n: int(n in numbers) for n in range(1, 5)}


chunks = st.lists(st.lists(st.sampled_from(KEYS), max_size=8), min_size=1, max_size=4)
answers = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(STATUSES)), max_size=4, unique_by=lambda a: a[0])
steps = st.lists(st.one_of(answers, st.none()), max_size=12)


@given(chunks, steps)
def test_after_any_sequence_counters_equal_a_recount_and_final_stays_final(
    imports: list[list[str | None]], asks: list[list[tuple[int, str]] | None]
) -> None:
    # The model: keys in order of appearance, and by number the latest status, the first final one winning.
    keys = [key for chunk in imports for key in chunk]
    distinct = list(dict.fromkeys(key for key in keys if key is not None))
    status_of = dict.fromkeys(range(1, len(distinct) + 1), "queued")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.sqlite3"
        ledger, reader = Ledger(path), Reader(path)
        run_id = ledger.add_run(OPTIONS)
        source_id, line = ledger.add_source(run_id, "list", None), 0
        for chunk in imports:
            rows = [new_row(line + place, key) for place, key in enumerate(chunk, 1)]
            ledger.add_rows(run_id, source_id, rows, {"blank": 1})
            line += len(chunk)
            assert_recount(reader, run_id)
        for step in asks:
            ask_id = ledger.asked(run_id, list(status_of)).ask_id
            if step is None:
                ledger.failed(ask_id, "no answer")
            else:
                given_now = [(number, status) for number, status in step if number in status_of]
                said = [Answered(number, status, status in FINAL, None) for number, status in given_now]
                ledger.answered(run_id, ask_id, said, "v2.41")
                status_of |= {n: status for n, status in given_now if status_of[n] not in FINAL}
            assert_recount(reader, run_id)
        expected = ["rejected" if key is None else status_of[distinct.index(key) + 1] for key in keys]
        assert [row.status for row in reader.rows(run_id)] == expected
        run = reader.run(run_id)
        assert run.numbers == len(distinct)
        assert run.doubtful == keys.count("1")
        assert run.read == len(keys) + len(imports)
        assert set(ledger.unanswered(run_id)) | set(ledger.open_numbers(run_id)) == {
            number for number, status in status_of.items() if status not in FINAL
        }
        ledger.close()
        reader.close()


def assert_recount(reader: Reader, run_id: int) -> None:
    rows = list(reader.rows(run_id))
    by_row = Counter(row.status for row in rows)
    by_number = Counter({row.number_id: row.status for row in rows if row.number_id is not None}.values())
    tally = reader.tally(run_id)
    assert {status: count.rows for status, count in tally.items()} == dict(by_row)
    assert {status: count.numbers for status, count in tally.items() if count.numbers} == dict(by_number)
    run = reader.run(run_id)
    assert run.rows == len(rows)
    assert run.numbers == by_number.total()
    assert run.rejected == by_row["rejected"]


@pytest.mark.parametrize("damage", ["directory", "no database", "another version", "file in the way"])
def test_a_ledger_that_cannot_be_opened_says_why(damage: str, paths: Paths) -> None:
    path = paths.ledger
    if damage == "file in the way":
        path.parent.parent.mkdir(parents=True)
        path.parent.write_text("")
    else:
        path.parent.mkdir(parents=True)
    if damage == "directory":
        path.mkdir()
    elif damage == "no database":
        path.write_text("numbers\n" * 1000)
    elif damage == "another version":
        database = sqlite3.connect(path)
        database.execute("PRAGMA user_version = 999")
        database.close()
    with pytest.raises(LedgerUnusable, match=r"ledger\.sqlite3"):
        Ledger(path)


def test_many_can_open_a_ledger_that_is_not_there_yet(tmp_path: Path) -> None:
    # As when two commands are started at once on a machine that has never run one.
    with ThreadPoolExecutor(8) as pool:
        for attempt in range(20):
            path = tmp_path / str(attempt) / "ledger.sqlite3"
            for ledger in pool.map(Ledger, [path] * 8):
                ledger.close()


def test_a_run_has_one_driver_at_a_time(ledger: Ledger, reader: Reader, paths: Paths, driver: Driver) -> None:
    run_id = ledger.add_run(OPTIONS)
    ledger.start(run_id, driver)
    assert reader.run(run_id).driver == driver.id
    other = Driver(paths.locks)
    with pytest.raises(Driven, match=f"another process asks about run {run_id}"):
        ledger.start(run_id, other)
    assert reader.run(run_id).driver == driver.id
    driver.close()
    ledger.start(run_id, other)
    assert reader.run(run_id).driver == other.id
    ledger.end(run_id, RunState.DONE)
    assert reader.run(run_id).driver is None
    with pytest.raises(LedgerUnusable, match="started, ended or discarded"):
        ledger.start(run_id, other)
    other.close()


def test_only_a_run_that_nobody_asks_about_is_cancelled(
    ledger: Ledger, reader: Reader, paths: Paths, driver: Driver
) -> None:
    run_id = ledger.add_run(OPTIONS)
    ledger.start(run_id, driver)
    with pytest.raises(Driven):
        ledger.cancel(run_id, paths.locks)
    assert reader.run(run_id).state is RunState.RUNNING
    driver.close()
    ledger.cancel(run_id, paths.locks)
    assert reader.run(run_id).state is RunState.CANCELLED
    assert not list(paths.locks.glob("*.lock"))


def test_no_id_is_given_twice_and_nothing_comes_to_a_run_that_is_no_draft(
    ledger: Ledger, reader: Reader, paths: Paths, driver: Driver
) -> None:
    first = ledger.add_run(OPTIONS)
    forget_run(ledger, paths.locks, first)
    second = ledger.add_run(OPTIONS)
    assert second != first
    ledger.start(second, driver)
    for run_id in (first, second):
        with pytest.raises(LedgerUnusable, match=f"run {run_id} is no draft any more"):
            ledger.add_source(run_id, "late.csv", None)
    assert reader.summary(second).sources == ()


def test_answers_without_a_verdict_are_counted_be_the_number_mentioned_or_not(ledger: Ledger, reader: Reader) -> None:
    run_id = ledger.add_run(OPTIONS)
    rows = [new_row(line, f"55{line}") for line in (1, 2, 3)]
    ledger.add_rows(run_id, ledger.add_source(run_id, "list", None), rows, {})
    for _ in range(3):
        ledger.failed(ledger.asked(run_id, [1, 2, 3]).ask_id, "HTTP 503")
    for _ in range(2):
        answers = [Answered(1, "processing", False, None), Answered(2, "valid", True, "1")]
        ledger.answered(run_id, ledger.asked(run_id, [1, 2, 3]).ask_id, answers, None, left_out=[3])
    assert [row.polls for row in reader.rows(run_id)] == [2, 0, 2]
    assert [reader.polled_often(run_id, polls) for polls in (1, 2, 3)] == [2, 2, 0]
    assert ledger.open_numbers(run_id) == {1: 2}


def test_all_runs_are_listed_with_their_sources_and_counts(ledger: Ledger, reader: Reader) -> None:
    first = ledger.add_run(OPTIONS)
    for name in ("one.csv", "two.txt"):
        ledger.add_rows(first, ledger.add_source(first, name, None), [new_row(1, "22"), new_row(2, None)], {})
    second = ledger.add_run(OPTIONS)
    found = reader.runs()
    assert [(each.record, each.sources) for each in found] == [
        (reader.run(second), ()),
        (reader.run(first), ("one.csv", "two.txt")),
    ]
    assert found[1].tally == reader.tally(first)
