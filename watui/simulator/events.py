"""What can happen in a world: its state is what these leave behind, in order.

They are what a world keeps on disk, and what the record and the console tell of it.
"""

import msgspec

from watui.simulator.conditions import Conditions
from watui.simulator.population import Latency
from watui.simulator.scenario import Scenario
from watui.text import counted


class Event(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="did"):
    """Something that happened. `at` is in seconds since 1970; numbers are E.164."""

    at: float

    def in_words(self) -> str:
        """Return what happened, in a few words that follow on 'the server'."""
        raise NotImplementedError


class Began(Event, frozen=True, tag="began"):
    """The world began."""

    seed: int = 0
    region: str = "US"

    def in_words(self) -> str:
        return "began anew"


class Asked(Event, frozen=True, tag="asked"):
    """Checks of numbers were begun; when they end follows from seed, number and this."""

    numbers: tuple[str, ...] = ()
    latency: Latency | None = None
    stuck: float = 0.0

    def in_words(self) -> str:
        return f"began to check {counted(len(self.numbers), 'number')}"


class Blocked(Event, frozen=True, tag="blocked"):
    number: str = ""

    def in_words(self) -> str:
        return f"blocked {self.number}"


class Unblocked(Event, frozen=True, tag="unblocked"):
    number: str = ""

    def in_words(self) -> str:
        return f"unblocked {self.number}"


class Reported(Event, frozen=True, tag="reported"):
    number: str = ""
    message_ids: tuple[str, ...] = ()

    def in_words(self) -> str:
        return f"handed {counted(len(self.message_ids), 'message')} of {self.number} to WhatsApp"


class Wrote(Event, frozen=True, tag="wrote"):
    """A contact wrote to us."""

    number: str = ""

    def in_words(self) -> str:
        return f"got a message from {self.number}"


class IdentityChanged(Event, frozen=True, tag="identity_changed"):
    number: str = ""

    def in_words(self) -> str:
        return f"saw a new identity of {self.number}"


class Acknowledged(Event, frozen=True, tag="acknowledged"):
    number: str = ""

    def in_words(self) -> str:
        return f"took the identity of {self.number} as acknowledged"


class AccountChanged(Event, frozen=True, tag="account_changed"):
    """An account appeared or vanished."""

    number: str = ""
    exists: bool = True

    def in_words(self) -> str:
        return f"{'found a new' if self.exists else 'lost the'} account of {self.number}"


class PasswordChanged(Event, frozen=True, tag="password_changed"):
    user: str = ""
    password: str = ""

    def in_words(self) -> str:
        return f"took a new password of {self.user}"


class LoggedIn(Event, frozen=True, tag="logged_in"):
    token: str = ""

    def in_words(self) -> str:
        return "gave a token"


class LoggedOut(Event, frozen=True, tag="logged_out"):
    token: str = ""

    def in_words(self) -> str:
        return "revoked a token"


class TokensExpired(Event, frozen=True, tag="tokens_expired"):
    """Every token that a login gave became useless, as after seven days."""

    def in_words(self) -> str:
        return "let every token expire"


class SettingsChanged(Event, frozen=True, tag="settings_changed"):
    show_security_notifications: bool = False

    def in_words(self) -> str:
        return f"turned security notifications {'on' if self.show_security_notifications else 'off'}"


class ConditionsChanged(Event, frozen=True, tag="conditions_changed"):
    conditions: Conditions = Conditions()

    def in_words(self) -> str:
        return f"goes on with {self.conditions.in_words()}"


class ScenarioStarted(Event, frozen=True, tag="scenario_started"):
    """A scenario was chosen; None ends the one there was."""

    scenario: Scenario | None = None

    def in_words(self) -> str:
        return f"began the scenario {self.scenario.name}" if self.scenario else "ended the scenario"


AnyEvent = (
    Began
    | Asked
    | Blocked
    | Unblocked
    | Reported
    | Wrote
    | IdentityChanged
    | Acknowledged
    | AccountChanged
    | PasswordChanged
    | LoggedIn
    | LoggedOut
    | TokensExpired
    | SettingsChanged
    | ConditionsChanged
    | ScenarioStarted
)
