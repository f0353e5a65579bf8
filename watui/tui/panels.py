"""What stands around the table: pure functions from the state of a list to content."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from watui.checks.freshness import Freshness, freshness
from watui.checks.standing import (
    STUCK_POLLS,
    misread_in_words,
    note_of,
    reasons_in_words,
    skipped_in_words,
)
from watui.contract.statuses import Status, explain, meaning, told_apart
from watui.desk import Desk, Given
from watui.ledger.rows import Order, Row, RowFilter, RunRecord, RunState, Source, Summary, Tally
from watui.text import clean, counted, shortened
from watui.tui.cells import STATUS_STYLES, note, status_text
from watui.tui.commands import ALL_OVER, Command
from watui.tui.keys import key_names, key_of
from watui.tui.phases import Phase
from watui.tui.session import Reading, Session
from watui.tui.themes import DIM
from watui.zone import ZONE

if TYPE_CHECKING:
    from watui.archive import Offer
    from watui.checks.cost import Cost
    from watui.checks.scheduler import Outlook
    from watui.client.pacing import Waiting

Part = str | Content | tuple[str, str]

STYLES = {"valid": "$text-success", "invalid": "$text-error", "failed": "$text-warning", "processing": "$text-accent"}
"""By component class of a status."""

_BAR_WIDTHS = ((100, 24), (70, 16), (50, 10))
"""Columns of a terminal and of the bar on it: always the same, so that what stands behind it does not jump."""

_MOST_REGIONS = 6

MOST_OF_A_SOURCE = 60
"""Characters of what a list was imported from, in a sentence."""

MOST_OF_A_SEARCH = 30
"""Characters of what is searched for, on a line that says more."""

_WIDE, _USUAL = 100, 80
_GAP = "   "

_LONG_BETWEEN_POLLS = 1.0
"""Seconds until the next one."""


def title(desk: Desk, screen: str, run_id: int | None, version: str | None, width: int) -> Content:
    """The top line: which screen this is, and who answers. `version` is that of the latest answer."""
    run = f" · run {run_id}" if run_id is not None else ""
    left = _tabs(screen, run)
    known = (desk.expected_version if desk.is_simulator else None) or version
    said = f" {clean(known)}" if known else ""
    read_only = Content.styled(" READ-ONLY ", "bold reverse $secondary") if desk.read_only else Content("")
    if desk.is_simulator:
        scenario = f" · {clean(desk.scenario)}" if desk.scenario else ""
        badge = Content.styled(f" SIMULATOR{said}{scenario} ", "bold reverse $warning")
    else:
        word = f" {clean(desk.mark.word)} ·" if desk.mark.word else ""
        used = f" · {desk.budget.calls:,}/{desk.budget.allowed:,} calls" if desk.budget is not None else ""
        badge = Content.styled(f"{word} {clean(desk.profile)}{said}{used} ", f"bold reverse {_colour(desk)}")
    known_or_assumed = "registered in" if desk.is_simulator else "read as registered in"
    region = Content.styled(f" {known_or_assumed} {desk.region} ", DIM)
    if left.cell_length + badge.cell_length + region.cell_length + read_only.cell_length >= width:
        region = Content("")
    right = Content.assemble(region, read_only, badge)
    fewer = (_tabs(screen, run, brand="", named=count) for count in range(len(_SCREENS) - 1, -1, -1))
    tabs = (left, _tabs(screen, run, brand=""), _tabs(screen, ""), *fewer, _tabs(screen, "", brand="", named=0))
    room = width - right.cell_length
    return sides(next((each for each in tabs if each.cell_length < room), tabs[-1]), right, width)


_SCREENS = ("Check", "Blocklist", "Runs", "Settings", "Traffic")


def _tabs(screen: str, run: str, *, brand: str = " watui ", named: int = len(_SCREENS)) -> Content:
    """The screens and their keys, with the names of the first ones and of the one at hand."""
    shown = (
        _tab(name, run if name == "Check" else "", name.lower() == screen, is_named=place < named)
        for place, name in enumerate(_SCREENS)
    )
    return Content.assemble((brand, "bold $primary"), *shown)


_COLOURS = {"red": "$error", "yellow": "$warning", "green": "$success", "blue": "$secondary"}
"""Of a profile, in the colours of the theme."""


def _colour(desk: Desk) -> str:
    return _COLOURS.get(desk.mark.colour or "", "$primary")


def _tab(name: str, more: str, is_shown: bool, *, is_named: bool) -> Content:
    style = "bold" if is_shown else DIM
    key = (f" {key_of(f'screens.show_{name.lower()}')}", "$primary" if is_shown else DIM)
    return Content.assemble(key, (f" {name}{more} " if is_named or is_shown else " ", style))


def banner(session: Session) -> Content | None:
    """Why the run does not go on, with what to do, or which one could; None while there is nothing to say."""
    if session.phase is Phase.EMPTY and (deletion := session.desk.deletion) is not None:
        return Content(deletion.words)
    if session.phase is Phase.EMPTY:
        return _offer(session.offer) if session.offer is not None else None
    waiting = session.waiting
    if waiting is not None and session.is_blocked:
        return Content.assemble(("Held: ", "bold"), clean(waiting.reason), f". It is tried again at {waiting.at}.")
    failure = session.failure
    if failure is None and session.phase is Phase.STOPPED:
        return _cut_short(session)
    if failure is None and waiting is not None and waiting.is_long and session.phase is Phase.RUNNING:
        return _waits(waiting)
    if failure is None:
        return _stuck(session)
    if session.phase is Phase.PAUSED:
        more = (
            (f" {key_of('check.budget')}", "bold"),
            " enters messages, or goes on over it.",
        )
        again = ((f" {key_of('check.pause')}", "bold"), " tries again.")
        return Content.assemble(("Paused: ", "bold"), clean(failure), *(more if session.is_over_budget else ()), *again)
    return Content.assemble(("Stopped: ", "bold"), clean(failure), ".")


def _waits(waiting: Waiting) -> Content:
    reason = clean(waiting.reason)
    if waiting.is_wanted:
        said = f"the server asks us to wait until {waiting.at} ({reason}). It goes on by itself."
    else:
        asked = counted(waiting.requests, "request")
        sooner = ", or as soon as it is there," if waiting.may_be_sooner else ""
        said = f"{reason}. It is asked again at {waiting.at}{sooner} and goes on by itself; {asked} in vain."
    return Content.assemble(("Waiting: ", "bold"), said)


def _cut_short(session: Session) -> Content | None:
    if session.record is None:
        return None
    left = f"{session.record.numbers - session.final:,} of {counted(session.record.numbers, 'number')} left"
    return Content.assemble(
        ("Cut short: ", "bold"), f"nobody asks about this run, {left}. ", (key_of("check.pause"), "bold"), " goes on."
    )


def _stuck(session: Session) -> Content | None:
    """What to do where nothing is left but what may never end."""
    if not session.stuck or session.record is None or session.stuck < session.record.numbers - session.final:
        return None
    what = f"{session.stuck:,} without a verdict after {STUCK_POLLS} answers or more. "
    return Content.assemble(("Stuck: ", "bold"), what, (key_of("check.cancel"), "bold"), " ends the run without them.")


def _offer(offer: Offer) -> Content:
    record, name = offer.record, shortened(clean(", ".join(offer.sources)), MOST_OF_A_SOURCE)
    goes_on, all_runs = ((key_of(name), "bold") for name in ("check.pause", "screens.show_runs"))
    if offer.is_driven:
        return Content.assemble(
            (f"Run {record.id} ", "bold"), f"({name}) is under way in another process: ", goes_on, " watches it."
        )
    twice = f"; at most {offer.in_doubt:,} will be asked twice" if offer.in_doubt else ""
    left = f"{offer.left:,} of {counted(record.numbers, 'number')} left{twice}"
    return Content.assemble(
        (f"Run {record.id} ", "bold"),
        f"({name}) was cut short: {left}. ",
        goes_on,
        " goes on, ",
        all_runs,
        " all runs.",
    )


def sides(left: Content, right: Content, width: int) -> Content:
    """Return `left` and `right` at both ends of `width` columns; the left is cut where there is no room for both."""
    room = max(0, width - right.cell_length - 1)
    if left.cell_length > room:
        left = left.truncate(room, ellipsis=True)
    return Content.assemble(left, " " * max(0, width - left.cell_length - right.cell_length), right)


def progress(session: Session, width: int) -> Content:
    """How far a run is: a bar, a share, a rate and the time left."""
    record = session.record
    if record is None:
        return Content("")
    done, total = session.final, max(1, record.numbers)
    of_what = "" if width < _WIDE and session.phase is Phase.RUNNING else " numbers"
    words: list[Part] = [f" {100 * done // total:3}%  {done:,} of {record.numbers:,}{of_what}"]
    match session.phase:
        case Phase.RUNNING if session.is_blocked:
            words.append((f"{_GAP}held", "bold $text-warning"))
        case Phase.RUNNING if (waiting := session.waiting) is not None:
            said = f"waits until {waiting.at}" if waiting.is_long else clean(waiting.words)
            words.append((f"{_GAP}{said}", "$text-warning"))
        case Phase.RUNNING:
            if not _is_between_polls(session.outlook):
                words.append((f"{_GAP}{session.per_second:,.0f}/s", DIM))
            if (left := session.seconds_left) is not None and left >= 1:
                words.append((f"{_GAP}{duration(left)} left", DIM))
            if session.stuck:
                words.append((f"{_GAP}{session.stuck:,} stuck", "$text-warning"))
        case Phase.PAUSED:
            words.append((f"{_GAP}paused", "bold $text-warning"))
        case Phase.WATCHED:
            words.append((f"{_GAP}{session.per_second:,.0f}/s", DIM))
            words.append((f"{_GAP}{'another process asks' if width >= _WIDE else 'watched'}", "bold $text-accent"))
        case Phase.STOPPED:
            words.append((f"{_GAP}stopped", "bold $text-error"))
        case Phase.ENDED:
            words.append(_ending(record.state))
        case _:
            pass
    room = next((bar for least, bar in _BAR_WIDTHS if width >= least), 0)
    filled = math.floor(room * done / total)
    bar = (" ", ("━" * filled, "$primary"), ("━" * (room - filled), "$foreground 20%"))
    shown = Content.assemble(*bar, *words)
    if session.phase is Phase.RUNNING and session.waiting is None and session.outlook is not None:
        shown = _with_outlook(shown, session.outlook, width)
    return shown


def _is_between_polls(outlook: Outlook | None) -> bool:
    """Whether nothing is on its way for so long that a rate, painted once, would soon say what is not so."""
    return outlook is not None and not outlook.in_flight and (outlook.next_poll or 0) >= _LONG_BETWEEN_POLLS


def _with_outlook(shown: Content, outlook: Outlook, width: int) -> Content:
    """Return a line with as much of what a run is doing as it has room for. It is painted when something has changed
    anyway, so the next poll is told by the clock.
    """
    parts = []
    if outlook.in_flight or outlook.next_poll is None:
        parts.append(f"{outlook.in_flight} in flight")
    if outlook.next_poll is not None:
        parts.append(f"next poll {ZONE.clock(time.time() + outlook.next_poll)}")
    if outlook.median is not None:
        parts.append(f"median {_rounded_seconds(outlook.median)}")
    gap = _GAP
    for part in parts:
        if shown.cell_length + len(gap) + len(part) < width:
            shown = Content.assemble(shown, (f"{gap}{part}", DIM))
            gap = " · "
    return shown


def counts(tally: Tally, version: str | None, wanted: RowFilter, width: int) -> Content:
    """How many rows are in each status; the one that is shown alone is marked."""
    chips = []
    for status in shown_statuses(tally, version):
        count = tally[status].rows if status in tally else 0
        style = STYLES.get(STATUS_STYLES.get(status, ""), DIM)
        if status == wanted.status:
            style = f"reverse {style}"
        chips.append(Content.styled(f"{status_text(status)} {count:,}", style))
    if width >= _WIDE:
        return Content.assemble((" rows  ", DIM), Content(_GAP).join(chips))
    return Content.assemble(" ", Content("  " if width >= _USUAL else " ").join(chips))


def shown_statuses(tally: Tally, version: str | None) -> list[str]:
    """The statuses that the server's version uses, then whatever else has rows."""
    usual = list(meaning(version).statuses)
    return [*usual, *sorted(status for status in tally if status not in usual)]


def legend(session: Session, wanted: RowFilter, shown: int, *, is_whole: bool = True) -> Content:
    """One line over the table: filter and order, or what `valid` means on this server, or at each that answered.

    What the filter picks may not be whole yet.
    """
    if wanted == RowFilter():
        if session.has_versions:
            return Content.assemble((f" {clean(told_apart(session.versions))}", "$text-warning"), _why())
        if session.version is None and not session.final:
            return Content("")  # Nothing has been answered: there is nothing to explain yet.
        return Content.assemble(" ", (explain(Status.VALID, session.version), DIM), _why())
    parts: list[Part] = [f" {counted(shown, 'row') if shown else 'no rows'}"]
    if not is_whole:
        parts.append((" so far" if wanted.leaves_out else " being ordered", DIM))
    if wanted.status:
        parts.append((f" that are {clean(wanted.status)}", "bold"))
    if wanted.text:
        parts.append((f" with “{shortened(clean(wanted.text), MOST_OF_A_SEARCH)}”", "bold"))
    if wanted.order is not Order.GIVEN:
        parts.append((f"{', ' if wanted.leaves_out else ' '}{wanted.order}", "bold"))
    parts.append((f"{_GAP}{key_of('check.back')} {'shows all' if wanted.leaves_out else 'as given'}", DIM))
    if wanted.status:
        parts.append(_why())
    if session.phase is Phase.PREVIEW and session.record is not None:
        asked = session.cost.numbers if session.cost is not None else session.record.numbers
        parts.append((f"{_GAP}{key_of('check.start')} still asks all {asked:,}", "$text-warning"))
    return Content.assemble(*parts)


def _why() -> Content:
    """By which key the rule is told."""
    return Content.assemble(_GAP, (key_of("screens.meaning"), "bold $primary"), (" why", DIM))


def importing(reading: Reading, width: int) -> Content:
    """How far a source is read; its name has what room is left, and the rows are left out where that is too little."""
    said: list[Part] = []
    if reading.rows and reading.share is not None:
        said.append((f" {int(100 * reading.share)} %", "bold"))
    if reading.rows and (reading.share is None or width >= _USUAL):
        said.append((f"{'  ' if said else ' '}{counted(reading.rows, 'row')}", "" if said else "bold"))
    if (left := reading.seconds_left) is not None:
        said.append((f"{_GAP}{duration(left)} left", DIM))
    rest = Content.assemble(*said, (f"{_GAP}{key_of('check.back')} stops", DIM))
    return Content.assemble(
        Content(f" Reading {clean(reading.name)}…").truncate(max(0, width - rest.cell_length), ellipsis=True), rest
    )


def summary(desk: Desk, record: RunRecord, found: Summary, cost: Cost, given: Sequence[Given]) -> Content:
    """What a list holds and what asking about it takes, before anything is sent; `given` was read here."""
    others = {each.name: each.other for each in given}
    sources = (_source(source, others.get(source.name)) for source in found.sources)
    lines: list[Content] = [
        Content.assemble(("Nothing has been sent yet. ", "bold"), *sources),
        Content.assemble(
            f"{counted(record.read, 'row')} read: ",
            (counted(record.entries, "entry"), "bold"),
            f", {record.rejected:,} rejected{skipped_in_words(record)}",
        ),
        Content.assemble(
            (counted(record.numbers, "distinct number"), "bold"),
            f" ({counted(record.entries - record.numbers, 'duplicate')})" if record.entries > record.numbers else "",
        ),
    ]
    if found.fresh:
        lines.append(_known(found, cost))
    if found.regions:
        lines.append(Content(f"By country: {_regions(found)}"))
    if words := misread_in_words(found, record.options.region):
        key = (key_of("check.list_region"), "bold $primary")
        lines.append(Content.assemble((words, "$text-warning"), " ", key, " sets its country"))
    if found.problems:
        lines.append(Content.assemble(("Rejected, never sent: ", "$text-warning"), reasons_in_words(found)))
    if record.doubtful:
        doubtful = f"{record.doubtful:,} doubtful"
        lines.append(Content.assemble((doubtful, "$text-warning"), ", asked all the same: see the notes"))
    lines.append(_question(desk, record, cost))
    lines.append(_budget(desk, cost))
    return Content("\n").join(lines)


def _source(source: Source, other: str | None) -> Content:
    from watui.contract.list_regions import in_words  # Not before there is a list.

    said: list[Part] = [f"column {clean(source.column)}; "] if source.column else []
    said += [f"{'' if said else 'column '}{other} holds numbers, too; "] if other else []
    said += [(key_of("check.column"), "bold $primary"), " another"] if said else []
    if source.list_region:
        said += ["; " if said else "", in_words(source.list_region)]
    layout = Content.assemble(" (", *said, ")") if said else ""
    cut = ("" if source.is_whole else " — not read to its end", "bold $text-warning")
    return Content.assemble(clean(source.name), layout, cut, " ")


def _ending(state: RunState) -> tuple[str, str]:
    match state:
        case RunState.DONE:
            return f"{_GAP}done", "bold $text-success"
        case RunState.CANCELLED:
            return f"{_GAP}cancelled", "bold $text-warning"
        case _:
            return f"{_GAP}stopped", "bold $text-error"


def _known(found: Summary, cost: Cost) -> Content:
    """What becomes of the numbers that other runs know."""
    known = f"{found.fresh:,} answered here within the last seven days"
    key = (key_of("check.ask_all"), "bold $primary")
    if cost.known:
        return Content.assemble((known, "bold"), ": not asked, shown as known. ", key, " asks them, too")
    return Content.assemble(known, ": asked all the same. ", key, " leaves them out")


def _question(desk: Desk, record: RunRecord, cost: Cost) -> Content:
    if not record.numbers:
        return Content("There is nothing to ask.")
    key = (key_of("check.start"), "bold $primary")
    if not cost.numbers:
        return Content.assemble(key, " shows what is known: there is nothing to ask")
    return Content.assemble(
        key,
        f" asks {'the simulator' if desk.is_simulator else clean(desk.server_name)}: ",
        (counted(cost.numbers, "number"), "bold"),
        f" in {cost.words}",
    )


def _budget(desk: Desk, cost: Cost) -> Content:
    """What is left of the budget, and whether that will do."""
    if desk.budget is None:
        words = "asking the simulator costs nothing" if desk.is_simulator else "calls are not held to the messages sent"
        return Content.styled(f"No budget: {words}", DIM)
    left = f"Budget: {desk.budget.left:,} of {counted(desk.budget.allowed, 'call')} left"
    if cost.calls <= desk.budget.left:
        return Content(left)
    short = "nothing can be asked" if not desk.budget.left else "that may not do"
    key = (key_of("check.budget"), "bold $primary")
    return Content.assemble((f"{left}: {short}. ", "$text-warning"), key, " enters messages")


def choices(*keys: tuple[str, str]) -> list[Content]:
    """Return a line for each key, or other word, with what it does."""
    width = max(len(key) for key, _ in keys)
    return [Content.assemble((f"{key:<{width}}", "bold $primary"), f"  {words}") for key, words in keys]


def welcome(desk: Desk) -> Content:
    """The first screen."""
    sample = [(key_of("check.sample"), "load sample numbers")] if desk.is_simulator else []
    return Content("\n").join(
        [
            Content.styled("Check phone numbers", "bold"),
            Content(""),
            *choices(
                ("paste", "numbers here, one a line"),
                (key_of("check.import"), "import a file: text, table, .xlsx, .vcf"),
                *sample,
                (key_of("check.tour"), "take the tour: the API in ten steps"),
            ),
            Content(""),
            Content.styled(_who_answers(desk), DIM),
        ]
    )


def _who_answers(desk: Desk) -> str:
    if desk.is_simulator:
        return "The embedded simulator answers: nothing leaves this machine."
    return f"{clean(desk.server_name)} answers. Numbers without + are read as of {clean(desk.region)}."


def detail(row: Row | None, width: int) -> Content:
    """What there is to say of the row under the cursor, on one line."""
    if row is None:
        return Content("")
    where = f"{row.source} line {row.line}" if width >= _WIDE else f"line {row.line}"
    read_as = f"{row.number} {row.region or ''}".strip() if row.number else "not readable as a number"
    parts: list[Part] = [(f" {clean(where)}  ", DIM), clean(row.input), (" → ", DIM), read_as]
    if row.wa_id and width >= _WIDE:
        parts += [(f"{_GAP}wa_id ", DIM), clean(row.wa_id)]
    if words := note(row):
        parts += [_GAP, (clean(words), "$text-warning" if note_of(row) else DIM)]
    if row.checked_at is not None:
        parts.append((f"{_GAP}{explain(clean(row.status), row.server_version)}", DIM))
        found = freshness(time.time() - row.checked_at)
        if found is not Freshness.FRESH:
            parts.append((f"{_GAP}{found}: a server keeps an answer for seven days", "$text-warning"))
    return Content.assemble(*parts)


def with_nothing_to_ask(commands: Sequence[Command], cost: Cost) -> list[Command]:
    """Return `commands` for a list that is not asked: what is known of it is shown, or there is nothing to start."""
    renamed = (each._replace(title="show") if each.name == "check.start" else each for each in commands)
    return [each for each in renamed if cost.known or each.name != "check.start"]


def key_bar(commands: Sequence[Command], width: int, desk: Desk | None = None) -> Content:
    """The keys that do something now, as many as fit; the last two, and all that work everywhere, always do.

    What changes contacts and `desk` does not let it is struck out; pressing it says why. What is for the simulator
    alone is left out elsewhere.
    """
    shown = [
        _key(command, desk is not None and command.changes is not None and desk.why_not(command.changes) is not None)
        for command in commands
        if desk is None or desk.is_simulator or not command.for_simulator
    ]
    kept = max(2, sum(command.scope in ALL_OVER for command in commands))
    others, tail = shown[:-kept], Content.assemble(*shown[-kept:])
    for count in range(len(others), -1, -1):
        line = Content.assemble(*others[:count], tail)
        if line.cell_length <= width:
            return line
    return tail


def duration(seconds: float) -> str:
    """Return a length of time in words, to the second, minute or hour."""
    if seconds < 1:
        return "less than 1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _rounded_seconds(seconds: float) -> str:
    """Return a length of time to two digits."""
    return f"{seconds:.2g} s" if seconds < 99 else duration(seconds)


def _key(command: Command, is_disabled: bool) -> Content:
    styles = (f"strike {DIM}", f"strike {DIM}") if is_disabled else ("bold $primary", "")
    return Content.assemble(" ", (key_names(command)[0], styles[0]), (f" {command.title}", styles[1]), " ")


def _regions(found: Summary) -> str:
    named = [f"{region or 'unreadable'} {count:,}" for region, count in found.regions[:_MOST_REGIONS]]
    more = len(found.regions) - _MOST_REGIONS
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")
