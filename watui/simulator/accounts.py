"""Who may speak to the server: users, their passwords and their tokens (contract section 4)."""

import base64
import binascii
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime

from watui.contract import errors
from watui.contract.models import Login, LoginRequest
from watui.contract.rules import MAX_API_KEY, MIN_API_KEY, TOKEN_SECONDS, is_password, is_username
from watui.simulator.envelope import Refusal

FACTORY_USER, FACTORY_PASSWORD = "admin", "secret"
DENIED = "the credentials or the token are missing, wrong or expired"


@dataclass
class Accounts:
    """The users of one server. `now` is in seconds since 1970 wherever it appears."""

    fixed_token: str | None = None
    """A token that is accepted from the start and never expires."""
    seed: int | None = None
    """Makes tokens the same each time; None makes them as good as chance can."""
    _passwords: dict[str, str] = field(default_factory=lambda: {FACTORY_USER: FACTORY_PASSWORD})
    _expires: dict[str, float] = field(default_factory=dict)
    _logins: int = 0

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
            self._passwords[user] = new_password
        token = self._new_token()
        self._expires[token] = now + TOKEN_SECONDS
        return Login(token, datetime.fromtimestamp(now + TOKEN_SECONDS, UTC).strftime("%Y-%m-%d %H:%M:%S+00:00"))

    def logout(self, authorization: str, now: float) -> None:
        """Revoke the token in `authorization`, and that alone. Raises Refusal."""
        self.require(authorization, now)
        self._expires.pop(_bearer(authorization), None)

    def require(self, authorization: str, now: float) -> None:
        """Raise Refusal unless `authorization` bears a token that is good."""
        token = _bearer(authorization)
        if self.fixed_token is not None and secrets.compare_digest(token.encode(), self.fixed_token.encode()):
            return
        if now >= self._expires.get(token, now):
            raise Refusal(errors.ACCESS_DENIED, DENIED)

    def require_for_health(self, authorization: str, now: float) -> None:
        """Raise Refusal unless `authorization` bears a good token, or an API key of the right length."""
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() == "apikey" and MIN_API_KEY <= len(key.strip()) <= MAX_API_KEY:
            return
        self.require(authorization, now)

    def expire(self) -> None:
        """Make every token that a login gave useless, as after seven days."""
        self._expires.clear()

    def _new_token(self) -> str:
        self._logins += 1
        return secrets.token_urlsafe(24) if self.seed is None else f"token-{self.seed}-{self._logins}"


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Refusal(errors.ACCESS_DENIED, DENIED) from None
    if scheme.lower() != "basic" or not colon or not is_username(user):
        raise Refusal(errors.ACCESS_DENIED, DENIED)
    return user, password
