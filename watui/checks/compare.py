"""What has changed between two runs: pure, from what both say of a number.

What an answer means depends on the version of the server that gave it: where the two differ in that, no account is said
to have come or gone.
"""

from collections import Counter
from enum import StrEnum

from watui.contract.statuses import FINAL, Status, meaning
from watui.ledger.rows import Pair


class Change(StrEnum):
    """How a number differs between an earlier run and a later one."""

    NEWLY_VALID = "newly valid"
    GONE = "gone"
    """It had an account before, and has none since."""
    INCOMPARABLE = "not comparable"
    """Valid in one run and invalid in the other, by servers that don't mean the same by it."""
    WA_ID = "wa_id changed"
    STATUS = "status changed"
    """In any other way."""
    OPEN = "undecided"
    """Without a final status since."""
    ADDED = "added"
    """In the later run alone."""
    REMOVED = "removed"
    """In the earlier run alone."""
    NONE = "unchanged"


def change_of(pair: Pair) -> Change:
    """Return what has become of a number."""
    before, after = pair.before, pair.after
    if before is None:
        return Change.ADDED
    if after is None:
        return Change.REMOVED
    if before == after:
        is_other = before == Status.VALID and pair.wa_id_before != pair.wa_id_after
        return Change.WA_ID if is_other else Change.NONE
    if after not in FINAL:
        return Change.OPEN
    had_claim, has_claim = (meaning(version).claims_account for version in (pair.version_before, pair.version_after))
    if {before, after} == {Status.VALID, Status.INVALID} and had_claim is not has_claim:
        return Change.INCOMPARABLE
    if after == Status.VALID:
        return Change.NEWLY_VALID
    is_gone = has_claim and (before, after) == (Status.VALID, Status.INVALID)
    return Change.GONE if is_gone else Change.STATUS


class Comparison:
    """What has been compared so far of two runs."""

    def __init__(self) -> None:
        self.counts: Counter[Change] = Counter()
        self.versions: set[str | None] = set()
        """Of the servers that decided anything in either run; None for one that named none."""

    def take(self, pair: Pair) -> Change:
        """Add a number, and return what has become of it."""
        change = change_of(pair)
        self.counts[change] += 1
        answers = ((pair.before, pair.version_before), (pair.after, pair.version_after))
        self.versions |= {version for status, version in answers if status in FINAL}
        return change

    @property
    def words(self) -> str:
        """How many numbers there are of each change; empty where there is no number."""
        return ", ".join(f"{self.counts[change]:,} {change}" for change in Change if self.counts[change])
