"""`watui login`, `watui logout` and `watui health`: how the server of a profile comes to know us, and how it is."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

import click

from watui.cli.exits import Exit, Stop
from watui.cli.profiles import learn_region
from watui.cli.rows import FORMATS, print_rows, usual_format
from watui.cli.session import code_of, in_words
from watui.cli.talk import say
from watui.cli.target import find_settings, find_target, target_options
from watui.client.failures import Failure
from watui.client.server import BadServer, is_token
from watui.client.trust import BadTrust
from watui.contract.conversion import UnknownRegion
from watui.contract.rules import PASSWORD_RULE, is_password
from watui.export.rows import NodeRow
from watui.export.table import NODES
from watui.findings import Level
from watui.settings.paths import Paths, find_paths
from watui.settings.secrets import BadSecret, Secret, Secrets, Store
from watui.settings.settings import SIMULATOR, BadSettings, Profile, save_profile
from watui.sites import Site, check_profile, profile_of, site_of

if TYPE_CHECKING:
    from watui.client.auth import Token

NOWHERE = "none"
"""In place of a store: nothing is kept."""

PROFILE = click.option("--profile", metavar="NAME", help="The profile. Default: that of the settings.")


@click.command()
@PROFILE
@click.option("--user", metavar="USER", help="Log in as this user, from now on. Without a user a token is kept.")
@click.option(
    "--store",
    type=click.Choice([*(store.value for store in Store), NOWHERE]),
    help="Where to keep the secret: the system's keyring, a file that only you can read, or nowhere.",
)
def login(profile: str | None, user: str | None, store: str | None) -> int:
    """Log in at the server of a profile, or keep its token.

    Asks for the password, or reads it from standard input; a second line there is the new one, where a first login
    wants another.
    """
    with _stopping():
        paths = find_paths()
        secrets = Secrets(paths.secrets)
        site, found = _named(paths, secrets, profile)
        user = user or found.user
        chosen = _store(secrets, store, paths)
        if user is None:
            return _keep_token(site, secrets, chosen)
        if user != found.user:
            check_profile(site.profile, _with_user(found, user))
            save_profile(paths.settings, site.profile, {"user": user})
            site, _ = _named(paths, secrets, profile)
        return _log_in(paths, site, secrets, user, chosen)


@click.command()
@PROFILE
@click.option("--forget", is_flag=True, help="Forget the password, or the token that you gave, as well.")
def logout(profile: str | None, forget: bool) -> int:
    """Revoke the token of the latest login at the server of a profile, and forget it."""
    from watui.logins import log_out

    with _stopping():
        paths = find_paths()
        secrets = Secrets(paths.secrets)
        site, _ = _named(paths, secrets, profile)
        try:
            was_there = asyncio.run(log_out(site, secrets))
        except Failure as failure:
            say(f"The server could not be told: {in_words(failure)}. The token is forgotten here.")
            return code_of(failure)
        finally:
            if forget:
                secrets.forget(site.profile, *Secret)
        say(f"Logged out of {site.profile}." if was_there else f"No login at {site.profile} is kept.")
        if forget:
            say("What was kept of its secrets is deleted.")
    return Exit.DONE


@click.command()
@target_options
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Default: a table on a terminal, else jsonl.")
def health(url: str | None, profile: str | None, region: str | None, format_: str | None) -> int:
    """Print how the server is, a row for each of its nodes, and say what it is."""
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


def _keep_token(site: Site, secrets: Secrets, store: Store | None) -> int:
    if store is None:
        raise Stop("a token that is kept nowhere is given as WATUI_TOKEN at each start; with --user you log in instead")
    token = _secret(f"Token for {site.profile}")
    if not is_token(token):
        raise Stop("the token holds characters that cannot stand in a header: nothing is kept")
    say(f"The token is kept in {secrets.keep(site.profile, Secret.TOKEN, token, store)}.")
    say(f"'watui profiles test {site.profile}' looks whether the server takes it.")
    return Exit.DONE


def _log_in(paths: Paths, site: Site, secrets: Secrets, user: str, store: Store | None) -> int:
    from watui.checkup import look_at
    from watui.client.auth import Credentials, PasswordChangeRequired
    from watui.logins import keep, log_in

    credentials, password = Credentials(user, _secret(f"Password of {user} at {site.profile}")), None
    try:
        try:
            token = asyncio.run(log_in(site, credentials))
        except PasswordChangeRequired as failure:
            say(f"{failure.title}.")
            password = _new_password()
            token = asyncio.run(log_in(site, credentials, password))
    except Failure as failure:
        raise Stop(in_words(failure), code_of(failure)) from failure
    say(f"Logged in at {site.profile} as {user}{_until(token)}.")
    if store is None:
        say("Nothing is kept.")
        return Exit.DONE
    place = asyncio.run(keep(site, secrets, password or credentials.password, token, store))
    say(f"The password is kept in {place}.")
    if profile_of(find_settings(paths), site.profile).region is None:
        found = asyncio.run(look_at(site))
        if found.home is not None:
            learn_region(paths, site.profile, found.home)
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
    if sys.stdin.isatty():
        return str(click.prompt(what, hide_input=True, err=True))
    if not (secret := sys.stdin.readline().rstrip("\r\n")):
        raise Stop("standard input is empty: give the password or the token on its first line")
    return secret


def _store(secrets: Secrets, wanted: str | None, paths: Paths) -> Store | None:
    """Return where a secret is to be kept; a file only where a person has said so."""
    if wanted is not None:
        if wanted == Store.KEYRING and (trouble := secrets.keyring_trouble()) is not None:
            raise Stop(f"{trouble}. Say --store file, or --store none")
        return None if wanted == NOWHERE else Store(wanted)
    trouble = secrets.keyring_trouble()
    if trouble is None:
        return Store.KEYRING
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Stop(f"{trouble}. Say --store file to keep the secret in {paths.secrets}, or --store none")
    say(f"{trouble[0].upper()}{trouble[1:]}.")
    is_wanted = click.confirm(f"Keep it as plain text in {paths.secrets}, which only you can read?", err=True)
    return Store.FILE if is_wanted else None


def _named(paths: Paths, secrets: Secrets, profile: str | None) -> tuple[Site, Profile]:
    """Return the site and the profile that a person means. Raises BadSettings, BadServer and UnknownRegion."""
    settings = find_settings(paths)
    name = profile or settings.profile
    found = profile_of(settings, name)
    if found.url is None:
        raise Stop(f"the profile {SIMULATOR} needs no login: name another one with --profile NAME")
    return site_of(settings, name, secrets), found


def _with_user(profile: Profile, user: str) -> Profile:
    from msgspec.structs import replace

    return replace(profile, user=user)


@contextmanager
def _stopping() -> Iterator[None]:
    """End the command where a setting, a server or a secret can't be used."""
    try:
        yield
    except (BadSettings, BadServer, BadSecret, BadTrust, UnknownRegion) as error:
        raise Stop(str(error)) from error
