"""The log files of a profile: rotated, plain text, one line a record; tracebacks below it."""

from __future__ import annotations

import logging
import logging.handlers
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MAX_BYTES = 1_000_000
_KEPT_FILES = 5
_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
# Libraries that tell every step at DEBUG.
_QUIET = ("qasync", "asyncio", "websockets", "aiohttp")


def _log_path(path: Path, *, is_writer: bool) -> Path:
    """Two programs must not rotate one file: the second one has a log of its own."""
    return path if is_writer else path.with_name(f"{path.stem}.{os.getpid()}{path.suffix}")


@contextmanager
def log_to(path: Path, level: str, *, is_writer: bool) -> Iterator[Path]:
    """Write the program's log to `path` (a file of this process's own unless `is_writer`); yields the path used."""
    used = _log_path(path, is_writer=is_writer)
    handler = logging.handlers.RotatingFileHandler(used, maxBytes=_MAX_BYTES, backupCount=_KEPT_FILES, encoding="utf-8")
    handler.setFormatter(logging.Formatter(_FORMAT))
    handler.setLevel(level)
    root = logging.getLogger()
    level_before = root.level
    quiet_before = {name: logging.getLogger(name).level for name in _QUIET}
    root.addHandler(handler)
    root.setLevel(min(level_before or logging.WARNING, handler.level))
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(handler.level, logging.WARNING))
    try:
        yield used
    finally:
        root.removeHandler(handler)
        root.setLevel(level_before)
        for name, before in quiet_before.items():
            logging.getLogger(name).setLevel(before)
        handler.close()
        if not is_writer:
            for file in used.parent.glob(f"{used.name}*"):
                file.unlink(missing_ok=True)
