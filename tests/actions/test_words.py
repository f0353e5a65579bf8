"""What a person reads of changes: whether a reason can be sent is said here as the server says it (promise R25)."""

from collections.abc import Awaitable

import httpx
import pytest

from tests.actions.conftest import STRANGERS, WRITERS, Office, named, outcomes
from tests.conftest import TOKEN
from watui.actions import words
from watui.client.failures import Refused
from watui.contract import errors
from watui.contract.rules import MAX_REASON, is_reason
from watui.ledger.trail import Kind, Outcome, Wish

LETTERS = {
    "ASCII": "spam ",
    "kana": "迷惑メール",
    "half-width kana": "ﾒｲﾜｸ",
    "emoji": "\U0001f642",
    "a family": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "a flag": "\U0001f1ee\U0001f1f3",
    "combining marks": "e\u0301o\u0308",
    "right to left": "\u05d3\u05d5\u05d0",
}
"""What is repeated until it is long enough, cut at a code point, in the middle of a letter too."""


def text_of(letters: str, length: int) -> str:
    return (letters * length)[:length]


async def code_of(change: Awaitable[None]) -> int | None:
    """Return the code with which a server refuses a change, None where it makes it."""
    try:
        await change
    except Refused as failure:
        return failure.code
    return None


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [Kind.BLOCK, Kind.REPORT])
@pytest.mark.parametrize("letters", LETTERS.values(), ids=LETTERS)
@pytest.mark.parametrize("length", [0, 1, 58, 59, 60, 61, 120])
async def test_a_reason_is_judged_as_the_server_judges_it(
    office: Office, kind: Kind, letters: str, length: int
) -> None:
    reason = text_of(letters, length)
    problem = words.reason_problem(reason)
    call = office.client.block if kind is Kind.BLOCK else office.client.report
    assert await code_of(call(WRITERS[0], reason)) == (errors.INVALID if problem else None)
    assert (problem is None) is (length <= MAX_REASON)
    assert office.world.people.blocked + len(office.world.people.reported) == (problem is None)


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [Kind.BLOCK, Kind.REPORT])
@pytest.mark.parametrize("length", [0, 59, 60])
async def test_what_a_server_says_of_a_bare_reason(office: Office, kind: Kind, length: int) -> None:
    # An empty reason is never sent; a server would refuse it.
    reason = text_of("x", length)
    async with httpx.AsyncClient(transport=office.wire, headers={"Authorization": f"Bearer {TOKEN}"}) as bare:
        said = await bare.post(f"http://wa/v1/contacts/{WRITERS[0]}/{kind}", json={"reason": reason})
    code = said.json()["errors"][0]["code"] if said.status_code == 400 else None
    assert code == (None if is_reason(reason) else errors.INVALID)


@pytest.mark.parametrize("reason", ["\udcff", "spam \ud800"], ids=ascii)
def test_a_reason_that_no_request_can_hold_is_a_problem(reason: str) -> None:
    # As a command line gives bytes that are not in its encoding.
    with pytest.raises(UnicodeEncodeError):
        reason.encode()
    assert words.reason_problem(reason) is not None


@pytest.mark.parametrize(("length", "said"), [(60, "1 character too long"), (61, "2 characters too long")])
def test_how_much_too_long_a_reason_is(length: int, said: str) -> None:
    problem = words.reason_problem("か" * length)
    assert problem is not None
    assert problem.startswith(said)
    assert str(MAX_REASON) in problem


def test_what_a_report_hands_over_is_said_before() -> None:
    assert "last five messages" in words.what_leaves("")
    assert "ABEG-1" in words.what_leaves("ABEG-1")


@pytest.mark.anyio
async def test_what_a_server_refuses_is_explained(office: Office) -> None:
    wishes = {
        Wish(Kind.BLOCK): STRANGERS[0],
        Wish(Kind.REPORT): STRANGERS[0],
        Wish(Kind.UNBLOCK): "12",
        Wish(Kind.REPORT, message_id="none of it"): WRITERS[0],
        Wish(Kind.ACKNOWLEDGE, hash="UKD6Y/5SqDU="): WRITERS[0],
        Wish(Kind.ACKNOWLEDGE, hash="x"): STRANGERS[0],
    }
    said = []
    for wish, text in wishes.items():
        (action,) = await office.carry_out_plan(await office.actions.plan(wish, [named(text)]))
        assert action.outcome is Outcome.REFUSED
        said.append(words.explain(action.wish, action.code))
    assert None not in said
    assert len(set(said)) == 5, "who has not written is explained alike for block and report"
    assert words.explain(Wish(Kind.BLOCK), 1000) is None
    assert words.explain(Wish(Kind.UNBLOCK), None) is None


@pytest.mark.anyio
async def test_a_batch_ends_in_one_line(office: Office) -> None:
    inputs = [*WRITERS[:3], STRANGERS[0], "x", WRITERS[0]]
    office.block_by_hand(WRITERS[:1])
    plan = await office.plan(Kind.BLOCK, inputs)
    planned = words.planned(Kind.BLOCK, len(plan.to_send), plan.notes())
    assert planned.startswith("3 contacts to block, 2 × is blocked already")
    actions = await office.carry_out_plan(plan)
    counts = {outcome: outcomes(actions).count(outcome) for outcome in Outcome}
    assert words.summary(Wish(Kind.BLOCK), counts) == "2 blocked, 2 already so, 1 refused, 1 left out"


@pytest.mark.parametrize("kind", Kind)
def test_every_outcome_has_a_word_and_counts_are_not_lost(kind: Kind) -> None:
    counts = {outcome: place for place, outcome in enumerate(Outcome, 1_001)}
    line = words.summary(Wish(kind), counts)
    assert all(f"{count:,} " in line for count in counts.values())
    assert words.DONE_WORDS[kind] in line
    assert words.summary(Wish(kind), {}) == words.summary(Wish(kind), dict.fromkeys(Outcome, 0)) == "nothing to do"
    assert words.planned(kind, 1, []) == f"1 contact to {kind}"
