"""Changes that were cut short: by whom they are settled, and how, after kill -9 too (promise R8)."""

import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import pytest

from tests.actions.conftest import (
    ALL_STOPS,
    PLACE,
    WRITERS,
    FakeTime,
    Office,
    Stops,
    denied,
    drive,
    outcomes,
    stopped_at,
)
from tests.conftest import TOKEN
from tests.simulated import create_app
from watui.actions import actions as actions_module
from watui.actions.batch import LOST, NOT_SEEN, NOT_SENT, NOT_SHOWN, SEEN, SHOWN
from watui.client.failures import AccessDenied, Failure, ServerTrouble
from watui.client.server import Server
from watui.contract import errors
from watui.desk import Desk
from watui.ledger import trail
from watui.ledger.drivers import Driver, is_gone
from watui.ledger.ledger import Ledger
from watui.ledger.trail import Kind, NewAction, Outcome, Place, Wish
from watui.settings.paths import Paths
from watui.simulator.record import Record
from watui.simulator.serving import ServerThread
from watui.simulator.world import World

pytestmark = pytest.mark.anyio

CHANGING = [Kind.BLOCK, Kind.UNBLOCK, Kind.REPORT]


async def leave(
    office: Office, wish: Wish, states: Sequence[Outcome], driver: str = "gone", place: Place = PLACE
) -> list[int]:
    """Let a driver leave actions on the first contacts behind, as they stand; return their ids."""
    planned = [NewAction(number, number, number[1:], number, Outcome.PLANNED) for number in WRITERS[: len(states)]]
    ids = await office.ledger(trail.add_batch, wish, place, driver, planned)
    for id_, state in zip(ids, states, strict=True):
        if state is not Outcome.PLANNED:
            await office.ledger(trail.sent, id_)
        if state not in (Outcome.PLANNED, Outcome.SENT):
            await office.ledger(trail.ended, [(id_, state, None, None)])
    return ids


@pytest.mark.parametrize("kind", [Kind.BLOCK, Kind.UNBLOCK])
async def test_one_reading_settles_all_blocks_and_unblocks_that_were_cut_short(office: Office, kind: Kind) -> None:
    states = [Outcome.SENT, Outcome.SENT, Outcome.UNKNOWN, Outcome.UNKNOWN, Outcome.PLANNED, Outcome.DONE]
    await leave(office, Wish(kind), states)
    is_done = [True, False, True, False]
    is_blocked = [done is (kind is Kind.BLOCK) for done in is_done]
    office.block_by_hand(number for number, blocked in zip(WRITERS, is_blocked, strict=False) if blocked)
    settled = await office.actions.settle()
    written = office.written()
    assert [(action.outcome, action.note) for action in written] == [
        (Outcome.DONE, SEEN),
        (Outcome.FAILED, NOT_SEEN),
        (Outcome.DONE, SEEN),
        (Outcome.FAILED, NOT_SEEN),
        (Outcome.FAILED, NOT_SENT),
        (Outcome.DONE, None),
    ]
    assert [(action.id, action.outcome, action.note) for action in settled] == [
        (action.id, action.outcome, action.note) for action in written[:5]
    ]
    assert (office.wire.readings, office.wire.changes) == (1, [])
    assert await office.actions.settle() == []
    assert office.wire.readings == 1


async def test_a_report_that_was_cut_short_stays_unknown_until_a_person_decides(office: Office) -> None:
    ids = await leave(office, Wish(Kind.REPORT), [Outcome.SENT, Outcome.PLANNED, Outcome.DONE])
    settled = await office.actions.settle()
    assert [(action.outcome, action.note) for action in settled] == [
        (Outcome.UNKNOWN, LOST),
        (Outcome.FAILED, NOT_SENT),
    ]
    assert office.wire.seen == [], "the server has nothing to tell of it"
    assert await office.actions.settle() == []
    again = await office.actions.plan_again(office.batch_id)
    assert [action.input for action in again.to_send] == [WRITERS[1]]
    await office.ledger(trail.decide, ids[0], Outcome.DONE, "seen in the chat")
    assert await office.actions.settle() == []
    assert office.written()[0].note == "seen in the chat"


async def test_what_was_only_planned_is_settled_without_the_server(office: Office) -> None:
    await leave(office, Wish(Kind.BLOCK), [Outcome.PLANNED] * 3)
    assert outcomes(await office.actions.settle()) == [Outcome.FAILED] * 3
    assert office.wire.seen == []


@pytest.mark.parametrize("is_acknowledged", [True, False])
async def test_an_acknowledgement_is_settled_by_the_identity(office: Office, is_acknowledged: bool) -> None:
    people, now = office.world.people, office.clock()
    people.change_identity(WRITERS[0], now)
    hash_ = people.identity(WRITERS[0], now).hash
    if is_acknowledged:
        people.acknowledge(WRITERS[0], hash_, now)
    await leave(office, Wish(Kind.ACKNOWLEDGE, hash=hash_), [Outcome.SENT])
    (action,) = await office.actions.settle()
    expected = (Outcome.DONE, SHOWN) if is_acknowledged else (Outcome.FAILED, NOT_SHOWN)
    assert (action.outcome, action.note) == expected
    people.change_identity(WRITERS[0], now)
    await leave(office, Wish(Kind.ACKNOWLEDGE, hash=hash_), [Outcome.SENT])
    assert outcomes(await office.actions.settle()) == [Outcome.FAILED], "another identity is not acknowledged by it"


async def test_who_is_no_contact_any_more_was_not_acknowledged(office: Office) -> None:
    office.world.people.change_account(WRITERS[0], False, office.clock())
    await leave(office, Wish(Kind.ACKNOWLEDGE, hash="x"), [Outcome.SENT])
    (action,) = await office.actions.settle()
    assert (action.outcome, action.code) == (Outcome.FAILED, errors.NOT_FOUND)


@pytest.mark.parametrize(
    ("said", "failure"),
    [(denied(), AccessDenied), (httpx.Response(500), ServerTrouble), (httpx.Response(404, text="<html>"), Failure)],
    ids=["401", "500", "404"],
)
@pytest.mark.parametrize("kind", [Kind.BLOCK, Kind.ACKNOWLEDGE])
async def test_a_server_that_cannot_be_asked_settles_nothing(
    office: Office, kind: Kind, said: httpx.Response, failure: type[Failure]
) -> None:
    async def before(_: httpx.Request) -> httpx.Response:
        return said

    await leave(office, Wish(kind, hash="x"), [Outcome.SENT, Outcome.PLANNED])
    office.wire.before = before
    with pytest.raises(failure):
        await office.actions.settle()
    assert outcomes(office.written()) == [Outcome.SENT, Outcome.PLANNED]


async def test_what_was_left_at_another_server_is_settled_there_alone(office: Office) -> None:
    await leave(office, Wish(Kind.BLOCK), [Outcome.SENT], place=PLACE._replace(server="https://elsewhere"))
    assert await office.actions.settle() == []
    assert outcomes(office.written()) == [Outcome.SENT]


# Who is alive


async def test_what_the_living_carry_out_is_settled_by_nobody(office: Office, paths: Paths, clock: FakeTime) -> None:
    other = Office(paths, office.world, clock)
    for each in (office, other):
        await each.begin(Kind.BLOCK, WRITERS[:2])
    await leave(office, Wish(Kind.REPORT), [Outcome.PLANNED])
    assert [action.kind for action in await office.actions.settle()] == [Kind.REPORT]
    await other.close()
    assert [action.batch_id for action in await office.actions.settle()] == [2, 2]
    assert outcomes(trail.batch(office.reader, 1)) == [Outcome.PLANNED] * 2
    assert outcomes(trail.batch(office.reader, 2)) == [Outcome.FAILED] * 2


@pytest.mark.parametrize("kind", CHANGING)
async def test_who_ends_just_now_is_believed(
    office: Office, ledger: Ledger, paths: Paths, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    # The other process was at work when the ledger was read, and is gone when its lock is looked at. A report that
    # were taken for not sent would be sent twice.
    driver = Driver(paths.locks)
    ids = await leave(office, Wish(kind), [Outcome.SENT, Outcome.PLANNED], driver.id)

    def end_first(folder: Path, driver_id: str) -> bool:
        trail.ended(ledger, [(id_, Outcome.DONE, None, None) for id_ in ids])
        driver.close()
        return is_gone(folder, driver_id)

    monkeypatch.setattr(actions_module, "is_gone", end_first)
    await office.actions.settle()
    assert outcomes(office.written()) == [Outcome.DONE] * 2


async def test_what_a_person_decides_while_the_server_is_asked_stays(office: Office, ledger: Ledger) -> None:
    await leave(office, Wish(Kind.BLOCK), [Outcome.SENT])
    (id_,) = await leave(office, Wish(Kind.BLOCK), [Outcome.UNKNOWN])

    async def before(_: httpx.Request) -> None:
        trail.decide(ledger, id_, Outcome.DONE, "seen")

    office.wire.before = before
    await office.actions.settle()
    (action,) = office.written()
    assert (action.outcome, action.note) == (Outcome.DONE, "seen")


# kill -9


class Killed:
    """A server on a socket, and a person whose process is killed while it changes contacts there."""

    def __init__(self, paths: Paths, world: World, server: ServerThread, record: Record) -> None:
        self.world = world
        self.server = server
        self.desk = Desk(paths, Server.at(server.url, TOKEN), "US", "shop")
        self.locks = paths.locks
        self._record = record

    @property
    def readings(self) -> int:
        return self._record.requests["/v1/contacts/blocklist"]

    def is_as_wanted(self, kind: Kind, number: str) -> bool:
        if kind is Kind.REPORT:
            return number in {reported for reported, _ in self.world.people.reported}
        return self.world.people.is_blocked(number) is (kind is Kind.BLOCK)

    @property
    def duplicates(self) -> int:
        numbers = [number for number, _ in self.world.people.reported]
        return len(numbers) - len(set(numbers))


@pytest.fixture
async def killed(paths: Paths, world: World, clock: FakeTime) -> AsyncIterator[Killed]:
    record = Record()
    with ServerThread(create_app(world, TOKEN, record=record)) as server:
        killed = Killed(paths, world, server, record)
        yield killed
        await killed.desk.close()


async def survive(killed: Killed, kind: Kind, stop: str, nth: int, contacts: Sequence[str]) -> None:
    """Let a process be killed at a point of its nth change; settle what it left, and do the rest."""
    desk, actions = killed.desk, await killed.desk.actions()
    if kind is Kind.UNBLOCK:
        for number in contacts:
            killed.world.people.block(number, time.time())
    with stopped_at(stop, nth, killed.server.url, kind, contacts) as process:
        batch_id = trail.latest(desk.reader, 1)[0].batch_id
        at_stop = trail.batch(desk.reader, batch_id)
        assert await actions.settle() == [], "its process is alive"
        assert trail.batch(desk.reader, batch_id) == at_stop
        process.kill()
    readings = killed.readings
    settled = await actions.settle()
    was_sent = stop in (Stops.BEFORE_SENDING, Stops.BEFORE_OUTCOME)
    readings = killed.readings - readings
    assert readings == (was_sent and kind is not Kind.REPORT)
    assert not settled or list(killed.locks.iterdir()) == [], "the lock of the dead goes with what they left"

    written = trail.batch(desk.reader, batch_id)
    ends = {
        Stops.BEFORE_INTENT: Outcome.FAILED,
        Stops.BEFORE_SENDING: Outcome.UNKNOWN if kind is Kind.REPORT else Outcome.FAILED,
        Stops.BEFORE_OUTCOME: Outcome.UNKNOWN if kind is Kind.REPORT else Outcome.DONE,
        Stops.AFTER_OUTCOME: Outcome.DONE,
    }
    rest = len(contacts) - nth
    assert outcomes(written) == [Outcome.DONE] * (nth - 1) + [ends[stop]] + [Outcome.FAILED] * rest
    assert len(settled) == rest + (stop != Stops.AFTER_OUTCOME)
    for action in written:
        if action.outcome is not Outcome.UNKNOWN:
            assert killed.is_as_wanted(kind, action.input) is (action.outcome is Outcome.DONE)

    again = await actions.plan_again(batch_id)
    assert [action.input for action in again.to_send] == [
        action.input for action in written if action.outcome is Outcome.FAILED
    ]
    batch = await actions.begin(again)
    await drive(batch)
    assert batch.counts[Outcome.DONE] == len(again.to_send)
    unknown = [action.input for action in written if action.outcome is Outcome.UNKNOWN]
    assert all(killed.is_as_wanted(kind, number) for number in contacts if number not in unknown)
    print(
        f"kill -9 of {kind} {nth} of {len(contacts)}, {stop}: {len(settled)} settled by"
        f" {readings} readings, {len(unknown)} unknown, {killed.duplicates} duplicate reports"
    )
    assert killed.duplicates == 0


@pytest.mark.parametrize("stop", [Stops.BEFORE_SENDING, Stops.BEFORE_OUTCOME])
@pytest.mark.parametrize("kind", CHANGING)
async def test_a_kill_loses_nothing_and_repeats_no_report(killed: Killed, kind: Kind, stop: str) -> None:
    await survive(killed, kind, stop, 3, WRITERS[:5])


@pytest.mark.long
@pytest.mark.parametrize("nth", range(1, 6))
@pytest.mark.parametrize("stop", ALL_STOPS)
@pytest.mark.parametrize("kind", CHANGING)
async def test_no_kill_loses_anything_or_repeats_a_report(killed: Killed, kind: Kind, stop: str, nth: int) -> None:
    await survive(killed, kind, stop, nth, WRITERS[:5])
