"""A server that lies in every way, then tells the truth: a run ends, and no number has a status that was never said."""

import gzip
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from typing import NamedTuple

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.checks.test_run import asked_in, draft, drive, opened
from tests.conftest import examples
from watui.client.contacts import ContactsClient, Verdicts
from watui.client.exchanges import Exchanges
from watui.client.failures import Failure
from watui.client.server import Server
from watui.client.transport import Transport
from watui.contract.statuses import FINAL
from watui.ledger.ledger import Ledger
from watui.ledger.reader import Reader
from watui.ledger.rows import QUEUED, RunState
from watui.settings.paths import Paths

pytestmark = pytest.mark.anyio

INPUTS = ["+1 212 555 2000", "+1 212 555 2001", "+1 212 555 2002", "+1 212 555 2003"]
FIRST = INPUTS[0]

TRUTH = "failed"
"""The one status of the truth, which no lie says, so that whatever a lie leads to is seen."""

Answer = Callable[[list[str]], httpx.Response]
"""What a server says of inputs."""


def saying(contacts: object, **beside: object) -> httpx.Response:
    return httpx.Response(200, json={"contacts": contacts, **beside})


def valid(text: object) -> dict[str, object]:
    return {"input": text, "status": "valid", "wa_id": "1"}


def truth(inputs: list[str]) -> httpx.Response:
    return saying([{"input": text, "status": TRUTH} for text in inputs], meta={"version": "v2.41"})


def of_each(made: Callable[[str], object]) -> Answer:
    """Return an answer with what is `made` of each input."""
    return lambda inputs: saying([made(text) for text in inputs])


def body(content: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return lambda _: httpx.Response(status, content=content, headers=headers)


GOOD = json.dumps({"contacts": [*map(valid, INPUTS)]}).encode()

LIES: Mapping[str, Answer] = {
    "cut off": body(GOOD[:-2]),
    "cut in half": body(GOOD[: len(GOOD) // 2]),
    "twice": body(GOOD + GOOD),
    "nothing": body(b""),
    "HTML": body(b"<!DOCTYPE html><html><body>valid</body></html>", headers={"Content-Type": "text/html"}),
    "204": body(b"", 204),
    "null": body(b"null"),
    "a list": body(b"[]"),
    "a text": body(b'"valid"'),
    "a number": body(b"16315551000"),
    "true": body(b"true"),
    "UTF-16": body(GOOD.decode().encode("utf-16")),
    "UTF-16 without a mark": body(GOOD.decode().encode("utf-16-be")),
    "a mark and UTF-8": body(b"\xef\xbb\xbf" + GOOD),
    "Latin-1": body(GOOD.replace(b"valid", b"v\xe4lid")),
    "a gzip bomb": body(gzip.compress(GOOD + bytes(16 * 1024 * 1024)), headers={"Content-Encoding": "gzip"}),
    "gzip that nobody names": body(gzip.compress(GOOD)),
    "too long": body(GOOD + b" " * (8 * 1024 * 1024)),
    "deep lists": body(b"[" * 100_000),
    "deep objects": body(b'{"contacts":' * 50_000),
    "deep inside": body(b'{"contacts": [{"input": "x", "status": ' + b"[" * 50_000 + b"]" * 50_000 + b"}]}"),
    "contacts twice, null last": body(GOOD[:-1] + b', "contacts": null}'),
    "contacts missing": lambda _: httpx.Response(200, json={"meta": {}}),
    "contacts null": lambda _: saying(None),
    "contacts a text": lambda _: saying("valid"),
    "contacts an object": lambda inputs: saying(dict.fromkeys(inputs, "valid")),
    "contacts one object": lambda inputs: saying(valid(inputs[0])),
    "elements null": of_each(lambda _: None),
    "elements texts": of_each(lambda text: text),
    "elements lists": of_each(lambda text: [text, "valid"]),
    "input a number": of_each(lambda text: valid(int("".join(filter(str.isdigit, text))))),
    "input null": of_each(lambda _: valid(None)),
    "input missing": of_each(lambda _: {"status": "valid"}),
    "input a list": of_each(lambda text: valid([text])),
    "status a number": of_each(lambda text: {"input": text, "status": 1}),
    "status true": of_each(lambda text: {"input": text, "status": True}),
    "status null": of_each(lambda text: {"input": text, "status": None}),
    "status missing": of_each(lambda text: {"input": text}),
    "status an object": of_each(lambda text: {"input": text, "status": {"valid": True}}),
    "wa_id a number": of_each(lambda text: {**valid(text), "wa_id": 16315551000}),
    "wa_id a list": of_each(lambda text: {**valid(text), "wa_id": ["1"]}),
    "status of a megabyte": of_each(lambda text: {"input": text, "status": "x" * 1_000_000}),
    "wa_id of a megabyte": of_each(lambda text: {**valid(text), "wa_id": "1" * 1_000_000}),
    "one bad element": lambda inputs: saying([*map(valid, inputs), {"input": 1}]),
    "errors beside": lambda inputs: saying([*map(valid, inputs)], errors=[{"code": 1014, "title": "Internal error"}]),
    "errors of no shape": lambda inputs: saying([*map(valid, inputs)], errors="yes"),
    "other inputs": of_each(lambda text: valid(text.replace(" ", ""))),
    "inputs of others": of_each(lambda _: valid("+1 212 555 9999")),
    "contradictions": lambda inputs: saying([*map(valid, inputs), *({**valid(text), "wa_id": "2"} for text in inputs)]),
    "no contacts": lambda _: saying([]),
    **{
        f"{status} to {location or 'nowhere'}": body(GOOD, status, {"Location": location} if location else {})
        for status in (300, 301, 302, 303, 304, 305, 307, 308)
        for location in ("/v1/contacts", "")
    },
}
"""Answers from which no status may be taken; each is asked for `INPUTS`, or a part of them."""

ALL = dict.fromkeys(INPUTS, "valid")
BUT_THE_FIRST = {text: status for text, status in ALL.items() if text != FIRST}

WELL_FORMED: Mapping[str, tuple[Answer, Mapping[str, str]]] = {
    "unknown status": (of_each(lambda text: {"input": text, "status": "pending"}), {}),
    "status in capitals": (of_each(lambda text: {"input": text, "status": "VALID"}), {}),
    "status empty": (of_each(lambda text: {"input": text, "status": ""}), {}),
    "one missing": (lambda _: saying([*map(valid, BUT_THE_FIRST)]), BUT_THE_FIRST),
    "one contradicted": (
        lambda inputs: saying([*map(valid, inputs), {"input": FIRST, "status": "invalid"}]),
        BUT_THE_FIRST,
    ),
    "some extra": (lambda inputs: saying([valid("x"), *map(valid, inputs), valid("")]), ALL),
    "all twice": (lambda inputs: saying([*map(valid, inputs * 2)]), ALL),
    "another order": (lambda inputs: saying([*map(valid, reversed(inputs))]), ALL),
    "members that nobody knows": (of_each(lambda text: valid(text) | {"more": [1]}), ALL),
    "a member twice": (body(GOOD.replace(b'"status"', b'"status": "invalid", "status"')), ALL),
}
"""Answers of the shape, and the final statuses that they give; of a member that stands there twice, the last counts."""


class Told(NamedTuple):
    """What became of a list."""

    statuses: dict[str, str]
    """In the end, by input."""
    seen: set[str]
    """What stood in the ledger on the way."""
    requests: int


async def told(paths: Paths, ledger: Ledger, lie: Answer) -> Told:
    """Run a list against a server that answers once with `lie`, then with the truth."""
    run_id = draft(ledger, INPUTS)
    seen: set[str] = set()
    requests = 0
    with closing(Reader(paths.ledger)) as reader:

        def handler(request: httpx.Request) -> httpx.Response:
            nonlocal requests
            requests += 1
            seen.update(row.status for row in reader.rows(run_id))
            return (lie if requests == 1 else truth)(asked_in(request))

        async with opened(paths, run_id, handler) as run:
            await drive(run)
        assert reader.run(run_id).state is RunState.DONE
        return Told({row.input: row.status for row in reader.rows(run_id)}, seen, requests)


async def test_no_number_gets_a_status_of_a_lie(paths: Paths, ledger: Ledger) -> None:
    invented = {}
    for name, lie in LIES.items():
        found = await told(paths, ledger, lie)
        assert found.requests > 1, f"{name}: it is asked again"
        if set(found.statuses.values()) != {TRUTH} or found.seen != {QUEUED}:
            invented[name] = found
    print(f"\n{len(LIES)} lies about {len(INPUTS)} numbers: {len(invented)} with an invented status, 0 crashes")
    assert not invented


@pytest.mark.parametrize("name", WELL_FORMED)
async def test_of_a_well_formed_answer_every_status_counts_and_no_other(
    name: str, paths: Paths, ledger: Ledger
) -> None:
    said, final = WELL_FORMED[name]
    found = await told(paths, ledger, said)
    assert found.statuses == {text: final.get(text, TRUTH) for text in INPUTS}
    assert (found.requests > 1) is (len(final) < len(INPUTS)), "what has no final status is asked again, nothing else"
    unknown = {each["status"] for each in json.loads(said(INPUTS).content)["contacts"]} - FINAL
    assert unknown <= found.seen, "an unknown status is shown as it came"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([*INPUTS, "valid", "status"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text() | st.sampled_from(["contacts", "input", "status", "wa_id", "meta", "errors"]), inner
        )
    ),
    max_leaves=12,
)
DOCUMENTS = JSON | st.fixed_dictionaries({"contacts": st.lists(JSON, max_size=4) | JSON, "meta": JSON})


@settings(max_examples=examples(1.25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document=DOCUMENTS, status=st.sampled_from([200, 201, 204, 302, 400, 401, 404, 429, 500, 503]))
async def test_whatever_document_comes_there_are_verdicts_or_a_failure(document: object, status: int) -> None:
    content = json.dumps(document).encode()
    mock = httpx.MockTransport(lambda _: httpx.Response(status, content=content))
    client = ContactsClient(Transport(Server.at("http://127.0.0.1"), Exchanges(), mock))
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: client.check(INPUTS),
        client.blocklist,
        lambda: client.block(FIRST),
        lambda: client.identity("12125552000"),
    ]
    for call in calls:
        try:
            said = await call()
        except Failure:
            continue
        assert 200 <= status < 300
        if isinstance(said, Verdicts):
            listed = [(each["input"], each["status"]) for each in json.loads(content)["contacts"]]
            assert {(text, each.status) for text, each in said.contacts.items()} <= set(listed)
