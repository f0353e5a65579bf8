"""Which server a command is for, and the settings it goes by."""

import os

from watui.cli.exits import Stop
from watui.client.server import BadServer, Server
from watui.contract.conversion import UnknownRegion, check_region
from watui.settings.paths import Paths
from watui.settings.settings import BadSettings, Settings, load

TOKEN_VARIABLE = "WATUI_TOKEN"  # noqa: S105 - the name of a variable


def find_server(url: str | None) -> Server | None:
    """Return the server at `url` with the token of the environment; None stands for the embedded simulator."""
    if url is None:
        return None
    try:
        return Server.at(url, os.environ.get(TOKEN_VARIABLE) or None)
    except BadServer as error:
        raise Stop(str(error)) from error


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
