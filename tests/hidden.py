"""What may be seen of a number that is hidden."""

import re
from collections.abc import Iterable

SHOWN = 3
"""The last digits of a number that are never hidden."""

TIMES_BESIDE = 6
"""Digits of a number that may stand in a row where times and ports are beside it, which may have some of them."""


def assert_hidden(texts: Iterable[str], numbers: Iterable[str], most: int = SHOWN) -> None:
    """No text holds more than `most` digits of any number in a row, whatever else stands between them."""
    texts = list(texts)
    assert texts
    for text in texts:
        digits = re.sub(r"[^\d•＊]", "", text)
        for number in numbers:
            own = re.sub(r"\D", "", number)
            assert len(own) > most, number
            shown = [own[place : place + most + 1] for place in range(len(own) - most)]
            assert not any(each in digits for each in shown), text
