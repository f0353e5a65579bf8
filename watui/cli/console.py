"""Opens the console: the one place where the command line knows of it."""

import gc
import os
from pathlib import Path

from msgspec.structs import replace

from watui.cli.exits import Exit, Stop
from watui.cli.talk import hides_numbers
from watui.cli.target import find_settings, find_target
from watui.desk import Desk
from watui.settings.paths import find_paths
from watui.settings.secrets import Secrets
from watui.settings.settings import SIMULATOR, BadSettings, Settings, load, set_aside
from watui.sites import Site


def open_console(url: str | None = None, profile: str | None = None, region: str | None = None) -> int:
    """Open the console for the server that these mean; return the exit code."""
    gc.disable()  # until the first screen is painted: next to nothing of what modules make as they load is garbage
    from watui.ledger.schema import LedgerUnusable
    from watui.tui.app import Switched, run_console

    paths = find_paths()
    is_named = url is not None or profile is not None
    settings, warning = (find_settings(paths), None) if is_named else _usable_settings(paths.settings)
    secrets = Secrets(paths.secrets, given_for=profile or settings.profile)
    site = find_target(settings, paths, url, profile, region, secrets)
    hides: bool | None = hides_numbers() or None
    is_utc = False
    try:
        while isinstance(
            ended := run_console(Desk.at(paths, site), _of(settings, site), secrets, warning, hides, is_utc=is_utc),
            Switched,
        ):
            settings, warning = find_settings(paths), ended.left_words
            hides, is_utc = ended.hides_numbers, ended.is_utc
            secrets = Secrets(paths.secrets, given_for=ended.profile)
            site = find_target(settings, paths, None, ended.profile, None, secrets)
    except LedgerUnusable as error:
        raise Stop(str(error)) from error
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return Exit.BUG if ended is None else ended


def _of(settings: Settings, site: Site) -> Settings:
    """Return the settings as they hold at a site."""
    return replace(settings, batch_size=site.batch_size)


def _usable_settings(path: Path) -> tuple[Settings, str | None]:
    """Return the settings; where their file is bad, those without it, and what became of it.

    Only for the console at the embedded simulator, where a setting that is missed can do no harm.
    """
    try:
        return load(path), None
    except BadSettings as error:
        try:
            settings = load(Path(os.devnull))  # Or else it is not the file that is bad.
            if settings.profile != SIMULATOR:
                raise Stop(str(error)) from error
            aside = set_aside(path)
        except BadSettings:
            raise Stop(str(error)) from error
        return settings, f"{error}. The file is kept as {aside.name}; all settings are the usual ones."
