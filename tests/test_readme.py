"""What the README says is what the program has."""

import re
from pathlib import Path

import pytest

from watui.cli.app import watui
from watui.cli.check import check
from watui.cli.exits import Exit
from watui.settings.settings import descriptions
from watui.tui.commands import Command, described, key_names

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = re.findall(r"^python3 -m venv .*$", README, re.MULTILINE)


def test_there_are_two_commands_and_ci_runs_the_second() -> None:
    first, second = COMMANDS
    assert first.endswith(".venv/bin/watui")
    assert second in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()


@pytest.mark.parametrize("command", list(described()), ids=lambda command: command.id)
def test_every_key_is_in_the_table(command: Command) -> None:
    keys = " ".join(f"`{name}`" for name in key_names(command))
    assert f"| {keys} | {command.help} |" in README


def test_the_table_of_keys_holds_nothing_else() -> None:
    table = README[README.index("## Keys") : README.index("## Headless use")]
    assert len(re.findall(r"^\| `", table, re.MULTILINE)) == len(list(described()))


@pytest.mark.parametrize("name", descriptions())
def test_every_setting_is_described(name: str) -> None:
    description, default = descriptions()[name]
    assert f"| `{name}` | `{default}` | {description} |" in README


@pytest.mark.parametrize("option", [name for parameter in check.params for name in parameter.opts if "-" in name])
def test_every_option_of_check_is_named(option: str) -> None:
    assert option in README


@pytest.mark.parametrize("command", sorted(watui.commands))
def test_every_command_is_named(command: str) -> None:
    assert f"watui {command}" in README


@pytest.mark.parametrize("code", list(Exit))
def test_every_exit_code_is_explained(code: int) -> None:
    assert re.search(rf"^\| {int(code)} \|", README, re.MULTILINE)


def test_pictures_exist_and_fetch_nothing() -> None:
    pictures = re.findall(r"\((screenshots/[^)]+)\)", README)
    assert pictures
    for picture in pictures:
        assert "@font-face" not in (ROOT / picture).read_text("utf-8")
