"""What counts as a success, and what everything else means (contract section 5)."""

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

import msgspec

from watui.client.exchanges import Reply
from watui.client.failures import AccessDenied, Failure, NotYetAccepted, Overloaded, Refused, ServerTrouble, Unusable
from watui.client.pacing import read_date, read_retry_after
from watui.contract import errors
from watui.contract.models import ApiError
from watui.text import shortened

_Answer = TypeVar("_Answer")

MOST_WORDS = 1_000
"""Characters of what a server says of an error."""

_OVERLOAD_CODES = (errors.TOO_MANY_REQUESTS, errors.OVERLOADED)
_NOT_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class _Telling(msgspec.Struct):
    """The members by which an answer tells that it is an error, whatever their shapes."""

    errors: Any = None
    error: Any = None
    meta: Any = None


class _Said(NamedTuple):
    """An error as a server tells it."""

    error: ApiError
    is_own: bool = False
    """Whether it is of a gateway's own shape instead of the contract's."""


def answer_of(reply: Reply, kind: type[_Answer], *, strict: bool = True) -> _Answer:
    """Return a successful answer as a `kind`: 2xx, and no error in it. Raises a Failure for any other.

    Where it is not `strict`, numbers and booleans may be written as texts. Members that nobody reads may hold anything.
    """
    _refuse_errors(reply)
    try:
        return msgspec.json.decode(reply.body, type=kind, strict=strict)
    except msgspec.ValidationError as error:
        raise Unusable(f"the answer has another shape than documented: {error}") from error
    except _NOT_JSON as error:
        raise Unusable("the answer is not JSON") from error


def _refuse_errors(reply: Reply) -> None:
    """Raise a Failure where an answer is no success; of its members those alone are read that can tell."""
    is_success = 200 <= reply.status < 300
    is_object = reply.body.lstrip()[:1] == b"{"
    try:
        telling = msgspec.json.decode(reply.body, type=_Telling) if is_object else _Telling()
    except _NOT_JSON as error:
        if not is_success:
            raise _told(reply, None) from None
        raise Unusable("the answer is not JSON") from error
    said = _error_in(telling)
    if said is not None or not is_success:
        raise _told(reply, said)
    if telling.errors:
        raise Unusable("the answer reports errors in a form that cannot be read")


def _error_in(telling: _Telling) -> _Said | None:
    """Return the error that an answer tells, in the contract's shape (section 5) or a gateway's (section 8)."""
    with contextlib.suppress(msgspec.ValidationError):
        if errors_ := msgspec.convert(telling.errors or [], list[ApiError]):
            return _Said(errors_[0])
    own = telling.error
    if isinstance(own, dict) and (title := own.get("message")):
        return _Said(ApiError(title=str(title), details=str(own["details"]) if own.get("details") else None), True)
    meta = telling.meta
    if isinstance(meta, dict) and meta.get("success") is False:
        return _Said(ApiError(title=str(meta.get("developerMessage") or "Error")), True)
    return None


def _told(reply: Reply, said: _Said | None) -> Failure:
    """Return what went wrong, and the HTTP status that told it."""
    failure = _failure(reply, said)
    failure.http_status = reply.status
    return failure


def _failure(reply: Reply, said: _Said | None) -> Failure:
    """Return what went wrong, by the error's code where there is one, else by the HTTP status."""
    error = said.error if said else None
    words = _words(error) if error else f"HTTP {reply.status}"
    code = error.code if error else None
    if 300 <= reply.status < 400:
        return Unusable(f"the server redirects (HTTP {reply.status}); redirects are never followed")
    if code in _OVERLOAD_CODES or reply.status in (429, 503):
        # A 503 that is no answer of the API may be a proxy's, given after the server has done its work.
        return Overloaded(words, _retry_after(reply.headers), may_have_worked=error is None and reply.status == 503)
    if reply.is_400_overload and reply.status == 400 and said is not None and said.is_own:
        return Overloaded(words, _retry_after(reply.headers))
    if code == errors.ACCESS_DENIED or reply.status in (401, 403):
        kind = NotYetAccepted if reply.is_token_fresh and reply.status == 401 else AccessDenied
        return kind(words, code, reply.status)
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
    return shortened(f"{error.title or 'Error'}{number}{details}", MOST_WORDS)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a server asks to wait, by its own clock where it tells that."""
    now = read_date(headers.get("date", "")) or datetime.now(UTC)
    return read_retry_after(headers.get("retry-after", ""), now)
