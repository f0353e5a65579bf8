"""Where files live: platformdirs' folders, or one folder of a person's choice."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

HOME_VARIABLE = "WATUI_HOME"
"""Names a folder that holds everything: for portable use and for tests."""


class Paths(NamedTuple):
    """The folders of one person; none is made before it is needed."""

    config: Path
    data: Path
    log: Path

    @property
    def settings(self) -> Path:
        return self.config / "settings.toml"

    @property
    def secrets(self) -> Path:
        """The folder of what a person lets be kept in files of their own."""
        return self.config / "secrets"

    @property
    def ledger(self) -> Path:
        return self.data / "ledger.sqlite3"

    @property
    def simulator(self) -> Path:
        """The folder of the embedded simulator."""
        return self.data / "simulator"

    @property
    def locks(self) -> Path:
        """The folder of the locks that show which processes are at work."""
        return self.data / "locks"

    @property
    def event_log(self) -> Path:
        """What watui did."""
        return self.log / "watui.log"

    @property
    def crash_log(self) -> Path:
        return self.log / "crash.log"


def find_paths(environment: Mapping[str, str] = os.environ) -> Paths:
    """Return the folders for this person and `environment`."""
    if home := environment.get(HOME_VARIABLE):
        root = Path(home).expanduser().absolute()
        return Paths(root / "config", root / "data", root / "log")
    from platformdirs import PlatformDirs

    folders = PlatformDirs("watui", appauthor=False)
    return Paths(folders.user_config_path, folders.user_data_path, folders.user_log_path)
