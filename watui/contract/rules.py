"""Limits of the API, each in one named place (contract sections 1, 2, 5)."""

CONTACTS_PATH = "/v1/contacts"

MAX_BATCH_SIZE = 1_000
"""Numbers in one request. No maximum is documented; the largest that clients are known to send."""

DEFAULT_BATCH_SIZE = 500

MAX_BODY_BYTES = 8 * 1024 * 1024
"""The largest body, decoded, that either side accepts."""

CACHE_SECONDS = 7 * 24 * 3600
"""How long a server keeps a verdict; repeats within that time are answered from its cache."""

MAX_REASON = 59
"""Characters, counted as Unicode code points, of the reason for a block or a report; at least one."""

DEFAULT_PAGE, MAX_PAGE = 100, 200
"""Entries on a page of the blocklist: where nothing is said, and at most."""

ENGAGED_SECONDS = 24 * 3600
"""A contact can be blocked or reported for so long after its last message."""

REPORTED_MESSAGES = 5
"""Of a chat, handed to WhatsApp by a report that names no message."""

TOKEN_SECONDS = 7 * 24 * 3600
"""How long a login's token is accepted."""

MIN_API_KEY, MAX_API_KEY = 12, 128
"""Characters of the key in `Authorization: Apikey`, which opens health and stats alone."""

RATE_LIMIT, RATE_BURST = 20.0, 60
"""Requests a second, and at once, for every endpoint that sends no message; above it 429."""

_PASSWORD_LENGTHS = range(8, 65)
_USERNAME_LENGTHS = range(4, 33)
_SPECIAL_CHARACTERS = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


PASSWORD_RULE = "8 to 64 characters, with a digit, an upper-case, a lower-case and a special character"  # noqa: S105
"""In words, what `is_password` wants."""


def is_reason(text: str) -> bool:
    """Whether `text` may be the reason for a block or a report (contract section 2)."""
    return 1 <= len(text) <= MAX_REASON


def is_password(text: str) -> bool:
    """Whether `text` fits the password rule (contract section 4)."""
    return (
        len(text) in _PASSWORD_LENGTHS
        and any(map(str.isdigit, text))
        and any(map(str.isupper, text))
        and any(map(str.islower, text))
        and not _SPECIAL_CHARACTERS.isdisjoint(text)
    )


def is_username(text: str) -> bool:
    """Whether `text` fits the rule for names of users (contract section 4)."""
    return len(text) in _USERNAME_LENGTHS
