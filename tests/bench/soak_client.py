"""The measured program of the memory row: `python -m bench.soak_client SYMBOLS MINUTES` prints JSON.

The real hub, feeds and books run on a clock that jumps, so that hours pass in minutes; a venue without sockets sends
diffs, best prices and trades whose mid wanders, so that levels are left behind, books grow to their limit and are
trimmed, and the half-hourly audits happen. All that is bounded (the levels of a book, the trades that are kept) comes
to its bound within five minutes: what grows after ten would go on. Memory is what the process has in RAM at every
simulated minute.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import sys
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, cast

import msgspec
from feed.virtual_loop import VirtualLoop

from depthgui.binance.endpoints import Endpoints, Market, SymbolRef
from depthgui.depthcache.feed import Feed, FeedOptions
from depthgui.depthcache.hub import Hub, HubOptions
from depthgui.depthcache.venue_rest import VenueRest
from depthgui.transport.rest import RestAnswer, RestClient
from depthgui.ui.process_memory import resident_bytes

_TICK_S = 0.1
_REACH = 20_000  # ticks; a side may have 10,000 levels
_LEVELS = 20


class WanderingSymbol:
    """A symbol whose mid drifts. Its snapshot is made of the feed's own book: here memory is looked at, not truth."""

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self.lower = name.lower().encode()
        self._random = random.Random(seed)
        self._mid = 6_000_000
        self.update_id = 1000
        self._sent = 0
        self.feed: Feed | None = None

    def snapshot(self, limit: int) -> bytes:
        book = None if self.feed is None else self.feed.book
        if book is None or self.feed is None or self.feed.state.value != "live":
            near = range(1, limit + 1)
            bids = [(_price(self._mid - distance), "1.00000000") for distance in near]
            asks = [(_price(self._mid + distance), "1.00000000") for distance in near]
            return msgspec.json.encode({"lastUpdateId": self.update_id, "bids": bids, "asks": asks})
        bids, asks = book.bids.levels(limit), book.asks.levels(limit)
        return msgspec.json.encode({"lastUpdateId": book.last_update_id, "bids": bids, "asks": asks})

    def frames(self, wall_ms: int) -> list[bytes]:
        """What comes in a tenth of a second: a diff and a trade, at every fifth also best prices."""
        self._sent += 1
        made = [self._diff(wall_ms)]
        book = None if self.feed is None else self.feed.book
        best = None if book is None else book.best_bid
        if best is None:
            return made
        made.append(
            b'{"stream":"%s@trade","data":{"e":"trade","E":%d,"T":%d,"s":"%s","t":%d,"p":"%s","q":"0.01","m":true}}'
            % (self.lower, wall_ms, wall_ms, self.name.encode(), self._sent, best[0].encode())
        )
        if self._sent % 5 == 0:
            # Ahead of the book: kept until a diff brings the book past it.
            made.append(
                b'{"stream":"%s@bookTicker","data":{"u":%d,"s":"%s","b":"1.0","B":"1","a":"2.0","A":"1"}}'
                % (self.lower, self.update_id + 1, self.name.encode())
            )
        return made

    def _diff(self, wall_ms: int) -> bytes:
        rng = self._random
        move = rng.choice((-3, -2, -1, 0, 0, 0, 0, 1, 2, 3, 4))
        old, self._mid = self._mid, self._mid + move
        # What the mid has run over is gone, on the side that it moved to.
        crossed = range(min(old, self._mid) - 1, max(old, self._mid) + 2)
        bids = [(tick, "0.00000000") for tick in crossed if tick >= self._mid]
        asks = [(tick, "0.00000000") for tick in crossed if tick <= self._mid]
        for _ in range(_LEVELS):
            reach = 30 if rng.random() < 0.4 else _REACH
            distance = 3 + int(rng.random() * reach)
            size = "0.00000000" if rng.random() < 0.1 else f"{rng.random() * 10:.8f}"
            if rng.random() < 0.5:
                bids.append((self._mid - distance, size))
            else:
                asks.append((self._mid + distance, size))
        first = self.update_id + 1
        self.update_id += len(bids) + len(asks)
        body = b",".join(b'["%s","%s"]' % (_price(tick).encode(), size.encode()) for tick, size in bids)
        other = b",".join(b'["%s","%s"]' % (_price(tick).encode(), size.encode()) for tick, size in asks)
        return (
            b'{"stream":"%s@depth@100ms","data":{"e":"depthUpdate","E":%d,"s":"%s","U":%d,"u":%d,"b":[%s],"a":[%s]}}'
            % (self.lower, wall_ms, self.name.encode(), first, self.update_id, body, other)
        )


def _listed(name: str) -> dict[str, Any]:
    filters = [{"filterType": "PRICE_FILTER", "tickSize": "0.01"}, {"filterType": "LOT_SIZE", "stepSize": "0.00000001"}]
    return {"symbol": name, "status": "TRADING", "baseAsset": "S", "quoteAsset": "USDT", "filters": filters}


def _price(tick: int) -> str:
    return f"{tick // 100}.{tick % 100:02}000000"


class _Stream:
    """A connection that the venue pushes frames into."""

    def __init__(self) -> None:
        self.frames: deque[bytes] = deque()
        self.names: set[str] = set()
        self._more = asyncio.Event()

    def push(self, frame: bytes) -> None:
        self.frames.append(frame)
        self._more.set()

    async def recv(self) -> bytes:
        while not self.frames:
            self._more.clear()
            await self._more.wait()
        return self.frames.popleft()

    async def deliver(self, take: Callable[[bytes], None]) -> None:
        while True:
            take(await self.recv())

    async def send(self, text: str) -> None:
        request = json.loads(text)
        self.names.update(request["params"])
        self.push(json.dumps({"result": None, "id": request["id"]}).encode())

    async def close(self) -> None:
        self.frames.clear()


class _Venue:
    """Opens streams and answers REST."""

    def __init__(self, symbols: list[WanderingSymbol]) -> None:
        self.symbols = {symbol.name: symbol for symbol in symbols}
        self.streams: list[_Stream] = []

    async def open(self, _url: str) -> _Stream:
        self.streams.append(_Stream())
        return self.streams[-1]

    async def get(self, url: str, params: Mapping[str, str | int] | None = None, **_: Any) -> RestAnswer:
        options = dict(params or {})
        path = url.rpartition("/")[2]
        body = msgspec.json.encode({"symbols": [_listed(name) for name in self.symbols]})
        if path == "depth":
            body = self.symbols[str(options["symbol"])].snapshot(int(options["limit"]))
        elif path == "time":
            body = b'{"serverTime":1700000000000}'
        return RestAnswer(url, 200, body, {})

    async def close(self) -> None:
        """Nothing is open."""

    def play(self, wall_ms: int) -> None:
        for stream in self.streams:
            for symbol in self.symbols.values():
                if f"{symbol.name.lower()}@depth@100ms" in stream.names:
                    for frame in symbol.frames(wall_ms):
                        stream.push(frame)


async def soak(symbols: int, minutes: int, tell: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Run so many symbols for so many simulated minutes."""
    loop = asyncio.get_running_loop()
    made = [WanderingSymbol(f"S{number:02}USDT", number) for number in range(symbols)]
    venue = _Venue(made)
    endpoints = Endpoints.at("http://127.0.0.1:1")
    rest = VenueRest(endpoints, cast(RestClient, venue))
    memory_mb: list[float] = []
    async with Hub(endpoints, options=HubOptions(opener=venue), rest=rest) as hub:
        feeds = [hub.feed(SymbolRef(Market.SPOT, symbol.name), FeedOptions(limit=1000)) for symbol in made]
        for symbol, feed in zip(made, feeds, strict=True):
            symbol.feed = feed
            feed.start()
        begin_s = loop.time()
        for minute in range(1, minutes + 1):
            while loop.time() - begin_s < minute * 60:
                await asyncio.sleep(_TICK_S)
                venue.play(1_700_000_000_000 + int(loop.time() * 1000))
            gc.collect()
            memory_mb.append(round(resident_bytes() / 1e6, 2))
            tell(f"minute {minute}: {memory_mb[-1]} MB")
        await asyncio.sleep(1)
        counters = [feed.counters for feed in feeds]
        return {
            "symbols": symbols,
            "minutes": minutes,
            "memory_mb": memory_mb,
            "diffs": sum(each.diffs for each in counters),
            "gaps": sum(each.gaps for each in counters),
            "resyncs": sum(each.resyncs for each in counters),
            "audits": sum(each.audits for each in counters),
            "differences": sum(each.audit_differences for each in counters),
            "levels": max(len(feed.book.bids) + len(feed.book.asks) for feed in feeds if feed.book is not None),
            "live": sum(feed.state.value == "live" for feed in feeds),
        }


def main(argv: list[str]) -> int:
    """Run, and print the figures as JSON."""
    symbols, minutes = map(int, argv)
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        print(json.dumps(runner.run(soak(symbols, minutes))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
