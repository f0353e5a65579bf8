"""Keys in memory: the same number for the same key, whatever the key looks like."""

from hypothesis import given
from hypothesis import strategies as st

from watui.ledger.keys import Keys

KEYS = (
    st.integers(0, 10**22).map("+{}".format)
    | st.integers(0, 40).map("+1{}".format)
    | st.text("+01９ _", max_size=4)
    | st.text(max_size=3)
)


@given(st.lists(st.lists(KEYS, max_size=30), max_size=4))
def test_a_key_has_the_number_of_its_first_appearance(chunks: list[list[str]]) -> None:
    keys, distinct = Keys(), dict[str, int]()
    for chunk in chunks:
        expected = [distinct.setdefault(key, len(distinct) + 1) for key in chunk]
        assert keys.number(chunk) == expected
        assert len(keys) == len(distinct)


def test_many_keys_with_steps_between_them() -> None:
    wanted = [f"+{10**9 + step * 1024 * number}" for step in (1, 1000) for number in range(1, 5_000)]
    distinct = list(dict.fromkeys(wanted))
    keys = Keys(wanted)
    assert len(keys) == len(distinct)
    assert keys.number(distinct) == list(range(1, len(distinct) + 1))


def test_ranges_of_numbers_do_not_get_in_each_others_way() -> None:
    """Seconds where they do not; where they do, an hour."""
    wanted = [f"+{code}{10**6 + place}" for code in (201, 202, 203, 205) for place in range(20_000)]
    assert Keys(wanted).number(wanted) == list(range(1, len(wanted) + 1))
