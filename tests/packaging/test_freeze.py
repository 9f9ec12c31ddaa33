"""The recipe of the frozen build, evaluated for each system without PyInstaller: what goes in, what stays out."""

from __future__ import annotations

import ast
import json
import plistlib
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import freeze_contents as contents
import freeze_metadata as metadata
from depthgui import __version__
from freeze_contents import ROOT, System

PACKAGING = ROOT / "packaging"


SCRIPTS = [(name, f"{name}.py", "PYSOURCE") for name in ("pyi_rth_inspect", "pyi_rth_pyside6", "frozen_start")]


class Recipe:
    """Stands in for PyInstaller: keeps what the spec asked for."""

    def __init__(self, system: str, monkeypatch: pytest.MonkeyPatch, binaries: list[str]) -> None:
        self.programs: list[dict[str, Any]] = []
        self.app: dict[str, Any] = {}
        self.collected: list[str] = []
        monkeypatch.setattr(sys, "platform", system)
        monkeypatch.setattr(sys, "path", list(sys.path))
        found = [(name, f"/somewhere/{name}", "BINARY") for name in binaries]
        names = {
            "SPECPATH": str(PACKAGING),
            "Analysis": lambda scripts, **options: self.analyse(scripts, options, found),
            "PYZ": lambda pure: "archive",
            "EXE": self.program,
            "COLLECT": self.collect,
            "BUNDLE": lambda bundle, **options: self.app.update(options),
        }
        spec = PACKAGING / "depthgui.spec"
        exec(compile(spec.read_text("utf-8"), str(spec), "exec"), names)

    def analyse(self, scripts: list[str], options: dict[str, Any], found: list[Any]) -> SimpleNamespace:
        self.scripts, self.options = scripts, options
        datas = [(f"{folder}/{Path(path).name}", path, "DATA") for path, folder in options["datas"]]
        return SimpleNamespace(binaries=found, datas=datas, pure=[], scripts=SCRIPTS)

    def program(self, archive: object, scripts: list[Any], *arguments: object, **options: Any) -> str:
        self.programs.append({**options, "scripts": [entry[0] for entry in scripts]})
        return str(options["name"])

    def collect(self, *parts: object, **options: Any) -> str:
        self.collected = [entry[0] for part in parts if isinstance(part, list) for entry in part]
        return "bundle"


@pytest.fixture
def evaluate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Evaluate the spec as on another system, in a copy of the project, so that nothing is written here."""
    copy = tmp_path / "project"
    for name in ("packaging", "resources", "depthgui"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(sys.modules[__name__], "PACKAGING", copy / "packaging")
    return lambda system, binaries=(): Recipe(system, monkeypatch, list(binaries))


@pytest.mark.parametrize("system", [system.value for system in System])
def test_the_spec_can_be_evaluated_for_each_system(evaluate, system: str) -> None:
    recipe = evaluate(system)
    assert all(Path(path).is_file() for path in [*recipe.scripts, *recipe.options["runtime_hooks"]])
    assert "depthgui.app.exchange_child" in recipe.options["hiddenimports"]
    assert "readline" in recipe.options["excludes"]
    collected = recipe.collected
    for wanted in ("resources/theme.qss", "resources/icons/depthgui.svg"):
        assert wanted in collected
    if list(metadata.distributions()):
        assert f"depthgui-{__version__}.dist-info/METADATA" in collected
    assert not any(program["strip"] or program["upx"] for program in recipe.programs)


def test_linux_has_one_program_with_a_console(evaluate) -> None:
    recipe = evaluate("linux")
    assert [(program["name"], program["console"]) for program in recipe.programs] == [("depthgui", True)]
    assert recipe.programs[0]["scripts"] == ["pyi_rth_inspect", "frozen_start"]
    assert recipe.app == {}


def test_windows_has_a_program_for_shortcuts_and_one_for_the_console(evaluate) -> None:
    recipe = evaluate("win32")
    consoles = {program["name"]: program["console"] for program in recipe.programs}
    assert consoles == {"depthgui": False, "depthgui-console": True}
    for program in recipe.programs:
        assert program["icon"].endswith("depthgui.ico")
        version = ast.parse(Path(program["version"]).read_text("utf-8"), mode="eval")
        texts = {node.value for node in ast.walk(version) if isinstance(node, ast.Constant)}
        assert {__version__, "DepthGUI", f"{program['name']}.exe", "ProductVersion"} <= texts


def test_macos_has_an_application_with_a_plist_that_parses(evaluate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEPTHGUI_CODESIGN_IDENTITY", "Developer ID Application: Somebody")
    recipe = evaluate("darwin")
    plist = plistlib.loads(plistlib.dumps(recipe.app["info_plist"]))
    assert plist["CFBundleShortVersionString"] == recipe.app["version"] == __version__
    assert plist["NSHighResolutionCapable"] is True
    assert recipe.app["name"] == "DepthGUI.app"
    assert recipe.app["icon"].endswith("depthgui.icns")
    assert recipe.app["codesign_identity"] == recipe.programs[0]["codesign_identity"]
    entitlements = plistlib.loads(Path(recipe.app["entitlements_file"]).read_bytes())
    assert entitlements
    assert all(value is True for value in entitlements.values())


def test_without_an_identity_nothing_is_signed(evaluate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEPTHGUI_CODESIGN_IDENTITY", raising=False)
    assert evaluate("darwin").app["codesign_identity"] is None


LINUX = "PySide6/Qt/plugins/"
CASES = {
    System.LINUX: {
        True: [
            LINUX + "platforms/libqxcb.so",
            LINUX + "platforms/libqoffscreen.so",
            LINUX + "platforms/libqwayland.so",
            LINUX + "wayland-graphics-integration-client/libqt-plugin-wayland-egl.so",
            LINUX + "wayland-shell-integration/libxdg-shell.so",
            LINUX + "iconengines/libqsvgicon.so",
            LINUX + "platformthemes/libqxdgdesktopportal.so",
            "libxcb-cursor.so.0",
            "libssl.so.3",
            "numpy.libs/libscipy_openblas64_-32a4b2a6.so",
        ],
        False: [
            LINUX + "platforms/libqeglfs.so",
            LINUX + "platforms/libqvnc.so",
            LINUX + "platformthemes/libqgtk3.so",
            LINUX + "imageformats/libqtiff.so",
            "PySide6/Qt/translations/qtbase_de.qm",
            "libGL.so.1",
            "libfontconfig.so.1",
            "libstdc++.so.6",
            "numpy/_core/tests/test_umath.py",
        ],
    },
    System.WINDOWS: {
        True: [
            "PySide6\\plugins\\platforms\\qwindows.dll",
            "PySide6\\plugins\\iconengines\\qsvgicon.dll",
            "PySide6\\plugins\\styles\\qmodernwindowsstyle.dll",
            "PySide6\\Qt6Gui.dll",
            "libcrypto-3.dll",
        ],
        False: [
            "PySide6\\plugins\\platforms\\qminimal.dll",
            "PySide6\\plugins\\tls\\qschannelbackend.dll",
            "PySide6\\opengl32sw.dll",
            "PySide6\\translations\\qtbase_de.qm",
        ],
    },
    System.MACOS: {
        True: [LINUX + "platforms/libqcocoa.dylib", LINUX + "styles/libqmacstyle.dylib", "libssl.3.dylib"],
        False: [LINUX + "platforms/libqminimal.dylib", LINUX + "imageformats/libqwebp.dylib"],
    },
}


@pytest.mark.parametrize(
    ("system", "is_in", "path"),
    [(system, is_in, path) for system, kinds in CASES.items() for is_in, paths in kinds.items() for path in paths],
)
def test_what_goes_in(system: System, is_in: bool, path: str) -> None:
    assert contents.is_wanted(path, system) is is_in


def test_own_files_are_not_filtered_out(evaluate) -> None:
    recipe = evaluate("linux", ["libX11.so.6", "libxkbcommon.so.0"])
    assert "libxkbcommon.so.0" in recipe.collected
    assert "libX11.so.6" not in recipe.collected
    origins = json.loads((PACKAGING.parent / "build" / metadata.ORIGINS).read_text("utf-8"))
    assert origins == {"libxkbcommon.so.0": "/somewhere/libxkbcommon.so.0"}


def test_only_what_may_be_is_stripped() -> None:
    assert contents.may_be_stripped("_internal/libpython3.11.so.1.0")
    assert contents.may_be_stripped("_internal/aiohttp/_http_parser.cpython-311-x86_64-linux-gnu.so")
    for name in ("PySide6/QtGui.abi3.so", "PySide6/Qt/lib/libQt6Gui.so.6", "numpy.libs/libgfortran-0.so.5"):
        assert not contents.may_be_stripped(f"_internal/{name}")


def test_the_modules_of_qt_in_use_are_those_that_are_shipped() -> None:
    """depthgui must not begin to use a module of Qt, or OpenGL, without the frozen build knowing."""
    used: set[str] = set()
    for path in (ROOT / "depthgui").rglob("*.py"):
        text = path.read_text("utf-8")
        assert "useOpenGL" not in text, path
        assert "QOpenGL" not in text, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("PySide6"):
                inner = (node.module or "").partition(".")[2].partition(".")[0]
                used |= {inner} if inner else {alias.name for alias in node.names}
            elif isinstance(node, ast.Import):
                used |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("PySide6.")}
    assert {name for name in used if name.startswith("Qt")} <= contents.QT_MODULES


IMPORTED = """
import sys
sys.path.insert(0, sys.argv[1])
sys.frozen = True
import frozen_hook
del sys.frozen
import depthgui.app.process, depthgui.app.exchange_child, depthgui.exchange, aiohttp_socks
import freeze_contents
excluded = freeze_contents.EXCLUDED_MODULES
print([n for n in sys.modules if any(n == e or n.startswith(e + ".") for e in excluded) and n != "_distutils_hack"])
"""


@pytest.mark.skipif(find_spec("PySide6") is None, reason="no Qt here")
def test_nothing_that_stays_out_is_imported_by_the_running_program() -> None:
    command = [sys.executable, "-c", IMPORTED, str(ROOT / "packaging")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"


HOOK = """
import os, sys
sys.path.insert(0, sys.argv[1])
sys.frozen, sys._MEIPASS = True, "/bundle/_internal"
os.environ.update(LD_LIBRARY_PATH="/bundle/_internal", DYLD_LIBRARY_PATH="/bundle/_internal:/x",
                  DYLD_LIBRARY_PATH_ORIG="/x")
import frozen_hook
print(os.environ.get("LD_LIBRARY_PATH"), os.environ.get("DYLD_LIBRARY_PATH"), os.environ.get("DYLD_LIBRARY_PATH_ORIG"))
from PySide6 import QtOpenGL
try:
    QtOpenGL.QOpenGLBuffer
except AttributeError as error:
    print(error)
"""


@pytest.mark.skipif(find_spec("PySide6") is None, reason="no Qt here")
def test_the_hook_gives_children_their_libraries_back_and_names_what_is_left_out() -> None:
    command = [sys.executable, "-c", HOOK, str(ROOT / "packaging")]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout.splitlines() == [
        "None /x None",
        "PySide6.QtOpenGL.QOpenGLBuffer is not part of this build of depthgui",
    ]


@pytest.mark.skipif(not list(metadata.distributions()), reason="depthgui is not installed here")
def test_metadata_of_every_part_is_carried_with_the_version_of_the_source(tmp_path: Path) -> None:
    written = {path.parent.name: path.read_text("utf-8") for path in metadata.write_metadata(tmp_path)}
    own = written[f"depthgui-{__version__}.dist-info"]
    assert f"\nVersion: {__version__}\n" in own
    assert "Requires-Dist: aiohttp" in own
    assert any(name.startswith("aiohttp-") for name in written)
    assert not any(name.lower().startswith(("pytest", "ruff")) for name in written)
    assert all(len(text) < 20_000 for text in written.values())
