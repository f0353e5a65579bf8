"""A ledger on a thread of its own, for callers that must not block."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from watui.ledger.ledger import Ledger

_P = ParamSpec("_P")
_T = TypeVar("_T")


class LedgerThread:
    """Runs methods of one Ledger one after the other: `await ledger(Ledger.asked, run_id, numbers)`."""

    def __init__(self, path: Path) -> None:
        self._thread = ThreadPoolExecutor(1, "watui-ledger")
        self._ledger = self._thread.submit(Ledger, path).result()

    async def __call__(
        self, method: Callable[Concatenate[Ledger, _P], _T], *arguments: _P.args, **named: _P.kwargs
    ) -> _T:
        """Run `method` on the ledger's thread and return what it returns.

        A call once made is carried out, even if its caller is cancelled meanwhile.
        """
        loop = asyncio.get_running_loop()
        call = loop.run_in_executor(self._thread, lambda: method(self._ledger, *arguments, **named))
        call.add_done_callback(_look_at)
        return await asyncio.shield(call)

    def close(self) -> None:
        """Let the calls under way end, then close the ledger."""
        self._thread.submit(self._ledger.close).result()
        self._thread.shutdown()


def _look_at(call: asyncio.Future[_T]) -> None:
    """Look at how a call ended: where its caller is gone nobody else does, and asyncio would complain of that."""
    if not call.cancelled():
        call.exception()
