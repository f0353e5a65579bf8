"""What a server says of itself (contract section 6)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from watui.client.answers import answer_of
from watui.client.contacts import NO_WAIT_SECONDS
from watui.client.pacing import read_date
from watui.client.transport import Transport
from watui.contract.models import version_of

HEALTH_PATH, SETTINGS_PATH = "/v1/health", "/v1/settings/application"

CONNECTED = "connected"
"""The `gateway_status` of a node that works."""


class Node(NamedTuple):
    """One node of a server."""

    name: str
    """`HOST:CONTAINER`, empty where there is one alone."""
    status: str
    """Its `gateway_status` as it came, or the title of its error."""
    role: str | None
    is_well: bool


class Health(NamedTuple):
    """How a server is."""

    nodes: tuple[Node, ...]
    version: str | None
    """`meta.version`, None where it is missing or unreadable."""
    clock_ahead: float | None
    """Seconds by which its clock is ahead of ours, by its `Date`; None where it does not tell."""


class _HealthAnswer(msgspec.Struct):
    health: dict[str, Any]
    meta: Any = None


class _Application(msgspec.Struct):
    wa_id: str | None = None


class _Settings(msgspec.Struct):
    application: _Application


class _SettingsAnswer(msgspec.Struct):
    settings: _Settings


async def health(transport: Transport) -> Health:
    """Ask how the server is. Raises Failure."""
    reply = await transport.send("GET", HEALTH_PATH, b"", NO_WAIT_SECONDS)
    answer = answer_of(reply, _HealthAnswer)
    return Health(tuple(_nodes(answer.health)), version_of(answer.meta), _clock_ahead(reply.headers))


async def own_wa_id(transport: Transport) -> str | None:
    """Return the server's own number, as digits without `+`; None where it does not tell. Raises Failure."""
    reply = await transport.send("GET", SETTINGS_PATH, b"", NO_WAIT_SECONDS)
    return answer_of(reply, _SettingsAnswer).settings.application.wa_id


def _nodes(members: Mapping[str, Any]) -> list[Node]:
    if "gateway_status" in members or "errors" in members:
        return [_node("", members)]
    return [_node(name, node if isinstance(node, dict) else {}) for name, node in members.items()]


def _node(name: str, members: Mapping[str, Any]) -> Node:
    status, role = members.get("gateway_status"), members.get("role")
    errors = members.get("errors")
    if not isinstance(status, str):
        first = errors[0] if isinstance(errors, list) and errors else None
        title = first.get("title") if isinstance(first, dict) else None
        status = title if isinstance(title, str) else "unknown"
    return Node(name, status, role if isinstance(role, str) else None, status == CONNECTED and not errors)


def _clock_ahead(headers: Mapping[str, str]) -> float | None:
    date = read_date(headers.get("date", ""))
    return (date - datetime.now(UTC)).total_seconds() if date is not None else None
