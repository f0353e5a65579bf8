"""The bodies of `POST /v1/contacts` and of errors (contract sections 1 and 5)."""

from typing import Annotated, Any, Literal, get_args

import msgspec

LARGEST = 2**53
"""The largest whole number that every JSON parser keeps exactly."""

LONGEST_VERSION = 100
"""Characters of a version that is read; it is kept with every number of an answer."""

LONGEST_TEXT = 10_000
"""Characters of a status, a wa_id or a hash; an answer with a longer one is not of the contract's shape."""

ShortText = Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)]

Blocking = Literal["no_wait", "wait"]
BLOCKING_MODES: tuple[str, ...] = get_args(Blocking)


class CheckRequest(msgspec.Struct, frozen=True):
    """What a client asks: any dialable spellings, at least one (section 1)."""

    contacts: list[str]
    blocking: Blocking = "no_wait"
    force_check: bool = False


class Contact(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One element of an answer. `input` is echoed as sent; `wa_id` is optional in every status (section 1)."""

    input: str
    status: ShortText
    wa_id: ShortText | None = None


class Meta(msgspec.Struct, frozen=True):
    """Stands beside every answer of a server, optional to a client (section 5)."""

    version: str
    api_status: str = "stable"


class CheckAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A successful answer. `meta` is read leniently with `version_of`: a server may send anything there."""

    contacts: list[Contact]
    meta: Any = None


class ApiError(msgspec.Struct, frozen=True, omit_defaults=True):
    """One error. `code` is what a client matches on; it is missing from some 429 and 503 bodies (section 5)."""

    code: Annotated[int, msgspec.Meta(ge=-LARGEST, le=LARGEST)] | None = None
    title: str = ""
    details: str | None = None
    href: str | None = None


class ErrorAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The error envelope (section 5)."""

    errors: list[ApiError]
    meta: Any = None


def version_of(meta: object) -> str | None:
    """Return `meta.version` where it is a text of a version's length, else None: what can't be read is unknown."""
    if isinstance(meta, Meta):
        return meta.version
    version = meta.get("version") if isinstance(meta, dict) else None
    return version if isinstance(version, str) and len(version) <= LONGEST_VERSION else None


class BlockRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """The optional body of a block (section 2)."""

    reason: str | None = None


class ReportRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """The optional body of a report (section 2)."""

    reason: str | None = None
    block: bool | None = None
    message_id: str | None = None


class BlockedContact(msgspec.Struct, frozen=True):
    """An entry of the blocklist; here, and only here, the wa_id carries `@s.whatsapp.net` (section 2)."""

    wa_id: ShortText


class Pagination(msgspec.Struct, frozen=True):
    """Where a page of the blocklist stands (section 2)."""

    limit: int
    offset: int
    total: int


class BlocklistAnswer(msgspec.Struct, omit_defaults=True):
    """A page of the blocklist (section 2)."""

    contacts: list[BlockedContact]
    pagination: Pagination
    meta: Any = None


class Identity(msgspec.Struct, frozen=True):
    """What is known of a contact's identity (section 3)."""

    hash: ShortText
    """Eight bytes in base64."""
    created_timestamp: int
    """Milliseconds since 1970."""
    acknowledged: bool


class IdentityAnswer(msgspec.Struct, omit_defaults=True):
    """An identity; `contacts` is an object here (section 3)."""

    contacts: Identity
    meta: Any = None


class AcknowledgeRequest(msgspec.Struct, frozen=True):
    """The body that acknowledges an identity (section 3)."""

    hash: str


class LoginRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """The optional body of a login (section 4)."""

    new_password: str | None = None


class Login(msgspec.Struct, frozen=True):
    """What a login gives (section 4)."""

    token: str
    expires_after: str
    """Date and time with a space between them and a numeric offset."""


class LoginAnswer(msgspec.Struct, omit_defaults=True):
    """The answer to a login (section 4)."""

    users: list[Login]
    meta: Any = None
