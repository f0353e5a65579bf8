"""Lists of another country than the server's: what is sent is read by the server as it was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import SUPPORTED_REGIONS

from watui.contract.conversion import UnknownRegion, read
from watui.contract.list_regions import FEWEST, PLUS, check_list_region, find_list_region, international


@pytest.mark.parametrize(
    ("text", "list_region", "region", "sent"),
    [
        ("256-734-6043", "US", "IN", "+12567346043"),
        ("(631) 555-1002", "US", "IN", "+16315551002"),
        ("1-631-555-1002", "US", "IN", "+16315551002"),
        ("07900 123456", "GB", "US", "+447900123456"),
        ("0044 7900 123456", "DE", "US", "+447900123456"),
        ("06 1234 5678", "IT", "US", "+390612345678"),
        # Read as the same by the server, or not to be read: sent as it is.
        ("631 555 1002", "US", "US", None),
        ("631 555 1002", "CA", "US", None),
        ("+44 7900 123456", "US", "IN", None),
        ("＋４４ 7900 123456", "US", "IN", None),
        ("none", "US", "IN", None),
        # A + is put where it makes a number alone.
        ("447900123456", PLUS, "DE", "+447900123456"),
        ("(44) 7900 123456", PLUS, "DE", "+447900123456"),
        ("00447900123456", PLUS, "US", "+447900123456"),
        ("9876543210", PLUS, "IN", None),
        ("16315551000", PLUS, "US", None),
        ("none", PLUS, "IN", None),
    ],
)
def test_what_is_sent(text: str, list_region: str, region: str, sent: str | None) -> None:
    assert international(text, list_region, region) == sent


REGIONS = st.sampled_from(sorted(SUPPORTED_REGIONS))


@given(st.text("0123456789() -.", max_size=16), REGIONS, REGIONS)
def test_the_server_reads_what_the_list_means(text: str, list_region: str, region: str) -> None:
    meant = read(text, list_region)
    sent = international(text, list_region, region)
    if meant.doubt is None:
        assert read(sent or text, region).number == meant.number


US_NUMBERS = [f"{area}-555-{line}" for area in (256, 315, 617, 907, 205, 212, 415, 732) for line in (2368, 6043, 1199)]


@pytest.mark.parametrize(
    ("texts", "region", "expected"),
    [
        (US_NUMBERS, "IN", "US"),
        (US_NUMBERS, "US", None),
        (US_NUMBERS[: FEWEST - 1], "IN", None),
        ([], "IN", None),
        ([f"4479001234{last}" for last in range(10, 30)], "IN", PLUS),
        ([f"4479001234{last}" for last in range(10, 30)], "DE", PLUS),
        # They begin with the code that they get anyway: nothing is lost.
        ([f"1631555{last}" for last in range(1000, 1020)], "US", None),
        # Of Germany, as many other countries could have them: better none than a wrong one.
        ([f"0172 34567{last}" for last in range(10, 30)], "US", None),
        (["12345"] * 20, "US", None),
    ],
)
def test_the_country_of_a_list_is_found_or_not(texts: list[str], region: str, expected: str | None) -> None:
    assert find_list_region(texts, region) == expected


def test_a_list_is_of_a_region_or_lacks_its_plus() -> None:
    assert (check_list_region(" + "), check_list_region("us")) == (PLUS, "US")
    with pytest.raises(UnknownRegion):
        check_list_region("++")
