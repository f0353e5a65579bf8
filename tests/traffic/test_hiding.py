"""In a HAR file that hides numbers there is none, in URLs, headers or bodies; all else is as it was."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hidden import assert_hidden
from tests.traffic.exchanges import URL, an_exchange
from watui.client.exchanges import Exchange
from watui.traffic.har import har
from watui.traffic.hiding import hidden


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"{URL}/16315551000/identity", f"{URL}/••••••••000/identity"),
        (f"{URL}/%2B16315551000/block", f"{URL}/+••••••••000/block"),
        (f"{URL}/%2B1%20631%20555%201000/block", f"{URL}/+• ••• ••• •000/block"),
        (f"{URL}/blocklist?limit=100&offset=1200", f"{URL}/blocklist?limit=100&offset=1200"),
        (
            "http://192.168.100.100/16315551000/v1?of=16315551001",
            "http://192.168.100.100/••••••••000/v1?of=••••••••001",
        ),
        ("http://[::1]:9876/v1/contacts/a%20b", "http://[::1]:9876/v1/contacts/a%20b"),
    ],
)
def test_contacts_in_a_url(url: str, shown: str) -> None:
    assert hidden(an_exchange()._replace(url=url)).url == shown


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"", ""),
        (b'{"contacts":["+1  631 / 555 1000"],"blocking":"wait"}',
         '{"contacts":["+•  ••• / ••• •000"],"blocking":"wait"}'),
        (b'{"input":"\\u0031631\\u0035551000"}', '{"input":"••••••••000"}'),
        (b'{"errors":[{"code":1013,"details":"no user 16315551000: gone"}]}',
         '{"errors":[{"code":1013,"details":"no user ••••••••000: gone"}]}'),
        (b'{"16315551000":true,"a":null,"b":16315551000,"c":1.5}',
         '{"••••••••000":true,"a":null,"b":"••••••••000","c":1.5}'),
        (b'{"meta":{"version":"v2.41"}}', '{"meta":{"version":"v2.41"}}'),
        (b'no JSON: "16315551000"', 'no JSON: "••••••••000"'),
        (b"\xff 16315551000", "\ufffd ••••••••000"),
        (b"[" * 100_000 + b"16315551000", "[" * 100_000 + "••••••••000"),
    ],
)  # fmt: skip
def test_bodies(body: bytes, shown: str) -> None:
    assert hidden(an_exchange(body=body)).request.decode() == shown
    assert hidden(an_exchange(response=body)).response.decode() == shown


def read(exchange: Exchange) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads("".join(har([exchange], hides_numbers=True)))["log"]["entries"][0]
    return entry


def test_a_file_tells_the_sizes_and_secrets_as_they_were() -> None:
    exchange = an_exchange(
        "/16315551000/block?of=16315551000",
        body=b'{"contacts":["16315551000"]}',
        response=b'{"contacts":[{"input":"16315551000","wa_id":"16315551000"}]}',
        response_head=b"location: /v1/contacts/16315551000\r\ncontent-type: application/json",
        failure="no user 16315551000",
    )
    entry = read(exchange)
    assert "6315551000" not in json.dumps(entry, ensure_ascii=False)
    asked, said = entry["request"], entry["response"]
    assert (asked["bodySize"], said["bodySize"]) == (exchange.request_size, exchange.response_size)
    assert asked["headers"][-1] == {"name": "Authorization", "value": "Bearer ***"}
    assert asked["queryString"] == [{"name": "of", "value": "••••••••000"}]
    assert said["redirectURL"] == "/v1/contacts/********000"
    assert said["_error"] == "no user ••••••••000"
    assert json.loads(asked["postData"]["text"]) == {"contacts": ["••••••••000"]}


@given(st.from_regex(r"[1-9][0-9]{7,14}", fullmatch=True), st.sampled_from(["", " ", "  ", "-", ", "]))
def test_no_number_can_be_read_in_a_file(number: str, separator: str) -> None:
    written = separator.join(number)
    body = json.dumps({"contacts": [written], "errors": [{"details": f"no user {number}"}]}).encode()
    entry = read(an_exchange(f"/{number}/identity", body=body, response=body))
    said = f"{entry['request']['url']} {entry['request']['postData']['text']} {entry['response']['content']['text']}"
    said = said.removeprefix(URL)
    assert_hidden([said], [number])
    assert re.sub(r"[^\d•]", "", said).count(number[-3:]) >= 5
