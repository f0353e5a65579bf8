"""The zone in which times are told to people: that of this machine, or UTC."""

from datetime import UTC, datetime


class Zone:
    """Tells times."""

    def __init__(self) -> None:
        self.is_utc = False

    def minute(self, at: float, parts: int = 1) -> str:
        """Return a time to the minute; in UTC with the Z of ISO 8601 behind it.

        As everywhere here, `at` is in seconds since 1970, or in `parts` of a second.
        """
        return self._told(at, "%Y-%m-%d %H:%M", parts=parts)

    def clock(self, at: float) -> str:
        """Return only what the clock on the wall shows, to the second."""
        return self._told(at, "%H:%M:%S")

    def millisecond(self, at: float) -> str:
        """Return all of a time, to the millisecond."""
        return self._told(at, "%Y-%m-%d %H:%M:%S.%f", left_out=3)

    def _told(self, at: float, form: str, *, parts: int = 1, left_out: int = 0) -> str:
        try:
            universal = datetime.fromtimestamp(at / parts, UTC)
            told = f"{universal if self.is_utc else universal.astimezone():{form}}"
        except (ValueError, OverflowError, OSError):
            return "at an unreadable time"
        return f"{told[: len(told) - left_out]}{'Z' if self.is_utc else ''}"


ZONE = Zone()
"""That of this process."""
