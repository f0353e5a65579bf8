"""Keys that a person's settings give to commands."""

import contextvars
import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.binding import Binding

from tests.tui.story import console
from watui.settings.paths import Paths
from watui.settings.settings import Settings, load, save
from watui.tui import screens
from watui.tui.commands import Scope, described, together
from watui.tui.keys import is_key_of, key_names, use_keys
from watui.tui.screens.modal import Modal

pytestmark = pytest.mark.anyio


_SEARCH = next(command for command in described() if command.name == "check.search")


def used(wanted: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """What becomes of a wish, where nobody else sees it."""
    return contextvars.copy_context().run(use_keys, wanted)


def test_every_command_has_a_name_of_its_own() -> None:
    assert [name for name, count in Counter(command.name for command in described()).items() if count > 1] == []


def test_no_two_commands_have_a_key_at_once_but_enter() -> None:
    """Enter begins what is in the preview, and opens the contact of the row anywhere else."""
    problems = [used({command.name: key})[1] for command in described() for key in command.keys]
    clashes = [words for found in problems for words in found if "is the key of" in words]
    assert [words for words in clashes if "enter is the key of" not in words] == []


def modals(kind: type[Modal[Any]] = Modal) -> Iterator[type[Modal[Any]]]:
    """All screens over a screen."""
    for each in kind.__subclasses__():
        yield each
        yield from modals(each)


def test_how_things_are_shown_can_be_changed_wherever_there_are_commands() -> None:
    for module in pkgutil.iter_modules(screens.__path__, f"{screens.__name__}."):
        importlib.import_module(module.name)
    panels = {}
    for modal in modals():
        ids = (binding.id for binding in modal.BINDINGS if isinstance(binding, Binding) and binding.id)
        if scopes := {Scope(each.partition(".")[0]) for each in ids}:
            panels[modal] = scopes
    assert set.union(*panels.values()) == {Scope.CONTACT, Scope.BULK, Scope.TOUR, Scope.PAIRS, Scope.SHOWING}
    for modal, scopes in panels.items():
        assert Scope.SHOWING in scopes, modal
        assert any(scopes == set(together(scope)) for scope in scopes), modal


@pytest.mark.parametrize(
    ("wanted", "keymap"),
    [
        ({}, {}),
        ({"check.search": "ctrl+f"}, {"check.search": "ctrl+f"}),
        ({"check.search": " ctrl+f , /"}, {"check.search": "ctrl+f,slash"}),
        ({"contacts.report": "!"}, {"contacts.report": "exclamation_mark"}),
        (
            {"check.search": "ctrl+f", "blocklist.find": "ctrl+f"},
            {"check.search": "ctrl+f", "blocklist.find": "ctrl+f"},
        ),
        ({"check.sample": "Y", "check.status": "s"}, {"check.sample": "Y", "check.status": "s"}),
        ({"check.status": "s", "check.sample": "Y"}, {"check.status": "s", "check.sample": "Y"}),
        ({"check.copy": "e", "check.export": "c"}, {"check.copy": "e", "check.export": "c"}),
        ({"check.search": "ctrl+/, alt+shift+s"}, {"check.search": "ctrl+slash,alt+shift+s"}),
        ({"check.search": "slash, F, é, -, shift+f5"}, {"check.search": "slash,F,é,minus,shift+f5"}),
        ({"check.search": "€, section_sign"}, {"check.search": "euro_sign,section_sign"}),
        ({"blocklist.page(1)": "right, N"}, {"blocklist.page(1)": "right,N"}),
        ({"everywhere.quit": "Q, ctrl+q"}, {"everywhere.quit": "Q,ctrl+q"}),
    ],
)
def test_keys_that_are_given(wanted: dict[str, str], keymap: dict[str, str]) -> None:
    assert used(wanted) == (keymap, [])


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"check.fly": "f"}, "there is no command check.fly"),
        ({"everywhere.palette": "f2"}, "there is no command everywhere.palette"),
        ({"check.search": " , "}, "would have no key"),
        ({"check.search": "q"}, "q is the key of everywhere.quit"),
        ({"check.search": "f"}, "f is the key of check.status"),
        ({"check.search": "j"}, "j moves in lists"),
        ({"check.search": "f2", "check.status": "f2"}, "f2 is the key of check.search"),
        ({"\x1b[31m": "f2"}, "there is no command ␛[31m"),
        ({"check.copy": "e", "check.export": "j"}, "e is the key of check.export"),
        ({"check.search": "Ctrl+E"}, "Ctrl+E is no key, ctrl+e is: check.search keeps"),
        ({"check.search": "ctrl-e"}, "ctrl-e is no key, ctrl+e is"),
        ({"check.search": "control+e"}, "control+e is no key, ctrl+e is"),
        ({"check.search": "shift+ctrl+f2"}, "shift+ctrl+f2 is no key, ctrl+shift+f2 is"),
        ({"check.search": "shift+e"}, "shift+e is no key, E is"),
        ({"check.search": "F5"}, "F5 is no key, f5 is"),
        ({"check.search": "Del"}, "Del is no key, delete is"),
        ({"check.search": "bakspace"}, "bakspace is no key, backspace is"),
        ({"check.search": "nosuchkey"}, "nosuchkey is no key: check.search keeps"),
        ({"check.search": "<any>"}, "<any> is no key: "),
        ({"check.search": "f2, ctrl+"}, "ctrl+ is no key: "),
        ({"check.search": "\x07"}, "␇ is no key: "),
        ({"check.search": "ctrl+c"}, "ctrl+c copies what is selected"),
        ({"contact.block": "ctrl+q"}, "ctrl+q leaves watui"),
    ],
)
def test_what_cannot_be_is_told(wanted: dict[str, str], words: str) -> None:
    keymap, problems = used(wanted)
    assert any(words in problem for problem in problems)
    assert len(keymap) + len(problems) == len(wanted)


_OF_TRAFFIC = [command for command in described() if command.scope is Scope.TRAFFIC]
_NAMES = [command.name for command in _OF_TRAFFIC]
_KEYS = [command.keys[0] if command.id != "follow" else "f5" for command in _OF_TRAFFIC]


@given(st.permutations(_NAMES), st.permutations(_KEYS))
def test_keys_are_exchanged_in_any_order(names: list[str], keys: list[str]) -> None:
    wanted = dict(zip(names, keys, strict=True))
    keymap, problems = used(wanted)
    assert (list(keymap), problems) == (names, [])


@given(
    st.text(max_size=12) | st.sampled_from(["/", "+", "$", "[", "é", "ß", "€", "«", "你", "ctrl++", "Del", "euro_sign"])
)
def test_a_key_that_is_taken_is_shown_as_it_may_be_given(text: str) -> None:
    def shown() -> str:
        use_keys({"check.search": text})
        return ",".join(key_names(_SEARCH))

    keymap, _ = used({"check.search": text})
    if keymap:
        assert used({"check.search": contextvars.copy_context().run(shown)}) == (keymap, [])


async def test_a_key_of_ones_own_works_and_is_shown(paths: Paths) -> None:
    async with console(paths, settings=Settings(keys={"check.sample": "f7", "check.start": "q"})) as story:
        await story.until_shown("f7 sample", "q is the key of everywhere.quit: check.start keeps its own keys")
        await story.press("s")
        assert story.session.record is None
        await story.press("f7")
        await story.until_shown("187 distinct numbers")


async def test_the_next_console_has_the_usual_keys(paths: Paths) -> None:
    async with console(paths) as story:
        await story.until_shown("s sample")


def test_a_table_of_keys_stays_where_it_is_when_something_else_is_saved(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('[keys]\n"check.search" = "ctrl+f"\n')
    save(path, "theme", "watui-light")
    assert load(path, {}) == Settings(theme="watui-light", keys={"check.search": "ctrl+f"})


@pytest.mark.parametrize("character", [chr(code) for code in range(32, 127)])
def test_every_character_is_a_key_that_can_be_shown(character: str) -> None:
    assert not is_key_of(character, ["check.sample"]) or character == "s"
