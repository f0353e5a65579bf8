"""A profile that is only looked at: every key that would change a contact says why it does not."""

import time

import pytest

from tests.simulated import a_world
from tests.tui.story import PEOPLE, WIDE, Story, console, console_at
from watui.client.dialects import DIALECTS
from watui.client.server import Server
from watui.contract.kinds import ServerKind
from watui.ledger import trail
from watui.settings.paths import Paths
from watui.simulator.world import World
from watui.tui.commands import COMMANDS, Scope
from watui.tui.screens.contact import ContactScreen

pytestmark = pytest.mark.anyio

WHY = "shop is read-only (read_only = true in settings.toml): nothing is changed there."


@pytest.fixture
def world() -> World:
    """A world in which everybody with an account wrote lately, and 150 contacts are blocked."""
    world = a_world(latency=None, engaged=1.0)
    world.people.block_others(150, time.time())
    return world


def keys(*scopes: Scope) -> list[str]:
    """Return the keys of the commands that change contacts."""
    return [
        command.keys[0] for command in COMMANDS if command.changes and command.scope in scopes and command.id != "go"
    ]


async def assert_refused(story: Story, key: str) -> None:
    """Press a key, and expect nothing but the reason why nothing is done."""
    told, screen = len(story.notices), story.app.screen
    await story.press(key)
    assert story.app.screen is screen, f"{key} opens nothing"
    await story.until_idle("change")
    assert story.notices[told:] == [WHY], key


async def test_no_key_changes_the_row_of_a_run(paths: Paths, world: World) -> None:
    async with console_at(world, paths, read_only=True) as story:
        await story.resolve("\n".join(PEOPLE[:3]))
        found = keys(Scope.CHECK, Scope.CONTACTS)
        assert found == ["b", "B", "r", "z"]
        for key in found:
            await assert_refused(story, key)
        assert story.sent == []


@pytest.mark.parametrize(
    ("kind", "offered"),
    [(ServerKind.TURN, []), (ServerKind.WHAPI, ["b", "B", "z"]), (ServerKind.D360, ["b", "B", "r", "z"])],
)
async def test_what_a_gateway_does_not_have_is_struck_out_and_says_why(
    paths: Paths, kind: ServerKind, offered: list[str]
) -> None:
    async with console(paths, Server.at("http://127.0.0.1:1", None, kind), WIDE) as story:
        await story.preview("\n".join(PEOPLE[:3]))
        for key in set(keys(Scope.CHECK, Scope.CONTACTS)) - set(offered):
            told = len(story.notices)
            await story.press(key)
            assert story.app.screen is story.screen, f"{key} opens nothing"
            assert story.notices[told].startswith(DIALECTS[kind].title), key
            assert " does not " in story.notices[told]
        assert story.sent == []


async def test_no_key_changes_an_entry_of_the_blocklist(paths: Paths, world: World) -> None:
    async with console_at(world, paths, read_only=True) as story:
        await story.open_blocklist()
        assert keys(Scope.BLOCKLIST, Scope.CONTACTS) == ["u", "i", "r", "z"]
        for key in ("u", "r", "z"):
            await assert_refused(story, key)
        told = len(story.notices)
        await story.paste("\n".join(PEOPLE[:3]))
        await story.until_idle("change")
        assert story.notices[told:] == [WHY]
        assert story.sent == []
        assert trail.latest(story.session.desk.reader, 1) == []


async def test_no_file_is_asked_for_that_would_only_be_refused(paths: Paths, world: World) -> None:
    async with console_at(world, paths, read_only=True) as story:
        await story.open_blocklist()
        await assert_refused(story, "i")


async def test_what_was_marked_stays_marked(paths: Paths, world: World) -> None:
    async with console_at(world, paths, read_only=True) as story:
        await story.open_blocklist()
        await story.press("space", "space")
        await assert_refused(story, "u")
        assert len(story.blocklist.blocklist.marked) == 2
        assert "2 marked" in story.blocklist.state.render().plain


async def test_no_key_changes_the_contact_of_a_panel(paths: Paths, world: World) -> None:
    world.people.change_identity(PEOPLE[0], time.time())
    async with console_at(world, paths, read_only=True) as story:
        await story.open_contact(PEOPLE[0])
        await story.until_shown("not acknowledged", "blocked no")
        found = keys(Scope.CONTACT)
        assert found == ["b", "u", "r", "a"]
        for key in found:
            await assert_refused(story, key)
        assert story.sent == []


async def test_what_is_not_done_is_struck_out_and_the_badge_says_why(paths: Paths, world: World) -> None:
    async with console_at(world, paths, read_only=True, size=WIDE) as story:
        await story.resolve(PEOPLE[0])
        screens = [story.screen.title_line.render().plain]
        assert struck_out(story) == {"b block", "r report"}
        await story.press("enter")
        await story.until_on(ContactScreen)
        await story.until_shown("blocked no")
        assert struck_out(story) == {"b block", "r report"}
        await story.press("escape")
        await story.open_blocklist()
        screens.append(story.blocklist.title_line.render().plain)
        assert struck_out(story) == {"u unblock", "i add"}
        assert all("READ-ONLY" in title for title in screens)


def struck_out(story: Story) -> set[str]:
    """Return the words on the screen that are struck out."""
    words = [
        [segment.text if segment.style and segment.style.strike else "|" for segment in strip]
        for strip in story.strips()
    ]
    return {part.strip() for line in words for part in "".join(line).split("|") if part.strip()}


async def test_without_it_nothing_is_struck_out(paths: Paths, world: World) -> None:
    async with console_at(world, paths, size=WIDE) as story:
        await story.open_blocklist()
        assert struck_out(story) == set()
        assert "READ-ONLY" not in story.all_text()


async def test_looking_and_checking_go_on(paths: Paths, world: World) -> None:
    async with console_at(world, paths, read_only=True) as story:
        await story.resolve("\n".join(PEOPLE[:3]))
        assert story.session.final == 3
        await story.open_blocklist()
        await story.press("right")
        await story.until(lambda: "101–150 of 150" in story.blocklist.state.render().plain, "the next page")


async def test_the_simulator_can_be_only_looked_at_too(paths: Paths) -> None:
    async with console(paths, read_only=True) as story:
        await story.open_contact(PEOPLE[0])
        told = len(story.notices)
        await story.press("b")
        await story.until_idle("change")
        assert story.notices[told:] == [WHY.replace("shop", "simulator")]
