"""Text that a terminal would obey, reorder or hide, that Textual could take for markup, or that is far too long;
and a server that says nothing else."""

from collections.abc import Sequence
from typing import Any

import msgspec

from watui.simulator.app import Receive, Scope, Send

CANARY = "canary"
"""Stands in every control sequence, so that one that got through is found."""

PAYLOADS = {
    "markup end": "[/]",
    "markup end of nothing": "[/x]",
    "markup action": "[@click=app.quit]canary[/]",
    "markup link": "[link=file:///canary]canary[/link]",
    "CSI": "\x1b[7357;31mcanary\x1b[2J",
    "OSC 0": "\x1b]0;canary\x07",
    "OSC 8": "\x1b]8;;file:///canary\x1b\\canary\x1b]8;;\x1b\\",
    "OSC 52": "\x1b]52;c;canary\x07",
    "DCS": "\x1bPcanary\x1b\\",
    "C1 CSI": "\x9b7357mcanary",
    "C1 OSC": "\x9d0;canary\x9c",
    "C1 DCS": "\x90canary\x9c",
    "NUL and DEL": "\x00\x7f\x08canary",
    "bidi": "\u202ecanary\u2066\u2069",
    "zero width": "\u200bcan\u200dary\ufeff\u00ad",
    "line ends": "\u2028\u2029\x85canary",
}
"""By what they are; none holds a line feed, which a list would split."""

HOSTILE = "".join(PAYLOADS.values())

ONE_LINE = "".join(text for kind, text in PAYLOADS.items() if kind != "line ends")

LONG = HOSTILE * (1_000_000 // len(HOSTILE) + 1)
"""More than a megabyte of it."""

Said = tuple[int, Any]


class Liar:
    """A server whose every word is hostile. It says of every other number that it is valid."""

    def __init__(self) -> None:
        self.text = HOSTILE
        """What it says wherever it can."""
        self.fails = False
        """Whether it fails whatever it is asked."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while (part := await receive()).get("more_body") or part.get("body"):
            body += part["body"]
            if not part.get("more_body"):
                break
        named = scope["method"], scope["path"].rpartition("/")[2]
        status, said = self._failure(500) if self.fails else self._say(named, body)
        headers = [(b"content-type", b"text/json"), (b"retry-after", b"[/x]\x9b2J"), (b"x-canary", b"\x9d0;canary\x9c")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": msgspec.json.encode(said)})

    def _say(self, named: tuple[str, str], body: bytes) -> Said:
        match named:
            case "POST", "contacts":
                return 200, {"contacts": self._contacts(msgspec.json.decode(body)["contacts"]), "meta": self._meta}
            case "GET", "identity":
                identity = {"hash": self.text, "created_timestamp": 10**18, "acknowledged": False}
                return 200, {"contacts": identity, "meta": self._meta}
            case "GET", "blocklist":
                wa_ids = [self.text, *PAYLOADS.values(), ""]
                pagination = {"limit": 100, "offset": 0, "total": len(wa_ids)}
                listed = [{"wa_id": f"{wa_id}@s.whatsapp.net"} for wa_id in wa_ids]
                return 200, {"contacts": listed, "pagination": pagination, "meta": self._meta}
            case _:
                return self._failure(400)

    def _contacts(self, inputs: Sequence[str]) -> list[dict[str, str]]:
        kinds = ("valid", self.text, "processing", *PAYLOADS.values())
        return [
            {"input": text, "status": kinds[int(text[1:12]) % len(kinds)], "wa_id": f"{text}{self.text}"}
            for text in inputs
        ]

    def _failure(self, status: int) -> Said:
        error = {"code": 4711, "title": self.text, "details": self.text, "href": self.text}
        return status, {"errors": [error], "meta": self._meta}

    @property
    def _meta(self) -> dict[str, str]:
        return {"version": self.text[:100], "api_status": self.text}
