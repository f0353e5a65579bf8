"""`watui simulate`: the simulated server by itself."""

import secrets
import signal
import threading
from typing import TYPE_CHECKING, TextIO

import click

from watui.cli.exits import Stop
from watui.cli.talk import say
from watui.cli.target import find_region
from watui.contract.rules import RATE_LIMIT
from watui.contract.statuses import FULLEST_VERSION, KNOWN_VERSIONS, parse_version

if TYPE_CHECKING:
    from watui.simulator.population import Latency

DEFAULT_LATENCY = "1.5,4"
DEFAULT_PORT = 9090
"""The port of an On-Premises server (contract section 7)."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="0 takes a free one."
)
@click.option(
    "--region", default="US", show_default=True, metavar="CC", help="Country of the number it is registered with."
)
@click.option(
    "--server-version",
    default=FULLEST_VERSION,
    show_default=True,
    metavar="V",
    help=f"Such as {', '.join(KNOWN_VERSIONS)}.",
)
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Decides who has an account and how long checks take."
)
@click.option(
    "--token", envvar="WATUI_SIMULATOR_TOKEN", metavar="T", help="Bearer token to accept; else one is made up."
)
@click.option(
    "--latency",
    default=DEFAULT_LATENCY,
    show_default=True,
    metavar="none|MEDIAN,P99",
    help="Seconds until a number is decided.",
)
@click.option("--rate-limit", is_flag=True, help=f"Answer 429 above {RATE_LIMIT:g} requests a second.")
@click.option(
    "--record",
    type=click.File("w", encoding="utf-8", lazy=False),
    metavar="FILE",
    help="Write every request and answer there, a line of JSON each.",
)
def simulate(
    host: str,
    port: int,
    region: str,
    server_version: str,
    seed: int,
    token: str | None,
    latency: str,
    rate_limit: bool,
    record: TextIO | None,
) -> None:
    """Answer like a server, until ctrl+c. Prints the base URL on stdout, all else on stderr."""
    from watui.simulator.accounts import FACTORY_PASSWORD, FACTORY_USER
    from watui.simulator.app import create_app
    from watui.simulator.limits import Bucket
    from watui.simulator.record import Record
    from watui.simulator.serving import CannotListen, ServerThread
    from watui.simulator.world import World

    if parse_version(server_version) is None:
        raise Stop(f"{server_version!r} is not a server version: give one of {', '.join(KNOWN_VERSIONS)}")
    token = token or secrets.token_urlsafe(16)
    if not token.isascii() or not token.isprintable() or " " in token:
        raise Stop("the token holds characters that cannot stand in a header")
    version = server_version if server_version.startswith("v") else f"v{server_version}"
    world = World(find_region(region), version, seed, _latency(latency))
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    try:
        app = create_app(
            world, token, bucket=Bucket() if rate_limit else None, record=Record(record) if record else None
        )
        server = ServerThread(app, host, port)
    except CannotListen as error:
        raise Stop(f"{error}; give another --port, or --port 0 for a free one") from error
    with server:
        body = '{"contacts": ["+16315551000"]}'
        say(f"A simulated server {world.version}, registered in {world.region}. Its token: {token}")
        say(f"Or log in at {server.url}/v1/users/login as {FACTORY_USER}, whose first password is {FACTORY_PASSWORD}.")
        say(f"Try: curl -H 'Authorization: Bearer {token}' -d '{body}' {server.url}/v1/contacts")
        say(f"Or:  WATUI_TOKEN={token} watui --url {server.url} --region {world.region}")
        say("ctrl+c stops it.")
        click.echo(server.url)
        stopped.wait()


def _latency(text: str) -> "Latency | None":
    from watui.simulator.population import Latency

    if text == "none":
        return None
    try:
        median, p99 = map(float, text.split(","))
    except ValueError:
        median = p99 = 0.0
    if not 0 < median <= p99 < float("inf"):
        raise Stop(f"--latency {text!r} is neither none nor two numbers of seconds such as 1.5,4 (median, then p99)")
    return Latency(median, p99)
