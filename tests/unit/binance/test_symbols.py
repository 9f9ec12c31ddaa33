"""exchangeInfo of each market: small examples, and the whole lists among the recordings."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from depthgui.binance.endpoints import Market, SymbolRef
from depthgui.binance.symbols import SymbolInfo, decode_exchange_info, suggest
from depthgui.book.errors import MalformedMessageError

FILTERS = [
    {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01000000"},
    {"filterType": "LOT_SIZE", "minQty": "0.00001", "stepSize": "0.00001000"},
]
SPOT = {"symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT", "filters": FILTERS}
USDM = {
    "symbol": "BTCUSDT_260925",
    "pair": "BTCUSDT",
    "contractType": "CURRENT_QUARTER",
    "deliveryDate": 1790323200000,
    "status": "TRADING",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "pricePrecision": 2,
    "filters": FILTERS,
}
COINM = {
    "symbol": "BTCUSD_PERP",
    "pair": "BTCUSD",
    "contractType": "PERPETUAL",
    "deliveryDate": 4133404800000,
    "contractStatus": "TRADING",
    "contractSize": 100,
    "baseAsset": "BTC",
    "quoteAsset": "USD",
    "filters": FILTERS,
}
OPTION = {
    "symbol": "BTC-261225-100000-C",
    "side": "CALL",
    "strikePrice": "100000.000",
    "underlying": "BTCUSDT",
    "unit": 1,
    "expiryDate": 1798185600000,
    "quoteAsset": "USDT",
    "priceScale": 1,
    "quantityScale": 2,
}


def table(market: Market, *rows: Any, **more: Any) -> Any:
    key = "optionSymbols" if market is Market.OPTIONS else "symbols"
    return decode_exchange_info(market, json.dumps({key: rows, **more}).encode())


def only(market: Market, row: Any) -> SymbolInfo:
    decoded = table(market, row)
    assert decoded.skipped == ()
    (info,) = decoded.symbols
    return info


def test_spot() -> None:
    assert only(Market.SPOT, SPOT) == SymbolInfo(
        market=Market.SPOT,
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        status="trading",
        tick=Decimal("0.01"),
        step=Decimal("0.00001"),
        kind="spot",
    )


def test_usdm_quarterly() -> None:
    info = only(Market.USDM, USDM)
    assert (info.kind, info.expiry_ms, info.contract_size) == ("quarterly", 1790323200000, None)
    assert info.ref == SymbolRef(Market.USDM, "BTCUSDT_260925")


def test_coinm_perpetual() -> None:
    info = only(Market.COINM, COINM)
    assert (info.kind, info.expiry_ms, info.contract_size, info.status) == ("perpetual", None, Decimal(100), "trading")


def test_options_take_tick_and_step_from_the_filters_or_the_scales() -> None:
    info = only(Market.OPTIONS, OPTION)
    assert (info.base, info.quote, info.kind, info.expiry_ms) == ("BTC", "USDT", "option", 1798185600000)
    assert (info.tick, info.step, info.contract_size) == (Decimal("0.1"), Decimal("0.01"), Decimal(1))
    assert info.is_trading
    assert only(Market.OPTIONS, {**OPTION, "filters": FILTERS}).tick == Decimal("0.01")


@pytest.mark.parametrize(("status", "is_trading"), [("TRADING", True), ("HALT", False), ("CANCEL_ONLY", False)])
def test_status(status: str, is_trading: bool) -> None:
    info = only(Market.SPOT, {**SPOT, "status": status})
    assert (info.status, info.is_trading) == (status.lower(), is_trading)


def test_zero_means_no_rule_and_a_missing_filter_too() -> None:
    zero = [{"filterType": "PRICE_FILTER", "tickSize": "0.00000000"}, {"filterType": "LOT_SIZE", "stepSize": "0"}]
    for filters in (zero, [], [{"filterType": "PRICE_FILTER"}]):
        info = only(Market.SPOT, {**SPOT, "filters": filters})
        assert (info.tick, info.step) == (None, None)


def test_a_symbol_need_not_be_ascii() -> None:
    assert only(Market.SPOT, {**SPOT, "symbol": "币安人生USDT"}).symbol == "币安人生USDT"


BAD_NUMBERS = ["x", "NaN", "sNaN", "Infinity", "1E+999999", "1E-999999", "1E+1000000000000000000"]


@pytest.mark.parametrize(
    "bad",
    [
        {},
        None,
        7,
        "BTCUSDT",
        [],
        {"symbol": "X"},
        {**SPOT, "symbol": ""},
        {**SPOT, "symbol": 5},
        {**SPOT, "filters": [None]},
        {**SPOT, "filters": 3},
        *({**SPOT, "filters": [{"filterType": "PRICE_FILTER", "tickSize": number}]} for number in BAD_NUMBERS),
    ],
)
def test_a_symbol_that_cannot_be_read_is_skipped_and_named(bad: Any) -> None:
    decoded = table(Market.SPOT, SPOT, bad, {**SPOT, "symbol": "ETHUSDT"})
    assert [info.symbol for info in decoded.symbols] == ["BTCUSDT", "ETHUSDT"]
    ((name, reason),) = decoded.skipped
    assert name == (str(bad["symbol"]) if isinstance(bad, dict) and "symbol" in bad else "?")
    assert reason


@pytest.mark.parametrize("number", ["x", "NaN", "sNaN", "Infinity", "-1", 0])
@pytest.mark.parametrize("market", [Market.COINM, Market.OPTIONS])
def test_a_contract_of_no_size_is_skipped(market: Market, number: Any) -> None:
    row = {**COINM, "contractSize": number} if market is Market.COINM else {**OPTION, "unit": number}
    assert table(market, row).symbols == ()


@pytest.mark.parametrize("scale", [99999999999999999999, -999999999, 9999999, "x", [], 1e300, -3])
def test_a_scale_beyond_reason_is_skipped(scale: Any) -> None:
    assert table(Market.OPTIONS, {**OPTION, "priceScale": scale}).symbols == ()


def test_the_weight_the_venue_states() -> None:
    orders = {"rateLimitType": "ORDERS", "interval": "MINUTE", "intervalNum": 1, "limit": 7}
    per_second = {"rateLimitType": "REQUEST_WEIGHT", "interval": "SECOND", "intervalNum": 1, "limit": 8}
    weight = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000}
    assert table(Market.SPOT, SPOT, rateLimits=[orders, per_second, weight]).weight_per_minute == 6000
    assert table(Market.SPOT, SPOT, rateLimits=[orders, {**weight, "limit": 0}]).weight_per_minute is None
    assert table(Market.SPOT, SPOT).weight_per_minute is None


@pytest.mark.parametrize(
    "payload", [b"", b"{}", b"[]", b'{"symbols":{}}', b'{"symbols":null}', b"[" * 200_000, b"\xff"]
)
def test_no_list_at_all(payload: bytes) -> None:
    for market in Market:
        with pytest.raises(MalformedMessageError):
            decode_exchange_info(market, payload)


def test_options_need_their_own_list() -> None:
    with pytest.raises(MalformedMessageError):
        decode_exchange_info(Market.OPTIONS, b'{"symbols":[]}')
    with pytest.raises(MalformedMessageError):
        decode_exchange_info(Market.SPOT, b'{"optionSymbols":[]}')


@pytest.mark.parametrize(
    ("file", "market", "example"),
    [
        ("spot_20211012", Market.SPOT, ("BTCUSDT", "BTC", "USDT", "0.01", "0.00001", "spot")),
        ("usdm_20210722", Market.USDM, ("BTCUSDT", "BTC", "USDT", "0.01", "0.001", "perpetual")),
        ("coinm_20210722", Market.COINM, ("BTCUSD_PERP", "BTC", "USD", "0.1", "1", "perpetual")),
    ],
)
def test_whole_lists(data_dir: Path, file: str, market: Market, example: tuple[str, ...]) -> None:
    path = data_dir / "exchangeinfo" / f"{file}.json.gz"
    if not path.is_file():
        pytest.skip(f"no list {path}")
    payload = gzip.decompress(path.read_bytes())
    decoded = decode_exchange_info(market, payload)
    rows = json.loads(payload)["symbols"]
    assert decoded.skipped == ()
    assert [info.symbol for info in decoded.symbols] == [row["symbol"] for row in rows]
    for info, row in zip(decoded.symbols, rows, strict=True):
        rules = {entry["filterType"]: entry for entry in row["filters"]}
        assert info.tick == Decimal(rules["PRICE_FILTER"]["tickSize"])
        assert info.step == Decimal(rules["LOT_SIZE"]["stepSize"])
        assert (info.base, info.quote) == (row["baseAsset"], row["quoteAsset"])
        assert (info.expiry_ms is None) is (info.kind in {"spot", "perpetual"})
        assert (info.contract_size is not None) is (market is Market.COINM)
    info = next(info for info in decoded.symbols if info.symbol == example[0])
    assert (info.symbol, info.base, info.quote, str(info.tick.normalize()), str(info.step.normalize()), info.kind) == (
        *example[:4],
        str(Decimal(example[4]).normalize()),
        example[5],
    )
    assert decoded.weight_per_minute is None or decoded.weight_per_minute > 0


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("BTCUSTD", ("BTCUSDT",)),
        ("btcusdt", ("BTCUSDT",)),
        ("ETH", ("ETHBTC", "ETHUSDT")),
        ("QQQQQQ", ()),
        ("", ()),
    ],
)
def test_near_matches(typed: str, found: tuple[str, ...]) -> None:
    known = ["BTCUSDT", "ETHUSDT", "ETHBTC", "SOLUSDC"]
    assert suggest(typed, known)[: len(found)] == found or set(suggest(typed, known)) >= set(found)
    assert (suggest(typed, known) == ()) is (found == ())


def test_no_more_than_were_asked_for() -> None:
    known = [f"BTC{number}" for number in range(50)]
    assert len(suggest("BTC", known, count=4)) == 4
