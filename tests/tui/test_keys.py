"""Keys that a person's settings give to commands."""

import contextvars
from collections import Counter
from pathlib import Path

import pytest

from tests.tui.story import console
from watui.settings.paths import Paths
from watui.settings.settings import Settings, load, save
from watui.tui.commands import described
from watui.tui.keys import use_keys

pytestmark = pytest.mark.anyio


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
    ],
)
def test_what_cannot_be_is_told(wanted: dict[str, str], words: str) -> None:
    keymap, problems = used(wanted)
    assert words in problems[0]
    assert len(keymap) + len(problems) == len(wanted)


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
