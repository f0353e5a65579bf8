"""What a person reads of changes: before, while and after they are made."""

from collections.abc import Mapping

from watui.client.dialects import Ability
from watui.contract import errors
from watui.contract.rules import MAX_REASON
from watui.ledger.trail import Kind, Outcome, Wish
from watui.text import counted

DONE_WORDS = {
    Kind.BLOCK: "blocked",
    Kind.UNBLOCK: "unblocked",
    Kind.REPORT: "reported",
    Kind.ACKNOWLEDGE: "acknowledged",
}

NO_UNDO = "A report can't be taken back."

CANNOT_BLOCK_AGAIN = "Only who has written within the last 24 hours can be blocked again."

_NOT_ENGAGED = (
    "It has not written to you within the last 24 hours, and only who has can be blocked or reported."
    " Wait until it writes again."
)
_INVALID = "The server can't read it as a number: write it with + and country code, and check the digits."


ABILITY = {
    Kind.BLOCK: Ability.BLOCK,
    Kind.UNBLOCK: Ability.BLOCK,
    Kind.REPORT: Ability.REPORT,
    Kind.ACKNOWLEDGE: Ability.IDENTITY,
}
"""What a server must be able to do for a change."""


def read_only(profile: str) -> str:
    """Return why nothing can be changed with a profile."""
    return f"{profile} is read-only (read_only = true in settings.toml): nothing is changed there"


def what_leaves(message_id: str) -> str:
    """Return what a report hands to WhatsApp."""
    if message_id:
        return f"The message {message_id} goes to WhatsApp."
    return "No message id: the last five messages of this chat go to WhatsApp."


def reason_problem(reason: str) -> str | None:
    """Return why `reason` can't be sent, None where it can or is empty (contract section 2)."""
    if any("\ud800" <= character <= "\udfff" for character in reason):
        return "no text that can be sent: type it again"
    over = len(reason) - MAX_REASON
    return f"{counted(over, 'character')} too long: {MAX_REASON} at most" if over > 0 else None


def explain(wish: Wish, code: int | None) -> str | None:
    """Return what a refusal means and what to do, None where only the server's own words say it."""
    match wish.kind, code:
        case _, errors.NOT_ENGAGED:
            return _NOT_ENGAGED
        case Kind.ACKNOWLEDGE, errors.INVALID:
            return "That is not its present identity: read it again, then acknowledge that one."
        case Kind.REPORT, errors.INVALID if wish.message_id:
            return f"The message id is none of this contact's, or else: {_INVALID[0].lower()}{_INVALID[1:]}"
        case _, errors.INVALID:
            return _INVALID
        case Kind.ACKNOWLEDGE, errors.NOT_FOUND:
            return "The server knows no such contact."
        case _:
            return None


def done_words(wish: Wish) -> str:
    """Return what was done to a contact."""
    return f"{DONE_WORDS[wish.kind]} and blocked" if wish.also_block else DONE_WORDS[wish.kind]


def summary(wish: Wish, counts: Mapping[Outcome, int]) -> str:
    """Return how a batch ended, in one line."""
    words = {
        Outcome.DONE: done_words(wish),
        Outcome.UNCHANGED: "already so",
        Outcome.REFUSED: "refused",
        Outcome.FAILED: "not done",
        Outcome.UNKNOWN: "unknown",
        Outcome.LEFT_OUT: "left out",
        Outcome.PLANNED: "to do",
        Outcome.SENT: "under way",
    }
    parts = [f"{counts[outcome]:,} {word}" for outcome, word in words.items() if counts.get(outcome)]
    return ", ".join(parts) or "nothing to do"


def planned(kind: Kind, to_send: int, notes: list[tuple[str, int]]) -> str:
    """Return what a dry run has found, in one line."""
    said = [f"{counted(to_send, 'contact')} to {kind}", *(f"{count:,} × {note}" for note, count in notes)]
    return ", ".join(said)
