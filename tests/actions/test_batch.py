"""A batch from its first request to its last outcome: what is written down when, what stops it, what it waits for."""

import asyncio
import json
import time
from collections.abc import Callable
from email.utils import formatdate

import httpx
import pytest

from tests.actions.conftest import DEADLINE, STRANGERS, WRITERS, Office, denied, drive, eventually, named, outcomes
from watui.actions.batch import (
    LOST,
    NOT_SENT,
    Batch,
    Step,
)
from watui.client.failures import AccessDenied, Failure, NotConnected, Refused, ServerTrouble
from watui.client.pacing import MOST_IN_TROUBLE, MOST_TRIES, PACING
from watui.contract import errors
from watui.contract.rules import RATE_LIMIT
from watui.ledger import trail
from watui.ledger.reader import Reader
from watui.ledger.schema import LedgerUnusable
from watui.ledger.trail import Kind, Outcome, Wish
from watui.settings.paths import Paths
from watui.simulator import faults
from watui.simulator.faults import Fault

pytestmark = pytest.mark.anyio

CHANGING = [Kind.BLOCK, Kind.UNBLOCK, Kind.REPORT]
LOSING = {Kind.BLOCK: Outcome.DONE, Kind.UNBLOCK: Outcome.DONE, Kind.REPORT: Outcome.UNKNOWN}
"""How a change ends whose answer was lost after it was done."""

Answer = Callable[[httpx.Request], httpx.Response | None]


def first_answers(office: Office, *answers: httpx.Response | Exception | None) -> None:
    """Let these be the first answers to requests that change something; None is the server's own."""
    left = list(answers)

    async def before(request: httpx.Request) -> httpx.Response | None:
        said = left.pop(0) if left and request.method != "GET" else None
        if isinstance(said, Exception):
            raise said
        return said

    office.wire.before = before


async def ready(office: Office, kind: Kind, count: int) -> Batch:
    """Return a batch of so many contacts, none of whom is as wanted already."""
    if kind is Kind.UNBLOCK:
        office.block_by_hand(WRITERS[:count])
    return await office.begin(kind, WRITERS[:count])


def is_as_wanted(office: Office, kind: Kind, number: str) -> bool:
    if kind is Kind.REPORT:
        return office.reports[number] == 1
    return office.world.people.is_blocked(number) is (kind is Kind.BLOCK)


# What is written down when


@pytest.mark.parametrize("kind", CHANGING)
async def test_the_intent_is_committed_before_the_request_goes_out(office: Office, paths: Paths, kind: Kind) -> None:
    batch = await ready(office, kind, 4)
    seen: list[list[Outcome]] = []

    async def before(request: httpx.Request) -> None:
        other = Reader(paths.ledger)
        actions = trail.batch(other, office.batch_id)
        other.close()
        seen.append(outcomes(actions))
        (sent,) = [action for action in actions if action.outcome is Outcome.SENT]
        assert request.url.path == f"/v1/contacts/{sent.target}/{kind}"
        assert sent.sent_at is not None

    office.wire.before = before
    await drive(batch)
    assert seen == [
        [Outcome.DONE] * place + [Outcome.SENT] + [Outcome.PLANNED] * (3 - place) for place in range(len(seen))
    ]
    assert len(seen) == 4
    assert all(is_as_wanted(office, kind, number) for number in WRITERS[:4])


async def test_the_follower_is_told_of_every_outcome_once_it_is_committed(office: Office) -> None:
    batch = await office.begin(Kind.BLOCK, [WRITERS[0], STRANGERS[0], WRITERS[1]])
    told: list[tuple[Outcome, Outcome]] = []

    def follow(step: Step) -> None:
        (written,) = [action for action in office.written() if action.id == step.id]
        told.append((step.end.outcome, written.outcome))

    batch.follower = follow
    await drive(batch)
    assert told == [(outcome, outcome) for outcome in (Outcome.DONE, Outcome.REFUSED, Outcome.DONE)]
    assert batch.counts == {Outcome.DONE: 2, Outcome.REFUSED: 1}


@pytest.mark.parametrize("write", ["sent", "ended"])
async def test_where_the_ledger_takes_nothing_nothing_more_is_sent(
    office: Office, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    def refuse(*_: object) -> None:
        raise LedgerUnusable("disk full")

    batch = await office.begin(Kind.REPORT, WRITERS[:3])
    with monkeypatch.context() as patches:
        patches.setattr(trail, write, refuse)
        with pytest.raises(LedgerUnusable):
            await drive(batch)
    assert len(office.wire.changes) == (write == "ended")


# What a server says


async def test_each_contact_is_refused_by_itself(office: Office) -> None:
    inputs = [WRITERS[0], STRANGERS[0], "12", WRITERS[1], "x"]
    actions = await office.carry_out(Kind.BLOCK, inputs, reason="spam")
    assert [(action.outcome, action.code) for action in actions] == [
        (Outcome.DONE, None),
        (Outcome.REFUSED, errors.NOT_ENGAGED),
        (Outcome.REFUSED, errors.INVALID),
        (Outcome.DONE, None),
        (Outcome.LEFT_OUT, None),
    ]
    assert all(action.note for action in actions if action.outcome is not Outcome.DONE)
    assert len(office.wire.changes) == 4
    assert office.blocked == [number[1:] for number in WRITERS[:2]]


async def test_what_a_person_wants_said_is_sent(office: Office) -> None:
    bodies: list[object] = []

    async def before(request: httpx.Request) -> None:
        bodies.append(json.loads(request.content) if request.content else None)

    office.wire.before = before
    message_id = office.world.people.messages(WRITERS[0])[0]
    report = Wish(Kind.REPORT, "spam", message_id, also_block=True)
    for wish in (Wish(Kind.BLOCK, "abuse"), Wish(Kind.UNBLOCK), report):
        bodies.clear()
        plan = await office.actions.plan(wish, [named(WRITERS[0])])
        bodies.clear()
        await office.carry_out_plan(plan)
        expected = {"reason": wish.reason, "message_id": wish.message_id, "block": wish.also_block or None}
        assert bodies == [{name: value for name, value in expected.items() if value} or None]
    assert office.world.people.reported == [(WRITERS[0], (message_id,))]
    assert office.blocked == [WRITERS[0][1:]]


@pytest.mark.parametrize("kind", CHANGING)
@pytest.mark.parametrize(
    ("said", "failure", "tries"),
    [
        (denied(), AccessDenied, 1),
        (httpx.Response(403), AccessDenied, 1),
        (httpx.Response(404, text="<html>"), Refused, 1),
        (httpx.ConnectError("refused"), NotConnected, MOST_TRIES),
        (httpx.ConnectTimeout("late"), NotConnected, MOST_TRIES),
    ],
    ids=["401", "403", "404", "refused", "late"],
)
async def test_what_would_hit_every_contact_pauses_and_loses_nothing(
    office: Office, kind: Kind, said: httpx.Response | Exception, failure: type[Failure], tries: int
) -> None:
    batch = await ready(office, kind, 5)
    first_answers(office, None, None, *[said] * tries)
    has_paused = asyncio.Event()
    batch.follower = lambda _: has_paused.set() if batch.is_paused else None
    driving = asyncio.create_task(batch.drive(stop_on_failure=False))
    await asyncio.wait_for(has_paused.wait(), DEADLINE)
    assert type(batch.failure) is failure
    assert len(office.wire.changes) == 2 + tries
    assert outcomes(office.written()) == [Outcome.DONE] * 2 + [Outcome.PLANNED] * 3
    assert not driving.done()
    batch.resume()
    assert batch.failure is None
    await asyncio.wait_for(driving, DEADLINE)
    assert len(office.wire.changes) == 5 + tries
    assert outcomes(office.written()) == [Outcome.DONE] * 5
    assert all(is_as_wanted(office, kind, number) for number in WRITERS[:5])


async def test_what_would_hit_every_contact_ends_a_batch_that_nobody_watches(office: Office) -> None:
    batch = await ready(office, Kind.REPORT, 3)
    first_answers(office, None, denied())
    with pytest.raises(AccessDenied):
        await drive(batch)
    await batch.give_up()
    actions = office.written()
    assert outcomes(actions) == [Outcome.DONE, Outcome.FAILED, Outcome.FAILED]
    assert actions[1].note is not None
    assert actions[1].note.startswith("not sent: ")
    assert actions[2].note == NOT_SENT


async def test_three_lost_answers_in_a_row_stop_a_batch(office: Office) -> None:
    office.suffer(Fault(faults.Kind.ERROR_AFTER_WORK, method="POST"))
    batch = await ready(office, Kind.REPORT, 5)
    with pytest.raises(ServerTrouble):
        await drive(batch)
    assert outcomes(office.written()) == [Outcome.UNKNOWN] * MOST_TRIES + [Outcome.PLANNED] * 2
    office.suffer()
    batch.resume()
    await drive(batch)
    assert outcomes(office.written()) == [Outcome.UNKNOWN] * MOST_TRIES + [Outcome.DONE] * 2
    assert set(office.reports.values()) == {1}


# What it waits for


async def test_requests_come_no_faster_than_a_server_allows(office: Office) -> None:
    batch = await ready(office, Kind.BLOCK, 100)
    began_at = office.clock.now
    await drive(batch)
    assert round(office.clock.now - began_at, 3) >= 99 / RATE_LIMIT
    assert 429 not in office.wire.statuses


@pytest.mark.parametrize("header", ["30", "dated"])
@pytest.mark.parametrize("status", [408, 429, 500, 503])
@pytest.mark.parametrize("kind", [Kind.BLOCK, Kind.REPORT])
async def test_nothing_is_sent_before_retry_after(office: Office, kind: Kind, status: int, header: str) -> None:
    value = formatdate(time.time() + 31, usegmt=True) if header == "dated" else header
    batch = await ready(office, kind, 2)
    first_answers(office, httpx.Response(status, headers={"Retry-After": value}))
    before = len(office.wire.at)
    await drive(batch)
    sent, then = office.wire.at[before : before + 2]
    assert then - sent >= 29


async def test_a_person_who_goes_on_does_not_go_on_before_retry_after(office: Office) -> None:
    batch = await ready(office, Kind.UNBLOCK, 4)
    first_answers(office, *[httpx.Response(500, headers={"Retry-After": "600"})] * MOST_TRIES)
    driving = asyncio.create_task(batch.drive(stop_on_failure=False))
    await eventually(lambda: batch.failure is not None)
    before = len(office.wire.at)
    batch.resume()
    await asyncio.wait_for(driving, DEADLINE)
    assert office.wire.at[before] - office.wire.at[before - 1] >= 600
    assert outcomes(office.written()) == [Outcome.DONE] * 4


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_without_a_wish_is_left_alone_for_a_while(office: Office, status: int) -> None:
    batch = await ready(office, Kind.REPORT, 2)
    waits: list[float] = []
    first_answers(office, *[httpx.Response(status, json={"errors": [{"title": "Too many requests"}]})] * 2)
    batch.follower = lambda _: waits.append(batch.waiting.until - office.clock.now if batch.waiting else 0.0)
    await drive(batch)
    assert all(wait >= PACING.first for wait in waits[:2])
    assert waits[2:] == [0.0, 0.0]
    gaps = [then - now for now, then in zip(office.wire.at, office.wire.at[1:], strict=False)]
    assert all(gap >= PACING.first for gap in gaps[:2])
    assert set(office.reports.values()) == {1}


async def test_a_server_that_stays_overloaded_is_asked_ever_more_seldom(
    office: Office,
) -> None:
    batch = await ready(office, Kind.REPORT, 2)
    until = office.clock.now + 1_800

    async def before(_: httpx.Request) -> httpx.Response | None:
        return httpx.Response(429) if office.clock.now < until else None

    office.wire.before = before
    await drive(batch)
    during = sum(at < until for at in office.wire.at)
    print(f"half an hour of 429 without Retry-After: {during} requests")
    assert during <= MOST_IN_TROUBLE
    assert set(office.reports.values()) == {1}


async def test_a_report_is_not_sent_again_after_a_503_that_a_proxy_may_have_given(office: Office) -> None:
    batch = await ready(office, Kind.REPORT, 2)
    first_answers(office, httpx.Response(503))
    await drive(batch)
    assert outcomes(office.written()) == [Outcome.UNKNOWN, Outcome.DONE]
    assert len(office.wire.changes) == 2


async def test_patience_does_not_use_up_the_tries(office: Office) -> None:
    batch = await ready(office, Kind.BLOCK, 2)
    first_answers(office, *[httpx.Response(429)] * 7)
    await drive(batch)
    assert outcomes(office.written()) == [Outcome.DONE] * 2


# What a person does meanwhile


async def test_while_it_is_paused_nothing_is_sent_and_the_answer_under_way_comes_in(office: Office) -> None:
    batch = await ready(office, Kind.REPORT, 6)

    async def before(_: httpx.Request) -> None:
        batch.pause()

    office.wire.before = before
    driving = asyncio.create_task(batch.drive(stop_on_failure=True))
    for turn in range(1, 7):
        await eventually(lambda: batch.counts[Outcome.DONE] == turn)  # noqa: B023
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(office.wire.changes) == turn
        assert (batch.is_paused, batch.failure) == (True, None)
        batch.resume()
    await asyncio.wait_for(driving, DEADLINE)
    assert set(office.reports.values()) == {1}


@pytest.mark.parametrize("kind", CHANGING)
async def test_what_is_cancelled_in_the_middle_is_written_down_as_it_is(office: Office, kind: Kind) -> None:
    batch = await ready(office, kind, 5)
    is_there = asyncio.Event()

    async def after(request: httpx.Request) -> None:
        if request.url.path == f"/v1/contacts/{WRITERS[2]}/{kind}":
            is_there.set()
            await asyncio.Event().wait()

    office.wire.after = after
    driving = asyncio.create_task(batch.drive(stop_on_failure=True))
    await asyncio.wait_for(is_there.wait(), DEADLINE)
    driving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await driving
    await batch.give_up()
    expected = [Outcome.DONE] * 2 + [Outcome.UNKNOWN] + [Outcome.FAILED] * 2
    assert outcomes(office.written()) == expected == [step.end.outcome for step in batch.steps]
    assert [action.note for action in office.written()] == [None, None, LOST, NOT_SENT, NOT_SENT]
    assert len(office.wire.changes) == 3
