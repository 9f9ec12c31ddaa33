"""Live means proven: a stream that is acknowledged and then silent, while the venue's book moves on or does not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from feed.model_venue import ModelSymbol, ModelVenue, Watch
from feed.virtual_loop import VirtualLoop
from feed.waiting import until

from depthgui.binance.endpoints import Market, SymbolRef
from depthgui.depthcache.feed import Feed, FeedOptions, FeedState
from depthgui.depthcache.hub import Hub

DEPTH = "btcusdt@depth@100ms"
BARE = FeedOptions(with_tickers=False, with_trades=False)
KNOWABLE_S = 3.0


class Truth:
    """Measures how long a feed says "live" of a book that is no longer the venue's present one."""

    def __init__(self, feed: Feed, model: ModelSymbol) -> None:
        self.feed = feed
        self.model = model
        self.wrong_s = 0.0
        self._task = asyncio.create_task(self._measure())

    def is_wrong(self) -> bool:
        book = self.feed.book
        if self.feed.state is not FeedState.LIVE or book is None:
            return False
        bids = {price: size for price, size in book.bids.levels() if price in self.model.bids or size}
        return bids != self.model.bids or dict(book.asks.levels()) != self.model.asks

    async def _measure(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            self.wrong_s = self.wrong_s + 0.1 if self.is_wrong() else self.wrong_s

    async def stop(self) -> float:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        return self.wrong_s


@pytest.mark.parametrize("options", [None, BARE], ids=["with tickers", "bare"])
@pytest.mark.parametrize("every_s", [0.1, 1.0, 3.0])
@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM, Market.COINM])
async def test_a_stream_that_is_silent_from_the_start_is_never_live_while_the_book_moves(
    venue: ModelVenue, hub: Hub, expected_logs, market: Market, every_s: float, options: FeedOptions | None
) -> None:
    expected_logs.allow("Max reconnections")
    venue.dead_streams.add(DEPTH)
    model = venue.add(market, "BTCUSDT", every_s=every_s)
    feed = hub.feed(SymbolRef(market, "BTCUSDT"), options)
    truth = Truth(feed, model)
    feed.start()
    await asyncio.sleep(150)
    # A slow symbol may rest between two snapshots; what it does after them is not knowable before the next one.
    assert await truth.stop() <= (10 if every_s > 2 else 0)
    renewals = sum(one.method == "UNSUBSCRIBE" for stream in venue.streams for one in stream.sent)
    assert renewals + len(venue.streams) > 3
    venue.dead_streams.clear()
    feed.start()  # a socket that brought nothing may have been given up after five tries
    await until(lambda: feed.state is FeedState.LIVE, 60)


@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM, Market.COINM])
async def test_best_prices_with_a_newer_id_contradict_a_silent_stream_within_three_seconds(
    venue: ModelVenue, hub: Hub, market: Market
) -> None:
    model = venue.add(market, "BTCUSDT", every_s=5.0)
    watch = Watch(hub.feed(SymbolRef(market, "BTCUSDT")), model)
    watch.feed.start()
    await until(lambda: watch.feed.state is FeedState.LIVE, 20)
    await asyncio.sleep(60)
    venue.move(model, None)
    await asyncio.sleep(1)
    venue.dead_streams.add(DEPTH)
    venue.change(model)
    took_s = await until(lambda: watch.feed.state is not FeedState.LIVE, 60)
    assert took_s <= KNOWABLE_S
    venue.dead_streams.clear()
    await until(lambda: watch.feed.state is FeedState.LIVE, 20)
    assert watch.wrong == []


def trade_of(model: ModelSymbol, number: int, time_ms: int) -> dict[str, Any]:
    event = {
        "e": "trade",
        "E": time_ms,
        "T": time_ms,
        "s": model.symbol,
        "t": number,
        "p": "100.00",
        "q": "1",
        "m": True,
    }
    return event | ({} if model.market is Market.SPOT else {"X": "MARKET"})


@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM])
async def test_a_trade_that_no_diff_follows_is_looked_into(venue: ModelVenue, hub: Hub, market: Market) -> None:
    model = venue.add(market, "BTCUSDT", every_s=5.0)
    feed = hub.feed(SymbolRef(market, "BTCUSDT"), FeedOptions(with_tickers=False))
    feed.start()
    await until(lambda: feed.state is FeedState.LIVE, 20)
    await asyncio.sleep(60)
    venue.move(model, None)
    await asyncio.sleep(1)
    venue.publish("btcusdt@trade", trade_of(model, 1, venue.now_ms()), market)
    await asyncio.sleep(5)
    assert feed.state is FeedState.LIVE  # the venue's snapshot says that nothing has changed
    venue.dead_streams.add(DEPTH)
    venue.change(model)
    venue.publish("btcusdt@trade", trade_of(model, 2, venue.now_ms()), market)
    took_s = await until(lambda: feed.state is not FeedState.LIVE, 60)
    assert took_s <= KNOWABLE_S + 0.5  # 1.1 s for the diff, a look, 1.1 s for what the snapshot shows


@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM])
async def test_after_hours_of_quiet_a_newer_snapshot_is_not_held_for_ever(
    venue: ModelVenue, hub: Hub, market: Market
) -> None:
    model = venue.add(market, "BTCUSDT", every_s=None)
    feed = hub.feed(SymbolRef(market, "BTCUSDT"), BARE)
    feed.start()
    await until(lambda: feed.state is FeedState.LIVE, 20)
    await asyncio.sleep(4 * 3600)
    assert feed.state is FeedState.LIVE
    venue.dead_streams.add(DEPTH)
    asked = len(venue.rest.snapshots())
    venue.change(model)
    truth = Truth(feed, model)
    await until(lambda: len(venue.rest.snapshots()) > asked, 70)  # so it becomes knowable
    took_s = await until(lambda: feed.state is not FeedState.LIVE, 60)
    assert took_s <= KNOWABLE_S
    assert await truth.stop() <= 70


@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM])
async def test_a_refresh_that_is_newer_than_the_book_is_not_held_for_ever(
    venue: ModelVenue, hub: Hub, market: Market
) -> None:
    model = venue.add(market, "BTCUSDT", every_s=0.1)
    feed = hub.feed(SymbolRef(market, "BTCUSDT"), BARE)
    feed.start()
    await until(lambda: feed.state is FeedState.LIVE, 20)
    await asyncio.sleep(30)
    venue.dead_streams.add(DEPTH)
    await asyncio.sleep(0.5)
    feed.refresh()
    took_s = await until(lambda: feed.state is not FeedState.LIVE, 60)
    assert took_s <= KNOWABLE_S
    assert model.last_id > 0


@pytest.mark.parametrize("market", [Market.SPOT, Market.USDM, Market.COINM])
async def test_a_quiet_symbol_is_live_once_two_snapshots_agree(venue: ModelVenue, hub: Hub, market: Market) -> None:
    model = venue.add(market, "BTCUSDT", every_s=None)
    watch = Watch(hub.feed(SymbolRef(market, "BTCUSDT")), model)
    watch.feed.start()
    took_s = await until(lambda: watch.feed.state is FeedState.LIVE, 20)
    assert took_s < 5
    first, second = venue.rest.snapshots()
    assert second.at_s - first.at_s >= 2.0
    assert len(watch.feed.book.bids) == len(model.bids)
    venue.move(model, 0.1)
    await asyncio.sleep(10)
    assert watch.wrong == []
    assert watch.states == ["connecting", "live"]


async def test_the_tape_goes_on_when_the_venue_begins_its_trade_ids_anew(
    venue: ModelVenue, hub: Hub, loop: VirtualLoop
) -> None:
    model = venue.add(Market.SPOT, "BTCUSDT")
    feed = hub.feed(SymbolRef(Market.SPOT, "BTCUSDT"))
    feed.start()
    await until(lambda: feed.state is FeedState.LIVE, 20)

    async def trade(number: int, time_ms: int) -> None:
        venue.publish("btcusdt@trade", trade_of(model, number, time_ms), Market.SPOT)
        await asyncio.sleep(0.1)

    now_ms = venue.now_ms()
    for number, time_ms in ((5000, now_ms), (5001, now_ms + 1), (5001, now_ms + 1), (5000, now_ms)):
        await trade(number, time_ms)
    assert [one.trade_id for one in feed.trades] == [5000, 5001]
    for number in (3, 4, 3, 5):
        await trade(number, now_ms + 100 + number)
    assert [one.trade_id for one in feed.trades] == [5000, 5001, 3, 4, 5]
    await trade(5002, now_ms + 2)  # a straggler of the old numbering is no harm
    await trade(6, now_ms + 200)
    assert feed.trades[-1].trade_id == 6


async def test_a_diff_that_is_sent_twice_with_a_later_time_is_ignored(venue: ModelVenue, hub: Hub) -> None:
    model = venue.add(Market.SPOT, "BTCUSDT", every_s=None)
    watch = Watch(hub.feed(SymbolRef(Market.SPOT, "BTCUSDT")), model)
    watch.feed.start()
    await until(lambda: watch.feed.state is FeedState.LIVE, 20)
    for _ in range(5):
        event = venue.change(model)
        await asyncio.sleep(0.2)
        venue.publish(DEPTH, event | {"E": event["E"] + 500}, Market.SPOT)
        await asyncio.sleep(0.2)
    assert watch.states == ["connecting", "live"]
    assert watch.feed.counters.resyncs == 0
    assert watch.wrong == []
