"""Processes that are killed in the middle of what they do, each a fork of one that has imported what it needs."""

import signal
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

_processes = get_context("forkserver")
_processes.set_forkserver_preload(["tests.ledger.mortal"])


def is_killed(work: Callable[..., None], *arguments: Any) -> bool:
    """Let a process do `work`, which a module of few imports holds; whether that was killed."""
    process = _processes.Process(target=work, args=arguments)
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    killed = process.exitcode != 0
    process.close()
    return killed
