"""`watui login`, `watui logout` and `watui health`: how the server of a profile comes to know us, and how it is."""

from __future__ import annotations

import asyncio
import shlex
import sys
from datetime import datetime
from typing import TYPE_CHECKING

import click

from watui.cli.exits import Exit, Stop
from watui.cli.help import SERVER, Command, option
from watui.cli.options import suggesting, target_options
from watui.cli.profiles import stopping
from watui.cli.rows import format_option, print_rows, usual_format
from watui.cli.session import code_of, in_words
from watui.cli.talk import can_ask, is_confirmed, say
from watui.cli.target import find_settings, find_target
from watui.client.failures import Failure
from watui.client.server import is_token
from watui.contract.rules import PASSWORD_RULE, is_password
from watui.export.rows import NodeRow
from watui.export.table import NODES
from watui.findings import Level
from watui.settings.paths import find_paths
from watui.settings.secrets import Secret, Secrets, Store
from watui.settings.settings import SIMULATOR, Profile
from watui.setup import Setup
from watui.sites import Site, secret_place

if TYPE_CHECKING:
    from watui.client.auth import Token

NOWHERE = "none"
"""In place of a store: nothing is kept."""

PROFILE = option(
    "--profile",
    metavar="NAME",
    section=SERVER,
    shell_complete=suggesting("named_profiles"),
    help="The profile. Default: that of the settings.",
)


@click.command(
    cls=Command,
    examples=[
        "watui login --profile production",
        "watui login --profile production --user admin --store keyring < password.txt",
    ],
)
@click.option("--user", metavar="USER", help="Log in as this user, from now on. Without a user a token is kept.")
@click.option(
    "--store",
    type=click.Choice([*(store.value for store in Store), NOWHERE]),
    help="Where to keep the secret: the system's keyring, a file that only you can read, or nowhere.",
)
@PROFILE
def login(profile: str | None, user: str | None, store: str | None) -> int:
    """Log in at the server of a profile, or keep its token.

    Asks for the password, or reads it from standard input; a second line there is the new one, where a first login
    wants another.
    """
    with stopping():
        setup, site, found = _named(profile)
        user = user or found.user
        keeping = _Keeping(setup, store)
        return _log_in(setup, site, user, keeping) if user is not None else _keep_token(setup, site, keeping)


@click.command(cls=Command)
@click.option("--forget", is_flag=True, help="Forget the password, or the token that you gave, as well.")
@PROFILE
def logout(profile: str | None, forget: bool) -> int:
    """Revoke the token of the latest login, and forget it."""
    from watui.logins import log_out

    with stopping():
        setup, site, found = _named(profile)
        try:
            was_there = asyncio.run(log_out(site, setup.secrets))
        except Failure as failure:
            say(f"The server could not be told: {in_words(failure)}. The token is forgotten here.")
            return code_of(failure)
        finally:
            if forget:
                setup.secrets.forget(site.profile, *Secret)
        say(f"Logged out of {site.profile}." if was_there else f"No login at {site.profile} is kept.")
        if forget:
            say("What was kept of its secrets is deleted.")
        elif (place := secret_place(site.profile, found, setup.secrets)) is not None:
            say(f"Its password or token is still in {place}: --forget deletes it.")
    return Exit.DONE


@click.command(
    cls=Command,
    examples=[
        "watui health --profile production",
    ],
)
@target_options
@format_option
def health(url: str | None, profile: str | None, region: str | None, format_: str | None) -> int:
    """Print how the server is, a row for each of its nodes. Says what it is as well."""
    from watui.checkup import look_at

    paths = find_paths()
    site = find_target(find_settings(paths), paths, url, profile, region)
    if site.server is None:
        say("The embedded simulator is always well; 'watui simulator' prints how it is.")
        return Exit.DONE
    found = asyncio.run(look_at(site))
    if found.failure is not None:
        raise Stop(in_words(found.failure), code_of(found.failure))
    nodes = found.health.nodes if found.health is not None else ()
    version = found.health.version if found.health is not None else None
    rows = (NodeRow(each.name or site.server.host, each.status, each.role, version) for each in nodes)
    print_rows(rows, NODES, format_ or usual_format())
    for each in found.findings:
        if each.subject != "server" or not nodes:
            say(f"{each.subject}: {each.words}.{f' {each.next_step}' if each.next_step else ''}")
    return Exit.UNFINISHED if any(each.level is Level.TROUBLE for each in found.findings) else Exit.DONE


def _keep_token(setup: Setup, site: Site, keeping: _Keeping) -> int:
    if keeping.is_nowhere:
        raise Stop("a token that is kept nowhere is given as WATUI_TOKEN at each start; with --user you log in instead")
    token = _secret(f"Token for {site.profile}")
    if not is_token(token):
        raise Stop("the token holds characters that cannot stand in a header: nothing is kept")
    if (store := keeping.store()) is None:
        say("Nothing is kept: give the token as WATUI_TOKEN at each start.")
        return Exit.UNFINISHED
    say(f"The token is kept in {setup.keep_token(site.profile, token, store)}.")
    say(f"'watui profiles test {shlex.quote(site.profile)}' looks whether the server takes it.")
    return Exit.DONE


def _log_in(setup: Setup, site: Site, user: str, keeping: _Keeping) -> int:
    from watui.client.auth import Credentials
    from watui.client.failures import PasswordChangeRequired
    from watui.logins import log_in

    name = site.profile
    setup.check(name, {"user": user})
    credentials, password = Credentials(user, _secret(f"Password of {user} at {name}")), None
    try:
        try:
            token = asyncio.run(log_in(site, credentials))
        except PasswordChangeRequired as failure:
            say(f"{failure.title}.")
            password = _new_password()
            token = asyncio.run(log_in(site, credentials, password))
    except Failure as failure:
        raise Stop(in_words(failure), code_of(failure)) from failure
    say(f"Logged in at {name} as {user}{_until(token)}.")
    if (store := keeping.store()) is None:
        say("Nothing is kept: give the password as WATUI_PASSWORD at each start.")
        return Exit.DONE
    place = setup.keep_login(name, user, password or credentials.password, token, store)
    say(f"The password is kept in {place}.")
    if setup.profile(name).region is None and (learnt := asyncio.run(setup.look_at(name))[1]) is not None:
        say(f"The server is registered in {learnt}: that is the region of {name} from now on.")
    return Exit.DONE


def _until(token: Token) -> str:
    if token.expires_at is None:
        return ""
    return f"; the token expires {datetime.fromtimestamp(token.expires_at).astimezone():%Y-%m-%d %H:%M %Z}"


def _new_password() -> str:
    if not sys.stdin.isatty():
        if not (password := sys.stdin.readline().rstrip("\r\n")):
            raise Stop("the server wants another password: give it on a second line of standard input")
        if not is_password(password):
            raise Stop(f"the new password does not fit: {PASSWORD_RULE}")
        return password
    say(f"A password has {PASSWORD_RULE}.")
    while True:
        password = click.prompt("New password", hide_input=True, confirmation_prompt="Once more", err=True)
        if is_password(password):
            return str(password)
        say(f"That does not fit: {PASSWORD_RULE}.")


def _secret(what: str) -> str:
    """Return a secret that a person types, or the first line of standard input."""
    is_typed = sys.stdin.isatty()
    secret = str(click.prompt(what, hide_input=True, err=True)) if is_typed else sys.stdin.readline().rstrip("\r\n")
    if not secret:
        raise Stop("standard input is empty: give the password or the token on its first line")
    try:
        secret.encode()
    except UnicodeEncodeError as error:
        raise Stop("the password or the token is not UTF-8: nothing was sent") from error
    return secret


class _Keeping:
    """Where a secret is to be kept; a file only where a person has said so.

    What can be known of that is known, or stops, before a secret is asked for.
    """

    def __init__(self, setup: Setup, wanted: str | None) -> None:
        self.is_nowhere = wanted == NOWHERE
        self._folder = setup.paths.secrets
        self._store = Store(wanted) if wanted not in (None, NOWHERE) else None
        self._trouble = setup.secrets.keyring_trouble() if wanted in (None, Store.KEYRING) else None
        if wanted is None and self._trouble is None:
            self._store = Store.KEYRING
        elif wanted == Store.KEYRING and self._trouble is not None:
            raise Stop(f"{self._trouble}. Say --store file, or --store none")
        elif wanted is None and not can_ask():
            raise Stop(f"{self._trouble}. Say --store file to keep the secret in {self._folder}, or --store none")

    def store(self) -> Store | None:
        """Return it, asking where nothing was said; None for nowhere."""
        if self._store is not None or self.is_nowhere or self._trouble is None:
            return self._store
        say(f"{self._trouble[0].upper()}{self._trouble[1:]}.")
        is_wanted = is_confirmed(f"Keep it as plain text in {self._folder}, which only you can read?")
        return Store.FILE if is_wanted else None


def _named(profile: str | None) -> tuple[Setup, Site, Profile]:
    """Return the site and the profile that a person means. Raises BadSettings, BadServer and UnknownRegion."""
    paths = find_paths()
    setup = Setup(paths, Secrets(paths.secrets))
    name = profile or setup.settings().profile
    found = setup.profile(name)
    if found.url is None:
        raise Stop(f"the profile {SIMULATOR} needs no login: name another one with --profile NAME")
    return setup, setup.site(name), found
