"""The world behind the simulated server: pure, so a clock and a seed decide everything (contract sections 1 to 3)."""

import math
from collections.abc import Callable, Iterable

from watui.contract import errors
from watui.contract.conversion import checkable
from watui.contract.models import CheckAnswer, Contact, Meta
from watui.contract.rules import CACHE_SECONDS
from watui.contract.statuses import Status, meaning
from watui.contract.wa_ids import numbers_of, wa_id_of
from watui.simulator import population
from watui.simulator.conditions import Changes, Conditions
from watui.simulator.envelope import Refusal
from watui.simulator.events import (
    Asked,
    Began,
    ConditionsChanged,
    Event,
    ScenarioStarted,
    SettingsChanged,
)
from watui.simulator.people import NO_CONTACT, NOT_A_WA_ID, People
from watui.simulator.scenario import Scenario, Step

START = 1_700_000_000.0
"""Seconds since 1970 at which a world begins that was not told when."""

BEFORE_ALL = -1.0
"""A second of a scenario's clock before its first."""

MOST_READINGS = 500_000
"""Texts of one region whose number is remembered: polls repeat them all the time."""

_LONGEST_NUMBER = 250
"""Characters of a text beyond which no number is read in it, which is the limit of phonenumbers."""

Listener = Callable[[Event], None]


class World:
    """What a server knows. `now` is in seconds since 1970 wherever it appears, and never goes back.

    `region` is the country of the number that the server is registered with. `conditions` and `scenario` are those
    with which `reset` begins.
    """

    def __init__(
        self,
        region: str = "US",
        seed: int = 0,
        conditions: Conditions | None = None,
        scenario: Scenario | None = None,
        began_at: float = START,
    ) -> None:
        self.base = conditions or Conditions()
        self.base_scenario = scenario
        self.listeners: list[Listener] = []
        """Who is told of every event, after it has had its effect."""
        self._scenario_began_at: float | None = None
        self._played_until = BEFORE_ALL
        self._begin(Began(began_at, seed, region))

    def happen(self, event: Event) -> None:
        """Let something happen."""
        self.apply(event)
        for listener in self.listeners:
            listener(event)

    def apply(self, event: Event) -> None:
        """Take note of what happened; nobody is told."""
        match event:
            case Began():
                self._begin(event)
            case Asked(at, numbers, latency, stuck):
                for number in numbers:
                    is_stuck = population.is_stuck(self.seed, number, stuck)
                    seconds = math.inf if is_stuck else population.check_seconds(self.seed, number, latency)
                    self._decided_at[number] = at + seconds
            case ConditionsChanged(_, conditions):
                self._conditions = conditions
                self.people.engaged_share = conditions.engaged
            case ScenarioStarted(_, scenario):
                self._choose(scenario)
            case SettingsChanged(_, shown):
                self.shows_security_notifications = shown
            case _:
                self.people.apply(event)

    @property
    def conditions(self) -> Conditions:
        """What the server is like now."""
        return self._conditions

    # Checks: section 1

    def numbers(self, texts: Iterable[str], region: str | None = None) -> list[str | None]:
        """Return the number (E.164) that a server of `region` reads in each text; None where it checks none."""
        region = region or self.region
        return [self._number(text, region) for text in texts]

    def begin(self, numbers: Iterable[str | None], force_check: bool, now: float) -> float:
        """Start the checks that `numbers` need and return the time at which all of them are decided.

        A verdict in the cache is kept unless `force_check`; a check under way is never started again.
        """
        needed = tuple(
            dict.fromkeys(
                number for number in numbers if number is not None and self._is_stale(number, force_check, now)
            )
        )
        if needed:
            self.happen(Asked(now, needed, self._conditions.latency, self._conditions.stuck))
        return max(now, max((self._decided_at[number] for number in numbers if number is not None), default=now))

    def answer(self, inputs: list[str], numbers: list[str | None], now: float) -> CheckAnswer:
        """Return what is known at `now` of `inputs`, whose `numbers` were begun: one element each, in their order."""
        says_invalid = Status.INVALID in meaning(self._conditions.version).statuses
        contacts = [
            self._contact(text, number, says_invalid, now) for text, number in zip(inputs, numbers, strict=True)
        ]
        return CheckAnswer(contacts, self.meta())

    def in_flight(self, now: float) -> int:
        """Return how many numbers are being checked."""
        return sum(now < decided_at for decided_at in self._decided_at.values())

    @property
    def known(self) -> int:
        """How many numbers were ever asked about."""
        return len(self._decided_at)

    # What stands around

    def meta(self) -> Meta | None:
        """Return what stands beside every answer."""
        return Meta(version=self._conditions.version) if self._conditions.meta else None

    def number_of(self, text: str, region: str | None = None) -> str:
        """Return the number that `text` in a path means. Raises Refusal (1009).

        All digits, with or without `+`, are first taken for a wa_id that the server knows, then converted
        (contract section 2).
        """
        number = self._known_by(text) or self._number(text, region or self.region)
        if number is None:
            raise Refusal(errors.INVALID, NOT_A_WA_ID)
        return number

    def number_of_wa_id(self, text: str) -> str:
        """Return the number of a wa_id, with or without `+`. Raises Refusal (1006) for what can't be one."""
        number = self._known_by(text)
        if number is None:
            likely = (self._number(candidate, self.region) for candidate in _numbers_of(text))
            number = next(filter(None, likely), None)
        if number is None:
            raise Refusal(errors.NOT_FOUND, NO_CONTACT)
        return number

    # What changes while it runs

    def change(self, changes: Changes, now: float) -> None:
        """Change conditions."""
        changed = changes.applied_to(self._conditions)
        if changed != self._conditions:
            self.happen(ConditionsChanged(now, changed))

    def play(self, scenario: Scenario | None, now: float) -> None:
        """Begin a scenario with the base conditions; None ends the one there is.

        What others have blocked in the scenario before is taken back.
        """
        self.people.unblock_others(now)
        self.happen(ScenarioStarted(now, scenario))
        begun = scenario.begin(self.base) if scenario else self.base
        if begun != self._conditions:
            self.happen(ConditionsChanged(now, begun))
        if scenario is not None:
            self.people.block_others(max(0, scenario.start.blocked - self.people.blocked), now)

    def start_clock(self, now: float) -> None:
        """Let the clock of the scenario run from now on, if it does not run yet."""
        if self._scenario_began_at is None:
            self._scenario_began_at = now

    def scenario_seconds(self, now: float) -> float:
        """Return how long the clock of the scenario has run."""
        return now - self._scenario_began_at if self._scenario_began_at is not None else 0.0

    def advance(self, now: float) -> int:
        """Let everything happen that the scenario has for the time up to `now`; return how often
        it let tokens expire.
        """
        if self.scenario is None or self._scenario_began_at is None:
            return 0
        seconds, expiries = self.scenario_seconds(now), 0
        for second, step in self.scenario.steps(self._played_until, seconds):
            self._take(step, self._scenario_began_at + second)
            expiries += step.expire_tokens
        self._played_until = max(self._played_until, seconds)
        return expiries

    def reset(self, now: float) -> None:
        """Begin anew, with the same seed and from the base."""
        self.happen(Began(now, self.seed, self.region))
        if self.base != Conditions():
            self.happen(ConditionsChanged(now, self.base))
        if self.base_scenario is not None:
            self.play(self.base_scenario, now)

    # Parts

    def _begin(self, event: Began) -> None:
        self.seed = event.seed
        self.region = event.region
        self.people = People(event.seed, event.at, self.happen)
        self.people.engaged_share = self.base.engaged
        self.shows_security_notifications = False
        self._conditions = self.base
        self._choose(None)
        self._decided_at: dict[str, float] = {}
        """By number (E.164): when the latest check of it ends or ended."""
        self._read: dict[str, dict[str, str | None]] = {}
        """By region and text: the number."""

    def _choose(self, scenario: Scenario | None) -> None:
        self.scenario = scenario
        self._scenario_began_at = None
        self._played_until = BEFORE_ALL

    def _take(self, step: Step, at: float) -> None:
        self.change(step, at)
        self.people.unblock_oldest(step.unblock, at)
        self.people.block_others(step.block, at)
        for exists, texts in ((True, step.appear), (False, step.vanish)):
            for number in self._known(texts):
                self.people.change_account(number, exists, at)
        for number in self._known(step.inbound):
            self.people.write(number, at)
        for number in self._known(step.identity):
            self.people.change_identity(number, at)

    def _known(self, texts: Iterable[str]) -> list[str]:
        return [number for number in self.numbers(texts) if number is not None]

    def _known_by(self, text: str) -> str | None:
        """Return the number that the server knows by the wa_id `text`."""
        candidates = _numbers_of(text)
        return next((each for each in candidates if each in self._decided_at or self.people.knows(each)), None)

    def _number(self, text: str, region: str) -> str | None:
        remembered = self._read.setdefault(region, {})
        try:
            return remembered[text]
        except KeyError:
            pass
        if len(text) > _LONGEST_NUMBER:
            return None
        if len(remembered) >= MOST_READINGS:
            remembered.clear()
        number = checkable(text, region)
        remembered[text] = text if number == text else number
        return number

    def _is_stale(self, number: str, force_check: bool, now: float) -> bool:
        decided_at = self._decided_at.get(number)
        if decided_at is None:
            return True
        if decided_at == math.inf:
            return not population.is_stuck(self.seed, number, self._conditions.stuck)
        return now >= decided_at and (force_check or now >= decided_at + CACHE_SECONDS)

    def _contact(self, text: str, number: str | None, says_invalid: bool, now: float) -> Contact:
        if number is None:
            return Contact(text, Status.FAILED)
        decided_at = self._decided_at[number]
        if now < decided_at:
            return Contact(text, Status.PROCESSING, wa_id_of(number) if self._conditions.processing_wa_id else None)
        if self.people.has_account(number, decided_at) or not says_invalid:
            return Contact(text, Status.VALID, wa_id_of(number))
        return Contact(text, Status.INVALID)


def _numbers_of(text: str) -> tuple[str, ...]:
    """Return the numbers of a wa_id, with or without `+`; none for what is not all digits."""
    digits = text.removeprefix("+")
    return numbers_of(digits) if digits.isascii() and digits.isdigit() else ()
