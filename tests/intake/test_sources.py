"""Whatever encoding a file is in, its numbers come out as they went in; what is no text is refused in words."""

import codecs
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watui.intake.entries import Entry, read_entries
from watui.intake.problems import BadSource
from watui.intake.sources import HEAD_BYTES, find_encoding, open_text, share_read, source_name

ASCII = "phone,name\r\n+1 212 555 0100,Al\r\n+1 212 555 0101,Bo\r\n"
SPANISH = "nombre;teléfono\nJosé;+34 600 000 001\nPeña;+34 600 000 002\n"
JAPANESE = "名前,電話番号\n山田,+81 90 1234 5678\n佐藤,０９０−１２３４−５６７８\n"


def _write(folder: Path, content: bytes) -> Path:
    path = folder / "numbers.csv"
    path.write_bytes(content)
    return path


def _text(path: Path) -> str:
    with open_text(str(path)) as text:
        return text.read()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param(ASCII.encode(), ASCII, id="ascii"),
        pytest.param(JAPANESE.encode(), JAPANESE, id="utf-8"),
        pytest.param(codecs.BOM_UTF8 + JAPANESE.encode(), JAPANESE, id="utf-8 with mark"),
        pytest.param(codecs.BOM_UTF16_LE + JAPANESE.encode("utf-16-le"), JAPANESE, id="utf-16 le with mark"),
        pytest.param(codecs.BOM_UTF16_BE + JAPANESE.encode("utf-16-be"), JAPANESE, id="utf-16 be with mark"),
        pytest.param(ASCII.encode("utf-16-le"), ASCII, id="utf-16 le"),
        pytest.param(ASCII.encode("utf-16-be"), ASCII, id="utf-16 be"),
        pytest.param(JAPANESE.replace("−", "-").encode("cp932"), JAPANESE.replace("−", "-"), id="cp932"),
        pytest.param(JAPANESE.encode("utf-16-le"), JAPANESE, id="utf-16 le, Japanese"),
        pytest.param(JAPANESE.encode("utf-16-be"), JAPANESE, id="utf-16 be, Japanese"),
        pytest.param(JAPANESE.replace("−", "-").encode("shift_jis"), JAPANESE.replace("−", "-"), id="shift-jis"),
        pytest.param(SPANISH.encode("latin-1"), None, id="latin-1"),
        pytest.param(b"", "", id="empty"),
    ],
)
def test_encodings(tmp_path: Path, content: bytes, text: str | None) -> None:
    got = _text(_write(tmp_path, content))
    if text is None:
        # Several encodings share these bytes; only the digits and the ASCII around them are certain.
        assert [line.split(";")[1] for line in got.splitlines()[1:]] == ["+34 600 000 001", "+34 600 000 002"]
        assert "José" in got
    else:
        assert got == text.replace("\r\n", "\n")


def test_an_encoding_found_is_that_of_a_whole_character(tmp_path: Path) -> None:
    """The part that is looked at may end inside a character."""
    for shift in range(3):
        content = "x" * shift + "山" * HEAD_BYTES
        assert find_encoding(content.encode()[:HEAD_BYTES], "f") == "utf-8"
        assert _text(_write(tmp_path, content.encode())) == content


def test_bytes_that_do_not_fit_are_marked_and_only_their_row_is_rejected(tmp_path: Path) -> None:
    filler = "+12125550100\n" * (HEAD_BYTES // 13 + 10)
    path = _write(tmp_path, filler.encode() + b"+1212555\xff0101\n+12125550102\n")
    with open_text(str(path)) as text:
        _, rows = read_entries(text, None, "f")
        *_, bad, good = (row for row in rows if isinstance(row, Entry))
    assert bad.input == "+1212555\ufffd0101"
    assert bad.problem is not None
    assert good == Entry(bad.line + 1, "+12125550102", None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04\x14\x00\x06\x00sheet", "save it as CSV"),
        (b"\x7fELF\x02\x01\x00\x00\x01\x02", "not a text file"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a text file"),
        (b"+12125550100\n\x00\n", "not a text file"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(BadSource, match=rf"numbers\.csv .*{message}"):
        _text(_write(tmp_path, content))


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match="is a directory"):
        _text(tmp_path)
    with pytest.raises(BadSource, match=r"cannot read none\.csv: No such file"):
        _text(tmp_path / "none.csv")


@given(st.binary(max_size=200) | st.text(max_size=60).map(lambda text: text.encode("utf-16")))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, refusal = _write(Path(folder), content), ""
        try:
            with open_text(str(path)) as text:
                _, rows = read_entries(text, None, "f")
                assert all(row.line > 0 for row in rows if isinstance(row, Entry))
        except BadSource as error:
            refusal = str(error)
    assert not refusal or path.name in refusal


def test_names_are_safe_to_show() -> None:
    assert source_name("-") == "stdin"
    assert source_name("/tmp/a\x1b[2J\u202e.csv") == "a␛[2J\ufffd.csv"
    assert source_name("folder/list.csv") == "list.csv"


def test_line_ends_of_every_kind_become_line_feeds(tmp_path: Path) -> None:
    assert _text(_write(tmp_path, b"1\r2\r\n3\n")) == "1\n2\n3\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp932"])
def test_the_share_that_is_read_is_that_of_the_lines_taken(tmp_path: Path, encoding: str) -> None:
    count = 40_000
    path = _write(tmp_path, "".join(f"電話,+1212{line:07}\n" for line in range(count)).encode(encoding))
    with open_text(str(path)) as text:
        for line in range(1, count + 1):
            text.readline()
            if line % 4_000 == 0:
                read = share_read(text)
                assert read is not None
                assert 0 <= read - line / count < 0.04, "what is decoded at once is read a little earlier"
        assert read == 1.0
        path.write_bytes(b"")
        assert share_read(text) == 1.0, "a file that has become shorter is read whole"


def test_nobody_knows_which_share_of_a_pipe_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    os.write(writer, b"+16315551000\n")
    with open_text(str(path)) as text:
        assert text.readline() == "+16315551000\n"
        assert share_read(text) is None
    os.close(writer)


def test_an_empty_file_is_read(tmp_path: Path) -> None:
    with open_text(str(_write(tmp_path, b""))) as text:
        assert share_read(text) == 0.0
