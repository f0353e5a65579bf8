"""Profiles and what is kept of them are changed together."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from watui.client.auth import Token
from watui.settings.paths import Paths
from watui.settings.secrets import Secret, Secrets, Store
from watui.settings.settings import BadSettings, load, save, save_profile
from watui.setup import Setup
from watui.sites import find_token

SHOP, URL = "shop", "https://wa.example.com:9090"


@pytest.fixture
def setup(paths: Paths) -> Setup:
    return Setup(paths, Secrets(paths.secrets, {}))


@pytest.mark.parametrize(
    ("url", "has_moved"),
    [
        (URL, False),
        (f"{URL}/v1/contacts", False),
        ("https://WA.example.com:9090", False),
        ("https://elsewhere.example.com:9090", True),
        ("https://wa.example.com:9443", True),
        ("http://wa.example.com:9090", True),
    ],
)
def test_another_server_gets_nothing_of_the_old_one(url: str, has_moved: bool, setup: Setup) -> None:
    setup.write(SHOP, {"url": URL, "user": "admin"})
    setup.keep_login(SHOP, "admin", "Canary-Pass1", Token("kept"), Store.FILE)
    assert setup.write(SHOP, {"url": url}) is has_moved
    found = [setup.secrets.find(SHOP, secret) for secret in (Secret.PASSWORD, Secret.LOGIN)]
    assert [each is None for each in found] == [has_moved, has_moved]


def test_an_empty_text_takes_a_member_out(setup: Setup) -> None:
    setup.write(SHOP, {"url": URL, "user": "admin", "word": "HERE", "region": "de"})
    setup.write(SHOP, {"user": "", "word": ""})
    profile = setup.profile(SHOP)
    assert (profile.user, profile.word, profile.region) == (None, None, "DE")


@pytest.mark.parametrize(
    "members",
    [
        {"word": "\x1b]0;x\x07"},
        {"user": "a\nb"},
        {"ca_file": "~nobodyhere/ca.pem"},
        {"url": "http://wa.example.com", "certificate": "-----BEGIN CERTIFICATE-----"},
        {"rate": 0.0},
    ],
    ids=["word", "user", "ca_file", "certificate", "rate"],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(members: dict[str, str], setup: Setup, paths: Paths) -> None:
    setup.write(SHOP, {"url": URL})
    before = paths.settings.read_bytes()
    with pytest.raises((BadSettings, ValueError)):
        setup.write(SHOP, members)
    assert paths.settings.read_bytes() == before


def test_the_simulator_cannot_be_removed(setup: Setup) -> None:
    with pytest.raises(BadSettings, match="always there"):
        setup.remove("simulator")


def test_the_token_of_one_user_is_of_no_use_to_another(setup: Setup) -> None:
    setup.write(SHOP, {"url": URL, "user": "alice"})
    setup.keep_login(SHOP, "alice", "Canary-Pass1", Token("of-alice"), Store.FILE)
    save_profile(setup.paths.settings, SHOP, {"user": "bob"})
    assert find_token(SHOP, setup.secrets, f"bob at {URL}") is None
    assert find_token(SHOP, setup.secrets, f"alice at {URL}") is not None


def test_what_is_remembered_goes_before_what_was_kept(setup: Setup) -> None:
    setup.write(SHOP, {"url": URL})
    setup.keep_token(SHOP, "an-older-token", Store.FILE)
    setup.keep_login(SHOP, "admin", "Canary-Pass1", Token("fresh"), None)
    assert setup.secrets.find(SHOP, Secret.TOKEN) is None
    found = setup.secrets.find(SHOP, Secret.PASSWORD)
    assert found is not None
    assert found.value == "Canary-Pass1"


def test_a_variable_is_for_the_profile_that_is_used_alone(paths: Paths) -> None:
    secrets = Secrets(paths.secrets, {"WATUI_TOKEN": "canary"}, given_for=SHOP)
    assert secrets.find("other", Secret.TOKEN) is None
    assert secrets.find(SHOP, Secret.TOKEN) is not None


def test_two_writers_at_once_lose_nothing(paths: Paths) -> None:
    from concurrent.futures import ThreadPoolExecutor

    names = [f"p{place}" for place in range(12)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: save_profile(paths.settings, name, {"url": URL}), names))
    assert sorted(load(paths.settings, {}).profiles) == sorted(names)


def test_settings_that_are_nested_without_end_are_bad_settings(paths: Paths) -> None:
    save(paths.settings, "theme", "x")
    path: Path = paths.settings
    path.write_text("a = " + "[" * 5_000 + "]" * 5_000)
    with pytest.raises(BadSettings):
        load(path, {})


def test_a_login_is_kept_in_a_file_also_where_a_keyring_fails(
    setup: Setup, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ring:
        priority = 5

        def get_password(self, *_: str) -> str:
            raise OSError("locked")

    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_keyring=Ring))
    setup.write(SHOP, {"url": URL})
    assert "shop.password" in setup.keep_login(SHOP, "admin", "Canary-Pass1", Token("kept"), Store.FILE)
    assert {path.name for path in paths.secrets.iterdir()} == {"shop.password", "shop.login"}
