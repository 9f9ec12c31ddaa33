"""The books that are measured: what each must be able to do, ours, and the plain reference variants."""

from __future__ import annotations

from itertools import islice
from typing import Any, Protocol

from bench.workload import Workload
from depthgui.binance.codec import DiffDecoder, decode_frame, decode_snapshot
from depthgui.book.order_book import OrderBook
from depthgui.book.sequence import DerivativeRules, SpotRules
from depthgui.book.sync import BookSync, FetchSnapshot, SyncState

EVERY_MARKET = frozenset({"spot", "usdm", "coinm"})

Top = tuple[list[tuple[float, float]], list[tuple[float, float]]]
"""Best levels of bids and asks as floats, best first: what all books can be compared by."""


class BookUnderTest(Protocol):
    """One implementation. `apply` parses a diff's payload and applies it; `read` gives the top as its users get it."""

    name: str
    is_manager: bool
    """True where `apply` also checks the sequence, as it does in use."""
    markets: frozenset[str]
    """Markets whose books it keeps rightly."""

    def start(self, workload: Workload) -> None:
        """Build the book of the workload's snapshot."""

    def apply(self, payload: bytes) -> None:
        """Parse and apply one diff."""

    def read(self, count: int) -> Any:
        """The best `count` levels of both sides, in this book's own form."""

    def top(self, count: int) -> Top:
        """The same in the form in which all are compared."""

    def close(self) -> None:
        """Let go of threads and sockets."""


class OurBook:
    """depthgui's decoder and order book, without sequence rules; read as numbers, as the others are."""

    name = "depthgui book"
    is_manager = False
    markets = EVERY_MARKET

    def start(self, workload: Workload) -> None:
        self.book = OrderBook.from_snapshot(workload.symbol, decode_snapshot(workload.snapshot))
        self.diffs = DiffDecoder()

    def apply(self, payload: bytes) -> None:
        self.book.apply(self.diffs.decode(payload))

    def read(self, count: int) -> Any:
        return self.book.bids.numbers(count), self.book.asks.numbers(count)

    def top(self, count: int) -> Top:
        return floats(*self.read(count))

    def close(self) -> None:
        del self.book


class OurTexts(OurBook):
    """The same, read as the exact texts that the venue sent."""

    name = "depthgui book, read as text"

    def read(self, count: int) -> Any:
        return self.book.bids.levels(count), self.book.asks.levels(count)


class OurEngine:
    """depthgui as it runs: frame opened, diff decoded, sequence, crossing and tickers checked by `book.sync`."""

    name = "depthgui engine"
    is_manager = True
    markets = EVERY_MARKET

    def start(self, workload: Workload) -> None:
        rules = SpotRules() if workload.market == "spot" else DerivativeRules()
        self._prefix = workload.frame(b"#").partition(b"#")[0]
        self._now_s = 0.0
        self.sync = BookSync(workload.symbol, rules)
        self.diffs = DiffDecoder()
        self.sync.stream_opened(0.0)
        (order,) = self.sync.diff(self.diffs.decode(workload.diffs[0]), 0.0)
        assert isinstance(order, FetchSnapshot)
        self.sync.snapshot(decode_snapshot(workload.snapshot), order.number, 0.0)
        assert self.sync.state is SyncState.LIVE

    def apply(self, payload: bytes) -> None:
        self._now_s += 0.01
        self.sync.diff(self.diffs.decode(decode_frame(self._prefix + payload + b"}").data), self._now_s)

    def read(self, count: int) -> Any:
        book = self.sync.book
        assert book is not None
        return book.bids.numbers(count), book.asks.numbers(count)

    def top(self, count: int) -> Top:
        assert self.sync.state is SyncState.LIVE
        return floats(*self.read(count))

    def close(self) -> None:
        del self.sync


class SortedBook:
    """The usual home-made book: a SortedDict of floats a side, orjson; sizes as floats."""

    name = "sortedcontainers + orjson"
    is_manager = False
    markets = EVERY_MARKET

    def __init__(self) -> None:
        import orjson
        from sortedcontainers import SortedDict

        self._loads = orjson.loads
        self._new = SortedDict

    def start(self, workload: Workload) -> None:
        self.bids = self._new()
        self.asks = self._new()
        snapshot = self._loads(workload.snapshot)
        self._set(self.bids, snapshot["bids"])
        self._set(self.asks, snapshot["asks"])

    @staticmethod
    def _set(side: Any, levels: list[list[str]]) -> None:
        for price, size in levels:
            key = float(price)
            amount = float(size)
            if amount:
                side[key] = amount
            else:
                side.pop(key, None)

    def apply(self, payload: bytes) -> None:
        message = self._loads(payload)
        self._set(self.bids, message["b"])
        self._set(self.asks, message["a"])

    def read(self, count: int) -> Any:
        bids, asks = self.bids, self.asks
        return (
            [(key, bids[key]) for key in islice(reversed(bids), count)],
            [(key, asks[key]) for key in islice(asks, count)],
        )

    def top(self, count: int) -> Top:
        bids, asks = self.read(count)
        return bids, asks

    def close(self) -> None:
        del self.bids, self.asks


def floats(bids: Any, asks: Any) -> Top:
    """Pairs of anything that makes a float."""
    return (
        [(float(price), float(size)) for price, size in bids],
        [(float(price), float(size)) for price, size in asks],
    )
