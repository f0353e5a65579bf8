"""Environment beats file beats default; a bad file is named, never a crash; a saved file is always whole."""

import os
import select
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from watui.settings.paths import Paths
from watui.settings.settings import BadSettings, Profile, Settings, descriptions, load, save, set_aside, template


def _write(paths: Paths, content: bytes | str) -> Path:
    paths.config.mkdir(parents=True)
    paths.settings.write_bytes(content if isinstance(content, bytes) else content.encode())
    return paths.settings


def test_environment_beats_file_beats_default(paths: Paths) -> None:
    assert load(paths.settings, {}) == Settings("US", 500, "no_wait", "watui-dark")
    path = _write(paths, 'region = "IN"\nbatch_size = 7\n')
    assert load(path, {}) == Settings("IN", 7)
    assert load(path, {"WATUI_REGION": "BR", "WATUI_BLOCKING": "wait"}) == Settings("BR", 7, "wait")
    assert load(path, {"WATUI_BATCH_SIZE": "1000", "WATUI_THEME": ""}) == Settings("IN", 1000)


def test_the_environment_of_the_process_is_read(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATUI_REGION", "GB")
    assert load(paths.settings).region == "GB"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('colour = "red"', "nothing there is called colour"),
        ('"check.search" = "f2"', r"nothing there is called check.search; keys of commands stand under \[keys\]"),
        ("[simulator]\nseed = 1", "simulator"),
        ("batch_size = 0", "batch_size"),
        ("batch_size = 1001", "batch_size: it is at most 1000"),
        ('batch_size = "10"', "batch_size"),
        ("batch_size = true", "batch_size"),
        ("region = 1", "region"),
        ('blocking = "later"', "blocking"),
        ("region =", "Invalid value"),
        ('region = "I', "Unterminated string"),
        ('region = "IN"\nregion = "US"', "overwrite"),
        (b"\xff\xfe\x00", "decode"),
    ],
)
def test_a_bad_file_is_named_and_says_why(paths: Paths, content: bytes | str, message: str) -> None:
    path = _write(paths, content)
    with pytest.raises(BadSettings, match=message) as caught:
        load(path, {})
    assert str(path) in str(caught.value)
    assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode())


def test_a_folder_in_the_place_of_the_file_is_bad_settings(paths: Paths) -> None:
    paths.settings.mkdir(parents=True)
    with pytest.raises(BadSettings):
        load(paths.settings, {})
    with pytest.raises(BadSettings):
        save(paths.settings, "region", "IN")


@pytest.mark.parametrize(
    "value", ["many", "0", "1001", "-1", "5.0", "５", "1e3", "9" * 30, pytest.param("9" * 5_000, id="huge")]
)
def test_a_bad_variable_is_named(paths: Paths, value: str) -> None:
    with pytest.raises(BadSettings, match="batch_size"):
        load(paths.settings, {"WATUI_BATCH_SIZE": value})


def test_profiles_are_read_and_survive_a_save(paths: Paths) -> None:
    path = _write(paths, 'region = "IN"\n\n[profiles.production]\nurl = "https://wa.example.com"\nread_only = true\n')
    save(path, "theme", "watui-light")
    profile = Profile("https://wa.example.com", None, True)
    assert load(path, {}) == Settings("IN", theme="watui-light", profiles={"production": profile})
    assert load(path, {"WATUI_PROFILE": "production"}).profile == "production"


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("1", True), ("False", False), ("0", False)])
def test_read_only_can_be_a_variable(paths: Paths, value: str, expected: bool) -> None:
    assert load(paths.settings, {"WATUI_READ_ONLY": value}).read_only is expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[profiles.x]\ncolour = 1", "profiles"),
        ("[profiles.x]\nurl = 1", "profiles"),
        ("profiles = 1", "profiles"),
        ('read_only = "yes"', "read_only"),
    ],
)
def test_a_bad_profile_is_named(paths: Paths, content: str, message: str) -> None:
    with pytest.raises(BadSettings, match=message):
        load(_write(paths, content), {})


def test_the_first_save_makes_a_file_that_describes_every_setting(paths: Paths) -> None:
    save(paths.settings, "region", "IN")
    save(paths.settings, "batch_size", 50)
    assert paths.settings.read_text("utf-8") == f'{template()}region = "IN"\nbatch_size = 50\n'
    assert all(description for description, _ in descriptions().values())
    assert load(paths.settings, {}) == Settings("IN", 50)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_save_keeps_every_other_line(paths: Paths, end: str) -> None:
    lines = ["# mine", "", 'theme  =  "watui-light"   # for the day', "# é", 'region = "US"  # home', "batch_size=9"]
    path = _write(paths, end.join(lines))
    save(path, "region", "IN")
    lines[4] = 'region = "IN"  # home'
    assert path.read_bytes().decode() == end.join(lines)


@pytest.mark.parametrize("value", ['"quoted"\n[x]', "\x00\x1b\u202e", "\\", "'''", "山"])
def test_any_text_is_saved_and_read_back(paths: Paths, value: str) -> None:
    save(paths.settings, "theme", value)
    assert load(paths.settings, {}).theme == value


def test_a_save_that_fails_leaves_the_old_file(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _write(paths, 'region = "IN"\n')

    def refuse(*_: Any) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", refuse)
        with pytest.raises(BadSettings, match=str(path)):
            save(path, "region", "US")
    assert [file.name for file in paths.config.iterdir()] == [path.name]
    assert path.read_text() == 'region = "IN"\n'


def test_a_file_that_cannot_be_read_is_not_overwritten(paths: Paths) -> None:
    path = _write(paths, 'region = "I')
    with pytest.raises(BadSettings, match=str(path)):
        save(path, "region", "US")
    assert path.read_text() == 'region = "I'


def test_a_file_that_is_set_aside_keeps_all_that_was_in_it(paths: Paths) -> None:
    for place in ("", "1", "2"):
        path = _write(paths, f"region = {place}") if not place else paths.settings
        path.write_text(f"region = {place}")
        aside = set_aside(path)
        assert aside == path.with_name(f"settings.toml.bad{place}")
        assert aside.read_text() == f"region = {place}"
        assert not path.exists()


def test_a_file_that_cannot_be_set_aside_is_bad_settings(paths: Paths) -> None:
    with pytest.raises(BadSettings, match="out of the way"):
        set_aside(paths.settings)


SAVING = """
import sys
from pathlib import Path
from watui.settings.settings import save
print("ready", flush=True)
while True:
    for theme in ("old" * 2000, "new" * 3000):
        save(Path(sys.argv[1]), "theme", theme)
"""


@pytest.mark.parametrize("kills", [5, pytest.param(200, marks=pytest.mark.long)])
def test_whoever_is_killed_while_saving_leaves_the_old_file_or_the_new_one(paths: Paths, kills: int) -> None:
    path, chance = _write(paths, template()), Random(kills)
    seen: Counter[str] = Counter()
    for kill in range(kills):
        # Half of them at the worst moment: all is written, and not yet in its place.
        failpoint = {"WATUI_FAILPOINT": f"file.rename:{chance.randint(1, 40)}"} if kill % 2 else {}
        saver = subprocess.Popen(
            [sys.executable, "-c", SAVING, str(path)], stdout=subprocess.PIPE, env={**os.environ, **failpoint}
        )
        assert saver.stdout is not None
        with saver.stdout:
            assert saver.stdout.readline() == b"ready\n"
            if failpoint:
                saver.stdout.read()
            else:
                select.select([saver.stdout], [], [], chance.uniform(0.01, 0.1))
                saver.kill()
        assert saver.wait() == -signal.SIGKILL
        seen[load(path, {}).theme[:3]] += 1
        assert path.read_text().startswith(template())
    print(f"\nkilled {kills} times while saving: {dict(seen)}")
    assert set(seen) <= {"old", "new", "wat"}
    assert seen["old"] + seen["new"] > kills / 2, "most are killed after their first save"
