"""Encoded events against recorded ones: the same fields, in the same order, in the same notation."""

from __future__ import annotations

import gzip
import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from depthgui.binance.endpoints import Market
from depthgui.book.messages import BestPrices, Diff, Snapshot
from depthgui.exchange.recorded_messages import spec_of
from depthgui.exchange.stream_names import Kind, Topic, parse_stream_name
from depthgui.exchange.symbols import SymbolSpec, listed_symbols, spec_from_prices, split_symbol
from depthgui.exchange.venue_format import DecimalText, Dialect, combined, text_frame

RECORDINGS = {
    Market.SPOT: "spot_NKNUSDT_cryptofeed.ndjson.gz",
    Market.USDM: "usdm_BTCUSDT_hft20240808_60s.ndjson.gz",
    Market.COINM: "coinm_BTCUSD_PERP_hft20240808_60s.ndjson.gz",
}


def recorded(path: Path, wanted: int = 12) -> dict[str, list[bytes]]:
    """The first messages of each kind, byte for byte, and snapshots under ""."""
    found: dict[str, list[bytes]] = {}
    with gzip.open(path) as lines:
        for line in lines:
            body = line.split(b" ", 1)[1].strip()
            match = re.match(rb'\{"stream":"([^"]+)","data":(.*)\}$', body)
            stream, data = (match[1].decode(), match[2]) if match else ("", body)
            found.setdefault(stream.partition("@")[2].partition("@")[0], []).append(data)
    return {kind: messages[:wanted] for kind, messages in found.items()}


def dialect_of(market: Market, symbol: str, prices: list[str], sizes: list[str]) -> Dialect:
    return Dialect(spec_from_prices(market, symbol, prices, sizes))


def ours(dialect: Dialect, event: dict[str, Any]) -> bytes:
    """The event made anew from its numbers."""
    is_spot = dialect.market is Market.SPOT
    match event.get("e", "bookTicker" if "B" in event else "snapshot"):
        case "depthUpdate":
            bids = [tuple(level) for level in event["b"]]
            asks = [tuple(level) for level in event["a"]]
            best_first = bids if is_spot else bids[::-1]
            return dialect.diff(Diff(event["U"], event["u"], event["E"], best_first, asks, event.get("pu")))
        case "bookTicker":
            prices = (event["b"], event["B"], event["a"], event["A"])
            return dialect.ticker(BestPrices(event["u"], *prices, event.get("E")))
        case "trade":
            kind = event.get("X", "MARKET")
            return dialect.trade(event["t"], event["p"], event["q"], event["E"], maker=event["m"], kind=kind)
        case "aggTrade":
            ids = (event["f"], event["l"])
            return dialect.agg_trade(event["a"], event["p"], event["q"], ids, event["E"], maker=event["m"])
    levels = ([tuple(level) for level in event[side]] for side in ("bids", "asks"))
    return dialect.snapshot(Snapshot(event["lastUpdateId"], *levels, event.get("E")))


def without_times(message: bytes) -> bytes:
    """T differs from E by the matching engine's delay, which is not ours to know."""
    return re.sub(rb'"T":\d+', b'"T":0', message)


@pytest.mark.parametrize("market", RECORDINGS, ids=lambda market: market.value)
def test_events_are_written_as_recorded_ones(data_dir: Path, market: Market) -> None:
    messages = recorded(data_dir / RECORDINGS[market])
    first = json.loads(messages["depth"][0])
    dialect = dialect_of(market, first["s"], ["0.0"], ["0.0"])
    seen = set()
    for kind in ("depth", "bookTicker", "trade", "aggTrade", ""):
        for message in messages.get(kind, []):
            seen.add(kind)
            assert without_times(ours(dialect, json.loads(message))) == without_times(message)
    assert {"depth", "bookTicker", ""} <= seen
    assert seen & {"trade", "aggTrade"}


def test_options_events_have_the_fields_of_recorded_ones(data_dir: Path) -> None:
    spec = next(spec for spec in listed_symbols() if spec.market is Market.OPTIONS)
    dialect = Dialect(spec)
    checked = 0
    for line in (data_dir / "frames" / "options_frames_tardis_mpl2.ndjson").read_text().splitlines():
        event = json.loads(line)["data"]
        if event["e"] in ("depthUpdate", "bookTicker"):
            event["b"] = event["b"][::-1] if isinstance(event["b"], list) else event["b"]
            assert set(json.loads(ours(dialect, event))) == set(event)
            checked += 1
        elif event["e"] == "trade" and "X" in event:
            made = json.loads(ours(dialect, event))
            assert set(made) == set(event)
            assert made["S"] == event["S"]
            checked += 1
    assert checked == 3


def test_the_listing_of_a_recording_is_read_from_its_numbers(data_dir: Path) -> None:
    snapshot = json.loads(recorded(data_dir / RECORDINGS[Market.COINM])[""][0])
    prices = [price for price, _ in snapshot["bids"]]
    spec = spec_from_prices(Market.COINM, "BTCUSD_PERP", prices, ["1", "20"])
    assert (spec.tick, spec.step, spec.contract_size, spec.base) == (Decimal("0.1"), 1, 100, "BTC")


@pytest.mark.parametrize(
    ("unit", "decimals", "units", "text"),
    [
        ("0.01", 8, 6_741_285, "67412.85000000"),
        ("0.10", 2, 673_881, "67388.10"),
        ("0.00000001", 8, 1742, "0.00001742"),
        ("1", 8, 18_000_000, "18000000.00000000"),
        ("1", 0, 75, "75"),
        ("0.001", 3, 0, "0.000"),
        ("0.1", 1, 617_736, "61773.6"),
    ],
)
def test_decimal_text(unit: str, decimals: int, units: int, text: str) -> None:
    assert DecimalText(Decimal(unit), decimals)(units) == text


def test_decimals_that_cannot_show_a_unit() -> None:
    with pytest.raises(ValueError, match="cannot show"):
        DecimalText(Decimal("0.001"), 2)


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_frames_have_the_right_length(length: int) -> None:
    frame = text_frame(b"x" * length)
    head = 2 if length < 126 else 4 if length < 65_536 else 10
    assert (frame[0], len(frame)) == (0x81, head + length)
    if length >= 126:
        assert int.from_bytes(frame[2:head], "big") == length


def test_combined_wraps_the_bytes_untouched() -> None:
    assert combined("币usdt@trade", b'{"a": 1}') == '{"stream":"币usdt@trade","data":{"a": 1}}'.encode()


@pytest.mark.parametrize(
    ("market", "name", "topic"),
    [
        ("spot", "btcusdt@depth", (Kind.DIFF, 1000, 0)),
        ("spot", "btcusdt@depth@100ms", (Kind.DIFF, 100, 0)),
        ("spot", "btcusdt@depth@250ms", None),
        ("spot", "btcusdt@depth20", (Kind.PARTIAL, 1000, 20)),
        ("spot", "btcusdt@depth7", None),
        ("spot", "BTCUSDT@depth", None),
        ("spot", "btcusdt@markPrice", None),
        ("spot", "btcusdt", None),
        ("usdm", "btcusdt@depth", (Kind.DIFF, 250, 0)),
        ("usdm", "btcusdt@depth@0ms", (Kind.DIFF, 0, 0)),
        ("usdm", "btcusdt@depth5@500ms", (Kind.PARTIAL, 500, 5)),
        ("usdm", "btcusdt@markPrice@1s", (Kind.MARK_PRICE, 1000, 0)),
        ("coinm", "btcusd_perp@aggTrade", (Kind.AGG_TRADE, 0, 0)),
        ("options", "btc-261225-100000-c@depth", None),
        ("options", "BTC-261225-100000-C@depth@500ms", (Kind.DIFF, 500, 0)),
        ("options", "btc-261225-100000-c@optionTrade", (Kind.TRADE, 0, 0)),
        ("options", "btc-261225-100000-c@depth100@100ms", (Kind.PARTIAL, 100, 100)),
    ],
)
def test_stream_names(market: str, name: str, topic: tuple[Kind, int, int] | None) -> None:
    symbol = name.partition("@")[0].upper()
    expected = None if topic is None else Topic(Market(market), symbol, *topic)
    assert parse_stream_name(Market(market), name) == expected


def test_options_are_served_on_the_stream_host_they_share_with_usdm() -> None:
    topic = parse_stream_name(Market.USDM, "btc-261225-100000-c@depth@100ms")
    assert topic == Topic(Market.OPTIONS, "BTC-261225-100000-C", Kind.DIFF, 100)


def test_split_symbol() -> None:
    assert split_symbol("BTCUSDT") == ("BTC", "USDT")
    assert split_symbol("ETHBTC") == ("ETH", "BTC")
    assert split_symbol("USDT") == ("USDT", "")


def test_a_recorded_symbol_that_is_listed_keeps_its_listing() -> None:
    from depthgui.exchange.recorded_messages import RecordedDiff

    diff = RecordedDiff("BTCUSDT", 1, 2, [("61837.63000000", "3.78826000")], [])
    spec: SymbolSpec = spec_of(diff, None, "BTCUSDT", Path("x"))
    assert (spec.market, spec.tick, spec.step) == (Market.SPOT, Decimal("0.01"), Decimal("0.00001"))
