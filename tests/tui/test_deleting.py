"""What takes long to delete is told while it goes on, keeps nobody from anything, and outlives the console."""

import threading
from collections.abc import Iterator

import pytest

from tests.ledger.conftest import OPTIONS, new_row
from tests.tui.story import PEOPLE, Story, console
from watui import archive
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.upkeep import Deletion, Tell, delete_discarded
from watui.settings.paths import Paths
from watui.tui import app
from watui.tui.phases import Phase
from watui.tui.screens.dialogs import Confirm

pytestmark = pytest.mark.anyio


class Deleting:
    """Deletes as ever, but waits in the middle where there is anything to delete."""

    STEP_SECONDS = 0.005

    def __init__(self) -> None:
        self.may_end = threading.Event()

    def __call__(self, ledger: Ledger, tell: Tell) -> int:
        with ledger.transaction() as db:
            found = db.execute("SELECT 1 FROM run WHERE state = 'discarded'").fetchone()
        while found is not None and not self.may_end.wait(self.STEP_SECONDS):
            tell(Deletion(1_000_000, 0.43))
        return delete_discarded(ledger, tell)


@pytest.fixture
def deleting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deleting]:
    deleting = Deleting()
    monkeypatch.setattr(archive, "delete_discarded", deleting)
    monkeypatch.setattr(archive, "LONG_SECONDS", 0.0)
    yield deleting
    deleting.may_end.set()


def states(paths: Paths) -> list[str]:
    """Return the states of all runs, also of those that nobody sees."""
    reader = Reader(paths.ledger)
    found = [state for (state,) in reader.query("SELECT state FROM run ORDER BY id", ())]
    reader.close()
    return found


def add_draft(paths: Paths) -> int:
    ledger = Ledger(paths.ledger)
    run_id = ledger.add_run(OPTIONS)
    ledger.add_rows(run_id, ledger.add_source(run_id, f"list{run_id}", None), [new_row(1, "22")], {})
    ledger.close()
    return run_id


async def confirm(story: Story, key: str) -> None:
    await story.press(key)
    await story.until_on(Confirm)
    await story.press("y")


async def test_a_list_is_discarded_while_something_else_is_done(paths: Paths, deleting: Deleting) -> None:
    async with console(paths) as story:
        await story.preview("\n".join(PEOPLE[:3]))
        await confirm(story, "escape")
        await story.until_shown("Deleting 1,000,000 rows… 43 %", "Check phone numbers")
        await story.preview(PEOPLE[0])
        assert "Deleting" not in story.all_text(), "there is another list to see"
        assert not story.notices
        deleting.may_end.set()
        await story.until_told("3 rows deleted.")
    assert states(paths) == ["draft"]


async def test_runs_are_forgotten_one_after_the_other(paths: Paths, deleting: Deleting) -> None:
    for _ in range(3):
        add_draft(paths)
    async with console(paths) as story:
        await story.press("3")
        await story.until_shown("3 runs")
        for left in (2, 1):
            await confirm(story, "D")
            await story.until_shown(f"{left} run{'s' * (left > 1)} Deleting 1,000,000 rows… 43 %")
        deleting.may_end.set()
        await story.until_idle("forget")
        assert story.notices == ["1 row deleted."] * 2
        await story.until(lambda: "Deleting" not in story.all_text(), "the end of it on the screen")
    assert states(paths) == ["draft"]


@pytest.mark.parametrize("is_left_at_once", [True, False])
async def test_a_console_that_is_left_lets_the_next_one_delete_the_rest(
    paths: Paths, deleting: Deleting, monkeypatch: pytest.MonkeyPatch, is_left_at_once: bool
) -> None:
    monkeypatch.setattr(app, "DISCARD_SECONDS", 0.05)
    async with console(paths) as story:
        await story.preview("\n".join(PEOPLE[:3]))
        if not is_left_at_once:
            await confirm(story, "escape")
            await story.until_shown("Deleting")
            await story.press("q")
        else:
            await confirm(story, "q")
        await story.until(lambda: story.app.return_value == 0, "the end")
        assert story.session.desk.deletion is not None, "which is told then"
    assert states(paths) == ["discarded"]
    async with console(paths) as story:
        await story.until_shown("Deleting 1,000,000 rows… 43 %", "Check phone numbers")
        deleting.may_end.set()
        await story.until(lambda: "Deleting" not in story.all_text(), "the end of it on the screen")
    assert states(paths) == []


async def test_a_short_list_is_deleted_before_the_console_ends(paths: Paths) -> None:
    async with console(paths) as story:
        await story.preview(PEOPLE[0])
        assert story.session.phase is Phase.PREVIEW
        await confirm(story, "q")
        await story.until(lambda: story.app.return_value == 0, "the end")
        assert story.session.desk.deletion is None
    assert states(paths) == []
