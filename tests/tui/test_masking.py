"""Numbers that are hidden on all screens, and in pictures."""

from pathlib import Path

import pytest

from tests.tui.story import Story, console
from watui.settings.paths import Paths

pytestmark = pytest.mark.anyio

NUMBER, HIDDEN = "+1 631 555 1000", "+• ••• ••• •000"


def painted(story: Story) -> str:
    """The words of all that is on the screen, as they are painted."""
    widgets = [widget for widget in story.app.screen.query("*") if widget.region.area and widget.is_on_screen]
    lines = [line.text for widget in widgets for line in widget.render_lines(widget.size.region)]
    return " ".join(word for line in lines for word in line.split())


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


async def test_numbers_are_hidden_and_shown_again(paths: Paths) -> None:
    async with console(paths) as story:
        await story.preview(NUMBER)
        await story.until(lambda: NUMBER in painted(story), "the number")
        await story.press("H")
        await story.until(lambda: HIDDEN in painted(story), "the number hidden")
        assert NUMBER not in painted(story)
        assert "16315551000" not in painted(story)
        await story.press("b")
        assert "16315551000" not in painted(story)
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
    assert "16315551000" not in hidden
    assert "••••••••000" in hidden


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
