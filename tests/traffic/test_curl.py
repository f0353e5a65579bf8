"""A command for curl sends what was sent, by a real shell."""

import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.traffic.exchanges import URL, an_exchange
from watui.traffic.curl import CannotCopy, curl, names_token

HEAD = b"Host: wa.example.com\r\nAccept: application/json\r\nContent-Type: application/json\r\nContent-Length: 9"

HOSTILE = "'; echo harm; ' $(echo harm) `echo harm` $HOME \\ \" !! \n\t é 日本"


def run(command: str, folder: Path, **variables: str) -> list[str]:
    """Let sh run a command in which curl only prints its arguments; return them."""
    fake = folder / "curl"
    fake.write_text("#!/bin/sh\nfor each; do printf '%s\\0' \"$each\"; done\n")
    fake.chmod(0o700)
    environment = {"PATH": f"{folder}:/usr/bin:/bin", "HOME": "/home/somebody", **variables}
    ended = subprocess.run(["sh", "-c", command], capture_output=True, check=True, env=environment)
    assert not ended.stderr
    return ended.stdout.decode().split("\0")[:-1]


def after(arguments: list[str], option: str) -> list[str]:
    """What follows each `option`."""
    return [value for name, value in pairwise(arguments) if name == option]


def test_a_check_is_sent_as_it_was(tmp_path: Path) -> None:
    body = f'{{"contacts":["{HOSTILE}"]}}'.encode()
    arguments = run(curl(an_exchange(body=body, request_head=HEAD)), tmp_path, WATUI_TOKEN="secret token's")
    assert URL in arguments
    assert after(arguments, "--request") == ["POST"]
    assert after(arguments, "--data-raw") == [body.decode()]
    assert after(arguments, "--header") == [
        "Accept: application/json",
        "Content-Type: application/json",
        "Authorization: Bearer secret token's",
    ]


@given(body=st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1))
def test_any_body_is_read_back(body: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    assert after(run(curl(an_exchange(body=body.encode())), folder, WATUI_TOKEN="t"), "--data-raw") == [body]


def test_a_number_in_a_path_stays_encoded(tmp_path: Path) -> None:
    path = "/%2B16315551000%2E%2E%2F/block"
    arguments = run(curl(an_exchange(path)), tmp_path, WATUI_TOKEN="t")
    assert URL + path in arguments
    assert "--path-as-is" in arguments


def test_a_question_has_no_body(tmp_path: Path) -> None:
    arguments = run(curl(an_exchange("/blocklist?limit=100&offset=0", "GET")), tmp_path, WATUI_TOKEN="t")
    assert f"{URL}/blocklist?limit=100&offset=0" in arguments
    assert not {"--request", "--data-raw"} & set(arguments)


def test_nothing_in_a_url_is_a_pattern(tmp_path: Path) -> None:
    assert "--globoff" in run(curl(an_exchange(url="http://[::1]:9090/v1/contacts")), tmp_path, WATUI_TOKEN="t")


@pytest.mark.parametrize(
    ("secret", "header"),
    [
        ("Authorization: Bearer ***", "Authorization: Bearer real'token"),
        ("Authorization: ***", "Authorization: real'token"),
        ("D360-API-KEY: ***", "D360-API-KEY: real'token"),
    ],
)
def test_every_kind_of_server_gets_its_token(secret: str, header: str, tmp_path: Path) -> None:
    exchange = an_exchange(secret=secret)
    assert names_token(exchange)
    assert after(run(curl(exchange), tmp_path, WATUI_TOKEN="real'token"), "--header") == [header]
    assert after(run(curl(exchange, "real'token"), tmp_path), "--header") == [header]
    assert "real" not in curl(exchange)


def test_a_login_names_user_and_password(tmp_path: Path) -> None:
    exchange = an_exchange(url="https://wa.example.com/v1/users/login", secret="Authorization: Basic ***")
    assert not names_token(exchange)
    arguments = run(curl(exchange), tmp_path, WATUI_USER="admin", WATUI_PASSWORD="a $b")
    assert after(arguments, "--user") == ["admin:a $b"]


def test_without_a_token_no_header_is_made_up(tmp_path: Path) -> None:
    exchange = an_exchange(secret=None)
    assert not names_token(exchange)
    assert "--header" not in run(curl(exchange), tmp_path)


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({"request_left_out": 1}, "whole"),
        ({"body": b'{"new_password":"***"}', "secret": "Authorization: Basic ***"}, "new password"),
    ],
)
def test_what_is_not_kept_is_not_copied(members: dict[str, object], why: str) -> None:
    with pytest.raises(CannotCopy, match=why):
        curl(an_exchange(**members))  # type: ignore[arg-type]
