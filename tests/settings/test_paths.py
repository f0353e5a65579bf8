"""Where files live."""

from pathlib import Path

import pytest

from watui.settings.paths import find_paths


def test_one_folder_of_a_persons_choice_holds_everything(tmp_path: Path) -> None:
    paths = find_paths({"WATUI_HOME": str(tmp_path)})
    assert paths.settings == tmp_path / "config" / "settings.toml"
    assert paths.ledger == tmp_path / "data" / "ledger.sqlite3"
    assert paths.crash_log == tmp_path / "log" / "crash.log"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_may_be_relative_or_begin_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert find_paths({"WATUI_HOME": "here"}).config == tmp_path / "here" / "config"
    assert find_paths({"WATUI_HOME": "~/w"}).config == tmp_path / "me" / "w" / "config"


@pytest.mark.parametrize("environment", [{}, {"WATUI_HOME": ""}])
def test_otherwise_the_folders_of_the_system(environment: dict[str, str]) -> None:
    from platformdirs import PlatformDirs

    paths = find_paths(environment)
    folders = PlatformDirs("watui", appauthor=False)
    assert (paths.config, paths.data, paths.log) == (
        folders.user_config_path,
        folders.user_data_path,
        folders.user_log_path,
    )
    assert all(folder.name for folder in (paths.config, paths.data, paths.log))
