"""Where a run and its rows stand: the counts, and the words for people."""

from watui.contract.conversion import contradiction
from watui.contract.statuses import FINAL
from watui.ledger.rows import Row, RunRecord, Summary, Tally
from watui.text import counted

STUCK_POLLS = 75
"""Answers without a final status after which a number counts as stuck: that takes half an hour or more, and from then
on it is asked as seldom as it ever is."""

_MISREAD = 0.1
"""Share of doubtful ones among the numbers without `+` from which on their country is asked for."""


def note_of(row: Row) -> str | None:
    """Return what there is to say of a row beside its answer: why it is rejected, doubtful, odd or stuck."""
    if row.polls >= STUCK_POLLS and row.status not in FINAL:
        return f"stuck: no verdict in {row.polls} answers"
    return contradiction(row.number, row.wa_id) or row.problem


def known_of(row: Row) -> str | None:
    """Return which run got the answer of a row, where this one has not asked for it."""
    return f"known from run {row.known_from}" if row.known_from is not None else None


def left_of(tally: Tally) -> int:
    """Return how many numbers have no final status."""
    return sum(count.numbers for status, count in tally.items() if status not in FINAL)


def final_of(tally: Tally) -> int:
    """Return how many numbers have a final status."""
    return sum(count.numbers for status, count in tally.items() if status in FINAL)


def skipped_in_words(record: RunRecord) -> str:
    """Return the rows that hold no number by their nature, by kind, ready to stand behind a comma."""
    kinds = (("header", record.header), ("blank", record.blank), ("comment", record.comment))
    skipped = "".join(f", {counted(count, kind)}" for kind, count in kinds if count)
    return skipped + (f", {record.prose:,} without a number" if record.prose else "")


def misread_in_words(found: Summary, region: str) -> str | None:
    """Return what there is to say of numbers without `+`, where a list seems to be of another country; else None."""
    from watui.contract.list_regions import FEWEST, PLUS  # Not before there is a list.

    if found.bare < FEWEST or (found.list_region is None and found.misread < _MISREAD * found.bare):
        return None
    what = f"{found.bare:,} numbers without + would be read as of {region}"
    if found.list_region == PLUS:
        return f"{what}: is this list without its +?"
    if found.misread:
        what += f", and {found.misread:,} of them can't be"
    return f"{what}: is this a list of {found.list_region or 'another country'}?"


def reasons_in_words(found: Summary) -> str:
    """Return why rows are rejected, and how many for each reason."""
    return ", ".join(f"{count:,} × {problem}" for problem, count in found.problems)
