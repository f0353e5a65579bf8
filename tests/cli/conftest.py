"""The command line, in this process and as a process of its own."""

import asyncio
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from tests.cli.site import Site
from tests.conftest import TOKEN
from watui.actions import batch as batch_module
from watui.cli import talk
from watui.cli.app import run
from watui.client.pacing import Pacing
from watui.contract.models import CheckAnswer
from watui.simulator.conditions import Conditions
from watui.simulator.world import World

SECONDS = 30.0
"""No command of the tests may take longer."""


class RecordingWorld(World):
    """A world that decides at once and remembers what it was asked, a list of inputs a request."""

    def __init__(self) -> None:
        super().__init__(conditions=Conditions(latency=None))
        self.requests: list[list[str]] = []

    def answer(self, inputs: list[str], numbers: list[str | None], now: float) -> CheckAnswer:
        self.requests.append(inputs)
        return super().answer(inputs, numbers, now)


@pytest.fixture
def world() -> RecordingWorld:
    return RecordingWorld()


class Ended(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


Watui = Callable[..., Ended]


@pytest.fixture
def watui(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Watui:
    """Run `watui` in this process, with the token of the `server` fixture in the environment."""
    monkeypatch.setenv("WATUI_TOKEN", TOKEN)
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    def call(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["watui", *arguments])
        capsys.readouterr()
        talk.HIDING.clear()
        code = run()
        return Ended(int(code), *capsys.readouterr())

    return call


@pytest.fixture
def site(world: World) -> Iterator[Site]:
    with Site(world) as site:
        yield site


async def at_once(_: float) -> None:
    await asyncio.sleep(0)


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no batch wait, between two requests or for a server."""
    monkeypatch.setattr(batch_module, "asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": at_once}))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait before a server that failed is asked once more."""
    monkeypatch.setattr(Pacing, "wait", lambda *_: 0.0)


def environment() -> dict[str, str]:
    """Return the environment of a fresh process: that of the test, with its own home, and no token."""
    return {name: value for name, value in os.environ.items() if name != "WATUI_TOKEN"} | {"PYTHONWARNINGS": "error"}


def start(*arguments: str, stdin: int = subprocess.DEVNULL, **env: str) -> "subprocess.Popen[str]":
    """Start `watui` as a process."""
    return subprocess.Popen(
        [sys.executable, "-m", "watui", *arguments],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment() | env,
    )


def process(*arguments: str, given: str | None = None, **env: str) -> Ended:
    """Run `watui` as a process to its end; without `given` its standard input is /dev/null."""
    with start(*arguments, stdin=subprocess.DEVNULL if given is None else subprocess.PIPE, **env) as running:
        out, err = running.communicate(given, timeout=SECONDS)
        return Ended(running.returncode, out, err)


def assert_one_sentence(ended: Ended, code: int) -> None:
    """Assert that a command ended with `code`, nothing on stdout, and one line of talk in the end."""
    assert ended.code == code, ended.err
    assert ended.out == ""
    assert "Traceback" not in ended.err
    assert ended.err.strip()
    assert len(ended.err.strip().splitlines()[-1]) > 20


def congress() -> Path:
    """Return the list of numbers of the offices of the United States Congress (public domain, CC0)."""
    return Path(__file__).parent.parent / "data" / "us-congress-offices.csv"
