"""Which server a command is for, and the settings it goes by."""

import os

from msgspec.structs import replace

from watui.cli.exits import Stop
from watui.cli.talk import hides_numbers
from watui.client.server import BadServer, Server
from watui.contract.conversion import UnknownRegion
from watui.settings.paths import Paths
from watui.settings.secrets import Secret, Secrets
from watui.settings.settings import BadSettings, Profile, Settings, load
from watui.sites import Site, region_of, site_at, site_of


def find_server(url: str | None) -> Server | None:
    """Return the server at `url` with the token of the environment; None stands for the embedded simulator."""
    if url is None:
        return None
    try:
        return Server.at(url, os.environ.get(Secret.TOKEN.variable) or None)
    except BadServer as error:
        raise Stop(str(error)) from error


def find_target(
    settings: Settings,
    paths: Paths,
    url: str | None,
    profile: str | None,
    region: str | None,
    secrets: Secrets | None = None,
) -> Site:
    """Return the server at `url`, or that of the `profile`, or that of the settings.

    While numbers are hidden, the log holds none either, whatever the settings say.
    """
    if hides_numbers():
        settings = replace(settings, log_numbers=False)
    if url is not None and profile is not None:
        raise Stop("--url and --profile name two servers: leave one out")
    server = find_server(url)
    try:
        if server is not None:
            return site_at(settings, server, region)
        name = profile or settings.profile
        return site_of(settings, name, secrets or Secrets(paths.secrets, given_for=name), region, paths.settings)
    except (BadSettings, BadServer, UnknownRegion) as error:
        raise Stop(str(error)) from error


def find_settings(paths: Paths) -> Settings:
    """Return what the person has chosen, or stop with the reason why it can't be used."""
    try:
        return load(paths.settings)
    except BadSettings as error:
        raise Stop(str(error)) from error


def find_list_region(text: str | None) -> str | None:
    """Return of which country a list is said to be, or stop."""
    from watui.contract.list_regions import check_list_region

    try:
        return check_list_region(text) if text is not None else None
    except UnknownRegion as error:
        raise Stop(str(error)) from error


def find_region(region: str) -> str:
    """Return `region` as the contract writes it, or stop."""
    try:
        return region_of(Settings(), Profile(), region)
    except UnknownRegion as error:
        raise Stop(str(error)) from error
