"""Plans that ask the server and the ledger, what is taken back or done once more, and many contacts at once."""

from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from tests.actions.conftest import PLACE, STRANGERS, WRITERS, FakeTime, Office, denied, drive, named, outcomes
from tests.simulated import a_world
from watui.actions.batch import SEEN
from watui.actions.plans import ALREADY_BLOCKED, CHANGED_SINCE, NOT_BLOCKED, Plan, target_of_wa_id
from watui.client.blocklist import Part
from watui.client.failures import AccessDenied
from watui.contract import errors
from watui.ledger.ledger import Ledger
from watui.ledger.rows import Answered, NewRow, RunOptions
from watui.ledger.trail import Kind, Outcome, Wish
from watui.settings.paths import Paths
from watui.simulator import faults
from watui.simulator.faults import Fault
from watui.simulator.world import World

pytestmark = pytest.mark.anyio

MEXICAN, MEXICAN_WA_ID = "+525512345678", "5215512345678"
DOUBTFUL, INDIAN = "987 654 3210", "+919876543210"
"""An input that is no number of the US, and what a server in India reads in it."""


async def check(office: Office, number: str, wa_id: str) -> None:
    """Let the ledger hold what a server once said of a number."""

    def add(ledger: Ledger) -> None:
        run_id = ledger.add_run(RunOptions(PLACE.server, "US", "no_wait", False, 500))
        row = NewRow(1, number, number, number, "BR", None, None)
        ledger.add_rows(run_id, ledger.add_source(run_id, "list", None), [row], {})
        ledger.answered(run_id, ledger.asked(run_id, [1]).ask_id, [Answered(1, "valid", True, wa_id)], "v2.41")

    await office.ledger(add)


# Planning


@pytest.mark.parametrize(
    ("wish", "readings"),
    [
        (Wish(Kind.BLOCK), 1),
        (Wish(Kind.UNBLOCK), 1),
        (Wish(Kind.REPORT), 0),
        (Wish(Kind.REPORT, also_block=True), 1),
        (Wish(Kind.ACKNOWLEDGE, hash="x"), 0),
    ],
    ids=lambda value: f"{value.kind}{value.also_block}" if isinstance(value, Wish) else "",
)
async def test_planning_reads_what_matters_and_changes_nothing(office: Office, wish: Wish, readings: int) -> None:
    await office.actions.plan(wish, list(map(named, WRITERS[:3])))
    assert office.wire.readings == len(office.wire.seen) == readings
    with pytest.raises(IndexError):
        _ = office.batch_id


async def test_who_reads_the_blocklist_is_told_of_every_part(office: Office) -> None:
    office.world.people.block_others(450, office.clock())
    parts: list[Part] = []
    listed = await office.actions.blocklist(parts.append)
    assert list(listed) == office.blocked
    assert [wa_id for part in parts for wa_id in part.wa_ids] == office.blocked
    assert [(part.known, part.total) for part in parts] == [(200, 450), (399, 450), (450, 450)]


async def test_a_list_that_changes_while_it_is_read_hides_nobody_who_stays(office: Office) -> None:
    office.world.people.block_others(450, office.clock())
    office.block_by_hand(WRITERS[:1])
    changes: list[Callable[[], None]] = [
        lambda: office.world.people.unblock_oldest(150, office.clock()),
        lambda: office.block_by_hand(WRITERS[1:40]),
    ]

    async def after(_: httpx.Request) -> None:
        if changes:
            changes.pop(0)()

    before = office.blocked
    office.wire.after = after
    parts: list[Part] = []
    plan = await office.actions.plan(Wish(Kind.UNBLOCK), [named(WRITERS[0])], parts.append)
    assert [action.outcome for action in plan.actions] == [Outcome.PLANNED]
    read = [wa_id for part in parts for wa_id in part.wa_ids]
    assert len(read) == len(set(read))
    assert set(before) & set(office.blocked) <= set(read)
    assert parts[-1].has_changed


async def test_a_wa_id_that_a_check_told_is_found_on_the_list(office: Office) -> None:
    number, told = "+5511987654321", "551187654321"
    await check(office, number, told)

    async def before(_: httpx.Request) -> httpx.Response:
        pagination = {"limit": 200, "offset": 0, "total": 1}
        return httpx.Response(200, json={"contacts": [{"wa_id": f"{told}@s.whatsapp.net"}], "pagination": pagination})

    office.wire.before = before
    blocking = await office.plan(Kind.BLOCK, [number])
    unblocking = await office.plan(Kind.UNBLOCK, [number])
    assert [action.note for action in blocking.actions] == [ALREADY_BLOCKED]
    assert [(action.wa_id, action.target) for action in unblocking.to_send] == [(told, f"+{told}")]


async def test_a_wa_id_that_a_check_told_settles_a_block_whose_answer_is_lost(office: Office) -> None:
    number, told = "+5511987654321", "551187654321"
    await check(office, number, told)
    listed: list[str] = []

    async def before(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            listed[:] = [told]
            raise httpx.ReadError("reset")
        pagination = {"limit": 200, "offset": 0, "total": len(listed)}
        return httpx.Response(200, json={"contacts": [{"wa_id": each} for each in listed], "pagination": pagination})

    office.wire.before = before
    (action,) = await office.carry_out(Kind.BLOCK, [number])
    assert (action.wa_id, action.outcome, action.note) == (told, Outcome.DONE, SEEN)
    undo = await office.actions.plan_undo(office.batch_id)
    assert [each.target for each in undo.to_send] == [f"+{told}"]


# Taking back, and once more


@pytest.fixture
async def neighbour(paths: Paths, clock: FakeTime) -> AsyncIterator[Office]:
    """The same ledger at another server."""
    office = Office(paths, a_world(latency=None, engaged=1.0), clock, PLACE._replace(server="https://elsewhere"))
    yield office
    await office.close()


async def test_only_blocks_and_unblocks_of_the_same_server_are_taken_back(office: Office, neighbour: Office) -> None:
    await office.carry_out(Kind.BLOCK, WRITERS[:1])
    blocking = office.batch_id
    await office.carry_out(Kind.REPORT, WRITERS[:1])
    for where, batch_id in ((office, 0), (office, office.batch_id), (neighbour, blocking)):
        with pytest.raises(ValueError, match="no block or unblock"):
            await where.actions.plan_undo(batch_id)
    with pytest.raises(ValueError, match="no batch"):
        await neighbour.actions.plan_again(blocking)


async def test_what_others_did_since_stays(office: Office) -> None:
    await office.carry_out(Kind.BLOCK, WRITERS[:4])
    first = office.batch_id
    await office.carry_out(Kind.UNBLOCK, WRITERS[:1])
    await office.carry_out(Kind.BLOCK, WRITERS[:1])
    await office.carry_out(Kind.UNBLOCK, WRITERS[1:2])
    office.world.people.unblock(WRITERS[2], office.clock())
    office.block_by_hand(WRITERS[4:5])
    undo = await office.actions.plan_undo(first)
    assert [action.note for action in undo.actions] == [CHANGED_SINCE, CHANGED_SINCE, NOT_BLOCKED, None]
    assert outcomes(await office.carry_out_plan(undo)) == [
        Outcome.LEFT_OUT,
        Outcome.LEFT_OUT,
        Outcome.UNCHANGED,
        Outcome.DONE,
    ]
    assert office.blocked == [number[1:] for number in (WRITERS[0], WRITERS[4])]


@pytest.mark.parametrize("number", [MEXICAN, None], ids=["known number", "wa_id alone"])
async def test_an_unblock_of_a_wa_id_is_taken_back(office: Office, number: str | None) -> None:
    office.world.people.change_account(MEXICAN, True, office.clock())
    office.block_by_hand([MEXICAN])
    plan = await office.actions.plan(Wish(Kind.UNBLOCK), [target_of_wa_id(MEXICAN_WA_ID, number)])
    await office.carry_out_plan(plan)
    assert office.blocked == []
    (action,) = await office.carry_out_plan(await office.actions.plan_undo(office.batch_id))
    assert (action.outcome, office.blocked) == (Outcome.DONE, [MEXICAN_WA_ID])


async def test_what_did_not_happen_is_planned_once_more_with_the_same_wish(office: Office) -> None:
    office.block_by_hand(WRITERS[:1])
    wish = Wish(Kind.BLOCK, "spam")
    plan = await office.actions.plan(wish, list(map(named, [*WRITERS[:2], STRANGERS[0], *WRITERS[2:4]])))
    batch = await office.actions.begin(plan)
    calls = 0

    async def before(_: httpx.Request) -> httpx.Response | None:
        nonlocal calls
        calls += 1
        return denied() if calls == 3 else None

    office.wire.before = before
    with pytest.raises(AccessDenied):
        await drive(batch)
    await batch.give_up()
    assert outcomes(office.written())[-2:] == [Outcome.FAILED] * 2
    again = await office.actions.plan_again(office.batch_id)
    assert again.wish == wish
    assert [(action.input, action.outcome) for action in again.actions] == [
        (number, Outcome.PLANNED) for number in WRITERS[2:4]
    ]
    assert outcomes(await office.carry_out_plan(again)) == [Outcome.DONE] * 2


async def test_a_report_that_did_not_happen_is_planned_once_more_whoever_was_blocked_since(office: Office) -> None:
    batch = await office.begin(Kind.REPORT, WRITERS[:2])
    await batch.give_up()
    reports = office.batch_id
    await office.carry_out(Kind.BLOCK, WRITERS[:1])
    again = await office.actions.plan_again(reports)
    assert [action.input for action in again.to_send] == WRITERS[:2]


@pytest.mark.parametrize("kind", [Kind.BLOCK, Kind.UNBLOCK, Kind.REPORT])
async def test_what_was_done_once_more_is_not_planned_again(office: Office, kind: Kind) -> None:
    if kind is Kind.UNBLOCK:
        office.block_by_hand(WRITERS[:3])
    batch = await office.begin(kind, WRITERS[:3])
    await batch.give_up()
    first = office.batch_id
    await office.carry_out_plan(await office.actions.plan_again(first))
    again = await office.actions.plan_again(first)
    assert again.to_send == []
    assert set(office.reports.values()) == ({1} if kind is Kind.REPORT else set())


async def test_a_doubtful_input_is_sent_once_more_too(paths: Paths, clock: FakeTime) -> None:
    # The server in India knows whom it means; the list, as it is read here, does not show that one.
    office = Office(paths, a_world("IN", latency=None, engaged=1.0), clock)
    office.world.people.change_account(INDIAN, True, clock())
    office.block_by_hand([INDIAN])
    batch = await office.begin(Kind.UNBLOCK, [DOUBTFUL])
    await batch.give_up()
    again = await office.actions.plan_again(office.batch_id)
    await office.carry_out_plan(again)
    left = office.blocked
    await office.close()
    assert [action.target for action in again.to_send] == [DOUBTFUL]
    assert left == []


# Many at once


async def test_two_hundred_are_blocked_and_given_back(office: Office, world: World) -> None:
    clock, listed, silent, lost = office.clock, WRITERS[:20], STRANGERS[:15], WRITERS[40:90:10]
    for place, number in enumerate(listed):
        office.block_by_hand([number])
        world.people.block_others(place % 2, clock())
    before = office.blocked
    inputs = [*WRITERS[:100], *silent, *WRITERS[100:185]]
    office.suffer(*[Fault(faults.Kind.RESET_AFTER_WORK, path=f"*{number[1:]}/block") for number in lost])
    readings = office.wire.readings
    actions = await office.carry_out(Kind.BLOCK, inputs, reason="spam")
    notes = dict.fromkeys(listed, ALREADY_BLOCKED) | dict.fromkeys(lost, SEEN)
    for number, action in zip(inputs, actions, strict=True):
        assert action.input == number
        if number in silent:
            assert (action.outcome, action.code) == (Outcome.REFUSED, errors.NOT_ENGAGED)
        else:
            expected = Outcome.UNCHANGED if number in listed else Outcome.DONE
            assert (action.outcome, action.code, action.note) == (expected, None, notes.get(number))
    assert len(inputs) == 200
    # The list fits on a page: one reading to plan, one to settle.
    assert office.wire.readings - readings == 2
    assert len(office.wire.changes) == 180
    assert 429 not in office.wire.statuses
    assert office.blocked[: len(before)] == before
    assert len(office.blocked) == len(before) + 165

    others = WRITERS[200:203]
    office.block_by_hand(others)
    undo = await office.actions.plan_undo(office.batch_id)
    assert [action.input for action in undo.to_send] == [each.input for each in actions if each.outcome is Outcome.DONE]
    assert outcomes(await office.carry_out_plan(undo)) == [Outcome.DONE] * 165
    assert office.blocked == [*before, *(number[1:] for number in others)]
    twice: Plan = await office.actions.plan_undo(undo.wish.undoes or 0)
    assert {action.note for action in twice.actions} == {CHANGED_SINCE}
    print(f"bulk: 200 wanted, 165 blocked (5 answers lost), 20 already, 15 refused; given back: {len(undo.to_send)}")
