"""`watui check`: rows on stdout, talk on stderr, and an exit code that says how it ended."""

import csv
import fcntl
import io
import json
import os
import re
import signal
import socket
import sys
import termios
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import SECONDS, Ended, RecordingWorld, Watui, assert_one_sentence, congress, process, start
from tests.conftest import TOKEN
from tests.simulated import create_app
from watui.cli.exits import Exit
from watui.contract.conversion import read
from watui.export.rows import COLUMNS
from watui.ledger.reader import Reader
from watui.ledger.rows import RunState
from watui.ledger.schema import LedgerUnusable
from watui.settings.paths import Paths
from watui.simulator.conditions import Conditions
from watui.simulator.faults import Fault, Kind
from watui.simulator.limits import Bucket
from watui.simulator.population import Latency
from watui.simulator.serving import ServerThread
from watui.simulator.world import START

LIST = "phone\n+1 212 555 2368\n\n# a comment\n(212) 555-2368\nnone\n+163155588\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_text(LIST)
    return path


def rows_of(ended: Ended) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ended.out.splitlines()]


@pytest.mark.parametrize("blocking", ["no_wait", "wait"])
@pytest.mark.parametrize(("region", "prefix"), [("US", "+1"), ("IN", "+91")])
def test_a_real_list_is_checked_whole_and_in_order(
    watui: Watui, server: ServerThread, world: RecordingWorld, blocking: str, region: str, prefix: str
) -> None:
    world.region = region
    ended = watui(
        "check", str(congress()), "--url", server.url, "--region", region, "--blocking", blocking, "--format", "jsonl"
    )
    assert ended.code == Exit.DONE, ended.err
    rows = rows_of(ended)
    with congress().open(newline="") as file:
        given = [record["phone"] for record in csv.DictReader(file)]
    assert len(given) == 1280
    assert [row["input"] for row in rows] == given
    assert [row["line"] for row in rows] == list(range(2, 1282))
    assert {row["status"] for row in rows} <= {"valid", "invalid", "failed"}
    assert all(row["number"].startswith(prefix) for row in rows)
    asked = [text for inputs in world.requests for text in inputs]
    assert len(asked) == len(set(asked)) == 1204
    assert len({row["number"] for row in rows}) == 1204
    # A duplicate names the line of the first row with its number, and carries that row's answer.
    by_line = {row["line"]: row for row in rows}
    for row in rows:
        first = by_line[row["duplicate_of"] or row["line"]]
        assert (row["number"], row["status"], row["wa_id"]) == (first["number"], first["status"], first["wa_id"])
    assert sum(row["duplicate_of"] is not None for row in rows) == 1280 - 1204


def test_a_list_of_another_country_is_sent_in_its_international_form(
    watui: Watui, server: ServerThread, world: RecordingWorld
) -> None:
    """A list of the US, on a server registered in India; the rows stay as they were given."""
    world.region = "IN"
    where = ("check", str(congress()), "--url", server.url, "--region", "IN")
    as_it_is = watui(*where, "--dry-run")
    assert "1,204 numbers without + would be read as of IN, and 328 of them can't be: is this a list of US?" in (
        as_it_is.err
    )
    assert "--list-region US reads them so." in as_it_is.err
    ended = watui(*where, "--list-region", "US", "--format", "jsonl")
    assert ended.code == Exit.DONE, ended.err
    assert "As wanted, numbers without + read as of US." in ended.err
    with congress().open(newline="") as file:
        given = [record["phone"] for record in csv.DictReader(file)]
    rows = rows_of(ended)
    assert [row["input"] for row in rows] == given
    assert [row["number"] for row in rows] == [read(text, "US").number for text in given]
    assert {text for inputs in world.requests for text in inputs} == {row["number"] for row in rows}
    assert all(row["wa_id"] == row["number"].removeprefix("+") for row in rows if row["status"] == "valid")
    world.requests.clear()
    again = watui("runs", "recheck", "2", "--older-than", "0", "--url", server.url)
    assert again.code == Exit.DONE, again.err
    assert {text for inputs in world.requests for text in inputs} == {row["number"] for row in rows}


def test_a_list_that_lost_its_plus_gets_it_back(
    watui: Watui, server: ServerThread, world: RecordingWorld, tmp_path: Path
) -> None:
    world.region = "IN"
    source = tmp_path / "list.txt"
    given = [f"44790012345{last}" for last in range(9)] + ["+16315551000", "98765 43210", "0"]
    source.write_text("\n".join(given))
    where = ("check", str(source), "--url", server.url, "--region", "IN")
    assert "is this list without its +? --list-region + puts it back." in watui(*where, "--dry-run").err
    rows = rows_of(watui(*where, "--list-region", "+"))
    assert [row["input"] for row in rows] == given
    asked = [text for inputs in world.requests for text in inputs]
    assert asked == [*(f"+44790012345{last}" for last in range(9)), *given[9:]], "what is no number with it has no +"


def test_a_country_that_is_none_is_refused(watui: Watui, source: Path) -> None:
    ended = watui("check", str(source), "--list-region", "UK")
    assert ended.code == Exit.USAGE
    assert "'UK' is not a region" in ended.err


def test_jsonl_has_every_documented_field(watui: Watui, source: Path, server: ServerThread) -> None:
    ended = watui("check", str(source), "--url", server.url)
    assert ended.code == Exit.DONE
    rows = rows_of(ended)
    assert all(tuple(row) == COLUMNS for row in rows)
    first, duplicate, rejected, failed = rows
    assert (first["source"], first["line"], first["number"], first["region"]) == ("list.csv", 2, "+12125552368", "US")
    assert first["checked_at"].endswith("+00:00")
    assert first["server_version"] == "v2.41"
    assert (duplicate["line"], duplicate["duplicate_of"], duplicate["status"]) == (5, 2, first["status"])
    assert (rejected["status"], rejected["problem"], rejected["checked_at"]) == ("rejected", "no digits", None)
    assert (failed["status"], failed["problem"]) == ("failed", "too short")
    assert "7 rows read: 3 entries, 1 rejected, 1 header, 1 blank, 1 comment" in ended.err


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (
            "Telefon;Mobil\n030 1234567;\n;0172 3456789\n",
            "column Telefon; Mobil holds numbers, too: --column Mobil reads",
        ),
        (
            "Tel 1;Tel 2\n030 1234567;\n;0172 3456789\n",
            "column Tel 1; Tel 2 holds numbers, too: --column 'Tel 2' reads",
        ),
        ("Al;+12125550100;+12125550101\n", "column 2; 3 holds numbers, too: --column 3 reads"),
        ("id,phone\n1,+12125550100\n", "column phone"),
    ],
)
def test_the_column_that_was_taken_is_said(watui: Watui, tmp_path: Path, table: str, said: str) -> None:
    path = tmp_path / "numbers.csv"
    path.write_text(table)
    for command in (["check", str(path), "--dry-run"], ["block", "--from", str(path), "--dry-run"]):
        ended = watui(*command)
        words = said.replace(" reads", " reads that")
        assert f"numbers.csv: {words}\n" in ended.err, command


def test_of_a_list_no_column_is_said(watui: Watui, source: Path) -> None:
    assert "column" not in watui("check", str(source), "--dry-run").err


def test_csv_and_table_hold_the_same_rows(watui: Watui, source: Path, server: ServerThread) -> None:
    arguments = ["check", str(source), "--url", server.url, "--format"]
    expected = [(row["input"], row["status"]) for row in rows_of(watui(*arguments, "jsonl"))]
    read_back = list(csv.DictReader(io.StringIO(watui(*arguments, "csv").out)))
    assert [(row["input"].removeprefix("'"), row["status"]) for row in read_back] == expected
    heading, *lines = watui(*arguments, "table").out.splitlines()
    assert heading.split() == ["line", "input", "number", "country", "status", "wa_id", "problem"]
    assert len(lines) == len(expected)
    assert all(text in line and status in line for line, (text, status) in zip(lines, expected, strict=True))


@pytest.mark.parametrize("format_", ["jsonl", "csv", "table"])
def test_output_is_written_whole_in_place_of_stdout(
    watui: Watui, source: Path, server: ServerThread, tmp_path: Path, format_: str
) -> None:
    arguments = ["check", str(source), "--url", server.url, "--format", format_]
    printed = watui(*arguments)
    target = tmp_path / "rows"
    target.write_text("old")
    ended = watui(*arguments, "--output", str(target))
    assert (ended.code, ended.out) == (Exit.DONE, "")
    written = target.read_text()
    assert len(written.splitlines()) == len(printed.out.splitlines())
    assert "old" not in written
    assert {path.name for path in tmp_path.iterdir()} == {"rows", "list.csv", "home"}


def test_a_dry_run_asks_nothing_and_leaves_a_draft(
    watui: Watui, source: Path, server: ServerThread, world: RecordingWorld, paths: Paths
) -> None:
    ended = watui("check", str(source), "--url", server.url, "--dry-run")
    assert (ended.code, ended.out) == (Exit.DONE, "")
    assert "2 distinct numbers" in ended.err
    assert world.requests == []
    reader = Reader(paths.ledger)
    assert reader.run(1).state == RunState.DRAFT
    assert reader.run(1).rows == 4
    reader.close()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No such file"),
        (b"", "is empty"),
        (b"\x7fELF\x02\x01\x01\x00\x00\x00\x9a\x00\x00\x01", "not a text file"),
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"name,city\nAda,London\nBob,Paris\n", "no phone numbers"),
        (b"# nothing\n\n# here\n", "no phone numbers"),
    ],
    ids=["missing", "empty", "binary", "zip", "words", "comments"],
)
def test_a_source_without_numbers_is_one_sentence_and_no_run(
    watui: Watui, tmp_path: Path, paths: Paths, content: bytes | None, words: str
) -> None:
    path = tmp_path / "numbers.csv"
    if content is not None:
        path.write_bytes(content)
    ended = watui("check", str(path))
    assert_one_sentence(ended, Exit.USAGE)
    assert len(ended.err.splitlines()) == 1
    assert words in ended.err
    assert "numbers.csv" in ended.err
    reader = Reader(paths.ledger)
    with pytest.raises(LedgerUnusable):
        reader.run(1)
    reader.close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "nothing to check"),
        (["."], "directory"),
        (["--number", ""], "no phone numbers"),
        (["--number", "1", "--region", "XX"], "not a region"),
        (["--number", "1", "--region", "UK"], "GB"),
        (["--number", "1", "--batch-size", "0"], "0 is not in the range"),
        (["--number", "1", "--batch-size", "1001"], "1001 is not in the range"),
        (["--number", "1", "--blocking", "maybe"], "maybe"),
        (["--number", "1", "--give-up-after", "0"], "give-up-after"),
        (["--number", "1", "--give-up-after", "nan"], "give-up-after"),
        (["--number", "1", "--url", "wa.example.com"], "http"),
        (["--number", "1", "--url", "https://user:hunter2@wa.example.com"], "WATUI_TOKEN"),
        (["--sample", "--url", "http://127.0.0.1:1"], "simulator only"),
        (["--number", "1", "--follow", "--format", "csv"], "--follow"),
        (["--number", "1", "--output", "no/such/folder/rows"], "no folder"),
        (["--number", "1", "--output", "."], "directory"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_line_that_cannot_work_is_a_usage_error(watui: Watui, arguments: list[str], words: str) -> None:
    ended = watui("check", *arguments)
    assert_one_sentence(ended, Exit.USAGE)
    assert words in ended.err
    assert "hunter2" not in ended.err


def test_a_column_that_is_not_there_names_those_that_are(watui: Watui, source: Path) -> None:
    ended = watui("check", str(congress()), "--column", "fax")
    assert_one_sentence(ended, Exit.USAGE)
    assert "phone" in ended.err


@pytest.mark.usefixtures("impatient")
def test_an_unreachable_server_is_given_up(watui: Watui) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    ended = watui("check", "--number", "+12125552368", "--url", f"http://127.0.0.1:{port}")
    assert ended.code == Exit.UNREACHABLE
    assert f"cannot reach 127.0.0.1:{port}" in ended.err.splitlines()[-1]
    assert [row["status"] for row in rows_of(ended)] == ["processing"], "asked, and not answered"


class Website(BaseHTTPRequestHandler):
    """Answers everything with a page."""

    posts: list[str]

    def do_POST(self) -> None:
        self.posts.append(self.path)
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b"<!DOCTYPE html><title>Welcome</title>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep stderr to the command under test."""


@pytest.fixture
def website() -> Iterator[str]:
    Website.posts = []
    with HTTPServer(("127.0.0.1", 0), Website) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("impatient")
def test_a_website_is_no_server(watui: Watui, website: str) -> None:
    ended = watui("check", "--number", "+12125552368", "--url", website)
    assert ended.code == Exit.UNREACHABLE
    assert "not JSON" in ended.err.splitlines()[-1]
    assert "Traceback" not in ended.err
    assert Website.posts == ["/v1/contacts"] * 3


def test_a_refused_token_is_tried_once(
    watui: Watui, server: ServerThread, world: RecordingWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATUI_TOKEN", "canary-token")
    ended = watui("check", "--number", "+12125552368", "--url", server.url, "--trace")
    assert ended.code == Exit.REFUSED
    assert "refused" in ended.err.splitlines()[-1]
    assert "WATUI_TOKEN" in ended.err.splitlines()[-1]
    assert ended.err.count("HTTP 401") == 1
    assert "canary-token" not in ended.err + ended.out


@pytest.mark.parametrize("blocking", ["no_wait", "wait"])
def test_stuck_numbers_are_given_up_as_processing(watui: Watui, world: RecordingWorld, blocking: str) -> None:
    world.base = Conditions(latency=Latency(1000, 2000))
    world.reset(START)
    server = ServerThread(create_app(world, TOKEN))
    try:
        ended = watui(
            "check", "--number", "+12125552368", "--number", "+163155588", "--url", server.url,
            "--give-up-after", "0.5", "--blocking", blocking, "--batch-size", "1",
        )  # fmt: skip
    finally:
        server.stop()
    assert ended.code == Exit.UNFINISHED
    assert "Gave up after 0.5 seconds" in ended.err
    assert [row["status"] for row in rows_of(ended)] == ["processing", "failed"]


def test_a_wish_of_the_server_is_told_on_one_line_of_a_terminal(
    watui: Watui, world: RecordingWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.base = Conditions(faults=(Fault(Kind.QUEUE_FULL, retry_after=600),))
    world.reset(START)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with ServerThread(create_app(world, TOKEN)) as server:
        ended = watui("check", "--number", "+12125552368", "--url", server.url, "--give-up-after", "1")
    assert ended.code == Exit.UNFINISHED
    shown = [part.partition("\x1b[K")[2] for part in ended.err.replace("\n", "\r").split("\r")]
    assert any(re.match(r"0 of 1 numbers; the server asks us to wait until \d\d:\d\d:\d\d: ", words) for words in shown)
    assert [words for words in shown if words.startswith("0 of 1") and len(words) > 79] == []


def test_follow_prints_a_row_whenever_a_status_changes(watui: Watui, world: RecordingWorld, source: Path) -> None:
    world.base = Conditions(latency=Latency(0.2, 0.2))
    world.reset(START)
    with ServerThread(create_app(world, TOKEN)) as server:
        ended = watui("check", str(source), "--url", server.url, "--follow")
    assert ended.code == Exit.DONE
    told: dict[int, list[str]] = {}
    for row in rows_of(ended):
        told.setdefault(row["line"], []).append(row["status"])
    assert told[6] == ["rejected"]
    assert told[7] == ["failed"]
    assert told[2] == told[5]
    assert told[2][0] == "processing"
    assert told[2][1:] in (["valid"], ["invalid"])


def test_trace_shows_every_exchange_without_the_token(watui: Watui, server: ServerThread) -> None:
    ended = watui("check", "--number", "+12125552368", "--url", server.url, "--trace")
    assert ended.code == Exit.DONE
    assert f"> POST {server.url}/v1/contacts" in ended.err
    assert '"contacts":["+12125552368"]' in ended.err
    assert "< HTTP 200 after" in ended.err
    assert '"api_status":"stable"' in ended.err
    assert TOKEN not in ended.err + ended.out


def test_standard_input_is_read_to_its_end_by_a_process() -> None:
    ended = process("check", "-", "--skip-doubtful", given="+163155588\r\n\r\n+1 212 555 2368\r\n")
    assert ended.code == Exit.DONE, ended.err
    rows = rows_of(ended)
    assert [(row["source"], row["line"], row["status"] == "rejected") for row in rows] == [
        ("stdin", 1, True),
        ("stdin", 3, False),
    ]
    assert "embedded simulator" in ended.err


def test_a_reader_that_goes_away_is_no_crash(server: ServerThread) -> None:
    with start("check", str(congress()), "--url", server.url, WATUI_TOKEN=TOKEN) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert "Traceback" not in running.stderr.read()
        assert running.wait(SECONDS) == Exit.UNHEARD


def is_waiting_for_more(pid: int, pipe: int) -> bool:
    """Whether the process `pid` has read all that is in `pipe` and sleeps."""
    unread = int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)
    return unread == 0 and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


@pytest.mark.parametrize("still_reading", [False, True])
def test_ctrl_c_interrupts_without_a_traceback(world: RecordingWorld, tmp_path: Path, still_reading: bool) -> None:
    # Once while a number is being checked, once while the list itself is still being read from a pipe.
    world.base = Conditions(latency=Latency(1000, 2000))
    world.reset(START)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    arguments = [str(pipe)] if still_reading else ["--number", "+12125552368"]
    with ServerThread(create_app(world, TOKEN)) as server:
        running = start(
            "check", *arguments, "--url", server.url, "--output", str(tmp_path / "out.csv"), WATUI_TOKEN=TOKEN
        )
        try:
            writer = os.open(pipe, os.O_WRONLY if still_reading else os.O_RDWR)  # returns once the pipe is open
            if still_reading:
                os.write(writer, b"+12125552368\n")
            deadline = time.monotonic() + SECONDS
            while not (is_waiting_for_more(running.pid, writer) if still_reading else world.requests):
                assert time.monotonic() < deadline
                assert running.poll() is None
                time.sleep(0.005)
            running.send_signal(signal.SIGINT)
            assert running.wait(5) == Exit.INTERRUPTED
            assert running.stderr is not None
            said = running.stderr.read()
            assert "Traceback" not in said
            assert still_reading or f"{tmp_path / 'out.csv'} was not written. " in said
            assert still_reading or f"'watui runs resume 1 --output {tmp_path / 'out.csv'}' goes on." in said
        finally:
            running.kill()
            running.communicate()
            os.close(writer)


def test_a_server_that_asks_for_patience_is_named_when_it_is_given_up(watui: Watui, world: RecordingWorld) -> None:
    with ServerThread(create_app(world, TOKEN, bucket=Bucket(rate=0.001, burst=1))) as server:
        httpx.get(f"{server.url}/v1/health", trust_env=False)
        ended = watui("check", "--number", "+12125552368", "--url", server.url, "--give-up-after", "1")
    assert ended.code == Exit.UNFINISHED
    assert "Gave up after 1 seconds. The last trouble: Too many requests (1015)." in ended.err


def test_rows_that_cannot_be_written_are_no_usage_error(watui: Watui, server: ServerThread) -> None:
    """What was asked is kept, and told by its number."""
    path = "/proc/watui-cannot-write-here"
    ended = watui("check", "--number", "+12125552368", "--url", server.url, "--output", path)
    assert ended.code == Exit.UNFINISHED
    assert "kept as run 1" in ended.err.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["check", "--format"], "watui check"),
        (["runs", "export", "--output"], "watui runs export"),
        (["--profile"], "watui"),
        (["check", "--nosuch"], "watui check"),
    ],
)
def test_what_is_wrong_with_an_option_points_to_the_help_of_its_command(
    watui: Watui, arguments: list[str], command: str
) -> None:
    ended = watui(*arguments)
    assert ended.code == Exit.USAGE
    assert ended.err.startswith(f"{command}: ")
    assert f"See '{command} --help'." in ended.err
