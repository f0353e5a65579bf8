"""What every answer has in common: JSON, `meta`, and the envelope of errors (contract section 5)."""

from typing import Any, TypeVar

import msgspec

from watui.contract import errors
from watui.contract.models import ErrorAnswer, Meta
from watui.simulator.wire import Reply, Request

_Body = TypeVar("_Body")


class Refusal(Exception):
    """An answer with an error of the table instead of data."""

    def __init__(self, code: int, details: str | None = None, http_status: int | None = None) -> None:
        self.error = errors.api_error(code, details)
        self.http_status = http_status or errors.ERRORS[code].http_status


def json_reply(answer: object, status: int = 200) -> Reply:
    """Return `answer` as JSON."""
    return Reply(status, msgspec.json.encode(answer))


def error_reply(refusal: Refusal, meta: Meta | None) -> Reply:
    """Return the envelope of `refusal`."""
    return json_reply(ErrorAnswer([refusal.error], meta), refusal.http_status)


def members_of(request: Request, *, may_be_empty: bool = False) -> dict[str, Any]:
    """Return the members of a JSON object; nothing and `null` count as `{}` where it `may_be_empty`.

    Raises Refusal: 1025 for what is no JSON, 1009 for what is no object.
    """
    if may_be_empty and not request.body.strip():
        return {}
    if not request.body.strip():
        raise Refusal(errors.BAD_REQUEST, "the body is empty")
    try:
        members = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(errors.BAD_REQUEST, f"not JSON: {error}") from error
    if members is None and may_be_empty:
        return {}
    if not isinstance(members, dict):
        raise Refusal(errors.INVALID, "a JSON object is expected")
    return members


def convert(members: dict[str, Any], kind: type[_Body]) -> _Body:
    """Return `members` as a `kind`. Raises Refusal: 1009 for wrong types."""
    try:
        return msgspec.convert(members, kind)
    except msgspec.ValidationError as error:
        raise Refusal(errors.INVALID, str(error)) from error
