"""Finds the numbers in a text that is no list: a letter, a chat, notes."""

import re
from collections.abc import Iterable, Iterator

from watui.intake.lines import Line, Record, count_digits
from watui.intake.problems import OTHERWISE

_BETWEEN = r"(?:[ \u00a0().\u2010-\u2015\u2212-]{0,3}| ?/ ?)"
_NUMBER = re.compile(
    rf"(?<![\w.,#/-])(?:tel:)?[+＋]?\(?\d(?:{_BETWEEN}\d){{6,}}(?:;ext=\d+| ?(?:ext\.?|x) ?\d{{1,7}}\b)?(?!\w)",
    re.IGNORECASE,
)
_OTHERWISE = re.compile(
    r"(?<![\d.+-])(?:\d{4}-\d\d-\d\d|\d{1,2}([./-])\d{1,2}\1\d{2,4}|\d{1,3}(?:\.\d{1,3}){3})(?![-.]?\d)"
)
"""Dates, and addresses of machines."""

_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_REMAINDER_OF_AN_IBAN = 1
"""What its check digits leave of it, divided by 97."""

_YEAR = r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_BEGINS_LIKE_A_DATE = re.compile(rf"{_YEAR}[-/]\d{{1,6}}")
_CALLED_OTHERWISE = re.compile(
    r"(?<![^\W\d_])(?:"
    r"(?:invoice|order|ticket|iban|rechnung|bestellung|auftrag|facture|commande|factura|pedido|fattura|ordine|fatura)"
    r"[^\W\d_]*[\s.:#-]*(?:(?:no|nr|num|id|number)\b|n[°º])?"
    r"|(?:customer|account|reference|kunden|konto)[\s-]*(?:no|nr|num|id|number|nummer)\b"
    r"|(?-i:[A-Z]{2}\d\d))[\s.:#-]*$",
    re.IGNORECASE,
)
"""What stands right before a number that is of something else, or inside of an account's."""

_LONGEST_NAME = 40
"""Characters before a number that are looked at for that."""

_SAYS_THAT_IT_IS_ONE = ("+", "＋", "(", "tel:")
"""How only telephone numbers begin."""

_FEWEST_BY_ITSELF = 7
"""Digits on each side of a bar that parts two numbers; less belong together: `030 / 23125-000`."""

_BARE_DIGITS = re.compile(r"[1-9]\d{0,8}")
"""As well an order, an invoice or a customer: what is a telephone number is longer, or written as one."""

_WORD = re.compile(r"(?<!\S)[^\W\d_]{2,}[,.;:!?]?(?!\S)")
_FEWEST_WORDS = 3
"""Of a line that is no row of a list."""


def find_numbers(text: str) -> list[str]:
    """Return what is meant as telephone numbers in a line of prose, as it is written."""
    return [record.cells[0] for record in _found(Line(0, text, is_cut=False)) if record.problem is None]


def _found(line: Line) -> Iterator[Record]:
    """Yield what is written like a number in a line of prose; what may be something else with that as its problem."""
    text = _OTHERWISE.sub("\n", _IBAN.sub(_without_iban, line.text))
    for found in _NUMBER.finditer(text):
        if _BARE_DIGITS.fullmatch(found[0]):
            continue
        is_called_otherwise = _CALLED_OTHERWISE.search(text, max(0, found.start() - _LONGEST_NAME), found.start())
        is_otherwise = is_called_otherwise and not found[0].lower().startswith(_SAYS_THAT_IT_IS_ONE)
        problem = OTHERWISE if is_otherwise or _BEGINS_LIKE_A_DATE.fullmatch(found[0]) else None
        for number in _parted(found[0]):
            yield Record(line.number, [number], problem)


def _without_iban(found: re.Match[str]) -> str:
    """Return what stands behind an IBAN whose check digits are right; all of it where there is none."""
    parts = found[0].split(" ")
    for count in range(len(parts), 0, -1):
        code = "".join(parts[:count])
        value = int("".join(str(int(character, 36)) for character in code[4:] + code[:4]))
        if value % 97 == _REMAINDER_OF_AN_IBAN:
            return " ".join(["\n", *parts[count:]])
    return found[0]


def _parted(text: str) -> list[str]:
    """Return the numbers on both sides of a bar, where each can be one by itself."""
    parts = [part.strip() for part in text.split("/")]
    return parts if all(count_digits(part) >= _FEWEST_BY_ITSELF for part in parts) else [text]


def sentences(lines: Iterable[Line]) -> int:
    """Return how many of `lines` are words with a number among them."""
    return sum(len(_WORD.findall(line.text)) >= _FEWEST_WORDS and bool(find_numbers(line.text)) for line in lines)


def prose_records(lines: Iterable[Line]) -> Iterator[Record]:
    """Yield each number of the lines; for a line that holds none, a record without one, or a blank one."""
    for line in lines:
        found = [] if line.is_cut else list(_found(line))
        yield from found
        if not found:
            cells = [line.text if line.is_cut else ""]
            yield Record(line.number, cells, line.problem, is_prose=bool(line.text.strip()) and not line.is_cut)
