"""`watui profiles`: the servers that the settings know."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from watui.cli.exits import Exit, Stop
from watui.cli.help import Decorated, Group
from watui.cli.options import FILE, suggesting
from watui.cli.rows import format_option, print_rows, usual_format
from watui.cli.session import code_of
from watui.cli.talk import can_ask, is_confirmed, say
from watui.cli.target import find_settings
from watui.client.server import BadServer, Server
from watui.client.trust import BadTrust, NoHandshake, Presented, presented
from watui.contract.conversion import UnknownRegion
from watui.contract.kinds import ServerKind
from watui.export.rows import FindingRow, ProfileRow
from watui.export.table import FINDINGS, PROFILES
from watui.findings import Finding, Level
from watui.settings.paths import find_paths
from watui.settings.secrets import BadSecret, Secrets
from watui.settings.settings import COLOURS, SIMULATOR, BadSettings, Profile, Settings, descriptions, parse
from watui.setup import Setup
from watui.sites import secret_place, trust_words

_CHOICES = {"kind": [kind.value for kind in ServerKind], "colour": COLOURS}

_METAVARS = {"url": "URL", "region": "CC", "rate": "N", "batch_size": "N", "ca_file": "FILE", "proxy": "URL"}

NAME = click.argument("name", shell_complete=suggesting("named_profiles"))

_BY_HAND = ("certificate",)
"""Members that no option gives: a certificate is pinned with `trust`."""


@click.group(
    cls=Group,
    invoke_without_command=True,
    examples=[
        "watui profiles add production --url https://wa.example.com:9090 --user admin",
        "watui profiles trust production",
        "watui login --profile production",
        "watui profiles test production",
    ],
)
@click.pass_context
def profiles(context: click.Context) -> int:
    """List, add, test, trust and remove the servers that have a name. Without a command: list them."""
    return context.invoke(list_) if context.invoked_subcommand is None else Exit.DONE


@profiles.command("list")
@format_option
def list_(format_: str | None = None) -> int:
    """Print all profiles; the one with a star is used where none is named."""
    paths = find_paths()
    settings = find_settings(paths)
    print_rows(_rows(settings, Secrets(paths.secrets, given_for=settings.profile)), PROFILES, format_ or usual_format())
    if not settings.profiles:
        say("There is no profile yet: everything runs on the embedded simulator. 'watui profiles add NAME --url URL'.")
    return Exit.DONE


def _options(command: Decorated) -> Decorated:
    """Give a command an option for every member of a profile."""
    for name, (description, _) in reversed(descriptions(Profile).items()):
        if name in _BY_HAND:
            continue
        flag = f"--{name.replace('_', '-')}"
        if name in ("read_only", "budget"):
            option = click.option(f"{flag}/--no-{flag[2:]}", name, default=None, help=description)
        else:
            kind = click.Choice(_CHOICES[name]) if name in _CHOICES else FILE if name == "ca_file" else str
            option = click.option(flag, name, type=kind, metavar=_METAVARS.get(name), help=description)
        command = option(command)
    return command


@profiles.command()
@NAME
@_options
@click.option("--replace", is_flag=True, help="Change a profile that is there already; what is not named stays.")
def add(name: str, replace: bool, **members: Any) -> int:
    """Add the profile NAME. An empty text takes a member of it out."""
    paths = find_paths()
    setup = Setup(paths, Secrets(paths.secrets))
    with stopping():
        is_there = name in find_settings(paths).profiles
        if is_there and not replace:
            raise Stop(f"there is a profile {name} already: add --replace to change it")
        given = {
            member: parse(Profile, member, value) if isinstance(value, str) and value else value
            for member, value in members.items()
            if value is not None
        }
        has_moved = setup.write(name, given)
        profile = setup.profile(name)
    say(f"The profile {name} is {'changed' if is_there else 'added'}, in {paths.settings}.")
    if has_moved:
        say("It is another server now: the pinned certificate and the secrets of the old one are forgotten.")
    for line in _next_steps(name, profile):
        say(line)
    return Exit.DONE


@profiles.command()
@NAME
@click.option("--yes", is_flag=True, help="Don't ask.")
def remove(name: str, yes: bool) -> int:
    """Remove the profile NAME, and what is kept of its secrets. Its runs and changes stay in the ledger."""
    paths = find_paths()
    setup = Setup(paths, Secrets(paths.secrets))
    with stopping():
        setup.profile(name)
        if not yes and not _is_confirmed(f"Remove the profile {name}, with its secrets?"):
            say("Nothing was removed.")
            return Exit.UNFINISHED
        try:
            setup.remove(name)
        except BadSecret as error:
            words = f"The profile {name} is removed, but perhaps not its secrets: {error}"
            raise Stop(words, Exit.UNFINISHED) from error
    say(f"The profile {name} is removed.")
    return Exit.DONE


@profiles.command()
@NAME
@format_option
def test(name: str, format_: str | None) -> int:
    """Look whether the server of the profile NAME lets us in.

    And before that, whether it is there and can be trusted. Nothing is changed there; a profile that names no region
    learns it.
    """
    paths = find_paths()
    with stopping():
        found, learnt = asyncio.run(Setup(paths, Secrets(paths.secrets)).look_at(name))
    print_findings(found.findings, format_)
    if learnt is not None:
        say(f"{learnt} is the region of {name} from now on.")
    if found.failure is not None:
        return code_of(found.failure)
    return Exit.UNFINISHED if any(each.level is Level.TROUBLE for each in found.findings) else Exit.DONE


@profiles.command()
@NAME
@click.option("--fingerprint", metavar="SHA256", help="Pin without asking, if the certificate has this fingerprint.")
@click.option("--forget", is_flag=True, help="Pin nothing any more: trust the system's authorities again.")
def trust(name: str, fingerprint: str | None, forget: bool) -> int:
    """Pin the certificate that the server of the profile NAME shows. Asks you to compare its fingerprint before."""
    paths = find_paths()
    setup = Setup(paths, Secrets(paths.secrets))
    with stopping():
        setup.profile(name)
        if forget:
            setup.pin(name, None)
            say(f"No certificate is pinned for {name} any more.")
            return Exit.DONE
        server = setup.pinnable(name)
        try:
            shown = presented(*server.address)
        except NoHandshake as error:
            raise Stop(str(error), Exit.UNREACHABLE) from error
        say_certificate(server, shown)
        if shown.trouble is not None:
            raise Stop(f"it can't be pinned: {shown.trouble}")
        if fingerprint is not None and _digits(fingerprint) != _digits(shown.fingerprint):
            raise Stop("the server shows another certificate than the one with this fingerprint: nothing is pinned")
        if shown.fingerprint == server.trust.known_fingerprint:
            return Exit.DONE
        question = "Is that the fingerprint of your server's own certificate? Pin it?"
        if fingerprint is None and not _is_confirmed(question):
            say("Nothing has changed.")
            return Exit.UNFINISHED
        setup.pin(name, shown.certificate)
    say(f"The certificate is pinned: {name} is asked only where it is shown.")
    return Exit.DONE


@contextmanager
def stopping() -> Iterator[None]:
    """End the command where a setting, a server or a secret can't be used."""
    try:
        yield
    except (BadSettings, BadServer, BadSecret, BadTrust, UnknownRegion) as error:
        raise Stop(str(error)) from error


def print_findings(findings: tuple[Finding, ...], format_: str | None) -> None:
    """Print what was found, a row each."""
    rows = (FindingRow(each.subject, each.level, each.words, each.next_step) for each in findings)
    print_rows(rows, FINDINGS, format_ or usual_format())


def say_certificate(server: Server, shown: Presented) -> None:
    """Say what a server shows, beside what is pinned."""
    names = ", ".join(shown.names) or "no name that could be read"
    say(f"The certificate of {server.host}, from the handshake alone:")
    say(f"It is for {names}; issued by {shown.issuer or 'nobody who could be read'}; good until {shown.until or '?'}.")
    pinned = server.trust.known_fingerprint
    if pinned is not None and pinned != shown.fingerprint:
        say(f"  pinned {pinned}")
        say(f"  shown  {shown.fingerprint}")
        say("The server shows another certificate than the one that is pinned.")
    else:
        say(f"  SHA-256 {shown.fingerprint}")
        if pinned is not None:
            say("That is the one that is pinned.")


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
    quoted = shlex.quote(name)
    yield f"'watui login --profile {quoted}' keeps {secret}; 'watui profiles test {quoted}' looks whether all is well."
    if profile.url is not None and profile.url.startswith("https:") and not (profile.certificate or profile.ca_file):
        yield f"A certificate that no authority of the system has signed is pinned by 'watui profiles trust {quoted}'."


def _is_confirmed(question: str) -> bool:
    if not can_ask():
        raise Stop("there is no terminal at which to confirm that")
    return is_confirmed(question)


def _digits(fingerprint: str) -> str:
    return fingerprint.upper().removeprefix("SHA256:").replace(":", "").replace(" ", "")
