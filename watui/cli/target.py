"""Which server a command is for, and the settings it goes by."""

import os
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click

from watui.cli.exits import Stop
from watui.client.server import BadServer, Server
from watui.contract.conversion import UnknownRegion, check_region
from watui.contract.kinds import ServerKind
from watui.desk import Desk
from watui.settings.paths import Paths
from watui.settings.settings import SIMULATOR, BadSettings, Profile, Settings, load

TOKEN_VARIABLE = "WATUI_TOKEN"  # noqa: S105 - the name of a variable


def find_server(url: str | None, kind: ServerKind = ServerKind.OWN) -> Server | None:
    """Return the server at `url` with the token of the environment; None stands for the embedded simulator."""
    if url is None:
        return None
    try:
        return Server.at(url, os.environ.get(TOKEN_VARIABLE) or None, kind)
    except BadServer as error:
        raise Stop(str(error)) from error


class Target(NamedTuple):
    """The server that a command line means."""

    profile: str
    """As people call it."""
    server: Server | None
    """None stands for the embedded simulator."""
    region: str
    """Of the number that it is registered with."""
    read_only: bool
    """Whether contacts are only looked at."""

    @property
    def server_id(self) -> str:
        """The server as the ledger calls it."""
        return self.server.url if self.server else SIMULATOR

    def open_desk(self, paths: Paths) -> Desk:
        """Open everything for it. Raises LedgerUnusable."""
        return Desk(paths, self.server, self.region, self.profile, read_only=self.read_only)


Command = TypeVar("Command", bound=Callable[..., Any])


def target_options(command: Command) -> Command:
    """Give a command the options that say which server is meant."""
    for option in (
        click.option("--region", metavar="CC", help="Country of the number that the server is registered with."),
        click.option("--profile", metavar="NAME", help="Use this profile of the settings; simulator is always there."),
        click.option("--url", metavar="URL", help="Ask the server at URL; its token is in WATUI_TOKEN."),
    ):
        command = option(command)
    return command


def find_target(settings: Settings, url: str | None, profile: str | None, region: str | None) -> Target:
    """Return the server at `url`, or that of the `profile`, or that of the settings."""
    if url is not None:
        if profile is not None:
            raise Stop("--url and --profile name two servers: leave one out")
        server = find_server(url)
        assert server is not None, "there is a URL"
        return Target(server.host, server, find_region(region or settings.region), settings.read_only)
    name = profile or settings.profile
    found = settings.profiles.get(name)
    if found is None and name != SIMULATOR:
        names = ", ".join([SIMULATOR, *settings.profiles])
        raise Stop(f"there is no profile {name}: the settings know {names}")
    found = found or Profile()
    return Target(
        name,
        find_server(found.url, found.kind),
        find_region(region or found.region or settings.region),
        found.read_only or settings.read_only,
    )


def find_settings(paths: Paths) -> Settings:
    """Return what the person has chosen, or stop with the reason why it can't be used."""
    try:
        return load(paths.settings)
    except BadSettings as error:
        raise Stop(str(error)) from error


def find_region(region: str) -> str:
    """Return `region` as the contract writes it, or stop."""
    if region == Settings().region:
        return region  # known to be one, without waking the library that knows them all
    try:
        return check_region(region)
    except UnknownRegion as error:
        raise Stop(str(error)) from error
