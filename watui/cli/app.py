"""The commands of `watui`."""

import os
import select
import shlex
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module

import click

from watui import __version__
from watui.cli.exits import Exit, Stop
from watui.cli.help import Group
from watui.cli.options import hide_numbers_option, target_options
from watui.cli.order import can_show_console, run_in_order
from watui.cli.talk import say

_LONGEST_WAIT_FOR_INPUT = 0.3
"""Seconds that a program piped into us may take to say something, before we take it that nothing comes."""

_UNLOGGED = frozenset({"watui doctor"})
"""Commands that leave no trace."""

_ASKS_FOR_HELP = frozenset({"--help", "-h", "--version"})

_GROUPS = {
    "Numbers": {"check": "check", "runs": "runs", "budget": "budget"},
    "Contacts": {
        "block": "block",
        "unblock": "block",
        "report": "block",
        "blocklist": "blocklist",
        "identity": "identity",
        "actions": "block",  # which adds undo and again to what trail has
    },
    "Servers": {"profiles": "profiles", "login": "login", "logout": "login", "health": "login"},
    "Simulator": {"tour": "tour", "simulator": "simulator", "simulate": "simulate"},
    "Upkeep": {"doctor": "doctor", "backup": "forget"},
}
"""The commands by what they are for, and where each is: in the module beside this one, under its own name."""

_MODULES = {name: module for group in _GROUPS.values() for name, module in group.items()}


class Commands(Group):
    """A group that loads a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_MODULES)

    def groups(self, ctx: click.Context) -> Mapping[str, Iterable[str]]:
        return _GROUPS

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _MODULES:
            return None
        command: click.Command = getattr(import_module(f"watui.cli.{_MODULES[cmd_name]}"), cmd_name)
        return command


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    examples=[
        "watui                                # the console",
        "watui check numbers.csv --output results.csv",
        "watui block +16315551000 --reason spam",
        "watui tour                           # what the API does, in ten steps",
    ],
)
@click.version_option(__version__, message="watui %(version)s")
@target_options
@hide_numbers_option
@click.pass_context
def watui(context: click.Context, url: str | None, profile: str | None, region: str | None) -> int:
    """Check phone numbers against a WhatsApp Business /v1/contacts API, or its simulator; block and report contacts.

    Without a command, watui opens the console, where ? shows what each key does. As long as no server is named, all of
    it runs on the simulator that is built in, and nothing leaves this machine.
    """
    if context.invoked_subcommand is not None:
        if any(option is not None for option in (url, profile, region)):
            given = (("--url", url), ("--profile", profile), ("--region", region))
            options = " ".join(f"{name} {shlex.quote(value)}" for name, value in given if value is not None)
            raise Stop(f"options go after the command: watui {context.invoked_subcommand} {options}")
        return Exit.DONE
    if can_show_console():
        from watui.cli.console import open_console

        return open_console(url, profile, region)
    if _is_fed():
        raise Stop("numbers on standard input? Then 'watui check -' is meant: it reads them and prints a row for each")
    if url is not None or profile is not None:
        raise Stop("the console needs a terminal; without one, check a file on that server: watui check FILE --url URL")
    say(f"{_why_no_console()}; checking the sample numbers instead, as 'watui check --sample' does.")
    from watui.cli.check import check

    return int(context.invoke(check, sample=True, region=region))


def run() -> int:
    """Run the command line and return its exit code. Nothing that a person did wrong ends in a traceback."""
    name = name_of(sys.argv[1:])
    is_logged = name not in _UNLOGGED and not _ASKS_FOR_HELP & set(sys.argv[1:])
    return run_in_order(name, _run, is_logged=is_logged)


def name_of(arguments: Sequence[str]) -> str:
    """Return the name of the command that is called, without what a person gives to it."""
    command: click.Command | None = watui
    names = ["watui"]
    for argument in arguments:
        if not isinstance(command, click.Group):
            break
        command = command.get_command(click.Context(command), argument)
        if command is None:
            break
        names.append(argument)
    return " ".join(names)


def _run() -> int:
    try:
        code = watui.main(prog_name="watui", standalone_mode=False)
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else name_of(sys.argv[1:])
        say(f"{command}: {error.format_message()} See '{command} --help'.")
        return Exit.USAGE
    except click.ClickException as error:
        say(f"watui: {error.format_message()}")
        return Exit.USAGE
    except click.Abort:
        click.echo(err=True)  # The line of the question is still open.
        return Exit.INTERRUPTED
    return code if isinstance(code, int) else Exit.DONE


def _why_no_console() -> str:
    if sys.stdin.isatty() and sys.stdout.isatty():
        return "This terminal (TERM=dumb) cannot show the console"
    return "The console needs a terminal and there is none"


def _is_fed() -> bool:
    """Whether somebody feeds data into standard input."""
    try:
        mode = os.fstat(0)
    except OSError:
        return False
    if stat.S_ISREG(mode.st_mode):
        return mode.st_size > 0
    if not stat.S_ISFIFO(mode.st_mode):
        return False
    return bool(select.select([0], [], [], _LONGEST_WAIT_FOR_INPUT)[0]) and os.read(0, 1) != b""
