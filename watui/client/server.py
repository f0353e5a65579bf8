"""Where a server is and how to speak to it: a plain description."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from watui.client.dialects import DIALECTS, Dialect
from watui.client.trust import SYSTEM, Trust
from watui.contract.kinds import ServerKind

NO_PROXY = "none"
"""In place of the URL of a proxy."""

_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class BadServer(ValueError):
    """A URL or a token that can't be used; the message says what to write instead."""


@dataclass(frozen=True)
class Server:
    """A server to ask."""

    url: str
    """Base URL without a trailing slash; the paths of the contract are added to it."""
    token: str | None = field(default=None, repr=False)
    """Sent with every request where there is one, as the kind of server wants it."""
    kind: ServerKind = ServerKind.OWN
    trust: Trust = SYSTEM
    """Whom to believe that it is the server, where the URL begins with https."""
    proxy: str | None = None
    """URL of the proxy between, NO_PROXY for none; None for what the environment says."""
    rate: float | None = None
    """Requests a second at most; None for what servers of its kind allow."""

    @property
    def dialect(self) -> Dialect:
        """How it is spoken to."""
        return DIALECTS[self.kind]

    @classmethod
    def at(cls, url: str, token: str | None = None, kind: ServerKind = ServerKind.OWN) -> "Server":
        """Return the server at `url`, which may end in the path of the API. Raises BadServer."""
        example = "such as https://wa.example.com:9090"
        try:
            url = url.strip()
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            # Its words may quote a password.
            raise BadServer(f"not a URL; give one {example}") from None
        if parts.username is not None or parts.password is not None:
            raise BadServer("a URL with user:password@ in it is refused: give the token in WATUI_TOKEN")
        if parts.scheme not in ("http", "https") or not host or not url.isprintable() or " " in url:
            raise BadServer(f"not an http or https URL; give one {example}")
        if not _is_host(host) or "{" in url:
            raise BadServer(f"there can be no host or path as in {url}; give one {example}")
        if parts.query or parts.fragment:
            raise BadServer(f"a URL with ? or # in it cannot be a base URL; give one {example}")
        if token is not None and not is_token(token):
            raise BadServer("the token holds characters that cannot stand in a header: check WATUI_TOKEN")
        contacts = DIALECTS[kind].contacts
        version = contacts.removesuffix("/contacts")
        path = parts.path.rstrip("/").removesuffix(contacts).removesuffix(version).rstrip("/")
        return cls(f"{parts.scheme}://{parts.netloc}{path}", token, kind)

    @property
    def host(self) -> str:
        """Host and port, for people."""
        return urlsplit(self.url).netloc

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, for a connection."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or (443 if self.is_secure else 80)

    @property
    def is_secure(self) -> bool:
        """Whether TLS stands between."""
        return self.url.startswith("https:")

    @property
    def is_behind_proxy(self) -> bool:
        """Whether a proxy stands between, by its own setting or by the environment's."""
        if self.is_local or self.proxy is not None:
            return not self.is_local and self.proxy != NO_PROXY
        from urllib.request import getproxies, proxy_bypass  # takes a while, and is seldom needed

        parts = urlsplit(self.url)
        is_named = bool(getproxies().keys() & {parts.scheme, "all"})
        return is_named and not proxy_bypass(parts.hostname or "")

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine, so that no proxy may stand between."""
        return urlsplit(self.url).hostname in _LOOPBACK_HOSTS


def _is_host(host: str) -> bool:
    """Whether a host can be looked for."""
    try:
        return bool(host.encode("idna")) and "%" not in host
    except UnicodeError:
        return False


def is_token(text: str) -> bool:
    """Whether `text` can stand as a token in a header."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def check_proxy(url: str) -> str:
    """Return the URL of a proxy, or NO_PROXY. Raises BadServer."""
    if url == NO_PROXY:
        return url
    try:
        parts = urlsplit(url)
        has_host = bool(parts.hostname) and parts.port is not None
    except ValueError:
        has_host = False
    if not has_host or parts.scheme not in ("http", "https") or not url.isprintable():
        raise BadServer(f"not the URL of a proxy; give one such as http://proxy.example.com:3128, or {NO_PROXY}")
    if parts.username is not None or parts.password is not None:
        raise BadServer("a proxy with user:password@ in its URL is refused: secrets don't stand in settings")
    return url
