"""Limits of the API, each in one named place (contract sections 1, 2, 5)."""

CONTACTS_PATH = "/v1/contacts"

MAX_BATCH_SIZE = 1_000
"""Numbers in one request. No maximum is documented; the largest that clients are known to send."""

DEFAULT_BATCH_SIZE = 500

MAX_BODY_BYTES = 8 * 1024 * 1024
"""The largest body, decoded, that either side accepts."""

CACHE_SECONDS = 7 * 24 * 3600
"""How long a server keeps a verdict; repeats within that time are answered from its cache."""
