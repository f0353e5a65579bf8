"""A keyring that never answers, as one that waits to be unlocked: how long anything waits for it."""

import math
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cli.conftest import process
from tests.conftest import TOKEN
from tests.pty.terminal import Terminal
from watui.cli.exits import Exit
from watui.settings.paths import Paths
from watui.settings.secrets import KEYRING_SECONDS, Secret, Secrets, Store
from watui.settings.settings import load, save_profile
from watui.simulator.serving import ServerThread

SLACK_SECONDS = 1.0
"""By which two starts of one program may differ."""

TRIES = 4
"""A machine can be busier in one moment than in the next."""

PACKAGE = """
import os, threading, time

class Ring:
    priority = 5

    def get_password(self, service, name):
        with open(os.environ["ASKED"], "a") as file:
            file.write(f"{name}\\n")
        if os.environ["HANGS"] == "yes":
            threading.Event().wait()

def get_keyring():
    return Ring()
"""


class Keyring(NamedTuple):
    """A package named keyring."""

    folder: Path

    def environment(self, hangs: str) -> dict[str, str]:
        path = os.pathsep.join([str(self.folder), os.environ.get("PYTHONPATH", "")])
        return {"PYTHONPATH": path, "HANGS": hangs, "ASKED": str(self.folder / "asked")}

    @property
    def asked(self) -> int:
        """How often it was asked since the last time."""
        path = self.folder / "asked"
        count = len(path.read_text().splitlines())
        path.unlink()
        return count


@pytest.fixture
def keyring(tmp_path: Path, server: ServerThread, paths: Paths) -> Keyring:
    """The package, and a profile whose token is in a file."""
    (tmp_path / "packages" / "keyring").mkdir(parents=True)
    (tmp_path / "packages" / "keyring" / "__init__.py").write_text(PACKAGE)
    save_profile(paths.settings, "shop", {"url": server.url, "region": "US"})
    Secrets(paths.secrets, {}).keep("shop", Secret.TOKEN, TOKEN, Store.FILE)
    return Keyring(tmp_path / "packages")


def check(keyring: Keyring, hangs: str) -> float:
    """Check a number; return the seconds that took."""
    began = time.monotonic()
    arguments = ("check", "--number", "+16315551000", "--recheck", "--profile", "shop")
    ended = process(*arguments, **keyring.environment(hangs))
    assert ended.code == Exit.DONE, ended.err
    return time.monotonic() - began


def delay(take: Callable[[str], float]) -> float:
    """Return by how much a keyring that hangs delays what `take` does; where that is long, the least of some."""
    least = math.inf
    for _ in range(TRIES):
        usual = take("no")
        hanging = take("yes")
        least = min(least, hanging - usual)
        print(f"\nit took {usual:.2f} s, and {hanging:.2f} s with a keyring that hangs")
        if least < KEYRING_SECONDS + SLACK_SECONDS:
            break
    return least


def test_a_check_waits_for_it_once_and_for_a_second(keyring: Keyring) -> None:
    def take(hangs: str) -> float:
        seconds = check(keyring, hangs)
        assert keyring.asked == 1
        assert hangs == "no" or seconds >= KEYRING_SECONDS
        return seconds

    assert delay(take) < KEYRING_SECONDS + SLACK_SECONDS


def first_paint(keyring: Keyring, hangs: str) -> float:
    """Open the console; return the seconds until its first screen."""
    began = time.monotonic()
    with Terminal(["--profile", "shop"], environment=keyring.environment(hangs)) as terminal:
        terminal.until("paste")
        seconds = time.monotonic() - began
        terminal.send(b"q")
        terminal.until_ended()
        assert terminal.exit_code == 0
    return seconds


def test_the_console_does_not_wait_for_it(keyring: Keyring) -> None:
    assert delay(partial(first_paint, keyring)) < KEYRING_SECONDS + SLACK_SECONDS


@pytest.mark.parametrize(("answer", "stored"), [("n", TOKEN), ("y", "canary-token")])
def test_a_login_says_so_before_it_keeps_a_secret(answer: str, stored: str, keyring: Keyring, paths: Paths) -> None:
    with Terminal(["login", "--profile", "shop"], (200, 40), keyring.environment("yes")) as terminal:
        terminal.until("Token for shop")
        terminal.send(b"canary-token\r")
        terminal.until(r"The keyring did not answer within 1 second: it may be locked\.")
        terminal.until(r"Keep it as plain text in .*\[y/N\]")
        terminal.send(f"{answer}\r".encode())
        terminal.until("The token is kept in" if answer == "y" else "Nothing is kept: give the token as WATUI_TOKEN")
        terminal.until_ended()
        assert terminal.exit_code == (Exit.DONE if answer == "y" else Exit.UNFINISHED)
        assert b"canary-token" not in terminal.output
    found = Secrets(paths.secrets, {}).find("shop", Secret.TOKEN)
    assert found is not None
    assert found.value == stored


def test_a_profile_is_removed_and_what_may_be_left_is_said(keyring: Keyring, paths: Paths) -> None:
    ended = process("profiles", "remove", "shop", "--yes", **keyring.environment("yes"))
    assert ended.code == Exit.UNFINISHED
    assert "The profile shop is removed, but perhaps not its secrets: the keyring did not answer" in ended.err
    assert list(paths.secrets.iterdir()) == []
    assert "shop" not in load(paths.settings, {}).profiles
