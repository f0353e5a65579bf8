"""Exchanges in which the numbers of people are hidden."""

import json
import re
from typing import Any
from urllib.parse import unquote, urlsplit

from watui.client.exchanges import Exchange
from watui.text import masked, masked_number

_NUMBERS = frozenset({"contacts", "input", "number", "wa_id"})
"""Members of a body whose texts are numbers, however they are written."""

_PART = re.compile(r"[^/&=]+")
"""Of a path or a query."""


def hidden(exchange: Exchange) -> Exchange:
    """Return `exchange` with all digits of numbers hidden but the last three: in its URL, headers and bodies.

    Bodies are not as long as they were.
    """
    return exchange._replace(
        url=_hidden_url(exchange.url),
        request=_hidden_body(exchange.request, exchange.request_left_out),
        response=_hidden_body(exchange.response, exchange.response_left_out),
        request_head=_hidden_head(exchange.request_head),
        response_head=_hidden_head(exchange.response_head),
        failure=None if exchange.failure is None else masked(exchange.failure),
    )


def _hidden_url(url: str) -> str:
    parts = urlsplit(url)
    path, query = (_PART.sub(_hidden_part, each) for each in (parts.path, parts.query))
    return parts._replace(path=path, query=query).geturl()


def _hidden_part(part: re.Match[str]) -> str:
    said = unquote(part[0])
    return part[0] if masked(said) == said else masked(said)


def _hidden_head(head: bytes) -> bytes:
    """Return headers with stars in place of digits: bullets are no part of their alphabet."""
    return masked(head.decode("latin-1")).replace("•", "*").encode("latin-1")


def _hidden_body(body: bytes, left_out: int) -> bytes:
    """Return a body hidden; JSON is read for it, so that it stays JSON and nothing in it is written otherwise.

    Where bytes behind it are `left_out`, a number may go on there.
    """
    text = body.decode("utf-8", "replace")
    try:
        said = json.dumps(_hidden_value(json.loads(text)), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        said = masked(f"{text}…")[:-1] if left_out else masked(text)
    return said.encode("utf-8", "replace")


def _hidden_value(value: Any, name: str = "") -> Any:
    """Return what stands in JSON as the member `name`, hidden; a plain number that is becomes a text."""
    match value:
        case dict():
            return {masked(key): _hidden_value(each, key) for key, each in value.items()}
        case list():
            return [_hidden_value(each, name) for each in value]
        case str():
            return masked_number(value) if name in _NUMBERS else masked(value)
        case bool() | None:
            return value
        case _:
            return value if masked(str(value)) == str(value) else masked(str(value))
