"""What counts as a success, and what everything else means (contract section 5)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import msgspec

from watui.client.failures import AccessDenied, Failure, Overloaded, Refused, ServerTrouble, Unusable
from watui.client.transport import Reply
from watui.contract import errors
from watui.contract.models import ApiError

_Answer = TypeVar("_Answer")

LONGEST_RETRY_AFTER = 24 * 3600.0
"""Seconds that a server's wish to wait is taken seriously."""

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


def answer_of(reply: Reply, kind: type[_Answer], *, strict: bool = True) -> _Answer:
    """Return a successful answer as a `kind`. Raises a Failure for any other, and for another shape.

    Where it is not `strict`, numbers and booleans may be written as texts.
    """
    try:
        return msgspec.convert(members_of(reply), kind, strict=strict)
    except msgspec.ValidationError as error:
        raise Unusable(f"the answer has another shape than documented: {error}") from error


def _failure(reply: Reply, error: ApiError | None) -> Failure:
    """Return what went wrong, by the error's code where there is one, else by the HTTP status."""
    words = _words(error) if error else f"HTTP {reply.status}"
    code = error.code if error else None
    if 300 <= reply.status < 400:
        return Unusable(f"the server redirects (HTTP {reply.status}); redirects are never followed")
    if code in _OVERLOAD_CODES or reply.status in (429, 503):
        # A 503 that is no answer of the API may be a proxy's, given after the server has done its work.
        return Overloaded(words, _retry_after(reply.headers), may_have_worked=error is None and reply.status == 503)
    if code == errors.ACCESS_DENIED or reply.status in (401, 403):
        return AccessDenied(words, code, reply.status)
    if reply.status == 408 or reply.status >= 500 or (code in errors.ERRORS and errors.ERRORS[code].http_status >= 500):
        return ServerTrouble(words, _retry_after(reply.headers))
    if error is None and reply.status == 404:
        words = "there is no such path of the API at this address (HTTP 404)"
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
