"""Whom we believe that it is the server: what is trusted, and that nothing at all is said to anybody else."""

import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

import watui
from tests.tls import Listener, Shown, authority_file, self_signed, signed
from watui.client.auth import Auth, Credentials, Fixed, Login
from watui.client.contacts import ContactsClient
from watui.client.exchanges import Exchanges
from watui.client.failures import CertificateChanged, Failure, Unreachable, Untrusted
from watui.client.server import Server
from watui.client.transport import Transport
from watui.client.trust import SYSTEM, BadTrust, NoHandshake, Trust, fingerprint, presented, verify

pytestmark = pytest.mark.anyio

TOKEN, PASSWORD, NUMBER = "canary-token", "Canary-Pass1", "+16315551000"
ANSWER = b'{"contacts": [{"input": "+16315551000", "status": "valid"}]}'


class Row(NamedTuple):
    """A server, whom we believe, and what comes of it."""

    shown: Callable[[], Shown]
    trust: Callable[[Path], Trust]
    failure: type[Failure] | None = None
    words: str = ""


def by_file(name: str = "watui tests") -> Callable[[Path], Trust]:
    return lambda folder: Trust(ca_file=authority_file(folder, name))


def by_pin(shown: Callable[[], Shown]) -> Callable[[Path], Trust]:
    return lambda _: Trust(certificate=shown().certificate)


def by_system(_: Path) -> Trust:
    return SYSTEM


def pinned_authority(folder: Path) -> Trust:
    return Trust(certificate=authority_file(folder).read_text())


def expired() -> Shown:
    return signed(since=-10, until=-1)


def not_yet() -> Shown:
    return signed(since=1, until=10)


def other_host() -> Shown:
    return signed("wa.example.com")


def changed() -> Shown:
    return self_signed(serial=2)


def worn_out() -> Shown:
    return self_signed(until=-1)


TABLE = {
    "an authority in the file": Row(signed, by_file()),
    "the pinned certificate, of another name": Row(self_signed, by_pin(self_signed)),
    "the pinned certificate, signed by an unknown authority": Row(signed, by_pin(signed)),
    "the pinned certificate, signed and of another name": Row(other_host, by_pin(other_host)),
    "an unknown authority": Row(signed, by_system, Untrusted, "unable to get local issuer"),
    "a self-signed certificate": Row(self_signed, by_system, Untrusted, "self-signed|self signed"),
    "another authority in the file": Row(signed, by_file("others"), Untrusted, "unable to get local issuer"),
    "another host": Row(other_host, by_file(), Untrusted, "mismatch|not valid for"),
    "an expired certificate": Row(expired, by_file(), Untrusted, "expired"),
    "a certificate that is not valid yet": Row(not_yet, by_file(), Untrusted, "not yet valid"),
    "the pinned certificate, expired": Row(worn_out, by_pin(worn_out), Untrusted, "expired"),
    "another certificate than the pinned one": Row(changed, by_pin(self_signed), CertificateChanged, "has changed"),
    "one of the same authority as the pinned one": Row(other_host, by_pin(signed), CertificateChanged, "has changed"),
    "a certificate signed by the pinned one": Row(other_host, pinned_authority, CertificateChanged, "has changed"),
}


def auths() -> list[Auth]:
    return [Fixed(TOKEN), Login(lambda: Credentials("admin", PASSWORD))]


async def check(url: str, trust: Trust, auth: Auth) -> None:
    """Ask about a number as a run does."""
    server = Server.at(url)
    exchanges = Exchanges()
    client = ContactsClient(Transport(Server(server.url, trust=trust), exchanges, None, auth))
    try:
        await client.check([NUMBER])
    finally:
        await client.close()


async def failure_of(url: str, trust: Trust, auth: Auth) -> Failure | None:
    try:
        await check(url, trust, auth)
    except Failure as failure:
        return failure
    return None


async def test_nothing_leaves_before_the_server_is_trusted(tmp_path: Path) -> None:
    refused = [name for name, row in TABLE.items() if row.failure]
    read = 0
    for name in refused:
        row = TABLE[name]
        with Listener(row.shown()) as listener:
            for auth in auths():
                failure = await failure_of(listener.url, row.trust(tmp_path), auth)
                assert failure is not None, name
                assert type(failure) is row.failure, name
                assert re.search(row.words, failure.title), f"{name}: {failure.title}"
                assert not failure.may_have_worked
            assert listener.connections >= 2
        read += len(listener.read)
    print(f"\n{len(refused)} kinds of certificates refused with a token and with a login: {read} bytes were read")
    assert (len(refused), read) == (10, 0)


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.failure is None])
async def test_what_is_trusted_gets_the_request(name: str, tmp_path: Path) -> None:
    row = TABLE[name]
    with Listener(row.shown(), lambda _: ANSWER) as listener:
        await check(listener.url, row.trust(tmp_path), Fixed(TOKEN))
    assert f"Bearer {TOKEN}".encode() in listener.read
    assert NUMBER.encode() in listener.read


@pytest.mark.parametrize("auth", auths(), ids=["token", "login"])
async def test_https_where_plain_http_is_spoken_says_nothing(auth: Auth) -> None:
    with Listener(None) as listener:
        with pytest.raises(Unreachable, match="speaks plain http there"):
            await check(listener.url.replace("http:", "https:"), SYSTEM, auth)
        assert NUMBER.encode() not in listener.read
        assert b"uthorization" not in listener.read
        assert b"HTTP/" not in listener.read


async def test_plain_http_where_https_is_spoken_gets_no_answer() -> None:
    with Listener(self_signed()) as listener:
        with pytest.raises(Unreachable):
            await check(listener.url.replace("https:", "http:"), SYSTEM, Fixed(TOKEN))
        assert listener.read == b""


@pytest.mark.parametrize(("row", "failure"), [(name, TABLE[name].failure) for name in TABLE])
def test_shaking_hands_alone_comes_to_the_same(row: str, failure: type[Failure] | None, tmp_path: Path) -> None:
    with Listener(TABLE[row].shown()) as listener:
        trust = TABLE[row].trust(tmp_path)
        if failure is None:
            verify("127.0.0.1", listener.port, trust)
        else:
            with pytest.raises(ssl.SSLCertVerificationError) as caught:
                verify("127.0.0.1", listener.port, trust)
            assert caught.value.verify_message
    assert listener.read == b""


# The certificate that is shown


def test_what_is_presented_is_told_with_names_issuer_expiry_and_fingerprint() -> None:
    shown = signed("wa.example.com", until=400)
    with Listener(shown) as listener:
        found = presented("127.0.0.1", listener.port)
    assert listener.read == b""
    assert found.certificate.strip() == shown.certificate.strip()
    assert found.names == ("wa.example.com",)
    assert "watui tests" in found.issuer
    assert ssl.cert_time_to_seconds(found.until) > 0
    assert found.fingerprint == fingerprint(shown.certificate) == shown.fingerprint
    assert found.trouble is None


def test_a_name_in_the_subject_alone_is_told() -> None:
    with Listener(self_signed()) as listener:
        found = presented("127.0.0.1", listener.port)
    assert (found.names, found.issuer) == (("wa.example.com",), "wa.example.com")


@pytest.mark.parametrize("shown", [expired, not_yet, worn_out])
def test_a_certificate_that_could_not_be_pinned_says_why(shown: Callable[[], Shown]) -> None:
    with Listener(shown()) as listener:
        found = presented("127.0.0.1", listener.port)
    assert found.fingerprint == shown().fingerprint
    assert re.search("expired|not yet valid", found.trouble or "")


def test_where_no_tls_is_spoken_there_is_no_certificate() -> None:
    with Listener(None) as listener, pytest.raises(NoHandshake, match="speaks no TLS there"):
        presented("127.0.0.1", listener.port)


def test_where_nobody_listens_there_is_no_certificate() -> None:
    with Listener(None) as listener:
        port = listener.port
    with pytest.raises(NoHandshake, match=f"cannot reach 127.0.0.1:{port}"):
        presented("127.0.0.1", port)


async def test_a_certificate_that_changed_is_told_beside_the_pinned_one() -> None:
    with Listener(changed()) as listener, pytest.raises(CertificateChanged) as caught:
        await check(listener.url, Trust(certificate=self_signed().certificate), Fixed(TOKEN))
    failure = caught.value
    assert (failure.pinned, failure.shown) == (self_signed().fingerprint, changed().fingerprint)
    assert failure.pinned in failure.title
    assert failure.shown in failure.title
    assert "watui profiles trust" in failure.next_step


# What can't be trusted because it can't be read

GARBAGE = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("content", [None, b"", b"no certificate", GARBAGE.encode(), b"\xff\xfe"], ids=str)
def test_a_file_of_authorities_that_cannot_be_read_is_named(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadTrust, match=re.escape(str(path))):
        Trust(ca_file=path).context()
    with pytest.raises(BadTrust, match=re.escape(str(path))):
        Transport(Server("https://127.0.0.1:1", trust=Trust(ca_file=path)), Exchanges())


def two_certificates() -> str:
    return self_signed().certificate + changed().certificate


@pytest.mark.parametrize("ca_file", [None, Path("ca.pem")])
@pytest.mark.parametrize("content", ["", "no certificate", GARBAGE, "é", "two"])
def test_a_pinned_certificate_that_cannot_be_read_is_refused(content: str, ca_file: Path | None) -> None:
    trust = Trust(ca_file, two_certificates() if content == "two" else content)
    with pytest.raises(BadTrust, match="the pinned certificate can't be used"):
        trust.context()


def test_the_source_never_turns_verification_off() -> None:
    off = re.compile(r"verify\s*=\s*False|CERT_NONE|CERT_OPTIONAL|_create_unverified_context|verify_mode\s*=")
    files = sorted(Path(watui.__file__).parent.rglob("*.py"))
    found = [f"{file.name}: {line}" for file in files for line in file.read_text().splitlines() if off.search(line)]
    print(f"\nverification turned off in {len(found)} lines of {len(files)} files")
    assert found == []
    assert len(files) > 100
