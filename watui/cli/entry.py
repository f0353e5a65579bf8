"""Where the `watui` command begins."""

import sys

from watui import __version__


def main() -> None:
    """Run the command line in `sys.argv` and exit with one of the codes of `Exit`."""
    if sys.argv[1:] == ["--version"]:
        print(f"watui {__version__}")
        return
    from watui.cli.app import run

    sys.exit(run())
