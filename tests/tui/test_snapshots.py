"""How the console looks. After a wanted change: pytest tests/tui/test_snapshots.py --snapshot-update, then look."""

import asyncio
from collections.abc import Callable

import pytest

from tests.tui import stages
from tests.tui.stages import Stage
from tests.tui.story import NARROW, WIDE
from watui.desk import Desk
from watui.settings.paths import Paths
from watui.settings.settings import Settings
from watui.tui.app import WatuiApp


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
@pytest.mark.parametrize("stage", [stages.empty, stages.preview, stages.running, stages.done])
def test_check_screen(stage: Stage, size: tuple[int, int], paths: Paths, snap_compare: Callable[..., bool]) -> None:
    desk = Desk(paths, None, "US")
    try:
        assert snap_compare(WatuiApp(desk, Settings()), terminal_size=size, run_before=stage)
    finally:
        asyncio.run(desk.close())
