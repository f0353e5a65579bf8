"""Whether the line to the terminal is taken for a slow one."""

import os
from collections.abc import Mapping

from watui.settings.settings import LowBandwidth

_SSH = ("SSH_CONNECTION", "SSH_TTY")
"""Variables that stand in a session over SSH."""


def is_low_bandwidth(choice: LowBandwidth, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether little is to be painted, by what a person has chosen."""
    return choice == "on" or (choice == "auto" and is_over_ssh(environment))


def is_over_ssh(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the terminal is at the other end of SSH."""
    return any(environment.get(name) for name in _SSH)
