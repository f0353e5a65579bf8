"""The tour: every step shows what it says."""

import re

import pytest

from watui import tour
from watui.simulator.conditions import Conditions
from watui.simulator.population import Latency
from watui.tour import STEPS, Kind, Step, Told, opened

pytestmark = pytest.mark.anyio

SHOWN: dict[str, tuple[str, ...]] = {
    "How a number is read": ('"wa_id":"16315551002"', '"wa_id":"916315551002"'),
    "no_wait: ask again until it is decided": ('"status":"processing"', '"status":"invalid"', "requests."),
    "wait: one answer, late": ('"blocking":"wait"', '"status":"invalid"', "One request"),
    "The cache, and force_check": ('"force_check":true', '"status":"processing"'),
    "What can't be checked": ('"input":"not a number", "status":"failed"', '"status":"invalid"'),
    "Block, and error 2048": ('"code":2048', "@s.whatsapp.net", "unblock", "200 after"),
    "Report, with a message id and without": ('"message_id":"ABEG', "last five messages"),
    "Whose telephone it is": ('"acknowledged":false', "PUT /v1/contacts/16315551000/identity"),
    "v2.41 says more than v2.43": ('"status":"invalid"', '"input":"+16315551001", "status":"valid"'),
    "Too many requests": ("429", '"code":1015', "refused"),
}
"""What each step shows, by its title."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tour, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(tour, "_FIRST", Conditions(version="v2.41", latency=Latency(0.04, 0.08), engaged=0.0))


async def played(step: Step) -> list[Told]:
    told: list[Told] = []
    async with opened() as stage:
        await stage.play(step, told.append)
    return told


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.title)
async def test_each_step_shows_its_rule(step: Step) -> None:
    told = await played(step)
    words = "\n".join("\n".join((each.text, *each.more)) for each in told)
    assert [part for part in SHOWN[step.title] if part not in words] == []
    assert told[-1].kind is Kind.NOTE or step.title in ("Block, and error 2048", "Whose telephone it is")


async def test_a_step_begins_where_every_other_step_begins() -> None:
    told: list[str] = []
    async with opened() as stage:
        for _ in range(2):
            await stage.play(STEPS[5], lambda each: told.append(re.sub(r"\d+ ms", "", each.text)))
    assert told[: len(told) // 2] == told[len(told) // 2 :]


def test_every_step_is_expected_to_show_something() -> None:
    assert [step.title for step in STEPS] == list(SHOWN)
