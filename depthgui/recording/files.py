"""The files of a recording, and their content unpacked: plain, gzip or zstd, told by their first bytes."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_BLOCK = 65_536
_PIECE = 64
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
# In Python from 3.14 on; before that, whichever of these is installed.
_ZSTD_MODULES = ("compression.zstd", "backports.zstd")
_BESIDE = ("incremental_book_L2", "trades")


class RecordingError(ValueError):
    """A file that holds no recorded market data, or that cannot be read at all."""


def recording_files(path: Path) -> tuple[Path, ...]:
    """The files that make up a recording: the file itself with its trades beside it, or all files of a folder.

    Raises RecordingError for a folder without a file, OSError where it cannot be read.
    """
    if path.is_dir():
        files = tuple(sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith(".")))
        if not files:
            raise RecordingError(f"{path} is a folder without a file")
        return files
    book, trades = _BESIDE
    beside = path.with_name(path.name.replace(book, trades))
    return (path, beside) if book in path.name and beside.is_file() else (path,)


class Unpacked:
    """The content of a file in blocks; `damage` says why it ended early, empty while it did not."""

    def __init__(self, path: Path) -> None:
        """Open nothing yet."""
        self.path = path
        self.damage = ""

    def __iter__(self) -> Iterator[bytes]:
        """All that stands before a damage is given. Raises RecordingError where zstd cannot be read here."""
        self.damage = ""
        with self.path.open("rb") as file:
            packed = file.read(_BLOCK)
            if packed.startswith(_GZIP_MAGIC):
                yield from self._unzip(file, packed)
            elif packed.startswith(_ZSTD_MAGIC):
                yield from self._unpack_zstd(file, packed)
            else:
                while packed:
                    yield packed
                    packed = file.read(_BLOCK)

    def _unzip(self, file: Any, packed: bytes) -> Iterator[bytes]:
        unzip = zlib.decompressobj(wbits=31)
        while packed:
            before = unzip.copy()
            try:
                yield unzip.decompress(packed)
            except zlib.error as error:
                self.damage = f"the gzip data is damaged ({error})"
                yield _undamaged(before, packed)
                return
            packed = unzip.unused_data or file.read(_BLOCK)
            if unzip.eof and packed:
                unzip = zlib.decompressobj(wbits=31)  # gzip files may be joined end to end
        if not unzip.eof:
            self.damage = "the gzip data is cut off"

    def _unpack_zstd(self, file: Any, packed: bytes) -> Iterator[bytes]:
        zstd = _zstd(self.path)
        unpack = zstd.ZstdDecompressor()
        while packed:
            try:
                yield unpack.decompress(packed)
            except zstd.ZstdError as error:
                self.damage = f"the zstd data is damaged ({error})"
                return
            packed = unpack.unused_data or file.read(_BLOCK)
            if unpack.eof and packed:
                unpack = zstd.ZstdDecompressor()
        if not unpack.eof:
            self.damage = "the zstd data is cut off"


def _zstd(path: Path) -> Any:
    for name in _ZSTD_MODULES:
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise RecordingError(f"{path} is packed with zstd; install backports.zstd to read it, or unpack it with `zstd -d`")


def _undamaged(unzip: zlib._Decompress, packed: bytes) -> bytes:
    """What a damaged block gives before the damage."""
    content = b""
    try:
        for start in range(0, len(packed), _PIECE):
            content += unzip.decompress(packed[start : start + _PIECE])
    except zlib.error:
        return content
    return content
