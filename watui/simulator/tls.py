"""A certificate of the server's own, and the authority that signed it (contract section 7)."""

import ssl
from typing import NamedTuple

NAMES = ("localhost", "127.0.0.1", "::1")


class NoTls(Exception):
    """The library that makes certificates is not installed; the message says what to do."""


class Tls(NamedTuple):
    """What a server needs for HTTPS."""

    context: ssl.SSLContext
    ca: str
    """The authority's certificate as PEM."""
    certificate: str
    """The server's own, likewise."""


def make_tls(host: str) -> Tls:
    """Return a certificate for `host` and for loopback, made for this start. Raises NoTls."""
    try:
        import trustme
    except ImportError:
        raise NoTls("--tls needs one more package: pip install 'watui[tls]'") from None
    authority = trustme.CA(organization_name="watui", organization_unit_name="simulator")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    own = authority.issue_cert(*dict.fromkeys((*NAMES, host)))
    own.configure_cert(context)
    return Tls(context, authority.cert_pem.bytes().decode(), own.cert_chain_pems[0].bytes().decode())
