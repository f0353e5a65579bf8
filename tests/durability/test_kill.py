"""A run that is killed again and again, and goes on each time: what is lost, and what is asked a second time."""

import contextlib
import io
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, NamedTuple

import msgspec
import pytest

from tests.conftest import TOKEN
from tests.durability.driven import BATCH_SIZE, POLICY
from tests.simulated import a_world, create_app
from watui.checks.prepare import Import, add_source
from watui.contract.statuses import FINAL
from watui.failpoints import VARIABLE
from watui.intake.entries import single
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import QUEUED, RunOptions, RunState
from watui.simulator.population import Latency
from watui.simulator.record import Record, RecordedExchange
from watui.simulator.serving import ServerThread
from watui.simulator.world import World

SEED = 7
LATENCY = Latency(0.05, 0.2)
DEADLINE = 60.0

PLACES = ["ledger.begin", "ledger.write", "ledger.committed", "client.sent"]


class Known(NamedTuple):
    """What the ledger holds of one number."""

    id: int
    status: str
    wa_id: str | None
    asked: int
    checked_at: float | None

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    @property
    def verdict(self) -> tuple[str, str | None, float | None]:
        return self.status, self.wa_id, self.checked_at


@dataclass
class Life:
    """What one process did until its end, as the server and its own output say."""

    exit_code: int = 0
    exchanges: list[RecordedExchange] = field(default_factory=list)
    told: set[int] = field(default_factory=set)
    """Numbers that a screen would have shown as answered."""

    @property
    def asked(self) -> set[str]:
        return {text for exchange in self.exchanges for text in exchange.request["contacts"]}

    @property
    def decided(self) -> set[str]:
        """Inputs that the server gave a final status."""
        answers = (contact for exchange in self.exchanges for contact in exchange.response["contacts"])
        return {contact["input"] for contact in answers if contact["status"] in FINAL}


@dataclass
class Figures:
    """What a run that was killed again and again comes to."""

    kills: int = 0
    lost: int = 0
    """Results that were shown, or were in the ledger, and are not there any more."""
    final_again: int = 0
    """Numbers asked again though a final status was committed."""
    repeated: list[int] = field(default_factory=list)
    """By kill: numbers that the server was asked, and whose answer did not reach the ledger."""
    in_flight: list[int] = field(default_factory=list)
    """By kill: numbers in questions without an answer, as the ledger says."""
    in_doubt: list[int] = field(default_factory=list)
    """By kill: what Reader.in_doubt says."""
    asked: int = 0
    """Numbers in all requests."""

    def __str__(self) -> str:
        return (
            f"{self.kills} kills: {self.lost} lost, {self.final_again} final asked again,"
            f" {sum(self.repeated)} repeated (at most {max(self.repeated)} by one kill,"
            f" {sum(self.in_flight)} were in flight, {sum(self.in_doubt)} in doubt), {self.asked} asked in all"
        )


class Killed:
    """A run on a ledger of its own, driven by one process after the other."""

    def __init__(self, folder: Path, world: World, numbers: int) -> None:
        self.path = folder / "ledger.sqlite3"
        self.figures = Figures()
        self._world = world
        self._seen: set[str] = set()
        """Inputs that the server was ever asked about."""
        ledger = Ledger(self.path)
        self.run_id = ledger.add_run(RunOptions("test", "US", "no_wait", False, BATCH_SIZE))
        rows = [single(line, f"+1212{2_000_000 + line}") for line in range(1, numbers + 1)]
        add_source(ledger, Import(self.run_id, "list", "US"), None, rows)
        ledger.close()
        self._known, self._last_ask = self._read(), 0

    def live(self, failpoint: str = "", requests: float = float("inf")) -> Life:
        """Let a process drive the run until it ends, or dies at `failpoint` or after that many `requests`."""
        life, file, output = Life(), io.StringIO(), self.path.with_name("output")
        record = Record(file)
        app = create_app(self._world, TOKEN, record=record)
        with (
            ServerThread(app) as server,
            output.open("w") as stdout,
            _driving(self, server, failpoint, stdout) as child,
        ):
            deadline = time.monotonic() + DEADLINE
            while child.poll() is None:
                assert time.monotonic() < deadline, "it neither ends nor dies"
                if record.requests_made >= requests:
                    child.kill()
                time.sleep(0.002)
        life.exit_code = child.returncode
        life.exchanges = [msgspec.json.decode(line, type=RecordedExchange) for line in file.getvalue().splitlines()]
        lines = output.read_text().split("\n")[:-1]
        life.told = {int(number) for line in lines for number in line.split()}
        self._count(life)
        return life

    def table(self) -> list[tuple[str, str, str | None]]:
        return [(text, known.status, known.wa_id) for text, known in self._known.items()]

    def state(self) -> RunState:
        with contextlib.closing(Reader(self.path)) as reader:
            return reader.run(self.run_id).state

    def _count(self, life: Life) -> None:
        """Compare what a process did with what was in the ledger before it, and is in there now."""
        before, now, figures = self._known, self._read(), self.figures
        self._known = now
        self._seen |= life.asked
        figures.asked += sum(len(exchange.request["contacts"]) for exchange in life.exchanges)
        figures.lost += sum(known.is_final and now[text].verdict != known.verdict for text, known in before.items())
        figures.lost += sum(known.id in life.told and known.status == QUEUED for known in now.values())
        figures.final_again += sum(before[text].is_final for text in life.asked)
        in_flight, polled, in_doubt = self._in_flight()
        doubtful = {text for text, known in now.items() if known.status == QUEUED and known.asked}
        never_answered = {text for text in self._seen if now[text].status == QUEUED}
        assert never_answered <= doubtful, "whatever was asked had been written down before"
        assert len(doubtful) + polled == in_doubt
        if life.exit_code == 0:
            assert {text for text in life.asked if before[text].status == QUEUED and before[text].asked} == {
                text for text, known in before.items() if known.status == QUEUED and known.asked
            }, "whoever goes on to the end asks again about all that are in doubt"
            return
        figures.kills += 1
        figures.in_flight.append(in_flight)
        figures.in_doubt.append(in_doubt)
        unheard = {text for text in life.decided if not now[text].is_final}
        figures.repeated.append(len((never_answered & life.asked) | unheard))

    def _read(self) -> dict[str, Known]:
        with contextlib.closing(Reader(self.path)) as reader:
            asked = dict(reader.query("SELECT number_id, asked FROM number WHERE run_id = ?", (self.run_id,)))
            return {
                row.input: Known(row.number_id, row.status, row.wa_id, asked[row.number_id], row.checked_at)
                for row in reader.rows(self.run_id)
                if row.number_id is not None
            }

    def _in_flight(self) -> tuple[int, int, int]:
        """Return how many numbers are in questions of the latest process without an answer, how many of them had been
        answered before, and how many numbers are in doubt.
        """
        with contextlib.closing(Reader(self.path)) as reader:
            [(last,)] = reader.query("SELECT coalesce(max(ask_id), 0) FROM ask", ())
            [(numbers, polls)] = reader.query(
                "SELECT coalesce(sum(numbers), 0), coalesce(sum(polls), 0)"
                " FROM ask WHERE ask_id > ? AND answered_at IS NULL",
                (self._last_ask,),
            )
            self._last_ask = last
            return numbers, polls, reader.in_doubt(self.run_id)

    def assert_sound(self) -> None:
        with contextlib.closing(sqlite3.connect(self.path)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@contextlib.contextmanager
def _driving(
    killed: Killed, server: ServerThread, failpoint: str, stdout: IO[str]
) -> Iterator["subprocess.Popen[bytes]"]:
    arguments = [str(killed.path), str(killed.run_id), server.url, TOKEN]
    environment = {VARIABLE: failpoint} if failpoint else {}
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.durability.driven", *arguments], env=environment, stdout=stdout
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def deaths(kills: int, most: int) -> list[tuple[str, float]]:
    """Return how each process is to die: a failpoint, or a number of requests after which it is shot."""
    chance = random.Random(SEED)
    ways: list[tuple[str, float]] = []
    for place in range(kills):
        nth = chance.randint(1, most)
        name = [*PLACES, ""][place % (len(PLACES) + 1)]
        ways.append((f"{name}:{nth}:kill", float("inf")) if name else ("", nth))
    return ways


@pytest.mark.parametrize(
    ("numbers", "kills", "most"),
    [(2_000, 8, 20), pytest.param(10_000, 60, 20, marks=pytest.mark.long)],
)
def test_a_run_that_is_killed_loses_nothing_and_repeats_what_was_in_flight_alone(
    tmp_path: Path, numbers: int, kills: int, most: int
) -> None:
    run = Killed(_folder(tmp_path, "killed"), a_world(seed=SEED, latency=LATENCY), numbers)
    for failpoint, requests in deaths(kills, most):
        life = run.live(failpoint, requests)
        assert life.exit_code == -signal.SIGKILL, f"{failpoint or requests} was never reached"
        run.assert_sound()
    assert run.live().exit_code == 0
    figures = run.figures
    print(f"{numbers:,} numbers, {figures}")

    assert (figures.kills, figures.lost, figures.final_again) == (kills, 0, 0)
    assert all(again <= most for again, most in zip(figures.repeated, figures.in_flight, strict=True))
    assert all(again <= most for again, most in zip(figures.repeated, figures.in_doubt, strict=True))
    assert max(figures.in_flight) <= POLICY.in_flight * BATCH_SIZE
    doubt_before = [0, *figures.in_doubt]
    added = [now - before for now, before in zip(figures.in_doubt, doubt_before, strict=False)]
    assert all(more <= most for more, most in zip(added, figures.in_flight, strict=True))
    run.assert_sound()
    assert run.state() == RunState.DONE
    whole = Killed(_folder(tmp_path, "whole"), a_world(seed=SEED, latency=LATENCY), numbers)
    assert whole.live().exit_code == 0
    assert run.table() == whole.table()
    assert {status for _, status, _ in run.table()} == {"valid", "invalid"}


def _folder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder


WRITER = """
import sys
from pathlib import Path
from watui.files import write_whole
write_whole(Path(sys.argv[1]), ["new\\n"] * 10_000, replace=True)
"""


@pytest.mark.parametrize("old", ["old\n" * 3, None])
def test_a_file_is_the_old_one_or_the_new_one_whenever_its_writer_is_killed(tmp_path: Path, old: str | None) -> None:
    path = tmp_path / "results.csv"
    if old is not None:
        path.write_text(old)
    assert _write(path, "file.rename:1:kill") == -signal.SIGKILL
    assert (path.read_text() if path.exists() else None) == old
    assert _write(path, "file.rename:2:kill") == 0
    assert path.read_text() == "new\n" * 10_000


def _write(path: Path, failpoint: str) -> int:
    return subprocess.run([sys.executable, "-c", WRITER, str(path)], env={VARIABLE: failpoint}).returncode
