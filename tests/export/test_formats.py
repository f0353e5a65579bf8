"""Rows in every format, read back; no cell is a formula and no number is changed (promise R16)."""

import csv
import errno
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from tests.simulated import a_world
from watui.contract.rules import CONTACTS_PATH, MAX_BATCH_SIZE
from watui.contract.statuses import KNOWN_VERSIONS
from watui.export import xlsx
from watui.export.formats import Format, format_of, text_of, wa_id_warning, write_rows
from watui.export.rows import COLUMNS, ResultRow
from watui.export.xlsx import LONGEST_TEXT, write_workbook
from watui.files import CannotWrite
from watui.simulator.server import Simulator
from watui.simulator.wire import Request

FULL = ResultRow(
    "numbers, all.csv", 2, "+1 631 555 1001", "+16315551001", "US", "valid", "16315551001", "no such number in US", 1,
    "2026-01-02T03:04:05.678+00:00", "v2.41",
)  # fmt: skip
MEXICAN = ResultRow("stdin", 3, "5255…", "+525512345678", "MX", "valid", "5215512345678", None, None, None, None)
SAME = msgspec.structs.replace(FULL, line=4, duplicate_of=2)
INVALID = ResultRow("stdin", 5, "212 555 0100", "+12125550100", "US", "invalid", None, None, None, None, None)
SILENT = ResultRow(
    "stdin", 6, "212 555 0101", "+12125550101", "US", "processing", "12125550101", None, None, None, None
)
REJECTED = ResultRow("stdin", 7, "4.479E+11", None, None, "rejected", None, None, None, None, None)
ROWS = (FULL, MEXICAN, SAME, INVALID, SILENT, REJECTED)

FORMULAS = [
    "=1+1",
    '=HYPERLINK("http://x","y")',
    "+1-631-555-1002",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "＋1-2",
    "－2+3",
    "＠SUM(1)",
    "+12125550100\n=1",
    "{=1+1}",
    "http://x",
    "<r><t>=1</t></r>",
    '<r><t>1</t></r></is></c><c r="D2"><f>1+1</f></c><c><is><r></r>',
]
NUMBERS = [f"+1212{n:07}" for n in range(5_000)] + [f"+49{n:013}" for n in range(5_000)]

HOSTILE = st.text(
    st.sampled_from("=+-@＝\t\r\n\x00\"',;&1👍")
    # calamine does not read back as they are written: escapes of XlsxWriter that overlap (`_`), and non-characters.
    | st.characters(exclude_categories=["Cs"], exclude_characters="_\ufffe\uffff"),
    max_size=12,
)


def _row(text: str, line: int = 1) -> ResultRow:
    """Return a row with `text` wherever a text of others may stand."""
    return msgspec.structs.replace(FULL, source=text, line=line, input=text, status=text, wa_id=text, problem=text)


def _with_number(number: str | None, line: int = 1) -> ResultRow:
    return msgspec.structs.replace(FULL, line=line, input=number or "", number=number)


def _text(rows: Sequence[ResultRow], format_: Format) -> str:
    return "".join(text_of(rows, format_))


def _csv(rows: Sequence[ResultRow], *, raw: bool = False) -> list[list[str]]:
    """Return the cells below the header."""
    header, *cells = csv.reader(io.StringIO("".join(text_of(rows, Format.CSV, raw=raw)), newline=""))
    assert tuple(header) == COLUMNS
    return cells


def _workbook(rows: Sequence[ResultRow]) -> bytes:
    """Return a workbook none of whose cells is anything but a text or a plain number."""
    file = io.BytesIO()
    write_workbook(file, rows)
    for name, sheet in _parts(file.getvalue(), "xl/worksheets/"):
        for cell in sheet.iter("{*}c"):
            assert (cell.get("t"), [child.tag.rpartition("}")[2] for child in cell]) in (
                ("inlineStr", ["is"]),
                (None, ["v"]),
            ), name
        assert {element.tag.rpartition("}")[2] for element in sheet.iter()}.isdisjoint({"f", "hyperlink"})
    return file.getvalue()


def _parts(workbook: bytes, folder: str) -> Iterator[tuple[str, ElementTree.Element]]:
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        for name in archive.namelist():
            if name.startswith(folder):
                yield name, ElementTree.fromstring(archive.read(name))


def _sheets(workbook: bytes) -> list[list[list[object]]]:
    """Return the cells of every sheet."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(workbook))
    return [[list(row) for row in book.get_sheet_by_name(name).to_python()] for name in book.sheet_names]


def _xlsx(rows: Sequence[ResultRow]) -> list[list[object]]:
    """Return the cells below the header."""
    ((header, *cells),) = _sheets(_workbook(rows))
    assert tuple(header) == COLUMNS
    return cells


def _cells(row: ResultRow) -> list[object]:
    """Return what a reader of a table gets of `row`."""
    return ["" if value is None else value for value in msgspec.structs.astuple(row)]


# Which format


@pytest.mark.parametrize(
    ("name", "format_"),
    [
        ("a.csv", Format.CSV),
        ("a.b.JSONL", Format.JSONL),
        ("a.Xlsx", Format.XLSX),
        ("a.txt", Format.NUMBERS),
        ("folder.csv/a.json", Format.BODY),
        ("a", None),
        (".csv", None),
        ("a.xls", None),
        ("folder.csv/a", None),
    ],
)
def test_the_ending_of_a_name_tells_the_format(name: str, format_: Format | None) -> None:
    assert format_of(Path(name)) is format_


# Lists


@pytest.mark.parametrize(
    ("format_", "text"),
    [
        (Format.NUMBERS, "+16315551001\n+525512345678\n+12125550100\n+12125550101\n"),
        (Format.WA_IDS, "16315551001\n5215512345678\n"),
        (
            Format.BODY,
            '{"blocking":"no_wait","contacts":["+16315551001","+525512345678","+12125550100","+12125550101"]}\n',
        ),
    ],
)
def test_lists_golden(format_: Format, text: str) -> None:
    assert _text(ROWS, format_) == text


@pytest.mark.parametrize("format_", [Format.NUMBERS, Format.WA_IDS, Format.BODY])
def test_a_list_without_entries_is_empty(format_: Format) -> None:
    assert _text([], format_) == _text([REJECTED], format_) == ""


@given(st.lists(st.none() | st.integers(0, 30).map("+1212555{:04}".format)))
def test_each_number_stands_once_and_in_the_order_of_its_first_row(numbers: list[str | None]) -> None:
    rows = [_with_number(number) for number in numbers]
    distinct = list(dict.fromkeys(filter(None, numbers)))
    assert _text(rows, Format.NUMBERS).splitlines() == distinct
    assert [number for body in text_of(rows, Format.BODY) for number in json.loads(body)["contacts"]] == distinct


@given(st.lists(st.tuples(st.sampled_from(["valid", "invalid", "processing"]), st.none() | st.sampled_from("123"))))
def test_each_wa_id_of_a_valid_row_stands_once(found: list[tuple[str, str | None]]) -> None:
    rows = [msgspec.structs.replace(FULL, status=status, wa_id=wa_id) for status, wa_id in found]
    valid = dict.fromkeys(wa_id for status, wa_id in found if status == "valid" and wa_id is not None)
    assert _text(rows, Format.WA_IDS).splitlines() == list(valid)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_wa_id_stays_on_its_line_whatever_a_server_sent(wa_id: str) -> None:
    (line,) = text_of([msgspec.structs.replace(FULL, wa_id=wa_id)], Format.WA_IDS)
    assert len(line.splitlines()) == 1
    assert line.endswith("\n")


@pytest.mark.parametrize(
    ("numbers", "sizes"),
    [
        (1, [1]),
        (MAX_BATCH_SIZE, [MAX_BATCH_SIZE]),
        (MAX_BATCH_SIZE + 1, [MAX_BATCH_SIZE, 1]),
        (10_000, [MAX_BATCH_SIZE] * 10),
    ],
)
def test_every_body_is_accepted_by_a_server(numbers: int, sizes: list[int]) -> None:
    server = Simulator(a_world(latency=None, max_contacts=MAX_BATCH_SIZE), "token")
    echoed: list[str] = []
    for body, size in zip(text_of([_with_number(n) for n in NUMBERS[:numbers]], Format.BODY), sizes, strict=True):
        request = Request("POST", CONTACTS_PATH, {"authorization": "Bearer token"}, body.encode())
        reply, _ = server.respond(request, 1_700_000_000.0)
        assert reply.status == 200, reply.body
        echoed += [contact["input"] for contact in json.loads(reply.body)["contacts"]]
        assert len(json.loads(body)["contacts"]) == size
    assert echoed == NUMBERS[:numbers]


# Tables


@pytest.mark.parametrize("payload", FORMULAS)
def test_a_formula_is_a_text_in_csv_and_in_a_workbook(payload: str) -> None:
    row = _row(payload)
    assert _xlsx([row]) == [_cells(row)]
    (cells,) = _csv([row])
    assert cells[2] in (payload, "'" + payload)
    assert not cells[2].startswith(tuple("=+-@＝＋－＠\t\r\n"))


def test_ten_thousand_numbers_are_unchanged() -> None:
    rows = [_with_number(number, line) for line, number in enumerate(NUMBERS, 1)]
    in_csv = [cells[3] for cells in _csv(rows)]
    in_workbook = _xlsx(rows)
    changed = [
        sum(read != number for read, number in zip(found, NUMBERS, strict=True))
        for found in (in_csv, [cells[3] for cells in in_workbook])
    ]
    print(f"{len(NUMBERS):,} numbers: {changed[0]} changed in CSV, {changed[1]} in a workbook")
    assert changed == [0, 0]
    assert [read[1] for read in in_workbook] == list(range(1, 10_001))


@given(st.lists(HOSTILE, max_size=5))
def test_a_workbook_keeps_every_text(texts: list[str]) -> None:
    rows = [_row(text, line) for line, text in enumerate(texts, 1)]
    assert _xlsx(rows) == [_cells(row) for row in rows]


@given(
    st.lists(st.sampled_from(["<r>", "</r>", "<t>", "</t>", "</is></c>", '<c r="D2"><f>1+1</f></c>', "&", "1", " "]))
)
def test_markup_is_a_text(parts: list[str]) -> None:
    row = _row(f"<r>{''.join(parts)}</r>")
    assert _xlsx([row]) == [_cells(row)]


@given(st.lists(HOSTILE))
def test_raw_csv_keeps_every_text(texts: list[str]) -> None:
    rows = [_row(text, line) for line, text in enumerate(texts, 1)]
    assert _csv(rows, raw=True) == [list(map(str, _cells(row))) for row in rows]


def test_what_a_workbook_looks_like() -> None:
    workbook = _workbook(ROWS)
    ((_, sheet),) = _parts(workbook, "xl/worksheets/")
    ((_, styles),) = _parts(workbook, "xl/styles")
    pane = sheet.find(".//{*}pane")
    assert pane is not None
    assert (pane.get("ySplit"), pane.get("state")) == ("1", "frozen")
    fonts, looks = styles.findall("{*}fonts/{*}font"), styles.findall("{*}cellXfs/{*}xf")
    for row in sheet.findall("{*}sheetData/{*}row"):
        for cell in row:
            look = looks[int(cell.get("s", "0"))]
            assert (fonts[int(look.get("fontId", "0"))].find("{*}b") is not None) == (row.get("r") == "1")
    columns = sheet.findall("{*}cols/{*}col")
    assert {looks[int(column.get("style", "0"))].get("numFmtId") for column in columns} == {"49"}, "no text format"
    assert sheet.find("{*}ignoredErrors/{*}ignoredError[@numberStoredAsText]") is not None
    ((_, *cells),) = _sheets(workbook)
    assert cells == [_cells(row) for row in ROWS]
    assert [[type(cell) for cell in (row[1], row[8], row[9])] for row in cells[:1]] == [[float, float, str]]


@pytest.mark.parametrize(("count", "sizes"), [(0, [0]), (2, [2]), (3, [3]), (4, [3, 1]), (6, [3, 3]), (7, [3, 3, 1])])
def test_a_full_sheet_goes_on_in_another(monkeypatch: pytest.MonkeyPatch, count: int, sizes: list[int]) -> None:
    monkeypatch.setattr(xlsx, "MOST_ROWS", 3)
    sheets = _sheets(_workbook([_with_number(NUMBERS[n], n + 1) for n in range(count)]))
    assert [len(sheet) - 1 for sheet in sheets] == sizes
    assert all(tuple(header) == COLUMNS for header, *_ in sheets)
    assert [row[1] for _, *rows in sheets for row in rows] == list(range(1, count + 1))


@pytest.mark.parametrize("letter", ["x", "👍"])
def test_a_text_that_no_cell_holds_is_cut_and_says_so(letter: str) -> None:
    most = LONGEST_TEXT // (len(letter.encode("utf-16-le")) // 2)
    for start in ("", "<r>"):
        fits = start + letter * (most - len(start))
        assert _xlsx([_row(fits)])[0][2] == fits
        cut = _xlsx([_row(start + letter * LONGEST_TEXT + "</r>")])[0][2]
        assert isinstance(cut, str)
        assert len(cut.encode("utf-16-le")) in (2 * LONGEST_TEXT, 2 * LONGEST_TEXT - 2)
        assert cut.strip(letter) == start + "…" if not start else cut.startswith(start) and cut.endswith(letter + "…")


def test_a_workbook_is_no_text() -> None:
    with pytest.raises(ValueError, match="no text"):
        text_of([], Format.XLSX)


# Whole or not at all


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is seen to hold no part of a file at the end, like the one for temporary files."""
    folder, temporary = tmp_path / "exports", tmp_path / "temporary"
    folder.mkdir()
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    yield folder
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]
    assert not list(temporary.iterdir())


COUNTS = {Format.CSV: 6, Format.JSONL: 6, Format.XLSX: 6, Format.NUMBERS: 4, Format.WA_IDS: 2, Format.BODY: 4}


@pytest.mark.parametrize("format_", Format)
def test_a_file_holds_the_rows_and_their_count_is_returned(folder: Path, format_: Format) -> None:
    path = folder / "out"
    assert write_rows(path, iter(ROWS), format_, replace=False) == COUNTS[format_]
    if format_ is Format.XLSX:
        assert _sheets(path.read_bytes()) == _sheets(_workbook(ROWS))
    else:
        assert path.read_bytes() == _text(ROWS, format_).encode()
    with pytest.raises(CannotWrite, match="there already"):
        write_rows(path, [], format_, replace=False)
    assert write_rows(path, [], format_, replace=True) == 0


def test_raw_reaches_the_file(folder: Path) -> None:
    write_rows(folder / "out.csv", [_row("=1")], Format.CSV, raw=True, replace=False)
    assert b"'" not in (folder / "out.csv").read_bytes()


@pytest.mark.parametrize("format_", Format)
@pytest.mark.parametrize("failure", [LookupError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("is_old", [False, True])
def test_rows_that_end_in_an_error_leave_what_was_there(
    folder: Path, format_: Format, failure: type[BaseException], is_old: bool
) -> None:
    path = folder / "out"
    if is_old:
        path.write_text("old")

    def rows() -> Iterator[ResultRow]:
        yield from ROWS
        raise failure

    with pytest.raises(failure):
        write_rows(path, rows(), format_, replace=True)
    assert [(found.name, found.read_text()) for found in folder.iterdir()] == [("out", "old")] * is_old


@pytest.mark.parametrize(
    ("failing", "format_"),
    [
        *(("os.fsync", format_) for format_ in Format),
        ("tempfile.mkstemp", Format.XLSX),
        ("zipfile.ZipFile.write", Format.XLSX),
    ],
)
def test_a_system_that_refuses_leaves_what_was_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch, failing: str, format_: Format
) -> None:
    path = folder / "out"
    path.write_text("old")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(failing, refuse)
        with pytest.raises(CannotWrite, match=f"cannot write {path}: {os.strerror(errno.ENOSPC)}"):
            write_rows(path, ROWS, format_, replace=True)
    assert path.read_text() == "old"


@pytest.mark.parametrize("format_", [format_ for format_ in Format if format_ is not Format.WA_IDS])
def test_what_is_no_unicode_cannot_be_written(folder: Path, format_: Format) -> None:
    with pytest.raises(CannotWrite, match="surrogates not allowed"):
        write_rows(folder / "out", [_with_number("\ud800")] * 2, format_, replace=True)
    assert not list(folder.iterdir())


def test_what_is_missing_for_a_workbook_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    (folder / "out.xlsx").write_text("old")
    with pytest.raises(CannotWrite, match=r"install watui\[xlsx\]"):
        write_rows(folder / "out.xlsx", ROWS, Format.XLSX, replace=True)
    assert (folder / "out.xlsx").read_text() == "old"


@pytest.mark.parametrize("format_", [Format.CSV, Format.XLSX])
def test_a_process_that_is_killed_leaves_the_old_file(tmp_path: Path, format_: Format) -> None:
    path = tmp_path / "out"
    path.write_text("old")
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from tests.export.test_formats import NUMBERS, _with_number\n"
        "from watui.export.formats import Format, write_rows\n"
        "def rows():\n"
        "    yield from map(_with_number, NUMBERS[:2_000])\n"
        "    print('here', flush=True)\n"
        "    time.sleep(60)\n"
        "write_rows(Path(sys.argv[1]), rows(), Format(sys.argv[2]), replace=True)\n"
    )
    command = [sys.executable, "-c", program, str(path), format_]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGKILL)
    assert path.read_text() == "old"


@pytest.mark.parametrize("format_", [Format.NUMBERS, Format.XLSX])
def test_a_pipe_is_written_to_as_it_is(folder: Path, format_: Format) -> None:
    """Named by its descriptor, as a shell does it and as /dev/stdout stands for one."""
    reading, writing = os.pipe()
    with ThreadPoolExecutor(1) as reader, open(reading, "rb") as pipe:
        got = reader.submit(pipe.read)
        write_rows(Path(f"/dev/fd/{writing}"), ROWS, format_, replace=True)
        os.close(writing)
        content = got.result(10)
    if format_ is Format.XLSX:
        assert len(_sheets(content)[0]) == len(ROWS) + 1
    else:
        assert content.decode() == _text(ROWS, format_)


# What a wa_id is worth


@pytest.mark.parametrize(
    ("versions", "warns"),
    [
        ([], False),
        (["v2.35.4", "2.39.1", "v2.41"], False),
        (["v2.42"], True),
        (["v2.43"], True),
        (["v2.41", "v2.45.1"], True),
        (["v3.0"], True),
        ([None], True),
        (["latest"], True),
    ],
)
def test_wa_ids_that_may_not_be_real_are_warned_of(versions: list[str | None], warns: bool) -> None:
    warning = wa_id_warning(iter(versions))
    assert (warning is not None) == warns
    assert warning is None or warning == (
        "A wa_id of a server from v2.43 on, or of an unknown version, is not guaranteed to be real and should not be"
        " used in later calls (valid: the check is done; it says nothing about an account)."
    )


def test_only_versions_before_the_change_go_without_a_warning() -> None:
    assert [version for version in KNOWN_VERSIONS if wa_id_warning([version]) is None] == [
        "v2.35.4",
        "v2.39.1",
        "v2.41",
    ]
