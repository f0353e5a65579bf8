"""Dialogs about profiles: a setting, a new profile, a login, what was found at a server."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import ClassVar, NamedTuple

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.getters import query_one
from textual.widgets import Input

from watui.contract.rules import PASSWORD_RULE, is_password
from watui.text import clean
from watui.tui.groups import Member
from watui.tui.screens.closing import unless_closed
from watui.tui.screens.modal import Modal
from watui.tui.screens.reasons import PickInput
from watui.tui.themes import DIM
from watui.tui.widgets.safe_input import SafeInput
from watui.tui.widgets.static import Static

_KEY = "bold $primary"


def _keys(does: str) -> Content:
    return Content.assemble(("enter", _KEY), f" {does} · ", ("esc", _KEY), " goes back")


class MemberDialog(Modal[str | None]):
    """Asks for the value of a setting; gives it as it was typed, empty for the default, or None."""

    AUTO_FOCUS = "#value"

    def __init__(self, member: Member, values: Sequence[str], value: str, problem: str | None = None) -> None:
        """`values` are those that can be chosen, where they can all be said; `problem` is what was wrong before."""
        super().__init__()
        self._member = member
        self._values = values
        self._value = value
        self._problem = problem

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(Content.styled(self._member.name, "bold"))
            yield Static(Content(self._member.description))
            field = PickInput(self._values, placeholder="the default", id="value")
            field.value = self._value
            yield field
            if self._values:
                yield Static(Content.assemble(("↑ ↓", _KEY), f" {', '.join(self._values)}"))
            if self._problem is not None:
                yield Static(Content.styled(clean(self._problem), "$text-error"))
            yield Static(Content.assemble(_keys("keeps it"), " · empty for the default"), id="hint")

    @on(Input.Submitted)
    def submit(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value.strip())


class NewProfile(NamedTuple):
    """A profile as a person names it."""

    name: str
    url: str


class NewProfileDialog(Modal[NewProfile | None]):
    """Asks for a name and a URL."""

    AUTO_FOCUS = "#name"
    name_field = query_one("#name", SafeInput)
    url = query_one("#url", SafeInput)

    def __init__(self, given: NewProfile | None = None, problem: str | None = None) -> None:
        super().__init__()
        self._given = given or NewProfile("", "")
        self._problem = problem

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(Content.styled("Add a profile", "bold"))
            yield SafeInput(self._given.name, placeholder="name, such as production", id="name")
            yield SafeInput(self._given.url, placeholder="URL, such as https://wa.example.com:9090", id="url")
            if self._problem is not None:
                yield Static(Content.styled(clean(self._problem), "$text-error"))
            yield Static(Content.assemble(("tab", _KEY), " next · ", _keys("adds it")), id="hint")

    @on(Input.Submitted)
    def submit(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input is self.name_field and not self.url.value:
            self.url.focus()
        else:
            self.dismiss(NewProfile(self.name_field.value.strip(), self.url.value.strip()))


class Given(NamedTuple):
    """What a person logs in with."""

    user: str
    """Empty where `secret` is a token."""
    secret: str
    new_password: str | None

    def __repr__(self) -> str:
        return f"Given({self.user!r})"


class LoginDialog(Modal[Given | None]):
    """Asks for a user and a password, or a token; and for another password where the server wants one."""

    AUTO_FOCUS = ""
    hint = query_one("#hint", Static)

    def __init__(self, profile: str, given: Given, *, wants_change: bool = False, can_log_in: bool = True) -> None:
        super().__init__()
        self._profile = profile
        self._given = given
        self._wants_change = wants_change
        self._can_log_in = can_log_in

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog"):
            yield Static(Content.assemble(("Log in at ", "bold"), (clean(self._profile), "bold")))
            yield from self._new_password() if self._wants_change else self._who()
            yield Static(Content.assemble(("tab", _KEY), " next · ", _keys("logs in")), id="hint")

    def on_mount(self) -> None:
        first = "#new" if self._wants_change else "#secret" if self._given.user or not self._can_log_in else "#user"
        self.query_one(first).focus()

    def _who(self) -> ComposeResult:
        user = SafeInput(self._given.user, placeholder="user; empty to give a token instead", id="user")
        user.disabled = not self._can_log_in
        yield user
        yield SafeInput(self._given.secret, placeholder="password, or token", password=True, id="secret")

    def _new_password(self) -> ComposeResult:
        yield Static(Content(f"The first login wants another password: {PASSWORD_RULE}."))
        yield SafeInput(placeholder="new password", password=True, id="new")
        yield SafeInput(placeholder="once more", password=True, id="again")

    @on(Input.Submitted)
    def submit(self, event: Input.Submitted) -> None:
        event.stop()
        given = self._with_new_password() if self._wants_change else self._with_secret()
        if isinstance(given, Given):
            self.dismiss(given)
        else:
            self.hint.update(Content.styled(given, "$text-error"))

    def _with_secret(self) -> Given | str:
        """Return what was given, or what is wrong with it."""
        user, secret = self.query_one("#user", SafeInput).value.strip(), self.query_one("#secret", SafeInput).value
        return Given(user, secret, None) if secret else "Give the password, or a token without a user."

    def _with_new_password(self) -> Given | str:
        new, again = (self.query_one(f"#{name}", SafeInput).value for name in ("new", "again"))
        if not is_password(new):
            return f"The new password does not fit: {PASSWORD_RULE}."
        return self._given._replace(new_password=new) if new == again else "The two differ: type it twice."


class FindingsScreen(Modal[None]):
    """What is found at a server, once it is found."""

    CSS_PATH = "settings.tcss"
    BINDINGS: ClassVar = [Binding("enter", "close", show=False)]
    AUTO_FOCUS = "#findings-scroll"

    shown = query_one("#found", Static)

    def __init__(self, profile: str, looking: Awaitable[Content]) -> None:
        super().__init__()
        self._profile = profile
        self._looking = looking

    def compose(self) -> ComposeResult:
        with Vertical(id="findings"):
            yield Static(Content.assemble(("The server of ", "bold"), (clean(self._profile), "bold")))
            with VerticalScroll(id="findings-scroll"):
                yield Static(Content.styled("Looking…", DIM), id="found")
            yield Static(Content.assemble(("esc", _KEY), " back"))

    def on_mount(self) -> None:
        self._look()

    @work
    async def _look(self) -> None:
        self._show(await self._looking)

    @unless_closed
    def _show(self, found: Content) -> None:
        self.shown.update(found)
