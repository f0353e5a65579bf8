"""How a server reads numbers: rows written by hand from the contract, section 1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watui.contract.conversion import Reading, UnknownRegion, check_region, read


@pytest.mark.parametrize(
    ("region", "text", "number"),
    [
        # The documented table: a server registered in India.
        ("IN", "+1-631-555-1002", "+16315551002"),
        ("IN", "6315551002", "+916315551002"),
        ("IN", "1-631-555-1002", "+9116315551002"),
        ("IN", "+1 (516) 283-7151", "+15162837151"),
        ("IN", "+54 9 11 5612-1008", "+5491156121008"),
        # The documented request: a server registered in +1.
        ("US", "16315551000", "+16315551000"),
        ("US", "+1 631 555 1001", "+16315551001"),
        ("US", "6315551002", "+16315551002"),
        ("US", "+163155588", "+163155588"),
        # The server's own country makes one input two different people.
        ("US", "2125550100", "+12125550100"),
        ("IN", "2125550100", "+912125550100"),
        # The prefix for calls abroad is the region's own.
        ("GB", "0044 20 7946 0900", "+442079460900"),
        ("US", "011 44 20 7946 0900", "+442079460900"),
        # Spellings that people paste.
        ("US", "tel:+1-212-555-0100", "+12125550100"),
        ("US", "+1 212 555 0100 ext. 5", "+12125550100"),
        ("US", "+1\u00a0212\u00a0555\u00a00100", "+12125550100"),
        ("US", "+1 212\u200b555\u200b0100", "+12125550100"),
        ("US", "+1 (212) 555\u20110100", "+12125550100"),
        ("IN", "＋８１ ９０ １２３４ ５６７８", "+819012345678"),
        ("MX", "55 1234 5678", "+525512345678"),
        ("US", "+52 55 1234 5678", "+525512345678"),
    ],
)
def test_golden_rows(region: str, text: str, number: str) -> None:
    assert read(text, region).number == number


@pytest.mark.parametrize(
    ("region", "text", "expected"),
    [
        ("IN", "+54 9 11 5612-1008", Reading("+5491156121008", "AR", None, True)),
        ("US", "+52 55 5555 0010", Reading("+525555550010", "MX", None, True)),
        # Mobile numbers of Mexico lost their 1: the old spelling, which a wa_id keeps, is no number any more.
        ("US", "+52 1 55 1234 5678", Reading("+5215512345678", "MX", "too long", False)),
        ("US", "+999 123 456 789", Reading(None, None, "no such country code", False)),
        ("US", "+163155588", Reading("+163155588", "US", "too short", False)),
        ("IN", "1-631-555-1002", Reading("+9116315551002", "IN", "no such number in IN", True)),
        ("US", "555-0123", Reading("+15550123", "US", "lacks the area code", False)),
        ("US", "+1 000 000 0000", Reading("+10000000000", "US", "no such number in US", True)),
        ("US", "ask at the desk", Reading(None, None, "not a phone number", False)),
        ("US", "", Reading(None, None, "not a phone number", False)),
        ("US", "+", Reading(None, None, "not a phone number", False)),
        ("US", "1" * 300, Reading(None, None, "too long", False)),
        # A number of no country, for freephone.
        ("US", "+800 1234 5678", Reading("+80012345678", "001", None, True)),
    ],
)
def test_a_reading_says_whose_number_it_is_and_why_it_is_doubtful(region: str, text: str, expected: Reading) -> None:
    assert read(text, region) == expected


@given(st.text() | st.text("0123456789+-() .#x,;０\u200b\u00a0"), st.sampled_from(["US", "IN", "MX", "GB", "BR"]))
def test_any_text_has_a_reading(text: str, region: str) -> None:
    reading = read(text, region)
    if reading.number is None:
        assert not reading.possible
        assert reading.region is None
    else:
        assert reading.number[0] == "+"
        assert reading.number[1:].isdecimal()
        # An E.164 number says its country itself, so any server reads it as the same one.
        assert read(reading.number, "IN").number == read(reading.number, "US").number
    assert reading.possible or reading.doubt


@pytest.mark.parametrize(("given_region", "region"), [("IN", "IN"), (" in\n", "IN"), ("gb", "GB")])
def test_a_region_is_two_letters_in_any_case(given_region: str, region: str) -> None:
    assert check_region(given_region) == region


@pytest.mark.parametrize(
    ("region", "hint"), [("UK", "GB"), ("uk", "GB"), ("", "US, IN or BR"), ("XX", "US, IN or BR"), ("001", "US, IN")]
)
def test_an_unknown_region_is_refused_with_a_hint(region: str, hint: str) -> None:
    with pytest.raises(UnknownRegion, match=hint) as caught:
        check_region(region)
    assert repr(region) in str(caught.value)
