"""Trading status: asked for again when a symbol goes quiet, told, and never called live where the book is empty."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from feed.model_venue import ModelVenue, Watch
from feed.waiting import until

from depthgui.binance.endpoints import Market, SymbolRef
from depthgui.binance.trading_status import status_since, status_words
from depthgui.depthcache.feed import FeedState
from depthgui.depthcache.hub import Hub


def with_status(venue: ModelVenue, monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    whole = ModelVenue.exchange_info

    def listing(market: Market) -> dict[str, Any]:
        table = whole(venue, market)
        for row in table["symbols"]:
            if row["symbol"] == "BTCUSDT":
                row["contractStatus" if market is Market.COINM else "status"] = status
        return table

    monkeypatch.setattr(venue, "exchange_info", listing)


@pytest.mark.parametrize("status", ["HALT", "BREAK", "END_OF_DAY", "CANCEL_ONLY", "DELIVERING", "A_NEW_ONE"])
@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM, Market.COINM])
async def test_a_symbol_that_is_halted_while_it_is_open(
    venue: ModelVenue, hub: Hub, monkeypatch: pytest.MonkeyPatch, market: Market, status: str
) -> None:
    model = venue.add(market, "BTCUSDT")
    watch = Watch(hub.feed(SymbolRef(market, "BTCUSDT")), model)
    watch.feed.start()
    await until(lambda: watch.feed.state is FeedState.LIVE, 10)
    await asyncio.sleep(120)
    assert watch.feed.trading_status_since_wall_ms is None
    venue.move(model, None)
    with_status(venue, monkeypatch, status)
    told: list[str] = []
    watch.feed.listen(lambda feed: told.append(feed.status.detail))
    await until(lambda: watch.feed.info is not None and not watch.feed.info.is_trading, 75)
    since_ms = watch.feed.trading_status_since_wall_ms
    assert since_ms is not None
    await asyncio.sleep(10)
    assert watch.feed.status.detail == status_since(status.lower(), since_ms)
    assert told[-1] == watch.feed.status.detail
    with_status(venue, monkeypatch, "TRADING")
    venue.move(model, 0.1)
    await until(lambda: watch.feed.trading_status_since_wall_ms is None, 20)
    assert watch.feed.status.detail == "Live"
    assert watch.wrong == []


async def test_an_empty_book_of_a_halted_symbol_is_not_live(
    venue: ModelVenue, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = venue.add(Market.SPOT, "BTCUSDT", every_s=None)
    model.bids.clear()
    model.asks.clear()
    model._remember(0.0)
    with_status(venue, monkeypatch, "HALT")
    feed = hub.feed(SymbolRef(Market.SPOT, "BTCUSDT"))
    states: list[FeedState] = []
    feed.listen(lambda feed: states.append(feed.state))
    feed.start()
    await until(lambda: feed.status.detail.startswith("Halted since"), 30)
    await asyncio.sleep(30)
    assert FeedState.LIVE not in states
    assert feed.state is FeedState.STALE


async def test_listings_are_asked_for_sparingly(venue: ModelVenue, hub: Hub) -> None:
    feeds = []
    for number in range(20):
        venue.add(Market.SPOT, f"S{number:02}USDT", every_s=None)
        feeds.append(hub.feed(SymbolRef(Market.SPOT, f"S{number:02}USDT")))
        feeds[-1].start()
    await until(lambda: all(feed.state is FeedState.LIVE for feed in feeds), 60)
    before = sum(asked.path == "exchangeInfo" for asked in venue.rest.asked)
    await asyncio.sleep(600)
    assert sum(asked.path == "exchangeInfo" for asked in venue.rest.asked) - before <= 21
    assert venue.rest.most_used(Market.SPOT) < 3000


def test_words_for_a_status() -> None:
    assert status_words("halt") == "Halted"
    assert status_words("a_new\u0007one") == "A new one"
    assert len(status_words("x" * 99)) == 32
    assert status_words("") == "Not trading"
    assert status_since("break", 1_700_000_000_000) == "Trading break since 22:13:20 UTC"
