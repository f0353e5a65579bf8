"""What other runs know of a list, and how a run takes it over."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests.ledger.conftest import OPTIONS, new_row
from watui.ledger import known, schema
from watui.ledger.drivers import Driver
from watui.ledger.known import find_known, fresh, polled, take_known
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import Answered, Counted, Polled, RunOptions, RunState


class Book:
    """A ledger and what is done to it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.sqlite3"
        self.ledger, self.reader = Ledger(self.path), Reader(self.path)
        self._locks = folder / "locks"

    def draft(self, keys: Sequence[str], options: RunOptions = OPTIONS) -> int:
        run_id = self.ledger.add_run(options)
        rows = [new_row(line, key) for line, key in enumerate(keys, 1)]
        self.ledger.add_rows(run_id, self.ledger.add_source(run_id, "list", None), rows, {})
        return run_id

    def answer(self, keys: Sequence[str], status: str = "valid", version: str = "v2.41", **options: object) -> int:
        """Return a run that has ended, in which all of `keys` got one status."""
        run_id = self.draft(keys, OPTIONS._replace(**options))  # type: ignore[arg-type]
        self.begin(run_id, None)
        numbers = range(1, len(set(keys)) + 1)
        asked = self.ledger.asked(run_id, numbers)
        answers = [Answered(number, status, True, f"{status}{number}") for number in numbers]
        self.ledger.answered(run_id, asked.ask_id, answers, version)
        self.ledger.end(run_id, RunState.DONE)
        return run_id

    def begin(self, run_id: int, since: float | None = 0.0) -> None:
        """Start a run, and take over what is known."""
        driver = Driver(self._locks)
        self.ledger.start(run_id, driver, since)
        find_known(self.ledger, run_id)
        while take_known(self.ledger, run_id):
            continue
        driver.close()

    def known(self, run_id: int) -> dict[str, tuple[str, str | None, str | None, int | None]]:
        """Return what is known of a run's numbers: status, wa_id, version, and the run that got the answer."""
        rows = self.reader.rows(run_id)
        return {
            (row.number or "")[2:]: (row.status, row.wa_id, row.server_version, row.known_from)
            for row in rows
            if row.duplicate_of is None
        }


@pytest.fixture(params=[20_000, 1], ids=["a short list", "a long list"])
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Book]:
    monkeypatch.setattr(schema, "PART_NUMBERS", request.param)
    monkeypatch.setattr(known, "AT_ONCE", 2)
    book = Book(tmp_path)
    with closing(book.ledger), closing(book.reader):
        yield book


def test_the_latest_answer_of_the_server_is_taken_over_once_with_its_time_and_version(book: Book) -> None:
    book.answer(["11", "22", "33"], "invalid", "v2.39")
    second = book.answer(["22", "33", "44", "55"])
    book.answer(["66"], server="http://elsewhere")
    book.answer(["77"], region="IN")
    book.answer(["88"], "failed")
    run_id = book.draft(["55", "11", "22", "99", "66", "77", "88", "22"])
    assert fresh(book.reader, run_id, 0.0) == 3
    book.begin(run_id)
    queued = ("queued", None, None, None)
    assert book.known(run_id) == {
        "55": ("valid", "valid4", "v2.41", second),
        "11": ("invalid", "invalid1", "v2.39", 1),
        "22": ("valid", "valid1", "v2.41", second),
        **dict.fromkeys(("99", "66", "77", "88"), queued),
    }
    assert book.reader.tally(run_id) == {"queued": Counted(4, 4), "valid": Counted(2, 3), "invalid": Counted(1, 1)}
    assert list(book.ledger.unanswered(run_id)) == [4, 5, 6, 7]
    assert book.reader.run(run_id).server_version == "v2.41"
    times = {row.number: row.checked_at for row in book.reader.rows(second)}
    taken = {row.number: row.checked_at for row in book.reader.rows(run_id) if row.known_from == second}
    assert taken == {number: times[number] for number in taken}


def test_what_was_taken_over_is_as_old_as_it_was_and_of_who_asked(book: Book) -> None:
    first = book.answer(["11"])
    again, later = book.draft(["11", "22"]), book.draft(["11"])
    book.begin(again)
    (row,) = book.reader.rows(first)
    assert row.checked_at is not None
    assert fresh(book.reader, later, row.checked_at) == 1
    assert fresh(book.reader, later, row.checked_at + 1e-3) == 0, "it does not become younger"
    book.begin(later)
    assert book.known(later)["11"][-1] == first


def test_who_asks_all_takes_nothing_over(book: Book) -> None:
    book.answer(["11"])
    run_id = book.draft(["11"])
    book.begin(run_id, None)
    book.begin(run_id)
    assert book.known(run_id)["11"][0] == "queued", "a run that goes on does as it was begun"


def test_a_run_that_goes_on_takes_over_what_was_learned_meanwhile_and_not_what_it_has_asked(book: Book) -> None:
    run_id = book.draft(["11", "22", "33"])
    book.begin(run_id)
    book.ledger.asked(run_id, [1])
    other = book.answer(["11", "22"])
    book.begin(run_id)
    assert {key: said[-1] for key, said in book.known(run_id).items()} == {"11": None, "22": other, "33": None}


def test_what_a_person_deletes_is_not_known_any_more(book: Book) -> None:
    first, run_id = book.answer(["11"]), book.draft(["11"])
    with book.ledger.transaction() as db:
        db.execute("UPDATE run SET state = ? WHERE id = ?", (RunState.DISCARDED, first))
    assert fresh(book.reader, run_id, 0.0) == 0


def test_how_the_run_before_was_polled_is_known(book: Book) -> None:
    run_id = book.draft(["11"])
    assert polled(book.reader, run_id) == []
    book.answer(["11", "22"])
    book.answer(["11"], blocking="wait")
    assert polled(book.reader, run_id) == [Polled(2, OPTIONS.batch_size, 0)]


def test_a_question_without_an_answer_is_neither_a_number_nor_a_poll(book: Book) -> None:
    """Two numbers: one outage before the first answer, and one before the answer to a poll."""
    run_id = book.draft(["11", "22"])
    book.begin(run_id, None)
    waiting = [Answered(number, "processing", False, None) for number in (1, 2)]
    final = [Answered(number, "valid", True, "1") for number in (1, 2)]
    for answers in (None, waiting, None, None, final):
        asked = book.ledger.asked(run_id, [1, 2])
        if answers is None:
            book.ledger.failed(asked.ask_id, "no answer")
        else:
            book.ledger.answered(run_id, asked.ask_id, answers, "v2.41")
    book.ledger.end(run_id, RunState.DONE)
    assert polled(book.reader, book.draft(["33"])) == [Polled(2, OPTIONS.batch_size, 1)]


def test_a_run_that_asked_nothing_tells_nothing_of_polls(book: Book) -> None:
    book.answer(["11"])
    run_id = book.draft(["11"])
    book.begin(run_id)
    book.ledger.end(run_id, RunState.DONE)
    assert polled(book.reader, book.draft(["22"])) == [Polled(1, OPTIONS.batch_size, 0)], "but the one before it does"
