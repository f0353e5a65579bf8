"""Same seed, same script, virtual clock: the same record to the byte, however the server is asked."""

import asyncio
import base64
import hashlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.simulated import a_world
from watui.simulator import population
from watui.simulator.app import App, Message
from watui.simulator.faults import parse
from watui.simulator.record import Record
from watui.simulator.scenario import find
from watui.simulator.server import Simulator
from watui.simulator.wire import Reply, Request

TOKEN = "determined-token"
BEARER = f"Bearer {TOKEN}"
NOW = 1_800_000_000.0
SEED = 17
"""One with which every fault hits something."""

PASSWORD = "Str0ng!pass"
REPETITIONS = 100
CHECK = "/v1/contacts"
FAULTS = (
    *("duplicate:share=0.2", "missing:share=0.2", "reordered:share=0.2", "extra:share=0.2"),
    *("timeout:share=0.03", "malformed:every=19", "wrong-type:nth=40", "redirect:share=0.03"),
)
"""Beside those of the scenario."""
ROOT = Path(__file__).parents[2]

NUMBERS = [f"+1212555{line:04d}" for line in range(300)]
ENGAGED = [n for n in NUMBERS if population.has_account(SEED, n) and population.is_engaged(SEED, n)]
SILENT = [n for n in NUMBERS if population.has_account(SEED, n) and not population.is_engaged(SEED, n)]


@dataclass(frozen=True)
class Step:
    """A pause and the request behind it."""

    pause: float
    method: str
    target: str
    body: bytes = b""
    authorization: str = BEARER

    def request(self) -> Request:
        return Request(self.method, self.target, {"authorization": self.authorization}, self.body)


def a_step(pause: float, method: str, target: str, body: Any = None, authorization: str = BEARER) -> Step:
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Step(pause, method, target, content, authorization)


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"admin:{password}".encode()).decode()


def identity(number: str, body: Any = None) -> Step:
    return a_step(0.25, "GET" if body is None else "PUT", f"{CHECK}/{number[1:]}/identity", body)


SCRIPT = [
    a_step(0, "GET", "/v1/health"),
    a_step(0.1, "POST", "/v1/users/login", None, basic("secret")),
    a_step(0.1, "POST", "/v1/users/login", {"new_password": PASSWORD}, basic("secret")),
    a_step(0.1, "POST", "/v1/users/login", {}, basic(PASSWORD)),
    a_step(0.1, "POST", "/v1/users/login", None, basic("wrong")),
    a_step(1 / 3, "POST", CHECK, {"contacts": NUMBERS[:20]}),
    a_step(0.7, "POST", CHECK, {"contacts": NUMBERS[:20]}, f"Bearer token-{SEED}-1"),
    a_step(0, "POST", CHECK, {"contacts": NUMBERS[10:40], "blocking": "wait"}),
    a_step(0.3, "POST", CHECK, {"contacts": ["12", "nobody", *NUMBERS[:3]], "force_check": True}),
    a_step(2.5, "POST", CHECK, {"contacts": [*NUMBERS[:3], NUMBERS[0]], "blocking": "wait", "force_check": True}),
    a_step(0, "POST", "/_region/IN/v1/contacts", {"contacts": ["6315551002", "+55 31 91234-5678"]}),
    a_step(0.1, "POST", "/_region/IN/v1/contacts", {"contacts": ["+5215512345678"], "blocking": "wait"}),
    *(a_step(0.2, "POST", f"{CHECK}/{number}/block", {"reason": "spam"}) for number in ENGAGED[:4]),
    a_step(0, "POST", f"{CHECK}/{SILENT[0]}/block"),
    a_step(0, "POST", f"{CHECK}/{ENGAGED[0]}/unblock"),
    a_step(0.1, "POST", f"{CHECK}/{ENGAGED[4]}/report"),
    a_step(0.1, "POST", f"{CHECK}/{ENGAGED[5]}/report", {"block": "true", "reason": "山"}),
    a_step(0.1, "POST", f"{CHECK}/{SILENT[0]}/report", {"message_id": "none"}),
    a_step(0.1, "GET", f"{CHECK}/blocklist?limit=3&offset=1"),
    a_step(0.1, "GET", f"{CHECK}/blocklist?limit=0"),
    *(identity(number) for number in SILENT[:3]),
    identity(SILENT[0], {"hash": population.identity_hash(SEED, SILENT[0], 0)}),
    identity(SILENT[1], {"hash": "AAAAAAAAAAA="}),
    a_step(0, "GET", "/v1/settings/application"),
    a_step(0, "PATCH", "/v1/settings/application", {"show_security_notifications": True}),
    a_step(0.1, "PATCH", "/v1/settings/application", {"colour": "red"}),
    a_step(0.1, "POST", CHECK, b"{broken"),
    a_step(0.1, "POST", CHECK, b'{"contacts": ["\xff"]}'),
    a_step(0.1, "POST", CHECK, {"contacts": []}),
    a_step(0.1, "POST", CHECK, {"contacts": "+12125550100"}),
    a_step(0.1, "GET", CHECK),
    a_step(0.1, "GET", "/v1/nowhere?a=b"),
    a_step(0.1, "POST", CHECK, {"contacts": NUMBERS[:2]}, "Bearer other"),
    a_step(0.1, "POST", "/v1/users/logout", None, f"Bearer token-{SEED}-1"),
    a_step(0.1, "GET", "/v1/health", None, f"Bearer token-{SEED}-1"),
    a_step(12.5, "POST", CHECK, {"contacts": NUMBERS[:60], "blocking": "wait"}),
    a_step(0, "POST", CHECK, {"contacts": NUMBERS[:60]}),
    a_step(60, "GET", "/v1/certificates/external/ca"),
    a_step(86_400, "POST", f"{CHECK}/{ENGAGED[6]}/report", {}),
    a_step(6 * 86_400, "POST", CHECK, {"contacts": NUMBERS[:60]}),
]


def a_simulator(file: io.StringIO, seed: int = SEED) -> Simulator:
    """Return a server on which everything is on that chance has a hand in."""
    world = a_world(seed=seed, faults=tuple(map(parse, FAULTS)))
    simulator = Simulator(world, TOKEN, record=Record(file), seeded_tokens=True)
    world.reset(NOW)
    world.play(find("flaky"), NOW)
    return simulator


def as_asked(simulator: Simulator, script: list[Step]) -> list[tuple[Reply, float]]:
    """Ask by `Simulator.respond`; return the replies and when they were complete."""
    now, replies = NOW, []
    for step in script:
        reply, now = simulator.respond(step.request(), now + step.pause)
        replies.append((reply, now))
    return replies


class Clock:
    """A clock that sleeping alone moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


Heard = tuple[list[Message], str, float]
"""What was sent, how it was broken off, and when it was over."""


async def as_heard(simulator: Simulator, script: list[Step]) -> list[Heard]:
    """Ask over ASGI; return what was heard of each reply."""
    clock = Clock()
    app = App(simulator, clock, clock.sleep)
    heard: list[Heard] = []
    for step in script:
        await clock.sleep(step.pause)
        sent, broken = await _heard(app, step)
        heard.append((sent, broken, clock.now))
    return heard


async def _heard(app: App, step: Step) -> tuple[list[Message], str]:
    path, _, query = step.target.partition("?")
    scope = {
        "type": "http",
        "method": step.method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"Authorization", step.authorization.encode())],
    }
    coming: list[Message] = [{"type": "http.request", "body": step.body, "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        if not coming:
            await asyncio.Event().wait()  # the client stays until it has heard everything
        return coming.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    try:
        await app(scope, receive, send)
    except (ConnectionResetError, TimeoutError) as error:
        return sent, type(error).__name__
    return sent, ""


def record_as_asked(seed: int = SEED) -> str:
    file = io.StringIO()
    as_asked(a_simulator(file, seed), SCRIPT)
    return file.getvalue()


async def record_as_heard() -> str:
    file = io.StringIO()
    await as_heard(a_simulator(file), SCRIPT)
    return file.getvalue()


def digest() -> str:
    """Return what the record of the script comes down to."""
    return hashlib.sha256(record_as_asked().encode()).hexdigest()


def test_the_script_meets_all_that_chance_decides() -> None:
    lines = [json.loads(line) for line in record_as_asked().splitlines()]
    assert len(lines) == len(SCRIPT) >= 40
    assert {line["status"] for line in lines} >= {0, 200, 400, 401, 404, 405}
    hit = {each.removeprefix("fault: ") for line in lines for each in line.get("did", ()) if each.startswith("fault: ")}
    assert hit == {fault.kind for fault in (*map(parse, FAULTS), *find("flaky").fault)}
    statuses = {
        contact.get("status")
        for line in lines
        if line["path"].endswith(CHECK) and line["status"] == 200 and isinstance(line["response"], dict)
        for contact in line["response"]["contacts"]
    }
    assert statuses == {"processing", "valid", "invalid", "failed"}


def test_the_record_is_the_same_a_hundred_times_by_respond() -> None:
    assert len({record_as_asked() for _ in range(REPETITIONS)}) == 1


def test_the_record_is_the_same_a_hundred_times_over_asgi_and_that_of_respond() -> None:
    async def records() -> set[str]:
        return {await record_as_heard() for _ in range(REPETITIONS)}

    assert asyncio.run(records()) == {record_as_asked()}


def test_what_is_heard_over_asgi_is_what_was_answered() -> None:
    answered = as_asked(a_simulator(io.StringIO()), SCRIPT)
    heard = asyncio.run(as_heard(a_simulator(io.StringIO()), SCRIPT))
    assert len(heard) == len(answered)
    for (reply, at), (sent, broken, over_at) in zip(answered, heard, strict=True):
        assert over_at == at
        if not reply.is_sent:
            assert (sent, broken) == ([], "TimeoutError" if reply.is_silent else "ConnectionResetError")
            continue
        start, *pieces = sent
        assert start["status"] == reply.status
        headers = [(name.decode(), value.decode()) for name, value in start["headers"]]
        assert ("content-length", str(len(reply.body))) in headers
        assert ("content-type", reply.content_type) in headers
        assert set(reply.headers) <= set(headers)
        assert b"".join(piece["body"] for piece in pieces) == reply.body[: reply.cut_after]
        assert broken == ("" if reply.cut_after is None else "ConnectionResetError")


def test_another_seed_is_another_record() -> None:
    assert len({record_as_asked(seed) for seed in range(SEED, SEED + 5)}) == 5


def test_a_reset_gives_the_same_again() -> None:
    file = io.StringIO()
    simulator = a_simulator(file)
    as_asked(simulator, SCRIPT)
    first = file.getvalue()
    simulator.world.reset(NOW)
    simulator.world.play(find("flaky"), NOW)
    as_asked(simulator, SCRIPT)
    count = len(SCRIPT)
    again = [json.loads(line) for line in file.getvalue().removeprefix(first).splitlines()]
    assert [{**line, "seq": line["seq"] - count} for line in again] == [json.loads(line) for line in first.splitlines()]


def test_other_processes_give_the_same() -> None:
    program = "from tests.simulator.test_determinism import digest; print(digest())"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for hash_seed in ("1", "2")
    ]
    assert {process.communicate(timeout=60)[0].strip() for process in processes} == {digest()}
