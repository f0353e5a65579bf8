"""Hostile text in every foreign field, on every screen: nothing is obeyed, nothing hides, nothing can be clicked."""

import csv
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.content import Content
from textual.geometry import Offset
from textual.widget import Widget

from tests.conftest import TOKEN
from tests.hostile import CANARY, HOSTILE, LONG, ONE_LINE, PAYLOADS, Liar
from tests.tui.story import NARROW, PEOPLE, WIDE, Story, console
from watui.client.server import Server
from watui.settings.paths import Paths
from watui.simulator.serving import ServerThread
from watui.tui.phases import Phase
from watui.tui.screens.bulk import BulkScreen
from watui.tui.screens.contact import ContactScreen
from watui.tui.screens.dialogs import Confirm, ExportDialog, FileTree, ImportDialog, PlaceDialog
from watui.tui.screens.meaning import MeaningScreen
from watui.tui.screens.modal import Palette
from watui.tui.screens.reasons import BlockDialog, ReportDialog
from watui.tui.screens.runs import PairsScreen, RunsScreen
from watui.tui.widgets.safe_input import SafeInput

pytestmark = pytest.mark.anyio

MARKS = ("@click", CANARY, "[/")
"""Words of hostile text that are seen wherever some of it is shown."""

MOST_CLICKS = 4
"""On one screen."""

ROWS_LOOKED_AT = 4
"""Row for row; the others stand in the table."""


class Gate:
    """What lets text through to Textual: none of it is unclean, and none that is foreign is read as markup."""

    def __init__(self) -> None:
        self.texts = 0
        self.problems: list[str] = []
        self.actions: list[str] = []
        """What was carried out since a click."""

    def pass_(self, text: str) -> None:
        self.texts += 1
        if not text.replace("\n", "").isprintable():
            self.problems.append(f"unclean: {text[:200]!r}")

    def refuse_markup(self, text: object) -> None:
        if isinstance(text, str) and any(mark in text for mark in MARKS):
            self.problems.append(f"read as markup: {text[:200]!r}")


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """The ways by which text reaches Textual, watched; what is wrong is told in the end."""
    gate = Gate()
    construct, read, run_action, notify = Content.__init__, Content.from_markup, App.run_action, App.notify

    def constructed(self: Content, text: str = "", *arguments: Any, **named: Any) -> None:
        gate.pass_(text)
        construct(self, text, *arguments, **named)

    def from_markup(markup: Any, **variables: object) -> Content:
        gate.refuse_markup(markup)
        for value in variables.values():
            gate.pass_(str(value))
        return read(markup, **variables)

    def notified(self: App[Any], message: str, **options: Any) -> None:
        gate.pass_(message)
        gate.pass_(str(options.get("title", "")))
        if options.get("markup", True):
            gate.refuse_markup(message)
        notify(self, message, **options)

    async def acted(self: App[Any], action: Any, *arguments: Any, **named: Any) -> bool:
        gate.actions.append(str(action))
        return await run_action(self, action, *arguments, **named)

    monkeypatch.setattr(Content, "__init__", constructed)
    monkeypatch.setattr(Content, "from_markup", staticmethod(from_markup))
    monkeypatch.setattr(App, "notify", notified)
    monkeypatch.setattr(App, "run_action", acted)
    yield gate
    assert gate.texts > 100, "texts pass the gate"
    assert not gate.problems, "\n".join(dict.fromkeys(gate.problems))


class Walk:
    """Goes through the console and looks at every screen on its way."""

    def __init__(self, story: Story, gate: Gate) -> None:
        self.story = story
        self.looked: Counter[str] = Counter()
        self.clicks = 0
        self._gate = gate

    async def look(self, name: str, *, is_clicked: bool = True, but: type[Widget] | None = None) -> None:
        """Look at the screen at hand, and click wherever foreign text stands, `but` on what is there to be clicked."""
        story = self.story
        await story.pilot.pause()
        story.assert_harmless()
        app = story.app
        names = [app.title, app.sub_title, *(str(each.tooltip or "") for each in app.screen.query("*"))]
        assert all(name.isprintable() for name in names)
        self.looked[name] += 1
        if is_clicked:
            await self._click(name, but)

    async def _click(self, name: str, but: type[Widget] | None) -> None:
        screen = self.story.app.screen
        places = self._foreign_places(but)
        assert places, f"{name} shows foreign text"
        for place in places[:MOST_CLICKS]:
            self._gate.actions.clear()
            await self.story.pilot.click(offset=place)
            assert not self._gate.actions, f"{name}: a click has led to {self._gate.actions}"
            assert self.story.app.screen is screen, f"{name}: a click has led to another screen"
            assert self.story.app.return_value is None
            self.clicks += 1

    def _foreign_places(self, but: type[Widget] | None) -> list[tuple[int, int]]:
        """Return where on the screen hostile text stands, a place a line of a widget."""
        found = []
        for widget in self.story.app.screen.query("*"):
            is_shown = widget.region.area and widget.is_on_screen and not widget.children
            if is_shown and not (but and isinstance(widget, but)):
                for y in range(widget.size.height):
                    text = widget.render_line(y).text
                    x = min((text.find(mark) for mark in MARKS if mark in text), default=None)
                    if x is not None:
                        place = widget.content_region.offset + Offset(x + 1, y)
                        if self.story.app.screen.region.contains_point(place):
                            found.append((place.x, place.y))
        return found


def hostile_list(folder: Path) -> Path:
    """Write a list whose name, header and cells are hostile, beside other files of such names; return its path."""
    for name in (*(clean_of_slashes(text) for text in PAYLOADS.values()), os.fsdecode(b"\xff\x9b2Jcanary.csv")):
        (folder / name).write_text("")
    path = folder / f"{clean_of_slashes(HOSTILE)[:80]}.csv"
    in_a_file = HOSTILE.replace("\0", "")  # a file with NUL is no text
    doubtful = [f"{number} {text}" for number, text in zip(PEOPLE, PAYLOADS.values(), strict=False)]
    cells = [*doubtful, in_a_file, *PEOPLE[-40:]]
    header = ["".join(each for each in in_a_file if each not in "0123456789;") + "phone", "note"]  # no number in it
    rows = [header, *([cell.replace("\0", ""), "[/x]"] for cell in cells)]
    rows.append([LONG.replace("\0", ""), ""])
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def clean_of_slashes(text: str) -> str:
    """Return `text` as the name of a file."""
    return text.replace("/", "\\").replace("\0", "")


async def import_a_list(walk: Walk, path: Path) -> None:
    """From the dialog to the preview."""
    story = walk.story
    await story.press("i")
    await story.until_on(ImportDialog)
    await story.until_shown(".csv")
    await walk.look("import", is_clicked=False)
    await story.paste(HOSTILE)
    await story.press("enter")
    await story.until_shown("There is no file")
    await walk.look("import refused", but=FileTree)
    story.app.screen.query_one(SafeInput).value = str(path)
    await story.press("enter")
    await story.until_phase(Phase.PREVIEW)
    await story.until_shown("(column [/][/x]")
    await walk.look("preview")
    for _ in range(ROWS_LOOKED_AT):
        await story.press("down")
        await walk.look("preview row", is_clicked=False)
    await story.press("home", "slash")
    await story.paste(ONE_LINE)
    await walk.look("search")
    await story.press("escape")


async def ask(walk: Walk, liar: Liar) -> None:
    """From the preview, through trouble, to answers."""
    story = walk.story
    liar.fails = True
    await story.press("enter")
    await story.until(lambda: story.session.waiting is not None, "trouble")
    await story.until_shown("waits until")
    await walk.look("waiting")
    await story.until_phase(Phase.PAUSED)
    await story.until_shown("Paused: [/]")
    await walk.look("paused")
    liar.fails = False
    await story.press("p")
    await story.until(lambda: "valid" in story.session.tally, "answers")
    await story.until_shown("✓ valid")
    await walk.look("running")
    for _ in range(ROWS_LOOKED_AT):
        await story.press("down")
        await walk.look("run row", is_clicked=False)
    for _ in range(6):
        await story.press("f")
        await walk.look("filter", is_clicked=False)
    await story.press("escape", "home")


async def ask_about_a_contact(walk: Walk) -> None:
    """The panel of a row, and every dialog that changes a contact."""
    story = walk.story
    await story.press("o")
    await story.until_on(ContactScreen)
    await story.until_shown("acknowledged", "blocked")
    await story.until_idle("look")
    await walk.look("contact")
    await story.press("a")
    await story.until_on(Confirm)
    await walk.look("acknowledge")
    await story.press("y")
    await story.until_told("is not acknowledged")
    await walk.look("contact refused")
    await story.press("escape", "b")
    await story.until_on(BlockDialog)
    await story.paste(HOSTILE)
    await walk.look("block")
    await story.press("enter")
    await walk.look("block refused")
    await story.press("escape", "r")
    await story.until_on(ReportDialog)
    await story.paste(HOSTILE[:50])
    await story.press("tab")
    await story.paste(HOSTILE)
    await walk.look("report")
    await story.press("enter")
    await story.until_on(Confirm)
    await walk.look("report asked")
    await story.press("y")
    await story.until_told("is not reported")
    await walk.look("report refused")
    await story.press("home", "r")
    await story.until_on(ReportDialog)
    await story.press("up", "tab", "up")
    await walk.look("report picked")
    await story.press("escape", "home", "B")
    await story.until_on(BulkScreen)
    await story.until_shown("Nothing has been sent yet")
    await walk.look("bulk", is_clicked=False)
    await story.press("escape")


async def look_around(walk: Walk) -> None:
    """What opens over any screen."""
    story = walk.story
    await story.press("e")
    await story.until_on(ExportDialog)
    await story.paste(f"/{clean_of_slashes(HOSTILE)}.csv/x.csv")
    await story.press("enter")
    await walk.look("export")
    await story.press("escape", "m")
    await story.until_on(MeaningScreen)
    await walk.look("meaning")
    await story.press("escape", "ctrl+p")
    await story.until_on(Palette)
    await story.paste(HOSTILE)
    await walk.look("palette", is_clicked=False)
    await story.press("escape")


async def end_the_run(walk: Walk) -> None:
    story = walk.story
    await story.press("x")
    await story.until_on(Confirm)
    await walk.look("cancel", is_clicked=False)
    await story.press("y")
    await story.until_phase(Phase.ENDED)
    await walk.look("ended")


async def go_through_the_blocklist(walk: Walk, liar: Liar, folder: Path) -> None:
    story = walk.story
    await story.open_blocklist()
    await walk.look("blocklist")
    for _ in range(ROWS_LOOKED_AT):
        await story.press("space")
        await walk.look("blocklist row", is_clicked=False)
    await story.press("u")
    await story.until_on(BulkScreen)
    await story.until_shown("Nothing has been sent yet")
    await walk.look("unblock a list")
    await story.press("escape", "escape", "home", "u")
    await story.until_on(Confirm)
    await walk.look("unblock")
    await story.press("y")
    await story.until_told("is not unblocked")
    await story.until_idle("blocklist")
    await walk.look("unblock refused")
    await story.press("home", "o")
    await story.until_on(ContactScreen)
    await story.until_idle("look")
    await walk.look("contact of the blocklist")
    await story.press("escape", "slash")
    await story.paste(HOSTILE)
    await walk.look("find", is_clicked=False)
    await story.press("enter")
    await story.until_shown("esc shows all")
    await story.until_idle("blocklist")
    await walk.look("found")
    await story.press("escape", "t")
    await story.until_on(PlaceDialog)
    await story.paste(HOSTILE)
    await story.press("enter")
    await walk.look("jump", is_clicked=False)
    await story.press("escape")
    await story.paste("\n".join(f"{number} {HOSTILE}" for number in PEOPLE[:12]))
    await story.until_on(BulkScreen)
    await story.until_shown("Nothing has been sent yet")
    await story.press("tab")
    await story.paste(HOSTILE)
    await story.press("enter")
    await walk.look("block a list", is_clicked=False)
    await story.press("escape")


async def go_through_the_runs(walk: Walk, liar: Liar, folder: Path) -> None:
    story = walk.story
    for text in (HOSTILE, "".join(reversed(PAYLOADS.values()))):
        liar.text = text
        await story.preview("\n".join(PEOPLE[:40]))
        await story.press("enter")
        await story.until(lambda: "valid" in story.session.tally, "answers")
        await end_the_run(walk)
        await story.press("n")
        await story.until_phase(Phase.EMPTY)
    await story.press("3")
    await story.until_on(RunsScreen)
    await story.until_shown("2 runs")
    await story.press("down")
    await walk.look("runs", is_clicked=story.app.size.width >= WIDE[0])
    await story.press("home", "c")
    await story.until_on(PairsScreen)
    await walk.look("compare")
    await story.press("escape", "home", "D")
    await story.until_on(Confirm)
    await walk.look("forget", is_clicked=False)
    await story.press("n", "e")
    await story.until_on(ExportDialog)
    await walk.look("export a run", is_clicked=False)
    await story.press("escape")


async def check_a_list(walk: Walk, liar: Liar, folder: Path) -> None:
    """From import to the end of a run."""
    await walk.look("welcome", is_clicked=False)
    await import_a_list(walk, hostile_list(folder))
    await ask(walk, liar)
    await ask_about_a_contact(walk)
    await look_around(walk)
    await end_the_run(walk)


@pytest.mark.parametrize(
    ("go", "size"),
    [
        (check_a_list, WIDE),
        pytest.param(check_a_list, NARROW, marks=pytest.mark.long),
        pytest.param(go_through_the_blocklist, NARROW, marks=pytest.mark.long),
        pytest.param(go_through_the_blocklist, WIDE, marks=pytest.mark.long),
        pytest.param(go_through_the_runs, NARROW, marks=pytest.mark.long),
        pytest.param(go_through_the_runs, WIDE, marks=pytest.mark.long),
    ],
)
async def test_nothing_hostile_is_obeyed_or_can_be_clicked(
    go: Callable[[Walk, Liar, Path], Awaitable[None]],
    size: tuple[int, int],
    paths: Paths,
    gate: Gate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "lists"
    folder.mkdir()
    monkeypatch.chdir(folder)
    liar = Liar()
    with ServerThread(liar) as server:
        async with console(paths, Server.at(server.url, TOKEN), size=size) as story:
            walk = Walk(story, gate)
            await go(walk, liar, folder)
            assert story.app.return_value is None, "nothing has led to the end"
    print(
        f"\n{go.__name__} at {size[0]}x{size[1]}: {len(PAYLOADS)} payloads, {len(walk.looked)} places looked at"
        f" {walk.looked.total()} times, {walk.clicks} clicks, {gate.texts:,} texts"
    )


async def test_a_megabyte_in_every_field_of_an_answer_holds_nothing_up(paths: Paths, gate: Gate) -> None:
    liar = Liar()
    liar.text = LONG
    with ServerThread(liar) as server:
        async with console(paths, Server.at(server.url, TOKEN), size=WIDE) as story:
            walk = Walk(story, gate)
            await story.preview(LONG.replace("\0", ""))
            await walk.look("preview of a long line", is_clicked=False)
            await story.paste(PEOPLE[1])
            await story.until_shown("1 distinct number")
            await story.press("enter")
            await story.until(lambda: story.session.waiting is not None, "an answer that is none")
            await walk.look("waiting", is_clicked=False)
            await story.press("end", "o")
            await story.until_on(ContactScreen)
            await story.until_idle("look")
            await walk.look("contact", is_clicked=False)
            await story.press("u")
            await story.until_on(Confirm)
            await story.press("y")
            await story.until(lambda: bool(story.notices), "the refusal")
            await walk.look("refused", is_clicked=False)
            assert max(map(len, story.notices)) < 2_000
