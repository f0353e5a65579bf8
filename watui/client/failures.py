"""Everything that can go wrong between a question and its answer: a small tree, each with a title and a next step.

Titles and details may quote the server: pass them through `clean` before they are shown.
"""

from typing import ClassVar


class Failure(Exception):
    """A question without a usable answer."""

    next_step: str
    """What to do, as a sentence."""
    may_have_worked: bool = True
    """Whether the server may have done what it was asked all the same."""
    was_sent: ClassVar[bool] = True
    """Whether anything was sent at all."""
    http_status: int | None = None
    """Of the answer; None where none came."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.title = title
        """One line on what happened."""

    @property
    def outcome(self) -> str:
        """What came in place of what was wanted, in a word or two."""
        if self.http_status is not None:
            return str(self.http_status)
        return "an odd answer" if isinstance(self, Unusable) else "no answer"


class Unreachable(Failure):
    """No answer: no connection, or it broke off."""

    next_step = "Check the address and the network."


class NotConnected(Unreachable):
    """There was no connection: nothing was sent."""

    may_have_worked = False
    was_sent = False


class Untrusted(Failure):
    """Nothing proves that it is the server: nothing was sent."""

    next_step = (
        "Compare the certificate's fingerprint with the server's own, and pin it for the server's profile:"
        " 'watui profiles trust NAME', or key p on the Settings screen. Or name its authority as ca_file."
    )
    may_have_worked = False
    was_sent = False


class CertificateChanged(Untrusted):
    """It shows another certificate than the pinned one: nothing was sent, nor will be before a person decides."""

    next_step = (
        "Ask whoever runs the server; if that is right, pin the new one: 'watui profiles trust NAME', or key p on the"
        " Settings screen."
    )

    def __init__(self, host: str, pinned: str, shown: str) -> None:
        super().__init__(f"the certificate of {host} has changed. Pinned: {pinned}. Now: {shown}")
        self.pinned = pinned
        """Fingerprint of the one that is trusted."""
        self.shown = shown
        """Fingerprint of the one that the server shows, or why that is not known."""


class TimedOut(Unreachable):
    """No complete answer within the time allowed."""

    next_step = "The server may be busy: ask later, or for fewer numbers at once."


class NotOffered(Failure):
    """A server of this kind does not do that: nothing was sent."""

    next_step = "Use a profile whose server does."
    may_have_worked = False
    was_sent = False


class OverBudget(Failure):
    """The budget of the server has no call left: nothing more was sent."""

    may_have_worked = False

    def __init__(self, title: str, next_step: str) -> None:
        super().__init__(title)
        self.next_step = next_step


class Unusable(Failure):
    """An answer that is not one of the contract: a redirect, HTML, broken JSON, a wrong shape, too large."""

    next_step = "Check that the address is that of a server for /v1/contacts."


class Refused(Failure):
    """The server understood and said no."""

    next_step = "Check the address, and change what the server names."
    may_have_worked = False
    http_status: int

    def __init__(self, title: str, code: int | None, http_status: int) -> None:
        super().__init__(title)
        self.code = code
        """Error code of the contract's section 5, None where the body has none."""
        self.http_status = http_status


class AccessDenied(Refused):
    """The token is missing, wrong, expired or not allowed to do this."""

    next_step = "Give a valid token: 'watui login --profile NAME', key l on the Settings screen, or WATUI_TOKEN."


class NoCredentials(AccessDenied):
    """Nobody to log in as: nothing was sent."""

    next_step = "Log in first: 'watui login --profile NAME', or key l on the Settings screen."
    was_sent = False

    def __init__(self, title: str, next_step: str | None = None) -> None:
        super().__init__(title, None, 401)
        if next_step is not None:
            self.next_step = next_step


class WrongPassword(AccessDenied):
    """The server does not let this user in with this password. It is not tried again."""

    next_step = "Log in with the right password: 'watui login --profile NAME', or key l on the Settings screen."


class PasswordChangeRequired(AccessDenied):
    """The first login of a user wants another password."""

    next_step = (
        "Log in by hand, which asks for a new one: 'watui login --profile NAME', or key l on the Settings screen."
    )


class NotYetAccepted(AccessDenied):
    """The server refuses a token that it gave a moment ago: it may have to spread among its nodes first."""

    next_step = "Try again in a moment; if it stays, see the server's own log."


class ServerTrouble(Failure):
    """The server says that it failed itself (5xx), or was too slow for itself (408)."""

    next_step = "Wait a little; if it stays, see the server's own log."

    def __init__(self, title: str, retry_after: float | None) -> None:
        super().__init__(title)
        self.retry_after = retry_after
        """Seconds that the server asks to wait at least, None where it does not say."""


class Overloaded(ServerTrouble):
    """Too many requests (429) or a full queue (503)."""

    next_step = "Ask more slowly."

    def __init__(self, title: str, retry_after: float | None, *, may_have_worked: bool = False) -> None:
        super().__init__(title, retry_after)
        self.may_have_worked = may_have_worked
