"""`--hide-numbers`: nothing that a command says, prints or writes shows more than the last three digits of a number."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Ended, Watui
from tests.cli.site import Site
from tests.cli.test_changes import rows_of
from tests.hidden import TIMES_BESIDE, assert_hidden
from watui.cli.exits import Exit
from watui.settings.paths import Paths

HIDE = "--hide-numbers"
NUMBER = "+16315551000"
LIST = f"phone\n+1 631 555 1000\n+1631555, 1000\n{NUMBER}\n{NUMBER} / +16315551001\n"


pytestmark = pytest.mark.usefixtures("no_waiting")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A list whose name holds a number, too."""
    path = tmp_path / "of 16315551000.csv"
    path.write_text(LIST)
    return path


@pytest.mark.parametrize("options", [["table"], ["jsonl"], ["csv"], ["jsonl", "--follow"], ["jsonl", "--trace"]])
def test_a_check(watui: Watui, source: Path, site: Site, options: list[str]) -> None:
    ended = watui("check", str(source), "--url", site.url, HIDE, "--format", *options)
    assert ended.code == Exit.DONE
    assert "•000" in ended.out
    assert_hidden([ended.out, ended.err], [NUMBER], TIMES_BESIDE)


def test_it_wins_over_a_log_that_is_to_hold_numbers(
    watui: Watui, paths: Paths, source: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATUI_LOG_NUMBERS", "1")
    assert watui("check", str(source), "--url", site.url, HIDE).code == Exit.DONE
    assert "/v1/contacts: HTTP 200" in paths.event_log.read_text("utf-8")
    assert_hidden(paths.event_log.read_text("utf-8").splitlines(), [NUMBER], TIMES_BESIDE)
    assert watui("check", str(source), "--url", site.url, "--recheck").code == Exit.DONE
    assert NUMBER[1:] in paths.event_log.read_text("utf-8")


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out"])
def test_what_is_written(watui: Watui, source: Path, site: Site, tmp_path: Path, name: str) -> None:
    path, har = tmp_path / name, tmp_path / "said.har"
    ended = watui("check", str(source), "--url", site.url, HIDE, "--output", str(path), "--har", str(har))
    assert f"4 rows written to {path}, numbers hidden" in ended.err
    assert "•000" in path.read_text("utf-8")
    assert "•000" in har.read_text("utf-8")
    assert json.loads(har.read_text("utf-8"))["log"]["entries"]
    assert_hidden([path.read_text("utf-8"), har.read_text("utf-8").replace(site.url, "")], [NUMBER], TIMES_BESIDE)


def test_runs(watui: Watui, source: Path, site: Site, tmp_path: Path) -> None:
    for _ in range(2):
        watui("check", str(source), "--url", site.url)
    assert NUMBER in watui("runs", "export", "1").out
    for arguments in (["export", "1"], ["compare", "1", "2", "--all"], ["list"], ["show", "1"], ["resume", "1"]):
        ended = watui("runs", *arguments, HIDE)
        assert ended.code == Exit.DONE
        assert "•000" in ended.out
        assert_hidden([ended.out, ended.err], [NUMBER], TIMES_BESIDE)
    assert_hidden([watui("runs", HIDE, "export", "1").out], [NUMBER], TIMES_BESIDE)
    ended = watui("runs", "export", "1", HIDE, "--output", str(tmp_path / "ids.txt"))
    assert ended.err.endswith("ids.txt, numbers hidden\n")


def test_changes_and_what_is_known_of_them(watui: Watui, site: Site) -> None:
    number = site.writers(1)[0]
    stranger = site.strangers(1)[0]

    def told(*arguments: str) -> Ended:
        ended = watui(*arguments, "--url", site.url, HIDE)
        assert f"•{number[-3:]}" in ended.out or f"•{stranger[-3:]}" in ended.out
        assert_hidden([ended.out, ended.err], [NUMBER], TIMES_BESIDE)
        return ended

    assert told("block", number, stranger, "--yes", "--reason", f"as {number} said").code == Exit.UNFINISHED
    assert told("blocklist").code == Exit.DONE
    assert told("blocklist", "--all").code == Exit.DONE
    assert told("identity", number).code == Exit.DONE
    assert told("actions", "--number", number).code == Exit.DONE
    assert told("report", number, "--yes", "--dry-run").code == Exit.DONE
    assert told("actions", "undo", "--yes").code == Exit.DONE
    assert told("unblock", number, "--yes").code == Exit.DONE
    assert number in watui("actions", "--url", site.url).out


@pytest.mark.parametrize("arguments", [["block", "6.315551000E+11", "--yes"], ["identity", "999996315551000"]])
def test_words_about_what_went_wrong(watui: Watui, site: Site, arguments: list[str]) -> None:
    ended = watui(*arguments, "--url", site.url, HIDE)
    assert ended.code != Exit.DONE
    assert "•000" in ended.err
    assert_hidden([ended.err], [NUMBER], TIMES_BESIDE)


def test_without_it_all_is_shown(watui: Watui, source: Path, site: Site) -> None:
    first, *_ = rows_of(watui("check", str(source), "--url", site.url))
    assert (first["number"], first["source"]) == (NUMBER, source.name)
