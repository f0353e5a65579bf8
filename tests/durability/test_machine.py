"""Any sequence of importing, asking, failing, dying and going on: the counters are those of a recount at every step."""

import itertools
import shutil
import sqlite3
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from tests.conftest import examples
from tests.ledger.conftest import new_row
from watui.contract.statuses import FINAL
from watui.failpoints import TROUBLES, armed
from watui.ledger.drivers import Driven, Driver
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import QUEUED, REJECTED, Answered, RowFilter, RunOptions, RunState
from watui.ledger.schema import LedgerBlocked, LedgerUnusable
from watui.ledger.upkeep import discard

LEDGER = "ledger.sqlite3"
KEYS = st.sampled_from(["1", "22", "333", "4444", "55555", None])
STATUSES = ["processing", "pending", "valid", "invalid", "failed"]
VERSIONS = st.sampled_from(["v2.41", "v2.43", None])
SKIPPED = st.dictionaries(st.sampled_from(["header", "blank", "comment"]), st.integers(1, 3))
ANSWERS = st.dictionaries(st.integers(1, 5), st.sampled_from(STATUSES))
"""Status by number, also of numbers that were not in the request."""

ROUNDS = st.lists(st.one_of(ANSWERS, st.none()), min_size=1, max_size=4)
ENDS = [RunState.DONE, RunState.CANCELLED, RunState.DISCARDED]

Question = tuple[int, int, tuple[int, ...]]
"""Run, ask and numbers."""


@dataclass
class Model:
    """What is known of a run without looking into the ledger."""

    state: RunState = RunState.DRAFT
    keys: list[str | None] = field(default_factory=list)
    """Of the rows, in order."""
    skipped: int = 0
    status: dict[int, str] = field(default_factory=dict)
    """By number."""
    asked: set[int] = field(default_factory=set)
    polls: dict[int, int] = field(default_factory=dict)
    """By question under way: how many of its numbers had been answered before."""
    driver: Driver | None = None

    @property
    def distinct(self) -> list[str]:
        return list(dict.fromkeys(key for key in self.keys if key is not None))

    @property
    def rows(self) -> list[str]:
        """The status of every row."""
        numbers = {key: number for number, key in enumerate(self.distinct, 1)}
        return [REJECTED if key is None else self.status[numbers[key]] for key in self.keys]


class Runs(RuleBasedStateMachine):
    """Runs in one ledger, which dies and is opened again."""

    runs: Bundle[int] = Bundle("runs")
    asks: Bundle[Question] = Bundle("asks")

    @initialize(target=runs)
    def begin(self) -> int:
        self.folder = Path(tempfile.mkdtemp())
        self.models: dict[int, Model] = {}
        self.lines = itertools.count(1)
        self._open()
        run_id = self._add(False)
        self._import(run_id, ["1", None, "22", "333", "22", "4444", "55555"], {"blank": 1})
        return run_id

    def _open(self) -> None:
        self.ledger, self.reader = Ledger(self.folder / LEDGER), Reader(self.folder / LEDGER)

    def teardown(self) -> None:
        self.die()
        shutil.rmtree(self.folder)

    # What a person does

    @rule(target=runs, force_check=st.booleans())
    def add(self, force_check: bool) -> int:
        return self._add(force_check)

    def _add(self, force_check: bool) -> int:
        run_id = self.ledger.add_run(RunOptions("simulator", "US", "no_wait", force_check, 3))
        self.models[run_id] = Model()
        return run_id

    @rule(run_id=runs, keys=st.lists(KEYS, max_size=6), skipped=SKIPPED)
    def import_more(self, run_id: int, keys: list[str | None], skipped: dict[str, int]) -> None:
        self._import(run_id, keys, skipped)

    def _import(self, run_id: int, keys: list[str | None], skipped: dict[str, int]) -> None:
        model = self.models[run_id]
        rows = [new_row(next(self.lines), key) for key in keys]
        if model.state is not RunState.DRAFT:
            with pytest.raises(LedgerUnusable):
                self.ledger.add_source(run_id, "list", None)
            with pytest.raises(LedgerUnusable):
                self.ledger.add_rows(run_id, 1, rows, skipped)
            return
        source_id = self.ledger.add_source(run_id, "list", None)
        self.ledger.add_rows(run_id, source_id, rows, skipped)
        model.keys += keys
        model.skipped += sum(skipped.values())
        model.status = dict.fromkeys(range(1, len(model.distinct) + 1), QUEUED)

    @rule(run_id=runs)
    def start_or_go_on(self, run_id: int) -> None:
        self._start(run_id)

    def _start(self, run_id: int) -> None:
        model, driver = self.models[run_id], Driver(self.folder / "locks")
        try:
            self.ledger.start(run_id, driver)
        except Driven:
            assert model.driver is not None
        except LedgerUnusable:
            assert model.state not in (RunState.DRAFT, RunState.RUNNING)
        else:
            assert model.driver is None
            assert model.state in (RunState.DRAFT, RunState.RUNNING)
            model.state, model.driver = RunState.RUNNING, driver
            model.polls.clear()
            return
        driver.close()

    @rule(run_id=runs)
    def stop(self, run_id: int) -> None:
        """Stop driving; anybody can go on."""
        self._let_go(self.models[run_id])

    @rule(target=runs, run_id=consumes(runs), state=st.sampled_from(ENDS))
    def end_or_discard(self, run_id: int, state: RunState) -> int | MultipleResults[int]:
        model = self.models[run_id]
        needed = RunState.DRAFT if state is RunState.DISCARDED else RunState.RUNNING
        if model.state is not needed:
            with pytest.raises(LedgerUnusable):
                self._end(run_id, state)
            return run_id
        self._end(run_id, state)
        model.state = state
        self._let_go(model)
        if state is RunState.DISCARDED:
            del self.models[run_id]
            return multiple()
        return run_id

    def _end(self, run_id: int, state: RunState) -> None:
        if state is RunState.DISCARDED:
            discard(self.ledger, run_id)
        else:
            self.ledger.end(run_id, state)

    # What a run does

    @rule(run_id=runs, rounds=ROUNDS, late=ANSWERS, version=VERSIONS)
    def ask_and_answer(
        self, run_id: int, rounds: list[dict[int, str] | None], late: dict[int, str], version: str | None
    ) -> None:
        """Ask and get answers, or none; then comes a second answer to the first question."""
        first: Question | None = None
        for said in rounds:
            question = self._ask(run_id, set(said or range(1, 6)))
            if question is None:
                break
            first = first or question
            if said is None:
                self._fail(question)
            else:
                self._answer(question, said, version)
            self.the_counters_are_those_of_a_recount()
        if first is not None:
            self._answer(first, late, version)

    @rule(target=asks, run_id=runs, numbers=st.sets(st.integers(1, 5), min_size=1))
    def ask(self, run_id: int, numbers: set[int]) -> Question | MultipleResults[Question]:
        return self._ask(run_id, numbers) or multiple()

    def _ask(self, run_id: int, numbers: set[int]) -> Question | None:
        """Ask about those of `numbers` that are open, going on with the run where nobody does."""
        model = self.models[run_id]
        wanted = tuple(sorted(number for number in numbers & model.status.keys() if model.status[number] not in FINAL))
        if model.driver is None:
            self._start(run_id)
        if model.driver is None or not wanted:
            return None
        ask_id = self.ledger.asked(run_id, wanted).ask_id
        model.asked |= set(wanted)
        model.polls[ask_id] = sum(model.status[number] != QUEUED for number in wanted)
        return run_id, ask_id, wanted

    @rule(ask=consumes(asks), said=ANSWERS, version=VERSIONS)
    def answer(self, ask: Question, said: dict[int, str], version: str | None) -> None:
        self._answer(ask, said, version)

    def _answer(self, ask: Question, said: dict[int, str], version: str | None) -> None:
        run_id, ask_id, numbers = ask
        told = {number: said[number] for number in numbers if number in said}
        model = self.models[run_id]
        answers = [Answered(number, status, status in FINAL, None) for number, status in told.items()]
        self.ledger.answered(run_id, ask_id, answers, version)
        model.polls.pop(ask_id, None)
        model.status |= {number: status for number, status in told.items() if model.status[number] not in FINAL}

    @rule(ask=consumes(asks))
    def fail(self, ask: Question) -> None:
        self._fail(ask)

    def _fail(self, ask: Question) -> None:
        run_id, ask_id, _ = ask
        self.ledger.failed(ask_id, "no answer")
        self.models[run_id].polls.pop(ask_id, None)

    @rule(ask=asks, said=ANSWERS, how=st.sampled_from(sorted(TROUBLES)), place=st.sampled_from(["begin", "write"]))
    def fail_to_write(self, ask: Question, said: dict[int, str], how: str, place: str) -> None:
        """Lose a write to a full disk: nothing of it is in the ledger."""
        run_id, ask_id, numbers = ask
        answers = [Answered(number, said[number], True, "1") for number in numbers if number in said]
        with armed(f"ledger.{place}:1:{how}"), pytest.raises(LedgerBlocked):
            self.ledger.answered(run_id, ask_id, answers, "v2.41")

    @rule(run_id=runs, writes=st.booleans())
    def die_and_come_back(self, run_id: int, writes: bool) -> None:
        """Die, with half of a transaction done where it `writes`."""
        dying = sqlite3.connect(self.folder / LEDGER, isolation_level=None)
        if writes:
            dying.execute("BEGIN IMMEDIATE")
            dying.execute("UPDATE number SET status = 'valid', final = 1 WHERE run_id = ?", (run_id,))
        self.die()
        dying.close()
        self._open()

    def die(self) -> None:
        for model in self.models.values():
            self._let_go(model)
        self.ledger.close()
        self.reader.close()

    def _let_go(self, model: Model) -> None:
        if model.driver is not None:
            model.driver.close()
            model.driver = None

    # What holds at every step

    @invariant()
    def the_counters_are_those_of_a_recount(self) -> None:
        for run_id, model in self.models.items():
            rows, run, tally = list(self.reader.rows(run_id)), self.reader.run(run_id), self.reader.tally(run_id)
            assert [row.status for row in rows] == model.rows, "what a final status was, it is"
            by_number = {row.number_id: row.status for row in rows if row.number_id is not None}
            assert by_number == model.status
            assert {status: count.numbers for status, count in tally.items() if count.numbers} == Counter(
                by_number.values()
            )
            assert {status: count.rows for status, count in tally.items()} == Counter(row.status for row in rows)
            assert run.numbers == len(model.distinct) == sum(count.numbers for count in tally.values())
            assert run.entries + run.rejected + run.skipped == run.read == len(model.keys) + model.skipped
            assert run.rejected == model.keys.count(None)
            assert run.state is model.state

    @invariant()
    def whoever_goes_on_knows_what_to_ask(self) -> None:
        for run_id, model in self.models.items():
            queued = [number for number, status in model.status.items() if status == QUEUED]
            assert list(self.ledger.unanswered(run_id)) == queued
            still_open = [n for n, status in model.status.items() if status not in FINAL and status != QUEUED]
            assert list(self.ledger.open_numbers(run_id)) == still_open
            assert self.reader.in_doubt(run_id) == len(model.asked & set(queued)) + sum(model.polls.values())

    @invariant()
    def what_is_exported_are_the_rows_of_each_status(self) -> None:
        for run_id, model in self.models.items():
            for status in (*STATUSES, QUEUED, REJECTED):
                found = self.reader.rows(run_id, RowFilter(status=status))
                assert [row.row for row in found] == [row for row, each in enumerate(model.rows, 1) if each == status]

    @invariant()
    def no_other_run_is_there(self) -> None:
        assert {overview.record.id for overview in self.reader.runs()} == self.models.keys()


TestRuns = Runs.TestCase
TestRuns.settings = settings(max_examples=examples(0.4), stateful_step_count=30)
