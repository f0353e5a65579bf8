"""The Traffic screen: what was said with the server is read, followed, searched, copied, saved and asked again."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.widgets import Input

from tests.conftest import TOKEN
from tests.simulated import a_world
from tests.traffic.exchanges import URL, an_exchange
from tests.tui.story import HOSTILE, NARROW, PEOPLE, WIDE, Story, console, console_at, table_lines
from watui.client.exchanges import KEPT, Exchanges, Why
from watui.client.server import Server
from watui.settings.paths import Paths
from watui.settings.settings import Settings
from watui.simulator.conditions import Conditions
from watui.simulator.faults import Fault, Kind
from watui.simulator.population import Latency
from watui.simulator.record import Latest
from watui.simulator.world import World
from watui.text import clean
from watui.tui.phases import Phase
from watui.tui.screens.dialogs import Confirm, HarDialog
from watui.tui.screens.traffic import TrafficScreen
from watui.tui.traffic import Backstage, Traffic, question, told_of
from watui.tui.traffic_view import lines, size

pytestmark = pytest.mark.anyio

TOAST_COLUMNS = 54
"""Of a notice's lines."""

CLOSED = "http://127.0.0.1:1"
"""Where nobody listens."""


async def open_traffic(story: Story) -> TrafficScreen:
    await story.press("5")
    return await story.until_on(TrafficScreen)


def numbers(traffic: Traffic) -> list[int]:
    return [each.number for each in traffic.rows]


# What is shown of the exchanges


def test_what_has_come_is_shown_when_it_is_looked_at() -> None:
    exchanges = Exchanges()
    traffic = Traffic(exchanges)
    exchanges.add(an_exchange())
    exchanges.add(an_exchange("/1/block"))
    assert (numbers(traffic), traffic.newer) == ([], 2)
    traffic.look()
    assert (numbers(traffic), traffic.newer) == ([1, 2], 0)
    traffic.search("block")
    exchanges.add(an_exchange())
    exchanges.add(an_exchange("/1/unblock"))
    assert (numbers(traffic), traffic.newer) == ([2], 1)
    traffic.look()
    assert (numbers(traffic), traffic.newer) == ([2, 4], 0)
    traffic.search("")
    assert numbers(traffic) == [1, 2, 3, 4]


@pytest.mark.parametrize("wanted", ["", "block"])
def test_what_is_not_kept_any_more_is_not_shown(wanted: str) -> None:
    exchanges = Exchanges()
    traffic = Traffic(exchanges)
    traffic.search(wanted)
    for _ in range(KEPT + 3):
        exchanges.add(an_exchange("/1/block"))
        traffic.look()
    assert numbers(traffic) == list(range(4, KEPT + 4))
    assert traffic.lost == 3
    assert (traffic.place_of(1), traffic.place_of(5), traffic.place_of(KEPT + 9)) == (0, 1, KEPT - 1)


@pytest.mark.parametrize(
    ("body", "asked"),
    [
        (b'{"contacts":["1","2"],"force_check":true}', ["1", "2"]),
        (b'{"contacts":[]}', None),
        (b"{", None),
        (b"\xff", None),
        (b"", None),
    ],
)
def test_a_check_is_read_back_from_what_was_sent(body: bytes, asked: list[str] | None) -> None:
    found = question(an_exchange(body=body))
    assert (found.contacts if found is not None else None) == asked


def test_what_was_cut_is_not_read_back() -> None:
    assert question(an_exchange(body=b'{"contacts":["1"]}', request_left_out=1)) is None
    assert question(an_exchange("/1/block", body=b'{"contacts":["1"]}')) is None


def latest(seq: int, status: int = 200, at: float = 1_800_000_000.0, path: str = "/v1/contacts") -> Latest:
    return Latest(seq, at, "POST", path, status, ("blocked +1",))


@pytest.mark.parametrize(
    ("head", "status", "told", "found"),
    [
        (b"x-simulator-request: 7", 200, [latest(6), latest(7), latest(8)], 7),
        # Of a world that began anew.
        (b"X-Simulator-Request: 7", 200, [latest(7, path="/v1/health")], None),
        (b"", None, [latest(6), latest(7, 0), latest(8, 0, at=1_800_000_000.5)], 7),
        (b"", None, [latest(7, 0, at=1_800_000_009.0)], None),
        (b"X-Simulator-Request: \xb2", 200, [latest(7)], None),
    ],
)
def test_the_simulator_s_word_is_found(head: bytes, status: int | None, told: list[Latest], found: int | None) -> None:
    word = told_of(an_exchange(response_head=head, status=status), told)
    assert (word.seq if word is not None else None) == found


async def test_the_simulator_s_word_is_found_where_it_is_asked_as_of_another_country(paths: Paths) -> None:
    async with console(paths) as story:
        await story.resolve("+1 631 555 1000")
    async with console(paths, settings=Settings(region="DE")) as story:
        await story.resolve("+49 1512 3456789")
        await story.press("5")
        await story.until(lambda: "the simulator: said 1" in story.all_text(), "what it did")


# What is shown of one


def text_of(*arguments: object, is_raw: bool = False, width: int = 80, **members: object) -> list[str]:
    exchange = an_exchange(*arguments, **members)  # type: ignore[arg-type]
    return [line.text for line in lines(exchange, is_raw=is_raw, width=width)]


def test_json_is_laid_out_or_raw() -> None:
    body = b'{"contacts":["1"],"wa_id":123456789012345678901234567890}'
    assert '    "1"' in text_of(body=body)
    assert '  "wa_id": 123456789012345678901234567890' in text_of(body=body)
    assert body.decode() in text_of(body=body, is_raw=True)


def test_why_it_was_sent_and_what_came_is_said_first() -> None:
    first = text_of(status=429, seconds=0.5, why=Why("poll 3", 2, "503"))[:3]
    assert first[0] == f"POST {URL}"
    assert first[1].startswith("poll 3, again after 503, attempt 2, sent at 2027-01-15 ")
    assert first[2] == "HTTP 429 Too Many Requests after 0.500 s, 2 bytes"


def test_what_is_said_of_it_ends_lines_between_words() -> None:
    shown = [line.text for line in lines(an_exchange(why=Why("poll 3", 2, "503")), is_raw=False, width=30)]
    assert shown[2:4] == ["poll 3, again after 503,", "attempt 2, sent at 2027-01-15"]


def test_a_missing_answer_is_said() -> None:
    shown = text_of(status=None, response=b"", failure="cannot reach it")
    assert shown[2] == "no answer after 0.250 s: cannot reach it"


def test_what_was_not_kept_is_said() -> None:
    assert "1,000,000 bytes more, which were not kept" in text_of(response_left_out=1_000_000)


@given(body=st.binary(max_size=300), is_raw=st.booleans(), width=st.integers(2, 60))
def test_whatever_came_fits(body: bytes, is_raw: bool, width: int) -> None:
    for line in lines(an_exchange(response=body), is_raw=is_raw, width=width):
        assert cell_len(clean(line.text)) <= width


def test_a_huge_body_is_laid_out_at_once() -> None:
    body = json.dumps({"contacts": [{"input": f"+1631555{place}"} for place in range(20_000)]}).encode()
    began = time.monotonic()
    assert len(lines(an_exchange(response=body), is_raw=False, width=80, backstage=Backstage(None))) > 60_000
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 B"), (9_999, "9,999 B"), (123_456, "123 kB"), (12_000_000, "12 MB")]
)
def test_a_size_is_short(count: int, words: str) -> None:
    assert size(count) == words


# The screen


@pytest.mark.parametrize("size", [NARROW, WIDE])
async def test_an_exchange_is_read_and_left(paths: Paths, size: tuple[int, int]) -> None:
    async with console(paths, size=size) as story:
        screen = await open_traffic(story)
        await story.until_shown("Nothing was asked yet")
        await story.press("1")
        await story.resolve("+1 631 555 1000")
        await open_traffic(story)
        await story.until_shown("first question", "HTTP 200", "5 Traffic", "the simulator: ", "said 1 valid")
        assert any("contacts" in line for line in table_lines(screen.table))
        await story.press("enter")
        assert screen.lines.has_focus
        await story.press("end")
        await story.until_shown("+1 631 555 1000 → +1 631-555-1000")
        await story.press("escape")
        assert screen.table.has_focus


async def test_raw_and_laid_out_change_places(paths: Paths) -> None:
    async with console(paths, size=WIDE) as story:
        await story.resolve("+1 631 555 1000")
        await open_traffic(story)
        await story.until_shown("laid out", '"contacts": [')
        await story.press("r")
        await story.until_shown("as it was sent", '{"contacts":["+1 631 555 1000"]')


async def test_newer_ones_are_told_that_the_search_finds(paths: Paths) -> None:
    async with console(paths, size=WIDE) as story:
        exchanges = story.session.desk.exchanges
        for _ in range(2):
            exchanges.add(an_exchange(body=b"spam"))
        await open_traffic(story)
        await story.press("slash", *"spam", "enter", "up")
        await story.until_shown("2 exchanges with “spam”")
        exchanges.add(an_exchange(body=b"abuse"))
        exchanges.add(an_exchange(body=b"spam"))
        await story.until_shown("1 newer: end shows them")
        await story.press("end")
        await story.until_shown("3 exchanges with “spam”")


async def test_the_list_follows_until_somebody_reads(paths: Paths) -> None:
    async with console(paths, size=WIDE) as story:
        exchanges = story.session.desk.exchanges
        for place in range(50):
            exchanges.add(an_exchange(f"/{place}/block"))
        screen = await open_traffic(story)
        await story.until_shown("50 exchanges")
        assert screen.table.cursor == 49
        exchanges.add(an_exchange("/51/block"))
        await story.until(lambda: screen.table.cursor == 50, "the newest is followed")
        await story.press("up")
        exchanges.add(an_exchange("/52/block"))
        await story.until_shown("1 newer")
        assert screen.table.cursor == 49
        await story.press("down")
        await story.until(lambda: screen.table.row_count == 52, "behind the last comes what has come since")
        assert (screen.table.cursor, screen.is_following) == (50, False)
        await story.press("down")
        assert screen.is_following
        await story.press("home")
        assert not screen.is_following
        exchanges.add(an_exchange("/53/block"))
        await story.press("end")
        assert (screen.table.cursor, screen.is_following) == (52, True)


async def test_nothing_is_painted_while_nothing_is_said(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    async with console(paths) as story:
        story.session.desk.exchanges.add(an_exchange())
        screen = await open_traffic(story)
        await story.until_shown("1 exchange")
        await story.until_idle("backstage")
        shown: list[object] = []
        monkeypatch.setattr(screen, "_show", lambda: shown.append(screen))
        screen._follow()
        assert not shown


async def test_a_search_goes_through_bodies(paths: Paths) -> None:
    async with console(paths, size=WIDE) as story:
        exchanges = story.session.desk.exchanges
        exchanges.add(an_exchange("/1/block", body=b'{"reason":"spam"}'))
        exchanges.add(an_exchange("/2/block", body=b'{"reason":"abuse"}'))
        screen = await open_traffic(story)
        await story.press("slash", *"SPAM")
        await story.until(lambda: screen.table.row_count == 1, "one is found")
        await story.press("enter")
        await story.until_shown("1 exchange with “SPAM”")
        assert screen.lines.row is not None
        assert "spam" in screen.lines.row.text, "the cursor is where the text stands"
        await story.press("escape")
        await story.until(lambda: screen.table.row_count == 2, "all are shown")
        await story.until(lambda: screen.table.has_focus, "the list has the keys")
        await story.press("slash")
        await story.until(lambda: isinstance(story.app.focused, Input), "the search has the keys")
        await story.press(*"nob")
        await story.until_shown("No exchange holds “nob”", "/ nob")
        await story.press(*"ody")
        await story.until_shown("No exchange holds “nobody”")
        await story.press("escape")
        await story.until(lambda: screen.table.row_count == 2, "all are shown")


async def test_a_request_is_copied_with_and_without_the_token(paths: Paths, world: World) -> None:
    async with console_at(world, paths, size=WIDE) as story:
        await story.resolve("+1 631 555 1000")
        await open_traffic(story)
        await story.press("c")
        await story.until_told("It names $WATUI_TOKEN")
        assert len(story.notices[-1]) <= 2 * TOAST_COLUMNS, "it covers little of the exchange"
        assert '--header "Authorization: Bearer $WATUI_TOKEN"' in story.app.clipboard
        assert TOKEN not in story.app.clipboard
        await story.press("C")
        await story.until_on(Confirm)
        await story.press("n")
        await story.until_on(TrafficScreen)
        assert TOKEN not in story.app.clipboard
        await story.press("C")
        await story.until_on(Confirm)
        await story.press("y")
        await story.until_told("The token is in it")
        assert f"Authorization: Bearer {TOKEN}" in story.app.clipboard


@pytest.mark.parametrize("hides", [True, False])
async def test_the_question_names_all_that_is_copied(paths: Paths, world: World, hides: bool) -> None:
    async with console_at(world, paths, size=WIDE) as story:
        await story.resolve("+1 631 555 1000")
        await open_traffic(story)
        await story.press(*(["H"] if hides else []), "C")
        await story.until_on(Confirm)
        await story.until_shown("Copy the command with the token")
        assert ("the token and all digits of its numbers in it?" in story.all_text()) is hides
        await story.press("y")
        await story.until_told("The token is in it")
        assert "+1 631 555 1000" in story.app.clipboard


async def test_a_token_is_copied_for_its_own_server_alone(paths: Paths, world: World) -> None:
    async with console_at(world, paths) as story:
        story.session.desk.exchanges.add(an_exchange(url="https://elsewhere.example/v1/contacts"))
        await open_traffic(story)
        await story.press("C")
        await story.until_on(Confirm)
        await story.press("y")
        await story.until_told("There is no token")
        assert TOKEN not in story.app.clipboard


async def test_exchanges_are_saved(paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    async with console(paths) as story:
        await open_traffic(story)
        await story.press("e")
        await story.until_told("no exchange to save")
        await story.press("1")
        await story.resolve("+1 631 555 1000")
        await open_traffic(story)
        await story.press("e")
        await story.until_on(HarDialog)
        await story.press("enter")
        await story.until_told("written to")
    text = (tmp_path / "watui-traffic.har").read_text()
    assert "Bearer ***" in text
    assert json.loads(text)["log"]["entries"][0]["comment"] == "first question"


async def test_a_check_is_asked_again_and_nothing_else_is(paths: Paths, world: World) -> None:
    async with console_at(world, paths, size=WIDE) as story:
        await story.resolve("+1 631 555 1000")
        screen = await open_traffic(story)
        before = story.session.desk.exchanges.count
        await story.press("a")
        await story.until_shown("It is one more call")
        await story.press("y")
        await story.until_shown("replay")
        assert story.session.desk.exchanges.count == before + 1
        first, *_, again = list(story.session.desk.exchanges)
        assert again.request == first.request
        assert again.why == Why("replay")
        story.session.desk.exchanges.add(an_exchange("/1/block"))
        await story.until(lambda: screen.table.row is not None and "block" in screen.table.row.url, "the newest")
        await story.press("a")
        await story.until_told("Only checks are asked again")


async def test_polls_and_retries_say_so(paths: Paths) -> None:
    faults = (Fault(Kind.TOO_MANY_REQUESTS, every=2),)
    world = a_world(latency=Latency(0.3, 0.6), faults=faults)
    async with console_at(world, paths, size=WIDE) as story:
        await story.resolve("\n".join(PEOPLE[:5]))
        reasons = [each.why for each in story.exchanges]
    assert reasons[0] == Why("first question")
    assert any(why.words == "poll 1" for why in reasons)
    assert any(why.attempt == 2 and why.after == "429" for why in reasons)


async def test_a_server_that_is_not_there_is_told(paths: Paths) -> None:
    async with console(paths, Server.at(CLOSED, TOKEN), size=WIDE) as story:
        await story.preview("+1 631 555 1000")
        await story.press("enter")
        await story.until_phase(Phase.RUNNING)
        await story.until(lambda: bool(story.exchanges), "a request was made")
        await open_traffic(story)
        await story.until_shown("no answer", "connection refused")
        await story.press("a")
        await story.until_on(Confirm)
        await story.press("y")
        await story.until_told("cannot reach")


async def test_what_is_hostile_does_nothing(paths: Paths) -> None:
    body = HOSTILE.encode() + b"\xff\x00\r\n"
    async with console(paths, read_only=True) as story:
        for status in (200, None):
            exchange = an_exchange(
                "/x", body=body, response=body * 30, response_head=b"x: " + body, status=status, failure=HOSTILE
            )
            story.session.desk.exchanges.add(exchange._replace(why=Why(HOSTILE), url=URL + "/" + HOSTILE))
        screen = await open_traffic(story)
        await story.until_shown("2 exchanges")
        for keys in (("r",), ("up",), ("r",), ("enter",), ("end",), ("escape",), ("slash", "x"), ("enter",)):
            await story.press(*keys)
            story.assert_harmless()
        assert screen.table.row_count


async def test_a_thousand_exchanges_do_no_harm_to_a_run(paths: Paths) -> None:
    world = World("US", 0, conditions=Conditions(latency=Latency(0.3, 0.6)))
    async with console_at(world, paths) as story:
        for place in range(KEPT + 20):
            story.session.desk.exchanges.add(an_exchange(f"/{place}/block", response=b"x" * 1_000))
        await story.preview("\n".join(PEOPLE))
        await story.press("enter")
        screen = await open_traffic(story)
        await story.until(lambda: story.session.phase is Phase.ENDED, "the run ends")
        await story.until(lambda: not screen.traffic.newer, "all is shown")
        await story.until_shown("1,000 exchanges", "older ones are not kept")
