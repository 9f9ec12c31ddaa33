"""What is said where a library that Qt needs is missing, and that nothing is said where Qt finds it by itself."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import pytest

from depthgui.app import screen, system_libraries
from depthgui.app.system_libraries import ALWAYS, XCB, advice, missing, needed
from depthgui.cli import parse


def without(*names: str) -> object:
    def load(name: str) -> object:
        if name in names or any(name.endswith(ending) for ending in names):
            raise OSError(f"{name}: cannot open shared object file")
        return object()

    return load


@pytest.mark.parametrize(
    ("environment", "is_x11"),
    [
        ({"DISPLAY": ":0"}, True),
        ({"DISPLAY": ":0", "QT_QPA_PLATFORM": "xcb"}, True),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0", "QT_QPA_PLATFORM": "xcb;wayland"}, True),
        ({"DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, False),
        ({"QT_QPA_PLATFORM": "offscreen"}, False),
        ({"QT_QPA_PLATFORM": "vnc:size=640x480", "DISPLAY": ":0"}, False),
    ],
)
def test_only_what_will_be_loaded_is_asked_for(environment: dict[str, str], is_x11: bool) -> None:
    assert needed(environment) == (ALWAYS + XCB if is_x11 else ALWAYS)


def test_the_packages_are_named_for_both_families() -> None:
    found = missing(ALWAYS + XCB, without("libxcb-cursor.so.0", "libxcb-icccm.so.4", "libGL.so.1"))  # type: ignore[arg-type]
    text = advice(found)
    assert "libGL.so.1, libxcb-cursor.so.0, libxcb-icccm.so.4 is missing" in text
    assert "apt install libgl1 libxcb-cursor0 libxcb-icccm4\n" in text
    assert "dnf install libglvnd-glx xcb-util-cursor xcb-util-wm" in text


@pytest.mark.skipif(find_spec("PySide6") is None, reason="no Qt here, whose libraries could be missing")
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems need nothing but Qt's package")
@pytest.mark.parametrize("every", [True, False], ids=["Qt fails too", "Qt finds it"])
def test_it_is_said_before_qt_is_started(monkeypatch: pytest.MonkeyPatch, every: bool) -> None:
    names = ("libxcb-cursor.so.0", "libqxcb.so") if every else ("libxcb-cursor.so.0",)
    load = without(*names)
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
    monkeypatch.setattr(system_libraries.missing, "__defaults__", (load,))
    monkeypatch.setattr(system_libraries.does_qt_load, "__defaults__", (load,))
    problem = screen.choose_platform(parse(["--demo"]))
    assert ("libxcb-cursor0" in problem) is every
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert screen.choose_platform(parse(["--demo"])) == ""
