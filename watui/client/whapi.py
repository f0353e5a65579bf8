"""The client of Whapi.cloud, whose blocklist is another one than the contract's (contract section 8)."""

from watui.client.answers import answer_of
from watui.client.contacts import NO_WAIT_SECONDS, ContactsClient, Page, in_path
from watui.client.dialects import Ability
from watui.contract.rules import DEFAULT_PAGE

BLACKLIST = "/blacklist"


class WhapiClient(ContactsClient):
    """Checks as every client does; blocks, unblocks and lists at a path of its own, without reasons and pages."""

    async def block(self, phone: str, reason: str | None = None) -> None:
        """Block a contact; there is no place for a reason."""
        self.require(Ability.BLOCK)
        await self._tell("PUT", _entry(phone))

    async def unblock(self, phone: str) -> None:
        """Unblock a contact."""
        self.require(Ability.BLOCK)
        await self._tell("DELETE", _entry(phone))

    async def blocklist(self, limit: int = DEFAULT_PAGE, offset: int = 0) -> Page:
        """Return up to `limit` entries from `offset` on, of a list that always comes as a whole."""
        reply = await self._transport.send("GET", BLACKLIST, b"", NO_WAIT_SECONDS)
        wa_ids = tuple(answer_of(reply, list[str]))
        return Page(wa_ids[offset : offset + limit], offset, len(wa_ids))


def _entry(phone: str) -> str:
    return f"{BLACKLIST}/{in_path(''.join(filter(str.isdigit, phone)))}"
