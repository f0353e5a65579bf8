"""Makes the pictures in screenshots/ from the program: python -m tests.screenshots"""

import asyncio
import re
import tempfile
from pathlib import Path

from textual.pilot import Pilot

from tests.tui import stages
from tests.tui.stages import Stage
from tests.tui.story import NARROW, WIDE
from watui.desk import Desk
from watui.settings.paths import Paths
from watui.settings.settings import Settings
from watui.tui.app import WatuiApp

FOLDER = Path(__file__).parent.parent / "screenshots"
DARK, LIGHT = "watui-dark", "watui-light"
PICTURES: tuple[tuple[str, Stage, tuple[int, int], str], ...] = (
    ("check-running", stages.running, WIDE, DARK),
    ("check-running", stages.running, NARROW, LIGHT),
    ("check-preview", stages.preview, WIDE, DARK),
    ("check-done", stages.done, NARROW, LIGHT),
    ("contact", stages.contact, NARROW, DARK),
    ("blocklist", stages.blocklist, NARROW, DARK),
    ("blocklist", stages.blocklist, WIDE, LIGHT),
    ("runs", stages.runs, WIDE, DARK),
    ("settings", stages.settings, WIDE, DARK),
    ("settings", stages.settings, NARROW, LIGHT),
    ("traffic", stages.traffic, WIDE, DARK),
    ("traffic", stages.traffic, NARROW, LIGHT),
    ("simulator-panel", stages.panel, WIDE, DARK),
    ("tour", stages.tour, NARROW, DARK),
)
"""Each screen, at both sizes and in both themes where that shows something, not all of everything."""

_WEB_FONT = re.compile(r"@font-face \{.*?\}", re.DOTALL)
"""Fetched from elsewhere when a picture is looked at; the reader's own monospace font does."""


def file_of(name: str, size: tuple[int, int], theme: str) -> str:
    """Return the name of a picture's file, which tells the screen, its size and its theme."""
    return f"{name}-{size[0]}x{size[1]}-{theme.removeprefix('watui-')}.svg"


async def _picture(name: str, stage: Stage, size: tuple[int, int], theme: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        desk = Desk(Paths(home, home, home), None, "US")
        # The first step of the tour is about how digits are read.
        app = WatuiApp(desk, Settings(theme=theme), hides_numbers=name != "tour")
        try:
            async with app.run_test(size=size) as pilot:
                await _take(file_of(name, size, theme), stage, pilot)
        finally:
            await desk.close()


async def _take(file: str, stage: Stage, pilot: Pilot[int]) -> None:
    await pilot.pause()
    await stage(pilot)
    svg = pilot.app.export_screenshot(title="watui")
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / file).write_text(_WEB_FONT.sub("", svg), "utf-8")


if __name__ == "__main__":
    for picture in PICTURES:
        asyncio.run(_picture(*picture))
