"""What the user chose (settings) and how the window was left (state): declared as data, loaded, saved, migrated.

``schema`` declares every setting once; the dialog, the file and the README's table are made from it. ``store`` reads
and writes the files. ``state`` is the window's memory, which is no choice and has no dialog. ``paths`` says where.
"""

from depthgui.settings.paths import ProfilePaths, profile_paths
from depthgui.settings.schema import ALL_SETTINGS, Setting, SettingError
from depthgui.settings.state import RecentSymbols, SessionState, TabState
from depthgui.settings.store import Profile, Settings

__all__ = [
    "ALL_SETTINGS",
    "Profile",
    "ProfilePaths",
    "RecentSymbols",
    "SessionState",
    "Setting",
    "SettingError",
    "Settings",
    "TabState",
    "profile_paths",
]
