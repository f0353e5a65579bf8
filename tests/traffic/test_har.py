"""A HAR file holds what was said, and no secret."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tests.traffic.exchanges import URL, an_exchange
from watui.client.exchanges import Exchange, Exchanges, Why
from watui.files import CannotWrite
from watui.traffic.har import har, recording


def read(exchanges: list[Exchange]) -> list[dict[str, Any]]:
    log = json.loads("".join(har(exchanges)))["log"]
    assert log["version"] == "1.2"
    assert log["creator"]["name"] == "watui"
    entries: list[dict[str, Any]] = log["entries"]
    return entries


def test_an_exchange_is_there_whole() -> None:
    (entry,) = read(
        [
            an_exchange(
                "/blocklist?limit=10&offset=0",
                body=b'{"contacts":["\xc3\xa9"]}',
                request_head=b"Accept: application/json",
                response_head=b"content-type: application/json\r\nset-cookie: ***",
                response=b'{"a":1}',
                why=Why("poll 3", 2, "429"),
            )
        ]
    )
    assert entry["startedDateTime"] == "2027-01-15T08:00:00.000+00:00"
    assert entry["time"] == 250 == sum(entry["timings"].values())
    assert entry["comment"] == "poll 3, again after 429"
    assert entry["_attempt"] == 2
    asked, said = entry["request"], entry["response"]
    assert (asked["method"], asked["url"]) == ("POST", f"{URL}/blocklist?limit=10&offset=0")
    assert asked["queryString"] == [{"name": "limit", "value": "10"}, {"name": "offset", "value": "0"}]
    assert asked["headers"][-1] == {"name": "Authorization", "value": "Bearer ***"}
    assert asked["postData"] == {"mimeType": "application/json", "text": '{"contacts":["é"]}'}
    assert asked["bodySize"] == len(b'{"contacts":["\xc3\xa9"]}')
    assert (said["status"], said["statusText"]) == (200, "OK")
    assert said["content"] == {"size": 7, "mimeType": "application/json", "text": '{"a":1}'}


def test_bytes_that_are_no_text_are_kept() -> None:
    (entry,) = read([an_exchange(response=b"\xff\x00\x1b", status=599)])
    content = entry["response"]["content"]
    assert content["encoding"] == "base64"
    assert base64.b64decode(content["text"]) == b"\xff\x00\x1b"
    assert entry["response"]["statusText"] == ""


def test_a_request_without_an_answer_has_status_0() -> None:
    (entry,) = read([an_exchange(status=None, response=b"", failure="cannot reach it")])
    assert (entry["response"]["status"], entry["response"]["_error"]) == (0, "cannot reach it")


def test_what_was_not_kept_is_said() -> None:
    (entry,) = read([an_exchange(body=b"1", request_left_out=5_000, response_left_out=7)])
    assert entry["request"]["bodySize"] == 5_001
    assert entry["request"]["postData"]["comment"] == "5,000 bytes more were not kept"
    assert entry["response"]["content"]["size"] == 9


@pytest.mark.parametrize("count", [0, 1, 3])
def test_any_number_of_them_is_a_file(count: int) -> None:
    assert len(read([an_exchange()] * count)) == count


class Ended(Exception):
    pass


def test_what_is_said_is_recorded_however_it_ends(tmp_path: Path) -> None:
    exchanges, path = Exchanges(), tmp_path / "all.har"
    exchanges.add(an_exchange("/before"))

    def ask() -> None:
        with recording(exchanges, path):
            exchanges.add(an_exchange("/meanwhile"))
            assert not path.exists(), "it is there once it is whole"
            raise Ended

    with pytest.raises(Ended):
        ask()
    exchanges.add(an_exchange("/later"))
    urls = [entry["request"]["url"] for entry in json.loads(path.read_text())["log"]["entries"]]
    assert urls == [f"{URL}/meanwhile"]


def test_a_place_that_can_t_be_written_is_said_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite), recording(Exchanges(), tmp_path / "nowhere" / "all.har"):
        raise AssertionError("nothing is asked")
