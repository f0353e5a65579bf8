"""What a person has chosen, as the Settings screen shows and changes it. It knows no widget."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from watui.client.server import BadServer
from watui.contract.conversion import UnknownRegion, check_region
from watui.settings.paths import Paths
from watui.settings.secrets import Secret, Secrets
from watui.settings.settings import (
    SIMULATOR,
    BadSettings,
    Profile,
    Settings,
    choices,
    descriptions,
    load,
    parse,
    remove_profile,
    save,
    save_profile,
)
from watui.sites import check_profile, find_token, profile_of, secret_place, site_of, trust_words

if TYPE_CHECKING:
    from watui.checkup import Checkup
    from watui.sites import Site

GENERAL = "general"
"""What is the same for all profiles, in the list of them."""

_AT_SIMULATOR = ("region", "read_only", "batch_size", "word", "colour")
"""Members of a profile that mean something for the embedded simulator."""

_SHOWN_ELSEWHERE = ("profiles", "certificate")


class Member(NamedTuple):
    """A setting, or a fact about a profile, as it stands."""

    name: str
    value: str
    """Empty where nothing is chosen and there is no default."""
    description: str
    is_chosen: bool
    """Whether it differs from the default by a person's wish."""
    is_fact: bool = False
    """Whether it is changed otherwise than by writing it down."""


class Group(NamedTuple):
    """A profile, or what is the same for all."""

    name: str
    is_general: bool
    is_default: bool
    """Whether it is the profile that is used where none is named."""
    is_in_use: bool
    about: str
    """In one line."""
    members: tuple[Member, ...]


class Setup:
    """The settings file and the secrets. What reads or writes them may take a while: not for the event loop."""

    def __init__(self, paths: Paths, secrets: Secrets, in_use: str) -> None:
        self.paths = paths
        self.secrets = secrets
        self.in_use = in_use

    async def groups(self) -> list[Group]:
        """Read everything anew. Raises BadSettings."""
        return await asyncio.to_thread(self._groups)

    async def site(self, name: str) -> Site:
        """Return the server of a profile. Raises BadSettings, BadServer and UnknownRegion."""
        return await asyncio.to_thread(lambda: site_of(load(self.paths.settings), name, self.secrets))

    async def look_at(self, name: str) -> Checkup:
        """Look at the server of a profile. Raises as `site` does."""
        from watui.checkup import look_at

        found = await look_at(await self.site(name))
        profile = (await self._settings()).profiles.get(name, Profile())
        if found.home is not None and profile.region is None:
            await asyncio.to_thread(save_profile, self.paths.settings, name, {"region": found.home})
        return found

    async def change(self, group: Group, member: str, text: str) -> None:
        """Write down one setting; an empty text takes it back to its default.

        Raises BadSettings, BadServer and UnknownRegion, and then nothing has changed.
        """
        await asyncio.to_thread(self._change_general if group.is_general else self._change, group.name, member, text)

    async def add(self, name: str, url: str) -> None:
        """Add a profile. Raises as `change` does."""
        await asyncio.to_thread(self._add, name, url)

    async def pin(self, name: str, certificate: str) -> None:
        """Trust one certificate, and no other, to be the server of a profile. Raises BadSettings."""
        await asyncio.to_thread(save_profile, self.paths.settings, name, {"certificate": certificate})

    async def remove(self, name: str) -> None:
        """Remove a profile and its secrets. Raises BadSettings and BadSecret."""
        await asyncio.to_thread(self.secrets.forget, name, *Secret)
        await asyncio.to_thread(remove_profile, self.paths.settings, name)

    async def profile(self, name: str) -> Profile:
        """Return a profile as it stands. Raises BadSettings."""
        return profile_of(await self._settings(), name)

    async def _settings(self) -> Settings:
        return await asyncio.to_thread(load, self.paths.settings)

    def _groups(self) -> list[Group]:
        settings = load(self.paths.settings)
        profiles = {SIMULATOR: settings.profiles.get(SIMULATOR, Profile())} | settings.profiles
        general = Group(
            GENERAL, True, False, False, f"for all profiles, in {self.paths.settings.name}", tuple(_general(settings))
        )
        return [general, *(self._group(name, profile, settings) for name, profile in profiles.items())]

    def _group(self, name: str, profile: Profile, settings: Settings) -> Group:
        about = f"{profile.kind}, {profile.url}" if profile.url is not None else "embedded: nothing leaves this machine"
        members = [*_members(profile), *(self._facts(name, profile) if profile.url is not None else ())]
        return Group(name, False, name == settings.profile, name == self.in_use, about, tuple(members))

    def _facts(self, name: str, profile: Profile) -> Sequence[Member]:
        kept = secret_place(name, profile, self.secrets)
        what = f"password of {profile.user}" if profile.user else "token"
        secret = f"the {what} is in {kept}" if kept else f"the {what} is not known"
        facts = [
            Member("certificate", trust_words(profile), descriptions(Profile)["certificate"][0], False, True),
            Member("secret", secret, "What the server knows us by. It never stands in the settings.", False, True),
        ]
        if profile.user is not None:
            facts.append(Member("login", self._login(name), "The token of the latest login.", False, True))
        return facts

    def _login(self, name: str) -> str:
        with contextlib.suppress(Exception):
            token = find_token(name, self.secrets)
            if token is None:
                return "not logged in, or not kept"
            if token.expires_at is not None:
                return f"until {datetime.fromtimestamp(token.expires_at).astimezone():%Y-%m-%d %H:%M}"
        return "until the server says otherwise"

    def _change_general(self, _: str, member: str, text: str) -> None:
        value = parse(Settings, member, text) if text else None
        if member == "region" and text:
            value = check_region(text)
        if member == "profile" and text:
            profile_of(load(self.paths.settings), text)
        save(self.paths.settings, member, value)

    def _change(self, name: str, member: str, text: str) -> None:
        value = parse(Profile, member, text) if text else None
        before = profile_of(load(self.paths.settings), name)
        members = {name: each for name, each in msgspec.to_builtins(before).items() if each is not None}
        wanted = msgspec.convert({**members, member: value} if text else _without(members, member), Profile)
        check_profile(name, wanted)
        save_profile(self.paths.settings, name, {member: value})

    def _add(self, name: str, url: str) -> None:
        if name in (SIMULATOR, GENERAL) or name in load(self.paths.settings).profiles:
            raise BadSettings(f"there is a profile {name} already, or the name is taken: give it another one")
        check_profile(name, Profile(url))
        save_profile(self.paths.settings, name, {"url": url})


BAD_CHOICES = (BadSettings, BadServer, UnknownRegion)
"""What a person can do something about, in words."""


def offered(group: Group, member: str) -> tuple[str, ...]:
    """Return the values among which a setting is chosen; none where it is written."""
    return choices(Settings if group.is_general else Profile, member)


def _without(members: dict[str, object], name: str) -> dict[str, object]:
    return {each: value for each, value in members.items() if each != name}


def _general(settings: Settings) -> Sequence[Member]:
    usual = Settings()
    return [
        Member(name, _words(getattr(settings, name)), words, getattr(settings, name) != getattr(usual, name))
        for name, (words, _) in descriptions().items()
        if name not in _SHOWN_ELSEWHERE
    ]


def _members(profile: Profile) -> Sequence[Member]:
    usual = Profile()
    return [
        Member(name, _words(getattr(profile, name)), words, getattr(profile, name) != getattr(usual, name))
        for name, (words, _) in descriptions(Profile).items()
        if name not in _SHOWN_ELSEWHERE and (profile.url is not None or name in _AT_SIMULATOR)
    ]


def _words(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
