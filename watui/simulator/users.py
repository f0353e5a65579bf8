"""Who may speak to the server: users, their passwords and their tokens (contract section 4)."""

import base64
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from watui.contract import errors
from watui.contract.models import Login, LoginRequest
from watui.contract.rules import MAX_API_KEY, MIN_API_KEY, TOKEN_SECONDS, is_password, is_username
from watui.simulator.envelope import Refusal
from watui.simulator.events import Began, Event, LoggedIn, LoggedOut, PasswordChanged, TokensExpired

FACTORY_USER, FACTORY_PASSWORD = "admin", "secret"
DENIED = "the credentials or the token are missing, wrong or expired"


class Users:
    """The users of one server. `now` is in seconds since 1970 wherever it appears.

    `fixed_token` is accepted from the start and never expires. A `seed` makes tokens the same each time; without one
    they are as good as chance can make them. What changes is an Event that goes to `happen`, which must bring it back
    to `apply`.
    """

    def __init__(
        self, fixed_token: str | None, seed: Callable[[], int] | None, happen: Callable[[Event], None]
    ) -> None:
        self._fixed_token = fixed_token
        self._seed = seed
        self._happen = happen
        self._passwords = {FACTORY_USER: FACTORY_PASSWORD}
        self._expires: dict[str, float] = {}
        self._logins = 0

    def apply(self, event: Event) -> None:
        """Take note of what happened."""
        match event:
            case Began():
                self._passwords = {FACTORY_USER: FACTORY_PASSWORD}
                self._expires.clear()
                self._logins = 0
            case PasswordChanged(_, user, password):
                self._passwords[user] = password
            case LoggedIn(at, token):
                self._logins += 1
                self._expires[token] = at + TOKEN_SECONDS
            case LoggedOut(_, token):
                self._expires.pop(token, None)
            case TokensExpired():
                self._expires.clear()

    def login(self, authorization: str, asked: LoginRequest, now: float) -> Login:
        """Return a new token for the user in a Basic `authorization`; earlier ones stay good. Raises Refusal."""
        user, password = _basic(authorization)
        known = self._passwords.get(user)
        if known is None or not secrets.compare_digest(known.encode(), password.encode()):
            raise Refusal(errors.ACCESS_DENIED, DENIED)
        new_password = asked.new_password
        if new_password is None and known == FACTORY_PASSWORD:
            raise Refusal(errors.PASSWORD_CHANGE, "Password must be changed")
        if new_password is not None and (new_password != known or known == FACTORY_PASSWORD):
            if not is_password(new_password):
                raise Refusal(errors.INVALID, "new_password does not fit the password rule")
            self._happen(PasswordChanged(now, user, new_password))
        token = self._new_token()
        self._happen(LoggedIn(now, token))
        return Login(token, datetime.fromtimestamp(now + TOKEN_SECONDS, UTC).strftime("%Y-%m-%d %H:%M:%S+00:00"))

    def logout(self, authorization: str, now: float) -> None:
        """Revoke the token in `authorization`, and that alone. Raises Refusal."""
        self.require(authorization, now)
        if (token := _bearer(authorization)) in self._expires:
            self._happen(LoggedOut(now, token))

    def require(self, authorization: str, now: float) -> None:
        """Raise Refusal unless `authorization` bears a token that is good."""
        token = _bearer(authorization)
        if self._fixed_token is not None and secrets.compare_digest(token.encode(), self._fixed_token.encode()):
            return
        if _has_key(authorization):
            raise Refusal(errors.ACCESS_DENIED, "an API key is good for health alone", 403)
        if now >= self._expires.get(token, now):
            raise Refusal(errors.ACCESS_DENIED, DENIED)

    def require_for_health(self, authorization: str, now: float) -> None:
        """Raise Refusal unless `authorization` bears a good token, or an API key of the right length."""
        if not _has_key(authorization):
            self.require(authorization, now)

    def expire(self, now: float) -> None:
        """Make every token that a login gave useless, as after seven days."""
        if self._expires:
            self._happen(TokensExpired(now))

    def _new_token(self) -> str:
        return secrets.token_urlsafe(24) if self._seed is None else f"token-{self._seed()}-{self._logins + 1}"


def _has_key(authorization: str) -> bool:
    scheme, _, key = authorization.partition(" ")
    return scheme.lower() == "apikey" and MIN_API_KEY <= len(key.strip()) <= MAX_API_KEY


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        raise Refusal(errors.ACCESS_DENIED, DENIED) from None
    if scheme.lower() != "basic" or not colon or not is_username(user):
        raise Refusal(errors.ACCESS_DENIED, DENIED)
    return user, password
