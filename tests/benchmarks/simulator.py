"""Measures the simulated server, over loopback and by itself: python -m tests.benchmarks.simulator [CONNECTIONS]"""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import NamedTuple

from tests.benchmarks.figures import memory
from watui.simulator.conditions import Conditions
from watui.simulator.server import Simulator
from watui.simulator.wire import Request
from watui.simulator.world import START, World

TOKEN = "benchmark"
CONNECTIONS = 12
PATH = "/v1/contacts"
HEADERS = {"authorization": f"Bearer {TOKEN}", "content-type": "application/json"}

SMALL, LARGE = 10, 500
"""Numbers in a request."""
KNOWN = 1_000
"""Numbers that are polled over and over in small requests."""
SMALL_REQUESTS = 5_000
IN_FLIGHT = 100_000

WANTED_PER_SECOND = 1_000
WANTED_MEGABYTES = 200


class Server(NamedTuple):
    """A simulated server in a process of its own."""

    port: int
    pid: int


@contextmanager
def serving(latency: str) -> Iterator[Server]:
    """Start a fresh server; `latency` is as its option."""
    command = [sys.executable, "-m", "watui", "simulate", "--port", "0", "--token", TOKEN, "--latency", latency]
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "WATUI_HOME": home}
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True
        )
        assert process.stdout is not None
        try:
            found = re.search(r":(\d+)$", process.stdout.readline().strip())
            assert found is not None, "the server did not start"
            yield Server(int(found[1]), process.pid)
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()


class Asker(asyncio.Protocol):
    """One connection that sends the next request as soon as the last one is answered."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._transport: asyncio.Transport | None = None
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if end and len(body) >= int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            if not head.startswith(b"HTTP/1.1 200"):
                self.done.set_exception(RuntimeError(head.decode()))
                return
            self._answer = b""
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server closed the connection"))

    def _ask(self) -> None:
        assert self._transport is not None
        request = next(self._requests, None)
        if request is not None:
            self._transport.write(request)
        elif not self.done.done():
            self.done.set_result(None)
            self._transport.close()


async def _ask(port: int, requests: list[bytes], connections: int) -> float:
    loop, left = asyncio.get_running_loop(), iter(requests)
    began = time.perf_counter()
    askers = [(await loop.create_connection(lambda: Asker(left), "127.0.0.1", port))[1] for _ in range(connections)]
    await asyncio.gather(*(asker.done for asker in askers))
    return time.perf_counter() - began


def over_loopback(port: int, bodies: Iterable[bytes], connections: int) -> float:
    """Return the seconds that the server at `port` takes for requests with `bodies`."""
    lines = [f"POST {PATH} HTTP/1.1", "host: node", *(f"{name}: {value}" for name, value in HEADERS.items())]
    head = "\r\n".join(lines).encode()
    requests = [b"%s\r\ncontent-length: %d\r\n\r\n%s" % (head, len(body), body) for body in bodies]
    return asyncio.run(_ask(port, requests, connections))


def by_itself(simulator: Simulator, bodies: Iterable[bytes]) -> float:
    """Return the seconds that `simulator` takes for requests with `bodies`, without a socket."""
    requests = [Request("POST", PATH, HEADERS, body) for body in bodies]
    began = time.perf_counter()
    for request in requests:
        reply, _ = simulator.respond(request, START)
        assert reply.status == 200
    return time.perf_counter() - began


def numbers(start: int, count: int) -> list[str]:
    """Return `count` numbers, the `start`-th and those after it."""
    return [f"+1{212 + place // 8_000_000}{2_000_000 + place % 8_000_000}" for place in range(start, start + count)]


def batches(asked: list[str], size: int) -> list[bytes]:
    """Return bodies that ask about `asked`, `size` at a time."""
    left = iter(asked)
    return [json.dumps({"contacts": batch}).encode() for batch in iter(lambda: list(islice(left, size)), [])]


class Rate(NamedTuple):
    """One kind of request; each of `bodies` has `size` numbers."""

    name: str
    size: int
    bodies: list[bytes]


def rates() -> list[Rate]:
    """Return what is measured, in this order: what is polled is known by then."""
    known, few, many = numbers(0, KNOWN), SMALL * SMALL_REQUESTS, IN_FLIGHT
    polls = batches(known, SMALL)
    return [
        Rate(f"{SMALL} numbers, fresh", SMALL, batches(numbers(0, few), SMALL)),
        Rate(f"{SMALL} numbers, known", SMALL, polls * (SMALL_REQUESTS // len(polls))),
        Rate(f"{LARGE} numbers, fresh", LARGE, batches(numbers(few, many), LARGE)),
        Rate(f"{LARGE} numbers, known", LARGE, batches(numbers(few, many), LARGE)),
    ]


def _print_rate(where: str, rate: Rate, seconds: float) -> None:
    per_second = len(rate.bodies) / seconds
    print(f"{where:<14} {rate.name:<20} {per_second:9,.0f} requests/s {per_second * rate.size:11,.0f} numbers/s")


def measure_rates(connections: int) -> None:
    """Print how many requests the server answers in a second, where every number is decided at once."""
    measured = rates()
    with serving("none") as server:
        for rate in measured:
            _print_rate("over loopback", rate, over_loopback(server.port, rate.bodies, connections))
    simulator = Simulator(World(conditions=Conditions(latency=None)), TOKEN)
    for rate in measured:
        _print_rate("by itself", rate, by_itself(simulator, rate.bodies))


def measure_memory(connections: int) -> None:
    """Print what a server needs for many numbers, none of which is decided yet."""
    bodies = batches(numbers(0, IN_FLIGHT), LARGE)
    with serving("1000,2000") as server:
        over_loopback(server.port, bodies[:1], 1)
        at_first = memory(server.pid, "VmRSS")
        asked, polled = (over_loopback(server.port, bodies, connections) for _ in range(2))
        print(f"{IN_FLIGHT:,} numbers in flight, asked once  {asked:7.2f} s")
        print(f"the same polled once                  {polled:7.2f} s")
        print(f"memory after the first request        {at_first:7} MB")
        print(f"memory with all of them in flight     {memory(server.pid, 'VmRSS'):7} MB")
        print(f"memory, at most                       {memory(server.pid, 'VmHWM'):7} MB")


def main(connections: int) -> None:
    print(f"{connections} connections; wanted: {WANTED_PER_SECOND:,} small requests/s, below {WANTED_MEGABYTES} MB")
    measure_rates(connections)
    measure_memory(connections)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CONNECTIONS)
