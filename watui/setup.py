"""Changes profiles and what is kept of them, for both faces: settings and secrets stay of one mind."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from watui.client.exchanges import Exchanges
from watui.client.server import Server
from watui.settings.paths import Paths
from watui.settings.secrets import NoKeyring, Secret, Secrets, Store
from watui.settings.settings import (
    SIMULATOR,
    BadSettings,
    Profile,
    Settings,
    Value,
    load,
    remove_profile,
    save_profile,
    to_profile,
)
from watui.sites import Site, check_profile, login_record, owner_of, profile_of, server_of, site_of

if TYPE_CHECKING:
    from watui.checkup import Checkup
    from watui.client.auth import Token


class Setup:
    """The settings file and the secrets. What reads or writes them may take a while: not for the event loop.

    Raises BadSettings, BadServer and UnknownRegion where a person can do something about it, and BadSecret.
    """

    def __init__(self, paths: Paths, secrets: Secrets, exchanges: Exchanges | None = None) -> None:
        """`exchanges` take what is said with servers meanwhile."""
        self.paths = paths
        self.secrets = secrets
        self.exchanges = exchanges or Exchanges()

    def settings(self) -> Settings:
        return load(self.paths.settings)

    def profile(self, name: str) -> Profile:
        return profile_of(self.settings(), name)

    def site(self, name: str) -> Site:
        return site_of(self.settings(), name, self.secrets, path=self.paths.settings)

    def write(self, name: str, members: Mapping[str, Value | None]) -> bool:
        """Write members of a profile, which is added where there is none; None and an empty text take one out.

        Return whether it is another server from now on: then what was known of the old one, its pinned certificate and
        its secrets, is forgotten.
        """
        given = {member: None if value == "" else value for member, value in members.items()}
        before, wanted = self._before_and_after(name, given)
        has_moved = before is not None and _origin(before) not in (None, _origin(wanted))
        if has_moved and before is not None and wanted.certificate == before.certificate:
            wanted, given = msgspec.structs.replace(wanted, certificate=None), {**given, "certificate": None}
        if wanted.region is not None and given.get("region"):
            given["region"] = wanted.region.strip().upper()
        check_profile(name, wanted)
        if has_moved:
            self.secrets.forget(name, *Secret)
        save_profile(self.paths.settings, name, given)
        return has_moved

    def check(self, name: str, members: Mapping[str, Value | None]) -> None:
        """Refuse what `write` would refuse."""
        check_profile(name, self._before_and_after(name, members)[1])

    def _before_and_after(self, name: str, members: Mapping[str, Value | None]) -> tuple[Profile | None, Profile]:
        before = self.settings().profiles.get(name)
        known = msgspec.to_builtins(before) if before is not None else {}
        return before, to_profile({**known, **members})

    def remove(self, name: str) -> None:
        """Remove a profile, then its secrets."""
        if name not in self.settings().profiles:
            what = "is always there" if name == SIMULATOR else "is in no settings"
            raise BadSettings(f"the profile {name} {what}: nothing is removed")
        remove_profile(self.paths.settings, name)
        self.secrets.forget(name, *Secret)

    def pinnable(self, name: str) -> Server:
        """Return the server of a profile whose certificate can be had. Raises BadSettings where none can."""
        server = server_of(self.profile(name))
        if server is None or not server.is_secure:
            raise BadSettings(f"the profile {name} has no https URL: there is no certificate to trust")
        if server.is_behind_proxy:
            raise BadSettings("a proxy stands between: the certificate can't be had by a handshake of our own")
        return server

    def pin(self, name: str, certificate: str | None) -> None:
        """Trust one certificate, and no other, to be the server of a profile; None for the usual authorities again."""
        save_profile(self.paths.settings, name, {"certificate": certificate})

    def learn(self, name: str, found: Checkup) -> str | None:
        """Keep the country that a server says it is registered in, where the profile names none; return it then."""
        if found.home is None or self.profile(name).region is not None:
            return None
        save_profile(self.paths.settings, name, {"region": found.home})
        return found.home

    def keep_login(self, name: str, user: str, password: str, token: Token, store: Store | None) -> str:
        """Keep a login, and who logs in from now on; return where the password is, for people.

        It takes the place of a token that a person gave, which would go before it. Without a store it is remembered
        until the process ends.
        """
        if self.profile(name).user != user:
            self.write(name, {"user": user})
        if store is None:
            self.secrets.remember(name, Secret.PASSWORD, password)
            return "the memory of this process, until it ends"
        place = self.secrets.keep(name, Secret.PASSWORD, password, store)
        self.secrets.keep(name, Secret.LOGIN, login_record(token, owner_of(self.profile(name), user)), store)
        with contextlib.suppress(NoKeyring):
            self.secrets.forget(name, Secret.TOKEN)
        return place

    def keep_token(self, name: str, token: str, store: Store | None) -> str:
        """Keep a token that a person gave, or remember it until the process ends; return where, for people."""
        if store is None:
            self.secrets.remember(name, Secret.TOKEN, token)
            return "the memory of this process, until it ends"
        return self.secrets.keep(name, Secret.TOKEN, token, store)

    async def look_at(self, name: str) -> tuple[Checkup, str | None]:
        """Look at the server of a profile, and learn its country; return that where the profile named none."""
        from watui.checkup import look_at

        found = await look_at(await asyncio.to_thread(self.site, name), self.exchanges)
        return found, await asyncio.to_thread(self.learn, name, found)


def _origin(profile: Profile) -> tuple[str, str] | None:
    """Return where a profile's server is, as far as a secret is concerned."""
    parts = urlsplit(profile.url) if profile.url is not None else None
    return (parts.scheme, parts.netloc.lower()) if parts is not None else None
