"""Importing in a process of its own gives what importing here gives."""

import asyncio
import os
from itertools import count
from pathlib import Path

import pytest

from tests.ledger.conftest import OPTIONS
from watui.checks.importing import import_aside, import_source
from watui.checks.prepare import CHUNK_ROWS, FIRST_ROWS, Import, Progress
from watui.intake.problems import BadSource
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import Source
from watui.settings.paths import Paths

pytestmark = pytest.mark.anyio

TEXT = "name;phone\nAda;+1 212 555 2368\n\n# a comment\nBob;(212) 555-2368\nEve;none\n"


@pytest.mark.parametrize("from_file", [False, True])
async def test_both_ways_write_the_same_rows(
    ledger: Ledger, reader: Reader, paths: Paths, tmp_path: Path, from_file: bool
) -> None:
    source = tmp_path / "list.csv"
    source.write_text(TEXT)
    here, aside = ledger.add_run(OPTIONS), ledger.add_run(OPTIONS)
    told: list[Progress] = []
    import_source(ledger, str(source), Import(here, "list", "US"), told.append)
    assert told == [Progress(6, 1.0)]
    told.clear()
    await import_aside(
        paths.ledger,
        str(source) if from_file else "-",
        Import(aside, "list", "US"),
        None if from_file else TEXT,
        told.append,
    )
    assert told == [Progress(6, 1.0 if from_file else None)]
    rows = list(reader.rows(here))
    assert [(row.line, row.input, row.number, row.problem) for row in rows] == [
        (2, "+1 212 555 2368", "+12125552368", None),
        (5, "(212) 555-2368", "+12125552368", None),
        (6, "none", None, "no digits"),
    ]
    assert list(reader.rows(aside)) == rows
    assert reader.summary(aside) == reader.summary(here)
    assert reader.summary(here).sources == (Source("list", "phone", True),)
    counts = [(run.header, run.blank, run.comment, run.numbers) for run in map(reader.run, (here, aside))]
    assert counts == [(1, 1, 1, 1)] * 2


@pytest.mark.parametrize(
    ("column", "skip_doubtful", "inputs"), [("name", False, ["Ada1", "Bob2"]), ("phone", True, ["12", "+12125552368"])]
)
async def test_column_and_skip_doubtful_reach_the_process(
    ledger: Ledger, reader: Reader, paths: Paths, column: str, skip_doubtful: bool, inputs: list[str]
) -> None:
    run_id = ledger.add_run(OPTIONS)
    text = "name,phone\nAda1,12\nBob2,+12125552368\n"
    await import_aside(paths.ledger, "-", Import(run_id, "list", "US", column, skip_doubtful), text)
    assert [row.input for row in reader.rows(run_id)] == inputs
    assert reader.run(run_id).rejected == (1 if skip_doubtful else 0)


@pytest.mark.parametrize("content", [None, b"\x00\x01\x02\x03", b"PK\x03\x04"])
async def test_a_source_that_cannot_be_read_is_named_by_both_ways(
    ledger: Ledger, paths: Paths, tmp_path: Path, content: bytes | None
) -> None:
    source = tmp_path / "list.xlsx"
    if content is not None:
        source.write_bytes(content)
    wanted = Import(ledger.add_run(OPTIONS), "list.xlsx", "US")
    with pytest.raises(BadSource, match=r"list\.xlsx") as here:
        import_source(ledger, str(source), wanted)
    with pytest.raises(BadSource) as aside:
        await import_aside(paths.ledger, str(source), wanted)
    assert str(aside.value) == str(here.value)


async def test_cancelling_ends_the_process(ledger: Ledger, reader: Reader, paths: Paths, tmp_path: Path) -> None:
    # A named pipe that nobody closes keeps the process reading; opening it for writing succeeds once it reads.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    run_id = ledger.add_run(OPTIONS)
    task = asyncio.create_task(import_aside(paths.ledger, str(pipe), Import(run_id, "list", "US")))
    writer = await asyncio.wait_for(asyncio.to_thread(os.open, pipe, os.O_WRONLY), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with pytest.raises(BrokenPipeError):  # nobody reads it any more
        os.write(writer, b"+12125552368\n")
    os.close(writer)
    assert list(reader.rows(run_id)) == []


async def test_what_was_read_before_cancelling_is_kept(
    ledger: Ledger, reader: Reader, paths: Paths, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    run_id = ledger.add_run(OPTIONS)
    task = asyncio.create_task(import_aside(paths.ledger, str(pipe), Import(run_id, "list", "US")))

    loop, some_are_in = asyncio.get_running_loop(), asyncio.Event()

    def feed() -> None:
        """Write a list without an end, until nobody reads it."""
        with open(pipe, "w") as file:
            for line in count():
                file.write(f"+1212{line:07}\n")
                # Whatever the pipe and the reader's buffer hold, the first rows are committed before so many are read.
                if line == FIRST_ROWS + 3 * CHUNK_ROWS:
                    loop.call_soon_threadsafe(some_are_in.set)

    feeding = asyncio.create_task(asyncio.to_thread(feed))
    async with asyncio.timeout(30):
        await some_are_in.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(BrokenPipeError):  # The process is gone.
            await feeding
    run, rows = reader.run(run_id), list(reader.rows(run_id))
    assert run.entries == run.numbers == len(rows) >= FIRST_ROWS
    assert [row.line for row in rows] == list(range(1, len(rows) + 1)), "whole chunks, from the first row on"
    assert [source.is_whole for source in reader.summary(run_id).sources] == [False]
