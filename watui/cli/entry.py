"""Where the `watui` command begins."""

import os
import sys

from watui import __version__

_INTERRUPTED = 130
"""Exit.INTERRUPTED, which is not imported yet when ctrl+c is that quick."""


def main() -> None:
    """Run the command line in `sys.argv` and exit with one of the codes of `Exit`."""
    if sys.argv[1:] == ["--version"]:
        print(f"watui {__version__}")
        return
    _stand_in_for_closed_streams()
    try:
        code = _run()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    sys.exit(code)


def _run() -> int:
    from watui.cli.order import can_show_console, is_completing, run_in_order

    if not sys.argv[1:] and not is_completing() and can_show_console():
        from watui.cli.console import open_console

        return run_in_order("watui", open_console)
    from watui.cli.app import run

    return run()


def _stand_in_for_closed_streams() -> None:
    """Open the null device for each standard stream that was closed, so that no other file takes its descriptor."""
    for descriptor, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free descriptor, which is this one
            setattr(sys, name, open(descriptor, "r" if name == "stdin" else "w"))  # noqa: SIM115 - open to the end
