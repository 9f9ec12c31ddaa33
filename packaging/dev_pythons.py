"""The tests in other environments than the usual one, each of its own.

``dev.py test --all-pythons``: with each supported Python that is found, on the PATH or among
those that pyenv has: it puts only the chosen one on the PATH. ``dev.py test --lowest``: with the lowest
versions that pyproject.toml allows.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dev_environment import LOWEST_REQUIREMENTS, ROOT, Environment, say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

SUPPORTED = ("3.11", "3.12", "3.13")
OWN_ENVIRONMENT = "--own-environment"
LOWEST_OPTION = "--lowest"
LOWEST = Environment(".venv-lowest", requirements=LOWEST_REQUIREMENTS)


def own_environment() -> Environment:
    """The environment of the Python that this runs with."""
    return Environment(f".venv-py{sys.version_info.major}.{sys.version_info.minor}")


def version_of(python: Path) -> str | None:
    """The version of an interpreter, as "3.12"; None if it doesn't start (a version manager's stand-in may not)."""
    probe = "import sys; print('%d.%d' % sys.version_info[:2])"
    result = subprocess.run(
        [python, "-c", probe], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return result.stdout.strip() if result.returncode == 0 else None


def pythons_on_path(search: str) -> dict[str, Path]:
    """The first interpreter that starts, for each supported version; `search` is a PATH."""
    ending = ".exe" if os.name == "nt" else ""
    found: dict[str, Path] = {}
    for version in SUPPORTED:
        for name in (f"python{version}", "python3", "python"):
            for folder in filter(None, search.split(os.pathsep)):
                path = Path(folder) / f"{name}{ending}"
                if version not in found and path.is_file() and version_of(path) == version:
                    found[version] = path
    return found


def pyenv_folders(variables: Mapping[str, str]) -> list[Path]:
    """Where pyenv's interpreters are, the newest first."""
    root = Path(variables.get("PYENV_ROOT") or Path.home() / ".pyenv")
    versions = [folder for folder in root.glob("versions/3.*") if folder.is_dir()]
    newest_first = sorted(versions, key=lambda folder: [int(n) for n in re.findall(r"\d+", folder.name)], reverse=True)
    return [folder if os.name == "nt" else folder / "bin" for folder in newest_first]


def run_all(
    arguments: Sequence[str],
    run: Callable[[Sequence[str | Path]], int],
    search: str | None = None,
) -> int:
    """Run the tests with every Python there is, one after the other; returns the first exit code that isn't 0.

    `run` starts a program and returns its exit code; it fails if there is no supported Python at all.
    """
    if search is None:
        search = os.pathsep.join([os.environ.get("PATH", ""), *map(str, pyenv_folders(os.environ))])
    pythons = pythons_on_path(search)
    for version in SUPPORTED:
        if version not in pythons:
            say(f"Python {version} was not found: not tested")
    if not pythons:
        return 1
    codes: dict[str, int] = {}
    for version, python in pythons.items():
        say(f"Python {version}: {python}")
        codes[version] = run([python, ROOT / "packaging" / "dev.py", "test", OWN_ENVIRONMENT, *arguments])
    for version, code in codes.items():
        say(f"Python {version}: {'passed' if code == 0 else f'failed ({code})'}")
    return next((code for code in codes.values() if code), 0)
