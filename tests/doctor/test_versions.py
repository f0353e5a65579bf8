"""What is installed is named by its version, what is missing by the command that brings it."""

import sys
from importlib.metadata import PackageNotFoundError, version

import pytest

from watui import __version__
from watui.doctor import versions
from watui.findings import Level


def test_everything_has_its_version() -> None:
    found = {finding.subject: finding for finding in versions.look()}
    assert found["watui"].words == __version__
    assert found["Textual"].words == version("textual")
    assert found["Python"].words.startswith(sys.version.split()[0])
    assert {"httpx", "phonenumbers", "SQLite", "OpenSSL"} < set(found)


@pytest.mark.parametrize(
    ("missing", "subject", "level", "command"),
    [
        ("textual", "Textual", Level.TROUBLE, "pip install textual"),
        ("keyring", "keyring", Level.NOTE, "pip install 'watui[keyring]'"),
        ("xlsxwriter", "xlsxwriter", Level.NOTE, "pip install 'watui[xlsx]'"),
        ("trustme", "trustme", Level.NOTE, "pip install 'watui[tls]'"),
    ],
)
def test_what_is_missing_comes_with_its_command(
    monkeypatch: pytest.MonkeyPatch, missing: str, subject: str, level: Level, command: str
) -> None:
    def installed(name: str) -> str:
        if name == missing:
            raise PackageNotFoundError(name)
        return "1.0"

    monkeypatch.setattr(versions, "version", installed)
    (found,) = (finding for finding in versions.look() if finding.level is not Level.OK)
    assert (found.subject, found.level, found.next_step) == (subject, level, command)
