"""Everything that is looked at, in groups. Whatever goes wrong with looking is itself a finding."""

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

from watui.doctor import places, profiles, terminal, versions
from watui.findings import Finding, Level
from watui.settings.paths import Paths
from watui.settings.settings import BadSettings, Settings, load
from watui.sites import profile_of

Look = Callable[[], Iterable[Finding]]


class Group(NamedTuple):
    """What was found of one kind."""

    name: str
    findings: tuple[Finding, ...]


def examine(paths: Paths, profile: str | None = None, *, everywhere: bool = False) -> list[Group]:
    """Look at everything, and at the server of one profile: the one named, else that of the settings, or `everywhere`.

    Raises NoSuchProfile.
    """
    groups = [
        _group("versions", versions.look),
        _group("paths", *(partial(of, paths) for of in (places.settings, places.ledger, places.logs, places.secrets))),
        _group(
            "terminal",
            *(terminal.streams, terminal.size, terminal.colours, partial(terminal.bandwidth, paths)),
            *(terminal.encoding, terminal.width, terminal.clipboard),
        ),
    ]
    try:
        settings = load(paths.settings)
    except BadSettings:
        secrets = profiles.LookingSecrets(paths.secrets)
        unknown = Finding("profiles", Level.NOTE, "not looked at: the settings can't be used")
        return [*groups, _group("secrets", partial(profiles.keyring, secrets)), Group("profiles", (unknown,))]
    if profile is not None:
        profile_of(settings, profile)
    # What the environment hands over is for the profile that a command would use.
    secrets = profiles.LookingSecrets(paths.secrets, given_for=profile or settings.profile)
    names = list(settings.profiles) if everywhere else [profile or settings.profile]
    looks = (partial(profiles.keyring, secrets), partial(profiles.kept, secrets, settings))
    return [*groups, _group("secrets", *looks), *asyncio.run(_servers(settings, secrets, names))]


async def _servers(settings: Settings, secrets: profiles.LookingSecrets, names: Iterable[str]) -> list[Group]:
    """Look at the servers of all these profiles at once."""
    return await asyncio.gather(*(_server(settings, secrets, name) for name in names))


async def _server(settings: Settings, secrets: profiles.LookingSecrets, name: str) -> Group:
    try:
        findings = await profiles.look(settings, secrets, name)
    except Exception as error:  # noqa: BLE001 - a doctor that falls ill helps nobody
        findings = [_not_looked_at("server", error)]
    return Group(f"profile {name}", tuple(findings))


def _group(name: str, *looks: Look) -> Group:
    return Group(name, tuple(finding for look in looks for finding in _found(name, look)))


def _found(name: str, look: Look) -> list[Finding]:
    try:
        return list(look())
    except Exception as error:  # noqa: BLE001 - a doctor that falls ill helps nobody
        return [_not_looked_at(name, error)]


def _not_looked_at(subject: str, error: Exception) -> Finding:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    words = f"it could not all be looked at: {reason}"
    return Finding(subject, Level.TROUBLE, words, "Mend what is yours to mend; else report it as a mistake of watui.")
