"""The record of a server: everything that was asked and answered, and what can be counted from it."""

import io
import json

import httpx
import pytest

from tests.simulated import a_world, create_app
from watui.simulator.population import Latency
from watui.simulator.record import Record

pytestmark = pytest.mark.anyio

TOKEN = "canary-token"
NUMBER = "+12125550100"


async def play(record: Record) -> None:
    """Ask some things in virtual time: the same each time."""
    now = 1_800_000_000.0
    app = create_app(a_world(latency=Latency(1.0, 2.0)), TOKEN, clock=lambda: now, record=record)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://node", headers=headers) as client:
        for _ in range(2):
            await client.post("/v1/contacts", json={"contacts": [NUMBER, "12"]})
            now += 60
        await client.post(f"/v1/contacts/{NUMBER}/block", json={"reason": "spam"})
        await client.get("/v1/contacts/blocklist?limit=5")
        await client.post("/v1/contacts", content=b"{broken")
        await client.post("/v1/contacts/%2B1%2F/block")


async def test_it_holds_every_exchange_in_order_and_no_token() -> None:
    file = io.StringIO()
    await play(Record(file))
    lines = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [line["seq"] for line in lines] == [1, 2, 3, 4, 5, 6]
    assert [line["at"] - lines[0]["at"] for line in lines] == [0, 60, 120, 120, 120, 120]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("POST", "/v1/contacts", 200),
        ("POST", "/v1/contacts", 200),
        ("POST", f"/v1/contacts/{NUMBER}/block", lines[2]["status"]),
        ("GET", "/v1/contacts/blocklist?limit=5", 200),
        ("POST", "/v1/contacts", 400),
        ("POST", "/v1/contacts/%2B1%2F/block", 400),
    ]
    assert lines[0]["request"] == {"contacts": [NUMBER, "12"]}
    assert lines[0]["response"]["contacts"][0] == {"input": NUMBER, "status": "processing"}
    assert lines[4]["request"] == "{broken"
    assert TOKEN not in file.getvalue()


async def test_it_counts_what_was_asked_and_answered_of_each_input() -> None:
    record = Record(counts_inputs=True)
    await play(record)
    assert record.asked == {NUMBER: 2, "12": 2}
    assert record.answered[NUMBER] == {"processing": 1, "valid": 1}
    assert record.answered["12"] == {"failed": 2}
    assert record.requests["/v1/contacts"] == 3


async def test_the_same_script_gives_the_same_bytes() -> None:
    records = set()
    for _ in range(10):
        file = io.StringIO()
        await play(Record(file))
        records.add(file.getvalue())
    assert len(records) == 1
