"""The settings dialog, built from the declarations in `settings.schema`: a page a group, a field a setting.

A change takes effect at once and is saved at once; there is no OK button to forget.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6 import QtCore, QtGui, QtWidgets

from depthgui.settings import Profile, SettingError
from depthgui.settings.schema import ALL_SETTINGS, ENDPOINT, PROXY, VENUE, AnySetting, Group
from depthgui.ui.actions import ACTIONS, plain_text
from depthgui.ui.theme import Theme

_FIELD_WIDTH = 250


class SettingsDialog(QtWidgets.QDialog):
    """All settings. `venue_wanted` carries the key of another environment, `proxy_trial_wanted` a proxy to try."""

    venue_wanted = QtCore.Signal(str)
    proxy_trial_wanted = QtCore.Signal(str)

    def __init__(self, profile: Profile, theme: Theme, parent: QtWidgets.QWidget) -> None:
        """Build the pages from the declarations."""
        super().__init__(parent)
        self._profile = profile
        self._settings = profile.settings
        self._theme = theme
        self._problems: dict[str, QtWidgets.QLabel] = {}
        self.setObjectName("settingsDialog")
        self.setWindowTitle("Settings")
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        self._pages = QtWidgets.QStackedWidget()
        self._groups = QtWidgets.QListWidget()
        self._groups.setObjectName("settingsGroups")
        self._groups.setAccessibleName("Groups")
        self._groups.setFixedWidth(150)
        self._groups.currentRowChanged.connect(self._pages.setCurrentIndex)
        self._build()
        self.resize(820, 560)

    def _build(self) -> None:
        self._fill()
        body = QtWidgets.QHBoxLayout()
        body.setSpacing(16)
        body.addWidget(self._groups)
        body.addWidget(self._pages, 1)
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(18, 18, 18, 16)
        column.setSpacing(14)
        column.addLayout(body, 1)
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(8)
        choices: tuple[tuple[str, str, Callable[[], object]], ...] = (
            ("Import…", "settingsImport", self._import),
            ("Export…", "settingsExport", self._export),
            ("Reset all", "settingsReset", self._reset),
        )
        for text, name, handler in choices:
            row.addWidget(_button(text, name, handler))
        row.addStretch(1)
        close = _button("Close", "settingsClose", self.close)
        close.setDefault(True)
        row.addWidget(close)
        column.addLayout(row)

    def _fill(self) -> None:
        """Make all pages anew, from what the settings are now."""
        row = max(0, self._groups.currentRow())
        self._groups.clear()
        self._problems.clear()
        while (old := self._pages.widget(0)) is not None:
            self._pages.removeWidget(old)
            old.deleteLater()
        for group in Group:
            self._add_group(group.value)
            self._pages.addWidget(self._page([setting for setting in ALL_SETTINGS if setting.group is group]))
        self._add_group("Keys")
        self._pages.addWidget(self._keys_page())
        self._groups.setCurrentRow(row)

    def _add_group(self, title: str) -> None:
        item = QtWidgets.QListWidgetItem(title)
        item.setSizeHint(QtCore.QSize(0, self._groups.fontMetrics().height() + 18))
        self._groups.addItem(item)

    def _page(self, settings: list[AnySetting]) -> QtWidgets.QWidget:
        content = QtWidgets.QWidget()
        form = QtWidgets.QGridLayout(content)
        form.setContentsMargins(0, 0, 12, 0)
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(4)
        form.setColumnStretch(0, 1)
        for number, setting in enumerate(settings):
            self._add_row(form, number * 2, setting)
        if VENUE in settings:
            connect = _button("Connect", "settingsConnect", self._connect_venue)
            connect.setProperty("role", "primary")
            form.addWidget(connect, len(settings) * 2, 1, QtCore.Qt.AlignmentFlag.AlignRight)
        if PROXY in settings:
            trial = _button("Try the proxy", "settingsTryProxy", self._try_proxy)
            form.addWidget(trial, len(settings) * 2, 1, QtCore.Qt.AlignmentFlag.AlignRight)
        form.setRowStretch(len(settings) * 2 + 1, 1)
        return _scrolled(content)

    def _add_row(self, form: QtWidgets.QGridLayout, row: int, setting: AnySetting) -> None:
        label = QtWidgets.QLabel(setting.label)
        field = self._field(setting)
        field.setObjectName(f"setting-{setting.key}")
        field.setAccessibleName(setting.label)
        field.setAccessibleDescription(setting.help)
        field.setFixedWidth(_FIELD_WIDTH)
        label.setBuddy(field)
        text = QtWidgets.QLabel(setting.help)
        text.setProperty("role", "small")
        text.setWordWrap(True)
        text.setContentsMargins(0, 0, 0, 12)
        self._problems[setting.key] = text
        form.addWidget(label, row, 0)
        form.addWidget(field, row, 1)
        form.addWidget(text, row + 1, 0, 1, 2)

    def _field(self, setting: AnySetting) -> QtWidgets.QWidget:
        value = self._settings.get_any(setting)
        if setting.choices:
            return self._combo(setting, value)
        if isinstance(value, bool):
            box = QtWidgets.QCheckBox("On")
            box.setChecked(value)
            box.toggled.connect(lambda on: self._set(setting, on))
            return box
        if isinstance(value, int):
            spin = QtWidgets.QSpinBox()
            spin.setRange(int(setting.minimum or 0), int(setting.maximum or 10**9))
            spin.setValue(value)
            spin.setSuffix(f" {setting.unit}" if setting.unit else "")
            spin.valueChanged.connect(lambda number: self._set(setting, number))
            return spin
        line = QtWidgets.QLineEdit(f"{value:g}" if isinstance(value, float) else value)
        line.setPlaceholderText(setting.placeholder)
        if isinstance(value, float):
            line.setInputMethodHints(QtCore.Qt.InputMethodHint.ImhFormattedNumbersOnly)
        line.editingFinished.connect(lambda: self._set_text(setting, line))
        return line

    def _combo(self, setting: AnySetting, value: object) -> QtWidgets.QComboBox:
        combo = QtWidgets.QComboBox()
        for choice in setting.choices:
            combo.addItem(choice.label, choice.value)
        combo.setCurrentIndex(next(n for n in range(len(setting.choices)) if setting.choices[n].value == value))
        combo.activated.connect(lambda index: self._set(setting, setting.choices[index].value))
        return combo

    def _set_text(self, setting: AnySetting, line: QtWidgets.QLineEdit) -> None:
        raw: object = line.text().strip()
        if isinstance(setting.default, float):
            try:
                raw = float(line.text().replace(",", "").strip() or 0)
            except ValueError:
                raw = line.text()
        is_good = self._set(setting, raw)
        line.setProperty("invalid", "false" if is_good else "true")
        line.style().unpolish(line)
        line.style().polish(line)

    def _set(self, setting: AnySetting, value: object) -> bool:
        """Choose a value; what is wrong with it is said below the field."""
        label = self._problems[setting.key]
        try:
            self._settings.set_any(setting, value)
        except SettingError as error:
            label.setText(str(error))
            _set_role(label, "error")
            return False
        label.setText(setting.help)
        _set_role(label, "small")
        self._profile.save_settings()
        return True

    def _connect_venue(self) -> None:
        key = self._settings.get(VENUE)
        if key == "custom" and not self._settings.get(ENDPOINT):
            self._problems[ENDPOINT.key].setText("Type an address first.")
            _set_role(self._problems[ENDPOINT.key], "error")
            return
        self.venue_wanted.emit(key)

    def _try_proxy(self) -> None:
        self.show_proxy_trial("Trying…")
        self.proxy_trial_wanted.emit(self._settings.get(PROXY))

    def show_setting(self, setting: AnySetting) -> None:
        """Turn to the page of a setting, and put the cursor into its field."""
        self._groups.setCurrentRow(list(Group).index(setting.group))
        field = self.findChild(QtWidgets.QWidget, f"setting-{setting.key}")
        if isinstance(field, QtWidgets.QWidget):
            field.setFocus()

    def show_proxy_trial(self, found: str) -> None:
        """Say below the field how the trial went."""
        label = self._problems[PROXY.key]
        label.setText(found)
        _set_role(label, "small")

    # ---- keys

    def _keys_page(self) -> QtWidgets.QWidget:
        content = QtWidgets.QWidget()
        form = QtWidgets.QGridLayout(content)
        form.setContentsMargins(0, 0, 12, 0)
        form.setColumnStretch(0, 1)
        for row, spec in enumerate(ACTIONS):
            own = self._settings.shortcuts.get(spec.name)
            keys = own if own is not None else (spec.keys[0] if spec.keys else "")
            field = QtWidgets.QKeySequenceEdit(QtGui.QKeySequence(keys))
            field.setMaximumSequenceLength(1)
            field.setClearButtonEnabled(True)
            field.setObjectName(f"key-{spec.name}")
            field.setAccessibleName(plain_text(spec.text))
            field.setFixedWidth(_FIELD_WIDTH)
            field.editingFinished.connect(
                lambda name=spec.name, edit=field, default=spec.keys[:1]: self._set_key(name, edit, default)
            )
            form.addWidget(QtWidgets.QLabel(plain_text(spec.text)), row, 0)
            form.addWidget(field, row, 1)
        form.setRowStretch(len(ACTIONS), 1)
        return _scrolled(content)

    def _set_key(self, name: str, field: QtWidgets.QKeySequenceEdit, default: tuple[str, ...]) -> None:
        keys = field.keySequence().toString(QtGui.QKeySequence.SequenceFormat.PortableText)
        taken = self._who_has(keys, name)
        field.setToolTip(f"{keys} already means: {taken}" if taken else "")
        if taken:
            field.setKeySequence(QtGui.QKeySequence(self._settings.shortcuts.get(name, "".join(default))))
            QtWidgets.QToolTip.showText(field.mapToGlobal(QtCore.QPoint(0, field.height())), field.toolTip(), field)
            return
        self._settings.set_shortcut(name, None if (keys,) == default or (not keys and not default) else keys)
        self._profile.save_settings()

    def _who_has(self, keys: str, name: str) -> str:
        """The text of another command that has these keys, "" if none has."""
        for spec in ACTIONS:
            own = self._settings.shortcuts.get(spec.name)
            if keys and spec.name != name and keys in (spec.keys if own is None else (own,)):
                return plain_text(spec.text)
        return ""

    # ---- import, export, reset

    def _reset(self) -> None:
        self._settings.reset()
        self._profile.save_settings()
        self._fill()

    def _export(self) -> None:
        dialog = QtWidgets.QFileDialog(self, "Export settings", "depthgui-settings.json", "Settings (*.json)")
        dialog.setAcceptMode(QtWidgets.QFileDialog.AcceptMode.AcceptSave)
        dialog.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.export_to(Path(name)))
        dialog.open()

    def _import(self) -> None:
        dialog = QtWidgets.QFileDialog(self, "Import settings", "", "Settings (*.json)")
        dialog.setFileMode(QtWidgets.QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: self.import_from(Path(name)))
        dialog.open()

    def export_to(self, path: Path) -> None:
        """Write the settings to a file of the user's own."""
        try:
            path.write_text(self._settings.export_text(), encoding="utf-8")
        except OSError as error:
            self._tell(f"{path} could not be written: {error.strerror}")

    def import_from(self, path: Path) -> None:
        """Take over a file that `export_to` wrote; what cannot be used is told."""
        problems = self._profile.import_settings(path)
        self._fill()
        if problems:
            self._tell("\n".join(problems))

    def _tell(self, text: str) -> None:
        box = QtWidgets.QMessageBox(QtWidgets.QMessageBox.Icon.Warning, "Settings", text, parent=self)
        box.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()


def _button(text: str, name: str, handler: Callable[[], object]) -> QtWidgets.QPushButton:
    button = QtWidgets.QPushButton(text)
    button.setObjectName(name)
    button.setAutoDefault(False)
    button.clicked.connect(lambda _checked=False: handler())
    return button


def _scrolled(content: QtWidgets.QWidget) -> QtWidgets.QScrollArea:
    area = QtWidgets.QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
    area.setWidget(content)
    return area


def _set_role(widget: QtWidgets.QWidget, role: str) -> None:
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
