"""The Settings screen: what holds for all, and the servers that have a name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.app import ComposeResult
from textual.content import Content
from textual.getters import query_one

from watui.client.dialects import Ability
from watui.client.failures import Failure
from watui.client.server import is_token
from watui.client.trust import BadTrust, NoHandshake, Presented, Trust, presented
from watui.settings.secrets import Store
from watui.settings.settings import SIMULATOR
from watui.setup import Setup
from watui.text import clean
from watui.tui import panels, settings_view
from watui.tui.changes import Changes
from watui.tui.commands import Scope, bar, bindings
from watui.tui.groups import BAD_CHOICES, Group, Member, add, change, offered, read_groups
from watui.tui.hiding import Hiding
from watui.tui.keys import key_of
from watui.tui.screens.closing import unless_closed
from watui.tui.screens.dialogs import Confirm
from watui.tui.screens.main import SETTINGS, MainScreen
from watui.tui.screens.profiles import FindingsScreen, Given, LoginDialog, MemberDialog, NewProfileDialog
from watui.tui.settings_view import GroupsLook, MembersLook
from watui.tui.view import ListView
from watui.tui.widgets.line import Line
from watui.tui.widgets.row_table import RowTable
from watui.tui.widgets.static import Static
from watui.zone import ZONE

if TYPE_CHECKING:
    from watui.sites import Site

_NEXT_START = frozenset(
    {
        "region",
        "batch_size",
        "blocking",
        "profile",
        "read_only",
        "retention_days",
        "log_numbers",
        "low_bandwidth",
        "notice",
    }
)
"""Settings that hold from the next start on."""

_ONE_AT_A_TIME = frozenset({"edit", "add", "test", "login", "logout", "pin", "use", "remove"})
"""Actions of which the next one waits for the end of the one before."""

_TROUBLES = (*BAD_CHOICES, BadTrust, OSError)


class GroupTable(RowTable[Group]):
    """The list of profiles."""


class MemberTable(RowTable[Member]):
    """What a profile holds."""


class SettingsScreen(MainScreen):
    """Profiles above, what the one at hand holds below; both are read anew after every change."""

    CSS_PATH = "settings.tcss"
    BINDINGS: ClassVar = bindings(Scope.SETTINGS)
    SCOPE = Scope.SETTINGS
    AUTO_FOCUS = "#groups-table"

    groups = query_one("#groups-table", GroupTable)
    members = query_one("#members-table", MemberTable)
    heading = query_one("#group-heading", Line)
    about = query_one("#member-about", Static)
    problem = query_one("#settings-problem", Static)

    def __init__(
        self, setup: Setup, find_changes: Callable[[], Changes], hiding: Hiding, switch_to: Callable[[str], None]
    ) -> None:
        super().__init__(find_changes, hiding)
        self.id = SETTINGS
        self._setup = setup
        self._switch_to = switch_to
        self._shown: list[Group] = []

    def compose(self) -> ComposeResult:
        yield Line(id="title")
        yield GroupTable(id="groups-table")
        yield Static(id="settings-problem")
        yield Line(id="group-heading")
        yield MemberTable(id="members-table")
        yield Static(id="member-about")
        yield Line(id="keys")

    def on_mount(self) -> None:
        self.app.mode_change_signal.subscribe(self, lambda _: self._look())
        self.watch(self.app, "is_utc", self._tell_times, init=False)
        self.watch(self.groups, "at_hand", self._show_group, init=False)
        self.watch(self.members, "at_hand", self._show_member, init=False)
        self._look()

    def on_resize(self) -> None:
        self._show_lines()

    def _tell_times(self) -> None:
        self._look()

    # What is shown

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        # One thing at a time: the next key must not cut short what a server is being asked.
        is_busy = any(not worker.is_finished for worker in self.workers if worker.group == "settings")
        return False if is_busy and action in _ONE_AT_A_TIME else super().check_action(action, parameters)

    @work(exclusive=True, group="settings-look")
    async def _look(self) -> None:
        if self.is_active:
            await self._read()

    async def _read(self) -> None:
        is_first = not self._shown
        try:
            self._shown = await asyncio.to_thread(read_groups, self._setup, self.changes.desk.profile)
            problem = None
        except BAD_CHOICES as error:
            self._shown, problem = [], str(error)
        self._show(problem)
        if is_first and not self.changes.desk.is_simulator:
            self._go_to_group(self.changes.desk.profile)

    @unless_closed
    def _show(self, problem: str | None) -> None:
        self.problem.display = problem is not None
        self.problem.update(Content(clean(problem or "")))
        self.groups.show(ListView("groups", self._shown), GroupsLook())
        self._show_group()
        self._show_lines()

    @unless_closed
    def _show_lines(self) -> None:
        desk = self.changes.desk
        self.title_line.show(panels.title(desk, SETTINGS, None, None, self.size.width))
        self.show_keys()

    @unless_closed
    def show_keys(self) -> None:
        self.keys.show(panels.key_bar(bar(Scope.SETTINGS, is_hiding=self.hiding.is_on), self.size.width))

    def _show_group(self) -> None:
        group = self.groups.row
        self.heading.show(settings_view.heading(group))
        rows = group.members if group is not None else ()
        self.members.show(ListView(f"members {group.name if group else ''}", rows), MembersLook())
        self._show_member()

    def _show_member(self) -> None:
        self.about.update(settings_view.description(self.members.row))

    # Between the two lists

    def action_other_list(self) -> None:
        (self.members if self.groups.has_focus else self.groups).focus()

    def action_back(self) -> None:
        self.groups.focus()

    # What can be done

    @work(exclusive=True, group="settings")
    async def action_edit(self) -> None:
        group, member = self.groups.row, self.members.row
        if group is None:
            return
        if self.groups.has_focus or member is None:
            self.members.focus()
        elif member.is_fact:
            await (self._pin(group) if member.name == "certificate" else self._log_in(group))
        else:
            await self._edit(group, member)

    async def _edit(self, group: Group, member: Member) -> None:
        value, problem = member.value, None
        while True:
            dialog = MemberDialog(member, self._offered(group, member.name), value, problem)
            given = await self.app.push_screen_wait(dialog)
            if given is None:
                return
            try:
                has_moved = await asyncio.to_thread(change, self._setup, group, member.name, given)
            except BAD_CHOICES as error:
                value, problem = given, str(error)
                continue
            break
        self._tell_kept(group, member.name, given)
        if has_moved:
            self.refuse("It is another server now: the certificate and the secrets of the old one are forgotten.")
        await self._read()

    def _offered(self, group: Group, member: str) -> Sequence[str]:
        return tuple(self.app.available_themes) if member == "theme" else offered(group, member)

    def _tell_kept(self, group: Group, member: str, given: str) -> None:
        if group.is_general and member == "theme" and given in self.app.available_themes:
            self.app.theme = given
        elif group.is_in_use or (group.is_general and member in _NEXT_START):
            self.notify("Kept; it holds from the next start on.")
        else:
            self.notify("Kept.")

    @work(exclusive=True, group="settings")
    async def action_add(self) -> None:
        given, problem = None, None
        while True:
            given = await self.app.push_screen_wait(NewProfileDialog(given, problem))
            if given is None:
                return
            try:
                await asyncio.to_thread(add, self._setup, *given)
                break
            except BAD_CHOICES as error:
                problem = str(error)
        await self._read()
        self._go_to_group(given.name)

    def _go_to_group(self, name: str) -> None:
        names = [group.name for group in self._shown]
        if name in names:
            self.groups.move_to(names.index(name))
            self._show_group()

    @work(exclusive=True, group="settings")
    async def action_test(self) -> None:
        if (group := self._profile_at_hand()) is None:
            return
        await self.app.push_screen_wait(FindingsScreen(group.name, self._looked_at(group.name)))
        await self._read()

    async def _looked_at(self, name: str) -> Content:
        try:
            found, learnt = await self._setup.look_at(name)
            return settings_view.found(found, learnt)
        except _TROUBLES as error:
            return Content.styled(clean(str(error)), "$text-error")

    @work(exclusive=True, group="settings")
    async def action_login(self) -> None:
        if (group := self._profile_at_hand()) is not None:
            await self._log_in(group)

    async def _log_in(self, group: Group) -> None:
        try:
            site = await asyncio.to_thread(self._setup.site, group.name)
            profile = await asyncio.to_thread(self._setup.profile, group.name)
            if site.server is None:
                self.refuse("This profile has no url: give it one first.")
                return
            can_log_in = site.server.dialect.why_not(Ability.LOGIN) is None
            first = LoginDialog(group.name, Given(profile.user or "", "", None), can_log_in=can_log_in)
            given = await self.app.push_screen_wait(first)
            if given is not None:
                await (self._log_in_with(group, site, given) if given.user else self._keep_token(group, given.secret))
        except Failure as failure:
            self.refuse(f"{failure.title}. {failure.next_step}")
        except _TROUBLES as error:
            self.refuse(str(error))
        await self._read()

    async def _log_in_with(self, group: Group, site: Site, given: Given) -> None:
        from watui.client.auth import Credentials
        from watui.client.failures import PasswordChangeRequired
        from watui.logins import log_in

        credentials = Credentials(given.user, given.secret)
        self.notify("Logging in…", timeout=2)
        try:
            token = await log_in(site, credentials, None, self._setup.exchanges)
        except PasswordChangeRequired:
            again = await self.app.push_screen_wait(LoginDialog(group.name, given, wants_change=True))
            if again is None:
                return
            given = again
            token = await log_in(site, credentials, given.new_password, self._setup.exchanges)
        password, store = given.new_password or given.secret, await self._store()
        place = await asyncio.to_thread(self._setup.keep_login, group.name, given.user, password, token, store)
        until = token.expires_at
        expiry = f" until {ZONE.minute(until)}" if until is not None else ""
        self.notify(clean(f"Logged in{expiry}. The password is kept in {place}."), markup=False, timeout=10)

    async def _keep_token(self, group: Group, token: str) -> None:
        if not is_token(token):
            self.refuse("The token holds characters that cannot stand in a header: nothing is kept.")
            return
        place = await asyncio.to_thread(self._setup.keep_token, group.name, token, await self._store())
        self.notify(clean(f"The token is kept in {place}."), markup=False, timeout=10)

    async def _store(self) -> Store | None:
        """Return where a secret may be kept; a file only where the person says so."""
        trouble = await asyncio.to_thread(self._setup.secrets.keyring_trouble)
        if trouble is None:
            return Store.KEYRING
        question = Content.assemble(
            ("There is no keyring", "bold"),
            f": {clean(trouble)}.\n\nKeep the secret as plain text in {clean(str(self._setup.paths.secrets))}, which",
            " only you can read?",
        )
        is_wanted = await self.app.push_screen_wait(Confirm(question, "keep it", "no, until watui ends"))
        return Store.FILE if is_wanted else None

    @work(exclusive=True, group="settings")
    async def action_logout(self) -> None:
        from watui.logins import log_out

        if (group := self._profile_at_hand()) is None:
            return
        try:
            site = await asyncio.to_thread(self._setup.site, group.name)
            was_there = await log_out(site, self._setup.secrets, self._setup.exchanges)
            self.notify("Logged out; the password stays where it is." if was_there else "No login is kept.")
        except Failure as failure:
            self.refuse(f"The server could not be told: {failure.title}. The token is forgotten here.")
        except _TROUBLES as error:
            self.refuse(str(error))
        await self._read()

    @work(exclusive=True, group="settings")
    async def action_pin(self) -> None:
        if (group := self._profile_at_hand()) is not None:
            await self._pin(group)

    async def _pin(self, group: Group) -> None:
        try:
            server = await asyncio.to_thread(self._setup.pinnable, group.name)
            shown = await asyncio.to_thread(presented, *server.address)
            pinned = server.trust.known_fingerprint
            if shown.trouble is not None:
                self.refuse(f"The certificate can't be pinned: {shown.trouble}.")
            elif pinned == shown.fingerprint:
                self.notify("The server shows the certificate that is pinned.")
            elif await self.app.push_screen_wait(Confirm(_question(pinned, shown), "pin it")):
                await asyncio.to_thread(self._setup.pin, group.name, shown.certificate)
                if group.is_in_use:
                    await self.changes.desk.trust(Trust(certificate=shown.certificate))
                self.notify(
                    clean(f"The certificate is pinned: {group.name} is asked only where it is shown."), markup=False
                )
        except (*_TROUBLES, NoHandshake) as error:
            self.refuse(str(error))
        await self._read()

    @work(exclusive=True, group="settings")
    async def action_use(self) -> None:
        group = self.groups.row
        if group is None or group.is_general:
            self.refuse("Go to a profile first.")
        elif group.is_in_use:
            self.refuse(f"{group.name} is in use.")
        else:
            try:
                await asyncio.to_thread(self._setup.site, group.name)
            except _TROUBLES as error:
                self.refuse(str(error))
                return
            self._switch_to(group.name)

    @work(exclusive=True, group="settings")
    async def action_remove(self) -> None:
        if (group := self._profile_at_hand()) is None:
            return
        if group.is_in_use:
            self.refuse("This profile is in use: go on with another one first.")
            return
        question = f"Remove the profile {clean(group.name)}, with its secrets? Its runs stay in the ledger."
        if await self.app.push_screen_wait(Confirm(Content(question), "remove it")):
            try:
                await asyncio.to_thread(self._setup.remove, group.name)
            except _TROUBLES as error:
                self.refuse(str(error))
            await self._read()

    def _profile_at_hand(self) -> Group | None:
        """Return the profile of the upper list, None with a word where it has no server."""
        group = self.groups.row
        if group is None or group.is_general or group.name == SIMULATOR:
            self.refuse(f"Go to a profile that has a server first, or add one with {key_of('settings.add')}.")
            return None
        return group


def _question(pinned: str | None, shown: Presented) -> Content:
    """Return what must be known of a certificate before it is pinned."""
    about = Content(clean(f"It is for {', '.join(shown.names)}; by {shown.issuer}; good until {shown.until}."))
    advice = Content("Compare it with the server's own, by another way than this connection.")
    if pinned is not None and pinned != shown.fingerprint:
        title = "The server shows another certificate than the pinned one"
        both = settings_view.side_by_side(pinned, shown.fingerprint)
    else:
        title = "The certificate of the server"
        both = settings_view.digits("SHA-256", shown.fingerprint)
    return Content("\n\n").join([Content.styled(title, "bold"), about, both, advice])
