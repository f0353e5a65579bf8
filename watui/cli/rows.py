"""Rows on standard output, in the format that a person asks for."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from watui.cli.help import OUTPUT, option
from watui.cli.talk import hides_numbers
from watui.export.hiding import hidden
from watui.export.table import Layout, formatted
from watui.text import clean

FORMATS = ("table", "jsonl", "csv")

format_option = option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    section=OUTPUT,
    help="Default: a table on a terminal, else jsonl.",
)

_Row = TypeVar("_Row", bound=msgspec.Struct)


def usual_format(output: Path | None = None) -> str:
    """Return the format that the ending of a file asks for, else what suits where the rows go."""
    if output is not None:
        return "csv" if output.suffix.lower() == ".csv" else "jsonl"
    return "table" if sys.stdout.isatty() else "jsonl"


def print_rows(rows: Iterable[_Row], layout: Layout[_Row], format_: str) -> None:
    """Print `rows` on stdout; what a terminal would obey in them is made visible there."""
    rows = map(hidden, rows) if hides_numbers() else rows
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    print_lines(formatted(rows, layout, format_, width))


def print_lines(lines: Iterable[str]) -> None:
    """Print lines on stdout as they are; on a terminal what it would obey in them is made visible."""
    on_terminal = sys.stdout.isatty()
    for line in lines:
        click.echo(clean(line.rstrip("\r\n")) + "\n" if on_terminal else line, nl=False, color=True)
