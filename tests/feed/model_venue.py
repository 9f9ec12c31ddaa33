"""A small model of the venue without sockets: books that are known at every id, streams, and a REST client's stand-in.

`ModelVenue` is the StreamOpener and `ModelVenue.rest` the RestClient that a hub is given. Everything that can go wrong
is a field or a hook that a test sets; whatever the engine sends is kept with its time.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from depthgui.binance.endpoints import Market
from depthgui.binance.limits import MARKET_LIMITS
from depthgui.book.errors import BinanceWebsocketClosed, DepthGuiError, UsageError
from depthgui.book.order_book import OrderBook
from depthgui.transport.rest import RestAnswer

Sides = tuple[dict[str, str], dict[str, str]]
WALL_START_MS = 1_700_000_000_000
_MID = 10_000
_LEVELS = 15


class ModelSymbol:
    """A symbol's book, and what it was at every id so far."""

    def __init__(self, market: Market, symbol: str, *, seed: int = 1, first_id: int = 1000) -> None:
        self.market = market
        self.symbol = symbol
        self.name = symbol.lower()
        self.last_id = first_id
        self.moved_at_s = 0.0
        self._previous_id = first_id
        self._rng = random.Random(f"{seed}/{market.value}/{symbol}")
        self.bids = {self._price(-distance): self._size() for distance in range(1, _LEVELS)}
        self.asks = {self._price(distance): self._size() for distance in range(1, _LEVELS)}
        self._history: list[tuple[int, float, Sides]] = []
        self._remember(0.0)

    def _price(self, distance: int) -> str:
        return f"{(_MID + distance) / 100:.2f}"

    def _size(self) -> str:
        return f"{self._rng.randint(1, 10**6) / 1000:.3f}"

    def _remember(self, now_s: float) -> None:
        self._history.append((self.last_id, now_s, (dict(self.bids), dict(self.asks))))

    def change(self, now_s: float, now_ms: int) -> dict[str, Any]:
        """Let the book live through a few updates; the diff event that tells of them."""
        rng = self._rng
        changes: tuple[dict[str, str], dict[str, str]] = ({}, {})
        first_id = self._previous_id + 1 if self.market is Market.SPOT else self.last_id + rng.randint(1, 9)
        self.last_id = first_id + rng.randint(0, 3)
        for _ in range(rng.randint(1, 4)):
            is_ask = rng.random() < 0.5
            side = (self.bids, self.asks)[is_ask]
            price = self._price(rng.randint(1, _LEVELS) * (1 if is_ask else -1))
            gone = rng.random() < 0.3 and len(side) > 5
            changes[is_ask][price] = "0.000" if gone else self._size()
            if gone:
                side.pop(price, None)
            else:
                side[price] = changes[is_ask][price]
        self._remember(now_s)
        event: dict[str, Any] = {"e": "depthUpdate", "E": now_ms, "s": self.symbol, "U": first_id, "u": self.last_id}
        if self.market is not Market.SPOT:
            event |= {"T": now_ms, "pu": self._previous_id}
        self._previous_id = self.last_id
        return event | {"b": list(changes[0].items()), "a": list(changes[1].items())}

    def whole(self) -> dict[str, Any]:
        """All levels, as a partial depth event of the derivatives has them: both sides ascending."""
        return {name: sorted(side.items(), key=_price_of) for name, side in (("b", self.bids), ("a", self.asks))}

    def ticker(self) -> dict[str, Any]:
        """The bookTicker of now."""
        bid, ask = max(self.bids, key=Decimal), min(self.asks, key=Decimal)
        body = {"u": self.last_id, "s": self.symbol, "b": bid, "B": self.bids[bid], "a": ask, "A": self.asks[ask]}
        return body if self.market is Market.SPOT else {"e": "bookTicker", "E": 1, "T": 1, **body}

    def at(self, update_id: int) -> Sides:
        """The whole book at an id."""
        return next((sides for known, _, sides in reversed(self._history) if known <= update_id), ({}, {}))

    def snapshot(self, limit: int, *, not_after_s: float = float("inf")) -> dict[str, Any]:
        """The answer of the order book endpoint, of now or of some time ago."""
        past = [entry for entry in self._history if entry[1] <= not_after_s]
        update_id, _, (bids, asks) = past[-1] if past else self._history[0]
        body: dict[str, Any] = {
            "bids": sorted(bids.items(), key=_price_of, reverse=True)[:limit],
            "asks": sorted(asks.items(), key=_price_of)[:limit],
        }
        if self.market is Market.OPTIONS:
            return {"u": update_id, "T": 1, **body}
        return {"lastUpdateId": update_id, **body}

    def differences(self, book: OrderBook) -> list[str]:
        """A line for each level in which `book` is not what this one was at its id."""
        found = []
        bids, asks = self.at(book.last_update_id)
        for name, mine, theirs in (("bid", bids, book.bids), ("ask", asks, book.asks)):
            levels = dict(theirs.levels())
            if levels == mine:
                continue
            for price in sorted({*mine, *levels}):
                inside = book.coverage.covers(Decimal(price))
                if inside and mine.get(price) != levels.get(price):
                    found.append(f"{name} {price}: ours {levels.get(price)}, the exchange's {mine.get(price)}")
        return found


def _price_of(level: tuple[str, str]) -> Decimal:
    return Decimal(level[0])


@dataclass(frozen=True)
class Sent:
    """A control message of the engine's."""

    at_s: float
    method: str
    names: tuple[str, ...]


class ModelStream:
    """One open socket of the model; `recv`, `send` and `close` are the engine's, the rest a test's."""

    def __init__(self, venue: ModelVenue, number: int, url: str) -> None:
        self.number = number
        self.url = url
        self.names: set[str] = set()
        self.sent: list[Sent] = []
        self.is_closed = False
        self.is_stalled = False
        self.delay_s = venue.frame_delay_s
        self.muted: set[str] = set()
        self._venue = venue
        self._loop = asyncio.get_running_loop()
        self._frames: asyncio.Queue[bytes | DepthGuiError] = asyncio.Queue()
        self._end: DepthGuiError | None = None
        self._timers: set[asyncio.TimerHandle] = set()

    async def recv(self) -> bytes:
        if self._end is not None and self._frames.empty():
            raise self._end
        frame = await self._frames.get()
        if isinstance(frame, DepthGuiError):
            raise frame
        return frame

    async def deliver(self, take: Callable[[bytes], None]) -> None:
        while True:
            take(await self.recv())

    async def send(self, text: str) -> None:
        if self._end is not None:
            raise self._end
        body = json.loads(text)
        names = tuple(body["params"])
        self.sent.append(Sent(self._loop.time(), body["method"], names))
        if self._venue.swallow(self, body["method"], names):
            return
        refusal = self._venue.refuse_request(self, body["method"], names)
        if refusal is not None:
            self._later(self._venue.ack_delay_s, {"code": 2, "msg": refusal, "id": body["id"]})
            return
        if body["method"] == "SUBSCRIBE":
            self.names.update(names)
            self.muted.difference_update(names if self._venue.renewal_helps else ())
        else:
            self.names.difference_update(names)
        if len(self.names) > self._venue.most_streams:
            self._venue.faults.append(f"{len(self.names)} streams on one socket")
        if self._venue.acks:
            for answer in self._venue.answers(body["id"], names):
                self._later(self._venue.ack_delay_s, answer)

    async def close(self) -> None:
        self.cut("closed by us")
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def cut(self, reason: str = "connection reset", code: int = 1006) -> None:
        """End the connection from the venue's side."""
        if self._end is None:
            self.is_closed = True
            self._end = BinanceWebsocketClosed(self.url, code, reason)
            self._frames.put_nowait(self._end)

    def say(self, payload: bytes | dict[str, Any]) -> None:
        """Deliver a frame at once, whatever it is."""
        self._frames.put_nowait(payload if isinstance(payload, bytes) else json.dumps(payload).encode())

    def carry(self, name: str, event: dict[str, Any], delay_s: float = 0.0) -> None:
        """Deliver an event of a stream if it is subscribed to."""
        is_dead = name in self.muted or name in self._venue.dead_streams
        if name in self.names and not is_dead and not self.is_stalled and not self.is_closed:
            if self._venue.mute(self, name):
                return
            self._later(self.delay_s + delay_s, {"stream": name, "data": event})

    def _later(self, delay_s: float, payload: dict[str, Any]) -> None:
        def arrive() -> None:
            self._timers.discard(timer)
            if not self.is_closed:
                self.say(payload)

        timer = self._loop.call_later(delay_s, arrive)
        self._timers.add(timer)


@dataclass(frozen=True)
class Asked:
    """A REST request of the engine's."""

    at_s: float
    market: Market
    path: str
    symbol: str
    weight: int


class ModelRest:
    """Stands in for RestClient. `weights` is what the venue's own count says, a minute at a time."""

    def __init__(self, venue: ModelVenue) -> None:
        self.asked: list[Asked] = []
        self.delay_s = 0.05
        self.lag_s = 0.0
        self.refuse: Callable[[Asked], RestAnswer | DepthGuiError | None] = lambda _: None
        self.limit_per_minute = 6000
        self.is_closed = False
        self.under_way = 0
        self.refused = 0
        self._venue = venue
        self._minutes: Counter[tuple[Market, int]] = Counter()

    async def get(
        self,
        url: str,
        params: Mapping[str, str | int] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float | None = None,
    ) -> RestAnswer:
        if self.is_closed:
            raise UsageError("the client is closed")
        market, path = self._place(url)
        limit = int((params or {}).get("limit", 100))
        weight = {"depth": MARKET_LIMITS[market].snapshot_weight(limit), "exchangeInfo": 20}.get(path, 1)
        loop = asyncio.get_running_loop()
        asked = Asked(loop.time(), market, path, str((params or {}).get("symbol", "")), weight)
        self.asked.append(asked)
        minute = (market, int(loop.time() // 60))
        self._minutes[minute] += weight
        refusal = self.refuse(asked)
        if refusal is None and self._minutes[minute] > self.limit_per_minute:
            refusal = self.answer(429, {"code": -1003, "msg": "Too much request weight used"}, retry_after=30)
        body = None if refusal else self._body(asked, limit)
        self.under_way += 1
        try:
            await asyncio.sleep(self.delay_s)
        finally:
            self.under_way -= 1
        if isinstance(refusal, DepthGuiError):
            raise refusal
        if refusal is not None:
            self.refused += 1
            return refusal
        if body is None:
            return self.answer(400, {"code": -1121, "msg": "Invalid symbol."})
        used = self._minutes[market, int(loop.time() // 60)]
        return RestAnswer(url, 200, json.dumps(body).encode(), {"x-mbx-used-weight-1m": str(used)})

    async def close(self) -> None:
        self.is_closed = True

    def most_used(self, market: Market) -> int:
        """The greatest weight in any 60 seconds, as a sliding count sees it."""
        mine = [asked for asked in self.asked if asked.market is market]
        return max(
            (sum(other.weight for other in mine if start.at_s <= other.at_s < start.at_s + 60) for start in mine),
            default=0,
        )

    def snapshots(self, symbol: str = "") -> list[Asked]:
        """The requests for order books so far."""
        return [asked for asked in self.asked if asked.path == "depth" and symbol in {"", asked.symbol}]

    @staticmethod
    def answer(status: int, body: Any, *, retry_after: float | None = None) -> RestAnswer:
        """An answer as the venue would give it; `body` as bytes is sent as it is."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {} if retry_after is None else {"retry-after": f"{retry_after:g}"}
        return RestAnswer("http://model/answer", status, raw, headers)

    def _place(self, url: str) -> tuple[Market, str]:
        parts = urlsplit(url).path.strip("/").split("/")
        return Market(parts[0]), parts[-1]

    def _body(self, asked: Asked, limit: int) -> dict[str, Any] | None:
        venue = self._venue
        if asked.path == "time":
            return {"serverTime": venue.now_ms() + int(venue.clock_ahead_ms)}
        if asked.path == "exchangeInfo":
            return venue.exchange_info(asked.market)
        known = venue.symbols.get((asked.market, asked.symbol))
        return None if known is None else known.snapshot(limit, not_after_s=asked.at_s - self.lag_s)


class ModelVenue:
    """All of it: symbols, the streams that were opened, REST. `faults` is what the engine did that no venue allows."""

    def __init__(self) -> None:
        self.symbols: dict[tuple[Market, str], ModelSymbol] = {}
        self.streams: list[ModelStream] = []
        self.connects_at_s: list[float] = []
        self.refuse_connect: Callable[[int], DepthGuiError | None] = lambda _: None
        self.refuse_request: Callable[[ModelStream, str, tuple[str, ...]], str | None] = lambda *_: None
        self.swallow: Callable[[ModelStream, str, tuple[str, ...]], bool] = lambda *_: False
        self.mute: Callable[[ModelStream, str], bool] = lambda *_: False
        self.answers: Callable[[int, tuple[str, ...]], list[dict[str, Any]]] = lambda number, _: [
            {"result": None, "id": number}
        ]
        self.connect_delay_s = 0.02
        self.ack_delay_s = 0.01
        self.frame_delay_s = 0.005
        self.acks = True
        self.renewal_helps = True
        self.dead_streams: set[str] = set()  # acknowledged, and silent on every socket
        self.most_streams = 1024
        self.clock_ahead_ms = 0.0
        self.listed = {"ETHUSDT", "BNBUSDT", "QUIETUSDT"}  # beside those that were added
        self.faults: list[str] = []
        self.rest = ModelRest(self)
        self._loop = asyncio.get_running_loop()
        self._start_s = self._loop.time()
        self._movers: dict[ModelSymbol, asyncio.TimerHandle] = {}

    def now_ms(self) -> int:
        """Milliseconds since 1970, by the loop's clock."""
        return WALL_START_MS + int((self._loop.time() - self._start_s) * 1000)

    def add(self, market: Market, symbol: str, *, every_s: float | None = 0.1, seed: int = 1) -> ModelSymbol:
        """List a symbol; with `every_s` it changes at that pace, without it is quiet."""
        model = self.symbols[market, symbol] = ModelSymbol(market, symbol, seed=seed)
        model.moved_at_s = self._loop.time()
        if every_s is not None:
            self.move(model, every_s)
        return model

    def move(self, model: ModelSymbol, every_s: float | None) -> None:
        """Change a symbol's pace; None makes it quiet."""
        if (old := self._movers.pop(model, None)) is not None:
            old.cancel()
        if every_s is not None:
            self._movers[model] = self._loop.call_later(every_s, self._moved, model, every_s)

    def _moved(self, model: ModelSymbol, every_s: float) -> None:
        self.change(model)
        self._movers[model] = self._loop.call_later(every_s, self._moved, model, every_s)

    def change(self, model: ModelSymbol) -> dict[str, Any]:
        """One diff event, carried to all who subscribed."""
        event = model.change(self._loop.time(), self.now_ms())
        self.publish(f"{model.name}@depth@100ms", event, model.market)
        self.publish(f"{model.name}@bookTicker", model.ticker(), model.market)
        self.publish(f"{model.name}@depth20@100ms", self._partial(model, event), model.market)
        return event

    @staticmethod
    def _partial(model: ModelSymbol, event: dict[str, Any]) -> dict[str, Any]:
        return model.snapshot(20) if model.market is Market.SPOT else event | model.whole()

    def publish(self, name: str, event: dict[str, Any], market: Market) -> None:
        """Carry an event to every stream of its market that subscribed to it."""
        for stream in self.streams:
            if f"/{market.value}" in stream.url:
                stream.carry(name, event)

    def stop(self) -> None:
        """Let nothing change any more."""
        for timer in self._movers.values():
            timer.cancel()
        self._movers.clear()

    @property
    def open_streams(self) -> list[ModelStream]:
        """Streams that nobody closed yet."""
        return [stream for stream in self.streams if not stream.is_closed]

    async def open(self, url: str) -> ModelStream:
        """Connect (StreamOpener)."""
        number = len(self.connects_at_s) + 1
        self.connects_at_s.append(self._loop.time())
        await asyncio.sleep(self.connect_delay_s)
        refusal = self.refuse_connect(number)
        if refusal is not None:
            raise refusal
        stream = ModelStream(self, number, url)
        self.streams.append(stream)
        return stream

    def exchange_info(self, market: Market) -> dict[str, Any]:
        """The list of symbols."""
        limits = [
            {
                "rateLimitType": "REQUEST_WEIGHT",
                "interval": "MINUTE",
                "intervalNum": 1,
                "limit": self.rest.limit_per_minute,
            }
        ]
        names = {symbol for kind, symbol in self.symbols if kind is market} | self.listed
        rows = [
            {
                "symbol": name,
                "status": "TRADING",
                "baseAsset": name.removesuffix("USDT"),
                "quoteAsset": "USDT",
                "underlying": name,
                "contractType": "PERPETUAL",
                "filters": [{"filterType": "PRICE_FILTER", "tickSize": "0.01"}],
            }
            for name in sorted(names)
        ]
        return {"rateLimits": limits, "optionSymbols" if market is Market.OPTIONS else "symbols": rows}


@dataclass
class Watch:
    """Compares a feed's book with the model's at every change while the feed says that it is live."""

    feed: Any
    model: ModelSymbol
    checked: int = 0
    wrong: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    ids: deque[int] = field(default_factory=lambda: deque(maxlen=100_000))

    def __post_init__(self) -> None:
        self.feed.listen_changes(lambda _: self.check())
        self.feed.listen(self._on_state)

    def check(self) -> None:
        """Compare now."""
        feed = self.feed
        if feed.state.value != "live" or feed.book is None:
            return
        self.checked += 1
        self.ids.append(feed.book.last_update_id)
        for difference in self.model.differences(feed.book):
            self.wrong.append(f"at {feed.book.last_update_id}: {difference}")

    def _on_state(self, _: Any) -> None:
        state = self.feed.state.value
        if not self.states or self.states[-1] != state:
            self.states.append(state)
        self.check()
