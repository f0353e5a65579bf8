"""What an exchange was about, in words."""

import pytest

from tests.traffic.exchanges import an_exchange
from watui.client.exchanges import Why
from watui.traffic.words import contact_of, holds, is_check, version, why

BASE = "https://wa.example.com"


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("POST", "/v1/contacts", "check"),
        ("POST", "/v1/contacts/%2B16315551000/block", "block"),
        ("POST", "/v1/contacts/%2B16315551000/unblock", "unblock"),
        ("POST", "/v1/contacts/%2B16315551000/report", "report"),
        ("GET", "/v1/contacts/blocklist?limit=100&offset=0", "blocklist from 0"),
        ("GET", "/v1/contacts/blocklist", "blocklist"),
        ("GET", "/v1/contacts/16315551000/identity", "identity"),
        ("PUT", "/v1/contacts/16315551000/identity", "acknowledge"),
        ("POST", "/v1/users/login", "login"),
        ("POST", "/v1/users/logout", "logout"),
        ("GET", "/v1/health", "health"),
        ("GET", "/v1/settings/application", "the server's settings"),
        ("GET", "/blacklist", "blocklist"),
        ("PUT", "/blacklist/16315551000", "block"),
        ("DELETE", "/blacklist/16315551000", "unblock"),
        ("GET", "/elsewhere", ""),
        # A contact may be called like anything.
        ("POST", "/v1/contacts/blocklist/block", "block"),
    ],
)
def test_a_path_says_what_was_wanted(method: str, path: str, words: str) -> None:
    assert why(an_exchange(method=method, url=BASE + path)) == words


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (Why("poll 3"), "poll 3"),
        (Why("first question", 2, "429"), "first question, again after 429"),
        (Why("", 3, "no answer"), "block, again after no answer"),
    ],
)
def test_why_it_was_sent_again_is_said(reason: Why, words: str) -> None:
    assert why(an_exchange("/1/block", why=reason)) == words


@pytest.mark.parametrize(
    ("response", "named"),
    [
        (b'{"contacts": [], "meta": {"version": "v2.43", "api_status": "stable"}}', "v2.43"),
        (b'{"contacts": [], "meta": {"version": 3}}', None),
        (b'{"contacts": [], "meta": "v2.43"}', None),
        (b'{"contacts": []}', None),
        (b'{"contacts": [{"inp', None),
        (b"[" * 100_000, None),
        (b"null", None),
        (b"", None),
    ],
)
def test_an_answer_names_the_version_of_who_gave_it(response: bytes, named: str | None) -> None:
    assert version(an_exchange(response=response)) == named


@pytest.mark.parametrize(
    ("path", "contact"),
    [("/%2B16315551000/block", "+16315551000"), ("/1%2F2/report", "1/2"), ("/blocklist", None), ("", None)],
)
def test_a_path_names_a_contact(path: str, contact: str | None) -> None:
    assert contact_of(an_exchange(path)) == contact


@pytest.mark.parametrize(
    ("method", "path", "checks"), [("POST", "", True), ("GET", "", False), ("POST", "/1/block", False)]
)
def test_a_check_is_told_from_all_else(method: str, path: str, checks: bool) -> None:
    assert is_check(an_exchange(path, method)) is checks


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("%2b1631", True),
        ("+1631", True),
        ("block", True),
        ("spammer", True),
        ("engaged", True),
        ("200", True),
        ("Ünter", True),
        ("nobody", False),
    ],
)
def test_a_search_goes_through_path_and_bodies(text: str, found: bool) -> None:
    body = '{"reason":"SPAMMER ünter"}'.encode().replace("ü".encode(), "Ü".lower().encode())
    exchange = an_exchange("/%2B16315551000/block", body=body, response=b'{"title":"Not Engaged"}\xff\x00')
    assert holds(exchange, text) is found
