"""Notices that nobody is at the other end of a terminal or a pipe any more; waiting for that costs nothing."""

import select
import threading
from collections.abc import Callable


def on_hangup(descriptor: int, do: Callable[[], None]) -> None:
    """Call `do` once, in a thread of its own, when the other end of `descriptor` is closed.

    Never where the system can't tell, as for files.
    """

    def wait() -> None:
        poll = select.poll()
        poll.register(descriptor, 0)  # for nothing but what is always told: that it hung up, or an error
        found = poll.poll()
        if any(what & (select.POLLHUP | select.POLLERR) for _, what in found):
            do()

    threading.Thread(target=wait, name="watui-hangup", daemon=True).start()
