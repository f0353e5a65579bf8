"""Help that is read: options in sections, commands in groups, real examples at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from click.types import OptionHelpExtra

OPTIONS, ASKING, SERVER, OUTPUT = "Options", "Asking", "Server", "Output"
"""Sections that the options of several commands stand in; what is in no other is in the first."""

_WHOLE = 1_000
"""Letters that a summary may have: it is the first sentence of a help, and is never cut."""

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Option(click.Option):
    """An option that stands in a section. Its help says in words what a range needs said."""

    def __init__(self, *args: Any, section: str = OPTIONS, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.section = section

    def get_help_extra(self, ctx: click.Context) -> OptionHelpExtra:
        """Return what stands in brackets behind the help: no `[x>=1]`."""
        extra = super().get_help_extra(ctx)
        extra.pop("range", None)
        return extra


def option(*names: str, section: str = OPTIONS, **rest: Any) -> Callable[[Decorated], Decorated]:
    """Give a command an option, as `click.option` does, in a section of its help."""
    return click.option(*names, cls=Option, section=section, **rest)


class Command(click.Command):
    """A command whose help has sections of options, in the order in which they first appear, and examples."""

    def __init__(self, name: str | None, *, examples: Sequence[str] = (), **rest: Any) -> None:
        super().__init__(name, **rest)
        self.examples = examples
        """Command lines; what follows a `#` is a remark."""

    def get_short_help_str(self, limit: int = _WHOLE) -> str:
        return super().get_short_help_str(max(limit, _WHOLE))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                sections.setdefault(getattr(parameter, "section", OPTIONS), []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.examples:
            with formatter.section("Examples"):
                for example in self.examples:
                    formatter.write(f"{'':>{formatter.current_indent}}{example}\n")


class Group(Command, click.Group):
    """A group whose commands stand before its options, with the whole of their summaries."""

    command_class = Command

    def groups(self, ctx: click.Context) -> Mapping[str, Iterable[str]]:
        """Return the names of the commands by the titles under which they stand."""
        return {"Commands": self.list_commands(ctx)}

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        widest = max(map(len, self.list_commands(ctx)))
        for title, names in self.groups(ctx).items():
            commands = ((name, self.get_command(ctx, name)) for name in names)
            with formatter.section(title):
                formatter.write_dl(
                    (name.ljust(widest), command.get_short_help_str()) for name, command in commands if command
                )
