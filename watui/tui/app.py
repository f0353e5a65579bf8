"""The console: themes, the first screen, and a clean end whatever ends it.

What the first screen does not show is imported when it is first needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from textual import work
from textual.app import App, SystemCommand
from textual.content import Content
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.filter import DimFilter, LineFilter
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.reactive import Initialize, Reactive, reactive
from textual.screen import Screen
from textual.theme import Theme
from textual.widget import Widget

from watui.crash import Crash
from watui.desk import Desk
from watui.ledger.schema import LedgerUnusable
from watui.settings.bandwidth import is_low_bandwidth
from watui.settings.secrets import Secrets
from watui.settings.settings import BadSettings, Settings, save
from watui.text import clean, counted, masked
from watui.tui.commands import ALL_OVER, Command, Scope, bindings, described, together
from watui.tui.driver import driver_for
from watui.tui.endings import TerminalKeeper, silent_console, tell
from watui.tui.hiding import Hiding
from watui.tui.keys import key_names, key_of, use_keys
from watui.tui.masking import Masking
from watui.tui.outlet import LOW_BANDWIDTH, USUAL, Outlet
from watui.tui.screens.check import CheckScreen
from watui.tui.screens.main import BLOCKLIST, CHECK, RUNS, SETTINGS, TRAFFIC, MainScreen
from watui.tui.session import Session
from watui.tui.themes import THEMES, first_theme, quiet
from watui.tui.typed_ahead import TypedAhead
from watui.zone import ZONE

if TYPE_CHECKING:
    from watui.ledger.upkeep import Deletion
    from watui.setup import Setup
    from watui.tui.changes import Changes

ENDING_SIGNALS = (signal.SIGTERM, signal.SIGHUP)

WARNED_SECONDS = 30.0
"""How long it is shown what a person must know before all else."""

DISCARD_SECONDS = 1.0
"""How long it is waited, before the console ends, until a list is deleted."""

SWITCH_SECONDS = 0.001
"""How long another thread, such as the simulator's, may keep the interpreter while a key waits."""

_KEPT_SYSTEM_COMMANDS = frozenset({"Theme"})


class Switched(NamedTuple):
    """How a console ends that goes on at another profile."""

    profile: str
    hides_numbers: bool | None = None
    """What a person has said of that by then."""
    left_words: str | None = None
    """What is to be said there of a run that was left behind."""
    is_utc: bool = False
    """Whether times are told in UTC by then."""


_MASKING = Masking()


def _holds_number(widget: Widget) -> bool:
    shown = widget.render()
    return isinstance(shown, Content) and masked(shown.plain) != shown.plain


def _first_theme(app: WatuiApp) -> str:
    return first_theme(app.chosen_theme, app.available_themes)


class WatuiApp(App[int]):
    """The console for one desk."""

    TITLE = "watui"
    CSS_PATH = ["app.tcss", "screens/check.tcss", "widgets/simulator_panel.tcss"]
    DEFAULT_MODE = CHECK
    # A theme that comes later would have all styles read, and the screen painted, once more.
    theme: Reactive[str] = Reactive(Initialize(_first_theme))
    is_utc = reactive(False, init=False)
    """Whether times are told in UTC. Whoever shows times watches it."""
    hides_numbers = reactive(False, init=False)
    """Whether numbers are hidden. Whoever cuts text into lines, or hides more than what is painted, watches it."""
    BINDINGS: ClassVar = bindings(*ALL_OVER)
    ENABLE_COMMAND_PALETTE = True

    def __init__(
        self,
        desk: Desk,
        settings: Settings,
        secrets: Secrets | None = None,
        warning: str | None = None,
        *,
        hides_numbers: bool | None = None,
        is_utc: bool = False,
    ) -> None:
        """`secrets` are those by which the desk is known; `warning` is what a person must know before all else.

        `hides_numbers` is what a person has said of that, None for nothing.
        """
        self.chosen_theme = settings.theme
        self.outlet = Outlet(LOW_BANDWIDTH if is_low_bandwidth(settings.low_bandwidth) else USUAL)
        super().__init__()
        if self.outlet.pace is LOW_BANDWIDTH:
            self.animation_level = "none"
        self.error_console = silent_console()
        self.crash: Crash | None = None
        self.session = Session(desk, settings.blocking, settings.batch_size, settings.retention_days)
        self._secrets = secrets or Secrets(desk.paths.secrets)
        self.switched: Switched | None = None
        """The profile at which the console is to be opened next."""
        self.hiding = Hiding(hides_numbers, self._mask)
        self.set_reactive(WatuiApp.hides_numbers, self.hiding.is_on)
        self.set_reactive(WatuiApp.is_utc, is_utc)
        self.add_mode(
            CHECK,
            lambda: CheckScreen(self.session, self._find_changes, self.hiding, self.outlet, settings.notice),
        )
        self.add_mode(BLOCKLIST, self._blocklist_screen)
        self.add_mode(RUNS, self._runs_screen)
        self.add_mode(SETTINGS, self._settings_screen)
        self.add_mode(TRAFFIC, self._traffic_screen)
        keymap, problems = use_keys(settings.keys)
        self.set_keymap(keymap)
        self._warnings = [words for words in (warning, desk.warning, *problems) if words is not None]
        self._latest_notice = "", 0.0
        """And until when it is shown."""
        self._typed = TypedAhead(self, super().post_message)
        self._is_shown = False
        self.terminal = TerminalKeeper()
        self.ended_by: int | None = None
        """The exit code that a signal, or the loss of the terminal, has led to."""

    def get_driver_class(self) -> type[Driver]:
        driver_class = super().get_driver_class()
        return driver_for(self.outlet) if driver_class is LinuxDriver else driver_class

    @cached_property
    def changes(self) -> Changes:
        """What changes contacts."""
        from watui.tui.changes import Changes

        return Changes(self, self.session.desk)

    @cached_property
    def available_themes(self) -> dict[str, Theme]:  # Asked for with each line that is painted.
        return {**super().available_themes, **{theme.name: theme for theme in THEMES}}

    def _find_changes(self) -> Changes:
        return self.changes

    @cached_property
    def setup(self) -> Setup:
        """What changes profiles."""
        from watui.setup import Setup

        return Setup(self.session.desk.paths, self._secrets, self.session.desk.exchanges)

    def _blocklist_screen(self) -> MainScreen:
        from watui.tui.screens.blocklist import BlocklistScreen

        return BlocklistScreen(self._find_changes, self.hiding)

    def _runs_screen(self) -> MainScreen:
        from watui.tui.screens.runs import RunsScreen

        return RunsScreen(self.session, self._find_changes, self.hiding)

    def _settings_screen(self) -> MainScreen:
        from watui.tui.screens.settings import SettingsScreen

        return SettingsScreen(self.setup, self._find_changes, self.hiding, self.switch_to)

    def _traffic_screen(self) -> MainScreen:
        from watui.tui.screens.traffic import TrafficScreen

        return TrafficScreen(self._find_changes, self.hiding, self.outlet)

    def on_load(self) -> None:
        ZONE.is_utc = self.is_utc

    def on_mount(self) -> None:
        self._is_shown = True
        # The terminal comes back from the shell empty, and of the size that it had: nothing else lets it be painted.
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        self.mode_change_signal.subscribe(self, lambda _: self._mask_where_not())
        self.theme_changed_signal.subscribe(self, lambda theme: self._keep_theme(theme.name))
        for words in self._warnings:
            self.notify(clean(words), severity="warning", markup=False, timeout=WARNED_SECONDS)
        loop = asyncio.get_running_loop()
        for number in ENDING_SIGNALS:
            loop.add_signal_handler(number, self.end_by, number)

    def get_css_variables(self) -> dict[str, str]:
        variables = super().get_css_variables()
        return {"quiet": quiet(variables["foreground"]), **variables}

    def get_line_filters(self) -> Sequence[LineFilter]:
        # Textual would mix a colour for what is faint, out of two that only the terminal knows.
        found = super().get_line_filters()
        if self.native_ansi_color:
            found = [each for each in found if not isinstance(each, DimFilter)]
        return [*found, *([_MASKING] if self.hiding.is_on else [])]

    def watch_is_utc(self, is_utc: bool) -> None:
        ZONE.is_utc = is_utc

    def _mask(self) -> None:
        """Paint the screens at hand anew, for what is hidden has changed."""
        self.hides_numbers = self.hiding.is_on
        if self.hides_numbers and any(map(_holds_number, self.screen.query("Toast"))):
            self._latest_notice = "", 0.0
            self.clear_notifications()  # They stand there wrapped, and can't be told otherwise.
        for screen in self.screen_stack:
            screen.set_class(self.hiding.is_on, "-masked", update=False)
            for widget in screen.walk_children(with_self=True):
                widget.refresh()
            if isinstance(screen, MainScreen):
                screen.show_keys()

    def _mask_where_not(self) -> None:
        """Paint the screen that was come to anew, where it was painted before what is hidden has changed."""
        if self.screen.has_class("-masked") is not self.hiding.is_on:
            self._mask()

    def action_mask(self) -> None:
        """Hide the numbers of people, or show them again."""
        self.hiding.turn()
        is_hidden = self.hiding.is_on
        done, other = ("hidden", "shows") if is_hidden else ("shown", "hides")
        self.notify(f"Numbers are {done}; {key_of('showing.mask')} {other} them.", markup=False)

    def copy_to_clipboard(self, text: str) -> None:
        """Copy what is selected on a screen, hidden as it is there."""
        super().copy_to_clipboard(self.hiding.shown(text))

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Show a notice, its numbers hidden before it is wrapped; not once more where it is the latest, still there."""
        message = self.hiding.shown(message)
        latest, until = self._latest_notice
        now = time.monotonic()
        if message != latest or now >= until:
            self._latest_notice = message, now + (timeout or self.NOTIFICATION_TIMEOUT)
            super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    def action_utc(self) -> None:
        """Tell times in UTC, or in the zone of this machine again."""
        self.is_utc = not self.is_utc
        words = ["in UTC", f"in the zone of this machine, {time.localtime().tm_zone}"]
        told, other = words if self.is_utc else words[::-1]
        self.notify(clean(f"Times are {told}; {key_of('showing.utc')} tells them {other}."), markup=False)

    def action_screenshot(self, filename: str | None = None, path: str | None = None) -> None:
        """Save what is on the screen, hidden as it is there."""
        from watui.files import CannotWrite, write_whole
        from watui.tui.screens.dialogs import free_name

        try:
            place = Path(path or "", filename) if filename else free_name(f"watui-{self.current_mode}", ".svg")
            write_whole(place, [self.export_screenshot()], replace=False)
        except (CannotWrite, OSError) as error:
            self.notify(clean(str(error)), severity="warning", markup=False)
        else:
            hidden = "" if self.hiding.is_on else f" Its numbers can be read: {key_of('showing.mask')} hides them."
            self.notify(f"Saved as {clean(place.name)}.{hidden}", markup=False)

    def post_message(self, message: Message) -> bool:
        return self._typed.takes(message) or super().post_message(message)

    def call_next(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        async def called() -> None:
            try:
                result = callback(*args, **kwargs)
                if inspect.isawaitable(result):
                    await result
            except asyncio.CancelledError:
                # A dialog that is closed may be waited for by somebody else who is cancelled, and that takes all other
                # waiters along. Where nobody has cancelled the console itself, it would end without a word.
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise

        super().call_next(called)

    def refresh_css(self, animate: bool = True) -> None:
        if self._is_shown:
            super().refresh_css(animate)
        else:
            # Before the first screen is shown all styles have only just been read: it is enough to apply them.
            self.stylesheet.update(self, animate)

    def bell(self) -> None:
        # Textual rings the bell first of all when it gives up on an exception, while that is still being handled:
        # the one public place to see which it was.
        if (error := sys.exception()) is not None:
            self.crash = Crash.of(error)
        super().bell()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        offered = together(screen.SCOPE) if isinstance(screen, MainScreen) else ALL_OVER
        for command in described():
            is_here = self.session.desk.is_simulator or not command.for_simulator
            if command.id != "palette" and command.scope in offered and is_here:
                title = f"{command.title.capitalize()} ({key_names(command)[0]})"
                yield SystemCommand(title, command.help, self._action(command, screen))
        for known in super().get_system_commands(screen):
            if known.title in _KEPT_SYSTEM_COMMANDS:
                yield known

    def action_command_palette(self) -> None:
        from watui.tui.screens.modal import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def _action(self, command: Command, screen: Screen[object]) -> Callable[[], Awaitable[bool]]:
        return lambda: self.run_action(command.action, screen)

    def action_help_quit(self) -> None:
        """What Textual does on ctrl+c, in our keys."""
        copies = f"; {key_of('check.copy')} copies the numbers shown" if isinstance(self.screen, CheckScreen) else ""
        self.notify(f"{key_of('everywhere.quit')} leaves watui{copies}.", markup=False)

    async def action_help(self) -> None:
        from watui.tui.screens.help import HelpScreen

        scope = self.screen.SCOPE if isinstance(self.screen, MainScreen) else Scope.CHECK
        await self.push_screen(HelpScreen(scope))

    async def action_quit(self) -> None:
        self._quit()

    def switch_to(self, profile: str) -> None:
        """Leave, after asking where something would be lost, to open the console at another profile."""
        self._quit(Switched(profile, self.hiding.wanted, is_utc=self.is_utc))

    @work(exclusive=True, group="quit")
    async def _quit(self, switched: Switched | None = None) -> None:
        if not await self._may_leave():
            return
        self.switched = switched._replace(left_words=self._left_words()) if switched is not None else None
        self.exit(0)

    async def _may_leave(self) -> bool:
        from watui.tui.screens.dialogs import Confirm

        if self.changes.is_under_way:
            question = "Leave while a change is under way? What is not sent by now is not sent."
            if not await self.push_screen_wait(Confirm(Content(question), "leave")):
                return False
        record = self.session.record
        if record is not None and not self.session.has_room:
            question = (
                "Leave before all numbers are decided? The run stops; what is known is kept."
                if self.session.is_asking
                else "Leave this list? It has not been sent, and is not kept."
            )
            if not await self.push_screen_wait(Confirm(Content(question), "leave")):
                return False
            if not self.session.is_asking:
                await self._discard()
        return True

    def _left_words(self) -> str | None:
        """What is to be said of the run that stops when this console is left; None where none does."""
        record = self.session.record
        if record is None or not self.session.is_asking:
            return None
        at, key = self.session.desk.profile, key_of("check.pause")
        return f"Run {record.id} at {at} has stopped; what is known is kept. There {key} goes on with it."

    async def _discard(self) -> None:
        """Discard the list at hand; where that takes long, it is told on the way out."""
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DISCARD_SECONDS):
                    await self.session.discard()
        except LedgerUnusable as error:
            self.notify(clean(str(error)), severity="warning", markup=False)

    def end_by(self, number: int) -> None:
        """End in order as this signal wants it, and without order where that takes long."""
        if self.ended_by is None:
            self.ended_by = 128 + number
            self.terminal.force_end_later(self.ended_by)
            self.exit(self.ended_by)

    @work(exclusive=True, group="settings")
    async def _keep_theme(self, name: str) -> None:
        if name == self.chosen_theme:
            return
        self.chosen_theme = name
        try:
            await asyncio.to_thread(save, self.session.desk.paths.settings, "theme", name)
        except BadSettings as error:
            self.notify(clean(str(error)), severity="warning", markup=False)


def run_console(
    desk: Desk,
    settings: Settings,
    secrets: Secrets,
    warning: str | None,
    hides_numbers: bool | None,
    *,
    is_utc: bool = False,
) -> int | Switched | None:
    """Run the console until it ends and return the exit code, or where to go on; None after a mistake of our own."""
    sys.setswitchinterval(SWITCH_SECONDS)
    app = WatuiApp(desk, settings, secrets, warning, hides_numbers=hides_numbers, is_utc=is_utc)
    asyncio.run(_run(app))
    if app.ended_by is not None:
        return app.ended_by
    if app.return_code == 1:
        crash = app.crash or Crash("unknown", ())
        tell(crash.report(desk.paths.crash_log))
        return None
    return app.switched or app.return_value or 0


def _left(deletion: Deletion) -> str:
    """Return what becomes of a deletion when the console ends."""
    if deletion.share < 1:
        return (
            f"{counted(deletion.rows, 'row')} are not all deleted yet: watui goes on with that when it is started next."
        )
    return deletion.words


async def _run(app: WatuiApp) -> None:
    loop = asyncio.get_running_loop()
    app.terminal.on_hangup(lambda: loop.call_soon_threadsafe(app.end_by, signal.SIGHUP))
    try:
        await app.run_async()
    finally:
        if "changes" in vars(app):  # Or else nothing was ever changed.
            await app.changes.close()
        if (deletion := app.session.desk.deletion) is not None:
            tell(_left(deletion))
        await app.session.desk.close()
