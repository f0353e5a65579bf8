"""The table for people keeps its columns and its width whatever stands in the cells."""

import subprocess
import sys
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from watui.export.rows import ActionRow, BlocklistRow, IdentityRow, ResultRow
from watui.export.table import BLOCKLIST, CHANGES, IDENTITIES, RESULTS, TRAIL, Layout, formatted, minute, table

STARTS = (0, 7, 30, 47, 55, 66, 82)
"""Where each column begins, on a terminal."""


def _row(line: int, text: str, number: str | None, status: str, *, same: int | None = None) -> ResultRow:
    return ResultRow("s", line, text, number, "JP" if number else None, status, None, None, same, None, None)


def test_golden() -> None:
    rows = [
        _row(1, "+81 90 1234 5678", "+819012345678", "valid"),
        _row(2, "電話番号電話番号電話番号", None, "rejected"),
        _row(1_000_000, "a\x1b[2J\u202eb", None, "processing", same=1),
    ]
    assert "".join(table(rows, RESULTS, 120)) == (
        "line   input                  number           country status     wa_id           problem\n"
        "1      +81 90 1234 5678       +819012345678    JP      valid\n"
        "2      電話番号電話番号電話…                           rejected\n"
        "10000… a␛[2J\ufffdb                                         processing                 same number as line 1\n"
    )


AT = "2026-01-02T03:04:05.678+00:00"
CHANGED = ActionRow(
    at=AT, kind="report", input="+1 631 555 1001", number="+16315551001", wa_id="16315551001", outcome="refused",
    code=2048, details="Not engaged contact (2048)", reason="spam", message_id="ABEG-1", hash=None, block=True,
    profile="shop", server="https://wa.example.com", by="ada", action_id=7, batch_id=3, undoes=2,
)  # fmt: skip


def test_tables_of_other_kinds_golden() -> None:
    blocked = BlocklistRow("+525512345678", "5215512345678", AT, "spam", "ada", "valid", "v2.41")
    unknown = BlocklistRow("+16315551001", "16315551001", None, None, None, None, None)
    identities = [IdentityRow("16315551001", "UKD6Y/5SqDU=", AT, done) for done in (True, False)]
    assert "".join(table([CHANGED], CHANGES, 120)) == (
        "input                  number           outcome   details\n"
        "+1 631 555 1001        +16315551001     refused   Not engaged contact (2048)\n"
    )
    assert "".join(table([CHANGED], TRAIL, None)) == (
        "batch action time (UTC)       kind        number           outcome   details\n"
        "3     7      2026-01-02 03:04 report      +16315551001     refused   Not engaged contact (2048); spam;"
        " message ABEG-1; blocks too; undoes 2; by ada at shop\n"
    )
    assert "".join(table([blocked, unknown], BLOCKLIST, 80)) == (
        "number           wa_id           blocked at (UTC) status         by       reason\n"
        "+525512345678    5215512345678   2026-01-02 03:04 valid v2.41    ada      spam\n"
        "+16315551001     16315551001\n"
    )
    assert "".join(table(identities, IDENTITIES, 80)) == (
        "wa_id           hash           created at (UTC) acknowledged\n"
        "16315551001     UKD6Y/5SqDU=   2026-01-02 03:04 yes\n"
        "16315551001     UKD6Y/5SqDU=   2026-01-02 03:04 no\n"
    )


@pytest.mark.parametrize("layout", [CHANGES, TRAIL, BLOCKLIST, IDENTITIES])
def test_headings_fit_their_columns_and_all_columns_a_narrow_terminal(layout: Layout[Any]) -> None:
    *columns, last = layout.columns
    assert all(column.width is not None and len(column.heading) <= column.width for column in columns)
    assert last.width is None
    (heading,) = table([], layout, 80)
    assert last.heading in heading


@pytest.mark.parametrize(("format_", "lines"), [("jsonl", 1), ("csv", 2), ("table", 2)])
def test_rows_are_written_in_the_format_that_is_asked_for(format_: str, lines: int) -> None:
    assert len(list(formatted([CHANGED], CHANGES, format_, None))) == lines


def test_a_minute() -> None:
    assert (minute(AT), minute(None)) == ("2026-01-02 03:04", "")


def test_nothing_is_cut_without_a_width() -> None:
    *_, line = table([_row(1_234_567, "9" * 300, "+819012345678", "x" * 40)], RESULTS, None)
    assert line == f"1234567 {'9' * 300} +819012345678    JP      {'x' * 40}\n"


TEXTS = st.text(
    st.sampled_from("1+山é\u0301\x1b\x07\u202e\u200b\ud800\u00a0👍🏽\ufe0f\n\t") | st.characters(), max_size=40
)


@given(TEXTS, TEXTS, TEXTS, st.sampled_from([20, 40, 79, 80, 120, None]))
def test_lines_fit_and_hold_no_control_character(text: str, status: str, problem: str, width: int | None) -> None:
    row = ResultRow("s", 1, text, None, None, status, text, problem, None, None, None)
    for line in table([row], RESULTS, width):
        shown = line.removesuffix("\n")
        assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
        if width is not None:
            assert 0 <= wcswidth(shown) <= width


@given(st.text(st.sampled_from("1+山電é👍x "), max_size=40), st.text(st.sampled_from("a山漢"), min_size=1, max_size=20))
def test_columns_stand_where_their_headings_stand(text: str, status: str) -> None:
    heading, line = table([ResultRow("s", 1, text, "+1", "US", status, "7", "why", None, None, None)], RESULTS, 200)
    for start, word, cell in zip(STARTS[2:], heading.split()[2:], ("+1", "US", status[:4], "7", "why"), strict=True):
        assert _from(heading, start).startswith(word)
        assert _from(line, start).startswith(cell[:4])


def _from(line: str, column: int) -> str:
    """The rest of `line` from a column of the terminal on."""
    end = next(end for end in range(len(line)) if wcswidth(line[:end]) == column)
    return line[end:]


def test_huge_cells_are_cut_in_a_moment() -> None:
    """In a process of its own, which is ended where the work grows with the square of the length."""
    program = (
        "from watui.export.rows import ResultRow\n"
        "from watui.export.table import RESULTS, table\n"
        "huge = 'x' * 1_000_000\n"
        "row = ResultRow('s', 1, huge, None, None, huge, huge, huge, None, None, None)\n"
        "print(max(len(line) for line in table([row], RESULTS, 80)))\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=4, check=True)
    assert int(run.stdout) <= 81
