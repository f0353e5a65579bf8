"""The sample shows every kind of row, and none of its numbers is anybody's."""

import io
from collections import Counter

from watui.contract.conversion import read
from watui.intake import problems
from watui.intake.entries import Entry, Skipped, read_entries
from watui.intake.sample import sample_text
from watui.intake.sources import SAMPLE_NAME


def test_the_sample_is_read_as_it_is_meant() -> None:
    layout, read_rows = read_entries(io.StringIO(sample_text()), None, SAMPLE_NAME)
    rows = list(read_rows)
    entries = [row for row in rows if isinstance(row, Entry)]
    assert layout.column_name == "phone"
    assert len(rows) == len(sample_text().splitlines())
    assert Counter(row for row in rows if isinstance(row, Skipped)) == {
        Skipped.HEADER: 1,
        Skipped.BLANK: 1,
        Skipped.COMMENT: 2,
    }
    assert [(row.input, row.problem) for row in entries if row.problem] == [
        ("ask at the desk", problems.NO_DIGITS),
        ("4.47900E+11", problems.SCIENTIFIC),
    ]
    readings = [read(row.input, "US") for row in entries if row.problem is None]
    numbers = [reading.number for reading in readings]
    assert len(numbers) - len(set(numbers)) == 3
    assert [reading.doubt for reading in readings if not reading.possible] == [
        "too short",
        "lacks the area code",
        "no such country code",
    ]
    assert {reading.region for reading in readings if reading.possible} == {
        "US", "GB", "AU", "FR", "DE", "MX", "BR", "IN"
    }  # fmt: skip


def test_the_american_and_british_numbers_are_those_set_aside_for_fiction() -> None:
    numbers = {read(line, "US").number or "" for line in sample_text().splitlines()}
    assert all(number[5:9] == "5550" for number in numbers if number.startswith("+1") and len(number) == 12)
    assert all(number.startswith("+4420794609") for number in numbers if number.startswith("+44"))
