"""`watui simulator`: acts on the embedded simulator, or on one that `watui simulate --control` runs."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

import click
import msgspec

from watui.cli.exits import Exit, Stop
from watui.cli.help import Group
from watui.cli.options import suggesting
from watui.cli.talk import say
from watui.cli.target import find_region, find_server, find_settings
from watui.client.failures import AccessDenied, Failure, Refused
from watui.client.server import Server
from watui.settings.paths import find_paths

if TYPE_CHECKING:
    from watui.backstage import Backstage
    from watui.simulator.control import State

Act = Callable[["Backstage"], Awaitable["State"]]


@click.group(
    cls=Group,
    invoke_without_command=True,
    examples=[
        "watui simulator                      # how it is, as JSON",
        "watui simulator inbound +16315551000",
        "watui simulator scenario rate-limit",
        "watui simulator version v2.43",
    ],
)
@click.option(
    "--url", metavar="URL", help="Act on the one that runs there with --control; its token is in WATUI_TOKEN."
)
@click.option("--region", metavar="CC", help="How numbers without + are read.")
@click.pass_context
def simulator(context: click.Context, url: str | None, region: str | None) -> int:
    """Look at the simulator that is built in, or change it.

    It is the one that the console and 'watui check' ask. Without a command: print how it is, as JSON."""
    context.obj = (url, region)
    if context.invoked_subcommand is None:
        return _act(context, lambda backstage: backstage.state())
    return Exit.DONE


@simulator.command()
@click.argument("number")
@click.pass_context
def inbound(context: click.Context, number: str) -> int:
    """Let the contact NUMBER write to us. It counts as engaged for 24 hours then. Prints the message's id."""
    return _act(context, lambda backstage: backstage.inbound(number), f"{number} wrote to us.")


@simulator.command()
@click.argument("number")
@click.pass_context
def identity(context: click.Context, number: str) -> int:
    """Give the contact NUMBER another identity. It is to be acknowledged then."""
    return _act(context, lambda backstage: backstage.change_identity(number), f"{number} has another identity.")


@simulator.command()
@click.argument("number")
@click.pass_context
def appear(context: click.Context, number: str) -> int:
    """Let NUMBER get a WhatsApp account."""
    return _act(context, lambda backstage: backstage.change_account(number, True), f"{number} has an account.")


@simulator.command()
@click.argument("number")
@click.pass_context
def vanish(context: click.Context, number: str) -> int:
    """Let the WhatsApp account of NUMBER vanish."""
    return _act(context, lambda backstage: backstage.change_account(number, False), f"{number} has no account.")


@simulator.command()
@click.argument("version", shell_complete=suggesting("versions"))
@click.pass_context
def version(context: click.Context, version: str) -> int:
    """Let the server be of VERSION from now on."""
    from watui.simulator.conditions import BadConditions, Changes

    try:
        changes = Changes(version=version)
    except BadConditions as error:
        raise Stop(str(error)) from error
    return _act(context, lambda backstage: backstage.change(changes), f"The server is {changes.version} now.")


@simulator.command()
@click.argument("name", shell_complete=suggesting("scenarios"))
@click.pass_context
def scenario(context: click.Context, name: str) -> int:
    """Play the scenario NAME. It is one of 'watui simulate --list' or a .toml file."""
    from watui.simulator.scenario import BadScenario, find

    try:
        found = find(name)
    except BadScenario as error:
        raise Stop(str(error)) from error
    return _act(context, lambda backstage: backstage.play(found), f"The server plays {found.name}: {found.title}.")


@simulator.command()
@click.pass_context
def reset(context: click.Context) -> int:
    """Let the world begin anew. Nobody is blocked, nothing asked, as on the first day."""
    return _act(context, lambda backstage: backstage.reset(), "The world began anew.")


def _act(context: click.Context, act: Act, done: str | None = None) -> int:
    """Act, and say what is `done`; without that print how the simulator is."""
    url, region = context.obj
    with ExitStack() as stack:
        server = _server(url, region, stack)
        state = asyncio.run(_asked(server, act))
    if done is None:
        click.echo(msgspec.json.format(msgspec.json.encode(state)).decode())
    elif state.message_id is not None:
        click.echo(state.message_id)
    scenario = f", scenario {state.scenario}" if state.scenario else ""
    say(f"{f'{done} ' if done else ''}The simulator: {state.conditions.in_words()}{scenario}.")
    if state.problem is not None:
        say(f"watui: {state.problem}.")
    return Exit.DONE


def _server(url: str | None, region: str | None, stack: ExitStack) -> Server:
    from watui.simulator.embedded import Embedded, NoSimulator

    if (server := find_server(url)) is not None:
        if region is not None:
            raise Stop("--region is for the embedded simulator: another one has its own; write numbers with +")
        return server
    paths = find_paths()
    try:
        embedded = Embedded(paths.simulator, find_region(region or find_settings(paths).region))
    except NoSimulator as error:
        raise Stop(str(error)) from error
    stack.callback(embedded.close)
    return Server.at(embedded.url, embedded.token)


async def _asked(server: Server, act: Act) -> "State":
    from watui.backstage import Backstage

    backstage = Backstage(server)
    try:
        return await act(backstage)
    except AccessDenied as failure:
        raise Stop(f"{failure.title}. Set WATUI_TOKEN to its token", Exit.REFUSED) from failure
    except Refused as failure:
        hint = "; is it one, and was it started with --control?" if failure.http_status == 404 else ""
        raise Stop(f"the simulator refused: {failure.title}{hint}", Exit.REFUSED) from failure
    except Failure as failure:
        raise Stop(f"{failure.title}. {failure.next_step}", Exit.UNREACHABLE) from failure
    finally:
        await backstage.close()
