"""What `valid` means depends on who answered: no account is claimed where none is known, and answers of two versions
are told apart."""

import time
from collections.abc import Sequence
from contextlib import closing

import pytest
from textual.widgets import Static

from tests.conftest import TOKEN
from tests.tui.story import NARROW, PEOPLE, PROFILE, WIDE, Story, console
from watui.checks.prepare import Import, add_source
from watui.client.server import Server
from watui.contract.statuses import KNOWN_VERSIONS
from watui.export.formats import wa_id_warning
from watui.intake.entries import single
from watui.ledger.drivers import Driver
from watui.ledger.ledger import Ledger
from watui.ledger.rows import Answered, Row, RunOptions, RunState
from watui.ledger.trail import Verdict
from watui.settings.paths import Paths
from watui.settings.settings import Settings
from watui.simulator.conditions import Changes
from watui.simulator.serving import ServerThread
from watui.tui import panels
from watui.tui.cells import cells, columns
from watui.tui.commands import Phase
from watui.tui.contacts import Contact, Facts, lines
from watui.tui.screens.help import HelpScreen

pytestmark = pytest.mark.anyio

VERSIONS = (*KNOWN_VERSIONS, "nightly", "", None)
"""Those that are described, and what can't be read."""

CLAIMING = ("v2.35.4", "v2.39.1", "v2.41")

NUMBER, WA_ID = PEOPLE[0], PEOPLE[0].removeprefix("+")

CLAIMS = ("has a WhatsApp account", "has no WhatsApp account", "has one")
"""Words that only a server up to v2.41 stands for."""


def ended(paths: Paths, server: ServerThread, said: Sequence[tuple[str, str, str | None]]) -> int:
    """Write a run that has ended, with the number, the status and the version of each answer; return its id."""
    with closing(Ledger(paths.ledger)) as ledger:
        run_id = ledger.add_run(RunOptions(server.url, "US", "no_wait", False, 500, PROFILE))
        rows = [single(line, number) for line, (number, _, _) in enumerate(said, 1)]
        add_source(ledger, Import(run_id, "list.csv", "US"), None, rows)
        driver = Driver(paths.locks)
        ledger.start(run_id, driver)
        for number_id, (number, status, version) in enumerate(said, 1):
            answer = Answered(number_id, status, True, number.removeprefix("+"))
            ledger.answered(run_id, ledger.asked(run_id, [number_id]).ask_id, [answer], version)
        ledger.end(run_id, RunState.DONE)
        driver.close()
    return run_id


async def show(story: Story, run_id: int) -> None:
    story.screen.open(run_id)
    await story.until(lambda: story.session.record is not None and story.session.record.id == run_id, "the run")
    await story.until_phase(Phase.ENDED)
    await story.press("home")


def pure(status: str, version: str | None) -> dict[str, str]:
    """Return what is said of a row, as far as that needs no console."""
    row = Row(
        1, "list.csv", 1, NUMBER, NUMBER, "US", status, WA_ID, None, None, time.time(), version, 1, asked=1, polls=0
    )
    contact = Contact.of_row(row)
    assert contact is not None
    verdict = Verdict(1, status, WA_ID, time.time(), version)
    return {
        "row": " ".join(cell.text for cell in cells(row, columns(120, preview=False, has_versions=True), time.time())),
        "detail": panels.detail(row, 200).plain,
        "panel": lines(contact, Facts([verdict], []), 200).plain.partition("status")[2],
    }


def assert_honest(surface: str, words: str, version: str | None, *, is_told: bool) -> None:
    """Assert that an account is claimed only at versions that stand for it, and there where it `is_told`."""
    claims = any(claim in words for claim in CLAIMS)
    assert claims is (is_told and version in CLAIMING), f"{surface} at {version}: {words}"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("status", ["valid", "invalid"])
def test_an_account_is_claimed_of_a_row_only_where_the_version_says_so(status: str, version: str | None) -> None:
    for surface, words in pure(status, version).items():
        assert status in words or surface == "detail"
        assert_honest(surface, words, version, is_told=surface != "row")


async def test_an_account_is_claimed_around_the_rows_only_where_the_version_says_so(
    paths: Paths, server: ServerThread
) -> None:
    async with console(paths, Server.at(server.url, TOKEN), size=WIDE) as story:
        for version in VERSIONS:
            await show(story, ended(paths, server, [(NUMBER, "valid", version), (PEOPLE[1], "invalid", version)]))
            assert_honest("legend", str(story.screen.legend.render()), version, is_told=True)
            assert_honest("counts", str(story.screen.counts.render()), version, is_told=False)
            assert_honest("table", "\n".join(story.table()), version, is_told=False)
            await story.press("f1")
            shown = await story.until_on(HelpScreen)
            words = " ".join(str(part.content) for part in shown.query(Static)).partition("Statuses on")[2]
            assert_honest("help", words, version, is_told=True)
            await story.press("escape")
    print(f"\n{len(VERSIONS)} versions, 2 statuses: 3 surfaces of a row and 4 around the rows")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_wa_id_is_taken_away_with_a_warning(version: str | None) -> None:
    assert (wa_id_warning([version]) is None) is (version in CLAIMING)
    assert wa_id_warning(["v2.41", version]) == wa_id_warning([version])


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_answers_of_two_versions_are_told_apart(
    paths: Paths, server: ServerThread, size: tuple[int, int]
) -> None:
    said = [(PEOPLE[0], "valid", "v2.41"), (PEOPLE[1], "valid", "v2.45.1"), (PEOPLE[2], "valid", None)]
    one, several = ended(paths, server, said[:1]), ended(paths, server, said)
    async with console(paths, Server.at(server.url, TOKEN), size=size) as story:
        await show(story, one)
        assert "version" not in story.table()[0]
        await show(story, several)
        await story.until(lambda: "version" in story.table()[0], "a column for the version")
        for line, version in zip(story.table()[1:4], ("v2.41", "v2.45.1", "unknown"), strict=True):
            assert f"✓ valid      {version}" in line
        legend = str(story.screen.legend.render())
        assert legend == " valid at v2.45.1, unknown: says nothing about an account; at v2.41: has one"
        assert len(legend) <= NARROW[0]
        for claims in (True, False, False):
            detail = str(story.screen.rows.detail.render())
            assert ("has a WhatsApp account" in detail, "says nothing about" in detail) == (claims, not claims)
            await story.press("down")
        await show(story, one)
        assert "version" not in story.table()[0]


async def test_a_server_that_changes_in_mid_run_is_noticed_while_it_runs(paths: Paths) -> None:
    """As many requests as numbers, so that the change comes between two of them."""
    async with console(paths, settings=Settings(batch_size=1)) as story:
        await story.preview("\n".join(PEOPLE[:30]))
        backstage = await story.session.desk.backstage()
        await backstage.change(Changes(latency="none"))
        await story.press("enter")
        await story.until(lambda: story.session.final > 0, "an answer of v2.41")
        await story.press("p")
        assert "has a WhatsApp account" in str(story.screen.legend.render())
        assert "version" not in story.table()[0]
        await backstage.change(Changes(version="v2.43"))
        await story.press("p")
        await story.until(lambda: "version" in story.table()[0], "a column for the version")
        assert story.session.phase is Phase.RUNNING
        told = " valid at v2.43: says nothing about an account; at v2.41: has one"
        assert str(story.screen.legend.render()) == told
        await story.until_phase(Phase.ENDED)
        assert str(story.screen.legend.render()) == told
        reader, record = story.session.desk.reader, story.session.record
        assert record is not None
        rows = [row for row in reader.rows(record.id) if row.status == "valid"]
        by_version = {version: sum(row.server_version == version for row in rows) for version in ("v2.41", "v2.43")}
        assert min(by_version.values()) > 0
        await story.press("end")
        assert "v2.43" in story.table()[-1]
        told = str(wa_id_warning(reader.versions(record.id)))
        assert "not guaranteed to be real" in told
