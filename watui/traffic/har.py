"""Exchanges as a HAR file (HTTP Archive 1.2), which browsers and other tools show. No secret is in it."""

import base64
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from watui import __version__
from watui.client.exchanges import Exchange, Exchanges
from watui.files import CannotWrite, whole_file
from watui.traffic.hiding import hidden
from watui.traffic.words import headers, request_headers, why

_HTTP = "HTTP/1.1"
_JSON = "application/json"
_UNKNOWN = -1
"""Stands for a size that was not measured."""


def har(exchanges: Iterable[Exchange], *, hides_numbers: bool = False) -> Iterator[str]:
    """Yield the file that holds `exchanges`, in parts."""
    yield _head()
    for place, exchange in enumerate(exchanges):
        yield _part(place, exchange, hides_numbers)
    yield _FOOT


@contextmanager
def recording(exchanges: Exchanges, path: Path, *, hides_numbers: bool = False) -> Iterator[None]:
    """Write into a HAR file, whole or not at all, what is said while the block runs, however that ends.

    Raises CannotWrite.
    """
    trouble: BaseException | None = None
    with whole_file(path, replace=True) as place, place.open("w", encoding="utf-8", newline="") as file:
        file.write(_head())
        written = 0
        unwritten: OSError | None = None

        def write(exchange: Exchange) -> None:
            nonlocal written, unwritten
            if unwritten is None and not file.closed:
                try:
                    file.write(_part(written, exchange, hides_numbers))
                except OSError as error:
                    unwritten = error  # What is asked matters more.
                written += 1

        exchanges.follow(write)
        try:
            yield
        except BaseException as error:  # noqa: BLE001 - it is raised below, once the file is whole
            trouble = error
        if unwritten is not None:
            raise CannotWrite(f"cannot write {path}: {unwritten.strerror or unwritten}") from trouble
        file.write(_FOOT)
    if trouble is not None:
        raise trouble


def entry(exchange: Exchange, *, hides_numbers: bool = False) -> dict[str, Any]:
    """Return one exchange as an entry of the log. What HAR has no name for begins with an underscore, as it wants.

    Sizes are those of what was sent and came, be numbers hidden or not.
    """
    milliseconds = round(exchange.seconds * 1000, 3)
    shown = hidden(exchange) if hides_numbers else exchange
    found: dict[str, Any] = {
        "startedDateTime": datetime.fromtimestamp(exchange.at, UTC).isoformat(timespec="milliseconds"),
        "time": milliseconds,
        "request": _request(shown, exchange.request_size),
        "response": _response(shown, exchange.response_size),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "comment": why(exchange),
        "_attempt": exchange.why.attempt,
    }
    return found


def _request(exchange: Exchange, size: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "method": exchange.method,
        "url": exchange.url,
        "httpVersion": _HTTP,
        "cookies": [],
        "headers": _pairs(request_headers(exchange)),
        "queryString": _pairs(parse_qsl(urlsplit(exchange.url).query, keep_blank_values=True)),
        "headersSize": _UNKNOWN,
        "bodySize": size,
    }
    if exchange.request:
        text = exchange.request.decode("utf-8", "replace")
        found["postData"] = {"mimeType": _JSON, "text": text, **_left_out(exchange.request_left_out)}
    return found


def _response(exchange: Exchange, size: int) -> dict[str, Any]:
    came = list(headers(exchange.response_head))
    by_name = {name.lower(): value for name, value in came}
    content: dict[str, Any] = {
        "size": size,
        "mimeType": by_name.get("content-type", ""),
        **_text(exchange.response),
        **_left_out(exchange.response_left_out),
    }
    found: dict[str, Any] = {
        "status": exchange.status or 0,
        "statusText": _phrase(exchange.status),
        "httpVersion": _HTTP,
        "cookies": [],
        "headers": _pairs(came),
        "content": content,
        "redirectURL": by_name.get("location", ""),
        "headersSize": _UNKNOWN,
        "bodySize": size if exchange.status is not None else _UNKNOWN,
    }
    return found if exchange.failure is None else {**found, "_error": exchange.failure}


def _text(body: bytes) -> dict[str, str]:
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(body).decode(), "encoding": "base64"}


def _left_out(count: int) -> dict[str, str]:
    return {"comment": f"{count:,} bytes more were not kept"} if count else {}


def _phrase(status: int | None) -> str:
    try:
        return HTTPStatus(status or 0).phrase
    except ValueError:
        return ""


def _pairs(members: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in members]


def _head() -> str:
    creator = msgspec.json.encode({"name": "watui", "version": __version__}).decode()
    return f'{{"log":{{"version":"1.2","creator":{creator},"entries":['


_FOOT = "\n]}}\n"


def _part(place: int, exchange: Exchange, hides_numbers: bool) -> str:
    found = entry(exchange, hides_numbers=hides_numbers)
    return f"{',' if place else ''}\n{msgspec.json.encode(found).decode()}"
