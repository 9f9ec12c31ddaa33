"""How much memory this process has in RAM. Knows no Qt, so that programs without a window can ask, too."""

from __future__ import annotations

import mmap
from pathlib import Path


def resident_bytes() -> int:
    """Memory that this process has in RAM; 0 where the system has no /proc to tell it."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * mmap.PAGESIZE
