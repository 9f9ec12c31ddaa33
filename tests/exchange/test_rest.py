"""REST over real sockets: shapes, parameters, weights and refusals as the venue has them."""

from __future__ import annotations

import pytest

from depthgui.exchange.limits import SlidingCount, WeightBudget

REST = {"spot": "/spot/api/v3", "usdm": "/usdm/fapi/v1", "coinm": "/coinm/dapi/v1", "options": "/options/eapi/v1"}
SYMBOLS = {"spot": "BTCUSDT", "usdm": "BTCUSDT", "coinm": "BTCUSD_PERP", "options": "BTC-261225-100000-C"}
DEPTH_FIELDS = {
    "spot": ["lastUpdateId", "bids", "asks"],
    "usdm": ["lastUpdateId", "E", "T", "bids", "asks"],
    "coinm": ["lastUpdateId", "E", "T", "symbol", "pair", "bids", "asks"],
    "options": ["bids", "asks", "T", "lastUpdateId"],
}


@pytest.mark.parametrize("market", REST)
async def test_ping_and_time(talking, market) -> None:
    async with talking() as client:
        assert await client.json(f"{REST[market]}/ping") == {}
        assert await client.json(f"{REST[market]}/time") == {"serverTime": client.exchange.clock.now_ms()}


@pytest.mark.parametrize("market", REST)
async def test_depth_has_the_markets_fields_and_order(talking, market) -> None:
    async with talking() as client:
        answer = await client.json(f"{REST[market]}/depth", symbol=SYMBOLS[market], limit=20)
        assert list(answer) == DEPTH_FIELDS[market]
        bids, asks = ([float(price) for price, _ in answer[side]] for side in ("bids", "asks"))
        assert len(bids) == len(asks) == 20
        assert bids == sorted(bids, reverse=True)
        assert asks == sorted(asks)
        assert bids[0] < asks[0]


async def test_numbers_are_written_as_each_market_writes_them(talking) -> None:
    decimals = {"spot": (8, 8), "usdm": (2, 3), "coinm": (1, 0), "options": (4, 2)}
    async with talking() as client:
        for market, wanted in decimals.items():
            answer = await client.json(f"{REST[market]}/depth", symbol=SYMBOLS[market], limit=50)
            for price, size in answer["bids"] + answer["asks"]:
                assert (len(price.partition(".")[2]), len(size.partition(".")[2])) == wanted


@pytest.mark.parametrize(
    ("market", "query", "status", "code"),
    [
        ("spot", {}, 400, -1102),
        ("spot", {"symbol": ""}, 400, -1102),
        ("spot", {"symbol": "NOPEUSDT"}, 400, -1121),
        ("spot", {"symbol": "btcusdt"}, 400, -1100),
        ("spot", {"symbol": "BTC/USDT"}, 400, -1100),
        ("spot", {"symbol": "BTCUSDT", "limit": "ten"}, 400, -1100),
        ("spot", {"symbol": "BTCUSDT", "limit": "0"}, 400, -1100),
        ("usdm", {}, 400, -1102),
        ("usdm", {"symbol": "NOPE"}, 400, -1121),
        ("usdm", {"symbol": "BTCUSDT", "limit": "7"}, 400, -4021),
        ("coinm", {"symbol": "BTCUSDT"}, 400, -1121),
        ("options", {"symbol": "BTC-261225-100000-C", "limit": "5"}, 400, -4021),
    ],
)
async def test_errors(talking, market, query, status, code) -> None:
    async with talking() as client:
        answered, body, _ = await client.get(f"{REST[market]}/depth", **query)
        assert (answered, body["code"]) == (status, code)
        assert body["msg"]
        if code == -1121:
            assert body == {"code": -1121, "msg": "Invalid symbol."}


async def test_spot_caps_a_limit_that_is_too_large(talking) -> None:
    async with talking() as client:
        before = (await client.get("/spot/api/v3/ping"))[2]["x-mbx-used-weight-1m"]
        answer = await client.json("/spot/api/v3/depth", symbol="BTCUSDT", limit=9999)
        assert 1000 < len(answer["bids"]) <= 5000
        after = (await client.get("/spot/api/v3/ping"))[2]["x-mbx-used-weight-1m"]
        assert int(after) - int(before) == 251


@pytest.mark.parametrize(
    ("market", "weights"),
    [
        ("spot", {5: 5, 100: 5, 101: 25, 500: 25, 1000: 50, 5000: 250}),
        ("usdm", {5: 2, 50: 2, 100: 5, 500: 10, 1000: 20}),
        ("coinm", {20: 2, 100: 5, 500: 10, 1000: 20}),
        ("options", {10: 2, 100: 5, 500: 10, 1000: 20}),
    ],
)
async def test_weights(talking, market, weights) -> None:
    async with talking() as client:
        used = 0
        for limit, weight in weights.items():
            _, _, headers = await client.get(f"{REST[market]}/depth", symbol=SYMBOLS[market], limit=limit)
            used += weight
            assert headers["x-mbx-used-weight-1m"] == str(used)


async def test_default_limits(talking) -> None:
    async with talking() as client:
        assert len((await client.json("/spot/api/v3/depth", symbol="BTCUSDT"))["bids"]) == 100
        assert len((await client.json("/usdm/fapi/v1/depth", symbol="BTCUSDT"))["bids"]) == 500


async def test_budget_429_then_418_then_well_again(talking) -> None:
    async with talking() as client:
        clock = client.exchange.clock
        for _ in range(24):
            await client.json("/spot/api/v3/depth", symbol="BTCUSDT", limit=5000)
        status, body, headers = await client.get("/spot/api/v3/depth", symbol="BTCUSDT", limit=5000)
        left_ms = 60_000 - clock.now_ms() % 60_000
        assert (status, body["code"]) == (429, -1003)
        assert int(headers["retry-after"]) == -(-left_ms // 1000)
        assert "6000" in body["msg"]
        for _ in range(10):
            status, body, headers = await client.get("/spot/api/v3/ping")
        assert (status, body["code"], headers["retry-after"]) == (418, -1003, "120")
        assert "banned until" in body["msg"]
        assert await client.json("/usdm/fapi/v1/ping") == {}  # another market, another budget
        clock.advance(119_000)
        assert (await client.get("/spot/api/v3/ping"))[0] == 418
        clock.advance(1_000)
        assert (await client.get("/spot/api/v3/ping"))[0] == 200


async def test_waiting_for_the_minute_is_enough(talking) -> None:
    async with talking() as client:
        for _ in range(25):
            status, _, headers = await client.get("/spot/api/v3/depth", symbol="BTCUSDT", limit=5000)
        assert status == 429
        client.exchange.clock.advance(int(headers["retry-after"]) * 1000)
        _, _, headers = await client.get("/spot/api/v3/ping")
        assert headers["x-mbx-used-weight-1m"] == "1"


async def test_limits_can_be_turned_off(talking) -> None:
    async with talking(enforce_limits=False) as client:
        for _ in range(30):
            assert (await client.get("/spot/api/v3/depth", symbol="BTCUSDT", limit=5000))[0] == 200


async def test_exchange_info(talking) -> None:
    async with talking() as client:
        spot = await client.json("/spot/api/v3/exchangeInfo")
        assert [rule["limit"] for rule in spot["rateLimits"] if rule["rateLimitType"] == "REQUEST_WEIGHT"] == [6000]
        by_symbol = {entry["symbol"]: entry for entry in spot["symbols"]}
        assert by_symbol["WAVESUSDT"]["status"] == "HALT"
        assert by_symbol["币安人生USDT"]["baseAsset"] == "币安人生"
        filters = {one["filterType"]: one for one in by_symbol["SHIBUSDT"]["filters"]}
        assert filters["PRICE_FILTER"]["tickSize"] == "0.00000001"
        assert filters["LOT_SIZE"]["stepSize"] == "1.00000000"
        usdm = await client.json("/usdm/fapi/v1/exchangeInfo")
        assert {entry["symbol"] for entry in usdm["symbols"]} == {"BTCUSDT", "ETHUSDT", "SOLUSDT"}
        assert usdm["symbols"][0]["filters"][0]["tickSize"] == "0.1"
        coinm = (await client.json("/coinm/dapi/v1/exchangeInfo"))["symbols"][0]
        assert (coinm["contractStatus"], coinm["contractSize"], coinm["pair"]) == ("TRADING", 100, "BTCUSD")
        assert "status" not in coinm
        option = (await client.json("/options/eapi/v1/exchangeInfo"))["optionSymbols"][0]
        assert (option["side"], option["unit"], option["underlying"]) == ("CALL", 1, "BTCUSDT")
        assert "status" not in option


async def test_exchange_info_of_single_symbols(talking) -> None:
    async with talking() as client:
        one = await client.json("/spot/api/v3/exchangeInfo", symbol="BNBBTC")
        assert [entry["symbol"] for entry in one["symbols"]] == ["BNBBTC"]
        two = await client.json("/spot/api/v3/exchangeInfo", symbols='["BNBBTC","ETHBTC"]')
        assert [entry["symbol"] for entry in two["symbols"]] == ["BNBBTC", "ETHBTC"]
        assert (await client.get("/spot/api/v3/exchangeInfo", symbol="NOPE"))[0] == 400


async def test_a_halted_symbol_has_a_book_that_stands_still(talking) -> None:
    async with talking() as client, client.stream("/spot/ws/wavesusdt@depth@100ms") as stream:
        await stream.drain()
        before = await client.json("/spot/api/v3/depth", symbol="WAVESUSDT")
        client.exchange.step(5000)
        assert await stream.drain() == []
        assert await client.json("/spot/api/v3/depth", symbol="WAVESUSDT") == before
        assert before["bids"]


async def test_book_ticker(talking) -> None:
    async with talking() as client:
        best = await client.json("/spot/api/v3/ticker/bookTicker", symbol="BTCUSDT")
        book = client.exchange.book("spot", "BTCUSDT")
        assert (best["bidPrice"], best["bidQty"]) == book.bids[0]
        assert (best["askPrice"], best["askQty"]) == book.asks[0]


async def test_a_market_sleeps_until_it_is_asked(talking) -> None:
    async with talking() as client:
        first = await client.json("/spot/api/v3/depth", symbol="ETHUSDT")
        client.exchange.step(5_000)
        awake = await client.json("/spot/api/v3/depth", symbol="ETHUSDT")
        assert awake["lastUpdateId"] > first["lastUpdateId"]
        client.exchange.step(20_000)
        asleep = client.exchange.book("spot", "ETHUSDT").last_update_id
        client.exchange.step(20_000)
        assert client.exchange.book("spot", "ETHUSDT").last_update_id == asleep


def test_budget_counts_addresses_apart() -> None:
    budget = WeightBudget(10)
    assert budget.charge("a", 10, 0) is None
    assert budget.charge("b", 10, 0) is None
    refusal = budget.charge("a", 1, 30_000)
    assert refusal is not None
    assert (refusal.status, refusal.retry_after_s) == (429, 30)


def test_sliding_count() -> None:
    count = SlidingCount(2, 1000)
    assert [count.allows(ms) for ms in (0, 10, 20, 1005, 2500)] == [True, True, False, False, True]
    assert all(SlidingCount(0, 1000).allows(0) for _ in range(50))


async def test_unknown_address_is_404(talking) -> None:
    async with talking() as client:
        assert (await client.get("/spot/api/v3/nothing"))[0] == 404
        assert (await client.get("/margin/api/v3/ping"))[0] == 404
