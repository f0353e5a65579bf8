"""What a status means depends on the server's version; in doubt no account is ever claimed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watui.contract.statuses import (
    FINAL,
    FULLEST_VERSION,
    KNOWN_VERSIONS,
    by_meaning,
    explain,
    in_sentences,
    meaning,
    parse_version,
)

FOUR = {"valid", "invalid", "failed", "processing"}
THREE = FOUR - {"invalid"}


@pytest.mark.parametrize(
    ("version", "parsed"),
    [
        ("v2.45.1", (2, 45)),
        ("2.35.4", (2, 35)),
        ("v2.41", (2, 41)),
        (" v2.39.1\n", (2, 39)),
        ("v10.0", (10, 0)),
        ("2.41.3.7", (2, 41)),
        (None, None),
        ("", None),
        ("2", None),
        ("v2.", None),
        ("latest", None),
        ("v2.41-beta", None),
        ("2.41 or so", None),
        ("２.４１", None),
        ("-2.41", None),
        ("v2.99999", None),
    ],
)
def test_a_version_is_read_with_or_without_v(version: str | None, parsed: tuple[int, int] | None) -> None:
    assert parse_version(version) == parsed


@pytest.mark.parametrize(
    ("version", "claims_account", "statuses"),
    [
        ("v2.35.4", True, FOUR),
        ("2.39.1", True, FOUR),
        ("v2.41", True, FOUR),
        ("v2.41.9", True, FOUR),
        ("v2.42", False, FOUR),
        ("v2.42.7", False, FOUR),
        ("v2.43", False, THREE),
        ("v2.45.1", False, THREE),
        ("v3.0", False, THREE),
        (None, False, FOUR),
        ("", False, FOUR),
        ("nightly", False, FOUR),
    ],
)
def test_what_valid_means_by_version(version: str | None, claims_account: bool, statuses: set[str]) -> None:
    known = meaning(version)
    assert (known.claims_account, set(known.statuses)) == (claims_account, statuses)
    assert ("account" in explain("valid", version) and "nothing" not in explain("valid", version)) is claims_account
    assert ("has no WhatsApp account" in explain("invalid", version)) is claims_account


@pytest.mark.parametrize(
    ("version", "rule", "says"),
    [
        ("v2.35.4", "Up to v2.41", "looks whether a number has a WhatsApp account"),
        ("v2.41", "Up to v2.41", "looks whether a number has a WhatsApp account"),
        ("v2.42", "v2.42 is described nowhere", "No source says"),
        ("v2.43", "From v2.43 on", "only error 1013 of a message tells"),
        ("v2.45.1", "From v2.43 on", "not guaranteed to be real"),
        ("nightly", "Unknown version", "none that can be read has come"),
        (None, "Unknown version", "none that can be read has come"),
    ],
)
def test_the_rule_of_a_version_has_a_name_and_a_short_paragraph(version: str | None, rule: str, says: str) -> None:
    known = meaning(version)
    assert known.rule.startswith(rule)
    assert says in known.why
    assert len(known.why) < 300


def test_versions_that_mean_the_same_are_told_together_the_oldest_first() -> None:
    found = by_meaning([None, "v2.45.1", "v2.41", "v2.43", "v2.35.4", "nightly"])
    assert list(found.values()) == [["v2.35.4", "v2.41"], ["v2.43", "v2.45.1"], ["unknown", "nightly"]]


@pytest.mark.parametrize(
    ("versions", "words"),
    [
        ([], ""),
        (["v2.35.4", "v2.41"], "valid: has a WhatsApp account."),
        (["v2.43", None], "valid: the check is done; it says nothing about an account."),
        (
            ["v2.41", None],
            "At v2.41, valid: has a WhatsApp account."
            " At an unknown version, valid: the check is done; it says nothing about an account.",
        ),
    ],
)
def test_what_valid_means_in_sentences(versions: list[str | None], words: str) -> None:
    assert in_sentences(versions) == words


@given(st.text() | st.from_regex(r"\Av?[0-9]{1,6}\.[0-9]{1,6}(\.[0-9]+)?\Z"))
def test_an_account_is_claimed_only_where_the_version_is_read_and_old(version: str) -> None:
    number = parse_version(version)
    assert meaning(version).claims_account is (number is not None and number < (2, 42))


@given(st.text().filter(lambda status: status not in FOUR), st.sampled_from([None, *KNOWN_VERSIONS]))
def test_an_undocumented_status_is_shown_as_it_came_and_is_not_final(status: str, version: str | None) -> None:
    assert explain(status, version) == f"{status}: not a documented status; counts as not final"
    assert status not in FINAL


def test_final_and_fullest() -> None:
    assert set(FINAL) == FOUR - {"processing"}
    assert set(meaning(FULLEST_VERSION).statuses) == FOUR
    assert None not in map(parse_version, KNOWN_VERSIONS)
