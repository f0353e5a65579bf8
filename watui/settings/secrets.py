"""Where passwords and tokens come from, and where they are kept: never in `settings.toml`.

In this order: a variable of the environment, a credential that systemd hands over, the system's keyring, a file that
its owner alone may read. Nothing is kept in a file unless a person has said so.
"""

import contextlib
import os
import stat
import threading
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from watui.files import PRIVATE_MODE, CannotWrite, write_whole

KEYRING_SECONDS = 1.0
"""How long a keyring may take; one that wants to be unlocked may never answer."""

LEAST_PRIORITY = 1.0
"""Of a keyring that the system recommends: those below keep plain text, or nothing."""

CREDENTIALS_VARIABLE = "CREDENTIALS_DIRECTORY"
"""Names the folder of the credentials that systemd hands to a service."""

_SERVICE = "watui"
_NOBODY = "nobody"
"""Under whose name nothing is kept: asked for to see whether a keyring answers."""

_PRIVATE_FOLDER = 0o700

_LONGEST_NAME = 200
"""Bytes in the name of a file, of the 255 that file systems take."""

_T = TypeVar("_T")


class Secret(StrEnum):
    """What is kept of a profile."""

    TOKEN = "token"  # noqa: S105 - the name of one
    """One that a person has given."""
    PASSWORD = "password"  # noqa: S105 - the name of one
    LOGIN = "login"
    """The token of the latest login, and when it expires."""

    @property
    def variable(self) -> str:
        """The variable of the environment that goes before all else."""
        return f"WATUI_{self.upper()}"


class Store(StrEnum):
    """Where a secret can be kept."""

    KEYRING = "keyring"
    FILE = "file"


class BadSecret(Exception):
    """A secret that can't be read or kept; the message says why, and what to do."""


class NoKeyring(BadSecret):
    """There is no keyring that can be used."""


class KeyringFails(NoKeyring):
    """There is a keyring, and it does not answer or does not do what it should: it may hold something all the same."""


class Found(NamedTuple):
    """A secret, and where it is."""

    value: str
    place: str
    """For people."""
    store: Store | None
    """None for what only the environment keeps."""

    def __repr__(self) -> str:
        return f"Found(in {self.place})"


class Secrets:
    """The secrets of all profiles. What takes long, such as a keyring, is waited for: not for the event loop."""

    def __init__(self, folder: Path, environment: Mapping[str, str] = os.environ, given_for: str | None = None) -> None:
        """What the environment hands over is for the profile `given_for` alone; None stands for any."""
        self._given_for = given_for
        self._folder = folder
        self._environment = environment
        self._no_keyring: NoKeyring | None = None
        self._remembered: dict[tuple[str, Secret], str] = {}

    def find(self, profile: str, secret: Secret) -> Found | None:
        """Return a secret of a profile, None where there is none. Raises BadSecret where a file can't be trusted."""
        if (value := self._remembered.get((profile, secret))) is not None:
            return Found(value, "the memory of this process", None)
        if secret is Secret.TOKEN and (profile, Secret.PASSWORD) in self._remembered:
            return None
        given = self._given(secret) if self._given_for in (None, profile) else None
        return given or self._in_keyring(profile, secret) or self._in_file(profile, secret)

    def remember(self, profile: str, secret: Secret, value: str) -> None:
        """Have a secret until the process ends, before all others, and keep it nowhere."""
        others = {key: each for key, each in self._remembered.items() if key[0] != profile}
        self._remembered = others | {(profile, secret): value}

    def keep(self, profile: str, secret: Secret, value: str, store: Store) -> str:
        """Keep a secret, in place of an earlier one, and return where, for people. Raises BadSecret."""
        self._remembered.pop((profile, secret), None)
        if store is Store.KEYRING:
            self._with_keyring(lambda ring: ring.set_password(_SERVICE, _name(profile, secret), value))
            self._delete_file(profile, secret)
            return self._keyring_words()
        path = self._path(profile, secret)
        try:
            self._folder.parent.mkdir(parents=True, exist_ok=True, mode=_PRIVATE_FOLDER)
            self._folder.mkdir(exist_ok=True, mode=_PRIVATE_FOLDER)
            self._folder.chmod(_PRIVATE_FOLDER)
            write_whole(path, [value], replace=True, mode=PRIVATE_MODE)
        except (OSError, CannotWrite) as error:
            raise BadSecret(f"cannot keep a secret: {error}") from error
        with contextlib.suppress(NoKeyring):
            self._delete_from_keyring(profile, secret)
        return _file_words(path)

    def forget(self, profile: str, *secrets: Secret) -> None:
        """Delete secrets of a profile wherever they are kept. Raises BadSecret where something can't be deleted."""
        for secret in secrets:
            self._remembered.pop((profile, secret), None)
            self._delete_file(profile, secret)
        for secret in secrets:
            self._delete_from_keyring(profile, secret)

    @property
    def failing(self) -> str | None:
        """Why a keyring that is there did not answer; None where none is there, or all is well."""
        return str(self._no_keyring) if isinstance(self._no_keyring, KeyringFails) else None

    def keyring_trouble(self) -> str | None:
        """Return why there is no keyring that can be used; None where there is one, and it answers."""
        try:
            self._with_keyring(lambda ring: ring.get_password(_SERVICE, _NOBODY))
        except NoKeyring as error:
            return str(error)
        return None

    def _given(self, secret: Secret) -> Found | None:
        """Return what the environment, or systemd, hands over."""
        if secret is Secret.LOGIN:
            return None
        if value := self._environment.get(secret.variable):
            return Found(value, f"the variable {secret.variable}", None)
        folder = self._environment.get(CREDENTIALS_VARIABLE)
        path = Path(folder) / f"{_SERVICE}-{secret}" if folder else None
        if path is None or not path.is_file():
            return None
        return Found(_read(path), f"the credential {path.name} of systemd", None)

    def _in_keyring(self, profile: str, secret: Secret) -> Found | None:
        try:
            value = self._with_keyring(lambda ring: ring.get_password(_SERVICE, _name(profile, secret)))
        except NoKeyring:
            return None
        return Found(value, self._keyring_words(), Store.KEYRING) if value else None

    def _in_file(self, profile: str, secret: Secret) -> Found | None:
        path = self._path(profile, secret)
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BadSecret(f"cannot read {path}: {error.strerror}") from error
        if stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO):
            raise BadSecret(f"{path} can be read by others, and is not used: 'chmod 600 {path}' mends it")
        value = _read(path)
        return Found(value, _file_words(path), Store.FILE) if value else None

    def _delete_from_keyring(self, profile: str, secret: Secret) -> None:
        try:
            self._with_keyring(partial(_delete, name=_name(profile, secret)))
        except KeyringFails:
            raise
        except NoKeyring:
            return

    def _delete_file(self, profile: str, secret: Secret) -> None:
        path = self._path(profile, secret)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise BadSecret(f"cannot delete {path}: {error.strerror}") from error

    def _path(self, profile: str, secret: Secret) -> Path:
        name = quote(profile, safe="")
        if len(name) > _LONGEST_NAME:
            from hashlib import sha256

            name = sha256(profile.encode()).hexdigest()
        return self._folder / _name(name, secret)

    def _with_keyring(self, do: Callable[[Any], _T]) -> _T:
        """Let the keyring do something. One that did not answer is not asked again. Raises NoKeyring."""
        if self._no_keyring is not None:
            raise self._no_keyring
        try:
            return _in_time(lambda: do(_keyring()))
        except NoKeyring as trouble:
            self._no_keyring = trouble
            raise

    def _keyring_words(self) -> str:
        return "the system's keyring"


def _keyring() -> Any:
    try:
        import keyring
    except ImportError:
        raise NoKeyring("the package keyring is not installed: pip install 'watui[keyring]'") from None
    ring = keyring.get_keyring()
    if ring.priority < LEAST_PRIORITY:
        raise NoKeyring("this system has no keyring that keeps secrets encrypted")
    return ring


def _in_time(do: Callable[[], _T]) -> _T:
    """Return what `do` returns. Raises NoKeyring where it fails, or takes longer than KEYRING_SECONDS."""
    results: list[_T] = []
    troubles: list[Exception] = []

    def run() -> None:
        try:
            results.append(do())
        except Exception as error:  # noqa: BLE001 - a keyring is a program of others, with errors of its own
            troubles.append(error)

    thread = threading.Thread(target=run, name="watui-keyring", daemon=True)
    thread.start()
    thread.join(KEYRING_SECONDS)
    if results:
        return results[0]
    if not troubles:
        raise KeyringFails(f"the keyring did not answer within {KEYRING_SECONDS:g} second: it may be locked")
    (trouble,) = troubles
    raise trouble if isinstance(trouble, NoKeyring) else KeyringFails(f"the keyring fails: {type(trouble).__name__}")


def _delete(ring: Any, name: str) -> None:
    if ring.get_password(_SERVICE, name) is not None:
        ring.delete_password(_SERVICE, name)


def _name(profile: str, secret: Secret) -> str:
    return f"{profile}.{secret}"


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise BadSecret(f"cannot read {path}: {getattr(error, 'strerror', None) or 'it is not UTF-8'}") from error


def _file_words(path: Path) -> str:
    return f"the file {path}, which only you can read"
