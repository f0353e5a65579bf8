"""`watui profiles`: each command, what it prints, and how it ends where something can't be."""

import json
import socket
from pathlib import Path

import pytest

from tests.cli.conftest import Ended, Watui, assert_one_sentence
from tests.tls import Listener, authority_file, self_signed
from watui.cli.exits import Exit
from watui.settings.paths import Paths
from watui.settings.secrets import Secret, Secrets, Store
from watui.settings.settings import Profile, load
from watui.simulator.serving import ServerThread

URL = "https://wa.example.com:9090"


def rows(ended: Ended) -> list[dict[str, object]]:
    return [json.loads(line) for line in ended.out.splitlines()]


@pytest.fixture(autouse=True)
def no_token(watui: Watui, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATUI_TOKEN")


def profiles(paths: Paths) -> dict[str, Profile]:
    return load(paths.settings, {}).profiles


@pytest.mark.parametrize("command", [("profiles",), ("profiles", "list")])
def test_without_a_profile_there_is_the_simulator_and_a_hint(command: tuple[str, ...], watui: Watui) -> None:
    ended = watui(*command)
    assert ended.code == Exit.DONE
    assert "watui profiles add NAME --url URL" in ended.err
    (row,) = rows(ended)
    assert (row["profile"], row["url"]) == ("simulator", "embedded")


def test_a_profile_is_added_with_every_option_listed_and_removed(watui: Watui, paths: Paths, tmp_path: Path) -> None:
    ca_file = authority_file(tmp_path)
    options = {
        "--region": "de",
        "--kind": "own",
        "--user": "admin",
        "--rate": "2.5",
        "--batch-size": "7",
        "--ca-file": str(ca_file),
        "--proxy": "none",
        "--word": "PRODUCTION",
        "--colour": "red",
    }
    flat = [part for option in options.items() for part in option]
    ended = watui("profiles", "add", "shop", "--url", URL, "--read-only", *flat)
    assert ended.code == Exit.DONE
    assert f"The profile shop is added, in {paths.settings}." in ended.err
    assert "'watui login --profile shop' keeps the password of admin" in ended.err
    assert profiles(paths) == {
        "shop": Profile(
            URL,
            "DE",
            True,
            user="admin",
            rate=2.5,
            batch_size=7,
            ca_file=str(ca_file),
            proxy="none",
            word="PRODUCTION",
            colour="red",
        )
    }
    Secrets(paths.secrets, {}).keep("shop", Secret.PASSWORD, "Canary-Pass1", Store.FILE)
    listed = watui("profiles", "list", "--format", "jsonl")
    (row,) = (row for row in rows(listed) if row["profile"] == "shop")
    assert (row["url"], row["user"], row["read_only"], row["word"]) == (URL, "admin", True, "PRODUCTION")
    assert "shop.password" in str(row)
    assert "Canary" not in listed.out + listed.err
    ended = watui("profiles", "remove", "shop", "--yes")
    assert ended.code == Exit.DONE
    assert (profiles(paths), list(paths.secrets.iterdir())) == ({}, [])


def test_a_change_needs_a_word_and_leaves_what_is_not_named(watui: Watui, paths: Paths) -> None:
    watui("profiles", "add", "shop", "--url", URL, "--read-only", "--word", "HERE")
    assert_one_sentence(refused := watui("profiles", "add", "shop", "--url", "https://other"), Exit.USAGE)
    assert "add --replace" in refused.err
    assert watui("profiles", "add", "shop", "--replace", "--no-read-only", "--rate", "1").code == Exit.DONE
    assert profiles(paths) == {"shop": Profile(URL, rate=1.0, word="HERE")}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["shop"], "needs a url"),
        (["simulator", "--url", URL], "another name"),
        (["shop", "--url", "wa.example.com"], "not an http or https URL"),
        (["shop", "--url", "https://admin:canary@wa.example.com"], "user:password@"),
        (["shop", "--url", URL, "--proxy", "http://a:canary@proxy:3128"], "secrets don't stand in settings"),
        (["shop", "--url", URL, "--region", "XX"], "XX"),
        (["shop", "--url", URL, "--rate", "0"], "rate: it is at least 0.01"),
        (["shop", "--url", URL, "--rate", "many"], "rate: it is a number"),
        (["shop", "--url", URL, "--batch-size", "1001"], "batch_size: it is at most 1000"),
        (["shop", "--url", URL, "--word", "x" * 21], "word: it has at most 20 characters"),
        (["shop", "--url", URL, "--kind", "cloud"], "--kind"),
        (["shop", "--url", URL, "--colour", "pink"], "--colour"),
        (["shop", "--url", URL, "--ca-file", "/nowhere/ca.pem"], "/nowhere/ca.pem can't be used"),
        (["shop", "--url", "https://whatsapp.turn.io", "--kind", "turn", "--user", "admin"], "does not log users in"),
        (["x" * 41, "--url", URL], "visible characters"),
    ],
)
def test_what_cannot_be_a_profile_is_refused_and_nothing_is_written(
    arguments: list[str], words: str, watui: Watui, paths: Paths
) -> None:
    ended = watui("profiles", "add", *arguments)
    assert_one_sentence(ended, Exit.USAGE)
    assert words in ended.err
    assert "canary" not in ended.err
    assert not paths.settings.exists()


@pytest.mark.parametrize("command", [("remove", "--yes"), ("test",), ("trust",)])
def test_a_name_that_no_profile_has_is_told(command: tuple[str, ...], watui: Watui) -> None:
    ended = watui("profiles", *command, "shop")
    assert_one_sentence(ended, Exit.USAGE)
    assert "there is no profile shop" in ended.err


def test_without_a_terminal_nothing_is_removed_unless_it_is_said(watui: Watui, paths: Paths) -> None:
    watui("profiles", "add", "shop", "--url", URL)
    assert_one_sentence(watui("profiles", "remove", "shop"), Exit.USAGE)
    assert set(profiles(paths)) == {"shop"}


# Test


def test_a_server_that_is_well_is_told_and_teaches_its_region(
    watui: Watui, server: ServerThread, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    watui("profiles", "add", "shop", "--url", server.url)
    monkeypatch.setenv("WATUI_TOKEN", "test-token")
    ended = watui("profiles", "test", "shop")
    assert ended.code == Exit.DONE
    assert {row["level"] for row in rows(ended)} == {"ok"}
    assert "US is the region of shop from now on" in ended.err
    assert profiles(paths)["shop"].region == "US"
    assert "is the region" not in watui("profiles", "test", "shop").err


@pytest.mark.parametrize(
    ("token", "region", "code"), [("wrong", "US", Exit.REFUSED), ("test-token", "IN", Exit.UNFINISHED)]
)
def test_what_is_not_well_is_told_by_the_exit_code(
    token: str, region: str, code: Exit, watui: Watui, server: ServerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    watui("profiles", "add", "shop", "--url", server.url, "--region", region)
    monkeypatch.setenv("WATUI_TOKEN", token)
    ended = watui("profiles", "test", "shop")
    assert ended.code == code
    assert "trouble" in {row["level"] for row in rows(ended)}


def test_a_server_that_is_down_is_told(watui: Watui) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    watui("profiles", "add", "shop", "--url", f"https://127.0.0.1:{port}")
    ended = watui("profiles", "test", "shop")
    assert ended.code == Exit.UNREACHABLE
    assert f"cannot reach 127.0.0.1:{port}" in ended.out
    ended = watui("profiles", "trust", "shop")
    assert ended.code == Exit.UNREACHABLE
    assert f"cannot reach 127.0.0.1:{port}" in ended.err


# Trust


def test_a_certificate_is_pinned_by_its_fingerprint_and_let_go_again(watui: Watui, paths: Paths) -> None:
    shown = self_signed()
    with Listener(shown) as listener:
        watui("profiles", "add", "shop", "--url", listener.url)
        assert_one_sentence(watui("profiles", "trust", "shop"), Exit.USAGE)
        wrong = watui("profiles", "trust", "shop", "--fingerprint", self_signed(serial=2).fingerprint)
        assert_one_sentence(wrong, Exit.USAGE)
        assert profiles(paths)["shop"].certificate is None
        for written in (shown.fingerprint, shown.fingerprint.replace(":", "").lower()):
            ended = watui("profiles", "trust", "shop", "--fingerprint", written)
            assert ended.code == Exit.DONE
            assert "It is for wa.example.com; issued by wa.example.com" in ended.err
            assert shown.fingerprint in ended.err
        assert "That is the one that is pinned." in ended.err
        assert shown.fingerprint in watui("profiles", "list").out
        assert listener.read == b""
    assert (profiles(paths)["shop"].certificate or "").split() == shown.certificate.split()
    ended = watui("profiles", "trust", "shop", "--forget")
    assert ended.code == Exit.DONE
    assert profiles(paths) == {"shop": Profile(listener.url)}


def test_an_expired_certificate_is_not_pinned(watui: Watui, paths: Paths) -> None:
    shown = self_signed(until=-1)
    with Listener(shown) as listener:
        watui("profiles", "add", "shop", "--url", listener.url)
        ended = watui("profiles", "trust", "shop", "--fingerprint", shown.fingerprint)
    assert_one_sentence(ended, Exit.USAGE)
    assert "it can't be pinned: certificate has expired" in ended.err
    assert profiles(paths)["shop"].certificate is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", None])
def test_where_there_is_no_https_there_is_nothing_to_trust(url: str | None, watui: Watui) -> None:
    if url is not None:
        watui("profiles", "add", "shop", "--url", url)
    ended = watui("profiles", "trust", "shop" if url else "simulator")
    assert_one_sentence(ended, Exit.USAGE)
    assert "there is no certificate to trust" in ended.err
