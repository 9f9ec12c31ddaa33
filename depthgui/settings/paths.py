"""Where settings, state, logs and cached lists are kept: in one given folder, or in the platform's own places."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import platformdirs

_APP = "depthgui"


@dataclass(frozen=True, slots=True)
class ProfilePaths:
    """The four folders of a profile; `make` creates them."""

    config_dir: Path
    state_dir: Path
    log_dir: Path
    cache_dir: Path

    @property
    def settings_file(self) -> Path:
        """The user's choices."""
        return self.config_dir / "settings.json"

    @property
    def state_file(self) -> Path:
        """Tabs, geometry, recent symbols."""
        return self.state_dir / "state.json"

    @property
    def lock_file(self) -> Path:
        """Held by the one program that may write to this profile."""
        return self.state_dir / "depthgui.lock"

    @property
    def doorbell_file(self) -> Path:
        """Where the program that holds the lock can be asked to come to the front; there only while it runs."""
        return self.state_dir / "doorbell.json"

    @property
    def log_file(self) -> Path:
        """The newest log; older ones have .1, .2, ... appended."""
        return self.log_dir / "depthgui.log"

    def make(self) -> None:
        """Create the folders. Raises OSError where that is impossible."""
        for folder in (self.config_dir, self.state_dir, self.log_dir, self.cache_dir):
            folder.mkdir(parents=True, exist_ok=True)


def profile_paths(profile: Path | None) -> ProfilePaths:
    """The folders of `profile`, or of the user's own profile when it is None."""
    if profile is not None:
        root = profile.expanduser().absolute()
        return ProfilePaths(root, root, root / "logs", root / "cache")
    return ProfilePaths(
        platformdirs.user_config_path(_APP, appauthor=False),
        platformdirs.user_state_path(_APP, appauthor=False),
        platformdirs.user_log_path(_APP, appauthor=False),
        platformdirs.user_cache_path(_APP, appauthor=False),
    )
