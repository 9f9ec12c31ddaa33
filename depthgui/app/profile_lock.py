"""One program may write to a profile; a second one on the same profile is told so and writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6 import QtCore

SECOND = (
    "Another DepthGUI uses this profile. This one works as usual, but its tabs and settings are not kept; "
    "start it with --profile and another folder to keep them."
)


@contextmanager
def lock_profile(path: Path) -> Iterator[bool]:
    """Hold the lock file while the block runs; yields True if this program is the one that may write."""
    lock = QtCore.QLockFile(str(path))
    # Stale only when its process is gone, never because of its age: the program runs for days.
    lock.setStaleLockTime(0)
    is_ours = lock.tryLock(0)
    try:
        yield is_ours
    finally:
        if is_ours:
            lock.unlock()
