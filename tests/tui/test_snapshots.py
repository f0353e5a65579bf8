"""How the console looks. After a wanted change: pytest tests/tui/test_snapshots.py --snapshot-update, then look."""

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from tests.tui import stages
from tests.tui.stages import Stage
from tests.tui.story import NARROW, WIDE
from watui.desk import Desk
from watui.settings.paths import Paths
from watui.settings.settings import Settings
from watui.tui import app
from watui.tui.app import WatuiApp


class ClosingApp(WatuiApp):
    """A console that closes its desk itself, on the loop that it runs on."""

    CSS_PATH: ClassVar = [Path(app.__file__).parent / name for name in WatuiApp.CSS_PATH]

    async def on_unmount(self) -> None:
        await self.session.desk.close()


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
@pytest.mark.parametrize(
    "stage", [stages.empty, stages.preview, stages.running, stages.done, stages.arranged, stages.panel]
)
def test_check_screen(stage: Stage, size: tuple[int, int], paths: Paths, snap_compare: Callable[..., bool]) -> None:
    console = ClosingApp(Desk(paths, None, "US"), Settings())
    assert snap_compare(console, terminal_size=size, run_before=stage)


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
@pytest.mark.parametrize(
    "stage", [stages.blocklist, stages.contact, stages.block_dialog, stages.report_dialog, stages.bulk]
)
def test_changes(stage: Stage, size: tuple[int, int], paths: Paths, snap_compare: Callable[..., bool]) -> None:
    console = ClosingApp(Desk(paths, None, "US"), Settings())
    assert snap_compare(console, terminal_size=size, run_before=stage)


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
@pytest.mark.parametrize("stage", [stages.runs, stages.stopped, stages.compared])
def test_runs(stage: Stage, size: tuple[int, int], paths: Paths, snap_compare: Callable[..., bool]) -> None:
    console = ClosingApp(Desk(paths, None, "US"), Settings())
    assert snap_compare(console, terminal_size=size, run_before=stage)


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=["80x24", "120x40"])
def test_settings(size: tuple[int, int], paths: Paths, snap_compare: Callable[..., bool]) -> None:
    console = ClosingApp(Desk(paths, None, "US"), Settings())
    assert snap_compare(console, terminal_size=size, run_before=stages.settings)
