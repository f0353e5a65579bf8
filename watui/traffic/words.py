"""What an exchange was about, in words, and what is in it: read when somebody looks at it, and not before."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from watui.client.auth import LOGIN_PATH, LOGOUT_PATH
from watui.client.exchanges import Exchange
from watui.client.health import HEALTH_PATH, SETTINGS_PATH
from watui.contract.models import version_of

_WHOLE_PATHS = {
    LOGIN_PATH: "login",
    LOGOUT_PATH: "logout",
    HEALTH_PATH: "health",
    SETTINGS_PATH: "the server's settings",
}

_CHANGES = frozenset({"block", "unblock", "report"})
"""Last parts of a path."""


class _Versioned(msgspec.Struct):
    """An answer, as far as it tells who gave it."""

    meta: Any = None


_LISTS = {("GET", "blacklist"): "blocklist", ("PUT", "blacklist"): "block", ("DELETE", "blacklist"): "unblock"}
"""By method and part of a path at which a gateway keeps its list."""


def why(exchange: Exchange) -> str:
    """Return why a request was sent, and after what failure it was sent again."""
    _, attempt, after = exchange.why
    return purpose(exchange) if attempt == 1 else f"{purpose(exchange)}, again after {after}"


def purpose(exchange: Exchange) -> str:
    """Return what was wanted with a request."""
    return exchange.why.words or _by_path(exchange)


def path(exchange: Exchange) -> str:
    """Return the path of a request with its query, as it was sent."""
    parts = urlsplit(exchange.url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def outcome(exchange: Exchange) -> str:
    """Return the HTTP status, or what came instead."""
    if exchange.status is not None:
        return str(exchange.status)
    return exchange.failure_kind or exchange.failure or ""


def is_check(exchange: Exchange) -> bool:
    """Whether numbers were checked."""
    return exchange.method == "POST" and urlsplit(exchange.url).path.endswith("/contacts")


def contact_of(exchange: Exchange) -> str | None:
    """Return the contact that the path names, None where it names none."""
    before, _, last = urlsplit(exchange.url).path.rpartition("/")
    collection, _, contact = before.rpartition("/")
    is_named = last in _CHANGES | {"identity"} and collection.endswith("/contacts")
    return unquote(contact) if is_named else None


def version(exchange: Exchange) -> str | None:
    """Return the version that an answer names; None where it names none, or is not kept whole."""
    try:
        return version_of(msgspec.json.decode(exchange.response, type=_Versioned).meta)
    except (msgspec.DecodeError, RecursionError):
        return None


def holds(exchange: Exchange, text: str) -> bool:
    """Whether an exchange holds a text, in small letters or large ones: in path, outcome, why or body."""
    wanted = text.lower()
    named = f"{exchange.method} {path(exchange)} {unquote(path(exchange))} {outcome(exchange)} {why(exchange)}"
    in_bytes = wanted.encode("utf-8", "replace")
    return wanted in named.lower() or in_bytes in exchange.request.lower() or in_bytes in exchange.response.lower()


def headers(head: bytes) -> Iterator[tuple[str, str]]:
    """Yield the headers of a head, as they came."""
    for line in head.decode("latin-1").split("\r\n"):
        name, is_header, value = line.partition(": ")
        if is_header:
            yield name, value


def request_headers(exchange: Exchange) -> list[tuple[str, str]]:
    """Return the headers of a request, with stars in place of a secret."""
    found = list(headers(exchange.request_head))
    if exchange.secret is not None:
        name, _, value = exchange.secret.partition(": ")
        found.append((name, value))
    return found


def _by_path(exchange: Exchange) -> str:
    parts = urlsplit(exchange.url)
    for known, words in _WHOLE_PATHS.items():
        if parts.path.endswith(known):
            return words
    before, _, last = parts.path.rpartition("/")
    if contact_of(exchange) is not None and last == "identity":
        return "identity" if exchange.method == "GET" else "acknowledge"
    if contact_of(exchange) is not None:
        return last
    if last == "blocklist":
        query = dict(parse_qsl(parts.query))
        return f"blocklist from {query['offset']}" if query.get("offset") else "blocklist"
    collection = last if last == "blacklist" else before.rpartition("/")[2]
    return _LISTS.get((exchange.method, collection), "check" if is_check(exchange) else "")
