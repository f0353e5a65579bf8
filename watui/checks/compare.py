"""What has changed between two runs: pure, from what both say of a number."""

from enum import StrEnum

from watui.contract.statuses import FINAL, Status
from watui.ledger.rows import Pair


class Change(StrEnum):
    """How a number differs between an earlier run and a later one."""

    NEWLY_VALID = "newly valid"
    GONE = "gone"
    """Valid before, and decided otherwise since."""
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
    if after == Status.VALID:
        return Change.NEWLY_VALID
    return Change.GONE if before == Status.VALID else Change.STATUS
