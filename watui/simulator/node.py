"""The endpoints of contract sections 1 to 7, without any I/O."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from watui.contract import errors
from watui.contract.models import (
    AcknowledgeRequest,
    BlockRequest,
    CheckRequest,
    IdentityAnswer,
    LoginAnswer,
    LoginRequest,
    Meta,
    ReportRequest,
)
from watui.contract.rules import DEFAULT_PAGE, MAX_BODY_BYTES, MAX_PAGE, is_reason
from watui.contract.statuses import Status
from watui.simulator import population
from watui.simulator.envelope import Refusal, convert, json_reply, members_of
from watui.simulator.events import SettingsChanged
from watui.simulator.users import Users
from watui.simulator.wire import Reply, Request, Steps
from watui.simulator.world import World

LONGEST_SLEEP = 60.0
"""Seconds after which a `wait` looks again whether its numbers are decided: the server may have changed."""

AT_ONCE = 1_000
"""Numbers that are read before others get a turn."""

PEM_TYPE = "application/x-pem-file"

_ANY = "*"
"""A segment of a path that may be anything but empty."""

Handler = Callable[[Request, float], Reply]


class Node:
    """One server: a world, the accounts that may ask about it, and the paths by which they do.

    `region` is the country of the number that it is registered with, `ca` its certificate authority as PEM.
    """

    def __init__(self, world: World, users: Users, region: str | None = None, ca: str | None = None) -> None:
        self._world = world
        self._users = users
        self._region = region
        self._ca = ca
        contacts = ("v1", "contacts")
        self._routes: dict[tuple[str, ...], dict[str, Handler]] = {
            (*contacts, "blocklist"): {"GET": self.blocklist},
            (*contacts, _ANY, "block"): {"POST": self.block},
            (*contacts, _ANY, "unblock"): {"POST": self.unblock},
            (*contacts, _ANY, "report"): {"POST": self.report},
            (*contacts, _ANY, "identity"): {"GET": self.identity, "PUT": self.acknowledge},
            ("v1", "users", "login"): {"POST": self.login},
            ("v1", "users", "logout"): {"POST": self.logout},
            ("v1", "health"): {"GET": self.health},
            ("v1", "settings", "application"): {"GET": self.settings, "PATCH": self.change_settings},
            ("v1", "certificates", "external", "ca"): {"GET": self.certificate},
        }

    def answer(self, request: Request, now: float) -> Steps:
        """Answer a request. Raises Refusal."""
        if request.is_too_large:
            raise Refusal(errors.INVALID, f"the body is larger than {MAX_BODY_BYTES} bytes", 413)
        segments = request.segments
        if segments == ("v1", "contacts"):
            if request.method != "POST":
                raise _not_allowed(request)
            return (yield from self.check(request, now))
        contact = (*segments[:2], _ANY, *segments[3:]) if len(segments) == 4 and segments[2] else ()
        handlers = self._routes.get(segments) or self._routes.get(contact)
        if handlers is None:
            raise Refusal(errors.NOT_FOUND, "no such path")
        handler = handlers.get(request.method)
        if handler is None:
            raise _not_allowed(request)
        return handler(request, now)

    # Contacts: sections 1 to 3

    def check(self, request: Request, now: float) -> Steps:
        self._require_token(request, now)
        members = members_of(request)
        if members.get("contacts") in (None, []):
            raise Refusal(errors.MISSING, "contacts")
        asked = convert(members, CheckRequest)
        most = self._world.conditions.max_contacts
        if most is not None and len(asked.contacts) > most:
            raise Refusal(errors.INVALID, f"contacts holds more than {most}")
        numbers: list[str | None] = []
        for first in range(0, len(asked.contacts), AT_ONCE):
            if first:
                now = yield now
            numbers += self._world.numbers(asked.contacts[first : first + AT_ONCE], self._region)
        decided_at = self._world.begin(numbers, asked.force_check, now)
        while asked.blocking == "wait" and decided_at > now:
            now = yield min(decided_at, now + LONGEST_SLEEP)
            decided_at = self._world.begin(numbers, False, now)
        answer = self._world.answer(asked.contacts, numbers, now)
        counts = Counter(contact.status for contact in answer.contacts)
        said = ", ".join(f"{counts[status]:,} {status}" for status in Status if counts[status])
        return replace(json_reply(answer), said=said)

    def block(self, request: Request, now: float) -> Reply:
        self._require_token(request, now)
        number = self._number(request)
        _require_reason(convert(members_of(request, may_be_empty=True), BlockRequest).reason)
        self._world.people.block(number, now)
        return self._done()

    def unblock(self, request: Request, now: float) -> Reply:
        self._require_token(request, now)
        self._world.people.unblock(self._number(request), now)
        return self._done()

    def report(self, request: Request, now: float) -> Reply:
        self._require_token(request, now)
        number = self._number(request)
        members = members_of(request, may_be_empty=True)
        if members.get("block") in ("true", "false"):
            members["block"] = members["block"] == "true"
        asked = convert(members, ReportRequest)
        _require_reason(asked.reason)
        self._world.people.report(number, asked.message_id, now)
        if asked.block:
            self._world.people.block(number, now)
        return self._done()

    def blocklist(self, request: Request, now: float) -> Reply:
        self._require_token(request, now)
        limit = _count(request, "limit", DEFAULT_PAGE)
        offset = _count(request, "offset", 0)
        if not 0 < limit <= MAX_PAGE:
            raise Refusal(errors.INVALID, f"limit is 1 to {MAX_PAGE}")
        return self._with_meta(self._world.people.blocklist(limit, offset))

    def identity(self, request: Request, now: float) -> Reply:
        self._require_token(request, now)
        return self._with_meta(IdentityAnswer(self._world.people.identity(self._wa_id(request), now)))

    def acknowledge(self, request: Request, now: float) -> Reply:
        self._require_token(request, now)
        number = self._wa_id(request)
        members = members_of(request)
        if members.get("hash") is None:
            raise Refusal(errors.MISSING, "hash")
        self._world.people.acknowledge(number, convert(members, AcknowledgeRequest).hash, now)
        return json_reply({})

    # Users and the node itself: sections 4, 6 and 7

    def login(self, request: Request, now: float) -> Reply:
        body = members_of(request, may_be_empty=True)
        return self._with_meta(
            LoginAnswer([self._users.login(request.authorization, convert(body, LoginRequest), now)])
        )

    def logout(self, request: Request, now: float) -> Reply:
        self._users.logout(request.authorization, now)
        return self._done()

    def health(self, request: Request, now: float) -> Reply:
        self._users.require_for_health(request.authorization, now)
        status = {"gateway_status": "connected"}
        if not self._world.conditions.cluster:
            return self._members(health=status)
        return self._members(
            health={
                "master-1:wacore": {**status, "role": "primary_master"},
                "master-2:wacore": {**status, "role": "secondary_master"},
                "core-1:wacore": {"gateway_status": "connecting", "role": "coreapp"},
                "core-2:wacore": {"errors": [errors.api_error(errors.NOT_READY)]},
            }
        )

    def settings(self, request: Request, now: float) -> Reply:
        self._require_token(request, now)
        application = {
            "wa_id": self._own_wa_id(),
            "show_security_notifications": self._world.shows_security_notifications,
        }
        return self._members(settings={"application": application})

    def change_settings(self, request: Request, now: float) -> Reply:
        self._require_token(request, now)
        members = members_of(request)
        before = self._world.shows_security_notifications
        shown = members.pop("show_security_notifications", before)
        if members.pop("wa_id", self._own_wa_id()) != self._own_wa_id():
            raise Refusal(errors.INVALID, "wa_id is the server's own number: it stays")
        if members:
            raise Refusal(errors.NOT_REQUIRED, ", ".join(map(str, members)))
        if not isinstance(shown, bool):
            raise Refusal(errors.INVALID, "show_security_notifications is true or false")
        if shown is not before:
            self._world.happen(SettingsChanged(now, shown))
        return self._done()

    def certificate(self, _: Request, __: float) -> Reply:
        if self._ca is None:
            raise Refusal(errors.NOT_FOUND, "this server has no certificate")
        return Reply(200, self._ca.encode(), PEM_TYPE)

    # Parts

    def _require_token(self, request: Request, now: float) -> None:
        self._users.require(request.authorization, now)

    def _number(self, request: Request) -> str:
        return self._world.number_of(request.segments[2], self._region)

    def _wa_id(self, request: Request) -> str:
        return self._world.number_of_wa_id(request.segments[2])

    def _own_wa_id(self) -> str:
        return population.own_wa_id(self._region or self._world.region)

    def _done(self) -> Reply:
        return self._members()

    def _members(self, **members: Any) -> Reply:
        meta: Meta | None = self._world.meta()
        return json_reply(members | ({"meta": meta} if meta is not None else {}))

    def _with_meta(self, answer: Any) -> Reply:
        answer.meta = self._world.meta()
        return json_reply(answer)


def _not_allowed(request: Request) -> Refusal:
    return Refusal(errors.BAD_REQUEST, f"{request.method} is not allowed here", 405)


def _require_reason(reason: str | None) -> None:
    if reason is not None and not is_reason(reason):
        raise Refusal(errors.INVALID, "reason is 1 to 59 characters")


def _count(request: Request, name: str, default: int) -> int:
    try:
        count = request.count(name)
    except ValueError:
        raise Refusal(errors.INVALID, f"{name} is a number") from None
    return default if count is None else count
