"""Logs in and out at the server of a profile, and keeps what that gives."""

from __future__ import annotations

import asyncio
import time

from watui.client import auth
from watui.client.auth import Credentials, Token
from watui.client.dialects import Ability
from watui.client.exchanges import Exchanges
from watui.client.failures import NotOffered
from watui.client.transport import Transport
from watui.settings.secrets import Secret, Secrets
from watui.sites import Site, find_token


async def log_in(
    site: Site, credentials: Credentials, new_password: str | None = None, exchanges: Exchanges | None = None
) -> Token:
    """Log in, once, and return the token. Raises WrongPassword, PasswordChangeRequired and every other Failure."""
    transport = await _transport(site, exchanges)
    try:
        return await auth.log_in(transport.post, credentials, new_password, now=time.time())
    finally:
        await transport.close()


async def log_out(site: Site, secrets: Secrets, exchanges: Exchanges | None = None) -> bool:
    """Revoke the token of the latest login and forget it; return whether there was one.

    It is forgotten also where the server can't be told. Raises Failure and BadSecret.
    """
    token = await asyncio.to_thread(find_token, site.profile, secrets)
    if token is None:
        return False
    await asyncio.to_thread(secrets.forget, site.profile, Secret.LOGIN)
    transport = await _transport(site, exchanges)
    try:
        await auth.log_out(transport.post, token.value)
    finally:
        await transport.close()
    return True


async def _transport(site: Site, exchanges: Exchanges | None) -> Transport:
    """Return a transport for a request that brings its own credentials. Raises NotOffered and BadTrust."""
    assert site.server is not None, "nobody logs in at the embedded simulator"
    if (why := site.server.dialect.why_not(Ability.LOGIN)) is not None:
        raise NotOffered(why)
    return await asyncio.to_thread(Transport, site.server, exchanges or Exchanges())
