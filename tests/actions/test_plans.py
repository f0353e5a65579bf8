"""Plans: what becomes of every target before anything is sent."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.actions.conftest import named
from watui.actions import plans
from watui.actions.plans import (
    ALREADY_BLOCKED,
    CHANGED_SINCE,
    NOT_BLOCKED,
    TWICE,
    Plan,
    Target,
    plan,
    plan_undo,
    target_of_wa_id,
)
from watui.contract.wa_ids import wa_id_of
from watui.intake import problems
from watui.ledger.trail import Action, Kind, NewAction, Outcome, Wish

PHONE, OTHER = "+16315551000", "+16315551001"
MEXICAN, MEXICAN_WA_ID = "+525512345678", "5215512345678"
BRAZILIAN, BRAZILIAN_WA_ID = "+5531987654321", "553187654321"
DOUBTFUL = "987 654 3210"
"""No number of the US, and one of India where the server is registered there."""

LISTED = (PHONE[1:], MEXICAN_WA_ID, BRAZILIAN_WA_ID)
SENT = (Outcome.PLANNED, None)
BLOCKED = (Outcome.UNCHANGED, ALREADY_BLOCKED)
FREE = (Outcome.UNCHANGED, NOT_BLOCKED)


def only(made: Plan) -> NewAction:
    (action,) = made.actions
    return action


def fate(action: NewAction) -> tuple[Outcome, str | None]:
    return action.outcome, action.note


@pytest.mark.parametrize(
    ("text", "block", "unblock", "path"),
    [
        (OTHER, SENT, FREE, OTHER),
        ("(631) 555-1001", SENT, FREE, OTHER),
        ("001 631 555 1001", SENT, SENT, "001 631 555 1001"),
        (PHONE, BLOCKED, SENT, PHONE),
        ("631-555-1000", BLOCKED, SENT, PHONE),
        (MEXICAN, BLOCKED, SENT, f"+{MEXICAN_WA_ID}"),
        ("+52 55 1234 5678", BLOCKED, SENT, f"+{MEXICAN_WA_ID}"),
        (BRAZILIAN, BLOCKED, SENT, f"+{BRAZILIAN_WA_ID}"),
        (MEXICAN_WA_ID, BLOCKED, SENT, f"+{MEXICAN_WA_ID}"),
        (f"+{BRAZILIAN_WA_ID}", BLOCKED, SENT, f"+{BRAZILIAN_WA_ID}"),
        ("+52 55 1234 5679", SENT, FREE, "+525512345679"),
        (DOUBTFUL, SENT, SENT, DOUBTFUL),
        ("12", SENT, SENT, "12"),
    ],
)
def test_who_is_as_wanted_already_is_not_sent(
    text: str, block: tuple[Outcome, str | None], unblock: tuple[Outcome, str | None], path: str
) -> None:
    target = named(text)
    blocking = only(plan(Wish(Kind.BLOCK), [target], LISTED, {}))
    unblocking = only(plan(Wish(Kind.UNBLOCK), [target], LISTED, {}))
    assert (fate(blocking), fate(unblocking)) == (block, unblock)
    assert {action.target for action in (blocking, unblocking) if fate(action) == SENT} == {path}
    assert {action.input for action in (blocking, unblocking)} == {text}
    assert fate(only(plan(Wish(Kind.REPORT), [target], (), {}))) == SENT
    assert fate(only(plan(Wish(Kind.REPORT, also_block=True), [target], LISTED, {}))) == SENT, "a report is no block"


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    ("text", "why"),
    [("nobody", problems.NO_DIGITS), ("4.47900E+11", problems.SCIENTIFIC), ("1\x07", problems.CONTROL_CHARACTERS)],
)
def test_what_cannot_be_sent_is_left_out_and_says_why(kind: Kind, text: str, why: str) -> None:
    action = only(plan(Wish(kind), [named(text)], LISTED, {}))
    assert fate(action) == (Outcome.LEFT_OUT, why)
    assert (action.input, action.number, action.wa_id) == (text, None, None)


@pytest.mark.parametrize("kind", [Kind.BLOCK, Kind.REPORT])
@pytest.mark.parametrize(
    "texts",
    [
        (OTHER, OTHER),
        (OTHER, "(631) 555-1001"),
        ("12", "12"),
        pytest.param(("+5531988887777", "+553188887777"), id="a number and its wa_id"),
        pytest.param(("+525588887777", "+5215588887777"), id="a Mexican number and its wa_id"),
    ],
)
def test_a_contact_that_is_named_twice_is_sent_once(kind: Kind, texts: Sequence[str]) -> None:
    # For a report this is more than neatness: each one hands messages to WhatsApp.
    made = plan(Wish(kind), map(named, texts), (), {})
    assert [fate(action) for action in made.actions] == [SENT, (Outcome.LEFT_OUT, TWICE)]


def test_an_entry_of_the_blocklist_that_is_named_twice_is_unblocked_once() -> None:
    made = plan(Wish(Kind.UNBLOCK), map(named, (MEXICAN, f"+{MEXICAN_WA_ID}", MEXICAN_WA_ID)), LISTED, {})
    assert [action.target for action in made.to_send] == [f"+{MEXICAN_WA_ID}"]


def test_what_a_server_told_counts_more_than_what_is_usual() -> None:
    number, told = "+5511987654321", "551187654321"
    for listed, block, unblock in (((told,), BLOCKED, SENT), ((), SENT, FREE)):
        blocking = only(plan(Wish(Kind.BLOCK), [named(number)], listed, {number: told}))
        unblocking = only(plan(Wish(Kind.UNBLOCK), [named(number)], listed, {number: told}))
        assert (fate(blocking), fate(unblocking)) == (block, unblock)
        assert blocking.wa_id == unblocking.wa_id == told
    assert unblocking.target == number
    assert only(plan(Wish(Kind.BLOCK), [named(number)], (), {})).wa_id == number[1:]


def test_an_entry_of_a_blocklist_goes_by_its_wa_id_whatever_its_number() -> None:
    for number in (None, MEXICAN):
        target = target_of_wa_id(MEXICAN_WA_ID, number)
        action = only(plan(Wish(Kind.UNBLOCK), [target], LISTED, {}))
        assert (action.outcome, action.target, action.wa_id) == (Outcome.PLANNED, f"+{MEXICAN_WA_ID}", MEXICAN_WA_ID)
        assert (action.input, action.number) == (number or f"+{MEXICAN_WA_ID}", number)


def test_a_plan_counts_why_some_are_not_sent() -> None:
    made = plan(Wish(Kind.BLOCK), map(named, (PHONE, OTHER, MEXICAN, OTHER, "x", BRAZILIAN)), LISTED, {})
    assert made.notes() == [(ALREADY_BLOCKED, 3), (TWICE, 1), (problems.NO_DIGITS, 1)]
    assert [action.input for action in made.to_send] == [OTHER]


TEXTS = ["6315551000", PHONE, OTHER, "(631) 555-1001", MEXICAN, MEXICAN_WA_ID, BRAZILIAN, DOUBTFUL, "12", "x", "1\x07"]


@example(Kind.UNBLOCK, [MEXICAN, MEXICAN_WA_ID], [MEXICAN_WA_ID], {})
@given(
    st.sampled_from(Kind),
    st.lists(st.sampled_from(TEXTS), max_size=12),
    st.lists(st.sampled_from([*LISTED, "16315551002", "1"]), unique=True),
    st.dictionaries(st.sampled_from([PHONE, OTHER]), st.sampled_from([*LISTED, "16315551001"]), max_size=2),
)
def test_a_plan_has_one_action_a_target_and_sends_nothing_in_vain(
    kind: Kind, texts: list[str], listed: list[str], told: dict[str, str]
) -> None:
    targets = list(map(named, texts))
    made = plan(Wish(kind), targets, listed, told)
    assert [action.input for action in made.actions] == texts
    assert all((action.outcome is Outcome.PLANNED) is (action.note is None) for action in made.actions)
    for target, action in zip(targets, made.actions, strict=True):
        is_there = plans.is_listed(action, listed)
        if action.outcome is Outcome.PLANNED:
            assert target.problem is None
            assert not (kind is Kind.BLOCK and is_there)
            assert not (kind is Kind.UNBLOCK and not is_there and target.is_sure)
        elif action.outcome is Outcome.UNCHANGED:
            assert (kind, is_there) in ((Kind.BLOCK, True), (Kind.UNBLOCK, False))
    # Digits that are a wa_id on the list are no number.
    assert all(action.number in (each.number, None) for each, action in zip(targets, made.actions, strict=True))
    sent = [action.wa_id or action.number or action.input for action in made.to_send]
    assert len(sent) == len(set(sent))


# Undoing


def done(kind: Kind, target: Target, outcome: Outcome = Outcome.DONE) -> Action:
    """Return an action of batch 7, which ended in `outcome`."""
    planned = only(plan(Wish(kind), [target], (), {}))
    wa_id = wa_id_of(target.number) if target.number else None
    words = (7, kind, "server", "shop", "ada", None, None, None, False, None, 0.0)
    return Action(1, *words, planned.input, planned.number, wa_id, planned.target, outcome, 1.0, 2.0, None, None)


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("kind", [Kind.BLOCK, Kind.UNBLOCK])
def test_only_what_was_done_is_taken_back(kind: Kind, outcome: Outcome) -> None:
    listed = LISTED if kind is Kind.BLOCK else ()
    made = plan_undo([done(kind, named(PHONE), outcome)], listed, ())
    expected = [(Kind.UNBLOCK if kind is Kind.BLOCK else Kind.BLOCK, PHONE, PHONE)] if outcome is Outcome.DONE else []
    assert [(made.wish.kind, action.input, action.target) for action in made.to_send] == expected
    assert made.wish.undoes == 7
    assert len(made.actions) == len(expected)


def test_what_changed_since_is_left_out_and_what_is_as_before_stays() -> None:
    batch = [done(Kind.BLOCK, named(text)) for text in (PHONE, OTHER, MEXICAN, BRAZILIAN)]
    made = plan_undo(batch, (PHONE[1:], MEXICAN_WA_ID), {PHONE})
    assert [fate(action) for action in made.actions] == [(Outcome.LEFT_OUT, CHANGED_SINCE), FREE, SENT, FREE]
    again = plan_undo([action._replace(kind=Kind.UNBLOCK) for action in batch], (PHONE[1:], MEXICAN_WA_ID), {OTHER})
    assert [fate(action) for action in again.actions] == [BLOCKED, (Outcome.LEFT_OUT, CHANGED_SINCE), BLOCKED, SENT]


def test_a_block_is_taken_back_by_the_wa_id() -> None:
    made = plan_undo([done(Kind.BLOCK, named(MEXICAN))], LISTED, ())
    assert only(made).target == f"+{MEXICAN_WA_ID}"


@pytest.mark.parametrize("number", [MEXICAN, None])
def test_an_unblock_is_taken_back_by_the_number(number: str | None) -> None:
    # Once it is off the list a server need not know the wa_id any more, and as a number it can't be read.
    unblocked = done(Kind.UNBLOCK, target_of_wa_id(MEXICAN_WA_ID, number))._replace(wa_id=MEXICAN_WA_ID)
    assert only(plan_undo([unblocked], (), ())).target == MEXICAN


@pytest.mark.parametrize("wa_id", ["525512345678", "5531987654321", "16315551000"])
def test_an_unblock_of_a_wa_id_that_no_number_usually_has_is_taken_back_by_it(wa_id: str) -> None:
    # A server may list Mexican and Brazilian numbers as they are.
    unblocked = done(Kind.UNBLOCK, target_of_wa_id(wa_id, None))._replace(wa_id=wa_id)
    assert only(plan_undo([unblocked], (), ())).target == f"+{wa_id}"


def test_who_was_blocked_by_a_doubtful_input_is_unblocked_by_it() -> None:
    # A server of another country than assumed blocked somebody else than it looks, so the list shows nothing here.
    made = plan_undo([done(Kind.BLOCK, named(DOUBTFUL))], ("919876543210",), ())
    assert (only(made).outcome, only(made).target) == (Outcome.PLANNED, DOUBTFUL)
