"""The interface by which a person changes the server while it runs: `/_simulator/`, no part of the contract."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from watui.contract import errors
from watui.simulator import scenario
from watui.simulator.conditions import Changes, Conditions
from watui.simulator.envelope import Refusal, convert, json_reply, members_of
from watui.simulator.record import Latest
from watui.simulator.scenario import BadScenario, Scenario
from watui.simulator.users import Users
from watui.simulator.wire import Reply, Request

if TYPE_CHECKING:
    from watui.simulator.server import Simulator

PREFIX = "_simulator"

Handler = Callable[[Request, str | None, float], Reply]
"""Answers a request, by the region in which numbers are read, at a time."""


class State(msgspec.Struct):
    """How the server is, for people."""

    region: str
    seed: int
    conditions: Conditions
    latency: str
    scenario: str | None
    title: str
    seconds: float
    """For which the scenario's clock has run."""
    requests: int
    numbers: int
    """That were ever asked about."""
    in_flight: int
    blocked: int
    reported: int
    latest: list[Latest]
    """What the server did lately, the oldest first; where that was asked for."""
    message_id: str | None = None
    """Of the message that a contact was just made to write."""
    problem: str | None = None
    """What went wrong with the files of the simulator; None while all is well."""


class NumberRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A body that names a contact."""

    number: str
    exists: bool = True


class ContactsRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A body that asks about contacts."""

    numbers: list[str]


class ContactState(msgspec.Struct, frozen=True):
    """What a server knows of a contact and tells no client."""

    input: str
    number: str | None
    """None where the input can't be read; then nothing else is known."""
    has_account: bool = False
    is_engaged: bool = False
    """Whether it wrote within the last 24 hours."""
    is_blocked: bool = False
    messages: tuple[str, ...] = ()
    """Ids, the oldest first."""


class ScenarioRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A scenario that is shipped, or one that is sent whole; `{"name": null}` ends the one there is."""

    name: str | None = None
    scenario: Scenario | None = None


class Control:
    """What a person can do to the world beside asking it. Whoever comes must bear a token."""

    def __init__(self, simulator: "Simulator", users: Users) -> None:
        self._simulator = simulator
        self._world = simulator.world
        self._record = simulator.record
        self._users = users
        self._routes: dict[tuple[str, ...], dict[str, Handler]] = {
            ("state",): {"GET": self._look, "PATCH": self._change},
            ("scenario",): {"POST": self._play},
            ("reset",): {"POST": self._reset},
            ("inbound",): {"POST": self._inbound},
            ("identity",): {"POST": self._identity},
            ("account",): {"POST": self._account},
            ("contacts",): {"POST": self._contacts},
        }

    def answer(self, request: Request, region: str | None, now: float) -> Reply:
        """Answer a request. Raises Refusal."""
        self._users.require(request.authorization, now)
        handlers = self._routes.get(request.segments[1:])
        if handlers is None:
            raise Refusal(errors.NOT_FOUND, "no such path")
        if request.method not in handlers:
            raise Refusal(errors.BAD_REQUEST, f"{request.method} is not allowed here", 405)
        return handlers[request.method](request, region, now)

    def _look(self, request: Request, _: str | None, now: float) -> Reply:
        try:
            after = request.count("after") or 0
        except ValueError:
            raise Refusal(errors.INVALID, "after is a number") from None
        return self._state(now, self._record.latest_after(after))

    def _change(self, request: Request, _: str | None, now: float) -> Reply:
        self._world.change(convert(members_of(request), Changes), now)
        return self._state(now)

    def _play(self, request: Request, _: str | None, now: float) -> Reply:
        members = members_of(request)
        if not members:
            raise Refusal(errors.MISSING, "name, or scenario")
        asked = convert(members, ScenarioRequest)
        if asked.name is not None and asked.scenario is not None:
            raise Refusal(errors.INVALID, "name and scenario are two scenarios")
        self._world.play(_scenario(asked), now)
        return self._state(now)

    def _reset(self, _: Request, __: str | None, now: float) -> Reply:
        self._world.reset(now)
        return self._state(now)

    def _inbound(self, request: Request, region: str | None, now: float) -> Reply:
        number, _ = self._contact(request, region)
        self._require_account(number, now)
        message_id = self._world.people.write(number, now)
        if message_id is None:
            raise Refusal(errors.INVALID, f"{number} is blocked: its messages do not come through")
        return self._state(now, message_id=message_id)

    def _identity(self, request: Request, region: str | None, now: float) -> Reply:
        number, _ = self._contact(request, region)
        self._require_account(number, now)
        self._world.people.change_identity(number, now)
        return self._state(now)

    def _account(self, request: Request, region: str | None, now: float) -> Reply:
        number, exists = self._contact(request, region)
        self._world.people.change_account(number, exists, now)
        return self._state(now)

    def _contacts(self, request: Request, region: str | None, now: float) -> Reply:
        members = members_of(request)
        if "numbers" not in members:
            raise Refusal(errors.MISSING, "numbers")
        asked = convert(members, ContactsRequest)
        return json_reply([self._contact_state(text, region, now) for text in asked.numbers])

    def _contact_state(self, text: str, region: str | None, now: float) -> ContactState:
        people = self._world.people
        try:
            number = self._world.number_of(text, region)
        except Refusal:
            return ContactState(text, None)
        return ContactState(
            text,
            number,
            people.has_account(number, now),
            people.is_engaged(number, now),
            people.is_blocked(number),
            people.messages(number),
        )

    def _contact(self, request: Request, region: str | None) -> tuple[str, bool]:
        members = members_of(request)
        if "number" not in members:
            raise Refusal(errors.MISSING, "number")
        asked = convert(members, NumberRequest)
        return self._world.number_of(asked.number, region), asked.exists

    def _require_account(self, number: str, now: float) -> None:
        if not self._world.people.has_account(number, now):
            raise Refusal(errors.NOT_FOUND, f"{number} has no account")

    def _state(self, now: float, latest: Sequence[Latest] = (), message_id: str | None = None) -> Reply:
        world = self._world
        playing = world.scenario
        state = State(
            region=world.region,
            seed=world.seed,
            conditions=world.conditions,
            latency=str(world.conditions.latency or "none"),
            scenario=playing.name if playing else None,
            title=playing.title if playing else "",
            seconds=world.scenario_seconds(now),
            requests=self._record.requests_made,
            numbers=world.known,
            in_flight=world.in_flight(now),
            blocked=world.people.blocked,
            reported=len(world.people.reported),
            latest=list(latest),
            message_id=message_id,
            problem=self._simulator.problem,
        )
        return json_reply(state)


def _scenario(asked: ScenarioRequest) -> Scenario | None:
    try:
        return asked.scenario or (scenario.find_shipped(asked.name) if asked.name is not None else None)
    except BadScenario as error:
        raise Refusal(errors.INVALID, str(error)) from error
