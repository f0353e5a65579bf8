"""Numbers that are hidden on all screens, and in pictures."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from textual.widget import Widget

from tests.hidden import TIMES_BESIDE, assert_hidden
from tests.tui import stages
from tests.tui.story import NARROW, WIDE, Story, console
from watui.settings.paths import Paths
from watui.settings.settings import Settings
from watui.tui import notices
from watui.tui.commands import Scope, bar
from watui.tui.hiding import Hiding
from watui.tui.phases import Phase
from watui.tui.screens.contact import ContactScreen
from watui.tui.screens.dialogs import Confirm, ExportDialog, HarDialog, ImportDialog
from watui.tui.screens.layouts import ColumnDialog
from watui.tui.screens.reasons import BlockDialog
from watui.tui.screens.runs import PairsScreen
from watui.tui.screens.traffic import TrafficScreen
from watui.tui.widgets.safe_input import SafeInput
from watui.tui.widgets.toggle import Toggle

pytestmark = pytest.mark.anyio

NUMBER, HIDDEN = "+1 631 555 1000", "+• ••• ••• •000"


def lines_painted(story: Story) -> list[str]:
    """The lines of all that is on the screen, widget by widget, as they are painted."""
    widgets = [widget for widget in story.app.screen.query("*") if widget.region.area and widget.is_on_screen]
    return [line for widget in widgets for line in rows_painted(widget)]


def painted(story: Story) -> str:
    """The words of all that is on the screen, as they are painted."""
    return " ".join(word for line in lines_painted(story) for word in line.split())


def rows_painted(widget: Widget) -> list[str]:
    """The lines of a widget, as they are painted."""
    return [line.text for line in widget.render_lines(widget.outer_size.region)]


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


async def test_numbers_are_hidden_and_shown_again(paths: Paths) -> None:
    async with console(paths) as story:
        await story.preview(NUMBER)
        await story.until(lambda: NUMBER in painted(story), "the number")
        await story.press("H")
        await story.until(lambda: HIDDEN in painted(story), "the number hidden")
        assert_hidden(lines_painted(story), [NUMBER])
        await story.press("b")
        await story.until_on(BlockDialog)
        await story.until(lambda: "+• •••-•••-•000" in painted(story), "who is blocked, hidden")
        assert_hidden(lines_painted(story), [NUMBER])
        await story.press("escape", "3")
        await story.press("H", "1")
        await story.until(lambda: NUMBER in painted(story), "the number again")


async def test_a_picture_hides_what_is_hidden_on_the_screen(paths: Paths, tmp_path: Path) -> None:
    async with console(paths) as story:
        await story.preview(NUMBER)
        await story.press("S")
        await story.until_told("Saved as watui-check.svg. Its numbers can be read: H hides them.")
        await story.press("H", "S")
        await story.until_told("Saved as watui-check-2.svg.")
    shown, hidden = ((tmp_path / name).read_text("utf-8") for name in ("watui-check.svg", "watui-check-2.svg"))
    assert "16315551000" in shown
    assert_hidden(re.findall(r">([^<>]+)<", hidden), [NUMBER])
    assert "••••••••000" in hidden


async def test_what_was_said_is_hidden_where_a_line_ends_in_a_number(paths: Paths) -> None:
    async with console(paths) as story:
        await story.resolve("+1 (631) 555 1014")
        await story.press("5", "r", "enter", "end")
        screen = await story.until_on(TrafficScreen)
        lines = screen.lines
        await story.until(lambda: "16315551014" in "".join(map(str.strip, rows_painted(lines))), "the number")
        await story.press("H")
        await story.until(lambda: "•014" in "".join(map(str.strip, rows_painted(lines))), "the number, hidden")
        painted_ = list(map(str.strip, rows_painted(lines)))
        for row, below in pairwise(painted_):
            assert_hidden([row + below], ["16315551014"])
        await story.press("H")
        await story.until(lambda: "16315551014" in "".join(map(str.strip, rows_painted(lines))), "the number again")


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_cells_of_numbers_are_hidden_however_they_are_written(paths: Paths, size: tuple[int, int]) -> None:
    async with console(paths, size=size) as story:
        await story.preview("+1  631 / 555 ;; 1014")
        await story.until(lambda: "+1  631 / 555" in painted(story) or "+1 631 / 555" in painted(story), "the number")
        await story.press("H")
        await story.until(lambda: "+• •••" in painted(story), "the number, hidden")
        assert_hidden(rows_painted(story.screen.rows.table), ["16315551014"])
        assert_hidden(rows_painted(story.screen.rows.detail), ["16315551014"])


async def test_what_differs_between_two_runs_is_hidden_and_shown(paths: Paths) -> None:
    async with console(paths, size=WIDE) as story:
        await stages.compared(story.pilot)
        pairs = await story.until_on(PairsScreen)
        await story.until(lambda: "+1 631-555-10" in painted(story), "numbers")
        await story.press("H")
        await story.until(lambda: "+• •••-•••-•0" in painted(story), "numbers, hidden")
        numbers = [f"1631555{last}" for last in range(1000, 1040)]
        assert_hidden(rows_painted(pairs.table), numbers)
        await story.press("S")
        await story.until_told("Saved as")


async def test_columns_to_choose_from_are_hidden_before_they_are_shortened(paths: Paths, tmp_path: Path) -> None:
    numbers = "+447900123456 / +447900123457"
    table = tmp_path / "list.csv"
    table.write_text(f"name,phone\nAda,+16315551014\n{numbers},+16315551015\n")
    async with console(paths) as story:
        story.app.hiding.turn()
        await story.press("i")
        await story.until_on(ImportDialog)
        story.app.screen.query_one("#path", SafeInput).value = str(table)
        await story.press("enter")
        await story.until_phase(Phase.PREVIEW)
        await story.press("l")
        dialog = await story.until_on(ColumnDialog)
        await story.until(lambda: "•014" in painted(story), "the columns")
        assert_hidden(rows_painted(dialog.columns), ["447900123456", "447900123457", "16315551014"])


async def test_what_is_told_is_hidden_also_where_it_is_wrapped_or_told_before(paths: Paths) -> None:
    def told() -> str:
        return "".join("".join(map(str.strip, rows_painted(each))) for each in story.app.screen.query("Toast"))

    async with console(paths, size=NARROW) as story:
        for cut in range(28, 40):
            story.app.notify(f"{'x' * cut} +1 631 555 1014")
        await story.until(lambda: "1014" in told(), "what is told")
        await story.press("H")
        await story.until(lambda: "1014" not in told() and "Numbers" in told(), "nothing of it")
        story.app.clear_notifications()
        for cut in range(28, 40):
            story.app.notify(f"{'x' * cut} +1 631 555 1014")
        await story.until(lambda: "•014" in told(), "what is told, hidden")
        assert_hidden([told()], ["16315551014"])


async def test_what_is_told_without_a_number_stays_when_numbers_are_hidden(paths: Paths) -> None:
    async with console(paths) as story:
        story.app.notify("The disk is full.")
        await story.until(lambda: "The disk is full." in painted(story), "a notice")
        await story.press("H")
        await story.until(lambda: "Numbers are hidden" in painted(story), "another one")
        assert "The disk is full." in painted(story)


@pytest.fixture
def folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()


async def test_a_picture_that_cannot_be_written_is_told(paths: Paths, folder_that_is_gone: None) -> None:
    async with console(paths) as story:
        await story.press("S")
        await story.until_told("No such file or directory")


OF_SAMPLE, OF_SAMPLE_HIDDEN = "+1 212 555 0100", "+• ••• ••• •100"
KEY = "H show numbers"


@pytest.mark.parametrize(
    ("wanted", "happened", "is_on"),
    [
        (None, [], False),
        (None, ["sample"], True),
        (None, ["sample", "own"], False),
        (None, ["sample", "H", "own", "sample"], False),
        (None, ["sample", "H", "H", "own"], True),
        (None, ["H", "own", "sample", "own"], True),
        (True, ["own"], True),
        (False, ["sample"], False),
    ],
)
def test_what_a_person_chose_stays_and_what_came_of_the_sample_ends_with_it(
    wanted: bool | None, happened: list[str], is_on: bool
) -> None:
    changes: list[bool] = []
    hiding = Hiding(wanted, lambda: changes.append(hiding.is_on))
    begun = hiding.is_on
    for what in happened:
        if what == "H":
            hiding.turn()
        else:
            hiding.follow(is_sample=what == "sample")
    assert hiding.is_on is is_on
    assert changes[-1:] == ([is_on] if changes else [])
    assert all(before is not after for before, after in zip([begun, *changes], changes, strict=False))
    assert hiding.shown(NUMBER) == (HIDDEN if is_on else NUMBER)


@pytest.mark.parametrize("scope", [Scope.CHECK, Scope.BLOCKLIST, Scope.RUNS, Scope.SETTINGS, Scope.TRAFFIC])
def test_the_key_that_shows_numbers_is_offered_while_they_are_hidden(scope: Scope) -> None:
    shown, hidden = ({command.id: command for command in bar(scope, is_hiding=each)} for each in (False, True))
    assert hidden["mask"].title == "show numbers"
    assert set(hidden) - set(shown) == {"mask"}


async def test_the_sample_is_hidden_from_the_start_and_says_so(paths: Paths) -> None:
    async with console(paths) as story:
        assert KEY not in painted(story)
        await story.press("s")
        await story.until_phase(Phase.PREVIEW)
        await story.until(lambda: OF_SAMPLE_HIDDEN in painted(story), "the sample, hidden")
        assert OF_SAMPLE not in painted(story)
        for key in "2345":
            await story.press(key)
            await story.until(lambda: KEY in painted(story), "the key that shows numbers")
        await story.press("1", "H")
        await story.until(lambda: OF_SAMPLE in painted(story), "the sample, shown")
        assert KEY not in painted(story)


async def test_a_panel_that_opened_over_hidden_numbers_shows_them_again(paths: Paths) -> None:
    async with console(paths) as story:
        await story.preview(NUMBER)
        await story.press("H", "o")
        await story.until_on(ContactScreen)
        await story.until(lambda: "+••••••••000" in painted(story), "the contact, hidden")
        await story.press("H")
        await story.until(lambda: "+16315551000" in painted(story), "the contact, shown")


async def test_a_list_of_ones_own_after_the_sample_is_shown(paths: Paths) -> None:
    async with console(paths) as story:
        await story.press("s")
        await story.until_phase(Phase.PREVIEW)
        await story.preview(NUMBER)
        await story.until(lambda: OF_SAMPLE in painted(story), "a list that is not the sample alone")
        assert KEY not in painted(story)


async def test_a_run_of_the_sample_is_hidden_when_it_is_opened_again(paths: Paths) -> None:
    async with console(paths) as story:
        await story.press("s")
        await story.until_phase(Phase.PREVIEW)
        await story.press("enter")
        await story.until_phase(Phase.RUNNING)
        await story.press("x")
        await story.until_on(Confirm)
        await story.press("y")
        await story.until_phase(Phase.ENDED)
        await story.press("n")
        await story.until(lambda: KEY not in painted(story), "nothing hidden")
        await story.press("3")
        await story.until_shown("cancelled")
        await story.press("enter")
        await story.until_phase(Phase.ENDED)
        await story.until(lambda: OF_SAMPLE_HIDDEN in painted(story), "the sample, hidden again")


@pytest.mark.parametrize(("keys", "hides"), [((), False), (("H",), True), (("H", "tab", "space"), False)])
async def test_an_export_hides_what_the_dialog_says(
    paths: Paths, tmp_path: Path, keys: tuple[str, ...], hides: bool
) -> None:
    async with console(paths) as story:
        await story.preview(NUMBER)
        await story.press(*keys[:1], "e")
        dialog = await story.until_on(ExportDialog)
        await story.press(*keys[1:])
        assert dialog.query_one(Toggle).value is hides
        await story.press("enter")
        await story.until_told("numbers hidden" if hides else "watui-run-1.csv")
    text = (tmp_path / "watui-run-1.csv").read_text("utf-8")
    assert (HIDDEN in text) is hides
    if hides:
        assert_hidden(text.splitlines(), [NUMBER])
    else:
        assert NUMBER in text
    assert any(notice.endswith("csv, numbers hidden") for notice in story.notices) is hides


async def test_a_run_and_what_was_said_are_exported_hidden_from_their_screens(paths: Paths, tmp_path: Path) -> None:
    async with console(paths) as story:
        await story.resolve(NUMBER)
        await story.press("H", "3")
        await story.until_shown("done")
        await story.press("e")
        await story.until_on(ExportDialog)
        await story.press("enter")
        await story.until_told("1 row written")
        await story.press("5", "e")
        await story.until_on(HarDialog)
        await story.press("enter")
        await story.until_told("har, numbers hidden")
    for name in ("watui-run-1.csv", "watui-traffic.har"):
        text = (tmp_path / name).read_text("utf-8")
        assert "•000" in text
        assert_hidden(text.splitlines(), [NUMBER], TIMES_BESIDE)


@pytest.mark.parametrize(("answer", "copied"), [("y", "+16315551000"), ("n", "")])
async def test_hidden_numbers_are_copied_whole_only_after_a_yes(paths: Paths, answer: str, copied: str) -> None:
    async with console(paths) as story:
        await story.preview(NUMBER)
        await story.press("H", "c")
        await story.until_on(Confirm)
        await story.press(answer)
        await story.until_idle("copy")
        assert story.app.clipboard == copied


async def test_what_is_selected_on_a_screen_is_copied_as_it_is_there(paths: Paths) -> None:
    async with console(paths) as story:
        await story.press("H")
        story.app.copy_to_clipboard(NUMBER)
        assert story.app.clipboard == HIDDEN


async def test_a_notice_outside_the_console_names_the_run_by_its_id_alone(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "LONG_SECONDS", 0.0)
    monkeypatch.setattr(notices, "sequence", lambda _, words: words)
    sent: list[str] = []
    async with console(paths, settings=Settings(notice="title")) as story:
        story.app.outlet.send = sent.append
        await story.resolve(NUMBER)
        await story.until_idle("run")
    assert sent == ["watui: run 1 ended"]
