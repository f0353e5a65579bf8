"""The options that several commands have in common, and what a shell is told that a word may become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import click

from watui.cli.help import SERVER, Decorated, option

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

FILE = click.Path(allow_dash=True, readable=False)
"""A file that is read, or `-`. Whoever reads it says what is wrong with it."""


def suggesting(find: str) -> Callable[[click.Context, click.Parameter, str], list[CompletionItem]]:
    """Return what tells a shell the words that `find` of the completions returns; others may be typed, too."""

    def suggest(_: click.Context, __: click.Parameter, begun: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        from watui.cli import completion

        words: Mapping[str, str] = getattr(completion, find)()
        return [CompletionItem(word, help=what) for word, what in words.items() if word.startswith(begun)]

    return suggest


def target_options(command: Decorated) -> Decorated:
    """Give a command the options that say which server is meant."""
    for add in (
        option(
            "--region", metavar="CC", section=SERVER, help="Country of the number that the server is registered with."
        ),
        option(
            "--profile",
            metavar="NAME",
            section=SERVER,
            shell_complete=suggesting("profiles"),
            help="Use this profile of the settings; simulator is always there.",
        ),
        option("--url", metavar="URL", section=SERVER, help="Ask the server at URL; its token is in WATUI_TOKEN."),
    ):
        command = add(command)
    return command
