"""`watui identity`: whose it is asked for, what is printed of it, and its acknowledgement."""

import csv
import io
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.cli.conftest import Watui, assert_one_sentence
from tests.cli.site import Site
from tests.cli.test_changes import rows_of, the_trail
from watui.cli.exits import Exit
from watui.contract.wa_ids import wa_id_of
from watui.export.rows import IdentityRow, iso
from watui.settings.paths import Paths
from watui.simulator.faults import Fault
from watui.simulator.faults import Kind as Broken
from watui.simulator.population import identity_hash

IDENTITY = "/v1/contacts/*/identity"
MEXICAN, MEXICAN_WA_ID = "+525512345678", "5215512345678"


pytestmark = pytest.mark.usefixtures("no_waiting")


@pytest.fixture
def site(site: Site) -> Site:
    site.world.people.change_account(MEXICAN, True, time.time())
    return site


def change(site: Site, number: str) -> tuple[str, float]:
    """Give a contact another identity; return its hash and when that was."""
    now = time.time()
    site.world.people.change_identity(number, now)
    return identity_hash(site.world.seed, number, 1), now


def test_an_identity_is_printed(watui: Watui, site: Site) -> None:
    (number,) = site.writers(1)
    digest, at = change(site, number)
    ended = watui("identity", number, "--url", site.url)
    assert (ended.code, ended.err) == (Exit.DONE, "")
    (row,) = rows_of(ended)
    assert tuple(row) == IdentityRow.__struct_fields__
    assert row == {
        "wa_id": wa_id_of(number),
        "hash": digest,
        "created_at": iso(int(at * 1000) / 1000),
        "acknowledged": False,
    }


def test_an_identity_as_csv_and_as_a_table(watui: Watui, site: Site) -> None:
    (number,) = site.writers(1)
    (row,) = csv.DictReader(io.StringIO(watui("identity", number, "--url", site.url, "--format", "csv").out))
    heading, line = watui("identity", number, "--url", site.url, "--format", "table").out.splitlines()
    assert heading.split() == ["wa_id", "hash", "created", "at", "(UTC)", "acknowledged"]
    assert line.split() == [row["wa_id"], row["hash"], *row["created_at"][:16].split("T"), "yes"]


@pytest.mark.parametrize(
    ("text", "wa_id"),
    [
        (MEXICAN, MEXICAN_WA_ID),
        ("+52 55 1234 5678", MEXICAN_WA_ID),
        (MEXICAN_WA_ID, MEXICAN_WA_ID),
        (f"+{MEXICAN_WA_ID}", MEXICAN_WA_ID),
        ("(631) 555-1000", "16315551000"),
        ("16315551000", "16315551000"),
    ],
)
def test_an_identity_is_asked_for_by_wa_id(watui: Watui, site: Site, text: str, wa_id: str) -> None:
    ended = watui("identity", text, "--url", site.url)
    assert ended.code == Exit.DONE, ended.err
    assert rows_of(ended)[0]["wa_id"] == wa_id
    assert [request.path for request in site.seen] == [f"/v1/contacts/{wa_id}/identity"]


class Telling(BaseHTTPRequestHandler):
    """A server whose wa_ids are others than usual, and whose clock is wrong."""

    paths: list[str]
    created = 1600132094000

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["contacts"]
        self._say({"contacts": [{"input": text, "status": "valid", "wa_id": "4711"} for text in asked]})

    def do_GET(self) -> None:
        self.paths.append(self.path)
        self._say({"contacts": {"hash": "UKD6Y/5SqDU=", "created_timestamp": self.created, "acknowledged": "true"}})

    def _say(self, members: object) -> None:
        body = json.dumps(members).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep stderr to the command under test."""


@pytest.fixture
def telling() -> Iterator[str]:
    Telling.paths, Telling.created = [], 1600132094000
    with HTTPServer(("127.0.0.1", 0), Telling) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_wa_id_that_the_server_told_is_used(watui: Watui, telling: str) -> None:
    assert watui("check", "--number", "+16315551000", "--url", telling).code == Exit.DONE
    ended = watui("identity", "+1 631 555 1000", "--url", telling)
    assert ended.code == Exit.DONE, ended.err
    assert Telling.paths == ["/v1/contacts/4711/identity"]
    assert rows_of(ended) == [
        {
            "wa_id": "4711",
            "hash": "UKD6Y/5SqDU=",
            "created_at": "2020-09-15T01:08:14.000+00:00",
            "acknowledged": True,
        }
    ]


@pytest.mark.parametrize("created", [10**17, -(10**17), 2**63])
def test_a_time_that_is_none_is_left_out(watui: Watui, telling: str, created: int) -> None:
    Telling.created = created
    ended = watui("identity", "+16315551000", "--url", telling)
    assert ended.code == Exit.DONE, ended.err
    assert rows_of(ended)[0]["created_at"] is None


def test_an_unknown_contact_is_refused_and_it_is_explained(watui: Watui, site: Site) -> None:
    (number,) = site.strangers(1)
    for arguments in ([], ["--acknowledge", "UKD6Y/5SqDU="]):
        ended = watui("identity", number, *arguments, "--url", site.url)
        assert (ended.code, ended.out) == (Exit.REFUSED, "")
        assert "Resource not found (1006)" in ended.err
        assert "The server knows no such contact" in ended.err


@pytest.mark.parametrize(
    ("text", "words"),
    [("none", "'none' is no contact"), (" ", "is no contact"), ("\udcff1", "is no contact"), ("+", "is no contact")],
)
def test_what_is_nobody_is_a_usage_error(watui: Watui, site: Site, text: str, words: str) -> None:
    ended = watui("identity", text, "--url", site.url)
    assert_one_sentence(ended, Exit.USAGE)
    assert words in ended.err
    assert site.seen == []


# Acknowledging


@pytest.mark.parametrize("text", [MEXICAN, MEXICAN_WA_ID])
def test_a_changed_identity_is_acknowledged(watui: Watui, site: Site, paths: Paths, text: str) -> None:
    digest, _ = change(site, MEXICAN)
    ended = watui("identity", text, "--acknowledge", f" {digest}\n", "--url", site.url)
    assert ended.code == Exit.DONE, ended.err
    assert (rows_of(ended)[0]["hash"], rows_of(ended)[0]["acknowledged"]) == (digest, True)
    assert "1 acknowledged" in ended.err
    (action,) = the_trail(paths)
    assert (action.kind, action.wa_id, action.target, action.hash) == (
        "acknowledge",
        MEXICAN_WA_ID,
        MEXICAN_WA_ID,
        digest,
    )
    (row,) = rows_of(watui("actions", "--number", text))
    assert (row["kind"], row["hash"], row["outcome"]) == ("acknowledge", digest, "done")


@pytest.mark.parametrize("which", ["old", "wrong", "blank"])
def test_a_wrong_or_old_hash_is_refused_and_it_is_explained(watui: Watui, site: Site, which: str) -> None:
    (number,) = site.writers(1)
    old = identity_hash(site.world.seed, number, 0)
    change(site, number)
    digest = {"old": old, "wrong": "UKD6Y/5SqDU=", "blank": " "}[which]
    ended = watui("identity", number, "--acknowledge", digest, "--url", site.url)
    assert (ended.code, ended.out) == (Exit.REFUSED, "")
    assert "Parameter value is not valid (1009)" in ended.err
    assert "read it again, then acknowledge that one" in ended.err
    assert rows_of(watui("identity", number, "--url", site.url))[0]["acknowledged"] is False


@pytest.mark.parametrize("kind", [Broken.ERROR_AFTER_WORK, Broken.RESET_AFTER_WORK, Broken.RESET])
def test_an_acknowledgement_whose_answer_is_lost_is_settled(watui: Watui, site: Site, kind: Broken) -> None:
    (number,) = site.writers(1)
    digest, _ = change(site, number)
    site.become(faults=(Fault(kind, IDENTITY, method="PUT", nth=1),))
    ended = watui("identity", number, "--acknowledge", digest, "--url", site.url)
    assert ended.code == Exit.DONE, ended.err
    assert rows_of(ended)[0]["acknowledged"] is True


@pytest.mark.parametrize(
    ("kind", "code"),
    [(Broken.WRONG_TYPE, Exit.UNREACHABLE), (Broken.RESET, Exit.UNREACHABLE), (Broken.DENIED, Exit.REFUSED)],
)
def test_an_identity_that_cannot_be_had(watui: Watui, site: Site, kind: Broken, code: Exit) -> None:
    site.become(faults=(Fault(kind, IDENTITY),))
    ended = watui("identity", *site.writers(1), "--url", site.url)
    assert_one_sentence(ended, code)


def test_the_simulator_changes_an_identity_and_it_is_acknowledged(watui: Watui) -> None:
    number = "+16315551000"
    assert watui("simulator", "identity", number).code == Exit.DONE
    (row,) = rows_of(watui("identity", number))
    assert row["acknowledged"] is False
    ended = watui("identity", number, "--acknowledge", row["hash"])
    assert (ended.code, rows_of(ended)[0]["acknowledged"]) == (Exit.DONE, True)
