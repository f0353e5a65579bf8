"""`--har FILE`: what was said to a server and by it, whole, of every command that asks one; and no secret."""

import json
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.cli.conftest import Watui
from tests.cli.site import Site
from tests.cli.test_changes import a_list
from tests.conftest import TOKEN
from watui.cli.exits import Exit

pytestmark = pytest.mark.usefixtures("no_waiting")


def paths_in(archive: Path) -> list[str]:
    """Return what was asked for, as an archive tells it, in order."""
    text = archive.read_text("utf-8")
    assert TOKEN not in text
    asked = (urlsplit(entry["request"]["url"]) for entry in json.loads(text)["log"]["entries"])
    return [f"{url.path}?{url.query}".rstrip("?") for url in asked]


@pytest.mark.parametrize(
    "command",
    [
        "check --number {0}",
        "block {0}",
        "block {0} --dry-run",
        "unblock {1}",
        "report {0}",
        "blocklist",
        "blocklist --all",
        "identity {0}",
        "actions undo",
    ],
)
def test_what_is_said_is_written(watui: Watui, site: Site, tmp_path: Path, command: str) -> None:
    archive = tmp_path / "said.har"
    writer, blocked = site.writers(2)
    assert watui("block", blocked, "--url", site.url, "--yes").code == Exit.DONE
    site.seen.clear()
    words = command.format(writer, blocked).split()
    consent = ["--yes"] if words[0] in ("block", "unblock", "report", "actions") else []
    assert watui(*words, "--url", site.url, "--har", str(archive), *consent).code == Exit.DONE
    assert paths_in(archive) == [request.path for request in site.seen] != []


def test_what_an_acknowledgement_says_is_written(watui: Watui, site: Site, tmp_path: Path) -> None:
    archive = tmp_path / "said.har"
    (number,) = site.writers(1)
    assert watui("identity", number, "--acknowledge", "x", "--url", site.url, "--har", str(archive)).code != Exit.DONE
    assert paths_in(archive) == [request.path for request in site.seen] != []


def test_what_a_server_refuses_is_written_as_well(watui: Watui, site: Site, tmp_path: Path) -> None:
    archive = tmp_path / "said.har"
    (number,) = site.strangers(1)
    assert watui("block", number, "--url", site.url, "--yes", "--har", str(archive)).code == Exit.REFUSED
    assert unquote(paths_in(archive)[-1]) == f"/v1/contacts/{number}/block"


@pytest.mark.parametrize("command", ["check", "block --yes --from"])
def test_an_archive_takes_the_place_of_no_list(watui: Watui, site: Site, tmp_path: Path, command: str) -> None:
    source = a_list(tmp_path, site.writers(2))
    before = Path(source).read_bytes()
    ended = watui(*command.split(), source, "--har", source, "--url", site.url)
    assert ended.code == Exit.USAGE
    assert "the numbers are read from it" in ended.err
    assert Path(source).read_bytes() == before
    assert site.seen == []


@pytest.mark.parametrize("command", ["block --yes", "identity", "check --number"])
def test_an_archive_that_cannot_be_written_is_found_before_anything_is_sent(
    watui: Watui, site: Site, tmp_path: Path, command: str
) -> None:
    (number,) = site.writers(1)
    ended = watui(*command.split(), number, "--url", site.url, "--har", str(tmp_path / "none" / "said.har"))
    assert ended.code == Exit.USAGE
    assert "there is no folder" in ended.err
    assert site.seen == []
