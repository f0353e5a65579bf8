"""Block and report from a row: what is asked, what a person reads, and what goes over the wire."""

import time

import pytest
from textual.widgets import Static

from tests.conftest import TOKEN
from tests.simulated import a_world, create_app
from tests.tui.story import NOBODY, PEOPLE, PROFILE, Story, console, console_at
from watui.actions import batch
from watui.client.pacing import Pacing
from watui.client.server import Server
from watui.contract.rules import MAX_REASON, is_reason
from watui.ledger import trail
from watui.ledger.ledger import Ledger
from watui.ledger.trail import Action, Kind, NewAction, Outcome, Place, Wish
from watui.settings.paths import Paths
from watui.simulator.conditions import Changes
from watui.simulator.faults import Fault
from watui.simulator.faults import Kind as Trouble
from watui.simulator.population import latest_messages
from watui.simulator.serving import ServerThread
from watui.simulator.world import World
from watui.tui.screens.dialogs import Confirm
from watui.tui.screens.reasons import BlockDialog, ReportDialog

pytestmark = pytest.mark.anyio

NUMBER, NAME = PEOPLE[0], "+1 631-555-1000"

SCRIPTS = {
    "ascii": "not a customer any more ",
    "kana": "スパムヲオクルヒト",
    "emoji": "👩‍👩‍👧‍👦🏴‍☠️👍🏽",
    "combining": "e\u0301\u0323a\u030a\u0304",
}


@pytest.fixture
def world() -> World:
    """A world in which everybody with an account wrote lately."""
    return a_world(latency=None, engaged=1.0)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing wait before it is tried again."""
    monkeypatch.setattr(batch, "PACING", Pacing(first=0.0))


def written(story: Story) -> Action:
    """Return the latest action of the trail."""
    (action,) = trail.latest(story.session.desk.reader, 1)
    return action


def question(story: Story) -> str:
    """Return what the dialog that is open asks."""
    return "\n".join(str(part.content) for part in story.app.screen.query(Static))


async def fill(story: Story, text: str, *, instead: bool = False) -> None:
    """Put a text where the cursor stands, in place of what stands there."""
    if instead:
        await story.press("home", "ctrl+k")
    if text:
        await story.paste(text)


async def until_asked(story: Story, words: str) -> str:
    """Wait for a yes-or-no question that holds `words`, and return all of it."""
    await story.until_on(Confirm)
    asked = question(story)
    assert words in asked
    return asked


async def block(story: Story, reason: str = "") -> None:
    """Block the row at hand."""
    await story.press("b")
    await story.until_on(BlockDialog)
    await fill(story, reason)
    await story.press("enter")


async def report(story: Story, reason: str = "", message_id: str = "") -> None:
    """Fill in the report of the row at hand, up to the question before it is sent."""
    await story.press("r")
    await story.until_on(ReportDialog)
    await fill(story, reason)
    await story.press("tab")
    await fill(story, message_id)
    await story.press("enter")


# Block


async def test_a_block_with_a_reason(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        await story.preview(NUMBER)
        await story.press("b")
        await story.until_on(BlockDialog)
        assert f"Block {NAME} at shop" in question(story)
        assert "within the last 24 hours" in question(story)
        await fill(story, "  spam  ")
        await story.press("enter")
        await story.until_told(f"{NAME} is blocked.")
        assert story.sent == [(f"{NUMBER}/block", {"reason": "spam"})]
        assert world.people.is_blocked(NUMBER)
        action = written(story)
        assert (action.kind, action.outcome, action.reason) == (Kind.BLOCK, Outcome.DONE, "spam")


async def test_a_server_that_asks_for_patience_is_named(paths: Paths, world: World) -> None:
    fault = Fault(Trouble.TOO_MANY_REQUESTS, path="*/block", nth=1, retry_after=3600)
    async with console_at(a_world(latency=None, engaged=1.0, faults=(fault,)), paths) as story:
        await story.preview(NUMBER)
        await block(story, "")
        await story.until_told(f"{NAME}: the server asks us to wait until ")
        await story.until_told("Too many requests (1015). It goes on by itself.")
        assert len(story.sent) == 1


async def test_a_block_without_a_reason_has_no_body(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        await story.preview(NUMBER)
        await block(story, "   ")
        await story.until_told(f"{NAME} is blocked.")
        assert story.sent == [(f"{NUMBER}/block", None)]


async def test_escape_sends_nothing(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        await story.preview(NUMBER)
        for key, dialog in (("b", BlockDialog), ("r", ReportDialog)):
            await story.press(key)
            await story.until_on(dialog)
            await fill(story, "spam")
            await story.press("escape")
            await story.until(lambda: story.app.screen is story.screen, "back at the list")
        await report(story)
        await until_asked(story, NAME)
        await story.press("n")
        await story.until_idle("change")
        assert story.sent == []
        assert trail.latest(story.session.desk.reader, 1) == []


async def test_who_has_not_written_is_explained_and_on_the_simulator_can_be_let_write(paths: Paths) -> None:
    async with console(paths) as story:
        await (await story.session.desk.backstage()).change(Changes(engaged=0.0))
        await story.open_contact(NUMBER)
        await story.until_shown("it can be neither blocked nor reported")
        await block(story)
        await story.until_told(f"{NAME} is not blocked (2048). It has not written to you within the last 24 hours")
        await story.until_told("On the simulator, w in its panel lets it write.")
        await story.press("w")
        await story.until_told(f"{NAME} wrote to you")
        await story.until_shown("yes, it wrote within the last 24 hours")
        await block(story)
        await story.until_told(f"{NAME} is blocked.")


@pytest.mark.parametrize("number", [NUMBER, NOBODY])
async def test_who_has_not_written_is_explained_on_a_real_server(paths: Paths, number: str) -> None:
    async with console_at(a_world(latency=None, engaged=0.0), paths) as story:
        await story.preview(number)
        await block(story)
        await story.until_told("is not blocked (2048). It has not written to you within the last 24 hours")
        assert not any("simulator" in notice for notice in story.notices)
        await report(story)
        await until_asked(story, "Report")
        await story.press("y")
        await story.until_told("is not reported (2048). It has not written")
        assert [path.rpartition("/")[2] for path, _ in story.sent] == ["block", "report"]
        assert written(story).outcome is Outcome.REFUSED


async def test_what_no_server_reads_as_a_number_is_explained(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        await story.preview("+163155588")
        await block(story)
        await story.until_told("is not blocked (1009). The server can't read it as a number: write it with +")
        assert written(story).code == 1009


async def test_a_row_without_a_number_is_refused_at_once(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        await story.preview(NUMBER + "\nnobody")
        await story.press("down")
        for key in ("b", "r", "o"):
            await story.press(key)
        assert story.notices == ["There is no number at hand: go to a row that has one."] * 3
        assert story.app.screen is story.screen


async def test_who_is_blocked_already_is_not_blocked_again(paths: Paths, world: World) -> None:
    world.people.block(NUMBER, time.time())
    async with console_at(world, paths) as story:
        await story.preview(NUMBER)
        await block(story)
        await story.until_told(f"{NAME} is blocked already: nothing was sent.")
        assert story.sent == []


# Reasons


@pytest.mark.parametrize("script", SCRIPTS)
async def test_the_counter_counts_code_points_and_refuses_what_the_server_would(
    script: str, paths: Paths, world: World
) -> None:
    async with console_at(world, paths) as story:
        await story.preview(NUMBER)
        await story.press("b")
        dialog = await story.until_on(BlockDialog)
        for length in (0, 1, MAX_REASON, MAX_REASON + 1):
            reason = (SCRIPTS[script] * MAX_REASON)[:length].replace(" ", "_")
            await fill(story, reason, instead=True)
            await story.until(
                lambda wanted=length: str(dialog.reason.count.content) == f"{wanted} of 59",  # type: ignore[misc]
                f"{length} are counted",
            )
            assert (dialog.reason.problem is None) is (is_reason(reason) or not reason)
        await story.press("enter")
        assert "The reason is 1 character too long: 59 at most" in str(dialog.hint.content)
        assert story.app.screen is dialog
        assert dialog.reason.value == reason
        assert len(world.people.reported) + world.people.blocked + len(story.sent) == 0
        await story.press("backspace", "enter")
        await story.until_told(f"{NAME} is blocked.")
        assert story.sent == [(f"{NUMBER}/block", {"reason": reason[:MAX_REASON]})]


async def test_a_report_s_reason_that_is_too_long_is_refused_before_it_is_asked(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        await story.preview(NUMBER)
        await report(story, reason="x" * 61)
        dialog = await story.until_on(ReportDialog)
        assert "The reason is 2 characters too long: 59 at most" in str(dialog.hint.content)
        assert dialog.reason.value == "x" * 61
        assert story.sent == []


async def test_up_and_down_go_through_the_reasons_of_before(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        await story.preview("\n".join(PEOPLE[:3]))
        for reason in ("spam", "abuse"):
            await block(story, reason)
            await story.until(lambda: story.app.screen is story.screen, "back at the list")
            await story.until_idle("change")
            await story.press("down")
        await story.press("b")
        dialog = await story.until_on(BlockDialog)
        assert "↑ recent ones" in dialog.reason.field.placeholder
        seen = []
        for key in ("up", "up", "up", "down", "down", "up"):
            await story.press(key)
            seen.append(dialog.reason.value)
        assert seen == ["abuse", "spam", "spam", "abuse", None, "abuse"]
        await story.press("enter")
        await story.until(lambda: len(story.sent) == 3, "the third block")
        assert story.sent[-1] == (f"{PEOPLE[2]}/block", {"reason": "abuse"})


# Report


async def test_a_report_says_what_leaves_and_asks_twice(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        await story.preview(NUMBER)
        await story.press("r")
        dialog = await story.until_on(ReportDialog)
        assert "No message id: the last five messages of this chat go to WhatsApp." in question(story)
        assert "A report can't be taken back." in question(story)
        assert not dialog.also_block.value, "a report does not block unless that is wanted"
        await fill(story, "threats")
        await story.press("enter")
        asked = await until_asked(story, f"Report {NAME} at shop?")
        assert "the last five messages of this chat go to WhatsApp. A report can't be taken back." in asked
        assert story.sent == []
        await story.press("y")
        await story.until_told(f"{NAME} is reported.")
        assert story.sent == [(f"{NUMBER}/report", {"reason": "threats"})]
        assert not world.people.is_blocked(NUMBER)


async def test_a_report_of_one_message_that_blocks_as_well(paths: Paths, world: World) -> None:
    message_id = latest_messages(world.seed, NUMBER)[-1]
    async with console_at(world, paths) as story:
        await story.preview(NUMBER)
        await story.press("r")
        await story.until_on(ReportDialog)
        await story.press("tab")
        await fill(story, message_id)
        await story.until_shown(f"The message {message_id} goes to WhatsApp.")
        await story.press("tab", "space", "enter")
        asked = await until_asked(story, f"The message {message_id} goes to WhatsApp. It is blocked as well.")
        assert "five messages" not in asked
        await story.press("y")
        await story.until_told(f"{NAME} is reported and blocked.")
        assert story.sent == [(f"{NUMBER}/report", {"block": True, "message_id": message_id})]
        assert world.people.reported == [(NUMBER, (message_id,))]
        assert world.people.is_blocked(NUMBER)


async def test_a_message_that_is_none_of_the_contact_s_is_explained(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        await story.preview(NUMBER)
        await report(story, message_id="ABEGxxxx")
        await until_asked(story, "ABEGxxxx")
        await story.press("y")
        await story.until_told(f"{NAME} is not reported (1009). The message id is none of this contact's, or else")
        assert world.people.reported == []


async def test_the_simulator_offers_the_ids_of_its_messages_the_latest_first(paths: Paths) -> None:
    async with console(paths) as story:
        await (await story.session.desk.backstage()).change(Changes(engaged=1.0))
        await story.preview(NUMBER)
        await story.press("r")
        dialog = await story.until_on(ReportDialog)
        known = latest_messages(0, NUMBER)
        assert f"{len(known)} known" in dialog.message_id.placeholder
        await story.press("tab", "up")
        assert dialog.message_id.value == known[-1]


# Answers that are lost


@pytest.mark.parametrize(
    ("trouble", "requests"),
    [
        (Trouble.ERROR_AFTER_WORK, 1),
        (Trouble.RESET_AFTER_WORK, 1),
        (Trouble.INTERNAL_ERROR, 2),
        (Trouble.RESET, 2),
    ],
)
async def test_a_block_whose_answer_is_lost_is_read_off_the_blocklist_and_sent_again_only_where_it_is_not_there(
    trouble: Trouble, requests: int, paths: Paths, hasty: None
) -> None:
    world = a_world(latency=None, engaged=1.0, faults=(Fault(trouble, path="*/block", nth=1),))
    async with console_at(world, paths) as story:
        await story.preview(NUMBER)
        await block(story)
        await story.until_told(f"{NAME} is blocked.")
        assert story.sent == [(f"{NUMBER}/block", None)] * requests
        assert written(story).outcome is Outcome.DONE


async def test_a_token_that_is_refused_is_told_and_nothing_is_tried_again(paths: Paths, world: World) -> None:
    world.change(Changes(faults=(Fault(Trouble.DENIED, path="*/block"),)), time.time())
    async with console_at(world, paths) as story:
        await story.preview(NUMBER)
        await block(story)
        await story.until_told("Access denied (1005)")
        await story.until_told("WATUI_TOKEN")
        assert len(story.sent) == 1


@pytest.mark.parametrize(("is_done", "words"), [(True, "is blocked."), (False, "is not blocked: the answer was lost")])
async def test_what_a_process_that_died_left_open_is_told_at_the_next_start(
    is_done: bool, words: str, paths: Paths, ledger: Ledger, world: World
) -> None:
    if is_done:
        world.people.block(NUMBER, time.time())
    with ServerThread(create_app(world, TOKEN)) as server:
        intent = NewAction(NUMBER, NUMBER, NUMBER[1:], NUMBER, Outcome.PLANNED)
        place = Place(server.url, PROFILE, "ada")
        (action_id,) = trail.add_batch(ledger, Wish(Kind.BLOCK), place, "a driver that is gone", [intent])
        trail.sent(ledger, action_id)
        async with console(paths, Server.at(server.url, TOKEN)) as story:
            await story.until_told(f"Cut short before: {NAME} {words}")
            assert written(story).outcome is (Outcome.DONE if is_done else Outcome.FAILED)
            assert story.sent == [], "nothing is sent again by itself"
