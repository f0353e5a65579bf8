"""The Settings screen: what holds for all, profiles, logins, certificates, and going on with another profile."""

import asyncio
import ssl
import stat
from dataclasses import replace

import pytest
import trustme
from textual import events
from textual.widgets import Input

from tests.conftest import TOKEN
from tests.simulated import a_world, create_app
from tests.tui.story import HOSTILE, NARROW, WIDE, Story, console, table_lines
from watui import logins
from watui.client.auth import Token
from watui.client.server import Server
from watui.client.trust import Trust
from watui.settings.paths import Paths
from watui.settings.secrets import Secret
from watui.settings.settings import SIMULATOR, Profile, load, save, save_profile
from watui.simulator.conditions import Changes
from watui.simulator.serving import ServerThread
from watui.sites import Mark
from watui.tui.app import Switched
from watui.tui.phases import Phase
from watui.tui.screens.dialogs import Confirm
from watui.tui.screens.profiles import FindingsScreen, LoginDialog, MemberDialog, NewProfileDialog
from watui.tui.screens.settings import SettingsScreen

pytestmark = pytest.mark.anyio

SHOP = "shop"
NEW_PASSWORD = "Sesame-123"


def settings_of(story: Story) -> SettingsScreen:
    screen = story.app.screen_stack[0]
    assert isinstance(screen, SettingsScreen)
    return screen


async def open_settings(story: Story, group: str = "general") -> SettingsScreen:
    """Go to the Settings screen, and to a profile on it."""
    await story.press("4")
    await story.until(lambda: isinstance(story.app.screen, SettingsScreen), "the settings")
    screen = settings_of(story)
    await story.until(lambda: screen.groups.row_count > 0, "the profiles")
    await story.press("escape", "home")
    while screen.groups.row is None or screen.groups.row.name != group:
        await story.press("down")
    return screen


async def go_to_member(story: Story, name: str) -> None:
    """Go into the profile at hand, to one of its members."""
    screen = settings_of(story)
    await story.press("escape", "enter")
    await story.until(lambda: screen.members.has_focus, "the members")
    await story.press("home")
    while screen.members.row is None or screen.members.row.name != name:
        await story.press("down")


async def change(story: Story, name: str, text: str) -> MemberDialog:
    """Give a member of the profile at hand another value; leaves the dialog as it is."""
    await go_to_member(story, name)
    await story.press("enter")
    dialog = await story.until_on(MemberDialog)
    dialog.query_one(Input).value = text
    await story.press("enter")
    return dialog


async def settled(story: Story) -> None:
    await story.until_idle("settings")
    await story.until_idle("settings-look")


def shown(story: Story) -> dict[str, str]:
    """The members of the profile at hand."""
    group = settings_of(story).groups.row
    assert group is not None
    return {member.name: member.value for member in group.members}


@pytest.mark.parametrize("size", [NARROW, WIDE], ids=str)
async def test_all_settings_are_shown_with_what_they_are_for(paths: Paths, size: tuple[int, int]) -> None:
    save(paths.settings, "batch_size", 70)
    async with console(paths, size=size) as story:
        screen = await open_settings(story)
        lines = table_lines(screen.members)
        assert any("batch_size" in line and "70" in line for line in lines)
        assert {"region", "theme", "retention_days"} <= set(shown(story))
        await story.until_shown("Country of the number that the server is registered with")


async def test_a_setting_is_changed_and_kept_and_a_bad_value_can_be_mended(paths: Paths) -> None:
    async with console(paths) as story:
        await open_settings(story)
        first = await change(story, "batch_size", "5000")
        await story.until(lambda: story.app.screen is not first, "the dialog again")
        dialog = await story.until_on(MemberDialog)
        await story.until_shown("1000")
        assert not paths.settings.exists()
        dialog.query_one(Input).value = "50"
        await story.press("enter")
        await story.until_told("from the next start on")
        await settled(story)
        assert load(paths.settings, {}).batch_size == 50
        assert shown(story)["batch_size"] == "50"
        await change(story, "batch_size", "")
        await settled(story)
        assert load(paths.settings, {}).batch_size == 500
        assert "\nbatch_size" not in paths.settings.read_text()


@pytest.mark.parametrize(
    ("name", "text", "words"), [("region", "XX", "not a region"), ("profile", "nobody", "there is no profile nobody")]
)
async def test_what_cannot_be_is_refused_in_words(paths: Paths, name: str, text: str, words: str) -> None:
    async with console(paths) as story:
        await open_settings(story)
        await change(story, name, text)
        await story.until_shown(words)
        await story.press("escape")
        assert not paths.settings.exists()


async def test_a_theme_that_is_chosen_is_there_at_once(paths: Paths) -> None:
    async with console(paths) as story:
        await open_settings(story)
        await change(story, "theme", "watui-light")
        await story.until(lambda: story.app.theme == "watui-light", "the theme")
        assert load(paths.settings, {}).theme == "watui-light"


async def test_a_profile_is_added_and_changed_by_hand(paths: Paths) -> None:
    async with console(paths) as story:
        screen = await open_settings(story)
        await story.press("a")
        dialog = await story.until_on(NewProfileDialog)
        dialog.name_field.value, dialog.url.value = SHOP, "ftp://nowhere"
        dialog.url.focus()
        await story.press("enter")
        await story.until_shown("not an http or https URL")
        dialog = await story.until_on(NewProfileDialog)
        assert dialog.name_field.value == SHOP
        dialog.url.value = "https://wa.example.com"
        dialog.url.focus()
        await story.press("enter")
        await story.until(lambda: screen.groups.row is not None and screen.groups.row.name == SHOP, "the new profile")
        await go_to_member(story, "kind")
        await story.press("enter")
        await story.until_on(MemberDialog)
        await story.press("up", "enter")
        await story.until_told("Kept.")
        await settled(story)
        kind = load(paths.settings, {}).profiles[SHOP].kind
        assert kind != Profile().kind
        assert shown(story)["kind"] == kind


async def test_what_is_typed_ahead_of_the_screen_goes_where_it_belongs(paths: Paths) -> None:
    """A line that stalls delivers many keys at once: a password must not land in the field before its own."""
    async with console(paths) as story:
        await open_settings(story)
        await story.press("a")
        dialog = await story.until_on(NewProfileDialog)
        for key in ("s", "h", "o", "p", "tab", "u", "r", "l"):
            story.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await story.until(lambda: (dialog.name_field.value, dialog.url.value) == ("shop", "url"), "both fields")


async def test_a_server_is_looked_at_and_tells_its_country(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATUI_TOKEN", TOKEN)
    with ServerThread(create_app(a_world("IN", latency=None), TOKEN)) as server:
        save_profile(paths.settings, SHOP, {"url": server.url})
        async with console(paths) as story:
            await open_settings(story, SHOP)
            await story.press("t")
            await story.until_on(FindingsScreen)
            await story.until_shown("is connected", "the token is accepted", "registered in IN")
            await story.press("escape")
            await settled(story)
            assert load(paths.settings, {}).profiles[SHOP].region == "IN"


async def log_in(story: Story, password: str, user: str = "admin") -> None:
    await story.press("l")
    dialog = await story.until_on(LoginDialog)
    dialog.query_one("#user", Input).value, dialog.query_one("#secret", Input).value = user, password
    await story.press("enter")


@pytest.mark.parametrize("keeps", [True, False], ids=["kept", "not kept"])
async def test_a_first_login_changes_the_password_and_keeps_it_where_it_may(paths: Paths, keeps: bool) -> None:
    with ServerThread(create_app(a_world(latency=None))) as server:
        save_profile(paths.settings, SHOP, {"url": server.url})
        async with console(paths) as story:
            await open_settings(story, SHOP)
            await log_in(story, "secret")
            await story.until(lambda: bool(story.app.screen.query("#new")), "another password")
            dialog = await story.until_on(LoginDialog)
            for name in ("#new", "#again"):
                dialog.query_one(name, Input).value = "weak"
            await story.press("enter")
            await story.until_shown("does not fit")
            for name in ("#new", "#again"):
                dialog.query_one(name, Input).value = NEW_PASSWORD
            await story.press("enter")
            await story.until_on(Confirm)
            await story.until_shown("There is no keyring", "plain text")
            assert not paths.secrets.exists()
            await story.press("y" if keeps else "n")
            await story.until_told("Logged in until")
            await settled(story)
            assert load(paths.settings, {}).profiles[SHOP].user == "admin"
            found = story.app.setup.secrets.find(SHOP, Secret.PASSWORD)
            assert found is not None
            assert found.value == NEW_PASSWORD
            assert NEW_PASSWORD not in paths.settings.read_text()
            if keeps:
                modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in paths.secrets.iterdir()}
                assert modes == {f"{SHOP}.password": 0o600, f"{SHOP}.login": 0o600}
                assert stat.S_IMODE(paths.secrets.stat().st_mode) == 0o700
            else:
                assert not paths.secrets.exists()
            await story.press("t")
            await story.until_shown("logged in until")


async def test_a_wrong_password_is_tried_once_and_told(paths: Paths) -> None:
    world = a_world(latency=None)
    with ServerThread(create_app(world)) as server:
        save_profile(paths.settings, SHOP, {"url": server.url, "user": "admin"})
        async with console(paths) as story:
            await open_settings(story, SHOP)
            await log_in(story, "wrong-one")
            await story.until_told("does not let admin in")
            await settled(story)
            assert not paths.secrets.exists()
            assert not any("wrong-one" in notice for notice in story.notices)


async def test_a_token_is_kept_without_a_user_and_forgotten_with_the_profile(paths: Paths) -> None:
    save_profile(paths.settings, SHOP, {"url": "https://wa.example.com"})
    async with console(paths) as story:
        await open_settings(story, SHOP)
        await log_in(story, "two words", user="")
        await story.until_told("cannot stand in a header")
        await settled(story)
        await log_in(story, "a-token", user="")
        await story.until_on(Confirm)
        await story.press("y")
        await story.until_told("The token is kept")
        await settled(story)
        assert (paths.secrets / f"{SHOP}.token").read_text() == "a-token"
        await story.press("D")
        await story.until_on(Confirm)
        await story.press("y")
        await settled(story)
        assert load(paths.settings, {}).profiles == {}
        assert list(paths.secrets.iterdir()) == []


def tls_context() -> ssl.SSLContext:
    """A certificate that nobody knows, another one each time."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


async def test_a_certificate_is_pinned_and_another_one_is_shown_beside_it(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATUI_TOKEN", TOKEN)
    app = create_app(a_world(latency=None), TOKEN)
    with ServerThread(app, tls=tls_context()) as server:
        save_profile(paths.settings, SHOP, {"url": server.url})
        async with console(paths) as story:
            await open_settings(story, SHOP)
            await story.press("t")
            await story.until_shown("is not trusted")
            await story.press("escape")
            await story.until_idle("settings")
            await story.press("p")
            await story.until_on(Confirm)
            await story.until_shown("The certificate of the server", "127.0.0.1")
            await story.press("n")
            await settled(story)
            assert load(paths.settings, {}).profiles[SHOP].certificate is None
            await story.press("p")
            await story.until_on(Confirm)
            await story.press("y")
            await story.until_told("The certificate is pinned")
            await settled(story)
            await story.press("t")
            await story.until_shown("it is the pinned one", "the token is accepted")
            await story.press("escape")
            await story.until_idle("settings")
            port = server.port
            await asyncio.to_thread(server.stop)
            with ServerThread(app, port=port, tls=tls_context()):
                await story.press("t")
                await story.until_shown("another one than the pinned", "pinned", "shown")
                await story.press("escape")
                await story.until_idle("settings")
                await story.press("p")
                await story.until_on(Confirm)
                await story.until_shown("another certificate than the pinned one")


async def test_a_run_goes_on_once_the_new_certificate_is_pinned(paths: Paths) -> None:
    app, first = create_app(a_world(latency=None), TOKEN), tls_context()
    with ServerThread(app, tls=first) as server:
        port = server.port
        certificate = ssl.get_server_certificate(("127.0.0.1", port))
        save_profile(paths.settings, SHOP, {"url": server.url, "certificate": certificate})
    with ServerThread(app, port=port, tls=tls_context()) as server:
        there = replace(Server.at(server.url, TOKEN), trust=Trust(certificate=certificate))
        async with console(paths, there) as story:
            await story.preview("+16315551000")
            await story.press("enter")
            await story.until_phase(Phase.PAUSED)
            await story.until_shown("has changed", "Pinned:", "Now:", "pin the new one", "tries again")
            await open_settings(story, SHOP)
            await story.press("p")
            await story.until_on(Confirm)
            await story.press("y")
            await story.until_told("The certificate is pinned")
            await settled(story)
            await story.press("1", "p")
            await story.until_phase(Phase.ENDED)


async def test_one_thing_at_a_time_is_asked_of_a_server(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    save_profile(paths.settings, SHOP, {"url": "https://wa.example.com"})
    logging_in, may_go = asyncio.Event(), asyncio.Event()

    async def slow(*_: object) -> Token:
        logging_in.set()
        await may_go.wait()
        return Token("fresh")

    monkeypatch.setattr(logins, "log_in", slow)
    async with console(paths) as story:
        await open_settings(story, SHOP)
        await log_in(story, "Canary-Pass1")
        await logging_in.wait()
        await story.press("enter", "a", "t")
        assert isinstance(story.app.screen, SettingsScreen)
        may_go.set()
        await story.until_on(Confirm)
        await story.press("n")
        await story.until_told("Logged in")


async def test_a_profile_that_cannot_be_used_is_not_gone_over_to(paths: Paths) -> None:
    save_profile(paths.settings, SHOP, {"url": "https://wa.example.com", "region": "XX"})
    async with console(paths) as story:
        await open_settings(story, SHOP)
        await story.press("u")
        await story.until_told("not a region")
        assert story.app.switched is None


async def test_a_profile_without_a_server_has_no_login(paths: Paths) -> None:
    save_profile(paths.settings, SHOP, {"region": "IN"})
    async with console(paths) as story:
        await open_settings(story, SHOP)
        await story.press("l")
        await story.until_told("no url")


async def test_the_profile_in_use_is_at_hand_first(paths: Paths, server: ServerThread) -> None:
    save_profile(paths.settings, SHOP, {"url": server.url})
    async with console(paths, Server.at(server.url, TOKEN)) as story:
        await story.press("4")
        await story.until(lambda: isinstance(story.app.screen, SettingsScreen), "the settings")
        screen = settings_of(story)
        await story.until(lambda: screen.groups.row is not None and screen.groups.row.is_in_use, "the profile in use")


async def test_going_on_with_a_profile_ends_this_console_for_another_one(paths: Paths) -> None:
    save_profile(paths.settings, SHOP, {"url": "https://wa.example.com"})
    async with console(paths) as story:
        await open_settings(story, SIMULATOR)
        await story.press("u")
        await story.until_told("simulator is in use")
        await open_settings(story, SHOP)
        await story.press("u")
        await story.until(lambda: story.app.switched == Switched(SHOP), "the end")


async def test_a_run_that_is_left_for_another_profile_is_told_of_there(paths: Paths) -> None:
    save_profile(paths.settings, SHOP, {"url": "https://wa.example.com"})
    async with console(paths) as story:
        await (await story.session.desk.backstage()).change(Changes(stuck=1.0))
        await story.preview("+16315551000")
        await story.press("enter")
        await story.until_phase(Phase.RUNNING)
        await open_settings(story, SHOP)
        await story.press("u")
        await story.until_on(Confirm)
        await story.press("y")
        await story.until(lambda: story.app.switched is not None, "the end")
        assert story.app.switched == Switched(
            SHOP,
            left_words="Run 1 at simulator has stopped; what is known is kept. There p goes on with it.",
        )


async def test_a_list_that_is_not_asked_is_asked_about_before_going_on(paths: Paths) -> None:
    save_profile(paths.settings, SHOP, {"url": "https://wa.example.com"})
    async with console(paths) as story:
        await story.preview("+16315551000")
        await open_settings(story, SHOP)
        await story.press("u")
        await story.until_on(Confirm)
        await story.press("n")
        await story.until_idle("quit")
        assert story.app.switched is None


async def test_a_file_that_cannot_be_read_is_told(paths: Paths) -> None:
    async with console(paths) as story:
        paths.config.mkdir(parents=True)
        paths.settings.write_text("region = ")
        await story.press("4")
        await story.until_shown("cannot read", "settings.toml")


async def test_what_is_hostile_in_settings_does_nothing(paths: Paths) -> None:
    save_profile(paths.settings, HOSTILE, {"url": "https://wa.example.com", "user": HOSTILE, "ca_file": HOSTILE})
    async with console(paths, size=WIDE) as story:
        await open_settings(story, HOSTILE)
        story.assert_harmless()
        for key in ("enter", "end", "enter"):
            await story.press(key)
            await story.pilot.pause()
            story.assert_harmless()


async def test_the_word_and_the_colour_of_a_profile_stand_on_every_screen(paths: Paths, server: ServerThread) -> None:
    async with console(paths, Server.at(server.url, TOKEN)) as story:
        story.session.desk.mark = Mark("PRODUCTION", "red")
        for key in ("2", "3", "4", "1"):
            await story.press(key)
            await story.until_shown("PRODUCTION · shop")


async def test_what_is_for_the_simulator_alone_is_offered_there_alone(paths: Paths, server: ServerThread) -> None:
    async with console(paths, Server.at(server.url, TOKEN)) as story:
        assert "simulator" not in story.screen.keys.render().plain
    async with console(paths) as story:
        assert "simulator" in story.screen.keys.render().plain
