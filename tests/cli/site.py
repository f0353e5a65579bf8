"""A simulated server on loopback at which contacts are changed."""

import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

from tests.conftest import TOKEN
from tests.simulated import create_app
from watui.contract.wa_ids import BLOCKLIST_SUFFIX
from watui.simulator.conditions import Conditions
from watui.simulator.events import ConditionsChanged
from watui.simulator.limits import Bucket
from watui.simulator.record import Latest, Record
from watui.simulator.serving import ServerThread
from watui.simulator.world import START, World

NUMBERS = [f"+1631555{line:04}" for line in range(1_000, 2_000)]


class Site:
    """A simulated server on loopback. Whoever has an account there wrote lately."""

    def __init__(self, world: World, bucket: Bucket | None = None) -> None:
        self.world = world
        world.base = Conditions(latency=None, engaged=1.0)
        world.reset(START)
        self.seen: list[Latest] = []
        """Every request, in order."""
        self.meanwhile: Callable[[], None] | None = None
        """What happens after each request."""
        self._bucket = bucket

    def __enter__(self) -> Self:
        app = create_app(self.world, TOKEN, bucket=self._bucket, record=Record(follower=self._note))
        self._server = ServerThread(app)
        self.url = self._server.url
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.stop()

    def become(self, **conditions: Any) -> None:
        """Have other conditions from now on."""
        now = time.time()
        self.world.happen(ConditionsChanged(now, Conditions(latency=None, engaged=1.0, **conditions)))

    @property
    def changes(self) -> list[str]:
        """The paths of the requests that were to change something."""
        return [each.path for each in self.seen if each.method != "GET"]

    @property
    def blocked(self) -> list[str]:
        """The wa_ids of the blocklist, in its order."""
        listed = self.world.people.blocklist(100_000, 0).contacts
        return [contact.wa_id.removesuffix(BLOCKLIST_SUFFIX) for contact in listed]

    def writers(self, count: int) -> list[str]:
        """Return numbers that can be blocked."""
        return self._with_account(True)[:count]

    def strangers(self, count: int) -> list[str]:
        """Return numbers without an account, which can't be blocked."""
        return self._with_account(False)[:count]

    def block(self, numbers: Iterable[str]) -> None:
        """Let somebody else block `numbers`."""
        for number in numbers:
            self.world.people.block(number, time.time())

    def _note(self, request: Latest) -> None:
        self.seen.append(request)
        if self.meanwhile is not None:
            self.meanwhile()

    def _with_account(self, exists: bool) -> list[str]:
        now = time.time()
        return [number for number in NUMBERS if self.world.people.has_account(number, now) is exists]
