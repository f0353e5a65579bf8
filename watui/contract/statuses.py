"""Statuses and what they mean by server version (contract section 1)."""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple


class Status(StrEnum):
    """The statuses that the API documents."""

    PROCESSING = "processing"
    VALID = "valid"
    INVALID = "invalid"
    FAILED = "failed"


FINAL: frozenset[str] = frozenset({Status.VALID, Status.INVALID, Status.FAILED})
"""Statuses after which a number is not asked again. A status that no source documents is not final."""

KNOWN_VERSIONS = ("v2.35.4", "v2.39.1", "v2.41", "v2.42", "v2.43", "v2.45.1")
"""The server versions whose behaviour is described or, for v2.42, known to be undescribed."""

FULLEST_VERSION = "v2.41"
"""The last version in which all four statuses occur."""

_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:\.\d+)*", re.ASCII)
_LAST_WITH_ACCOUNTS = (2, 41)
_FIRST_WITHOUT_INVALID = (2, 43)


class Meaning(NamedTuple):
    """What the statuses of one server version say."""

    statuses: tuple[Status, ...]
    """Those the version uses, in the order in which they are shown."""
    claims_account: bool
    """Whether `valid` says that the number has a WhatsApp account."""
    valid: str
    """What `valid` means, for people."""
    invalid: str
    """What `invalid` means, for people; also where the version does not use it."""
    rule: str
    """What decides all of that, in a name."""
    why: str
    """The rule, in a short paragraph."""


_ACCOUNTS = Meaning(
    (Status.VALID, Status.INVALID, Status.FAILED, Status.PROCESSING),
    True,
    "valid: has a WhatsApp account",
    "invalid: has no WhatsApp account",
    "Up to v2.41 a status tells of an account",
    "A server of these versions looks whether a number has a WhatsApp account, and its status says so. A wa_id comes"
    " with valid alone.",
)
_CHECKED = Meaning(
    (Status.VALID, Status.FAILED, Status.PROCESSING),
    False,
    "valid: the check is done; it says nothing about an account",
    "invalid: this server version does not document it",
    "From v2.43 on a status tells of the check alone",
    "A server of these versions says valid of whatever it could check: go ahead and send. Whether there is an account,"
    " only error 1013 of a message tells. A wa_id comes with every status; it is not guaranteed to be real, and should"
    " not be used in later calls.",
)
_UNDESCRIBED = _CHECKED._replace(
    statuses=_ACCOUNTS.statuses,
    invalid="invalid: nothing describes what this server version means by it",
    rule="v2.42 is described nowhere: no account is read into its statuses",
    why="No source says what this version means by its statuses. So they are read as those from v2.43 on, which claim"
    " less: valid says that the check is done, and a wa_id is not guaranteed to be real.",
)
_UNKNOWN = _UNDESCRIBED._replace(
    invalid="invalid: what it means depends on the server's version, which is unknown",
    rule="Unknown version: no account is read into its statuses",
    why="What a status means depends on the server's version, and none that can be read has come. So statuses are read"
    " as those from v2.43 on, which claim less: valid says that the check is done, and a wa_id is not guaranteed to be"
    " real.",
)

_OTHERS = {
    Status.FAILED: "failed: the server could not check it",
    Status.PROCESSING: "processing: the server is still checking",
}


def parse_version(version: str | None) -> tuple[int, int] | None:
    """Return (major, minor) of a version with or without a leading `v`; None where it can't be read."""
    match = _VERSION.fullmatch(version.strip()) if version else None
    return (int(match[1]), int(match[2])) if match else None


def meaning(version: str | None) -> Meaning:
    """Return what the statuses of server `version` mean; cautious where it is v2.42, unknown or unreadable."""
    number = parse_version(version)
    if number is None:
        return _UNKNOWN
    if number <= _LAST_WITH_ACCOUNTS:
        return _ACCOUNTS
    return _CHECKED if number >= _FIRST_WITHOUT_INVALID else _UNDESCRIBED


def told_apart(versions: Sequence[str | None]) -> str:
    """Return what `valid` means where servers of several `versions` answered, the cautious meaning first."""
    names: dict[bool, list[str]] = {False: [], True: []}
    for version in sorted(versions, key=_age):
        names[meaning(version).claims_account].append(version or "unknown")
    cautious, claiming = (", ".join(found) for found in names.values())
    if not cautious or not claiming:
        return f"{meaning(versions[0]).valid} ({cautious or claiming})"
    return f"valid at {cautious}: says nothing about an account; at {claiming}: has one"


def by_meaning(versions: Iterable[str | None]) -> dict[Meaning, list[str]]:
    """Return what statuses mean where servers of `versions` answered, each with the names of those versions."""
    found: dict[Meaning, list[str]] = {}
    for version in sorted(versions, key=_age):
        found.setdefault(meaning(version), []).append(version or "unknown")
    return found


def in_sentences(versions: Sequence[str | None]) -> str:
    """Return what `valid` means where servers of these `versions` answered, for whoever takes rows away."""
    meanings = {version: meaning(version).valid for version in versions}
    if len(set(meanings.values())) < 2:
        return " ".join(f"{words}." for words in set(meanings.values()))
    return " ".join(f"At {version or 'an unknown version'}, {words}." for version, words in meanings.items())


def _age(version: str | None) -> tuple[bool, tuple[int, int], str]:
    """Return what sorts versions, those that can't be read last."""
    number = parse_version(version)
    return number is None, number or (0, 0), version or ""


def explain(status: str, version: str | None) -> str:
    """Return a sentence on what `status` from a server of `version` means. Undocumented ones are shown as they came."""
    known = meaning(version)
    if status == Status.VALID:
        return known.valid
    if status == Status.INVALID:
        return known.invalid
    if status in _OTHERS:
        return _OTHERS[Status(status)]
    return f"{status}: not a documented status; counts as not final"
