"""Wheel and sdist, as written by the pinned build tools: everything is in them, and nothing that shouldn't be."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from email import message_from_string
from importlib.util import find_spec
from pathlib import Path

import pytest

import dev_build
import wheel_check
from depthgui import __version__
from dev_environment import ROOT

pytestmark = pytest.mark.skipif(find_spec("hatchling") is None, reason="the build tools are not installed here")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Sdist and wheel."""
    variables = dev_build.fixed_variables(1_700_000_000)
    folder = tmp_path_factory.mktemp("dist")
    return wheel_check.build(
        Path(sys.executable), folder, lambda command, what: dev_build.step(command, variables, what)
    )


def test_the_wheel_has_every_module_and_every_resource(made: list[Path], tmp_path: Path) -> None:
    wheel = made[-1]
    assert wheel_check.missing_from_wheel(wheel) == []
    assert (ROOT / "resources" / "theme.qss").is_file()
    without = tmp_path / wheel.name
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(without, "w") as target:
        for name in source.namelist():
            if not name.endswith("theme.qss"):
                target.writestr(name, source.read(name))
    assert wheel_check.missing_from_wheel(without) == ["depthgui/resources/theme.qss"]


def test_the_wheel_says_what_it_is_and_has_its_commands(made: list[Path]) -> None:
    with zipfile.ZipFile(made[-1]) as archive:
        folder = f"depthgui-{__version__}.dist-info"
        fields = message_from_string(archive.read(f"{folder}/METADATA").decode())
        commands = archive.read(f"{folder}/entry_points.txt").decode()
        assert f"{folder}/licenses/LICENSE" in archive.namelist()
        assert not [name for name in archive.namelist() if name.startswith(("tests/", "packaging/"))]
    assert (fields["Name"], fields["Version"], fields["Requires-Python"]) == ("depthgui", __version__, ">=3.11")
    assert "depthgui = depthgui.__main__:main" in commands
    needed = [line.lower() for line in fields.get_all("Requires-Dist", [])]
    assert any(line.startswith("pyside6-essentials") and "<6.12" in line for line in needed)


def test_the_sdist_has_what_is_needed_to_test_and_build(made: list[Path]) -> None:
    with tarfile.open(made[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for name in ("pyproject.toml", "README.md", "packaging/dev.py", "packaging/depthgui.spec", "tests/conftest.py"):
        assert name in names
    assert not [name for name in names if name.startswith((".venv", "build/", "dist/"))]


def test_an_installation_is_tried_outside_of_the_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[object] = []

    def run(command: list[object], cwd: Path, **_: object) -> subprocess.CompletedProcess[str]:
        seen.extend([command[1], cwd])
        return subprocess.CompletedProcess(command, 0, "ok  a\nall checks passed\n", "")

    monkeypatch.setattr(subprocess, "run", run)
    assert wheel_check.self_test(tmp_path / "environment", tmp_path) == "all checks passed"
    assert seen == ["--self-test", tmp_path]
