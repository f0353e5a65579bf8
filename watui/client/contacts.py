"""The client of `/v1/contacts`: check, block, unblock, report, blocklist, identity (contract sections 1 to 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import NamedTuple
from urllib.parse import quote

import msgspec

from watui.client.answers import answer_of
from watui.client.dialects import Ability
from watui.client.failures import NotOffered, Unusable
from watui.client.transport import Ready, Transport
from watui.client.trust import Trust
from watui.contract.models import (
    AcknowledgeRequest,
    Blocking,
    BlocklistAnswer,
    BlockRequest,
    CheckAnswer,
    CheckRequest,
    Contact,
    Identity,
    IdentityAnswer,
    ReportRequest,
    version_of,
)
from watui.contract.rules import DEFAULT_PAGE, MAX_PAGE, RATE_LIMIT
from watui.contract.wa_ids import bare

NO_WAIT_SECONDS = 30.0
"""Time allowed for an answer that a server gives at once."""

WAIT_SECONDS = 120.0
"""Time allowed for an answer that comes when every number is decided: that may take long, and may never come."""


@dataclass(frozen=True)
class Verdicts:
    """What one answer says, by input as it was sent."""

    contacts: Mapping[str, Contact]
    """Inputs that the answer leaves out, or contradicts itself on, are missing."""
    version: str | None
    """`meta.version`, None where it is missing or unreadable."""


class Page(NamedTuple):
    """A page of the blocklist."""

    wa_ids: tuple[str, ...]
    """Bare, without what the blocklist adds to them."""
    offset: int
    """Of the first of them."""
    total: int
    """Of the whole list."""


class ContactsClient:
    """Asks one server about contacts, and changes them.

    Every method raises a Failure unless the answer is 2xx, of the documented shape, and without errors.
    A `phone` is any dialable spelling, or a wa_id with or without `+`.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.dialect = transport.server.dialect
        self.rate = transport.server.rate or self.dialect.rate
        """Requests a second of a long list, with room for others who ask the same server."""
        self.most_rate = transport.server.rate or RATE_LIMIT
        """Requests a second that it allows in the long run."""

    def require(self, ability: Ability) -> None:
        """Raise NotOffered where servers of this kind don't do that."""
        if (why := self.dialect.why_not(ability)) is not None:
            raise NotOffered(why)

    async def check(
        self,
        inputs: Sequence[str],
        *,
        blocking: Blocking = "no_wait",
        force_check: bool = False,
        ready: Ready | None = None,
    ) -> Verdicts:
        """Ask about `inputs` and return what the server says of each, matched by input and never by position.

        `ready` is waited for right before the request goes out.
        """
        request = CheckRequest(list(inputs), blocking, force_check)
        seconds = WAIT_SECONDS if blocking == "wait" else NO_WAIT_SECONDS
        body = msgspec.json.encode(request)
        reply = await self._transport.send("POST", self.dialect.contacts, body, seconds, ready)
        answer = answer_of(reply, CheckAnswer)
        return Verdicts(_by_input(answer.contacts, frozenset(inputs)), version_of(answer.meta))

    async def block(self, phone: str, reason: str | None = None) -> None:
        """Block a contact; a blank reason is left out of the body (section 2)."""
        self.require(Ability.BLOCK)
        request = BlockRequest(_given(reason))
        await self._change("POST", phone, "block", None if request == BlockRequest() else request)

    async def unblock(self, phone: str) -> None:
        """Unblock a contact (section 2)."""
        self.require(Ability.BLOCK)
        await self._change("POST", phone, "unblock", None)

    async def report(
        self, phone: str, reason: str | None = None, *, message_id: str | None = None, block: bool = False
    ) -> None:
        """Report a contact; without a `message_id` its last five messages go to WhatsApp (section 2)."""
        self.require(Ability.REPORT)
        request = ReportRequest(_given(reason), block or None, message_id or None)
        await self._change("POST", phone, "report", None if request == ReportRequest() else request)

    async def blocklist(self, limit: int = DEFAULT_PAGE, offset: int = 0) -> Page:
        """Return up to `limit` entries, 1 to 200, from `offset` on (section 2). Raises ValueError outside of that."""
        if not 1 <= limit <= MAX_PAGE or offset < 0:
            raise ValueError(f"a page of the blocklist holds 1 to {MAX_PAGE} entries, not {limit} from {offset} on")
        self.require(Ability.BLOCKLIST)
        path = f"{self.dialect.contacts}/blocklist?limit={limit}&offset={offset}"
        answer = answer_of(await self._transport.send("GET", path, b"", NO_WAIT_SECONDS), BlocklistAnswer)
        return Page(tuple(bare(contact.wa_id) for contact in answer.contacts), offset, answer.pagination.total)

    async def identity(self, wa_id: str) -> Identity:
        """Return a contact's identity (section 3)."""
        self.require(Ability.IDENTITY)
        reply = await self._transport.send("GET", self._path(wa_id, "identity"), b"", NO_WAIT_SECONDS)
        # `acknowledged` is a text in the page's table and a boolean in its sample.
        return answer_of(reply, IdentityAnswer, strict=False).contacts

    async def acknowledge(self, wa_id: str, hash: str) -> None:
        """Acknowledge the identity with this `hash` (section 3)."""
        self.require(Ability.IDENTITY)
        await self._change("PUT", wa_id, "identity", AcknowledgeRequest(hash))

    async def knock(self) -> bool:
        """Return whether the server takes a connection; nothing is asked. False where that can't be told."""
        return await self._transport.knock()

    async def token_for(self, url: str) -> str | None:
        """Return the token that goes with the next request to a URL. Raises Failure."""
        return await self._transport.token_for(url)

    async def trust(self, trust: Trust) -> None:
        """Believe others to be the server, from the next request on. Raises BadTrust."""
        await self._transport.trust(trust)

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.close()

    async def _change(self, method: str, phone: str, what: str, request: msgspec.Struct | None) -> None:
        """Send a request whose success is an answer without errors, be it an empty one."""
        body = msgspec.json.encode(request) if request is not None else b""
        await self._tell(method, self._path(phone, what), body)

    async def _tell(self, method: str, path: str, body: bytes = b"") -> None:
        reply = await self._transport.send(method, path, body, NO_WAIT_SECONDS)
        is_empty = not reply.body.strip() and 200 <= reply.status < 300
        if not is_empty and not isinstance(answer_of(reply, object), dict | NoneType):
            raise Unusable("the answer is no JSON object")

    def _path(self, phone: str, what: str) -> str:
        """Return the path of a contact."""
        return f"{self.dialect.contacts}/{in_path(phone)}/{what}"


def in_path(phone: str) -> str:
    """Return `phone` as a part of a path. Nothing in it may lead to another one, dots included (section 9)."""
    return quote(phone, safe="").replace(".", "%2E")


def _given(text: str | None) -> str | None:
    """Return `text` as it is, None where it is blank."""
    return text if text and text.strip() else None


def _by_input(contacts: Sequence[Contact], inputs: frozenset[str]) -> dict[str, Contact]:
    known: dict[str, Contact] = {}
    contradicted: set[str] = set()
    for contact in contacts:
        if contact.input in inputs and known.setdefault(contact.input, contact) != contact:
            contradicted.add(contact.input)
    return {text: contact for text, contact in known.items() if text not in contradicted}
