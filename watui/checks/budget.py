"""The budget of a server in words."""

import shlex

from watui.client.failures import OverBudget
from watui.ledger.rows import Budget

POLICY = (
    "WhatsApp's policy: check only opted-in users of your own, and make no more calls than the number sends messages."
    " Misuse is warned of by mail; seven days later the number is disabled for good."
)

MOST_AT_ONCE = 999_999_999
"""Messages, or calls, that can be entered at once; more is a slip of the finger."""


def count_of(text: str) -> int | None:
    """Return the count that stands in `text`, up to MOST_AT_ONCE; None where there is no such."""
    digits = text.strip()
    is_count = digits.isascii() and digits.isdigit() and len(digits) <= len(str(MOST_AT_ONCE))
    return int(digits) if is_count else None


def meter(budget: Budget) -> str:
    """Return how a budget stands."""
    over = f", {budget.over:,} of them over the messages sent" if budget.over else ""
    return f"{budget.calls:,} of {budget.allowed:,} calls used{over}"


def used_up(profile: str, budget: Budget) -> OverBudget:
    """Return why nothing more is asked."""
    name = shlex.quote(profile)
    return OverBudget(
        f"the budget of {profile} is used up: {meter(budget)}. {POLICY.removesuffix('.')}",
        f"Enter the messages sent since: 'watui budget add N --profile {name}'. To go on all the same, say by how many"
        " calls: --over-budget N",
    )
