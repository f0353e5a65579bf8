"""From rows of a source to rows of the ledger: what shares a number, and what is never sent."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.ledger.conftest import OPTIONS
from watui.checks.prepare import CHUNK_ROWS, FIRST_ROWS, Import, Progress, add_source, prepare
from watui.intake.entries import Entry, Row, Skipped, single
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import NewRow, Source

VALID_NUMBER = "+1 212 555 2368"


@pytest.mark.parametrize(
    ("text", "region", "key", "number", "own_region", "is_doubtful"),
    [
        (VALID_NUMBER, "US", "+12125552368", "+12125552368", "US", False),
        ("(212) 555-2368", "US", "+12125552368", "+12125552368", "US", False),
        ("6315551002", "IN", "+916315551002", "+916315551002", "IN", False),
        ("+163155588", "US", "+163155588", "+163155588", "US", True),
        ("12", "US", "+112", "+112", "US", True),
        ("extension 4", "US", "extension 4", None, None, True),
    ],
)
def test_an_entry_is_read_as_the_server_reads_it(
    text: str, region: str, key: str, number: str | None, own_region: str | None, is_doubtful: bool
) -> None:
    row = prepare(Entry(7, text, None), region, skip_doubtful=False)
    assert (row.line, row.input, row.key, row.number, row.region, row.problem) == (
        7,
        text,
        key,
        number,
        own_region,
        None,
    )
    assert (row.doubt is not None) is is_doubtful
    strict = prepare(Entry(7, text, None), region, skip_doubtful=True)
    if is_doubtful:
        assert strict == NewRow(7, text, None, None, None, None, f"doubtful: {row.doubt}")
    else:
        assert strict == row


@pytest.mark.parametrize("skip_doubtful", [False, True])
def test_a_rejected_entry_is_never_a_question(skip_doubtful: bool) -> None:
    row = prepare(Entry(3, VALID_NUMBER, "no digits"), "US", skip_doubtful)
    assert row == NewRow(3, VALID_NUMBER, None, None, None, None, "no digits")


source_rows: st.SearchStrategy[list[Row]] = st.lists(
    st.one_of(
        st.sampled_from(list(Skipped)),
        st.sampled_from([VALID_NUMBER, "(212) 555-2368", "+442079460900", "12", "", "no number", "0x1F"]).map(
            lambda text: single(1, text)
        ),
    ),
    max_size=40,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(source_rows, st.booleans())
def test_rows_in_are_entries_rejected_and_skipped(
    ledger: Ledger, reader: Reader, rows: list[Row], skip_doubtful: bool
) -> None:
    run_id = ledger.add_run(OPTIONS)
    add_source(ledger, Import(run_id, "list", "US", skip_doubtful=skip_doubtful), "phone", iter(rows))
    run = reader.run(run_id)
    assert run.entries + run.rejected + run.skipped == run.read == len(rows)
    assert (run.header, run.blank, run.comment, run.prose) == tuple(rows.count(kind) for kind in Skipped)
    entries = [row for row in rows if isinstance(row, Entry)]
    assert [row.input for row in reader.rows(run_id)] == [entry.input for entry in entries]
    sent = [row for row in reader.rows(run_id) if row.number_id is not None]
    assert len({row.number or row.input for row in sent}) == len({row.number_id for row in sent}) == run.numbers
    assert not (skip_doubtful and run.doubtful)
    assert reader.summary(run_id).sources == (Source("list", "phone", True),)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_categories=()), max_size=20), min_size=1))
@example(["+1212\x005550100", "+1212\ud800", "1\x00", "\x00", "\udfff1", "+12125550100"])
def test_whatever_a_text_holds_it_is_asked_as_it_is_shown(ledger: Ledger, reader: Reader, texts: list[str]) -> None:
    """No NUL comes into a key: what is written as JSON would end there. No lone surrogate: nothing could write it."""
    run_id = ledger.add_run(OPTIONS)
    rows = [single(line, text) for line, text in enumerate(texts, 1)]
    add_source(ledger, Import(run_id, "list", "US"), None, rows)
    written = list(reader.rows(run_id))
    assert [(row.line, row.input) for row in written] == [
        (row.line, row.input) for row in rows if isinstance(row, Entry)
    ]
    asked = {row.number_id: row.input for row in written if row.number_id is not None and row.duplicate_of is None}
    assert ledger.asked(run_id, list(asked)).inputs == asked


def test_a_long_source_goes_in_by_chunks_and_tells_how_far_it_is(ledger: Ledger, reader: Reader) -> None:
    count = FIRST_ROWS + CHUNK_ROWS + 1
    rows = (Entry(line, f"+121255{line:05}", None) for line in range(1, count + 1))
    told: list[tuple[Progress, int]] = []
    run_id = ledger.add_run(OPTIONS)
    shares = iter((0.1, 0.6, 1.0, 1.0))
    add_source(
        ledger,
        Import(run_id, "list", "US"),
        None,
        rows,
        lambda progress: told.append((progress, reader.run(run_id).entries)),
        lambda: next(shares),
    )
    assert told == [
        (Progress(rows, share), rows)
        for rows, share in ((FIRST_ROWS, 0.1), (FIRST_ROWS + CHUNK_ROWS, 0.6), (count, 1.0))
    ], "each is told with its own share, and is in by then"
