"""What a server is like at a time: its version, how fast and how reliable it is. All of it can change while it runs."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from watui.contract.rules import RATE_LIMIT
from watui.contract.statuses import FULLEST_VERSION, KNOWN_VERSIONS, parse_version
from watui.simulator.faults import Fault
from watui.simulator.population import DEFAULT_LATENCY, ENGAGED_SHARE, Latency


class BadConditions(ValueError):
    """Conditions that can't be; the message says why."""


class Conditions(msgspec.Struct, frozen=True):
    """Everything about a server that can change while it runs."""

    version: str = FULLEST_VERSION
    latency: Latency | None = DEFAULT_LATENCY
    """None decides every number at once."""
    stuck: float = 0.0
    """Of the numbers, the share whose check never ends."""
    engaged: float = ENGAGED_SHARE
    """Of the accounts, the share that wrote within the last 24 hours without being told to."""
    rate_limit: bool = False
    """Whether it answers 429 where requests come faster than section 5 says."""
    max_contacts: int | None = None
    """Of one request, above which it answers 400; None: there is no limit."""
    processing_wa_id: bool = False
    """Whether `processing` carries a wa_id; the sources contradict each other."""
    meta: bool = True
    """Whether `meta` stands beside answers; it is optional."""
    cluster: bool = False
    """Whether health answers for several hosts."""
    faults: tuple[Fault, ...] = ()

    def in_words(self) -> str:
        """Return what is other than usual, and the version and the latency."""
        words = [self.version, f"latency {self.latency or 'none'}"]
        if self.rate_limit:
            words.append(f"at most {RATE_LIMIT:g} requests a second")
        if self.stuck:
            words.append(f"{self.stuck:.0%} stuck")
        if self.engaged != ENGAGED_SHARE:
            words.append(f"{self.engaged:.0%} engaged")
        return ", ".join(words + [fault.in_words() for fault in self.faults])


class Changes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is to change in Conditions; what is UNSET stays. Raises ValueError where it can't be."""

    version: str | UnsetType = UNSET
    latency: str | UnsetType = UNSET
    """`none`, or two numbers of seconds with a comma between: median and 99th percentile."""
    stuck: float | UnsetType = UNSET
    engaged: float | UnsetType = UNSET
    rate_limit: bool | UnsetType = UNSET
    max_contacts: int | UnsetType | None = UNSET
    processing_wa_id: bool | UnsetType = UNSET
    meta: bool | UnsetType = UNSET
    cluster: bool | UnsetType = UNSET
    faults: tuple[Fault, ...] | UnsetType = UNSET

    def __post_init__(self) -> None:
        self.applied_to(Conditions())

    def applied_to(self, conditions: Conditions) -> Conditions:
        """Return `conditions` with these changes. Raises BadConditions."""
        given: dict[str, Any] = {
            name: value
            for name in Conditions.__struct_fields__
            if (value := getattr(self, name)) is not UNSET and name not in ("version", "latency")
        }
        if self.version is not UNSET:
            given["version"] = known_version(self.version)
        if self.latency is not UNSET:
            given["latency"] = _latency(self.latency)
        for name in ("stuck", "engaged"):
            if not 0 <= given.get(name, 0) <= 1:
                raise BadConditions(f"{name} is a share from 0 to 1")
        if (most := given.get("max_contacts")) is not None and most < 1:
            raise BadConditions("max_contacts is 1 or more")
        return msgspec.structs.replace(conditions, **given)


def known_version(text: str) -> str:
    """Return a server version with its leading `v`. Raises BadConditions."""
    text = text.strip()
    if parse_version(text) is None:
        raise BadConditions(f"version {text!r} is not a server version: give one of {', '.join(KNOWN_VERSIONS)}")
    return text if text.startswith("v") else f"v{text}"


def _latency(text: str) -> Latency | None:
    try:
        return Latency.parse(text)
    except ValueError as error:
        raise BadConditions(f"latency {error}") from error
