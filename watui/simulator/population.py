"""Who has an account, how long a check takes, and which wa_id a number gets: pure functions of seed and number."""

import base64
import math
from hashlib import blake2b
from statistics import NormalDist
from typing import NamedTuple

ACCOUNT_SHARE = 0.8
"""Of the possible numbers, how many have a WhatsApp account."""

ENGAGED_SHARE = 1 / 3
"""Of the accounts, how many wrote within the last 24 hours."""

MOST_MESSAGES = 8
"""That a contact has written before anything is asked."""

_STANDARD_NORMAL = NormalDist()
_P99 = _STANDARD_NORMAL.inv_cdf(0.99)

_MEXICO = "+52"
_BRAZIL = "+55"
_BRAZIL_MOBILE_DIGITS = 11
_BRAZIL_FIRST_AREA_WITHOUT_NINE = 31


class Latency(NamedTuple):
    """How long a number takes to be decided: log-normal, in seconds."""

    median: float
    p99: float

    def seconds(self, share: float) -> float:
        """Return the latency that a `share` of all numbers, in (0, 1), do not exceed."""
        sigma = math.log(self.p99 / self.median) / _P99
        return self.median * math.exp(sigma * _STANDARD_NORMAL.inv_cdf(share))


DEFAULT_LATENCY = Latency(median=1.5, p99=4.0)


def _share(purpose: str, seed: int, number: str) -> float:
    """Return a share in (0, 1), always the same for the same arguments."""
    digest = blake2b(f"{purpose}:{seed}:{number}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") + 0.5) / 2**64


def has_account(seed: int, number: str) -> bool:
    """Whether `number` (E.164) has a WhatsApp account in the world of `seed`."""
    return _share("account", seed, number) < ACCOUNT_SHARE


def check_seconds(seed: int, number: str, latency: Latency | None) -> float:
    """Return how long the check of `number` (E.164) takes; 0 without a latency."""
    return latency.seconds(_share("latency", seed, number)) if latency else 0.0


def wa_id(number: str) -> str:
    """Return the wa_id of `number` (E.164): its digits, but for Mexico and parts of Brazil (contract section 1)."""
    digits = number[1:]
    national = digits[2:]
    if number.startswith(_MEXICO) and len(national) == 10:
        return f"521{national}"
    if (
        number.startswith(_BRAZIL)
        and len(national) == _BRAZIL_MOBILE_DIGITS
        and national[2] == "9"
        and int(national[:2]) >= _BRAZIL_FIRST_AREA_WITHOUT_NINE
    ):
        return f"55{national[:2]}{national[3:]}"
    return digits


def is_engaged(seed: int, number: str) -> bool:
    """Whether the contact at `number` (E.164), if it has an account, writes now and then without being told to."""
    return _share("engaged", seed, number) < ENGAGED_SHARE


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
