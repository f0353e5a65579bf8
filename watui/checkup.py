"""Looks at a server: whether it is there, can be trusted, lets us in, and what it says of itself. Nothing is changed.

Servers of one's own tell their health. Of others there is no harmless question that is documented, so they are asked
about no number at all: whoever answers that with an error of the API is there, and has let us in.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from watui.client import health as asked
from watui.client.answers import answer_of
from watui.client.auth import Auth, Login
from watui.client.contacts import NO_WAIT_SECONDS
from watui.client.dialects import Ability
from watui.client.exchanges import Exchanges
from watui.client.failures import AccessDenied, CertificateChanged, Failure, Overloaded, Refused, Untrusted
from watui.client.health import Health
from watui.client.server import Server
from watui.client.transport import Transport, distrust, unreachable
from watui.client.trust import BadTrust, verify
from watui.contract.conversion import are_read_alike, home_of
from watui.contract.models import CheckRequest
from watui.contract.statuses import Status, explain
from watui.findings import Finding, Level
from watui.sites import Site
from watui.zone import ZONE

MOST_SKEW_SECONDS = 60.0
"""By which two clocks may differ before it is worth a word: times of expiry and `Retry-After` go by them."""

EXPIRES_SOON_SECONDS = 24 * 3600


class Checkup(NamedTuple):
    """How a server was found."""

    findings: tuple[Finding, ...]
    health: Health | None = None
    """None where it was not told."""
    home: str | None = None
    """Region of the number that the server is registered with, None where it was not told."""
    failure: Failure | None = None
    """What kept it from being looked at."""


async def look_at(site: Site, exchanges: Exchanges | None = None) -> Checkup:
    """Look at the server of a site; what goes wrong is among the findings."""
    server = site.server
    if server is None:
        return Checkup((Finding("server", Level.OK, "the embedded simulator: it is always there"),))
    findings: list[Finding] = []
    try:
        findings += await asyncio.to_thread(_shake_hands, server)
        auth = await asyncio.to_thread(site.find_auth) if site.find_auth is not None else None
        transport = await asyncio.to_thread(Transport, server, exchanges or Exchanges(), None, auth)
        try:
            return await _look(site, server, transport, auth, findings)
        finally:
            await transport.close()
    except BadTrust as error:
        trouble = Finding("certificate", Level.TROUBLE, str(error), "Name another file as ca_file, or pin.")
        return Checkup((*findings, trouble))
    except Failure as failure:
        return Checkup((*findings, *_of_the_failure(failure)), failure=failure)


def _shake_hands(server: Server) -> list[Finding]:
    """Look whether the way to a server is safe, before any secret is looked for. Raises Untrusted and Unreachable."""
    if not server.is_secure:
        words = f"numbers and the token travel unencrypted to {server.host}"
        is_open = not server.is_local
        return [Finding("way", Level.NOTE, words, "Use https where the server has it.")] if is_open else []
    if server.is_behind_proxy:
        return []
    try:
        verify(*server.address, server.trust)
    except ssl.SSLCertVerificationError as error:
        raise distrust(server, error) from error
    except OSError as error:
        raise unreachable(server, error, is_handshake=True) from error
    by = "it is the pinned one" if server.trust.certificate else f"by {server.trust.ca_file or 'the system'}"
    return [Finding("certificate", Level.OK, f"trusted: {by}")]


def _of_the_failure(failure: Failure) -> Iterator[Finding]:
    if isinstance(failure, CertificateChanged):
        yield Finding("certificate", Level.TROUBLE, "the server shows another one than the pinned", failure.next_step)
        yield Finding("pinned", Level.NOTE, failure.pinned)
        yield Finding("shown", Level.NOTE, failure.shown)
        return
    is_untrusted = isinstance(failure, Untrusted)
    subject = "login" if isinstance(failure, AccessDenied) else "certificate" if is_untrusted else "server"
    yield Finding(subject, Level.TROUBLE, failure.title, failure.next_step)


async def _look(
    site: Site, server: Server, transport: Transport, auth: Auth | None, findings: Sequence[Finding]
) -> Checkup:
    """Ask, and add what was found to `findings`. Raises Failure."""
    token = await auth.token(transport.post) if auth is not None else server.token
    has_token = token is not None
    if Ability.HEALTH not in server.dialect.abilities:
        await _ask_nothing(transport)
        found = Finding("server", Level.OK, f"{server.dialect.title} answers at {server.host}")
        return Checkup((*findings, found, *_of_the_login(auth, has_token)))
    told = await asked.health(transport)
    home = await _home(transport)
    about = (
        *_of_the_nodes(server, told),
        *_of_the_version(told),
        *_of_the_login(auth, has_token),
        *_of_the_clock(told),
    )
    return Checkup((*findings, *about, *_of_the_region(site, home)), told, home)


async def _ask_nothing(transport: Transport) -> None:
    """Ask about no number. Raises a Failure where that shows that nobody is there, or that we are not let in."""
    body = msgspec.json.encode(CheckRequest([]))
    try:
        answer_of(await transport.send("POST", transport.server.dialect.contacts, body, NO_WAIT_SECONDS), object)
    except Overloaded:
        return
    except Refused as refusal:
        if isinstance(refusal, AccessDenied) or refusal.http_status != 400:
            raise


async def _home(transport: Transport) -> str | None:
    """Return the region of the server's own number, None where it does not tell."""
    try:
        wa_id = await asked.own_wa_id(transport)
    except Failure:
        return None
    return home_of(wa_id) if wa_id else None


def _of_the_nodes(server: Server, told: Health) -> Iterator[Finding]:
    for node in told.nodes:
        name = f"node {node.name}" if node.name else server.host
        role = f", {node.role}" if node.role else ""
        level = Level.OK if node.is_well else Level.TROUBLE
        step = None if node.is_well else "See the server's own log."
        yield Finding("server", level, f"{name} is {node.status}{role}", step)


def _of_the_version(told: Health) -> Iterator[Finding]:
    meaning = explain(Status.VALID, told.version)
    yield Finding("version", Level.OK, f"{told.version or 'an unknown version'}; {meaning}")


def _of_the_login(auth: Auth | None, has_token: bool) -> Iterator[Finding]:
    if not isinstance(auth, Login):
        yield Finding("login", Level.OK, "the token is accepted" if has_token else "it wants no token")
        return
    if auth.expires_at is None:
        yield Finding("login", Level.OK, "logged in; the server does not say until when")
        return
    is_soon = auth.expires_at - time.time() < EXPIRES_SOON_SECONDS
    words = f"logged in until {ZONE.minute(auth.expires_at)}{', renewed before that' if is_soon else ''}"
    yield Finding("login", Level.OK, words)


def _of_the_clock(told: Health) -> Iterator[Finding]:
    if told.clock_ahead is None:
        return
    if abs(told.clock_ahead) < MOST_SKEW_SECONDS:
        yield Finding("clock", Level.OK, "the server's clock agrees with this machine's")
        return
    which = "ahead of" if told.clock_ahead > 0 else "behind"
    words = f"the server's clock is {abs(told.clock_ahead):,.0f} seconds {which} this machine's"
    yield Finding("clock", Level.NOTE, words, "Set both by a time server: expiry and waits go by them.")


def _of_the_region(site: Site, home: str | None) -> Iterator[Finding]:
    if home is None:
        return
    if not site.has_region:
        yield Finding("region", Level.OK, f"registered in {home}; the profile names no region")
        return
    if are_read_alike(home, site.region):
        yield Finding("region", Level.OK, f"registered in {home}: numbers without + are read as the server reads them")
        return
    words = f"registered in {home}, but numbers without + are read as registered in {site.region}"
    yield Finding("region", Level.TROUBLE, words, f"Set the region of the profile to {home}.")
