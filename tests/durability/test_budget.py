"""A budget while runs are killed, two at once, under clocks that jump: what is sent, reserved and allowed."""

import io
import random
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.conftest import TOKEN
from tests.durability.driven import BATCH_SIZE
from tests.simulated import a_world, create_app
from watui.checks.prepare import Import, add_source
from watui.failpoints import VARIABLE
from watui.intake.entries import single
from watui.ledger.budget import add_messages, budget_of, go_over
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import RunOptions, RunState
from watui.ledger.trail import Place
from watui.simulator.population import Latency
from watui.simulator.record import Record
from watui.simulator.serving import ServerThread

SEED = 20
DEADLINE = 60.0
PLACES = ["ledger.begin", "ledger.write", "ledger.committed", "client.sent"]
AT_ONCE = 2
"""Runs, each driven by a process of its own, all of one server."""

CLOCK = "tests.durability.jumping"
"""A program like `driven`, whose clock jumps back and forth by years."""


@pytest.mark.parametrize(("numbers", "kills"), [(500, 6), pytest.param(4_000, 40, marks=pytest.mark.long)])
def test_no_call_is_made_that_was_not_reserved_and_none_beyond_the_budget(
    tmp_path: Path, numbers: int, kills: int
) -> None:
    chance, path, file = random.Random(SEED), tmp_path / "ledger.sqlite3", io.StringIO()
    record = Record(file)
    world = a_world(seed=SEED, latency=Latency(0.05, 0.2))
    most = 0
    with (
        ServerThread(create_app(world, TOKEN, record=record)) as server,
        closing(Ledger(path)) as ledger,
        closing(Reader(path)) as reader,
    ):
        place = Place(server.url, "shop", "ada")
        runs = [a_list(ledger, server.url, first, numbers) for first in range(AT_ONCE)]
        stops = 0
        for life in range(100 * kills):
            go_on = [run for run in runs if reader.run(run).state is not RunState.DONE]
            if not go_on:
                break
            if budget_of(reader, server.url).left == 0:
                stops += 1
                (go_over if life % 2 else add_messages)(ledger, place, chance.randint(1, 12))
            places = [f"{chance.choice(PLACES)}:{chance.randint(1, 9)}:kill" if life < kills else "" for _ in go_on]
            with ExitStack() as stack:
                children = [
                    stack.enter_context(drive(path, run, server.url, where))
                    for run, where in zip(go_on, places, strict=True)
                ]
                for child in children:
                    stack.callback(child.kill)
                deadline = time.monotonic() + DEADLINE
                while any(child.poll() is None for child in children):
                    assert time.monotonic() < deadline, "it neither ends nor dies"
                    time.sleep(0.005)
            found = budget_of(reader, server.url)
            assert record.requests_made <= found.calls <= found.allowed
            most = max(most, found.calls - record.requests_made)
        states = [reader.run(run).state for run in runs]
        found = budget_of(reader, server.url)
    print(
        f"{AT_ONCE} runs of {numbers:,} numbers, {kills} rounds of kills, {stops} stops: {record.requests_made} sent,"
        f" {found.calls} reserved (at most {most} of them never sent), {found.messages} messages + {found.over} over"
    )
    assert states == [RunState.DONE] * AT_ONCE
    assert stops > 1


def a_list(ledger: Ledger, url: str, first: int, numbers: int) -> int:
    run_id = ledger.add_run(RunOptions(url, "US", "no_wait", False, BATCH_SIZE, "shop"))
    rows = [single(line, f"+1212{2_000_000 + first * numbers + line}") for line in range(1, numbers + 1)]
    add_source(ledger, Import(run_id, "list", "US"), None, rows)
    return run_id


def drive(path: Path, run_id: int, url: str, failpoint: str) -> "subprocess.Popen[bytes]":
    arguments = [str(path), str(run_id), url, TOKEN, "--budget"]
    environment = {VARIABLE: failpoint} if failpoint else {}
    return subprocess.Popen(
        [sys.executable, "-m", CLOCK, *arguments],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
