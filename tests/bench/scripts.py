"""What the benchmark's venue plays: the same in the venue, in the measured program and in the check afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import msgspec

from bench.workload import Line, recorded, synthetic


class ScriptOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol to play.

    `path` names a recording, whose symbol is called `symbol` here; without one, `rate` made diffs a second of `levels`
    levels are played. Every `burst_every_s` seconds (0: never), `burst` messages come at once.
    """

    symbol: str
    market: str = "spot"
    path: str = ""
    seconds: float = 30.0
    rate: float = 10.0
    levels_a_side: int = 1000
    levels: int = 31
    seed: int = 1
    burst: int = 0
    burst_every_s: float = 0.0


@dataclass(slots=True)
class Script:
    """A symbol's snapshot and what follows it; `lines` hold payloads, named by their stream without the symbol."""

    market: str
    symbol: str
    snapshot: bytes
    lines: list[Line] = field(default_factory=list)

    @property
    def name(self) -> str:
        """As the command line takes it."""
        return self.symbol if self.market == "spot" else f"{self.market}:{self.symbol}"


def make_script(order: ScriptOrder) -> Script:
    """Make what an order says."""
    return _recorded_script(order) if order.path else _made_script(order)


def _recorded_script(order: ScriptOrder) -> Script:
    workload = _read(order.path, order.seconds)
    old, new = f'"s":"{workload.symbol}"'.encode(), f'"s":"{order.symbol}"'.encode()
    lines = [
        Line(line.at_s, _kind(line.stream), line.data.replace(old, new, 1)) for line in workload.lines if line.stream
    ]
    return Script(order.market, order.symbol, workload.snapshot, lines)


def _kind(stream: str) -> str:
    # Recorders name the pace of the diffs in several ways; the application asks for one of them.
    kind = stream.partition("@")[2]
    return "depth@100ms" if kind.startswith("depth") else kind


_read = lru_cache(maxsize=8)(lambda path, seconds: recorded(Path(path), seconds=seconds))


def _made_script(order: ScriptOrder) -> Script:
    times = _times(order)
    made = _make(len(times), order.levels_a_side, order.levels, order.seed)
    old, new = b'"s":"BTCUSDT"', f'"s":"{order.symbol}"'.encode()
    lines = [
        Line(at_s, "depth@100ms", payload.replace(old, new, 1)) for at_s, payload in zip(times, made.diffs, strict=True)
    ]
    return Script(order.market, order.symbol, made.snapshot, lines)


_make = lru_cache(maxsize=4)(
    lambda messages, levels_a_side, levels, seed: synthetic(
        messages, levels_a_side=levels_a_side, levels=levels, seed=seed
    )
)


def _times(order: ScriptOrder) -> list[float]:
    times = [number / order.rate for number in range(int(order.rate * order.seconds))]
    if order.burst_every_s:
        count = int(order.seconds / order.burst_every_s)
        times += [(number + 0.5) * order.burst_every_s for number in range(count) for _ in range(order.burst)]
    return sorted(times)


# The check


class _Change(msgspec.Struct):
    u: int
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]


class _Whole(msgspec.Struct):
    lastUpdateId: int
    bids: list[tuple[str, str]]
    asks: list[tuple[str, str]]


def digest(bids: Iterable[tuple[str, str]], asks: Iterable[tuple[str, str]]) -> str:
    """Hash of a whole book's exact texts, whatever the order."""
    texts = sorted([f"b {price} {size}" for price, size in bids] + [f"a {price} {size}" for price, size in asks])
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def true_digest(script: Script, update_id: int) -> str:
    """The digest of the book at an update id: a dict a side, every change applied, nothing else."""
    whole = msgspec.json.decode(script.snapshot, type=_Whole)
    bids, asks = dict(whole.bids), dict(whole.asks)
    decode = msgspec.json.Decoder(_Change).decode
    for line in script.lines:
        if "depth" not in line.stream:
            continue
        change = decode(line.data)
        if change.u > update_id:
            break
        if change.u <= whole.lastUpdateId:
            continue
        for side, levels in ((bids, change.b), (asks, change.a)):
            for price, size in levels:
                if float(size):
                    side[price] = size
                else:
                    side.pop(price, None)
    return digest(bids.items(), asks.items())
