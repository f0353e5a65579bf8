"""A list that is read in another way: another column, or numbers of another country than the server's."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.widgets import Input, OptionList
from xlsxwriter import Workbook  # type: ignore[import-untyped]

from tests.cli.conftest import congress
from tests.conftest import TOKEN
from tests.simulated import a_world, create_app
from tests.tui.story import Story, console
from watui.client.server import Server
from watui.ledger.rows import RunOptions, RunRecord, RunState
from watui.ledger.schema import LedgerUnusable
from watui.settings.paths import Paths
from watui.settings.settings import Settings
from watui.simulator.serving import ServerThread
from watui.tui.phases import Phase
from watui.tui.screens.dialogs import ImportDialog
from watui.tui.screens.layouts import ColumnDialog, CountryDialog

pytestmark = pytest.mark.anyio

LIST = "id,home,mobile\n1001,+12125550100,+442079460900\n1002,+12125550101,+442079460901\n"


def numbers(story: Story) -> list[str | None]:
    assert story.session.record is not None
    return [row.number for row in story.session.desk.reader.rows(story.session.record.id)]


async def import_file(story: Story, path: Path) -> None:
    await story.press("i")
    dialog = await story.until_on(ImportDialog)
    dialog.path.value = str(path)
    await story.press("enter")
    await story.until_phase(Phase.PREVIEW)


async def test_a_list_of_another_country_gets_its_code_by_a_key(paths: Paths) -> None:
    """A list of the US, on a server registered in India."""
    world = a_world(latency=None)
    world.region = "IN"
    with ServerThread(create_app(world, TOKEN)) as server:
        async with console(paths, Server.at(server.url, TOKEN), settings=Settings(region="IN")) as story:
            await import_file(story, congress())
            await story.until_shown("1,204 numbers without + would be read as of IN, and 328 of them can't be")
            await story.until_shown("is this a list of US? + sets its country")
            assert story.session.record is not None
            before = story.session.record.id
            await story.press("plus")
            dialog = await story.until_on(CountryDialog)
            assert dialog.query_one(Input).value == "US"
            dialog.query_one(Input).value = "UK"
            await story.press("enter")
            await story.until_shown("'UK' is not a region")
            dialog.query_one(Input).value = "US"
            await story.press("enter")
            await story.until(lambda: story.session.list_region == "US", "the list is read again")
            await story.until_phase(Phase.PREVIEW)
            await story.until_shown("numbers without + read as of US", "sent as +12567346043")
            assert story.table()[1].split()[:4] == ["2", "256-734-6043", "+12567346043", "US"]
            runs = {run.record.id: run.record.state for run in story.session.desk.reader.runs()}
            assert runs.get(before) is None, "the list as it was read before is not kept"
            await story.press("enter")
            await story.until_phase(Phase.ENDED)
            assert story.session.record.state is RunState.DONE
            rows = list(story.session.desk.reader.rows(story.session.record.id))
            assert {row.input for row in rows} == {line.rpartition(",")[2] for line in lines_of(congress())}
            assert all(row.wa_id == (row.number or "").removeprefix("+") for row in rows if row.status == "valid")


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines()[1:]


async def test_another_column_is_chosen_from_the_first_rows(paths: Paths) -> None:
    async with console(paths) as story:
        await story.preview(LIST)
        assert numbers(story) == ["+442079460900", "+442079460901"]
        await story.until_shown("column mobile; l another")
        await story.press("l")
        dialog = await story.until_on(ColumnDialog)
        await story.until_shown("1 id 1001 · 1002", "2 home +12125550100", "› 3 mobile +442079460900")
        assert dialog.query_one(OptionList).highlighted == 2
        await story.press("up", "enter")
        await story.until(lambda: numbers(story) == ["+12125550100", "+12125550101"], "the other column")
        await story.until_phase(Phase.PREVIEW)
        await story.press("l")
        await story.until_on(ColumnDialog)
        await story.until_shown("› 2 home")
        await story.press("escape")
        await story.until_phase(Phase.PREVIEW)
        # The country is for all that was given, and the column stays chosen.
        await story.paste("442079460902")
        await story.until(lambda: len(numbers(story)) == 3, "more of it")
        await story.until_phase(Phase.PREVIEW)
        await story.press("plus")
        dialog_of_country = await story.until_on(CountryDialog)
        dialog_of_country.query_one(Input).value = "+"
        await story.press("enter")
        await story.until(lambda: numbers(story)[-1:] == ["+442079460902"], "with its +")
        assert numbers(story) == ["+12125550100", "+12125550101", "+442079460902"]


async def test_another_column_with_numbers_is_named(paths: Paths) -> None:
    async with console(paths) as story:
        await story.preview("id,home phone,mobile\n1001,,+442079460900\n1002,+12125550101,+442079460901\n")
        await story.until_shown("column mobile; home phone holds numbers, too; l another")
        await story.press("l")
        await story.until_on(ColumnDialog)
        await story.press("up", "enter")
        await story.until(lambda: "+12125550101" in numbers(story), "the other column")
        await story.until_phase(Phase.PREVIEW)
        await story.until_shown("column home phone; l another")


async def test_a_list_stays_as_it_was_where_it_can_not_be_read_again(paths: Paths, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(LIST)
    async with console(paths) as story:
        await import_file(story, path)
        await story.press("plus")
        dialog = await story.until_on(CountryDialog)
        path.unlink()
        dialog.query_one(Input).value = "GB"
        await story.press("enter")
        await story.until_told("cannot read list.csv")
        await story.until_phase(Phase.PREVIEW)
        assert numbers(story) == ["+442079460900", "+442079460901"]
        assert story.session.list_region is None
        assert len(list(story.session.desk.reader.runs())) == 1
        await story.press("l")
        await story.until_told("cannot read list.csv: No such file")


async def test_a_list_of_before_is_not_read_again(paths: Paths) -> None:
    async with console(paths) as story:
        await story.preview(LIST)
        assert story.session.record is not None
        run_id = story.session.record.id
    async with console(paths) as story:
        story.screen.open(run_id)
        await story.until_phase(Phase.PREVIEW)
        await story.press("plus")
        await story.until_told("import its file again")


def drafts(story: Story) -> list[int]:
    return [run.record.id for run in story.session.desk.reader.runs()]


async def ask_for_another_country(story: Story) -> None:
    await story.press("plus")
    dialog = await story.until_on(CountryDialog)
    dialog.query_one(Input).value = "GB"
    await story.press("enter")


async def test_a_list_stays_as_it_was_where_no_other_draft_can_be_made(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(*_: object) -> RunRecord:
        raise LedgerUnusable("the disk is full")

    async with console(paths) as story:
        await story.preview("020 7946 0018")
        monkeypatch.setattr(story.session.desk, "add_draft", refused)
        await ask_for_another_country(story)
        await story.until_told("the disk is full")
        await story.until_phase(Phase.PREVIEW)
        assert drafts(story) == [1]
        monkeypatch.undo()
        await ask_for_another_country(story)
        await story.until(lambda: story.session.list_region == "GB", "the list is read again")
        await story.until_phase(Phase.PREVIEW)
        assert numbers(story) == ["+442079460018"]


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_draft_that_is_made_after_the_reading_was_stopped_is_not_kept(
    is_first: bool, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with console(paths) as story:
        session = story.session
        if not is_first:
            await story.preview("020 7946 0018")
        add_draft, begun, may_end = session.desk.add_draft, asyncio.Event(), asyncio.Event()

        async def slow(options: RunOptions) -> RunRecord:
            begun.set()
            await may_end.wait()
            return await add_draft(options)

        monkeypatch.setattr(session.desk, "add_draft", slow)
        await (story.paste("020 7946 0018") if is_first else ask_for_another_country(story))
        await begun.wait()
        await story.press("escape")
        reading = story.screen.adding
        assert reading is not None
        await story.until(lambda: reading.is_cancelled, "the end of the reading")
        may_end.set()
        await story.until_phase(Phase.EMPTY if is_first else Phase.PREVIEW)
        await story.until(lambda: drafts(story) == ([] if is_first else [1]), "no draft is left over")


def far_away(path: Path) -> None:
    """Write a small spreadsheet that wants more memory than there is."""
    with Workbook(path) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write(0, 0, "+12125550100")
        sheet.write(1_048_575, 16_383, "+12125550101")


@pytest.mark.parametrize(
    ("damage", "why"),
    [(far_away, "list.csv takes too much to read"), (Path.mkdir, "list.csv is a directory")],
    ids=["far away", "directory"],
)
async def test_a_list_stays_as_it_was_where_its_file_can_not_be_read_any_more(
    paths: Paths, tmp_path: Path, damage: Callable[[Path], None], why: str
) -> None:
    path = tmp_path / "list.csv"
    path.write_text(LIST)
    async with console(paths) as story:
        await import_file(story, path)
        path.unlink()
        damage(path)
        await story.press("l")
        await story.until_told(why)
        assert (story.session.phase, numbers(story)) == (Phase.PREVIEW, ["+442079460900", "+442079460901"])


async def test_a_file_that_is_refused_leaves_the_list_alone(paths: Paths, tmp_path: Path) -> None:
    path = tmp_path / "far.xlsx"
    far_away(path)
    async with console(paths) as story:
        await story.preview(LIST)
        await story.press("i")
        dialog = await story.until_on(ImportDialog)
        dialog.path.value = str(tmp_path)
        await story.press("enter")
        await story.until_shown("is a directory: its files are below")
        dialog.path.value = str(path)
        await story.press("enter")
        await story.until_told("far.xlsx takes too much to read")
        await story.until_phase(Phase.PREVIEW)
        assert numbers(story) == ["+442079460900", "+442079460901"]
        await story.press("l")
        await story.until_on(ColumnDialog)
