"""The real process with panels that raise: it goes on to its end, and the log has each of them once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6 import QtGui

ROOT = Path(__file__).resolve().parents[2]

DRIVER = """
import sys
from depthgui.__main__ import main

def plant():
    import depthgui.ui.loading as loading
    from depthgui.ui.widgets import depth_painter, heatmap_painter, ladder_painter, stat_strip, tape_painter
    from depthgui.ui.viewmodels import ladder, tape

    def raises(*_, **__):
        raise ValueError("planted fault")

    for place in sys.argv[1].split(","):
        module, name, method = place.split(":")
        setattr(getattr(sys.modules[module], name), method, raises)

import depthgui.app.root as root
real = root.load_panels

async def load_panels():
    await real()
    plant()

root.load_panels = load_panels
sys.exit(main(sys.argv[2:]))
"""
PAINTS = ",".join(
    f"depthgui.ui.widgets.{place}"
    for place in (
        "ladder_painter:LadderPainter:paint",
        "tape_painter:TapePainter:_draw_rows",
        "depth_painter:DepthPainter:_paint_prices",
        "heatmap_painter:HeatmapPainter:_draw_axis",
        "stat_strip:StatStrip:shown_stats",
    )
)
FRAMES = "depthgui.ui.viewmodels.ladder:LadderModel:build,depthgui.ui.viewmodels.tape:TapeModel:read"


@pytest.fixture
def display() -> Iterator[str]:
    """An X server without a screen."""
    server = shutil.which("Xvfb")
    if server is None:
        pytest.skip("no Xvfb here")
    read, write = os.pipe()
    command = [server, "-displayfd", str(write), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
    process = subprocess.Popen(command, pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as told:
            yield f":{told.readline().strip()}"
    finally:
        process.terminate()
        process.wait(10)


def run(places: str, profile: Path, picture: Path, **variables: str) -> tuple[subprocess.CompletedProcess[str], float]:
    begun = time.monotonic()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONFAULTHANDLER": "1", **variables}
    arguments = ["--demo", "--profile", str(profile), "--screenshot", str(picture), "--exit-after", "5", "BTCUSDT"]
    command = [sys.executable, "-c", DRIVER, places, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False)
    return done, time.monotonic() - begun


def check(done: subprocess.CompletedProcess[str], profile: Path, picture: Path, failed: tuple[str, ...]) -> None:
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    log = (profile / "logs" / "depthgui.log").read_text()
    for title in failed:
        assert log.count(f"the {title} has failed") == 1
    assert log.count("Traceback") == len(failed)
    assert "QPainter" not in log
    assert "QBackingStore" not in log
    assert QtGui.QImage(str(picture)).width() > 700


@pytest.mark.parametrize(
    ("places", "failed"),
    [
        (PAINTS, ("price ladder", "tape of trades", "depth chart", "heatmap", "strip of figures")),
        (FRAMES, ("price ladder", "tape of trades")),
    ],
    ids=["paints", "frames"],
)
def test_panels_that_raise_do_not_end_the_process(tmp_path: Path, places: str, failed: tuple[str, ...]) -> None:
    picture = tmp_path / "window.png"
    done, _ = run(places, tmp_path / "profile", picture)
    check(done, tmp_path / "profile", picture, failed)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11")
def test_nor_do_they_on_an_x_server(tmp_path: Path, display: str) -> None:
    picture = tmp_path / "window.png"
    done, _ = run(PAINTS, tmp_path / "profile", picture, DISPLAY=display, QT_QPA_PLATFORM="xcb")
    failed = ("price ladder", "tape of trades", "depth chart", "heatmap", "strip of figures")
    check(done, tmp_path / "profile", picture, failed)
