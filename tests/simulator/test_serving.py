"""A server on a thread of its own, behind a real socket."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.conftest import TOKEN
from tests.simulated import a_world, create_app
from watui.simulator.population import Latency
from watui.simulator.serving import CannotListen, ServerThread
from watui.simulator.world import World

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
NUMBER = "+16315551000"


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def post(url: str, body: dict[str, object]) -> httpx.Response:
    return httpx.post(f"{url}/v1/contacts", json=body, headers=HEADERS, trust_env=False, timeout=10, verify=False)


def test_it_answers_over_http_as_soon_as_it_is_there(server: ServerThread) -> None:
    assert server.url == f"http://127.0.0.1:{server.port}"
    answer = post(server.url, {"contacts": [NUMBER]})
    assert answer.status_code == 200
    assert answer.json()["contacts"][0]["input"] == NUMBER


def test_it_answers_many_at_once(server: ServerThread) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = [f"+1631555{last}" for last in range(1000, 1040)]
        answers = list(pool.map(lambda number: post(server.url, {"contacts": [number]}).json(), numbers))
    assert [answer["contacts"][0]["input"] for answer in answers] == numbers


def test_a_wait_holds_nobody_else_back() -> None:
    # The wait takes its 0.3 seconds; the question after it is answered within that time.
    world = a_world(latency=Latency(0.3, 0.3))
    with ServerThread(create_app(world, TOKEN)) as server, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(post, server.url, {"contacts": [NUMBER], "blocking": "wait"})
        assert post(server.url, {"contacts": ["nobody"]}).json()["contacts"][0]["status"] == "failed"
        assert waiting.result().json()["contacts"][0]["status"] in ("valid", "invalid")


def test_when_it_is_stopped_its_thread_is_gone_and_its_port_is_free(world: World) -> None:
    app = create_app(world, TOKEN)
    with ServerThread(app) as server:
        assert "watui-simulator" in threads()
    assert "watui-simulator" not in threads()
    with ServerThread(app, port=server.port) as again:
        assert post(again.url, {"contacts": [NUMBER]}).status_code == 200


def test_it_can_be_stopped_before_it_was_ever_asked(world: World) -> None:
    ServerThread(create_app(world, TOKEN)).stop()
    assert "watui-simulator" not in threads()


@pytest.mark.parametrize("host", ["127.0.0.1", "203.0.113.7"])
def test_an_address_that_cannot_be_had_is_named(host: str, world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen, match=f"cannot listen on {host}"):
            ServerThread(create_app(world, TOKEN), host, port)
    assert "watui-simulator" not in threads()
