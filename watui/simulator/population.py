"""Who has an account, and how long a check takes: pure functions of seed and number."""

import base64
import math
from hashlib import blake2b
from statistics import NormalDist
from typing import NamedTuple

from watui.contract.wa_ids import wa_id_of

ACCOUNT_SHARE = 0.8
"""Of the possible numbers, how many have a WhatsApp account."""

ENGAGED_SHARE = 1 / 3
"""Of the accounts, how many wrote within the last 24 hours."""

SLOW_SHARE = 0.01
"""Of the numbers, how many take SLOW_SECONDS more; with the default latency alone."""

SLOW_SECONDS = 10.0

MOVING_SHARE = 0.02
"""Of the numbers, how many get an account, or lose it, while the world grows older."""

FIRST_MOVE, LAST_MOVE = 7 * 24 * 3600.0, 30 * 24 * 3600.0
"""The age of the world, in seconds, at which that happens first and last."""

MOST_MESSAGES = 8
"""That a contact has written before anything is asked."""

_STANDARD_NORMAL = NormalDist()
_P99 = _STANDARD_NORMAL.inv_cdf(0.99)

_STRANGERS, _FIRST_STRANGER, _MOST_STRANGERS = "+1212", 2_000_000, 1_000_000


class Latency(NamedTuple):
    """How long a number takes to be decided: log-normal, in seconds."""

    median: float
    p99: float
    slow_share: float = 0.0
    """Of the numbers, how many take SLOW_SECONDS more."""

    def seconds(self, share: float) -> float:
        """Return the latency that a `share` of the numbers that are not slow, in (0, 1), do not exceed."""
        sigma = math.log(self.p99 / self.median) / _P99
        return self.median * math.exp(sigma * _STANDARD_NORMAL.inv_cdf(share))

    @classmethod
    def parse(cls, text: str) -> "Latency | None":
        """Return the latency of a text such as `1.5,4`; None for `none`. Raises ValueError."""
        if text.strip() == "none":
            return None
        try:
            median, p99 = map(float, text.split(","))
        except ValueError:
            median = p99 = 0.0
        if not SHORTEST_LATENCY <= median <= p99 <= LONGEST_LATENCY:
            raise ValueError(
                f"{text!r} is neither none nor two numbers of seconds, from a thousandth to a day,"
                " such as 1.5,4 (median, then p99)"
            )
        return cls(median, p99, SLOW_SHARE if (median, p99) == DEFAULT_LATENCY[:2] else 0.0)

    def __str__(self) -> str:
        return f"{self.median:g},{self.p99:g}"


SHORTEST_LATENCY, LONGEST_LATENCY = 0.001, 24 * 3600.0

DEFAULT_LATENCY = Latency(1.5, 4.0, SLOW_SHARE)


def _share(purpose: str, seed: int, number: str) -> float:
    """Return a share in (0, 1), always the same for the same arguments."""
    digest = blake2b(f"{purpose}:{seed}:{number}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") + 0.5) / 2**64


def has_account(seed: int, number: str, age: float = 0.0) -> bool:
    """Whether `number` (E.164) has a WhatsApp account in the world of `seed` when that is `age` seconds old."""
    at_first = _share("account", seed, number) < ACCOUNT_SHARE
    return at_first if age < FIRST_MOVE else at_first is not (age >= _moves_at(seed, number))


def _moves_at(seed: int, number: str) -> float:
    """Return the age of the world at which the account of `number` appears or vanishes."""
    place = _share("move", seed, number) / MOVING_SHARE
    return FIRST_MOVE + (LAST_MOVE - FIRST_MOVE) * place if place < 1 else math.inf


def check_seconds(seed: int, number: str, latency: Latency | None) -> float:
    """Return how long the check of `number` (E.164) takes; 0 without a latency."""
    if latency is None:
        return 0.0
    seconds = latency.seconds(_share("latency", seed, number))
    seconds = min(seconds, LONGEST_LATENCY)
    return seconds + SLOW_SECONDS if _share("slow", seed, number) < latency.slow_share else seconds


def is_stuck(seed: int, number: str, share: float) -> bool:
    """Whether the check of `number` (E.164) never ends where a `share` of all numbers is stuck."""
    return share > 0 and _share("stuck", seed, number) < share


def is_engaged(seed: int, number: str, share: float = ENGAGED_SHARE) -> bool:
    """Whether the contact at `number` (E.164) is of the `share` that writes now and then without being told to."""
    return _share("engaged", seed, number) < share


def latest_messages(seed: int, number: str) -> tuple[str, ...]:
    """Return the ids of the messages that an engaged contact has written, the oldest first."""
    count = 1 + int(_share("messages", seed, number) * MOST_MESSAGES)
    return tuple(message_id(seed, number, place) for place in range(count))


def message_id(seed: int, number: str, place: int) -> str:
    """Return the id of the message that a contact wrote as its `place`-th, from 0."""
    digest = blake2b(f"message:{seed}:{number}:{place}".encode(), digest_size=9).digest()
    return "ABEG" + base64.urlsafe_b64encode(digest).decode()


def identity_hash(seed: int, number: str, generation: int) -> str:
    """Return the hash of the identity that a contact has after `generation` changes: eight bytes in base64."""
    digest = blake2b(f"identity:{seed}:{number}:{generation}".encode(), digest_size=8).digest()
    return base64.b64encode(digest).decode()


def identity_age(seed: int, number: str) -> float:
    """Return for how many seconds a contact's first identity has been there when the world begins."""
    return 30 * 24 * 3600 * _share("identity", seed, number)


def stranger(place: int) -> str:
    """Return the `place`-th number (E.164), from 0, of those that somebody else blocks."""
    return f"{_STRANGERS}{_FIRST_STRANGER + place % _MOST_STRANGERS}"


def stranger_place(number: str) -> int | None:
    """Return the place of `number` (E.164) among those, None where it is none of them."""
    if not number.startswith(_STRANGERS):
        return None
    place = int(number.removeprefix(_STRANGERS) or 0) - _FIRST_STRANGER
    return place if 0 <= place < _MOST_STRANGERS else None


def own_wa_id(region: str) -> str:
    """Return the wa_id of the number that a server of `region` is registered with."""
    import phonenumbers

    example = phonenumbers.example_number(region)
    assert example is not None, f"{region} is not a region"
    return wa_id_of(phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164))
