"""Reading a recording line by line: what can be read is given in order of time, the rest is named with its line.

A line is one of

* ``<receive time> <JSON>``, as hftbacktest's collector and the likes of it write it;
* ``<receive time>: <JSON>``, or ``<address> -> <receive time>: <JSON>``, a raw capture of cryptofeed;
* ``<JSON>`` alone: the event's own time serves;
* a row of tardis' CSV files (`recording.tardis`).

The JSON is a combined-stream frame ``{"stream", "data"}``, an event that names itself (``e`` and ``s``), or a bare REST
snapshot. Receive times are in seconds, milliseconds, microseconds or nanoseconds, told by their digits. Files are
plain, gzip or zstd, told by their first bytes; a folder is all its files, merged by time. Nothing is read ahead, beyond
a block of 64 kB.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from types import MappingProxyType

import msgspec

from depthgui.binance.checked import time_ms
from depthgui.book.errors import MalformedMessageError
from depthgui.recording.files import RecordingError, Unpacked, recording_files
from depthgui.recording.tardis import BadRow, is_tardis, read_tardis
from depthgui.recording.times import LONGEST_PAUSE_S, PlayedTime, receive_time

__all__ = ["RecordedLine", "RecordingError", "RecordingLines"]

_LONGEST_LINE = 16 * 1024 * 1024
_MOST_WARNINGS = 100
_SHOWN = 60
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TIMED = re.compile(rb"([0-9]{1,20}(?:\.[0-9]{1,12})?)\s*:?\s+(?=[{\[])")
_CAPTURED = re.compile(rb"(\S+) -> ([0-9]{9,20}(?:\.[0-9]{1,12})?):\s*")
# What cryptofeed writes beside messages: its configuration, and what it sent.
_NO_MESSAGE = re.compile(rb"configuration:|\S+ <- ")
_SYMBOL_IN_ADDRESS = re.compile(rb"[?&]symbol=([^&\s]+)")
_STREAMS = MappingProxyType(
    {"depthUpdate": "depth", "bookTicker": "bookTicker", "trade": "trade", "aggTrade": "aggTrade"}
)
_EXPECTED = "expected '<receive time> <JSON>', '<JSON>', a capture of cryptofeed or a CSV file of tardis"


@dataclass(frozen=True, slots=True)
class RecordedLine:
    """One message of a recording. `stream` is "" for a snapshot; `data` is the message's own JSON, byte for byte.

    `recv_ns` is when it is played, in nanoseconds since the first line. `symbol` is "" for a snapshot that names none.
    """

    number: int
    recv_ns: int
    stream: str
    data: bytes
    symbol: str = ""
    file: str = ""


class _Envelope(msgspec.Struct):
    stream: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")
    lastUpdateId: int | None = None  # noqa: N815 - the venue's name
    event: str = msgspec.field(name="e", default="")
    symbol: str = msgspec.field(name="s", default="")
    long_symbol: str = msgspec.field(name="symbol", default="")
    best_bid_size: str = msgspec.field(name="B", default="")
    event_time: int | None = msgspec.field(name="E", default=None)
    trade_time: int | None = msgspec.field(name="T", default=None)
    result: msgspec.Raw = msgspec.Raw(b"")
    symbols: msgspec.Raw = msgspec.Raw(b"")


class _Times(msgspec.Struct):
    event_time: int | None = msgspec.field(name="E", default=None)
    trade_time: int | None = msgspec.field(name="T", default=None)


_envelope = msgspec.json.Decoder(_Envelope)
_times = msgspec.json.Decoder(_Times)


class RecordingLines:
    """The messages of a recording, in order; an iterator that can be started over.

    `warnings` says what could not be read, or had to be guessed, in sentences with line numbers; after a hundred of
    them they are only counted (`problems`). `keeps_pauses` plays pauses of more than two seconds as they are. Raises
    OSError if a file cannot be opened, RecordingError for a folder without a file or a packing that cannot be read.
    """

    def __init__(self, path: Path, *, keeps_pauses: bool = False) -> None:
        self.path = path
        self.warnings: list[str] = []
        self.problems = 0
        self._keeps_pauses = keeps_pauses
        self._warned: set[tuple[str, int]] = set()
        self._said: set[str] = set()
        self._files = recording_files(path)
        for file in self._files:
            with file.open("rb"):
                pass

    def __iter__(self) -> Iterator[RecordedLine]:
        played = PlayedTime(keeps_pauses=self._keeps_pauses)
        readers = [self._of_file(file) for file in self._files]
        lines = readers[0] if len(readers) == 1 else heapq.merge(*readers, key=lambda line: line.recv_ns)
        for line in lines:
            at_ns = played.at_ns(line.recv_ns)
            if played.pauses:
                self.say(f"{self.path.name}: pauses of more than {LONGEST_PAUSE_S:g} s are shortened to that")
            if played.backwards:
                self.say(f"{self.path.name}: the recorder's clock went backwards; the order of lines counts")
            yield replace(line, recv_ns=at_ns)

    def say(self, what: str) -> None:
        """Keep a sentence about the whole recording, once."""
        if what not in self._said:
            self._said.add(what)
            self.warnings.append(what)

    def warn(self, number: int, what: str, file: str = "") -> None:
        """Keep a warning about a line; the same line is named once."""
        if (file, number) in self._warned:
            return
        self._warned.add((file, number))
        self.problems += 1
        if self.problems <= _MOST_WARNINGS:
            self.warnings.append(f"{file or self.path.name}, line {number}: {what}")

    def _of_file(self, path: Path) -> Iterator[RecordedLine]:
        content = Unpacked(path)
        lines = self._raw_lines(path, content)
        first = next(lines, None)
        if first is None:
            return
        reader = _LineReader(self, path.name)
        if is_tardis(first[1]):
            yield from self._of_tardis(path, (raw for _, raw in chain([first], lines)))
        else:
            for number, raw in chain([first], lines):
                yield from reader.read(number, raw)

    def _raw_lines(self, path: Path, content: Unpacked) -> Iterator[tuple[int, bytes]]:
        number = 0
        rest = b""
        is_first = True
        for block in content:
            if is_first:
                block = block.removeprefix(_BYTE_ORDER_MARK)  # noqa: PLW2901
                is_first = False
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            for raw in lines:
                number += 1
                yield number, raw
            if len(rest) > _LONGEST_LINE:
                what = f"longer than {_LONGEST_LINE} bytes; nothing is read from here on"
                self.warn(number + 1, what, path.name)
                return
        if content.damage:
            self.warn(number + 1, f"{content.damage}; nothing can be read from here on", path.name)
        if rest:
            yield number + 1, rest

    def _of_tardis(self, path: Path, lines: Iterable[bytes]) -> Iterator[RecordedLine]:
        self.say(f"{path.name}: rows of tardis; update ids are made up, in the order of the rows")
        for message in read_tardis(path.name, (line.decode(errors="replace").rstrip("\r") for line in lines)):
            if isinstance(message, BadRow):
                self.warn(message.number, f"skipped, {message.reason}", path.name)
                continue
            received_ns = message.received_us * 1000
            yield RecordedLine(message.number, received_ns, message.stream, message.data, message.symbol, path.name)


class _LineReader:
    """Turns the lines of one file into messages."""

    def __init__(self, lines: RecordingLines, name: str) -> None:
        self._lines = lines
        self._name = name
        self._last_ns = 0

    def read(self, number: int, raw: bytes) -> Iterator[RecordedLine]:
        """The message of a line: one or none."""
        text = raw.strip()
        if not text or _NO_MESSAGE.match(text):
            return
        received, symbol, payload = self._split(text)
        try:
            envelope = _envelope.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            shown = text[:_SHOWN].decode(errors="replace")
            reason = f"{_EXPECTED} ({error})" if payload == text else f"not JSON ({error})"
            self._lines.warn(number, f"skipped, not a recorded message: {reason}: {shown!r}", self._name)
            return
        if bytes(envelope.result) or bytes(envelope.symbols):
            return  # an answer to a request of the recorder's, or a listing
        line = _message(envelope, payload, symbol)
        if line is None:
            self._lines.warn(number, "skipped, neither a stream's message nor a snapshot", self._name)
            return
        stream, data, symbol = line
        received_ns = self._received_ns(number, received, envelope, data)
        if received_ns is not None:
            self._last_ns = received_ns
            yield RecordedLine(number, received_ns, stream, data, symbol, self._name)

    def _split(self, text: bytes) -> tuple[bytes, str, bytes]:
        """Receive time, symbol of the address, and JSON; empty where there is none."""
        if (timed := _TIMED.match(text)) is not None:
            return timed[1], "", text[timed.end() :]
        if (captured := _CAPTURED.match(text)) is not None:
            symbol = _SYMBOL_IN_ADDRESS.search(captured[1])
            return captured[2], symbol[1].decode(errors="replace").upper() if symbol else "", text[captured.end() :]
        return b"", "", text

    def _received_ns(self, number: int, received: bytes, envelope: _Envelope, data: bytes) -> int | None:
        if received:
            found = receive_time(received)
            if found is None:
                what = f"skipped, {received.decode()} is no receive time in seconds, milli-, micro- or nanoseconds"
                self._lines.warn(number, what, self._name)
                return None
            received_ns, unit = found
            if unit != "nanoseconds":
                self._lines.say(f"{self._name}: receive times are in {unit}, by their digits")
            return received_ns
        self._lines.say(f"{self._name}: lines have no receive time; the events' own times serve")
        event_ms = envelope.event_time if envelope.event_time is not None else envelope.trade_time
        if event_ms is None:
            try:
                times = _times.decode(data)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                return self._last_ns
            event_ms = times.event_time if times.event_time is not None else times.trade_time
        try:
            return self._last_ns if event_ms is None else time_ms(event_ms) * 1_000_000
        except MalformedMessageError:
            return self._last_ns


def _message(envelope: _Envelope, payload: bytes, symbol: str) -> tuple[str, bytes, str] | None:
    """Stream ("" for a snapshot), the message's own JSON, and the symbol ("" where none is named)."""
    if envelope.stream:
        return envelope.stream, bytes(envelope.data), envelope.stream.partition("@")[0].upper()
    named = (envelope.symbol or envelope.long_symbol or symbol).upper()
    if envelope.lastUpdateId is not None:
        return "", payload, named
    kind = _STREAMS.get(envelope.event) or ("bookTicker" if envelope.best_bid_size and not envelope.event else None)
    if kind is None or not envelope.symbol:
        return None
    return f"{envelope.symbol.lower()}@{kind}", payload, named
