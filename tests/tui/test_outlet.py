"""What nobody waits for is painted only when the line to the terminal is free."""

import pytest

from tests.tui.story import console
from watui.ledger.ledger import Ledger
from watui.ledger.rows import NewRow
from watui.settings.paths import Paths
from watui.settings.settings import LowBandwidth, Settings
from watui.tui.outlet import LOW_BANDWIDTH, USUAL, Outlet, Pace

FRAME = 2_000


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("pace", [USUAL, LOW_BANDWIDTH])
def test_a_frame_takes_its_share_of_the_line(pace: Pace) -> None:
    clock = Clock()
    outlet = Outlet(pace, clock)
    assert outlet.is_free
    outlet.wrote(FRAME)
    clock.now += 0.99 * FRAME / pace.bytes_per_second
    assert not outlet.is_free
    clock.now += 0.02 * FRAME / pace.bytes_per_second
    assert outlet.is_free


@pytest.mark.parametrize("pace", [USUAL, LOW_BANDWIDTH])
def test_a_screen_full_does_not_hold_the_rest_up_for_long(pace: Pace) -> None:
    clock = Clock()
    outlet = Outlet(pace, clock)
    for _ in range(20):
        outlet.wrote(10 * FRAME)
    clock.now += pace.longest
    assert outlet.is_free


def test_no_more_is_painted_in_the_long_run_than_the_line_may_carry() -> None:
    clock = Clock()
    outlet, written = Outlet(USUAL, clock), 0
    for _ in range(1_000):
        if outlet.is_free:
            outlet.wrote(FRAME)
            written += FRAME
        clock.now += USUAL.tick
    assert 0.8 * USUAL.bytes_per_second < written / (clock.now - 100.0) <= 1.01 * USUAL.bytes_per_second


def test_a_terminal_that_answers_is_waited_for() -> None:
    clock = Clock()
    outlet = Outlet(USUAL, clock)
    outlet.wrote(FRAME)
    assert outlet.should_ask()
    assert not outlet.should_ask(), "nothing has been painted since"
    outlet.answered()
    clock.now += 1.0
    outlet.wrote(FRAME)
    assert outlet.should_ask()
    clock.now += 1.0
    assert not outlet.is_free, "it has not caught up"
    outlet.answered()
    clock.now += 3.9
    assert not outlet.is_free, "now it is the keys' turn"
    clock.now += 0.2
    assert outlet.is_free


def test_it_is_free_when_the_last_question_is_answered() -> None:
    clock = Clock()
    outlet = Outlet(USUAL, clock)
    outlet.wrote(FRAME)
    assert outlet.should_ask()
    outlet.answered()
    for _ in range(2):
        outlet.wrote(FRAME)
        assert outlet.should_ask()
    clock.now += 1.0
    outlet.answered()
    clock.now += 3.9
    assert not outlet.is_free
    outlet.answered()
    clock.now += 20.0
    assert outlet.is_free


def test_what_is_small_is_not_asked_about() -> None:
    outlet = Outlet(USUAL, Clock())
    outlet.wrote(80)
    assert not outlet.should_ask()


def test_a_terminal_that_never_answers_holds_nothing_up() -> None:
    clock = Clock()
    outlet = Outlet(USUAL, clock)
    outlet.wrote(FRAME)
    assert outlet.should_ask()
    clock.now += 1.0
    assert outlet.is_free
    clock.now += 20.0
    outlet.wrote(FRAME)
    assert not outlet.should_ask(), "it is not asked over and over"
    clock.now += 60.0
    assert outlet.should_ask(), "but now and then"
    clock.now += 20.0
    assert outlet.is_free
    outlet.answered()
    outlet.wrote(FRAME)
    assert outlet.should_ask(), "it was only late"


def test_nothing_is_asked_of_a_terminal_that_is_left() -> None:
    outlet = Outlet(USUAL, Clock())
    outlet.close()
    outlet.wrote(FRAME)
    assert not outlet.should_ask()
    outlet.open()
    assert outlet.should_ask()


def test_one_slow_answer_is_not_paid_for_many_times() -> None:
    clock = Clock()
    outlet = Outlet(USUAL, clock)
    outlet.wrote(FRAME)
    assert outlet.should_ask()
    clock.now += 15.0
    outlet.answered()
    clock.now += 5.0
    assert outlet.is_free


@pytest.mark.parametrize(("took", "patience"), [(0.1, 3.0), (2.0, 10.0)])
def test_an_answer_that_is_lost_holds_nothing_up_for_long(took: float, patience: float) -> None:
    clock = Clock()
    outlet = Outlet(USUAL, clock)
    outlet.wrote(FRAME)
    assert outlet.should_ask()
    clock.now += took
    outlet.answered()
    clock.now += 20.0
    outlet.wrote(FRAME)
    assert outlet.should_ask()
    clock.now += patience - 0.1
    assert not outlet.is_free
    clock.now += 0.2
    assert outlet.is_free
    outlet.wrote(FRAME)
    assert outlet.should_ask(), "one may be lost"
    clock.now += patience + 0.1
    assert outlet.is_free
    outlet.wrote(FRAME)
    assert not outlet.should_ask(), "two are no accident"
    outlet.answered()
    assert outlet.should_ask()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("choice", "environment", "pace", "animation"),
    [
        ("auto", {}, USUAL, "full"),
        ("auto", {"SSH_TTY": "/dev/pts/1"}, LOW_BANDWIDTH, "none"),
        ("off", {"SSH_TTY": "/dev/pts/1"}, USUAL, "full"),
        ("on", {}, LOW_BANDWIDTH, "none"),
    ],
)
async def test_the_setting_slows_the_console_down_and_lets_nothing_move(
    choice: LowBandwidth,
    environment: dict[str, str],
    pace: Pace,
    animation: str,
    paths: Paths,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    async with console(paths, settings=Settings(low_bandwidth=choice)) as story:
        assert (story.app.outlet.pace, story.app.animation_level) == (pace, animation)


@pytest.mark.anyio
async def test_nothing_is_painted_that_nobody_waits_for_until_the_line_is_free(paths: Paths) -> None:
    clock = Clock()
    async with console(paths) as story:
        screen = story.screen
        await story.preview("+1 212 555 0001")
        screen._outlet = Outlet(USUAL, clock)
        screen._outlet.wrote(FRAME)
        before = story.session.record
        assert before is not None
        await story.session.desk.ledger(_add_row, before.id)
        screen._tick()
        assert story.session.record is before, "nothing is read either"
        clock.now += USUAL.longest
        screen._tick()
        assert story.session.record is not before


def _add_row(ledger: Ledger, run_id: int) -> None:
    source_id = ledger.add_source(run_id, "more", None)
    ledger.add_rows(run_id, source_id, [NewRow(1, "x", "+12125550002", "+12125550002", "US", None, None)], {})
