"""Who answers (contract section 8)."""

from enum import StrEnum


class ServerKind(StrEnum):
    """What kind of server there is at an address."""

    OWN = "own"
    """A server of one's own, or whatever speaks the whole contract."""
    TURN = "turn"
    D360 = "360dialog"
    WHAPI = "whapi"
    UNOAPI = "unoapi"
