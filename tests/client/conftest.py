"""A client whose server is a function."""

from collections.abc import Callable

import httpx
import pytest

from watui.client.contacts import ContactsClient
from watui.client.exchanges import Exchanges
from watui.client.server import Server
from watui.client.transport import Transport

CANARY = "canary-token"

Handler = Callable[[httpx.Request], httpx.Response]
MakeClient = Callable[[Handler], ContactsClient]


@pytest.fixture
def exchanges() -> Exchanges:
    return Exchanges()


@pytest.fixture
def client_of(exchanges: Exchanges) -> MakeClient:
    def make(handler: Handler) -> ContactsClient:
        server = Server.at("https://wa.example.com", CANARY)
        return ContactsClient(Transport(server, exchanges, httpx.MockTransport(handler)))

    return make
