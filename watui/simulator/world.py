"""The world behind the simulated server: pure, so a clock and a seed decide everything (contract sections 1 to 3)."""

from dataclasses import dataclass, field

from watui.contract import errors
from watui.contract.conversion import Reading, read
from watui.contract.models import CheckAnswer, Contact, Meta
from watui.contract.rules import CACHE_SECONDS
from watui.contract.statuses import FULLEST_VERSION, Status, meaning
from watui.simulator import population
from watui.simulator.envelope import Refusal
from watui.simulator.people import NOT_A_WA_ID, People
from watui.simulator.population import DEFAULT_LATENCY, Latency

START = 1_700_000_000.0
"""Seconds since 1970 at which identities of a world without a clock began."""


@dataclass
class World:
    """What a server knows. `now` is in seconds since 1970 wherever it appears."""

    region: str = "US"
    """Country of the number that the server is registered with."""
    version: str = FULLEST_VERSION
    seed: int = 0
    latency: Latency | None = DEFAULT_LATENCY
    """None decides every number at once."""
    processing_wa_id: bool = False
    """Whether `processing` carries a wa_id; the sources contradict each other."""
    shows_security_notifications: bool = False
    people: People = field(init=False)
    _decided_at: dict[str, float] = field(default_factory=dict)
    """By number (E.164): when the latest check of it ends or ended."""
    _numbers: dict[str, str] = field(default_factory=dict)
    """By wa_id, where that is not the digits of the number: the number."""

    def __post_init__(self) -> None:
        self.people = People(self.seed, START)

    def begin(self, inputs: list[str], force_check: bool, now: float) -> float:
        """Start the checks that `inputs` need and return the time at which all of them are decided.

        A verdict in the cache is kept unless `force_check`; a check under way is never started again.
        """
        all_decided_at = now
        for text in inputs:
            number = _checkable(read(text, self.region))
            if number is None:
                continue
            decided_at = self._decided_at.get(number)
            if decided_at is None or self._is_stale(decided_at, force_check, now):
                decided_at = now + population.check_seconds(self.seed, number, self.latency)
                self._decided_at[number] = decided_at
                self._learn(number)
            all_decided_at = max(all_decided_at, decided_at)
        return all_decided_at

    def answer(self, inputs: list[str], now: float) -> CheckAnswer:
        """Return what is known at `now` of `inputs` that were begun, one element each, in their order."""
        return CheckAnswer([self._contact(text, now) for text in inputs], self.meta())

    def meta(self) -> Meta:
        """Return what stands beside every answer."""
        return Meta(version=self.version)

    def number_of(self, text: str) -> str:
        """Return the number that `text` in a path means. Raises Refusal (1009).

        All digits, with or without `+`, are first taken for a wa_id that the server knows, then converted
        (contract section 2).
        """
        digits = text.removeprefix("+")
        if digits.isascii() and digits.isdigit():
            number = self._numbers.get(digits, f"+{digits}")
            if number in self._decided_at or self.people.knows(number):
                return number
        number_or_none = _checkable(read(text, self.region))
        if number_or_none is None:
            raise Refusal(errors.INVALID, NOT_A_WA_ID)
        self._learn(number_or_none)
        return number_or_none

    def number_of_wa_id(self, text: str) -> str:
        """Return the number of a wa_id, with or without `+`."""
        digits = text.removeprefix("+")
        return self._numbers.get(digits, f"+{digits}")

    def own_wa_id(self) -> str:
        """Return the number that the server is registered with."""
        import phonenumbers

        example = phonenumbers.example_number(self.region)
        assert example is not None
        return population.wa_id(phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164))

    @staticmethod
    def _is_stale(decided_at: float, force_check: bool, now: float) -> bool:
        under_way = now < decided_at
        return not under_way and (force_check or now >= decided_at + CACHE_SECONDS)

    def _contact(self, text: str, now: float) -> Contact:
        number = _checkable(read(text, self.region))
        if number is None:
            return Contact(text, Status.FAILED)
        wa_id = population.wa_id(number)
        if now < self._decided_at[number]:
            return Contact(text, Status.PROCESSING, wa_id if self.processing_wa_id else None)
        if population.has_account(self.seed, number) or Status.INVALID not in meaning(self.version).statuses:
            return Contact(text, Status.VALID, wa_id)
        return Contact(text, Status.INVALID)

    def _learn(self, number: str) -> None:
        wa_id = population.wa_id(number)
        if wa_id != number[1:]:
            self._numbers[wa_id] = number


def _checkable(reading: Reading) -> str | None:
    """Return the number that a server checks; None for what it answers `failed` at once."""
    return reading.number if reading.possible else None
