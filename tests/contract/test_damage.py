"""What has happened to numbers on their way into a list: rows written by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watui.contract.conversion import read
from watui.contract.damage import begins_with_plus, find_doubt, with_plus


@pytest.mark.parametrize(
    ("region", "text", "doubt"),
    [
        # The + was lost: with it there is such a number, and as it stands there is none, or one that nobody has.
        ("IN", "447900123456", "lost +? +447900123456 is a number of GB"),
        ("DE", "447900123456", "lost +? +447900123456 is a number of GB"),
        ("IN", "44 (7900) 123-456", "lost +? +447900123456 is a number of GB"),
        ("US", "525512345678", "lost +? +525512345678 is a number of MX"),
        # Another country's prefix for calls abroad stands in its place.
        ("US", "00447900123456", "lost +? +447900123456 is a number of GB"),
        ("DE", "00447900123456", None),
        ("US", "011447900123456", None),
        # A zero was lost that belongs to the number, in the few countries where one does.
        ("IT", "612345678", "lost 0? +390612345678 is a number of IT"),
        ("US", "+39 612345678", "lost 0? +390612345678 is a number of IT"),
        ("CI", "707123456", "lost 0? +2250707123456 is a number of CI"),
        # The zero of calls within a country may be there or not.
        ("DE", "1723456789", None),
        ("DE", "01723456789", None),
        ("DE", "+49 (0) 172 3456789", None),
        # What stands beside the number.
        ("US", "212 555 2368 ext. 23", "extension 23 is left out: the main line is asked"),
        ("US", "212 555 2368 x23", "extension 23 is left out: the main line is asked"),
        ("US", "212 555 2368 #23", "extension 23 is left out: the main line is asked"),
        ("IN", "tel:+1-212-555-2368;ext=23", "extension 23 is left out: the main line is asked"),
        ("DE", "+49 176 1234567 call me", "letters are read as digits, as on a keypad"),
        ("US", "+1 212 555 2368p123#", "123# is dialled after a pause: give the number alone"),
        ("US", "+12125552368w12", "12 is dialled after a pause: give the number alone"),
        ("US", "+1 212 555 2368 PP77", "77 is dialled after a pause: give the number alone"),
        ("US", "+1 212 555 2368,,1*2", "1*2 is dialled after a pause: give the number alone"),
        ("US", "#31#+12125552368", "#31# is a code for the telephone network: give the number alone"),
        ("US", "*21*+12125552368#", "*21* is a code for the telephone network: give the number alone"),
        ("US", "*100#", "*100# is a code for the telephone network: give the number alone"),
        ("US", "1-800-FLOWERS", "letters are read as digits, as on a keypad"),
        ("DE", "0172 3456789 (private cell)", "letters are read as digits, as on a keypad"),
        # A letter that was typed for a digit.
        ("DE", "O151 23456789", "letter O for 0? +4915123456789 is a number of DE"),
        ("DE", "o151 23456789", "letter o for 0? +4915123456789 is a number of DE"),
        ("GB", "+44 7900 12345l", "letter l for 1? +447900123451 is a number of GB"),
        ("US", "+1 (2I2) 555-O1OO", "letter I for 1? +12125550100 is a number of US"),
        ("DE", "call O151 23456789", "letter O for 0? +4915123456789 is a number of DE"),
        ("DE", "O1 2", "letter O for 0? it is left out"),
        ("US", "I am at +1 212 555 2368", None),
        ("DE", "call me on +49 176 1234567", None),
        ("DE", "WhatsApp: 0176 1234567", None),
        ("JP", "03-1234-5678 内線12", "内線12 is an extension: give the number alone"),
        ("CN", "010-12345678分机 12", "分机 12 is an extension: give the number alone"),
        # Digits that were lost before it was text.
        ("GB", "447900000000", "ends in 8 zeros: were digits lost?"),
        ("US", "+1 212 551 0000", None),
        ("US", "+12125500000", "ends in 5 zeros: were digits lost?"),
        # Nothing is wrong with these, and nothing can be told of those.
        ("IN", "9876543210", None),
        ("DE", "＋８１ ９０ １２３４ ５６７８", None),
        ("US", "555-0123", "lacks the area code"),
        ("US", "+163155588", "too short"),
        ("US", "0172 3456789 0173 9999999", "too long"),
        ("US", "ask at the desk", "not a phone number"),
        ("US", "", "not a phone number"),
    ],
)
def test_damage_is_named(region: str, text: str, doubt: str | None) -> None:
    assert find_doubt(text, read(text, region), region) == doubt


@given(st.text() | st.text("0123456789+-() .#x,;０\u200b\u00a0exthp"), st.sampled_from(["US", "IN", "IT", "GB"]))
def test_whatever_was_doubtful_stays_so(text: str, region: str) -> None:
    reading = read(text, region)
    assert find_doubt(text, reading, region) is not None or reading.doubt is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("447900123456", "+447900123456"),
        ("tel:44 7900 123456", "tel:+44 7900 123456"),
        ("(44) 7900 123456", "(+44) 7900 123456"),
        ("00447900123456", "+447900123456"),
        ("4400", "+4400"),
        ("none", "none"),
    ],
)
def test_a_plus_stands_before_the_first_digit(text: str, expected: str) -> None:
    assert with_plus(text) == expected


@pytest.mark.parametrize(
    ("text", "begins"),
    [("+44", True), ("tel:+44", True), ("＋８１", True), ("44 +1", False), ("(0)", False), ("", False)],
)
def test_a_number_says_its_country_or_not(text: str, begins: bool) -> None:
    assert begins_with_plus(text) is begins
