"""Settings and state: declared once, loaded, saved whole or not at all, migrated, and never lost."""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path

import pytest

from depthgui.settings import (
    ALL_SETTINGS,
    Profile,
    RecentSymbols,
    SettingError,
    Settings,
    TabState,
    files,
    profile_paths,
    schema,
)
from depthgui.settings.state import VenueTabs

NOW = datetime.datetime(2026, 11, 22, 14, 2, 31, tzinfo=datetime.UTC)


@pytest.fixture
def profile(tmp_path: Path) -> Profile:
    paths = profile_paths(tmp_path / "profile")
    paths.make()
    return Profile(paths)


def loaded(profile: Profile) -> Profile:
    again = Profile(profile.paths)
    again.load(NOW)
    return again


# ---- declarations


def test_every_setting_is_declared_whole() -> None:
    assert len({setting.key for setting in ALL_SETTINGS}) == len(ALL_SETTINGS)
    declared = [value for value in vars(schema).values() if isinstance(value, schema.Setting)]
    assert {setting.key for setting in declared} == {setting.key for setting in ALL_SETTINGS}
    for setting in ALL_SETTINGS:
        assert setting.check(setting.default) == setting.default
        assert setting.label
        assert setting.help.endswith(".")


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        (schema.THEME, "pink", "is none of system, dark"),
        (schema.FONT_SCALE, 10, "outside 70 to 200"),
        (schema.FONT_SCALE, True, "no whole number"),
        (schema.FONT_SCALE, "100", "no whole number"),
        (schema.FLASH, 1, "no yes or no"),
        (schema.LARGE_ORDER, float("nan"), "outside"),
        (schema.ENDPOINT, "localhost:8900", "is no address"),
        (schema.PROXY, "localhost:1080", "is no proxy address"),
    ],
)
def test_a_value_that_fits_no_declaration_changes_nothing(setting: schema.AnySetting, value: object, said: str) -> None:
    settings = Settings()
    with pytest.raises(SettingError, match=said):
        settings.set_any(setting, value)
    assert settings.get_any(setting) == setting.default


def test_a_whole_number_is_a_number() -> None:
    settings = Settings()
    settings.set(schema.LARGE_ORDER, 3)
    assert settings.get(schema.LARGE_ORDER) == 3.0
    assert isinstance(settings.get(schema.LARGE_ORDER), float)


def test_listeners_hear_of_changes_only() -> None:
    settings = Settings()
    heard: list[str] = []
    unlisten = settings.listen(heard.append)
    settings.set(schema.THEME, "dark")
    settings.set(schema.THEME, "dark")
    settings.set_shortcut("actionResync", "F6")
    unlisten()
    settings.set(schema.THEME, "light")
    assert heard == ["appearance.theme", "shortcuts"]


def test_reset_tells_of_everything_it_changes() -> None:
    settings = Settings()
    settings.set(schema.FONT_SCALE, 120)
    settings.set_shortcut("actionResync", "F6")
    heard: list[str] = []
    settings.listen(heard.append)
    settings.reset()
    assert heard == ["appearance.font_percent", "shortcuts"]
    assert settings.get(schema.FONT_SCALE) == 100
    assert settings.shortcuts == {}


# ---- files


def test_only_choices_are_written_and_they_come_back(profile: Profile) -> None:
    profile.settings.set(schema.THEME, "light")
    profile.settings.set(schema.FONT_SCALE, 120)
    profile.settings.set(schema.FONT_SCALE, 100)
    profile.settings.set_shortcut("actionResync", "F6")
    profile.save_settings()
    written = json.loads(profile.paths.settings_file.read_text())
    assert written == {"version": 1, "values": {"appearance.theme": "light"}, "shortcuts": {"actionResync": "F6"}}
    again = loaded(profile)
    assert again.settings.get(schema.THEME) == "light"
    assert again.settings.shortcuts == {"actionResync": "F6"}
    assert again.notices == []


def test_settings_of_a_newer_version_survive(profile: Profile) -> None:
    profile.paths.settings_file.write_text(json.dumps({"version": 1, "values": {"heatmap.colours": "plasma"}}))
    again = loaded(profile)
    again.settings.set(schema.THEME, "dark")
    again.save_settings()
    values = json.loads(profile.paths.settings_file.read_text())["values"]
    assert values == {"heatmap.colours": "plasma", "appearance.theme": "dark"}


def test_one_bad_value_does_not_cost_the_others(profile: Profile) -> None:
    values = {"appearance.theme": "pink", "appearance.font_percent": 120}
    profile.paths.settings_file.write_text(json.dumps({"version": 1, "values": values}))
    again = loaded(profile)
    assert again.settings.get(schema.FONT_SCALE) == 120
    assert again.settings.get(schema.THEME) == "system"
    assert again.notices == [
        "Theme: pink is none of system, dark, light, colour-blind, colour-blind-dark, colour-blind-light. "
        "Its default is used."
    ]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff\xfe", b'{"version": "1"}', b'{"version": 99}', b'{"version": true}']
)
@pytest.mark.parametrize("name", ["settings_file", "state_file"])
def test_a_damaged_file_is_set_aside_and_told(profile: Profile, name: str, content: bytes) -> None:
    path: Path = getattr(profile.paths, name)
    path.write_bytes(content)
    again = loaded(profile)
    kept = path.with_name(f"{path.name}.corrupt-20261122-140231")
    assert kept.read_bytes() == content
    assert not path.exists()
    assert len(again.notices) == 1
    assert str(kept) in again.notices[0]


def test_two_damaged_files_in_one_second_are_both_kept(profile: Profile) -> None:
    for content in ("first", "second"):
        profile.paths.settings_file.write_text(content)
        loaded(profile)
    kept = sorted(profile.paths.config_dir.glob("settings.json.corrupt-*"))
    assert [path.read_text() for path in kept] == ["first", "second"]


def test_a_state_of_the_wrong_shape_is_set_aside(profile: Profile) -> None:
    profile.paths.state_file.write_text(json.dumps({"version": 1, "venues": {"demo": {"tabs": "BTCUSDT"}}}))
    again = loaded(profile)
    assert again.state.venues == {}
    assert "state.json" in again.notices[0]
    assert list(profile.paths.state_dir.glob("state.json.corrupt-*"))


def test_tabs_and_symbols_come_back_in_order(profile: Profile) -> None:
    tabs = [TabState(symbol="BTCUSDT", layout={"grouping": "10"}), TabState(symbol="usdm:ETHUSDT", is_stopped=True)]
    profile.state.venues["production"] = VenueTabs(tabs=tabs, current=1)
    profile.state.symbols_of("production").opened("BTCUSDT")
    profile.state.window.width = 1200
    profile.save_state()
    again = loaded(profile)
    assert again.state == profile.state
    assert again.state.tabs_of("demo").tabs == []


def test_a_second_program_writes_nothing(profile: Profile) -> None:
    profile.save_settings()
    before = profile.paths.settings_file.read_bytes()
    second = Profile(profile.paths, is_writer=False)
    second.load(NOW)
    second.settings.set(schema.THEME, "dark")
    second.save_settings()
    second.save_state()
    assert profile.paths.settings_file.read_bytes() == before
    assert not profile.paths.state_file.exists()


def test_a_second_program_moves_no_damaged_file(profile: Profile) -> None:
    profile.paths.state_file.write_text("{")
    second = Profile(profile.paths, is_writer=False)
    second.load(NOW)
    assert profile.paths.state_file.read_text() == "{"
    assert "could not be used" in second.notices[0]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file.json"
    files.write_atomically(path, "old")

    def fail(_handle: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        files.write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file.json"]


@pytest.mark.expected_logs("could not save")
def test_a_folder_that_cannot_be_written_ends_nothing(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files.tempfile, "mkstemp", refuse)
    profile.save_state()
    assert not profile.paths.state_file.exists()


def test_migrations_run_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text(json.dumps({"version": 1, "text": "a"}))
    steps = {
        1: lambda document: {**document, "text": document["text"] + "b"},
        2: lambda document: {**document, "text": document["text"] + "c"},
    }
    assert files.read_document(path, 3, steps) == {"version": 3, "text": "abc"}


def test_import_and_export(profile: Profile, tmp_path: Path) -> None:
    profile.settings.set(schema.THEME, "light")
    exported = tmp_path / "mine.json"
    exported.write_text(profile.settings.export_text())
    other = Profile(profile.paths)
    assert other.import_settings(exported) == []
    assert other.settings.get(schema.THEME) == "light"
    assert other.import_settings(tmp_path / "none.json") == [f"There is no file {tmp_path / 'none.json'}."]
    exported.write_text("{")
    assert other.import_settings(exported)[0].startswith("mine.json could not be used: it is not JSON")
    assert other.settings.get(schema.THEME) == "light"


# ---- recent symbols


def test_recents_are_newest_first_without_repeats() -> None:
    recent = RecentSymbols()
    for number in range(30):
        recent.opened(f"S{number}")
    recent.opened("S25")
    assert recent.recents[:3] == ["S25", "S29", "S28"]
    assert len(recent.recents) == 20


def test_favourites_toggle() -> None:
    recent = RecentSymbols()
    assert recent.toggle_favourite("BTCUSDT")
    assert not recent.toggle_favourite("BTCUSDT")
    assert recent.favourites == []
