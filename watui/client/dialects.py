"""What kinds of servers there are, and how each differs from the contract (section 8).

What no source says of a kind is taken to be missing: what is not there is refused here, with the reason, instead of
being sent to a path where nobody is, or somebody else.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from watui.contract.kinds import ServerKind
from watui.contract.rules import CONTACTS_PATH, RATE_LIMIT


class Ability(StrEnum):
    """What a server may be able to do beside a check, as people say it."""

    BLOCK = "block contacts"
    REPORT = "report contacts"
    BLOCKLIST = "show its blocklist"
    IDENTITY = "tell identities"
    LOGIN = "log users in"
    HEALTH = "tell its health"


class Dialect(NamedTuple):
    """How a kind of server is spoken to."""

    title: str
    """As people call it."""
    contacts: str = CONTACTS_PATH
    """The path of a check, behind the base URL; those of single contacts begin with it."""
    header: str = "Authorization"
    """That carries the token."""
    scheme: str = "Bearer "
    """What stands before the token."""
    abilities: frozenset[Ability] = frozenset(Ability)
    rate: float = RATE_LIMIT / 2
    """Requests a second that it is sure to allow."""
    has_reasons: bool = True
    """Whether a block takes a reason."""
    is_400_overload: bool = False
    """Whether an error of its own with HTTP status 400 means too many requests."""

    def why_not(self, ability: Ability) -> str | None:
        """Return why it does not do something; None where it does."""
        return None if ability in self.abilities else f"{self.title} does not {ability}"


DIALECTS: Mapping[ServerKind, Dialect] = {
    ServerKind.OWN: Dialect("an own server"),
    ServerKind.TURN: Dialect("Turn.io", abilities=frozenset(), rate=1.0),
    ServerKind.D360: Dialect(
        "a 360dialog-style gateway",
        header="D360-API-KEY",
        scheme="",
        abilities=frozenset({Ability.BLOCK, Ability.REPORT, Ability.BLOCKLIST, Ability.IDENTITY}),
        is_400_overload=True,
    ),
    ServerKind.WHAPI: Dialect(
        "Whapi.cloud",
        contacts="/contacts",
        abilities=frozenset({Ability.BLOCK, Ability.BLOCKLIST}),
        has_reasons=False,
    ),
    ServerKind.UNOAPI: Dialect("unoapi-cloud", contacts="/contacts", scheme="", abilities=frozenset()),
}
