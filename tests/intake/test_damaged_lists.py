"""A list with every damage: each row goes in as it was given, or is rejected with a reason."""

import io
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from phonenumbers import SUPPORTED_REGIONS

from tests.ledger.conftest import OPTIONS
from watui.checks.prepare import Import, add_source
from watui.contract.conversion import checkable, read
from watui.contract.list_regions import PLUS
from watui.intake import problems
from watui.intake.entries import read_entries
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import Row

REGION = "DE"

DAMAGED: dict[str, tuple[str | None, str]] = {
    "+49 172 3456789": ("+491723456789", ""),
    "0172 3456789": ("+491723456789", ""),
    "1723456789": ("+491723456789", ""),
    "0044 7900 123456": ("+447900123456", ""),
    "tel:+44-7900-123456": ("+447900123456", ""),
    "\u00a0+44\u00a07900\u00a0123456": ("+447900123456", ""),
    "+44 79\u200b00 123456": ("+447900123456", ""),
    "+44 7900 12\ufeff3456": (None, "hidden characters stand between the digits"),
    "＋８１ ９０ １２３４ ５６７８": ("+819012345678", ""),
    "447900123457": ("+49447900123457", "lost +? +447900123457 is a number of GB"),
    "+39 612345678": ("+39612345678", "lost 0? +390612345678 is a number of IT"),
    "+1 212 555 2368 ext. 23": ("+12125552368", "extension 23 is left out: the main line is asked"),
    "+1 212 555 2368 x23": ("+12125552368", "extension 23 is left out: the main line is asked"),
    "+1 212 555 2368 #23": ("+12125552368", "extension 23 is left out: the main line is asked"),
    "tel:+1-212-555-2368;ext=23": ("+12125552368", "extension 23 is left out: the main line is asked"),
    "+49 176 1234567 call me": ("+491761234567225563", "letters are read as digits, as on a keypad"),
    "call me on +49 176 1234567": ("+491761234567", ""),
    "+163155588": ("+163155588", "too short"),
    "+49 172 3456789 / +49 173 9999999": (None, problems.TWO_NUMBERS),
    "+49 172 3456789; +49 173 9999999": (None, problems.TWO_NUMBERS),
    "0172 3456789, 0173 9999999": (None, problems.TWO_NUMBERS),
    "0172 3456789 or 0173 9999999": (None, problems.TWO_NUMBERS),
    "4.47900E+11": (None, problems.SCIENTIFIC),
    "4,479e11": (None, problems.SCIENTIFIC),
    "447911123456.0": (None, problems.DECIMALS),
    "+447911123458.00": (None, problems.DECIMALS),
    "447911123456,0": (None, problems.DECIMALS),
    "447911123456.000000": (None, problems.DECIMALS),
    "447,911,123,456.00": (None, problems.DECIMALS),
    "447.911.123.456,00": (None, problems.DECIMALS),
    "044.668.18.00": ("+49446681800", ""),
    "+33 6.12.34.56.00": ("+33612345600", ""),
    "+49 172 34\ufffd6789": (None, problems.UNDECODABLE),
    "+49 172\x1b[2J 3456789": (None, problems.CONTROL_CHARACTERS),
    **dict.fromkeys(
        ["#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#NV", "#WERT!"],
        (None, problems.SHEET_ERROR),
    ),
    "O151 2345678": ("+491512345678", "letter O for 0? it is left out"),
    "ask at the desk": (None, problems.NO_DIGITS),
    "1" * 260: (None, problems.TOO_LONG),
}
"""By what is given: the number that a server reads, and what is said of it."""


def imported(ledger: Ledger, reader: Reader, text: str, list_region: str | None = None) -> list[Row]:
    """Import a list and return its rows, after counting them."""
    run_id = ledger.add_run(OPTIONS._replace(region=REGION))
    layout, rows = read_entries(io.StringIO(text, newline=None), "1", "list")
    add_source(ledger, Import(run_id, "list", REGION, list_region=list_region), layout.column_name, rows)
    run = reader.run(run_id)
    found = list(reader.rows(run_id))
    assert run.read == len(text.splitlines()), "each row is there"
    assert run.read == run.entries + run.rejected + run.skipped
    assert Counter(row.number_id is None for row in found) == Counter(
        {kind: count for kind, count in ((True, run.rejected), (False, run.entries)) if count}
    )
    assert all(row.problem for row in found if row.number_id is None), "what is rejected has its reason"
    lines = text.splitlines()
    assert all(lines[row.line - 1].strip().startswith(row.input) for row in found), "each is as it was given"
    for number_id, sent in ledger.asked(
        run_id, sorted({row.number_id for row in found if row.number_id})
    ).inputs.items():
        own = next(row for row in found if row.number_id == number_id)
        assert sent == (own.sent or own.input)
        assert own.number == read(sent, REGION).number, "the preview is what a server reads in what is sent"
        assert checkable(sent, REGION) in (own.number, None)
    return found


def test_every_damage_is_named_and_nothing_is_changed(ledger: Ledger, reader: Reader) -> None:
    rows = imported(ledger, reader, "phone\n" + "\n".join(DAMAGED) + "\n\n# the end\n")
    assert {row.input: (row.number, row.problem or "") for row in rows} == {
        text.strip()[:250]: expected for text, expected in DAMAGED.items()
    }
    assert [row.line for row in rows] == list(range(2, len(DAMAGED) + 2))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    st.lists(
        st.sampled_from([text for text in DAMAGED if text.isprintable()])
        | st.text("0123456789+-() .x#,;/０\u00a0ext", min_size=1, max_size=24),
        min_size=1,
        max_size=12,
    ),
    st.none() | st.just(PLUS) | st.sampled_from(sorted(SUPPORTED_REGIONS)),
)
def test_rows_in_are_rows_out_whatever_the_country(
    ledger: Ledger, reader: Reader, given_rows: list[str], list_region: str | None
) -> None:
    imported(ledger, reader, "\n".join(["phone", *given_rows]) + "\n", list_region)


@pytest.mark.parametrize("list_region", [None, PLUS, "GB"])
def test_what_is_sent_is_what_was_given_or_its_international_form(
    ledger: Ledger, reader: Reader, list_region: str | None
) -> None:
    rows = imported(ledger, reader, "\n".join(["phone", *DAMAGED]) + "\n", list_region)
    sent = {row.input: row.sent for row in rows if row.sent is not None}
    expected = {
        None: {},
        PLUS: {"447900123457": "+447900123457"},
        "GB": {
            "044.668.18.00": "+44446681800",
            "O151 2345678": "+441512345678",
            "0172 3456789": "+441723456789",
            "1723456789": "+441723456789",
            "447900123457": "+447900123457",
        },
    }
    assert sent == expected[list_region]
