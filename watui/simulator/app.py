"""The simulated server as an ASGI application: contract section 1, in the envelope of section 5."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watui.contract import errors
from watui.contract.models import CheckRequest, ErrorAnswer
from watui.contract.rules import CONTACTS_PATH, MAX_BODY_BYTES
from watui.simulator.world import World

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


class Refusal(Exception):
    """An answer with an error of the table instead of data."""

    def __init__(self, code: int, details: str | None = None, http_status: int | None = None) -> None:
        self.error = errors.api_error(code, details)
        self.http_status = http_status or errors.ERRORS[code].http_status


def create_app(world: World, token: str, *, clock: Clock = time.time, sleep: Sleep = asyncio.sleep) -> Starlette:
    """Return an application that answers for `world` to whoever bears `token`.

    `clock` gives seconds since 1970; `sleep` waits for seconds of that clock (`wait` needs it).
    """

    def envelope(refusal: Refusal) -> Response:
        answer = ErrorAnswer([refusal.error], world.meta())
        return _json(answer, refusal.http_status)

    async def check(request: Request) -> Response:
        _require_token(request, token)
        asked = _check_request(await _body(request))
        now = clock()
        decided_at = world.begin(asked.contacts, asked.force_check, now)
        while asked.blocking == "wait" and decided_at > now:
            await sleep(decided_at - now)
            now = decided_at
            decided_at = world.begin(asked.contacts, False, now)
        return _json(world.answer(asked.contacts, now))

    async def refused(_: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        return envelope(error)

    async def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 405:
            return envelope(Refusal(errors.BAD_REQUEST, f"{request.method} is not allowed here", 405))
        return envelope(Refusal(errors.NOT_FOUND, "no such path"))

    async def bug(_: Request, __: Exception) -> Response:
        return envelope(Refusal(errors.INTERNAL))

    app = Starlette(
        routes=[Route(CONTACTS_PATH, check, methods=["POST"])],
        exception_handlers={Refusal: refused, HTTPException: http_error, Exception: bug},
    )
    app.router.redirect_slashes = False
    return app


def _json(answer: object, http_status: int = 200) -> Response:
    return Response(msgspec.json.encode(answer), http_status, media_type="application/json")


def _require_token(request: Request, token: str) -> None:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secrets.compare_digest(given.strip().encode(), token.encode()):
        raise Refusal(errors.ACCESS_DENIED, "a valid bearer token is needed")


async def _body(request: Request) -> bytes:
    parts = bytearray()
    async for chunk in request.stream():
        parts += chunk
        if len(parts) > MAX_BODY_BYTES:
            raise Refusal(errors.INVALID, f"the body is larger than {MAX_BODY_BYTES} bytes", 413)
    return bytes(parts)


def _check_request(body: bytes) -> CheckRequest:
    try:
        members = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(errors.BAD_REQUEST, f"not JSON: {error}") from error
    if not isinstance(members, dict):
        raise Refusal(errors.INVALID, "a JSON object is expected")
    if members.get("contacts") in (None, []):
        raise Refusal(errors.MISSING, "contacts")
    try:
        return msgspec.convert(members, CheckRequest)
    except msgspec.ValidationError as error:
        raise Refusal(errors.INVALID, str(error)) from error
