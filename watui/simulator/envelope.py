"""What every answer has in common: JSON, `meta`, and the envelope of errors (contract section 5)."""

from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watui.contract import errors
from watui.contract.rules import MAX_BODY_BYTES

_Body = TypeVar("_Body")


class Refusal(Exception):
    """An answer with an error of the table instead of data."""

    def __init__(self, code: int, details: str | None = None, http_status: int | None = None) -> None:
        self.error = errors.api_error(code, details)
        self.http_status = http_status or errors.ERRORS[code].http_status


def json_response(answer: object, http_status: int = 200) -> Response:
    """Return `answer` as JSON."""
    return Response(msgspec.json.encode(answer), http_status, media_type="application/json")


async def read_body(request: Request) -> bytes:
    """Return the body. Raises Refusal where it is larger than MAX_BODY_BYTES."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Refusal(errors.INVALID, f"the body is larger than {MAX_BODY_BYTES} bytes", 413)
    return bytes(body)


def parse_object(body: bytes, *, may_be_empty: bool = False) -> dict[str, Any]:
    """Return the members of a JSON object; nothing and `null` count as `{}` where it `may_be_empty`.

    Raises Refusal: 1025 for what is no JSON, 1009 for what is no object.
    """
    if may_be_empty and not body.strip():
        return {}
    try:
        members = msgspec.json.decode(body)
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
