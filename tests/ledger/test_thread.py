"""A ledger on a thread of its own."""

import asyncio
import threading

import pytest

from tests.ledger.conftest import OPTIONS
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.thread import LedgerThread
from watui.settings.paths import Paths

pytestmark = pytest.mark.anyio


async def test_a_call_that_waits_for_its_turn_is_carried_out_though_its_caller_is_cancelled(paths: Paths) -> None:
    """An answer that has arrived is written down, whoever pauses, quits or cancels meanwhile."""
    thread, may_go_on = LedgerThread(paths.ledger), threading.Event()

    def hold(_: Ledger) -> None:
        may_go_on.wait()

    holding = asyncio.create_task(thread(hold))
    writing = asyncio.create_task(thread(Ledger.add_run, OPTIONS))
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    may_go_on.set()
    await holding
    thread.close()
    reader = Reader(paths.ledger)
    assert reader.run(1).options == OPTIONS
    reader.close()
