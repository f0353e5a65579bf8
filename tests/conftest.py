"""What every test stands on: a home of its own, and a simulated server that answers at once."""

import gc
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.simulated import a_world, create_app
from watui.cli import talk
from watui.ledger.drivers import Driver
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.settings.paths import Paths, find_paths
from watui.simulator.serving import ServerThread
from watui.simulator.world import World
from watui.zone import ZONE, Zone

IN_MEMORY, ENOUGH_BYTES = Path("/dev/shm"), 2 * 2**30
"""Where a file system in memory usually is, and what must be free there to work in it."""

if os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free >= ENOUGH_BYTES:
    # Ledgers make sure of every commit, and there are thousands of them.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))

settings.register_profile("ordinary", deadline=None, max_examples=40)
settings.register_profile("long", deadline=None, max_examples=500)
settings.load_profile("ordinary")
# pytest -n 2 --hypothesis-profile=long: more than ten times as many examples of every property.


def examples(share: float) -> int:
    """Return how many examples are enough for a property that needs `share` of the usual number."""
    return round(share * settings().max_examples)


TOKEN = "test-token"

LENGTHY = (
    "tests/tui/test_random_keys.py",
    "tests/pty/",
    "tests/simulator/test_fuzz.py",
    "tests/durability/",
    "tests/checks/test_disk.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that no process is left with it at the end."""
    items.sort(key=lambda item: not item.nodeid.startswith(LENGTHY))


def pytest_collection_finish() -> None:
    """Let the collector of garbage pass over the thousands of tests, and come by less often."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home; nothing of the person who runs the tests is read or written."""
    home = tmp_path / "home"
    for name in (
        "WATUI_REGION",
        "WATUI_BATCH_SIZE",
        "WATUI_BLOCKING",
        "WATUI_THEME",
        "WATUI_TOKEN",
        "WATUI_PROFILE",
        "WATUI_READ_ONLY",
        "WATUI_RETENTION_DAYS",
        "WATUI_LOG_NUMBERS",
        "WATUI_LOW_BANDWIDTH",
        "SSH_CONNECTION",
        "SSH_TTY",
        "WATUI_PASSWORD",
        "CREDENTIALS_DIRECTORY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("WATUI_HOME", str(home / "watui"))
    return home


@pytest.fixture(autouse=True)
def _nothing_of_other_tests() -> Iterator[None]:
    """The whole process hides no numbers and tells times in its own zone, whatever a test has wanted."""
    yield
    talk.HIDING.clear()
    ZONE.__dict__ = dict(vars(Zone()))


@pytest.fixture
def paths(home: Path) -> Paths:
    return find_paths()


@pytest.fixture
def driver(paths: Paths) -> Iterator[Driver]:
    """Somebody at work in this process."""
    driver = Driver(paths.locks)
    yield driver
    driver.close()


@pytest.fixture
def world() -> World:
    """A world that decides every number at once."""
    return a_world(latency=None)


@pytest.fixture
def server(world: World) -> Iterator[ServerThread]:
    """`world` behind a real socket on loopback; it accepts TOKEN."""
    with ServerThread(create_app(world, TOKEN)) as thread:
        yield thread


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def ledger(paths: Paths) -> Iterator[Ledger]:
    ledger = Ledger(paths.ledger)
    yield ledger
    ledger.close()


@pytest.fixture
def reader(paths: Paths, ledger: Ledger) -> Iterator[Reader]:
    reader = Reader(paths.ledger)
    yield reader
    reader.close()
