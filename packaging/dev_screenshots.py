"""`packaging/dev.py screenshots`: all pictures of the window, each from a process of its own."""

from __future__ import annotations

import argparse
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import dev_qt
from dev_environment import FULL, ROOT, clean_variables, ensure, say

# Kept as data, so that the names can be listed without Qt; `picture_tour.py` says how each is taken.
NAMES = (
    *("main-dark", "main-light", "main-colour-blind", "main-1024", "main-200-percent", "wide-spread", "stale"),
    *("reconnecting", "unable-to-connect", "add-symbol", "settings", "compact", "thirty-tabs", "welcome"),
)
TOUR = ROOT / "packaging" / "picture_tour.py"


def screenshots(arguments: list[str]) -> int:
    """Take the pictures that are named, or all, into a folder."""
    parser = argparse.ArgumentParser(prog="packaging/dev.py screenshots", allow_abbrev=False)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which ones: {', '.join(NAMES)} (default: all)")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "build" / "screenshots", help="folder (default: %(default)s)"
    )
    chosen = parser.parse_args(arguments)
    unknown = sorted(set(chosen.names).difference(NAMES))
    if unknown:
        parser.error(f"there is no picture {', '.join(unknown)}")
    ensure(FULL)
    dev_qt.ensure("offscreen", partial(dev_qt.probe, FULL.python))
    folder = chosen.out.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(partial(_take, folder=folder), chosen.names or NAMES))
    say(f"{sum(results)} of {len(results)} pictures in {folder}")
    return 0 if all(results) else 1


def _take(name: str, *, folder: Path) -> bool:
    target = folder / f"{name}.png"
    variables = {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
    if name == "main-200-percent":
        variables["QT_SCALE_FACTOR"] = "2"
    command = [str(FULL.python), str(TOUR), name, str(target)]
    try:
        done = subprocess.run(command, env=clean_variables(variables), timeout=180, capture_output=True, check=False)
    except subprocess.TimeoutExpired:
        say(f"{name}: not within 180 s")
        return False
    say(f"{name}: {target}" if done.returncode == 0 else f"{name}: {done.stderr.decode(errors='replace')[-800:]}")
    return done.returncode == 0
