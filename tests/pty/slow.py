"""A terminal at the end of a slow line."""

import os
import select
import time
from typing import Any

from tests.pty.terminal import Terminal

PORTION_SECONDS = 0.005
"""Of what the line carries, that is taken at once."""

BEHIND_SECONDS = 0.5
"""What the line has carried meanwhile, where it was not looked at for so long."""


class SlowTerminal(Terminal):
    """Takes so many bytes a second and no more: what is written beyond that waits where the system keeps it."""

    def __init__(self, bytes_per_second: float, **options: Any) -> None:
        self._bytes_per_second = bytes_per_second
        self._free_at = 0.0
        super().__init__(answers=True, **options)

    def _read(self, seconds: float) -> bool:
        began = time.monotonic()
        pause = max(0.0, self._free_at - began)
        time.sleep(min(pause, seconds))
        if pause >= seconds or not select.select([self._descriptor], [], [], seconds - pause)[0]:
            return seconds > 0
        try:
            data = os.read(self._descriptor, int(self._bytes_per_second * PORTION_SECONDS))
        except OSError:
            return False
        self._free_at = max(self._free_at, began - BEHIND_SECONDS) + len(data) / self._bytes_per_second
        self._take(data)
        return bool(data)
