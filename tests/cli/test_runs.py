"""`watui runs`: what was checked, listed and shown, resumed, exported, compared and asked anew."""

import csv
import io
import json
import re
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from python_calamine import CalamineWorkbook

from tests.cli.conftest import SECONDS, Ended, RecordingWorld, Watui, assert_one_sentence, start
from tests.cli.test_trail import nowhere
from tests.conftest import TOKEN
from tests.simulated import create_app
from watui.checks.compare import Change
from watui.checks.prepare import CHUNK_ROWS, Import, add_source
from watui.checks.standing import STUCK_POLLS
from watui.cli import deleting
from watui.cli.exits import Exit
from watui.client import pacing
from watui.contract.rules import CACHE_SECONDS
from watui.contract.statuses import FINAL, KNOWN_VERSIONS, meaning
from watui.export.formats import Format
from watui.export.rows import COLUMNS, PairRow, RunRow
from watui.intake.entries import single
from watui.ledger.drivers import Driver
from watui.ledger.known import fresh
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import QUEUED, Answered, RunOptions, RunRecord, RunState
from watui.ledger.schema import PART_NUMBERS
from watui.settings.paths import Paths
from watui.simulator.conditions import Conditions
from watui.simulator.population import Latency
from watui.simulator.serving import ServerThread
from watui.simulator.world import START

VALID, INVALID, FAILED = "+1 212 555 2370", "+1 212 555 2368", "+163155588"
LIST = ("phone", VALID, "(212) 555-2370", "none", INVALID, FAILED)
"""Five rows: three numbers, one of them twice, and a row that is rejected."""

DAY_SECONDS = 24 * 3600


class Said(NamedTuple):
    """An input, and what a run is to know of it."""

    input: str
    status: str = QUEUED
    wa_id: str | None = None
    days: float = 0.0
    """Since it was answered."""
    version: str | None = "v2.41"


KNOWN = (
    Said(VALID, "valid", "12125552370"),
    Said("(212) 555-2370"),
    Said("none"),
    Said(INVALID, "invalid"),
    Said(FAILED, "failed"),
    Said("+1 212 555 2371", "processing"),
    Said("+1 212 555 2372"),
)
"""A list with a row of every kind."""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_text("".join(f"{line}\n" for line in LIST))
    return path


@pytest.fixture
def other_world() -> RecordingWorld:
    return RecordingWorld()


@pytest.fixture
def other(other_world: RecordingWorld) -> Iterator[ServerThread]:
    """Another server than `server`."""
    with ServerThread(create_app(other_world, TOKEN)) as thread:
        yield thread


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first failure of a question be the last."""
    monkeypatch.setattr(pacing, "MOST_TRIES", 1)


def write_run(
    paths: Paths, server: str, said: Sequence[Said] = KNOWN, state: RunState = RunState.DONE, region: str = "US"
) -> int:
    """Write a run straight into the ledger; whatever of it is begun has no driver any more."""
    with closing(Ledger(paths.ledger)) as ledger, closing(Reader(paths.ledger)) as reader:
        run_id = ledger.add_run(RunOptions(server, region, "no_wait", False, 500, "shop"))
        rows = [single(line, each.input) for line, each in enumerate(said, 2)]
        add_source(ledger, Import(run_id, "list.csv", region), None, rows)
        if state is RunState.DRAFT:
            return run_id
        driver = Driver(paths.locks)
        ledger.start(run_id, driver)
        ids = {row.input: row.number_id for row in reader.rows(run_id)}
        for each in said:
            number_id = ids[each.input]
            if each.status != QUEUED and number_id is not None:
                answer = Answered(number_id, each.status, each.status in FINAL, each.wa_id)
                ledger.answered(run_id, ledger.asked(run_id, [number_id]).ask_id, [answer], each.version)
                answer_earlier(paths, run_id, number_id, each.days)
        if state is not RunState.RUNNING:
            ledger.end(run_id, state)
        driver.close()
        return run_id


def answer_earlier(paths: Paths, run_id: int, number_id: int, days: float) -> None:
    with closing(sqlite3.connect(paths.ledger)) as database, database:
        database.execute(
            "UPDATE number SET checked_at = ? WHERE run_id = ? AND number_id = ?",
            (time.time() - days * DAY_SECONDS, run_id, number_id),
        )


def record_of(paths: Paths, run_id: int) -> RunRecord:
    with closing(Reader(paths.ledger)) as reader:
        return reader.run(run_id)


def states(watui: Watui) -> dict[int, str]:
    """Return the state of each run, as the list says."""
    return {row["run_id"]: row["state"] for row in rows_of(watui("runs"))}


def rows_of(ended: Ended) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ended.out.splitlines()]


def texts_asked(world: RecordingWorld) -> list[str]:
    return [text for inputs in world.requests for text in inputs]


# Nothing there, nothing meant


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "There is no run yet"),
        (["list"], "There is no run yet"),
        (["resume"], "There is nothing to resume"),
        (["resume", "--output", "rows.csv"], "There is nothing to resume"),
    ],
    ids=repr,
)
def test_where_nothing_was_checked_yet_it_says_so(watui: Watui, arguments: list[str], words: str) -> None:
    ended = watui("runs", *arguments)
    assert (ended.code, ended.out) == (Exit.DONE, "")
    assert words in ended.err
    assert not Path("rows.csv").exists()


@pytest.mark.parametrize(
    "arguments",
    [["show", "9"], ["resume", "9"], ["export", "9"], ["compare", "9", "1"], ["compare", "1", "9"], ["recheck", "9"]],
    ids=repr,
)
def test_a_run_that_is_not_there_is_named(
    watui: Watui, paths: Paths, server: ServerThread, arguments: list[str]
) -> None:
    write_run(paths, server.url)
    ended = watui("runs", *arguments)
    assert_one_sentence(ended, Exit.USAGE)
    assert "there is no run 9" in ended.err
    assert states(watui) == {1: "done"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["delete", "1"], "delete"),
        (["--format", "xml"], "--format"),
        (["list", "--format", "xml"], "xml"),
        (["list", "1"], "unexpected extra argument"),
        (["show"], "Missing argument"),
        (["show", "x"], "not a valid integer"),
        (["show", "0"], "not in the range"),
        (["resume", "-1"], "-1"),
        (["resume", "1", "2"], "unexpected extra argument"),
        (["resume", "1", "--region", "IN"], "--region"),
        (["resume", "1", "--url", "wa.example.com"], "http"),
        (["resume", "1", "--url", "http://127.0.0.1:1", "--profile", "simulator"], "leave one out"),
        (["resume", "1", "--profile", "nobody"], "no profile nobody"),
        (["resume", "1", "--follow", "--format", "csv"], "--follow"),
        (["resume", "1", "--give-up-after", "0"], "give-up-after"),
        (["resume", "1", "--output", "no/such/folder/rows"], "no folder"),
        (["resume", "1", "--output", "."], "directory"),
        (["export"], "Missing argument"),
        (["export", "1", "--format", "pdf"], "pdf"),
        (["export", "1", "--format", "xlsx"], "--output"),
        (["export", "1", "--output", "rows.odt"], "--format"),
        (["export", "1", "--output", "rows"], "--format"),
        (["export", "1", "--output", "no/such/folder/rows.csv"], "no folder"),
        (["export", "1", "--output", "."], "--format"),
        (["export", "1", "--format", "csv", "--output", "."], "directory"),
        (["compare", "1"], "Missing argument"),
        (["compare", "1", "x"], "not a valid integer"),
        (["compare", "1", "1", "--format", "xlsx"], "xlsx"),
        (["recheck"], "Missing argument"),
        (["recheck", "1", "--older-than", "-1"], "older-than"),
        (["recheck", "1", "--older-than", "week"], "older-than"),
        (["recheck", "1", "--older-than", "nan"], "older-than"),
        (["recheck", "1", "--region", "IN"], "--region"),
        (["recheck", "1", "--url", "wa.example.com"], "http"),
        (["recheck", "1", "--profile", "nobody"], "no profile nobody"),
        (["recheck", "1", "--dry-run", "--profile", "nobody"], "no profile nobody"),
        (["recheck", "1", "--output", "no/such/folder/rows"], "no folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_line_that_cannot_work_is_a_usage_error_and_changes_nothing(
    watui: Watui, server: ServerThread, world: RecordingWorld, paths: Paths, arguments: list[str], words: str
) -> None:
    write_run(paths, server.url, state=RunState.RUNNING)
    before = record_of(paths, 1)
    ended = watui("runs", *arguments)
    assert_one_sentence(ended, Exit.USAGE)
    assert words in ended.err
    assert (world.requests, states(watui)) == ([], {1: "unfinished"})
    assert record_of(paths, 1) == before


# The list, and one of it


@pytest.mark.parametrize(
    ("state", "is_held", "word"),
    [
        (RunState.DRAFT, False, "draft"),
        (RunState.RUNNING, True, "running"),
        (RunState.RUNNING, False, "unfinished"),
        (RunState.DONE, False, "done"),
        (RunState.CANCELLED, False, "cancelled"),
    ],
)
def test_every_state_has_a_word_in_the_list_and_alone(
    watui: Watui, paths: Paths, ledger: Ledger, driver: Driver, state: RunState, is_held: bool, word: str
) -> None:
    run_id = write_run(paths, "http://wa.example.com", state=state)
    if is_held:
        ledger.start(run_id, driver)
    (row,) = rows_of(watui("runs", "list"))
    assert row["state"] == word
    assert rows_of(watui("runs", "show", "1", "--format", "jsonl")) == [row]
    heading, line = watui("runs", "list", "--format", "table").out.splitlines()
    assert (heading.split().index("state"), word in line.split()) == (1, True)
    shown = watui("runs", "show", "1")
    assert shown.code == Exit.DONE
    assert shown.out.startswith(f"Run 1: {word}, from list.csv, at shop\n")
    assert ("watui runs resume 1" in shown.out) == (word == "unfinished")


def test_a_driver_that_ends_leaves_its_run_unfinished_at_once(watui: Watui, paths: Paths, ledger: Ledger) -> None:
    run_id, driver = write_run(paths, "http://wa.example.com", state=RunState.DRAFT), Driver(paths.locks)
    ledger.start(run_id, driver)
    assert states(watui) == {1: "running"}
    driver.close()
    assert states(watui) == {1: "unfinished"}


def test_the_list_begins_with_the_latest_and_counts_add_up(watui: Watui, paths: Paths) -> None:
    for state in (RunState.DONE, RunState.DRAFT, RunState.RUNNING):
        write_run(paths, "http://wa.example.com", state=state)
    ended = watui("runs")
    assert (ended.code, ended.err) == (Exit.DONE, "")
    rows = rows_of(ended)
    assert [row["run_id"] for row in rows] == [3, 2, 1]
    assert all(tuple(row) == RunRow.__struct_fields__ for row in rows)
    assert all(row["valid"] + row["invalid"] + row["failed"] + row["left"] == row["numbers"] == 5 for row in rows)
    assert all((row["rows"], row["rejected"]) == (len(KNOWN), 1) for row in rows)
    assert [(row["valid"], row["invalid"], row["failed"], row["left"]) for row in rows] == [
        (1, 1, 1, 2), (0, 0, 0, 5), (1, 1, 1, 2),
    ]  # fmt: skip
    unfinished, draft, done = rows
    assert [row["server_version"] for row in rows] == ["v2.41", None, "v2.41"]
    assert all(row["created_at"].endswith("+00:00") for row in rows)
    assert (draft["started_at"], draft["ended_at"], unfinished["ended_at"]) == (None, None, None)
    assert done["created_at"] <= done["started_at"] <= done["ended_at"]
    assert {(row["profile"], row["server"], row["region"]) for row in rows} == {("shop", "http://wa.example.com", "US")}


def test_the_list_as_a_table_and_as_csv(watui: Watui, paths: Paths) -> None:
    write_run(paths, "http://wa.example.com", state=RunState.RUNNING)
    heading, line = watui("runs", "list", "--format", "table").out.splitlines()
    assert heading.startswith("run  state      source               numbers valid   invalid failed left")
    assert heading.endswith("    begun (UTC)      version  at")
    cells = line.split()
    assert cells[:8] == ["1", "unfinished", "list.csv", "5", "1", "1", "1", "2"]
    assert cells[-2:] == ["v2.41", "shop"]
    (row,) = csv.DictReader(io.StringIO(watui("runs", "list", "--format", "csv").out))
    assert tuple(row) == RunRow.__struct_fields__
    assert (row["run_id"], row["state"], row["left"]) == ("1", "unfinished", "2")


def test_one_run_is_shown_in_words(watui: Watui, paths: Paths, ledger: Ledger) -> None:
    write_run(paths, "http://wa.example.com", state=RunState.RUNNING)
    ledger.asked(1, [5])
    ended = watui("runs", "show", "1")
    assert (ended.code, ended.err) == (Exit.DONE, "")
    assert "7 rows, 1 rejected, 5 distinct numbers: 1 failed, 1 invalid, 1 processing, 1 queued, 1 valid" in ended.out
    assert "2 numbers left; at most 1 is asked twice. 'watui runs resume 1' goes on." in ended.out
    assert re.search(r"^imported \S+\+00:00, begun \S+\+00:00$", ended.out, re.MULTILINE)


# Resuming


def test_the_latest_unfinished_run_is_resumed_and_never_a_draft_or_one_that_is_driven(
    watui: Watui, server: ServerThread, paths: Paths, ledger: Ledger, driver: Driver
) -> None:
    for number, state in enumerate((RunState.RUNNING, RunState.RUNNING, RunState.DONE, RunState.DRAFT)):
        write_run(paths, server.url, [Said(f"+1 212 555 237{number}")], state)
    held = write_run(paths, server.url, [Said("+1 212 555 2379")], RunState.DRAFT)
    ledger.start(held, driver)
    for run_id in (2, 1):
        ended = watui("runs", "resume")
        assert ended.code == Exit.DONE, ended.err
        assert ended.err.startswith(f"Run {run_id} at 127.0.0.1:{server.port}: 1 number left.")
        assert [row["input"] for row in rows_of(ended)] == [f"+1 212 555 237{run_id - 1}"]
    ended = watui("runs", "resume")
    assert (ended.code, ended.out) == (Exit.DONE, "")
    assert ended.err.startswith("There is nothing to resume.")
    assert states(watui) == {5: "running", 4: "draft", 3: "done", 2: "done", 1: "done"}


def test_a_draft_of_a_dry_run_begins_when_it_is_named(
    watui: Watui, source: Path, server: ServerThread, world: RecordingWorld
) -> None:
    watui("check", str(source), "--url", server.url, "--dry-run")
    ended = watui("runs", "resume", "1")
    assert ended.code == Exit.DONE, ended.err
    assert texts_asked(world) == [VALID, INVALID, FAILED]
    assert [row["line"] for row in rows_of(ended)] == [2, 3, 4, 5, 6]
    assert states(watui) == {1: "done"}


@pytest.mark.parametrize(("state", "code"), [(RunState.DONE, Exit.DONE), (RunState.CANCELLED, Exit.UNFINISHED)])
def test_a_run_that_has_ended_is_not_asked_and_its_rows_are_printed(
    watui: Watui, server: ServerThread, world: RecordingWorld, paths: Paths, state: RunState, code: Exit
) -> None:
    write_run(paths, server.url, state=state)
    ended = watui("runs", "resume", "1")
    assert (ended.code, len(rows_of(ended)), world.requests) == (code, len(KNOWN), [])
    assert f"Run 1 is {state}: nothing is asked." in ended.err
    assert states(watui) == {1: state.value}


def test_what_is_answered_is_not_asked_again(
    watui: Watui, server: ServerThread, world: RecordingWorld, paths: Paths, ledger: Ledger
) -> None:
    write_run(paths, server.url, state=RunState.RUNNING)
    ledger.asked(1, [5])
    with closing(Reader(paths.ledger)) as reader:
        before = {row.input: row for row in reader.rows(1)}
        ended = watui("runs", "resume")
        assert ended.code == Exit.DONE, ended.err
        after = {row.input: row for row in reader.rows(1)}
    assert "2 numbers left; at most 1 is asked twice." in ended.err
    assert sorted(texts_asked(world)) == ["+1 212 555 2371", "+1 212 555 2372"]
    assert all(after[text] == row for text, row in before.items() if row.status in FINAL)
    assert "2 requests sent." in ended.err


def test_a_run_that_was_cut_short_after_its_last_answer_ends_without_asking(watui: Watui, paths: Paths) -> None:
    write_run(paths, nowhere(), KNOWN[:5], RunState.RUNNING)
    ended = watui("runs", "resume")
    assert ended.code == Exit.DONE, ended.err
    assert "0 numbers left." in ended.err
    assert "0 requests sent." in ended.err
    assert [row["line"] for row in rows_of(ended)] == [2, 3, 4, 5, 6]
    assert states(watui) == {1: "done"}


@pytest.mark.parametrize("format_", ["jsonl", "csv", "table"])
@pytest.mark.parametrize("into_file", [False, True])
def test_what_is_resumed_prints_every_row_as_an_undisturbed_check_does(
    watui: Watui, source: Path, server: ServerThread, tmp_path: Path, paths: Paths, format_: str, into_file: bool
) -> None:
    arguments = ["--url", server.url, "--format", format_]
    undisturbed = watui("check", str(source), *arguments)
    known = [Said(VALID, "valid", "12125552370"), *map(Said, LIST[2:])]
    write_run(paths, server.url, known, RunState.RUNNING)
    target = tmp_path / "rows"
    ended = watui("runs", "resume", "2", *arguments[2:], *(["--output", str(target)] if into_file else []))
    assert ended.code == Exit.DONE, ended.err
    printed = target.read_bytes().decode() if into_file else ended.out
    assert (ended.out == "") == into_file
    assert ("5 rows written" in ended.err) == into_file
    assert len(printed.splitlines()) == (5 if format_ == "jsonl" else 6)
    assert without_times(printed) == without_times(undisturbed.out)


def without_times(text: str) -> str:
    return re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+\+00:00", "TIME", text)


def test_the_ending_of_the_output_says_its_format(
    watui: Watui, server: ServerThread, tmp_path: Path, paths: Paths
) -> None:
    write_run(paths, server.url, state=RunState.RUNNING)
    target = tmp_path / "rows.csv"
    target.write_text("old")
    assert watui("runs", "resume", "--output", str(target)).code == Exit.DONE
    with target.open(newline="") as file:
        assert [row["line"] for row in csv.DictReader(file)] == [str(line) for line in range(2, 9)]


def test_follow_prints_what_changes_from_then_on(watui: Watui, server: ServerThread, paths: Paths) -> None:
    write_run(paths, server.url, state=RunState.RUNNING)
    rows = rows_of(watui("runs", "resume", "--follow"))
    assert [row["line"] for row in rows[:5]] == [2, 3, 4, 5, 6], "what was known before comes first"
    assert sorted((row["line"], row["status"]) for row in rows[5:]) == [(7, "valid"), (8, "valid")]


# The server of a run


def test_a_run_goes_on_at_its_own_server_with_nothing_said(
    watui: Watui, source: Path, server: ServerThread, world: RecordingWorld, other_world: RecordingWorld
) -> None:
    world.base = Conditions(latency=Latency(1000, 2000))
    world.reset(START)
    ended = watui("check", str(source), "--url", server.url, "--region", "IN", "--give-up-after", "0.3")
    assert ended.code == Exit.UNFINISHED
    assert "'watui runs resume 1' asks about what is open." in ended.err
    assert states(watui) == {1: "unfinished"}
    world.base = Conditions(latency=None)
    world.reset(START)
    ended = watui("runs", "resume")
    assert ended.code == Exit.DONE, ended.err
    assert len(rows_of(ended)) == 5
    assert {row["region"] for row in rows_of(ended) if row["line"] == 3} == {"IN"}, "nor does its region change"
    assert other_world.requests == []


def test_another_server_is_asked_when_it_is_named_and_that_time_alone(
    watui: Watui,
    server: ServerThread,
    other: ServerThread,
    world: RecordingWorld,
    other_world: RecordingWorld,
    paths: Paths,
) -> None:
    write_run(paths, server.url, state=RunState.RUNNING)
    other_world.base = Conditions(latency=Latency(1000, 2000))
    other_world.reset(START)
    ended = watui("runs", "resume", "--url", other.url, "--give-up-after", "0.3")
    assert ended.code == Exit.UNFINISHED
    assert (world.requests, len(other_world.requests)) == ([], 2)
    options = record_of(paths, 1).options
    assert (options.server, options.profile) == (server.url, "shop")
    ended = watui("runs", "resume")
    assert ended.code == Exit.DONE, ended.err
    assert f"Run 1 at 127.0.0.1:{server.port}" in ended.err
    assert (len(world.requests) > 0, len(other_world.requests)) == (True, 2)


def test_a_run_knows_its_profile_and_stays_at_its_server_when_that_moves(
    watui: Watui,
    server: ServerThread,
    other: ServerThread,
    world: RecordingWorld,
    other_world: RecordingWorld,
    paths: Paths,
) -> None:
    def settle(url: str) -> None:
        paths.settings.parent.mkdir(parents=True, exist_ok=True)
        paths.settings.write_text(f'[profiles.shop]\nurl = "{url}"\n')

    for run_id, url, name in ((1, server.url, "shop"), (2, other.url, f"127.0.0.1:{server.port}")):
        settle(url)
        write_run(paths, server.url, state=RunState.RUNNING)
        ended = watui("runs", "resume", str(run_id))
        assert ended.code == Exit.DONE, ended.err
        assert ended.err.startswith(f"Run {run_id} at {name}: ")
    assert (len(world.requests), other_world.requests) == (4, [])


def test_a_run_at_the_embedded_simulator_goes_on_there(watui: Watui) -> None:
    watui("check", "--number", FAILED, "--dry-run")
    ended = watui("runs", "resume", "1")
    assert ended.code == Exit.DONE, ended.err
    assert ended.err.startswith("Run 1 at simulator: ")
    assert [row["status"] for row in rows_of(ended)] == ["failed"]


# Where it cannot go on


@pytest.mark.parametrize("arguments", [["1"], ["1", "--output", "rows.jsonl"]], ids=repr)
def test_a_run_that_somebody_else_drives_is_refused(
    watui: Watui,
    server: ServerThread,
    world: RecordingWorld,
    paths: Paths,
    ledger: Ledger,
    driver: Driver,
    arguments: list[str],
) -> None:
    write_run(paths, server.url, state=RunState.RUNNING)
    ledger.start(1, driver)
    before = record_of(paths, 1)
    ended = watui("runs", "resume", *arguments)
    assert_one_sentence(ended, Exit.USAGE)
    assert "another process asks about run 1 right now" in ended.err
    assert "'watui runs show 1'" in ended.err
    assert (world.requests, record_of(paths, 1)) == ([], before)
    assert not Path("rows.jsonl").exists()
    assert states(watui) == {1: "running"}


@pytest.mark.usefixtures("impatient")
def test_an_unreachable_server_leaves_the_run_as_it_was(
    watui: Watui, server: ServerThread, paths: Paths, tmp_path: Path
) -> None:
    write_run(paths, nowhere(), state=RunState.RUNNING)
    ended = watui("runs", "resume")
    assert ended.code == Exit.UNREACHABLE
    assert "cannot reach 127.0.0.1" in ended.err.splitlines()[-1]
    assert [row["status"] for row in rows_of(ended)] == [
        "valid", "valid", "rejected", "invalid", "failed", "processing", "queued",
    ]  # fmt: skip
    assert states(watui) == {1: "unfinished"}
    assert watui("runs", "resume", "--url", server.url).code == Exit.DONE


def test_a_refused_token_leaves_the_run_as_it_was(
    watui: Watui, server: ServerThread, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(paths, server.url, state=RunState.RUNNING)
    monkeypatch.setenv("WATUI_TOKEN", "canary-token")
    ended = watui("runs", "resume")
    assert ended.code == Exit.REFUSED
    assert "canary-token" not in ended.err + ended.out
    assert states(watui) == {1: "unfinished"}
    monkeypatch.setenv("WATUI_TOKEN", TOKEN)
    assert watui("runs", "resume").code == Exit.DONE


def test_numbers_that_never_end_leave_the_run_unfinished_and_may_be_asked_as_a_new_one(
    watui: Watui, server: ServerThread, world: RecordingWorld, paths: Paths
) -> None:
    world.base = Conditions(latency=None, stuck=1.0)
    world.reset(START)
    write_run(paths, server.url, state=RunState.RUNNING)
    for _ in range(2):
        ended = watui("runs", "resume", "--give-up-after", "0.3")
        assert ended.code == Exit.UNFINISHED
        assert "Gave up after 0.3 seconds." in ended.err
        assert "2 processing" in ended.err
        assert states(watui) == {1: "unfinished"}
    with closing(sqlite3.connect(paths.ledger)) as database, database:
        database.execute("UPDATE number SET polls = ? WHERE status = 'processing'", (STUCK_POLLS,))
    words = f"Stuck, without a verdict after {STUCK_POLLS} answers or more: 2"
    assert words in watui("runs", "show", "1").out
    ended = watui("runs", "resume", "--give-up-after", "0.3")
    assert f"{words}. 'watui runs cancel 1' sets them aside." in ended.err
    assert [row["problem"] for row in rows_of(ended) if row["status"] == "processing"] == [
        f"stuck: no verdict in {STUCK_POLLS + 1} answers"
    ] * 2
    assert watui("runs", "cancel", "1").code == Exit.DONE
    world.base = Conditions(latency=None)
    world.reset(START)
    ended = watui("runs", "recheck", "1", "--open")
    assert (ended.code, [row["line"] for row in rows_of(ended)]) == (Exit.DONE, [7, 8])


# Exporting


def test_a_run_is_exported_in_every_format(watui: Watui, paths: Paths, tmp_path: Path) -> None:
    write_run(paths, "http://wa.example.com")
    rows = rows_of(watui("runs", "export", "1", "--format", "jsonl"))
    assert all(tuple(row) == COLUMNS for row in rows)
    assert [(row["line"], row["input"]) for row in rows] == list(enumerate((each.input for each in KNOWN), 2))
    assert [row["status"] for row in rows] == [
        "valid", "valid", "rejected", "invalid", "failed", "processing", "queued",
    ]  # fmt: skip
    numbers = [f"+1212555{end}" for end in (2370, 2368)] + [FAILED] + [f"+1212555{end}" for end in (2371, 2372)]
    expected = {
        Format.NUMBERS: "".join(f"{number}\n" for number in numbers),
        Format.WA_IDS: "12125552370\n",
        Format.BODY: json.dumps({"blocking": "no_wait", "contacts": numbers}, separators=(",", ":")) + "\n",
    }
    for format_, text in expected.items():
        assert watui("runs", "export", "1", "--format", format_.value) == (Exit.DONE, text, "")
    as_csv = watui("runs", "export", "1")
    assert watui("runs", "export", "1", "--format", "csv") == as_csv
    table = list(csv.reader(io.StringIO(as_csv.out)))
    assert [tuple(line) for line in table] == [COLUMNS, *(tuple(map(_spreadsheet_safe, row.values())) for row in rows)]
    sheet = tmp_path / "rows.xlsx"
    assert watui("runs", "export", "1", "--output", str(sheet)).code == Exit.DONE
    cells = CalamineWorkbook.from_path(str(sheet)).get_sheet_by_index(0).to_python()
    assert [tuple(line) for line in cells] == [COLUMNS, *(tuple(map(_cell, row.values())) for row in rows)]


def _spreadsheet_safe(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith("+") and not text[1:].isdecimal() else text


def _cell(value: object) -> object:
    return "" if value is None else value


@pytest.mark.parametrize("format_", [each for each in Format if each is not Format.XLSX])
@pytest.mark.parametrize("raw", [[], ["--raw"]], ids=["safe", "raw"])
def test_a_file_holds_what_standard_output_gets(
    watui: Watui, paths: Paths, tmp_path: Path, format_: Format, raw: list[str]
) -> None:
    hostile = ("\x1b[31mnone\x1b[0m", "=1+1 none", "caf\xe9 1,2\u202e", '"7"')
    write_run(paths, "http://wa.example.com", [*KNOWN, *map(Said, hostile)])
    target = tmp_path / "rows"
    arguments = ["runs", "export", "1", "--format", format_.value, *raw]
    ended = watui(*arguments, "--output", str(target))
    assert (ended.code, ended.out) == (Exit.DONE, "")
    assert re.fullmatch(rf"\d+ \w+ written to {re.escape(str(target))}\n", ended.err)
    assert watui(*arguments).out == target.read_bytes().decode()


def test_raw_csv_leaves_cells_as_they_are(watui: Watui, paths: Paths) -> None:
    write_run(paths, "http://wa.example.com", [Said("=1+1"), Said(VALID)])
    for raw, expected in (([], ["'=1+1", f"'{VALID}"]), (["--raw"], ["=1+1", VALID])):
        found = csv.DictReader(io.StringIO(watui("runs", "export", "1", *raw).out))
        assert [row["input"] for row in found] == expected


@pytest.mark.parametrize(
    ("ending", "format_"),
    [(".csv", "csv"), (".CSV", "csv"), (".jsonl", "jsonl"), (".txt", "numbers"), (".json", "body"), (".odt", None)],
)
def test_the_ending_of_a_file_stands_for_its_format_unless_one_is_named(
    watui: Watui, paths: Paths, tmp_path: Path, ending: str, format_: str | None
) -> None:
    write_run(paths, "http://wa.example.com")
    target = tmp_path / f"rows{ending}"
    if format_ is not None:
        assert watui("runs", "export", "1", "--output", str(target)).code == Exit.DONE
        assert target.read_bytes().decode() == watui("runs", "export", "1", "--format", format_).out
    named = watui("runs", "export", "1", "--format", "wa_ids", "--output", str(target), "--replace")
    assert (named.code, target.read_text()) == (Exit.DONE, "12125552370\n")
    assert named.err == f"1 wa_id written to {target}\n"


def test_a_file_that_is_there_stays_unless_it_is_to_be_replaced(watui: Watui, paths: Paths, tmp_path: Path) -> None:
    write_run(paths, "http://wa.example.com")
    target = tmp_path / "rows.csv"
    target.write_text("old")
    ended = watui("runs", "export", "1", "--output", str(target))
    assert_one_sentence(ended, Exit.USAGE)
    assert f"{target} is there already" in ended.err
    assert target.read_text() == "old"
    assert watui("runs", "export", "1", "--output", str(target), "--replace").code == Exit.DONE
    assert len(target.read_text().splitlines()) == 8
    assert {path.name for path in tmp_path.iterdir()} == {"rows.csv", "home"}


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        (["--search", "2370"], [2, 3]),
        (["--search", "NO DIGITS"], [4]),
        (["--search", "rejected"], [4]),
        (["--search", "555 2368", "--status", "invalid"], [5]),
        (["--search", "555 2368", "--status", "valid"], []),
        (["--status", "rejected"], [4]),
        (["--status", "valid"], [2, 3]),
        (["--search", "nothing"], []),
        (["--sort", "given"], [2, 3, 4, 5, 6, 7, 8]),
        (["--sort", "status"], [2, 3, 5, 6, 7, 8, 4]),
        (["--sort", "latest"], [7, 6, 5, 2, 3, 4, 8]),
        (["--sort", "latest", "--status", "valid", "--search", "2370"], [2, 3]),
    ],
    ids=repr,
)
def test_what_is_filtered_is_exported(watui: Watui, paths: Paths, arguments: list[str], lines: list[int]) -> None:
    write_run(paths, "http://wa.example.com")
    ended = watui("runs", "export", "1", "--format", "jsonl", *arguments)
    assert (ended.code, [row["line"] for row in rows_of(ended)]) == (Exit.DONE, lines)


def test_a_status_selects_the_rows_that_are_written_with_it(watui: Watui, paths: Paths, ledger: Ledger) -> None:
    """Also where a number was asked and the answer never came, which counts as processing."""
    said = [*KNOWN, Said("+1 212 555 2373"), Said("+1 212 555 2374", "pending")]
    write_run(paths, "http://wa.example.com", said, RunState.RUNNING)
    ledger.asked(1, [6])
    rows = rows_of(watui("runs", "export", "1", "--format", "jsonl"))
    statuses = {row["status"] for row in rows}
    assert statuses == {"valid", "invalid", "failed", "processing", "queued", "rejected", "pending"}
    for status in statuses:
        selected = rows_of(watui("runs", "export", "1", "--format", "jsonl", "--status", status))
        assert selected == [row for row in rows if row["status"] == status], status


@pytest.mark.parametrize(
    ("versions", "warns"),
    [
        (["v2.41"], False),
        (["v2.35.4", "v2.41"], False),
        (["v2.42"], True),
        (["v2.45.1"], True),
        ([None], True),
        (["elephant"], True),
        (["v2.41", "v2.45.1"], True),
        ([], False),
    ],
    ids=repr,
)
@pytest.mark.parametrize("into_file", [False, True])
def test_wa_ids_that_may_not_be_real_carry_the_warning(
    watui: Watui, paths: Paths, tmp_path: Path, versions: list[str | None], warns: bool, into_file: bool
) -> None:
    said = [
        Said(f"+1212555237{place}", "valid", f"1212555237{place}", version=version)
        for place, version in enumerate(versions)
    ]
    write_run(paths, "http://wa.example.com", [*said, Said("+12125552379")])
    place = ["--output", str(tmp_path / "ids")] if into_file else []
    ended = watui("runs", "export", "1", "--format", "wa_ids", *place)
    assert ended.code == Exit.DONE
    assert ("should not be used in later calls" in ended.err) == warns
    text = (tmp_path / "ids").read_text() if into_file else ended.out
    assert text == "".join(f"{each.wa_id}\n" for each in said)
    others = [watui("runs", "export", "1", "--format", each).err for each in ("csv", "jsonl", "numbers", "body")]
    assert others == [*[ended.err.splitlines()[0] + "\n" if warns else ""] * 2, "", ""]


@pytest.mark.parametrize("version", [*KNOWN_VERSIONS, "nightly", None])
def test_a_run_claims_accounts_only_where_the_version_of_its_answers_does(
    watui: Watui, paths: Paths, version: str | None
) -> None:
    said = [Said("+12125552370", "valid", version=version), Said("+12125552371", "invalid", version=version)]
    write_run(paths, "http://wa.example.com", said)
    for arguments in (["show", "1"], ["compare", "1", "1"]):
        ended = watui("runs", *arguments)
        words = ended.out + ended.err
        claims, denies = ("has a WhatsApp account" in words, "says nothing about an account" in words)
        assert (claims, denies) == (meaning(version).claims_account, not meaning(version).claims_account)


def test_a_body_holds_no_more_than_a_request_takes(watui: Watui, paths: Paths) -> None:
    write_run(paths, "http://wa.example.com", [Said(f"+1212555{end}") for end in range(2000, 3100)])
    bodies = [json.loads(line) for line in watui("runs", "export", "1", "--format", "body").out.splitlines()]
    assert [len(body["contacts"]) for body in bodies] == [1000, 100]
    assert [number for body in bodies for number in body["contacts"]] == [f"+1212555{end}" for end in range(2000, 3100)]


@pytest.mark.parametrize(
    "arguments",
    [
        ["runs"],
        ["runs", "list", "--format", "csv"],
        ["runs", "show", "1"],
        ["runs", "show", "1", "--format", "jsonl"],
        ["runs", "export", "1"],
        ["runs", "export", "1", "--raw"],
        ["runs", "export", "1", "--format", "jsonl"],
        ["runs", "export", "1", "--format", "wa_ids"],
        ["runs", "compare", "1", "1", "--all"],
        ["runs", "compare", "1", "1", "--all", "--format", "csv"],
    ],
    ids=" ".join,
)
def test_nothing_that_a_terminal_would_obey_reaches_one(
    watui: Watui, paths: Paths, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    hostile = "\x1b]0;owned\x07\x9b31m\u202e"
    said = [
        Said(f"{hostile}1"),
        Said(f"+1 212 555 2370 \u202e{hostile[-1]}", "valid", f"{hostile}1"),
        Said("1 1", f"odd{hostile}"),
    ]
    run_id = write_run(paths, "http://wa.example.com", said, RunState.RUNNING)
    with closing(sqlite3.connect(paths.ledger)) as database, database:
        database.execute("UPDATE source SET name = ? WHERE run_id = ?", (f"{hostile}.csv", run_id))
        database.execute("UPDATE run SET profile = ?, server_version = ?", (hostile, f"v2{hostile}"))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    ended = watui(*arguments)
    assert ended.code == Exit.DONE, ended.err
    assert ended.out.splitlines()
    assert [each for each in ended.out + ended.err if not each.isprintable() and each != "\n"] == []


@pytest.mark.parametrize(
    "arguments", [["list"], ["show", "1"], ["export", "1"], ["compare", "1", "1", "--all"]], ids=" ".join
)
def test_a_reader_that_goes_away_is_no_crash(paths: Paths, arguments: list[str]) -> None:
    write_run(paths, "http://wa.example.com")
    with start("runs", *arguments) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert "Traceback" not in running.stderr.read()
        assert running.wait(SECONDS) == Exit.UNHEARD


# Comparing


class Case(NamedTuple):
    """A number as two runs know it, and what that comes to."""

    before: tuple[str, str | None] | None
    """Its status and wa_id; None where the run does not have it."""
    after: tuple[str, str | None] | None
    change: Change
    version: str = "v2.41"
    """Of the server that answered later; v2.41 did before."""


CASES = (
    Case(("invalid", None), ("valid", "1"), Change.NEWLY_VALID),
    Case(("failed", None), ("valid", "1"), Change.NEWLY_VALID),
    Case(("processing", None), ("valid", "1"), Change.NEWLY_VALID),
    Case((QUEUED, None), ("valid", "1"), Change.NEWLY_VALID),
    Case(("valid", "1"), ("invalid", None), Change.GONE),
    Case(("valid", "1"), ("failed", None), Change.STATUS),
    Case(("valid", "1"), ("invalid", None), Change.INCOMPARABLE, "v2.42"),
    Case(("invalid", None), ("valid", "1"), Change.INCOMPARABLE, "v2.45.1"),
    Case(("failed", None), ("valid", "1"), Change.NEWLY_VALID, "v2.45.1"),
    Case(("valid", "1"), ("valid", "1"), Change.NONE, "v2.45.1"),
    Case(("valid", "1"), ("valid", "2"), Change.WA_ID),
    Case(("valid", "1"), ("valid", None), Change.WA_ID),
    Case(("valid", "1"), ("processing", None), Change.OPEN),
    Case(("valid", "1"), (QUEUED, None), Change.OPEN),
    Case(("valid", "1"), ("pending", None), Change.OPEN),
    Case(("invalid", None), ("failed", None), Change.STATUS),
    Case(("processing", None), ("invalid", None), Change.STATUS),
    Case(("valid", "1"), ("valid", "1"), Change.NONE),
    Case(("invalid", None), ("invalid", None), Change.NONE),
    Case(("processing", "1"), ("processing", None), Change.NONE),
    Case((QUEUED, None), (QUEUED, None), Change.NONE),
    Case(("valid", "1"), None, Change.REMOVED),
    Case((QUEUED, None), None, Change.REMOVED),
    Case(None, ("valid", "1"), Change.ADDED),
    Case(None, ("invalid", None), Change.ADDED),
)


def write_cases(paths: Paths) -> list[dict[str, Any]]:
    """Write two runs, the later one in another order and spelling; return what comparing them is to print."""
    before, after, expected = [], [], []
    for end, case in enumerate(CASES, 2000):
        if case.before is not None:
            before.append(Said(f"+1212555{end}", *case.before))
        if case.after is not None:
            after.append(Said(f"(212) 555-{end}", *case.after, version=case.version))
        statuses, wa_ids = zip(case.before or (None, None), case.after or (None, None), strict=True)
        spelled = f"+1212555{end}" if case.before is not None else f"(212) 555-{end}"
        versions = [
            version if status not in (None, QUEUED) else None
            for status, version in zip(statuses, ("v2.41", case.version), strict=True)
        ]
        values = [case.change.value, f"+1212555{end}", spelled, *statuses, *wa_ids, *versions]
        expected.append(dict(zip(PairRow.__struct_fields__, values, strict=True)))
    added = [each for each, case in zip(after[-2:], CASES[-2:], strict=True) if case.before is None]
    write_run(paths, "http://wa.example.com", before)
    write_run(paths, "http://wa.example.com", [*reversed(after[:-2]), Said("none"), *added])
    return expected


def test_the_cases_are_of_every_kind() -> None:
    assert {case.change for case in CASES} == set(Change)


@pytest.mark.parametrize("all_", [False, True])
def test_two_runs_are_compared_by_number(watui: Watui, paths: Paths, all_: bool) -> None:
    expected = write_cases(paths)
    ended = watui("runs", "compare", "1", "2", *(["--all"] if all_ else []))
    assert ended.code == Exit.DONE
    assert rows_of(ended) == [row for row in expected if all_ or row["change"] != Change.NONE]
    counts = Counter(case.change for case in CASES)
    changes = ", ".join(f"{counts[change]} {change}" for change in Change)
    assert ended.err == (f"{changes}.\nvalid at v2.42, v2.45.1: says nothing about an account; at v2.41: has one.\n")


def test_the_other_way_round_the_changes_are_the_other_way_round(watui: Watui, paths: Paths) -> None:
    write_cases(paths)
    forth = {row["number"]: row for row in rows_of(watui("runs", "compare", "1", "2", "--all"))}
    back = {row["number"]: row for row in rows_of(watui("runs", "compare", "2", "1", "--all"))}
    assert set(forth) == set(back)
    turned = {Change.ADDED: Change.REMOVED, Change.REMOVED: Change.ADDED}
    for number, row in forth.items():
        other = back[number]
        assert (row["before"], row["after"]) == (other["after"], other["before"])
        if (change := Change(row["change"])) in (*turned, Change.NONE, Change.WA_ID):
            assert other["change"] == turned.get(change, change)


def test_a_comparison_as_a_table_and_as_csv(watui: Watui, paths: Paths) -> None:
    expected = [row for row in write_cases(paths) if row["change"] != Change.NONE]
    read_back = list(csv.DictReader(io.StringIO(watui("runs", "compare", "1", "2", "--format", "csv").out)))
    assert [(row["change"], row["number"], row["before"]) for row in read_back] == [
        (row["change"], row["number"], row["before"] or "") for row in expected
    ]
    heading, *lines = watui("runs", "compare", "1", "2", "--format", "table").out.splitlines()
    assert heading.split() == ["change", "number", "before", "after", "wa_id", "before", "wa_id", "after"]
    assert len(lines) == len(expected)
    assert all(row["change"] in line and row["number"] in line for line, row in zip(lines, expected, strict=True))


def test_a_run_does_not_differ_from_itself(watui: Watui, paths: Paths) -> None:
    write_run(paths, "http://wa.example.com")
    assert watui("runs", "compare", "1", "1") == (
        Exit.DONE,
        "",
        "5 unchanged.\nvalid: has a WhatsApp account (v2.41).\n",
    )


def test_runs_of_two_countries_are_compared_with_a_word_of_caution(watui: Watui, paths: Paths) -> None:
    write_run(paths, "http://wa.example.com", [Said("2125552370")])
    write_run(paths, "http://wa.example.com", [Said("2125552370")], region="IN")
    ended = watui("runs", "compare", "1", "2")
    assert "different countries" in ended.err
    assert [row["change"] for row in rows_of(ended)] == ["removed", "added"]


def test_runs_without_a_number_have_nothing_to_compare(watui: Watui, paths: Paths) -> None:
    for _ in range(2):
        write_run(paths, "http://wa.example.com", [Said("none")], RunState.DRAFT)
    ended = watui("runs", "compare", "1", "2")
    assert (ended.code, ended.out) == (Exit.DONE, "")
    assert len(ended.err.strip()) > 10, "a sentence says that there is nothing"


# Asking anew

OLD_VALID, OLD_FAILED, FRESH_VALID = "+1 212 555 2370", "+163155588", "+1 212 555 2371"
FRESH_FAILED, OPEN, NEVER_ASKED = "+163155589", "+1 212 555 2372", "+1 212 555 2374"

AGED = (
    Said(OLD_VALID, "valid", "12125552370", days=7.1),
    Said(FRESH_VALID, "valid", "12125552371", days=6.9),
    Said("none"),
    Said("(212) 555-2370"),
    Said(OLD_FAILED, "failed", days=8),
    Said(FRESH_FAILED, "failed", days=1),
    Said(OPEN, "processing", days=9),
    Said(NEVER_ASKED),
    Said("212.555.2372"),
)
FIRST_LINE = 2

SELECTIONS = [
    ([], [OLD_VALID, OLD_FAILED, FRESH_FAILED, OPEN, NEVER_ASKED]),
    (["--failed"], [OLD_FAILED, FRESH_FAILED]),
    (["--open"], [OPEN, NEVER_ASKED]),
    (["--failed", "--open"], [OLD_FAILED, FRESH_FAILED, OPEN, NEVER_ASKED]),
    (["--older-than", "7"], [OLD_VALID, OLD_FAILED]),
    (["--older-than", "7.5"], [OLD_FAILED]),
    (["--older-than", "0"], [OLD_VALID, FRESH_VALID, OLD_FAILED, FRESH_FAILED]),
    (["--older-than", "7.5", "--open"], [OLD_FAILED, OPEN, NEVER_ASKED]),
    (["--older-than", "30", "--failed"], [OLD_FAILED, FRESH_FAILED]),
]


def expected_rows(numbers: Sequence[str]) -> list[tuple[int, str, int | None]]:
    """Return line, input and line of the first row with the same number, of all rows of these numbers in AGED."""
    first_lines: dict[str, int] = {}
    rows: list[tuple[int, str, int | None]] = []
    for line, each in enumerate(AGED, FIRST_LINE):
        end = each.input[-4:]
        if end in {number[-4:] for number in numbers}:
            first = first_lines.setdefault(end, line)
            rows.append((line, each.input, first if first != line else None))
    return rows


def places(ended: Ended) -> list[tuple[int, str, int | None]]:
    return [(row["line"], row["input"], row["duplicate_of"]) for row in rows_of(ended)]


@pytest.mark.parametrize(("arguments", "numbers"), SELECTIONS, ids=repr)
def test_what_is_asked_anew_is_a_run_of_its_own(
    watui: Watui,
    server: ServerThread,
    world: RecordingWorld,
    paths: Paths,
    arguments: list[str],
    numbers: list[str],
) -> None:
    write_run(paths, server.url, AGED)
    before = watui("runs", "export", "1", "--format", "jsonl").out
    ended = watui("runs", "recheck", "1", *arguments)
    assert ended.code == Exit.DONE, ended.err
    assert f"{len(numbers)} numbers of run 1, as run 2." in ended.err.replace("1 number of", "1 numbers of")
    assert texts_asked(world) == numbers
    assert places(ended) == expected_rows(numbers)
    assert {row["status"] for row in rows_of(ended)} <= FINAL
    assert watui("runs", "export", "1", "--format", "jsonl").out == before
    again, first = rows_of(watui("runs"))
    assert (again["rechecks"], first["rechecks"]) == (1, None)
    assert (again["state"], again["server"], again["region"], again["numbers"]) == (
        "done", server.url, "US", len(numbers),
    )  # fmt: skip


@pytest.mark.parametrize(("arguments", "numbers"), SELECTIONS[:3], ids=repr)
def test_a_dry_run_leaves_a_draft_that_is_asked_when_it_is_named(
    watui: Watui,
    server: ServerThread,
    world: RecordingWorld,
    paths: Paths,
    arguments: list[str],
    numbers: list[str],
) -> None:
    write_run(paths, server.url, AGED)
    ended = watui("runs", "recheck", "1", *arguments, "--dry-run")
    assert (ended.code, ended.out, world.requests) == (Exit.DONE, "", [])
    assert "'watui runs resume 2' asks." in ended.err
    assert states(watui) == {2: "draft", 1: "done"}
    drafted = watui("runs", "export", "2", "--format", "jsonl")
    assert places(drafted) == expected_rows(numbers)
    assert {row["status"] for row in rows_of(drafted)} == {QUEUED}
    assert "There is nothing to resume" in watui("runs", "resume").err
    ended = watui("runs", "resume", "2")
    assert ended.code == Exit.DONE, ended.err
    assert (texts_asked(world), places(ended)) == (numbers, expected_rows(numbers))
    assert states(watui) == {2: "done", 1: "done"}


@pytest.mark.parametrize("arguments", [[], ["--older-than", "30"], ["--failed"], ["--open"]], ids=repr)
def test_where_nothing_is_to_be_asked_anew_it_says_so(
    watui: Watui, server: ServerThread, world: RecordingWorld, paths: Paths, arguments: list[str]
) -> None:
    write_run(paths, server.url, [Said(VALID, "valid", "12125552370", days=1), Said("none")])
    ended = watui("runs", "recheck", "1", *arguments)
    assert (ended.code, ended.out, world.requests) == (Exit.DONE, "", [])
    assert ended.err == "Run 1 has nothing to ask again.\n"
    assert states(watui) == {1: "done"}


def test_what_is_asked_anew_is_asked_as_it_was_before(watui: Watui, paths: Paths) -> None:
    options = RunOptions("http://wa.example.com", "IN", "wait", True, 7, "shop")
    with closing(Ledger(paths.ledger)) as ledger:
        run_id = ledger.add_run(options)
        add_source(ledger, Import(run_id, "list.csv", "IN"), None, [single(1, "98765 43210"), single(2, "1")])
    assert watui("runs", "recheck", "1", "--dry-run").code == Exit.DONE
    found = record_of(paths, 2)
    assert found.options == RunOptions("http://wa.example.com", "IN", "wait", True, 7, "wa.example.com", rechecks=1)
    assert (found.numbers, found.doubtful) == (2, 1)
    with closing(Reader(paths.ledger)) as reader:
        assert [row.number for row in reader.rows(2)] == [row.number for row in reader.rows(1)]


@pytest.mark.parametrize("is_dry", [False, True])
def test_what_is_asked_anew_is_asked_at_the_server_that_is_named(
    watui: Watui,
    server: ServerThread,
    other: ServerThread,
    world: RecordingWorld,
    other_world: RecordingWorld,
    paths: Paths,
    is_dry: bool,
) -> None:
    write_run(paths, server.url, AGED)
    assert watui("runs", "recheck", "1", "--url", other.url, *(["--dry-run"] if is_dry else [])).code == Exit.DONE
    if is_dry:
        assert watui("runs", "resume", "2").code == Exit.DONE
    assert (world.requests, len(other_world.requests)) == ([], 1)
    assert record_of(paths, 2).options.server == other.url
    assert record_of(paths, 1).options.server == server.url


@pytest.mark.parametrize("arguments", [[], ["--dry-run"]], ids=repr)
def test_a_run_that_is_driven_is_not_asked_anew(
    watui: Watui,
    server: ServerThread,
    world: RecordingWorld,
    paths: Paths,
    ledger: Ledger,
    driver: Driver,
    arguments: list[str],
) -> None:
    write_run(paths, server.url, AGED, RunState.RUNNING)
    ledger.start(1, driver)
    ended = watui("runs", "recheck", "1", *arguments)
    assert_one_sentence(ended, Exit.USAGE)
    assert "run 1 is still asked" in ended.err
    assert (world.requests, states(watui)) == ([], {1: "running"})


def test_what_was_asked_anew_is_compared_with_what_was_known(watui: Watui, server: ServerThread, paths: Paths) -> None:
    write_run(paths, server.url, [Said(VALID, "invalid", days=8), Said(INVALID, "valid", "12125552368", days=8)])
    assert watui("runs", "recheck", "1").code == Exit.DONE
    ended = watui("runs", "compare", "1", "2")
    assert [row["change"] for row in rows_of(ended)] == ["newly valid", "gone"]
    assert ended.err == "1 newly valid, 1 gone.\nvalid: has a WhatsApp account (v2.41).\n"


def test_a_long_list_is_asked_anew_on_a_file_system_where_readers_keep_writers_out(
    watui: Watui, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watui.ledger.schema.is_networked", lambda _: "nfs")
    monkeypatch.setattr("watui.ledger.schema.BUSY_SECONDS", 0.1)
    count = CHUNK_ROWS + 1
    write_run(paths, "http://wa.example.com", [Said(f"+1212{2_000_000 + line}") for line in range(count)])
    ended = watui("runs", "recheck", "1", "--dry-run")
    assert ended.code == Exit.DONE, ended.err
    assert record_of(paths, 2).numbers == count


# What is known already


@pytest.mark.parametrize("part", [PART_NUMBERS, 1], ids=["a short list", "a long list"])
def test_a_second_run_asks_what_is_not_fresh_and_prints_every_row(
    watui: Watui,
    server: ServerThread,
    world: RecordingWorld,
    paths: Paths,
    monkeypatch: pytest.MonkeyPatch,
    part: int,
) -> None:
    monkeypatch.setattr("watui.ledger.schema.PART_NUMBERS", part)
    write_run(paths, server.url, [each._replace(days=CACHE_SECONDS / DAY_SECONDS + 1) for each in KNOWN])
    write_run(paths, server.url, region="CA")
    write_run(paths, "http://elsewhere.example:9090")
    draft = write_run(paths, server.url, state=RunState.DRAFT)
    with closing(Reader(paths.ledger)) as reader:
        assert fresh(reader, draft, time.time() - CACHE_SECONDS) == 0
    known = write_run(paths, server.url, state=RunState.RUNNING)
    with closing(Reader(paths.ledger)) as reader:
        assert fresh(reader, draft, time.time() - CACHE_SECONDS) == 2, "a valid and an invalid one"
        assert fresh(reader, known, time.time() - CACHE_SECONDS) == 0, "a run is no news to itself"
    again = ("check", "--url", server.url, *(f"--number={each.input}" for each in KNOWN if each.input != "none"))
    ended = watui(*again)
    assert "so they are not asked, and printed as they are known: 2." in ended.err
    assert "To ask: 3 numbers in 1 request, then" in ended.err
    rows = rows_of(ended)
    assert len(rows) == len(KNOWN) - 1
    taken = [row for row in rows if row["known_from"] is not None]
    assert [(row["status"], row["known_from"]) for row in taken] == [("valid", known)] * 2 + [("invalid", known)]
    assert taken[0]["problem"] == f"known from run {known}"
    assert {row["wa_id"] for row in taken} == {"12125552370", None}
    with closing(Reader(paths.ledger)) as reader:
        first = {row.input: row.checked_at for row in reader.rows(known)}
        assert {row.input: row.checked_at for row in reader.rows(known + 1) if row.known_from} == {
            row["input"]: first[row["input"]] for row in taken
        }, "an answer keeps its time"
    assert not {row["input"] for row in taken} & set(texts_asked(world))
    world.requests.clear()
    ended = watui(*again, "--recheck")
    assert "asked all the same: " in ended.err
    assert set(texts_asked(world)) >= {row["input"] for row in taken if row["duplicate_of"] is None}
    assert all(row["known_from"] is None for row in rows_of(ended))


@pytest.mark.parametrize("is_much", [True, False])
def test_who_deletes_much_is_told_before(
    watui: Watui, paths: Paths, is_much: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(paths, "http://wa.example.com")
    rows = rows_of(watui("runs", "--format", "jsonl"))[0]["rows"]
    monkeypatch.setattr(deleting, "MANY_ROWS", rows if is_much else rows + 1)
    ended = watui("runs", "forget", "1", "--yes")
    assert ended.err.splitlines() == [*([f"Deleting {rows} rows…"] if is_much else []), "Forgotten: 1 run."]


# What people get wrong


def test_of_several_to_forget_none_goes_where_one_is_not_there(watui: Watui, paths: Paths) -> None:
    write_run(paths, "http://wa.example.com")
    ended = watui("runs", "forget", "1", "99", "--yes")
    assert (ended.code, "there is no run 99" in ended.err) == (Exit.USAGE, True)
    assert states(watui) == {1: "done"}


def test_what_was_forgotten_before_something_went_wrong_is_said(watui: Watui, paths: Paths, ledger: Ledger) -> None:
    for state in (RunState.DONE, RunState.RUNNING):
        write_run(paths, "http://wa.example.com", state=state)
    with closing(Driver(paths.locks)) as driver:
        ledger.start(2, driver)
        ended = watui("runs", "forget", "1", "2", "--yes")
    assert ended.code == Exit.USAGE
    assert "Forgotten: 1 run." in ended.err
    assert "run 2 is being asked about right now" in ended.err
    assert states(watui) == {2: "unfinished"}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["forget", "--number", "abc", "--yes"], Exit.USAGE, "'abc' is no number"),
        (["forget", "--number", "+15005550006", "--yes"], Exit.DONE, "nothing was known of +15005550006"),
        (["export", "1", "--status", "vaild"], Exit.USAGE, "no row has the status vaild: there are processing, valid"),
        (["--format", "csv", "list"], Exit.USAGE, "watui runs list --format csv"),
    ],
)
def test_what_is_mistyped_is_told(watui: Watui, paths: Paths, arguments: list[str], code: Exit, words: str) -> None:
    write_run(paths, "http://wa.example.com")
    ended = watui("runs", *arguments)
    assert (ended.code, words in ended.err) == (code, True), ended.err


def test_the_list_takes_a_format_without_its_name(watui: Watui, paths: Paths) -> None:
    write_run(paths, "http://wa.example.com")
    assert [row["run_id"] for row in rows_of(watui("runs", "--format", "jsonl"))] == [1]


def test_what_the_simulator_keeps_of_a_forgotten_number_is_told(watui: Watui) -> None:
    assert watui("check", "--number", "+12125552370").code == Exit.DONE
    ended = watui("runs", "forget", "--number", "+12125552370", "--yes")
    assert "The embedded simulator's world keeps what it was asked" in ended.err
    assert watui("simulator", "reset").code == Exit.DONE
    assert "simulator" not in watui("runs", "forget", "--number", "+12125552370", "--yes").err


@pytest.mark.parametrize(
    ("ending", "begins"), [(".txt", b"+12125552370\n"), (".json", b'{"blocking"'), (".xlsx", b"PK")]
)
def test_the_output_of_a_check_is_what_its_ending_says(
    watui: Watui, server: ServerThread, tmp_path: Path, ending: str, begins: bytes
) -> None:
    target = tmp_path / f"out{ending}"
    assert watui("check", "--number", "+12125552370", "--url", server.url, "--output", str(target)).code == Exit.DONE
    assert target.read_bytes().startswith(begins)


def test_follow_prints_every_row_also_of_what_has_ended(watui: Watui, server: ServerThread, paths: Paths) -> None:
    write_run(paths, server.url, state=RunState.RUNNING)
    for _ in range(2):
        ended = watui("runs", "resume", "1", "--follow")
        assert {row["line"] for row in rows_of(ended)} == set(range(2, 9))


def test_what_valid_meant_is_told_for_each_version_that_answered(
    watui: Watui, paths: Paths, server: ServerThread
) -> None:
    said = [Said(VALID, "valid", "1", version="v2.43"), Said("+1 212 555 2372")]
    write_run(paths, server.url, said, state=RunState.RUNNING)
    ended = watui("runs", "resume", "1")
    assert "At v2.41, valid: has a WhatsApp account." in ended.err
    assert "At v2.43, valid: the check is done" in ended.err


def test_answers_of_two_versions_are_told_apart_in_a_table(watui: Watui, paths: Paths) -> None:
    said = [Said(VALID, "valid", "1", version="v2.43"), Said(INVALID, "invalid"), Said(FAILED, "failed", version=None)]
    write_run(paths, "http://wa.example.com", said)
    lines = watui("runs", "resume", "1", "--format", "table").out.splitlines()
    column = lines[0].index("version")
    assert column + len("version") <= 80
    assert [line[column:].split()[0] for line in lines[1:]] == ["v2.43", "v2.41", "unknown"]
    write_run(paths, "http://wa.example.com", said[:1])
    assert "version" not in watui("runs", "resume", "2", "--format", "table").out


def test_rows_that_are_followed_on_a_terminal_hold_nothing_that_it_obeys(
    watui: Watui, server: ServerThread, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(paths, server.url, [Said(f"{VALID} \x9b2J\x7f\u202e", "valid", "1"), Said(INVALID)], RunState.RUNNING)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    ended = watui("runs", "resume", "1", "--follow")
    assert ended.code == Exit.DONE, ended.err
    assert VALID in ended.out
    assert not {"\x9b", "\x7f", "\u202e"} & set(ended.out + ended.err)
