"""`watui blocklist`: who is blocked, a page or all of it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from watui.cli.exits import Exit, Stop
from watui.cli.help import Command, option
from watui.cli.options import har_option, hide_numbers_option, target_options
from watui.cli.rows import format_option, print_rows, usual_format
from watui.cli.session import Session, code_of, find_where, in_words
from watui.cli.talk import ProgressLine, say
from watui.client.failures import Failure
from watui.contract.rules import DEFAULT_PAGE, MAX_PAGE
from watui.contract.wa_ids import number_of
from watui.export.rows import BlocklistRow, iso
from watui.export.table import BLOCKLIST
from watui.ledger import trail
from watui.ledger.trail import Known
from watui.text import counted

if TYPE_CHECKING:
    from watui.actions.actions import Actions
    from watui.client.blocklist import Part
    from watui.client.contacts import Page

EMPTY = "The blocklist is empty."

CHANGED = "The list changed while it was read: who came or went meanwhile may be missing, or still be there."


@click.command(
    cls=Command,
    examples=[
        "watui blocklist",
        "watui blocklist --all --format csv",
    ],
)
@option(
    "--limit",
    type=click.IntRange(1, MAX_PAGE),
    metavar="N",
    help=f"Print N at most. Default: {DEFAULT_PAGE}, the most: {MAX_PAGE}.",
)
@option("--offset", type=click.IntRange(0), metavar="N", help="Leave out the first N. Default: 0.")
@option("--all", "whole", is_flag=True, help="Print the whole list, page after page.")
@target_options
@format_option
@har_option
@hide_numbers_option
def blocklist(
    limit: int | None,
    offset: int | None,
    whole: bool,
    url: str | None,
    profile: str | None,
    region: str | None,
    format_: str | None,
    har: Path | None,
) -> int:
    """Print who is blocked, the oldest block first. Beside each stands what is known of it from here."""
    if whole and (limit is not None or offset is not None):
        raise Stop("--all prints the whole list: leave out --limit and --offset")
    with find_where(url, profile, region, har).open() as session:
        if whole:
            _print_all(session, format_ or usual_format())
        else:
            page = session.ask(lambda actions: actions.client.blocklist(limit or DEFAULT_PAGE, offset or 0))
            print_rows(_rows(session, page.wa_ids), BLOCKLIST, format_ or usual_format())
            say(_place(page))
    return Exit.DONE


def _place(page: Page) -> str:
    """Return which part of the list a page is."""
    if page.wa_ids:
        return f"{page.offset + 1:,}–{page.offset + len(page.wa_ids):,} of {page.total:,}"
    return f"Nothing from {page.offset:,} on: there are {page.total:,} in all." if page.total else EMPTY


def _print_all(session: Session, format_: str) -> None:
    reading = Reading(session)
    try:
        print_rows(reading.rows(), BLOCKLIST, format_)
    except (Failure, KeyboardInterrupt, asyncio.CancelledError) as end:
        why = in_words(end) if isinstance(end, Failure) else "interrupted"
        code = code_of(end) if isinstance(end, Failure) else Exit.INTERRUPTED
        raise Stop(f"{why}. The list is not whole: it ends after {reading.known:,} of {reading.total:,}", code) from end
    say(f"{counted(reading.known, 'contact')} blocked." if reading.known else EMPTY)
    if reading.has_changed:
        say(CHANGED)


class Reading:
    """The whole list on its way, a part at a time."""

    def __init__(self, session: Session) -> None:
        self.known = 0
        self.total = 0
        self.has_changed = False
        self._session = session

    def rows(self) -> Iterator[BlocklistRow]:
        """Yield every entry once, as the answers come."""

        async def opened(actions: Actions) -> AsyncIterator[Part]:
            return actions.read_list()

        parts = self._session.ask(opened)
        line = ProgressLine()
        while (part := self._session.runner.run(_next(parts))) is not None:
            self.known, self.total, self.has_changed = part.known, part.total, part.has_changed
            line.clear()
            yield from _rows(self._session, part.wa_ids)
            if sys.stderr.isatty() and not sys.stdout.isatty():
                line.show(f"{self.known:,} of {self.total:,}")
        line.clear()


async def _next(parts: AsyncIterator[Part]) -> Part | None:
    return await anext(parts, None)


def _rows(session: Session, wa_ids: Sequence[str]) -> Iterator[BlocklistRow]:
    known = trail.known(session.desk.reader, session.desk.server_id, wa_ids)
    for wa_id in wa_ids:
        who = known.get(wa_id, Known())
        number = who.number or number_of(wa_id)
        yield BlocklistRow(number, wa_id, iso(who.blocked_at), who.reason, who.by, who.status, who.server_version)
