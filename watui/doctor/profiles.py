"""What is known of profiles: where their secrets are, and how their servers are found."""

import asyncio
import shlex
from collections.abc import Iterator

from watui.checkup import look_at
from watui.client.server import BadServer
from watui.contract.conversion import UnknownRegion
from watui.contract.statuses import FULLEST_VERSION, Status, explain
from watui.findings import Finding, Level
from watui.settings.secrets import BadSecret, Secret, Secrets, Store
from watui.settings.settings import BadSettings, Settings
from watui.sites import Site, profile_of, site_of

LOOK_SECONDS = 40.0
"""How long a server may be looked at, whatever it does."""

_MEND = "Correct the profile in the settings."


class LookingSecrets(Secrets):
    """The secrets of all profiles, for whoever only looks: the token of a login is not kept."""

    def keep(self, profile: str, secret: Secret, value: str, store: Store) -> str:
        raise BadSecret("nothing is kept by who only looks")


def keyring(secrets: Secrets) -> Iterator[Finding]:
    """Look at whether there is a keyring."""
    trouble = secrets.keyring_trouble()
    if trouble is None:
        yield Finding("keyring", Level.OK, "the system's keyring can be used")
    else:
        step = "Without one, secrets come from variables, from systemd, or from files that you agree to."
        yield Finding("keyring", Level.NOTE, trouble, step)


def kept(secrets: Secrets, settings: Settings) -> Iterator[Finding]:
    """Say where the secrets of each profile are."""
    for name, profile in settings.profiles.items():
        if profile.url is not None:
            wanted = (Secret.TOKEN, Secret.PASSWORD, Secret.LOGIN) if profile.user is not None else (Secret.TOKEN,)
            yield _kept(secrets, name, wanted)


def _kept(secrets: Secrets, name: str, wanted: tuple[Secret, ...]) -> Finding:
    try:
        found = {secret: secrets.find(name, secret) for secret in wanted}
    except BadSecret as error:
        return Finding(name, Level.TROUBLE, str(error), "Mend that file, or delete it and give the secret anew.")
    words = [f"{secret} in {place.place}" for secret, place in found.items() if place is not None]
    if words:
        return Finding(name, Level.OK, "; ".join(words))
    missing = Secret.PASSWORD if Secret.PASSWORD in wanted else Secret.TOKEN
    return Finding(
        name,
        Level.NOTE,
        f"no {missing} is found",
        f"Where the server wants one: watui login --profile {shlex.quote(name)}, or set {missing.variable}.",
    )


async def look(settings: Settings, secrets: Secrets, name: str) -> list[Finding]:
    """Look at the server of a profile."""
    try:
        site = site_of(settings, name, secrets)
    except (BadSettings, BadServer, UnknownRegion) as error:
        return [Finding("profile", Level.TROUBLE, str(error), _MEND)]
    if site.server is None:
        return _of_simulator(settings, site)
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            found = (await look_at(site)).findings
    except TimeoutError:
        words = f"no end of it within {LOOK_SECONDS:g} seconds"
        found = (Finding("server", Level.TROUBLE, words, "Look at the way to the server, a proxy between included."),)
    return [_of_site(site, settings), *found]


def _of_site(site: Site, settings: Settings) -> Finding:
    assert site.server is not None, "it is a server's"
    kind = profile_of(settings, site.profile).kind
    read_only = ", read-only" if site.read_only else ""
    return Finding("profile", Level.OK, f"{site.server.url} ({kind}), read as registered in {site.region}{read_only}")


def _of_simulator(settings: Settings, site: Site) -> list[Finding]:
    servers = [name for name, profile in settings.profiles.items() if profile.url is not None]
    why = f"profiles of servers: {', '.join(servers)}" if servers else "the default, as there is no profile of a server"
    meaning = explain(Status.VALID, FULLEST_VERSION)
    return [
        Finding("profile", Level.OK, f"the embedded simulator, read as registered in {site.region}; {why}"),
        Finding("version", Level.OK, f"{FULLEST_VERSION}, unless it is changed there; {meaning}"),
    ]
