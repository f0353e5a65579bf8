"""What the console says of keys is true where a person has given them to other commands."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.story import WIDE, console
from watui.settings.paths import Paths
from watui.settings.settings import Settings
from watui.tui.commands import described
from watui.tui.keys import key_names

pytestmark = pytest.mark.anyio

CONSOLE = Path(__file__).parent.parent.parent / "watui" / "tui"

KEYS = frozenset(key for command in described() for key in key_names(command)) - frozenset("←→↑↓<>?/")
"""As people write them, without what stands for other things on a screen, too."""

WORDS = frozenset({"a", "A", "+", "1", "3", "end", "enter", "space"})
"""Keys that are words of prose as well: they are named where nothing else stands, or where they do something."""

UNITS = frozenset("smhdB")

OF_DIALOGS = frozenset({"esc", "enter", "tab", "space", "n", "q", "ctrl+q"})
"""Keys that dialogs have of their own: nobody can change them."""

MAY_NAME = {
    **dict.fromkeys(("changes.py", "widgets/toggle.py"), OF_DIALOGS),
    **{f"screens/{name}.py": OF_DIALOGS for name in ("budget", "dialogs", "layouts", "meaning", "profiles", "reasons")},
    "screens/help.py": {*OF_DIALOGS, "k", "j"},
    "screens/modal.py": OF_DIALOGS,
    "simulator_view.py": {"s"},  # seconds
    "typed_ahead.py": {"end"},  # moves
    "widgets/row_table.py": {"R"},  # a type
}

MODULES = [
    path.relative_to(CONSOLE).as_posix()
    for path in sorted(CONSOLE.rglob("*.py"))
    if path.name not in {"commands.py", "keys.py"}
]


def literals(source: str) -> Iterator[str]:
    """Yield the texts of a module but its docstrings; where something is put into one, it holds `{}`."""
    nodes = list(ast.walk(ast.parse(source)))
    left_out: set[int] = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            left_out |= {id(part) for part in node.values if isinstance(part, ast.Constant)}
        elif isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            left_out |= {id(part) for part in ast.walk(node.format_spec)}
    for node in nodes:
        if id(node) in left_out:
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def named(text: str) -> Iterator[str]:
    """Yield the keys that a text names by hand."""
    words = [word.strip("“”,.;:·()\n") for word in text.split()]
    for word, before, after in zip(words, ["", *words], [*words[1:], ""], strict=False):
        is_prose = (
            word in WORDS and len(words) > 1 and not (word in {"enter", "end"} and re.fullmatch(r"\w{3,}s", after))
        )
        is_unit = word in UNITS and before[-1:] in {*"0123456789", "}"}
        if word in KEYS and not is_prose and not is_unit:
            yield word


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Numbers are hidden; H shows them.", ["H"]),
        ("   esc shows all", ["esc"]),
        ("enter asks the server", ["enter"]),
        ("e", ["e"]),
        ("a", ["a"]),
        ("in the console $ does both", ["$"]),
        ("A list is being read: let it end.", []),
        ("{} s, 24 h", []),
    ],
)
def test_a_key_is_found_where_it_is_named(text: str, keys: list[str]) -> None:
    assert list(named(text)) == keys


@pytest.mark.parametrize("module", MODULES)
def test_no_text_names_a_key_that_can_be_changed(module: str) -> None:
    """Where this fails: `key_of` knows the key."""
    found = {(key, text) for text in literals((CONSOLE / module).read_text("utf-8")) for key in named(text)}
    assert {(key, text) for key, text in found if key not in MAY_NAME.get(module, ())} == set()


_LETTERS = [letter for letter in map(chr, range(0x430, 0x530)) if letter.isalpha()]

ELSEWHERE = {
    command.name: letter for command, letter in zip(described(), _LETTERS, strict=False) if command.id != "palette"
}
"""Another key for every command."""


def shown_keys(text: str) -> set[str]:
    return {word for word in re.findall(r"[^\s“”,.;:·()]+", text) if word in KEYS - WORDS}


@pytest.mark.parametrize("name", ["check", "blocklist", "runs", "settings", "traffic"])
async def test_screens_and_notices_name_the_keys_that_commands_have_now(paths: Paths, name: str) -> None:
    async with console(paths, size=WIDE, settings=Settings(keys=ELSEWHERE)) as story:
        await story.press(ELSEWHERE[f"screens.show_{name}"])
        await story.until_shown(f"{ELSEWHERE[f'screens.show_{name}']} {name.capitalize()}")
        assert shown_keys(story.all_text()) == set()
        for name in ("showing.mask", "showing.utc", "showing.utc"):
            await story.press(ELSEWHERE[name])
        await story.press("ctrl+c")
        for words in (ELSEWHERE["showing.mask"], ELSEWHERE["showing.utc"], "leaves watui"):
            await story.until_told(words)
        assert set().union(*map(shown_keys, story.notices)) == set()


async def test_what_a_key_opens_it_closes(paths: Paths) -> None:
    async with console(paths, size=WIDE, settings=Settings(keys=ELSEWHERE)) as story:
        for name in ("everywhere.help", "screens.meaning"):
            await story.press(ELSEWHERE[name])
            assert len(story.app.screen_stack) == 2
            await story.press("question_mark", "m")
            assert len(story.app.screen_stack) == 2
            await story.press(ELSEWHERE[name])
            assert len(story.app.screen_stack) == 1
