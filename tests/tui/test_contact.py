"""A contact's panel by pilot: what is known of it, its identity, and what can be done from there."""

import gc
import time
from datetime import datetime
from typing import Any

import msgspec
import pytest
from textual.strip import Strip
from textual.widgets import Static

from tests.conftest import TOKEN
from tests.simulated import a_world
from tests.tui.story import HOSTILE, NARROW, NOBODY, PEOPLE, WIDE, Story, console, console_at
from watui.actions import batch
from watui.client.pacing import Pacing
from watui.client.server import Server
from watui.contract import errors
from watui.ledger import trail
from watui.ledger.trail import Outcome
from watui.settings.paths import Paths
from watui.simulator.app import Receive, Scope, Send
from watui.simulator.conditions import Changes
from watui.simulator.faults import Fault
from watui.simulator.faults import Kind as Trouble
from watui.simulator.population import Latency
from watui.simulator.serving import ServerThread
from watui.simulator.world import World
from watui.tui.phases import Phase
from watui.tui.screens.check import CheckScreen
from watui.tui.screens.contact import ContactScreen
from watui.tui.screens.dialogs import Confirm
from watui.tui.screens.reasons import BlockDialog, ReportDialog

pytestmark = pytest.mark.anyio

NUMBER, NAME = PEOPLE[0], "+1 631-555-1000"


@pytest.fixture
def world() -> World:
    """A world in which everybody with an account wrote lately."""
    return a_world(latency=None, engaged=1.0)


def digest(world: World, number: str = NUMBER) -> str:
    """Return the hash of a contact's identity, as the world has it."""
    return world.people.identity(number, time.time()).hash


async def answer(story: Story, key: str, *words: str) -> None:
    """Answer the question that is open, which holds `words`."""
    await story.until_on(Confirm)
    asked = "\n".join(str(part.content) for part in story.app.screen.query(Static))
    assert all(each in asked for each in words), asked
    await story.press(key)


# What is known of it


async def test_who_is_blocked_and_was_checked(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        await story.resolve(NUMBER)
        await story.press("enter")
        await story.until_on(ContactScreen)
        await story.until_shown(NAME, "US", NUMBER, "only the server knows", "done to it nothing", "acknowledged")
        await story.until_shown("✓ valid", "v2.41 run 1 has a WhatsApp account")
        await story.press("b")
        await story.until_on(BlockDialog)
        await story.paste("spam")
        await story.press("enter")
        await story.until_told(f"{NAME} is blocked.")
        await story.until_shown("block “spam” ✓ done", "blocked yes", " u unblock ")
        assert " b block " not in story.all_text()
        await story.press("u")
        await answer(story, "n", f"Unblock {NAME} at shop?", "can be blocked again")
        await story.press("u")
        await answer(story, "y", "Only who has written within the last 24 hours can be blocked again.")
        await story.until_told(f"{NAME} is unblocked.")
        await story.until_shown("blocked no", " b block ", "unblock ✓ done")
        assert [path for path, _ in story.sent] == [f"{NUMBER}/block", f"{NUMBER}/unblock"]


async def test_who_is_not_blocked_is_not_unblocked(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        await story.open_contact(NUMBER)
        await story.press("u")
        await answer(story, "y", f"Unblock {NAME}")
        await story.until_told(f"{NAME} is not blocked: nothing was sent.")
        assert story.sent == []


@pytest.mark.parametrize(
    ("engaged", "words"),
    [(1.0, "so it can be blocked again."), (0.0, "can be blocked again. It has not.")],
)
async def test_the_simulator_knows_whether_it_could_be_blocked_again(engaged: float, words: str, paths: Paths) -> None:
    async with console(paths) as story:
        backstage = await story.session.desk.backstage()
        await backstage.change(Changes(engaged=1.0))
        await story.open_contact(NUMBER)
        await story.press("b")
        await story.until_on(BlockDialog)
        await story.press("enter")
        await story.until_told(f"{NAME} is blocked.")
        await backstage.change(Changes(engaged=engaged))
        await story.press("u")
        await answer(story, "y", words)
        await story.until_told(f"{NAME} is unblocked.")


async def test_a_number_without_an_account_is_no_contact_of_the_server(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        await story.open_contact(NOBODY)
        assert "identity none: the server knows no such contact" in story.all_text()
        await story.press("a")
        await story.until_told("There is no identity to acknowledge.")
        assert story.sent == []


async def test_a_wa_id_that_no_server_has_told_is_said_to_be_the_usual_one(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        await story.open_contact("+52 55 1234 1001")
        await story.until_shown("5215512341001", "the usual one; no server has told it", "MX")


async def test_a_server_that_fails_is_told_in_place(paths: Paths) -> None:
    world = a_world(latency=None, faults=(Fault(Trouble.INTERNAL_ERROR),))
    async with console_at(world, paths) as story:
        await story.open_contact(NUMBER)
        assert "identity unknown: Internal error (1014)" in story.all_text()
        assert "blocked unknown: Internal error (1014)" in story.all_text()
        world.change(Changes(faults=()), time.time())
        await story.press("escape", "o")
        await story.until_shown("blocked no", digest(world))


async def test_nobody_is_made_to_write_on_a_real_server(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        await story.open_contact(NUMBER)
        assert "let it write" not in story.all_text()
        await story.press("w")
        await story.until_told("Only on the simulator can you make a contact write.")


async def test_who_is_blocked_cannot_be_made_to_write(paths: Paths) -> None:
    async with console(paths) as story:
        await (await story.session.desk.backstage()).change(Changes(engaged=1.0))
        await story.open_contact(NUMBER)
        await story.press("b")
        await story.until_on(BlockDialog)
        await story.press("enter")
        await story.until_told("is blocked.")
        await story.press("w")
        await story.until_told("is blocked: its messages do not come through")


# Identity


async def test_an_identity_is_shown_and_acknowledged_after_asking(paths: Paths, world: World) -> None:
    at = time.time()
    world.people.change_identity(NUMBER, at)
    async with console_at(world, paths) as story:
        await story.open_contact(NUMBER)
        moment = f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M}"
        assert f"{digest(world)} changed {moment} not acknowledged a does" in story.all_text()
        await story.press("a")
        await answer(story, "n", f"Acknowledge the identity {digest(world)} of {NAME} at shop?")
        assert story.sent == []
        await story.press("a")
        await answer(story, "y")
        await story.until_told(f"{NAME} is acknowledged.")
        await story.until_shown(f"changed {moment} acknowledged")
        assert story.sent == [("16315551000/identity", {"hash": digest(world)})]
        await story.press("a")
        await story.until_told("This identity is acknowledged already.")
        assert len(story.sent) == 1


async def test_an_identity_that_changed_in_between_is_not_acknowledged_unseen(paths: Paths, world: World) -> None:
    world.people.change_identity(NUMBER, time.time())
    async with console_at(world, paths) as story:
        await story.open_contact(NUMBER)
        old = digest(world)
        await story.press("a")
        await story.until_on(Confirm)
        world.people.change_identity(NUMBER, time.time())
        await answer(story, "y", old)
        await story.until_told(f"{NAME} is not acknowledged (1009). That is not its present identity: read it again")
        await story.until_shown(digest(world), "not acknowledged")
        await story.press("a")
        await answer(story, "y", digest(world))
        await story.until_told(f"{NAME} is acknowledged.")
        assert [body for _, body in story.sent] == [{"hash": old}, {"hash": digest(world)}]


@pytest.mark.parametrize("trouble", [Trouble.ERROR_AFTER_WORK, Trouble.RESET_AFTER_WORK])
async def test_an_acknowledgement_whose_answer_is_lost_is_read_off_the_identity(
    trouble: Trouble, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "PACING", Pacing(first=0.0))
    world = a_world(latency=None, faults=(Fault(trouble, path="*/identity", method="PUT", nth=1),))
    world.people.change_identity(NUMBER, time.time())
    async with console_at(world, paths) as story:
        await story.open_contact(NUMBER)
        await story.press("a")
        await answer(story, "y")
        await story.until_told(f"{NAME} is acknowledged.")
        assert len(story.sent) == 1


# What nobody knows


async def lose_a_report(story: Story) -> None:
    """Report a contact from its panel, where the answer is lost."""
    await story.open_contact(NUMBER)
    await story.press("r")
    await story.until_on(ReportDialog)
    await story.press("enter")
    await answer(story, "y", "Report")
    await story.until_told(f"Nobody knows whether {NAME} is reported: the answer was lost")
    await story.until_shown("report ? unknown")


def outcome(story: Story) -> Outcome:
    """Return how the latest change ended."""
    return trail.latest(story.session.desk.reader, 1)[0].outcome


@pytest.mark.parametrize(
    ("trouble", "key", "decided"),
    [(Trouble.ERROR_AFTER_WORK, "y", Outcome.DONE), (Trouble.RESET_AFTER_WORK, "n", Outcome.FAILED)],
)
async def test_a_report_whose_answer_is_lost_ends_unknown_and_a_person_decides(
    trouble: Trouble, key: str, decided: Outcome, paths: Paths
) -> None:
    world = a_world(latency=None, engaged=1.0, faults=(Fault(trouble, path="*/report"),))
    async with console_at(world, paths) as story:
        await lose_a_report(story)
        assert len(world.people.reported) == len(story.sent) == 1, "a report is never sent twice by itself"
        await story.press("d")
        await answer(story, key, f"Did the report of {NAME} reach the server? Its answer was lost.")
        await story.until_shown("decided by ")
        assert outcome(story) is decided
        await story.press("d")
        await story.until_told("There is nothing to decide: no outcome is unknown.")
        assert len(story.sent) == 1


async def test_going_back_from_that_question_decides_nothing(paths: Paths) -> None:
    """A report that is taken for not made may be made again: only an answer may say so."""
    world = a_world(latency=None, engaged=1.0, faults=(Fault(Trouble.ERROR_AFTER_WORK, path="*/report"),))
    async with console_at(world, paths) as story:
        await lose_a_report(story)
        await story.press("d")
        await answer(story, "escape", "Did the report")
        await story.until_idle("change")
        assert outcome(story) is Outcome.UNKNOWN


# The way there and back


async def test_in_the_preview_enter_starts_and_o_opens(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        await story.preview("\n".join(PEOPLE[:3]))
        await story.press("down", "o")
        await story.until_on(ContactScreen)
        await story.until_shown("+1 631-555-1002", "never checked here")
        assert story.session.phase is Phase.PREVIEW
        await story.press("escape", "enter")
        await story.until_phase(Phase.ENDED)
        await story.press("home", "enter")
        await story.until_on(ContactScreen)
        await story.until_shown(NAME, "✓ valid")


async def test_a_check_goes_on_while_other_screens_are_shown(paths: Paths) -> None:
    """What was chosen on a screen is there when one comes back to it."""
    world = a_world(latency=Latency(0.5, 1.0), engaged=1.0)
    world.people.block_others(150, time.time())
    async with console_at(world, paths) as story:
        await story.preview("\n".join(PEOPLE[:20]))
        await story.press("enter")
        await story.until_phase(Phase.RUNNING)
        await story.press("down", "down", "enter")
        await story.until_on(ContactScreen)
        await story.press("escape")
        await story.open_blocklist()
        await story.press("right", "down", "down", "down")
        await story.until(lambda: story.session.final == 20, "the last verdict, while the blocklist is shown")
        await story.press("1")
        await story.until_phase(Phase.ENDED)
        assert story.screen.rows.table.cursor == 2
        assert "100%" in story.screen.progress.render().plain
        await story.press("2")
        await story.until_idle("blocklist")
        assert story.blocklist.table.cursor == 3
        assert "101–150 of 150" in story.blocklist.state.render().plain
        assert story.sent == []


# Hostile text


class Puppet:
    """A server that says hostile things, whatever it is asked."""

    def __init__(self) -> None:
        error = {"code": errors.INVALID, "title": HOSTILE, "details": HOSTILE, "href": HOSTILE}
        checked = {"input": NUMBER, "status": HOSTILE, "wa_id": HOSTILE}
        identity = {"hash": HOSTILE, "created_timestamp": 10**18, "acknowledged": False}
        listed = [{"wa_id": f"{wa_id}@s.whatsapp.net"} for wa_id in (HOSTILE, f"2{HOSTILE}", "x" * 5_000, "")]
        pagination = {"limit": 100, "offset": 0, "total": len(listed)}
        self._said: dict[tuple[str, str], tuple[int, Any]] = {
            ("POST", "contacts"): (200, {"contacts": [checked], "meta": {"version": HOSTILE}}),
            ("GET", "identity"): (200, {"contacts": identity}),
            ("GET", "blocklist"): (200, {"contacts": listed, "pagination": pagination}),
            ("", ""): (400, {"errors": [{**error, "code": 4711}]}),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive()).get("more_body"):
            pass
        named = scope["method"], scope["path"].rpartition("/")[2]
        status, said = self._said.get(named, self._said["", ""])
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/json")]})
        await send({"type": "http.response.body", "body": msgspec.json.encode(said)})


@pytest.mark.parametrize("size", [(80, 24), pytest.param(WIDE, marks=pytest.mark.long)])
async def test_what_a_hostile_server_says_is_shown_and_does_nothing(paths: Paths, size: tuple[int, int]) -> None:
    with ServerThread(Puppet()) as server:
        async with console(paths, Server.at(server.url, TOKEN), size=size) as story:
            await story.preview(NUMBER)
            await story.press("enter")
            await story.until(lambda: bool(story.session.tally), "an answer")
            story.assert_harmless()
            await story.press("enter")
            await story.until_on(ContactScreen)
            await story.until_shown("␛[31m", "[/x][@click=app.quit]q[/]", "at an unreadable time")
            story.assert_harmless()
            await story.press("a")
            await story.until_on(Confirm)
            story.assert_harmless()
            await story.press("y")
            await story.until_told("is not acknowledged: ␛[31m")
            await story.until_idle("look")
            story.assert_harmless()
            await story.press("escape")
            await story.open_blocklist()
            for _ in range(4):
                story.assert_harmless()
                await story.press("down")
            await story.press("home", "down", "enter")
            await story.until_on(ContactScreen)
            await story.until_idle("look")
            story.assert_harmless()
            await story.press("u")
            await answer(story, "y", "[@click=app.quit]")
            await story.until(lambda: len(story.sent) == 2, "the unblock")
            await story.until_told("is not unblocked")
            story.assert_harmless()
            await story.press("escape")
            assert story.app.return_value is None, "nothing has led to the end"


async def test_what_is_hostile_in_a_reason_or_a_message_id_does_nothing(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        await story.preview(NUMBER)
        reason = HOSTILE[:59]
        for _ in range(2):
            await story.press("r")
            await story.until_on(ReportDialog)
            if not story.sent:
                await story.paste(reason)
                await story.press("tab")
                await story.paste(HOSTILE)
            else:
                await story.press("up", "tab", "up")
            story.assert_harmless()
            await story.press("enter")
            await story.until_on(Confirm)
            story.assert_harmless()
            await story.press("y")
            await story.until_told("is not reported (1009)")
            await story.until_idle("change")
            story.assert_harmless()
        await story.press("o")
        await story.until_on(ContactScreen)
        await story.until_idle("look")
        story.assert_harmless()
        assert len(story.sent) == 2


def kept_lines() -> int:
    """Return how many lines of widgets there are in memory."""
    gc.collect()
    return sum(isinstance(each, Strip) for each in gc.get_objects())


async def test_a_panel_that_was_closed_leaves_nothing_painted_behind(paths: Paths) -> None:
    async with console(paths, size=NARROW) as story:
        await story.preview(PEOPLE[0])

        async def look(times: int) -> int:
            for _ in range(times):
                await story.press("o")
                await story.until_on(ContactScreen)
                await story.until_idle("look")
                await story.press("escape")
                await story.until_on(CheckScreen)
            return kept_lines()

        few = await look(5)
        many = await look(10)
        assert many <= few + 20
