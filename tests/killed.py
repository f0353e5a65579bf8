"""Processes that are killed in the middle of what they do, each a fork of one that has imported what it needs."""

import signal
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

_processes = get_context("forkserver")
_processes.set_forkserver_preload(["tests.ledger.mortal"])

DEADLINE_SECONDS = 60.0
"""No work of the tests may take longer."""


def is_killed(work: Callable[..., None], *arguments: Any) -> bool:
    """Let a process do `work`, which a module of few imports holds; whether that was killed."""
    process = _processes.Process(target=work, args=arguments)
    process.start()
    process.join(DEADLINE_SECONDS)
    exit_code = process.exitcode
    process.kill()  # where it still goes on
    process.join()
    process.close()
    assert exit_code in (0, -signal.SIGKILL), f"ended with {exit_code}, or not in {DEADLINE_SECONDS:g} seconds"
    return exit_code != 0
