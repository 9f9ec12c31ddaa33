"""The measured program of the transport rows: `python -m bench.client`, orders as JSON on standard input.

It subscribes to one symbol, or many, in one of several ways, and prints as JSON what a message cost the process. After
every message the best prices are looked at, as any reader of a book does: no variant may leave the sorting for later.
"""

from __future__ import annotations

import asyncio
import functools
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from bench.scripts import digest
from depthgui.binance.codec import DiffDecoder, decode_frame, decode_snapshot
from depthgui.binance.endpoints import Endpoints, Market, SymbolRef
from depthgui.book.order_book import OrderBook


class ClientOrder(msgspec.Struct, kw_only=True):
    """`variant` is one of VARIANTS. Measured are `messages` after the first `skip`, once every book is live."""

    base: str
    variant: str
    symbols: list[str]
    skip: int
    messages: int
    limit: int = 5000


class _Meter:
    """CPU and wall time between two counts of messages."""

    def __init__(self, order: ClientOrder) -> None:
        self._skip, self._wanted = order.skip, order.messages
        self._begin: tuple[float, float, int] | None = None
        self.is_ready = True
        self.done = asyncio.Event()
        self.messages = 0
        self.cpu_s = self.wall_s = 0.0

    def note(self, count: int) -> None:
        """So many messages have been applied by now."""
        if self._begin is None:
            if self.is_ready and count >= self._skip:
                self._begin = (time.process_time(), time.monotonic(), count)
            return
        cpu_s, wall_s, begun = self._begin
        if count - begun >= self._wanted and not self.done.is_set():
            self.messages = count - begun
            self.cpu_s, self.wall_s = time.process_time() - cpu_s, time.monotonic() - wall_s
            self.done.set()


def _report(meter: _Meter, books: dict[str, OrderBook]) -> dict[str, Any]:
    return {
        "us_a_message": meter.cpu_s / meter.messages * 1e6,
        "cpu_percent": meter.cpu_s / meter.wall_s * 100,
        "messages": meter.messages,
        "books": {
            symbol: [book.last_update_id, digest(book.bids.levels(), book.asks.levels())]
            for symbol, book in books.items()
        },
    }


def _look_at(book: OrderBook) -> None:
    assert book.bids.best != book.asks.best


async def plain(order: ClientOrder) -> dict[str, Any]:
    """What one writes with websockets and a loop: our decoder and book, nothing checked."""
    import aiohttp
    from websockets.asyncio.client import connect

    meter = _Meter(order)
    (symbol,) = order.symbols
    name = f"{symbol.lower()}@depth@100ms"
    url = order.base.replace("http", "ws", 1) + "/spot/stream"
    async with aiohttp.ClientSession() as session, connect(url, max_size=2**23, compression=None) as socket:
        await socket.send(json.dumps({"method": "SUBSCRIBE", "params": [name], "id": 1}))
        async with session.get(f"{order.base}/spot/api/v3/depth?symbol={symbol}&limit=5000") as answer:
            book = OrderBook.from_snapshot(symbol, decode_snapshot(await answer.read()))
        count = 0
        diffs = DiffDecoder()
        async for payload in socket:
            frame = decode_frame(payload.encode() if isinstance(payload, str) else payload)
            if frame.stream == name:
                book.apply(diffs.decode(frame.data))
                _look_at(book)
                count += 1
                meter.note(count)
                if meter.done.is_set():
                    break
    return _report(meter, {symbol: book})


async def plain_sorted(order: ClientOrder) -> dict[str, Any]:
    """The same with orjson and a SortedDict of floats."""
    import orjson
    from sortedcontainers import SortedDict
    from websockets.asyncio.client import connect

    meter = _Meter(order)
    (symbol,) = order.symbols
    sides: dict[str, Any] = {"b": SortedDict(), "a": SortedDict()}
    url = order.base.replace("http", "ws", 1) + "/spot/stream"
    count = 0
    async with connect(url, max_size=2**23, compression=None) as socket:
        await socket.send(json.dumps({"method": "SUBSCRIBE", "params": [f"{symbol.lower()}@depth@100ms"], "id": 1}))
        async for payload in socket:
            data = orjson.loads(payload).get("data")
            if data is None:
                continue
            for key, side in sides.items():
                for price, size in data[key]:
                    amount = float(size)
                    if amount:
                        side[float(price)] = amount
                    else:
                        side.pop(float(price), None)
            if all(sides.values()):
                _ = sides["b"].peekitem(-1), sides["a"].peekitem(0)
            count += 1
            meter.note(count)
            if meter.done.is_set():
                break
    return _report(meter, {})


async def hub(order: ClientOrder) -> dict[str, Any]:
    """depthgui's hub and feeds, as the application and the library use them."""
    from depthgui.depthcache.feed import Feed, FeedOptions
    from depthgui.depthcache.hub import Hub

    meter = _Meter(order)
    options = FeedOptions(limit=order.limit, with_tickers=False, with_trades=False)
    async with Hub(Endpoints.at(order.base)) as venue:
        feeds = [venue.feed(SymbolRef(Market.SPOT, symbol), options) for symbol in order.symbols]
        total = 0

        def changed(feed: Feed) -> None:
            # The feed's call to those who paint: after every diff, and at a change of state.
            nonlocal total
            total += 1
            if feed.book is not None:
                _look_at(feed.book)
            meter.note(total)

        meter.is_ready = False
        for feed in feeds:
            feed.wake = functools.partial(changed, feed)
            feed.start()
        while not all(feed.state.value == "live" for feed in feeds):
            await asyncio.sleep(0.1)
        meter.is_ready = True
        await meter.done.wait()
        books = {feed.symbol: feed.book for feed in feeds if feed.book is not None}
        report = _report(meter, books)
        report["gaps"] = sum(feed.counters.gaps for feed in feeds)
        report["live"] = sum(feed.state.value == "live" for feed in feeds)
        return report


def in_asyncio(job: Callable[[ClientOrder], Awaitable[dict[str, Any]]]) -> Callable[[ClientOrder], dict[str, Any]]:
    """Run it in asyncio's own loop."""
    return lambda order: asyncio.run(job(order))  # type: ignore[arg-type]


def in_qasync(job: Callable[[ClientOrder], Awaitable[dict[str, Any]]]) -> Callable[[ClientOrder], dict[str, Any]]:
    """Run it in qasync's loop, on Qt's."""

    def run(order: ClientOrder) -> dict[str, Any]:
        import qasync
        from PySide6 import QtWidgets  # first, so that qasync takes it

        app = QtWidgets.QApplication(sys.argv[:1])
        with asyncio.Runner(loop_factory=lambda: qasync.QEventLoop(app)) as runner:
            return runner.run(job(order))  # type: ignore[arg-type]

    return run


def in_application(job: Callable[[ClientOrder], Awaitable[dict[str, Any]]]) -> Callable[[ClientOrder], dict[str, Any]]:
    """Run it in the application's loop."""

    def run(order: ClientOrder) -> dict[str, Any]:
        from PySide6 import QtWidgets

        from depthgui.app.event_loop import EventLoop

        app = QtWidgets.QApplication(sys.argv[:1])
        with asyncio.Runner(loop_factory=lambda: EventLoop(app)) as runner:
            return runner.run(job(order))  # type: ignore[arg-type]

    return run


VARIANTS: dict[str, Callable[[ClientOrder], dict[str, Any]]] = {
    "asyncio + websockets, our book": in_asyncio(plain),
    "asyncio + websockets, orjson and SortedDict": in_asyncio(plain_sorted),
    "asyncio, our hub": in_asyncio(hub),
    "qasync + websockets, our book": in_qasync(plain),
    "qasync, our hub": in_qasync(hub),
    "the application's loop + websockets, our book": in_application(plain),
    "the application's loop, our hub": in_application(hub),
}


if __name__ == "__main__":
    order_ = msgspec.json.decode(sys.stdin.buffer.readline(), type=ClientOrder)
    print(json.dumps(VARIANTS[order_.variant](order_)))
