"""The simulated server as an ASGI application: the endpoints of contract sections 1 to 6."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from watui.contract import errors
from watui.contract.models import (
    AcknowledgeRequest,
    BlockRequest,
    CheckRequest,
    ErrorAnswer,
    IdentityAnswer,
    LoginAnswer,
    LoginRequest,
    ReportRequest,
)
from watui.contract.rules import CONTACTS_PATH, DEFAULT_PAGE, MAX_PAGE, is_reason
from watui.simulator.accounts import Accounts
from watui.simulator.envelope import Refusal, convert, json_response, parse_object, read_body
from watui.simulator.limits import Bucket, RateLimited
from watui.simulator.record import Record, Recording
from watui.simulator.world import World

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]


def create_app(
    world: World,
    token: str | None = None,
    *,
    clock: Clock = time.time,
    sleep: Sleep = asyncio.sleep,
    bucket: Bucket | None = None,
    record: Record | None = None,
) -> ASGIApp:
    """Return an application that answers for `world`, to whoever bears `token` or logs in.

    `clock` gives seconds since 1970; `sleep` waits for seconds of that clock (`wait` needs it). With a `bucket` it
    answers 429 where requests come too fast; into a `record` goes everything that was asked and answered.
    """
    app: ASGIApp = Node(world, Accounts(token), clock, sleep).app()
    if bucket is not None:
        app = RateLimited(app, world, bucket, clock)
    return Recording(app, record, clock) if record is not None else app


class Node:
    """One server: a world, the accounts that may ask about it, and the paths by which they do."""

    def __init__(self, world: World, accounts: Accounts, clock: Clock, sleep: Sleep) -> None:
        self._world = world
        self._accounts = accounts
        self._clock = clock
        self._sleep = sleep

    def app(self) -> Starlette:
        """Return the application."""
        contact = CONTACTS_PATH + "/{contact}"
        app = Starlette(
            routes=[
                Route(CONTACTS_PATH, self.check, methods=["POST"]),
                Route(f"{CONTACTS_PATH}/blocklist", self.blocklist, methods=["GET"]),
                Route(f"{contact}/block", self.block, methods=["POST"]),
                Route(f"{contact}/unblock", self.unblock, methods=["POST"]),
                Route(f"{contact}/report", self.report, methods=["POST"]),
                Route(f"{contact}/identity", self.identity, methods=["GET"]),
                Route(f"{contact}/identity", self.acknowledge, methods=["PUT"]),
                Route("/v1/users/login", self.login, methods=["POST"]),
                Route("/v1/users/logout", self.logout, methods=["POST"]),
                Route("/v1/health", self.health, methods=["GET"]),
                Route("/v1/settings/application", self.settings, methods=["GET"]),
                Route("/v1/settings/application", self.change_settings, methods=["PATCH"]),
                Route("/v1/certificates/external/ca", self.certificate, methods=["GET"]),
            ],
            exception_handlers={Refusal: self._refused, HTTPException: self._no_route, Exception: self._bug},
        )
        app.router.redirect_slashes = False
        return app

    # Contacts: sections 1 to 3

    async def check(self, request: Request) -> Response:
        self._require_token(request)
        members = parse_object(await read_body(request))
        if members.get("contacts") in (None, []):
            raise Refusal(errors.MISSING, "contacts")
        asked = convert(members, CheckRequest)
        now = self._clock()
        decided_at = self._world.begin(asked.contacts, asked.force_check, now)
        while asked.blocking == "wait" and decided_at > now:
            await self._sleep(decided_at - now)
            now = decided_at
            decided_at = self._world.begin(asked.contacts, False, now)
        return json_response(self._world.answer(asked.contacts, now))

    async def block(self, request: Request) -> Response:
        self._require_token(request)
        number = self._number(request)
        _require_reason(convert(parse_object(await read_body(request), may_be_empty=True), BlockRequest).reason)
        self._world.people.block(number, self._clock())
        return self._done()

    async def unblock(self, request: Request) -> Response:
        self._require_token(request)
        self._world.people.unblock(self._number(request))
        return self._done()

    async def report(self, request: Request) -> Response:
        self._require_token(request)
        number, now = self._number(request), self._clock()
        members = parse_object(await read_body(request), may_be_empty=True)
        if members.get("block") in ("true", "false"):
            members["block"] = members["block"] == "true"
        asked = convert(members, ReportRequest)
        _require_reason(asked.reason)
        self._world.people.report(number, asked.message_id, now)
        if asked.block:
            self._world.people.block(number, now)
        return self._done()

    async def blocklist(self, request: Request) -> Response:
        self._require_token(request)
        limit = _count(request, "limit", DEFAULT_PAGE)
        offset = _count(request, "offset", 0)
        if not 0 < limit <= MAX_PAGE:
            raise Refusal(errors.INVALID, f"limit is 1 to {MAX_PAGE}")
        page = self._world.people.blocklist(limit, offset)
        return self._with_meta(page)

    async def identity(self, request: Request) -> Response:
        self._require_token(request)
        number = self._world.number_of_wa_id(request.path_params["contact"])
        return self._with_meta(IdentityAnswer(self._world.people.identity(number)))

    async def acknowledge(self, request: Request) -> Response:
        self._require_token(request)
        number = self._world.number_of_wa_id(request.path_params["contact"])
        members = parse_object(await read_body(request))
        if members.get("hash") is None:
            raise Refusal(errors.MISSING, "hash")
        self._world.people.acknowledge(number, convert(members, AcknowledgeRequest).hash)
        return json_response({})

    # Users and the node itself: sections 4, 6 and 7

    async def login(self, request: Request) -> Response:
        body = parse_object(await read_body(request), may_be_empty=True)
        login = self._accounts.login(_authorization(request), convert(body, LoginRequest), self._clock())
        return self._with_meta(LoginAnswer([login]))

    async def logout(self, request: Request) -> Response:
        self._accounts.logout(_authorization(request), self._clock())
        return self._done()

    async def health(self, request: Request) -> Response:
        self._accounts.require_for_health(_authorization(request), self._clock())
        return json_response({"health": {"gateway_status": "connected"}, "meta": self._world.meta()})

    async def settings(self, request: Request) -> Response:
        self._require_token(request)
        application = {
            "wa_id": self._world.own_wa_id(),
            "show_security_notifications": self._world.shows_security_notifications,
        }
        return json_response({"settings": {"application": application}, "meta": self._world.meta()})

    async def change_settings(self, request: Request) -> Response:
        self._require_token(request)
        members = parse_object(await read_body(request))
        shown = members.pop("show_security_notifications", self._world.shows_security_notifications)
        if members:
            raise Refusal(errors.NOT_REQUIRED, ", ".join(map(str, members)))
        if not isinstance(shown, bool):
            raise Refusal(errors.INVALID, "show_security_notifications is true or false")
        self._world.shows_security_notifications = shown
        return self._done()

    async def certificate(self, _: Request) -> Response:
        raise Refusal(errors.NOT_FOUND, "this server has no certificate")

    # Parts

    def _require_token(self, request: Request) -> None:
        self._accounts.require(_authorization(request), self._clock())

    def _number(self, request: Request) -> str:
        return self._world.number_of(request.path_params["contact"])

    def _done(self) -> Response:
        return json_response({"meta": self._world.meta()})

    def _with_meta(self, answer: Any) -> Response:
        answer.meta = self._world.meta()
        return json_response(answer)

    async def _refused(self, _: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)
        return json_response(ErrorAnswer([error.error], self._world.meta()), error.http_status)

    async def _no_route(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code == 405:
            refusal = Refusal(errors.BAD_REQUEST, f"{request.method} is not allowed here", 405)
        else:
            refusal = Refusal(errors.NOT_FOUND, "no such path")
        return await self._refused(request, refusal)

    async def _bug(self, request: Request, _: Exception) -> Response:
        return await self._refused(request, Refusal(errors.INTERNAL))


def _authorization(request: Request) -> str:
    return request.headers.get("authorization", "")


def _require_reason(reason: str | None) -> None:
    if reason is not None and not is_reason(reason):
        raise Refusal(errors.INVALID, "reason is 1 to 59 characters")


def _count(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise Refusal(errors.INVALID, f"{name} is a number")
    return int(text)
