"""The Check screen by pilot, against a simulated server that answers at once."""

import asyncio
from pathlib import Path
from unittest.mock import Mock

import msgspec
import pytest
from textual.widgets import Input

from tests.conftest import TOKEN
from tests.ledger.conftest import new_row
from tests.simulated import a_world, create_app
from tests.tui.story import NARROW, PEOPLE, WIDE, console, console_at
from watui.checks.importing import Tell
from watui.checks.prepare import Progress
from watui.checks.scheduler import Outlook
from watui.client.server import Server
from watui.desk import Desk, Given
from watui.files import CannotWrite
from watui.ledger.ledger import Ledger
from watui.ledger.rows import RunState
from watui.settings.paths import Paths
from watui.simulator.population import Latency
from watui.simulator.serving import ServerThread
from watui.simulator.world import World
from watui.tui import panels
from watui.tui.outlet import Outlet
from watui.tui.phases import Phase
from watui.tui.screens.dialogs import Confirm, ExportDialog, ImportDialog, PlaceDialog
from watui.tui.screens.help import HelpScreen
from watui.tui.session import Reading
from watui.tui.widgets.row_table import RowTable

pytestmark = pytest.mark.anyio

SAMPLE_ROWS = ("16315551000", "+1 631 555 1001", "6315551002", "+163155588")
"""The request sample of the contract."""

SLOW = Latency(1000.0, 2000.0)
"""Longer than any test waits."""


def at(server: ServerThread) -> Server:
    return Server.at(server.url, TOKEN)


@pytest.mark.parametrize(
    ("outlook", "is_told"),
    [
        (None, True),
        (Outlook(1, 30.0, None), True),
        (Outlook(0, None, None), True),
        (Outlook(0, 0.3, None), True),
        (Outlook(0, 4.0, None), False),
    ],
)
def test_a_rate_is_told_while_anything_is_on_its_way(outlook: Outlook | None, is_told: bool) -> None:
    session = Mock(
        phase=Phase.RUNNING, is_blocked=False, waiting=None, outlook=outlook, per_second=4_989.0, seconds_left=None
    )
    session.configure_mock(final=7, stuck=0, record=Mock(numbers=10))
    assert ("4,989/s" in panels.progress(session, 80).plain) is is_told


async def test_where_nothing_is_to_ask_no_start_is_offered(paths: Paths) -> None:
    async with console(paths) as story:
        await story.preview("nobody")
        await story.until_shown("There is nothing to ask.", "1 row read")
        assert " start " not in story.screen.keys.render().plain
        await story.press("escape")
        await story.press("y")
        await story.until_phase(Phase.EMPTY)
        await story.resolve(PEOPLE[0])
        await story.press("n")
        await story.preview(PEOPLE[0])
        assert "enter show " in story.screen.keys.render().plain
        await story.press("A")
        assert "enter start " in story.screen.keys.render().plain


async def test_from_paste_to_verdicts(paths: Paths, server: ServerThread) -> None:
    async with console(paths, at(server)) as story:
        assert "paste" in str(story.screen.welcome.content)
        await story.preview("phone\n" + "\n".join((*SAMPLE_ROWS, "", "6315551002", "none")) + "\n")
        summary = str(story.screen.summary.content)
        assert "8 rows read: 5 entries, 1 rejected, 1 header, 1 blank" in summary
        assert "4 distinct numbers (1 duplicate)" in summary
        assert "1 × no digits" in summary
        assert "1 doubtful" in summary
        assert ": 4 numbers in 1 request, then at least" in summary
        assert story.session.record is not None
        assert story.session.record.state is RunState.DRAFT, "nothing is sent before enter"
        await story.press("enter")
        await story.until_phase(Phase.ENDED)
        assert story.table()[1].split()[:4] == ["16315551000", "+16315551000", "US", "✓"]
        statuses = [row.status for row in story.session.desk.reader.rows(story.session.record.id)]
        assert statuses == ["valid", "invalid", "valid", "failed", "valid", "rejected"]
        assert "100%" in story.screen.progress.render().plain
        assert "has a WhatsApp account" in story.screen.legend.render().plain


async def test_what_is_known_is_not_asked_again_unless_all_is_wanted(paths: Paths, server: ServerThread) -> None:
    async with console(paths, at(server)) as story:
        await story.resolve("\n".join(PEOPLE[:3]))
        for keys, asked in (((), 1), (("A",), 4), (("A", "A"), 0)):
            await story.press("n")
            await story.preview("\n".join(PEOPLE[:4]))
            known = 3 if asked == 1 else 4
            await story.until_shown(f"{known} answered here within the last seven days: not asked")
            await story.press(*keys)
            await story.until_shown(f": {asked} number" if asked else "there is nothing to ask")
            story.exchanges.clear()
            await story.press("enter")
            await story.until_phase(Phase.ENDED)
            texts = {text for each in story.exchanges for text in msgspec.json.decode(each.request)["contacts"]}
            assert texts == set(PEOPLE[4 - asked : 4])
            assert story.session.record is not None
            rows = list(story.session.desk.reader.rows(story.session.record.id))
            assert [row.known_from is None for row in rows] == [number in texts for number in PEOPLE[:4]]
            assert {row.status for row in rows} == {"valid"}
            assert story.session.versions == ("v2.41",)
            if asked < 4:
                await story.until_shown("known from run")


async def test_nothing_known_cannot_be_asked_again(paths: Paths, server: ServerThread) -> None:
    async with console(paths, at(server)) as story:
        await story.preview(PEOPLE[0])
        await story.press("A")
        await story.until_told("nothing was answered here within the last seven days")
        assert not story.session.asks_all


async def test_no_screen_claims_an_account_on_v2_45(paths: Paths) -> None:
    with ServerThread(create_app(a_world(version="v2.45.1", latency=None), TOKEN)) as server:
        async with console(paths, at(server), size=WIDE) as story:
            await story.resolve("\n".join(SAMPLE_ROWS))
            around = [story.screen.counts, story.screen.legend, story.screen.rows.detail, story.screen.title_line]
            words = "\n".join([*(line.render().plain for line in around), *story.table()])
            assert "invalid" not in words
            assert "has a" not in words
            assert "says nothing about an account" in words
            assert "v2.45.1" in words


NAME = "numbers of all the offices in the north of the country, as of this spring.csv"


@pytest.mark.parametrize(
    ("width", "name", "rows", "share", "seconds", "expected"),
    [
        (80, "numbers.csv", 0, None, 3.0, " Reading numbers.csv…   esc stops"),
        (80, "numbers.csv", 500, 0.0005, 0.0, " Reading numbers.csv… 0 %  500 rows   esc stops"),
        (80, "numbers.csv", 430_000, 0.43, 6.0, " Reading numbers.csv… 43 %  430,000 rows   8 s left   esc stops"),
        (50, "numbers.csv", 430_000, 0.43, 6.0, " Reading numbers.csv… 43 %   8 s left   esc stops"),
        (
            80,
            NAME,
            430_000,
            0.43,
            6.0,
            " Reading numbers of all the offices i… 43 %  430,000 rows   8 s left   esc stops",
        ),
        (50, NAME, 430_000, 0.43, 6.0, " Reading numbers of a… 43 %   8 s left   esc stops"),
        (50, "電話" * 20, 430_000, 0.43, 6.0, " Reading 電話電話電話… 43 %   8 s left   esc stops"),
        (80, "n.csv", 999_999, 0.9999, 6.0, " Reading n.csv… 99 %  999,999 rows   less than 1 s left   esc stops"),
        (80, "numbers.csv", 1_000_000, 1.0, 6.0, " Reading numbers.csv… 100 %  1,000,000 rows   esc stops"),
        (50, "paste", 1, None, 6.0, " Reading paste… 1 row   esc stops"),
    ],
)
def test_how_far_a_source_is_read(
    width: int,
    name: str,
    rows: int,
    share: float | None,
    seconds: float,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The time left is told of what was read in the last seconds, and not before there are some."""
    reading, clock = Reading(name), Mock(return_value=100.0)
    monkeypatch.setattr("time.monotonic", clock)
    if rows:
        reading.note(Progress(0, 0.0 if share is not None else None))
        clock.return_value += seconds
        reading.note(Progress(rows, share))
    shown = panels.importing(reading, width)
    assert shown.plain == expected
    assert shown.cell_length <= width


async def test_it_is_shown_how_far_a_list_is_read(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: asyncio.Queue[Progress | None] = asyncio.Queue()

    async def import_by_steps(_desk: Desk, _run: int, _given: Given, _list_region: str, tell: Tell) -> None:
        while (progress := await steps.get()) is not None:
            tell(progress)

    monkeypatch.setattr(Desk, "import_aside", import_by_steps)
    async with console(paths) as story:
        await story.press("s")
        await story.until_shown("Reading sample… esc stops")
        steps.put_nowait(Progress(500, 0.05))
        await story.until_shown("Reading sample… 5 % 500 rows esc stops")
        steps.put_nowait(Progress(10_500, 0.5))
        await story.until_shown("Reading sample… 50 % 10,500 rows esc stops")
        steps.put_nowait(None)
        await story.until_phase(Phase.EMPTY)


async def test_a_second_paste_joins_the_preview(paths: Paths) -> None:
    async with console(paths) as story:
        await story.preview("+16315551000\n+16315551001")
        await story.paste("+1 631-555-1001\n+16315551002")
        await story.until(
            lambda: story.session.record is not None and story.session.record.entries == 4, "four entries"
        )
        await story.until_phase(Phase.PREVIEW)
        assert story.session.record is not None
        assert story.session.record.numbers == 3


async def test_the_first_rows_of_a_list_do_not_wait_for_the_line(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    is_shown = asyncio.Event()

    async def import_until_shown(desk: Desk, run_id: int, given: Given, *_: object) -> None:
        source_id = await desk.ledger(Ledger.add_source, run_id, given.name, None)
        await desk.ledger(Ledger.add_rows, run_id, source_id, [new_row(1, "+16315551000")], {})
        await is_shown.wait()

    monkeypatch.setattr(Desk, "import_aside", import_until_shown)
    monkeypatch.setattr(Outlet, "is_free", False)
    async with console(paths) as story:
        await story.press("s")
        await story.until(lambda: story.screen.rows.table.row_count == 1, "the first row")
        assert story.session.phase is Phase.IMPORTING
        is_shown.set()
        await story.until_phase(Phase.PREVIEW)


async def test_esc_closes_a_search_before_it_stops_the_reading(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    is_over = asyncio.Event()

    async def import_slowly(desk: Desk, run_id: int, *_: object) -> None:
        source_id = await desk.ledger(Ledger.add_source, run_id, "list", None)
        await desk.ledger(Ledger.add_rows, run_id, source_id, [new_row(1, "+16315551000")], {})
        await is_over.wait()

    monkeypatch.setattr(Desk, "import_aside", import_slowly)
    async with console(paths) as story:
        await story.press("s")
        await story.until(lambda: story.screen.rows.table.row_count == 1, "the first row")
        await story.press("slash", "9")
        await story.until_shown("no rows so far with “9”")
        await story.press("escape")
        await story.until_idle("back")
        assert story.session.phase is Phase.IMPORTING
        assert not story.screen.rows.is_searching
        await story.press("escape")
        await story.until_phase(Phase.PREVIEW)


async def test_discarding_asks_first(paths: Paths) -> None:
    async with console(paths) as story:
        await story.press("s")
        await story.until_phase(Phase.PREVIEW)
        await story.press("escape")
        await story.until(lambda: isinstance(story.app.screen, Confirm), "the question")
        await story.press("n")
        assert story.session.phase is Phase.PREVIEW
        await story.press("escape")
        await story.until(lambda: isinstance(story.app.screen, Confirm), "the question")
        await story.press("y")
        await story.until_phase(Phase.EMPTY)
        assert story.session.record is None


async def test_import_by_path_tells_what_is_wrong_and_keeps_the_dialog(paths: Paths, tmp_path: Path) -> None:
    good = tmp_path / "numbers.csv"
    good.write_text("name,mobile\nA,+16315551000\n")
    async with console(paths) as story:
        await story.press("i")
        await story.until(lambda: isinstance(story.app.screen, ImportDialog), "the dialog")
        dialog = story.app.screen
        assert isinstance(dialog, ImportDialog)
        dialog.path.value = str(tmp_path / "missing.csv")
        await story.press("enter")
        assert "There is no file" in str(dialog.hint.content)
        dialog.path.value = str(good)
        await story.press("enter")
        await story.until_phase(Phase.PREVIEW)
        assert "numbers.csv (column mobile; l another)" in str(story.screen.summary.content)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.txt", b"", "holds no numbers"),
        ("picture.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "not a text file"),
        ("book.xlsx", b"PK\x03\x04rest", "save it as CSV"),
    ],
)
async def test_a_file_that_is_no_list_leaves_the_screen_as_it_was(
    paths: Paths, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    async with console(paths) as story:
        await story.press("i")
        await story.until(lambda: isinstance(story.app.screen, ImportDialog), "the dialog")
        story.app.screen.query_one(Input).value = str(tmp_path / name)
        await story.press("enter")
        await story.until_told(words)
        await story.until_phase(Phase.EMPTY)


async def test_pause_resume_and_cancel(paths: Paths) -> None:
    with ServerThread(create_app(a_world(latency=SLOW), TOKEN)) as server:
        async with console(paths, at(server)) as story:
            await story.preview("\n".join(SAMPLE_ROWS))
            await story.press("enter")
            await story.until(lambda: story.session.final == 1, "the number that cannot be checked is failed")
            await story.press("p")
            await story.until_phase(Phase.PAUSED)
            await story.press("p")
            await story.until_phase(Phase.RUNNING)
            await story.press("x")
            await story.until(lambda: isinstance(story.app.screen, Confirm), "the question")
            await story.press("y")
            await story.until_phase(Phase.ENDED)
            assert story.session.record is not None
            assert story.session.record.state is RunState.CANCELLED
            assert "cancelled" in story.screen.progress.render().plain
            await story.press("n")
            await story.until_phase(Phase.EMPTY)


@pytest.mark.parametrize(("size", "words"), [(WIDE, (" next poll ", " median ")), (NARROW, (" next poll ",))], ids=str)
async def test_the_next_poll_is_told_where_there_is_room(
    paths: Paths, size: tuple[int, int], words: tuple[str, ...]
) -> None:
    world = a_world(latency=Latency(0.2, 0.4), stuck=0.5)
    with ServerThread(create_app(world, TOKEN)) as server:
        async with console(paths, at(server), size=size) as story:
            await story.preview("\n".join(f"+1 212 555 {last}" for last in range(2000, 2040)))
            await story.press("enter")
            await story.until_shown(*words)
            assert all(len(line) == size[0] for line in story.table())


async def test_a_run_that_cannot_go_on_pauses_and_says_why(paths: Paths, server: ServerThread) -> None:
    async with console(paths, Server.at(server.url, "wrong")) as story:
        await story.preview("\n".join(SAMPLE_ROWS))
        await story.press("enter")
        await story.until_phase(Phase.PAUSED)
        await story.until(lambda: bool(story.screen.banner.display), "the banner")
        assert "Access denied (1005)" in str(story.screen.banner.content)
        assert "WATUI_TOKEN" in str(story.screen.banner.content)


async def test_search_and_status_pick_rows(paths: Paths, server: ServerThread) -> None:
    async with console(paths, at(server)) as story:
        await story.resolve("\n".join(SAMPLE_ROWS))
        await story.press("f")
        await story.until(lambda: story.screen.rows.table.row_count == 2, "two valid rows")
        assert "2 rows that are valid" in story.screen.legend.render().plain
        await story.press("slash", *"1002")
        await story.until(lambda: story.screen.rows.table.row_count == 1, "one of them holds 1002")
        await story.press("escape")
        await story.until(lambda: story.screen.rows.table.row_count == 2, "the search is closed")
        await story.press("escape")
        await story.until(lambda: story.screen.rows.table.row_count == 4, "all rows again")


async def test_rows_are_arranged_and_gone_to(paths: Paths, server: ServerThread) -> None:
    async with console(paths, at(server)) as story:
        await story.resolve("\n".join(SAMPLE_ROWS))
        table, legend = story.screen.rows.table, story.screen.legend
        given = [line.split()[1:2] for line in story.table()[1:5]]
        for words, rows in [
            ("by number", ["16315551000", "+1", "6315551002", "+163155588"]),
            ("by status", ["16315551000", "6315551002", "+1", "+163155588"]),
        ]:
            await story.press("a")
            await story.until_shown(f"4 rows {words} esc as given")
            assert [line.split()[0] for line in story.table()[1:5]] == rows
        await story.press("f")
        await story.until(lambda: "2 rows that are valid, by status   esc shows all" in legend.render().plain, "both")
        await story.press("t")
        dialog = await story.until_on(PlaceDialog)
        await story.press("3", "enter")
        assert "1 to 2" in str(dialog.hint.content)
        await story.press("backspace", "2", "enter")
        await story.until(lambda: table.cursor == 1, "the second row")
        assert table.row is not None
        assert table.row.number == "+16315551002"
        await story.press("escape")
        await story.until(lambda: "4 rows by status" in legend.render().plain, "the filter goes first")
        await story.press("escape")
        await story.until(lambda: "valid: has a" in legend.render().plain, "then the order")
        assert [line.split()[1:2] for line in story.table()[1:5]] == given


async def test_the_row_at_hand_stays_when_the_filter_goes_and_while_rows_are_shown_again(
    paths: Paths, server: ServerThread
) -> None:
    async with console(paths, at(server)) as story:
        await story.resolve("\n".join(SAMPLE_ROWS))
        rows = story.screen.rows
        await story.press("slash", *"6315551002", "enter")
        await story.until(lambda: rows.table.row_count == 1, "one row")
        assert rows.table.row is not None
        at_hand = rows.table.row.row
        assert at_hand > 1
        await story.press("escape")
        await story.until(lambda: rows.table.row_count == 4, "all of them")
        assert rows.table.row is not None
        assert rows.table.row.row == at_hand
        rows.table.action_first()
        rows.show(story.session.record, rows.look)
        assert rows.table.cursor == 0, "though nobody has been told yet where it is"


async def test_copy_and_export_take_what_is_shown(paths: Paths, server: ServerThread, tmp_path: Path) -> None:
    async with console(paths, at(server)) as story:
        await story.resolve("\n".join(SAMPLE_ROWS))
        await story.press("f")
        await story.until(lambda: story.screen.rows.table.row_count == 2, "two valid rows")
        await story.press("c")
        await story.until_told("2 numbers sent to the terminal's clipboard. Nothing to paste? e exports.")
        assert story.app.clipboard == "+16315551000\n+16315551002"
        await story.press("e")
        await story.until(lambda: isinstance(story.app.screen, ExportDialog), "the dialog")
        target = tmp_path / "valid.csv"
        story.app.screen.query_one(Input).value = str(target)
        await story.press("enter")
        await story.until_told("2 rows written")
        lines = target.read_text().splitlines()
        assert len(lines) == 3
        assert all(",valid," in line for line in lines[1:])


@pytest.mark.parametrize(
    ("key", "writer", "name"),
    [
        ("1", "watui.archive.write_rows", "mine.xlsx"),
        ("3", "watui.archive.write_rows", "mine.csv"),
        ("5", "watui.tui.screens.traffic.write_whole", "mine.har"),
    ],
)
async def test_an_export_that_fails_is_asked_for_again_with_its_path_and_the_reason(
    paths: Paths,
    server: ServerThread,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    writer: str,
    name: str,
) -> None:
    target = tmp_path / name
    async with console(paths, at(server)) as story:
        await story.resolve("\n".join(SAMPLE_ROWS))
        await story.press(key)
        await story.until(lambda: bool(story.app.screen.query_one(RowTable).row_count), "rows")
        behind = story.app.screen
        await story.press("e")
        dialog = await story.until_on(ExportDialog)
        dialog.path.value = str(target)
        with monkeypatch.context() as patches:
            patches.setattr(writer, Mock(side_effect=CannotWrite("No space left on device")))
            await story.press("enter")
            await story.until(lambda: story.app.screen not in (dialog, behind), "another dialog")
            again = await story.until_on(ExportDialog)
            assert again.path.value == str(target)
            await story.until_shown("No space left on device")
        await story.press("enter")
        await story.until_told(f"written to {target}")
        assert target.exists()
        assert not isinstance(story.app.screen, ExportDialog)


async def test_sample_is_refused_on_a_real_server(paths: Paths, server: ServerThread, world: World) -> None:
    async with console(paths, at(server)) as story:
        await story.press("s")
        await story.until_told("never sent to a real server")
        assert story.session.phase is Phase.EMPTY
        assert "load sample" not in str(story.screen.welcome.content)


async def test_a_paste_during_a_run_is_refused_not_lost_silently(paths: Paths) -> None:
    with ServerThread(create_app(a_world(latency=SLOW), TOKEN)) as server:
        async with console(paths, at(server)) as story:
            await story.preview(SAMPLE_ROWS[0])
            await story.press("enter")
            await story.until_phase(Phase.RUNNING)
            await story.paste("+16315559999")
            await story.until_told("paste again")
            assert story.session.record is not None
            assert story.session.record.entries == 1


async def test_a_paste_of_several_lines_into_the_search_is_a_list(paths: Paths) -> None:
    async with console(paths) as story:
        await story.press("s")
        await story.until_phase(Phase.PREVIEW)
        assert story.session.record is not None
        before = story.session.record.entries
        await story.press("slash")
        await story.paste("+16315551000\n+16315551001")
        await story.until(
            lambda: story.session.record is not None and story.session.record.entries == before + 2, "both"
        )
        assert story.screen.rows.search_line.field.value == ""


async def test_help_tells_every_key_and_closes(paths: Paths) -> None:
    async with console(paths) as story:
        await story.press("question_mark")
        await story.until(lambda: isinstance(story.app.screen, HelpScreen), "help")
        await story.press("escape")
        assert not isinstance(story.app.screen, HelpScreen)


async def test_rows_that_another_process_commits_appear_by_themselves(paths: Paths) -> None:
    """The screen follows the ledger, not the run in its own process."""
    async with console(paths) as story:
        await story.preview("+16315551000\n+16315551001")
        record = story.session.record
        assert record is not None
        other = Ledger(paths.ledger)
        source = other.add_source(record.id, "other", None)
        other.add_rows(record.id, source, [], {"blank": 3})
        other.close()
        await story.until(lambda: story.session.record is not None and story.session.record.blank == 3, "three blanks")


@pytest.mark.parametrize("size", [(1, 1), (20, 5), (40, 12), NARROW, WIDE, (400, 100)])
async def test_every_size_works_while_it_runs(paths: Paths, size: tuple[int, int]) -> None:
    async with console(paths, size=NARROW) as story:
        await story.press("s")
        await story.until_phase(Phase.PREVIEW)
        await story.pilot.resize_terminal(*size)
        await story.press("enter")
        await story.until(lambda: story.session.final > 0, "first answers")
        await story.press("end", "pageup", "f", "home")
        await story.pilot.resize_terminal(*NARROW)
        await story.pilot.pause()
        assert all(len(line) == NARROW[0] for line in story.table())


async def test_hostile_text_reaches_no_widget_as_markup_or_control(paths: Paths, server: ServerThread) -> None:
    async with console(paths, at(server)) as story:
        await story.paste(
            "+16315551000 [/x] [@click=app.quit]quit[/]\n\x1b]52;c;AAAA\x07 1234567\n[red]6315551002\u202e\u200b"
        )
        await story.until_phase(Phase.PREVIEW)
        await story.press("enter")
        await story.until_phase(Phase.ENDED)
        for _ in range(3):
            text = "\n".join((*story.table(), story.screen.rows.detail.render().plain))
            assert not [character for character in text if not (character.isprintable() or character == "\n")]
            await story.press("down")
        assert "[/x" in story.table()[1]


async def test_quitting_during_a_run_asks_first(paths: Paths) -> None:
    with ServerThread(create_app(a_world(latency=SLOW), TOKEN)) as server:
        async with console(paths, at(server)) as story:
            await story.preview(SAMPLE_ROWS[0])
            await story.press("enter")
            await story.until_phase(Phase.RUNNING)
            await story.press("q")
            await story.until(lambda: isinstance(story.app.screen, Confirm), "the question")
            await story.press("y")
            await story.until(lambda: story.app.return_value == 0, "the end")


async def test_a_theme_that_is_chosen_is_kept(paths: Paths) -> None:
    async with console(paths) as story:
        story.app.theme = "watui-light"
        await story.until(lambda: paths.settings.exists(), "settings.toml")
        assert 'theme = "watui-light"' in paths.settings.read_text()


async def test_a_filter_in_the_preview_says_that_all_is_asked_all_the_same(paths: Paths) -> None:
    async with console(paths) as story:
        await story.press("s")
        await story.until_phase(Phase.PREVIEW)
        await story.press("slash", *"+44")
        await story.until(lambda: story.screen.rows.table.row_count == 30, "the British numbers")
        assert story.screen.legend.display
        assert "enter still asks all 187" in story.screen.legend.render().plain
        await story.press("enter", "slash", *["backspace"] * 3, *"doubtful")
        await story.until(lambda: story.screen.rows.table.row_count == 7, "what the notes say is found")


async def test_a_wa_id_of_another_country_is_pointed_out(paths: Paths) -> None:
    with ServerThread(create_app(a_world(region="IN", latency=None), TOKEN)) as server:
        async with console(paths, at(server), size=WIDE) as story:
            await story.resolve("6315551002")
            assert "wa_id of another country" in story.table()[1]


async def test_the_row_at_hand_is_told_anew_in_a_terminal_of_another_size(paths: Paths, server: ServerThread) -> None:
    async with console(paths, at(server), size=WIDE) as story:
        await story.resolve(SAMPLE_ROWS[0])
        await story.until(lambda: "wa_id" in story.screen.rows.detail.render().plain, "room for the wa_id")
        await story.pilot.resize_terminal(*NARROW)
        await story.until(lambda: "wa_id" not in story.screen.rows.detail.render().plain, "no room for it")


async def test_a_list_that_is_needed_is_not_left_for_another_one(paths: Paths) -> None:
    async with console_at(a_world(stuck=1.0), paths) as story:
        await story.preview(PEOPLE[0])
        await story.press("n")
        await story.until_told("This list is not sent yet: esc discards it.")
        await story.press("enter")
        await story.until_phase(Phase.RUNNING)
        await story.press("n")
        await story.until_told("A run is under way: let it end or cancel it first.")
        assert story.session.phase is Phase.RUNNING
