"""`watui login`, `logout` and `health`: what is kept where, what is told, and how each failure ends."""

import io
import json
import socket
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from tests.cli.conftest import Ended, Watui, assert_one_sentence
from tests.pty.terminal import Terminal
from tests.simulated import a_world, create_app
from tests.tls import Listener, self_signed
from watui.cli.exits import Exit
from watui.client.auth import LOGIN_PATH, LOGOUT_PATH
from watui.settings.paths import Paths
from watui.settings.secrets import Secret, Secrets, Store
from watui.settings.settings import Profile, load, save_profile
from watui.simulator.events import PasswordChanged
from watui.simulator.record import Record
from watui.simulator.serving import ServerThread

PASSWORD, WEAK, NEW = "Canary-Pass1", "weak", "Canary-New-Pass2"
NUMBER = "+16315551000"


class Site:
    """A simulated server where `admin` logs in."""

    def __init__(self, password: str | None = PASSWORD) -> None:
        self.world, self.record = a_world(latency=None), Record()
        app = create_app(self.world, record=self.record)
        if password is not None:
            self.world.happen(PasswordChanged(time.time(), "admin", password))
        self.thread = ServerThread(app)
        self.url = self.thread.url


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.thread.stop()


@pytest.fixture
def factory_site() -> Iterator[Site]:
    """One that nobody has logged in at yet."""
    site = Site(None)
    yield site
    site.thread.stop()


Type = Callable[..., Ended]


@pytest.fixture
def login(watui: Watui, monkeypatch: pytest.MonkeyPatch) -> Type:
    """Run a command with lines on standard input, and no token in the environment."""
    monkeypatch.delenv("WATUI_TOKEN")

    def call(*arguments: str, given: str = "") -> Ended:
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        return watui(*arguments)

    return call


def profile(paths: Paths, url: str, **members: str | None) -> None:
    save_profile(paths.settings, "shop", {"url": url, **members})


def kept(paths: Paths) -> dict[str, str]:
    folder = paths.secrets
    return {path.name: path.read_text() for path in folder.iterdir()} if folder.exists() else {}


LOGIN = ("login", "--profile", "shop")


def test_a_password_is_kept_with_its_token_and_used_from_then_on(login: Type, site: Site, paths: Paths) -> None:
    profile(paths, site.url)
    ended = login(*LOGIN, "--user", "admin", "--store", "file", given=f"{PASSWORD}\n")
    assert ended.code == Exit.DONE, ended.err
    assert "Logged in at shop as admin; the token expires 20" in ended.err
    assert str(paths.secrets / "shop.password") in ended.err
    assert load(paths.settings, {}).profiles == {"shop": Profile(site.url, "US", user="admin")}
    secrets = kept(paths)
    assert (set(secrets), secrets["shop.password"]) == ({"shop.password", "shop.login"}, PASSWORD)
    checked = login("check", "--number", NUMBER, "--profile", "shop", "--trace")
    assert checked.code == Exit.DONE, checked.err
    token = json.loads(secrets["shop.login"])["value"]
    for secret in (PASSWORD, token):
        assert secret not in ended.out + ended.err + checked.out + checked.err
    assert site.record.requests[LOGIN_PATH] == 1


def test_a_first_login_takes_the_new_password_from_a_second_line(login: Type, factory_site: Site, paths: Paths) -> None:
    profile(paths, factory_site.url, user="admin")
    for given, words in (("secret\n", "on a second line"), (f"secret\n{WEAK}\n", "does not fit")):
        ended = login(*LOGIN, "--store", "file", given=given)
        assert_one_sentence(ended, Exit.USAGE)
        assert words in ended.err
        assert kept(paths) == {}
    ended = login(*LOGIN, "--store", "file", given=f"secret\n{NEW}\n")
    assert ended.code == Exit.DONE, ended.err
    assert kept(paths)["shop.password"] == NEW
    assert NEW not in ended.err


def test_nothing_is_kept_where_that_is_wanted(login: Type, site: Site, paths: Paths) -> None:
    profile(paths, site.url, user="admin")
    ended = login(*LOGIN, "--store", "none", given=f"{PASSWORD}\n")
    assert ended.code == Exit.DONE
    assert "Nothing is kept: give the password as WATUI_PASSWORD" in ended.err
    assert kept(paths) == {}


def test_a_token_is_kept_where_there_is_no_user(login: Type, site: Site, paths: Paths) -> None:
    profile(paths, site.url)
    ended = login(*LOGIN, "--store", "file", given="canary-token\n")
    assert ended.code == Exit.DONE
    assert kept(paths) == {"shop.token": "canary-token"}
    assert "canary-token" not in ended.err
    assert site.record.requests_made == 0


def test_a_login_takes_the_place_of_a_token_that_was_given(login: Type, site: Site, paths: Paths) -> None:
    profile(paths, site.url)
    login(*LOGIN, "--store", "file", given="made-up\n")
    assert login("check", "--number", NUMBER, "--profile", "shop").code == Exit.REFUSED
    assert login(*LOGIN, "--user", "admin", "--store", "file", given=f"{PASSWORD}\n").code == Exit.DONE
    assert set(kept(paths)) == {"shop.password", "shop.login"}
    assert login("check", "--number", NUMBER, "--profile", "shop").code == Exit.DONE


@pytest.mark.parametrize("user", [None, "admin"])
def test_plain_text_is_never_chosen_without_a_word(user: str | None, login: Type, site: Site, paths: Paths) -> None:
    profile(paths, site.url, user=user)
    ended = login(*LOGIN, given=f"{PASSWORD}\n")
    assert_one_sentence(ended, Exit.USAGE)
    assert "--store file" in ended.err
    assert kept(paths) == {}
    assert site.record.requests_made == 0
    ended = login(*LOGIN, "--store", "keyring", given=f"{PASSWORD}\n")
    assert_one_sentence(ended, Exit.USAGE)
    assert kept(paths) == {}


@pytest.mark.parametrize(
    ("user", "store", "given", "code", "words"),
    [
        ("admin", "file", "Wrong-Pass1\n", Exit.REFUSED, "does not let admin in"),
        ("admin", "file", "", Exit.USAGE, "standard input is empty"),
        (None, "file", "", Exit.USAGE, "standard input is empty"),
        (None, "file", "a b\n", Exit.USAGE, "cannot stand in a header"),
        (None, "none", "t0k\n", Exit.USAGE, "WATUI_TOKEN"),
    ],
)
def test_what_cannot_be_used_is_told_and_nothing_is_kept(
    user: str | None, store: str, given: str, code: Exit, words: str, login: Type, site: Site, paths: Paths
) -> None:
    profile(paths, site.url, user=user)
    ended = login(*LOGIN, "--store", store, given=given)
    assert_one_sentence(ended, code)
    assert words in ended.err
    assert "Wrong-Pass1" not in ended.err
    assert kept(paths) == {}
    assert site.record.requests[LOGIN_PATH] == (code == Exit.REFUSED)


@pytest.mark.parametrize("command", ["login", "logout"])
def test_nobody_logs_in_at_the_simulator_or_nowhere(command: str, login: Type) -> None:
    for name in ("simulator", "nobody"):
        ended = login(command, "--profile", name)
        assert_one_sentence(ended, Exit.USAGE)


def test_a_gateway_logs_nobody_in(login: Type, paths: Paths) -> None:
    profile(paths, "https://whatsapp.turn.io", kind="turn")
    ended = login(*LOGIN, "--user", "admin", "--store", "file", given=f"{PASSWORD}\n")
    assert_one_sentence(ended, Exit.USAGE)
    assert load(paths.settings, {}).profiles["shop"].user is None


def test_a_password_is_not_sent_to_whom_nobody_trusts(login: Type, paths: Paths) -> None:
    with Listener(self_signed()) as listener:
        profile(paths, listener.url, user="admin")
        ended = login(*LOGIN, "--store", "file", given=f"{PASSWORD}\n")
    assert_one_sentence(ended, Exit.UNREACHABLE)
    assert "watui profiles trust" in ended.err
    assert (listener.read, kept(paths)) == (b"", {})


# Logout


def test_a_logout_revokes_and_forgets_the_token_and_keeps_the_password(login: Type, site: Site, paths: Paths) -> None:
    profile(paths, site.url)
    assert "No login at shop" in login("logout", "--profile", "shop").err
    login(*LOGIN, "--user", "admin", "--store", "file", given=f"{PASSWORD}\n")
    ended = login("logout", "--profile", "shop")
    assert ended.code == Exit.DONE
    assert "Logged out of shop." in ended.err
    assert kept(paths) == {"shop.password": PASSWORD}
    assert site.record.requests[LOGOUT_PATH] == 1
    ended = login("logout", "--profile", "shop", "--forget")
    assert ended.code == Exit.DONE
    assert "deleted" in ended.err
    assert kept(paths) == {}


def test_a_token_is_forgotten_though_the_server_cannot_be_told(login: Type, site: Site, paths: Paths) -> None:
    profile(paths, site.url)
    login(*LOGIN, "--user", "admin", "--store", "file", given=f"{PASSWORD}\n")
    site.thread.stop()
    ended = login("logout", "--profile", "shop", "--forget")
    assert ended.code == Exit.UNREACHABLE
    assert "could not be told" in ended.err
    assert kept(paths) == {}


# Health


def test_health_prints_a_row_for_each_node(login: Type, site: Site, paths: Paths) -> None:
    profile(paths, site.url)
    login(*LOGIN, "--user", "admin", "--store", "file", given=f"{PASSWORD}\n")
    ended = login("health", "--profile", "shop")
    assert ended.code == Exit.DONE, ended.err
    (row,) = map(json.loads, ended.out.splitlines())
    assert (row["status"], row["server_version"]) == ("connected", "v2.41")
    assert "login: logged in until" in ended.err


def test_health_of_the_simulator_needs_no_server(login: Type) -> None:
    ended = login("health")
    assert (ended.code, ended.out) == (Exit.DONE, "")


def test_health_tells_why_there_is_none(login: Type, site: Site, paths: Paths) -> None:
    profile(paths, site.url)
    assert_one_sentence(login("health", "--profile", "shop"), Exit.REFUSED)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert_one_sentence(login("health", "--url", f"http://127.0.0.1:{port}"), Exit.UNREACHABLE)


# At a terminal


def at_a_terminal(*arguments: str) -> Terminal:
    return Terminal(arguments, size=(200, 40))


def test_a_typed_password_is_not_echoed_and_plain_text_needs_a_yes(site: Site, paths: Paths) -> None:
    for answer, is_kept in ((b"n\r", False), (b"y\r", True)):
        profile(paths, site.url, user="admin", region="US")
        with at_a_terminal(*LOGIN) as terminal:
            terminal.until("Password of admin at shop")
            terminal.send(PASSWORD.encode() + b"\r")
            terminal.until(r"Keep it as plain text in .*\[y/N\]")
            terminal.send(answer)
            terminal.until_ended()
            assert terminal.exit_code == 0
            assert PASSWORD.encode() not in terminal.output
            assert (b"Nothing is kept:" in terminal.output) is not is_kept
        assert set(kept(paths)) == ({"shop.password", "shop.login"} if is_kept else set())


def test_a_first_login_asks_until_a_password_fits(factory_site: Site, paths: Paths) -> None:
    profile(paths, factory_site.url, user="admin", region="US")
    with at_a_terminal(*LOGIN, "--store", "file") as terminal:
        terminal.until("Password of admin")
        terminal.send(b"secret\r")
        terminal.until("New password")
        for typed in (WEAK, WEAK):
            terminal.send(typed.encode() + b"\r")
            terminal.until_quiet(0.3)
        terminal.until("That does not fit")
        for typed in (NEW, NEW):
            terminal.send(typed.encode() + b"\r")
            terminal.until_quiet(0.3)
        terminal.until_ended()
        assert terminal.exit_code == 0
        assert NEW.encode() not in terminal.output
        assert b"secret\r" not in terminal.output
    assert kept(paths)["shop.password"] == NEW


@pytest.mark.parametrize(("answer", "is_pinned"), [(b"y\r", True), (b"\r", False)])
def test_a_certificate_is_pinned_where_a_person_says_yes(answer: bytes, is_pinned: bool, paths: Paths) -> None:
    shown = self_signed()
    with Listener(shown) as listener:
        profile(paths, listener.url)
        with at_a_terminal("profiles", "trust", "shop") as terminal:
            terminal.until(r"Pin it\?")
            assert shown.fingerprint in terminal.text()
            terminal.send(answer)
            terminal.until_ended()
            assert terminal.exit_code == (Exit.DONE if is_pinned else Exit.UNFINISHED)
        assert listener.read == b""
    assert (load(paths.settings, {}).profiles["shop"].certificate is not None) is is_pinned


def test_a_profile_is_removed_where_a_person_says_yes(paths: Paths) -> None:
    for answer, left in ((b"n\r", {"shop"}), (b"y\r", set[str]())):
        profile(paths, "https://wa.example.com")
        Secrets(paths.secrets, {}).keep("shop", Secret.TOKEN, "canary-token", Store.FILE)
        with at_a_terminal("profiles", "remove", "shop") as terminal:
            terminal.until(r"Remove the profile shop, with its secrets\?")
            terminal.send(answer)
            terminal.until_ended()
        assert set(load(paths.settings, {}).profiles) == left
        assert len(kept(paths)) == len(left)
