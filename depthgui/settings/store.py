"""Settings and state in memory, and their way from and to the files of a profile."""

from __future__ import annotations

import datetime
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from depthgui.settings import files
from depthgui.settings.paths import ProfilePaths
from depthgui.settings.schema import ALL_SETTINGS, AnySetting, Setting, SettingError, T
from depthgui.settings.state import SessionState

_LOG = logging.getLogger(__name__)

SETTINGS_VERSION = 1
STATE_VERSION = 1
# From-version -> what brings a document to the next one.
SETTINGS_MIGRATIONS: Mapping[int, files.Migration] = {}
STATE_MIGRATIONS: Mapping[int, files.Migration] = {}

_BY_KEY = {setting.key: setting for setting in ALL_SETTINGS}


class Settings:
    """The user's choices. Reading gives the default where nothing was chosen; listeners hear of every change."""

    def __init__(self) -> None:
        self._values: dict[str, object] = {}
        self._unknown: dict[str, object] = {}
        self.shortcuts: dict[str, str] = {}
        self._listeners: list[Callable[[str], None]] = []

    def get(self, setting: Setting[T]) -> T:
        """The value chosen for `setting`, else its default."""
        return setting.check(self._values.get(setting.key, setting.default))

    def get_any(self, setting: AnySetting) -> bool | int | float | str:
        """The same as `get`, for a setting whose type isn't known where it is called."""
        return setting.check(self._values.get(setting.key, setting.default))

    def set(self, setting: Setting[T], value: object) -> None:
        """Choose a value. Raises `SettingError` if the setting does not take it; nothing changes then."""
        self._put(setting.key, setting.check(value), setting.default)

    def set_any(self, setting: AnySetting, value: object) -> None:
        """The same as `set`, for a setting whose type isn't known where it is called."""
        self._put(setting.key, setting.check(value), setting.default)

    def _put(self, key: str, value: object, default: object) -> None:
        if value == self._values.get(key, default):
            return
        if value == default:
            self._values.pop(key, None)
        else:
            self._values[key] = value
        self._tell(key)

    def reset(self) -> None:
        """Back to the defaults, keys included."""
        changed = list(self._values)
        self._values.clear()
        self.shortcuts.clear()
        for key in [*changed, "shortcuts"]:
            self._tell(key)

    def set_shortcut(self, action: str, keys: str | None) -> None:
        """Choose the keys of an action; None goes back to its own."""
        if keys is None:
            self.shortcuts.pop(action, None)
        else:
            self.shortcuts[action] = keys
        self._tell("shortcuts")

    def listen(self, callback: Callable[[str], None]) -> Callable[[], None]:
        """Call `callback` with the key of each setting that changes; returns what ends that."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback)

    def _tell(self, key: str) -> None:
        for callback in tuple(self._listeners):
            callback(key)

    def to_document(self) -> dict[str, object]:
        """What the file holds: only what differs from the defaults, and what a newer version had put there."""
        return {"values": {**self._unknown, **self._values}, "shortcuts": dict(self.shortcuts)}

    def load_document(self, document: Mapping[str, Any]) -> list[str]:
        """Take over a file's content; returns a sentence for each value that could not be used."""
        problems: list[str] = []
        values = document.get("values", {})
        for key, raw in values.items() if isinstance(values, dict) else ():
            setting = _BY_KEY.get(key)
            if setting is None:
                self._unknown[key] = raw
                continue
            try:
                self._put(key, setting.check(raw), setting.default)
            except SettingError as error:
                problems.append(f"{error}. Its default is used.")
        shortcuts = document.get("shortcuts", {})
        if isinstance(shortcuts, dict):
            for action, keys in shortcuts.items():
                self.set_shortcut(str(action), str(keys))
        return problems

    def export_text(self) -> str:
        """The settings as text for a file of the user's own."""
        return json.dumps({"version": SETTINGS_VERSION, **self.to_document()}, indent=2, ensure_ascii=False) + "\n"


class Profile:
    """Settings and state of one user, with their files.

    A second program on the same profile gets `is_writer` False: it reads, and writes nothing. `notices` are sentences
    for the user about what was found while loading.
    """

    def __init__(self, paths: ProfilePaths, *, is_writer: bool = True) -> None:
        self.paths = paths
        self.is_writer = is_writer
        self.settings = Settings()
        self.state = SessionState()
        self.notices: list[str] = []

    def load(self, now: datetime.datetime) -> None:
        """Read both files. What is damaged is set aside under a name with `now` in it, and told in `notices`."""
        document = self._read(self.paths.settings_file, SETTINGS_VERSION, SETTINGS_MIGRATIONS, now)
        if document is not None:
            self.notices += self.settings.load_document(document)
        document = self._read(self.paths.state_file, STATE_VERSION, STATE_MIGRATIONS, now)
        if document is not None:
            try:
                self.state = msgspec.convert(document, SessionState)
            except msgspec.ValidationError as error:
                self._put_aside(self.paths.state_file, str(error), now)

    def import_settings(self, path: Path) -> list[str]:
        """Take over an exported file and save; returns a sentence for everything that could not be used."""
        try:
            document = files.read_document(path, SETTINGS_VERSION, SETTINGS_MIGRATIONS)
        except files.DamagedFileError as error:
            return [f"{path.name} could not be used: {error}."]
        except OSError as error:
            return [f"{path} could not be read: {error.strerror}."]
        if document is None:
            return [f"There is no file {path}."]
        problems = self.settings.load_document(document)
        self.save_settings()
        return problems

    def save_settings(self) -> None:
        """Write the settings file, if this program may. An error is logged; the program goes on."""
        self._write(self.paths.settings_file, SETTINGS_VERSION, self.settings.to_document())

    def save_state(self) -> None:
        """Write the state file, if this program may. An error is logged; the program goes on."""
        self._write(self.paths.state_file, STATE_VERSION, msgspec.to_builtins(self.state))

    def _write(self, path: Path, version: int, content: Mapping[str, object]) -> None:
        if not self.is_writer:
            return
        try:
            files.write_document(path, version, content)
        except OSError as error:
            _LOG.error("could not save %s: %s", path, error)

    def _read(
        self, path: Path, version: int, migrations: Mapping[int, files.Migration], now: datetime.datetime
    ) -> files.Document | None:
        try:
            return files.read_document(path, version, migrations)
        except files.DamagedFileError as error:
            self._put_aside(path, str(error), now)
        except OSError as error:
            self.notices.append(f"{path} could not be read: {error.strerror}. The defaults are used.")
        return None

    def _put_aside(self, path: Path, why: str, now: datetime.datetime) -> None:
        if not self.is_writer:
            self.notices.append(f"{path.name} could not be used: {why}. The defaults are used.")
            return
        kept = files.set_aside(path, now)
        self.notices.append(f"{path.name} could not be used: {why}. It was kept as {kept}, and the defaults are used.")
