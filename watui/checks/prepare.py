"""From the rows of a source to rows of the ledger: each input converted, each duplicate pointed at its number."""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import msgspec

from watui.contract.conversion import read
from watui.contract.damage import MANY_ZEROS, find_doubt
from watui.contract.list_regions import international
from watui.intake.entries import Entry, Row, Skipped
from watui.ledger.ledger import Ledger
from watui.ledger.rows import NewRow

CHUNK_ROWS = 10_000
"""Rows in one transaction: short enough that others can write in between."""

FIRST_ROWS = 500
"""Rows in the first one, so that there is something to see at once."""


class Progress(msgspec.Struct, frozen=True):
    """How far a source is read."""

    rows: int = 0
    """That are in the ledger."""
    share: float | None = None
    """Of the source that these rows are; None where nobody knows how long it is."""
    other: str | None = None
    """Another column of it that holds numbers, too."""


class Import(msgspec.Struct, frozen=True):
    """How to import a source, and where into."""

    run_id: int
    name: str
    """What the source is called in the ledger."""
    region: str
    column: str | None = None
    skip_doubtful: bool = False
    list_region: str | None = None
    """Of which country numbers without `+` are; None for the server's."""


def prepare(entry: Entry, region: str, skip_doubtful: bool, list_region: str | None = None) -> NewRow:
    """Return `entry` as a server registered in `region` reads it, or what is sent of a number of `list_region`.

    Inputs that it reads as one number share a key; an input that it can't read is its own.
    With `skip_doubtful` a doubtful number is rejected instead of asked.
    """
    if entry.problem is not None:
        return NewRow(entry.line, entry.input, None, None, None, None, entry.problem)
    sent = international(entry.input, list_region, region) if list_region is not None else None
    reading = read(sent or entry.input, region)
    is_plain = reading.number == entry.input and reading.doubt is None and not entry.input.endswith(MANY_ZEROS)
    doubt = None if is_plain else find_doubt(entry.input, reading, region)
    if skip_doubtful and doubt is not None:
        return NewRow(entry.line, entry.input, None, None, None, None, f"doubtful: {doubt}")
    key = reading.number or entry.input
    return NewRow(entry.line, entry.input, key, reading.number, reading.region, doubt, None, sent)


def add_source(
    ledger: Ledger,
    wanted: Import,
    column_name: str | None,
    rows: Iterable[Row],
    tell: Callable[[Progress], None] = lambda _: None,
    share: Callable[[], float | None] = lambda: None,
) -> None:
    """Append the `rows` of a source to a draft, a chunk at a time; each is told as soon as it is in.

    `share` returns which part of the source the rows were that have been taken from it. The ledger writes
    in a thread of its own while the next chunk is converted.
    """
    source_id = ledger.add_source(wanted.run_id, wanted.name, column_name, wanted.list_region)
    rows, count = iter(rows), 0

    def write(entries: list[NewRow], skipped: Counter[str], progress: Progress) -> None:
        ledger.add_rows(wanted.run_id, source_id, entries, skipped)
        tell(progress)

    with ThreadPoolExecutor(1, "watui-import") as thread:
        writing: Future[None] | None = None
        while True:
            chunk = list(islice(rows, CHUNK_ROWS if count else FIRST_ROWS))
            count += len(chunk)
            progress = Progress(count, share())
            skipped = Counter(row.value for row in chunk if isinstance(row, Skipped))
            # Converted here and not in the transaction, which keeps all other processes waiting.
            entries = [
                prepare(row, wanted.region, wanted.skip_doubtful, wanted.list_region)
                for row in chunk
                if isinstance(row, Entry)
            ]
            if writing is not None:
                writing.result()
            if not chunk:
                break
            writing = thread.submit(write, entries, skipped, progress)
    ledger.end_source(wanted.run_id, source_id)
