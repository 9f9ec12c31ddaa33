"""What a stream name asks for: `btcusdt@depth@100ms` to a `Topic`, by the rules of each market."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from depthgui.binance.endpoints import Market
from depthgui.exchange.symbols import is_option


class Kind(Enum):
    """The kinds of stream the exchange speaks."""

    DIFF = "depth"
    PARTIAL = "partial depth"
    TICKER = "bookTicker"
    TRADE = "trade"
    AGG_TRADE = "aggTrade"
    MARK_PRICE = "markPrice"


class Route(Enum):
    """The two halves of USD-M's and options' stream host, and the old address that serves both."""

    PUBLIC = "public"
    MARKET = "market"
    ANY = ""

    def serves(self, kind: Kind) -> bool:
        """Does this route carry such streams? On the wrong one a stream is acknowledged and stays silent."""
        if self is Route.ANY:
            return True
        return (kind in (Kind.AGG_TRADE, Kind.MARK_PRICE)) == (self is Route.MARKET)


@dataclass(frozen=True, slots=True)
class Topic:
    """What can be subscribed to; two names of the same stream give the same topic.

    `speed_ms` is the interval of depth and mark price streams (0: as it happens), `levels` the size of a partial book.
    """

    market: Market
    symbol: str
    kind: Kind
    speed_ms: int = 0
    levels: int = 0


@dataclass(frozen=True, slots=True)
class _DepthRules:
    default_ms: int | None
    speeds_ms: frozenset[int]
    levels: frozenset[int]


_FUTURES_DEPTH = _DepthRules(250, frozenset({0, 100, 250, 500}), frozenset({5, 10, 20}))
_DEPTH_RULES = {
    Market.SPOT: _DepthRules(1000, frozenset({100, 1000}), frozenset({5, 10, 20})),
    Market.USDM: _FUTURES_DEPTH,
    Market.COINM: _FUTURES_DEPTH,
    Market.OPTIONS: _DepthRules(None, frozenset({100, 500, 1000}), frozenset({5, 10, 20, 50, 100})),
}
_DEPTH = re.compile(r"depth(?P<levels>\d+)?(?:@(?P<speed>\d+)ms)?")
_MARK_PRICE = re.compile(r"markPrice(?:@1s)?")
_SIMPLE = {"bookTicker": Kind.TICKER, "trade": Kind.TRADE, "aggTrade": Kind.AGG_TRADE}


def parse_stream_name(market: Market, name: str) -> Topic | None:
    """The topic of a stream name; None for a name that the venue would acknowledge and never serve.

    Options share USD-M's stream host, so that an option's streams are served there too.
    """
    shown, at, what = name.partition("@")
    symbol = shown.upper()
    if market is Market.USDM and is_option(symbol):
        market = Market.OPTIONS
    if not at or (shown != shown.lower() and market is not Market.OPTIONS):
        return None
    kind = _SIMPLE.get(what)
    if what == "optionTrade" and market is Market.OPTIONS:
        kind = Kind.TRADE
    if kind is not None:
        return Topic(market, symbol, kind)
    if market is not Market.SPOT and _MARK_PRICE.fullmatch(what):
        return Topic(market, symbol, Kind.MARK_PRICE, 1000 if what.endswith("@1s") else 3000)
    return _depth_topic(market, symbol, what)


def _depth_topic(market: Market, symbol: str, what: str) -> Topic | None:
    found = _DEPTH.fullmatch(what)
    if found is None:
        return None
    rules = _DEPTH_RULES[market]
    speed_ms = int(found["speed"]) if found["speed"] else rules.default_ms
    if speed_ms is None or speed_ms not in rules.speeds_ms:
        return None
    if found["levels"] is None:
        return Topic(market, symbol, Kind.DIFF, speed_ms)
    levels = int(found["levels"])
    return Topic(market, symbol, Kind.PARTIAL, speed_ms, levels) if levels in rules.levels else None
