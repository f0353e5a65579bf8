"""Opens the console: the one place where the command line knows of it."""

from watui.cli.exits import Exit, Stop
from watui.cli.target import find_settings, find_target
from watui.settings.paths import find_paths


def open_console(url: str | None, profile: str | None, region: str | None) -> int:
    """Open the console for the server that these mean; return the exit code."""
    from watui.ledger.schema import LedgerUnusable
    from watui.tui.app import run_console

    paths = find_paths()
    settings = find_settings(paths)
    target = find_target(settings, url, profile, region)
    try:
        code = run_console(target.open_desk(paths), settings)
    except LedgerUnusable as error:
        raise Stop(str(error)) from error
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return Exit.BUG if code is None else code
