"""Wheel and sdist: written with the pinned build tools, then tried in an environment where there is nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import freeze_contents as contents
from dev_environment import REQUIREMENTS, ROOT, SetUpError, base_python, clean_variables, run_quietly, say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SELF_TEST_S = 200
# Hatchling by itself: it reads pyproject.toml in the current folder, and takes SOURCE_DATE_EPOCH from the variables.
_BACKEND = "import sys, hatchling.build as b; print(getattr(b, 'build_' + sys.argv[1])(sys.argv[2]))"


def build(python: Path, folder: Path, step: Callable[[Sequence[str | Path], str], str]) -> list[Path]:
    """Write sdist and wheel into `folder` with the hatchling of `python`; returns their paths, the wheel last."""
    folder.mkdir(exist_ok=True)
    made = []
    for kind in ("sdist", "wheel"):
        said = step([python, "-c", _BACKEND, kind, folder], f"building the {kind}")
        made.append(folder / said.strip().splitlines()[-1])
    return made


def missing_from_wheel(wheel: Path) -> list[str]:
    """Files of the source that should be in the wheel and are not: every module, every resource."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    wanted = [path.relative_to(ROOT) for path in (ROOT / contents.NAME).rglob("*.py")]
    wanted += [Path(contents.NAME) / path.relative_to(ROOT) for path in (ROOT / "resources").rglob("*.svg")]
    wanted.append(Path(contents.NAME) / "resources" / "theme.qss")
    return sorted(path.as_posix() for path in wanted if path.as_posix() not in names)


def script(environment: Path, name: str) -> Path:
    """The path of a command in a virtual environment."""
    return environment / ("Scripts" if os.name == "nt" else "bin") / (name + (".exe" if os.name == "nt" else ""))


def make_environment(folder: Path, package: Path) -> None:
    """Install `package`, and what it needs in the locked versions, into a new environment, as pipx would."""
    run_quietly([base_python(), "-m", "venv", folder], "making an environment")
    pip: list[str | Path] = [script(folder, "python"), "-m", "pip", "install", "--quiet", "--no-input"]
    constraints = folder / "constraints.txt"
    # The hashes go: pip takes none for a file that is given by its path.
    locked = [line.removesuffix("\\").strip() for line in REQUIREMENTS.read_text("utf-8").splitlines()]
    constraints.write_text("\n".join(line for line in locked if line and line[0].isalnum()) + "\n", encoding="utf-8")
    run_quietly([*pip, "--constraint", constraints, package], f"installing {package.name}")


def self_test(environment: Path, folder: Path) -> str:
    """Run the installed command's self-test away from the source; returns its last line.

    Raises:
        SetUpError: it failed.
    """
    variables = clean_variables({"QT_QPA_PLATFORM": "offscreen", "HOME": str(folder)})
    command: list[str | Path] = [script(environment, "depthgui"), "--self-test"]
    result = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, timeout=_SELF_TEST_S, check=False
    )
    if result.returncode:
        raise SetUpError(f"the self-test of the installed wheel failed:\n{result.stdout}{result.stderr}")
    return result.stdout.strip().splitlines()[-1]


def check(made: Sequence[Path]) -> None:
    """Look into the wheel, install it into a new environment and run its self-test there.

    Raises:
        SetUpError: a file is missing, it can't be installed, or the self-test fails.
    """
    wheel = made[-1]
    if absent := missing_from_wheel(wheel):
        raise SetUpError(f"{wheel.name} lacks {', '.join(absent)}")
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "environment"
        say(f"installing {wheel.name} into a new environment (Python {sys.version.split()[0]})")
        make_environment(environment, wheel)
        home = Path(folder) / "home"
        home.mkdir()
        say(f"depthgui --self-test from there: {self_test(environment, home)}")
