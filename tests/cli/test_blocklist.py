"""`watui blocklist`: pages as they are asked for, the whole list without doubles, and what the ledger knows of it."""

import asyncio
import csv
import io
import json
import signal
import sys
import time
from types import SimpleNamespace

import pytest

from tests.cli.conftest import SECONDS, Watui, assert_one_sentence, at_once, start
from tests.cli.site import Site
from tests.cli.test_changes import LIST, rows_of
from tests.conftest import TOKEN
from watui.cli.exits import Exit
from watui.client import blocklist as blocklist_module
from watui.contract.wa_ids import wa_id_of
from watui.export.rows import BlocklistRow
from watui.simulator.faults import Fault
from watui.simulator.faults import Kind as Broken
from watui.simulator.limits import Bucket
from watui.simulator.world import World

LARGE = 5_000


def fill(site: Site, count: int) -> list[str]:
    """Let somebody else block `count` contacts; return their wa_ids."""
    site.world.people.block_others(count, time.time())
    return site.blocked


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 200, 201])
def test_the_first_page(watui: Watui, site: Site, size: int) -> None:
    listed = fill(site, size)
    ended = watui("blocklist", "--url", site.url)
    assert ended.code == Exit.DONE
    assert [row["wa_id"] for row in rows_of(ended)] == listed[:100]
    said = f"1–{min(size, 100)} of {size}" if size else "The blocklist is empty."
    assert ended.err == f"{said}\n"
    assert [request.path for request in site.seen] == ["/v1/contacts/blocklist?limit=100&offset=0"]


@pytest.mark.parametrize(
    ("limit", "offset", "said"),
    [
        (200, 0, "1–200 of 450"),
        (200, 400, "401–450 of 450"),
        (1, 449, "450–450 of 450"),
        (50, 450, "Nothing from 450 on: there are 450 in all."),
        (1, 1_000, "Nothing from 1,000 on: there are 450 in all."),
    ],
)
def test_any_page(watui: Watui, site: Site, limit: int, offset: int, said: str) -> None:
    listed = fill(site, 450)
    ended = watui("blocklist", "--limit", str(limit), "--offset", str(offset), "--url", site.url)
    assert (ended.code, ended.err) == (Exit.DONE, f"{said}\n")
    assert [row["wa_id"] for row in rows_of(ended)] == listed[offset : offset + limit]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--limit", "0"], "0 is not in the range"),
        (["--limit", "201"], "201 is not in the range"),
        (["--offset", "-1"], "-1 is not in the range"),
        (["--all", "--limit", "5"], "--all prints the whole list"),
        (["--all", "--offset", "0"], "--all prints the whole list"),
        (["--format", "xml"], "xml"),
        (["+16315551000"], "unexpected extra argument"),
    ],
    ids=repr,
)
def test_a_page_that_cannot_be_is_not_asked_for(watui: Watui, site: Site, arguments: list[str], words: str) -> None:
    ended = watui("blocklist", *arguments, "--url", site.url)
    assert_one_sentence(ended, Exit.USAGE)
    assert words in ended.err
    assert site.seen == []


@pytest.mark.parametrize("size", [0, 1, 200, 201, LARGE])
def test_the_whole_list(watui: Watui, site: Site, size: int) -> None:
    listed = fill(site, size)
    ended = watui("blocklist", "--all", "--url", site.url)
    assert ended.code == Exit.DONE, ended.err
    assert [row["wa_id"] for row in rows_of(ended)] == listed
    assert ended.err == ("The blocklist is empty.\n" if size == 0 else f"{size:,} contact{'s' * (size > 1)} blocked.\n")


def test_a_list_that_others_change_is_printed_without_doubles(watui: Watui, site: Site) -> None:
    """After every answer the oldest goes and another comes, as in the scenario blocklist-moves."""
    before = fill(site, 1_000)

    def others_change() -> None:
        site.world.people.unblock_oldest(1, time.time())
        site.world.people.block_others(1, time.time())

    site.meanwhile = others_change
    ended = watui("blocklist", "--all", "--url", site.url)
    assert ended.code == Exit.DONE, ended.err
    printed = [row["wa_id"] for row in rows_of(ended)]
    assert len(printed) == len(set(printed))
    assert set(before) & set(site.blocked) <= set(printed), "whoever was on it all the time is there"
    assert "The list changed while it was read" in ended.err


def test_a_list_that_stays_is_not_said_to_have_changed(watui: Watui, site: Site) -> None:
    fill(site, 401)
    assert "changed" not in watui("blocklist", "--all", "--url", site.url).err


def test_what_is_known_of_who_was_blocked_from_here(watui: Watui, site: Site) -> None:
    """The server tells a wa_id alone; the number, when, why and by whom are from the ledger."""
    number, mexican = site.writers(1)[0], "+525512345678"
    site.world.people.change_account(mexican, True, time.time())
    watui("check", "--number", number, "--url", site.url)
    watui("block", number, mexican, "--reason", "spam", "--url", site.url, "--yes")
    (stranger,) = set(fill(site, 1)) - {wa_id_of(number), "5215512345678"}
    for arguments in ([], ["--all"]):
        known, foreign, unknown = rows_of(watui("blocklist", *arguments, "--url", site.url))
        assert tuple(known) == BlocklistRow.__struct_fields__
        assert (known["number"], known["wa_id"], known["reason"]) == (number, wa_id_of(number), "spam")
        assert known["blocked_at"].endswith("+00:00")
        assert (known["by"] is not None, known["status"], known["server_version"]) == (True, "valid", "v2.41")
        assert (foreign["number"], foreign["wa_id"]) == (mexican, "5215512345678")
        assert list(unknown.values()) == [f"+{stranger}", stranger, None, None, None, None, None]


def test_the_list_as_csv_and_as_a_table(watui: Watui, site: Site) -> None:
    (wa_id,) = fill(site, 1)
    for arguments in ([], ["--all"]):
        ended = watui("blocklist", *arguments, "--url", site.url, "--format", "csv")
        (row,) = csv.DictReader(io.StringIO(ended.out))
        assert (row["number"], row["wa_id"]) == (f"+{wa_id}", wa_id)
        heading, line = watui("blocklist", *arguments, "--url", site.url, "--format", "table").out.splitlines()
        assert heading.split()[:2] == ["number", "wa_id"]
        assert line.split() == [f"+{wa_id}", wa_id]


def test_an_empty_list_has_a_header_where_there_is_one(watui: Watui, site: Site) -> None:
    ended = watui("blocklist", "--url", site.url, "--format", "csv")
    assert ended.out.rstrip().split(",") == list(BlocklistRow.__struct_fields__)


@pytest.mark.parametrize("arguments", [[], ["--all"]])
@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (Broken.WRONG_TYPE, Exit.UNREACHABLE),
        (Broken.REDIRECT, Exit.UNREACHABLE),
        (Broken.RESET, Exit.UNREACHABLE),
        (Broken.INTERNAL_ERROR, Exit.UNREACHABLE),
        (Broken.DENIED, Exit.REFUSED),
    ],
)
def test_a_list_that_cannot_be_had(watui: Watui, site: Site, arguments: list[str], kind: Broken, code: Exit) -> None:
    fill(site, 10)
    site.become(faults=(Fault(kind, LIST),))
    ended = watui("blocklist", *arguments, "--url", site.url)
    assert_one_sentence(ended, code)


def test_a_list_that_ends_too_early_says_so(watui: Watui, site: Site) -> None:
    listed = fill(site, 1_000)
    site.become(faults=(Fault(Broken.MALFORMED, LIST, nth=3),))
    ended = watui("blocklist", "--all", "--url", site.url)
    assert ended.code == Exit.UNREACHABLE
    assert [row["wa_id"] for row in rows_of(ended)] == listed[:399]
    assert "The list is not whole: it ends after 399 of 1,000" in ended.err


def test_a_list_that_is_longer_than_the_limit_on_requests(
    watui: Watui, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        bucket.fill()
        await at_once(0)

    monkeypatch.setattr(blocklist_module, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": wait}))
    bucket = Bucket(rate=0.1, burst=5)  # so slow that it never fills by itself while the list is read
    with Site(world, bucket) as site:
        listed = fill(site, LARGE)
        ended = watui("blocklist", "--all", "--url", site.url)
    assert ended.code == Exit.DONE, ended.err
    assert [row["wa_id"] for row in rows_of(ended)] == listed
    assert waits
    assert all(seconds >= 1 for seconds in waits)


def test_who_asks_for_too_much_patience_does_not_get_it(watui: Watui, site: Site) -> None:
    fill(site, 10)
    site.become(faults=(Fault(Broken.QUEUE_FULL, LIST, retry_after=3600),))
    ended = watui("blocklist", "--all", "--url", site.url)
    assert_one_sentence(ended, Exit.UNREACHABLE)
    assert "Ask more slowly" in ended.err


def test_a_reader_that_goes_away_is_no_crash(site: Site) -> None:
    fill(site, LARGE)
    with start("blocklist", "--all", "--url", site.url, WATUI_TOKEN=TOKEN) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert json.loads(running.stdout.readline())["wa_id"] == site.blocked[0]
        running.stdout.close()
        assert "Traceback" not in running.stderr.read()
        assert running.wait(SECONDS) == Exit.UNHEARD


def test_ctrl_c_says_that_the_list_is_not_whole(site: Site) -> None:
    fill(site, 1_000)
    site.become(faults=(Fault(Broken.TIMEOUT, LIST, nth=3),))
    with start("blocklist", "--all", "--url", site.url, WATUI_TOKEN=TOKEN) as running:
        assert running.stdout is not None
        for _ in range(399):
            running.stdout.readline()
        while len(site.seen) < 2:
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=SECONDS)
    assert (running.returncode, out) == (Exit.INTERRUPTED, ""), err
    assert "interrupted. The list is not whole: it ends after 399 of 1,000" in err


def test_progress_is_shown_where_the_rows_go_elsewhere(
    watui: Watui, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(site, 401)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    ended = watui("blocklist", "--all", "--url", site.url)
    assert "200 of 401" in ended.err
    assert ended.err.endswith("\r\x1b[K401 contacts blocked.\n")
    assert len(rows_of(ended)) == 401


def test_the_simulator_has_a_blocklist(watui: Watui) -> None:
    assert watui("simulator", "scenario", "blocklist-moves").code == Exit.DONE
    ended = watui("blocklist", "--all")
    assert ended.code == Exit.DONE, ended.err
    assert len(rows_of(ended)) >= 450
