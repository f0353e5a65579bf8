"""`watui profiles`: the servers that the settings know."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import click
import msgspec

from watui.cli.exits import Exit, Stop
from watui.cli.rows import FORMATS, print_rows, usual_format
from watui.cli.session import code_of
from watui.cli.talk import say
from watui.cli.target import find_settings
from watui.client.server import BadServer
from watui.client.trust import NoHandshake, Presented, presented
from watui.contract.conversion import UnknownRegion
from watui.contract.kinds import ServerKind
from watui.export.rows import FindingRow, ProfileRow
from watui.export.table import FINDINGS, PROFILES
from watui.findings import Finding, Level
from watui.settings.paths import Paths, find_paths
from watui.settings.secrets import BadSecret, Secret, Secrets
from watui.settings.settings import (
    COLOURS,
    SIMULATOR,
    BadSettings,
    Profile,
    Settings,
    descriptions,
    remove_profile,
    save_profile,
)
from watui.sites import check_profile, profile_of, secret_place, server_of, site_of, trust_words

Command = TypeVar("Command", bound=Callable[..., Any])

_CHOICES = {"kind": [kind.value for kind in ServerKind], "colour": COLOURS}

_BY_HAND = ("certificate",)
"""Members that no option gives: a certificate is pinned with `trust`."""


@click.group(invoke_without_command=True)
@click.pass_context
def profiles(context: click.Context) -> int:
    """List, add, test and remove the servers that have a name. Without a command: list them."""
    return context.invoke(list_) if context.invoked_subcommand is None else Exit.DONE


@profiles.command("list")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Default: a table on a terminal, else jsonl.")
def list_(format_: str | None = None) -> int:
    """Print all profiles; the one with a star is used where none is named."""
    paths = find_paths()
    settings = find_settings(paths)
    print_rows(_rows(settings, Secrets(paths.secrets)), PROFILES, format_ or usual_format())
    if not settings.profiles:
        say("There is no profile yet: everything runs on the embedded simulator. 'watui profiles add NAME --url URL'.")
    return Exit.DONE


def _options(command: Command) -> Command:
    """Give a command an option for every member of a profile."""
    for name, (description, _) in reversed(descriptions(Profile).items()):
        if name in _BY_HAND:
            continue
        flag = f"--{name.replace('_', '-')}"
        if name == "read_only":
            option = click.option(f"{flag}/--no-{flag[2:]}", name, default=None, help=description)
        else:
            kind = click.Choice(_CHOICES[name]) if name in _CHOICES else str
            option = click.option(flag, name, type=kind, metavar=None if name in _CHOICES else "…", help=description)
        command = option(command)
    return command


@profiles.command()
@click.argument("name")
@_options
@click.option("--replace", is_flag=True, help="Change a profile that is there already; what is not named stays.")
def add(name: str, replace: bool, **members: Any) -> int:
    """Add the profile NAME."""
    paths = find_paths()
    before = find_settings(paths).profiles.get(name)
    if before is not None and not replace:
        raise Stop(f"there is a profile {name} already: add --replace to change it")
    given = {member: value for member, value in members.items() if value is not None}
    known = msgspec.to_builtins(before) if before is not None else {}
    try:
        profile = msgspec.convert(known | given, Profile, strict=False)
        check_profile(name, profile)
        save_profile(paths.settings, name, {member: getattr(profile, member) for member in given})
    except msgspec.ValidationError as error:
        words, _, member = str(error).rstrip("`").partition(" - at `$.")
        raise Stop(f"--{member.replace('_', '-')}: {words}") from error
    except (BadSettings, BadServer, UnknownRegion) as error:
        raise Stop(str(error)) from error
    say(f"The profile {name} is {'changed' if before is not None else 'added'}, in {paths.settings}.")
    for line in _next_steps(name, profile):
        say(line)
    return Exit.DONE


@profiles.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Don't ask.")
def remove(name: str, yes: bool) -> int:
    """Remove the profile NAME, and what is kept of its secrets. Its runs and changes stay in the ledger."""
    paths = find_paths()
    _find(find_settings(paths), name)
    if not yes and not _is_confirmed(f"Remove the profile {name}, with its secrets?"):
        say("Nothing was removed.")
        return Exit.UNFINISHED
    try:
        remove_profile(paths.settings, name)
        Secrets(paths.secrets).forget(name, *Secret)
    except BadSettings as error:
        raise Stop(str(error)) from error
    except BadSecret as error:
        raise Stop(f"The profile {name} is removed, but perhaps not its secrets: {error}", Exit.UNFINISHED) from error
    say(f"The profile {name} is removed.")
    return Exit.DONE


@profiles.command()
@click.argument("name")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Default: a table on a terminal, else jsonl.")
def test(name: str, format_: str | None) -> int:
    """Look whether the server of the profile NAME is there, can be trusted and lets us in. Nothing is changed there."""
    from watui.checkup import look_at

    paths = find_paths()
    settings = find_settings(paths)
    profile = _find(settings, name)
    try:
        found = asyncio.run(look_at(site_of(settings, name, Secrets(paths.secrets))))
    except (BadSettings, BadServer, UnknownRegion) as error:
        raise Stop(str(error)) from error
    print_findings(found.findings, format_)
    if found.home is not None and profile.region is None:
        learn_region(paths, name, found.home)
    if found.failure is not None:
        return code_of(found.failure)
    return Exit.UNFINISHED if any(each.level is Level.TROUBLE for each in found.findings) else Exit.DONE


@profiles.command()
@click.argument("name")
@click.option("--fingerprint", metavar="SHA256", help="Pin without asking, if the certificate has this fingerprint.")
@click.option("--forget", is_flag=True, help="Pin nothing any more: trust the system's authorities again.")
def trust(name: str, fingerprint: str | None, forget: bool) -> int:
    """Pin the certificate that the server of the profile NAME shows, once you have compared its fingerprint."""
    paths = find_paths()
    profile = _find(find_settings(paths), name)
    if forget:
        _save(paths, name, None)
        say(f"No certificate is pinned for {name} any more.")
        return Exit.DONE
    shown = _presented(name, profile)
    say_certificate(profile, shown)
    if shown.trouble is not None:
        raise Stop(f"it can't be pinned: {shown.trouble}")
    if fingerprint is not None and _digits(fingerprint) != _digits(shown.fingerprint):
        raise Stop("the server shows another certificate than the one with this fingerprint: nothing is pinned")
    if fingerprint is None and not _is_confirmed("Is that the fingerprint of your server's own certificate? Pin it?"):
        say("Nothing is pinned.")
        return Exit.UNFINISHED
    _save(paths, name, shown.certificate)
    say(f"The certificate is pinned: {name} is asked only where it is shown.")
    return Exit.DONE


def print_findings(findings: tuple[Finding, ...], format_: str | None) -> None:
    """Print what was found, a row each."""
    rows = (FindingRow(each.subject, each.level, each.words, each.next_step) for each in findings)
    print_rows(rows, FINDINGS, format_ or usual_format())


def learn_region(paths: Paths, name: str, home: str) -> None:
    """Keep the country that a server says it is registered in, in a profile that names none."""
    try:
        save_profile(paths.settings, name, {"region": home})
    except BadSettings as error:
        say(str(error))
        return
    say(f"The server is registered in {home}: that is the region of {name} from now on.")


def say_certificate(profile: Profile, shown: Presented) -> None:
    """Say what a server shows, beside what is pinned."""
    names = ", ".join(shown.names) or "no name that could be read"
    say(f"It is for {names}; issued by {shown.issuer or 'nobody who could be read'}; good until {shown.until or '?'}.")
    server = server_of(profile)
    pinned = server.trust.fingerprint if server is not None else None
    if pinned is not None and pinned != shown.fingerprint:
        say(f"  pinned {pinned}")
        say(f"  shown  {shown.fingerprint}")
        say("The server shows another certificate than the one that is pinned.")
    else:
        say(f"  SHA-256 {shown.fingerprint}")
        if pinned is not None:
            say("That is the one that is pinned.")


def _presented(name: str, profile: Profile) -> Presented:
    try:
        server = server_of(profile)
        if server is None or not server.is_secure:
            raise Stop(f"the profile {name} has no https URL: there is no certificate to trust")
        say(f"The certificate of {server.host}, from the handshake alone:")
        return presented(*server.address)
    except BadServer as error:
        raise Stop(str(error)) from error
    except NoHandshake as error:
        raise Stop(str(error), Exit.UNREACHABLE) from error


def _save(paths: Paths, name: str, certificate: str | None) -> None:
    try:
        save_profile(paths.settings, name, {"certificate": certificate})
    except BadSettings as error:
        raise Stop(str(error)) from error


def _find(settings: Settings, name: str) -> Profile:
    try:
        return profile_of(settings, name)
    except BadSettings as error:
        raise Stop(str(error)) from error


def _rows(settings: Settings, secrets: Secrets) -> Iterator[ProfileRow]:
    for name, profile in ({SIMULATOR: Profile()} | settings.profiles).items():
        yield ProfileRow(
            name,
            profile.url or "embedded",
            profile.kind.value if profile.url else SIMULATOR,
            profile.region or settings.region,
            profile.read_only or settings.read_only,
            profile.user,
            secret_place(name, profile, secrets),
            trust_words(profile),
            profile.word,
            name == settings.profile,
        )


def _next_steps(name: str, profile: Profile) -> Iterator[str]:
    """Yield what to do with a profile that was just written."""
    secret = f"the password of {profile.user}" if profile.user else "its token"
    yield f"'watui login --profile {name}' keeps {secret}; 'watui profiles test {name}' looks whether all is well."
    if profile.url is not None and profile.url.startswith("https:") and not (profile.certificate or profile.ca_file):
        yield f"A certificate that no authority of the system has signed is pinned with 'watui profiles trust {name}'."


def _is_confirmed(question: str) -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Stop("there is no terminal at which to confirm that")
    return click.confirm(question, err=True)


def _digits(fingerprint: str) -> str:
    return fingerprint.upper().removeprefix("SHA256:").replace(":", "").replace(" ", "")
