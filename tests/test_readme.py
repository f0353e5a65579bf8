"""What the README says is what the program has."""

import contextvars
import json
import re
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from click import Context

from tests import options
from tests.cli.conftest import SECONDS, start
from tests.screenshots import DARK, FOLDER, LIGHT, PICTURES, file_of
from tests.tui.story import NARROW, WIDE
from watui.cli.app import watui
from watui.cli.exits import Exit
from watui.cli.simulate import simulate
from watui.cli.simulator import simulator
from watui.settings.settings import Profile, descriptions, load
from watui.simulator.scenario import find, shipped
from watui.tui.commands import Command, described
from watui.tui.keys import key_names, use_keys

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
TOML = re.findall(r"^```toml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^python3 -m venv .*$", README, re.MULTILINE)


def test_there_are_two_commands_and_ci_runs_the_second() -> None:
    first, second = COMMANDS
    assert first.endswith(".venv/bin/watui")
    assert second in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()


@pytest.mark.parametrize("command", list(described()), ids=lambda command: command.id)
def test_every_key_is_in_the_table(command: Command) -> None:
    keys = " ".join(f"`{name}`" for name in key_names(command))
    assert f"| {keys} | {command.help} | `{command.name}` |" in README


def test_the_table_of_keys_holds_nothing_else() -> None:
    table = README[README.index("## Keys") : README.index("## Headless use")]
    assert len(re.findall(r"^\| `", table, re.MULTILINE)) == len(list(described()))


def test_the_keys_can_be_used() -> None:
    _, text, _ = TOML
    wanted = tomllib.loads(text)["keys"]
    keymap, problems = contextvars.copy_context().run(use_keys, wanted)
    assert (list(keymap), problems) == (list(wanted), [])


@pytest.mark.parametrize("name", descriptions())
def test_every_setting_is_described(name: str) -> None:
    description, default = descriptions()[name]
    assert f"| `{name}` | `{default}` | {description} |" in README


@pytest.mark.parametrize("name", descriptions(Profile))
def test_every_member_of_a_profile_is_described(name: str) -> None:
    description, default = descriptions(Profile)[name]
    assert f"| `{name}` | `{default}` | {description} |" in README


@pytest.mark.parametrize("table", [options.of_check, options.of_others])
def test_every_option_is_described_as_its_help_does(table: Callable[[], str]) -> None:
    """Where it is not: python -m tests.options."""
    assert f"\n\n{table()}\n" in README


@pytest.mark.parametrize("command", watui.list_commands(Context(watui)))
def test_every_command_is_named(command: str) -> None:
    assert f"watui {command}" in README


@pytest.mark.parametrize("code", list(Exit))
def test_every_exit_code_is_explained(code: int) -> None:
    assert re.search(rf"^\| {int(code)} \|", README, re.MULTILINE)


def test_every_picture_is_made_and_shown_and_fetches_nothing() -> None:
    shown = re.findall(r"\(screenshots/([^)]+)\)", README)
    made = [file_of(name, size, theme) for name, _, size, theme in PICTURES]
    there = [path.name for path in FOLDER.iterdir()]
    assert sorted(shown) == sorted(made) == sorted(there)
    assert not any("@font-face" in (FOLDER / name).read_text("utf-8") for name in there)


def test_pictures_are_of_both_sizes_and_both_themes() -> None:
    assert {(size, theme) for _, _, size, theme in PICTURES} == {(s, t) for s in (NARROW, WIDE) for t in (DARK, LIGHT)}


_HOUSE = [path.name for path in (ROOT / "watui").iterdir() if path.is_dir() or path.suffix == ".py"]


@pytest.mark.parametrize("name", sorted({*_HOUSE} - {"__init__.py", "__pycache__"}))
def test_every_room_of_the_house_is_told(name: str) -> None:
    chapter = README[README.index("## How the house is laid out") :]
    assert re.search(
        rf"(?<![\w.]){re.escape(name)}\b" if name.endswith(".py") else rf"^  {name}/ ", chapter, re.MULTILINE
    )


@pytest.mark.parametrize("option", [name for parameter in simulate.params for name in parameter.opts if "--" in name])
def test_every_option_of_simulate_is_named(option: str) -> None:
    assert f"`{option}" in README


@pytest.mark.parametrize("command", sorted(simulator.commands))
def test_every_command_on_the_simulator_is_named(command: str) -> None:
    section = README[README.index("watui simulator ") : README.index("## Keys")]
    assert command in section


def test_every_scenario_is_named() -> None:
    assert all(f"`{scenario.name}`" in README for scenario in shipped())


def test_the_scenario_can_be_played(tmp_path: Path) -> None:
    text, _, _ = TOML
    file = tmp_path / "own.toml"
    file.write_text(text, "utf-8")
    scenario = find(str(file))
    assert (len(scenario.fault), len(scenario.at)) == (1, 1)


def test_the_profile_can_be_used(tmp_path: Path) -> None:
    _, _, text = TOML
    file = tmp_path / "settings.toml"
    file.write_text(text, "utf-8")
    found = load(file, {})
    assert found.profiles[found.profile].read_only


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_the_curl_examples_answer_as_written() -> None:
    section = README[README.index("## The simulator") : README.index("## Keys")]
    blocks = re.findall(r"^```(sh|json)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    (command,) = (text for kind, text in blocks if kind == "sh" and text.startswith("watui simulate"))
    arguments = shlex.split(command)[1:]
    answers = 0
    with start(*arguments, "--port", "0") as running:
        try:
            assert running.stdout is not None
            url = running.stdout.readline().strip()
            for (kind, text), (next_kind, expected) in pairwise(blocks):
                if kind == "sh" and text.startswith("curl"):
                    assert next_kind == "json", "every example says what comes back"
                    answers += 1
                    assert json.loads(_curl(text.replace("http://127.0.0.1:9090", url))) == json.loads(expected)
        finally:
            running.kill()
    assert answers == 4


def _curl(lines: str) -> str:
    """Run the lines of an example and return what the last of them prints."""
    printed = ""
    for line in lines.splitlines():
        done = subprocess.run(shlex.split(line), capture_output=True, text=True, timeout=SECONDS, check=True)
        printed = done.stdout or printed
    return printed
