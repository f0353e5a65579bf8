"""What `valid` means depends on who answered: no account is claimed where none is known, and answers of two versions
are told apart."""

import time
from collections.abc import Sequence
from contextlib import closing

import pytest
from textual.widgets import Static

from tests.conftest import TOKEN
from tests.simulated import a_world, create_app
from tests.tui.story import NARROW, PEOPLE, PROFILE, WIDE, Story, console
from watui.checks.prepare import Import, add_source
from watui.client.server import Server
from watui.contract.statuses import KNOWN_VERSIONS, Status
from watui.contract.wa_ids import bare
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
from watui.tui.contacts import Contact, Facts, lines
from watui.tui.phases import Phase
from watui.tui.screens.contact import ContactScreen
from watui.tui.screens.meaning import MeaningScreen
from watui.tui.screens.runs import PairsScreen
from watui.tui.screens.tour import TourScreen
from watui.tui.screens.traffic import TrafficScreen

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


def legend(story: Story) -> str:
    return str(story.screen.legend.render())


async def meaning(story: Story) -> str:
    """Return what one key says of the statuses at hand, and go back."""
    behind = story.app.screen
    await story.press("m")
    shown = await story.until_on(MeaningScreen)
    words = " ".join(str(part.content) for part in shown.query(Static))
    await story.press("escape")
    await story.until(lambda: story.app.screen is behind, "the screen behind")
    return words


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
            assert_honest("meaning", await meaning(story), version, is_told=True)
    print(f"\n{len(VERSIONS)} versions, 2 statuses: 3 surfaces of a row and 4 around the rows")


RULES = {
    "v2.35.4": "Up to v2.41",
    "v2.39.1": "Up to v2.41",
    "v2.41": "Up to v2.41",
    "v2.42": "v2.42 is described nowhere",
    "v2.43": "From v2.43 on",
    "v2.45.1": "From v2.43 on",
}
"""How the rule of a version begins; of all others it is unknown."""


@pytest.mark.parametrize("version", VERSIONS)
async def test_why_a_status_means_what_it_means_is_one_key_away_wherever_one_is_shown(
    paths: Paths, version: str | None
) -> None:
    world = a_world(latency=None, version=version or "", meta=version is not None)
    world.people.block_others(1, time.time())
    number = f"+{bare(world.people.blocklist(1, 0).contacts[0].wa_id)}"
    told = {}
    with ServerThread(create_app(world, TOKEN)) as server:
        ended(paths, server, [(number, "invalid", version)])
        run_id = ended(paths, server, [(number, "valid", version)])
        async with console(paths, Server.at(server.url, TOKEN), size=WIDE) as story:
            await show(story, run_id)
            told["check"] = await meaning(story)
            await story.press("f")
            assert_honest("filter", legend(story), version, is_told=False)
            assert legend(story).endswith("m why")
            told["check, of one status"] = await meaning(story)
            await story.press("escape", "enter")
            contact = await story.until_on(ContactScreen)
            told["contact"] = await meaning(story)
            doubted = f"not guaranteed to be real ({version or 'version unknown'})"
            assert (doubted in str(contact.facts_shown.render())) is (version not in CLAIMING)
            await story.press("escape")
            await story.open_blocklist()
            await story.until_shown("✓ valid", f"last valid on {version or 'unknown'}")
            told["blocklist"] = await meaning(story)
            await story.press("3")
            await story.until_shown(f"run {run_id}", "1 number")
            told["runs"] = await meaning(story)
            await story.press("c")
            pairs = await story.until_on(PairsScreen)
            state = str(pairs.query_one("#pairs-state", Static).render())
            assert_honest("pairs", state, version, is_told=True)
            told["pairs"] = await meaning(story)
            await story.press("escape", "5")
            await story.until_on(TrafficScreen)
            told["traffic"] = await meaning(story)
    rule = RULES.get(version or "", "Unknown version")
    for surface, words in told.items():
        assert rule in words, f"{surface} at {version}: {words}"
        assert_honest(surface, words, version, is_told=True)
        assert {*Status, "queued", "rejected"} <= set(words.split()), surface


async def test_on_the_tour_both_rules_are_one_key_away(paths: Paths) -> None:
    async with console(paths) as story:
        await story.press("T")
        await story.until_on(TourScreen)
        words = await meaning(story)
        assert all(rule in words for rule in (RULES["v2.41"], RULES["v2.43"]))


async def test_where_nothing_was_answered_the_version_is_that_of_the_simulator_or_unknown(
    paths: Paths, server: ServerThread
) -> None:
    async with console(paths) as story:
        assert RULES["v2.41"] in await meaning(story)
    async with console(paths, Server.at(server.url, TOKEN)) as story:
        for key in "134":
            await story.press(key)
            assert "Unknown version" in await meaning(story)


async def test_a_run_says_which_versions_answered_it_whatever_is_on_the_check_screen(
    paths: Paths, server: ServerThread
) -> None:
    said: list[tuple[str, str, str | None]] = [(PEOPLE[0], "valid", "v2.41"), (PEOPLE[1], "valid", "v2.45.1")]
    old, mixed = ended(paths, server, said[:1]), ended(paths, server, said)
    async with console(paths, Server.at(server.url, TOKEN)) as story:
        await show(story, old)
        assert RULES["v2.43"] not in await meaning(story)
        await story.press("3")
        await story.until_shown(f"run {mixed}", "v2.45.1", "v2.41")
        words = await meaning(story)
        assert all(rule in words for rule in (RULES["v2.41"], RULES["v2.43"]))


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
        told = " valid at v2.45.1, unknown: says nothing about an account; at v2.41: has one"
        assert legend == f"{told}   m why"
        assert len(told) <= NARROW[0]
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
        told = " valid at v2.43: says nothing about an account; at v2.41: has one   m why"
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
