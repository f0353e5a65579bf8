"""Profiles, and what is the same for all of them, as the Settings screen shows and changes them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

from watui.client.server import BadServer
from watui.contract.conversion import UnknownRegion, check_region
from watui.settings.bandwidth import is_over_ssh
from watui.settings.secrets import BadSecret
from watui.settings.settings import SIMULATOR, BadSettings, Profile, Settings, choices, descriptions, parse, save
from watui.setup import Setup
from watui.sites import find_token, owner_of, secret_place, trust_words
from watui.zone import ZONE

GENERAL = "general"
"""What is the same for all profiles, in the list of them."""

_AT_SIMULATOR = ("region", "read_only", "batch_size", "word", "colour")
"""Members of a profile that mean something for the embedded simulator."""

_SHOWN_ELSEWHERE = ("profiles", "certificate", "keys")


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


def read_groups(setup: Setup, in_use: str) -> list[Group]:
    """Read everything anew; `in_use` is the profile of the console. Raises BadSettings."""
    settings = setup.settings()
    profiles = {SIMULATOR: settings.profiles.get(SIMULATOR, Profile())} | settings.profiles
    about = f"for all profiles, in {setup.paths.settings.name}"
    general = Group(GENERAL, True, False, False, about, tuple(_general(settings)))
    return [general, *(_group(setup, name, profile, settings, in_use) for name, profile in profiles.items())]


def change(setup: Setup, group: Group, member: str, text: str) -> bool:
    """Write down one setting; an empty text takes it back to its default.

    Return whether secrets were forgotten, because the profile is another server's now. Raises BadSettings, BadServer,
    UnknownRegion and BadSecret, and then nothing has changed.
    """
    if not group.is_general:
        return setup.write(group.name, {member: parse(Profile, member, text) if text else None})
    value = parse(Settings, member, text) if text else None
    if member == "region" and text:
        value = check_region(text)
    if member == "profile" and text:
        setup.profile(text)
    save(setup.paths.settings, member, value)
    return False


def add(setup: Setup, name: str, url: str) -> None:
    """Add a profile. Raises as `change` does."""
    if name in (SIMULATOR, GENERAL) or name in setup.settings().profiles:
        raise BadSettings(f"there is a profile {name} already, or the name is taken: give it another one")
    setup.write(name, {"url": url})


def _group(setup: Setup, name: str, profile: Profile, settings: Settings, in_use: str) -> Group:
    about = f"{profile.kind}, {profile.url}" if profile.url is not None else "embedded: nothing leaves this machine"
    members = [*_members(profile), *(_facts(setup, name, profile) if profile.url is not None else ())]
    return Group(name, False, name == settings.profile, name == in_use, about, tuple(members))


def _facts(setup: Setup, name: str, profile: Profile) -> Sequence[Member]:
    kept = secret_place(name, profile, setup.secrets)
    what = f"password of {profile.user}" if profile.user else "token"
    secret = f"the {what} is in {kept}" if kept else f"the {what} is not known"
    facts = [
        Member("certificate", trust_words(profile), descriptions(Profile)["certificate"][0], False, True),
        Member("secret", secret, "What the server knows us by. It never stands in the settings.", False, True),
    ]
    if profile.user is not None:
        login = _login(setup, name, owner_of(profile, profile.user))
        facts.append(Member("login", login, "The token of the latest login.", False, True))
    return facts


def _login(setup: Setup, name: str, owner: str) -> str:
    try:
        token = find_token(name, setup.secrets, owner)
    except BadSecret as error:
        return str(error)
    if token is None:
        return "not logged in, or not kept"
    if token.expires_at is None:
        return "until the server says otherwise"
    over = "expired" if token.expires_at <= time.time() else "until"
    return f"{over} {ZONE.minute(token.expires_at)}"


BAD_CHOICES = (BadSettings, BadServer, UnknownRegion, BadSecret)
"""What a person can do something about, in words."""


def offered(group: Group, member: str) -> tuple[str, ...]:
    """Return the values among which a setting is chosen; none where it is written."""
    return choices(Settings if group.is_general else Profile, member)


def _general(settings: Settings) -> Sequence[Member]:
    usual = Settings()
    here = {"low_bandwidth": f" This terminal is {'' if is_over_ssh() else 'not '}over SSH."}
    return [
        Member(
            name,
            _words(getattr(settings, name)),
            words + here.get(name, ""),
            getattr(settings, name) != getattr(usual, name),
        )
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
