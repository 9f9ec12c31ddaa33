"""An exchange to talk to, a client that talks to it, and recordings that are made here."""

from __future__ import annotations

import gzip
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from depthgui.binance.endpoints import Market
from depthgui.exchange import Exchange, ManualClock
from depthgui.exchange.market import UpdateIds
from depthgui.exchange.stream_names import Kind, Topic
from depthgui.exchange.symbols import listed_symbols
from depthgui.exchange.synthetic import SyntheticSource
from depthgui.exchange.venue_format import Dialect, combined

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from depthgui.exchange.source import Message

TIMEOUT_S = 5.0


@dataclass
class Book:
    """An order book kept by the simplest rules there are, to compare with."""

    is_spot: bool
    last_id: int
    bids: dict[str, str] = field(default_factory=dict)
    asks: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, snapshot: dict[str, Any], *, is_spot: bool) -> Book:
        """From a REST answer."""
        return cls(is_spot, snapshot["lastUpdateId"], dict(snapshot["bids"]), dict(snapshot["asks"]))

    def apply(self, diff: dict[str, Any]) -> None:
        """Apply a diff that continues this book; AssertionError for one that doesn't."""
        if self.is_spot:
            assert diff["U"] == self.last_id + 1
        else:
            assert diff["pu"] == self.last_id
        assert diff["U"] <= diff["u"]
        self.put(diff)

    def join(self, diff: dict[str, Any]) -> bool:
        """Apply the first diff after the snapshot, if it is one that belongs there; False for an old one."""
        if diff["u"] <= self.last_id:
            return False
        if self.is_spot:
            assert diff["U"] <= self.last_id + 1 <= diff["u"]
        else:
            assert diff["pu"] <= self.last_id <= diff["u"]
        self.put(diff)
        return True

    def put(self, diff: dict[str, Any]) -> None:
        """Take over the sizes of a diff, whatever its ids."""
        for side, levels in ((self.bids, diff["b"]), (self.asks, diff["a"])):
            for price, size in levels:
                if float(size):
                    side[price] = size
                else:
                    side.pop(price, None)
        self.last_id = diff["u"]

    @property
    def best(self) -> tuple[str, str, str, str]:
        """Best bid, its size, best ask, its size."""
        bid, ask = max(self.bids, key=float), min(self.asks, key=float)
        return bid, self.bids[bid], ask, self.asks[ask]


class Client:
    """Speaks to an exchange as any program would: HTTP and WebSocket."""

    def __init__(self, exchange: Exchange, session: aiohttp.ClientSession) -> None:
        self.exchange = exchange
        self._session = session

    async def get(self, path: str, **query: Any) -> tuple[int, Any, dict[str, str]]:
        """Status, JSON (or text) and headers (names in lower case)."""
        async with self._session.get(self.exchange.base_url + path, params=query) as response:
            text = await response.text()
            headers = {key.lower(): value for key, value in response.headers.items()}
            is_json = "json" in headers.get("content-type", "")
            return response.status, json.loads(text) if is_json else text, headers

    async def json(self, path: str, **query: Any) -> Any:
        """The JSON of a request that must succeed."""
        status, body, _ = await self.get(path, **query)
        assert status == 200, body
        return body

    async def post(self, path: str, data: str) -> tuple[int, Any]:
        """Status and JSON."""
        async with self._session.post(self.exchange.base_url + path, data=data.encode()) as response:
            return response.status, await response.json()

    async def delete(self, path: str) -> int:
        """Status."""
        async with self._session.delete(self.exchange.base_url + path) as response:
            return response.status

    @asynccontextmanager
    async def stream(self, path: str, **options: Any) -> AsyncIterator[Stream]:
        """A WebSocket connection."""
        async with self._session.ws_connect(self.exchange.base_url + path, max_msg_size=0, **options) as socket:
            yield Stream(socket)


class Stream:
    """One WebSocket connection of a client."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def next(self) -> Any:
        """The next message, decoded; AssertionError if the connection ends instead."""
        message = await self.socket.receive(TIMEOUT_S)
        assert message.type is aiohttp.WSMsgType.TEXT, message
        return json.loads(message.data)

    async def ask(self, method: str, *params: Any, request_id: Any = 1) -> Any:
        """Send a request and return what comes next."""
        await self.socket.send_str(json.dumps({"method": method, "params": list(params), "id": request_id}))
        return await self.next()

    async def closed(self) -> int | None:
        """Read to the end of the connection; its close code."""
        while True:
            message = await self.socket.receive(TIMEOUT_S)
            if message.type is aiohttp.WSMsgType.CLOSE:
                return int(message.data)
            if message.type in (aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED):
                return self.socket.close_code
            if message.type is aiohttp.WSMsgType.ERROR:
                return None

    async def drain(self, marker: int = 999_999) -> list[Any]:
        """Everything sent so far: a question is asked, and what comes before its answer is returned."""
        await self.socket.send_str(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": marker}))
        messages = []
        while (message := await self.next()).get("id") != marker:
            messages.append(message)
        return messages


@asynccontextmanager
async def _talking(**options: Any) -> AsyncIterator[Client]:
    async with Exchange(**options) as exchange, aiohttp.ClientSession() as session:
        yield Client(exchange, session)


@pytest.fixture
def make_book() -> Callable[..., Book]:
    """A book from a REST answer."""
    return Book.of


@pytest.fixture
def talking() -> Callable[..., Any]:
    """`async with talking(seed=1) as client`: an exchange, and a client of it. Time stands unless a clock is given."""

    def make(**options: Any) -> Any:
        options.setdefault("clock", ManualClock())
        return _talking(**options)

    return make


@pytest.fixture
def make_recording(tmp_path: Path) -> Callable[..., Path]:
    """Write a recording of the synthetic market, as a collector would have made it."""

    def make(
        market: Market = Market.SPOT, symbol: str = "BTCUSDT", *, seconds: float = 4.0, snapshot_after_s: float = 1.0,
        name: str = "capture.ndjson.gz", seed: int = 5,
    ) -> Path:  # fmt: skip
        path = tmp_path / name
        data = b"\n".join(_recorded(market, symbol, seconds, snapshot_after_s, seed)) + b"\n"
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return make


def _recorded(market: Market, symbol: str, seconds: float, snapshot_after_s: float, seed: int) -> list[bytes]:
    spec = next(spec for spec in listed_symbols() if (spec.market, spec.symbol) == (market, symbol))
    is_spot = market is Market.SPOT
    source = SyntheticSource(spec, UpdateIds(5_000_000, stride=0 if is_spot else 7), seed=seed, history=0)
    lower = symbol.lower()
    names = {
        Topic(market, symbol, Kind.DIFF, 100): f"{lower}@depth@100ms",
        Topic(market, symbol, Kind.TICKER): f"{lower}@bookTicker",
        Topic(market, symbol, Kind.TRADE): f"{lower}@trade",
        Topic(market, symbol, Kind.AGG_TRADE): f"{lower}@aggTrade",
    }
    lines: list[bytes] = []
    now_ms = 1_723_161_253_000

    def publish(topic: Topic, message: Message) -> None:
        lines.append(b"%d %s" % (now_ms * 1_000_000, combined(names[topic], message.payload)))

    for step in range(int(seconds * 50)):
        now_ms += 20
        source.advance(now_ms, list(names), publish)
        if step == int(snapshot_after_s * 50):
            body = Dialect(spec).snapshot(source.snapshot(1000, now_ms))
            lines.append(b"%d %s" % (now_ms * 1_000_000, body))
    return lines
