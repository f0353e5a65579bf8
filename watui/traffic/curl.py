"""A request as a command for curl, which a shell reads back to what was sent."""

import shlex

from watui.client.exchanges import Exchange
from watui.settings.secrets import Secret
from watui.traffic.words import headers

TOKEN_VARIABLE = Secret.TOKEN.variable
"""What a person sets to the token."""

_USER, _PASSWORD = "WATUI_USER", Secret.PASSWORD.variable

_OWN = frozenset({"host", "content-length", "connection", "user-agent", "accept-encoding"})
"""Headers that curl sends of itself."""

_GLOBS = frozenset("[]{}")


class CannotCopy(Exception):
    """A request that no command can repeat; the message says why."""


def curl(exchange: Exchange, token: str | None = None) -> str:
    """Return a command that sends the same request, for a shell like sh.

    In place of the token it names a variable, unless `token` is given: then that stands in it. Raises CannotCopy.
    """
    if exchange.request_left_out:
        raise CannotCopy("its body was too long to be kept whole")
    words = ["curl", "--include", "--path-as-is"]
    if _GLOBS & set(exchange.url):
        words.append("--globoff")
    if exchange.method != "GET":
        words += ["--request", exchange.method]
    parts = [shlex.join(words), shlex.quote(exchange.url)]
    parts += [f"--header {shlex.quote(f'{name}: {value}')}" for name, value in _wanted(exchange)]
    if exchange.secret is not None:
        parts.append(_secret(exchange.secret, token))
    if exchange.request:
        if b"***" in exchange.request and _is_login(exchange):
            raise CannotCopy("it holds a new password, which is not kept")
        parts.append(f"--data-raw {shlex.quote(exchange.request.decode('utf-8', 'replace'))}")
    return " \\\n  ".join(parts)


def names_token(exchange: Exchange) -> bool:
    """Whether a token went with a request."""
    return exchange.secret is not None and not _is_login(exchange)


def _wanted(exchange: Exchange) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers(exchange.request_head) if name.lower() not in _OWN]


def _is_login(exchange: Exchange) -> bool:
    return exchange.secret is not None and exchange.secret.partition(": ")[2].startswith("Basic ")


def _secret(header: str, token: str | None) -> str:
    start = header.removesuffix("***")
    if start.endswith(": Basic "):
        return f'--user "${_USER}:${_PASSWORD}"'
    if token is not None:
        return f"--header {shlex.quote(start + token)}"
    return f'--header "{start}${TOKEN_VARIABLE}"'
