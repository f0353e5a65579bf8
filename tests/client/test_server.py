"""Where a server is: URLs as people write them, and what is refused before anything is sent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watui.client.server import BadServer, Server

TOKEN = "canary-token"


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("https://wa.example.com", "https://wa.example.com"),
        ("https://wa.example.com:9090/", "https://wa.example.com:9090"),
        (" http://127.0.0.1:9090 ", "http://127.0.0.1:9090"),
        ("https://wa.example.com/v1/contacts", "https://wa.example.com"),
        ("https://wa.example.com/v1/contacts/", "https://wa.example.com"),
        ("https://wa.example.com/v1", "https://wa.example.com"),
        ("https://gateway.example.com/whatsapp/v1/contacts", "https://gateway.example.com/whatsapp"),
        ("https://gateway.example.com/v1/whatsapp", "https://gateway.example.com/v1/whatsapp"),
        ("http://[::1]:9090", "http://[::1]:9090"),
    ],
)
def test_a_base_url_may_end_in_the_path_of_the_api(written: str, url: str) -> None:
    assert Server.at(written).url == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "wa.example.com",
        "wa.example.com:9090",
        "ftp://wa.example.com",
        "file:///etc/passwd",
        "https://",
        "https:///v1",
        "https://wa.example.com:port",
        "https://wa.example.com:99999",
        "http://[::1",
        "https://wa.example.com/?key=1",
        "https://wa.example.com/#top",
        "https://wa.example.com/\x1b[31m",
        "https://user:hunter2@wa.example.com",
        "https://hunter2@wa.example.com",
        "https://:hunter2@wa.example.com",
        "https://@wa.example.com",
        "https://user:hunter2/@wa.example.com",  # reads as a host `user` with a port that is no number
    ],
)
def test_what_is_no_base_url_is_refused_in_one_printable_sentence_without_secrets(url: str) -> None:
    with pytest.raises(BadServer) as caught:
        Server.at(url)
    words = str(caught.value)
    assert words.isprintable()
    assert "hunter2" not in words


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "tab\t", "\x7f", "naïve", "a\r\nX-Injected: 1"])
def test_a_token_that_cannot_stand_in_a_header_is_refused_without_saying_it(token: str) -> None:
    with pytest.raises(BadServer, match="WATUI_TOKEN") as caught:
        Server.at("https://wa.example.com", token)
    assert not token or token not in str(caught.value)


def test_a_token_is_never_part_of_the_text_of_a_server() -> None:
    server = Server.at("https://wa.example.com", TOKEN)
    assert server.token == TOKEN
    assert TOKEN not in repr(server)
    assert TOKEN not in str(server)


@pytest.mark.parametrize(
    ("url", "host", "is_local"),
    [
        ("http://127.0.0.1:9090", "127.0.0.1:9090", True),
        ("http://LOCALHOST/v1", "LOCALHOST", True),
        ("http://[::1]:9090", "[::1]:9090", True),
        ("https://wa.example.com:9090/x", "wa.example.com:9090", False),
        ("https://127.0.0.1.example.com", "127.0.0.1.example.com", False),
    ],
)
def test_it_knows_its_host_and_whether_that_is_this_machine(url: str, host: str, is_local: bool) -> None:
    server = Server.at(url)
    assert (server.host, server.is_local) == (host, is_local)


@given(st.text())
def test_any_text_is_either_a_server_or_a_refusal(text: str) -> None:
    for url in (text, f"https://{text}"):
        try:
            server = Server.at(url)
        except BadServer:
            continue
        assert server.url.startswith(("http://", "https://"))
        assert not server.url.endswith("/")
        assert "@" not in server.host
        assert Server.at(server.url) == server


@pytest.mark.parametrize("url", ["https://wa..example.com", "https://x/{phone}", "https://" + "a" * 300])
def test_a_host_or_a_path_that_cannot_be_is_refused(url: str) -> None:
    with pytest.raises(BadServer, match="there can be no"):
        Server.at(url)
