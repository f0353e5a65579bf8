"""In a hidden row no more than the last three digits of a number can be read, in whatever format it is written."""

import csv
import io
import json
import re
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from tests.hidden import assert_hidden
from watui.contract import models
from watui.export import hiding, rows
from watui.export.formats import Format, text_of, write_rows
from watui.export.hiding import hidden
from watui.export.rows import ActionRow, BlocklistRow, IdentityRow, PairRow, ResultRow
from watui.export.table import RESULTS, formatted
from watui.traffic import hiding as traffic_hiding

ROW = ResultRow(
    "of 16315551001.csv", 2, "+1  631 / 555, 1001", "+16315551001", "US", "valid", "16315551001",
    "lost +? +447911123456 is a number of GB", 1, "2026-01-02T03:04:05.678+00:00", "v2.41", 1_234_567,
)  # fmt: skip
ACTION = ActionRow(
    at="2026-01-02T03:04:05.678+00:00",
    kind="report",
    input="+16315551001",
    number="+16315551001",
    wa_id="16315551001",
    outcome="refused",
    code=1013,
    details="no user 16315551001: refused",
    reason="calls from 16315551002",
    message_id="16315551001-7",
    hash="1234567890abcdef",
    block=False,
    profile="shop2026",
    server="http://192.168.100.100:9090",
    undoes=None,
)


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (
            ROW,
            {
                "source": "of ••••••••001.csv",
                "input": "+•  ••• / •••, •001",
                "number": "+••••••••001",
                "wa_id": "••••••••001",
                "problem": "lost +? +•••••••••456 is a number of GB",
            },
        ),
        (
            ACTION,
            {
                "input": "+••••••••001",
                "number": "+••••••••001",
                "wa_id": "••••••••001",
                "details": "no user ••••••••001: refused",
                "reason": "calls from ••••••••002",
                "message_id": "•••••••••01-7",
            },
        ),
        (
            BlocklistRow("+16315551001", "16315551001", None, "spam", "ada", "valid", "v2.41"),
            {"number": "+••••••••001", "wa_id": "••••••••001"},
        ),
        (IdentityRow("16315551001", "1234567890", None, True), {"wa_id": "••••••••001"}),
        (
            PairRow("gone", "+16315551001", "631 555 1001", "valid", "invalid", "16315551001", None, None, None),
            {"number": "+••••••••001", "input": "••• ••• •001", "wa_id_before": "••••••••001"},
        ),
    ],
)
def test_numbers_and_words_with_numbers_are_hidden_and_nothing_else(row: msgspec.Struct, shown: dict[str, str]) -> None:
    before, after = msgspec.structs.asdict(row), msgspec.structs.asdict(hidden(row))
    assert {name: value for name, value in after.items() if value != before[name]} == shown


HARMLESS = {
    *("region", "status", "kind", "outcome", "change", "before", "after", "state", "level", "role", "hash", "node"),
    *("at", "checked_at", "blocked_at", "created_at", "started_at", "ended_at"),
    *("server_version", "server_version_before", "server_version_after"),
    # What people chose for themselves and their servers.
    *("profile", "server", "url", "by", "user", "secret", "trust", "word"),
    # Findings, which name settings and places.
    *("subject", "words", "next_step"),
}
"""Members that hold no number of those who are asked about."""


def texts_of(module: ModuleType) -> set[str]:
    """The members of all rows of a module that may hold a text."""
    kinds = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, msgspec.Struct)]
    assert kinds
    return {field.name for kind in kinds for field in msgspec.structs.fields(kind) if "str" in str(field.type)}


def test_of_every_text_in_a_row_it_is_known_whether_it_is_hidden() -> None:
    members, found = texts_of(rows), set(hiding._HIDING)
    assert found | HARMLESS == members
    assert not found & HARMLESS


def test_of_every_text_in_a_body_it_is_known_whether_it_is_a_number() -> None:
    """All others are hidden as prose is."""
    prose = {"status", "version", "api_status", "title", "details", "href", "reason", "message_id", "hash"}
    of_logins = {"new_password", "token", "expires_after"}
    names, found = texts_of(models), traffic_hiding._NUMBERS
    assert found & names | prose | of_logins == names
    assert found - names == {"number"}, "of the simulator's own"


NUMBERS = st.lists(st.from_regex(r"[1-9][0-9]{7,14}", fullmatch=True), min_size=1, max_size=4)
FORMATS = [*(each for each in Format if each is not Format.XLSX), "table"]


def rows_of(numbers: Iterable[str], separator: str) -> list[ResultRow]:
    """Rows of a list: each number in its input, its number, its wa_id, its problem, and the file's name."""
    return [
        ResultRow(
            f"list_{number}.csv", line, separator.join(number), f"+{number}", "US", "valid", number,
            f"lost +? +{number} is a number of US", None, None, None,
        )
        for line, number in enumerate(numbers, 1)
    ]  # fmt: skip


@pytest.mark.parametrize("format_", FORMATS)
@given(numbers=NUMBERS, separator=st.sampled_from(["", " ", "  ", "-", ", ", "/"]))
def test_no_format_shows_more_than_the_last_three_digits(format_: str, numbers: list[str], separator: str) -> None:
    rows = rows_of(numbers, separator)
    if format_ == "table":
        text = "".join(formatted(map(hidden, rows), RESULTS, format_, None))
    else:
        text = "".join(text_of(rows, Format(format_), hides_numbers=True))
    assert all(f"•{number[-3:]}" in text.replace(separator, "") for number in numbers)
    if format_ == Format.CSV:
        assert_hidden([cell for cells in csv.reader(io.StringIO(text, newline="")) for cell in cells], numbers)
    else:
        assert_hidden([cell for line in text.splitlines() for cell in re.split(r"[\",]| {2,}", line)], numbers)


def test_no_workbook_shows_more_either(tmp_path: Path) -> None:
    numbers = ["16315551001", "447911123456"]
    path = tmp_path / "out.xlsx"
    assert write_rows(path, rows_of(numbers, " "), Format.XLSX, replace=False, hides_numbers=True) == len(numbers)
    cells = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    assert_hidden([str(cell) for row in cells for cell in row], numbers)


def test_numbers_that_end_alike_stay_as_many() -> None:
    rows = rows_of(["16315551001", "16315552001", "16315551001"], "")
    assert list(text_of(rows, Format.NUMBERS, hides_numbers=True)) == ["+••••••••001\n"] * 2
    (body,) = text_of(rows, Format.BODY, hides_numbers=True)
    assert json.loads(body)["contacts"] == ["+••••••••001"] * 2


@pytest.mark.parametrize("raw", [True, False])
def test_what_a_spreadsheet_takes_for_a_formula_is_marked_as_ever(raw: bool) -> None:
    (_, line) = text_of([ROW], Format.CSV, raw=raw, hides_numbers=True)
    _, _, _, number, *_ = next(csv.reader([line]))
    assert number == ("+••••••••001" if raw else "'+••••••••001")
