"""The exchange as a venue for python-binance, a client that nobody here wrote: only its addresses are changed."""

from __future__ import annotations

import asyncio
import contextlib
import warnings
from collections.abc import AsyncIterator

import pytest

from depthgui.exchange import Exchange

pytest.importorskip("binance")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # its dependencies warn at import, which is not ours to mend
    from binance import AsyncClient, BinanceSocketManager, DepthCacheManager
    from binance.enums import FuturesType
    from binance.exceptions import BinanceAPIException

TIMEOUT_S = 10

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@contextlib.asynccontextmanager
async def client_of(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncClient]:
    base = exchange.base_url
    streams = base.replace("http", "ws", 1)
    for name, address in {
        "API_URL": f"{base}/spot/api", "FUTURES_URL": f"{base}/usdm/fapi",
        "FUTURES_COIN_URL": f"{base}/coinm/dapi", "OPTIONS_URL": f"{base}/options/eapi",
    }.items():  # fmt: skip
        monkeypatch.setattr(AsyncClient, name, address)
    for name, address in {"STREAM_URL": "spot/", "FSTREAM_URL": "usdm/", "DSTREAM_URL": "coinm/"}.items():
        monkeypatch.setattr(BinanceSocketManager, name, f"{streams}/{address}")
    client = await AsyncClient.create()
    try:
        yield client
    finally:
        await client.close_connection()


async def test_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Exchange() as exchange, client_of(exchange, monkeypatch) as client:
        book = await client.get_order_book(symbol="BTCUSDT", limit=50)
        assert len(book["bids"]) == 50
        assert (await client.get_symbol_info("BNBBTC"))["baseAsset"] == "BNB"
        assert (await client.get_orderbook_ticker(symbol="BTCUSDT"))["symbol"] == "BTCUSDT"
        assert len((await client.futures_order_book(symbol="BTCUSDT", limit=20))["asks"]) == 20
        assert (await client.futures_coin_order_book(symbol="BTCUSD_PERP", limit=20))["pair"] == "BTCUSD"
        assert (await client.options_order_book(symbol="BTC-261225-100000-C", limit=10))["bids"]
        assert (await client.futures_exchange_info())["symbols"]
        assert (await client.options_exchange_info())["optionSymbols"]
        with pytest.raises(BinanceAPIException) as error:
            await client.get_order_book(symbol="NOPE")
        assert (error.value.code, error.value.status_code) == (-1121, 400)


async def test_sockets_of_four_markets(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Exchange() as exchange, client_of(exchange, monkeypatch) as client:
        manager = BinanceSocketManager(client)
        async with manager.depth_socket("BTCUSDT", interval=100) as spot:
            first, second = [await asyncio.wait_for(spot.recv(), TIMEOUT_S) for _ in range(2)]
            assert second["U"] == first["u"] + 1
        async with manager.depth_socket("BTCUSDT", depth="10", interval=100) as partial:
            message = await asyncio.wait_for(partial.recv(), TIMEOUT_S)
            assert len(message["bids"]) == 10
        async with manager.futures_depth_socket("BTCUSDT") as usdm:
            message = await asyncio.wait_for(usdm.recv(), TIMEOUT_S)
            assert message["data"]["e"] == "depthUpdate"
        async with manager.futures_depth_socket("BTCUSD_PERP", futures_type=FuturesType.COIN_M) as coinm:
            message = await asyncio.wait_for(coinm.recv(), TIMEOUT_S)
            assert message["data"]["ps"] == "BTCUSD"
        async with manager.options_depth_socket("BTC-261225-80000-P", depth="10") as options:
            message = await asyncio.wait_for(options.recv(), TIMEOUT_S)
            assert message


async def test_its_depth_cache_is_the_exchanges_book(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Exchange() as exchange, client_of(exchange, monkeypatch) as client:
        manager = DepthCacheManager(client, "BTCUSDT", limit=5000, conv_type=str, ws_interval=100)
        async with manager as cache_socket:
            for _ in range(15):
                cache = await asyncio.wait_for(cache_socket.recv(), TIMEOUT_S)
            truth = exchange.book_at("spot", "BTCUSDT", manager._last_update_id)
            # Its own sorting is by text; what counts here is that the levels are the exchange's.
            mine = {tuple(level) for level in cache.get_bids()}
            assert set(truth.bids[:200]) <= mine
            asks = {tuple(level) for level in cache.get_asks()}
            assert set(truth.asks[:200]) <= asks
