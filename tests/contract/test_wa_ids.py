"""Which wa_id a number gets, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watui.contract.wa_ids import bare, find_wa_id, number_of, numbers_of, wa_id_of


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+16315551000", "16315551000"),
        ("+919999900010", "919999900010"),
        ("+525512345678", "5215512345678"),
        ("+5215512345678", "5215512345678"),  # has the 1 already
        ("+5531912345678", "553112345678"),
        ("+5599912345678", "559912345678"),
        ("+5530912345678", "5530912345678"),  # the last area code that keeps its nine
        ("+5511912345678", "5511912345678"),
        ("+553132345678", "553132345678"),  # a landline has no ninth digit to lose
        ("+5531812345678", "5531812345678"),  # eleven digits, but the third is no nine
    ],
)
def test_wa_id_is_the_digits_but_for_mexico_and_parts_of_brazil(number: str, expected: str) -> None:
    assert wa_id_of(number) == expected


@given(st.sampled_from(["+52", "+55", "+1", "+49", "+54"]), st.from_regex("[0-9]{7,12}", fullmatch=True))
def test_a_number_is_among_those_of_its_wa_id(country: str, national: str) -> None:
    assert country + national in numbers_of(wa_id_of(country + national))


@pytest.mark.parametrize(
    ("number", "listed", "known", "found"),
    [
        ("+16315551000", {"16315551000"}, None, "16315551000"),
        ("+525512345678", {"5215512345678"}, None, "5215512345678"),
        ("+525512345678", {"525512345678"}, None, "525512345678"),
        ("+5531912345678", {"553112345678"}, None, "553112345678"),
        ("+16315551000", {"999", "16315551000"}, "999", "999"),
        ("+16315551000", {"16315551001"}, None, None),
        ("+16315551000", {"16315551001"}, "16315551000", None),
    ],
)
def test_a_number_is_found_in_a_blocklist(number: str, listed: set[str], known: str | None, found: str | None) -> None:
    assert find_wa_id(number, listed, known) == found


def test_the_blocklist_spells_a_wa_id_its_own_way() -> None:
    assert bare("16315551000@s.whatsapp.net") == bare("16315551000") == "16315551000"
    assert number_of("5215512345678") == "+5215512345678"
