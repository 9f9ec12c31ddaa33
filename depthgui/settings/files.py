"""Files that survive a crash: written aside and renamed into place; a damaged one is set aside, never overwritten."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Document = dict[str, Any]
Migration = Callable[[Document], Document]


class DamagedFileError(Exception):
    """The file's content is not what this program writes; the text says why."""


def write_atomically(path: Path, text: str) -> None:
    """Replace `path` with `text`: after a crash the file is the old or the new one, whole. Raises OSError.

    On POSIX, nobody but its user can read it.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_document(path: Path, version: int, migrations: Mapping[int, Migration]) -> Document | None:
    """Read a JSON object written by `write_document` and bring it to `version`; None where there is no file.

    `migrations[n]` turns a document of version n into one of n + 1. Raises `DamagedFileError` for anything that is
    not such a document, a newer version included, and OSError where the file cannot be read.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        document: object = json.loads(raw)
    except ValueError as error:
        raise DamagedFileError(f"it is not JSON ({error})") from error
    if not isinstance(document, dict):
        raise DamagedFileError("it holds no object")
    content: Document = document
    found = content.get("version")
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise DamagedFileError(f"its version is {found!r}")
    if found > version:
        raise DamagedFileError(f"a newer depthgui wrote it (version {found}, this one knows {version})")
    for step in range(found, version):
        content = migrations[step](content)
    content["version"] = version
    return content


def write_document(path: Path, version: int, content: Mapping[str, object]) -> None:
    """Write a JSON object with its version. Raises OSError."""
    write_atomically(path, json.dumps({"version": version, **content}, indent=2, ensure_ascii=False) + "\n")


def set_aside(path: Path, now: datetime.datetime) -> Path:
    """Rename a damaged file so that nothing of it is lost; returns its new path. Raises OSError."""
    stem = f"{path.name}.corrupt-{now:%Y%m%d-%H%M%S}"
    target = path.with_name(stem)
    number = 2
    while target.exists():
        target = path.with_name(f"{stem}-{number}")
        number += 1
    path.rename(target)
    return target
