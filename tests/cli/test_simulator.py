"""`watui simulator`: acts on the embedded world, which every process of a data folder shares and which is kept."""

import json

import pytest

from tests.cli.conftest import Watui, assert_one_sentence, process
from tests.cli.test_simulate import simulating
from tests.conftest import TOKEN
from tests.simulated import create_app
from watui.cli.exits import Exit
from watui.settings.paths import Paths
from watui.simulator.serving import ServerThread
from watui.simulator.world import World

NUMBER = "+16315551000"


def state(watui: Watui, *options: str) -> dict[str, object]:
    """Return how the simulator is."""
    ended = watui("simulator", *options)
    assert ended.code == Exit.DONE, ended.err
    found: dict[str, object] = json.loads(ended.out)
    return found


def test_what_was_asked_is_remembered_by_the_next_process(watui: Watui) -> None:
    assert state(watui)["numbers"] == 0
    assert process("check", "--number", NUMBER).code == Exit.DONE
    assert state(watui)["numbers"] == 1
    # Its verdict comes from the cache now: no poll is needed.
    assert "1 request sent." in watui("check", "--recheck", "--number", NUMBER).err


def test_a_version_that_was_set_holds_for_the_next_check(watui: Watui) -> None:
    ended = watui("simulator", "version", "2.45.1")
    assert (ended.code, ended.out) == (Exit.DONE, "")
    assert "v2.45.1" in ended.err
    row = json.loads(watui("check", "--number", NUMBER).out)
    assert row["server_version"] == "v2.45.1"
    assert watui("simulator", "reset").code == Exit.DONE
    assert state(watui)["conditions"]["version"] == "v2.41"  # type: ignore[index]


def test_a_scenario_is_played_until_another(watui: Watui) -> None:
    assert watui("simulator", "scenario", "blocklist-moves").code == Exit.DONE
    found = state(watui)
    assert (found["scenario"], found["blocked"]) == ("blocklist-moves", 450)


@pytest.mark.parametrize("command", ["inbound", "identity", "appear", "vanish"])
def test_contacts_can_be_told_what_to_do(watui: Watui, paths: Paths, command: str) -> None:
    ended = watui("simulator", command, NUMBER)
    assert ended.code == Exit.DONE
    assert NUMBER in ended.err
    assert bool(ended.out.strip()) is (command == "inbound"), "the id of the message, for a report"
    log = (paths.simulator / "world.jsonl").read_text()
    words = {"inbound": "wrote", "identity": "identity_changed", "appear": None, "vanish": "account_changed"}[command]
    assert (NUMBER in log) is (words is not None), "an account that is there cannot appear"
    assert words is None or f'"did":"{words}"' in log


def test_a_number_without_a_plus_is_read_in_the_region(watui: Watui, paths: Paths) -> None:
    assert watui("simulator", "--region", "IN", "vanish", "6315551000").code == Exit.DONE
    assert "+916315551000" in (paths.simulator / "world.jsonl").read_text()


def test_one_elsewhere_can_be_acted_on(watui: Watui) -> None:
    with simulating("--token", TOKEN, "--control") as (_, url):
        assert watui("simulator", "--url", url, "version", "v2.43").code == Exit.DONE
        assert state(watui, "--url", url)["conditions"]["version"] == "v2.43"  # type: ignore[index]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("version", "new"), Exit.USAGE, "not a server version"),
        (("scenario", "storm"), Exit.USAGE, "there is no scenario 'storm'"),
        (("inbound", "12"), Exit.REFUSED, "not valid"),
        (("inbound", "+16315551001"), Exit.REFUSED, "has no account"),
        (("--region", "XX", "inbound", NUMBER), Exit.USAGE, "not a region"),
        (("--url", "nonsense", "reset"), Exit.USAGE, "not an http or https URL"),
        (("--url", "http://127.0.0.1:1", "reset"), Exit.UNREACHABLE, "cannot reach"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    watui: Watui, arguments: tuple[str, ...], code: Exit, words: str
) -> None:
    ended = watui("simulator", *arguments)
    assert_one_sentence(ended, code)
    assert words in ended.err


def test_a_server_without_control_is_named(watui: Watui, server: ServerThread) -> None:
    ended = watui("simulator", "--url", server.url, "reset")
    assert_one_sentence(ended, Exit.REFUSED)
    assert "--control" in ended.err


def test_a_wrong_token_is_named(watui: Watui) -> None:
    with ServerThread(create_app(World(), "another")) as server:
        ended = watui("simulator", "--url", server.url)
    assert ended.code == Exit.REFUSED


def test_a_world_that_cannot_be_read_is_set_aside_and_named(watui: Watui, paths: Paths) -> None:
    world = paths.simulator / "world.jsonl"
    world.parent.mkdir(parents=True)
    world.write_text("no world\n")
    ended = watui("simulator")
    assert ended.code == Exit.DONE
    assert "world.jsonl, line 1" in ended.err
    assert "world.jsonl.damaged" in ended.err
    assert world.with_name("world.jsonl.damaged").read_text() == "no world\n"
    assert json.loads(ended.out)["problem"]
    assert json.loads(watui("simulator").out)["problem"] is None
