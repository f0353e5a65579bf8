"""Answers that are lost: what becomes of the changes, whatever broke off and whenever (promise R8)."""

import asyncio
from collections import Counter
from typing import NamedTuple

import httpx
import pytest

from tests.actions.conftest import DEADLINE, WRITERS, FakeTime, Office, denied, drive, eventually, named, outcomes
from tests.conftest import TOKEN
from tests.simulated import a_world
from watui.actions.batch import NOT_SEEN, SEEN, SHOWN
from watui.client.failures import AccessDenied, Overloaded, ServerTrouble
from watui.client.pacing import MOST_TRIES
from watui.client.server import Server
from watui.contract import errors
from watui.desk import Desk
from watui.ledger import trail
from watui.ledger.trail import Kind, Outcome, Wish
from watui.settings.paths import Paths
from watui.simulator import faults
from watui.simulator.conditions import Changes
from watui.simulator.faults import Fault
from watui.simulator.serving import ServerThread
from watui.simulator.world import World

pytestmark = pytest.mark.anyio


class Loss(NamedTuple):
    """A way in which an answer is lost."""

    words: str
    fault: faults.Kind | None
    """None: the server answers, and nothing of that arrives in time."""
    is_done: bool
    """Whether the server had done what it was asked."""


LOSSES = [
    Loss("reset after the work", faults.Kind.RESET_AFTER_WORK, True),
    Loss("500 after the work", faults.Kind.ERROR_AFTER_WORK, True),
    Loss("time-out after the work", None, True),
    Loss("cut in the middle", faults.Kind.TRUNCATED, True),
    Loss("no JSON", faults.Kind.MALFORMED, True),
    Loss("a page of HTML", faults.Kind.WRONG_TYPE, True),
    Loss("reset before the work", faults.Kind.RESET, False),
    Loss("500 before the work", faults.Kind.INTERNAL_ERROR, False),
    Loss("time-out before the work", faults.Kind.TIMEOUT, False),
    Loss("redirect", faults.Kind.REDIRECT, False),
]
EVERY = (2, 3, 5)
"""Every how-many-th answer is lost, one after the other."""

CONTACTS = 24


def lose(office: Office, loss: Loss, every: int) -> None:
    """Lose the answer to every so many-th request that changes something."""
    office.suffer(*[Fault(loss.fault, method="POST", every=every)] if loss.fault else [])
    count = 0

    async def after(request: httpx.Request) -> None:
        nonlocal count
        count += request.method == "POST"
        if request.method == "POST" and count % every == 0:
            raise TimeoutError

    office.wire.after = after if loss.fault is None else None


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.words)
async def test_a_report_whose_answer_is_lost_is_unknown_and_never_sent_again(office: Office, loss: Loss) -> None:
    lost = 0
    for round_, every in enumerate(EVERY):
        numbers = WRITERS[round_ * CONTACTS :][:CONTACTS]
        lose(office, loss, every)
        actions = await office.carry_out(Kind.REPORT, numbers)
        is_lost = [place % every == 0 for place in range(1, CONTACTS + 1)]
        assert outcomes(actions) == [Outcome.UNKNOWN if each else Outcome.DONE for each in is_lost]
        assert [office.reports[number] for number in numbers] == [loss.is_done or not each for each in is_lost]
        again = await office.actions.plan_again(office.batch_id)
        assert again.actions == []
        lost += sum(is_lost)
    duplicates = office.reports.total() - len(office.reports)
    print(f"reports, {loss.words}: {len(office.wire.changes)} sent, {lost} answers lost, {duplicates} duplicates")
    assert duplicates == 0
    assert len(office.wire.changes) == len(set(office.wire.changes)) == len(EVERY) * CONTACTS
    assert office.wire.readings == 0, "the blocklist tells nothing of reports"


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.words)
@pytest.mark.parametrize("kind", [Kind.BLOCK, Kind.UNBLOCK])
async def test_a_block_and_an_unblock_end_as_they_were_meant(office: Office, kind: Kind, loss: Loss) -> None:
    others = [number[1:] for number in WRITERS[-5:]]
    lost = readings = given_up = 0
    for round_, every in enumerate(EVERY):
        numbers = WRITERS[round_ * CONTACTS :][:CONTACTS]
        office.block_by_hand([*WRITERS[-5:], *(numbers if kind is Kind.UNBLOCK else ())])
        batch = await office.begin(kind, numbers)
        lose(office, loss, every)
        seen = len(office.wire.seen)
        await drive(batch)
        actions, requests = office.written(), Counter(office.wire.seen[seen:])
        is_done = [office.world.people.is_blocked(number) is (kind is Kind.BLOCK) for number in numbers]
        assert outcomes(actions) == [Outcome.DONE if each else Outcome.FAILED for each in is_done]
        assert {action.note for action in actions if action.outcome is Outcome.FAILED} <= {NOT_SEEN}
        readings += requests.pop(("GET", "/v1/contacts/blocklist"))
        lost += requests.total() // every
        given_up += is_done.count(False)
        if loss.is_done:
            assert readings == round_ + 1, "one reading settles all"
            assert set(requests.values()) == {1}
            assert [action.note for action in actions] == [
                SEEN if place % every == 0 else None for place in range(1, CONTACTS + 1)
            ]
        else:
            tries = [requests["POST", f"/v1/contacts/{number}/{kind}"] for number in numbers]
            assert all(each == MOST_TRIES for each, done in zip(tries, is_done, strict=True) if not done)
            assert max(tries) <= MOST_TRIES
        office.suffer()
        again = await office.actions.plan_again(office.batch_id)
        assert len(again.to_send) == is_done.count(False)
        await office.carry_out_plan(again)
        assert {number[1:] for number in numbers}.isdisjoint(office.blocked) is (kind is Kind.UNBLOCK)
        assert [wa_id for wa_id in office.blocked if wa_id in others] == others
    print(f"{kind}s, {loss.words}: {lost} answers lost, {readings} readings of the blocklist, {given_up} given up")


@pytest.mark.parametrize("kind", [Kind.BLOCK, Kind.UNBLOCK, Kind.REPORT])
@pytest.mark.parametrize("fault", [faults.Kind.RESET, faults.Kind.RESET_AFTER_WORK, faults.Kind.TRUNCATED])
async def test_the_same_holds_where_a_real_connection_breaks(
    paths: Paths, clock: FakeTime, world: World, server: ServerThread, kind: Kind, fault: faults.Kind
) -> None:
    numbers = WRITERS[:9]
    for number in numbers if kind is Kind.UNBLOCK else ():
        world.people.block(number, clock())
    desk = Desk(paths, Server.at(server.url, TOKEN), "US", "shop")
    actions = await desk.actions()
    batch = await actions.begin(await actions.plan(Wish(kind), list(map(named, numbers))))
    world.change(Changes(faults=(Fault(fault, method="POST", every=3),)), clock())
    await drive(batch)
    written = trail.batch(desk.reader, 1)
    await desk.close()
    reported = Counter(number for number, _ in world.people.reported)
    if kind is Kind.REPORT:
        assert [action.outcome is Outcome.UNKNOWN for action in written] == [place % 3 == 2 for place in range(9)]
        assert len(reported) == (6 if fault is faults.Kind.RESET else 9)
    else:
        assert outcomes(written) == [Outcome.DONE] * 9
        assert {world.people.is_blocked(number) for number in numbers} == {kind is Kind.BLOCK}
    duplicates = reported.total() - len(reported)
    print(f"{kind}s over a socket, {fault}: {len(numbers)} contacts, every 3. answer lost, {duplicates} duplicates")
    assert duplicates == 0


def answer_lists(office: Office, *answers: httpx.Response) -> None:
    """Let these be the first answers to who reads the blocklist from now on."""
    left = list(answers)

    async def before(request: httpx.Request) -> httpx.Response | None:
        return left.pop(0) if left and request.method == "GET" else None

    office.wire.before = before


async def test_what_is_never_done_is_tried_and_then_given_up(office: Office) -> None:
    office.suffer(Fault(faults.Kind.RESET, path=f"*{WRITERS[1][1:]}/block"))
    actions = await office.carry_out(Kind.BLOCK, WRITERS[:3])
    assert [(action.outcome, action.note) for action in actions] == [
        (Outcome.DONE, None),
        (Outcome.FAILED, NOT_SEEN),
        (Outcome.DONE, None),
    ]
    assert len(office.wire.changes) == 2 + MOST_TRIES


async def test_an_acknowledgement_is_settled_by_the_identity(office: Office) -> None:
    number = WRITERS[0]
    office.world.people.change_identity(number, office.clock())
    identity = await office.client.identity(number)
    office.suffer(Fault(faults.Kind.RESET_AFTER_WORK, method="PUT"))
    (action,) = await office.carry_out(Kind.ACKNOWLEDGE, [number], hash=identity.hash)
    assert (action.outcome, action.note) == (Outcome.DONE, SHOWN)
    office.suffer()
    (refused,) = await office.carry_out(Kind.ACKNOWLEDGE, [number], hash="UKD6Y/5SqDU=")
    assert (refused.outcome, refused.code) == (Outcome.REFUSED, errors.INVALID)


async def test_patience_with_the_blocklist_does_not_use_up_the_tries_either(office: Office) -> None:
    batch = await office.begin(Kind.BLOCK, WRITERS[:3])
    office.suffer(Fault(faults.Kind.RESET_AFTER_WORK, method="POST", nth=2))
    answer_lists(office, *[httpx.Response(429, headers={"Retry-After": "60"})] * 5)
    await drive(batch)
    assert outcomes(office.written()) == [Outcome.DONE] * 3


async def test_a_token_that_expires_before_the_blocklist_is_read_is_tried_once(office: Office) -> None:
    batch = await office.begin(Kind.BLOCK, WRITERS[:3])
    office.suffer(Fault(faults.Kind.RESET_AFTER_WORK, method="POST", nth=2))
    answer_lists(office, *[denied()] * 5)
    before = office.wire.readings
    with pytest.raises(AccessDenied):
        await drive(batch)
    assert office.wire.readings - before == 1
    assert outcomes(office.written()) == [Outcome.DONE, Outcome.UNKNOWN, Outcome.DONE]


async def test_a_list_that_cannot_be_read_pauses_with_what_is_unknown_shown_as_unknown(office: Office) -> None:
    office.block_by_hand(WRITERS[:3])
    batch = await office.begin(Kind.UNBLOCK, WRITERS[:3])
    office.suffer(Fault(faults.Kind.RESET_AFTER_WORK, method="POST", nth=2))
    answer_lists(office, *[httpx.Response(500)] * MOST_TRIES)
    driving = asyncio.create_task(batch.drive(stop_on_failure=False))
    await eventually(lambda: batch.is_paused)
    assert isinstance(batch.failure, ServerTrouble)
    assert not isinstance(batch.failure, Overloaded)
    assert outcomes(office.written()) == [Outcome.DONE, Outcome.UNKNOWN, Outcome.DONE]
    batch.resume()
    await asyncio.wait_for(driving, DEADLINE)
    assert [action.note for action in office.written()] == [None, SEEN, None]


@pytest.mark.parametrize("fault", [faults.Kind.RESET, faults.Kind.RESET_AFTER_WORK])
async def test_what_the_list_cannot_show_is_never_a_success(paths: Paths, clock: FakeTime, fault: faults.Kind) -> None:
    # A server in India reads a doubtful input in another way than assumed here: who it means can't be looked up.
    there, text = "+919876543210", "987 654 3210"
    office = Office(paths, a_world("IN", latency=None, engaged=1.0), clock)
    office.world.people.change_account(there, True, clock())
    office.block_by_hand([there])
    office.suffer(Fault(fault, method="POST", nth=1))
    (action,) = await office.carry_out(Kind.UNBLOCK, [text])
    is_free = not office.world.people.is_blocked(there)
    await office.close()
    assert is_free or action.outcome is not Outcome.DONE
