"""The limit on requests (contract section 5), as a pure bucket and in front of a server."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulated import a_world, create_app
from watui.contract.rules import RATE_BURST, RATE_LIMIT
from watui.simulator.limits import Bucket


@given(st.lists(st.floats(0, 5), max_size=300), st.floats(1, 50), st.integers(1, 80))
def test_no_more_pass_than_burst_and_rate_allow(pauses: list[float], rate: float, burst: int) -> None:
    bucket, now, passed = Bucket(rate, burst), 0.0, 0
    for pause in pauses:
        now += pause
        wait = bucket.take(now)
        assert wait >= 0
        passed += wait == 0
        assert passed <= burst + rate * now + 1e-6


@pytest.mark.anyio
async def test_a_burst_passes_then_429_until_time_goes_by() -> None:
    now = 1_800_000_000.0
    app = create_app(a_world(latency=None), "t", clock=lambda: now, bucket=Bucket())
    headers = {"Authorization": "Bearer t"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://n", headers=headers) as client:
        statuses = [(await client.get("/v1/health")).status_code for _ in range(RATE_BURST + 3)]
        assert statuses == [200] * RATE_BURST + [429] * 3
        refused = await client.get("/v1/health")
        assert refused.json()["errors"][0]["code"] == 1015
        assert refused.json()["meta"]["version"] == "v2.41"
        now += 1
        statuses = [(await client.get("/v1/health")).status_code for _ in range(int(RATE_LIMIT) + 2)]
        assert statuses == [200] * int(RATE_LIMIT) + [429] * 2
