"""The end of a long run is told to somebody who looks elsewhere."""

import pytest

from tests.conftest import TOKEN
from tests.tui.story import console
from watui.client.server import Server
from watui.settings.paths import Paths
from watui.settings.settings import Notice, Settings
from watui.simulator.serving import ServerThread
from watui.tui import notices
from watui.tui.notices import sequence
from watui.tui.phases import Phase

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("notice", "environment", "sent"),
    [
        ("off", {}, ""),
        ("bell", {"TMUX": "/tmp/tmux"}, "\a"),
        ("title", {}, "\x1b]2;all done\a"),
        ("desktop", {}, "\x1b]9;all done\a"),
        ("desktop", {"TMUX": "/tmp/tmux"}, "\x1bPtmux;\x1b\x1b]9;all done\a\x1b\\"),
    ],
)
def test_what_a_terminal_is_sent(notice: Notice, environment: dict[str, str], sent: str) -> None:
    assert sequence(notice, "all done", environment) == sent


@pytest.mark.parametrize(("least", "told"), [(0.0, ["\x1b]2;watui: run 1 ended\a"]), (60.0, [])])
async def test_only_the_end_of_a_long_run_is_told(
    paths: Paths, server: ServerThread, monkeypatch: pytest.MonkeyPatch, least: float, told: list[str]
) -> None:
    monkeypatch.setattr(notices, "LONG_SECONDS", least)
    sent: list[str] = []
    async with console(paths, Server.at(server.url, TOKEN), settings=Settings(notice="title")) as story:
        story.app.outlet.send = sent.append
        await story.preview("+1 631 555 1000")
        await story.press("enter")
        await story.until_phase(Phase.ENDED)
        await story.until_idle("run")
    assert sent == told


async def test_what_is_told_already_is_not_told_once_more(paths: Paths) -> None:
    async with console(paths) as story:
        for words in ("one", "one", "two", "one", "one"):
            story.app.notify(words)
        await story.until(lambda: len(story.app.screen.query("Toast")) >= 3, "the notices")
        await story.pilot.pause()
        assert len(story.app.screen.query("Toast")) == 3
