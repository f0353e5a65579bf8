"""The keys of a draft in memory, so that duplicates are found without an index that every new number would rewrite."""

import re
from array import array
from collections.abc import Iterable

_FEWEST_PLACES = 1 << 10
_GROWTH = 4
"""How many times as many places there are when half of them are taken: each key moves a third of a time."""

_fits = re.compile(r"\+[1-9][0-9]{0,18}").fullmatch
"""Whether a key is E.164, and 64 bits can tell it."""


class Keys:
    """Which key has which number, in a run whose numbers are 1, 2, 3 … in the order in which their keys came.

    A key that is a number in E.164 takes 16 to 40 bytes, as two arrays hold them: the packed keys in their order, and
    places for the numbers, looked for from where the hash of a key points to. That is the hash of a tuple: by their own
    hashes numbers in a row stand in a row, and two such rows get in each other's way. All other keys stand in a
    dictionary.
    """

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._packed = array("Q")
        """By number, from 1; 0 where the key is not packed."""
        self._places = _empty(_FEWEST_PLACES)
        self._others: dict[str, int] = {}
        self.number(keys)

    def __len__(self) -> int:
        return len(self._packed)

    def number(self, keys: Iterable[str]) -> list[int]:
        """Return the number of each of `keys`; one that is new gets the next."""
        found = []
        count = len(self._packed)
        for key in keys:
            if _fits(key):
                packed = int(key)
                place = self._place(packed)
                number = self._places[place]
                if not number:
                    self._places[place] = number = count + 1
            else:
                packed = 0
                number = self._others.setdefault(key, count + 1)
            if number > count:
                count = number
                self._packed.append(packed)
                if 2 * count > len(self._places):
                    self._grow()
            found.append(number)
        return found

    def _place(self, packed: int) -> int:
        """Return where the number of a packed key is, or the free place where it belongs."""
        places, count = self._places, len(self._places)
        place = hash((packed,)) % count
        while (number := places[place]) and self._packed[number - 1] != packed:
            place = (place + 1) % count
        return place

    def _grow(self) -> None:
        self._places = _empty(_GROWTH * len(self._places))
        for number, packed in enumerate(self._packed, 1):
            if packed:
                self._places[self._place(packed)] = number


def _empty(places: int) -> "array[int]":
    return array("I", bytes(4 * places))
