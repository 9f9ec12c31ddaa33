"""How dev.py reads Qt's and the loader's words, what it then installs or advises, and where it looks for a screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import dev_apt
import dev_qt
from dev_environment import SetUpError
from dev_qt import Finding, Verdict

MISSING = "ImportError: libEGL.so.1: cannot open shared object file: No such file or directory"
NO_PLUGIN = """\
qt.qpa.plugin: From 6.5.0, xcb-cursor0 or libxcb-cursor0 is needed to load the Qt xcb platform plugin.
qt.qpa.plugin: Could not load the Qt platform plugin "xcb" in "" even though it was found.
This application failed to start because no Qt platform plugin could be initialized.
"""
NO_DISPLAY = """\
qt.qpa.xcb: could not connect to display :99
qt.qpa.plugin: From 6.5.0, xcb-cursor0 or libxcb-cursor0 is needed to load the Qt xcb platform plugin.
qt.qpa.plugin: Could not load the Qt platform plugin "xcb" in "" even though it was found.
"""


@pytest.mark.parametrize(
    ("exit_code", "output", "errors", "verdict"),
    [
        (0, '{"platform": "offscreen", "letters": true}\n', "", Verdict.FINE),
        (0, 'noise\n{"platform": "offscreen", "letters": false}\n', "", Verdict.NO_FONTS),
        (1, "", f"Traceback (most recent call last):\n{MISSING}\n", Verdict.LIBRARY_MISSING),
        (-6, "", NO_PLUGIN, Verdict.LIBRARY_MISSING),
        # Qt blames a library here too, but the display is what is missing.
        (-6, "", NO_DISPLAY, Verdict.NO_SCREEN),
        (1, "", "ModuleNotFoundError: No module named 'PySide6'\n", Verdict.BROKEN),
        (-11, "", "", Verdict.BROKEN),
    ],
)
def test_what_the_probe_says_is_understood(exit_code: int, output: str, errors: str, verdict: Verdict) -> None:
    assert dev_qt.judge(exit_code, output, errors).verdict is verdict


class FakeMachine:
    """A machine on which Qt lacks a library until it is installed; `can_install` tells whether it may be."""

    def __init__(self, *, can_install: bool, before: Verdict = Verdict.LIBRARY_MISSING) -> None:
        self.can_install = can_install
        self.before = before
        self.installed: list[str] = []

    def find(self, platform: str) -> Finding:
        return Finding(Verdict.FINE) if self.installed else Finding(self.before, MISSING)

    def install(self, packages: list[str], say: Callable[[str], None]) -> bool:
        if self.can_install:
            self.installed += packages
        return self.can_install


@pytest.fixture(autouse=True)
def on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev_qt.sys, "platform", "linux")


def test_missing_libraries_are_installed_where_that_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = FakeMachine(can_install=True)
    monkeypatch.setattr(dev_apt, "install", machine.install)
    assert dev_qt.ensure("offscreen", machine.find).verdict is Verdict.FINE
    assert machine.installed == dev_qt.HEADLESS_APT
    assert "libxcb-cursor0" not in machine.installed


def test_a_screen_needs_more_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = FakeMachine(can_install=True)
    monkeypatch.setattr(dev_apt, "install", machine.install)
    dev_qt.ensure("xcb", machine.find, screen=True)
    assert {"libegl1", "libxcb-cursor0", "libwayland-cursor0"} <= set(machine.installed)


@pytest.mark.parametrize(
    ("tool", "command"),
    [
        ("apt-get", "sudo apt-get install -y --no-install-recommends libegl1 libgl1"),
        ("dnf", "sudo dnf install -y mesa-libEGL mesa-libGL"),
        ("pacman", "sudo pacman -S --needed libglvnd"),
    ],
)
def test_otherwise_the_exact_command_is_named(monkeypatch: pytest.MonkeyPatch, tool: str, command: str) -> None:
    monkeypatch.setattr(dev_apt, "is_root", lambda: False)
    monkeypatch.setattr(dev_apt.shutil, "which", lambda name: f"/usr/bin/{name}" if name == tool else None)
    with pytest.raises(SetUpError) as error:
        dev_qt.ensure("offscreen", FakeMachine(can_install=False).find)
    assert "libEGL.so.1" in str(error.value)
    assert f"Run: {command}" in str(error.value)


def test_where_no_package_manager_is_known_all_commands_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev_apt.shutil, "which", lambda name: None)
    with pytest.raises(SetUpError) as error:
        dev_qt.ensure("offscreen", FakeMachine(can_install=False, before=Verdict.NO_FONTS).find)
    assert all(tool in str(error.value) for tool in ("no fonts", "apt-get", "dnf", "pacman"))


def test_packages_that_did_not_help_are_not_advised_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev_apt, "install", lambda packages, say: True)
    with pytest.raises(SetUpError, match=r"no fonts.*are installed: .*fonts-dejavu-core"):
        dev_qt.ensure("offscreen", lambda platform: Finding(Verdict.NO_FONTS))


def test_apt_get_is_left_alone_by_an_ordinary_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev_apt, "is_root", lambda: False)
    monkeypatch.setattr(dev_apt, "apt_get", lambda *arguments: pytest.fail("called apt-get"))
    assert not dev_apt.install(["libegl1"], print)


def test_a_broken_qt_is_no_reason_to_install_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = FakeMachine(can_install=True, before=Verdict.BROKEN)
    monkeypatch.setattr(dev_apt, "install", machine.install)
    with pytest.raises(SetUpError):
        dev_qt.ensure("offscreen", machine.find)
    assert machine.installed == []


def test_a_display_that_does_not_answer_is_a_finding_not_an_error() -> None:
    assert dev_qt.ensure("", lambda platform: dev_qt.judge(-6, "", NO_DISPLAY)).verdict is Verdict.NO_SCREEN


@pytest.mark.parametrize(
    ("variables", "system", "platform"),
    [
        ({}, "linux", None),
        ({"DISPLAY": ":0"}, "linux", ""),
        ({"WAYLAND_DISPLAY": "wayland-0"}, "linux", ""),
        ({"DISPLAY": ""}, "linux", None),
        ({"DISPLAY": ":0", "QT_QPA_PLATFORM": "offscreen"}, "linux", None),
        ({"DISPLAY": ":0", "QT_QPA_PLATFORM": "xcb"}, "linux", "xcb"),
        ({}, "win32", ""),
        ({}, "darwin", ""),
    ],
)
def test_where_a_window_can_be_shown(variables: dict[str, str], system: str, platform: str | None) -> None:
    assert dev_qt.wanted_screen(variables, system) == platform
