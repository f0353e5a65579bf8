"""A limit on requests: contract section 5."""

from dataclasses import dataclass

from watui.contract.rules import RATE_BURST, RATE_LIMIT


@dataclass
class Bucket:
    """Requests that may still come: pure, time goes in as an argument."""

    rate: float = RATE_LIMIT
    burst: int = RATE_BURST
    _left: float = -1.0
    _at: float = 0.0

    def fill(self) -> None:
        """Let as many requests come as at first."""
        self._left = -1.0

    def take(self, now: float) -> float:
        """Take one request and return 0, or return the seconds until one may come."""
        if self._left < 0:
            self._left, self._at = float(self.burst), now
        self._left = min(float(self.burst), self._left + max(0.0, now - self._at) * self.rate)
        self._at = now
        if self._left >= 1:
            self._left -= 1
            return 0.0
        return (1 - self._left) / self.rate
