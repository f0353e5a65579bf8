"""The Traffic screen: all that was said with the server; to read, search, copy, save and ask again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.getters import query_one
from textual.message import Message

from watui.client.exchanges import Exchange, Why
from watui.client.failures import Failure
from watui.contract.models import CheckRequest
from watui.files import write_whole
from watui.text import clean, counted
from watui.traffic import curl as curl_words
from watui.traffic.har import har
from watui.traffic.words import is_check, version
from watui.tui import panels, traffic_view
from watui.tui.changes import Changes
from watui.tui.clipboard import copy, nothing_came
from watui.tui.commands import Scope, bar, bindings
from watui.tui.hiding import Hiding
from watui.tui.keys import key_of
from watui.tui.outlet import Outlet
from watui.tui.screens.closing import unless_closed
from watui.tui.screens.dialogs import Confirm, Destination, HarDialog, free_name
from watui.tui.screens.main import TRAFFIC, MainScreen
from watui.tui.screens.rows import MOST_COPIED
from watui.tui.traffic import NOT_YET, Backstage, Traffic, look_backstage, question
from watui.tui.traffic_view import LinesLook, TextLine, TrafficLook
from watui.tui.view import ListView
from watui.tui.widgets.ground import Pane
from watui.tui.widgets.line import Line
from watui.tui.widgets.row_table import RowTable
from watui.tui.widgets.search_line import SearchLine
from watui.tui.widgets.simulator_panel import WIDE
from watui.tui.widgets.static import Static

REPLAY = Why("replay")

_EDGES = 3
"""Columns of a table that no text has."""


class ExchangeTable(RowTable[Exchange]):
    """The list of exchanges."""

    class Last(Message):
        """The newest exchange is wanted."""

    def action_last(self) -> None:
        self.post_message(self.Last())


class LinesTable(RowTable[TextLine]):
    """One exchange, in lines."""

    class Laid(Message):
        """There may be room for longer lines, or not as long ones."""

    def on_resize(self, event: events.Resize) -> None:
        super().on_resize(event)
        self.post_message(self.Laid())


class TrafficScreen(MainScreen):
    """Shows Traffic, and the exchange at hand. It follows what comes while the cursor is on the newest."""

    CSS_PATH = "traffic.tcss"
    BINDINGS: ClassVar = bindings(Scope.TRAFFIC)
    SCOPE = Scope.TRAFFIC
    AUTO_FOCUS = "#exchanges-table"

    state = query_one("#traffic-state", Line)
    table = query_one("#exchanges-table", ExchangeTable)
    lines = query_one("#exchange-table", LinesTable)
    welcome = query_one("#traffic-welcome", Static)
    search_line = query_one(SearchLine)

    def __init__(self, find_changes: Callable[[], Changes], hiding: Hiding, outlet: Outlet) -> None:
        super().__init__(find_changes, hiding)
        self.id = TRAFFIC
        self._desk = self.changes.desk
        self._outlet = outlet
        self.traffic = Traffic(self._desk.exchanges)
        self.is_following = True
        self._is_moving = False
        """Whether the cursor moves, and no person moves it."""
        self._is_raw = False
        self._look = TrafficLook()
        self._backstage: tuple[int, Backstage] | None = None
        """What the simulator says of the exchange of that number."""

    def compose(self) -> ComposeResult:
        yield Line(id="title")
        yield Line(id="traffic-state")
        with Pane(id="traffic"):
            with Pane(id="traffic-list"):
                yield ExchangeTable(id="exchanges-table")
            yield LinesTable(id="exchange-table")
        yield Static(id="traffic-welcome")
        yield SearchLine("part of a path or a body")
        yield Line(id="keys")

    def on_mount(self) -> None:
        self.app.mode_change_signal.subscribe(self, lambda _: self._follow())
        self.watch(self.app, "is_utc", self._tell_times, init=False)
        self.watch(self.app, "hides_numbers", self._show_exchange, init=False)
        self.set_interval(self._outlet.pace.counts, self._follow)
        self.watch(self.table, "at_hand", self._moved, init=False)
        self._show()

    def on_resize(self) -> None:
        self.set_class(self.size.width >= WIDE, "-beside")
        self._show_state()

    # What is shown

    def _follow(self) -> None:
        """Show what has come, while the terminal keeps up; while somebody reads, that it has come."""
        if not self.is_active or not self.traffic.has_come or not self._outlet.is_free:
            return
        if self.is_following:
            self._show()
        else:
            self._show_state()

    def _tell_times(self) -> None:
        self._look = TrafficLook()
        self._show()

    @unless_closed
    def _show(self) -> None:
        """Show the exchanges that there are now, with the cursor on the newest or where it was."""
        at_hand = self.table.row
        self.traffic.look()
        rows = self.traffic.rows
        self.set_class(not rows, "-nothing")
        self.welcome.update(traffic_view.welcome(self.traffic.wanted))
        self._is_moving = True
        self.table.show(ListView(f"exchanges {self.traffic.wanted}", rows), self._look)
        if rows:
            is_there = at_hand is not None and not self.is_following
            place = self.traffic.place_of(at_hand.number) if is_there and at_hand is not None else len(rows) - 1
            self.table.move_to(place)
        self._is_moving = False
        if rows and self.focused is None:
            self.table.focus()
        self._show_state()
        self._show_exchange()

    @unless_closed
    def _show_state(self) -> None:
        self.title_line.show(panels.title(self._desk, TRAFFIC, None, None, self.size.width))
        self.state.show(traffic_view.state(self.traffic, self.is_following))
        self.show_keys()

    @unless_closed
    def show_keys(self) -> None:
        offered = bar(Scope.TRAFFIC, is_hiding=self.hiding.is_on)
        self.keys.show(panels.key_bar(offered, self.size.width, self._desk))

    @on(LinesTable.Laid)
    @unless_closed
    def _show_exchange(self) -> None:
        exchange = self.table.row
        hides_numbers = self.hiding.is_on
        look = LinesLook(traffic_view.title(exchange, self._is_raw, hides_numbers=hides_numbers))
        width = self.lines.size.width - _EDGES
        if exchange is None or width <= 0:
            self.lines.show(None, look)
            return
        known = self._backstage
        is_known = known is not None and known[0] == exchange.number
        backstage = known[1] if known is not None and is_known else NOT_YET if self._desk.is_simulator else None
        found = traffic_view.lines(
            exchange, is_raw=self._is_raw, width=width, backstage=backstage, hides_numbers=hides_numbers
        )
        self.lines.show(ListView(f"exchange {exchange.number} {self._is_raw} {width}", found), look)
        if not self.lines.has_focus and (place := traffic_view.place_of(self.traffic.wanted, found)) is not None:
            self.lines.move_to(place)
        if backstage is NOT_YET:
            self._look_backstage(exchange)

    @work(exclusive=True, group="backstage")
    async def _look_backstage(self, exchange: Exchange) -> None:
        try:
            found = await look_backstage(self._desk, exchange)
        except OSError:
            return  # The simulator is no more, and what it did.
        self._backstage = exchange.number, found
        at_hand = self.table.row
        if at_hand is not None and at_hand.number == exchange.number:
            self._show_exchange()

    async def versions_at_hand(self) -> Sequence[str | None]:
        exchange = self.table.row
        return (version(exchange),) if exchange is not None and exchange.response else ()

    # Going through the list

    def _moved(self, _: object) -> None:
        """Follow, or do not, as the cursor says; behind the last row of what was shown comes what has come since."""
        if self._is_moving:
            return
        is_last = self.table.cursor == self.table.row_count - 1
        self.is_following = is_last and not self.traffic.newer
        if is_last and self.traffic.newer:
            self._show()
        else:
            self._show_state()
            self._show_exchange()

    @on(ExchangeTable.Last)
    def action_follow(self) -> None:
        self.is_following = True
        self.table.focus()
        self._show()

    def action_read(self) -> None:
        if self.table.row is not None:
            self.is_following = False
            self.add_class("-reading")
            self.lines.focus()
            self._show_state()

    def action_raw(self) -> None:
        self._is_raw = not self._is_raw
        self._show_exchange()

    def action_back(self) -> None:
        """One step back."""
        if self.lines.has_focus:
            self.remove_class("-reading")
            self.table.focus()
        elif self.search_line.is_open or self.traffic.wanted:
            self.search_line.close()
            self.table.focus()
            self._search("")

    def action_find(self) -> None:
        self.search_line.open()

    @on(SearchLine.Wanted)
    def search(self, event: SearchLine.Wanted) -> None:
        if event.is_done:
            self.table.focus()
        self._search(event.text)

    def _search(self, text: str) -> None:
        if text != self.traffic.wanted:
            self.traffic.search(text)
            self._show()

    # Taking away

    @work(exclusive=True, group="copy")
    async def action_copy(self) -> None:
        if (exchange := self._at_hand()) is not None and await self.may_copy():
            named = f" It names ${curl_words.TOKEN_VARIABLE}."
            await self._copy(exchange, None, named if curl_words.names_token(exchange) else "")

    @work(exclusive=True, group="copy")
    async def action_copy_whole(self) -> None:
        exchange = self._at_hand()
        if exchange is None:
            return
        if not curl_words.names_token(exchange):
            self.refuse(f"No token went with this request: {key_of('traffic.copy')} copies it.")
            return
        if not await self.app.push_screen_wait(self._question_of_token()):
            return
        with self.refusing():
            try:
                token = await self._desk.token_for(exchange.url)
            except Failure as failure:
                self.refuse(f"There is no token now: {failure.title}.")
                return
            if token is None:
                at = clean(self._desk.server_name)
                self.refuse(f"There is no token of {at} for this request: {key_of('traffic.copy')} copies it.")
            else:
                await self._copy(exchange, token, " The token is in it.")

    def _question_of_token(self) -> Confirm:
        """Return what is asked before a token is copied, and numbers that are hidden on the screen with it."""
        what = "the token and all digits of its numbers" if self.hiding.is_on else "the token"
        question_ = Content.assemble(
            (f"Copy the command with {what} in it?", "bold"),
            f"\n\nWhoever gets to see the clipboard, or the history of a shell, can act as you at"
            f" {clean(self._desk.server_name)}. {key_of('traffic.copy')} copies it without the token.",
        )
        return Confirm(question_, f"copy it with {what}")

    async def _copy(self, exchange: Exchange, token: str | None, more: str) -> None:
        try:
            command = curl_words.curl(exchange, token)
        except curl_words.CannotCopy as error:
            self.refuse(f"This request can't be copied: {error}.")
            return
        if len(command) > MOST_COPIED:
            self.refuse(f"That is too much for a terminal's clipboard: save it with {key_of('traffic.export')}.")
            return
        went = await copy(self.app, command)
        self.notify(f"A command for curl {went}.{more} {nothing_came('traffic.export', 'saves')}", markup=False)

    @work(exclusive=True, group="export")
    async def action_export(self) -> None:
        rows = self.traffic.rows
        if not rows:
            self.refuse("There is no exchange to save.")
            return

        async def write(place: Destination) -> None:
            text = har(rows, hides_numbers=place.hides_numbers)
            await asyncio.to_thread(write_whole, place.path, text, replace=False)
            self.tell_written(counted(len(rows), "exchange"), place)

        await self.write_where_wanted(HarDialog, len(rows), free_name("watui-traffic", ".har"), write)

    # Asking again

    @work(exclusive=True, group="ask again")
    async def action_ask_again(self) -> None:
        exchange = self._at_hand()
        if exchange is None:
            return
        if not is_check(exchange):
            self.refuse("Only checks are asked again here: a contact is changed from its own list.")
        elif (asked := question(exchange)) is None:
            self.refuse("What was asked is not kept whole, or no check: it is not sent again.")
        elif await self.app.push_screen_wait(Confirm(self._cost(asked), "send it")):
            await self._ask(asked)

    def _cost(self, asked: CheckRequest) -> Content:
        what = (
            f"Send this check of {counted(len(asked.contacts), 'input')} once more, to {clean(self._desk.server_name)}?"
        )
        counts = (
            "The simulator counts one more request."
            if self._desk.is_simulator
            else "It is one more call, and calls must not be more than the messages that you send."
        )
        forced = " It asks past the server's cache." if asked.force_check else ""
        kept = "The answer stands here, and is written into no list."
        return Content.assemble((what, "bold"), f"\n\n{counts}{forced} {kept}")

    async def _ask(self, asked: CheckRequest) -> None:
        with self.refusing():
            try:
                await self._desk.check_once(asked, REPLAY)
            except Failure as failure:
                self.refuse(f"{failure.title}. {failure.next_step}")
            if self.is_active:
                self.action_follow()

    def _at_hand(self) -> Exchange | None:
        if self.table.row is None:
            self.refuse("There is no exchange at hand.")
        return self.table.row
