"""Addresses of the venue's environments, and symbols written by people."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from urllib.parse import urlsplit

import pytest

from depthgui.binance.endpoints import Endpoints, Market, Route, SymbolRef, parse_symbol_ref
from depthgui.book.errors import UsageError

ENVIRONMENTS = [
    Endpoints.production(),
    Endpoints.data_only(),
    Endpoints.testnet(),
    Endpoints.demo_mode(),
    Endpoints.us(),
    Endpoints.of_tld("us"),
]


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda environment: environment.name)
def test_every_address_is_encrypted_and_has_no_trailing_slash(environment: Endpoints) -> None:
    assert Market.SPOT in environment.markets
    for market in environment.markets:
        rest, stream = environment.rest_url(market), environment.stream_url(market)
        assert (urlsplit(rest).scheme, urlsplit(stream).scheme) == ("https", "wss")
        assert not rest.endswith("/")
        assert not stream.endswith("/")


def test_production() -> None:
    venue = Endpoints.production()
    assert venue.markets == tuple(Market)
    assert venue.rest_url(Market.SPOT) == "https://api.binance.com"
    assert venue.stream_url(Market.SPOT) == "wss://stream.binance.com:9443"
    assert venue.stream_url(Market.USDM) == "wss://fstream.binance.com/public"
    assert venue.stream_url(Market.USDM, Route.MARKET) == "wss://fstream.binance.com/market"
    assert venue.stream_url(Market.COINM, Route.MARKET) == "wss://dstream.binance.com"
    assert venue.stream_url(Market.OPTIONS) == "wss://fstream.binance.com/public"


def test_a_test_environment_has_no_production_host() -> None:
    production = Endpoints.production()
    hosts = {urlsplit(production.rest_url(market)).hostname for market in Market}
    hosts |= {urlsplit(production.stream_url(market)).hostname for market in Market}
    for environment in (Endpoints.testnet(), Endpoints.demo_mode()):
        for market in environment.markets:
            assert urlsplit(environment.rest_url(market)).hostname not in hosts
            assert urlsplit(environment.stream_url(market)).hostname not in hosts


def test_a_market_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"Binance\.US has no USD-M market"):
        Endpoints.us().rest_url(Market.USDM)
    with pytest.raises(UsageError):
        Endpoints.us().stream_url(Market.OPTIONS)


@pytest.mark.parametrize(
    ("base", "rest", "stream"),
    [
        ("http://127.0.0.1:8900", "http://127.0.0.1:8900/spot", "ws://127.0.0.1:8900/spot"),
        ("127.0.0.1:8900", "http://127.0.0.1:8900/spot", "ws://127.0.0.1:8900/spot"),
        ("https://host.example/http/", "https://host.example/http/spot", "wss://host.example/http/spot"),
        ("http://[::1]:8900/", "http://[::1]:8900/spot", "ws://[::1]:8900/spot"),
    ],
)
def test_any_host(base: str, rest: str, stream: str) -> None:
    environment = Endpoints.at(base)
    assert environment.markets == tuple(Market)
    assert environment.rest_url(Market.SPOT) == rest
    assert environment.stream_url(Market.SPOT) == stream
    assert environment.stream_url(Market.USDM) == stream.replace("/spot", "/usdm/public")


@pytest.mark.parametrize("base", ["", "ftp://host", "http://", "host:99999", "host:x", "http://[::1", "http://host:0"])
def test_what_is_no_address(base: str) -> None:
    with pytest.raises(UsageError) as caught:
        Endpoints.at(base)
    assert repr(base) in str(caught.value)


@pytest.mark.parametrize("tld", ["", "co.uk", "us/", "ü", "u s"])
def test_what_is_no_top_level_domain(tld: str) -> None:
    with pytest.raises(UsageError):
        Endpoints.of_tld(tld)


@pytest.mark.parametrize(
    ("text", "market", "symbol", "back"),
    [
        ("BTCUSDT", Market.SPOT, "BTCUSDT", "BTCUSDT"),
        (" spot:BTCUSDT ", Market.SPOT, "BTCUSDT", "BTCUSDT"),
        ("usdm:BTCUSDT", Market.USDM, "BTCUSDT", "usdm:BTCUSDT"),
        ("USDM:BTCUSDT", Market.USDM, "BTCUSDT", "usdm:BTCUSDT"),
        ("coinm:BTCUSD_PERP", Market.COINM, "BTCUSD_PERP", "coinm:BTCUSD_PERP"),
        ("options:BTC-261225-100000-C", Market.OPTIONS, "BTC-261225-100000-C", "options:BTC-261225-100000-C"),
        ("币安人生USDT", Market.SPOT, "币安人生USDT", "币安人生USDT"),
    ],
)
def test_symbols(text: str, market: Market, symbol: str, back: str) -> None:
    ref = parse_symbol_ref(text)
    assert ref == SymbolRef(market, symbol)
    assert str(ref) == back
    assert parse_symbol_ref(str(ref)) == ref


@pytest.mark.parametrize(
    "text", ["", " ", "usdm:", "nowhere:BTCUSDT", ":BTCUSDT", "BTC USDT", "BTC/USDT", "a:b:C", "x@y"]
)
def test_what_is_no_symbol(text: str) -> None:
    with pytest.raises(UsageError):
        parse_symbol_ref(text)


def test_labels() -> None:
    assert [market.label for market in Market] == ["Spot", "USD-M", "COIN-M", "Options"]


def test_hosts_to_fall_back_on_serve_the_same_books() -> None:
    production = Endpoints.production()
    assert production.stream_urls(Market.SPOT) == (
        "wss://stream.binance.com:9443",
        "wss://stream.binance.com:443",
        "wss://data-stream.binance.vision",
    )
    for market in (Market.USDM, Market.COINM, Market.OPTIONS):
        assert production.stream_urls(market) == (production.stream_url(market),)
    others = (Endpoints.data_only(), Endpoints.testnet(), Endpoints.demo_mode(), Endpoints.us(), Endpoints.at("h:1"))
    for environment in others:
        for market in environment.markets:
            assert len(environment.stream_urls(market)) == 1


def test_routes_of_hosts_to_fall_back_on() -> None:
    base = Endpoints.at("http://one")
    hosts = dict(base.hosts)
    hosts[Market.USDM] = replace(hosts[Market.USDM], other_streams=("ws://two",))
    environment = replace(base, hosts=MappingProxyType(hosts))
    assert environment.stream_urls(Market.USDM, Route.MARKET) == ("ws://one/usdm/market", "ws://two/market")
