"""Exchanges for tests."""

from typing import Any

from watui.client.exchanges import Exchange

URL = "https://wa.example.com:9090/v1/contacts"


def an_exchange(path: str = "", method: str = "POST", body: bytes = b"", **members: Any) -> Exchange:
    """An exchange about contacts that was answered."""
    first = Exchange(1_800_000_000.0, method, URL + path, body, 200, b"{}", 0.25, None, "Authorization: Bearer ***")
    return first._replace(**members)
