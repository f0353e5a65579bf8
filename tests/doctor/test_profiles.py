"""Where secrets are is told and never what they are; every server is looked at, at once, and nothing is kept."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import TOKEN
from watui.checkup import Checkup
from watui.doctor import places, profiles, versions
from watui.doctor.examination import Group, examine
from watui.doctor.profiles import LookingSecrets, kept, look
from watui.findings import Finding, Level
from watui.settings.paths import Paths
from watui.settings.secrets import Secret, Secrets, Store
from watui.settings.settings import SIMULATOR, Profile, Settings
from watui.simulator.serving import ServerThread
from watui.sites import NoSuchProfile, Site

CANARY = "c4nary-Secret"


def settings_of(**known: Profile) -> Settings:
    return Settings(profiles=known)


def look_now(settings: Settings, paths: Paths, name: str) -> dict[str, Finding]:
    """Return what is found of a profile, by subject."""
    found = asyncio.run(look(settings, LookingSecrets(paths.secrets), name))
    return {finding.subject: finding for finding in found}


def subjects(groups: list[Group]) -> dict[str, list[str]]:
    return {group.name: [finding.subject for finding in group.findings] for group in groups}


def test_where_secrets_are_is_told_and_not_what_they_are(paths: Paths) -> None:
    settings = settings_of(
        lab=Profile(url="https://lab.test"), shop=Profile(url="https://shop.test", user="admin"), own=Profile()
    )
    secrets = Secrets(paths.secrets, {})
    secrets.keep("lab", Secret.TOKEN, CANARY, Store.FILE)
    lab, shop = kept(secrets, settings)
    assert (lab.subject, lab.level) == ("lab", Level.OK)
    assert lab.words.startswith("token in the file ")
    assert (shop.subject, shop.level) == ("shop", Level.NOTE)
    assert "WATUI_PASSWORD" in str(shop.next_step)
    assert CANARY not in f"{lab}{shop}"


def test_a_secret_that_is_not_used_is_trouble(paths: Paths) -> None:
    secrets = Secrets(paths.secrets, {})
    secrets.keep("lab", Secret.TOKEN, CANARY, Store.FILE)
    (file,) = paths.secrets.iterdir()
    file.chmod(0o644)
    (found,) = kept(secrets, settings_of(lab=Profile(url="https://lab.test")))
    assert found.level is Level.TROUBLE
    assert "chmod 600" in found.words


def test_without_a_keyring_that_is_a_note(paths: Paths) -> None:
    (found,) = profiles.keyring(Secrets(paths.secrets, {}))
    assert (found.level, bool(found.next_step)) == (Level.NOTE, True)


def test_the_simulator_is_said_to_be_the_default(paths: Paths) -> None:
    found = look_now(Settings(), paths, SIMULATOR)
    assert "the default" in found["profile"].words
    assert "has a WhatsApp account" in found["version"].words
    others = look_now(settings_of(lab=Profile(url="https://lab.test")), paths, SIMULATOR)
    assert "lab" in others["profile"].words


def test_a_server_tells_its_version_and_what_valid_means(
    paths: Paths, server: ServerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATUI_TOKEN", TOKEN)
    found = look_now(settings_of(lab=Profile(url=server.url, read_only=True)), paths, "lab")
    assert {finding.level for finding in found.values()} == {Level.OK}
    assert found["profile"].words == f"{server.url} (own), read as registered in US, read-only"
    assert "valid: " in found["version"].words


@pytest.mark.parametrize("profile", [Profile(url="ftp://lab.test"), Profile(url="https://lab.test", region="XX")])
def test_a_profile_that_cannot_be_used_is_trouble(paths: Paths, profile: Profile) -> None:
    (found,) = look_now(settings_of(lab=profile), paths, "lab").values()
    assert (found.subject, found.level, bool(found.next_step)) == ("profile", Level.TROUBLE, True)


def test_a_server_that_does_not_end_is_given_up(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    async def endless(_: Site) -> Checkup:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(profiles, "look_at", endless)
    monkeypatch.setattr(profiles, "LOOK_SECONDS", 0.01)
    found = look_now(settings_of(lab=Profile(url="https://lab.test")), paths, "lab")
    assert found["server"].level is Level.TROUBLE


def test_a_login_that_is_tried_is_not_kept(paths: Paths, server: ServerThread) -> None:
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        client.post("/v1/users/login", auth=("admin", "secret"), json={"new_password": CANARY}).raise_for_status()
    Secrets(paths.secrets, {}).keep("lab", Secret.PASSWORD, CANARY, Store.FILE)
    before = sorted(paths.secrets.iterdir())
    found = look_now(settings_of(lab=Profile(url=server.url, user="admin")), paths, "lab")
    assert found["login"].level is Level.OK
    assert found["login"].words.startswith("logged in until")
    assert sorted(paths.secrets.iterdir()) == before


@pytest.fixture
def three(paths: Paths) -> Paths:
    paths.config.mkdir(parents=True)
    servers = "".join(f'[profiles.{name}]\nurl = "https://{name}.test"\n' for name in ("a", "b", "c"))
    paths.settings.write_text(f'profile = "b"\n{servers}', "utf-8")
    return paths


def test_one_server_is_looked_at_or_all_of_them_at_once(three: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    at_work: set[str] = set()
    together = asyncio.Event()

    async def looking(_: Settings, __: Secrets, name: str) -> list[Finding]:
        at_work.add(name)
        if len(at_work) == 3:
            together.set()
        if is_all:
            await asyncio.wait_for(together.wait(), 5)
        return [Finding("server", Level.OK, name)]

    monkeypatch.setattr(profiles, "look", looking)
    is_all = False
    assert list(subjects(examine(three)))[-1] == "profile b"
    assert list(subjects(examine(three, "c")))[-1] == "profile c"
    at_work.clear()
    is_all = True
    assert list(subjects(examine(three, everywhere=True)))[-3:] == ["profile a", "profile b", "profile c"]


def test_a_profile_that_nobody_knows_is_refused(three: Paths) -> None:
    with pytest.raises(NoSuchProfile):
        examine(three, "nobody")


def test_a_default_that_nobody_knows_is_trouble(three: Paths) -> None:
    three.settings.write_text('profile = "nobody"', "utf-8")
    *_, group = examine(three)
    assert [finding.level for finding in group.findings] == [Level.TROUBLE]


def test_what_cannot_be_looked_at_is_a_finding_without_data(three: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Iterator[Finding]:
        raise ValueError(CANARY)

    async def fail_there(*_: object) -> list[Finding]:
        raise OSError(5, "Input/output error", CANARY)

    monkeypatch.setattr(versions, "look", fail)
    monkeypatch.setattr(places, "ledger", fail)
    monkeypatch.setattr(profiles, "look", fail_there)
    groups = examine(three)
    troubles = [finding for group in groups for finding in group.findings if finding.level is Level.TROUBLE]
    assert [finding.words.rpartition(": ")[2] for finding in troubles] == [
        "ValueError",
        "ValueError",
        "Input/output error",
    ]
    assert CANARY not in str(groups)
    assert all(finding.next_step for finding in troubles)


def test_bad_settings_leave_the_rest_to_be_looked_at(three: Paths) -> None:
    three.settings.write_text("profile = 1", "utf-8")
    found = subjects(examine(three))
    assert list(found) == ["versions", "paths", "terminal", "secrets", "profiles"]
