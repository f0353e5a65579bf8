"""What goes into the ledger and what comes out of it."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec

from watui.contract.models import Blocking

QUEUED = "queued"
"""Status of a number that no answer has mentioned yet. Ours, never the server's."""

REJECTED = "rejected"
"""Status of a row that is never sent. Ours, never the server's."""


class Source(NamedTuple):
    """What a list was imported from."""

    name: str
    column: str | None
    """Header of the number column, None where there is none."""
    is_whole: bool
    """Whether it was read to its end."""
    list_region: str | None = None
    """Of which country its numbers without `+` are said to be; None for the server's."""


class Polled(NamedTuple):
    """How often a run had to ask again."""

    numbers: int
    """That it asked about."""
    batch_size: int
    polls: int
    """Requests after the first ones."""


class Summary(NamedTuple):
    """What is in a list, beside the counts of its RunRecord."""

    sources: tuple[Source, ...]
    problems: tuple[tuple[str, int], ...]
    """Reasons for rejected rows with their counts, the most frequent first."""
    regions: tuple[tuple[str | None, int], ...]
    """Regions of the numbers with their counts, the most frequent first."""
    fresh: int = 0
    """Numbers that the same server has answered for the same region, in other runs and not long ago; none where the
    run asks all the same."""
    polled: Sequence[Polled] = ()
    """How the latest runs at the server were polled, the latest one first."""
    bare: int = 0
    """Numbers without `+` that get the server's country code."""
    misread: int = 0
    """Those among them that are doubtful so."""
    list_region: str | None = None
    """Of which country they rather seem to be."""


class RunState(StrEnum):
    """Where a run stands."""

    DRAFT = "draft"
    """Imported, nothing asked."""
    RUNNING = "running"
    """Started and not ended, whether anybody drives it or not."""
    DONE = "done"
    """Every number has a final status."""
    DISCARDED = "discarded"
    """A draft that is being deleted."""
    CANCELLED = "cancelled"
    """Ended by a person before that."""


class RunOptions(NamedTuple):
    """How a run is asked."""

    server: str
    """Base URL, or `simulator` for the embedded one."""
    region: str
    blocking: Blocking
    force_check: bool
    batch_size: int
    profile: str = ""
    """What a person calls the server; empty where nobody has said."""
    rechecks: int | None = None
    """The run that this one asks about anew."""


class RunRecord(NamedTuple):
    """A run as it stands."""

    id: int
    state: RunState
    options: RunOptions
    created_at: float
    started_at: float | None
    ended_at: float | None
    server_version: str | None
    """Of the latest answer."""
    entries: int
    """Rows that are asked about."""
    rejected: int
    header: int
    blank: int
    comment: int
    prose: int
    """Parts of a text or an address book that hold no number."""
    doubtful: int
    """Rows among `entries` whose number is doubtful."""
    numbers: int
    """Distinct numbers among `entries`."""
    driver: str | None
    """Who asks, or was the last to ask; None where nobody did, and when it has ended."""

    @property
    def rows(self) -> int:
        """Rows of the table: entries and rejected ones."""
        return self.entries + self.rejected

    @property
    def skipped(self) -> int:
        return self.header + self.blank + self.comment + self.prose

    @property
    def read(self) -> int:
        """Rows read from the sources."""
        return self.rows + self.skipped


class NewRow(msgspec.Struct, frozen=True, gc=False):
    """A row on its way into a draft."""

    line: int
    input: str
    key: str | None
    """What makes two inputs the same question; None for a rejected row."""
    number: str | None
    region: str | None
    doubt: str | None
    problem: str | None
    """Why the row is rejected, None if it isn't."""
    sent: str | None = None
    """What is asked instead of the input; None for the input as it is."""


class Counted(NamedTuple):
    """Numbers and rows in one status."""

    numbers: int
    rows: int


Tally = Mapping[str, Counted]


class Overview(NamedTuple):
    """A run with what a list of runs shows of it."""

    record: RunRecord
    sources: tuple[str, ...]
    tally: Tally


class Row(NamedTuple):
    """A row as it stands."""

    row: int
    """From 1, in the order of the sources."""
    source: str
    line: int
    input: str
    number: str | None
    region: str | None
    status: str
    wa_id: str | None
    problem: str | None
    """Why it is rejected, or why it is doubtful."""
    duplicate_of: int | None
    """Line of the first row with the same number."""
    checked_at: float | None
    server_version: str | None
    number_id: int | None
    asked: int
    """How often its number was asked."""
    polls: int
    """How many answers left its number without a final status."""
    sent: str | None = None
    """What is asked instead of the input; None for the input as it is."""
    known_from: int | None = None
    """The run that asked, where the answer was known before this one began."""


class Asked(NamedTuple):
    """A question that is written down, and may be sent."""

    ask_id: int
    inputs: dict[int, str]
    """What is sent, by the ids of its numbers."""


class Budget(NamedTuple):
    """How the calls to a server stand against its messages."""

    messages: int = 0
    """That were sent, as a person says."""
    over: int = 0
    """Calls that a person allows beyond them."""
    calls: int = 0
    """That were made, or were about to be."""

    @property
    def allowed(self) -> int:
        return self.messages + self.over

    @property
    def left(self) -> int:
        return max(0, self.allowed - self.calls)


class UsedUp(Exception):
    """A budget has no call left."""

    def __init__(self, budget: Budget) -> None:
        super().__init__(f"{budget.calls:,} of {budget.allowed:,} calls")
        self.budget = budget


class Answered(msgspec.Struct, frozen=True, gc=False):
    """What an answer says of one number."""

    number_id: int
    status: str
    final: bool
    wa_id: str | None


class Order(StrEnum):
    """In which order rows are wanted. Rows that are alike in it stand as they were given."""

    GIVEN = "as given"
    NUMBER = "by number"
    """Country code first, as digits are compared; then what is not read as a number, then rejected rows."""
    STATUS = "by status"
    """Valid, invalid, failed, processing, queued, then other ones by their names; rejected rows last."""
    LATEST = "latest answer first"
    """Rows without an answer last."""


class RowFilter(NamedTuple):
    """Which rows are wanted: all of those that fit every part given; and in which order."""

    status: str | None = None
    text: str = ""
    """Part of input, number, wa_id, or of why the row is rejected or doubtful; capitals don't matter."""
    order: Order = Order.GIVEN

    @property
    def leaves_out(self) -> bool:
        """Whether not every row fits."""
        return self.status is not None or bool(self.text)


class Stale(NamedTuple):
    """Which numbers of a run are asked anew: those that fit any part."""

    before: float | None
    """Answered for good before that time, in seconds since 1970."""
    failed: bool
    """Whose check failed."""
    open: bool
    """Without a final status."""


class Pair(NamedTuple):
    """A number as two runs know it; None where a run does not have it."""

    number: str | None
    input: str
    before: str | None
    """Its status."""
    after: str | None
    wa_id_before: str | None
    wa_id_after: str | None
    version_before: str | None
    version_after: str | None
