"""Whom to believe that it is the server: the system's authorities, a file of them, or one pinned certificate.

The certificate to pin comes from the handshake alone (contract section 7): nothing is sent before it is trusted.
"""

import socket
import ssl
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

HANDSHAKE_SECONDS = 10.0


class BadTrust(ValueError):
    """A file or a certificate that can't be trusted because it can't be read; the message says why."""


class NoHandshake(Exception):
    """There was no certificate to be had; the message says why."""


class Trust(NamedTuple):
    """Whom to believe; without either, the authorities that the system knows."""

    ca_file: Path | None = None
    """Authorities (PEM), and no others."""
    certificate: str | None = None
    """The one certificate (PEM) that the server must show, whatever name it has."""

    def context(self) -> ssl.SSLContext:
        """Return what verifies a connection. Raises BadTrust."""
        try:
            if self.certificate is not None:
                return _pinned(self.certificate)
            return ssl.create_default_context(cafile=str(self.ca_file)) if self.ca_file else _of_the_system()
        except (OSError, ValueError, TypeError) as error:
            source = "the pinned certificate" if self.certificate is not None else self.ca_file
            raise BadTrust(f"{source} can't be used as a certificate: {_reason(error)}") from error

    @property
    def fingerprint(self) -> str | None:
        """Of the pinned certificate; None where there is none."""
        return fingerprint(self.certificate) if self.certificate is not None else None

    @property
    def known_fingerprint(self) -> str | None:
        """Of the pinned certificate; None where there is none that can be read."""
        try:
            return self.fingerprint
        except BadTrust:
            return None


SYSTEM = Trust()


class Presented(NamedTuple):
    """The certificate that a server shows."""

    certificate: str
    """As PEM."""
    names: tuple[str, ...]
    """Hosts that it is for; none where it can't be read further, because it is no longer, or not yet, valid."""
    issuer: str
    until: str
    """Last moment of its validity, as certificates write it."""
    trouble: str | None
    """Why it could not even be trusted if it were pinned, such as that it has expired; None while it could."""

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.certificate)


def fingerprint(certificate: str) -> str:
    """Return the SHA-256 fingerprint of a certificate (PEM), as pairs of hexadecimal digits. Raises BadTrust."""
    from hashlib import sha256

    try:
        digest = sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest().upper()
    except ValueError as error:
        raise BadTrust(f"that is no certificate: {error}") from error
    return ":".join(digest[place : place + 2] for place in range(0, len(digest), 2))


def verify(host: str, port: int, trust: Trust) -> None:
    """Shake hands with a server and say nothing else. It blocks, as `presented` does.

    Raises ssl.SSLCertVerificationError where its certificate is not trusted, OSError where there is no handshake, and
    BadTrust.
    """
    context = trust.context()
    with (
        socket.create_connection((host, port), HANDSHAKE_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host),
    ):
        return


def presented(host: str, port: int) -> Presented:
    """Return the certificate that a server shows in a handshake; nothing else is said to it. Raises NoHandshake.

    It blocks for up to a few HANDSHAKE_SECONDS: not for the event loop.
    """
    try:
        certificate = ssl.get_server_certificate((host, port), timeout=HANDSHAKE_SECONDS)
    except ssl.SSLError as error:
        why = "it speaks no TLS there" if error.reason == "WRONG_VERSION_NUMBER" else _reason(error)
        raise NoHandshake(f"no certificate from {host}:{port}: {why}") from error
    except OSError as error:
        raise NoHandshake(f"cannot reach {host}:{port}: {_reason(error)}") from error
    names, issuer, until, trouble = _read(host, port, certificate)
    return Presented(certificate, names, issuer, until, trouble)


def _read(host: str, port: int, certificate: str) -> tuple[tuple[str, ...], str, str, str | None]:
    """Read what is in a certificate, from a handshake in which nothing but that very certificate is trusted."""
    try:
        with (
            socket.create_connection((host, port), HANDSHAKE_SECONDS) as plain,
            _pinned(certificate).wrap_socket(plain, server_hostname=host) as secure,
        ):
            shown: dict[str, Any] = dict(secure.getpeercert() or {})
    except ssl.SSLCertVerificationError as error:
        return (), "", "", error.verify_message
    except (OSError, ValueError) as error:
        return (), "", "", _reason(error)
    names = tuple(str(name) for _, name in shown.get("subjectAltName", ())) or _values(
        shown.get("subject"), "commonName"
    )
    issuer = shown.get("issuer")
    words = ", ".join(_values(issuer, "organizationName") + _values(issuer, "commonName"))
    return names, words, str(shown.get("notAfter", "")), None


def _values(parts: Any, *wanted: str) -> tuple[str, ...]:
    """Return what stands beside the names that are `wanted`, in a part of what `getpeercert` gives."""
    return tuple(str(value) for part in parts or () for name, value in part or () if name in wanted)


class _PinnedContext(ssl.SSLContext):
    """Ends a connection right after the handshake, unless the certificate shown is the pinned one.

    What OpenSSL verifies is that the pinned one, which may be an authority's, has signed it.
    """

    pinned: bytes
    """As DER."""

    def require_pinned(self, shown: bytes | None) -> None:
        """Raise ssl.SSLCertVerificationError where another certificate is shown."""
        if shown != self.pinned:
            error = ssl.SSLCertVerificationError("another certificate than the pinned one")
            error.verify_message = "it is another one than the pinned one"
            raise error


class _PinnedObject(ssl.SSLObject):
    def do_handshake(self) -> None:
        super().do_handshake()
        assert isinstance(self.context, _PinnedContext)
        self.context.require_pinned(self.getpeercert(binary_form=True))


class _PinnedSocket(ssl.SSLSocket):
    def do_handshake(self, block: bool = False) -> None:
        super().do_handshake(block)
        assert isinstance(self.context, _PinnedContext)
        self.context.require_pinned(self.getpeercert(binary_form=True))


@cache
def _of_the_system() -> ssl.SSLContext:
    """Return what believes the system's authorities; to read them takes a twentieth of a second."""
    return ssl.create_default_context()


def _pinned(certificate: str) -> ssl.SSLContext:
    """Return what trusts one certificate and no other: that is more than a name in it could prove."""
    context = _PinnedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.sslobject_class, context.sslsocket_class = _PinnedObject, _PinnedSocket
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=certificate)
    if (count := context.cert_store_stats()["x509"]) != 1:
        raise ValueError(f"there are {count} of them, and one is pinned")
    context.pinned = ssl.PEM_cert_to_DER_cert(certificate.strip())
    return context


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.replace("_", " ").lower()
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
