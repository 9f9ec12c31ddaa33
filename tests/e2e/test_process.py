"""The real process: what it prints, how it ends, and what it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6 import QtGui

ROOT = Path(__file__).resolve().parents[2]
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and process groups of POSIX")


def environment(**changes: str | None) -> dict[str, str]:
    found = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    for name, value in changes.items():
        found.pop(name, None)
        if value is not None:
            found[name] = value
    return found


def run(
    *argv: str | Path, env: dict[str, str] | None = None, timeout_s: float = 90
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "depthgui", *map(str, argv)]
    return subprocess.run(
        command, env=env or environment(), capture_output=True, text=True, timeout=timeout_s, check=False
    )


@pytest.fixture
def started(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A running program on the embedded exchange, with its tabs open."""
    command = [sys.executable, "-m", "depthgui", "--demo", "--profile", str(tmp_path / "profile"), "BTCUSDT"]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    state = tmp_path / "profile" / "state.json"
    wait_for(lambda: (state.is_file() and "BTCUSDT" in state.read_text()) or process.poll() is not None)
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


def wait_for(condition: object, limit_s: float = 30) -> None:
    end = time.monotonic() + limit_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.05)


def children_of(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(entry.name))
    return found


def test_a_picture_of_the_demo(tmp_path: Path) -> None:
    picture = tmp_path / "out" / "window.png"
    done = run("--demo", "--profile", tmp_path, "--screenshot", picture, "--exit-after", "5")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    image = QtGui.QImage(str(picture))
    assert (image.width(), image.height()) == (1440, 900)
    colours = {image.pixelColor(x, y).name() for x in range(0, 1440, 7) for y in range(0, 900, 7)}
    assert len(colours) > 20, "an empty window"
    tabs = json.loads((tmp_path / "state.json").read_text())["venues"]["demo"]["tabs"]
    assert [tab["symbol"] for tab in tabs] == ["BTCUSDT", "usdm:ETHUSDT", "coinm:BTCUSD_PERP"]
    assert (tmp_path / "logs" / "depthgui.log").is_file()


def test_a_picture_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    done = run("--demo", "--profile", tmp_path, "--screenshot", tmp_path / "window.nonsense", "--exit-after", "1")
    assert done.returncode == 1
    assert "could not write a picture" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_self_test_passes_and_reports(tmp_path: Path) -> None:
    report = tmp_path / "report.txt"
    done = run("--self-test", "--report", report, env=environment(QT_QPA_PLATFORM=None, DISPLAY=None), timeout_s=150)
    assert done.returncode == 0, done.stdout + done.stderr
    assert report.read_text() == done.stdout
    lines = done.stdout.splitlines()
    assert lines[-1] == "all checks passed"
    checks = lines[1:-1]
    assert len(checks) >= 9
    assert all(line.startswith("ok ") for line in checks)
    assert any("disconnect seen" in line for line in checks)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems always have a display")
def test_without_a_display_it_says_so(tmp_path: Path) -> None:
    bare = environment(QT_QPA_PLATFORM=None, DISPLAY=None, WAYLAND_DISPLAY=None)
    done = run("--demo", "--profile", tmp_path, env=bare)
    assert done.returncode == 1
    assert "there is no display" in done.stderr
    assert "QT_QPA_PLATFORM=offscreen" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_recording_that_is_none_is_told(tmp_path: Path) -> None:
    recording = tmp_path / "broken.ndjson.gz"
    recording.write_bytes(b"this is no recording")
    done = run("--replay", recording, "--profile", tmp_path, "--screenshot", tmp_path / "w.png", "--exit-after", "2")
    assert done.returncode == 0
    assert "The embedded exchange could not start" in done.stderr
    assert "broken.ndjson.gz" in done.stderr
    assert "Traceback" not in done.stderr


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(started: subprocess.Popen[bytes], tmp_path: Path, number: signal.Signals) -> None:
    (exchange,) = children_of(started.pid)
    started.send_signal(number)
    assert started.wait(20) == 0
    assert started.stderr is not None
    assert started.stderr.read() == b""
    wait_for(lambda: not Path(f"/proc/{exchange}").exists(), 5)
    state = json.loads((tmp_path / "profile" / "state.json").read_text())
    assert [tab["symbol"] for tab in state["venues"]["demo"]["tabs"]] == ["BTCUSDT"]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_the_exchange_goes_when_the_program_is_killed(started: subprocess.Popen[bytes]) -> None:
    (exchange,) = children_of(started.pid)
    started.kill()
    started.wait(10)
    wait_for(lambda: not Path(f"/proc/{exchange}").exists(), 10)


QUIT = """
import asyncio, sys
from PySide6 import QtCore, QtWidgets
from depthgui.app import process
from depthgui.cli import parse

async def quit_and_wait(stop, limit_s):
    app = QtWidgets.QApplication.instance()
    app.postEvent(app, QtCore.QEvent(QtCore.QEvent.Type.Quit))
    await asyncio.wait_for(stop.wait(), 20)
    print("stopped")

process._wait = quit_and_wait
sys.exit(process.run_process(parse(sys.argv[1:])))
"""


def test_the_desktop_s_wish_to_quit_is_an_orderly_end(tmp_path: Path) -> None:
    command = [sys.executable, "-c", QUIT, "--demo", "--profile", str(tmp_path)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "stopped\n", "")
    assert "depthgui has ended" in (tmp_path / "logs" / "depthgui.log").read_text()


def tabs_in(profile: Path) -> list[str]:
    state = json.loads((profile / "state.json").read_text())
    return [tab["symbol"] for tab in state["venues"]["demo"]["tabs"]]


def own_log(profile: Path, process: subprocess.Popen[bytes]) -> Path:
    """The log of a program that keeps nothing; it is there while that program runs."""
    return profile / "logs" / f"depthgui.{process.pid}.log"


@pytest.fixture
def start_again(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts the program on the profile of `started`, on the embedded exchange by its settings."""
    profile = tmp_path / "profile"
    processes: list[subprocess.Popen[bytes]] = []

    def start(*argv: str, command: tuple[str, ...] = ("-m", "depthgui")) -> subprocess.Popen[bytes]:
        profile.mkdir(exist_ok=True)
        chosen = {"version": 1, "values": {"venue.environment": "demo"}}
        (profile / "settings.json").write_text(json.dumps(chosen))
        whole = [sys.executable, *command, "--profile", str(profile), *argv]
        process = subprocess.Popen(whole, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


Start = Callable[..., subprocess.Popen[bytes]]


PATIENT = """
import functools, sys
from depthgui.__main__ import main
from depthgui.app import doorbell
doorbell._LIMIT_S = 60.0
doorbell.ring = functools.partial(doorbell.ring, limit_s=60.0)
sys.exit(main())
"""


def test_a_second_start_opens_its_symbols_in_the_first_window(
    started: subprocess.Popen[bytes], start_again: Start, tmp_path: Path
) -> None:
    profile = tmp_path / "profile"
    wait_for((profile / "doorbell.json").is_file)
    second = start_again("ETHUSDT", command=("-c", PATIENT))
    out, err = second.communicate(timeout=60)
    assert (second.returncode, err) == (0, b"")
    assert (
        out.decode().strip() == "depthgui: DepthGUI runs with this profile already; its window has come to the front."
    )
    wait_for(lambda: tabs_in(profile) == ["BTCUSDT", "ETHUSDT"])
    assert started.poll() is None
    assert os.listdir(profile / "logs") == ["depthgui.log"]


def test_two_starts_at_once_make_one_window(start_again: Start) -> None:
    """The second waits until the first can answer; longer than usual, for machines on which a start takes long."""
    both = [start_again("BTCUSDT", command=("-c", PATIENT)) for _ in range(2)]
    wait_for(lambda: any(process.poll() is not None for process in both))
    (ended,) = [process for process in both if process.poll() is not None]
    assert ended.returncode == 0
    assert b"has come to the front" in ended.communicate()[0]


def test_with_new_window_the_second_has_its_own(
    started: subprocess.Popen[bytes], start_again: Start, tmp_path: Path
) -> None:
    profile = tmp_path / "profile"
    wait_for((profile / "doorbell.json").is_file)
    second = start_again("--new-window", "ETHUSDT")
    wait_for(own_log(profile, second).is_file)
    wait_for(lambda: "start" in own_log(profile, second).read_text())
    assert second.poll() is None
    assert tabs_in(profile) == ["BTCUSDT"]


@POSIX
def test_where_the_first_one_hangs_the_second_opens_a_window(
    started: subprocess.Popen[bytes], start_again: Start, tmp_path: Path
) -> None:
    profile = tmp_path / "profile"
    wait_for((profile / "doorbell.json").is_file)
    started.send_signal(signal.SIGSTOP)
    try:
        second = start_again("ETHUSDT")
        wait_for(own_log(profile, second).is_file)
        assert second.poll() is None
    finally:
        started.send_signal(signal.SIGCONT)


def test_after_a_crash_the_next_one_is_the_first(
    started: subprocess.Popen[bytes], start_again: Start, tmp_path: Path
) -> None:
    profile = tmp_path / "profile"
    bell = profile / "doorbell.json"
    wait_for(bell.is_file)
    left = bell.read_text()
    started.kill()
    started.wait(10)
    assert bell.read_text() == left
    again = start_again()
    wait_for(lambda: bell.read_text() != left)
    assert again.poll() is None
    assert os.listdir(profile / "logs") == ["depthgui.log"]
    again.terminate()
    assert again.wait(20) == (0 if os.name == "posix" else 1)
    assert not bell.exists() or os.name != "posix"
