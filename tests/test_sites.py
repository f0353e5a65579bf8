"""A profile becomes a server to ask: what is made of it, what is refused in which words, and who we are there."""

from pathlib import Path
from typing import Any

import pytest

from tests.tls import self_signed
from watui.client.auth import Fixed, Login, Token
from watui.client.failures import NoCredentials
from watui.client.server import NO_PROXY, BadServer, Server
from watui.client.trust import SYSTEM, Trust
from watui.contract.conversion import UnknownRegion
from watui.contract.kinds import ServerKind
from watui.settings.paths import Paths
from watui.settings.secrets import Secret, Secrets, Store
from watui.settings.settings import SIMULATOR, BadSettings, Profile, Settings
from watui.sites import (
    LONGEST_NAME,
    NO_MARK,
    Mark,
    NoSuchProfile,
    check_profile,
    find_auth,
    find_token,
    keep_token,
    server_of,
    site_at,
    site_of,
)

OWNER = "admin at https://wa.example.com:9090"
URL, TURN = "https://wa.example.com:9090", "https://whatsapp.turn.io"


@pytest.fixture
def secrets(paths: Paths) -> Secrets:
    return Secrets(paths.secrets, {})


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"url": URL}, Server(URL)),
        ({"url": f" {URL}/v1/contacts/ "}, Server(URL)),
        (
            {"url": "https://whatsapp.turn.io/v1", "kind": ServerKind.TURN},
            Server("https://whatsapp.turn.io", kind=ServerKind.TURN),
        ),
        ({"url": URL, "ca_file": "/etc/ca.pem"}, Server(URL, trust=Trust(Path("/etc/ca.pem")))),
        ({"url": URL, "certificate": "PEM"}, Server(URL, trust=Trust(certificate="PEM"))),
        ({"url": URL, "proxy": "http://proxy:3128"}, Server(URL, proxy="http://proxy:3128")),
        ({"url": URL, "proxy": "none"}, Server(URL, proxy=NO_PROXY)),
        ({"url": URL, "rate": 2.5}, Server(URL, rate=2.5)),
        ({}, None),
    ],
)
def test_a_profile_says_where_its_server_is(members: dict[str, Any], expected: Server | None) -> None:
    assert server_of(Profile(**members)) == expected


def test_a_file_of_authorities_may_be_in_the_home() -> None:
    server = server_of(Profile(URL, ca_file="~/ca.pem"))
    assert server is not None
    assert server.trust == Trust(Path.home() / "ca.pem")


def test_a_profile_goes_before_the_settings_and_a_region_of_the_moment_before_both(secrets: Secrets) -> None:
    own = Profile(URL, "DE", True, batch_size=7, word="PRODUCTION", colour="red")
    settings = Settings("IN", 100, profiles={"own": own, "plain": Profile(URL)})
    site = site_of(settings, "own", secrets)
    assert site[:6] == ("own", Server(URL), "DE", True, 7, Mark("PRODUCTION", "red"))
    assert site.server_id == URL
    assert site_of(settings, "own", secrets, "gb").region == "GB"
    assert site_of(settings, "plain", secrets)[:6] == ("plain", Server(URL), "IN", False, 100, NO_MARK)
    guarded = Settings(read_only=True, profiles={"plain": Profile(URL)})
    assert site_of(guarded, "plain", secrets).read_only


def test_the_simulator_is_always_there_and_needs_no_login(secrets: Secrets) -> None:
    site = site_of(Settings(), SIMULATOR, secrets)
    assert (site.server, site.server_id, site.find_auth) == (None, SIMULATOR, None)


def test_a_server_that_no_profile_knows_goes_by_the_settings() -> None:
    site = site_at(Settings("IN", 9, read_only=True), Server(URL, "t0k"))
    assert site[:5] == ("wa.example.com:9090", Server(URL, "t0k"), "IN", True, 9)


def test_a_name_that_no_profile_has_is_told_beside_those_that_there_are(secrets: Secrets) -> None:
    with pytest.raises(NoSuchProfile, match="there is no profile shop: the settings know simulator, own"):
        site_of(Settings(profiles={"own": Profile(URL)}), "shop", secrets)


REFUSED: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    ("shop", {"url": "wa.example.com"}, BadServer, "not an http or https URL"),
    ("shop", {"url": "ftp://wa.example.com"}, BadServer, "not an http or https URL"),
    ("shop", {"url": "https://admin:canary@wa.example.com"}, BadServer, "user:password@"),
    ("shop", {"url": "https://[canary"}, BadServer, "not a URL"),
    ("shop", {"url": f"{URL}/?a=b"}, BadServer, "cannot be a base URL"),
    ("shop", {"url": URL, "proxy": "http://me:canary@proxy:3128"}, BadServer, "secrets don't stand in settings"),
    ("shop", {"url": URL, "proxy": "proxy:3128"}, BadServer, "not the URL of a proxy"),
    ("shop", {"url": URL, "proxy": "http://proxy"}, BadServer, "not the URL of a proxy"),
    ("shop", {"url": URL, "proxy": "socks5://proxy:1080"}, BadServer, "not the URL of a proxy"),
    ("shop", {"url": URL, "region": "XX"}, UnknownRegion, "XX"),
    ("shop", {"url": URL, "ca_file": "/nowhere/ca.pem"}, BadServer, "/nowhere/ca.pem can't be used"),
    ("shop", {"url": URL, "certificate": "no certificate"}, BadServer, "the pinned certificate can't be used"),
    (
        "shop",
        {"url": TURN, "kind": ServerKind.TURN, "user": "admin"},
        BadSettings,
        "Turn.io does not log users in",
    ),
    ("shop", {"url": URL, "kind": ServerKind.UNOAPI, "user": "admin"}, BadSettings, "leave out the user"),
    ("shop", {}, BadSettings, "needs a url"),
    (SIMULATOR, {"url": URL}, BadSettings, "give a server another name"),
    ("", {"url": URL}, BadSettings, "visible characters"),
    (" ", {"url": URL}, BadSettings, "visible characters"),
    ("a\x1bb", {"url": URL}, BadSettings, "visible characters"),
    ("x" * (LONGEST_NAME + 1), {"url": URL}, BadSettings, "visible characters"),
]


@pytest.mark.parametrize(("name", "members", "kind", "words"), REFUSED)
def test_a_profile_that_cannot_be_used_is_refused_and_says_why(
    name: str, members: dict[str, Any], kind: type[Exception], words: str
) -> None:
    with pytest.raises(kind, match=words) as caught:
        check_profile(name, Profile(**members))
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("shop", {"url": URL, "region": "DE", "user": "admin"}),
        ("shop", {"url": "http://wa.example.com", "ca_file": "/nowhere/ca.pem"}),
        ("shop", {"url": TURN, "kind": ServerKind.TURN}),
        ("x" * LONGEST_NAME, {"url": URL}),
        ("店 / ../", {"url": URL}),
        (SIMULATOR, {"region": "DE"}),
    ],
)
def test_any_other_profile_may_be_used(name: str, members: dict[str, Any]) -> None:
    check_profile(name, Profile(**members))
    check_profile("shop", Profile(URL, certificate=self_signed().certificate))


# Who we are there


async def no_post(*_: object) -> Any:
    raise AssertionError("nothing is to be sent")


@pytest.mark.anyio
async def test_a_token_that_a_person_gave_goes_before_a_login(secrets: Secrets) -> None:
    assert isinstance(find_auth("shop", Profile(URL, user="admin"), secrets), Login)
    assert isinstance(find_auth("shop", Profile(URL), secrets), Fixed)
    secrets.keep("shop", Secret.TOKEN, "given", Store.FILE)
    auth = find_auth("shop", Profile(URL, user="admin"), secrets)
    assert isinstance(auth, Fixed)
    assert await auth.token(no_post) == "given"


@pytest.mark.anyio
async def test_the_token_of_the_latest_login_is_used_again(secrets: Secrets) -> None:
    secrets.keep("shop", Secret.PASSWORD, "Canary-Pass1", Store.FILE)
    keep_token("shop", secrets, OWNER, Token("kept", 9e9, 9.1e9))
    assert find_token("shop", secrets, OWNER) == Token("kept", 9e9, 9.1e9, OWNER)
    assert find_token("shop", secrets, "bob at https://elsewhere.example.com") is None
    assert await find_auth("shop", Profile(URL, user="admin"), secrets).token(no_post) == "kept"


@pytest.mark.parametrize("kept", ["", "{", "[]", '{"value": 1}', "token"])
def test_a_kept_token_that_cannot_be_read_is_no_token(kept: str, secrets: Secrets) -> None:
    secrets.keep("shop", Secret.LOGIN, kept, Store.FILE)
    assert find_token("shop", secrets) is None


def test_the_token_of_a_login_is_kept_only_where_the_password_is(paths: Paths, secrets: Secrets) -> None:
    given = Secrets(paths.secrets, {"WATUI_PASSWORD": "Canary-Pass1"})
    for each in (secrets, given):
        keep_token("shop", each, OWNER, Token("fresh"))
    assert not paths.secrets.exists()


@pytest.mark.parametrize("profile", [Profile(URL), Profile(URL, user="admin")])
def test_a_token_that_cannot_stand_in_a_header_is_refused(profile: Profile, paths: Paths) -> None:
    with pytest.raises(NoCredentials, match="the variable WATUI_TOKEN holds characters") as caught:
        find_auth("shop", profile, Secrets(paths.secrets, {"WATUI_TOKEN": "canary\r\nX: y"}))
    assert "canary" not in str(caught.value)


@pytest.mark.anyio
async def test_a_file_that_others_can_read_is_a_failure_like_others(paths: Paths, secrets: Secrets) -> None:
    secrets.keep("shop", Secret.PASSWORD, "Canary-Pass1", Store.FILE)
    (paths.secrets / "shop.password").chmod(0o644)
    auth = find_auth("shop", Profile(URL, user="admin"), secrets)
    with pytest.raises(NoCredentials, match="chmod 600"):
        await auth.token(no_post)


def test_without_a_word_everything_is_believed_that_the_system_believes() -> None:
    server = server_of(Profile(URL))
    assert server is not None
    assert server.trust == SYSTEM
