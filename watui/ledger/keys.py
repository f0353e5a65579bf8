"""The keys of a draft in memory, so that duplicates are found without an index that every new number would rewrite."""

import re
from array import array
from collections.abc import Iterable

_FEWEST_PLACES = 1 << 10
_LONGEST_PACKED = 20
"""Characters of a key of which 64 bits can tell: `+` and 19 digits."""

_E164 = re.compile(r"\+[1-9][0-9]*").fullmatch


class Keys:
    """Which key has which number, in a run whose numbers are 1, 2, 3 … in the order in which their keys came.

    A key that is a number in E.164 takes about 24 bytes, as two arrays hold them: a place is looked for from where
    its hash points to. That is the hash of a tuple: by their own hashes numbers in a row stand in a row, and two such
    rows get in each other's way. All other keys stand in a dictionary.
    """

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._count = 0
        self._places = _FEWEST_PLACES
        self._packed, self._numbers = _empty(self._places)
        self._others: dict[str, int] = {}
        self.number(keys)

    def __len__(self) -> int:
        return self._count

    def number(self, keys: Iterable[str]) -> list[int]:
        """Return the number of each of `keys`; one that is new gets the next."""
        found = []
        for key in keys:
            # E.164 as one integer; whatever else there is does not fit.
            packed = int(key) if len(key) <= _LONGEST_PACKED and _E164(key) else None
            if packed is None:
                number = self._others.setdefault(key, self._count + 1)
            else:
                place = hash((packed,)) % self._places
                while (held := self._packed[place]) != packed and held:
                    place = (place + 1) % self._places
                number = self._numbers[place]
                if not number:
                    number = self._count + 1
                    self._packed[place], self._numbers[place] = packed, number
            if number > self._count:
                self._count = number
                if 2 * number > self._places:
                    self._grow()
            found.append(number)
        return found

    def _grow(self) -> None:
        before = zip(self._packed, self._numbers, strict=True)
        self._places *= 2
        self._packed, self._numbers = _empty(self._places)
        for packed, number in before:
            if number:
                place = hash((packed,)) % self._places
                while self._packed[place]:
                    place = (place + 1) % self._places
                self._packed[place], self._numbers[place] = packed, number


def _empty(places: int) -> tuple["array[int]", "array[int]"]:
    return array("Q", bytes(8 * places)), array("I", bytes(4 * places))
