"""The options that several commands have in common."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from watui.cli.talk import hide_numbers

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


def _hide(_context: click.Context, _option: click.Parameter, is_wanted: bool) -> None:
    if is_wanted:
        hide_numbers()


hide_numbers_option = click.option(
    "--hide-numbers",
    is_flag=True,
    expose_value=False,
    callback=_hide,
    help="Hide all digits of numbers but the last three.",
)
