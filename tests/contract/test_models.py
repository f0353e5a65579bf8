"""The bodies on the wire, as golden texts."""

import msgspec
import pytest

from watui.contract.models import (
    BLOCKING_MODES,
    ApiError,
    CheckAnswer,
    CheckRequest,
    Contact,
    ErrorAnswer,
    Meta,
    version_of,
)


def test_the_documented_request_and_its_defaults() -> None:
    body = b'{"contacts":["16315551000","+1 631 555 1001"],"blocking":"wait","force_check":true}'
    request = CheckRequest(["16315551000", "+1 631 555 1001"], "wait", True)
    assert msgspec.json.encode(request) == body
    assert msgspec.json.decode(body, type=CheckRequest) == request
    assert msgspec.json.decode(b'{"contacts":["1"]}', type=CheckRequest) == CheckRequest(["1"], "no_wait", False)
    assert BLOCKING_MODES == ("no_wait", "wait")


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"contacts":"16315551000"}',
        b'{"contacts":[16315551000]}',
        b'{"contacts":["1"],"blocking":"later"}',
        b'{"contacts":["1"],"force_check":"true"}',
    ],
)
def test_a_request_of_another_shape_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=CheckRequest)


def test_the_documented_answer() -> None:
    body = (
        b'{"contacts":[{"input":"16315551000","status":"valid","wa_id":"16315551000"},'
        b'{"input":"6315551002","status":"invalid"}],"meta":{"version":"v2.45.1","api_status":"stable"}}'
    )
    contacts = [Contact("16315551000", "valid", "16315551000"), Contact("6315551002", "invalid")]
    assert msgspec.json.encode(CheckAnswer(contacts, Meta("v2.45.1"))) == body
    answer = msgspec.json.decode(body, type=CheckAnswer)
    assert answer.contacts == contacts
    assert version_of(answer.meta) == "v2.45.1"


def test_an_answer_may_hold_what_no_document_names() -> None:
    body = b'{"contacts":[{"input":"1","status":"pending","profile":{}}],"meta":["odd"],"more":1}'
    answer = msgspec.json.decode(body, type=CheckAnswer)
    assert answer.contacts == [Contact("1", "pending", None)]
    assert version_of(answer.meta) is None


@pytest.mark.parametrize(
    ("meta", "version"),
    [
        (Meta("v2.41"), "v2.41"),
        ({"version": "2.35.4"}, "2.35.4"),
        ({"version": 2.45}, None),
        ({"version": None}, None),
        ({}, None),
        (None, None),
        ("v2.41", None),
        ([{"version": "v2.41"}], None),
    ],
)
def test_a_version_that_is_no_text_counts_as_unknown(meta: object, version: str | None) -> None:
    assert version_of(meta) == version


def test_an_error_without_a_code_is_read() -> None:
    answer = msgspec.json.decode(b'{"errors":[{"title":"Too many requests"}]}', type=ErrorAnswer)
    assert answer.errors == [ApiError(None, "Too many requests")]
    assert msgspec.json.encode(answer) == b'{"errors":[{"title":"Too many requests"}]}'
