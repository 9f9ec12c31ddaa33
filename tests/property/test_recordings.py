"""Every recording through the engine, beside a replay that shares nothing with it: json, dictionaries, Decimals."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from depthgui.binance.codec import DiffDecoder, decode_best_prices, decode_frame, decode_snapshot
from depthgui.book import BookSync, Snapshot, SyncState
from depthgui.book.errors import GapError
from depthgui.book.sequence import DerivativeRules, SpotRules
from depthgui.book.sync import Audited, FetchSnapshot, Outcomes, StateChanged

LIMIT = 1000

# How many tickers carry the id at which a diff, or the snapshot, left the book: each must have the book's best prices.
WHOLE = {
    "spot_BTCUSDT_hft20240808": 1072,
    "spot_BTCUSDT_hft20240808_60s": 110,
    "usdm_ETHUSDT_hft20240808": 551,
    "usdm_BTCUSDT_hft20240808_60s": 108,
    "coinm_BTCUSD_PERP_hft20240808": 1885,
    "coinm_BTCUSD_PERP_hft20240808_60s": 178,
    "spot_NKNUSDT_cryptofeed": 19,
    "usdm_CTKUSDT_cryptofeed": 18,
    "usdm_SUSHIUSDT_cryptofeed": 12,
    "coinm_ETHUSD_210924_cryptofeed": 11,
}
WITH_GAP = {
    "spot_BTCUSDT_hft20240808_60s_gap100": "spot_BTCUSDT_hft20240808_60s",
    "usdm_BTCUSDT_hft20240808_60s_gap500": "usdm_BTCUSDT_hft20240808_60s",
}


def lines(folder: Path, name: str) -> Iterator[tuple[float, bytes]]:
    path = folder / f"{name}.ndjson.gz"
    if not path.is_file():
        pytest.skip(f"no recording {path}")
    with gzip.open(path) as file:
        for line in file:
            stamp, _, raw = line.partition(b" ")
            yield int(stamp) / 1e9, raw


@dataclass
class Replay:
    """The other replay: no sequence rules but "newer than what I have", exact numbers with their texts."""

    update_id: int = -1
    bids: dict[Decimal, tuple[str, str]] = field(default_factory=dict)
    asks: dict[Decimal, tuple[str, str]] = field(default_factory=dict)
    waiting: list[dict[str, Any]] = field(default_factory=list)
    tickers: dict[int, dict[str, Any]] = field(default_factory=dict)
    equal_tickers: int = 0
    holes: list[tuple[int, int]] = field(default_factory=list)
    last_u: int | None = None
    is_whole: bool = True

    def feed(self, raw: bytes) -> None:
        if b"@trade" in raw[:60]:
            return
        message = json.loads(raw)
        if "lastUpdateId" in message:
            self.update_id = message["lastUpdateId"]
            self._set(message["bids"], message["asks"])
            for event in self.waiting:
                self._apply(event)
            self.waiting.clear()
        elif "@depth" in message["stream"]:
            event = message["data"]
            before = event.get("pu", event["U"] - 1)
            if self.last_u is not None and before != self.last_u:
                self.holes.append((self.last_u, event["U"]))
            self.last_u = event["u"]
            if self.update_id < 0:
                self.waiting.append(event)
            else:
                self._apply(event)
        elif message["stream"].endswith("@bookTicker") and self.is_whole and self.update_id >= 0:
            ticker = message["data"]
            self.tickers[ticker["u"]] = ticker
            if ticker["u"] == self.update_id:
                self._compare(ticker)

    def _apply(self, event: dict[str, Any]) -> None:
        if event["u"] <= self.update_id:
            return
        self.update_id = event["u"]
        self._set(event["b"], event["a"])
        ticker = self.tickers.pop(event["u"], None)
        if ticker is not None:
            self._compare(ticker)

    def _set(self, bids: list[list[str]], asks: list[list[str]]) -> None:
        for side, levels in ((self.bids, bids), (self.asks, asks)):
            for price, size in levels:
                if Decimal(size) == 0:
                    side.pop(Decimal(price), None)
                else:
                    side[Decimal(price)] = (price, size)

    def _compare(self, ticker: dict[str, Any]) -> None:
        bid, ask = max(self.bids), min(self.asks)
        assert (bid, ask) == (Decimal(ticker["b"]), Decimal(ticker["a"]))
        assert Decimal(self.bids[bid][1]) == Decimal(ticker["B"])
        assert Decimal(self.asks[ask][1]) == Decimal(ticker["A"])
        self.equal_tickers += 1

    def snapshot(self, limit: int) -> Snapshot:
        bids, asks = self.levels()
        return Snapshot(self.update_id, bids[:limit], asks[:limit], None, limit)

    def levels(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        return (
            [self.bids[price] for price in sorted(self.bids, reverse=True)],
            [self.asks[price] for price in sorted(self.asks)],
        )


def digest(sides: tuple[list[tuple[str, str]], list[tuple[str, str]]]) -> str:
    """Of the exact texts, best first."""
    return hashlib.sha256(json.dumps(sides).encode()).hexdigest()


class Engine:
    """The engine as a feed would drive it, with a tick each second of the recording."""

    def __init__(self, name: str) -> None:
        self.sync = BookSync(name, SpotRules() if name.startswith("spot") else DerivativeRules())
        self.diffs = DiffDecoder()
        self.gaps: list[GapError] = []
        self.audits = 0
        self.wrong: list[Audited] = []
        self.order: FetchSnapshot | None = None
        self.states: set[SyncState] = set()
        self.now_s = 0.0
        self._ticked_s = 0.0

    def perform(self, outcomes: Outcomes) -> None:
        for outcome in outcomes:
            match outcome:
                case FetchSnapshot():
                    self.order = outcome
                case Audited(result):
                    self.audits += 1
                    if not result.agrees:
                        self.wrong.append(outcome)
                case StateChanged(_, _, error) if error is not None:
                    assert isinstance(error, GapError)
                    self.gaps.append(error)

    def feed(self, now_s: float, raw: bytes) -> None:
        if not self._ticked_s:
            self._ticked_s = now_s
            self.perform(self.sync.stream_opened(now_s))
        self.now_s = max(now_s, self.now_s)
        if self.now_s - self._ticked_s >= 1.0:
            self._ticked_s = self.now_s
            self.perform(self.sync.tick(self.now_s))
        if raw.startswith(b'{"lastUpdateId"'):
            self.answer(decode_snapshot(raw, LIMIT))
        else:
            frame = decode_frame(raw)
            if "@depth" in frame.stream:
                self.perform(self.sync.diff(self.diffs.decode(frame.data), self.now_s))
            elif frame.stream.endswith("@bookTicker"):
                self.perform(self.sync.best_prices(decode_best_prices(frame.data), self.now_s))
        if self.sync.book is not None:
            self.states.add(self.sync.state)

    def answer(self, snapshot: Snapshot) -> None:
        if self.order is None:  # the recorder asked before the first diff had arrived
            self.perform(self.sync.tick(self.now_s + 2.0))
        assert self.order is not None
        order, self.order = self.order, None
        self.perform(self.sync.snapshot(snapshot, order.number, self.now_s))


@cache
def replayed(folder: Path, name: str) -> Replay:
    replay = Replay(is_whole=name in WHOLE)  # with an event missing the best prices are wrong, as they should be
    for _, raw in lines(folder, name):
        replay.feed(raw)
    return replay


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_recording(data_dir: Path, name: str) -> None:
    engine = Engine(name)
    for now_s, raw in lines(data_dir, name):
        engine.feed(now_s, raw)
    other = replayed(data_dir, name)
    book = engine.sync.book
    assert book is not None
    assert engine.sync.state is SyncState.LIVE
    assert engine.states == {SyncState.LIVE}
    assert (engine.gaps, engine.sync.gaps, engine.sync.resyncs) == ([], 0, 0)
    assert other.holes == []
    assert book.last_update_id == other.update_id
    assert digest((book.bids.levels(), book.asks.levels())) == digest(other.levels())
    assert engine.wrong == []
    assert engine.audits == other.equal_tickers == WHOLE[name]


@pytest.mark.parametrize("name", WITH_GAP)
def test_a_recording_with_one_event_taken_out(data_dir: Path, name: str) -> None:
    """One gap, seen at the very next event; with a snapshot of that moment it ends as the whole recording does."""
    engine = Engine(name)
    truth = Replay()
    whole = iter(lines(data_dir, WITH_GAP[name]))
    since_gap = 0
    for now_s, raw in lines(data_dir, name):
        for _, line in whole:
            truth.feed(line)
            if line == raw:
                break
        engine.feed(now_s, raw)
        if engine.gaps and engine.sync.state is SyncState.BUFFERING:
            since_gap += 1
            if since_gap == 200:
                engine.answer(truth.snapshot(5000))
    broken = replayed(data_dir, name)
    assert [(gap.book_id, gap.first_id) for gap in engine.gaps] == broken.holes
    assert len(broken.holes) == 1
    assert engine.sync.gaps == 1
    assert engine.sync.resyncs == 1
    assert engine.sync.state is SyncState.LIVE
    assert engine.wrong == []
    book = engine.sync.book
    assert book is not None
    assert book.last_update_id == truth.update_id == replayed(data_dir, WITH_GAP[name]).update_id
    assert digest((book.bids.levels(), book.asks.levels())) == digest(truth.levels())


@pytest.mark.parametrize("name", [name for name in WHOLE if name.endswith(("_60s", "_cryptofeed"))])
def test_refreshes_during_a_recording_agree(data_dir: Path, name: str) -> None:
    """A snapshot from the other replay, a little older than the book, every now and then."""
    engine = Engine(name)
    other = Replay()
    refreshes = 0
    taken: Snapshot | None = None
    for count, (now_s, raw) in enumerate(lines(data_dir, name)):
        other.feed(raw)
        engine.feed(now_s, raw)
        if engine.sync.state is not SyncState.LIVE:
            continue
        if count % 120 == 0:
            engine.perform(engine.sync.refresh_due(engine.now_s))
            taken = other.snapshot(100)
        elif count % 120 == 20 and taken is not None and engine.order is not None:
            before = engine.audits
            engine.answer(taken)
            refreshes += engine.audits - before
    assert engine.sync.state is SyncState.LIVE
    assert engine.wrong == []
    assert refreshes
    book = engine.sync.book
    assert book is not None
    assert digest((book.bids.levels(), book.asks.levels())) == digest(other.levels())
