"""`watui identity`: the identity of a contact, read or acknowledged."""

from __future__ import annotations

from pathlib import Path

import click

from watui.actions import plans, words
from watui.cli.block import sendable
from watui.cli.change import Drawn, How, prepare, require_consent
from watui.cli.exits import Exit, Stop
from watui.cli.help import Command
from watui.cli.options import har_option, hide_numbers_option, target_options
from watui.cli.rows import format_option, print_rows, usual_format
from watui.cli.session import Session, find_where
from watui.cli.trail import WA_ID
from watui.client.failures import Refused
from watui.contract.conversion import read
from watui.contract.models import Identity
from watui.contract.wa_ids import bare, wa_id_of
from watui.export.rows import IdentityRow, iso
from watui.export.table import IDENTITIES
from watui.intake.entries import Entry, single
from watui.ledger import trail
from watui.ledger.trail import Kind, Known, Wish


@click.command(
    cls=Command,
    examples=[
        "watui identity 16315551000",
        "watui identity +16315551000 --acknowledge 6f1d2c",
    ],
)
@click.argument("contact", metavar="NUMBER|WA_ID")
@click.option("--acknowledge", "digest", metavar="HASH", help="Acknowledge the identity with this hash first.")
@target_options
@format_option
@har_option
@hide_numbers_option
def identity(
    contact: str,
    digest: str | None,
    url: str | None,
    profile: str | None,
    region: str | None,
    format_: str | None,
    har: Path | None,
) -> int:
    """Print or acknowledge the identity of a contact.

    It has a hash, since when it is this one, and whether it is acknowledged. Digits alone are taken for a
    wa_id; write a number with +.
    """
    where = find_where(url, profile, region, har)
    if digest is not None:
        digest = sendable(digest, "the hash")
        require_consent(where, How(yes=True, dry_run=False, format=""))
    with where.open() as session:
        target = _target(session, contact, where.target.region)
        if digest is not None and (code := _acknowledge(session, target, digest)) is not Exit.DONE:
            return code
        print_rows([_read(session, target.phone)], IDENTITIES, format_ or usual_format())
    return Exit.DONE


def _target(session: Session, text: str, region: str) -> plans.Target:
    """Return the contact; its `phone` is the wa_id. Stops where there can be none."""
    row = single(1, text)
    if not isinstance(row, Entry) or row.problem is not None:
        raise Stop(f"'{text}' is no contact: give a number with + and country code, or a wa_id")
    desk, given = session.desk, bare(row.input)
    if WA_ID.fullmatch(given):
        known = trail.known(desk.reader, desk.server_id, [given]).get(given, Known())
        return plans.Target(given, known.number, given, is_sure=True)
    reading = read(given, region)
    if reading.doubt is not None and WA_ID.fullmatch(given.removeprefix("+")):
        return plans.Target(given, None, given.removeprefix("+"), is_sure=True)
    if reading.number is None:
        raise Stop(f"'{text}' is no number: {reading.doubt}. Write it with + and country code, or give a wa_id")
    return plans.Target(given, reading.number, _known_wa_id(session, reading.number), is_sure=True)


def _known_wa_id(session: Session, number: str) -> str:
    """Return the wa_id that the server told for a number, else the one that is usual for it."""
    reader, server = session.desk.reader, session.desk.server_id
    told = [verdict.wa_id for verdict in trail.history(reader, server, number)]
    told += [action.wa_id for action in trail.of_contact(reader, number, None, server)]
    return next(filter(None, told), None) or wa_id_of(number)


def _read(session: Session, wa_id: str) -> IdentityRow:
    try:
        found: Identity = session.ask(lambda actions: actions.client.identity(wa_id))
    except Refused as failure:
        explained = words.explain(Wish(Kind.ACKNOWLEDGE), failure.code) or failure.next_step
        raise Stop(
            f"the server refused: {failure.title.rstrip('.')}. {explained.rstrip('.')} (asked for the wa_id {wa_id})",
            Exit.REFUSED,
        ) from failure
    return IdentityRow(wa_id, found.hash, _created_at(found.created_timestamp), found.acknowledged)


def _created_at(milliseconds: int) -> str | None:
    try:
        return iso(milliseconds / 1000)
    except (ValueError, OverflowError, OSError):
        return None  # a server may say anything, a time before all calendars too


def _acknowledge(session: Session, target: plans.Target, digest: str) -> Exit:
    wish = Wish(Kind.ACKNOWLEDGE, hash=digest)

    def draw_up(*_: object) -> Drawn:
        return Drawn(session.ask(lambda actions: actions.plan(wish, [target])))

    planned = prepare(session, draw_up)
    planned.carry_out()
    return planned.tell()
