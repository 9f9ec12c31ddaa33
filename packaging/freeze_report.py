"""What a frozen build weighs, part by part, and how fast it starts beside a run from source."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import freeze_contents as contents

if TYPE_CHECKING:
    from collections.abc import Sequence

_RUNS = 7
# Part -> what its files have in their path, below _internal; the first that fits counts.
_PARTS = (
    ("Qt: ICU", ("libicu", "icudt")),
    ("Qt: libraries and plug-ins", ("PySide6/Qt/", "libQt6", "PySide6/plugins")),
    ("PySide6: bindings", ("PySide6", "shiboken6", "libpyside6", "libshiboken6")),
    ("numpy: OpenBLAS", ("numpy.libs", "libscipy_openblas", "libgfortran", "libquadmath")),
    ("numpy", ("numpy",)),
    ("Python", ("python3", "libpython", "base_library.zip", "python")),
    ("aiohttp and its helpers", ("aiohttp", "multidict", "yarl", "frozenlist", "propcache", "msgspec")),
    ("font", ("font_roboto",)),
    ("pyqtgraph", ("pyqtgraph",)),
    ("resources", ("resources",)),
)


@dataclass(frozen=True, slots=True)
class Starts:
    """Seconds from the start of the process to its end, for a run that closes its window once it has been shown."""

    frozen_s: list[float]
    source_s: list[float]


def size_of(folder: Path) -> int:
    """Bytes in all files, links not counted."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def part_of(name: str) -> str:
    """The part of the report that a file belongs to; `name` is its path in the bundle."""
    inner = name.removeprefix("_internal/")
    for part, starts in _PARTS:
        if inner.startswith(starts) or (part.startswith("Qt") and any(start in inner for start in starts)):
            return part
    if ".so" in Path(name).name or name.endswith(".dll"):
        return "system libraries"
    return "program, modules and the rest"


def sizes(bundle: Path) -> dict[str, int]:
    """Bytes by part, largest first."""
    found: dict[str, int] = {}
    for path in bundle.rglob("*"):
        if path.is_file() and not path.is_symlink():
            part = part_of(path.relative_to(bundle).as_posix())
            found[part] = found.get(part, 0) + path.stat().st_size
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def one_start(command: Sequence[str | Path], home: Path) -> float:
    """Seconds of one run on the embedded exchange's address that nobody serves: window up, window closed."""
    variables = {
        **{name: os.environ[name] for name in ("SYSTEMROOT", "WINDIR", "PATH") if name in os.environ},
        "HOME": str(home),
        "QT_QPA_PLATFORM": "offscreen",
        "LC_ALL": "C.UTF-8",
    }
    whole = [*command, "--profile", home / "profile", "--endpoint", "http://127.0.0.1:9", "--exit-after", "0.01"]
    started_s = time.perf_counter()
    subprocess.run(whole, env=variables, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return time.perf_counter() - started_s


def start_times(program: Path, python: Path) -> Starts:
    """Measure both, in turn, after one run of each that doesn't count."""
    frozen_s: list[float] = []
    source_s: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(_RUNS + 1):
            frozen_s.append(one_start([program], Path(folder)))
            source_s.append(one_start([python, "-m", "depthgui"], Path(folder)))
    return Starts(frozen_s[1:], source_s[1:])


def report(bundle: Path, packages: Sequence[Path], glibc: str, starts: Starts | None) -> str:
    """The report as text."""
    lines = [f"{contents.TITLE} {contents.version()}", ""]
    found = sizes(bundle)
    lines += [f"{size / 1e6:8.1f} MB  {part}" for part, size in found.items()]
    lines += [f"{sum(found.values()) / 1e6:8.1f} MB  unpacked, in all", ""]
    lines += [f"{path.stat().st_size / 1e6:8.1f} MB  {path.name}" for path in packages]
    if glibc:
        lines.append(f"glibc {glibc} or newer")
    if starts is not None:
        frozen, source = statistics.median(starts.frozen_s), statistics.median(starts.source_s)
        lines += [
            "",
            f"start to end of a run that closes its window at once, medians of {len(starts.frozen_s)} in turn:",
            f"{frozen:8.2f} s   frozen",
            f"{source:8.2f} s   from source",
        ]
    return "\n".join(lines) + "\n"
