"""The client of `POST /v1/contacts` (contract section 1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from watui.client.failures import AccessDenied, Failure, Overloaded, Refused, ServerTrouble, Unusable
from watui.client.transport import Reply, Transport
from watui.contract import errors
from watui.contract.models import ApiError, Blocking, CheckAnswer, CheckRequest, Contact, version_of
from watui.contract.rules import CONTACTS_PATH

NO_WAIT_SECONDS = 30.0
"""Time allowed for an answer that a server gives at once."""

WAIT_SECONDS = 120.0
"""Time allowed for an answer that comes when every number is decided: that may take long, and may never come."""


LONGEST_RETRY_AFTER = 24 * 3600.0
"""Seconds that a server's wish to wait is taken seriously."""


@dataclass(frozen=True)
class Verdicts:
    """What one answer says, by input as it was sent."""

    contacts: Mapping[str, Contact]
    """Inputs that the answer leaves out, or contradicts itself on, are missing."""
    version: str | None
    """`meta.version`, None where it is missing or unreadable."""


class ContactsClient:
    """Checks numbers with one server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def check(
        self, inputs: Sequence[str], *, blocking: Blocking = "no_wait", force_check: bool = False
    ) -> Verdicts:
        """Ask about `inputs` and return what the server says of each, matched by input and never by position.

        Raises a Failure unless the answer is 2xx, a JSON object of the documented shape, and without errors.
        """
        request = CheckRequest(list(inputs), blocking, force_check)
        seconds = WAIT_SECONDS if blocking == "wait" else NO_WAIT_SECONDS
        reply = await self._transport.send("POST", CONTACTS_PATH, msgspec.json.encode(request), seconds)
        answer = _check_answer(reply)
        return Verdicts(_by_input(answer.contacts, frozenset(inputs)), version_of(answer.meta))

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.close()


def _by_input(contacts: Sequence[Contact], inputs: frozenset[str]) -> dict[str, Contact]:
    known: dict[str, Contact] = {}
    contradicted: set[str] = set()
    for contact in contacts:
        if contact.input in inputs and known.setdefault(contact.input, contact) != contact:
            contradicted.add(contact.input)
    return {text: contact for text, contact in known.items() if text not in contradicted}


_OVERLOAD_CODES = (errors.TOO_MANY_REQUESTS, errors.OVERLOADED)
_NOT_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Errors(msgspec.Struct):
    errors: list[ApiError] | None = None


def members_of(reply: Reply) -> Any:
    """Return the JSON of a successful answer: 2xx, and no `errors` in it. Raises a Failure for any other."""
    try:
        said = msgspec.json.decode(reply.body, type=_Errors).errors
    except _NOT_JSON:
        said = None
    if said or not 200 <= reply.status < 300:
        raise _failure(reply, said[0] if said else None)
    try:
        members = msgspec.json.decode(reply.body)
    except _NOT_JSON as error:
        raise Unusable("the answer is not JSON") from error
    if isinstance(members, dict) and members.get("errors"):
        raise Unusable("the answer reports errors in a form that cannot be read")
    return members


def _check_answer(reply: Reply) -> CheckAnswer:
    try:
        return msgspec.convert(members_of(reply), CheckAnswer)
    except msgspec.ValidationError as error:
        raise Unusable(f"the answer has another shape than documented: {error}") from error


def _failure(reply: Reply, error: ApiError | None) -> Failure:
    """Return what went wrong, by the error's code where there is one, else by the HTTP status."""
    words = _words(error) if error else f"HTTP {reply.status}"
    code = error.code if error else None
    if 300 <= reply.status < 400:
        return Unusable(f"the server redirects (HTTP {reply.status}); redirects are never followed")
    if code in _OVERLOAD_CODES or reply.status in (429, 503):
        return Overloaded(words, _retry_after(reply.headers))
    if code == errors.ACCESS_DENIED or reply.status in (401, 403):
        return AccessDenied(words, code, reply.status)
    if reply.status == 408 or reply.status >= 500:
        return ServerTrouble(words, _retry_after(reply.headers))
    if error is None and reply.status == 404:
        words = f"there is no {CONTACTS_PATH} at this address (HTTP 404)"
    if error is not None or reply.status >= 400:
        return Refused(words, code, reply.status)
    return Unusable(f"an HTTP status that is no answer: {reply.status}")


def _words(error: ApiError) -> str:
    number = f" ({error.code})" if error.code is not None else ""
    details = f": {error.details}" if error.details else ""
    return f"{error.title or 'Error'}{number}{details}"


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that `Retry-After` asks for, given as seconds or as an HTTP date (contract section 5)."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(text)
        seconds = (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
        return min(max(0.0, seconds), LONGEST_RETRY_AFTER)
    except (ValueError, TypeError):
        return None
