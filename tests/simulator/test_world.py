"""The pure world: what is decided when, and how it is said by which version."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulated import a_world
from watui.contract.models import CheckAnswer, Meta
from watui.contract.rules import CACHE_SECONDS
from watui.simulator.population import DEFAULT_LATENCY, check_seconds, has_account
from watui.simulator.world import World

NOW = 1_700_000_000.0
NUMBER = "+16315551000"
LONG_AFTER = NOW + CACHE_SECONDS / 2
"""Every check that began at NOW has ended by then, and is still cached."""


def a_number(with_account: bool) -> str:
    """Return a number that has, or has not, an account in the world of seed 0."""
    return next(n for n in (f"+1631555{last}" for last in range(1000, 2000)) if has_account(0, n) is with_account)


def begin(world: World, texts: list[str], force_check: bool, now: float) -> float:
    """Start the checks that `texts` need and return the time at which all of them are decided."""
    return world.begin(world.numbers(texts), force_check, now)


def answer(world: World, texts: list[str], now: float) -> CheckAnswer:
    """Return what `world` says of `texts`."""
    return world.answer(texts, world.numbers(texts), now)


def said(world: World, text: str, now: float) -> tuple[str, str | None]:
    """Return status and wa_id that `world` gives for `text` without starting anything."""
    (contact,) = answer(world, [text], now).contacts
    assert contact.input == text
    return contact.status, contact.wa_id


def test_a_number_is_processing_until_its_latency_is_over_and_final_from_then_on() -> None:
    world, number = a_world(), a_number(True)
    seconds = check_seconds(0, number, DEFAULT_LATENCY)
    assert begin(world, [number], False, NOW) == NOW + seconds
    assert said(world, number, NOW) == ("processing", None)
    assert said(world, number, NOW + seconds - 0.001) == ("processing", None)
    assert said(world, number, NOW + seconds) == ("valid", number[1:])


def test_a_wait_ends_with_the_slowest_number() -> None:
    world, numbers = a_world(), [f"+1631555{last}" for last in range(1000, 1050)]
    end = begin(world, numbers, False, NOW)
    assert end == NOW + max(check_seconds(0, number, DEFAULT_LATENCY) for number in numbers)
    assert "processing" in {c.status for c in answer(world, numbers, end - 0.001).contacts}
    assert "processing" not in {c.status for c in answer(world, numbers, end).contacts}


@pytest.mark.parametrize(
    ("asked_again_after", "force_check", "starts_over"),
    [
        (60.0, False, False),
        (CACHE_SECONDS - 60.0, False, False),
        (CACHE_SECONDS + 60.0, False, True),
        (60.0, True, True),
        (0.001, True, False),  # still under way
        (0.001, False, False),
    ],
)
def test_a_verdict_is_kept_seven_days_unless_forced(
    asked_again_after: float, force_check: bool, starts_over: bool
) -> None:
    world = a_world()
    first_end = begin(world, [NUMBER], False, NOW)
    again = NOW + asked_again_after
    end = begin(world, [NUMBER], force_check, again)
    if starts_over:
        assert end == again + (first_end - NOW)
        assert said(world, NUMBER, again)[0] == "processing"
    else:
        assert end == max(first_end, again)
        assert said(world, NUMBER, first_end)[0] != "processing"


def test_force_check_at_every_poll_never_keeps_a_number_from_being_decided() -> None:
    world = a_world()
    end = begin(world, [NUMBER], True, NOW)
    polls = 20
    for poll in range(1, polls):
        now = NOW + (end - NOW) * poll / polls
        assert begin(world, [NUMBER], True, now) == end
    assert said(world, NUMBER, end)[0] != "processing"


@pytest.mark.parametrize("text", ["+163155588", "not a number", "+999 123 456 789", "", "+1 212 555", "\x00", "🙂"])
@pytest.mark.parametrize("version", ["v2.41", "v2.45.1"])
def test_what_is_no_possible_number_fails_at_once_without_wa_id_and_holds_nothing_back(text: str, version: str) -> None:
    world = a_world(version=version, processing_wa_id=True)
    for now in (NOW, LONG_AFTER, NOW + 2 * CACHE_SECONDS):
        assert begin(world, [text], True, now) == now
        assert said(world, text, now) == ("failed", None)


@pytest.mark.parametrize(
    ("version", "without_account"),
    [
        ("v2.35.4", "invalid"),
        ("v2.39.1", "invalid"),
        ("v2.41", "invalid"),
        ("v2.43", "valid"),
        ("v2.45.1", "valid"),
        ("2.45.1", "valid"),
    ],
)
def test_only_versions_up_to_2_41_say_who_has_no_account(version: str, without_account: str) -> None:
    world, known, unknown = a_world(version=version), a_number(True), a_number(False)
    begin(world, [known, unknown], False, NOW)
    assert said(world, known, LONG_AFTER) == ("valid", known[1:])
    assert said(world, unknown, LONG_AFTER) == (without_account, unknown[1:] if without_account == "valid" else None)
    assert answer(world, [known], LONG_AFTER).meta == world.meta()
    assert world.meta() == Meta(version)


@pytest.mark.parametrize("switch", [False, True])
def test_processing_carries_a_wa_id_only_where_the_switch_is_on(switch: bool) -> None:
    world = a_world(processing_wa_id=switch)
    begin(world, [NUMBER], False, NOW)
    assert said(world, NUMBER, NOW) == ("processing", NUMBER[1:] if switch else None)


@pytest.mark.parametrize(
    ("region", "text", "read_as"),
    [
        ("IN", "+1-631-555-1002", "16315551002"),
        ("IN", "6315551002", "916315551002"),
        ("IN", "+1 (516) 283-7151", "15162837151"),
        ("IN", "+54 9 11 5612-1008", "5491156121008"),
        ("MX", "55 1234 5678", "5215512345678"),
        ("BR", "(31) 91234-5678", "553112345678"),
        ("US", "6315551002", "16315551002"),
    ],
)
def test_a_number_is_read_as_by_a_server_of_that_region(region: str, text: str, read_as: str) -> None:
    world = a_world(region=region, version="v2.45.1", latency=None)
    begin(world, [text], False, NOW)
    assert said(world, text, NOW) == ("valid", read_as)


def test_spellings_of_one_number_share_one_check() -> None:
    world = a_world()
    end = begin(world, ["+1 631 555 1000"], False, NOW)
    assert begin(world, ["(631) 555-1000"], False, NOW + 0.001) == end
    assert said(world, "1-631-555-1000", end) == said(world, "+1 631 555 1000", end)


@given(
    st.integers(0, 10**6),
    st.lists(st.integers(0, 9_999), min_size=1, max_size=20),
    st.lists(st.floats(0, 10), max_size=5),
)
def test_a_seed_decides_everything(seed: int, lasts: list[int], steps: list[float]) -> None:
    one, other = a_world(seed=seed), a_world(seed=seed)
    inputs = [f"+1631555{last:04}" for last in lasts]
    now = NOW
    for step in (0.0, *steps):
        now += step
        assert begin(one, inputs, False, now) == begin(other, inputs, False, now)
        said_by_one = answer(one, inputs, now)
        assert said_by_one == answer(other, inputs, now)
        assert [contact.input for contact in said_by_one.contacts] == inputs
