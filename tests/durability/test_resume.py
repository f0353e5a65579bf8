"""Runs from the outside: processes that are killed and go on, and several of them at once on one ledger."""

import io
import json
import random
import re
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager, suppress
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import msgspec
import pytest

from tests.cli.conftest import SECONDS, Ended, process, start
from tests.conftest import TOKEN
from tests.simulated import a_world, create_app
from watui.checks.scheduler import Policy
from watui.cli.exits import Exit
from watui.contract.rules import CONTACTS_PATH
from watui.contract.statuses import FINAL
from watui.contract.wa_ids import wa_id_of
from watui.ledger.reader import Reader
from watui.ledger.rows import QUEUED
from watui.settings.paths import Paths
from watui.simulator.conditions import Conditions
from watui.simulator.events import ConditionsChanged
from watui.simulator.faults import Fault
from watui.simulator.faults import Kind as Broken
from watui.simulator.population import Latency
from watui.simulator.record import Latest, Record, RecordedExchange
from watui.simulator.serving import ServerThread
from watui.simulator.world import World

SEED = 11

LONGEST_LIFE = 600.0
"""Seconds that a process may take to its end."""

FAR_AWAY = Fault(Broken.LATENCY, seconds=0.05, jitter=0.3)
"""So that questions are under way most of the time."""

IMPOSSIBLE = "+163155588"
"""A number that every server answers at once: `failed`."""


class Site:
    """A simulated server that keeps a record of everything."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._file = io.StringIO()
        self._heard = threading.Condition()
        self._count = 0
        self._shot_at: tuple[int, subprocess.Popen[str]] | None = None

    def __enter__(self) -> Self:
        self._server = ServerThread(create_app(self.world, TOKEN, record=Record(self._file, follower=self._note)))
        self.url = self._server.url
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.stop()

    @property
    def checks(self) -> list[RecordedExchange]:
        """Every check so far, in the order of the answers."""
        # A line may just be on its way into the file.
        lines = self._file.getvalue().split("\n")[:-1]
        exchanges = (msgspec.json.decode(line, type=RecordedExchange) for line in lines)
        return [exchange for exchange in exchanges if exchange.path == CONTACTS_PATH]

    def wait_for(self, more: int, running: "subprocess.Popen[str]", *, is_last: bool = False) -> None:
        """Wait until `more` requests of `running` have an answer, which where it `is_last` never gets there."""
        with self._heard:
            wanted = self._count + more
            self._shot_at = (wanted, running) if is_last else None
            assert self._heard.wait_for(lambda: self._count >= wanted or running.poll() is not None, LONGEST_LIFE)
        assert is_last or running.poll() is None, running.communicate()

    def become(self, **conditions: Any) -> None:
        """Have other conditions from now on."""
        self.world.happen(ConditionsChanged(time.time(), Conditions(**conditions)))

    def _note(self, _: Latest) -> None:
        """Take note of a request whose answer is ready to go out."""
        with self._heard:
            self._count += 1
            if self._shot_at is not None and self._shot_at[0] == self._count:
                self._shot_at[1].kill()
            self._heard.notify_all()


class Known(NamedTuple):
    """What is known of one number."""

    status: str
    wa_id: str | None

    @property
    def is_final(self) -> bool:
        return self.status in FINAL


class Death(NamedTuple):
    """What is left when a process was killed."""

    at: float
    known: dict[str, Known]
    """By input, what the ledger holds."""
    in_flight: int
    """Numbers of the requests that were under way, as the ledger says."""
    in_doubt: int
    """Numbers that are asked twice at most, as whoever goes on says."""


class Figures(NamedTuple):
    """What a run that is killed again and again comes to."""

    kills: int
    lost: int
    """Final statuses that the ledger held after a kill and that the final rows do not hold."""
    final_again: int
    """Numbers asked about though the ledger held their final status before that."""
    repeated: list[int]
    """By kill: numbers asked once more because a question or its answer was lost."""
    in_flight: list[int]
    in_doubt: list[int]

    def __str__(self) -> str:
        return (
            f"{self.kills} kills: {self.lost} lost, {self.final_again} final asked again, {sum(self.repeated)} repeated"
            f" (by kill {self.repeated} of {self.in_flight} in flight; {self.in_doubt} never answered)"
        )


def figures_of(deaths: Sequence[Death], checks: Sequence[RecordedExchange], final: dict[str, Known]) -> Figures:
    """Return what became of a run, by what the ledger held after each death and by the server's record."""
    lost = final_again = 0
    repeated = []
    for born, death in zip([0.0, *(death.at for death in deaths)], deaths, strict=False):
        # Of its own life alone: what an earlier process left is repeated because of that one's end.
        before = [exchange for exchange in checks if born < exchange.at <= death.at]
        asked_after = inputs_of([exchange for exchange in checks if exchange.at > death.at])
        finals = {text for text, known in death.known.items() if known.is_final}
        lost += sum(death.known[text] != final.get(text) for text in finals)
        final_again += len(finals & asked_after)
        unanswered = {text for text in inputs_of(before) if death.known[text].status == QUEUED}
        repeated.append(len((unanswered | (decided_in(before) - finals)) & asked_after))
    in_flight, in_doubt = ([getattr(death, name) for death in deaths] for name in ("in_flight", "in_doubt"))
    return Figures(len(deaths), lost, final_again, repeated, in_flight, in_doubt)


def inputs_of(exchanges: Sequence[RecordedExchange]) -> set[str]:
    return {text for exchange in exchanges for text in exchange.request["contacts"]}


def decided_in(exchanges: Sequence[RecordedExchange]) -> set[str]:
    """Return the inputs that the server gave a final status."""
    answers = (exchange.response["contacts"] for exchange in exchanges if exchange.status == HTTPStatus.OK)
    return {contact["input"] for contacts in answers for contact in contacts if contact["status"] in FINAL}


def write_list(path: Path, numbers: int) -> int:
    """Write a list of so many distinct numbers, some of them twice, and a row that is rejected; return its rows."""
    lines = []
    for line in range(numbers):
        lines.append(f"+1212{2_000_000 + line}")
        if line % 100 == 0:
            lines.append(f"(212) {200 + line // 10_000}-{line % 10_000:04}")
    lines.append("none")
    path.write_text("".join(f"{line}\n" for line in lines))
    return len(lines)


def rows_in(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file without their times."""
    return [json.loads(line) | {"checked_at": None} for line in path.read_text().splitlines()]


@contextmanager
def a_process(*arguments: str, **env: str) -> Iterator["subprocess.Popen[str]"]:
    """Start `watui` as a process that does not outlive the block."""
    with start(*arguments, stdin=subprocess.DEVNULL, WATUI_TOKEN=TOKEN, **env) as running:
        try:
            yield running
        finally:
            running.kill()


def kill(running: "subprocess.Popen[str]", seconds: float = 0.0) -> str:
    """Kill a process unless it ends by itself within `seconds`, which it must not; return what it had said."""
    with suppress(subprocess.TimeoutExpired):
        running.wait(seconds)
    running.kill()
    _, err = running.communicate()
    assert running.returncode == -signal.SIGKILL, err
    return err


def death_of(ledger: Path, last_ask: int) -> tuple[Death, int]:
    """Return what is left of the first run, and the id of its last request; `last_ask` is that before this life."""
    with closing(sqlite3.connect(ledger)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with closing(Reader(ledger)) as reader:
        [(last, in_flight)] = reader.query(
            "SELECT coalesce(max(ask_id), 0), coalesce(sum(numbers) FILTER (WHERE answered_at IS NULL), 0)"
            " FROM ask WHERE ask_id > ?",
            (last_ask,),
        )
        numbers = [row for row in reader.rows(1) if row.number_id is not None and row.duplicate_of is None]
        known = {row.input: Known(row.status, row.wa_id) for row in numbers}
        return Death(time.time(), known, in_flight, reader.in_doubt(1)), max(last, last_ask)


def doubt_in(said: str) -> int:
    """Return how many numbers may be asked twice, as whoever goes on says."""
    doubt = re.search(r"at most ([\d,]+) (?:is|are) asked twice", said)
    return int(doubt[1].replace(",", "")) if doubt else 0


class Plan(NamedTuple):
    """A list, and how its run is killed."""

    numbers: int
    kills: int
    batch_size: int
    latency: Latency
    most_requests: int
    """Of a process that are answered before it is killed."""
    most_seconds: float
    """From the last of them until then; of every other process none: it does not hear that answer any more."""


@pytest.mark.parametrize(
    "plan",
    [
        Plan(1_000, 3, 100, Latency(0.1, 0.5), 3, 0.1),
        pytest.param(Plan(20_000, 5, 500, Latency(1.5, 4.0), 15, 1.0), marks=pytest.mark.long),
    ],
    ids=lambda plan: f"{plan.numbers} numbers",
)
def test_a_run_that_is_killed_again_and_again_ends_like_an_undisturbed_one(
    tmp_path: Path, paths: Paths, plan: Plan
) -> None:
    source, output, exported, undisturbed = (
        tmp_path / name for name in ("list.csv", "rows.jsonl", "exported.jsonl", "undisturbed.jsonl")
    )
    count, chance = write_list(source, plan.numbers), random.Random(SEED)
    options = ["--batch-size", str(plan.batch_size), "--give-up-after", str(LONGEST_LIFE)]
    conditions: dict[str, Any] = {"latency": plan.latency, "faults": (FAR_AWAY,)}
    deaths: list[Death] = []
    with (
        Site(a_world(seed=SEED, **conditions)) as site,
        Site(a_world(seed=SEED, **conditions)) as quiet,
        a_process(
            "check", str(source), "--url", quiet.url, *options, "--output", str(undisturbed),
            WATUI_HOME=str(tmp_path / "other home"),
        ) as whole,
    ):  # fmt: skip
        command, last_ask, doubt = ["check", str(source), "--url", site.url, *options], 0, 0
        for place in range(plan.kills):
            requests, seconds = chance.randint(1, plan.most_requests), chance.uniform(0, plan.most_seconds)
            with a_process(*command, "--output", str(output)) as running:
                site.wait_for(requests, running, is_last=place % 2 == 0)
                said = kill(running, seconds)
            assert not output.exists(), "the rows are written whole, at the end"
            assert doubt_in(said) == doubt
            death, last_ask = death_of(paths.ledger, last_ask)
            deaths.append(death)
            command, doubt = ["runs", "resume", "--give-up-after", str(LONGEST_LIFE)], death.in_doubt
        with a_process(*command, "--output", str(output)) as running:
            _, said = running.communicate(timeout=LONGEST_LIFE)
            assert (running.returncode, doubt_in(said)) == (Exit.DONE, doubt), said
        _, err = whole.communicate(timeout=LONGEST_LIFE)
        assert whole.returncode == Exit.DONE, err
        checks = site.checks
    assert process("runs", "export", "1", "--output", str(exported)).code == Exit.DONE
    rows = rows_in(exported)
    final = {row["input"]: Known(row["status"], row["wa_id"]) for row in rows}
    figures = figures_of(deaths, checks, final)
    print(f"{plan.numbers:,} numbers, {figures}")

    assert (figures.kills, figures.lost, figures.final_again) == (plan.kills, 0, 0)
    assert all(again <= most for again, most in zip(figures.repeated, figures.in_flight, strict=True))
    assert max(figures.in_flight) <= Policy().in_flight * plan.batch_size
    assert any(figures.repeated), "the kills were at no moment that matters"
    assert len(rows) == count
    assert rows == rows_in(output) == rows_in(undisturbed)
    assert {row["status"] for row in rows} == {"valid", "invalid", "rejected"}


# Several at once


@pytest.fixture
def stuck() -> Iterator[Site]:
    """A server that decides nothing until it becomes another. Whoever has an account there wrote lately."""
    with Site(a_world(seed=SEED, latency=None, stuck=1.0, engaged=1.0)) as site:
        yield site


def heal(site: Site) -> None:
    site.become(latency=None, engaged=1.0)


@pytest.mark.parametrize("count", [2, pytest.param(5, marks=pytest.mark.long)])
def test_of_those_that_resume_a_run_at_once_one_drives(tmp_path: Path, stuck: Site, count: int) -> None:
    source = tmp_path / "list.csv"
    write_list(source, 100)
    with a_process("check", str(source), "--url", stuck.url, "--batch-size", "20") as first:
        stuck.wait_for(2, first)
        kill(first)
    killed_after = len(stuck.checks)
    with ThreadPoolExecutor(count) as pool:
        lives: set[Future[Ended]] = {
            pool.submit(process, "runs", "resume", "1", WATUI_TOKEN=TOKEN) for _ in range(count)
        }
        refused: set[Future[Ended]] = set()
        while len(refused) < count - 1:
            done, lives = wait(lives, SECONDS, FIRST_COMPLETED)
            assert done, "more than one drives"
            assert lives, "none drives"
            refused |= done
        states = [row["state"] for row in map(json.loads, process("runs").out.splitlines())]
        heal(stuck)
        (driving,) = (life.result() for life in lives)
    for ended in (life.result() for life in refused):
        assert (ended.code, ended.out) == (Exit.USAGE, ""), ended.err
        assert "another process asks about run 1 right now" in ended.err
        assert "sent" not in ended.err
    assert states == ["running"]
    assert driving.code == Exit.DONE, driving.err
    assert {json.loads(line)["status"] for line in driving.out.splitlines()} == {"valid", "invalid", "rejected"}
    asked = stuck.checks[killed_after:]
    sent = re.search(r"^(\d+) requests? sent\.$", driving.err, re.MULTILINE)
    assert sent is not None
    assert len(asked) == int(sent[1]), "nobody but the one that drives has sent anything"
    assert_polled_alone(asked)


def assert_polled_alone(asked: Sequence[RecordedExchange]) -> None:
    """Assert that no input was asked about again sooner than one process asks anything again."""
    latest: dict[str, float] = {}
    for exchange in sorted(asked, key=lambda each: each.at):
        for text in exchange.request["contacts"]:
            assert exchange.at - latest.get(text, 0.0) >= 0.5 / Policy().rate
            latest[text] = exchange.at


def test_a_block_and_another_run_go_on_beside_a_running_check(tmp_path: Path, stuck: Site) -> None:
    source = tmp_path / "list.csv"
    write_list(source, 50)
    now = time.time()
    writer = next(
        number
        for number in (f"+1631555{line}" for line in range(1000, 2000))
        if stuck.world.people.has_account(number, now)
    )
    with a_process("check", str(source), "--url", stuck.url) as running:
        stuck.wait_for(1, running)
        blocked = process("block", writer, "--url", stuck.url, "--yes", WATUI_TOKEN=TOKEN)
        checked = process("check", "--number", IMPOSSIBLE, "--url", stuck.url, WATUI_TOKEN=TOKEN)
        listed = process("runs")
        assert running.poll() is None, running.communicate()
        heal(stuck)
        out, err = running.communicate(timeout=SECONDS)
    assert (blocked.code, json.loads(blocked.out)["outcome"]) == (Exit.DONE, "done"), blocked.err
    assert [each.wa_id.partition("@")[0] for each in stuck.world.people.blocklist(10, 0).contacts] == [wa_id_of(writer)]
    assert (checked.code, json.loads(checked.out)["status"]) == (Exit.DONE, "failed"), checked.err
    states = {row["run_id"]: row["state"] for row in map(json.loads, listed.out.splitlines())}
    assert states == {1: "running", 2: "done"}
    assert running.returncode == Exit.DONE, err
    assert {json.loads(line)["status"] for line in out.splitlines()} == {"valid", "invalid", "rejected"}
    assert_polled_alone([each for each in stuck.checks if each.request["contacts"] != [IMPOSSIBLE]])
