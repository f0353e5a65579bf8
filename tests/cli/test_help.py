"""What the helps say: whole, in groups and sections, with examples that can be typed."""

import re
import shlex
from collections import Counter
from collections.abc import Iterator

import click
import pytest

from watui.cli.app import watui
from watui.cli.help import OPTIONS, Command, Group, Option

COLUMNS = 80


def contexts(command: click.Command = watui, parent: click.Context | None = None) -> Iterator[click.Context]:
    """Yield a context of each command that there is, the outermost first."""
    context = click.Context(command, parent, info_name=command.name, terminal_width=COLUMNS, **command.context_settings)
    yield context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from contexts(found, context)


ALL = list(contexts())
GROUPS = [context for context in ALL if isinstance(context.command, click.Group)]


def path(context: click.Context) -> str:
    return context.command_path


@pytest.mark.parametrize("context", ALL, ids=path)
def test_a_help_fits_and_is_made_of_our_parts(context: click.Context) -> None:
    assert isinstance(context.command, Command)
    lines = context.get_help().splitlines()
    assert max(map(len, lines)) <= COLUMNS
    assert "..." not in " ".join(lines[1:])
    assert not re.search(r"\[[^]]*x[<>]=?\d", " ".join(lines))


@pytest.mark.parametrize("context", GROUPS, ids=path)
def test_every_command_stands_in_one_group_with_its_whole_summary(context: click.Context) -> None:
    group = context.command
    assert isinstance(group, Group)
    named = Counter(name for names in group.groups(context).values() for name in names)
    assert named == Counter(group.list_commands(context))
    shown = context.get_help().splitlines()
    for name in named:
        command = group.get_command(context, name)
        assert command is not None
        summary = " ".join((command.help or "").split("\n\n")[0].split())
        (line,) = (line for line in shown if re.match(rf"  {name}  +[A-Z]", line))
        assert line.endswith("."), "a whole sentence on one line"
        assert summary.startswith(line.removeprefix(f"  {name}").strip())


def test_the_first_help_leads_to_the_console() -> None:
    assert "opens the console" in ALL[0].get_help()


@pytest.mark.parametrize("context", ALL, ids=path)
def test_every_option_stands_once_in_its_section(context: click.Context) -> None:
    section, found = "", {}
    for line in context.get_help().splitlines():
        if heading := re.fullmatch(r"(\w+):", line):
            section = heading[1]
        elif option := re.match(r"  (-\S+)", line):
            assert option[1] not in found
            found[option[1].rstrip(",")] = section
    wanted = {}
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and isinstance(parameter, click.Option):
            name, *_ = record[0].replace(",", " ").split()
            wanted[name] = parameter.section if isinstance(parameter, Option) else OPTIONS
    assert found == wanted


@pytest.mark.parametrize(
    "example",
    [example for context in ALL if isinstance(context.command, Command) for example in context.command.examples],
)
def test_every_example_can_be_typed(example: str) -> None:
    words = shlex.split(re.split("[<>]", example)[0], comments=True)
    words = words[words.index("watui") + 1 :]
    command: click.Command = watui
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None
        command = found
    command.make_context(command.name, words, parent=ALL[0])
