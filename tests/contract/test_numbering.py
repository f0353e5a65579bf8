"""What is read quickly is read as the library alone reads it: number, region, doubt and possible."""

import random
import re
from collections.abc import Iterator

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumberDesc, PhoneNumberFormat, ValidationResult

from tests.conftest import examples
from tests.numbers import mixed_numbers
from watui.contract import numbering
from watui.contract.conversion import Reading, checkable, read

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
SHARED = sorted(
    region for regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.values() if len(regions) > 1 for region in regions
)
"""Regions that share their country code."""


@pytest.fixture(scope="module", autouse=True)
def _beginnings_are_looked_up_at_once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbering, "OFTEN", 0)
        yield


PARSE_DOUBTS = {
    NumberParseException.INVALID_COUNTRY_CODE: "no such country code",
    NumberParseException.NOT_A_NUMBER: "not a phone number",
    NumberParseException.TOO_SHORT_AFTER_IDD: "too short",
    NumberParseException.TOO_SHORT_NSN: "too short",
    NumberParseException.TOO_LONG: "too long",
}
LENGTH_DOUBTS = {
    ValidationResult.TOO_SHORT: "too short",
    ValidationResult.TOO_LONG: "too long",
    ValidationResult.INVALID_LENGTH: "wrong length",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "lacks the area code",
}


def read_by_library(text: str, region: str) -> Reading:
    """Return what the library alone says."""
    try:
        parsed = phonenumbers.parse(text, region)
    except NumberParseException as error:
        return Reading(None, None, PARSE_DOUBTS[error.error_type], False)
    number = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    own_region = phonenumbers.region_code_for_number(parsed)
    main_region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    result = phonenumbers.is_possible_number_with_reason(parsed)
    if result != ValidationResult.IS_POSSIBLE:
        return Reading(number, own_region or main_region, LENGTH_DOUBTS[result], False)
    is_valid = own_region is not None and phonenumbers.is_valid_number_for_region(parsed, own_region)
    return Reading(number, own_region or main_region, None if is_valid else f"no such number in {main_region}", True)


def assert_same(text: str, region: str) -> None:
    expected = read_by_library(text, region)
    assert read(text, region) == expected, (text, region)
    assert checkable(text, region) == (expected.number if expected.possible else None), (text, region)


def plan_of(region: str) -> PhoneMetadata:
    metadata = PhoneMetadata.metadata_for_region(region)
    assert metadata is not None
    return metadata


def plans() -> Iterator[tuple[int, str, PhoneMetadata]]:
    """Yield the country code and a region for the metadata of all regions, and of the country codes of none."""
    for region in REGIONS:
        yield phonenumbers.country_code_for_region(region), region, plan_of(region)
    for code in sorted(phonenumbers.COUNTRY_CODES_FOR_NON_GEO_REGIONS):
        metadata = PhoneMetadata.metadata_for_nongeo_region(code)
        assert metadata is not None
        yield code, "US", metadata


def spellings(code: int, national: str) -> Iterator[str]:
    """Yield how people write a number, at home and abroad, also with a digit too few or too many."""
    yield from (f"+{code}{national}", f"00{code}{national}", f"011{code}{national}", f"{code}{national}")
    yield from (national, f"0{national}", f"1{national}", f"8{national}", f"0 15 {national}", f"+{code} (0){national}")
    yield from (national[:-1], national[3:], f"{national}7", f"+{code}{national[:-1]}", f"+{code}{national}77")


def test_every_example_of_the_metadata_in_many_spellings() -> None:
    for code, home, metadata in plans():
        descs = [value for value in vars(metadata).values() if isinstance(value, PhoneNumberDesc)]
        for national in sorted({desc.example_number for desc in descs if desc.example_number}):
            for text in spellings(code, national):
                assert_same(text, home)


def test_many_numbers_of_many_countries() -> None:
    for text, region in mixed_numbers(3_000, seed=2):
        assert_same(text, region)


@pytest.mark.long
def test_a_hundred_thousand_numbers() -> None:
    for text, region in mixed_numbers(100_000, seed=1):
        assert_same(text, region)


def numbers_of(region: str) -> st.SearchStrategy[str]:
    """Return what has to do with a region: its country code and prefixes before digits, in many spellings."""
    metadata = plan_of(region)
    code = str(metadata.country_code)
    prefixes = [
        "",
        "+",
        f"+{code}",
        code,
        "0",
        "00",
        "1",
        "8",
        f"00{code}",
        "011",
        f"+{code}0",
        metadata.leading_digits,
    ]
    dialable = st.text("0123456789", max_size=18) | st.text("0123456789 -.()/[]+*#x,\u00a0\u200b\u2011０", max_size=24)
    known = [re.sub(r"\D", "", prefix or "") if prefix and "|" in prefix else prefix or "" for prefix in prefixes]
    return st.builds(str.__add__, st.sampled_from(known), dialable)


@settings(max_examples=examples(10))
@given(st.sampled_from(REGIONS + SHARED).flatmap(lambda region: st.tuples(numbers_of(region), st.just(region))))
@example(("+39 0", "IT"))
@example(("+39 000 000", "IT"))
@example(("011 15 2345 6789", "AR"))
@example(("0 21 11 98765 4321", "BR"))
@example(("+7 3362 212345", "KZ"))
@example(("1" * 300, "US"))
@example((" " * 300 + "+12125550100", "US"))
@example(("+ 1 212 555 0100", "US"))
@example(("(+44) 20 7946 0900", "GB"))
def test_any_dialable_text_in_any_region(case: tuple[str, str]) -> None:
    assert_same(*case)


@pytest.mark.parametrize("text", ["+12125550100", "(212) 555-0100", "+44 20 7946 0900", "011 44 20 7946 0900"])
def test_common_spellings_do_not_need_the_library(text: str) -> None:
    assert numbering.find(text, "US") is not None


def test_numbers_that_begin_alike() -> None:
    """What is known of one of them must be true of the others."""
    chance = random.Random(4)
    for code, home, metadata in plans():
        descs = [value for value in vars(metadata).values() if isinstance(value, PhoneNumberDesc)]
        for national in sorted({desc.example_number[:6] for desc in descs if desc.example_number}):
            kept = chance.randint(1, len(national))
            for _ in range(4):
                rest = "".join(chance.choices("0123456789", k=chance.randint(0, 12)))
                assert_same(f"+{code}{national[:kept]}{rest}", home)


@given(
    st.lists(
        st.sampled_from([r"\d", "[2-5]", "[08]", "7", r"\d{2}", "(?:1|[6-9])", r"(?:3\d)?"]), min_size=1, max_size=6
    ),
    st.text("0123456789", min_size=1, max_size=8),
    st.integers(0, 7),
)
def test_what_surely_or_perhaps_fits(parts: list[str], digits: str, known: int) -> None:
    pattern, unknown = "".join(parts), digits[:known] + "x" * len(digits[known:])
    fits = re.fullmatch(pattern, digits) is not None
    assert fits or not re.fullmatch(numbering.surely(pattern), unknown)
    assert not fits or re.fullmatch(numbering.perhaps(pattern), unknown)


def test_nothing_surely_fits_a_pattern_that_says_what_must_not_follow() -> None:
    pattern = r"12(?!3)\d{2}"
    assert re.fullmatch(numbering.surely(pattern), "1245") is None
    assert re.fullmatch(numbering.perhaps(pattern), "1xxx")


def test_the_beginnings_of_most_numbers_tell_all_but_the_number() -> None:
    texts = [text for text, _ in mixed_numbers(3_000, seed=5) if re.fullmatch(r"\+[0-9]{6,}", text)]
    told = sum(numbering.find_alike(text[:6], len(text)) is not None for text in texts)
    assert told > 0.7 * len(texts)


def test_random_digits_in_every_region() -> None:
    chance = random.Random(3)
    for region in REGIONS:
        code = phonenumbers.country_code_for_region(region)
        for _ in range(15):
            digits = "".join(chance.choices("0123456789", k=chance.randint(3, 15)))
            assert_same(chance.choice(["", "0", "+", f"+{code}", f"{code}"]) + digits, region)
