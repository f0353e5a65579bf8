"""A limit on requests, in front of an application: contract section 5."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from watui.contract import errors
from watui.contract.models import ErrorAnswer
from watui.contract.rules import RATE_BURST, RATE_LIMIT
from watui.simulator.envelope import json_response
from watui.simulator.world import World

MESSAGES_PATH = "/v1/messages"

Clock = Callable[[], float]


@dataclass
class Bucket:
    """Requests that may still come: pure, time goes in as an argument."""

    rate: float = RATE_LIMIT
    burst: int = RATE_BURST
    _left: float = -1.0
    _at: float = 0.0

    def take(self, now: float) -> float:
        """Take one request and return 0, or return the seconds until one may come."""
        if self._left < 0:
            self._left, self._at = float(self.burst), now
        self._left = min(float(self.burst), self._left + max(0.0, now - self._at) * self.rate)
        self._at = now
        if self._left >= 1:
            self._left -= 1
            return 0.0
        return (1 - self._left) / self.rate


class RateLimited:
    """An application that answers 429 where requests come faster than a Bucket allows, and passes on the rest."""

    def __init__(self, app: ASGIApp, world: World, bucket: Bucket, clock: Clock) -> None:
        self._app = app
        self._world = world
        self._bucket = bucket
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == MESSAGES_PATH or self._bucket.take(self._clock()) == 0:
            await self._app(scope, receive, send)
            return
        answer = ErrorAnswer([errors.api_error(errors.TOO_MANY_REQUESTS)], self._world.meta())
        response = json_response(answer, errors.ERRORS[errors.TOO_MANY_REQUESTS].http_status)
        await response(scope, receive, send)
