"""The settings dialog: made from the declarations, effective at once, saved at once."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from PySide6 import QtGui, QtWidgets
from ui.shell.conftest import Shell

from depthgui.settings import ALL_SETTINGS, schema
from depthgui.ui.actions import ACTIONS
from depthgui.ui.dialogs.settings_dialog import SettingsDialog


@pytest.fixture
def dialog(shell: Shell) -> SettingsDialog:
    shell.window.dialogs.settings()
    found = shell.dialog("settingsDialog")
    assert isinstance(found, SettingsDialog)
    return found


def field(dialog: SettingsDialog, setting: schema.AnySetting) -> QtWidgets.QWidget:
    found = dialog.findChild(QtWidgets.QWidget, f"setting-{setting.key}")
    assert found is not None, setting.key
    return found


def saved(shell: Shell) -> dict[str, object]:
    values: dict[str, object] = json.loads(shell.profile.paths.settings_file.read_text())["values"]
    return values


async def test_every_declared_setting_has_a_field_with_its_name_and_help(dialog: SettingsDialog) -> None:
    for setting in ALL_SETTINGS:
        widget = field(dialog, setting)
        assert widget.accessibleName() == setting.label
        assert widget.accessibleDescription() == setting.help


async def test_a_choice_takes_effect_and_is_saved_at_once(shell: Shell, dialog: SettingsDialog) -> None:
    combo = field(dialog, schema.THEME)
    assert isinstance(combo, QtWidgets.QComboBox)
    index = combo.findData("light")
    combo.setCurrentIndex(index)
    combo.activated.emit(index)
    assert shell.profile.settings.get(schema.THEME) == "light"
    assert saved(shell) == {"appearance.theme": "light"}


async def test_numbers_and_ticks(shell: Shell, dialog: SettingsDialog) -> None:
    spin = field(dialog, schema.FONT_SCALE)
    assert isinstance(spin, QtWidgets.QSpinBox)
    assert (spin.minimum(), spin.maximum(), spin.suffix()) == (70, 200, " %")
    spin.setValue(120)
    box = field(dialog, schema.FLASH)
    assert isinstance(box, QtWidgets.QCheckBox)
    box.click()
    assert saved(shell) == {"appearance.font_percent": 120, "ladder.flash": False}


async def test_what_is_wrong_is_said_below_the_field_and_changes_nothing(shell: Shell, dialog: SettingsDialog) -> None:
    line = field(dialog, schema.PROXY)
    assert isinstance(line, QtWidgets.QLineEdit)
    line.setText("localhost:1080")
    line.editingFinished.emit()
    assert shell.profile.settings.get(schema.PROXY) == ""
    said = [label.text() for label in dialog.findChildren(QtWidgets.QLabel)]
    assert any("localhost:1080 is no proxy address" in text for text in said)
    line.setText("socks5://localhost:1080")
    line.editingFinished.emit()
    assert shell.profile.settings.get(schema.PROXY) == "socks5://localhost:1080"
    said = [label.text() for label in dialog.findChildren(QtWidgets.QLabel)]
    assert not any("is no proxy address" in text for text in said)


async def test_a_venue_is_connected_by_its_button_only(shell: Shell, dialog: SettingsDialog) -> None:
    combo = field(dialog, schema.VENUE)
    assert isinstance(combo, QtWidgets.QComboBox)
    combo.activated.emit(combo.findData("demo"))
    assert shell.switch.asked == []
    connect = dialog.findChild(QtWidgets.QPushButton, "settingsConnect")
    assert connect is not None
    connect.click()
    await asyncio.sleep(0.02)
    assert shell.switch.asked == [("demo", "")]


async def test_another_address_needs_one(shell: Shell, dialog: SettingsDialog) -> None:
    combo = field(dialog, schema.VENUE)
    assert isinstance(combo, QtWidgets.QComboBox)
    combo.activated.emit(combo.findData("custom"))
    connect = dialog.findChild(QtWidgets.QPushButton, "settingsConnect")
    assert connect is not None
    connect.click()
    await asyncio.sleep(0.02)
    assert shell.switch.asked == []
    assert "Type an address first." in [label.text() for label in dialog.findChildren(QtWidgets.QLabel)]


async def test_keys_can_be_chosen_but_not_twice(shell: Shell, dialog: SettingsDialog) -> None:
    assert all(dialog.findChild(QtWidgets.QKeySequenceEdit, f"key-{spec.name}") for spec in ACTIONS)
    edit = dialog.findChild(QtWidgets.QKeySequenceEdit, "key-actionResync")
    assert edit is not None
    edit.setKeySequence(QtGui.QKeySequence("Ctrl+R"))
    edit.editingFinished.emit()
    assert shell.profile.settings.shortcuts == {"actionResync": "Ctrl+R"}
    edit.setKeySequence(QtGui.QKeySequence("Ctrl+T"))
    edit.editingFinished.emit()
    assert shell.profile.settings.shortcuts == {"actionResync": "Ctrl+R"}
    assert "already means: Add symbol" in edit.toolTip()
    edit.setKeySequence(QtGui.QKeySequence("F5"))
    edit.editingFinished.emit()
    assert shell.profile.settings.shortcuts == {}


async def test_export_import_and_reset(shell: Shell, dialog: SettingsDialog, tmp_path: Path) -> None:
    shell.profile.settings.set(schema.FONT_SCALE, 130)
    path = tmp_path / "mine.json"
    dialog.export_to(path)
    reset = dialog.findChild(QtWidgets.QPushButton, "settingsReset")
    assert reset is not None
    reset.click()
    assert shell.profile.settings.get(schema.FONT_SCALE) == 100
    assert saved(shell) == {}
    dialog.import_from(path)
    assert shell.profile.settings.get(schema.FONT_SCALE) == 130
    spin = field(dialog, schema.FONT_SCALE)
    assert isinstance(spin, QtWidgets.QSpinBox)
    assert spin.value() == 130


async def test_a_proxy_is_tried_by_its_button(shell: Shell, dialog: SettingsDialog) -> None:
    shell.profile.settings.set(schema.PROXY, "socks5://localhost:1080")
    button = dialog.findChild(QtWidgets.QPushButton, "settingsTryProxy")
    assert button is not None
    button.click()
    await asyncio.sleep(0.02)
    assert "socks5://localhost:1080 works." in [label.text() for label in dialog.findChildren(QtWidgets.QLabel)]
