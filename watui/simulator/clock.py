"""The time of a world: real time, or faster, and never back."""

import asyncio
import time


class Clock:
    """Gives seconds since 1970. From its first moment on, `scale` of them go by in a real second.

    It does not follow a system clock that is set while it runs.
    """

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale
        self._began_at = time.time()
        self._beginning = time.monotonic()

    def __call__(self) -> float:
        return self._began_at + (time.monotonic() - self._beginning) * self.scale

    def catch_up(self, at: float) -> None:
        """Go on from `at`, where that is later than now."""
        self._began_at += max(0.0, at - self())

    async def sleep(self, seconds: float) -> None:
        """Sleep for `seconds` of this clock."""
        await asyncio.sleep(seconds / self.scale)
