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


@pytest.mark.expected_logs("partial books stand in")
async def test_partial_books_stand_in_for_options_whose_snapshots_never_join(venue: ModelVenue, hub: Hub) -> None:
    ref = SymbolRef(Market.OPTIONS, "BTC-261225-100000-C")
    venue.rest.lag_s = 1e9
    model = venue.add(ref.market, ref.symbol, every_s=0.5)
    await asyncio.sleep(100)  # there is a past to be given
    watch = Watch(hub.feed(ref), model)
    watch.feed.start()
    took_s = await until(lambda: watch.feed.state is FeedState.LIVE, 70)
    assert took_s > 59
    assert "partial books" in watch.feed.status.detail
    await asyncio.sleep(20)
    assert watch.feed.state is FeedState.LIVE
    version = watch.feed.book.version
    (stream,) = venue.streams
    assert any("@depth20@" in name for name in stream.names)
    stream.muted.update(name for name in stream.names if "@depth20@" in name)
    await until(lambda: watch.feed.state is not FeedState.LIVE, 12)
    stream.muted.clear()
    await until(lambda: watch.feed.state is FeedState.LIVE, 2)
    venue.rest.lag_s = 25.0
    await until(lambda: watch.feed.status.detail == "Live", 60)
    assert watch.feed.book.version > version
    await asyncio.sleep(5)
    assert not any("@depth20@" in name for name in stream.names)
    assert watch.wrong == []
    await watch.feed.stop()
