"""A tour of the API, on a simulator of its own: what is asked, what comes back, and the rule that it shows.

Nothing of it reaches another server, the embedded simulator or the ledger.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from enum import Enum
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote

import msgspec

from watui.backstage import Backstage
from watui.client.exchanges import Exchanges
from watui.client.server import Server
from watui.client.transport import Transport
from watui.contract.rules import CONTACTS_PATH
from watui.contract.statuses import Status
from watui.simulator.app import App
from watui.simulator.clock import Clock
from watui.simulator.conditions import Changes, Conditions
from watui.simulator.population import Latency
from watui.simulator.server import REGION_PREFIX, Simulator
from watui.simulator.serving import ServerThread
from watui.simulator.world import World
from watui.text import counted

SECONDS = 30.0
"""Time allowed for an answer."""

POLL_SECONDS = 0.5

VERSIONS = ("v2.41", "v2.43")
"""Of the servers that are shown: that of all steps, and that of the step about versions."""

_FIRST = Conditions(version=VERSIONS[0], latency=Latency(0.8, 1.6), engaged=0.0)
"""How the server is at the beginning of each step: nobody has written lately."""

_HERE, _ABROAD = "US", "IN"

_ACCOUNT, _NO_ACCOUNT, _OTHER_ACCOUNT = "+16315551000", "+16315551001", "+16315551002"
"""Numbers of the simulated world with and without an account."""

_WITHOUT_PLUS = "6315551002"
_NO_NUMBER = "+163155588"

_MOST_SHOWN = 6
"""Contacts of one answer."""

_BURST = 100
"""Requests in the step about their rate."""


class Kind(Enum):
    """What is told."""

    REQUEST = "request"
    ANSWER = "answer"
    NOTE = "note"


class Told(NamedTuple):
    """What happens in a step: a request, an answer, or what is to be seen in it."""

    kind: Kind
    text: str
    more: tuple[str, ...] = ()
    """Further lines: what an answer holds."""


Tell = Callable[[Told], None]


class Step(NamedTuple):
    """One thing to know about the API."""

    title: str
    rule: str
    """In one or two sentences."""
    play: Callable[[Stage], Awaitable[None]]


class Stage:
    """The simulator of a tour, for one step at a time."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._backstage = Backstage(server)
        self._transports: dict[str, Transport] = {}
        self._tell: Tell = lambda _: None

    async def play(self, step: Step, tell: Tell) -> None:
        """Show one step from its beginning, whatever was shown before; `tell` is told what happens. Raises Failure."""
        self._tell = tell
        await self._backstage.reset()
        await step.play(self)

    async def close(self) -> None:
        """Close every connection."""
        await self._backstage.close()
        for transport in self._transports.values():
            await transport.close()

    def note(self, words: str) -> None:
        """Say what is to be seen."""
        self._tell(Told(Kind.NOTE, words))

    async def change(self, **changes: Any) -> None:
        """Let the server be another one from now on."""
        await self._backstage.change(Changes(**changes))

    async def inbound(self, number: str) -> str:
        """Let a contact write to us, and return the id of the message."""
        message_id = (await self._backstage.inbound(number)).message_id
        assert message_id is not None, "somebody wrote"
        return message_id

    async def change_identity(self, number: str) -> None:
        """Give a contact another identity."""
        await self._backstage.change_identity(number)

    async def check(self, *inputs: str, region: str = _HERE, **options: Any) -> dict[str, str]:
        """Ask about `inputs`, and return the status of each."""
        answer, _ = await self.ask("POST", CONTACTS_PATH, {"contacts": list(inputs), **options}, region)
        return {contact["input"]: contact["status"] for contact in answer["contacts"]}

    async def ask(
        self, method: str, path: str, body: object = None, region: str = _HERE, *, is_told: bool = True
    ) -> tuple[Any, int]:
        """Send a request to a server that is registered in `region`; return the decoded answer and its HTTP status."""
        sent = msgspec.json.encode(body) if body is not None else b""
        if is_told:
            self._tell(Told(Kind.REQUEST, f"{method} {path}{f'  {_json(body)}' if sent else ''}"))
        began_at = asyncio.get_running_loop().time()
        reply = await self._transport(region).send(method, path, sent, SECONDS)
        seconds = asyncio.get_running_loop().time() - began_at
        answer = msgspec.json.decode(reply.body) if reply.body else None
        if is_told:
            self.show(f"{reply.status} after {_rounded(seconds)}", answer)
        return answer, reply.status

    def show(self, words: str, answer: object) -> None:
        """Show an answer behind a few words."""
        self._tell(Told(Kind.ANSWER, words, tuple(_lines(answer))))

    def _transport(self, region: str) -> Transport:
        if region not in self._transports:
            url = self._server.url if region == _HERE else f"{self._server.url}/{REGION_PREFIX}/{region}"
            self._transports[region] = Transport(Server.at(url, self._server.token), Exchanges())
        return self._transports[region]


@asynccontextmanager
async def opened() -> AsyncIterator[Stage]:
    """Serve a simulator for as long as the tour goes on."""
    token, clock = secrets.token_hex(16), Clock()
    world = World(_HERE, conditions=_FIRST, began_at=clock())
    app = App(Simulator(world, token, control=True), clock, clock.sleep)
    served = await asyncio.to_thread(ServerThread, app)
    stage = Stage(Server.at(served.url, token))
    try:
        yield stage
    finally:
        await stage.close()
        await asyncio.to_thread(served.stop)


# The steps


async def _conversion(stage: Stage) -> None:
    await stage.change(latency="none")
    await stage.check("+1-631-555-1002", _WITHOUT_PLUS, blocking="wait")
    stage.note("To a server whose own number is American both are one number. The same to an Indian server:")
    await stage.check("+1-631-555-1002", _WITHOUT_PLUS, blocking="wait", region=_ABROAD)
    stage.note("What had no + is somebody else's number now. Send + and the country code, always.")


async def _no_wait(stage: Stage) -> None:
    began_at, polls = asyncio.get_running_loop().time(), 0
    found = await stage.check(_ACCOUNT, _NO_ACCOUNT, _OTHER_ACCOUNT)
    while open_ones := [text for text, status in found.items() if status == Status.PROCESSING]:
        await asyncio.sleep(POLL_SECONDS)
        found |= await stage.check(*open_ones)
        polls += 1
    seconds = asyncio.get_running_loop().time() - began_at
    stage.note(f"Something to show at once, all of it after {seconds:.1f} s, for {counted(1 + polls, 'request')}.")


async def _wait(stage: Stage) -> None:
    began_at = asyncio.get_running_loop().time()
    await stage.check(_ACCOUNT, _NO_ACCOUNT, _OTHER_ACCOUNT, blocking="wait")
    seconds = asyncio.get_running_loop().time() - began_at
    stage.note(f"One request, and nothing to show for {seconds:.1f} s: the slowest number holds all others up.")


async def _cache(stage: Stage) -> None:
    await stage.check(_ACCOUNT, blocking="wait")
    stage.note("The verdict is in the server's cache for seven days. Asked once more:")
    await stage.check(_ACCOUNT)
    stage.note("At once, and nothing left the server. force_check asks anew:")
    await stage.check(_ACCOUNT, force_check=True)
    stage.note("Polls leave force_check out, or each would begin from the beginning.")


async def _failed(stage: Stage) -> None:
    await stage.change(latency="none")
    await stage.check(_NO_NUMBER, "not a number", _NO_ACCOUNT)
    stage.note(f"failed: it could not be checked. invalid: it was, and there is no account, as {VERSIONS[0]} says.")


async def _block(stage: Stage) -> None:
    path = f"{CONTACTS_PATH}/{quote(_ACCOUNT)}"
    await stage.ask("POST", f"{path}/block", {"reason": "spam"})
    stage.note("Code 2048: who has not written to you within 24 hours can't be blocked. Now the contact writes:")
    await stage.inbound(_ACCOUNT)
    await stage.ask("POST", f"{path}/block", {"reason": "spam"})
    await stage.ask("GET", f"{CONTACTS_PATH}/blocklist?limit=10")
    stage.note("No date and no reason come back, which is why watui keeps them itself. Unblocking is always possible:")
    await stage.ask("POST", f"{path}/unblock")


async def _report(stage: Stage) -> None:
    message_id = await stage.inbound(_ACCOUNT)
    path = f"{CONTACTS_PATH}/{quote(_ACCOUNT)}/report"
    await stage.ask("POST", path, {"message_id": message_id})
    stage.note("That message goes to WhatsApp. Without an id:")
    await stage.ask("POST", path, {"reason": "spam"})
    stage.note(
        "The last five messages of the chat went. A report can't be taken back: watui never repeats one by itself."
    )


async def _identity(stage: Stage) -> None:
    path = f"{CONTACTS_PATH}/{_ACCOUNT.removeprefix('+')}/identity"
    await stage.ask("GET", path)
    await stage.change_identity(_ACCOUNT)
    stage.note("The contact has another telephone now:")
    answer, _ = await stage.ask("GET", path)
    stage.note("Until that hash is acknowledged, messages to this contact may be held back:")
    await stage.ask("PUT", path, {"hash": answer["contacts"]["hash"]})


async def _versions(stage: Stage) -> None:
    await stage.change(latency="none")
    await stage.check(_ACCOUNT, _NO_ACCOUNT)
    await stage.change(version=VERSIONS[1])
    stage.note(f"The same question to the same numbers, on {VERSIONS[1]}:")
    await stage.check(_ACCOUNT, _NO_ACCOUNT)
    stage.note("Both are valid: go ahead and send. Whether there is an account, only error 1013 of a message tells.")


async def _rate(stage: Stage) -> None:
    await stage.change(latency="none", rate_limit=True)
    body = {"contacts": [_ACCOUNT]}
    asked = [stage.ask("POST", CONTACTS_PATH, body, is_told=False) for _ in range(_BURST)]
    answers: Sequence[tuple[Any, int]] = await asyncio.gather(*asked)
    refused = [answer for answer, status in answers if status == HTTPStatus.TOO_MANY_REQUESTS]
    stage.note(f"Of {_BURST} requests at once, {_BURST - len(refused)} were answered and {len(refused)} refused:")
    if refused:
        stage.show("429", refused[0])
    stage.note("A client waits as long as Retry-After says, and puts many numbers into each request.")


STEPS: tuple[Step, ...] = (
    Step(
        "How a number is read",
        "A number without + gets the country code of the number that the server is registered with.",
        _conversion,
    ),
    Step(
        "no_wait: ask again until it is decided",
        "no_wait answers at once. What is not decided yet is processing, and is asked about again.",
        _no_wait,
    ),
    Step("wait: one answer, late", "wait answers when every number of the request is decided.", _wait),
    Step(
        "The cache, and force_check",
        "A verdict is kept for seven days, and costs nothing to ask for again. force_check passes the cache by.",
        _cache,
    ),
    Step(
        "What can't be checked",
        "What is no possible number has failed. Nothing of that is kept: mend the input and ask again.",
        _failed,
    ),
    Step(
        "Block, and error 2048",
        "Only a contact that has written to you within the last 24 hours can be blocked.",
        _block,
    ),
    Step(
        "Report, with a message id and without",
        "A report hands one message to WhatsApp where it names it, and the last five where it does not.",
        _report,
    ),
    Step(
        "Whose telephone it is",
        "Each contact has an identity hash, which changes with the telephone and wants to be acknowledged.",
        _identity,
    ),
    Step(
        "v2.41 says more than v2.43",
        "Up to v2.41 valid means that there is an account. From v2.43 on it means only that you may send.",
        _versions,
    ),
    Step(
        "Too many requests",
        "A server answers 429 where requests come faster than it allows, 20 a second in the long run.",
        _rate,
    ),
)


# How an answer is shown


def _lines(answer: Any) -> list[str]:
    """Return an answer, each contact of it on a line of its own; what stands beside every answer is left out."""
    if not isinstance(answer, dict):
        return []
    contacts = answer.get("contacts")
    rest = {name: value for name, value in answer.items() if name != "meta"}
    if not isinstance(contacts, list) or "pagination" in answer:
        return [_json(rest)] if rest else []
    shown = [_json(contact) for contact in contacts[:_MOST_SHOWN]]
    more = len(contacts) - _MOST_SHOWN
    return [*shown, f"… {more:,} more"] if more > 0 else shown


def _json(value: object) -> str:
    """Return it on one line that can be broken between words."""
    return json.dumps(value, ensure_ascii=False, separators=(", ", ":"))


def _rounded(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
