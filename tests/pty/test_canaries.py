"""A token, a password and a number through a session at a terminal and through crashes: where they are found after."""

import contextlib
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from tests.pty.terminal import Terminal
from tests.simulated import a_world, create_app
from watui.client.auth import Credentials
from watui.failpoints import VARIABLE
from watui.settings.paths import Paths
from watui.simulator.events import PasswordChanged
from watui.simulator.serving import ServerThread

PASSWORD = "Canary-Pass1"
NUMBER = "+16315551000"

CRASHING_CONSOLE = """
import sys
from watui.cli import entry
from watui.tui.screens.check import CheckScreen
from watui.client.transport import Transport

sent = []
send = Transport._send_with

async def noting(self, token, *arguments):
    sent.append((token, arguments))
    return await send(self, token, *arguments)

def action_sample(self):
    token, arguments = sent[-1]
    raise ValueError(f"{token} {arguments}")

Transport._send_with = noting
CheckScreen.action_sample = action_sample
sys.argv[0] = "watui"
entry.main()
"""

CRASHING_COMMAND = """
import sys
from watui.cli import entry
from watui.client.transport import Transport

async def failing(self, token, method, path, body, seconds):
    raise RuntimeError(f"{token} {body}")

Transport._send_with = failing
sys.argv[0] = "watui"
entry.main()
"""


class Processes:
    """What anybody on this machine can read of a process and of those that it starts."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Processes":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.02):
            for pid in descendants(os.getpid()):
                for name in ("cmdline", "environ"):
                    with contextlib.suppress(OSError):
                        self.seen.add(Path(f"/proc/{pid}/{name}").read_bytes())


def descendants(ancestor: int) -> Iterator[int]:
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    found = {ancestor}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    yield from found - {ancestor}


class Session:
    """Commands at a terminal, one after the other, and all that they print."""

    def __init__(self) -> None:
        self.output = b""

    @contextlib.contextmanager
    def run(
        self,
        *arguments: str,
        exit_code: int,
        program: Sequence[str] = ("-m", "watui"),
        environment: dict[str, str] | None = None,
    ) -> Iterator[Terminal]:
        with Terminal(arguments, (200, 40), environment, program) as terminal:
            yield terminal
            terminal.until_ended()
            self.output += terminal.output
            assert terminal.exit_code == exit_code, terminal.text()


def hold_a_session(session: Session, url: str) -> None:
    profile = ("--profile", "shop")
    with session.run("profiles", "add", "shop", "--url", url, "--region", "US", exit_code=0):
        pass
    with session.run("login", *profile, "--user", "admin", "--store", "file", exit_code=0) as terminal:
        terminal.until("Password of admin")
        terminal.send(PASSWORD.encode() + b"\r")
    with session.run("check", "--number", NUMBER, *profile, "--trace", exit_code=0):
        pass
    with session.run("block", NUMBER, *profile, "--yes", exit_code=0):
        pass
    for command in (("health", *profile), ("profiles", "list")):
        with session.run(*command, exit_code=0):
            pass


def crash(session: Session) -> None:
    profile = ("--profile", "shop")
    asked = ("check", "--number", NUMBER, "--force-check", *profile, "--trace")
    with session.run(*asked, exit_code=-9, environment={VARIABLE: "client.sent:1"}):
        pass
    with session.run(*asked, exit_code=70, program=("-c", CRASHING_COMMAND)):
        pass
    with session.run(*profile, exit_code=70, program=("-c", CRASHING_CONSOLE)) as terminal:
        terminal.until("paste|resume")
        terminal.paste(NUMBER)
        terminal.until("1 distinct number")
        terminal.send(b"\r")
        terminal.until("1 of 1 number")
        terminal.until("done")
        terminal.send(b"s")


def test_secrets_and_numbers_are_found_only_where_they_are_kept(home: Path, paths: Paths) -> None:
    world = a_world(latency=None, engaged=1.0)
    app = create_app(world)
    world.happen(PasswordChanged(time.time(), "admin", PASSWORD))
    session = Session()
    with ServerThread(app) as server, Processes() as processes:
        hold_a_session(session, server.url)
        crash(session)
    token = msgspec.json.decode((paths.secrets / "shop.login").read_bytes())["value"]
    assert paths.crash_log.exists()
    assert NUMBER.encode() in session.output, "what is asked is told"
    basic = Credentials("admin", PASSWORD).authorization.removeprefix("Basic ")
    allowed = {"shop.login": {token}, "shop.password": {PASSWORD}}
    hits: Counter[str] = Counter()
    files = [path for path in home.rglob("*") if path.is_file()]
    for secret in (token, PASSWORD, basic):
        hits["terminal"] += session.output.count(secret.encode())
        hits["processes"] += sum(secret.encode() in seen for seen in processes.seen)
        for path in files:
            if secret not in allowed.get(path.name, set()):
                hits[f"files: {path.name}"] += path.read_bytes().count(secret.encode())
    digits = NUMBER.removeprefix("+1").encode()
    for path in files:
        if not path.name.startswith("ledger.sqlite3"):
            hits[f"number: {path.name}"] += path.read_bytes().count(digits)
    places = f"{len(session.output):,} bytes of output, {len(files)} files, {len(processes.seen)} process lines"
    print(f"\n{sum(hits.values())} hits in {places}")
    assert {place: count for place, count in hits.items() if count} == {}
    assert any(digits in path.read_bytes() for path in files), "the ledger knows it"
    assert len(processes.seen) > 10
