"""`watui doctor`: what does not hold, and what to do."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click
import msgspec

from watui import __version__
from watui.cli.exits import Exit, ReaderGone, Stop
from watui.cli.help import Command
from watui.cli.options import suggesting
from watui.cli.talk import say
from watui.findings import Finding, Level
from watui.settings.paths import find_paths
from watui.sites import NoSuchProfile
from watui.text import clean, counted

if TYPE_CHECKING:
    from watui.doctor.examination import Group

MARKS = {Level.OK: "✓", Level.NOTE: "•", Level.TROUBLE: "✗"}
ASCII_MARKS = {Level.OK: "+", Level.NOTE: "-", Level.TROUBLE: "x"}
"""Where the others can't be written."""

_SUBJECT_COLUMNS = len("wide characters")


class _Row(msgspec.Struct):
    """A finding for other programs."""

    group: str
    subject: str
    level: Level
    words: str
    next_step: str | None


class _Report(msgspec.Struct):
    """All of them."""

    findings: list[_Row]
    troubles: int
    notes: int
    version: str = __version__


@click.command(cls=Command)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--profile",
    metavar="NAME",
    shell_complete=suggesting("profiles"),
    help="Look at the server of this profile; else at that of the settings.",
)
@click.option("--all", "everywhere", is_flag=True, help="Look at the servers of all profiles.")
def doctor(as_json: bool, profile: str | None, everywhere: bool) -> int:
    """Look at versions, files, terminal, secrets and servers.

    Says what to do where something is wrong; nothing is changed.
    """
    from watui.doctor.examination import examine

    if profile is not None and everywhere:
        raise Stop("--profile names one and --all means every one: leave one out")
    try:
        groups = examine(find_paths(), profile, everywhere=everywhere)
    except NoSuchProfile as error:
        raise Stop(str(error)) from error
    counts = Counter(finding.level for group in groups for finding in group.findings)
    troubles, notes = counts[Level.TROUBLE], counts[Level.NOTE]
    try:
        if as_json:
            rows = [_Row(group.name, *finding) for group in groups for finding in group.findings]
            click.echo(msgspec.json.encode(_Report(rows, troubles, notes)))
        else:
            _print(groups)
    except BrokenPipeError as error:
        raise ReaderGone from error
    if not as_json:
        say(f"{counted(troubles, 'trouble') if troubles else 'No trouble'}, {counted(notes, 'note')}.")
    return Exit.UNFINISHED if troubles else Exit.DONE


def _print(groups: Iterable[Group]) -> None:
    from watui.doctor.terminal import is_unicode

    encoding = sys.stdout.encoding or "ascii"
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    is_plain = not is_unicode()
    for place, group in enumerate(groups):
        if place:
            click.echo()
        click.echo(_written(clean(group.name), encoding))
        for finding in group.findings:
            for line in _lines(finding, width, is_plain=is_plain):
                click.echo(_written(line, encoding))


def _lines(finding: Finding, width: int | None, *, is_plain: bool) -> Iterator[str]:
    """Yield a finding as lines of `width`; None wraps nothing."""
    mark = (ASCII_MARKS if is_plain else MARKS)[finding.level]
    start = f"  {mark} {clean(finding.subject):<{_SUBJECT_COLUMNS}}  "
    yield from _wrapped(start, clean(finding.words), width)
    if finding.next_step is not None:
        arrow = " " * (4 + _SUBJECT_COLUMNS + 2) + ("-> " if is_plain else "→ ")
        yield from _wrapped(arrow, clean(finding.next_step), width)


def _wrapped(start: str, words: str, width: int | None) -> Iterator[str]:
    if width is None:
        yield start + words
        return
    # What is narrower than its own beginning is not worth wrapping.
    lines = textwrap.wrap(
        words, max(width - len(start), _SUBJECT_COLUMNS), break_long_words=False, break_on_hyphens=False
    )
    yield start + (lines[0] if lines else "")
    yield from (" " * len(start) + line for line in lines[1:])


def _written(line: str, encoding: str) -> str:
    """Return a line with marks in place of what can't be written in an encoding."""
    return line.encode(encoding, "replace").decode(encoding)
