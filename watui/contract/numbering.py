"""Reads what is plainly a number, many in a second, by the patterns in `phonenumbers`' own metadata.

These are the steps of that library, for spellings that consist of digits, separators and at most one `+`. For whatever
else there is no answer here, and the library has to be asked. It loads the metadata of every region that is met.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache, cached_property
from itertools import groupby
from typing import Self

from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberDesc,
    is_possible_number_with_reason,
)

_SEPARATORS = dict.fromkeys(map(ord, " -.()/[]\u00a0\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u200b\u2060"))
"""Characters that say nothing, wherever they stand; `translate` takes them out."""

_LONGEST_TEXT = 100
_FEWEST_DIGITS = 5
"""Of what is read here; less may be a number of another kind."""

_NATIONAL_DIGITS = range(2, 18)
"""How many digits a number may have without its country code. Those that it does have depend on the country."""

WORLD = "001"
"""The region of numbers of no country, such as freephone."""

_CODE_DIGITS = 3
"""At most, of a country code."""

_TELLING_DIGITS = 4
"""First digits of a number, after its country code: they nearly always tell whose it is, and whether it can be."""

OFTEN = 10_000
"""Numbers of a country code after which it pays to find out what first digits tell: patterns are slow to make."""

_ANY = "x"
"""Stands for a digit that is not known."""

_PATTERN_PARTS = re.compile(r"\{[^}]*\}|\[([^\]]*)\]|(\\d)|(\d)")
"""What a pattern of the metadata is made of: how often, one of some digits, any digit, one digit."""

_NOTHING, _ANYTHING = "(?!)", ".*"
"""What nothing matches, and what everything does."""

_SAYS_WHAT_NOT = "(?!"
"""Begins what must not follow: to widen or narrow that would do the opposite to the whole."""

_KINDS = (
    *("mobile", "fixed_line", "toll_free", "voip", "premium_rate", "shared_cost"),
    *("personal_number", "pager", "uan", "voicemail"),
)
"""What a valid number may be, as the metadata calls it, the most frequent first."""

Owner = tuple[str | None, bool]
"""The region that a number belongs to, None for none, and whether there can be such a number in it."""

_Reading = Callable[[str], str]
"""How a pattern is read: returns the one that is matched instead of it."""


def _exactly(pattern: str) -> str:
    return pattern


def surely(pattern: str) -> str:
    """Let an unknown digit fit where every digit does."""
    if _SAYS_WHAT_NOT in pattern:
        return _NOTHING
    return _PATTERN_PARTS.sub(lambda part: rf"[\d{_ANY}]" if part[2] else part[0], pattern)


def perhaps(pattern: str) -> str:
    """Let an unknown digit fit where some digit does."""
    if _SAYS_WHAT_NOT in pattern and pattern != _NOTHING:
        return _ANYTHING

    def widened(part: re.Match[str]) -> str:
        digits = part[1] or part[2] or part[3]
        return f"[{digits}{_ANY}]" if digits else part[0]

    return _PATTERN_PARTS.sub(widened, pattern)


def find(text: str, region: str) -> tuple[Code, str] | None:
    """Return what a server of `region` reads in `text`: a country code and the digits that follow it.

    None where the library has to be asked.
    """
    plain = text if text[1:].isdigit() else text.translate(_SEPARATORS)
    digits = plain.removeprefix("+")
    if not digits.isdigit() or not digits.isascii() or len(digits) < _FEWEST_DIGITS or len(text) > _LONGEST_TEXT:
        return None
    return _plan(region).find(digits) if len(digits) == len(plain) else _find_abroad(digits)


def _find_abroad(digits: str) -> tuple[Code, str] | None:
    """Return what a number with these digits is, which begin with a country code."""
    code = _code_of(digits[:_CODE_DIGITS])
    return code.find(digits[len(code.digits) :]) if code is not None else None


def find_alike(beginning: str, count: int) -> tuple[Code, Owner, int] | None:
    """Return what is true of every text that is `+` and digits, begins with `beginning` and has `count` characters.

    That is its country code, whose number it is, and how many digits follow that code: it is the number as it stands.
    None where that depends on the rest.
    """
    is_long_enough = min(len(beginning), count) > _FEWEST_DIGITS
    code = _code_of(beginning[1 : _CODE_DIGITS + 1]) if is_long_enough else None
    if code is None:
        return None
    first = beginning[len(code.digits) + 1 :]
    national_digits = count - len(beginning) + len(first)
    owner = code.owner_abroad(first, national_digits)
    return (code, owner, national_digits) if owner is not None else None


@cache
def _code_of(digits: str) -> Code | None:
    """Return the country code that a number begins with; there is none that another one begins with."""
    if not digits.startswith("0"):
        for count in range(1, len(digits) + 1):
            if int(digits[:count]) in COUNTRY_CODE_TO_REGION_CODE:
                return code_at(int(digits[:count]))
    return None


@cache
def code_at(number: int) -> Code:
    """Return the country code `number`, one that there is."""
    return Code(number)


@cache
def _plan(region: str) -> _Plan:
    return _Plan(PhoneMetadata.metadata_for_region(region))


class Code:
    """A country code, with the numbering plans of its regions."""

    def __init__(self, number: int) -> None:
        self.digits = str(number)
        regions = COUNTRY_CODE_TO_REGION_CODE[number]
        self.main_region = regions[0]
        if self.main_region == WORLD:
            self._main_plan = _Plan(PhoneMetadata.metadata_for_nongeo_region(number))
        else:
            self._main_plan = _plan(self.main_region)
        self._regions = tuple(regions)
        self._groups = cache(self._groups_as_read)
        self._looked = 0
        self._owners: dict[tuple[str, int], Owner | None] = {}
        """Whose the numbers are that begin with some digits and have so many; None where these do not tell."""
        self._begins_with_prefix = self._main_plan.begins_with_prefix
        self.length_verdicts: dict[int, int] = {
            count: is_possible_number_with_reason(PhoneNumber(number, 10 ** (count - 1))) for count in _NATIONAL_DIGITS
        }
        """What the library says of how many digits a number has after this code: a `ValidationResult`."""

    def find(self, national: str) -> tuple[Code, str] | None:
        """Return this code with `national` as it is dialled from abroad; None where that is no number at all."""
        if self._begins_with_prefix(national):
            national = self._main_plan.without_prefix(national)
        return (self, national) if len(national) in self.length_verdicts else None

    def owner(self, national: str) -> Owner:
        """Return whose number this is."""
        beginning = national[:_TELLING_DIGITS], len(national)
        if (known := self._owners.get(beginning)) is not None:
            return known
        self._looked += 1
        if self.is_frequent and beginning not in self._owners:
            self._owners[beginning] = self._owner_by(*beginning)
        return self._look(national, _exactly)

    @property
    def is_frequent(self) -> bool:
        """Whether so many of its numbers have been met that there will be more."""
        return self._looked > OFTEN

    def owner_abroad(self, first: str, count: int) -> Owner | None:
        """Return whose all numbers of `count` digits are that begin with `first`, and that are dialled as they are.

        None if that depends on their other digits.
        """
        may_change = self._main_plan.may_begin_with_prefix(first.ljust(count, _ANY))
        return None if may_change or count not in self.length_verdicts else self._owner_by(first, count)

    def _owner_by(self, first: str, count: int) -> Owner | None:
        """Return what is true of all numbers of `count` digits that begin with `first`, None if that depends.

        It is true where all that surely fits leads to the same answer as all that may fit.
        """
        known = first.ljust(count, _ANY)
        found = self._look(known, surely)
        return found if found == self._look(known, perhaps) else None

    def _look(self, national: str, reading: _Reading) -> Owner:
        for leading, regions in self._groups(reading):
            if leading is None:
                for region, plan in regions:
                    if plan.has(national, reading):
                        return region, True
            elif match := leading.match(national):
                region, plan = regions[(match.lastindex or 1) - 1]
                return region, plan.has(national, reading)
        return None, False

    def _groups_as_read(self, reading: _Reading) -> list[tuple[re.Pattern[str] | None, list[tuple[str, _Plan]]]]:
        """The regions in the order in which they are asked, those together that the first digits tell apart.

        Their pattern has a group for each of them. The others, without a pattern, have to be asked for each number.
        """
        if len(self._regions) == 1:
            return [(_compiled("()", reading), [(self.main_region, self._main_plan)])]
        found = []
        plans = [(region, _plan(region)) for region in self._regions]
        for is_led, group in groupby(plans, key=lambda each: each[1].leading is not None):
            regions = list(group)
            leading = "|".join(f"({plan.leading})" for _, plan in regions)
            found.append((_compiled(leading, reading) if is_led else None, regions))
        return found


class _Plan:
    """The numbering plan of a region."""

    def __init__(self, metadata: PhoneMetadata | None) -> None:
        assert metadata is not None, "the region is known"
        general = metadata.general_desc
        assert general is not None, "every region has it"
        self.leading: str | None = metadata.leading_digits
        """A pattern of the first digits of its numbers, where those tell it from other regions of its country code."""
        self._code_digits = str(metadata.country_code)
        self._general = _Kind.of(general)
        self._longest = max(self._general.lengths)
        self._local_lengths = frozenset(general.possible_length_local_only)
        self._prefix = _compiled(metadata.national_prefix_for_parsing)
        self.begins_with_prefix = self._prefix.match
        self.may_begin_with_prefix = _compiled(metadata.national_prefix_for_parsing, perhaps).match
        self._rewriting: str | None = metadata.national_prefix_transform_rule
        self._abroad = _compiled(metadata.international_prefix)
        kinds = [name for name in _KINDS if name != "mobile" or not metadata.same_mobile_and_fixed_line_pattern]
        self._kinds = [_Kind.of(desc) for name in kinds if (desc := getattr(metadata, name)) is not None]
        self._valid = cache(self._valid_as_read)

    def find(self, digits: str) -> tuple[Code, str] | None:
        """Return what a number is that is dialled in this region."""
        abroad = self._abroad.match(digits)
        if abroad is not None and not digits.startswith("0", abroad.end()):
            rest = digits[abroad.end() :]
            return _find_abroad(rest) if len(rest) >= _FEWEST_DIGITS else None
        if digits.startswith(self._code_digits):
            rest = self._stripped(digits[len(self._code_digits) :])
            is_better = not self._general.fullmatch(digits) and self._general.fullmatch(rest)
            if is_better or self._is_too_long(digits):
                return self._code.find(rest)
        national = self.without_prefix(digits)
        return (self._code, national) if len(national) in _NATIONAL_DIGITS else None

    def without_prefix(self, digits: str) -> str:
        """Return `digits` without what is dialled in front of them within the country, if that leaves a number."""
        national = self._stripped(digits)
        if national is digits or len(national) in self._local_lengths:
            return digits
        return national if len(national) in self._general.lengths or self._is_too_long(national) else digits

    def has(self, national: str, reading: _Reading) -> bool:
        """Whether there can be such a number in the region."""
        return self._valid(len(national), reading).fullmatch(national) is not None

    def _valid_as_read(self, count: int, reading: _Reading) -> re.Pattern[str]:
        """Return what matches the numbers of `count` digits that there can be: one pattern for all of their kinds."""
        is_known = self._general.may_have(count)
        kinds = [f"(?:{kind.pattern})" for kind in self._kinds if is_known and kind.pattern and kind.may_have(count)]
        return _compiled(f"(?=(?:{self._general.pattern})$)(?:{'|'.join(kinds)})" if kinds else None, reading)

    @cached_property
    def _code(self) -> Code:
        return code_at(int(self._code_digits))

    def _is_too_long(self, digits: str) -> bool:
        return len(digits) > self._longest and len(digits) not in self._local_lengths

    def _stripped(self, digits: str) -> str:
        """Return `digits` without a prefix for calls within the country, rewritten where the region wants that."""
        match = self._prefix.match(digits)
        if match is None or match.end() == 0:
            return digits
        if self._rewriting and match.groups()[-1] is not None:
            rest = self._prefix.sub(self._rewriting, digits, count=1)
        else:
            rest = digits[match.end() :]
        is_worse = self._general.fullmatch(digits) and not self._general.fullmatch(rest)
        return digits if is_worse else rest


class _Kind:
    """Numbers of one kind in a region. Their pattern is compiled when it is first needed: most never are."""

    def __init__(self, pattern: str | None, lengths: Iterable[int]) -> None:
        self.lengths = frozenset(lengths)
        """How many digits they have; empty where only the pattern says that."""
        self.pattern = pattern

    @classmethod
    def of(cls, desc: PhoneNumberDesc) -> Self:
        return cls(desc.national_number_pattern, desc.possible_length)

    def may_have(self, count: int) -> bool:
        """Whether a number of so many digits may be of this kind."""
        return not self.lengths or count in self.lengths

    @cached_property
    def fullmatch(self) -> Callable[[str], re.Match[str] | None]:
        """Matches the numbers of this kind, but perhaps for their length."""
        return _compiled(self.pattern).fullmatch


@cache
def _compiled(pattern: str | None, reading: _Reading = _exactly) -> re.Pattern[str]:
    """Return a pattern of the metadata; what is not there fits nothing."""
    return re.compile(reading(pattern or _NOTHING))
