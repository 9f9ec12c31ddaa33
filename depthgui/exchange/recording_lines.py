"""Reading a recording line by line: what can be read is given, the rest is named with its line number.

A line is ``<recv_ns> <JSON>``; the JSON is a combined-stream frame ``{"stream", "data"}`` or a bare REST snapshot.
Files may be gzipped or plain, which is told from their first bytes, not from their name. Nothing is read ahead of
what is asked for, beyond a block of 64 kB.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

_BLOCK = 65_536
_PIECE = 64
_LONGEST_LINE = 16 * 1024 * 1024
_MOST_WARNINGS = 100
_GZIP_MAGIC = b"\x1f\x8b"


class RecordingError(ValueError):
    """A file that holds no recorded market data at all."""


@dataclass(frozen=True, slots=True)
class RecordedLine:
    """One message of a recording. `stream` is "" for a snapshot; `data` is the message's own JSON, byte for byte."""

    number: int
    recv_ns: int
    stream: str
    data: bytes


class _Envelope(msgspec.Struct):
    stream: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")
    lastUpdateId: int | None = None  # noqa: N815 - the venue's name


_envelope = msgspec.json.Decoder(_Envelope)


class RecordingLines:
    """The messages of a recording, in order; an iterator that can be started over.

    `warnings` says what could not be read, in sentences with line numbers; after a hundred of them they are only
    counted (`problems`). OSError if the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warnings: list[str] = []
        self.problems = 0
        self._warned_lines: set[int] = set()
        self._damage = ""
        with path.open("rb"):
            pass

    def __iter__(self) -> Iterator[RecordedLine]:
        number = 0
        rest = b""
        for block in self._blocks():
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            for raw in lines:
                number += 1
                yield from self._parsed(number, raw)
            if len(rest) > _LONGEST_LINE:
                self.warn(number + 1, f"longer than {_LONGEST_LINE} bytes; nothing is read from here on")
                return
        if self._damage:
            self.warn(number + 1, f"{self._damage}; nothing can be read from here on")
        yield from self._parsed(number + 1, rest)

    def warn(self, number: int, what: str) -> None:
        """Keep a warning about a line; the same line is named once."""
        if number in self._warned_lines:
            return
        self._warned_lines.add(number)
        self.problems += 1
        if len(self.warnings) < _MOST_WARNINGS:
            self.warnings.append(f"{self.path.name}, line {number}: {what}")

    def _parsed(self, number: int, raw: bytes) -> Iterator[RecordedLine]:
        """The message of a line: one or none."""
        if not raw.strip():
            return
        received, _, payload = raw.partition(b" ")
        try:
            envelope = _envelope.decode(payload)
            recv_ns = int(received)
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            self.warn(number, f"skipped, not a recorded message ({error})")
            return
        if envelope.stream:
            yield RecordedLine(number, recv_ns, envelope.stream, bytes(envelope.data))
        elif envelope.lastUpdateId is not None:
            yield RecordedLine(number, recv_ns, "", payload.strip())
        else:
            self.warn(number, "skipped, neither a stream's message nor a snapshot")

    def _blocks(self) -> Iterator[bytes]:
        """The file's content, unpacked; all that stands before a damage is given."""
        self._damage = ""
        with self.path.open("rb") as file:
            packed = file.read(_BLOCK)
            if not packed.startswith(_GZIP_MAGIC):
                while packed:
                    yield packed
                    packed = file.read(_BLOCK)
                return
            unzip = zlib.decompressobj(wbits=31)
            while packed:
                before = unzip.copy()
                try:
                    yield unzip.decompress(packed)
                except zlib.error as error:
                    self._damage = f"the gzip data is damaged ({error})"
                    yield _undamaged(before, packed)
                    return
                packed = unzip.unused_data or file.read(_BLOCK)
                if unzip.eof and packed:
                    unzip = zlib.decompressobj(wbits=31)  # gzip files may be joined end to end
            if not unzip.eof:
                self._damage = "the gzip data is cut off"


def _undamaged(unzip: zlib._Decompress, packed: bytes) -> bytes:
    """What a damaged block gives before the damage."""
    content = b""
    try:
        for start in range(0, len(packed), _PIECE):
            content += unzip.decompress(packed[start : start + _PIECE])
    except zlib.error:
        return content
    return content
