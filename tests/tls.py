"""Certificates of every sort, and a server that writes down each byte that it can decrypt."""

import contextlib
import hashlib
import socket
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import NamedTuple, Self

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LOOPBACK = "127.0.0.1"
DAY = timedelta(days=1)

CLIENT_HELLO = b"\x16"
"""Begins a handshake, to which somebody who speaks plain http answers in plain http."""

ANSWER = "HTTP/1.1 {} Whatever\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}Connection: close\r\n\r\n"


class Shown(NamedTuple):
    """What a server shows of itself."""

    certificate: str
    """As PEM, alone."""
    context: ssl.SSLContext

    @property
    def fingerprint(self) -> str:
        """As openssl writes it."""
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.certificate)).hexdigest().upper()
        return ":".join(digest[place : place + 2] for place in range(0, 64, 2))


@cache
def authority(name: str = "watui tests") -> trustme.CA:
    """Return an authority that no system knows; one for each name."""
    return trustme.CA(organization_name=name)


def authority_file(folder: Path, name: str = "watui tests") -> Path:
    path = folder / f"{name}.pem"
    path.write_bytes(authority(name).cert_pem.bytes())
    return path


@cache
def signed(host: str = LOOPBACK, since: int = -1, until: int = 1, by: str = "watui tests", serial: int = 0) -> Shown:
    """Return a certificate that an authority has signed, for `host`, good from day `since` to day `until`."""
    now = datetime.now(UTC).replace(tzinfo=None)
    issued = authority(by).issue_cert(host, not_before=now + since * DAY, not_after=now + until * DAY)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    issued.configure_cert(context)
    return Shown(issued.cert_chain_pems[0].bytes().decode(), context)


@cache
def self_signed(host: str = "wa.example.com", until: int = 1, serial: int = 1) -> Shown:
    """Return a certificate that a server has signed itself, as its own authority; another one for each `serial`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - 10 * DAY)
        .not_valid_after(now + until * DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "server.pem"
        path.write_bytes(secret + pem)
        context.load_cert_chain(path)
    return Shown(pem.decode(), context)


class Listener:
    """A server on loopback that shows a certificate, answers whoever trusts it, and writes down what it can read."""

    def __init__(
        self,
        shown: Shown | None,
        answer: Callable[[bytes], bytes] = lambda _: b"{}",
        status: int = 200,
        headers: str = "",
    ) -> None:
        self.shown = shown
        """None for one that speaks plain http."""
        self.connections = 0
        self.requests: list[bytes] = []
        """Every byte that came, decrypted, by connection."""
        self._answer = answer
        self._status, self._headers = status, headers
        self._socket = socket.create_server((LOOPBACK, 0))
        self.port: int = self._socket.getsockname()[1]
        self.url = f"{'https' if shown else 'http'}://{LOOPBACK}:{self.port}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)

    @property
    def read(self) -> bytes:
        return b"".join(self.requests)

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            with plain, contextlib.suppress(OSError):
                plain.settimeout(5)
                self._talk(self.shown.context.wrap_socket(plain, server_side=True) if self.shown else plain)

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            self.requests.append(b"")
            while not _is_whole(self.requests[-1]) and not self.requests[-1].startswith(CLIENT_HELLO):
                if not (data := connection.recv(65536)):
                    return
                self.requests[-1] += data
            body = self._answer(self.requests[-1])
            connection.sendall(ANSWER.format(self._status, len(body), self._headers).encode() + body)


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    sizes = [line.partition(b":")[2] for line in head.lower().splitlines() if line.startswith(b"content-length")]
    return bool(end) and len(body) >= int(sizes[0] if sizes else 0)
