"""The contacts of a world: who wrote and when, whose identity changed, who is blocked (contract sections 2 and 3)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from watui.contract import errors
from watui.contract.models import BlockedContact, BlocklistAnswer, Identity, Pagination
from watui.contract.rules import ENGAGED_SECONDS, REPORTED_MESSAGES
from watui.contract.wa_ids import BLOCKLIST_SUFFIX, wa_id_of
from watui.simulator import population
from watui.simulator.envelope import Refusal
from watui.simulator.events import (
    AccountChanged,
    Acknowledged,
    Blocked,
    Event,
    IdentityChanged,
    Reported,
    Unblocked,
    Wrote,
)

NOT_ENGAGED = "Invalid Request. This contact hasn't engaged with you in the last 24 hrs."
NOT_A_WA_ID = (
    "Provided WhatsApp ID is not valid. Please provide a valid WhatsApp ID or a phone number with a country code"
)
NO_CONTACT = "no such contact"


@dataclass
class Chat:
    """What a contact has done since the world began."""

    written: list[str] = field(default_factory=list)
    """Ids of its messages, the oldest first."""
    wrote_at: float | None = None
    """When it wrote last, in seconds since 1970."""
    identities: int = 0
    """How often its identity has changed."""
    identity_at: float | None = None
    """When it changed last."""
    acknowledged: bool = True
    """Whether its identity is known to us."""


class People:
    """The contacts of one world, by number (E.164). `now` is in seconds since 1970 wherever it appears.

    What changes them is an Event that goes to `happen`, which must bring it back to `apply`.
    """

    def __init__(self, seed: int, began_at: float, happen: Callable[[Event], None]) -> None:
        self.engaged_share = population.ENGAGED_SHARE
        self.reported: list[tuple[str, tuple[str, ...]]] = []
        """What was handed to WhatsApp: number and message ids of every report, in order."""
        self._seed = seed
        self._began_at = began_at
        self._happen = happen
        self._chats: dict[str, Chat] = {}
        self._blocked: dict[str, float] = {}
        """When, by number, the oldest first."""
        self._accounts: dict[str, list[tuple[float, bool]]] = {}
        """By number: when its account appeared or vanished because it was told to."""
        self._crowd = 0
        """Contacts that somebody else has blocked so far."""

    def apply(self, event: Event) -> None:
        """Take note of what happened."""
        match event:
            case Blocked(at, number):
                self._blocked.setdefault(number, at)
                if (place := population.stranger_place(number)) is not None:
                    self._crowd = max(self._crowd, place + 1)
            case Unblocked(_, number):
                self._blocked.pop(number, None)
            case Reported(_, number, message_ids):
                self.reported.append((number, message_ids))
            case Wrote(at, number):
                chat = self._chats.setdefault(number, Chat())
                place = population.MOST_MESSAGES + len(chat.written)
                chat.written.append(population.message_id(self._seed, number, place))
                chat.wrote_at = at
            case IdentityChanged(at, number):
                chat = self._chats.setdefault(number, Chat())
                chat.identities += 1
                chat.identity_at = at
                chat.acknowledged = False
            case Acknowledged(_, number):
                self._chats.setdefault(number, Chat()).acknowledged = True
            case AccountChanged(at, number, exists):
                self._accounts.setdefault(number, []).append((at, exists))

    def has_account(self, number: str, now: float) -> bool:
        """Whether there is a WhatsApp account of the number."""
        for at, exists in reversed(self._accounts.get(number, ())):
            if at <= now:
                return exists
        return population.has_account(self._seed, number, now - self._began_at)

    def write(self, number: str, now: float) -> str | None:
        """Let a contact write to us; return the id of its message, None where it is blocked or has no account."""
        if number in self._blocked or not self.has_account(number, now):
            return None
        self._happen(Wrote(now, number))
        return self._chats[number].written[-1]

    def change_identity(self, number: str, now: float) -> None:
        """Give a contact another identity, which is not acknowledged."""
        self._happen(IdentityChanged(now, number))

    def change_account(self, number: str, exists: bool, now: float) -> None:
        """Let an account appear or vanish."""
        if self.has_account(number, now) is not exists:
            self._happen(AccountChanged(now, number, exists))

    def is_engaged(self, number: str, now: float) -> bool:
        """Whether a contact wrote within the last 24 hours."""
        if not self.has_account(number, now):
            return False
        chat = self._chats.get(number)
        if chat is not None and chat.wrote_at is not None and now - chat.wrote_at < ENGAGED_SECONDS:
            return True
        return population.is_engaged(self._seed, number, self.engaged_share)

    def messages(self, number: str) -> tuple[str, ...]:
        """Return the ids of a contact's messages, the oldest first."""
        chat = self._chats.get(number)
        is_chatty = population.is_engaged(self._seed, number, self.engaged_share)
        before = population.latest_messages(self._seed, number) if is_chatty else ()
        return (*before, *(chat.written if chat else ()))

    def block(self, number: str, now: float) -> None:
        """Block a contact; one that is blocked stays as it is. Raises Refusal."""
        if number not in self._blocked:
            self._require_engaged(number, now)
            self._happen(Blocked(now, number))

    def unblock(self, number: str, now: float) -> None:
        """Unblock a contact; one that is not blocked stays as it is."""
        if number in self._blocked:
            self._happen(Unblocked(now, number))

    def block_others(self, count: int, now: float) -> None:
        """Let somebody else block `count` contacts."""
        for _ in range(count):
            self._happen(Blocked(now, population.stranger(self._crowd)))

    def unblock_others(self, now: float) -> None:
        """Take back what somebody else has blocked."""
        for number in [number for number in self._blocked if population.stranger_place(number) is not None]:
            self._happen(Unblocked(now, number))

    def unblock_oldest(self, count: int, now: float) -> None:
        """Let somebody else unblock the `count` contacts that were blocked first."""
        for number in list(islice(self._blocked, count)):
            self._happen(Unblocked(now, number))

    def is_blocked(self, number: str) -> bool:
        return number in self._blocked

    @property
    def blocked(self) -> int:
        """How many contacts are blocked."""
        return len(self._blocked)

    def report(self, number: str, message_id: str | None, now: float) -> None:
        """Hand a message to WhatsApp, or the last five of the chat. Raises Refusal, for an unknown message too."""
        if message_id is not None and message_id not in self.messages(number):
            raise Refusal(errors.INVALID, "message_id is none of this contact's messages")
        self._require_engaged(number, now)
        handed = (message_id,) if message_id is not None else self.messages(number)[-REPORTED_MESSAGES:]
        self._happen(Reported(now, number, handed))

    def blocklist(self, limit: int, offset: int) -> BlocklistAnswer:
        """Return a page of the blocklist, the oldest block first; past its end an empty one."""
        page = islice(self._blocked, offset, offset + limit)
        contacts = [BlockedContact(wa_id_of(number) + BLOCKLIST_SUFFIX) for number in page]
        return BlocklistAnswer(contacts, Pagination(limit, offset, len(self._blocked)))

    def identity(self, number: str, now: float) -> Identity:
        """Return a contact's identity. Raises Refusal (1006) where there is no such contact."""
        if not self.has_account(number, now):
            raise Refusal(errors.NOT_FOUND, NO_CONTACT)
        chat = self._chats.get(number, Chat())
        since = chat.identity_at
        if since is None:
            since = self._began_at - population.identity_age(self._seed, number)
        digest = population.identity_hash(self._seed, number, chat.identities)
        return Identity(digest, int(since * 1000), chat.acknowledged)

    def acknowledge(self, number: str, digest: str, now: float) -> None:
        """Acknowledge the identity with the hash `digest`. Raises Refusal: 1006, or 1009 for a wrong or old hash."""
        identity = self.identity(number, now)
        if identity.hash != digest:
            raise Refusal(errors.INVALID, "hash is not that of the contact's identity")
        if not identity.acknowledged:
            self._happen(Acknowledged(now, number))

    def knows(self, number: str) -> bool:
        """Whether the contact has done or suffered anything."""
        return number in self._chats or number in self._blocked

    def _require_engaged(self, number: str, now: float) -> None:
        if not self.is_engaged(number, now):
            raise Refusal(errors.NOT_ENGAGED, NOT_ENGAGED)
