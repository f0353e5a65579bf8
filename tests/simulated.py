"""The simulator for tests: worlds, and the three ways to ask one (by itself, over ASGI, over a socket)."""

import asyncio
import time
from typing import Any

from watui.simulator.app import App, Now, Sleep
from watui.simulator.conditions import Conditions
from watui.simulator.limits import Bucket
from watui.simulator.record import Record
from watui.simulator.server import Simulator
from watui.simulator.world import World


def a_world(region: str = "US", seed: int = 0, **conditions: Any) -> World:
    """Return a world whose conditions differ from the usual ones by what is named."""
    return World(region, seed, Conditions(**conditions))


def create_app(
    world: World,
    token: str | None = None,
    *,
    clock: Now = time.time,
    sleep: Sleep = asyncio.sleep,
    bucket: Bucket | None = None,
    record: Record | None = None,
) -> App:
    """Return an ASGI application for `world`."""
    return App(Simulator(world, token, bucket=bucket, record=record), clock, sleep)
