"""The simulated server as a whole, without any I/O: a node, its limits, its faults, its script and its record."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from watui.contract import errors
from watui.contract.rules import CONTACTS_PATH, RATE_BURST, RATE_LIMIT
from watui.simulator import faults
from watui.simulator.control import PREFIX, Control
from watui.simulator.envelope import Refusal, error_reply
from watui.simulator.events import Began, Event, ScenarioStarted
from watui.simulator.faults import Faults
from watui.simulator.limits import Bucket
from watui.simulator.node import Node
from watui.simulator.record import Record
from watui.simulator.users import Users
from watui.simulator.wire import Reply, Request, Steps
from watui.simulator.world import World

REGION_PREFIX = "_region"
"""Begins a path such as `/_region/IN/v1/contacts`: the same world, as a server registered in India reads numbers.

It is known where there is a control interface, and no part of the contract.
"""

MESSAGES_PATH = "/v1/messages"
"""The one path that the limit on requests is not for (contract section 5)."""

LONGEST_WAIT = 7 * 24 * 3600.0
"""Virtual seconds after which `Simulator.respond` takes it that an answer never comes."""


class ClientGone(Exception):
    """Thrown into the Steps of an answer for which nobody waits any more."""


MOST_TOLD = 20
"""Events that are told of one request; the journal has them all."""

OnCrash = Callable[[Exception], None]
OnProblem = Callable[[str], None]


class Simulator:
    """A server that speaks the contract. Times are in seconds since 1970, and never go back.

    It accepts `token`, which never expires, and those that its logins give. `seeded_tokens` makes the latter the same
    each time. The control interface answers where `control` is true. `on_crash` is told of mistakes of our own, which
    a client sees as a 500, `on_problem` of a file that can't be written.
    """

    def __init__(
        self,
        world: World,
        token: str | None = None,
        *,
        record: Record | None = None,
        bucket: Bucket | None = None,
        control: bool = False,
        ca: str | None = None,
        seeded_tokens: bool = False,
        on_crash: OnCrash | None = None,
        on_problem: OnProblem | None = None,
    ) -> None:
        self.world = world
        self.record = record or Record()
        self.problem: str | None = None
        """Why what happens is not kept, or not recorded, any more; None while all is well."""
        self._on_problem = on_problem
        self.record.on_problem = self.tell
        self._users = Users(token, (lambda: world.seed) if seeded_tokens else None, world.happen)
        self._bucket = bucket or Bucket(RATE_LIMIT, RATE_BURST)
        self._is_limited = bucket is not None
        self._faults = Faults()
        self._control = Control(self, self._users) if control else None
        self._ca = ca
        self._nodes: dict[str | None, Node] = {}
        self._on_crash = on_crash
        self._did: list[str] = []
        world.listeners.append(self._happened)

    def tell(self, problem: str) -> None:
        """Take note of a problem that keeps nobody from being answered."""
        self.problem = problem
        if self._on_problem is not None:
            self._on_problem(problem)

    def apply(self, event: Event) -> None:
        """Take note of something that happened before this server was there."""
        self.world.apply(event)
        self._users.apply(event)

    def respond(self, request: Request, now: float) -> tuple[Reply, float]:
        """Answer in virtual time: return the reply and the time at which it is complete."""
        steps, until = self.answer(request, now), now + LONGEST_WAIT
        try:
            wakes_at = next(steps)
            while wakes_at < until:
                now = max(now, wakes_at)
                wakes_at = steps.send(now)
        except StopIteration as end:
            reply: Reply = end.value
            return reply, now
        with suppress(StopIteration):
            steps.throw(ClientGone())
        return Reply(is_silent=True), until

    def answer(self, request: Request, now: float) -> Steps:
        """Answer a request, waiting where a server would."""
        request, region = self._without_region(request)
        if self._control is not None and request.segments[:1] == (PREFIX,):
            return self._controlled(self._control, request, region, now)
        at, did = now, list[str]()
        steps = self._worked(request, region, now, did)
        try:
            wakes_at = self._step(steps, None, now, did)
            while True:
                now = yield wakes_at
                wakes_at = self._step(steps, now, now, did)
        except StopIteration as end:
            reply: Reply = end.value
        except ClientGone:
            steps.close()
            did.append("nobody waits for the answer any more")
            reply = Reply(is_silent=True)
        except Exception as error:  # noqa: BLE001 - a server answers whatever happens
            reply = self._crashed(error)
        number = self.record.add(at, request, reply, did)
        return replace(reply, number=number) if self._control is not None else reply

    def _step(self, steps: Steps, sent: float | None, now: float, did: list[str]) -> float:
        """Take one step of an answer, and tell in `did` what happens in it; return until when it waits."""
        self._did = did
        try:
            self._play(now)
            return next(steps) if sent is None else steps.send(sent)
        finally:
            self._did = []

    def _worked(self, request: Request, region: str | None, now: float, did: list[str]) -> Steps:
        world = self.world
        if request.path.startswith(CONTACTS_PATH):
            world.start_clock(now)
            self._play(now)
        is_limited = self._is_limited or world.conditions.rate_limit
        if is_limited and request.path != MESSAGES_PATH and (seconds := self._bucket.take(now)) > 0:
            did.append(f"refused: {seconds:.1f} s too early")
            return error_reply(Refusal(errors.TOO_MANY_REQUESTS), world.meta())
        hits = self._faults.due(world.conditions.faults, request, world.scenario_seconds(now), world.seed)
        did.extend(f"fault: {fault.kind}" for fault, _ in hits)
        if (delay := faults.delay(hits)) > 0:
            now = yield now + delay
        reply = faults.reply_before_work(hits, world.meta(), now)
        if reply is not None:
            return reply
        try:
            reply = yield from self._node(region).answer(request, now)
        except Refusal as refusal:
            reply = error_reply(refusal, world.meta())
        if reply.said:
            did.append(f"said {reply.said}")
        for fault, _ in hits:
            reply = faults.distort(reply, fault, world.meta(), now)
        return reply

    def _controlled(self, control: Control, request: Request, region: str | None, now: float) -> Reply:
        try:
            self._play(now)
            return control.answer(request, region, now)
        except Refusal as refusal:
            return error_reply(refusal, self.world.meta())
        except Exception as error:  # noqa: BLE001 - a server answers whatever happens
            return self._crashed(error)

    def _crashed(self, error: Exception) -> Reply:
        if self._on_crash is not None:
            self._on_crash(error)
        return error_reply(Refusal(errors.INTERNAL), self.world.meta())

    def _without_region(self, request: Request) -> tuple[Request, str | None]:
        """Return `request` without the beginning of its path that names a region, and that region."""
        if self._control is None or not request.target.startswith(f"/{REGION_PREFIX}/"):
            return request, None
        region, _, rest = request.target.removeprefix(f"/{REGION_PREFIX}/").partition("/")
        return (replace(request, target=f"/{rest}"), region) if _is_region(region) else (request, None)

    def _play(self, now: float) -> None:
        if self.world.advance(now):
            self._users.expire(now)

    def _node(self, region: str | None) -> Node:
        if region not in self._nodes:
            self._nodes[region] = Node(self.world, self._users, region, self._ca)
        return self._nodes[region]

    def _happened(self, event: Event) -> None:
        self._users.apply(event)
        if isinstance(event, Began | ScenarioStarted):
            self._faults.forget()
        if isinstance(event, Began):
            self._bucket.fill()
        if len(self._did) < MOST_TOLD:
            self._did.append(event.in_words())


def _is_region(region: str) -> bool:
    import phonenumbers

    return region in phonenumbers.SUPPORTED_REGIONS
