"""`watui simulate`: the simulated server by itself."""

import fcntl
import logging
import math
import os
import secrets
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from watui.cli.exits import Exit, Stop
from watui.cli.help import OUTPUT, Command, option
from watui.cli.options import suggesting
from watui.cli.talk import say
from watui.cli.target import find_region
from watui.contract.rules import RATE_LIMIT
from watui.contract.statuses import FULLEST_VERSION, KNOWN_VERSIONS

if TYPE_CHECKING:
    from watui.simulator.clock import Clock
    from watui.simulator.conditions import Changes
    from watui.simulator.faults import Fault
    from watui.simulator.record import Record
    from watui.simulator.server import Simulator
    from watui.simulator.tls import Tls

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 9090
"""The port of an On-Premises server (contract section 7)."""
MOST_TIME_SCALE = 100_000.0
TOKEN_BYTES = 16
LISTENING, WORLD, TROUBLE = "Listening", "World", "Trouble"
"""Sections of the options."""
EXAMPLE = '{"contacts": ["+16315551000"]}'

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Wanted:
    """What the command line says; None where it says nothing."""

    host: str
    port: int
    tls: bool
    token: str
    region: str | None
    seed: int | None
    scenario: str | None
    server_version: str | None
    latency: str | None
    engaged: float | None
    stuck: float | None
    faults: tuple[str, ...]
    rate_limit: bool | None
    max_contacts: int | None
    processing_wa_id: bool | None
    meta: bool | None
    cluster: bool | None
    time_scale: float
    state: Path | None
    control: bool
    record: Path | None
    verbose: bool


@click.command(
    cls=Command,
    examples=[
        "watui simulate --token demo --latency none --control",
        "watui simulate --scenario rate-limit --verbose",
        "watui simulate --fault reset:path=/v1/contacts,share=0.1",
    ],
)
@option("--list", "lists", is_flag=True, help="List the scenarios and faults that there are, and end.")
@option("--host", default=LOOPBACK, metavar="ADDRESS", show_default=True, section=LISTENING, help="Where to listen.")
@option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    metavar="N",
    show_default=True,
    section=LISTENING,
    help="0 takes a free one.",
)
@option("--tls", is_flag=True, section=LISTENING, help="Serve HTTPS, with a certificate made for this start.")
@option(
    "--token",
    envvar="WATUI_SIMULATOR_TOKEN",
    metavar="T",
    section=LISTENING,
    help="Bearer token to accept; else one is made up.",
)
@option(
    "--control", is_flag=True, section=LISTENING, help="Answer at /_simulator/, where the running world can be changed."
)
@option("--region", metavar="CC", section=WORLD, help="Country of the number it is registered with. Default: US.")
@option(
    "--seed",
    type=int,
    metavar="N",
    section=WORLD,
    help="Decides who has an account and how long checks take. Default: 0.",
)
@option(
    "--server-version",
    metavar="V",
    shell_complete=suggesting("versions"),
    section=WORLD,
    help=f"One of {', '.join(KNOWN_VERSIONS)}, or another. Default: {FULLEST_VERSION}.",
)
@option(
    "--latency",
    metavar="none|MEDIAN,P99",
    section=WORLD,
    help="Seconds until a number is decided. Default: 1.5,4.",
)
@option(
    "--engaged",
    type=float,
    metavar="SHARE",
    section=WORLD,
    help="Of the accounts, who wrote lately: 0 to 1. Default: 1/3.",
)
@option(
    "--processing-wa-id/--no-processing-wa-id", default=None, section=WORLD, help="Give a wa_id with processing, too."
)
@option("--meta/--no-meta", default=None, section=WORLD, help="Let meta stand in the answers, or leave it out.")
@option("--cluster/--no-cluster", default=None, section=WORLD, help="Answer health as several hosts do.")
@option(
    "--time-scale",
    type=click.FloatRange(1, MOST_TIME_SCALE),
    default=1.0,
    metavar="N",
    section=WORLD,
    help=f"Let time go by N times as fast, at most {MOST_TIME_SCALE:,.0f} times.",
)
@option(
    "--scenario",
    metavar="NAME|FILE",
    shell_complete=suggesting("scenarios"),
    section=TROUBLE,
    help="Play a script of changes and faults.",
)
@option(
    "--fault",
    "faults",
    multiple=True,
    metavar="KIND[:NAME=VALUE,…]",
    section=TROUBLE,
    help="What goes wrong; see --list.",
)
@option(
    "--rate-limit/--no-rate-limit",
    default=None,
    section=TROUBLE,
    help=f"Answer 429 above {RATE_LIMIT:g} requests a second.",
)
@option(
    "--max-contacts",
    type=click.IntRange(1),
    metavar="N",
    section=TROUBLE,
    help="Of one request, above which it answers 400.",
)
@option(
    "--stuck", type=float, metavar="SHARE", section=TROUBLE, help="Of the numbers, whose check never ends. Default: 0."
)
@option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    section=OUTPUT,
    help="Keep the world there.",
)
@option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    section=OUTPUT,
    help="Write every request and answer there, a line of JSON each.",
)
@option("-v", "--verbose", is_flag=True, section=OUTPUT, help="Print a line for every request.")
def simulate(token: str | None, lists: bool, **given: Any) -> int:
    """Answer like a server, until ctrl+c. Prints the base URL on stdout, all else on stderr."""
    if lists:
        _list()
        return Exit.DONE
    wanted = Wanted(token=token or secrets.token_urlsafe(TOKEN_BYTES), **given)
    if not wanted.token.isascii() or not wanted.token.isprintable() or " " in wanted.token:
        raise Stop("the token holds characters that cannot stand in a header")
    if not math.isfinite(wanted.time_scale):
        raise Stop("--time-scale takes a number from 1 to 100000")
    if wanted.control and not _is_loopback(wanted.host):
        raise Stop("--control is for loopback only: leave --host away, or --control")
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    _serve(wanted, stopped)
    return Exit.DONE


def _serve(wanted: Wanted, stopped: threading.Event) -> None:
    from watui.simulator.app import App
    from watui.simulator.clock import Clock
    from watui.simulator.record import Record
    from watui.simulator.serving import CannotListen, ServerThread
    from watui.simulator.tls import NoTls, make_tls

    with ExitStack() as stack:
        record = Record(stack.enter_context(_recording(wanted.record)) if wanted.record else None)
        if wanted.verbose:
            record.follower = lambda exchange: say(exchange.in_words())
        clock = Clock(wanted.time_scale)
        try:
            tls = make_tls(wanted.host) if wanted.tls else None
            simulator = _simulator(wanted, record, tls.ca if tls else None)
            _begin(wanted, simulator, clock, stack)
            app = App(simulator, clock, clock.sleep)
            server = ServerThread(app, wanted.host, wanted.port, tls.context if tls else None)
        except CannotListen as error:
            raise Stop(f"{error}; give another --host or --port, or --port 0 for a free one") from error
        except NoTls as error:
            raise Stop(str(error)) from error
        with server:
            _tell(wanted, simulator, server.url, tls)
            _LOGGER.info("the simulator listens at %s", server.url)
            click.echo(server.url)
            stopped.wait()
        if simulator.problem is not None:
            raise Stop(simulator.problem, Exit.UNFINISHED)


@contextmanager
def _recording(path: Path) -> Iterator[TextIO]:
    """Open a file for a record, for its owner alone and for one simulator at a time."""
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8")
    except OSError as error:
        raise Stop(f"cannot write {path}: {error.strerror or error}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Stop(f"another simulator writes its record into {path}: name another file") from None
        if path.is_file():
            file.truncate(0)
        yield file


def _simulator(wanted: Wanted, record: "Record", ca: str | None) -> "Simulator":
    from watui.simulator.conditions import Conditions
    from watui.simulator.scenario import BadScenario, find
    from watui.simulator.server import Simulator
    from watui.simulator.world import World

    try:
        scenario = find(wanted.scenario) if wanted.scenario else None
    except BadScenario as error:
        raise Stop(str(error)) from error
    conditions = _changes(wanted).applied_to(Conditions())
    world = World(find_region(wanted.region or "US"), wanted.seed or 0, conditions, scenario)
    return Simulator(world, wanted.token, record=record, control=wanted.control, ca=ca, on_problem=_warn)


def _warn(problem: str) -> None:
    say(f"watui: {problem}.")


def _begin(wanted: Wanted, simulator: "Simulator", clock: "Clock", stack: ExitStack) -> None:
    """Let the world begin, or go on from its file as the command line says."""
    from watui.simulator.journal import BadJournal, DamagedJournal, Journal

    world, state = simulator.world, wanted.state
    if state is None:
        world.reset(clock())
        return
    try:
        is_new = not state.exists() or not state.stat().st_size
        if not state.parent.is_dir():
            raise Stop(f"cannot use {state}: there is no folder {state.parent}")
        stack.enter_context(closing(Journal.open(state, simulator, clock)))
    except DamagedJournal as error:
        raise Stop(f"{error}; name another --state, or remove that file") from error
    except (BadJournal, OSError) as error:
        raise Stop(str(error)) from error
    for name, kept, asked in (("seed", world.seed, wanted.seed), ("region", world.region, wanted.region)):
        if asked is not None and str(asked).upper() != str(kept):
            raise Stop(f"the world in {state} has {name} {kept}: leave --{name} away, or name another --state")
    if is_new:
        return  # it began as the command line says
    if world.base_scenario is not None and world.scenario != world.base_scenario:
        world.play(world.base_scenario, clock())
    else:
        world.change(_changes(wanted), clock())


def _changes(wanted: Wanted) -> "Changes":
    from watui.simulator.conditions import BadConditions, Changes

    given = {
        "version": wanted.server_version,
        "latency": wanted.latency,
        "engaged": wanted.engaged,
        "stuck": wanted.stuck,
        "faults": tuple(map(_fault, wanted.faults)) or None,
        "rate_limit": wanted.rate_limit,
        "max_contacts": wanted.max_contacts,
        "processing_wa_id": wanted.processing_wa_id,
        "meta": wanted.meta,
        "cluster": wanted.cluster,
    }
    try:
        return Changes(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except BadConditions as error:
        raise Stop(str(error)) from error


def _fault(text: str) -> "Fault":
    from watui.simulator.faults import BadFault, parse

    try:
        return parse(text)
    except BadFault as error:
        raise Stop(f"--fault {text}: {error}") from error


def _tell(wanted: Wanted, simulator: "Simulator", url: str, tls: "Tls | None") -> None:
    from watui.simulator.users import FACTORY_PASSWORD, FACTORY_USER

    world, token = simulator.world, wanted.token
    playing = f", scenario {world.scenario.name}: {world.scenario.title}" if world.scenario else ""
    say(f"A simulated server, registered in {world.region}: {world.conditions.in_words()}{playing}.")
    say(f"Its token: {token}")
    say(f"Or log in at {url}/v1/users/login as {FACTORY_USER}, whose first password is {FACTORY_PASSWORD}.")
    curl = f"curl -H 'Authorization: Bearer {token}'"
    if tls is not None:
        from watui.client.trust import fingerprint

        say(f"Its certificate: SHA-256 {fingerprint(tls.certificate)}")
        say(f"Its authority: curl -k {url}/v1/certificates/external/ca > ca.pem")
        curl = f"{curl} --cacert ca.pem"
    say(f"Try: {curl} -d '{EXAMPLE}' {url}/v1/contacts")
    if tls is None:
        say(f"Or:  WATUI_TOKEN={token} watui --url {url} --region {world.region}")
    if wanted.control:
        say(f"How it is: {curl} {url}/_simulator/state")
    say("ctrl+c stops it.")


def _list() -> None:
    from watui.simulator.faults import EXPLAINED
    from watui.simulator.scenario import shipped

    for scenario in shipped():
        click.echo(f"{scenario.name}: {scenario.title}")
        click.echo(click.wrap_text(scenario.about, 100, "    ", "    "))
    click.echo("\nFaults, for --fault and for scenarios:")
    for kind, words in EXPLAINED.items():
        click.echo(f"    {kind:<18}  {words}")
    click.echo(
        click.wrap_text(
            "Each takes path (with * for any characters), method, share (of the requests), nth or every (of them),"
            " from and until (seconds of the scenario); some take seconds, jitter, retry_after, dated (Retry-After as a"
            " date), codeless (an error without its code), status, location or bytes_per_second."
            " Such as: --fault reset:path=/v1/contacts,share=0.1",
            100,
        )
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
