"""Finds out whether Qt can start and draw letters here, by letting it, and installs or names what is missing.

A list of files to look for would be wrong on the next system; so a new process loads the platform plug-in, makes an
application and draws two letters. Without a font every letter is the same box, and nothing else tells.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import dev_apt
from dev_environment import SetUpError, clean_variables, say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

PROBE = """
import json
from PySide6.QtGui import QColor, QFont, QGuiApplication, QImage, QPainter
from PySide6.QtCore import Qt
from PySide6 import QtWidgets, QtSvg, QtOpenGLWidgets, QtNetwork

app = QGuiApplication(["probe"])

def drawn(letter):
    image = QImage(48, 48, QImage.Format.Format_ARGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    painter.setFont(QFont(QFont().family(), 24))
    painter.drawText(image.rect(), Qt.AlignmentFlag.AlignCenter, letter)
    painter.end()
    return bytes(image.constBits())

a, w = drawn("A"), drawn("W")
print(json.dumps({"platform": app.platformName(), "letters": a != w and len(set(a)) > 1}))
"""

HEADLESS_APT = [
    "libegl1",
    "libgl1",
    "libglib2.0-0",
    "libdbus-1-3",
    "libfontconfig1",
    "libxkbcommon0",
    "fonts-dejavu-core",
]
HEADLESS_DNF = ["mesa-libEGL", "mesa-libGL", "glib2", "dbus-libs", "fontconfig", "libxkbcommon", "dejavu-sans-fonts"]
HEADLESS_PACMAN = ["libglvnd", "glib2", "dbus", "fontconfig", "libxkbcommon", "ttf-dejavu"]

SCREEN_APT = [
    "libxcb-cursor0", "libxcb-icccm4", "libxcb-image0", "libxcb-keysyms1", "libxcb-randr0", "libxcb-render-util0",
    "libxcb-shape0", "libxcb-xkb1", "libxkbcommon-x11-0", "libx11-xcb1",
    "libwayland-client0", "libwayland-cursor0", "libwayland-egl1",
]  # fmt: skip
SCREEN_DNF = [
    "xcb-util-cursor", "xcb-util-wm", "xcb-util-image", "xcb-util-keysyms", "xcb-util-renderutil",
    "libxkbcommon-x11", "libX11-xcb", "libwayland-client", "libwayland-cursor", "libwayland-egl",
]  # fmt: skip
SCREEN_PACMAN = [
    "xcb-util-cursor", "xcb-util-wm", "xcb-util-image", "xcb-util-keysyms", "xcb-util-renderutil",
    "libxkbcommon-x11", "libx11", "wayland",
]  # fmt: skip


class Verdict(Enum):
    """What became of an attempt to start Qt."""

    FINE = "Qt starts and draws letters"
    NO_FONTS = "Qt starts, but there are no fonts: every letter is drawn as the same box"
    LIBRARY_MISSING = "Qt can't start: a system library is missing"
    NO_SCREEN = "Qt can't reach the screen"
    BROKEN = "Qt can't start"


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict on one platform, with the words of the loader or of Qt that led to it."""

    verdict: Verdict
    detail: str = ""


def judge(exit_code: int, output: str, errors: str) -> Finding:
    """Read what the probe left: its exit code, standard output and standard error."""
    if exit_code == 0:
        drawn = json.loads(output.strip().splitlines()[-1])["letters"]
        return Finding(Verdict.FINE if drawn else Verdict.NO_FONTS)
    lines = [line.strip() for line in errors.strip().splitlines() if line.strip()]
    for line in lines:
        if "could not connect to display" in line or "Failed to create wl_display" in line:
            return Finding(Verdict.NO_SCREEN, line)
    for line in lines:
        if (
            "cannot open shared object file" in line
            or "is needed to load" in line
            or "Could not load the Qt platform" in line
        ):
            return Finding(Verdict.LIBRARY_MISSING, line)
    return Finding(Verdict.BROKEN, lines[-1] if lines else f"exit code {exit_code}")


def probe(python: Path, platform: str) -> Finding:
    """Start Qt in a new process of `python` on `platform` ("offscreen", "xcb", ...; "" for Qt's own choice)."""
    choice = {"QT_QPA_PLATFORM": platform} if platform else {}
    try:
        result = subprocess.run(
            [python, "-c", PROBE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=clean_variables(choice),
            timeout=120,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Finding(Verdict.BROKEN, "no answer within 120 s")
    return judge(result.returncode, result.stdout.decode("utf-8", "replace"), result.stderr.decode("utf-8", "replace"))


def ensure(platform: str, find: Callable[[str], Finding], *, screen: bool = False) -> Finding:
    """See to it that Qt works on `platform`; returns what was found last, which is FINE or NO_SCREEN.

    `find` starts Qt on a platform. With `screen`, the libraries for X11 and Wayland are installed too if need be.

    Raises:
        SetUpError: Qt doesn't work and can't be made to from here; the text says which command would.
    """
    finding = find(platform)
    if finding.verdict in {Verdict.FINE, Verdict.NO_SCREEN}:
        return finding
    say(f"{finding.verdict.value}{': ' + finding.detail if finding.detail else ''}")
    apt = HEADLESS_APT + (SCREEN_APT if screen else [])
    on_linux = sys.platform.startswith("linux")
    installed = on_linux and finding.verdict is not Verdict.BROKEN and dev_apt.install(apt, say)
    if installed:
        finding = find(platform)
        if finding.verdict in {Verdict.FINE, Verdict.NO_SCREEN}:
            return finding
    problem = f"{finding.verdict.value}{' (' + finding.detail + ')' if finding.detail else ''}. "
    if not on_linux:
        raise SetUpError(problem + "On this system Qt needs nothing but its own package: try removing .venv.")
    if installed:
        raise SetUpError(problem + f"The packages that should help are installed: {' '.join(apt)}")
    dnf = HEADLESS_DNF + (SCREEN_DNF if screen else [])
    pacman = HEADLESS_PACMAN + (SCREEN_PACMAN if screen else [])
    raise SetUpError(problem + dev_apt.advice(apt=apt, dnf=dnf, pacman=pacman))


def wanted_screen(variables: Mapping[str, str] = os.environ, system: str = sys.platform) -> str | None:
    """The platform to show a window on: "" for Qt's own choice, None where there is no screen to show it on."""
    if asked := variables.get("QT_QPA_PLATFORM"):
        return None if asked.partition(":")[0] in {"offscreen", "minimal"} else asked
    if not system.startswith("linux"):
        return ""
    if variables.get("WAYLAND_DISPLAY") or variables.get("DISPLAY"):
        return ""
    return None
