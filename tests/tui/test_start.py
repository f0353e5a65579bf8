"""What is loaded before the first screen: nothing that only a first question needs."""

import subprocess
import sys

HEAVY = {"httpx", "phonenumbers", "starlette", "uvicorn", "tomlkit", "keyring", "charset_normalizer"}

PROGRAM = """
import sys
from watui.cli.console import open_console
from watui.settings.paths import find_paths
from watui.cli.target import find_region, find_settings
import watui.tui.app
find_region(find_settings(find_paths()).region)
print(*sys.modules)
"""


def test_the_first_screen_waits_for_nothing_heavy() -> None:
    loaded = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stdout.split()
    assert "textual" in loaded
    assert HEAVY.isdisjoint(loaded)
