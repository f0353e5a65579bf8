"""Runs that were begun before, or elsewhere: offered, watched, taken over, listed, compared, asked anew, forgotten."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from textual import events
from textual.widgets import Static

from tests.conftest import TOKEN
from tests.simulated import a_world, create_app
from tests.tui.story import HOSTILE, NARROW, PEOPLE, PROFILE, WIDE, Story, console, table_lines
from watui.checks.prepare import Import, add_source
from watui.checks.standing import STUCK_POLLS
from watui.client.contacts import ContactsClient
from watui.client.server import Server
from watui.contract.rules import CACHE_SECONDS
from watui.contract.statuses import FINAL, Status
from watui.intake.entries import single
from watui.ledger.drivers import Driver
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import Answered, NewRow, RunOptions, RunState
from watui.ledger.schema import LedgerUnusable
from watui.ledger.upkeep import discard, forget_run
from watui.settings.paths import Paths
from watui.settings.settings import SIMULATOR
from watui.simulator.conditions import Conditions
from watui.simulator.population import Latency
from watui.simulator.record import Record
from watui.simulator.serving import ServerThread
from watui.simulator.world import World
from watui.tui import session as session_module
from watui.tui.phases import Phase
from watui.tui.screens import runs as runs_module
from watui.tui.screens.dialogs import Confirm, ExportDialog
from watui.tui.screens.meaning import MeaningScreen
from watui.tui.screens.runs import PairsScreen, RunsScreen
from watui.tui.widgets.row_table import RowTable

pytestmark = pytest.mark.anyio

WATCHED = {NARROW: "watched", WIDE: "another process asks"}
"""How a run that is watched is called."""

SOURCE = "customers.csv"
ELSEWHERE = "https://elsewhere.example"
"""A server that is not the console's."""

LOOK_SECONDS = 0.2
SLOW = Latency(1000.0, 2000.0)
"""Longer than any test waits."""

NEVER = 1000.0
"""Seconds that no test waits."""


@pytest.fixture
def record() -> Record:
    """What `server` was asked."""
    return Record(counts_inputs=True)


@pytest.fixture
def server(world: World, record: Record) -> Iterator[ServerThread]:
    with ServerThread(create_app(world, TOKEN, record=record)) as thread:
        yield thread


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the console look often at what is not in the ledger, and at the list of runs."""
    look_every(LOOK_SECONDS, monkeypatch)


def look_every(seconds: float, patches: pytest.MonkeyPatch) -> None:
    patches.setattr(session_module, "LOOK_SECONDS", seconds)
    patches.setattr(runs_module, "LOOK_SECONDS", seconds)


def at(server: ServerThread) -> Server:
    return Server.at(server.url, TOKEN)


# What is in the ledger


@contextmanager
def writing(paths: Paths) -> Iterator[Ledger]:
    ledger = Ledger(paths.ledger)
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def reading(paths: Paths) -> Iterator[Reader]:
    reader = Reader(paths.ledger)
    try:
        yield reader
    finally:
        reader.close()


def a_list(
    paths: Paths,
    inputs: Sequence[str],
    server: str = SIMULATOR,
    *,
    region: str = "US",
    source: str = SOURCE,
    profile: str = PROFILE,
) -> int:
    """Add a draft and return its id."""
    with writing(paths) as ledger:
        run_id = ledger.add_run(RunOptions(server, region, "no_wait", False, 500, profile))
        rows = [single(line, text) for line, text in enumerate(inputs, 1)]
        add_source(ledger, Import(run_id, source, region), None, rows)
    return run_id


class Elsewhere:
    """Another process that drives a run."""

    def __init__(self, paths: Paths, run_id: int) -> None:
        self._run_id = run_id
        self._ledger, self._driver = Ledger(paths.ledger), Driver(paths.locks)
        self._ledger.start(run_id, self._driver)

    def ask(self, *numbers: int) -> int:
        """Ask about numbers, and get no answer yet; return the id of the ask."""
        return self._ledger.asked(self._run_id, numbers).ask_id

    def answer(self, statuses: Mapping[int, str], wa_id: str = "16315551000", version: str = "v2.41.1") -> None:
        """Ask about numbers, and get their statuses."""
        answers = [
            Answered(number, status, status in FINAL, wa_id if status == Status.VALID else None)
            for number, status in statuses.items()
        ]
        self._ledger.answered(self._run_id, self.ask(*statuses), answers, version)

    def end(self, state: RunState = RunState.DONE) -> None:
        self._ledger.end(self._run_id, state)

    def leave(self) -> None:
        """End without another word, as whoever is killed."""
        self._driver.close()

    def close(self) -> None:
        self._driver.close()
        self._ledger.close()


@contextmanager
def elsewhere(paths: Paths, run_id: int) -> Iterator[Elsewhere]:
    other = Elsewhere(paths, run_id)
    try:
        yield other
    finally:
        other.close()


def valid(*numbers: int) -> dict[int, str]:
    return dict.fromkeys(numbers, Status.VALID)


def cut_short(
    paths: Paths, run_id: int, statuses: Mapping[int, str] | None = None, asked: Sequence[int] = (), **answer: str
) -> int:
    """Begin a run, let numbers be answered and others only asked, and leave it; return its id."""
    with elsewhere(paths, run_id) as other:
        if statuses:
            other.answer(statuses, **answer)
        if asked:
            other.ask(*asked)
    return run_id


def ended(
    paths: Paths, run_id: int, statuses: Mapping[int, str], state: RunState = RunState.DONE, **answer: str
) -> int:
    """Begin a run and end it; return its id."""
    with elsewhere(paths, run_id) as other:
        other.answer(statuses, **answer)
        other.end(state)
    return run_id


def forget_elsewhere(paths: Paths, run_id: int) -> None:
    with writing(paths) as ledger:
        forget_run(ledger, paths.locks, run_id)


def answers(paths: Paths, run_id: int) -> list[tuple[str, str, str | None]]:
    with reading(paths) as reader:
        return [(row.input, row.status, row.wa_id) for row in reader.rows(run_id)]


def csv_files(folder: Path) -> list[Path]:
    return list(folder.glob("*.csv"))


# What is on the screen


def progress(story: Story) -> str:
    return story.screen.progress.render().plain


def runs_screen(story: Story) -> RunsScreen:
    screen = story.app.screen_stack[0]
    assert isinstance(screen, RunsScreen)
    return screen


def cells(table: RowTable[Any]) -> list[dict[str, str]]:
    """The rows of a table by the names of their columns; what stands before the first of these is under `mark`."""
    header, *rows = table_lines(table)
    columns = [(word.group(), word.start()) for word in re.finditer(r"\S+", header)]
    ends = [*(start for _, start in columns[1:]), len(header)]
    return [
        {"mark": row[: columns[0][1]].strip()}
        | {name: row[start:end].strip() for (name, start), end in zip(columns, ends, strict=True)}
        for row in rows
        if row.strip()
    ]


def listed(story: Story) -> list[dict[str, str]]:
    """The rows of the Runs screen."""
    return cells(runs_screen(story).table)


def column(story: Story, name: str) -> list[str]:
    return [row[name] for row in listed(story)]


async def open_runs(story: Story) -> None:
    """Go to the Runs screen, and wait until it shows what the ledger holds."""
    await story.press("3")
    await story.until_on(RunsScreen)
    wanted = [str(found.record.id) for found in story.session.desk.reader.runs()]
    await story.until(lambda: column(story, "run") == wanted[: len(listed(story))], "all runs")
    await story.until_idle("runs")


async def go_to(story: Story, run_id: int) -> None:
    """Put the cursor on a run of the Runs screen."""
    place = column(story, "run").index(str(run_id))
    await story.press("home", *["down"] * place)
    await story.until(lambda: f"run {run_id}" in runs_screen(story).detail.render().plain, f"run {run_id} at hand")


async def show(story: Story, run_id: int, key: str = "enter") -> None:
    """Press a key on a run of the Runs screen."""
    await open_runs(story)
    await go_to(story, run_id)
    await story.press(key)


async def answer_question(story: Story, words: str, key: str) -> None:
    """Wait for a question with these words, and answer it."""
    await story.until_on(Confirm)
    await story.until_shown(words)
    await story.press(key)


def at_once(story: Story, *what: events.Event) -> None:
    """Let a terminal deliver keys and pastes before the console has dealt with the first of them."""
    for event in what:
        story.app.post_message(event)


def key(name: str) -> events.Key:
    return events.Key(name, name if len(name) == 1 else None)


class Held:
    """A method of the desk that waits until it is let go, and then does what it always did."""

    def __init__(self, story: Story, method: str, patches: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self._go = asyncio.Event()
        self._method: Callable[..., Awaitable[Any]] = getattr(story.session.desk.archive, method)
        patches.setattr(story.session.desk.archive, method, self._wait)

    def let_go(self) -> None:
        self._go.set()

    async def _wait(self, *arguments: Any) -> Any:
        self.calls += 1
        await self._go.wait()
        return await self._method(*arguments)


# The banner


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_a_run_that_was_cut_short_is_offered_and_p_asks_only_what_is_open(
    paths: Paths, server: ServerThread, record: Record, size: tuple[int, int]
) -> None:
    run_id = a_list(paths, PEOPLE[:8], server.url)
    cut_short(paths, run_id, valid(1, 2, 3), asked=[4, 5])
    before = answers(paths, run_id)
    async with console(paths, at(server), size=size) as story:
        await story.until_shown(
            f"Run {run_id} ({SOURCE}) was cut short: 5 of 8 numbers left; at most 2 will be asked twice."
            " p goes on, 3 all runs."
        )
        await story.press("p")
        await story.until_phase(Phase.ENDED)
        await story.until_shown("100% 8 of 8 numbers done")
        assert not story.screen.banner.display
    after = answers(paths, run_id)
    assert after[:3] == before[:3]
    assert {status for _, status, _ in after} == {Status.VALID}
    assert record.asked == Counter(PEOPLE[3:8]), "nothing final is asked again, all else once"


async def test_a_run_that_was_cut_short_before_its_first_question_asks_nothing_twice(paths: Paths) -> None:
    cut_short(paths, a_list(paths, PEOPLE[:1]))
    async with console(paths) as story:
        await story.until_shown(f"({SOURCE}) was cut short: 1 of 1 number left. p goes on")


async def test_the_banner_swallows_no_keys_and_comes_back(paths: Paths, server: ServerThread) -> None:
    cut_short(paths, a_list(paths, PEOPLE[:8], server.url), valid(1))
    async with console(paths, at(server)) as story:
        await story.until_shown("was cut short")
        await story.preview("\n".join(PEOPLE[:2]))
        assert not story.screen.banner.display
        await story.press("escape")
        await answer_question(story, "Discard this list of 2 rows", "y")
        await story.until_phase(Phase.EMPTY)
        await story.until_shown("was cut short")
        await story.resolve("\n".join(PEOPLE[:2]))
        assert not story.screen.banner.display
        await story.press("n")
        await story.until_phase(Phase.EMPTY)
        await story.until_shown(f"Run 1 ({SOURCE}) was cut short: 7 of 8 numbers left.")


async def test_nothing_is_offered_that_cannot_be_gone_on_with_here(paths: Paths, server: ServerThread) -> None:
    """The latest run that can be is; those after it are of another server, of another region, a draft, or ended."""
    cut_short(paths, a_list(paths, PEOPLE[:2], server.url, source="mine.csv"))
    cut_short(paths, a_list(paths, PEOPLE[:2], ELSEWHERE))
    cut_short(paths, a_list(paths, PEOPLE[:2], server.url, region="GB"))
    ended(paths, a_list(paths, PEOPLE[:2], server.url), valid(1, 2))
    ended(paths, a_list(paths, PEOPLE[:2], server.url), valid(1), RunState.CANCELLED)
    a_list(paths, PEOPLE[:2], server.url)
    async with console(paths, at(server)) as story:
        await story.until_shown("Run 1 (mine.csv) was cut short")
        with writing(paths) as ledger:
            ledger.end(1, RunState.CANCELLED)
        await story.resolve(PEOPLE[0])
        await story.press("n")
        await story.until_phase(Phase.EMPTY)
        await story.until_idle("offer")
        assert not story.screen.banner.display


async def test_what_is_offered_follows_what_other_processes_do(paths: Paths) -> None:
    run_id = cut_short(paths, a_list(paths, PEOPLE[:2], source="first.csv"))
    async with console(paths) as story:
        await story.until_shown("(first.csv) was cut short")
        with elsewhere(paths, run_id) as other:
            await story.until_shown("(first.csv) is under way in another process")
            other.answer(valid(1))
        await story.until_shown("(first.csv) was cut short: 1 of 2 numbers left.")
        with elsewhere(paths, a_list(paths, PEOPLE[:2], source="second.csv")):
            await story.until(lambda: len(story.session.desk.reader.runs()) == 2, "another run")
            assert "(first.csv) was cut short" in story.all_text(), "which can be gone on with comes first"
            with writing(paths) as ledger:
                ledger.cancel(run_id, paths.locks)
            await story.until_shown("(second.csv) is under way in another process")


async def test_a_run_that_is_forgotten_while_it_is_offered_is_told(paths: Paths, server: ServerThread) -> None:
    run_id = cut_short(paths, a_list(paths, PEOPLE[:2], server.url))
    async with console(paths, at(server)) as story:
        await story.until_shown("was cut short")
        forget_elsewhere(paths, run_id)
        await story.press("p")
        await story.until_idle("open")
        await story.preview(PEOPLE[0])


async def test_a_paste_right_behind_p_is_a_list_of_its_own_or_refused(paths: Paths) -> None:
    with ServerThread(create_app(a_world(latency=SLOW), TOKEN)) as server:
        cut_short(paths, a_list(paths, PEOPLE[:2], server.url))
        async with console(paths, at(server)) as story:
            await story.until_shown("was cut short")
            at_once(story, key("p"), events.Paste(PEOPLE[5]))
            await story.until_idle("open")
            await story.until_idle("add")
            record = story.session.record
            assert record is not None
            assert (record.state, story.session.phase) in {
                (RunState.DRAFT, Phase.PREVIEW),
                (RunState.RUNNING, Phase.RUNNING),
            }


# Watching


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_a_run_of_another_process_is_watched_and_taken_over_once_that_is_gone(
    paths: Paths, server: ServerThread, record: Record, size: tuple[int, int]
) -> None:
    run_id = a_list(paths, PEOPLE[:8], server.url)
    with elsewhere(paths, run_id) as other:
        async with console(paths, at(server), size=size) as story:
            await story.until_shown(f"Run {run_id} ({SOURCE}) is under way in another process: p watches it.")
            await story.press("p")
            await story.until_phase(Phase.WATCHED)
            await story.until_shown("0% 0 of 8 numbers", WATCHED[size])
            other.answer(valid(1, 2, 3))
            other.answer({4: Status.PROCESSING})
            await story.until_shown("37% 3 of 8 numbers", "valid 3", "processing 1", WATCHED[size])
            assert sum("✓ valid" in line for line in story.table()) == 3
            await story.press("p")
            await story.until_told("Another process asks about this run: it can be paused there.")
            await story.press("x")
            assert story.app.screen is story.screen, "nor can it be cancelled from here"
            other.leave()
            await story.until_phase(Phase.STOPPED)
            await story.until_shown("3 of 8 numbers stopped", "resume")
            assert record.requests_made == 0
            await story.press("p")
            await story.until_phase(Phase.ENDED)
            await story.until_shown("8 of 8 numbers done")
    assert record.asked == Counter(PEOPLE[3:8])


@pytest.mark.parametrize(("state", "words"), [(RunState.DONE, "done"), (RunState.CANCELLED, "cancelled")])
async def test_a_watched_run_that_ends_elsewhere_has_ended_here(paths: Paths, state: RunState, words: str) -> None:
    with elsewhere(paths, a_list(paths, PEOPLE[:2])) as other:
        async with console(paths) as story:
            await story.until_shown("is under way in another process")
            await story.press("p")
            await story.until_phase(Phase.WATCHED)
            other.answer(valid(1, 2))
            other.end(state)
            await story.until_phase(Phase.ENDED)
            await story.until_shown(f"100% 2 of 2 numbers {words}")


async def test_a_stopped_run_that_another_process_goes_on_with_is_watched(paths: Paths) -> None:
    run_id = cut_short(paths, a_list(paths, PEOPLE[:4]), valid(1))
    async with console(paths) as story:
        await show(story, run_id)
        await story.until_phase(Phase.STOPPED)
        await story.press("x")
        await story.until_on(Confirm)
        with elsewhere(paths, run_id):
            await story.until(lambda: story.session.phase is Phase.WATCHED, "it is seen under the question")
            await story.press("y")
            await story.until_idle("cancel")
            assert story.session.phase is Phase.WATCHED
            with reading(paths) as reader:
                assert reader.run(run_id).state is RunState.RUNNING, "nobody ends what another process asks"
            await story.press("n")
            await story.until_phase(Phase.EMPTY)
            await story.until_shown("is under way in another process: p watches it")
        await open_runs(story)
        await story.until(lambda: column(story, "state") == ["unfinished"], "it is cut short again")


async def test_numbers_that_never_end_are_called_stuck_and_can_be_set_aside(
    paths: Paths, server: ServerThread, world: World
) -> None:
    world.base = Conditions(latency=None, stuck=1.0)
    world.reset(time.time())
    run_id = a_list(paths, PEOPLE[:3], server.url)
    with elsewhere(paths, run_id) as other:
        for _ in range(STUCK_POLLS):
            other.answer({1: Status.PROCESSING, 2: Status.PROCESSING})
        other.answer(valid(3))
    async with console(paths, at(server), size=WIDE) as story:
        await show(story, run_id, "p")
        await story.until_shown(
            f"Stuck: 2 without a verdict after {STUCK_POLLS} answers", "2 stuck", "stuck: no verdict"
        )
        await story.press("x", "y")
        await story.until_phase(Phase.ENDED)
        assert not story.screen.banner.display
    assert [status for _, status, _ in answers(paths, run_id)] == ["processing", "processing", "valid"]


async def test_a_draft_that_another_process_begins_first_is_watched_and_not_called_stopped(paths: Paths) -> None:
    run_id = a_list(paths, PEOPLE[:4])
    async with console(paths) as story:
        await show(story, run_id)
        await story.until_phase(Phase.PREVIEW)
        with elsewhere(paths, run_id):
            await story.press("enter")
            await story.until_phase(Phase.WATCHED)
            assert "Stopped" not in story.all_text()


async def test_a_run_that_goes_on_after_trouble_is_not_called_stopped_any_more(
    paths: Paths, server: ServerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise LedgerUnusable("the ledger is damaged")

    async with console(paths, at(server)) as story:
        await story.preview("\n".join(PEOPLE[:4]))
        with monkeypatch.context() as broken:
            broken.setattr(Ledger, "answered", failing)
            await story.press("enter")
            await story.until_phase(Phase.STOPPED)
            await story.until_shown("Stopped: the ledger is damaged")
        await story.press("p")
        await story.until_phase(Phase.ENDED)
        assert not story.screen.banner.display


@pytest.mark.parametrize("is_draft", [True, False])
async def test_a_run_that_is_deleted_elsewhere_while_it_is_shown_is_no_crash(paths: Paths, is_draft: bool) -> None:
    run_id = a_list(paths, PEOPLE[:2])
    if not is_draft:
        ended(paths, run_id, valid(1, 2))
    async with console(paths) as story:
        await show(story, run_id)
        await story.until_phase(Phase.PREVIEW if is_draft else Phase.ENDED)
        with writing(paths) as ledger:
            if is_draft:
                discard(ledger, run_id)
            else:
                forget_run(ledger, paths.locks, run_id)
        await story.until(lambda: story.session.record is None, "an empty screen")
        await story.preview(PEOPLE[0])


# The Runs screen


async def test_without_a_run_it_says_where_to_begin(paths: Paths) -> None:
    async with console(paths) as story:
        await story.press("3")
        await story.until_on(RunsScreen)
        await story.until_shown("No run yet", "1 to the Check screen: paste numbers there", "0 runs")
        for name in ("enter", "p", "space", "c", "e", "a", "D", "x"):
            await story.press(name)
            assert isinstance(story.app.screen, RunsScreen), "there is nothing to do anything with"
        await story.press("1")
        await story.preview(PEOPLE[0])
        await story.press("3")
        await story.until_shown("1 run", "draft")


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_it_lists_states_and_counts_the_latest_first(paths: Paths, size: tuple[int, int]) -> None:
    inputs = [*PEOPLE[:5], PEOPLE[0], "nobody"]
    statuses = {1: Status.VALID, 2: Status.VALID, 3: Status.INVALID, 4: Status.FAILED}
    ended(paths, a_list(paths, inputs), statuses | {5: Status.INVALID})
    ended(paths, a_list(paths, inputs, ELSEWHERE, profile=""), statuses, RunState.CANCELLED)
    cut_short(paths, a_list(paths, inputs), statuses)
    a_list(paths, inputs, source="new.txt")
    with elsewhere(paths, a_list(paths, inputs)) as other:
        other.answer(valid(1) | {2: Status.PROCESSING})
        async with console(paths, size=size) as story:
            await open_runs(story)
            assert column(story, "run") == ["5", "4", "3", "2", "1"]
            assert column(story, "state") == ["running", "draft", "unfinished", "cancelled", "done"]
            assert column(story, "valid") == ["1", "", "2", "2", "2"]
            assert column(story, "left") == ["4", "5", "1", "1", ""]
            assert column(story, "source") == [SOURCE, "new.txt", SOURCE, SOURCE, SOURCE]
            await story.until_shown("5 runs", "1 cut short")
            await go_to(story, 2)
            await story.until_shown(f"run 2 7 rows, 5 numbers, 1 rejected at {ELSEWHERE} for US")
            if size == WIDE:
                assert column(story, "numbers") == ["5"] * 5
                assert column(story, "invalid") == ["", "", "1", "1", "2"]
                assert column(story, "failed") == ["", "", "1", "1", "1"]
                assert column(story, "version") == ["v2.41.1", "", "v2.41.1", "v2.41.1", "v2.41.1"]
                assert column(story, "at")[0] == PROFILE
                assert column(story, "took")[1:3] == ["", ""]
                assert all(column(story, "took")[3:])


async def test_it_follows_what_other_processes_commit_and_keeps_the_cursor_on_its_run(paths: Paths) -> None:
    run_id = cut_short(paths, a_list(paths, PEOPLE[:3], source="first.csv"))
    async with console(paths, size=WIDE) as story:
        await open_runs(story)
        await go_to(story, run_id)
        with elsewhere(paths, run_id) as other:
            await story.until(lambda: column(story, "state") == ["running"], "it is asked")
            other.answer(valid(1, 2))
            await story.until(lambda: column(story, "valid") == ["2"], "two verdicts")
            await story.until(lambda: column(story, "left") == ["1"], "one left")
        await story.until(lambda: column(story, "state") == ["unfinished"], "nobody asks any more")
        later = a_list(paths, PEOPLE[:3], source="second.csv")
        await story.until(lambda: column(story, "run") == [str(later), str(run_id)], "a new list")
        await story.until_shown("2 runs")
        assert f"run {run_id}" in runs_screen(story).detail.render().plain, "keys are for the run that they were for"
        forget_elsewhere(paths, later)
        await story.until(lambda: column(story, "run") == [str(run_id)], "it is forgotten")


async def test_enter_opens_whatever_a_run_is(paths: Paths) -> None:
    done = ended(paths, a_list(paths, PEOPLE[:2]), valid(1, 2))
    unfinished = cut_short(paths, a_list(paths, PEOPLE[:4]), valid(1))
    draft = a_list(paths, PEOPLE[:3])
    async with console(paths) as story:
        await show(story, done)
        await story.until_phase(Phase.ENDED)
        await story.until_shown("100% 2 of 2 numbers done", f"run {done}", "valid 2")
        await show(story, unfinished, "o")
        await story.until_phase(Phase.STOPPED)
        await story.until_shown("25% 1 of 4 numbers stopped", f"run {unfinished}")
        await show(story, draft)
        await story.until_phase(Phase.PREVIEW)
        await story.until_shown("Nothing has been sent yet", "3 distinct numbers", "enter asks the simulator")
        await show(story, draft)
        await story.until_shown("Nothing has been sent yet")
        await story.press("escape")
        await story.until_phase(Phase.EMPTY)
        await open_runs(story)
        assert column(story, "run") == [str(draft), str(unfinished), str(done)], "what was there before stays"


async def test_a_draft_that_was_there_before_is_left_without_a_question(paths: Paths) -> None:
    draft = a_list(paths, PEOPLE[:3])
    async with console(paths) as story:
        await show(story, draft)
        await story.until_phase(Phase.PREVIEW)
        await story.press("q")
        await story.until(lambda: story.app.return_value == 0, "the end")
    with reading(paths) as reader:
        assert reader.run(draft).state is RunState.DRAFT


async def test_a_draft_that_is_still_being_read_elsewhere_is_not_asked(paths: Paths) -> None:
    with writing(paths) as ledger:
        draft = ledger.add_run(RunOptions(SIMULATOR, "US", "no_wait", False, 500, SIMULATOR))
        source_id = ledger.add_source(draft, "long.csv", None)
        ledger.add_rows(draft, source_id, [NewRow(1, PEOPLE[0], PEOPLE[0], PEOPLE[0], "US", None, None)], {})
    async with console(paths) as story:
        await show(story, draft)
        await story.until_phase(Phase.PREVIEW)
        await story.press("enter")
        await story.until_told(f"Draft {draft} was not read to its end")
        assert story.session.phase is Phase.PREVIEW


async def test_a_draft_that_is_gone_when_it_is_to_be_asked_leaves_an_empty_screen(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = a_list(paths, PEOPLE[:3])
    async with console(paths) as story:
        await show(story, draft)
        await story.until_phase(Phase.PREVIEW)
        connected = asyncio.Event()
        connect = story.session.desk._connect

        async def slow() -> ContactsClient:
            await connected.wait()
            return await connect()

        monkeypatch.setattr(story.session.desk, "_connect", slow)
        await story.press("enter")
        await story.until_phase(Phase.RUNNING)
        forget_elsewhere(paths, draft)
        await story.until(lambda: story.session.record is None, "an empty screen")
        connected.set()
        await story.until_idle("run")
        await story.press("p")
        await story.preview(PEOPLE[0])


async def test_looking_for_changes_when_the_console_has_just_ended_is_no_crash(paths: Paths) -> None:
    a_list(paths, PEOPLE[:3])
    async with console(paths) as story:
        await story.press("3")
        screen = runs_screen(story)
    screen._look()


async def test_p_while_the_ledger_cannot_be_read_is_no_crash(
    paths: Paths, server: ServerThread, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.base = Conditions(latency=None, stuck=1.0)
    world.reset(time.time())
    async with console(paths, at(server)) as story:
        await story.preview("\n".join(PEOPLE[:4]))
        await story.press("enter")
        await story.until_phase(Phase.RUNNING)
        with monkeypatch.context() as broken:
            broken.setattr(story.session.desk.reader, "tally", Mock(side_effect=LedgerUnusable("the disk is broken")))
            await story.press("p", "p", "p")
        await story.until_phase(Phase.PAUSED)


async def test_what_could_not_be_read_once_is_read_again_though_nothing_more_comes(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = a_list(paths, PEOPLE[:3])
    with elsewhere(paths, run_id) as other:
        async with console(paths) as story:
            await show(story, run_id)
            await story.until_phase(Phase.WATCHED)
            readings = Mock(side_effect=LedgerUnusable("the disk is broken"))
            with monkeypatch.context() as broken:
                broken.setattr(story.session.desk.reader, "tally", readings)
                other.answer(valid(1, 2))
                await story.until(lambda: readings.call_count > 3, "several tries")
            await story.until_shown("2 of 3 numbers")
            assert story.notices.count("the disk is broken") == 1, "told once"


async def test_a_run_that_cannot_be_ended_for_now_can_be_ended_later(
    paths: Paths, server: ServerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = cut_short(paths, a_list(paths, PEOPLE[:3], server.url))
    async with console(paths, at(server)) as story:
        await show(story, run_id)
        await story.until_phase(Phase.STOPPED)
        with monkeypatch.context() as broken:
            broken.setattr(Ledger, "end", Mock(side_effect=LedgerUnusable("the disk is full")))
            await story.press("x", "y")
            await story.until_told("the disk is full")
        assert story.session.phase is Phase.STOPPED
        await story.press("x", "y")
        await story.until_phase(Phase.ENDED)


async def test_a_run_that_another_process_asks_is_not_asked_anew(paths: Paths) -> None:
    run_id = a_list(paths, PEOPLE[:3])
    with elsewhere(paths, run_id):
        async with console(paths) as story:
            await show(story, run_id, "a")
            await story.until_told("is still asked: let it end first")
    with reading(paths) as reader:
        assert len(reader.runs()) == 1


async def test_a_list_of_runs_that_takes_long_to_read_is_shown_all_the_same(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_list(paths, PEOPLE[:3])
    async with console(paths) as story:
        read, under_way, most = story.session.desk.archive.runs, 0, 0

        async def slow() -> Any:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            try:
                await asyncio.sleep(3 * LOOK_SECONDS)
                return await read()
            finally:
                under_way -= 1

        monkeypatch.setattr(story.session.desk.archive, "runs", slow)
        with elsewhere(paths, a_list(paths, PEOPLE[:3])):
            await story.press("3")
            await story.until_shown("2 runs")
            assert most == 1, "one at a time"


async def test_p_goes_on_with_a_run_that_was_cut_short_and_with_no_other(
    paths: Paths, server: ServerThread, record: Record
) -> None:
    unfinished = cut_short(paths, a_list(paths, PEOPLE[:4], server.url), valid(1), asked=[2])
    done = ended(paths, a_list(paths, PEOPLE[:2], server.url), valid(1, 2))
    draft = a_list(paths, PEOPLE[:3], server.url)
    with elsewhere(paths, a_list(paths, PEOPLE[:3], server.url)):
        async with console(paths, at(server)) as story:
            for run_id, state in ((done, "done"), (draft, "draft"), (draft + 1, "running")):
                await show(story, run_id, "p")
                await story.until_told(f"Run {run_id} is {state}")
                assert isinstance(story.app.screen, RunsScreen)
            await show(story, unfinished, "p")
            await story.until_phase(Phase.ENDED)
            await story.until_shown("100% 4 of 4 numbers done")
    assert record.asked == Counter(PEOPLE[1:4])


@pytest.mark.parametrize(
    ("server", "region", "words"),
    [
        (ELSEWHERE, "US", "This run is of another server. To go on: watui runs resume 1"),
        (SIMULATOR, "GB", "This run was read as registered in GB. To go on: watui --region GB"),
    ],
)
async def test_a_run_of_another_server_or_region_is_looked_at_and_not_gone_on_with(
    paths: Paths, server: str, region: str, words: str
) -> None:
    run_id = cut_short(paths, a_list(paths, PEOPLE[:4], server, region=region), valid(1))
    async with console(paths) as story:
        await show(story, run_id)
        await story.until_phase(Phase.STOPPED)
        await story.until_shown("1 of 4 numbers stopped", "valid 1")
        await story.press("p")
        await story.until_told(words)
        story.notices.clear()
        await show(story, run_id, "p")
        await story.until_told(words)
        assert story.session.phase is Phase.STOPPED
        assert len([status for _, status, _ in answers(paths, run_id) if status in FINAL]) == 1


@pytest.mark.parametrize(("server", "region"), [(ELSEWHERE, "US"), (SIMULATOR, "GB")])
async def test_a_draft_of_another_server_or_region_is_not_asked_here(paths: Paths, server: str, region: str) -> None:
    run_id = a_list(paths, PEOPLE[:4], server, region=region)
    async with console(paths) as story:
        await show(story, run_id)
        await story.until_phase(Phase.PREVIEW)
        await story.press("enter")
        await story.until_idle("run")
        with reading(paths) as reader:
            assert reader.run(run_id).state is RunState.DRAFT, "it is another server that is to be asked"
        await story.until(lambda: bool(story.notices), "why not")
        for add in (story.paste(PEOPLE[5]), story.press("i")):
            told = len(story.notices)
            await add
            assert len(story.notices) == told + 1, "nothing is added that would be read for another region"
        with reading(paths) as reader:
            assert reader.run(run_id).entries == 4


async def test_a_list_in_preview_is_never_thrown_away_by_opening_another(paths: Paths) -> None:
    unfinished = cut_short(paths, a_list(paths, PEOPLE[:4]), {1: Status.FAILED})
    async with console(paths) as story:
        await story.preview("\n".join(PEOPLE[:3]))
        record = story.session.record
        assert record is not None
        for name in ("enter", "p", "a"):
            story.notices.clear()
            await show(story, unfinished, name)
            await story.until_told("There is a list on the Check screen that was not asked, or is asked right now")
        await story.press("1")
        await story.until_phase(Phase.PREVIEW)
        assert story.session.record == record


async def test_a_run_under_way_is_never_thrown_away_by_opening_another(paths: Paths) -> None:
    with ServerThread(create_app(a_world(latency=SLOW), TOKEN)) as server:
        unfinished = cut_short(paths, a_list(paths, PEOPLE[:4], server.url), {1: Status.FAILED})
        async with console(paths, at(server)) as story:
            await story.preview("\n".join(PEOPLE[:3]))
            await story.press("enter")
            await story.until_phase(Phase.RUNNING)
            assert story.session.record is not None
            run_id = story.session.record.id
            for name in ("enter", "p", "a"):
                story.notices.clear()
                await show(story, unfinished, name)
                await story.until_told("There is a list on the Check screen that was not asked, or is asked right now")
            await show(story, run_id)
            await story.until_phase(Phase.RUNNING)
            await story.press("p")
            await story.until_phase(Phase.PAUSED)
            assert story.session.record.id == run_id


@pytest.mark.parametrize(("name", "method"), [("a", "recheck"), ("enter", "summary")])
async def test_a_list_that_is_pasted_while_another_one_is_fetched_stays(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, name: str, method: str
) -> None:
    wanted = a_list(paths, PEOPLE[:4])
    if name == "a":
        ended(paths, wanted, {1: Status.FAILED})
    async with console(paths) as story:
        await open_runs(story)
        with monkeypatch.context() as patches:
            held = Held(story, method, patches)
            await show(story, wanted, name)
            await story.until(lambda: held.calls == 1, "it is fetched")
            patches.undo()
        await story.press("1")
        await story.preview("\n".join(PEOPLE[:3]))
        record = story.session.record
        held.let_go()
        await story.until_idle("recheck")
        await story.until_idle("open")
        assert story.session.record == record
        assert story.session.phase is Phase.PREVIEW


async def test_p_on_a_list_of_runs_that_is_not_up_to_date_keeps_hold_of_the_run(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ServerThread(create_app(a_world(latency=SLOW), TOKEN)) as server:
        run_id = cut_short(paths, a_list(paths, PEOPLE[:4], server.url))
        async with console(paths, at(server)) as story:
            await show(story, run_id)
            await story.until_phase(Phase.STOPPED)
            Held(story, "runs", monkeypatch)
            await story.press("p")
            await story.until_phase(Phase.RUNNING)
            await story.press("3")
            await story.until_on(RunsScreen)
            await story.press("p")
            await story.until_idle("open")
            assert story.session.is_asking, "this process asks, and says so"


async def test_what_was_forgotten_a_moment_ago_is_told_whatever_is_wanted_of_it(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended(paths, a_list(paths, PEOPLE[:4]), {1: Status.FAILED})
    run_id = cut_short(paths, a_list(paths, PEOPLE[:4]), {1: Status.FAILED})
    async with console(paths) as story:
        await open_runs(story)
        Held(story, "runs", monkeypatch)
        await go_to(story, run_id)
        forget_elsewhere(paths, run_id)
        wanted = {"a": "recheck", "c": "compare", "e": "export", "enter": "open", "p": "open"}
        for name, group in wanted.items():
            story.notices.clear()
            await story.press(name)
            await story.until(lambda: bool(story.notices) or isinstance(story.app.screen, ExportDialog), "a word")
            if isinstance(story.app.screen, ExportDialog):
                await story.press("enter")
            await story.until_idle(group)
            await story.until(lambda: bool(story.notices), "why not")
            await story.press("3")
            await story.until_on(RunsScreen)
    assert csv_files(tmp_path) == [], "there is nothing to write"


# Comparing


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_two_runs_are_compared(paths: Paths, size: tuple[int, int]) -> None:
    before = {1: Status.VALID, 2: Status.INVALID, 3: Status.VALID, 4: Status.VALID, 5: Status.VALID}
    after = {1: Status.VALID, 2: Status.VALID, 3: Status.INVALID, 4: Status.VALID, 5: Status.FAILED}
    first = ended(paths, a_list(paths, PEOPLE[:6], source="a.csv"), before, wa_id="16315551000")
    other = ended(paths, a_list(paths, PEOPLE[:6], source="b.csv"), before)
    latest = ended(paths, a_list(paths, [*PEOPLE[:5], PEOPLE[7]], source="a.csv"), after, wa_id="16315551009")
    async with console(paths, size=size) as story:
        await show(story, other, "c")
        await story.until_told("Mark one run with space, go to another, and compare.")

        await show(story, latest, "c")
        pairs = await story.until_on(PairsScreen)
        await story.until_shown(f"Run {latest} compared with run {first}")
        await story.until_shown("1 newly valid, 1 gone, 2 wa_id changed, 1 status changed, 1 added, 1 removed")
        shown = [(pair["number"], pair["change"], pair["before"], pair["after"]) for pair in cells(pairs.table)]
        assert shown == [
            ("+1 631-555-1000", "wa_id changed", "✓ valid", "✓ valid"),
            ("+1 631-555-1002", "newly valid", "✗ invalid", "✓ valid"),
            ("+1 631-555-1003", "gone", "✓ valid", "✗ invalid"),
            ("+1 631-555-1004", "wa_id changed", "✓ valid", "✓ valid"),
            ("+1 631-555-1005", "status changed", "✓ valid", "! failed"),
            ("+1 631-555-1006", "removed", "· queued", "not in it"),
            ("+1 631-555-1008", "added", "not in it", "· queued"),
        ]
        await story.press("down", "end", "escape")
        await story.until_on(RunsScreen)

        await go_to(story, first)
        await story.press("space")
        await story.until(lambda: [row["run"] for row in listed(story) if row["mark"]] == [str(first)], "the mark")
        await go_to(story, other)
        await story.press("c")
        await story.until_on(PairsScreen)
        await story.until_shown(f"Run {other} compared with run {first}", "unchanged")
        await story.press("enter")
        await story.until_on(RunsScreen)
        await go_to(story, first)
        await story.press("space")
        await story.until(lambda: not any(column(story, "mark")), "the mark is taken away")


# Taking away, asking anew


async def test_e_exports_the_whole_run(paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_id = ended(paths, a_list(paths, [*PEOPLE[:3], "nobody"]), valid(1, 2) | {3: Status.INVALID})
    async with console(paths) as story:
        await show(story, run_id, "e")
        await story.until_on(ExportDialog)
        await story.until_shown("4 rows")
        await story.press("enter")
        await story.until_told("4 rows written to")
        written = (tmp_path / f"watui-run-{run_id}.csv").read_text().splitlines()
        assert [line.split(",")[5] for line in written] == ["status", "valid", "valid", "invalid", "rejected"]
        story.notices.clear()
        await story.press("e")
        await story.until_on(ExportDialog)
        await story.press("enter")
        await story.until_told(f"watui-run-{run_id}-2.csv")


async def test_a_makes_a_new_list_of_what_is_old_failed_or_open(
    paths: Paths, server: ServerThread, record: Record
) -> None:
    statuses = {1: Status.VALID, 2: Status.VALID, 3: Status.FAILED}
    run_id = ended(paths, a_list(paths, [*PEOPLE[:4], "nobody"], server.url), statuses, RunState.CANCELLED)
    fresh = ended(paths, a_list(paths, PEOPLE[:2], server.url), valid(1, 2))
    with writing(paths) as ledger, ledger.transaction() as database:
        old = time.time() - CACHE_SECONDS - 60
        database.execute("UPDATE number SET checked_at = ? WHERE run_id = ? AND number_id = 1", (old, run_id))
    async with console(paths, at(server)) as story:
        await show(story, fresh, "a")
        await story.until_told(f"Nothing of run {fresh} is older than seven days, failed or open.")
        await show(story, run_id, "a")
        await story.until_phase(Phase.PREVIEW)
        await story.until_shown(f"run {run_id}", "3 distinct numbers")
        await story.press("enter")
        await story.until_phase(Phase.ENDED)
        await open_runs(story)
        await go_to(story, fresh + 1)
        await story.until_shown(f"a recheck of run {run_id}")
    assert record.asked == Counter([PEOPLE[0], PEOPLE[2], PEOPLE[3]])


async def test_a_run_is_forgotten_with_all_it_held_after_a_question(paths: Paths) -> None:
    kept = ended(paths, a_list(paths, PEOPLE[:4]), valid(1, 2))
    gone = cut_short(paths, a_list(paths, PEOPLE[:3], source="secret.csv"), valid(1))
    async with console(paths) as story:
        await story.until_shown("was cut short")
        await show(story, gone, "D")
        await answer_question(story, f"Forget run {gone}, 3 rows from secret.csv? Nothing of it is kept.", "n")
        await story.until_on(RunsScreen)
        await story.until_idle("forget")
        assert column(story, "run") == [str(gone), str(kept)]
        await story.press("D")
        await answer_question(story, f"Forget run {gone}", "y")
        await story.until(lambda: column(story, "run") == [str(kept)], "it is gone")
        await story.until_idle("forget")
        with reading(paths) as reader:
            assert [found.record.id for found in reader.runs()] == [kept]
            for table in ("run", "source", "entry", "number", "tally", "ask"):
                name = "id" if table == "run" else "run_id"
                assert list(reader.query(f"SELECT 1 FROM {table} WHERE {name} = ?", (gone,))) == [], table
            assert len(list(reader.rows(kept))) == 4
        await story.press("1")
        await story.until_idle("offer")
        assert "secret.csv" not in story.all_text(), "nor is it offered any more"


async def test_the_run_on_the_check_screen_and_one_that_is_asked_are_not_forgotten(paths: Paths) -> None:
    shown = ended(paths, a_list(paths, PEOPLE[:4]), valid(1, 2))
    driven = a_list(paths, PEOPLE[:4])
    with elsewhere(paths, driven):
        async with console(paths) as story:
            await show(story, shown)
            await story.until_phase(Phase.ENDED)
            await show(story, shown, "D")
            await story.until_told("This run is on the Check screen: leave it there first.")
            story.notices.clear()
            await show(story, driven, "D")
            await story.until(lambda: bool(story.notices) or isinstance(story.app.screen, Confirm), "a word")
            if isinstance(story.app.screen, Confirm):
                await story.press("y")
                await story.until(lambda: bool(story.notices), "why not")
            await open_runs(story)
            assert column(story, "run") == [str(driven), str(shown)]


async def test_a_mark_goes_with_its_run(paths: Paths) -> None:
    marked, other = (ended(paths, a_list(paths, PEOPLE[:4]), valid(1, 2)) for _ in range(2))
    async with console(paths) as story:
        await show(story, marked, "space")
        await story.until(lambda: column(story, "mark") == ["", "●"], "the mark")
        forget_elsewhere(paths, marked)
        await story.until(lambda: column(story, "run") == [str(other)], "it is forgotten")
        await story.press("c")
        await story.until_told("Mark one run with space, go to another, and compare.")


async def test_keys_that_come_twice_at_once_do_a_thing_once(paths: Paths) -> None:
    run_id = ended(paths, a_list(paths, PEOPLE[:4]), {1: Status.FAILED})
    async with console(paths) as story:
        await open_runs(story)
        for name, screen in (("D", Confirm), ("e", ExportDialog), ("c", RunsScreen)):
            at_once(story, key(name), key(name))
            await story.until_on(screen)
            await story.press("escape")
            assert isinstance(story.app.screen, RunsScreen), f"{name} has opened one dialog"
        await go_to(story, run_id)
        at_once(story, key("a"), key("a"))
        await story.until_phase(Phase.PREVIEW)
        await story.until_idle("recheck")
        await open_runs(story)
        assert column(story, "state") == ["draft", "done"]


# What others have named


@pytest.mark.parametrize("size", [NARROW, pytest.param(WIDE, marks=pytest.mark.long)])
async def test_what_sources_profiles_and_versions_are_called_is_harmless(paths: Paths, size: tuple[int, int]) -> None:
    inputs = [f"{PEOPLE[0]} {HOSTILE}", *PEOPLE[:3]]
    for statuses in (valid(1, 2, 3), valid(1) | {2: Status.INVALID}):
        run_id = a_list(paths, inputs, source=f"{HOSTILE}.csv", profile=HOSTILE)
        ended(paths, run_id, statuses, wa_id=f"{len(statuses)}{HOSTILE}", version=HOSTILE)
    cut_short(paths, a_list(paths, inputs, f"https://{HOSTILE}", source=HOSTILE, profile=""), valid(1))
    cut_short(paths, a_list(paths, inputs, source=HOSTILE), valid(1), version=HOSTILE)
    async with console(paths, size=size) as story:
        await story.until_shown("was cut short")
        story.assert_harmless()
        await open_runs(story)
        for run_id in (4, 3, 2):
            await go_to(story, run_id)
            story.assert_harmless()
        await story.press("D")
        await story.until_on(Confirm)
        story.assert_harmless()
        await story.press("n")
        await story.until_on(RunsScreen)
        await story.press("c")
        await story.until_on(PairsScreen)
        await story.until_shown("status changed")
        story.assert_harmless()
        await story.press("m")
        await story.until_on(MeaningScreen)
        story.assert_harmless()
        await story.press("escape")
        await story.until_on(PairsScreen)
        await story.press("escape")
        await story.until_on(RunsScreen)
        with elsewhere(paths, 4) as other:
            await show(story, 4)
            await story.until_phase(Phase.WATCHED)
            other.answer({2: HOSTILE}, version=HOSTILE)
            await story.until_shown("1 of 3 numbers", WATCHED[size])
            story.assert_harmless()
        await story.until_phase(Phase.STOPPED)
        story.assert_harmless()


async def test_a_run_from_very_many_files_leaves_room_for_what_can_be_done(paths: Paths) -> None:
    sources = ", ".join(f"customers-{place}.csv" for place in range(100))
    run_id = cut_short(paths, a_list(paths, PEOPLE[:3], source=sources), valid(1))
    async with console(paths) as story:
        await story.until_shown("2 of 3 numbers left", "p goes on")
        assert story.screen.keys.region.bottom == NARROW[1]
        assert story.screen.welcome.region.height > NARROW[1] // 2
        await show(story, run_id, "D")
        await story.until_on(Confirm)
        answer = story.app.screen.query(Static).last()
        assert answer.region.bottom < NARROW[1]
