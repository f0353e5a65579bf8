"""Where a server is and how to speak to it: a plain description."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from watui.client.dialects import DIALECTS, Dialect
from watui.contract.kinds import ServerKind

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
        if parts.query or parts.fragment:
            raise BadServer(f"a URL with ? or # in it cannot be a base URL; give one {example}")
        if token is not None and (not token or not token.isascii() or not token.isprintable() or " " in token):
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
    def is_local(self) -> bool:
        """Whether it is on this machine, so that no proxy may stand between."""
        return urlsplit(self.url).hostname in _LOOPBACK_HOSTS

    @property
    def address(self) -> tuple[str, int]:
        """Host name and port to connect to."""
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
