"""Rows for other programs: golden texts, and cells that no spreadsheet takes for a formula."""

import csv
import io
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watui.export.rows import COLUMNS, ActionRow, BlocklistRow, IdentityRow, ResultRow, csv_lines, iso, jsonl

FULL = ResultRow(
    "numbers, all.csv", 2, "+1 631 555 1001", "+16315551001", "US", "valid", "16315551001", "no such number in US", 1,
    "2026-01-02T03:04:05.678+00:00", "v2.41",
)  # fmt: skip
EMPTY = ResultRow("stdin", 3, "4.479E+11", None, None, "rejected", None, None, None, None, None)

CHANGED = ActionRow(
    at="2026-01-02T03:04:05.678+00:00",
    kind="report",
    input="+1 631 555 1001",
    number="+16315551001",
    wa_id="16315551001",
    outcome="refused",
    code=2048,
    details="Not engaged contact (2048)",
    reason="=1+1",
    message_id="ABEG-1",
    hash=None,
    block=True,
    profile="shop",
    server="https://wa.example.com",
    by="ada",
    action_id=7,
    batch_id=3,
    undoes=None,
)
BLOCKED = BlocklistRow(
    "+525512345678", "5215512345678", "2026-01-02T03:04:05.678+00:00", "spam", "ada", "valid", "v2.41"
)
IDENTITY = IdentityRow("16315551001", "UKD6Y/5SqDU=", "2020-09-15T01:08:14.000+00:00", False)


def _row(text: str, line: int = 1) -> ResultRow:
    return msgspec.structs.replace(EMPTY, source=text, input=text, number=text, status=text, problem=text, line=line)


def _read_back(rows: list[ResultRow]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(csv_lines(rows)), newline="")))


def test_jsonl_golden() -> None:
    assert "".join(jsonl([FULL, EMPTY])) == (
        '{"source":"numbers, all.csv","line":2,"input":"+1 631 555 1001","number":"+16315551001","region":"US",'
        '"status":"valid","wa_id":"16315551001","problem":"no such number in US","duplicate_of":1,'
        '"checked_at":"2026-01-02T03:04:05.678+00:00","server_version":"v2.41","known_from":null}\n'
        '{"source":"stdin","line":3,"input":"4.479E+11","number":null,"region":null,"status":"rejected",'
        '"wa_id":null,"problem":null,"duplicate_of":null,"checked_at":null,"server_version":null,"known_from":null}\n'
    )


def test_csv_golden() -> None:
    assert "".join(csv_lines([FULL, EMPTY])) == (
        "source,line,input,number,region,status,wa_id,problem,duplicate_of,checked_at,server_version,known_from\r\n"
        '"numbers, all.csv",2,\'+1 631 555 1001,+16315551001,US,valid,16315551001,no such number in US,1,'
        "2026-01-02T03:04:05.678+00:00,v2.41,\r\n"
        "stdin,3,4.479E+11,,,rejected,,,,,,\r\n"
    )


def test_rows_of_other_kinds_golden() -> None:
    assert "".join(jsonl([CHANGED, BLOCKED, IDENTITY])) == (
        '{"at":"2026-01-02T03:04:05.678+00:00","kind":"report","input":"+1 631 555 1001","number":"+16315551001",'
        '"wa_id":"16315551001","outcome":"refused","code":2048,"details":"Not engaged contact (2048)","reason":"=1+1",'
        '"message_id":"ABEG-1","hash":null,"block":true,"profile":"shop","server":"https://wa.example.com",'
        '"by":"ada","action_id":7,"batch_id":3,"undoes":null}\n'
        '{"number":"+525512345678","wa_id":"5215512345678","blocked_at":"2026-01-02T03:04:05.678+00:00",'
        '"reason":"spam","by":"ada","status":"valid","server_version":"v2.41"}\n'
        '{"wa_id":"16315551001","hash":"UKD6Y/5SqDU=","created_at":"2020-09-15T01:08:14.000+00:00",'
        '"acknowledged":false}\n'
    )


@pytest.mark.parametrize("row", [CHANGED, BLOCKED, IDENTITY], ids=lambda row: type(row).__name__)
def test_rows_of_other_kinds_have_a_header_of_their_own(row: msgspec.Struct) -> None:
    (read_back,) = csv.DictReader(io.StringIO("".join(csv_lines([row], row.__struct_fields__)), newline=""))
    assert tuple(read_back) == row.__struct_fields__
    shown = ["" if value is None else str(value) for value in msgspec.structs.astuple(row)]
    expected = ["'" + cell if cell in ("=1+1", "+1 631 555 1001") else cell for cell in shown]
    assert list(read_back.values()) == expected


@pytest.mark.parametrize(
    "payload",
    [
        "=1+1",
        '=HYPERLINK("http://x","y")',
        "+1-631-555-1002",
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(1)",
        "\t=1",
        "\r=1",
        "+",
        "+12125550100\n=1",
        "+1234567890123456",
        "+１２",
    ],
)
def test_a_formula_is_made_a_text(payload: str) -> None:
    (row,) = _read_back([_row(payload)])
    assert [row[name] for name in ("source", "input", "number", "status", "problem")] == ["'" + payload] * 5


@given(st.lists(st.text(st.sampled_from("=+-@\t\r\n\"',;1a０＝") | st.characters(exclude_categories=["Cs"]))))
def test_no_cell_is_a_formula_and_every_text_is_read_back(texts: list[str]) -> None:
    rows = _read_back([_row(text, line) for line, text in enumerate(texts, 1)])
    assert [row["line"] for row in rows] == [str(line) for line in range(1, len(texts) + 1)]
    for row, text in zip(rows, texts, strict=True):
        cell = row["input"]
        assert cell in (text, "'" + text)
        plain_number = cell.isascii() and cell[:1] == "+" and cell[1:].isdigit() and len(cell) <= 16
        assert cell[:1] not in ("=", "+", "-", "@", "\t", "\r") or plain_number


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_json_row_is_one_line_and_is_read_back(text: str) -> None:
    (line,) = jsonl([_row(text)])
    assert line.index("\n") == len(line) - 1
    assert tuple(json.loads(line)) == COLUMNS
    assert json.loads(line)["input"] == text


def test_ten_thousand_numbers_are_unchanged() -> None:
    numbers = [f"+1212{n:07}" for n in range(5_000)] + [f"+49{n:013}" for n in range(5_000)]
    assert [row["number"] for row in _read_back([_row(number) for number in numbers])] == numbers


def test_times() -> None:
    assert iso(None) is None
    assert iso(0) == "1970-01-01T00:00:00.000+00:00"
    assert iso(1_600_132_094.25) == "2020-09-15T01:08:14.250+00:00"
