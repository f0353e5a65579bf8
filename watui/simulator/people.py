"""The contacts of a world: who wrote and when, whose identity changed, who is blocked (contract sections 2 and 3)."""

from dataclasses import dataclass, field
from itertools import islice

from watui.contract import errors
from watui.contract.models import BlockedContact, BlocklistAnswer, Identity, Pagination
from watui.contract.rules import ENGAGED_SECONDS, REPORTED_MESSAGES
from watui.simulator import population
from watui.simulator.envelope import Refusal

NOT_ENGAGED = "Invalid Request. This contact hasn't engaged with you in the last 24 hrs."
NOT_A_WA_ID = (
    "Provided WhatsApp ID is not valid. Please provide a valid WhatsApp ID or a phone number with a country code"
)
BLOCKLIST_SUFFIX = "@s.whatsapp.net"


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


@dataclass
class People:
    """The contacts of one world, by number (E.164). `now` is in seconds since 1970 wherever it appears."""

    seed: int
    began_at: float
    _chats: dict[str, Chat] = field(default_factory=dict)
    _blocked: dict[str, float] = field(default_factory=dict)
    """When, by number, the oldest first."""
    reported: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """What was handed to WhatsApp: number and message ids of every report, in order."""

    def write(self, number: str, now: float) -> str | None:
        """Let a contact write to us; return the id of its message, None where it is blocked or has no account."""
        if number in self._blocked or not population.has_account(self.seed, number):
            return None
        chat = self._chats.setdefault(number, Chat())
        chat.written.append(population.message_id(self.seed, number, population.MOST_MESSAGES + len(chat.written)))
        chat.wrote_at = now
        return chat.written[-1]

    def change_identity(self, number: str, now: float) -> None:
        """Give a contact another identity, which is not acknowledged."""
        chat = self._chats.setdefault(number, Chat())
        chat.identities += 1
        chat.identity_at = now
        chat.acknowledged = False

    def is_engaged(self, number: str, now: float) -> bool:
        """Whether a contact wrote within the last 24 hours."""
        if not population.has_account(self.seed, number):
            return False
        chat = self._chats.get(number)
        if chat is not None and chat.wrote_at is not None:
            return now - chat.wrote_at < ENGAGED_SECONDS
        return population.is_engaged(self.seed, number)

    def messages(self, number: str) -> tuple[str, ...]:
        """Return the ids of a contact's messages, the oldest first."""
        chat = self._chats.get(number)
        before = population.latest_messages(self.seed, number) if population.is_engaged(self.seed, number) else ()
        return (*before, *(chat.written if chat else ()))

    def block(self, number: str, now: float) -> None:
        """Block a contact; one that is blocked stays as it is. Raises Refusal."""
        self._require_engaged(number, now)
        self._blocked.setdefault(number, now)

    def unblock(self, number: str) -> None:
        """Unblock a contact; one that is not blocked stays as it is."""
        self._blocked.pop(number, None)

    def is_blocked(self, number: str) -> bool:
        return number in self._blocked

    def report(self, number: str, message_id: str | None, now: float) -> None:
        """Hand a message to WhatsApp, or the last five of the chat. Raises Refusal, for an unknown message too."""
        if message_id is not None and message_id not in self.messages(number):
            raise Refusal(errors.INVALID, "message_id is none of this contact's messages")
        self._require_engaged(number, now)
        handed = (message_id,) if message_id is not None else self.messages(number)[-REPORTED_MESSAGES:]
        self.reported.append((number, handed))

    def blocklist(self, limit: int, offset: int) -> BlocklistAnswer:
        """Return a page of the blocklist, the oldest block first; past its end an empty one."""
        page = islice(self._blocked, offset, offset + limit)
        contacts = [BlockedContact(population.wa_id(number) + BLOCKLIST_SUFFIX) for number in page]
        return BlocklistAnswer(contacts, Pagination(limit, offset, len(self._blocked)))

    def identity(self, number: str) -> Identity:
        """Return a contact's identity. Raises Refusal (1006) where there is no such contact."""
        if not population.has_account(self.seed, number):
            raise Refusal(errors.NOT_FOUND, "no such contact")
        chat = self._chats.get(number, Chat())
        since = chat.identity_at
        if since is None:
            since = self.began_at - population.identity_age(self.seed, number)
        digest = population.identity_hash(self.seed, number, chat.identities)
        return Identity(digest, int(since * 1000), chat.acknowledged)

    def acknowledge(self, number: str, digest: str) -> None:
        """Acknowledge the identity with the hash `digest`. Raises Refusal: 1006, or 1009 for a wrong or old hash."""
        if self.identity(number).hash != digest:
            raise Refusal(errors.INVALID, "hash is not that of the contact's identity")
        self._chats.setdefault(number, Chat()).acknowledged = True

    def knows(self, number: str) -> bool:
        """Whether the contact has done or suffered anything."""
        return number in self._chats or number in self._blocked

    def _require_engaged(self, number: str, now: float) -> None:
        if not self.is_engaged(number, now):
            raise Refusal(errors.NOT_ENGAGED, NOT_ENGAGED)
