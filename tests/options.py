"""Makes the README's tables of options from what the helps say: python -m tests.options"""

from collections.abc import Iterator

import click

from tests.cli.test_help import contexts
from watui.settings.settings import Profile, descriptions

MOST_NAMED = 3
"""Commands that are named as those that have an option; where more have it, their helps say so."""


def of_check() -> str:
    """Return the table of the options of `watui check`."""
    rows = (f"| `{option}` | {words} |" for option, words in _check())
    return "\n".join(["| option of `watui check` | |", "|---|---|", *rows, ""])


def of_others() -> str:
    """Return the table of what stands in no other: those of `watui check` and `watui simulate`, members of profiles."""
    check = set(_check())
    members = {description for description, _ in descriptions(Profile).values()}
    commands: dict[tuple[str, str], list[str]] = {}
    for context in contexts():
        for option, words in _options(context) if context.command_path != "watui simulate" else ():
            if (option, words) not in check and words not in members:
                commands.setdefault((option, words), []).append(f"`{context.command_path}`")
    rows = (
        f"| `{option}` | {words} | {', '.join(paths) if len(paths) <= MOST_NAMED else 'many'} |"
        for (option, words), paths in commands.items()
    )
    return "\n".join(["| option | | of |", "|---|---|---|", *rows, ""])


def _check() -> Iterator[tuple[str, str]]:
    return next(_options(context) for context in contexts() if context.command_path == "watui check")


def _options(context: click.Context) -> Iterator[tuple[str, str]]:
    """Yield each option of a command as its help shows and describes it, but for the one that shows the help."""
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and isinstance(parameter, click.Option) and "--help" not in parameter.opts:
            yield record[0].replace("|", r"\|"), record[1]


if __name__ == "__main__":
    print(of_check(), of_others(), sep="\n")
