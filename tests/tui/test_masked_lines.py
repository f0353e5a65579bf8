"""A number that goes on in the next line is hidden as one that stands on a line of its own."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.content import Content
from textual.filter import LineFilter
from textual.strip import Strip

from tests.hidden import assert_hidden
from tests.traffic.exchanges import an_exchange
from watui.client.exchanges import Exchange
from watui.simulator.control import ContactState
from watui.simulator.record import Latest
from watui.text import masked
from watui.tui.contacts import Contact, Facts
from watui.tui.contacts import lines as contact_lines
from watui.tui.masking import Masking, without_numbers
from watui.tui.traffic import Backstage
from watui.tui.traffic_view import lines
from watui.tui.widgets.static import Static

pytestmark = pytest.mark.anyio

NUMBERS = st.permutations("123456789").map("".join)
"""With no digit twice, so that the ends of two are never taken for more of one."""


def said(number: str, separator: str) -> tuple[Exchange, Backstage]:
    """An exchange about one number, and what the simulator knows of it."""
    written = "+" + separator.join(number[place : place + 3] for place in range(0, len(number), 3))
    body = json.dumps({"contacts": [written]}).encode()
    answer = json.dumps({"contacts": [{"input": written, "status": "valid", "wa_id": number}], "meta": {}}).encode()
    exchange = an_exchange(f"/{number}/block", body=body, response=answer, failure=f"no user {number}", status=None)
    known = Latest(1, 0.0, "POST", f"/v1/contacts/{number}/block", 200, (f"blocked +{number}",))
    return exchange, Backstage(known, (ContactState(written, f"+{number}"), ContactState(written, None)))


def assert_neighbours_hidden(shown: list[str], number: str) -> None:
    """No two lines together show more of a number than its end, as they are painted."""
    painted = list(map(masked, shown))
    assert_hidden(painted, [number])
    assert_hidden(map("".join, pairwise([*painted, ""])), [number])


@given(NUMBERS, st.sampled_from(["", " ", "-", "  ", ", ", "/"]), st.integers(2, 90), st.booleans())
def test_no_two_lines_of_an_exchange_show_more_than_the_end(
    number: str, separator: str, width: int, is_raw: bool
) -> None:
    exchange, backstage = said(number, separator)
    found = lines(exchange, is_raw=is_raw, width=width, backstage=backstage, hides_numbers=True)
    assert_neighbours_hidden([line.text for line in found], number)


def test_an_exchange_is_shown_whole_where_nothing_is_hidden() -> None:
    exchange, backstage = said("27911123456", " ")
    shown = "".join(line.text for line in lines(exchange, is_raw=True, width=72, backstage=backstage))
    assert '"wa_id": "27911123456"' in shown
    assert "+279 111 234 56 → " in shown


@given(NUMBERS, st.integers(20, 90))
def test_no_two_lines_of_a_contact_show_more_than_the_end(number: str, width: int) -> None:
    facts = Facts([], [], blocked_problem=f"the words of a server about {number} and +{number}")
    shown = contact_lines(Contact.of_wa_id(number, f"+{number}"), facts, width, hides_numbers=True)
    assert_neighbours_hidden(shown.plain.splitlines(), number)


@given(st.text(st.sampled_from("0123456789０１ +-"), max_size=30), st.integers(0, 30), st.integers(0, 30))
def test_what_is_hidden_keeps_its_styles(text: str, start: int, end: int) -> None:
    content = Content(text).stylize("bold", start, end)
    hidden = without_numbers(content)
    assert (hidden.plain, hidden.spans) == (masked(text), content.spans)
    assert hidden.cell_length == content.cell_length


class Shown(App[None]):
    """Shows a text in a box, hidden."""

    def __init__(self, words: str, width: int) -> None:
        super().__init__()
        self._words, self._width = words, width

    def compose(self) -> ComposeResult:
        static = Static(Content(self._words))
        static.styles.width = self._width
        yield static

    def get_line_filters(self) -> list[LineFilter]:
        return [Masking()]


@pytest.mark.parametrize("width", [3, 5, 8, 12, 17, 20])
@pytest.mark.parametrize("words", ["about +1 631 555 1014 and 27911123456", "+27 911 123456/16315551014"])
async def test_a_text_that_is_wrapped_shows_no_more_either(words: str, width: int) -> None:
    app = Shown(words, width)
    async with app.run_test():
        static = app.query_one(Static)
        painted: list[Strip] = static.render_lines(static.size.region)
        shown = [line.text for line in painted]
    assert "•" in "".join(shown)
    for number in ("16315551014", "27911123456"):
        assert_hidden(["".join(each.strip() for each in shown)], [number])
