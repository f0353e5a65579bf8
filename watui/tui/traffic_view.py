"""How exchanges look: pure functions from what was said to cells and lines."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote

import msgspec
from rich.cells import chop_cells
from textual.content import Content

from watui.client.exchanges import Exchange
from watui.contract.conversion import for_people
from watui.text import clean, counted, masked, masked_number, shortened
from watui.traffic.hiding import hidden
from watui.traffic.words import headers, outcome, path, purpose, request_headers, why
from watui.tui.grid import Cell, Column, fit, lay_out
from watui.tui.keys import key_of
from watui.tui.panels import MOST_OF_A_SEARCH, choices
from watui.tui.themes import DIM
from watui.tui.traffic import Backstage, Traffic
from watui.zone import ZONE

if TYPE_CHECKING:
    from watui.simulator.control import ContactState

_GAP = "   "

_TIME = 8
_COLUMNS = (
    ("method", 6),
    ("path", 0),
    ("status", 9),
    ("seconds", 7),
    ("size", 8),
    ("try", 3),
    ("why", 16),
)
_DROPS = ("method", "size", "seconds", "try")

NO_ANSWER = "no answer"


class TrafficLook:
    """How exchanges look in the list of them."""

    def columns(self, width: int) -> tuple[Column, ...]:
        time = ("time", _TIME + ZONE.is_utc)  # The Z of UTC wants a place.
        return lay_out((time, *_COLUMNS), width, _DROPS)

    def cells(self, row: Exchange, wanted: tuple[Column, ...], now: float) -> Sequence[Cell]:
        return tuple(_cell(row, column) for column in wanted)


def _cell(row: Exchange, column: Column) -> Cell:
    style = ""
    match column.name:
        case "time":
            text, style = ZONE.clock(row.at), "dim"
        case "method":
            text = row.method
        case "path":
            text = unquote(path(row).rpartition("/v1/")[2])
        case "status":
            text, style = str(row.status or NO_ANSWER), _style(row)
        case "seconds":
            text, style = f"{row.seconds:7.3f}" if row.seconds < 100 else f"{row.seconds:7.0f}", "dim"
        case "size":
            text, style = size(row.response_size).rjust(column.width), "dim"
        case "try":
            text, style = str(row.why.attempt) if row.why.attempt > 1 else "", "failed"
        case _:
            text = purpose(row)
    return Cell(fit(clean(text), column.width), style)


def _style(row: Exchange) -> str:
    if row.status is None:
        return "invalid"
    if 200 <= row.status < 300:
        return "valid"
    return "failed" if row.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE) else "invalid"


def size(count: int) -> str:
    """Return a number of bytes in at most eight characters."""
    if count < 10_000:
        return f"{count:,} B"
    return f"{count / 1000:,.0f} kB" if count < 10_000_000 else f"{count / 1_000_000:,.0f} MB"


_MOST_MEASURED = 2_000
"""Characters of a line that are measured one by one."""


class TextLine(NamedTuple):
    """A line of an exchange, and the component class of its style."""

    text: str
    """As it was sent: it is made safe when it is drawn."""
    style: str = ""


class LinesLook(NamedTuple):
    """How one exchange looks: its lines below a title."""

    title: str

    def columns(self, width: int) -> tuple[Column, ...]:
        return lay_out(((self.title, 0),), width, ())

    def cells(self, row: TextLine, wanted: tuple[Column, ...], now: float) -> Sequence[Cell]:
        return (Cell(fit(clean(row.text), wanted[0].width), row.style),)


def lines(
    exchange: Exchange,
    *,
    is_raw: bool,
    width: int,
    backstage: Backstage | None = None,
    hides_numbers: bool = False,
) -> list[TextLine]:
    """Return all of an exchange, in lines of up to `width` columns; first what it was, and what came of it.

    Where numbers are hidden, they are before lines are cut; of what was sent as JSON then no blank is left.
    """
    width = max(1, width)
    if hides_numbers:
        exchange = hidden(exchange)
    summary = _hidden(_summary(exchange, backstage)) if hides_numbers else _summary(exchange, backstage)
    found = [*(part for line in summary for part in _in_words(line, width)), TextLine("")]
    found += (TextLine(f"> {name}: {value}", "dim") for name, value in request_headers(exchange))
    found += [TextLine(""), *_body(exchange.request, exchange.request_left_out, is_raw)]
    found += (TextLine(f"< {name}: {value}", "dim") for name, value in headers(exchange.response_head))
    found += [TextLine(""), *_body(exchange.response, exchange.response_left_out, is_raw)]
    contacts = backstage.contacts if backstage is not None else ()
    known = (_known(each, masked_number(each.input) if hides_numbers else each.input) for each in contacts)
    found += _hidden(known) if hides_numbers else known
    return [part for line in found for part in _wrapped(line, width)]


def _hidden(found: Iterable[TextLine]) -> Iterator[TextLine]:
    """Yield lines with the numbers in them hidden."""
    return (line._replace(text=masked(line.text)) for line in found)


def _summary(exchange: Exchange, backstage: Backstage | None) -> Iterator[TextLine]:
    yield TextLine(f"{exchange.method} {exchange.url}", "processing")
    attempt = f", attempt {exchange.why.attempt}" if exchange.why.attempt > 1 else ""
    yield TextLine(f"{why(exchange)}{attempt}, sent at {ZONE.millisecond(exchange.at)}")
    yield TextLine(_came(exchange), _style(exchange))
    if backstage is not None:
        yield TextLine(f"the simulator: {_did(backstage)}", "doubtful" if backstage.latest is not None else "dim")


def _did(backstage: Backstage) -> str:
    if not backstage.is_known:
        return "…"
    if backstage.latest is None:
        return "does not know it any more"
    return "; ".join(backstage.latest.did) or "answered, and did nothing else"


def _came(exchange: Exchange) -> str:
    """Return what came, and when."""
    took = f"after {exchange.seconds:.3f} s"
    if exchange.status is None:
        return f"{NO_ANSWER} {took}: {exchange.failure}"
    phrase = HTTPStatus(exchange.status).phrase if exchange.status in _PHRASES else ""
    words = " ".join(each for each in ("HTTP", outcome(exchange), phrase) if each)
    return f"{words} {took}, {counted(exchange.response_size, 'byte')}"


_PHRASES = frozenset(HTTPStatus)


def _body(body: bytes, left_out: int, is_raw: bool) -> Iterator[TextLine]:
    if not body:
        return
    text = (body if is_raw else _laid_out(body)).decode("utf-8", "replace")
    yield from map(TextLine, [text] if is_raw else text.split("\n"))
    if left_out:
        yield TextLine(f"{counted(left_out, 'byte')} more, which were not kept", "failed")
    yield TextLine("")


def _laid_out(body: bytes) -> bytes:
    """Return JSON with a member a line; anything else as it is."""
    try:
        return msgspec.json.format(body, indent=2)
    except (msgspec.DecodeError, RecursionError):
        return body


def _known(contact: ContactState, name: str) -> TextLine:
    """Return what the simulator knows of a contact that was named by `name`, as it is now."""
    if contact.number is None:
        return TextLine(f"simulator: {name} → can't be read as a number", "doubtful")
    known = (
        "has an account" if contact.has_account else "has no account",
        "wrote within 24 h" if contact.is_engaged else "",
        "is blocked" if contact.is_blocked else "",
    )
    words = ", ".join(each for each in known if each)
    return TextLine(f"simulator: {name} → {for_people(contact.number)}, {words}", "doubtful")


def _in_words(line: TextLine, width: int) -> Iterator[TextLine]:
    """Yield a line of prose in parts that end between words."""
    return (TextLine(part, line.style) for part in textwrap.wrap(line.text, width, break_on_hyphens=False))


def _wrapped(line: TextLine, width: int) -> Iterator[TextLine]:
    """Yield a line in parts that fit; of what is long and may have wide characters, half as many as might."""
    text, style = line
    if len(text) <= width // 2 or (len(text) <= width and text.isascii()):
        yield line
    elif not text.isascii() and len(text) < _MOST_MEASURED:
        yield from (TextLine(part, style) for part in chop_cells(clean(text), width))
    else:
        room = width if text.isascii() else max(1, width // 2)
        yield from (TextLine(text[first : first + room], style) for first in range(0, len(text), room))


def place_of(text: str, found: Sequence[TextLine]) -> int | None:
    """Return the first line that holds `text`, in small letters or large ones; None for none, and for no text."""
    wanted = text.lower()
    return next((place for place, line in enumerate(found) if wanted in line.text.lower()), None) if wanted else None


def title(exchange: Exchange | None, is_raw: bool, *, hides_numbers: bool = False) -> str:
    """Return what stands over an exchange."""
    if exchange is None:
        return ""
    hidden_ = ", numbers hidden" if hides_numbers else ""
    return f"exchange {exchange.number:,}, {'as it was sent' if is_raw else 'laid out'}{hidden_}"


def state(traffic: Traffic, is_following: bool) -> Content:
    """Return how many exchanges there are, and what is not shown of them."""
    shown = f" {counted(len(traffic.rows), 'exchange')}"
    if traffic.wanted:
        shown += f" with “{shortened(clean(traffic.wanted), MOST_OF_A_SEARCH)}”"
    older = f"{_GAP}{traffic.lost:,} older ones are not kept" if traffic.lost else ""
    if newer := traffic.newer:
        end = Content.assemble(
            (f"{_GAP}{newer:,} newer: ", "$text-warning"), (key_of("traffic.follow"), "bold"), " shows them"
        )
    else:
        end = Content.styled(f"{_GAP}follows what comes" if is_following else "", DIM)
    return Content.assemble((shown, ""), end, (older, DIM))


def welcome(wanted: str) -> Content:
    """Return what is said where there is no exchange to show."""
    if wanted:
        return Content.assemble(
            f"No exchange holds “{shortened(clean(wanted), MOST_OF_A_SEARCH)}”. ", (key_of("traffic.back"), "bold")
        )
    return Content("\n").join(
        [
            Content.styled("Nothing was asked yet", "bold"),
            Content(""),
            Content("Every request to the server stands here, with its answer, from this start of watui on."),
            *choices((key_of("screens.show_check"), "to the Check screen: paste numbers there")),
        ]
    )
