"""How a server comes to know us: a token that a person gave, or one that a login gives (contract section 4)."""

import asyncio
import base64
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

import msgspec

from watui.client.answers import answer_of
from watui.client.exchanges import Reply
from watui.client.failures import (
    AccessDenied,
    Failure,
    NoCredentials,
    PasswordChangeRequired,
    Unusable,
    WrongPassword,
)
from watui.client.server import is_token
from watui.contract import errors
from watui.contract.models import LoginAnswer, LoginRequest

LOGIN_PATH, LOGOUT_PATH = "/v1/users/login", "/v1/users/logout"

RENEWED_AT = 0.9
"""Of a token's life: from then on another one is fetched before it is used."""

RENEWAL_RETRY_SECONDS = 60.0
"""After a renewal that failed, while the token there is still does."""

LEAST_LIFE_SECONDS = 5.0
"""Of a token: a server that refuses one sooner than that after its login would refuse the next one, too."""

Post = Callable[[str, bytes, str, tuple[str, ...]], Awaitable[Reply]]
"""Sends a request to a path, with a body and an `Authorization`, and what of both is written down nowhere."""


class Credentials(NamedTuple):
    """Who logs in."""

    user: str
    password: str

    @property
    def authorization(self) -> str:
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def __repr__(self) -> str:
        return f"Credentials({self.user!r})"


class Token(msgspec.Struct, frozen=True):
    """What a login gave."""

    value: str
    renew_at: float | None = None
    """From when on another one is wanted, in seconds since 1970; None where it is not known how long it lasts."""
    expires_at: float | None = None
    """In seconds since 1970, None where it can't be read."""
    owner: str = ""
    """Whose it is, and where: of no use to anybody else."""

    def __repr__(self) -> str:
        return f"Token(expires_at={self.expires_at})"


class Auth(Protocol):
    """Has the token that goes with a request."""

    async def token(self, post: Post) -> str | None:
        """Return the token to send, None for none. Raises Failure where there should be one and it can't be had."""

    async def another(self, refused: str | None, post: Post) -> str | None:
        """Return another token than that (None for none) which the server has refused, None for no other.

        Raises Failure.
        """

    @property
    def is_fresh(self) -> bool:
        """Whether the token is one of a moment ago: a server that refuses it may only need another moment."""


class Fixed:
    """A token that a person gave; None for a server that wants none."""

    def __init__(self, value: str | None) -> None:
        self._value = value

    async def token(self, post: Post) -> str | None:
        return self._value

    async def another(self, refused: str | None, post: Post) -> str | None:
        return None

    is_fresh = False


class Login:
    """A token that logins give: kept, renewed in time, and fetched once however many ask for it.

    Who waits for a login shares what comes of it, a failure included.

    `find` returns who logs in, None where that is not known; `keep` is told of every new token. Both are called in
    another thread. A password that the server refused is never sent again: another one is.
    """

    def __init__(
        self,
        find: Callable[[], Credentials | None],
        token: Token | None = None,
        keep: Callable[[Token], None] = lambda _: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._find = find
        self._token = token
        self._keep = keep
        self._now = now
        self._logged_in_at: float | None = None
        self._refused: tuple[Credentials, AccessDenied] | None = None
        self._failures = 0
        self._failure: Failure | None = None
        """The latest one of a login."""
        self._lock = asyncio.Lock()

    @property
    def expires_at(self) -> float | None:
        """When the present token expires, in seconds since 1970; None where that is not known."""
        return self._token.expires_at if self._token is not None else None

    @property
    def is_fresh(self) -> bool:
        return self._logged_in_at is not None and self._now() - self._logged_in_at < LEAST_LIFE_SECONDS

    async def token(self, post: Post) -> str | None:
        async with self._waiting():
            if self._token is None:
                await self._log_in(post)
            elif self._token.renew_at is not None and self._now() >= self._token.renew_at:
                await self._renew(self._token, post)
            return self._token.value if self._token is not None else None

    async def another(self, refused: str | None, post: Post) -> str | None:
        async with self._waiting():
            if self._token is None or self._token.value == refused:
                if self.is_fresh:
                    return None
                self._token = None
                await self._log_in(post)
            return self._token.value if self._token is not None else None

    @asynccontextmanager
    async def _waiting(self) -> AsyncIterator[None]:
        """Wait for a login that is under way. Raises the Failure that came of it, where there is no token since."""
        failures = self._failures
        async with self._lock:
            if self._token is None and self._failure is not None and self._failures > failures:
                raise self._failure
            try:
                yield
            except Failure as failure:
                self._failures += 1
                self._failure = failure
                raise

    async def _renew(self, token: Token, post: Post) -> None:
        """Log in before it must be; where that fails, the token that there is may do a while longer."""
        try:
            await self._log_in(post)
        except Failure:
            if token.expires_at is not None and self._now() >= token.expires_at:
                raise
            self._token = msgspec.structs.replace(token, renew_at=self._now() + RENEWAL_RETRY_SECONDS)

    async def _log_in(self, post: Post) -> None:
        credentials = await asyncio.to_thread(self._find)
        if credentials is None:
            raise NoCredentials("there is no password to log in with")
        if self._refused is not None and self._refused[0] == credentials:
            raise self._refused[1]
        try:
            self._token = await log_in(post, credentials, now=self._now())
        except AccessDenied as failure:
            self._refused = credentials, failure
            raise
        self._logged_in_at = self._now()
        await asyncio.to_thread(self._keep, self._token)


class Deferred:
    """What `find` finds when it is first needed, and again when that is refused: a person may have given another.

    `find` is called in another thread. It raises Failure.
    """

    def __init__(self, find: Callable[[], Auth]) -> None:
        self._find = find
        self._found: Auth | None = None
        self._looking = asyncio.Lock()

    async def token(self, post: Post) -> str | None:
        found = await self._first()
        try:
            return await found.token(post)
        except AccessDenied:
            other = await self._instead_of(found)
            if not isinstance(other, Fixed) or (token := await other.token(post)) is None:
                raise
            return token

    async def another(self, refused: str | None, post: Post) -> str | None:
        found = await self._first()
        if (token := await found.another(refused, post)) is not None:
            return token
        other = await self._instead_of(found)
        token = await other.token(post) if other is not None else None
        return token if token != refused else None

    @property
    def is_fresh(self) -> bool:
        return self._found is not None and self._found.is_fresh

    async def _first(self) -> Auth:
        async with self._looking:
            if self._found is None:
                self._found = await asyncio.to_thread(self._find)
            return self._found

    async def _instead_of(self, found: Auth) -> Auth | None:
        """Return what a person has given since, None where that is nothing else. A login reads its password anew."""
        async with self._looking:
            if self._found is found:
                try:
                    other = await asyncio.to_thread(self._find)
                except AccessDenied:
                    return None
                if isinstance(found, Login) and isinstance(other, Login):
                    return None
                self._found = other
            return self._found


async def log_in(post: Post, credentials: Credentials, new_password: str | None = None, *, now: float) -> Token:
    """Log in, once, and return the token; `new_password` replaces the one there is.

    Raises WrongPassword, PasswordChangeRequired, and every other Failure.
    """
    body = msgspec.json.encode(LoginRequest(new_password)) if new_password is not None else b""
    secrets = (credentials.password, *([new_password] if new_password is not None else []))
    reply = await post(LOGIN_PATH, body, credentials.authorization, secrets)
    try:
        users = answer_of(reply, LoginAnswer).users
    except AccessDenied as failure:
        if failure.code == errors.PASSWORD_CHANGE:
            title = f"{credentials.user} must have another password before the first login"
            raise PasswordChangeRequired(title, failure.code, failure.http_status) from None
        title = f"the server does not let {credentials.user} in: {failure.title}"
        raise WrongPassword(title, failure.code, failure.http_status) from None
    if not users or not is_token(users[0].token):
        raise Unusable("the answer to the login holds no token that can be used")
    login = users[0]
    expires_at = parse_expiry(login.expires_after)
    is_known = expires_at is not None and expires_at > now
    renew_at = now + RENEWED_AT * (expires_at - now) if is_known and expires_at is not None else None
    return Token(login.token, renew_at, expires_at)


async def log_out(post: Post, token: str) -> None:
    """Revoke a token, and that alone. Raises Failure."""
    answer_of(await post(LOGOUT_PATH, b"", f"Bearer {token}", ()), object)


def parse_expiry(text: str) -> float | None:
    """Return the moment that `expires_after` names, in seconds since 1970; None where it can't be read.

    Seen are `2018-03-01 15:29:26+00:00` and `2018-03-01T15:29:26Z`; without an offset it is taken for UTC.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.year not in _YEARS:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


_YEARS = range(1970, 9999)
"""In which a moment can be told in every zone of time."""

LEAST_SECRET = 8
"""Characters of a password by the rule of section 4. In place of what is shorter, stars would tell what they hide."""

_SECRETS = re.compile(rb'("(?:token|new_password|password)"\s*:\s*")(?:[^"\\]|\\.)*(")')


def without_secrets(body: bytes, secrets: Iterable[str]) -> bytes:
    """Return the body of a login, or of its answer, with stars in place of its secrets, and of these where quoted."""
    return _SECRETS.sub(rb"\1***\2", hide(body, secrets))


def hide(body: bytes, secrets: Iterable[str]) -> bytes:
    """Return `body` with stars in place of `secrets`, however JSON quotes them."""
    long_ones = [secret for secret in secrets if len(secret) >= LEAST_SECRET]
    forms = {form for secret in long_ones for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        body = body.replace(form.encode(), b"***")
    return body


def _forms(secret: str) -> Iterator[str]:
    quoted = (secret, json.dumps(secret, ensure_ascii=False)[1:-1], json.dumps(secret)[1:-1])
    for form in quoted:
        yield form
        yield form.replace("/", "\\/")
