"""Turns a profile of the settings into a server to ask: where it is, whom to believe, and who we are there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from watui.client.dialects import Ability
from watui.client.server import BadServer, Server, check_proxy, is_token
from watui.client.trust import SYSTEM, BadTrust, Trust
from watui.contract.conversion import check_region
from watui.settings.secrets import BadSecret, Secret, Secrets
from watui.settings.settings import SIMULATOR, BadSettings, Profile, Settings, load

if TYPE_CHECKING:
    from watui.client.auth import Auth, Credentials, Token


LONGEST_NAME = 40
"""Characters of a profile's name: it stands on every screen."""


class NoSuchProfile(BadSettings):
    """A name that no profile has."""


class Mark(NamedTuple):
    """What tells a profile from others at a glance."""

    word: str | None
    colour: str | None
    """A Colour of the settings."""


NO_MARK = Mark(None, None)


class Site(NamedTuple):
    """A server that can be asked, and how."""

    profile: str
    """As people call it."""
    server: Server | None
    """None stands for the embedded simulator."""
    region: str
    """Of the number that it is registered with."""
    read_only: bool
    """Whether contacts are only looked at."""
    batch_size: int
    """Numbers in one request."""
    mark: Mark = NO_MARK
    find_auth: Callable[[], Auth] | None = None
    """Looks for what we are known by there: it may ask a keyring, so not on the event loop. None for the server's own
    token. It raises NoCredentials."""
    log_numbers: bool = False
    """Whether the log holds what is said there."""
    has_region: bool = True
    """Whether the region is one that somebody named for this server."""
    has_budget: bool = False
    """Whether calls are held to the messages sent. All that asks the same server shares its budget."""

    @property
    def server_id(self) -> str:
        """The server as the ledger calls it."""
        return self.server.url if self.server else SIMULATOR


def profile_of(settings: Settings, name: str) -> Profile:
    """Return the profile of that name. Raises NoSuchProfile."""
    found = settings.profiles.get(name)
    if found is None and name != SIMULATOR:
        names = ", ".join([SIMULATOR, *settings.profiles])
        raise NoSuchProfile(f"there is no profile {name}: the settings know {names}")
    return found or Profile()


def site_of(
    settings: Settings, name: str, secrets: Secrets, region: str | None = None, path: Path | None = None
) -> Site:
    """Return the server of a profile; `region` goes before the profile's own.

    Who logs in there is read anew from the settings at `path`, where it is given. Raises NoSuchProfile, BadServer and
    UnknownRegion, each with words that say what to write instead.
    """
    profile = profile_of(settings, name)
    server = server_of(profile)
    if server is not None and server.trust != SYSTEM:
        _check_trust(server)
    return Site(
        name,
        server,
        region_of(settings, profile, region),
        profile.read_only or settings.read_only,
        profile.batch_size or settings.batch_size,
        Mark(profile.word, profile.colour),
        partial(find_auth, name, profile, secrets, path) if server is not None else None,
        settings.log_numbers,
        (region or profile.region) is not None,
        has_budget(settings, server),
    )


def has_budget(settings: Settings, server: Server | None) -> bool:
    """Whether any profile that has a budget is of this server."""
    return server is not None and any(
        profile.budget and profile.url is not None and _url_of(profile.url) == server.url
        for profile in settings.profiles.values()
    )


def _url_of(url: str) -> str | None:
    """Return a base URL as a server has it; None for one that can't be used."""
    try:
        return Server.at(url).url
    except BadServer:
        return None


def check_profile(name: str, profile: Profile) -> None:
    """Refuse a profile that can't be used. Raises BadSettings, BadServer and UnknownRegion."""
    if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        raise BadSettings(f"a profile's name has 1 to {LONGEST_NAME} visible characters")
    if (name == SIMULATOR) is not (profile.url is None):
        what = "needs a url" if profile.url is None else "is the embedded simulator: give a server another name"
        raise BadSettings(f"the profile {name} {what}")
    for member in ("user", "word"):
        if not (getattr(profile, member) or "").isprintable():
            raise BadSettings(f"{member}: it holds characters that can't be seen")
    if profile.region is not None:
        check_region(profile.region)
    server = server_of(profile)
    if server is None:
        return
    if profile.certificate is not None and not server.is_secure:
        raise BadSettings("a certificate is pinned, and the url is none of https: nothing would be verified there")
    if profile.user is not None and (why := server.dialect.why_not(Ability.LOGIN)) is not None:
        raise BadSettings(f"{why}: leave out the user, and give a token")
    _check_trust(server)


def _check_trust(server: Server) -> None:
    """Refuse a file or a certificate that can't be trusted. Raises BadServer."""
    if server.is_secure:
        try:
            server.trust.context()
        except BadTrust as error:
            raise BadServer(str(error)) from error


def site_at(settings: Settings, server: Server, region: str | None = None) -> Site:
    """Return a server that no profile knows. Raises UnknownRegion."""
    return Site(
        server.host,
        server,
        region_of(settings, Profile(), region),
        settings.read_only,
        settings.batch_size,
        log_numbers=settings.log_numbers,
        has_budget=has_budget(settings, server),
    )


def server_of(profile: Profile) -> Server | None:
    """Return where the server of a profile is; None for the embedded simulator. Raises BadServer."""
    if profile.url is None:
        return None
    server = Server.at(profile.url, None, profile.kind)
    trust = Trust(_ca_file(profile.ca_file) if profile.ca_file else None, profile.certificate)
    proxy = check_proxy(profile.proxy) if profile.proxy is not None else None
    return replace(server, trust=trust, proxy=proxy, rate=profile.rate)


def _ca_file(given: str) -> Path:
    try:
        return Path(given).expanduser()
    except RuntimeError as error:
        raise BadServer(f"ca_file: there is no home as in {given}") from error


def region_of(settings: Settings, profile: Profile, region: str | None) -> str:
    """Return the country by which numbers are read, as the contract writes it. Raises UnknownRegion."""
    wanted = region or profile.region or settings.region
    # The usual one is known to be one, without waking the library that knows them all.
    return wanted if wanted == Settings().region else check_region(wanted)


def find_auth(name: str, profile: Profile, secrets: Secrets, path: Path | None = None) -> Auth:
    """Look for what we are known by at the server of a profile, as it stands at `path` now. Raises NoCredentials."""
    from watui.client.auth import Fixed, Login

    user = _user(name, profile, path)
    with _secrets_for_client():
        given = secrets.find(name, Secret.TOKEN)
        if given is not None and not is_token(given.value):
            raise BadSecret(f"the token in {given.place} holds characters that cannot stand in a header")
        if given is not None or user is None:
            return Fixed(given.value if given is not None else None)
        find = partial(find_credentials, name, profile, secrets, path)
        owner = owner_of(profile, user)
        return Login(find, find_token(name, secrets, owner), partial(keep_token, name, secrets, owner))


def find_credentials(name: str, profile: Profile, secrets: Secrets, path: Path | None = None) -> Credentials | None:
    """Return who logs in at the server of a profile; None where nobody does. Raises NoCredentials."""
    from watui.client.auth import Credentials
    from watui.client.failures import NoCredentials

    user = _user(name, profile, path)
    with _secrets_for_client():
        password = secrets.find(name, Secret.PASSWORD)
    if user is None:
        return None
    if password is None and secrets.failing is not None:
        raise NoCredentials(f"no password to log in with is found, and {secrets.failing}", "Unlock it, then try again.")
    return Credentials(user, password.value) if password is not None else None


def _user(name: str, profile: Profile, path: Path | None) -> str | None:
    """Return who logs in at the server of a profile, by the settings at `path` where they still mean that server."""
    with contextlib.suppress(BadSettings):
        now = load(path).profiles.get(name) if path is not None else None
        if now is not None and now.url == profile.url:
            return now.user
    return profile.user


@contextlib.contextmanager
def _secrets_for_client() -> Iterator[None]:
    """Let a secret that can't be used be a failure like others between us and a server."""
    from watui.client.failures import NoCredentials

    try:
        yield
    except BadSecret as error:
        raise NoCredentials(str(error), "Then try again.") from error


def find_token(name: str, secrets: Secrets, owner: str | None = None) -> Token | None:
    """Return the token of the latest login; None where none is kept, or not the `owner`'s. Raises BadSecret."""
    from watui.client.auth import Token

    kept = secrets.find(name, Secret.LOGIN)
    try:
        token = msgspec.json.decode(kept.value, type=Token) if kept is not None else None
    except msgspec.MsgspecError:
        return None
    return token if token is not None and owner in (None, token.owner) else None


def keep_token(name: str, secrets: Secrets, owner: str, token: Token) -> None:
    """Keep the token of a login beside the password; where that is kept by nobody, nor is the token.

    What can't be kept is fetched again at the next start.
    """
    with contextlib.suppress(BadSecret):
        password = secrets.find(name, Secret.PASSWORD)
        if password is not None and password.store is not None:
            secrets.keep(name, Secret.LOGIN, login_record(token, owner), password.store)


def login_record(token: Token, owner: str) -> str:
    """Return what is kept of a login."""
    return msgspec.json.encode(msgspec.structs.replace(token, owner=owner)).decode()


def owner_of(profile: Profile, user: str) -> str:
    """Return whose a login's token is, and where: it is of no use elsewhere."""
    return f"{user} at {profile.url}"


def secret_place(name: str, profile: Profile, secrets: Secrets) -> str | None:
    """Return where the password or token of a profile is, or why it can't be used; None where there is none."""
    if profile.url is None:
        return None
    try:
        found = secrets.find(name, Secret.TOKEN)
        if found is None and profile.user is not None:
            found = secrets.find(name, Secret.PASSWORD)
    except BadSecret as error:
        return str(error)
    return found.place if found is not None else None


def trust_words(profile: Profile) -> str:
    """Return whom a profile believes that it is the server, in words."""
    try:
        server = server_of(profile)
        if server is None or not server.is_secure:
            return "nobody has to be: there is no TLS"
        pinned = server.trust.fingerprint
    except ValueError as error:
        return str(error)
    return f"pinned, SHA-256 {pinned}" if pinned else profile.ca_file or "the system's authorities"
