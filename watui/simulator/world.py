"""The world behind the simulated server: pure, so a clock and a seed decide everything (contract section 1)."""

from dataclasses import dataclass, field

from watui.contract.conversion import read
from watui.contract.models import CheckAnswer, Contact, Meta
from watui.contract.rules import CACHE_SECONDS
from watui.contract.statuses import FULLEST_VERSION, Status, meaning
from watui.simulator import population
from watui.simulator.population import DEFAULT_LATENCY, Latency


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
    _decided_at: dict[str, float] = field(default_factory=dict)
    """By number (E.164): when the latest check of it ends or ended."""

    def begin(self, inputs: list[str], force_check: bool, now: float) -> float:
        """Start the checks that `inputs` need and return the time at which all of them are decided.

        A verdict in the cache is kept unless `force_check`; a check under way is never started again.
        """
        all_decided_at = now
        for text in inputs:
            reading = read(text, self.region)
            if reading.number is None or not reading.possible:
                continue
            decided_at = self._decided_at.get(reading.number)
            if decided_at is None or self._is_stale(decided_at, force_check, now):
                decided_at = now + population.check_seconds(self.seed, reading.number, self.latency)
                self._decided_at[reading.number] = decided_at
            all_decided_at = max(all_decided_at, decided_at)
        return all_decided_at

    def answer(self, inputs: list[str], now: float) -> CheckAnswer:
        """Return what is known of `inputs` at `now`, one element each, in their order."""
        return CheckAnswer([self._contact(text, now) for text in inputs], self.meta())

    def meta(self) -> Meta:
        """Return what stands beside every answer."""
        return Meta(version=self.version)

    @staticmethod
    def _is_stale(decided_at: float, force_check: bool, now: float) -> bool:
        under_way = now < decided_at
        return not under_way and (force_check or now >= decided_at + CACHE_SECONDS)

    def _contact(self, text: str, now: float) -> Contact:
        number, _, _, possible = read(text, self.region)
        if number is None or not possible:
            return Contact(text, Status.FAILED)
        wa_id = population.wa_id(number)
        if now < self._decided_at[number]:
            return Contact(text, Status.PROCESSING, wa_id if self.processing_wa_id else None)
        if population.has_account(self.seed, number) or Status.INVALID not in meaning(self.version).statuses:
            return Contact(text, Status.VALID, wa_id)
        return Contact(text, Status.INVALID)
