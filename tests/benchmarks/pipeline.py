"""Numbers per second of a run without a console, against bare httpx, which stores nothing; and where the time goes.

The server is a simulated one in a process of its own, which decides every number at once and allows any rate. Both
sides ask it about equally many fresh numbers, as many at a time in as many requests at once, in turns. A run is opened
from its ledger, asked and written down as by a console; importing the list and printing it are not counted.

Where the time goes is told in microseconds of processor time a number, at the larger batches: what the server and this
process take, and what some parts take by themselves. The ledger works on a thread of its own, beside the rest.
"""

import asyncio
import os
import ssl
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import count
from pathlib import Path
from statistics import median
from typing import NamedTuple

import httpx

from tests.benchmarks.figures import Figure
from tests.benchmarks.simulator import HEADERS, PATH, TOKEN, Server, batches, by_itself, numbers, serving
from watui.checks.scheduler import Policy
from watui.client.contacts import ContactsClient, Verdicts
from watui.client.exchanges import Exchanges
from watui.client.server import Server as Address
from watui.client.transport import Transport
from watui.contract.conversion import checkable
from watui.contract.statuses import FINAL
from watui.desk import Desk
from watui.ledger.ledger import Ledger
from watui.ledger.rows import Answered, NewRow, RunOptions, RunState
from watui.settings.paths import Paths
from watui.simulator.conditions import Conditions
from watui.simulator.server import Simulator
from watui.simulator.wire import Request
from watui.simulator.world import START, World

NUMBERS = 50_000
TIMES = 3
SIZES = (1_000, 500)
ANY_RATE = 1e6
REGION = "US"
MICRO = 1e6


class Spent(NamedTuple):
    """What asking took, in seconds: by the clock, and of the processors."""

    wall: float
    own: float
    server: float


def _processor_seconds(pid: int) -> float:
    """Return what a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _spent(server: Server, work: Coroutine[None, None, None]) -> Spent:
    wall, own, other = time.perf_counter(), time.process_time(), _processor_seconds(server.pid)
    await work
    return Spent(time.perf_counter() - wall, time.process_time() - own, _processor_seconds(server.pid) - other)


async def _bare(server: Server, asked: list[str], size: int) -> Spent:
    left = iter(batches(asked, size))

    async def ask() -> None:
        for body in left:
            response = await client.post(PATH, content=body)
            assert response.raise_for_status().json()["contacts"]

    async def ask_all() -> None:
        await asyncio.gather(*(ask() for _ in range(Policy().in_flight)))

    # The context costs a constant time, which is none of its work.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with httpx.AsyncClient(
        base_url=_url(server), headers=HEADERS, trust_env=False, timeout=None, verify=context
    ) as client:
        return await _spent(server, ask_all())


async def _run(server: Server, paths: Paths, asked: list[str], size: int) -> Spent:
    run_id = _listed(paths, asked, size)
    desk = Desk(paths, replace(Address.at(_url(server), TOKEN), rate=ANY_RATE), REGION)

    async def ask_all() -> None:
        run = await desk.open_run(run_id)
        await run.drive(stop_on_failure=True)

    try:
        spent = await _spent(server, ask_all())
        assert desk.reader.run(run_id).state is RunState.DONE
        return spent
    finally:
        await desk.close()


def _url(server: Server) -> str:
    return f"http://127.0.0.1:{server.port}"


def _listed(paths: Paths, asked: list[str], size: int) -> int:
    """Return a draft of these numbers."""
    ledger = Ledger(paths.ledger)
    run_id = ledger.add_run(RunOptions("benchmark", REGION, "no_wait", False, size))
    source_id = ledger.add_source(run_id, "list", None)
    rows = [NewRow(line, text, text, text, REGION, None, None) for line, text in enumerate(asked, 1)]
    ledger.add_rows(run_id, source_id, rows, {})
    ledger.end_source(run_id, source_id)
    ledger.close()
    return run_id


def measure() -> Iterator[Figure]:
    """Yield numbers per second, then what a number costs where."""
    first = count(0, NUMBERS)
    taken: dict[int, tuple[list[Spent], list[Spent]]] = {}
    with tempfile.TemporaryDirectory() as home, serving("none") as server:
        paths = Paths(Path(home), Path(home), Path(home))
        # The first of each finds everything cold.
        for size in (*SIZES[:1], *SIZES * TIMES):
            bare, run = taken.setdefault(size, ([], []))
            bare.append(asyncio.run(_bare(server, numbers(next(first), NUMBERS), size)))
            run.append(asyncio.run(_run(server, paths, numbers(next(first), NUMBERS), size)))
    for size in SIZES:
        bare, run = (each[-TIMES:] for each in taken[size])
        yield Figure(
            "S12",
            f"numbers a second, {size:,} in a request",
            NUMBERS / median(each.wall for each in run),
            "/s",
            NUMBERS / median(each.wall for each in bare),
            least_ratio=0.6,
            against="bare httpx",
        )
    bare, run = (each[-TIMES:] for each in taken[SIZES[0]])
    yield _cost("server", [each.server for each in run])
    yield _cost("this process", [each.own for each in run])
    yield _cost("this process, bare httpx", [each.own for each in bare])
    yield from _parts(SIZES[0])


def _cost(what: str, seconds: Sequence[float]) -> Figure:
    return Figure("S12", f"{what}, a number", median(seconds) / NUMBERS * MICRO, "µs")


def _parts(size: int) -> Iterator[Figure]:
    """Yield what parts take by themselves."""
    asked = numbers(0, NUMBERS)
    bodies = batches(asked, size)
    checkable("+12125550100", REGION)  # reads the metadata
    yield _cost("conversion by itself", [_took(lambda: [checkable(text, REGION) for text in asked])])
    simulator = Simulator(World(conditions=Conditions(latency=None)), TOKEN)
    yield _cost("server by itself, conversion included", [_took(lambda: by_itself(simulator, bodies))])
    replies = [simulator.respond(Request("POST", PATH, HEADERS, body), START)[0].body for body in bodies]
    said: list[Verdicts] = []
    yield _cost("client without a socket", [_took(lambda: said.extend(asyncio.run(_checked(asked, replies, size))))])
    with tempfile.TemporaryDirectory() as home:
        yield from _ledger_parts(Paths(Path(home), Path(home), Path(home)), asked, said, size)


async def _checked(asked: list[str], replies: Sequence[bytes], size: int) -> list[Verdicts]:
    """Ask about everything once, where `replies` are the answers in order."""
    left = iter(replies)
    handler = httpx.MockTransport(lambda _: httpx.Response(200, content=next(left)))
    client = ContactsClient(Transport(Address.at("http://127.0.0.1", TOKEN), Exchanges(), handler))
    return [await client.check(asked[first : first + size]) for first in range(0, NUMBERS, size)]


def _ledger_parts(paths: Paths, asked: list[str], said: Sequence[Verdicts], size: int) -> Iterator[Figure]:
    run_id = _listed(paths, asked, size)
    batches_of_ids = [range(first, first + size) for first in range(1, NUMBERS + 1, size)]
    answers = [
        [
            Answered(number, contact.status, contact.status in FINAL, contact.wa_id)
            for number, contact in zip(ids, verdicts.contacts.values(), strict=True)
        ]
        for ids, verdicts in zip(batches_of_ids, said, strict=True)
    ]
    asks: list[int] = []
    with closing(Ledger(paths.ledger)) as ledger:

        def ask() -> None:
            asks.extend(ledger.asked(run_id, ids).ask_id for ids in batches_of_ids)

        def answer() -> None:
            for ask_id, each in zip(asks, answers, strict=True):
                ledger.answered(run_id, ask_id, each, said[0].version)

        yield _cost("ledger, asked", [_took(ask)])
        yield _cost("ledger, answered", [_took(answer)])


def _took(work: Callable[[], object]) -> float:
    """Return the processor time of this process that `work` takes."""
    began = time.process_time()
    work()
    return time.process_time() - began
