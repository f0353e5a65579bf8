"""Profiles are written into `settings.toml` and taken out of it, and every other line stays."""

from pathlib import Path

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from tests.conftest import examples
from watui.contract.kinds import ServerKind
from watui.contract.rules import MAX_BATCH_SIZE
from watui.settings.paths import Paths
from watui.settings.settings import (
    COLOURS,
    SIMULATOR,
    BadSettings,
    Profile,
    Settings,
    Value,
    load,
    remove_profile,
    save_profile,
    template,
)

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\nAAAA==\n-----END CERTIFICATE-----\n"

MINE = """\
# mine
region = "IN"  # home

profile = "shop"

# the shop
[profiles.shop]
url = "https://wa.example.com:9090"  # in the cellar
read_only = true

# for tests
[profiles.test]
  url = 'http://127.0.0.1:9090'   # here
  # nobody else uses it
  rate = 2.5

# the end
"""


def write(paths: Paths, content: str = MINE) -> Path:
    paths.config.mkdir(parents=True)
    paths.settings.write_bytes(content.encode())
    return paths.settings


def read(path: Path) -> str:
    return path.read_bytes().decode()


def test_the_first_profile_makes_a_file_that_describes_every_setting(paths: Paths) -> None:
    save_profile(paths.settings, "shop", {"url": "https://wa.example.com", "region": None})
    assert read(paths.settings) == f'{template()}\n[profiles.shop]\nurl = "https://wa.example.com"\n'
    assert load(paths.settings, {}) == Settings(profiles={"shop": Profile("https://wa.example.com")})


def test_another_profile_is_added_at_the_end(paths: Paths) -> None:
    path = write(paths)
    save_profile(path, "new one", {"url": "https://new.example.com", "batch_size": 7, "read_only": False})
    added = '[profiles."new one"]\nurl = "https://new.example.com"\nbatch_size = 7\nread_only = false\n'
    assert read(path).replace("\n\n", "\n") == (MINE + added).replace("\n\n", "\n")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("members", "old", "new"),
    [
        ({"url": "https://new.example.com"}, '"https://wa.example.com:9090"', '"https://new.example.com"'),
        ({"read_only": False}, "read_only = true", "read_only = false"),
        ({"read_only": None}, "read_only = true\n", ""),
        ({"region": "DE"}, "read_only = true\n", 'read_only = true\nregion = "DE"\n'),
        ({"region": None}, "", ""),
        ({}, "", ""),
    ],
)
def test_a_change_keeps_every_other_line(
    members: dict[str, Value | None], old: str, new: str, end: str, paths: Paths
) -> None:
    path = write(paths, MINE.replace("\n", end))
    save_profile(path, "shop", members)
    assert read(path).replace("\r\n", "\n") == MINE.replace(old, new, 1)
    assert "test" in load(path, {}).profiles


@pytest.mark.parametrize(
    "content",
    [
        'profiles = { shop = { url = "https://a.example.com" } }\n',
        'profiles.shop.url = "https://a.example.com"\n',
        '[profiles]\nshop = { url = "https://a.example.com" } # here\n',
        '[profiles]\n[profiles.shop]\nurl = "https://a.example.com"\n[profiles.b]\nurl = "http://b"\n',
        '[profiles."shop"]\nurl = "https://a.example.com"\n',
    ],
)
def test_a_profile_may_be_written_in_any_form(content: str, paths: Paths) -> None:
    path = write(paths, content)
    others = set(load(path, {}).profiles) - {"shop"}
    save_profile(path, "shop", {"region": "DE", "certificate": PEM})
    assert load(path, {}).profiles["shop"] == Profile("https://a.example.com", "DE", certificate=PEM)
    remove_profile(path, "shop")
    assert set(load(path, {}).profiles) == others


def test_what_does_not_fit_into_how_profiles_are_written_is_refused(paths: Paths) -> None:
    path = write(paths, content := 'profiles = { a = { url = "https://a" } }\n')
    with pytest.raises(BadSettings, match="cannot write"):
        save_profile(path, "new", {"url": "http://new"})
    assert read(path) == content


def test_a_certificate_is_written_on_lines_of_its_own(paths: Paths) -> None:
    path = write(paths)
    save_profile(path, "shop", {"certificate": PEM})
    for line in PEM.splitlines():
        assert line in read(path).splitlines() or line.startswith("-----BEGIN")
    assert load(path, {}).profiles["shop"].certificate == PEM
    save_profile(path, "shop", {"certificate": PEM.replace("AAAA", "BBBB")})
    assert load(path, {}).profiles["shop"].certificate == PEM.replace("AAAA", "BBBB")
    save_profile(path, "shop", {"certificate": None})
    assert read(path) == MINE


@pytest.mark.parametrize(
    ("name", "members", "words"),
    [
        ("shop", {"colour": "pink"}, "colour"),
        ("shop", {"rate": 0.0}, "rate"),
        ("shop", {"rate": 1001.0}, "rate"),
        ("shop", {"batch_size": 0}, "batch_size"),
        ("shop", {"batch_size": 1001}, "batch_size"),
        ("shop", {"kind": "cloud"}, "kind"),
        ("shop", {"word": "x" * 21}, "word"),
        ("shop", {"read_only": 1}, "read_only"),
        ("shop", {"no_such": "x"}, "no_such"),
        ("new", {"url": 1}, "url"),
        (SIMULATOR, {"url": "https://wa.example.com"}, "embedded"),
    ],
)
def test_what_cannot_be_is_refused_and_the_file_stays(
    name: str, members: dict[str, Value | None], words: str, paths: Paths
) -> None:
    path = write(paths)
    with pytest.raises(BadSettings, match=words):
        save_profile(path, name, members)
    assert read(path) == MINE


@pytest.mark.parametrize("change", [lambda path: save_profile(path, "a", {}), lambda path: remove_profile(path, "a")])
def test_a_file_that_cannot_be_read_is_not_overwritten(change: object, paths: Paths) -> None:
    path = write(paths, 'region = "I')
    with pytest.raises(BadSettings, match=str(path)):
        change(path)  # type: ignore[operator]
    assert read(path) == 'region = "I'


def test_removing_a_profile_takes_its_own_lines_alone(paths: Paths) -> None:
    path = write(paths)
    remove_profile(path, "shop")
    kept = [line for line in read(path).splitlines() if line]
    gone = ['profile = "shop"', "[profiles.shop]", 'url = "https://wa.example.com:9090"  # in the cellar']
    assert kept == [line for line in MINE.splitlines() if line and line not in (*gone, "read_only = true")]
    assert load(path, {}) == Settings("IN", profiles={"test": Profile("http://127.0.0.1:9090", rate=2.5)})
    remove_profile(path, "test")
    kept = [line for line in read(path).splitlines() if line]
    assert kept == ["# mine", 'region = "IN"  # home', "# the shop", "# for tests", "# the end"]
    assert load(path, {}) == Settings("IN")


def test_removing_what_is_not_there_changes_nothing(paths: Paths) -> None:
    path = write(paths)
    remove_profile(path, "nobody")
    assert read(path) == MINE


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
PROFILES = st.builds(
    Profile,
    url=TEXT,
    region=st.none() | TEXT,
    read_only=st.booleans(),
    kind=st.sampled_from(ServerKind),
    user=st.none() | TEXT,
    rate=st.none() | st.floats(0.01, 1000),
    batch_size=st.none() | st.integers(1, MAX_BATCH_SIZE),
    ca_file=st.none() | TEXT,
    certificate=st.none() | TEXT | st.text("AB\n\r\"'\\ \t", max_size=30),
    proxy=st.none() | TEXT,
    word=st.none() | TEXT.map(lambda text: text[:20]),
    colour=st.none() | st.sampled_from(COLOURS),
)


def members_of(profile: Profile) -> dict[str, Value | None]:
    members = {name: getattr(profile, name) for name in Profile.__struct_fields__}
    return members | {"kind": profile.kind.value}


NAMES = TEXT.filter(lambda name: name != SIMULATOR)


@example(profiles=[("shop", Profile("", certificate="\r\n"))], other=Profile("", word="a\n[profiles.shop]\n"))
@settings(max_examples=examples(0.5), phases=[Phase.explicit, Phase.generate])
@given(profiles=st.lists(st.tuples(NAMES, PROFILES), max_size=3), other=PROFILES)
def test_any_profile_is_read_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, profiles: list[tuple[str, Profile]], other: Profile
) -> None:
    path = tmp_path_factory.mktemp("any") / "settings.toml"
    for name, profile in profiles:
        save_profile(path, name, members_of(profile))
        assert load(path, {}).profiles[name] == profile
        save_profile(path, name, members_of(other))
        assert load(path, {}).profiles[name] == other
        save_profile(path, name, members_of(profile))
    expected = dict(profiles)
    assert load(path, {}).profiles == expected
    for name in list(expected):
        remove_profile(path, name)
        del expected[name]
        assert load(path, {}).profiles == expected
