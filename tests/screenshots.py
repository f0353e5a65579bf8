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
PICTURES: tuple[tuple[str, Stage, tuple[int, int], str], ...] = (
    ("check-running", stages.running, (100, 30), "watui-dark"),
    ("check-preview", stages.preview, WIDE, "watui-dark"),
    ("simulator-panel", stages.panel, WIDE, "watui-dark"),
    ("tour", stages.tour, NARROW, "watui-dark"),
    ("blocklist", stages.blocklist, NARROW, "watui-dark"),
    ("runs", stages.runs, WIDE, "watui-dark"),
    ("settings", stages.settings, WIDE, "watui-dark"),
    ("contact", stages.contact, NARROW, "watui-dark"),
    ("check-done-light", stages.done, NARROW, "watui-light"),
)
_WEB_FONT = re.compile(r"@font-face \{.*?\}", re.DOTALL)
"""Fetched from elsewhere when a picture is looked at; the reader's own monospace font does."""


async def _picture(name: str, stage: Stage, size: tuple[int, int], theme: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        desk = Desk(Paths(home, home, home), None, "US")
        # The first step of the tour is about how digits are read.
        app = WatuiApp(desk, Settings(theme=theme), hides_numbers=name != "tour")
        try:
            async with app.run_test(size=size) as pilot:
                await _take(name, stage, pilot)
        finally:
            await desk.close()


async def _take(name: str, stage: Stage, pilot: Pilot[int]) -> None:
    await pilot.pause()
    await stage(pilot)
    svg = pilot.app.export_screenshot(title="watui")
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.svg").write_text(_WEB_FONT.sub("", svg), "utf-8")


if __name__ == "__main__":
    for picture in PICTURES:
        asyncio.run(_picture(*picture))
