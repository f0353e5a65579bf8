"""A run whose server shows another certificate from one moment to the next."""

import asyncio
import json
from collections import Counter
from dataclasses import replace

import pytest

from tests.checks.test_run import DEADLINE, FAST, NUMBERS, draft
from tests.tls import Listener, self_signed
from watui.checks.run import Run
from watui.client.contacts import ContactsClient
from watui.client.exchanges import Exchanges
from watui.client.failures import CertificateChanged
from watui.client.server import Server
from watui.client.transport import Transport
from watui.client.trust import Trust
from watui.ledger.drivers import Driver
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import RunState
from watui.ledger.thread import LedgerThread
from watui.settings.paths import Paths

pytestmark = pytest.mark.anyio

TELLING = 2
"""Connections that a refusal makes to tell which certificate is shown now: nothing is said in them."""


def all_valid(request: bytes) -> bytes:
    inputs = json.loads(request.partition(b"\r\n\r\n")[2])["contacts"]
    return json.dumps({"contacts": [{"input": text, "status": "valid"} for text in inputs]}).encode()


async def test_a_certificate_that_changes_in_the_middle_stops_the_run_at_once(
    ledger: Ledger, reader: Reader, paths: Paths
) -> None:
    first, second = self_signed(serial=1), self_signed(serial=2)

    def answer(request: bytes) -> bytes:
        listener.shown = second
        return all_valid(request)

    run_id = draft(ledger, NUMBERS)
    trust = Trust(certificate=first.certificate)
    with Listener(first, answer) as listener:
        thread = LedgerThread(paths.ledger)
        client = ContactsClient(Transport(Server(listener.url, "canary-token", trust=trust), Exchanges()))
        run = await Run.open(reader.run(run_id), thread, client, replace(FAST, in_flight=1), Driver(paths.locks))
        with pytest.raises(CertificateChanged) as caught:
            await asyncio.wait_for(run.drive(stop_on_failure=True), DEADLINE)
        await client.close()
        thread.close()
    assert (caught.value.pinned, caught.value.shown) == (first.fingerprint, second.fingerprint)
    read = [request for request in listener.requests if request]
    print(f"\n{len(read)} request answered, then {listener.connections - len(read)} connections, in which 0 bytes came")
    assert (len(read), run.requests) == (1, 1)
    assert listener.connections == 1 + 1 + TELLING
    statuses = Counter(row.status for row in reader.rows(run_id))
    assert statuses == {"valid": 10, "queued": 15}
    assert reader.run(run_id).state == RunState.RUNNING, "it can be resumed"
