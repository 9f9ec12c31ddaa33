"""What is fed to the books: messages as the venue sends them, made from a seed or taken from recordings."""

from __future__ import annotations

import gzip
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

DATA_VARIABLE = "DEPTHGUI_DATA"
SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
START_MS = 1_723_111_000_000


@dataclass(frozen=True, slots=True)
class Line:
    """One recorded message: seconds since the first one, stream name ("" for a snapshot), the payload's own JSON."""

    at_s: float
    stream: str
    data: bytes


@dataclass(slots=True)
class Workload:
    """A book and what changes it. `market` is "spot", "usdm" or "coinm"; `diffs` are payloads of a diff stream."""

    name: str
    market: str
    symbol: str
    snapshot: bytes
    diffs: list[bytes]
    lines: list[Line] = field(default_factory=list)

    @property
    def stream(self) -> str:
        """Name of the diff stream."""
        return f"{self.symbol.lower()}@depth@100ms"

    def frame(self, payload: bytes) -> bytes:
        """The payload as a combined stream wraps it."""
        return b'{"stream":"%s","data":%s}' % (self.stream.encode(), payload)

    def frames(self) -> list[bytes]:
        """All diffs as a combined stream wraps them."""
        return [self.frame(payload) for payload in self.diffs]


class _Levels(msgspec.Struct):
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]


def levels_per_message(workload: Workload) -> float:
    """Mean number of levels of a diff."""
    decode = msgspec.json.Decoder(_Levels).decode
    total = sum(len(each.b) + len(each.a) for each in map(decode, workload.diffs))
    return total / max(len(workload.diffs), 1)


class _Side:
    # Distances in ticks from the mid decide who trades; occupied slots and their sizes are kept as integers.
    def __init__(self, mid: int, sign: int, levels: int, random_: random.Random, occupancy: float) -> None:
        self.sign = sign
        self.random = random_
        self.sizes: dict[int, int] = {}
        self.reach = max(int(levels / occupancy), levels)
        slots = random_.sample(range(1, self.reach + 1), levels)
        for slot in slots:
            self.sizes[mid + sign * slot] = self.new_size()

    def new_size(self) -> int:
        return max(int(self.random.lognormvariate(0.0, 2.0) * 5_400_000), 1_000)

    def pick(self, mid: int) -> int:
        draw = self.random.random()
        if draw < 0.5:
            distance = int(self.random.expovariate(1 / 25))
        elif draw < 0.85:
            distance = int(self.random.random() * min(700, self.reach))
        else:
            distance = int(self.random.random() * self.reach)
        return mid + self.sign * (1 + min(distance, self.reach - 1))

    def change(self, mid: int, remove_share: float) -> tuple[int, int]:
        """One update: a tick and its new size, 0 for a level that is taken away."""
        tick = self.pick(mid)
        size = 0 if tick in self.sizes and self.random.random() < remove_share else self.new_size()
        if size:
            self.sizes[tick] = size
        else:
            del self.sizes[tick]
        return tick, size

    def crossed(self, mid: int) -> list[tuple[int, int]]:
        """Take away what the mid has run over."""
        gone = [tick for tick in self._near(mid) if (tick - mid) * self.sign <= 0]
        for tick in gone:
            del self.sizes[tick]
        return [(tick, 0) for tick in gone]

    def _near(self, mid: int) -> list[int]:
        return [tick for tick in range(mid - 60, mid + 61) if tick in self.sizes]


class SyntheticMarket:
    """A spot book with 8-decimal text around 60000.00 at a tick of 0.01: most changes near the touch, some far.

    The number of levels stays about what it was at the start, so that cost at a size can be measured at that size.
    """

    def __init__(self, *, levels_a_side: int = 5000, seed: int = 1, symbol: str = "BTCUSDT") -> None:
        self.symbol = symbol
        self._random = random.Random(seed)
        occupancy = 0.74
        self._remove_share = 0.35
        self._mid = 6_000_000
        self._home = self._mid
        self.bids = _Side(self._mid, -1, levels_a_side, self._random, occupancy)
        self.asks = _Side(self._mid, +1, levels_a_side, self._random, occupancy)
        self.update_id = 1_000_000
        self.event_ms = START_MS

    def snapshot(self) -> bytes:
        """The whole book as the order book endpoint would give it."""
        bids = ",".join(_level(tick, size) for tick, size in sorted(self.bids.sizes.items(), reverse=True))
        asks = ",".join(_level(tick, size) for tick, size in sorted(self.asks.sizes.items()))
        return f'{{"lastUpdateId":{self.update_id},"bids":[{bids}],"asks":[{asks}]}}'.encode()

    def diff(self, levels: int = 31, step_ms: int = 100) -> bytes:
        """The next event, of about `levels` levels."""
        bids: list[tuple[int, int]] = []
        asks: list[tuple[int, int]] = []
        if self._random.random() < 0.3:
            pull = 1 if self._mid < self._home else -1
            self._mid += self._random.choice((-4, -2, -1, 1, 2, 4, pull))
            bids += self.bids.crossed(self._mid)
            asks += self.asks.crossed(self._mid)
        seen: set[int] = {tick for tick, _ in bids + asks}
        while len(bids) + len(asks) < levels:
            is_bid = self._random.random() < 0.5
            tick, size = (self.bids if is_bid else self.asks).change(self._mid, self._remove_share)
            if tick in seen and levels < 200:
                continue  # the size stands in the book already; only the text of this message lacks it
            seen.add(tick)
            (bids if is_bid else asks).append((tick, size))
        return self._text(self._settled(bids, self.bids), self._settled(asks, self.asks), step_ms)

    @staticmethod
    def _settled(changes: list[tuple[int, int]], side: _Side) -> list[tuple[int, int]]:
        # A tick may have been drawn twice: what the message says is what the book has now.
        return [(tick, side.sizes.get(tick, 0)) for tick in dict.fromkeys(tick for tick, _ in changes)]

    def _text(self, bids: list[tuple[int, int]], asks: list[tuple[int, int]], step_ms: int) -> bytes:
        first = self.update_id + 1
        self.update_id += len(bids) + len(asks)
        self.event_ms += step_ms
        bid_text = ",".join(_level(*level) for level in sorted(bids, reverse=True))
        ask_text = ",".join(_level(*level) for level in sorted(asks))
        return (
            f'{{"e":"depthUpdate","E":{self.event_ms},"s":"{self.symbol}","U":{first},"u":{self.update_id},'
            f'"b":[{bid_text}],"a":[{ask_text}]}}'
        ).encode()


def _level(tick: int, size: int) -> str:
    return f'["{tick // 100}.{tick % 100:02d}000000","{size // 10**8}.{size % 10**8:08d}"]'


def synthetic(
    messages: int, *, levels_a_side: int = 5000, levels: int = 31, seed: int = 1, symbol: str = "BTCUSDT"
) -> Workload:
    """A made workload; the same for the same arguments."""
    market = SyntheticMarket(levels_a_side=levels_a_side, seed=seed, symbol=symbol)
    snapshot = market.snapshot()
    diffs = [market.diff(levels) for _ in range(messages)]
    return Workload(f"made, {levels_a_side} levels a side", "spot", symbol, snapshot, diffs)


# Recordings


def data_folder() -> Path | None:
    """Where the recordings are: `$DEPTHGUI_DATA`, else `../shared/data`; None where there are none."""
    named = os.environ.get(DATA_VARIABLE)
    folder = Path(named) if named else SHARED
    return folder if folder.is_dir() else None


RECORDINGS = (
    "spot_BTCUSDT_hft20240808",
    "usdm_ETHUSDT_hft20240808",
    "usdm_BTCUSDT_hft20240808_60s",
    "coinm_BTCUSD_PERP_hft20240808",
)


class _Envelope(msgspec.Struct):
    stream: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")


def recorded_lines(path: Path) -> Iterator[Line]:
    """Every message of a recording, in order of arrival."""
    decode = msgspec.json.Decoder(_Envelope).decode
    begin_ns: int | None = None
    with gzip.open(path, "rb") as file:
        for text in file:
            stamp, _, body = text.partition(b" ")
            received_ns = int(stamp)
            begin_ns = received_ns if begin_ns is None else begin_ns
            envelope = decode(body)
            data = bytes(envelope.data) if envelope.stream else body.strip()
            yield Line((received_ns - begin_ns) / 1e9, envelope.stream, data)


class _Ids(msgspec.Struct):
    U: int
    u: int
    pu: int | None = None


class _SnapshotId(msgspec.Struct):
    lastUpdateId: int


def recorded(path: Path, *, seconds: float | None = None, diffs: int | None = None) -> Workload:
    """A recording's first snapshot, the diffs that follow it, and all of its lines, up to a time or a number."""
    market = path.name.partition("_")[0]
    snapshot = b""
    found: list[bytes] = []
    lines: list[Line] = []
    symbol = ""
    for line in recorded_lines(path):
        if (seconds is not None and line.at_s > seconds) or (diffs is not None and len(found) >= diffs):
            break
        lines.append(line)
        if not line.stream:
            snapshot = snapshot or line.data
        elif "@depth" in line.stream:
            found.append(line.data)
            symbol = symbol or line.stream.partition("@")[0].upper()
    return Workload(path.name.split(".")[0], market, symbol, snapshot, _joined(snapshot, found), lines)


def _joined(snapshot: bytes, diffs: list[bytes]) -> list[bytes]:
    # Those that are newer than the snapshot: every book may begin with the first of them.
    at = msgspec.json.decode(snapshot, type=_SnapshotId).lastUpdateId
    decode = msgspec.json.Decoder(_Ids).decode
    return [payload for payload in diffs if decode(payload).u > at]


def recordings(*, seconds: float | None = None, diffs: int | None = None) -> list[Workload]:
    """The recordings that are here."""
    folder = data_folder()
    if folder is None:
        return []
    paths = [folder / f"{name}.ndjson.gz" for name in RECORDINGS]
    return [recorded(path, seconds=seconds, diffs=diffs) for path in paths if path.is_file()]
