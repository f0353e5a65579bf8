"""Brings a console into a state that looks the same each time: for snapshots and for the README's pictures."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from textual.pilot import Pilot

from tests.simulated import a_world
from tests.tui.story import Story
from watui.checks.pace import Pace
from watui.contract.statuses import Status
from watui.ledger.drivers import Driver
from watui.ledger.ledger import Ledger
from watui.ledger.rows import Answered, NewRow, RunOptions, RunState
from watui.settings.settings import save_profile
from watui.simulator.scenario import Scenario, Start
from watui.tui.app import WatuiApp
from watui.tui.phases import Phase
from watui.tui.screens.settings import SettingsScreen
from watui.tui.screens.traffic import TrafficScreen
from watui.tui.session import Session
from watui.zone import ZONE

Stage = Callable[[Pilot[int]], Awaitable[None]]

HALF = 0.55
"""Share of the numbers that the staged run has decided."""


class StillPace(Pace):
    """A rate that no clock changes."""

    def observe(self, now: float, count: float) -> None:
        pass

    def per_second(self) -> float:
        return 41.0


async def empty(pilot: Pilot[int]) -> None:
    await pilot.pause()


async def preview(pilot: Pilot[int]) -> None:
    story = _story(pilot)
    await story.press("s")
    await story.until_phase(Phase.PREVIEW)


async def running(pilot: Pilot[int]) -> None:
    await _staged(pilot, HALF)


async def done(pilot: Pilot[int]) -> None:
    await _staged(pilot, 1.0)


async def arranged(pilot: Pilot[int]) -> None:
    """A run that is over, its valid rows by their numbers."""
    await _staged(pilot, 1.0)
    story = _story(pilot)
    await story.press("f", "a")
    await story.until_shown("that are valid", "by number")


async def panel(pilot: Pilot[int]) -> None:
    """The simulator's panel, opened in a preview."""
    await preview(pilot)
    story = _story(pilot)
    await story.press("v")
    settings = story.screen.simulator.choices
    await story.until(lambda: "version" in str(settings.content), "the panel shows how the server is")


async def blocklist(pilot: Pilot[int]) -> None:
    """A page of a list of 450, two of them marked."""
    story = _story(pilot)
    backstage = await story.session.desk.backstage()
    await backstage.play(Scenario("Many are blocked", "", start=Start(blocked=450)))
    await story.open_blocklist()
    await story.press("space", "down", "space")


async def contact(pilot: Pilot[int]) -> None:
    """The panel of a contact, with every time the same."""
    ZONE.minute = lambda *_: "2026-11-21 12:00"  # type: ignore[method-assign]
    await _story(pilot).open_contact("+1 631 555 1000")


async def block_dialog(pilot: Pilot[int]) -> None:
    story = _story(pilot)
    await story.preview("+1 631 555 1000")
    await story.press("b", *"spam")
    await story.until_shown("4 of 59")


async def report_dialog(pilot: Pilot[int]) -> None:
    story = _story(pilot)
    await story.preview("+1 631 555 1000")
    await story.press("r")
    await story.until_shown("No message id")


async def bulk(pilot: Pilot[int]) -> None:
    """The dry run of a list that is about to be blocked."""
    story = _story(pilot)
    await story.open_blocklist()
    await story.paste("\n".join([*(f"+1631555{last}" for last in range(1000, 1014)), "nobody"]))
    await story.until_shown("14 contacts to block")


async def runs(pilot: Pilot[int]) -> None:
    """All runs: two of one list that have ended, one that was cut short, a draft."""
    story = _story(pilot)
    await story.session.desk.ledger(_write_history)
    await story.press("3")
    await story.until_shown("cut short")


async def stopped(pilot: Pilot[int]) -> None:
    """A run that was cut short, opened from the list of all."""
    await runs(pilot)
    story = _story(pilot)
    await story.press("down", "enter")
    await story.until_phase(Phase.STOPPED)
    await story.until_shown("stopped")


async def compared(pilot: Pilot[int]) -> None:
    """What differs between two runs of one list."""
    await runs(pilot)
    story = _story(pilot)
    await story.press("down", "down", "c")
    await story.until_shown("compared with run 1")


def _write_history(ledger: Ledger) -> None:
    """Write runs of 40 numbers each, the later ones with other answers."""
    history = [
        ("members.csv", 1.0, 40.0),
        ("members.csv", 1.0, 36.0),
        ("abusers.txt", 0.4, None),
        ("new.xlsx", 0.0, None),
    ]
    for place, (name, share, seconds) in enumerate(history):
        run_id = ledger.add_run(RunOptions("simulator", "US", "no_wait", False, 500, "simulator"))
        numbers = [f"+1631555{last}" for last in range(1000, 1040)]
        rows = [NewRow(line, text, text, text, "US", None, None) for line, text in enumerate(numbers, 1)]
        source_id = ledger.add_source(run_id, name, None)
        ledger.add_rows(run_id, source_id, rows, {})
        ledger.end_source(run_id, source_id)
        if not share:
            continue
        driver = Driver(Path(tempfile.mkdtemp()))
        ledger.start(run_id, driver)
        ids = list(range(1, int(40 * share) + 1))
        answers = [
            Answered(
                number, Status.INVALID if (number + place) % 9 == 0 else Status.VALID, True, f"1631555{number + 999}"
            )
            for number in ids
        ]
        ledger.answered(run_id, ledger.asked(run_id, ids).ask_id, answers, "v2.41")
        if seconds is not None:
            ledger.end(run_id, RunState.DONE)
            with ledger.transaction() as db:
                db.execute("UPDATE run SET started_at = ended_at - ? WHERE id = ?", (seconds, run_id))
        driver.close()


async def settings(pilot: Pilot[int]) -> None:
    """The Settings screen, at a profile for production."""
    story = _story(pilot)
    path = story.session.desk.paths.settings
    production = {"url": "https://wa.example.com:9090", "user": "admin", "region": "IN", "word": "PRODUCTION"}
    save_profile(path, "production", {**production, "colour": "red", "batch_size": 200})
    save_profile(path, "gateway", {"url": "https://waba.example.com", "kind": "360dialog", "read_only": True})
    await story.press("4")
    screen = await story.until_on(SettingsScreen)
    await story.until(lambda: screen.groups.row_count == 4, "the profiles")
    await story.press("down", "down")
    await story.until(lambda: screen.members.row_count > 10, "what the profile holds")


async def traffic(pilot: Pilot[int]) -> None:
    """What was said while a few numbers were resolved and one of them was looked at; the first check at hand."""
    story = _story(pilot)
    await story.resolve("\n".join(f"+1631555{last}" for last in range(1000, 1012)))
    await story.open_contact("+1 631 555 1000")
    await story.press("escape", "5")
    screen = await story.until_on(TrafficScreen)
    await story.until(lambda: screen.table.row_count > 1, "the exchanges")
    await story.press("home")


def _story(pilot: Pilot[int]) -> Story:
    assert isinstance(pilot.app, WatuiApp)
    return Story(pilot.app, pilot)


async def tour(pilot: Pilot[int]) -> None:
    """The first step of the tour, to its end."""
    story = _story(pilot)
    await story.press("T")
    await story.until_shown("always.")


async def _staged(pilot: Pilot[int], share: float) -> None:
    await preview(pilot)
    story = _story(pilot)
    session = story.session

    async def ask() -> None:
        await _answer(session, share)
        session.refresh()
        if share < 1:
            await asyncio.Event().wait()
        session.phase = Phase.ENDED

    session.ask = ask  # type: ignore[method-assign]
    session._pace = StillPace()
    await story.press("enter")
    await story.until(
        lambda: session.final > 0 and f" {session.final:,} of" in story.screen.progress.render().plain, "answers"
    )
    await story.until(lambda: "valid" in story.table()[1], "answers in the table")
    await story.until(lambda: "valid" in story.screen.rows.detail.render().plain, "the answer of the row at hand")
    if share == 1:
        await story.until_phase(Phase.ENDED)


async def _answer(session: Session, share: float) -> None:
    """Write down what a run would have, with every number decided up to `share` of them."""
    record, desk, world = session.record, session.desk, a_world(latency=None)
    assert record is not None
    await desk.ledger(Ledger.start, record.id, Driver(desk.paths.locks))
    ask_id, inputs = await desk.ledger(Ledger.asked, record.id, range(1, record.numbers + 1))
    texts = list(inputs.values())
    numbers = world.numbers(texts)
    world.begin(numbers, False, 0.0)
    answers = [
        Answered(number_id, contact.status, True, contact.wa_id)
        if number_id * 7 % 100 < share * 100
        else Answered(number_id, Status.PROCESSING, False, None)
        for number_id, contact in zip(inputs, world.answer(texts, numbers, 0.0).contacts, strict=True)
    ]
    await desk.ledger(Ledger.answered, record.id, ask_id, answers, world.conditions.version)
    if share == 1:
        await desk.ledger(Ledger.end, record.id, RunState.DONE)
