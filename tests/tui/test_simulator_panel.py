"""The simulator's panel: what is chosen there holds at once, for whoever asks."""

import re

import msgspec
import pytest

from tests.conftest import TOKEN
from tests.tui.story import NARROW, WIDE, Story, console
from watui.client.server import Server
from watui.settings.paths import Paths
from watui.simulator.conditions import Changes, Conditions
from watui.simulator.control import State
from watui.simulator.faults import Fault, Kind
from watui.simulator.record import Latest
from watui.simulator.scenario import shipped
from watui.simulator.serving import ServerThread
from watui.tui import simulator_view

pytestmark = pytest.mark.anyio

CALM = State("US", 0, Conditions(), "1.5,4", None, "", 0.0, 0, 0, 0, 0, 0, [])


def shown(story: Story) -> str:
    """Return the words of the panel."""
    panel = story.screen.simulator
    return "\n".join(str(part.content) for part in (panel.head, panel.choices, panel.about, panel.log_lines))


def value(story: Story, name: str) -> str:
    """Return what the panel shows for a setting."""
    line = next((line for line in shown(story).splitlines() if line.startswith(name)), name)
    return re.split(r" ▸ |   ", line.removeprefix(name).strip(" ◂▸"))[0].strip()


async def open_panel(story: Story) -> None:
    await story.press("v")
    await story.until(lambda: bool(value(story, "version")), "the panel shows how the server is")


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_it_opens_beside_or_below_the_list_and_closes(paths: Paths, size: tuple[int, int]) -> None:
    async with console(paths, size=size) as story:
        await open_panel(story)
        panel, rows = story.screen.simulator.region, story.screen.query_one("#list").region
        assert (panel.y == rows.y) is (size == WIDE)
        assert panel.bottom == story.screen.keys.region.y
        assert "Nothing was asked yet" in shown(story)
        await story.press("escape")
        assert not story.screen.simulator.display
        assert story.screen.rows.table.has_focus


async def test_another_version_changes_what_valid_means(paths: Paths) -> None:
    """The demonstration: switch to v2.43, and watch what valid becomes."""
    async with console(paths, size=WIDE) as story:
        await open_panel(story)
        await story.press("down", "down", "left", "left")
        await story.until(lambda: value(story, "latency") == "none", "checks take no time")
        await story.press("up", "up", "right", "right")
        await story.until(lambda: value(story, "version") == "v2.43", "the server is v2.43")
        await story.resolve("+16315551000\n+16315551001")
        assert sum("valid" in line for line in story.table()) == 2
        assert "says nothing about an account" in str(story.screen.legend.render())
        assert "SIMULATOR v2.43" in str(story.screen.title_line.render())
        await story.until(lambda: "said 2 valid" in shown(story), "what the server said is told")
        assert "began to check 2 numbers" in shown(story)


async def test_a_scenario_is_explained_and_stands_in_the_title(paths: Paths) -> None:
    async with console(paths, size=WIDE) as story:
        await open_panel(story)
        await story.press("down", "right")
        await story.until(lambda: value(story, "scenario") == "blocklist-moves", "the scenario is played")
        assert "450 contacts on the blocklist" in shown(story)
        assert "450 blocked" in shown(story)
        assert "· blocklist-moves" in str(story.screen.title_line.render())


async def test_the_world_begins_anew_when_it_is_confirmed(paths: Paths) -> None:
    async with console(paths, size=WIDE) as story:
        await open_panel(story)
        await story.press("right")
        await story.until(lambda: value(story, "version") == "v2.42", "the server is v2.42")
        await story.press("R", "n")
        assert value(story, "version") == "v2.42"
        await story.press("R", "y")
        await story.until(lambda: value(story, "version") == "v2.41", "the world begins anew")


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_a_damaged_world_is_told_where_nothing_is_cut(paths: Paths, size: tuple[int, int]) -> None:
    world = paths.data / "simulator" / "world.jsonl"
    world.parent.mkdir(parents=True)
    world.write_text("not a world\n")
    async with console(paths, size=size) as story:
        await open_panel(story)
        assert "world is damaged and set aside as" in shown(story)
        panel = story.screen.simulator
        assert panel.head.region.height >= 2
        assert panel.choices.region.height == len(str(panel.choices.content).splitlines())
        assert panel.region.contains_region(panel.choices.region)


async def test_a_real_server_has_no_panel(paths: Paths, server: ServerThread) -> None:
    async with console(paths, Server.at(server.url, TOKEN)) as story:
        await story.press("v")
        await story.until_told("nothing to change behind a real server")
        await story.press("R")
        await story.until_told("Only the simulator's world")
        assert not story.screen.simulator.display


@pytest.mark.parametrize("name", [setting.name for setting in simulator_view.settings(CALM, shipped())])
@pytest.mark.parametrize("step", [1, -1])
def test_every_choice_of_every_setting_comes_round(name: str, step: int) -> None:
    """What is chosen is what is shown, and as many steps as there are choices lead back."""
    state, seen = CALM, []
    choices = setting(state, name).choices
    for _ in choices:
        wanted = setting(state, name).neighbour(step)
        changed = simulator_view.changes(name, wanted)
        if isinstance(changed, Changes):
            conditions = changed.applied_to(state.conditions)
            state = msgspec.structs.replace(state, conditions=conditions, latency=str(conditions.latency or "none"))
        else:
            state = msgspec.structs.replace(state, scenario=changed)
        assert setting(state, name).value == wanted
        seen.append(wanted)
    assert sorted(seen) == sorted(choices)
    assert seen[-1] == setting(CALM, name).value


def setting(state: State, name: str) -> simulator_view.Setting:
    return next(found for found in simulator_view.settings(state, shipped()) if found.name == name)


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ((), "none"),
        ((Fault(Kind.RESET, share=0.5),), "reset, its own way"),
        ((Fault(Kind.RESET), Fault(Kind.TIMEOUT)), "several"),
    ],
)
def test_faults_that_were_not_picked_here_are_named(faults: tuple[Fault, ...], words: str) -> None:
    state = msgspec.structs.replace(CALM, conditions=Conditions(faults=faults))
    assert setting(state, "fault").value == words
    assert setting(state, "fault").neighbour(1) in setting(state, "fault").choices


def test_what_came_from_elsewhere_is_cleaned() -> None:
    hostile = "\x1b]0;x\x07[@click=app.quit]/v1"
    lines = simulator_view.exchange_lines(Latest(1, 0.0, "GET", hostile, 0, (hostile,)))
    assert "no answer" in lines.plain
    assert "\x1b" not in lines.plain
    assert not any("click" in str(span.style) for span in lines.spans)
