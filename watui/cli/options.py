"""The options that several commands have in common, and what a shell is told that a word may become."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watui.cli.exits import Stop
from watui.cli.help import OUTPUT, SERVER, Decorated, option
from watui.cli.talk import hide_numbers
from watui.intake.sources import STDIN

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


har_option = option(
    "--har",
    type=click.Path(path_type=Path),
    metavar="FILE",
    section=OUTPUT,
    help="Write every request and answer there (HAR), without the token.",
)


def refuse_output(path: Path, sources: Sequence[str] = ()) -> None:
    """Stop where nothing can be written to `path`, or where it is one of the `sources`."""
    try:
        if any(name != STDIN and Path(name).exists() and path.exists() and path.samefile(name) for name in sources):
            raise Stop(f"cannot write {path}: the numbers are read from it")
        if not path.parent.is_dir():
            raise Stop(f"cannot write {path}: there is no folder {path.parent}")
        if path.is_dir():
            raise Stop(f"cannot write {path}: it is a directory, name a file in it")
    except (OSError, ValueError) as error:
        raise Stop(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from error


def _hide(_context: click.Context, _option: click.Parameter, is_wanted: bool) -> None:
    if is_wanted:
        hide_numbers()


hide_numbers_option = option(
    "--hide-numbers",
    is_flag=True,
    expose_value=False,
    callback=_hide,
    section=OUTPUT,
    help="Hide all digits of numbers but the last three.",
)
