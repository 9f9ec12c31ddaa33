"""Finds the project's files (icons, style sheet) in a source tree, an installed wheel and a frozen build alike."""

from __future__ import annotations

import functools
import sys
from pathlib import Path


@functools.cache
def resource_root() -> Path:
    """The folder that holds `icons` and `theme.qss`.

    Raises FileNotFoundError, with the places that were looked at, if the installation is incomplete.
    """
    package = Path(__file__).resolve().parents[1]
    places = [package / "resources", package.parent / "resources"]
    bundle = getattr(sys, "_MEIPASS", None)
    if bundle:
        places[:0] = [Path(bundle) / "depthgui" / "resources", Path(bundle) / "resources"]
    for place in places:
        if (place / "theme.qss").is_file():
            return place
    raise FileNotFoundError("resources not found; looked in " + ", ".join(map(str, places)))


def resource(name: str) -> Path:
    """Path of one resource, as in ``resource("icons/add.svg")``. Raises FileNotFoundError if it is not there."""
    path = resource_root() / name
    if not path.is_file():
        raise FileNotFoundError(f"no such resource: {path}")
    return path
