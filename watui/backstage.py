"""Looks at a running simulator, and changes it, through its control interface."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from watui.client.answers import answer_of
from watui.client.exchanges import Exchanges
from watui.client.failures import Unusable
from watui.client.server import Server
from watui.client.transport import Transport
from watui.simulator.conditions import Changes
from watui.simulator.control import PREFIX, ContactsRequest, ContactState, NumberRequest, State
from watui.simulator.scenario import Scenario

_Answer = TypeVar("_Answer")

SECONDS = 10.0
"""Time allowed for an answer."""


class Backstage:
    """The other side of a simulator that has a control interface. Every method raises Failure."""

    def __init__(self, server: Server) -> None:
        self.url = server.url
        # What is said here is no exchange with the server that is demonstrated.
        self._transport = Transport(server, Exchanges())

    async def state(self, after: int = 0) -> State:
        """Return how it is, and what it did after the request with number `after`."""
        return await self._ask("GET", f"state?after={after}", None)

    async def change(self, changes: Changes) -> State:
        """Change conditions, at once."""
        return await self._ask("PATCH", "state", changes)

    async def play(self, scenario: Scenario | str | None) -> State:
        """Begin a scenario, one that is shipped by its name; None ends the one there is."""
        is_sent_whole = scenario is not None and not isinstance(scenario, str)
        return await self._ask("POST", "scenario", {"scenario" if is_sent_whole else "name": scenario})

    async def reset(self) -> State:
        """Let the world begin anew."""
        return await self._ask("POST", "reset", None)

    async def inbound(self, number: str) -> State:
        """Let a contact write to us."""
        return await self._ask("POST", "inbound", NumberRequest(number))

    async def change_identity(self, number: str) -> State:
        """Give a contact another identity."""
        return await self._ask("POST", "identity", NumberRequest(number))

    async def change_account(self, number: str, exists: bool) -> State:
        """Let an account appear or vanish."""
        return await self._ask("POST", "account", NumberRequest(number, exists))

    async def contacts(self, numbers: Sequence[str]) -> list[ContactState]:
        """Return what the server knows of these contacts, in their order."""
        return await self._send("POST", "contacts", ContactsRequest(list(numbers)), list[ContactState])

    async def close(self) -> None:
        await self._transport.close()

    async def _ask(self, method: str, path: str, body: object) -> State:
        return await self._send(method, path, body, State)

    async def _send(self, method: str, path: str, body: object, kind: type[_Answer]) -> _Answer:
        content = msgspec.json.encode(body) if body is not None else b""
        reply = await self._transport.send(method, f"/{PREFIX}/{path}", content, SECONDS)
        try:
            return answer_of(reply, kind)
        except Unusable as error:
            raise Unusable(f"that is no simulator of this version: {error}") from error
