"""A program that drives a run until it is killed: what it prints are the numbers that it was told are answered."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from watui.checks.run import Run
from watui.checks.scheduler import Policy
from watui.client.contacts import ContactsClient
from watui.client.exchanges import Exchanges
from watui.client.server import Server
from watui.client.transport import Transport
from watui.ledger.drivers import Driver
from watui.ledger.reader import Reader
from watui.ledger.thread import LedgerThread

BATCH_SIZE = 25
POLICY = Policy(batch_size=BATCH_SIZE, rate=1_000)


async def drive(ledger: Path, run_id: int, url: str, token: str, budget: str | None = None) -> None:
    thread, reader = LedgerThread(ledger), Reader(ledger)
    client = ContactsClient(Transport(Server.at(url, token), Exchanges()))
    driver = Driver(ledger.parent / "locks")
    run = await Run.open(reader.run(run_id), thread, client, POLICY, driver, budget=budget)
    run.follower = tell
    await run.drive(stop_on_failure=True)
    await client.close()
    reader.close()
    thread.close()


def tell(numbers: Sequence[int]) -> None:
    print(*numbers, flush=True)


if __name__ == "__main__":
    ledger, run_id, url, token = sys.argv[1:]
    asyncio.run(drive(Path(ledger), int(run_id), url, token))
