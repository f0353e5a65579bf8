"""What the README's tour and its pages promise, by keys alone in a terminal of 80 columns and 24 lines."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import start
from tests.cli.test_trusting import simulating
from tests.pty.terminal import Terminal
from watui.cli.exits import Exit

ESCAPE, DOWN, RIGHT = "\x1b", "\x1b[B", "\x1b[C"
ALL_OF_THE_FIELD = "\x15"
"""Takes what is in a field out of it."""

NUMBERS = ["+1 631 555 1000", "+1 631 555 1001", "+1 631 555 1002", "+1 631 555 1003"]
ALL_ROWS = r"1001 .* invalid"
"""The one row that no filter here shows."""
PASSWORD = "Pass-Word-1"
SECONDS = 30.0


class Operator:
    """Somebody at a terminal who has a keyboard, and looks at the screen before the next key."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal

    def sees(self, *patterns: str) -> None:
        for pattern in patterns:
            self.terminal.until(pattern, SECONDS)

    def does(self, keys: str, *patterns: str) -> None:
        """Press `keys`, and wait until all of `patterns` have been on the screen."""
        self.terminal.send(keys.encode())
        self.sees(*patterns)

    def leaves(self) -> None:
        self.does("q")
        self.ends()

    def ends(self) -> None:
        self.terminal.until_ended()
        assert self.terminal.exit_code == 0, self.terminal.text()


def let_it_decide_in(latency: str, tmp_path: Path) -> None:
    """Let the simulator have another latency than the usual one."""
    scenario = tmp_path / "latency.toml"
    scenario.write_text(f'title = "Quick"\nabout = "It is quick."\n[start]\nlatency = "{latency}"\n')
    with start("simulator", "scenario", str(scenario)) as running:
        assert running.wait(SECONDS) == Exit.DONE


@pytest.fixture
def at_once(tmp_path: Path) -> None:
    """A simulator that decides at once, for what is not about waiting."""
    let_it_decide_in("none", tmp_path)


@contextmanager
def operator(*arguments: str) -> Iterator[Operator]:
    with Terminal(arguments) as terminal:
        they = Operator(terminal)
        they.sees("import a file")
        yield they


@contextmanager
def checked(tmp_path: Path, *arguments: str) -> Iterator[Operator]:
    """An operator whose list has just been checked."""
    with operator(*arguments) as they:
        they.does(f"i{a_list(tmp_path)}\r", "4 distinct numbers")
        they.does("\r", "done")
        yield they


def a_list(tmp_path: Path, numbers: Sequence[str] = NUMBERS) -> Path:
    path = tmp_path / "numbers.csv"
    path.write_text("name,phone\n" + "".join(f"somebody,{number}\n" for number in numbers))
    return path


@pytest.mark.usefixtures("at_once")
def test_a_list_is_checked_looked_through_and_exported(tmp_path: Path) -> None:
    exported = tmp_path / "out.jsonl"
    with checked(tmp_path) as they:
        they.does("/1002\r", "1 row with “1002”")
        they.does(ESCAPE, ALL_ROWS)
        they.does("f", "3 rows that are valid")
        they.does(ESCAPE, ALL_ROWS)
        they.does("t3\r", r"line 4  \+1 631 555 1002")
        they.does("e", "Export the 4 rows shown")
        they.does(f"{ALL_OF_THE_FIELD}{exported}\r", "out.jsonl")
        they.leaves()
    assert [json.loads(line)["input"] for line in exported.read_text().splitlines()] == NUMBERS


def test_another_column_is_read_and_a_country_is_given(tmp_path: Path) -> None:
    path = tmp_path / "both.csv"
    path.write_text("old,new\n16315551000,020 7946 0018\n16315551001,020 7946 0019\n")
    with operator() as they:
        they.does(f"i{path}\r", "column old; new holds numbers, too")
        they.does("l", "Which column of both.csv holds the numbers")
        they.does(f"{DOWN}\r", "column new; l another", "too long")
        they.does("+", "Of which country are the numbers")
        they.does("GB\r", "By country: GB 2", r"sent as \+442079460018")


@pytest.mark.usefixtures("at_once")
def test_a_contact_is_blocked_reported_and_unblocked(tmp_path: Path) -> None:
    with checked(tmp_path) as they:
        they.does("\r", "identity +[^ …]", "blocked +no")
        they.does("w", "wrote to you", "engaged +yes")
        they.does("b", "0 of 59")
        they.does("spam\r", "is blocked", "blocked +yes")
        they.does("u", "y unblock it")
        they.does("y", "is unblocked", "blocked +no")
        they.does("r", "No message id")
        they.does("\r", "y report")
        they.does("y", "is reported", "done to it .* report")


def test_a_list_is_blocked_after_a_dry_run_found_unblocked_and_taken_back() -> None:
    with operator() as they:
        they.does("2", "Nobody is blocked")
        they.terminal.paste("+1 631 555 9999\n+1 631 555 9998\nnobody")
        they.sees("2 contacts to block", "nobody")
        they.does("\r", "1 blocked, 1 refused")
        they.does(ESCAPE, "1–1 of 1 contact")
        they.does("/9999\r", "1 .*“9999”")
        they.does(ESCAPE, "page 1 of 1")
        they.does(" u", "y unblock")
        they.does("y", "Nobody is blocked")
        they.does("z", "takes back batch 2", "1 contact to block")
        they.does("\r", "1 blocked")
        they.does(ESCAPE, "1–1 of 1 contact")


def test_a_run_that_was_left_goes_on(tmp_path: Path) -> None:
    let_it_decide_in("1,1.5", tmp_path)
    numbers = [f"+1631{number}" for number in range(2_000_000, 2_000_060)]
    with operator() as they:
        they.does(f"i{a_list(tmp_path, numbers)}\r", "60 distinct numbers")
        they.does("\r", r"processing [1-5]\d")
        they.does("q", "y leave")
        they.does("y")
        they.ends()
    with operator() as they:
        they.sees(r"Run 1 \(numbers.csv\) was cut short")
        they.does("p", "60 of 60 numbers   done")
        they.does("3", "1 +done")


@pytest.mark.usefixtures("at_once")
def test_two_runs_are_compared(tmp_path: Path) -> None:
    with checked(tmp_path) as they:
        they.does(f"i{a_list(tmp_path, NUMBERS[:2])}\r", "2 distinct numbers")
        they.does("A", "enter asks the simulator: 2 numbers")
        they.does("\r", "2 of 2 numbers   done")
        they.does("3", "2 runs")
        they.does(" ", "●")
        they.does(DOWN, "run 1   4 rows")
        they.does("c", "2 removed, 2 unchanged")


@pytest.mark.usefixtures("at_once")
def test_a_server_that_is_upgraded_says_valid_of_every_number(tmp_path: Path) -> None:
    with checked(tmp_path) as they:
        they.sees("invalid 1", "valid: has a WhatsApp account")
        they.does("v", "What the server is like")
        they.does(RIGHT, "SIMULATOR v2.42")
        they.does(RIGHT, "SIMULATOR v2.43")
        they.does("v", "enter contact")
        they.does(f"i{a_list(tmp_path)}\r", "4 distinct numbers")
        they.does("A", "4 numbers in 1 request")
        they.does("\r", "4 of 4 numbers   done", "valid 4", "it says nothing about an account")


@pytest.mark.usefixtures("at_once")
def test_the_traffic_is_searched_laid_out_and_saved(tmp_path: Path) -> None:
    saved = tmp_path / "traffic.har"
    with checked(tmp_path) as they:
        they.does("5", "first question", "laid out")
        they.does("r", "as it came|raw")
        they.does("/1003\r", "1003")
        they.does("e", "HAR")
        they.does(f"{ALL_OF_THE_FIELD}{saved}\r", "traffic.har")
        they.leaves()
    assert json.loads(saved.read_text())["log"]["entries"]


def test_the_tour_goes_to_its_end_and_back() -> None:
    with operator() as they:
        they.does("T", "1 of 10", "POST /v1/contacts", "↓ rest")
        for step in range(2, 11):
            they.does("\r", f"{step} of 10")
        they.does("\x1b[D", "9 of 10")
        they.does(ESCAPE, "paste  numbers here")


def test_a_server_is_added_trusted_logged_in_to_and_used(tmp_path: Path) -> None:
    with simulating("0") as (_, port), operator() as they:
        they.does("4", "For all profiles")
        they.does("a", "name, such as production")
        they.does(f"shop\thttps://127.0.0.1:{port}\r", "Profile shop")
        they.does("p", "The certificate of the server")
        they.does("y", "The certificate is pinned")
        they.does("l", "Log in at shop")
        they.does("admin\tsecret\r", "The first login wants another password")
        they.does(f"{PASSWORD}\t{PASSWORD}\r", "as plain text")
        they.does("y", "Logged in until")
        they.does("t", "the server's clock agrees", "logged in until")
        they.does(ESCAPE, "Profile shop")
        they.does("u", "shop *\n", "import a file")
        they.does(f"i{a_list(tmp_path)}\r", "4 distinct numbers", "enter asks 127.0.0.1")
        they.does("\r", "4 of 4 numbers   done")
