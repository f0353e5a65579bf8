"""Names what may have happened to a number on its way into a list: what was lost, and what nobody meant as digits."""

from __future__ import annotations

import re
from unicodedata import category

from watui.contract.conversion import Reading, read

_UNUSUALLY_LONG = 15
"""Characters in E.164 that hardly any real number has, whatever a plan of variable length lets through."""

_WHERE_IT_BEGINS = re.compile(r"[+＋\d]")
"""Whatever stands before the first of these is left out by whoever reads a number."""

_HIDDEN = "Cf"
"""Unicode's category of what takes no room, such as a mark for the direction of writing."""

_HAS_ADDITION = re.compile("[A-Za-z#;*内內分내]|,,")
_LETTER = re.compile("[A-Za-z]")
_PAUSE = re.compile(r"\d\s*(?:[pw]|,,)[\s,;pw]*(\d[\d#*]*)\s*$", re.IGNORECASE)
"""The end of a number, and what a telephone is to dial after a pause."""

_SERVICE_CODE = re.compile(r"\s*([*#]+\d+[*#]+)")
"""What asks something of the telephone network, alone or before a number."""

_EXTENSION = re.compile(r"(?:内線|內線|分机|分機|내선)[\s:：]*\d+\s*$")
"""An extension as it is written where `phonenumbers` does not know it."""

_MISTYPED = re.compile(r"(?=.*\d)[+＋(]*[\d().\-/]*([OolI])[\dOolI().\-/]*[,.;:]?")
"""A part of a number with a letter in it that looks like a digit."""

_LOOKALIKES = str.maketrans("OolI", "0011")

MANY_ZEROS = "00000"
"""What hardly any number ends in, and what is left of one that was rounded does."""

_LETTERS_OF_A_KEYPAD = 3
"""So many letters are read as the digits of their keys; fewer are left out."""


def find_doubt(text: str, reading: Reading, region: str) -> str | None:
    """Return why the number that a server of `region` reads in `text` may not be what was meant; None where it is.

    The first words tell, for there may be no room for more.
    """
    number = reading.number
    if number is None and any(category(character) == _HIDDEN for character in text):
        return "hidden characters stand between the digits"
    if _HAS_ADDITION.search(text) and (addition := _addition(text, region)):
        return addition
    if number is None:
        return reading.doubt
    is_odd = reading.doubt is not None or len(number) >= _UNUSUALLY_LONG
    if is_odd and (loss := _loss(text, number, region, reading.doubt)):
        return loss
    if reading.doubt is None and number.endswith(MANY_ZEROS):
        return f"ends in {len(number) - len(number.rstrip('0'))} zeros: were digits lost?"
    return reading.doubt


def with_plus(text: str) -> str:
    """Return `text` with a `+` before its first digit; `00` in that place stands for it."""
    return re.sub(r"00(?=[1-9])|(?=\d)", "+", text, count=1)


def begins_with_plus(text: str) -> bool:
    """Whether a number says its country itself."""
    begins = _WHERE_IT_BEGINS.search(text)
    return begins is not None and begins[0] in "+＋"


def _addition(text: str, region: str) -> str | None:
    """Return what stands there beside the number: what is dialled before or after it, an extension, or letters."""
    import phonenumbers

    if code := _SERVICE_CODE.match(text):
        return f"{code[1]} is a code for the telephone network: give the number alone"
    if pause := _PAUSE.search(text):
        return f"{pause[1]} is dialled after a pause: give the number alone"
    if extension := _EXTENSION.search(text):
        return f"{extension[0].strip()} is an extension: give the number alone"
    if mistyped := _mistyped(text, region):
        return mistyped
    try:
        known = phonenumbers.parse(text, region).extension
    except phonenumbers.NumberParseException:
        known = None
    if known:
        return f"extension {known} is left out: the main line is asked"
    begins = _WHERE_IT_BEGINS.search(text)
    if begins is not None and len(_LETTER.findall(text, begins.start())) >= _LETTERS_OF_A_KEYPAD:
        return "letters are read as digits, as on a keypad"
    return None


def _mistyped(text: str, region: str) -> str | None:
    """Return what a number may have been in which a letter stands for a digit."""
    parts = text.split()
    letters = [found[1] for found in map(_MISTYPED.fullmatch, parts) if found]
    if not letters:
        return None
    meant = read(" ".join(part.translate(_LOOKALIKES) if _MISTYPED.fullmatch(part) else part for part in parts), region)
    what = f"{meant.number} is a number of {meant.region}" if meant.doubt is None else "it is left out"
    return f"letter {letters[0]} for {letters[0].translate(_LOOKALIKES)}? {what}"


def _loss(text: str, number: str, region: str, doubt: str | None) -> str | None:
    """Return what may have been lost of what is read as `number`: a `+` or a zero, if there is a number with it."""
    if not begins_with_plus(text):
        meant = read(with_plus(text), region)
        if meant.doubt is None and meant.number is not None:
            return f"lost +? {meant.number} is a number of {meant.region}"
    if doubt is None:
        return None
    from watui.contract.numbering import find

    if (found := find(number, region)) is None:
        return None
    code, national = found
    meant = read(f"+{code.digits}0{national}", region)
    if meant.doubt is None and meant.number != number and meant.number is not None:
        return f"lost 0? {meant.number} is a number of {meant.region}"
    return None
