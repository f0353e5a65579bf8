"""Opens the console: the one place where the command line knows of it."""

from watui.cli.exits import Exit, Stop
from watui.cli.target import find_region, find_server, find_settings
from watui.settings.paths import find_paths


def open_console(url: str | None, region: str | None) -> int:
    """Open the console for the server at `url`, or for the embedded simulator; return the exit code."""
    from watui.ledger.schema import LedgerUnusable
    from watui.tui.app import run_console

    paths = find_paths()
    settings = find_settings(paths)
    server = find_server(url)
    try:
        code = run_console(paths, settings, server, find_region(region or settings.region))
    except LedgerUnusable as error:
        raise Stop(str(error)) from error
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return Exit.BUG if code is None else code
