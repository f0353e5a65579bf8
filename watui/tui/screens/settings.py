"""The Settings screen: what holds for all, and the servers that have a name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Static

from watui.client.dialects import Ability
from watui.client.failures import Failure
from watui.client.server import is_token
from watui.client.trust import BadTrust, NoHandshake, Presented, presented
from watui.settings.secrets import BadSecret, Secret, Store
from watui.settings.settings import SIMULATOR
from watui.text import clean
from watui.tui import panels, settings_view
from watui.tui.changes import Changes
from watui.tui.commands import Scope, bar, bindings
from watui.tui.screens.closing import unless_closed
from watui.tui.screens.dialogs import Confirm
from watui.tui.screens.main import SETTINGS, MainScreen
from watui.tui.screens.profiles import FindingsScreen, Given, LoginDialog, MemberDialog, NewProfileDialog
from watui.tui.settings_view import GroupsLook, MembersLook
from watui.tui.setup import BAD_CHOICES, Group, Member, Setup, offered
from watui.tui.view import ListView
from watui.tui.widgets.line import Line
from watui.tui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from watui.client.auth import Token
    from watui.sites import Site

_NEXT_START = frozenset({"region", "batch_size", "blocking", "profile", "read_only", "retention_days", "log_numbers"})
"""Settings that hold from the next start on."""

_TROUBLES = (*BAD_CHOICES, BadSecret, BadTrust, OSError)


class GroupTable(RowTable[Group]):
    """The list of profiles."""


class MemberTable(RowTable[Member]):
    """What a profile holds."""


class SettingsScreen(MainScreen):
    """Profiles above, what the one at hand holds below; both are read anew after every change."""

    BINDINGS: ClassVar = bindings(Scope.SETTINGS)
    SCOPE = Scope.SETTINGS
    AUTO_FOCUS = "#groups-table"

    groups = query_one("#groups-table", GroupTable)
    members = query_one("#members-table", MemberTable)
    heading = query_one("#group-heading", Line)
    about = query_one("#member-about", Static)
    problem = query_one("#settings-problem", Static)

    def __init__(self, setup: Setup, changes: Changes, switch_to: Callable[[str], None]) -> None:
        super().__init__(changes)
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
        self._look()

    def on_resize(self) -> None:
        self._show_lines()

    # What is shown

    @work(exclusive=True, group="settings-look")
    async def _look(self) -> None:
        if self.app.screen is not self:
            return
        await self._read()

    async def _read(self) -> None:
        try:
            self._shown, problem = await self._setup.groups(), None
        except BAD_CHOICES as error:
            self._shown, problem = [], str(error)
        self._show(problem)

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
        self.keys.show(panels.key_bar(bar(Scope.SETTINGS), self.size.width))

    def _show_group(self) -> None:
        group = self.groups.row
        self.heading.show(settings_view.heading(group))
        rows = group.members if group is not None else ()
        self.members.show(ListView(f"members {group.name if group else ''}", rows), MembersLook())
        self.about.update(settings_view.description(self.members.row))

    @on(RowTable.Moved)
    def moved(self, event: RowTable.Moved) -> None:
        event.stop()
        if isinstance(event.row, Group):
            self._show_group()
        else:
            self.about.update(settings_view.description(event.row if isinstance(event.row, Member) else None))

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
            dialog = MemberDialog(member, offered(group, member.name), value, problem)
            given = await self.app.push_screen_wait(dialog)
            if given is None:
                return
            try:
                await self._setup.change(group, member.name, given)
            except BAD_CHOICES as error:
                value, problem = given, str(error)
                continue
            break
        self._tell_kept(group, member.name, given)
        await self._read()

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
                await self._setup.add(*given)
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
            return settings_view.found(await self._setup.look_at(name))
        except _TROUBLES as error:
            return Content.styled(clean(str(error)), "$text-error")

    @work(exclusive=True, group="settings")
    async def action_login(self) -> None:
        if (group := self._profile_at_hand()) is not None:
            await self._log_in(group)

    async def _log_in(self, group: Group) -> None:
        try:
            site, profile = await self._setup.site(group.name), await self._setup.profile(group.name)
        except _TROUBLES as error:
            self.refuse(str(error))
            return
        assert site.server is not None, "only a profile with a server is at hand"
        can_log_in = site.server.dialect.why_not(Ability.LOGIN) is None
        first = LoginDialog(group.name, Given(profile.user or "", "", None), can_log_in=can_log_in)
        given = await self.app.push_screen_wait(first)
        if given is None:
            return
        try:
            if given.user:
                await self._log_in_with(group, site, given)
            elif is_token(given.secret):
                await self._keep(group, site, Secret.TOKEN, given.secret)
            else:
                self.refuse("The token holds characters that cannot stand in a header: nothing is kept.")
        except Failure as failure:
            self.refuse(f"{failure.title}. {failure.next_step}")
        except _TROUBLES as error:
            self.refuse(str(error))
        await self._read()

    async def _log_in_with(self, group: Group, site: Site, given: Given) -> None:
        from watui.client.auth import Credentials, PasswordChangeRequired
        from watui.logins import log_in

        credentials = Credentials(given.user, given.secret)
        try:
            token = await log_in(site, credentials)
        except PasswordChangeRequired:
            again = await self.app.push_screen_wait(LoginDialog(group.name, given, wants_change=True))
            if again is None:
                return
            given = again
            token = await log_in(site, Credentials(given.user, given.secret), given.new_password)
        member = next((each for each in group.members if each.name == "user"), None)
        if member is not None and member.value != given.user:
            await self._setup.change(group, "user", given.user)
        await self._keep(group, site, Secret.PASSWORD, given.new_password or given.secret, token)

    async def _keep(self, group: Group, site: Site, secret: Secret, value: str, token: Token | None = None) -> None:
        """Keep a secret where the person lets it be kept, and say where."""
        from watui.logins import keep

        secrets = self._setup.secrets
        store = await self._store()
        if store is None:
            secrets.remember(group.name, secret, value)
            place = "the memory of this console, until it ends"
        elif token is not None:
            place = await keep(site, secrets, value, token, store)
        else:
            place = await asyncio.to_thread(secrets.keep, group.name, secret, value, store)
        until = token.expires_at if token is not None else None
        expiry = f" until {datetime.fromtimestamp(until).astimezone():%Y-%m-%d %H:%M}" if until is not None else ""
        done = f"Logged in{expiry}. The password is" if token is not None else "The token is"
        self.notify(clean(f"{done} kept in {place}."), markup=False, timeout=10)

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
            was_there = await log_out(await self._setup.site(group.name), self._setup.secrets)
            self.notify("Logged out." if was_there else "No login is kept.")
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
            server = (await self._setup.site(group.name)).server
            if server is None or not server.is_secure:
                self.refuse("There is no certificate: the URL does not begin with https.")
                return
            shown = await asyncio.to_thread(presented, *server.address)
        except (*_TROUBLES, NoHandshake) as error:
            self.refuse(str(error))
            return
        if shown.trouble is not None:
            self.refuse(f"The certificate can't be pinned: {shown.trouble}.")
        elif await self.app.push_screen_wait(Confirm(_question(server.trust.fingerprint, shown), "pin it")):
            await self._setup.pin(group.name, shown.certificate)
            self.notify("The certificate is pinned; nothing is asked where another one is shown.")
            await self._read()

    @work(exclusive=True, group="settings")
    async def action_use(self) -> None:
        group = self.groups.row
        if group is None or group.is_general:
            self.refuse("Go to a profile first.")
        elif group.is_in_use:
            self.refuse(f"{group.name} is in use.")
        else:
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
                await self._setup.remove(group.name)
            except _TROUBLES as error:
                self.refuse(str(error))
            await self._read()

    def _profile_at_hand(self) -> Group | None:
        """Return the profile of the upper list, None with a word where it has no server."""
        group = self.groups.row
        if group is None or group.is_general or group.name == SIMULATOR:
            self.refuse("Go to a profile that has a server first, or add one with a.")
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
