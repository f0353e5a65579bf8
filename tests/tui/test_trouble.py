"""The console when its own house is in trouble: it says so, and goes on working."""

import asyncio
import time
from functools import partial
from pathlib import Path
from unittest.mock import Mock

import pytest
from textual.widgets import Input

from tests.conftest import TOKEN
from tests.simulated import a_world, create_app
from tests.tui.story import PEOPLE, console, console_at
from watui.checks import scheduler
from watui.checks.scheduler import Policy
from watui.client.pacing import Pacing
from watui.client.server import Server
from watui.ledger import upkeep
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import Answered
from watui.ledger.schema import LedgerUnusable
from watui.settings.paths import Paths
from watui.simulator.conditions import Changes
from watui.simulator.faults import Fault, Kind
from watui.simulator.limits import Bucket
from watui.simulator.population import Latency
from watui.simulator.serving import ServerThread
from watui.tui.phases import Phase
from watui.tui.screens.blocklist import BlocklistScreen
from watui.tui.screens.bulk import BulkScreen
from watui.tui.screens.dialogs import Confirm, ExportDialog, ImportDialog

pytestmark = pytest.mark.anyio

NUMBERS = "\n".join(f"+1 212 555 {number}" for number in range(2000, 2040))


def failing(*_: object, **__: object) -> None:
    raise LedgerUnusable("the ledger cannot be written: disk full")


async def test_a_ledger_that_takes_no_draft_is_told_and_the_next_paste_works(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(paths) as story:
        with monkeypatch.context() as broken:
            broken.setattr(Ledger, "add_run", failing)
            await story.paste(NUMBERS)
            await story.until_told("disk full")
            await story.until_phase(Phase.EMPTY)
        await story.preview(NUMBERS)


async def test_a_ledger_that_fails_in_mid_run_stops_it_and_says_what_is_kept(
    paths: Paths, server: ServerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(paths, Server.at(server.url, TOKEN)) as story:
        await story.preview(NUMBERS)
        monkeypatch.setattr(Ledger, "answered", failing)
        await story.press("enter")
        await story.until_phase(Phase.STOPPED)
        assert "Stopped: the ledger cannot be written: disk full" in str(story.screen.banner.content)
        assert "stopped" in story.screen.progress.render().plain
        assert "done" not in story.screen.progress.render().plain


@pytest.mark.parametrize("method", ["discard", "end"])
async def test_a_ledger_that_fails_at_the_end_is_told(
    method: str, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(paths) as story:
        await story.press("s")
        await story.until_phase(Phase.PREVIEW)
        if method == "end":
            await story.press("enter")
            await story.until_phase(Phase.RUNNING)
        if method == "end":
            monkeypatch.setattr(Ledger, "end", failing)
        else:
            monkeypatch.setattr(upkeep, "_delete_rest", failing)
        await story.press("x" if method == "end" else "escape")
        await story.until(lambda: isinstance(story.app.screen, Confirm), "the question")
        await story.press("y")
        await story.until_told("disk full")


async def test_an_import_that_is_stopped_says_that_it_is_not_whole(paths: Paths, tmp_path: Path) -> None:
    """A list that was cut short must not look like a list."""
    source = tmp_path / "long.txt"
    source.write_text("\n".join(f"+1212{number:07d}" for number in range(2_000_000, 2_060_000)))
    async with console(paths) as story:
        await story.press("i")
        await story.until(lambda: isinstance(story.app.screen, ImportDialog), "the dialog")
        story.app.screen.query_one(Input).value = str(source)
        await story.press("enter")
        await story.until(lambda: story.session.record is not None and story.session.record.entries > 0, "first rows")
        await story.press("escape")
        await story.until_phase(Phase.PREVIEW)
        assert "not read to its end" in str(story.screen.summary.content)
        assert story.session.record is not None
        assert story.session.record.entries < 60_000


async def test_a_filter_follows_what_changes(paths: Paths) -> None:
    async with console(paths) as story:
        await story.preview(NUMBERS)
        record = story.session.record
        assert record is not None
        story.screen.rows.filter(story.screen.rows.wanted._replace(status="queued"))
        await story.until(lambda: story.screen.rows.table.row_count == 40, "all are queued")
        other = Ledger(paths.ledger)
        ask_id = other.asked(record.id, [1, 2, 3]).ask_id
        other.answered(record.id, ask_id, [Answered(number, "valid", True, None) for number in (1, 2, 3)], "v2.41")
        other.close()
        await story.until(lambda: story.screen.rows.table.row_count == 37, "three are not queued any more")


@pytest.mark.parametrize(("key", "dialog"), [("i", ImportDialog), ("e", ExportDialog)])
async def test_a_path_that_cannot_be_used_is_told_in_the_dialog(
    key: str, dialog: type[ImportDialog | ExportDialog], paths: Paths, tmp_path: Path
) -> None:
    async with console(paths) as story:
        await story.press("s")
        await story.until_phase(Phase.PREVIEW)
        for path in ("n" * 300 + ".csv", "~nosuchperson/x.csv", str(tmp_path), f"{tmp_path}/no/x.csv"):
            await story.press(key)
            shown = await story.until_on(dialog)
            before = str(shown.hint.content)
            shown.path.value = path
            await story.press("enter")
            assert story.app.screen is shown, path
            assert str(shown.hint.content) != before, path
            await story.press("escape")


async def test_a_server_that_asks_for_patience_is_named_while_it_is_waited_for(paths: Paths) -> None:
    """A run that waits must not look like one that hangs."""
    world = a_world(latency=Latency(1000.0, 2000.0))
    with ServerThread(create_app(world, TOKEN, bucket=Bucket(rate=0.001, burst=1))) as server:
        async with console(paths, Server.at(server.url, TOKEN), size=(120, 40)) as story:
            await story.preview(NUMBERS)
            await story.press("enter")
            await story.until(
                lambda: (
                    "waits until" in story.screen.progress.render().plain
                    and "Too many requests (1015)" in story.screen.progress.render().plain
                ),
                "what is waited for",
            )
            assert story.session.phase is Phase.RUNNING


async def test_a_wish_to_wait_is_told_in_full_on_a_small_screen(paths: Paths) -> None:
    fault = Fault(Kind.QUEUE_FULL, path="*/contacts", retry_after=3600)
    async with console_at(a_world(latency=None, faults=(fault,)), paths) as story:
        await story.preview(NUMBERS)
        await story.press("enter")
        await story.until(lambda: story.session.waiting is not None, "the wait")
        waiting = story.session.waiting
        assert waiting is not None
        await story.until_shown(
            f"Waiting: the server asks us to wait until {waiting.at} ({waiting.reason}).",
            "It goes on by itself.",
            f"waits until {waiting.at}",
        )
        assert story.session.phase is Phase.RUNNING


async def test_an_outage_is_told_in_full_on_a_small_screen_and_waited_for(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an answer before, three tries would stop it."""
    world = a_world(latency=Latency(1000.0, 2000.0))
    monkeypatch.setattr(scheduler, "Policy", partial(Policy, pacing=Pacing(first=0.001, growth=50.0)))
    async with console_at(world, paths) as story:
        await story.preview(NUMBERS)
        await story.press("enter")
        await story.until(lambda: story.session.tally.get("processing") is not None, "the first answer")
        world.change(Changes(faults=(Fault(Kind.RESET, path="*/contacts"),)), time.time())
        await story.until(lambda: (w := story.session.waiting) is not None and w.requests >= 4, "the fourth try")
        waiting = story.session.waiting
        assert waiting is not None
        await story.until_shown(
            "Waiting: the connection to 127.0.0.1:",
            f"It is asked again at {waiting.at} and goes on by itself; 4 requests in vain.",
        )
        assert story.session.phase is Phase.RUNNING
        world.change(Changes(faults=()), time.time())


async def test_a_ledger_that_cannot_be_read_for_a_moment_is_told_and_the_run_goes_on(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(paths) as story:
        await story.preview(NUMBERS)
        with monkeypatch.context() as broken:
            readings = Mock(side_effect=LedgerUnusable("disk full"))
            broken.setattr(Reader, "query", readings)
            await story.until(lambda: readings.call_count >= 5, "five readings")
            assert len([notice for notice in story.notices if "disk full" in notice]) == 1, "told once"
        await story.press("enter")
        await story.until(lambda: story.session.tally.get("processing") is not None, "first answers")


@pytest.mark.parametrize("what", ["a page of the blocklist", "a list of blocks", "the list of runs"])
async def test_the_console_can_be_left_while_something_is_awaited(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    slow = tuple(Fault(Kind.LATENCY, path=path, seconds=30.0) for path in ("*/blocklist*", "*/block"))
    async with console_at(a_world(latency=None, engaged=1.0, faults=slow), paths) as story:
        match what:
            case "a page of the blocklist":
                await story.press("2")
                await story.until_on(BlocklistScreen)
                await story.until_shown("Reading")
            case "a list of blocks":
                await story.preview("\n".join(PEOPLE[:5]))
                await story.press("B")
                await story.until_on(BulkScreen)
                await story.until_shown("Reading")
            case _:
                held = asyncio.Event()
                monkeypatch.setattr(story.session.desk.archive, "runs", held.wait)
                await story.press("3")
        await story.press("ctrl+q")
        await story.until(lambda: story.app.return_value == 0 or isinstance(story.app.screen, Confirm), "an answer")
        if story.app.return_value is None:
            await story.press("y")
        await story.until(lambda: story.app.return_value == 0, "the end")
    assert story.app.return_code == 0, "nothing went wrong on the way out"
