"""`watui tour`: the API in ten steps."""

import asyncio
import sys

import click

from watui.cli.exits import Exit
from watui.cli.help import Command, option
from watui.cli.talk import say
from watui.text import clean


@click.command(cls=Command)
@option("--step", "number", type=click.IntRange(1), metavar="N", help="Only the N-th step.")
@click.option("--all", "is_whole", is_flag=True, help="All steps in a row: don't wait for enter between them.")
def tour(number: int | None, is_whole: bool) -> int:
    """Show in ten steps how the API behaves. It has a simulator of its own: nothing leaves this machine."""
    asyncio.run(_show(number, is_whole or not (sys.stdin.isatty() and sys.stdout.isatty())))
    return Exit.DONE


async def _show(number: int | None, is_whole: bool) -> None:
    from watui.tour import STEPS, Kind, Told, opened

    marks = {Kind.REQUEST: "→ ", Kind.ANSWER: "← ", Kind.NOTE: ""}

    def tell(told: Told) -> None:
        click.secho(f"{marks[told.kind]}{clean(told.text)}", fg="cyan" if told.kind is Kind.REQUEST else None)
        for line in told.more:
            click.echo(f"    {clean(line)}")

    if number is not None and number > len(STEPS):
        raise click.BadParameter(f"there are {len(STEPS)} steps", param_hint="--step")
    places = range(1, len(STEPS) + 1) if number is None else [number]
    async with opened() as stage:
        for place in places:
            step = STEPS[place - 1]
            click.secho(f"{place} of {len(STEPS)}  {step.title}", bold=True)
            click.echo(f"{step.rule}\n")
            await stage.play(step, tell)
            click.echo()
            if place != places[-1] and not is_whole:
                say("enter goes on, ctrl+c ends the tour")
                await asyncio.to_thread(sys.stdin.readline)
