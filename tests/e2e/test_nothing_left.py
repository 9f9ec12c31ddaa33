"""What the real process leaves in the temporary folder: nothing, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("number", [None, signal.SIGINT, signal.SIGKILL], ids=["by itself", "Ctrl+C", "killed"])
def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, number: signal.Signals | None) -> None:
    temporary, profile = tmp_path / "tmp", tmp_path / "profile"
    temporary.mkdir()
    command = [sys.executable, "-m", "depthgui", "--demo", "--profile", str(profile), "BTCUSDT"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    limit = ["--exit-after", "2"] if number is None else []
    process = subprocess.Popen([*command, *limit], env=environment, stderr=subprocess.PIPE)
    if number is not None:
        state = profile / "state.json"
        end = time.monotonic() + 30
        while not (state.is_file() and "BTCUSDT" in state.read_text()):
            assert time.monotonic() < end
            time.sleep(0.05)
        process.send_signal(number)
    process.communicate(timeout=60)
    assert list(temporary.iterdir()) == []
