"""The search over symbol lists."""

from __future__ import annotations

import time

import pytest
from ui.shell.fakes import info, some_lists

from depthgui.binance.endpoints import Market
from depthgui.ui.symbol_search import Entry, entry_of, matched_length, near_matches, parse_query, search

ENTRIES = [entry_of(each) for found in some_lists().values() if isinstance(found, list) for each in found]


def names(found: list[Entry]) -> list[str]:
    return [str(entry.ref) for entry in found]


@pytest.mark.parametrize("text", ["btcusdt", "BTC usdt", "btc/usdt", "BTC-USDT", " usdt btc "])
def test_ways_to_write_a_symbol(text: str) -> None:
    assert names(search(ENTRIES, parse_query(text), None))[:2] == ["BTCUSDT", "usdm:BTCUSDT"]


def test_a_base_comes_before_a_quote_and_what_is_traded_before_what_is_not() -> None:
    found = names(search(ENTRIES, parse_query("bnb"), None))
    assert found == [
        "BNBUSDT",
        "usdm:BNBUSDT",
        "options:BNB-261225-700-C",
        "coinm:BNBUSD_PERP",
        "BNBBTC",
        "OLDBNB",
    ]


def test_popular_quotes_first() -> None:
    assert names(search(ENTRIES, parse_query("btc"), Market.SPOT)) == ["BTCUSDT", "BTCZAR", "BNBBTC"]


def test_the_market_can_be_a_button_or_a_prefix() -> None:
    assert names(search(ENTRIES, parse_query("usdm:btc"), None)) == ["usdm:BTCUSDT"]
    assert names(search(ENTRIES, parse_query("btc"), Market.COINM)) == ["coinm:BTCUSD_PERP"]
    assert names(search(ENTRIES, parse_query("usdm:btc"), Market.COINM)) == ["usdm:BTCUSDT"]


def test_favourites_and_recents_lead_when_nothing_is_typed() -> None:
    found = names(search(ENTRIES, parse_query(""), None, ["BTCZAR", "usdm:BNBUSDT"]))
    assert found[:2] == ["BTCZAR", "usdm:BNBUSDT"]
    assert len(found) == len(ENTRIES)


def test_a_favourite_does_not_beat_a_better_match() -> None:
    assert names(search(ENTRIES, parse_query("bnbbtc"), None, ["BNBUSDT"])) == ["BNBBTC"]


def test_typing_errors_find_what_was_meant() -> None:
    assert search(ENTRIES, parse_query("BTCUSTD"), None) == []
    assert names(near_matches(ENTRIES, "BTCUSTD"))[:2] == ["BTCUSDT", "usdm:BTCUSDT"]
    assert names(near_matches(ENTRIES, "BTCUSTD", Market.USDM))[0] == "usdm:BTCUSDT"
    assert near_matches(ENTRIES, "QQQQ") == []


@pytest.mark.parametrize(
    ("symbol", "text", "length"),
    [
        ("BNBUSDT", "bnb", 3),
        ("options:BNB-261225-700-C", "bnb2", 5),
        ("options:BNB-261225-700-C", "bnb-261225", 10),
        ("BTCUSDT", "btc usd", 6),
        ("BTCUSDT", "usdt", 0),
        ("BTCUSDT", "", 0),
        ("BTCUSDT", "btcusdt", 7),
    ],
)
def test_what_is_shown_in_bold(symbol: str, text: str, length: int) -> None:
    assert matched_length(entry_of(info(symbol, "", "")), parse_query(text)) == length


def test_ten_thousand_symbols_are_searched_between_two_key_presses() -> None:
    many = [entry_of(info(f"B{number:05}USDT", f"B{number:05}", "USDT")) for number in range(10_000)]
    begun = time.perf_counter()
    assert len(search(many, parse_query("b0"), None)) == 10_000
    assert time.perf_counter() - begun < 0.5
