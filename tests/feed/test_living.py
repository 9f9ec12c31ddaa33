"""A feed from start to stop, when nothing goes wrong."""

from __future__ import annotations

import asyncio

import pytest
from feed.model_venue import ModelVenue, Watch
from feed.waiting import until

from depthgui.binance.endpoints import Market, SymbolRef
from depthgui.depthcache.feed import FeedState
from depthgui.depthcache.hub import Hub


@pytest.mark.parametrize("market", list(Market))
async def test_a_feed_becomes_live_and_equals_the_exchange(venue: ModelVenue, hub: Hub, market: Market) -> None:
    model = venue.add(market, "BTCUSDT")
    feed = hub.feed(SymbolRef(market, "BTCUSDT"))
    watch = Watch(feed, model)
    feed.start()
    assert feed.state is FeedState.CONNECTING
    await until(lambda: feed.state is FeedState.LIVE, 5)
    await asyncio.sleep(60)
    assert feed.state is FeedState.LIVE
    assert watch.wrong == []
    assert watch.checked > 500
    assert watch.states == ["connecting", "live"]
    assert feed.counters.gaps == feed.counters.resyncs == feed.counters.audit_differences == 0
    assert feed.counters.audits > 100  # bookTickers at equal ids
    assert feed.info is not None
    assert feed.info.base == "BTC"
    await feed.stop()
    assert feed.state is FeedState.STOPPED
    assert feed.book is not None
