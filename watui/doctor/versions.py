"""What is installed."""

import platform
import sqlite3
import ssl
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from watui import __version__
from watui.findings import Finding, Level

_PACKAGES = {"Textual": "textual", "httpx": "httpx", "phonenumbers": "phonenumbers"}
"""Names for people, and those to install by."""

_EXTRAS = {
    "keyring": ("keyring", "secrets can't be kept in the system's keyring"),
    "xlsxwriter": ("xlsx", "rows can't be exported to a spreadsheet"),
    "python-calamine": ("xlsx", "numbers can't be read from a spreadsheet"),
    "trustme": ("tls", "the simulator can't be asked over https"),
}
"""Packages that may be missing: the extra of watui that brings each, and what does not work without it."""


def look() -> Iterator[Finding]:
    """Look at what watui runs on."""
    yield Finding("watui", Level.OK, __version__)
    yield Finding("Python", Level.OK, f"{platform.python_version()} on {platform.platform(terse=True)}")
    for name, package in _PACKAGES.items():
        yield _of_package(name, package)
    yield Finding("SQLite", Level.OK, sqlite3.sqlite_version)
    yield Finding("OpenSSL", Level.OK, ssl.OPENSSL_VERSION.removeprefix("OpenSSL "))
    for package, (extra, loss) in _EXTRAS.items():
        yield _of_extra(package, extra, loss)


def _of_package(name: str, package: str) -> Finding:
    try:
        return Finding(name, Level.OK, version(package))
    except PackageNotFoundError:
        return Finding(name, Level.TROUBLE, "it is not installed", f"pip install {package}")


def _of_extra(package: str, extra: str, loss: str) -> Finding:
    try:
        return Finding(package, Level.OK, version(package))
    except PackageNotFoundError:
        return Finding(package, Level.NOTE, f"it is not installed: {loss}", f"pip install 'watui[{extra}]'")
