"""Which Python runs a measured program."""

from __future__ import annotations

import os
import sys

PYTHON_VARIABLE = "DEPTHGUI_BENCH_PYTHON"


def app_python() -> str:
    """The Python of the environment without the peers: what they bring along would change how depthgui runs."""
    return os.environ.get(PYTHON_VARIABLE) or sys.executable
