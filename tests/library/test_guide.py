"""Code written for the well-known "Depth Cache" guide runs after its imports are replaced, and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import io
import threading
import time
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from depthgui import (
    AsyncClient,
    DepthCacheManager,
    Endpoints,
    FuturesDepthCacheManager,
    FuturesType,
    HubOptions,
    OptionsDepthCacheManager,
    ThreadedDepthCacheManager,
    UnknownSymbolError,
    UsageError,
)
from depthgui.depthcache.connection import ConnectionOptions
from depthgui.depthcache.feed import FeedState
from depthgui.exchange import Exchange
from depthgui.transport.backoff import Backoff

OPTION = "BTC-261225-100000-C"

ASYNC_SNIPPET = """
import asyncio

from binance import AsyncClient, DepthCacheManager


async def main():
    client = await AsyncClient.create()
    dcm = DepthCacheManager(client, 'BNBBTC')

    async with dcm as dcm_socket:
        for _ in range(3):
            depth_cache = await dcm_socket.recv()
            print("symbol {}".format(depth_cache.symbol))
            print("top 5 bids")
            print(depth_cache.get_bids()[:5])
            print("top 5 asks")
            print(depth_cache.get_asks()[:5])
            print("last update time {}".format(depth_cache.update_time))
    await client.close_connection()
"""

SHARED_SNIPPET = """
from binance import AsyncClient
from binance.depthcache import DepthCacheManager
from binance.websockets import BinanceSocketManager


async def main():
    client = AsyncClient()
    bm = BinanceSocketManager(client)
    dcm1 = DepthCacheManager(client, 'BNBBTC', bm=bm)
    dcm2 = DepthCacheManager(client, 'ETHBTC', bm=bm, refresh_interval=60 * 60, limit=500)
    async with dcm1, dcm2:
        first = await dcm1.recv()
        second = await dcm2.recv()
        print(first.symbol, second.symbol, dcm1.get_symbol(), dcm2.get_depth_cache().get_bids()[:1])
        print(len(bm.hub.connections))
    await dcm1.close(close_socket=True)
    await client.close_connection()
"""

THREADED_SNIPPET = """
import threading

from binance import ThreadedDepthCacheManager


def main():
    seen = set()
    done = threading.Event()
    dcm = ThreadedDepthCacheManager()
    dcm.start()

    def handle_depth_cache(depth_cache):
        print(f"symbol {depth_cache.symbol}")
        print(depth_cache.get_bids()[:5])
        seen.add(depth_cache.symbol)
        if len(seen) == 2:
            done.set()

    dcm_name = dcm.start_depth_cache(handle_depth_cache, symbol='BNBBTC')
    dcm.start_depth_cache(handle_depth_cache, symbol='ETHBTC')
    done.wait(20)
    dcm.stop_socket(dcm_name)
    dcm.stop()
    dcm.join()
"""


@pytest.fixture
async def exchange(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Exchange]:
    """A real exchange process's worth of server on loopback; the venue's own hosts lead to it."""
    async with Exchange(port=0, seed=7) as server:
        monkeypatch.setattr(Endpoints, "production", classmethod(lambda cls: cls.at(server.base_url)))
        yield server


@pytest.fixture
async def client(exchange: Exchange) -> AsyncIterator[AsyncClient]:
    async with await AsyncClient.create(endpoints=Endpoints.at(exchange.base_url)) as connected:
        yield connected


def _run(snippet: str) -> dict[str, object]:
    names: dict[str, object] = {}
    exec(snippet.replace("binance", "depthgui"), names)
    return names


async def _within(seconds: float, work: object) -> object:
    async with asyncio.timeout(seconds):
        return await work  # type: ignore[misc]


@pytest.mark.parametrize("snippet", [ASYNC_SNIPPET, SHARED_SNIPPET])
async def test_asynchronous_snippets(exchange: Exchange, snippet: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        await _within(30, _run(snippet)["main"]())  # type: ignore[operator]
    text = printed.getvalue()
    assert "BNBBTC" in text
    if "bm" in snippet:
        assert text.splitlines()[-1] == "1", "two managers, one connection"
    else:
        assert text.count("last update time 1") == 3
        assert "[[0.00" in text, "prices are floats by default"


async def test_threaded_snippet(exchange: Exchange) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        await asyncio.to_thread(_run(THREADED_SNIPPET)["main"])  # type: ignore[arg-type]
    assert "symbol BNBBTC" in printed.getvalue()
    assert "symbol ETHBTC" in printed.getvalue()


async def test_a_conversion_gets_the_exact_text(client: AsyncClient, exchange: Exchange) -> None:
    async with DepthCacheManager(client, "BTCUSDT", conv_type=str) as manager:
        cache = await _within(20, manager.recv())
        bids = cache.get_bids(3)
        assert all(len(price.split(".")[1]) == 8 for price, _ in bids)
        assert bids == cache.get_bids()[:3]
    async with DepthCacheManager(client, "BTCUSDT", conv_type=Decimal) as manager:
        cache = await _within(20, manager.recv())
        assert isinstance(cache.best_bid[0], Decimal)
        assert cache.spread == cache.best_ask[0] - cache.best_bid[0]
        assert cache.mid == (cache.best_ask[0] + cache.best_bid[0]) / 2


async def test_every_market_has_a_live_book(client: AsyncClient) -> None:
    managers = [
        DepthCacheManager(client, "btcusdt"),
        FuturesDepthCacheManager(client, "BTCUSDT"),
        FuturesDepthCacheManager(client, "BTCUSD_PERP", futures_type=FuturesType.COIN_M),
        OptionsDepthCacheManager(client, OPTION),
    ]
    for manager in managers:
        async with manager:
            cache = await _within(30, manager.recv())
            assert cache.state is FeedState.LIVE
            assert cache.best_bid[0] < cache.best_ask[0]
            assert cache.age_s < 5
            assert cache.last_update_id
            assert -1 <= cache.imbalance(50) <= 1
            bought = cache.impact("buy", quantity=1)
            assert bought.average_price >= Decimal(str(cache.mid))
            bids, asks = cache.grouped(10, 5)
            assert bids[0][0] % 10 == 0
            assert asks[0][0] % 10 == 0


async def test_rest_twins(client: AsyncClient) -> None:
    assert await client.ping() == {}
    assert (await client.get_server_time())["serverTime"] > 0
    assert any(row["symbol"] == "BTCUSDT" for row in (await client.get_exchange_info())["symbols"])
    assert len((await client.get_order_book(symbol="BTCUSDT", limit=5))["bids"]) == 5
    assert len((await client.futures_order_book(symbol="BTCUSDT", limit=5))["asks"]) == 5
    assert len((await client.futures_coin_order_book(symbol="BTCUSD_PERP", limit=5))["asks"]) == 5
    assert (await client.options_exchange_info())["optionSymbols"]
    await client.futures_ping()
    await client.futures_coin_time()


async def test_a_lost_connection_is_told_once_and_the_book_comes_back(client: AsyncClient, exchange: Exchange) -> None:
    async with DepthCacheManager(client, "BTCUSDT") as manager:
        await _within(20, manager.recv())
        exchange.disconnect()
        told = []
        while not told:
            message = await _within(20, manager.recv())
            if isinstance(message, dict):
                told.append(message)
        assert told[0]["e"] == "error"
        assert told[0]["type"] == "BinanceWebsocketClosed"
        assert told[0]["m"]
        for _ in range(5):
            message = await _within(20, manager.recv())
            assert not isinstance(message, dict), "told once only"
            assert message.state is FeedState.LIVE


@pytest.mark.expected_logs("Max reconnections 5 reached")
async def test_five_failed_attempts_then_none() -> None:
    exchange = Exchange(port=0, seed=7)
    async with exchange:
        quick = HubOptions(connection=ConnectionOptions(backoff=Backoff(first_s=0.01, most_s=0.02)))
        client = AsyncClient(endpoints=Endpoints.at(exchange.base_url), options=quick)
        manager = DepthCacheManager(client, "BTCUSDT")
        await manager.__aenter__()
        await _within(20, manager.recv())
    types = []
    while (message := await _within(20, manager.recv())) is not None:
        if isinstance(message, dict):
            types.append(message["type"])
    assert types == ["BinanceWebsocketClosed", "BinanceUnableToConnect"]
    assert await manager.recv() is None
    await manager.__aexit__()
    await client.close_connection()


@pytest.mark.expected_logs("is not a symbol of Binance Spot")
async def test_an_unknown_symbol_is_named_with_near_matches(client: AsyncClient) -> None:
    async with DepthCacheManager(client, "BTCUSTD") as manager:
        with pytest.raises(UnknownSymbolError, match=r"BTCUSTD.*BTCUSDT"):
            await _within(20, manager.recv())
        assert await manager.recv() is None


async def test_changes_are_a_snapshot_and_then_every_diff(client: AsyncClient) -> None:
    async with DepthCacheManager(client, "BTCUSDT", conv_type=str) as manager:
        await _within(20, manager.recv())
        book: dict[str, dict[str, str]] = {"bids": {}, "asks": {}}
        last_id = 0
        seen = 0
        async for change in manager.changes():
            for side, levels in book.items():
                for price, size in getattr(change, side):
                    levels[price] = size
                    if Decimal(size) == 0:
                        del levels[price]
            last_id = getattr(change, "last_update_id", 0) or change.last_id
            seen += 1
            if seen > 10:
                break
        cache = manager.get_depth_cache()
        assert cache.last_update_id == last_id
        assert dict(map(tuple, cache.get_bids())) == book["bids"]
        assert dict(map(tuple, cache.get_asks())) == book["asks"]


async def test_using_a_manager_too_early_or_wrongly_is_explained(client: AsyncClient) -> None:
    with pytest.raises(UsageError, match="async with"):
        DepthCacheManager(client, "BTCUSDT").get_depth_cache()
    with pytest.raises(UsageError, match="usdm"):
        FuturesDepthCacheManager(client, "BTCUSDT", futures_type="x")


@pytest.mark.expected_logs("the callback of .* failed")
async def test_threaded_books_are_apart_and_stop_at_once(exchange: Exchange) -> None:
    await asyncio.to_thread(_drive_threaded, Endpoints.at(exchange.base_url))


def _drive_threaded(endpoints: Endpoints) -> None:
    manager = ThreadedDepthCacheManager(endpoints=endpoints)
    with pytest.raises(UsageError, match="start"):
        manager.start_depth_cache(print, "BTCUSDT")
    manager.start()
    seen = {name: threading.Event() for name in ("function", "coroutine", "raising", "stopping itself")}
    names: dict[str, str] = {}

    def function(_: object) -> None:
        seen["function"].set()

    async def coroutine(_: object) -> None:
        seen["coroutine"].set()

    def raising(_: object) -> None:
        seen["raising"].set()
        raise RuntimeError("the callback's own mistake")

    def stopping(_: object) -> None:
        manager.stop_socket(names["stopping itself"])
        seen["stopping itself"].set()

    names["function"] = manager.start_depth_cache(function, "BTCUSDT")
    names["coroutine"] = manager.start_futures_depth_socket(coroutine, "BTCUSDT")
    names["raising"] = manager.start_options_depth_socket(raising, OPTION)
    names["stopping itself"] = manager.start_depth_cache(stopping, "ETHUSDT")
    assert len(set(names.values())) == 4
    for name, event in seen.items():
        assert event.wait(20), name
    began = time.monotonic()
    manager.stop_socket(names["function"])
    manager.stop_socket(names["function"])
    manager.stop()
    manager.stop()
    assert time.monotonic() - began < 3
    manager.join(10)
    assert not manager.is_alive()
    with pytest.raises(UsageError, match="stopped"):
        manager.start_depth_cache(function, "BTCUSDT")
    with pytest.raises(UsageError, match="stopped"):
        manager.start()
