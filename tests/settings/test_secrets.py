"""Where secrets come from and where they are kept: in which order, how privately, and with a keyring that fails."""

import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.busy import Stopwatch
from watui.settings import secrets as secrets_module
from watui.settings.paths import Paths
from watui.settings.secrets import BadSecret, Found, NoKeyring, Secret, Secrets, Store

PROFILE = "shop"
CANARY = "Canary-Pass1"

NAMES = [
    "shop",
    "..",
    ".",
    "../shop",
    "a/b",
    "/etc/passwd",
    "a%2Fb",
    "%",
    "a b",
    "~",
    "-x",
    "Ünï",
    "店" * 40,
    "😀" * 40,
]


class Ring:
    """A keyring that works."""

    priority = 5.0

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.asked = 0

    def get_password(self, service: str, name: str) -> str | None:
        assert service == "watui"
        self.asked += 1
        return self.kept.get(name)

    def set_password(self, service: str, name: str, value: str) -> None:
        assert service == "watui"
        self.asked += 1
        self.kept[name] = value

    def delete_password(self, service: str, name: str) -> None:
        self.asked += 1
        del self.kept[name]


class Plain(Ring):
    """One that keeps plain text."""

    priority = 0.5


class Failing(Ring):
    """What is there where no keyring is."""

    priority = 0.0


class Locked(Ring):
    """One that nobody unlocks."""

    def get_password(self, service: str, name: str) -> str | None:
        self.asked += 1
        raise RuntimeError(f"locked: {CANARY}")

    def set_password(self, service: str, name: str, value: str) -> None:
        self.get_password(service, name)


class Hanging(Ring):
    """One that asks somebody who is not there to unlock it."""

    never = threading.Event()

    def get_password(self, service: str, name: str) -> str | None:
        self.asked += 1
        self.never.wait(30)
        return None

    def set_password(self, service: str, name: str, value: str) -> None:
        self.get_password(service, name)


Install = Callable[[Ring | None], None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Let `import keyring` find a keyring, or None."""

    def put(ring: Ring | None) -> None:
        module = ModuleType("keyring")
        module.get_keyring = lambda: ring  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "keyring", module if ring is not None else None)

    put(None)
    yield put
    Hanging.never.set()
    Hanging.never = threading.Event()


@pytest.fixture
def ring(install: Install) -> Ring:
    ring = Ring()
    install(ring)
    return ring


@pytest.fixture
def secrets(paths: Paths, install: Install) -> Secrets:
    return Secrets(paths.secrets, {})


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# In which order


@pytest.mark.parametrize("secret", [Secret.TOKEN, Secret.PASSWORD])
def test_a_variable_goes_before_systemd_before_the_keyring_before_a_file(
    secret: Secret, paths: Paths, ring: Ring, tmp_path: Path
) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / f"watui-{secret}").write_text("from systemd\n")
    path = paths.secrets / f"{PROFILE}.{secret}"
    everything = {secret.variable: "from the variable", "CREDENTIALS_DIRECTORY": str(folder)}
    Secrets(paths.secrets, {}).keep(PROFILE, secret, "from the file", Store.FILE)
    ring.kept[f"{PROFILE}.{secret}"] = "from the keyring"
    expected = [
        Found("from the variable", f"the variable {secret.variable}", None),
        Found("from systemd", f"the credential watui-{secret} of systemd", None),
        Found("from the keyring", "the system's keyring", Store.KEYRING),
        Found(
            "from the file", f"the file {paths.secrets / f'{PROFILE}.{secret}'}, which only you can read", Store.FILE
        ),
        None,
    ]
    steps: list[Callable[[], object]] = [
        lambda: everything.pop(secret.variable),
        lambda: everything.pop("CREDENTIALS_DIRECTORY"),
        ring.kept.clear,
        path.unlink,
        lambda: None,
    ]
    for found, step in zip(expected, steps, strict=True):
        assert Secrets(paths.secrets, everything).find(PROFILE, secret) == found
        step()


def test_the_token_of_a_login_comes_from_no_variable(paths: Paths, ring: Ring, tmp_path: Path) -> None:
    (tmp_path / "watui-login").write_text("given")
    environment = {"WATUI_LOGIN": "given", "CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert Secrets(paths.secrets, environment).find(PROFILE, Secret.LOGIN) is None


@pytest.mark.parametrize("environment", [{"WATUI_TOKEN": ""}, {"CREDENTIALS_DIRECTORY": "/nowhere"}])
def test_what_is_empty_or_missing_is_passed_over(environment: dict[str, str], paths: Paths, secrets: Secrets) -> None:
    secrets.keep(PROFILE, Secret.TOKEN, CANARY, Store.FILE)
    found = Secrets(paths.secrets, environment).find(PROFILE, Secret.TOKEN)
    assert found is not None
    assert found.value == CANARY


def test_what_is_found_does_not_tell_itself(secrets: Secrets) -> None:
    secrets.keep(PROFILE, Secret.PASSWORD, CANARY, Store.FILE)
    found = secrets.find(PROFILE, Secret.PASSWORD)
    assert CANARY not in f"{found!r} {found}"


def test_profiles_and_kinds_of_secrets_are_kept_apart(secrets: Secrets, ring: Ring) -> None:
    for store in Store:
        for number, (profile, secret) in enumerate((profile, secret) for profile in "ab" for secret in Secret):
            secrets.keep(profile, secret, f"{store}{number}", store)
        found = [secrets.find(profile, secret) for profile in "ab" for secret in Secret]
        assert [each.value for each in found if each] == [f"{store}{number}" for number in range(6)]


# A keyring that is none


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (None, "not installed: pip install 'watui[keyring]'"),
        (Failing, "no keyring that keeps secrets encrypted"),
        (Plain, "no keyring that keeps secrets encrypted"),
    ],
)
def test_without_a_keyring_the_file_is_used_and_the_reason_told(
    kind: type[Ring] | None, words: str, install: Install, paths: Paths
) -> None:
    install(ring := kind() if kind is not None else None)
    secrets = Secrets(paths.secrets, {})
    assert words in (secrets.keyring_trouble() or "")
    with pytest.raises(NoKeyring, match="keyring"):
        secrets.keep(PROFILE, Secret.PASSWORD, CANARY, Store.KEYRING)
    assert not paths.secrets.exists(), "nothing is kept as plain text that was meant for a keyring"
    secrets.keep(PROFILE, Secret.PASSWORD, CANARY, Store.FILE)
    found = secrets.find(PROFILE, Secret.PASSWORD)
    assert found is not None
    assert (found.value, found.store) == (CANARY, Store.FILE)
    assert ring is None or not ring.asked


MOST_SECONDS = 1.3
"""For five secrets, where the keyring does not answer."""


@pytest.mark.parametrize(("kind", "words"), [(Locked, "the keyring fails: RuntimeError"), (Hanging, "did not answer")])
def test_a_keyring_that_fails_is_not_asked_again(
    kind: type[Ring], words: str, install: Install, paths: Paths, secrets: Secrets
) -> None:
    secrets.keep(PROFILE, Secret.TOKEN, CANARY, Store.FILE)
    took: list[float] = []
    # A machine that stands still for a moment only adds to what it takes: the quickest of three counts.
    while min(took, default=MOST_SECONDS) >= MOST_SECONDS and len(took) < 3:
        install(ring := kind())
        secrets = Secrets(paths.secrets, {})
        watch = Stopwatch()
        for _ in range(5):
            found = secrets.find(PROFILE, Secret.TOKEN)
            assert found is not None
            assert found.store is Store.FILE
        took.append(watch.seconds())
        assert ring.asked == 1
    print(f"\n{kind.__name__}: five secrets found in {took[-1]:.2f} s, the keyring asked {ring.asked} time")
    assert min(took) < MOST_SECONDS
    with pytest.raises(NoKeyring, match=words) as caught:
        secrets.keep(PROFILE, Secret.TOKEN, CANARY, Store.KEYRING)
    assert CANARY not in str(caught.value)
    assert ring.asked == 1


def test_a_keyring_that_is_no_program_at_all_is_passed_over(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, secrets: Secrets
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", ModuleType("keyring"))
    assert "the keyring fails" in (secrets.keyring_trouble() or "")
    assert secrets.find(PROFILE, Secret.TOKEN) is None


# How privately


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("no_umask")
@pytest.mark.parametrize("old", [None, 0o644, 0o666, 0o600])
def test_a_file_is_for_its_owner_alone_whatever_the_umask(old: int | None, paths: Paths, secrets: Secrets) -> None:
    path = paths.secrets / "shop.token"
    if old is not None:
        paths.secrets.mkdir(parents=True)
        path.write_text("old")
        path.chmod(old)
    place = secrets.keep(PROFILE, Secret.TOKEN, CANARY, Store.FILE)
    assert str(path) in place
    assert [mode_of(each) for each in (path, paths.secrets)] == [0o600, 0o700]
    assert old is not None or mode_of(paths.config) == 0o700, "nobody else can put another folder in its place"
    assert [each.name for each in paths.secrets.iterdir()] == ["shop.token"]
    assert path.read_text() == CANARY


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666, 0o777])
def test_a_file_that_others_can_reach_is_refused_with_the_command_that_mends_it(
    mode: int, paths: Paths, secrets: Secrets
) -> None:
    secrets.keep(PROFILE, Secret.PASSWORD, CANARY, Store.FILE)
    path = paths.secrets / "shop.password"
    path.chmod(mode)
    with pytest.raises(BadSecret) as caught:
        secrets.find(PROFILE, Secret.PASSWORD)
    command = f"chmod 600 {path}"
    assert command in str(caught.value)
    assert CANARY not in str(caught.value)
    path.chmod(0o600)
    assert secrets.find(PROFILE, Secret.PASSWORD)


@pytest.mark.parametrize("name", NAMES)
def test_every_profile_has_a_file_of_its_own_in_the_folder(name: str, paths: Paths, secrets: Secrets) -> None:
    for other in NAMES:
        secrets.keep(other, Secret.PASSWORD, f"of {other}", Store.FILE)
    found = secrets.find(name, Secret.PASSWORD)
    assert found is not None
    assert found.value == f"of {name}"
    files = [path for path in paths.config.parent.rglob("*") if path.is_file()]
    assert len(files) == len(NAMES)
    assert {path.parent for path in files} == {paths.secrets}
    secrets.forget(name, *Secret)
    assert secrets.find(name, Secret.PASSWORD) is None
    assert len(list(paths.secrets.iterdir())) == len(NAMES) - 1


@pytest.mark.parametrize("value", ["p", " with blanks ", 'Quo"ted\\', "päss", "x" * 10_000])
def test_a_secret_is_read_back_as_it_was(value: str, secrets: Secrets) -> None:
    secrets.keep(PROFILE, Secret.PASSWORD, value, Store.FILE)
    found = secrets.find(PROFILE, Secret.PASSWORD)
    assert found is not None
    assert found.value == value


def test_a_file_that_cannot_be_read_is_named(paths: Paths, secrets: Secrets) -> None:
    secrets.keep(PROFILE, Secret.PASSWORD, CANARY, Store.FILE)
    (paths.secrets / "shop.password").write_bytes(b"\xff\xfe")
    with pytest.raises(BadSecret, match=r"shop\.password: it is not UTF-8"):
        secrets.find(PROFILE, Secret.PASSWORD)


def test_a_folder_that_cannot_be_made_is_told(paths: Paths, secrets: Secrets) -> None:
    paths.config.parent.mkdir(parents=True)
    paths.config.write_text("a file in the place of the folder")
    with pytest.raises(BadSecret, match="cannot keep a secret"):
        secrets.keep(PROFILE, Secret.PASSWORD, CANARY, Store.FILE)
    with pytest.raises(BadSecret, match="cannot read"):
        secrets.find(PROFILE, Secret.PASSWORD)


# In place of an earlier one


@pytest.mark.parametrize(("first", "then"), [(Store.FILE, Store.KEYRING), (Store.KEYRING, Store.FILE)])
def test_a_secret_that_is_kept_elsewhere_from_now_on_is_deleted_where_it_was(
    first: Store, then: Store, paths: Paths, ring: Ring, secrets: Secrets
) -> None:
    secrets.keep(PROFILE, Secret.PASSWORD, "old", first)
    secrets.keep(PROFILE, Secret.PASSWORD, "new", then)
    found = secrets.find(PROFILE, Secret.PASSWORD)
    assert found is not None
    assert (found.value, found.store) == ("new", then)
    assert bool(ring.kept) is (then is Store.KEYRING)
    assert (paths.secrets / "shop.password").exists() is (then is Store.FILE)


def test_forgetting_deletes_wherever_something_is_kept(paths: Paths, ring: Ring, secrets: Secrets) -> None:
    for secret in Secret:
        secrets.keep(PROFILE, secret, CANARY, Store.FILE)
        ring.kept[f"{PROFILE}.{secret}"] = CANARY
        ring.kept[f"other.{secret}"] = CANARY
    secrets.forget(PROFILE, *Secret)
    assert set(ring.kept) == {f"other.{secret}" for secret in Secret}
    assert list(paths.secrets.iterdir()) == []
    secrets.forget(PROFILE, *Secret)


@pytest.mark.parametrize("kind", [Locked, Hanging])
def test_forgetting_with_a_keyring_that_fails_deletes_the_files_and_says_so(
    kind: type[Ring], install: Install, paths: Paths, secrets: Secrets
) -> None:
    for secret in Secret:
        secrets.keep(PROFILE, secret, CANARY, Store.FILE)
    install(kind())
    with pytest.raises(BadSecret, match="keyring"):
        Secrets(paths.secrets, {}).forget(PROFILE, *Secret)
    assert list(paths.secrets.iterdir()) == []


def test_a_file_that_cannot_be_deleted_is_told(paths: Paths, ring: Ring, secrets: Secrets) -> None:
    (paths.secrets / "shop.password").mkdir(parents=True)
    with pytest.raises(BadSecret, match="cannot delete"):
        secrets.forget(PROFILE, Secret.PASSWORD)
    with pytest.raises(BadSecret, match="cannot delete"):
        secrets.keep(PROFILE, Secret.PASSWORD, CANARY, Store.KEYRING)


def test_a_second_is_what_a_keyring_may_take() -> None:
    assert secrets_module.KEYRING_SECONDS == 1.0
