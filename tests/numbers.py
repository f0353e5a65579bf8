"""Numbers of many countries as lists hold them: for tests, and to measure with."""

import random
from collections.abc import Iterator
from functools import cache

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberDesc, PhoneNumberFormat

COMMON = ("US", "IN", "BR", "GB", "MX", "DE", "ID", "ES", "IT", "AR", "ZA", "NG", "FR", "TR", "CO", "PK")
"""Regions that most of the numbers are of; one in five is of any."""


@cache
def _examples(region: str) -> list[str]:
    """Return the examples of the metadata for numbers of a region, without its country code."""
    metadata = PhoneMetadata.metadata_for_region(region)
    assert metadata is not None, "the region is known"
    kinds = (metadata.mobile, metadata.mobile, metadata.fixed_line, metadata.toll_free, metadata.voip)
    return [kind.example_number for kind in kinds if isinstance(kind, PhoneNumberDesc) and kind.example_number]


def mixed_numbers(count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Yield numbers and odd things as people write them, each with the region of the server that is asked."""
    chance = random.Random(seed)
    every = sorted(phonenumbers.SUPPORTED_REGIONS)
    for _ in range(count):
        region = chance.choice(COMMON if chance.random() < 0.8 else every)
        national = chance.choice(_examples(region))
        kept = len(national) - chance.randint(2, 6)
        national = national[:kept] + "".join(chance.choices("0123456789", k=len(national) - kept))
        yield _spelled(region, national, chance), region if chance.random() < 0.7 else chance.choice(COMMON)


def _spelled(region: str, national: str, chance: random.Random) -> str:
    code = phonenumbers.country_code_for_region(region)
    zeros = len(national) - len(national.lstrip("0"))
    number = phonenumbers.PhoneNumber(code, int(national), None, zeros > 0 or None, zeros or None)
    match chance.choices(range(8), [40, 14, 16, 8, 8, 8, 4, 2])[0]:
        case 0:
            return f"+{code}{national}"
        case 1:
            return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
        case 2:
            return phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
        case 3:
            return f"00{code} {national}"
        case 4:
            return national
        case 5:
            return f"+{code}-{national[:3]}.{national[3:]}"
        case 6:
            return f"+{code}{national[: chance.randint(1, len(national))]}"
        case _:
            return chance.choice([f"tel:+{code}{national}", f"{national} ext. 5", "ask at the desk", "+999 123 456"])
